package plots

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// drawLines draws metrics over a swept parameter with their confidence
// intervals, a line for each value of another parameter, and closed forms.
// Where there are closed forms, these are the lines and the measured values are
// markers.
func drawLines(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	l, err := newLineFigure(data.Sweep, fig)
	if err != nil {
		return nil, err
	}
	x, err := l.axis(fig.X)
	if err != nil {
		return nil, err
	}
	var panels []*panel
	for _, m := range l.metrics {
		col := l.sweep.Metrics[m]
		p := &panel{label: l.panelLabel(col), unit: col.Unit}
		if err := l.fill(p, m, x, fig); err != nil {
			return nil, err
		}
		panels = append(panels, p)
	}
	if len(fig.Y) > len(panels) {
		return nil, fmt.Errorf("y: %d axes are described, but there are %d panels", len(fig.Y), len(panels))
	}
	for i, a := range fig.Y {
		panels[i].axis = a
	}
	for _, lim := range fig.Limits {
		i := slices.Index(fig.Series, lim.Series)
		panels[i].limits = append(panels[i].limits, lim)
	}
	for _, p := range panels[1:] { // one legend serves all
		p.keys = []legendEntry{}
	}
	d.data = l.table()
	s := &stack{style: style, d: d, panels: panels, x: x}
	s.lineKeys(l, fig)
	return s.layout(fig)
}

// panelLabel is the label of a metric, with its owner before it where another
// metric of the figure has the same.
func (l *lineFigure) panelLabel(col Column) string {
	same := 0
	for _, m := range l.metrics {
		if l.sweep.Metrics[m].label() == col.label() {
			same++
		}
	}
	if same > 1 {
		return owner(col.Name) + ": " + col.label()
	}
	return col.label()
}

// lineFigure is what is drawn of a sweep.
type lineFigure struct {
	sweep    *Sweep
	over, by int // columns, by is -1 for none
	metrics  []int
	groups   []lineGroup
	forms    [][]*closedForm // for each metric
	words    []string        // on the horizontal axis in place of numbers
	refs     []referenceSet
}

// A lineGroup is the points of one value of the grouping parameter, in order.
type lineGroup struct {
	value  Value
	points []Point
}

