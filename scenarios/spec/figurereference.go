package spec

import (
	"fmt"
	"slices"
	"strings"

	"tcplab/scenarios/quantity"
)

// FigureReference is a set of values from elsewhere that a figure of a sweep
// shows beside its own.
type FigureReference struct {
	Pos    Pos
	Label  string          `key:"label" required:"true" example:"Padhye et al. 1998, figure 7" doc:"What the legend calls the values."`
	Source string          `key:"source" example:"read off the figure, to about 3 %" doc:"Where the values are from, and how they were had. It is kept with the data of the figure."`
	Series string          `key:"series" example:"bulk.goodput" doc:"The metric that the values are of. Without it the first of the figure."`
	By     string          `key:"by" example:"128" doc:"The value of the parameter by to which they belong: they are drawn in its colour."`
	Points ReferencePoints `key:"points" required:"true" example:"[[1%, 2.1Mbit/s], [2%, 1.4Mbit/s]]" doc:"The values: pairs of x and y with their units, or [x, y, low, high] where there is an interval."`
}

// ReferencePoints are the points of a FigureReference.
type ReferencePoints []ReferencePoint

// ReferencePoint is one value from elsewhere.
type ReferencePoint struct {
	Pos Pos
	// X is the value of the swept parameter, as written.
	X string
	// Y is the value, Low and High its interval, nil if there is none.
	Y         quantity.Found
	Low, High *quantity.Found
}

const pointForm = "(write [X, Y] or [X, Y, LOW, HIGH], such as [1%, 2.1Mbit/s])"

// decodeNode reads a list of lists.
func (r *ReferencePoints) decodeNode(d *decoder, n *node, f *field) {
	if n.kind != sequenceNode || len(n.items) == 0 {
		d.fail(n, "%s: %s where a list of points belongs %s", f.key, n.what(), pointForm)
		return
	}
	for _, item := range n.items {
		switch {
		case item.bad:
		case item.kind != sequenceNode || len(item.items) != 2 && len(item.items) != 4:
			d.fail(item, "%s: %s where a point belongs %s", f.key, item.what(), pointForm)
		default:
			if p, ok := d.referencePoint(item); ok {
				*r = append(*r, p)
			}
		}
	}
}

func (d *decoder) referencePoint(item *node) (ReferencePoint, bool) {
	p := ReferencePoint{Pos: item.Pos}
	var ys [3]quantity.Found
	for i, cell := range item.items {
		switch {
		case cell.bad:
			return p, false
		case cell.kind != scalarNode || cell.null:
			d.fail(cell, "points: %s where one value belongs %s", cell.what(), pointForm)
			return p, false
		case i == 0:
			p.X = cell.text()
			continue
		}
		y, ok := quantity.Parse(cell.text())
		if !ok {
			d.fail(cell, "points: %s is not a number with a unit %s", quote(cell.text()), pointForm)
			return p, false
		}
		ys[i-1] = y
	}
	p.Y = ys[0]
	if len(item.items) == 4 {
		p.Low, p.High = &ys[1], &ys[2]
		if p.Low.Value > p.High.Value {
			d.fail(item, "points: the interval from %s to %s is upside down", p.Low.Text, p.High.Text)
			return p, false
		}
	}
	return p, true
}

// describe implements describer.
func (r *ReferencePoints) describe(*Registry) object {
	scalar := object{"type": []string{"string", "number", "boolean"}}
	point := object{"type": "array", "items": scalar, "minItems": 2, "maxItems": 4}
	return object{"type": "array", "minItems": 1, "items": point}
}

// checkReferences looks at the references of a figure.
func (d *decoder) checkReferences(n *node, f *Figure, sweep bool) {
	if len(f.Reference) == 0 || n.get("reference") == nil || len(n.get("reference").items) != len(f.Reference) {
		return
	}
	if !sweep || f.Kind != "lines" {
		d.fail(n.get("reference"), "reference: only figures of kind lines, of a sweep, show values from elsewhere")
		return
	}
	drawn := f.Series
	if f.Y != "" {
		drawn = append([]string{f.Y}, f.Series...)
	}
	for i := range f.Reference {
		r, at := &f.Reference[i], n.get("reference").items[i]
		name := r.Series
		if name == "" && len(drawn) > 0 {
			name = drawn[0]
		}
		if r.Series != "" && !slices.Contains(drawn, r.Series) {
			d.fail(at.get("series"), "series: the figure does not show %s %s", quote(r.Series), instead(r.Series, drawn))
			continue
		}
		d.referenceGroup(at, f, r)
		d.referenceUnits(f, r, name)
	}
}

// referenceGroup checks that the group of a reference is one of the figure.
func (d *decoder) referenceGroup(at *node, f *Figure, r *FigureReference) {
	if r.By == "" {
		return
	}
	if f.By == "" {
		d.fail(at.get("by"), "by: the figure has no groups (give the figure by: PARAMETER, or leave this out)")
		return
	}
	if values := d.scenario.Sweep.values(f.By); values != nil && !slices.ContainsFunc(values, func(v string) bool { return SameValue(v, r.By) }) {
		d.fail(at.get("by"), "by: %s does not take the value %s in the sweep %s", f.By, quote(r.By), instead(r.By, values))
	}
}

// referenceUnits checks that the values can be on the axes.
func (d *decoder) referenceUnits(f *Figure, r *FigureReference, metric string) {
	unit := ""
	if m, problem := d.findMetric(metric, wantAny); problem == "" {
		unit = m.Unit
	}
	var x quantity.Found
	for _, p := range d.scenario.Params {
		if p.Name == f.X {
			x, _ = quantity.Parse(p.Default)
		}
	}
	for _, p := range r.Points {
		got, _ := quantity.Parse(p.X)
		if x.Text != "" && got.Dim.BaseUnit() != x.Dim.BaseUnit() {
			d.report(p.Pos, fmt.Sprintf("points: x is %s where %s belongs (%s is %s)", p.X, x.Dim, f.X, x.Text))
			return
		}
		for _, y := range []*quantity.Found{&p.Y, p.Low, p.High} {
			if y != nil && unit != "" && !dimensionFits(y.Dim, unit) {
				d.report(p.Pos, fmt.Sprintf("points: %s is %s, and %s is measured in %s", y.Text, y.Dim, metric, unitName(unit)))
				return
			}
		}
	}
}

// dimensionFits is true if a quantity can be a value of a metric in a unit.
func dimensionFits(d quantity.Dimension, unit string) bool {
	switch unit {
	case "s", "bit/s", "1/s", "B":
		return d.BaseUnit() == unit
	}
	return d.BaseUnit() == "" || d == quantity.Packets && unit == "packets"
}

func unitName(unit string) string {
	switch unit {
	case "ratio":
		return "ratios (0.5 or 50%)"
	case "s", "bit/s", "1/s", "B":
		return unit
	}
	return unit + " (a plain number)"
}

// SameValue is true if two ways to write the value of a parameter mean the same:
// "1kB" and "1000B".
func SameValue(a, b string) bool {
	if strings.TrimSpace(a) == strings.TrimSpace(b) {
		return true
	}
	x, ok := quantity.Parse(a)
	y, also := quantity.Parse(b)
	return ok && also && x.Value == y.Value && x.Dim.BaseUnit() == y.Dim.BaseUnit()
}

// values are those of a parameter that has a list of them, else nil.
func (s *Sweep) values(param string) []string {
	for _, g := range []Grid{s.Grid, s.Zip, s.OneAtATime} {
		for _, a := range g {
			if a.Param == param {
				return a.Values
			}
		}
	}
	return nil
}
