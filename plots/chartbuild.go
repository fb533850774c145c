package plots

import (
	"image/color"
	"iter"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// An inset is what a panel draws besides its curves.
type inset struct {
	lives  []Lifetime
	colors map[string]color.NRGBA
	boxes  []box
	cells  *heatMap
}

// Bounds of what a chart has.
const (
	leastColumns = 100
	mostColumns  = 1000
	allColumns   = 1_000_000_000
	mostSpans    = 5000
	mostDots     = 4000
)

// Chart returns the figure as values, in about so many points at most; nil if it
// has no axes.
func (d *Drawing) Chart(points int) *Chart {
	if d.stack == nil {
		return nil
	}
	s := d.stack
	c := &Chart{Name: d.Name, Title: d.Title, X: s.x.chart()}
	b := chartBuilder{s: s, c: c, columns: s.chartColumns(points)}
	for _, band := range s.bands {
		if from, until, ok := s.clip(band); ok {
			c.Bands = append(c.Bands, ChartBand{band.label, from, until})
		}
	}
	for _, p := range s.panels {
		c.Panels = append(c.Panels, b.panel(p))
	}
	if c.Kept >= c.Points {
		c.Points, c.Kept = 0, 0
	}
	return c
}

// chartColumns is over how many columns lines are thinned, so that they have
// about so many points: over so many that all are kept, if they are few.
func (s *stack) chartColumns(points int) int {
	lines, total := 0, 0
	for _, p := range s.panels {
		for i := range p.curves {
			for _, line := range []iter.Seq2[float64, float64]{p.curves[i].points, p.curves[i].low, p.curves[i].high} {
				if line == nil {
					continue
				}
				lines++
				for x := range line {
					if x >= s.x.lo && x <= s.x.hi {
						total++
					}
				}
			}
		}
	}
	if total <= points {
		return allColumns
	}
	return min(max(points/(4*lines), leastColumns), mostColumns)
}

func (h *horizontal) chart() ChartAxis {
	a := ChartAxis{Label: h.label, Factor: h.sc.factor, ReadFactor: h.sc.factor, ReadUnit: h.sc.unit, Lo: h.lo, Hi: h.hi, Log: h.log}
	for _, t := range h.fixed {
		a.Ticks = append(a.Ticks, ChartTick{t.value / h.sc.factor, t.label})
	}
	return a
}

// chartScale is an axis of values of a unit.
func chartScale(unit string, sc scale, lo, hi float64, log bool) ChartAxis {
	a := ChartAxis{Factor: sc.factor, ReadFactor: 1, ReadUnit: unit, Lo: lo, Hi: hi, Log: log}
	switch {
	case siUnits[unit]:
		a.ReadFactor, a.ReadUnit = sc.factor, sc.unit
	case unit == "ratio" || unit == "count":
		a.ReadUnit = ""
	}
	return a
}

// chartBuilder makes a chart of a stack.
type chartBuilder struct {
	s       *stack
	c       *Chart
	columns int
}

func (b *chartBuilder) panel(p *panel) ChartPanel {
	out := ChartPanel{Y: chartScale(p.unit, p.sc, p.lo, p.hi, p.axis.Log), Rows: p.rows}
	out.Y.Label = p.fullLabel()
	for _, t := range p.fixed {
		out.Y.Ticks = append(out.Y.Ticks, ChartTick{t.value / p.sc.factor, t.label})
	}
	for _, l := range p.limits {
		out.Limits = append(out.Limits, ChartLimit{l.Value, l.Label})
	}
	entries := p.keys
	if entries == nil {
		entries = p.curveEntries(b.s.style)
	}
	b.keys(entries, len(b.c.Panels))
	for i := range p.curves {
		out.Curves = append(out.Curves, b.curve(p, i))
	}
	b.inset(p, &out)
	return out
}

// keys adds entries of the legend.
func (b *chartBuilder) keys(entries []legendEntry, panel int) {
	for _, e := range entries {
		k := ChartKey{Panel: panel, Label: e.label, Color: hex(e.look.color), Dashes: e.look.dashes, Line: e.width > 0, Stroke: e.upright > 0}
		if e.box != nil {
			k.Color, k.Box = hex(*e.box), true
		}
		if e.marker != nil {
			k.Marker = e.marker.name()
		}
		if e.sample() == 0 {
			k.Color = ""
		}
		if !slices.ContainsFunc(b.c.Keys, func(o ChartKey) bool { return o.Label == k.Label }) {
			b.c.Keys = append(b.c.Keys, k)
		}
	}
}

var markerNames = map[marker]string{circle: "circle", square: "square", triangle: "triangle", diamond: "diamond",
	triangleDown: "triangle-down", openCircle: "open-circle", openSquare: "open-square", cross: "cross", speck: "speck"}

// name is that of a marker in a chart.
func (m marker) name() string {
	if m&hollow != 0 {
		return "hollow-" + markerNames[m&^hollow]
	}
	return markerNames[m]
}

func (b *chartBuilder) curve(p *panel, i int) ChartCurve {
	c := &p.curves[i]
	lk := p.lookOf(i)
	out := ChartCurve{Label: c.label, Color: hex(lk.color), Dashes: lk.dashes, Caps: c.caps}
	if c.fill != nil {
		out.Fill = hex(*c.fill)
	}
	for _, k := range b.c.Keys {
		if k.Label == c.label || c.quiet && k.Line && k.Marker == "" && slices.Equal(k.Dashes, lk.dashes) {
			out.Key = k.Label
		}
	}
	if out.Label == "" {
		out.Label = out.Key
	}
	digits := b.digits(p)
	for _, l := range []struct {
		to   *[]Coordinates
		from iter.Seq2[float64, float64]
	}{{&out.Lines, c.points}, {&out.Lows, c.low}, {&out.Highs, c.high}} {
		*l.to = b.lines(p, l.from, digits)
	}
	gap := 0.0
	if !p.axis.Log {
		gap = (p.hi - p.lo) / 800
	}
	shown := slices.DeleteFunc(slices.Clone(c.bars), func(x bar) bool { return !(x.x >= b.s.x.lo && x.x <= b.s.x.hi && x.low <= x.high) })
	b.c.Points += len(shown)
	for _, x := range mergeBars(shown, func(x float64) int { return int(b.s.x.norm(x) * 1.5 * mostColumns) }, gap) {
		out.Bars = append(out.Bars, digits.x(x.x), digits.y(x.low), digits.y(x.high))
		b.c.Kept++
	}
	if c.dots != nil {
		out.Marker = c.marker.name()
		out.Dots = b.dots(p, c.dots, digits)
	}
	return out
}

// chartDigits rounds to what can be seen, ten times enlarged.
type chartDigits struct{ x, y func(float64) float64 }

func (b *chartBuilder) digits(p *panel) chartDigits {
	return chartDigits{rounder(b.s.x.lo, b.s.x.hi, b.s.x.log), rounder(p.lo, p.hi, p.axis.Log)}
}

// rounder rounds to a millionth of an axis.
func rounder(lo, hi float64, log bool) func(float64) float64 {
	if log {
		return func(v float64) float64 { return parsed(strconv.FormatFloat(v, 'g', 7, 64)) }
	}
	decimals := 6 - int(math.Floor(math.Log10(hi-lo)))
	if decimals <= 0 {
		return math.Round
	}
	return func(v float64) float64 { return parsed(strconv.FormatFloat(v, 'f', min(decimals, 15), 64)) }
}

func parsed(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("plots: " + err.Error())
	}
	return v
}