func newLineFigure(sweep *Sweep, fig Figure) (*lineFigure, error) {
	if err := sweep.validate(); err != nil {
		return nil, err
	}
	l := &lineFigure{sweep: sweep, by: -1}
	var errs []error
	var err error
	if fig.Over == "" {
		errs = append(errs, errors.New("over: name the parameter on the horizontal axis"))
	} else if l.over, err = column(sweep.Params, "over", fig.Over); err != nil {
		errs = append(errs, err)
	}
	if fig.By != "" {
		if l.by, err = column(sweep.Params, "by", fig.By); err != nil {
			errs = append(errs, err)
		}
	}
	for _, name := range fig.Series {
		m, err := column(sweep.Metrics, "metric", name)
		if err != nil {
			errs = append(errs, err)
		}
		l.metrics = append(l.metrics, m)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := l.group(); err != nil {
		return nil, err
	}
	for _, m := range l.metrics {
		var forms []*closedForm
		for _, t := range fig.Theory {
			f, err := t.compile(l.binder(m))
			if err != nil {
				return nil, err
			}
			forms = append(forms, f)
		}
		l.forms = append(l.forms, forms)
	}
	return l, l.references(fig)
}

// group sorts the points. Two points of one group at one place are an error: a
// third parameter varies.
func (l *lineFigure) group() error {
	for _, pt := range l.sweep.Points {
		var v Value
		if l.by >= 0 {
			v = pt.Params[l.by]
		}
		i := slices.IndexFunc(l.groups, func(g lineGroup) bool { return g.value.Text == v.Text })
		if i < 0 {
			i = len(l.groups)
			l.groups = append(l.groups, lineGroup{value: v})
		}
		l.groups[i].points = append(l.groups[i].points, pt)
		if math.IsNaN(pt.Params[l.over].Number) && !slices.Contains(l.words, pt.Params[l.over].Text) {
			l.words = append(l.words, pt.Params[l.over].Text)
		}
	}
	if l.words != nil && len(l.words) < len(l.groups[0].points) {
		return fmt.Errorf("over: %s has numbers and words", l.sweep.Params[l.over].Name)
	}
	if len(l.groups) > len(looks) {
		return fmt.Errorf("by: %d lines cannot be told apart (at most %d): draw a heatmap, or sweep fewer values", len(l.groups), len(looks))
	}
	slices.SortStableFunc(l.groups, func(a, b lineGroup) int { return cmp.Compare(a.value.Number, b.value.Number) })
	for _, g := range l.groups {
		slices.SortStableFunc(g.points, func(a, b Point) int { return cmp.Compare(l.at(a), l.at(b)) })
		for i, pt := range g.points[1:] {
			if l.at(pt) == l.at(g.points[i]) {
				return fmt.Errorf("there are two points at %s = %s: name the parameter in which they differ in By, or leave points out",
					l.sweep.Params[l.over].Name, pt.Params[l.over].Text)
			}
		}
	}
	return nil
}

// at is where a point is on the horizontal axis.
func (l *lineFigure) at(pt Point) float64 { return l.place(pt.Params[l.over]) }

// place is where a value is on the horizontal axis.
func (l *lineFigure) place(v Value) float64 {
	if l.words != nil {
		return float64(slices.Index(l.words, v.Text))
	}
	return v.Number
}

// aside moves the groups apart where the horizontal axis has words.
func (l *lineFigure) aside(g lineGroup) float64 {
	if l.words == nil {
		return 0
	}
	i := slices.IndexFunc(l.groups, func(h lineGroup) bool { return h.value.Text == g.value.Text })
	return 0.12 * (float64(i) - float64(len(l.groups)-1)/2)
}

// alike is true if a closed form has the same values for all groups.
func (l *lineFigure) alike(f *closedForm, x horizontal) bool {
	var first []float64
	for i, g := range l.groups {
		var ys []float64
		for _, y := range l.sampled(f, g, x) {
			ys = append(ys, y)
		}
		if i == 0 {
			first = ys
		}
		if !slices.EqualFunc(first, ys, func(a, b float64) bool { return a == b || a != a && b != b }) {
			return false
		}
	}
	return true
}

// formLook is that of a closed form: in the colour of its group, dark if it is
// that of all.
func (l *lineFigure) formLook(f *closedForm, k, group int, x horizontal) look {
	lk := look{looks[group].color, formDashes(k)}
	if len(l.groups) > 1 && l.alike(f, x) {
		lk.color = dark
	}
	return lk
}

func (l *lineFigure) axis(axis Axis) (horizontal, error) {
	col := l.sweep.Params[l.over]
	if l.words != nil {
		h := horizontal{label: axis.Label, lo: -0.5, hi: float64(len(l.words)) - 0.5, sc: scale{factor: 1}}
		for i, w := range l.words {
			h.fixed = append(h.fixed, tick{float64(i), w})
		}
		if h.label == "" {
			h.label = col.label()
		}
		return h, nil
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, pt := range l.sweep.Points {
		lo, hi = min(lo, l.at(pt)), max(hi, l.at(pt))
	}
	for _, r := range l.refs {
		for _, p := range r.Points {
			lo, hi = min(lo, p.Over.Number), max(hi, p.Over.Number)
		}
	}
	return valueAxis(col.label(), col.Unit, axis, &lo, &hi)
}

// fill makes the curves of a metric.
func (l *lineFigure) fill(p *panel, m int, x horizontal, fig Figure) error {
	at := slices.Index(l.metrics, m)
	some, top := false, 0.0
	for i, g := range l.groups {
		look, mark := looks[i], markers[i]
		for k, f := range l.forms[at] {
			if i > 0 && l.alike(f, x) {
				continue
			}
			lk := l.formLook(f, k, i, x)
			p.curves = append(p.curves, curve{quiet: true, look: &lk, points: l.sampled(f, g, x)})
		}
		c := curve{label: l.groupLabel(g), look: &look, marker: mark, caps: true, quiet: !l.measured(g)}
		c.dots = l.values(g, m, func(e Estimate) float64 { return e.Mean })
		if len(l.forms[at]) == 0 && l.words == nil {
			c.points = c.dots
		}
		for _, pt := range g.points {
			e := pt.Metrics[m]
			some, top = some || !math.IsNaN(e.Mean), max(top, zeroIfNaN(e.Mean))
			if fig.Intervals != "bands" && fig.Intervals != "none" && e.Low <= e.High {
				c.bars = append(c.bars, bar{l.at(pt) + l.aside(g), e.Low, e.High})
			}
		}
		if fig.Intervals == "bands" {
			c.low = l.values(g, m, func(e Estimate) float64 { return e.Low })
			c.high = l.values(g, m, func(e Estimate) float64 { return e.High })
		}
		p.curves = append(p.curves, c)
	}
	for _, c := range l.referenceCurves(at) {
		p.curves = append(p.curves, c)
		for _, y := range c.dots {
			top = max(top, zeroIfNaN(y))
		}
	}
	p.zoomed = top < 0.25 // a small ratio is not seen on an axis to 1
	if !some {
		return fmt.Errorf("%w: no point has a value of %s", ErrNoData, l.sweep.Metrics[m].Name)
	}
	return nil
}

// measured reports whether a group has a value of any metric that is shown.
func (l *lineFigure) measured(g lineGroup) bool {
	return slices.ContainsFunc(g.points, func(pt Point) bool {
		return slices.ContainsFunc(l.metrics, func(m int) bool { return !math.IsNaN(pt.Metrics[m].Mean) })
	})
}

// values are one value of each point of a group.
func (l *lineFigure) values(g lineGroup, m int, of func(Estimate) float64) func(func(x, y float64) bool) {
	return func(yield func(x, y float64) bool) {
		for _, pt := range g.points {
			if !yield(l.at(pt)+l.aside(g), of(pt.Metrics[m])) {
				return
			}
		}
	}
}

// sampled evaluates a closed form all along the axis.
func (l *lineFigure) sampled(f *closedForm, g lineGroup, x horizontal) func(func(x, y float64) bool) {
	return func(yield func(x, y float64) bool) {
		vars := map[string]float64{}
		if l.by >= 0 && !math.IsNaN(g.value.Number) {
			vars[l.sweep.Params[l.by].Name] = g.value.Number
		}
		const n = 300
		for i := range n + 1 {
			part := float64(i) / n
			v := x.lo + part*(x.hi-x.lo)
			if x.log {
				v = x.lo * math.Pow(x.hi/x.lo, part)
			}
			vars[l.sweep.Params[l.over].Name] = v
			if !yield(v, finiteOrNaN(f.at(vars))) {
				return
			}
		}
	}
}

func zeroIfNaN(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

func finiteOrNaN(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

func (l *lineFigure) groupLabel(g lineGroup) string {
	if l.by < 0 {
		return "measured"
	}
	if math.IsNaN(g.value.Number) {
		return g.value.Text
	}
	return l.sweep.Params[l.by].label() + " " + g.value.Text
}

// formDashes tells closed forms apart: the first is a solid line.
func formDashes(k int) []float64 {
	return [][]float64{nil, {4, 2}, {1.2, 1.5}, {6, 1.5, 1.2, 1.5}}[k%4]
}

// lineKeys is the legend: the groups and then the closed forms.
func (s *stack) lineKeys(l *lineFigure, fig Figure) {
	p := s.panels[0]
	for i := range p.curves {
		c := &p.curves[i]
		if c.quiet {
			continue
		}
		e := legendEntry{label: c.label, look: *c.look, marker: &c.marker}
		if c.points != nil {
			e.width = s.style.Line
		}
		p.keys = append(p.keys, e)
	}
	if len(p.keys) == 1 && len(l.forms[0])+len(l.refs) == 0 {
		p.keys = []legendEntry{}
	}
	for k, f := range l.forms[0] {
		lk := look{dark, formDashes(k)}
		if len(l.groups) == 1 {
			lk.color = looks[0].color
		}
		p.keys = append(p.keys, legendEntry{label: f.label, look: lk, width: s.style.Line})
	}
	p.keys = append(p.keys, l.referenceKeys()...)
}

func (l *lineFigure) binder(m int) binder {
	b := binder{over: l.sweep.Params[l.over], metric: l.sweep.Metrics[m], vars: map[string]bool{}, constants: l.sweep.Constants}
	for name := range l.sweep.Constants {
		b.vars[name] = true
	}
	for i, c := range l.sweep.Params {
		if (i == l.over || i == l.by) && !math.IsNaN(l.sweep.Points[0].Params[i].Number) {
			b.vars[c.Name] = true
		}
	}
	return b
}

// table has a row for each point and metric, and the closed forms there; then
// one for each value from elsewhere.
func (l *lineFigure) table() table {
	header := []string{l.sweep.Params[l.over].Name}
	if l.by >= 0 {
		header = append(header, l.sweep.Params[l.by].Name)
	}
	header = append(header, "metric", "unit", "n", "mean", "ci95_low", "ci95_high")
	for _, f := range l.forms[0] {
		header = append(header, strings.ReplaceAll(f.label, ",", ""))
	}
	if len(l.refs) > 0 {
		header = append(header, "reference", "source")
	}
	row := func(over, by Value, m int, e Estimate) []any {
		cells := []any{over.cell()}
		if l.by >= 0 {
			cells = append(cells, by.cell())
		}
		col := l.sweep.Metrics[l.metrics[m]]
		cells = append(cells, col.Name, col.Unit, e.N, e.Mean, e.Low, e.High)
		for _, f := range l.forms[m] {
			cells = append(cells, f.at(l.vars(over, by)))
		}
		return cells
	}
	return table{header, func(add func(...any)) {
		for i, m := range l.metrics {
			for _, g := range l.groups {
				for _, pt := range g.points {
					cells := row(pt.Params[l.over], g.value, i, pt.Metrics[m])
					if len(l.refs) > 0 {
						cells = append(cells, "", "")
					}
					add(cells...)
				}
			}
		}
		for i := range l.refs {
			r := &l.refs[i]
			by := Value{Number: math.NaN()}
			if r.group >= 0 {
				by = l.groups[r.group].value
			}
			for _, p := range r.Points {
				cells := row(p.Over, by, r.metric, Estimate{Mean: p.Mean, Low: p.Low, High: p.High})
				add(append(cells, r.Label, r.Source)...)
			}
		}
	}}
}

// vars are the parameters of a row for closed forms; NaN is what a value from
// elsewhere leaves open.
func (l *lineFigure) vars(over, by Value) map[string]float64 {
	vars := map[string]float64{l.sweep.Params[l.over].Name: over.Number}
	if l.by >= 0 {
		vars[l.sweep.Params[l.by].Name] = by.Number
	}
	return vars
}

// cell is a value in a table: the number if it is one.
func (v Value) cell() any {
	if math.IsNaN(v.Number) {
		return v.Text
	}
	return v.Number
}
