package spec

import (
	"fmt"
	"reflect"
	"strings"
)

// Topology is a short form of links, which stand in Scenario.Links as if they
// had been written.
type Topology struct {
	Pos        Pos
	Kind       string      `key:"kind" required:"true" enum:"dumbbell,star,chain,parking_lot" doc:"dumbbell: hosts on both sides of one link. star: hosts around a router. chain: two hosts with routers between them. parking_lot: the same, and at each hop a pair of hosts that use that hop alone."`
	Left       []string    `key:"left" item:"a host" example:"[senders]" doc:"dumbbell: the hosts on the left. From left to right is forward on all links."`
	Right      []string    `key:"right" item:"a host" example:"[receivers]" doc:"dumbbell: the hosts on the right."`
	Hosts      []string    `key:"hosts" item:"a host" example:"[clients, server]" doc:"star: the hosts around the router hub."`
	Ends       []string    `key:"ends" item:"a host" example:"[client, server]" doc:"chain, parking_lot: the hosts at the two ends."`
	Hops       *int        `key:"hops" min:"1" max:"1000" doc:"chain: how many links there are in a row, called hop1, hop2, with routers router1, router2 between them."`
	Cross      [][2]string `key:"cross" item:"a pair of hosts" example:"[[a1, b1], [a2, b2]]" doc:"parking_lot: for each hop the host before it and the one behind it."`
	Access     *LinkShape  `key:"access" example:"{delay: 1ms, rate: 1Gbit/s}" doc:"dumbbell, star, parking_lot: the links of hosts, from left to right (star: towards the hub)."`
	Bottleneck *LinkShape  `key:"bottleneck" example:"{delay: 10ms, rate: 10Mbit/s}" doc:"dumbbell: the link in the middle, called bottleneck, between left_router and right_router."`
	Hop        *LinkShape  `key:"hop" example:"{delay: 5ms, rate: 10Mbit/s}" doc:"chain, parking_lot: each of the links in a row."`
}

// LinkShape is a link without its ends and its name. It is checked with the
// links that are made of it.
type LinkShape struct{ node *node }

// decodeNode implements nodeDecoder.
func (l *LinkShape) decodeNode(d *decoder, n *node, f *field) {
	if n.kind != mappingNode && !n.null {
		d.fail(n, "%s where the keys of a link belong (write %s: %s)", n.what(), f.key, f.example)
		return
	}
	for _, key := range n.keys {
		if key.value == "ends" || key.value == "name" {
			d.report(key.Pos, fmt.Sprintf("%s: the topology gives each link its ends and name (remove it)", key.value))
		}
	}
	l.node = n
}

// describe implements describer.
func (l *LinkShape) describe(r *Registry) object {
	s := structSchema(reflect.TypeFor[Link](), r)
	delete(s["properties"].(object), "ends")
	delete(s["properties"].(object), "name")
	delete(s, "required")
	s["type"] = []string{"object", "null"}
	return s
}

// topologyKeys are the keys of each kind, of which access and hop may be left
// out.
var topologyKeys = map[string][]string{
	"dumbbell":    {"left", "right", "bottleneck", "access"},
	"star":        {"hosts", "access"},
	"chain":       {"ends", "hops", "hop"},
	"parking_lot": {"ends", "cross", "hop", "access"},
}

// Validate implements Validator.
func (t *Topology) Validate(report func(field, message string)) {
	keys := topologyKeys[t.Kind]
	if keys == nil {
		return
	}
	given := map[string]bool{
		"left": t.Left != nil, "right": t.Right != nil, "hosts": t.Hosts != nil, "ends": t.Ends != nil, "hops": t.Hops != nil,
		"cross": t.Cross != nil, "access": t.Access != nil, "bottleneck": t.Bottleneck != nil, "hop": t.Hop != nil,
	}
	for _, key := range keys {
		if !given[key] && key != "access" && key != "hop" {
			report("", fmt.Sprintf("a %s needs %s (it has %s)", t.Kind, key, join(keys)))
		}
	}
	for _, f := range fieldsOf(reflect.TypeFor[Topology]()) {
		if given[f.key] && !has(keys, f.key) {
			report(f.key, fmt.Sprintf("a %s has none (it has %s)", t.Kind, join(keys)))
		}
	}
	if t.Ends != nil && len(t.Ends) != 2 {
		report("ends", fmt.Sprintf("%d hosts (name the two at the ends)", len(t.Ends)))
	}
}

