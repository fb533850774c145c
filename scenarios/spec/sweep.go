package spec

import (
	"fmt"
	"path"
	"slices"

	"tcplab/scenarios/quantity"
)

// Sweep is a set of points, at each of which the scenario is run with a number
// of replications. The points are all combinations of the rows of its parts:
// each axis of the grid, the rows of zip, one_at_a_time and sample.
type Sweep struct {
	Pos          Pos
	Grid         Grid          `key:"grid" example:"{flood_rate: [2/s, 20/s]}" doc:"For each parameter that varies its values, of which every combination is a point: a list, or a span such as lin:1/s..10/s:4 or log:1/s..100/s:5 (from, to, how many)."`
	Zip          Grid          `key:"zip" example:"{delay: [10ms, 50ms], queue: [50 packets, 250 packets]}" doc:"Lists of one length that are gone through together."`
	OneAtATime   Grid          `key:"one_at_a_time" example:"{backlog: [64, 256], delay: [1ms, 100ms]}" doc:"Values of which one at a time is in the place of the parameter's own; the first point has the own values of all."`
	Sample       *Sample       `key:"sample" doc:"Points that are drawn at random."`
	Replications int           `key:"replications" default:"1" min:"1" doc:"How many runs with different random numbers each point has. With until: how many it has at least."`
	Streams      string        `key:"streams" enum:"common,independent" default:"common" doc:"Whether replication n has the same random numbers at all points, which makes differences between points sharper, or others at each."`
	Until        *Until        `key:"until" doc:"When a point has had enough replications."`
	Batches      int           `key:"batches" default:"0" min:"0" max:"1000" doc:"For intervals from one long run: into how many stretches of time the run is divided (10 to 30 are usual), whose means are taken for independent."`
	Compare      *Compare      `key:"compare" doc:"Two values of a parameter, between which the differences of all metrics are taken, replication by replication."`
	Metrics      []string      `key:"metrics" item:"a pattern" example:"[legit.*, server.syn_drop]" doc:"The metrics that the results have; * stands for anything. Without it they have all. What is kept of a run has all in any case."`
	Expect       []Expectation `key:"expect" item:"an expectation" example:"[abs(server.syn_drop - $published) < 1%]" doc:"What must hold at each point that the scenario gives: comparisons of metrics, which are means over the replications of the point. $NAME is the value of a parameter there; one that varies beside the others (zip) and is named only here is what the point should give."`
	Figures      []Figure      `key:"figures" item:"a figure" example:"[{kind: lines, x: flood_rate, y: legit.connect_success}]" doc:"What is drawn over the points."`
}

// Grid is the axes of a sweep, in the order of the file.
type Grid []Axis

// Axis is a parameter and the values that it takes, as --set would give them.
type Axis struct {
	Pos    Pos
	Param  string
	Values []string
}

// Sample is points drawn at random.
type Sample struct {
	Pos    Pos
	Design string `key:"design" enum:"random,latin_hypercube" default:"latin_hypercube" doc:"How they are drawn: each for itself, or so that each of as many equal parts of every span has one. With random, a larger number keeps the points of a smaller one."`
	Points int    `key:"points" required:"true" min:"1" max:"1000000" example:"100" doc:"How many there are."`
	From   Ranges `key:"from" required:"true" example:"{flood_rate: log:1/s..100/s, backlog: [64, 128]}" doc:"For each parameter what it is drawn from: a span such as lin:1ms..5ms or log:1/s..100/s, or a list, whose values are equally likely."`
}

// Ranges is what parameters are drawn from, in the order of the file.
type Ranges []Range

// Range is a parameter and what it is drawn from.
type Range struct {
	Axis
	// Span is nil for a list.
	Span *quantity.Span
}

// At returns the value at a part from 0 to 1 of the range.
func (r *Range) At(part float64) string {
	if r.Span != nil {
		return r.Span.At(part)
	}
	return r.Values[min(int(part*float64(len(r.Values))), len(r.Values)-1)]
}

// Until is a rule that ends the replications of a point. It looks at
// replications 1 to n, for n from Sweep.Replications on.
type Until struct {
	Pos       Pos
	Metric    string  `key:"metric" required:"true" example:"legit.connect_success" doc:"The metric that has to be known."`
	HalfWidth float64 `key:"ci95_half_width" required:"true" above:"0" example:"0.01" doc:"How far its 95 % confidence interval may reach to each side, in the unit of the metric (s, bit/s, ...)."`
	Max       int     `key:"max" required:"true" min:"2" max:"1000000" example:"200" doc:"How many replications a point has at most."`
}

