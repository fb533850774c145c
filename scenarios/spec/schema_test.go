package spec

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema(testRegistry())))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain gives a node as a YAML reader for JSON tools does.
func plain(n *node) any {
	switch n.kind {
	case mappingNode:
		out := map[string]any{}
		for i, k := range n.keys {
			out[k.value] = plain(n.items[i])
		}
		return out
	case sequenceNode:
		out := []any{}
		for _, item := range n.items {
			out = append(out, plain(item))
		}
		return out
	}
	if n.null {
		return nil
	}
	if _, err := strconv.ParseFloat(n.value, 64); err == nil && !n.quoted {
		return json.Number(n.value)
	}
	if n.value == "true" || n.value == "false" {
		return n.value == "true"
	}
	return n.value
}

func document(t *testing.T, name string) any {
	t.Helper()
	root := parseYAML(read(t, name), func(p Pos, text string) { t.Fatalf("%v: %s", p, text) })
	return plain(root)
}

func TestSchemaGood(t *testing.T) {
	s := compileSchema(t)
	for _, name := range files(t, "testdata/good/*.yaml") {
		if err := s.Validate(document(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaBad holds the schema against the wrong files whose problem is one of
// form.
func TestSchemaBad(t *testing.T) {
	s := compileSchema(t)
	for _, name := range []string{"unknown-keys", "units", "required", "wrong-types", "list-at-top", "not-a-mapping",
		"faults", "measure-word", "sysctl", "sweep-empty", "version-missing", "no-config"} {
		file := filepath.Join("testdata/bad", name+".yaml")
		if err := s.Validate(document(t, file)); err == nil {
			t.Errorf("%s is valid", file)
		}
	}
}

// TestSchemaSingle holds the schema against single changes of a right file.
func TestSchemaSingle(t *testing.T) {
	s := compileSchema(t)
	right := string(read(t, "testdata/good/syn-flood.yaml"))
	for _, c := range []struct{ from, to string }{
		{"delay: 20ms", "delay: 20"},
		{"delay: 20ms", "delay: 20 parsec"},
		{"delay: 20ms", "delay: -20ms"},
		{"limit: 250 packets", "limit: 250"},
		{"profile: linux", "profile: solaris"},
		{"port: 80,", "port: 70000,"},
		{"kind: clients", "kind: client"},
		{"timeout: 3s", "timeout: 3s, retries: 4"},
		{"arrivals: poisson 20/s", "arrivals: 20/s"},
		{"spoof: 198.18.0.0/15", "spoof: any"},
		{"tcp_syn_retries: 1", "tcp_syn_retries: 0"},
		{"to: server:80, arrivals", "arrivals"},
		{"ends: [core, server]", "ends: [core]"},
		{"interval: 1s", "interval: [1s]"},
		{"doc: spoofed", "docs: spoofed"},
	} {
		wrong := strings.Replace(right, c.from, c.to, 1)
		if wrong == right {
			t.Fatalf("%q is not in the file", c.from)
		}
		root := parseYAML([]byte(wrong), func(p Pos, text string) { t.Fatalf("%v: %s", p, text) })
		if err := s.Validate(plain(root)); err == nil {
			t.Errorf("with %q in place of %q it is valid", c.to, c.from)
		}
		if _, err := Load("x.yaml", []byte(wrong), nil, testRegistry()); err == nil {
			t.Errorf("with %q in place of %q it loads", c.to, c.from)
		}
	}
}

func TestReference(t *testing.T) {
	golden(t, "testdata/reference.want", string(Reference(testRegistry())))
}
