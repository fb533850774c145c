package spec

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tcplab/scenarios/quantity"
)

var update = flag.Bool("update", false, "rewrite the .want files of testdata")

// setOf reads the --set values of a test file from lines "# set NAME=VALUE".
func setOf(data []byte) map[string]string {
	set := map[string]string{}
	for _, line := range strings.Split(string(data), "\n") {
		if rest, ok := strings.CutPrefix(line, "# set "); ok {
			name, value, _ := strings.Cut(rest, "=")
			set[name] = value
		}
	}
	return set
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(read(t, name)), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestBad compares the messages about wrong files with those that a person has
// reviewed.
func TestBad(t *testing.T) {
	for _, name := range files(t, "testdata/bad/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data := read(t, name)
			_, err := Load(filepath.Base(name), data, setOf(data), testRegistry())
			if err == nil {
				t.Fatal("no error")
			}
			var got strings.Builder
			for _, p := range err.(Errors) {
				got.WriteString(p.String() + "\n")
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".want", got.String())
		})
	}
}

// TestGood loads files, compares their warnings, and loads what Resolved writes.
func TestGood(t *testing.T) {
	for _, name := range files(t, "testdata/good/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data := read(t, name)
			s, err := Load(filepath.Base(name), data, setOf(data), testRegistry())
			if err != nil {
				t.Fatal(err)
			}
			out := resolvedTwice(t, s)
			var warnings strings.Builder
			for _, w := range s.Warnings {
				warnings.WriteString("# warning: " + w.String() + "\n")
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".want", warnings.String()+string(out))
		})
	}
}

// TestOneYAML holds the YAML library to one file, so that another can replace
// it.
func TestOneYAML(t *testing.T) {
	for _, name := range files(t, "*.go") {
		if name != "yaml.go" && name != "load_test.go" && bytes.Contains(read(t, name), []byte("gopkg.in/yaml")) {
			t.Errorf("%s imports the YAML library", name)
		}
	}
}

// same compares what two scenarios say, wherever it is written.
var same = []cmp.Option{
	cmpopts.IgnoreTypes(Pos{}),
	cmpopts.IgnoreFields(Scenario{}, "File", "Params", "Sweep", "Warnings"),
	cmpopts.IgnoreUnexported(Scenario{}, Middlebox{}, Workload{}, Expectation{}),
	cmp.Comparer(func(a, b quantity.Prefix) bool { return a == b }),
}

func resolvedTwice(t *testing.T, s *Scenario) []byte {
	t.Helper()
	out, err := s.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load("resolved.yaml", out, nil, testRegistry())
	if err != nil {
		t.Fatalf("the resolved scenario does not load: %v\n%s", err, out)
	}
	if diff := cmp.Diff(s, again, same...); diff != "" {
		t.Errorf("the resolved scenario is another (-want +got):\n%s", diff)
	}
	out2, err := again.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	body := out
	for bytes.HasPrefix(body, []byte("#")) {
		_, body, _ = bytes.Cut(body, []byte("\n"))
	}
	if !bytes.Equal(body, out2) {
		t.Errorf("resolved twice differs:\n%s\n%s", body, out2)
	}
	return out
}