// Compare is two settings whose difference is of interest.
type Compare struct {
	Pos   Pos
	Param string `key:"param" required:"true" example:"syncookies" doc:"The parameter in which they differ."`
	From  string `key:"from" required:"true" example:"0" doc:"Its value in the one."`
	To    string `key:"to" required:"true" example:"1" doc:"Its value in the other, from which the one is subtracted."`
}

// Points is how many combinations the grid has.
func (g Grid) Points() int {
	n := 1
	for _, a := range g {
		n *= len(a.Values)
	}
	return n
}

// Params returns the parameters that vary.
func (s *Sweep) Params() []string {
	var names []string
	for _, g := range []Grid{s.Grid, s.Zip, s.OneAtATime} {
		for _, a := range g {
			names = append(names, a.Param)
		}
	}
	if s.Sample != nil {
		for _, r := range s.Sample.From {
			names = append(names, r.Param)
		}
	}
	return names
}

// shows reports whether a figure has the parameter as an axis, or tells lines
// apart by it: then it may be a name of points that nothing else uses.
func (s *Sweep) shows(param string) bool {
	return s != nil && slices.ContainsFunc(s.Figures, func(f Figure) bool { return f.X == param || f.By == param })
}

// checkSweep looks at what concerns several parts of a sweep.
func (d *decoder) checkSweep(n *node) {
	s := d.scenario.Sweep
	if d.again {
		return
	}
	names := s.Params()
	if n.kind == mappingNode && len(names) == 0 && n.get("grid") == nil && n.get("zip") == nil && n.get("one_at_a_time") == nil && n.get("sample") == nil {
		d.fail(n, "sweep: no parameter varies (write grid: {PARAMETER: [VALUE, VALUE]})")
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			d.fail(n, "sweep: %s varies in two ways (name it once)", name)
		}
	}
	for _, a := range s.Zip {
		if len(a.Values) != len(s.Zip[0].Values) {
			d.report(a.Pos, fmt.Sprintf("zip: %s has %d values and %s has %d (give all as many)",
				s.Zip[0].Param, len(s.Zip[0].Values), a.Param, len(a.Values)))
		}
	}
	for i := range s.Expect {
		d.checkPointExpectation(s, &s.Expect[i])
	}
	if u := s.Until; u != nil && u.Metric != "" {
		d.metricName(n.get("until").get("metric"), "metric", u.Metric, wantValue)
		if u.Max < s.Replications {
			d.fail(n.get("until"), "max: %d is less than the replications of each point (at least %d)", u.Max, s.Replications)
		}
	}
	if c := s.Compare; c != nil && c.Param != "" && !slices.Contains(names, c.Param) {
		d.fail(n.get("compare"), "param: %s does not vary %s", quote(c.Param), instead(c.Param, names))
	}
}

// checkPointExpectation looks whether the results of a sweep have what e asks
// for.
func (d *decoder) checkPointExpectation(s *Sweep, e *Expectation) {
	e.root.walk(func(t *term) {
		if t.op != opMetric {
			return
		}
		if t.during != nil {
			d.report(e.Pos, fmt.Sprintf("expect: %s%s: the results of a sweep have metrics of whole runs alone (leave %s out; measure: {warmup: ...} leaves out the start)", t.text, t.bounds, t.bounds))
			return
		}
		wanted := func(pattern string) bool {
			ok, err := path.Match(pattern, t.text)
			return ok || err != nil
		}
		if len(s.Metrics) > 0 && !slices.ContainsFunc(s.Metrics, wanted) {
			d.report(e.Pos, fmt.Sprintf("expect: %s is not among the metrics of the results (add it to metrics:)", t.text))
		}
	})
}

