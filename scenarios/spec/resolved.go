package spec

import (
	"bytes"
	"fmt"
	"strconv"
)

// Resolved writes the scenario as YAML with every parameter replaced by its
// value and with the seed in force. Loading it gives the same scenario, but
// without Params and Sweep, which have nothing left to act on; a comment at the
// top keeps the values of the parameters. Equal scenarios give equal bytes.
func (s *Scenario) Resolved() ([]byte, error) {
	root := &node{kind: mappingNode}
	seeded := false
	seed := func() {
		root.keys = append(root.keys, &node{value: "seed"})
		root.items = append(root.items, &node{value: strconv.FormatUint(s.Seed, 10)})
		seeded = true
	}
	for i, key := range s.root.keys {
		switch key.value {
		case "params", "sweep":
			continue
		case "seed":
			seed()
			continue
		}
		root.keys = append(root.keys, key)
		root.items = append(root.items, s.root.items[i])
		if key.value == "duration" && s.root.get("seed") == nil {
			seed()
		}
	}
	if !seeded {
		seed()
	}
	body, err := writeYAML(root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for i, p := range s.Params {
		if i == 0 {
			out.WriteString("# The scenario with these parameters:\n")
		}
		from := ""
		if p.Set {
			from = " (set; the default is " + strconv.Quote(p.Default) + ")"
		}
		fmt.Fprintf(&out, "#   %s = %q%s\n", p.Name, p.Value, from)
	}
	out.Write(body)
	return out.Bytes(), nil
}
