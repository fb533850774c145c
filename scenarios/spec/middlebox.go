package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"tcplab/scenarios/quantity"
)

// Middlebox is something that stands in the path and looks into segments.
type Middlebox struct {
	Pos     Pos
	Name    string `key:"name" required:"true" example:"nat" doc:"The name under which its metrics appear: a small letter, then small letters, digits and _."`
	Kind    string `key:"kind" required:"true" example:"nat" doc:"What kind of box it is."`
	Inside  string `key:"inside" required:"true" example:"home" doc:"The end of the link at which it stands: the router or host on its inner side. What leaves there passes the box before the queue of the link, and what arrives there after its delay. With a group of hosts there is a box at each."`
	Outside string `key:"outside" required:"true" example:"isp" doc:"The other end of the link. Of several boxes at one link, the one that is written first is the innermost."`
	// Config is what the New of the kind returned, filled in.
	Config any

	node *node
}

// Router is implemented by the config of a box that has the address of the router
// at which it stands, and so cannot stand at a host.
type Router interface{ StandsAtRouter() }

// At returns where a key of the box is written, or where the box begins if it is
// not.
func (m *Middlebox) At(key string) Pos {
	if n := m.node.get(key); n != nil {
		return n.Pos
	}
	return m.Pos
}

// decodeNode reads the keys that all boxes have, and those of the kind into the
// config.
func (m *Middlebox) decodeNode(d *decoder, n *node, f *field) {
	m.node, m.Pos = n, n.Pos
	m.Config = d.kinded(n, "a middlebox", f.sample(d.registry), d.registry.Boxes, reflect.ValueOf(m).Elem())
}

// describe implements describer.
func (m *Middlebox) describe(r *Registry) object {
	return kindedSchema(reflect.TypeFor[Middlebox](), r.Boxes, r)
}

// Middlebox returns the box with that name, nil if there is none.
func (s *Scenario) Middlebox(name string) *Middlebox {
	for i := range s.Middleboxes {
		if s.Middleboxes[i].Name == name {
			return &s.Middleboxes[i]
		}
	}
	return nil
}

// LinkOf returns the place in Links of the link at which a box stands, and whether
// it leads outward (from inside) in the forward direction.
func (s *Scenario) LinkOf(m *Middlebox) (link int, forward bool) {
	for i := range s.Links {
		switch s.Links[i].Ends {
		case [2]string{m.Inside, m.Outside}:
			return i, true
		case [2]string{m.Outside, m.Inside}:
			return i, false
		}
	}
	panic("spec: a middlebox at no link in a scenario that was checked")
}

// checkMiddleboxes checks that there is one link at each box.
func (d *decoder) checkMiddleboxes() {
	if d.reach.broken {
		return
	}
	var ends []string
	for _, l := range d.scenario.Links {
		for _, e := range l.Ends {
			if !has(ends, e) {
				ends = append(ends, e)
			}
		}
	}
	for i := range d.scenario.Middleboxes {
		m := &d.scenario.Middleboxes[i]
		if d.endOf(m, "inside", m.Inside, ends) && d.endOf(m, "outside", m.Outside, ends) {
			d.checkPlace(m)
		}
	}
}

// endOf checks an end that a box names.
func (d *decoder) endOf(m *Middlebox, key, end string, ends []string) bool {
	n := m.node.get(key)
	if n == nil || end == "" {
		return false
	}
	if !has(ends, end) {
		d.fail(n, "%s: no link has the end %s %s", key, quote(end), instead(end, ends))
		return false
	}
	return true
}

