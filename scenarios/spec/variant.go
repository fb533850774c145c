package spec

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"strings"
	"sync"
)

// source is what a scenario was read from.
type source struct {
	data     []byte
	set      map[string]string
	registry *Registry
	files    *fileSet
	parse    sync.Once
	root     *node // of data, with nothing in the place of parameters
	lines    []string
}

// Source returns the text that the scenario was read from.
func (s *Scenario) Source() []byte { return bytes.Clone(s.source.data) }

// OpeningComment returns the comment at the top of the file, without its marks,
// but nothing that is meant for editors ("# yaml-language-server: ...").
func (s *Scenario) OpeningComment() string {
	var lines []string
	for line := range strings.SplitSeq(string(s.source.data), "\n") {
		text, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "#")
		if !ok {
			break
		}
		if text = strings.TrimPrefix(text, " "); !strings.HasPrefix(text, "yaml-language-server:") {
			lines = append(lines, strings.TrimRight(text, " "))
		}
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// Variant reads the scenario again with other values of parameters on top of
// those that it was read with. It is much quicker than Load, since the file is
// not taken apart again and its sweep is not tried. It may be called at the same
// time by many.
func (s *Scenario) Variant(set map[string]string) (*Scenario, error) {
	return s.again(set, s.parsed().clone("sweep"))
}

// PointExpectations returns what the sweep expects at the point with these values
// of parameters. As Variant it may be called by many.
func (s *Scenario) PointExpectations(set map[string]string) ([]Expectation, error) {
	if s.Sweep == nil || len(s.Sweep.Expect) == 0 {
		return nil, nil
	}
	whole := s.parsed()
	root := whole.clone("sweep")
	root.keys = append(root.keys, &node{value: "sweep"})
	root.items = append(root.items, &node{kind: mappingNode,
		keys: []*node{{value: "expect"}}, items: []*node{whole.get("sweep").get("expect").clone("")}})
	out, err := s.again(set, root)
	if err != nil {
		return nil, err
	}
	return out.Sweep.Expect, nil
}

// parsed returns the tree of the file, with nothing in the place of parameters.
func (s *Scenario) parsed() *node {
	src := s.source
	src.parse.Do(func() {
		src.lines = strings.Split(string(src.data), "\n")
		src.root = parseYAML(src.data, func(at Pos, text string) {
			panic(fmt.Sprintf("spec: %v: %s, in a file that was read before", at, text))
		})
	})
	return src.root
}

// again reads the scenario from a tree that was made of its own.
func (s *Scenario) again(set map[string]string, root *node) (*Scenario, error) {
	src := s.source
	with := maps.Clone(src.set)
	if with == nil {
		with = map[string]string{}
	}
	maps.Copy(with, set)
	d := &decoder{file: s.File, registry: src.registry, lines: src.lines, scenario: &Scenario{File: s.File}, files: src.files, again: true}
	out := d.decode(root, with)
	if len(d.problems) > 0 {
		return nil, Errors(sorted(d.problems))
	}
	out.Seed = s.Seed
	out.source = &source{data: src.data, set: with, registry: src.registry, files: src.files}
	return out, nil
}

// clone copies a tree without a key of its top.
func (n *node) clone(without string) *node {
	out := *n
	out.keys, out.items = nil, nil
	for i := range n.items {
		if len(n.keys) > 0 {
			if n.keys[i].value == without {
				continue
			}
			out.keys = append(out.keys, n.keys[i])
		}
		out.items = append(out.items, n.items[i].clone(""))
	}
	return &out
}

// unsaid are the parts of a scenario that make no difference to what is
// measured.
var unsaid = map[string]bool{"name": true, "title": true, "topic": true, "description": true, "params": true, "sweep": true, "figures": true, "style": true, "formats": true, "seed": true}

// Digest returns the SHA-256 of what a run measures by: the scenario with
// parameters resolved, the seed in force and the content of the files that it
// reads, but without its name, title, topic, description and figures, and however
// it is written. Two scenarios of one digest have the same metrics.
func (s *Scenario) Digest() [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte("tcplab scenario\n"))
	h.Write(binary.LittleEndian.AppendUint64(nil, s.Seed))
	for i, key := range s.root.keys {
		if !unsaid[key.value] {
			digest(h, key)
			digest(h, s.root.items[i])
		}
	}
	for _, f := range s.Files() {
		h.Write(f.SHA256[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func digest(h hash.Hash, n *node) {
	text := ""
	if n.kind == scalarNode && !n.null {
		text = n.text()
	}
	head := []byte{byte(n.kind), 0}
	if n.null {
		head[1] = 1
	}
	head = binary.LittleEndian.AppendUint32(head, uint32(len(n.items)))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(text)))
	h.Write(append(head, text...))
	for i, item := range n.items {
		if len(n.keys) > 0 {
			digest(h, n.keys[i])
		}
		digest(h, item)
	}
}