// lines thins a line.
func (b *chartBuilder) lines(p *panel, points iter.Seq2[float64, float64], digits chartDigits) []Coordinates {
	if points == nil {
		return nil
	}
	if p.axis.Log {
		points = positive(points, math.NaN())
	}
	x, width := &b.s.x, vg.Length(b.columns)*columnWidth
	counted := func(yield func(x, y float64) bool) {
		last := [2]float64{math.NaN(), math.NaN()} // what repeats it is not missed
		for vx, vy := range points {
			if at := [2]float64{vx, vy}; b.columns < allColumns && at != last && !math.IsNaN(vy) && vx >= x.lo && vx <= x.hi {
				b.c.Points++
				last = at
			}
			if !yield(vx, vy) {
				return
			}
		}
	}
	var out []Coordinates
	for _, line := range thin(counted, 0, width, func(vx, vy float64) vg.Point {
		return vg.Point{X: vg.Length(x.norm(vx)) * width, Y: vg.Length(vy)}
	}) {
		var l Coordinates
		for _, q := range line {
			part := float64(q.X / width)
			vx := x.lo + part*(x.hi-x.lo)
			if x.log {
				vx = x.lo * math.Pow(x.hi/x.lo, part)
			}
			l = append(l, digits.x(vx), digits.y(float64(q.Y)))
		}
		if b.columns < allColumns {
			b.c.Kept += len(line)
		}
		out = append(out, l)
	}
	return out
}

// dots keeps one of the dots of each place where there are many.
func (b *chartBuilder) dots(p *panel, points iter.Seq2[float64, float64], digits chartDigits) Coordinates {
	var all Coordinates
	for x, y := range points {
		if x >= b.s.x.lo && x <= b.s.x.hi && !math.IsNaN(y) && (!p.axis.Log || y > 0) {
			all = append(all, x, y)
		}
	}
	b.c.Points += len(all) / 2
	many := len(all)/2 > mostDots
	taken := map[[2]int]bool{}
	var out Coordinates
	for i := 0; i < len(all); i += 2 {
		place := [2]int{int(b.s.x.norm(all[i]) * 400), int(p.norm(all[i+1]) * 150)}
		if many && taken[place] {
			continue
		}
		taken[place] = true
		out = append(out, digits.x(all[i]), digits.y(all[i+1]))
		b.c.Kept++
	}
	return out
}

