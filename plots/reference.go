package plots

import (
	"fmt"
	"math"
	"slices"

	"tcplab/scenarios/quantity"
)

// Reference is a set of values from elsewhere, such as measurements or a
// published figure, that lines show beside their own as open markers.
type Reference struct {
	// Label is its name in the legend, Source where it is from, for the table.
	Label, Source string
	// Series is the metric that the values are of; empty means the first one.
	Series string
	// By is the value of the grouping parameter to which they belong; empty
	// means that they belong to none.
	By string
	// Points are in no particular order.
	Points []ReferencePoint
}

// ReferencePoint is a value from elsewhere at a value of the parameter on the
// horizontal axis.
type ReferencePoint struct {
	Over Value
	// Mean is in the unit of the metric. Low and High are NaN if there is no
	// interval.
	Mean, Low, High float64
}

// A referenceSet is a Reference with its place in the figure.
type referenceSet struct {
	*Reference
	metric int // of the figure
	group  int // -1: none
	look   look
	marker marker
}

// references finds the places of the references. Those of a group that is not
// there are left out, since a sweep can be run with fewer values.
func (l *lineFigure) references(fig Figure) error {
	alone := 0
	for i := range fig.References {
		r := referenceSet{Reference: &fig.References[i], group: -1}
		if r.Series != "" {
			if r.metric = slices.Index(fig.Series, r.Series); r.metric < 0 {
				return fmt.Errorf("reference %s: %w", r.Label, unknown("series", r.Series, fig.Series))
			}
		}
		if r.By != "" && l.by < 0 {
			return fmt.Errorf("reference %s: the figure has no groups to which %q could belong", r.Label, r.By)
		}
		for _, p := range r.Points {
			if l.words == nil && math.IsNaN(p.Over.Number) {
				return fmt.Errorf("reference %s: %q is no value of %s, which is a number", r.Label, p.Over.Text, l.sweep.Params[l.over].Name)
			}
		}
		if r.By == "" {
			r.look, r.marker = look{color: dark}, alones[alone%len(alones)]|hollow
			alone++
			l.refs = append(l.refs, r)
			continue
		}
		r.group = slices.IndexFunc(l.groups, func(g lineGroup) bool { return g.value.same(r.By) })
		if r.group >= 0 {
			r.look, r.marker = look{color: looks[r.group].color}, markers[r.group]|hollow
			l.refs = append(l.refs, r)
		}
	}
	return nil
}

// alones are the shapes of references that belong to no group.
var alones = []marker{diamond, triangleDown, square, circle, triangle}

// same is true if a text writes the value.
func (v Value) same(text string) bool {
	if v.Text == text {
		return true
	}
	f, ok := quantity.Parse(text)
	return ok && f.Value == v.Number
}

// referencePlace is where a value from elsewhere is on the horizontal axis, NaN
// if it has no place there.
func (l *lineFigure) referencePlace(v Value) float64 {
	if l.words != nil && !slices.Contains(l.words, v.Text) {
		return math.NaN()
	}
	return l.place(v)
}

// referenceCurves are the markers and intervals of a metric.
func (l *lineFigure) referenceCurves(metric int) []curve {
	var curves []curve
	for i := range l.refs {
		r := &l.refs[i]
		if r.metric != metric {
			continue
		}
		aside := 0.0
		if r.group >= 0 {
			aside = l.aside(l.groups[r.group])
		}
		c := curve{label: r.Label, quiet: true, look: &r.look, marker: r.marker, caps: true}
		c.dots = func(yield func(x, y float64) bool) {
			for _, p := range r.Points {
				if x := l.referencePlace(p.Over); !math.IsNaN(x) && !yield(x+aside, p.Mean) {
					return
				}
			}
		}
		for _, p := range r.Points {
			if x := l.referencePlace(p.Over); !math.IsNaN(x) && p.Low <= p.High {
				c.bars = append(c.bars, bar{x + aside, p.Low, p.High})
			}
		}
		curves = append(curves, c)
	}
	return curves
}

// referenceKeys are the entries of the legend: one for each label, dark if it
// is that of several groups.
func (l *lineFigure) referenceKeys() []legendEntry {
	var keys []legendEntry
	for i := range l.refs {
		r := &l.refs[i]
		at := slices.IndexFunc(keys, func(e legendEntry) bool { return e.label == r.Label })
		if at < 0 {
			m := r.marker
			keys = append(keys, legendEntry{label: r.Label, look: r.look, marker: &m})
			continue
		}
		if keys[at].look.color != r.look.color {
			keys[at].look.color = dark
		}
	}
	return keys
}