// expandTopology puts links in the place of the topology of a file.
func (d *decoder) expandTopology(root *node) {
	n := root.get("topology")
	if n == nil || n.bad {
		return
	}
	before := len(d.problems)
	var t Topology
	d.structure(n, "topology", bind(reflect.ValueOf(&t).Elem()))
	if d.topologyBad = len(d.problems) > before; d.topologyBad {
		n.bad = true // there is nothing else to say about it
		return
	}
	links := root.get("links")
	if links != nil && links.kind != sequenceNode && !links.null {
		return // which is reported when it is decoded
	}
	list := &node{kind: sequenceNode, Pos: n.Pos}
	m := linkMaker{at: n, out: list}
	m.make(&t)
	if links != nil {
		list.items = append(list.items, links.items...)
	}
	for i := 0; i < len(root.keys); i++ {
		switch key := root.keys[i]; {
		case key.value == "topology" && links == nil:
			root.keys[i], root.items[i] = &node{Pos: key.Pos, value: "links"}, list
		case key.value == "topology":
			root.keys, root.items = append(root.keys[:i:i], root.keys[i+1:]...), append(root.items[:i:i], root.items[i+1:]...)
			i--
		case key.value == "links":
			root.items[i] = list
		}
	}
}

// linkMaker writes links.
type linkMaker struct{ at, out *node }

func (m *linkMaker) make(t *Topology) {
	hop := func(i int) string { return fmt.Sprintf("hop%d", i) }
	router := func(i int) string { return fmt.Sprintf("router%d", i) }
	switch t.Kind {
	case "dumbbell":
		for _, host := range t.Left {
			m.link(host, "left_router", "", t.Access)
		}
		m.link("left_router", "right_router", "bottleneck", t.Bottleneck)
		for _, host := range t.Right {
			m.link("right_router", host, "", t.Access)
		}
	case "star":
		for _, host := range t.Hosts {
			m.link(host, "hub", "", t.Access)
		}
	case "chain":
		from := t.Ends[0]
		for i := 1; i <= *t.Hops; i++ {
			to := router(i)
			if i == *t.Hops {
				to = t.Ends[1]
			}
			m.link(from, to, hop(i), t.Hop)
			from = to
		}
	case "parking_lot":
		m.link(t.Ends[0], router(1), "", t.Access)
		for i, pair := range t.Cross {
			m.link(pair[0], router(i+1), "", t.Access)
			m.link(router(i+1), router(i+2), hop(i+1), t.Hop)
			m.link(router(i+2), pair[1], "", t.Access)
		}
		m.link(router(len(t.Cross)+1), t.Ends[1], "", t.Access)
	}
}

// link writes a link. Its other keys are those of the shape, at their places.
func (m *linkMaker) link(from, to, name string, shape *LinkShape) {
	word := func(text string) *node {
		return &node{Pos: m.at.Pos, value: strings.ReplaceAll(text, "$", "$$")}
	}
	l := &node{kind: mappingNode, Pos: m.at.Pos, flow: true}
	set := func(key string, value *node) {
		l.keys, l.items = append(l.keys, word(key)), append(l.items, value)
	}
	set("ends", &node{kind: sequenceNode, Pos: m.at.Pos, flow: true, items: []*node{word(from), word(to)}})
	if name != "" {
		set("name", word(name))
	}
	if shape != nil && shape.node != nil {
		l.keys = append(l.keys, shape.node.keys...)
		l.items = append(l.items, shape.node.items...)
	}
	m.out.items = append(m.out.items, l)
}