func (b *chartBuilder) inset(p *panel, out *ChartPanel) {
	if p.inset.lives != nil {
		b.spans(p, out)
	}
	for i := range p.inset.boxes {
		x := &p.inset.boxes[i]
		if x.n == 0 || x.n == x.infinite {
			continue
		}
		box := ChartBox{Row: len(p.inset.boxes) - 1 - i, Color: hex(looks[i%len(looks)].color), N: x.n, Low: finiteValue(math.Min(x.low, x.q1)),
			Q1: finiteValue(x.q1), Median: finiteValue(x.median), Q3: finiteValue(x.q3), High: finiteValue(math.Max(x.high, x.q3))}
		b.c.Points += len(x.outliers)
		last, round := math.NaN(), rounder(b.s.x.lo, b.s.x.hi, b.s.x.log)
		for _, v := range x.outliers {
			if place := math.Floor(b.s.x.norm(v) * mostColumns); place != last && v >= b.s.x.lo && v <= b.s.x.hi {
				box.Outliers, last = append(box.Outliers, round(v)), place
				b.c.Kept++
			}
		}
		out.Boxes = append(out.Boxes, box)
	}
	if h := p.inset.cells; h != nil {
		out.Cells = h.chart()
	}
}

// spans adds the states of connections, of every so-maniest if there are too
// many.
func (b *chartBuilder) spans(p *panel, out *ChartPanel) {
	total := 0
	for _, l := range p.inset.lives {
		total += len(l.States)
	}
	every := total/mostSpans + 1
	var lives []Lifetime
	for i := 0; i < len(p.inset.lives); i += every {
		lives = append(lives, p.inset.lives[i])
	}
	if every > 1 {
		out.Rows = make([]string, len(lives))
		out.Y.Lo, out.Y.Hi = -0.5, float64(len(lives))-0.5
	}
	b.c.Points += total
	round := rounder(b.s.x.lo, b.s.x.hi, false)
	for i, l := range lives {
		for _, st := range l.States {
			b.c.Kept++
			if st.From > b.s.x.hi || st.Until < b.s.x.lo {
				continue
			}
			out.Spans = append(out.Spans, ChartSpan{Row: len(lives) - 1 - i, Name: l.Name, State: st.State, Color: hex(p.inset.colors[st.State]),
				From: round(st.From), Until: round(math.Min(st.Until, b.s.x.hi))})
		}
	}
}

func (h *heatMap) chart() *ChartCells {
	c := &ChartCells{Label: h.label, Scale: chartScale(h.metric.Unit, h.sc, h.lo, h.hi, h.log), Columns: h.columns.edges(), Rows: h.rows.edges(),
		ColumnNames: h.columns.texts, RowNames: h.rows.texts}
	round := rounder(h.lo, h.hi, h.log)
	for _, v := range h.cells.values {
		cell := finiteValue(v)
		if cell != nil {
			*cell = round(*cell)
		}
		c.Values = append(c.Values, cell)
	}
	for i := 0; i <= 254; i += 2 {
		c.Palette = append(c.Palette, hex(colormap[i]))
	}
	if !h.contoured() {
		return c
	}
	x, y := rounder(c.Columns[0], c.Columns[len(c.Columns)-1], h.columns.log), rounder(c.Rows[0], c.Rows[len(c.Rows)-1], h.rows.log)
	for _, t := range h.ticks {
		level := t.value / h.sc.factor
		if part := h.norm(level); t.label == "" || part < 0.01 || part > 0.99 {
			continue
		}
		for _, line := range h.cells.contour(level) {
			var l Coordinates
			for _, q := range line {
				l = append(l, x(h.columns.value(q.column)), y(h.rows.value(q.row)))
			}
			c.Contours = append(c.Contours, ChartContour{level, l})
		}
	}
	return c
}

// value is the value at a place between crossings, as it lies on the axis.
func (h *heatAxis) value(at float64) float64 {
	i := min(int(at), len(h.values)-2)
	a, b, part := h.values[i], h.values[i+1], at-float64(i)
	if h.log {
		return a * math.Pow(b/a, part)
	}
	return a + part*(b-a)
}

func finiteValue(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// hex is a colour as style sheets write it.
func hex(c color.NRGBA) string {
	const digits = "0123456789abcdef"
	b := []byte("#000000")
	for i, v := range [3]uint8{c.R, c.G, c.B} {
		b[1+2*i], b[2+2*i] = digits[v>>4], digits[v&15]
	}
	return string(b)
}
