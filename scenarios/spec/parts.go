package spec

import (
	"fmt"
	"reflect"
	"strings"
)

// decodeNode reads the keys that all workloads have, and those of the kind into
// the config.
func (w *Workload) decodeNode(d *decoder, n *node, f *field) {
	w.node, w.Pos = n, n.Pos
	before := len(d.peers)
	w.Config = d.kinded(n, "a workload", f.sample(d.registry), d.registry.Kinds, reflect.ValueOf(w).Elem())
	if w.Config != nil {
		d.paths(w, d.peers[before:])
	}
}

// headOnly checks the common keys of what has a kind that is not known, and
// says nothing of the others.
func (d *decoder) headOnly(n *node, where string, head binding) {
	for i := range head.fields {
		d.field(n, where, &head.fields[i], head.value)
	}
}

// paths checks that the hosts that a workload names can reach each other.
func (d *decoder) paths(w *Workload, peers []peer) {
	on := d.group(string(w.On))
	if !has(d.hosts, on) || d.reach.broken {
		return
	}
	for _, p := range peers {
		if p.key == "on" {
			if len(d.reach.links[on]) == 0 {
				d.fail(p.at, "on: %s has no link (add one to links)", w.On)
				return
			}
			continue
		}
		if p.host == w.On {
			d.fail(p.at, "%s: %s is the workload's own host, and there is no loopback (name another host)", p.key, p.host)
			continue
		}
		host := d.group(string(p.host))
		if d.reach.find(host) == d.reach.find(on) {
			continue
		}
		d.fail(p.at, "%s: no path from %s to %s (%s; add links that join them)", p.key, w.On, p.host, d.reach.describe(on, host))
	}
}

// decodeNode reads a mapping from knobs to values.
func (s *Settings) decodeNode(d *decoder, n *node, f *field) {
	if n.null {
		return
	}
	if n.kind != mappingNode {
		d.fail(n, "%s: %s where settings belong %s", f.key, n.what(), f.write(d.registry))
		return
	}
	for i, key := range n.keys {
		item := n.items[i]
		var knob *Knob
		for j := range d.registry.Knobs {
			if d.registry.Knobs[j].Name == key.value {
				knob = &d.registry.Knobs[j]
			}
		}
		if knob == nil {
			d.report(key.Pos, fmt.Sprintf("unknown setting %s %s", quote(key.value), instead(sysctlName(key.value), d.registry.knobNames())))
			continue
		}
		if item.bad {
			continue
		}
		if item.kind != scalarNode || item.null {
			d.fail(item, "%s: %s where one value belongs (%s)", key.value, item.what(), knob.usage())
			continue
		}
		value, err := knob.Parse(item.text())
		if err != nil {
			d.fail(item, "%s: %v", key.value, err)
			continue
		}
		*s = append(*s, Setting{item.Pos, key.value, value, item.text()})
	}
}

// sysctlName is a name as sysctl(8) has it without its folders, such as
// net.ipv4.
func sysctlName(name string) string {
	return name[1+strings.LastIndexAny(name, "./"):]
}

// usage says what values a knob takes.
func (k *Knob) usage() string {
	switch k.Type {
	case KnobBool:
		return "write 0 or 1"
	case KnobDuration:
		if k.Unit != "" {
			return "write a time such as 20ms, or a number of " + k.Unit
		}
		return "write a time such as 20ms"
	case KnobBytes:
		return "write a size such as 64KiB, or a number of bytes"
	case KnobEnum:
		return "one of " + join(k.Enum)
	default:
		if k.Max != 0 {
			return fmt.Sprintf("write a whole number from %d to %d", k.Min, k.Max)
		}
		return fmt.Sprintf("write a whole number, at least %d", k.Min)
	}
}

// reach is which ends of links are connected: a union-find over names.
type reach struct {
	parent map[string]string
	links  map[string][]string
	// broken is true if a link could not be read: then nothing is said of
	// paths.
	broken bool
}

func (r *reach) find(name string) string {
	for r.parent[name] != "" && r.parent[name] != name {
		name = r.parent[name]
	}
	return name
}

func (r *reach) join(a, b string) {
	r.links[a] = append(r.links[a], b)
	r.links[b] = append(r.links[b], a)
	if a, b = r.find(a), r.find(b); a != b {
		r.parent[a] = b
	}
}

// describe says what two hosts are linked to, for a message that no path leads
// from one to the other.
func (r *reach) describe(a, b string) string {
	one := func(name string) string {
		if len(r.links[name]) == 0 {
			return name + " has no link"
		}
		return name + " is linked to " + join(r.links[name])
	}
	return one(a) + ", " + one(b)
}

func join(words []string) string { return strings.Join(words, ", ") }