// decodeNode reads a mapping from parameters to lists of values.
func (g *Grid) decodeNode(d *decoder, n *node, f *field) {
	points := 1
	for i, key := range d.axisKeys(n, f) {
		axis := Axis{Pos: key.Pos, Param: key.value}
		item := n.items[i]
		if span := d.span(item, key.value); span != nil {
			if span.Count == 0 {
				d.fail(item, "%s: %s does not say how many values (write %s:5)", key.value, quote(item.text()), item.text())
				continue
			}
			axis.Values = span.Values()
			for _, v := range axis.Values {
				d.gridValues = append(d.gridValues, gridValue{f.key, axis.Param, v, item.Pos})
			}
		} else if axis.Values = d.axisValues(item, f.key, key.value); axis.Values == nil {
			continue
		}
		*g = append(*g, axis)
		if points *= max(1, len(axis.Values)); points > maxPoints && f.key == "grid" {
			d.fail(n, "grid: more than %d points (split the sweep)", maxPoints)
			return
		}
	}
}

// decodeNode reads a mapping from parameters to spans or lists.
func (r *Ranges) decodeNode(d *decoder, n *node, f *field) {
	for i, key := range d.axisKeys(n, f) {
		one := Range{Axis: Axis{Pos: key.Pos, Param: key.value}}
		item := n.items[i]
		if one.Span = d.span(item, key.value); one.Span != nil {
			if one.Span.Count != 0 {
				d.fail(item, "%s: a span that is drawn from has no number of values (leave :%d out)", key.value, one.Span.Count)
			}
			for _, v := range []string{one.Span.From, one.Span.To, one.Span.At(0.5)} {
				d.gridValues = append(d.gridValues, gridValue{f.key, key.value, v, item.Pos})
			}
		} else if one.Values = d.axisValues(item, f.key, key.value); one.Values == nil {
			continue
		}
		*r = append(*r, one)
	}
}

// axisKeys returns the parameters of a mapping, nil if it is none.
func (d *decoder) axisKeys(n *node, f *field) []*node {
	if n.kind != mappingNode || len(n.items) == 0 {
		d.fail(n, "%s: parameters and their values belong here %s", f.key, f.write(d.registry))
		return nil
	}
	var names []string
	for _, p := range d.scenario.Params {
		names = append(names, p.Name)
	}
	for _, key := range n.keys {
		if !has(names, key.value) {
			d.report(key.Pos, fmt.Sprintf("%s: there is no parameter %s %s", f.key, quote(key.value), instead(key.value, names)))
		}
	}
	return n.keys
}

// span reads a span of values, nil if the value is none.
func (d *decoder) span(n *node, param string) *quantity.Span {
	if n.kind != scalarNode || n.null || n.bad || !quantity.IsSpan(n.text()) {
		return nil
	}
	p, err := quantity.ParseSpan(n.text())
	if err != nil {
		d.fail(n, "%s: %v", param, err)
		n.bad = true
		return nil
	}
	return &p
}

// axisValues reads a list of values, nil if it is none.
func (d *decoder) axisValues(item *node, key, param string) []string {
	if item.bad {
		return nil
	}
	if item.kind != sequenceNode || len(item.items) == 0 {
		d.fail(item, "%s: %s where a list of values belongs (write %s: [VALUE, VALUE])", param, item.what(), param)
		return nil
	}
	values := []string{}
	seen := map[string]bool{}
	for _, v := range item.items {
		switch text := v.text(); {
		case v.bad:
		case v.kind != scalarNode || v.null:
			d.fail(v, "%s: %s where one value belongs", param, v.what())
		case seen[text] && key != "zip":
			d.fail(v, "%s: the value %s is given twice (remove one)", param, quote(text))
		default:
			values = append(values, text)
			if !seen[text] {
				d.gridValues = append(d.gridValues, gridValue{key, param, text, v.Pos})
			}
			seen[text] = true
		}
	}
	return values
}

// maxPoints bounds the points of a sweep, against a slip of the pen.
const maxPoints = 10_000_000

// gridValue is one value of a sweep, which is tried while loading.
type gridValue struct {
	key, param, value string
	at                Pos
}

// describe implements describer.
func (g *Grid) describe(*Registry) object { return axes(`^(lin|log):.*\.\..*:[ 0-9]+$`) }

// describe implements describer.
func (r *Ranges) describe(*Registry) object { return axes(`^(lin|log):.*\.\.[^:]*$`) }

func axes(span string) object {
	scalar := object{"type": []string{"string", "number", "boolean"}}
	list := object{"type": "array", "minItems": 1, "items": scalar}
	return object{"type": "object", "minProperties": 1, "propertyNames": object{"pattern": namePattern},
		"additionalProperties": object{"anyOf": []object{list, {"type": "string", "pattern": span}}}}
}