func (d *decoder) checkPlace(m *Middlebox) {
	joined := 0
	for _, l := range d.scenario.Links {
		if slices.Contains(l.Ends[:], m.Inside) && slices.Contains(l.Ends[:], m.Outside) {
			joined++
		}
	}
	at := m.node.get("outside")
	switch {
	case m.Inside == m.Outside:
		d.fail(at, "outside: the box has %s on both sides (name the two ends of a link)", m.Inside)
	case joined == 0:
		d.fail(at, "outside: no link joins %s and %s (%s is linked to %s)", m.Inside, m.Outside, m.Inside, join(d.reach.links[m.Inside]))
	case joined > 1:
		d.fail(at, "outside: %d links join %s and %s, and a box stands at one (put a router into the others)", joined, m.Inside, m.Outside)
	}
	if _, router := m.Config.(Router); router && d.scenario.Host(m.Inside) != nil {
		d.fail(m.node.get("inside"), "inside: %s is a host, and a %s has the address of the router where it stands (put a router between %s and %s)",
			m.Inside, m.Kind, m.Inside, m.Outside)
	}
}

// surveyMiddleboxes enters the boxes as owners of metrics.
func (d *decoder) surveyMiddleboxes(boxes *node) {
	if boxes == nil || boxes.kind != sequenceNode {
		return
	}
	for _, b := range boxes.items {
		d.surveyKinded(b, "a middlebox", d.registry.Boxes)
	}
}

// surveyKinded enters a workload or a box as owner of the metrics of its kind.
func (d *decoder) surveyKinded(n *node, what string, kinds []Kind) {
	name := n.get("name")
	if name == nil || name.kind != scalarNode || name.null || name.bad {
		return
	}
	var metrics []Metric
	if kind := n.get("kind"); kind != nil {
		k, _ := kindNamed(kinds, kind.text())
		metrics = k.Metrics
	}
	if !quantity.ValidName(name.text()) {
		d.fail(name, "name: %s is not a name for %s (a name is a small letter, then small letters, digits and _)", quote(name.text()), what)
		return
	}
	d.own(name, name.text(), owner{what, metrics})
}

// kinded decodes a mapping whose keys depend on its kind: those that all have into
// head, the others into the config of the kind, which is returned.
func (d *decoder) kinded(n *node, what, example string, kinds []Kind, v reflect.Value) any {
	head := bind(v)
	if n.kind != mappingNode {
		d.fail(n, "%s where %s belongs (write - %s)", n.what(), what, strings.Trim(example, "[]"))
		return nil
	}
	where := what
	if name := n.get("name"); name != nil && name.kind == scalarNode && !name.null {
		where = what[len("a "):] + " " + name.text()
	}
	name := n.get("kind")
	if name == nil || name.kind != scalarNode || name.null || name.bad {
		d.headOnly(n, where, head)
		return nil
	}
	kind, ok := kindNamed(kinds, name.text())
	if !ok {
		d.fail(name, "unknown kind %s %s", quote(name.text()), instead(name.text(), kindNames(kinds)))
		d.headOnly(n, where, head)
		return nil
	}
	config := kind.New()
	d.structure(n, where+" ("+kind.Name+")", head, bind(reflect.ValueOf(config).Elem()))
	return config
}

func kindNamed(kinds []Kind, name string) (Kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

func kindNames(kinds []Kind) []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// kindedSchema describes a mapping whose keys depend on its kind.
func kindedSchema(t reflect.Type, all []Kind, r *Registry) object {
	head := structSchema(t, r)
	properties := head["properties"].(object)
	properties["name"] = object{"type": "string", "pattern": namePattern, "description": properties["name"].(object)["description"]}
	var kinds, cases []object
	for _, k := range all {
		kinds = append(kinds, object{"const": k.Name, "description": k.Doc})
		config := structSchema(reflect.TypeOf(k.New()).Elem(), r)
		keys := config["properties"].(object)
		for key := range properties {
			keys[key] = true
		}
		config["type"] = "object"
		cases = append(cases, object{
			"if":   object{"properties": object{"kind": object{"const": k.Name}}, "required": []string{"kind"}},
			"then": config,
		})
	}
	kind := object{"description": fmt.Sprintf("%v", properties["kind"].(object)["description"])}
	if len(kinds) > 0 {
		kind["oneOf"] = kinds
	}
	properties["kind"] = kind
	s := object{"type": "object", "properties": properties, "required": head["required"]}
	if len(cases) > 0 {
		s["allOf"] = cases
	}
	return s
}
