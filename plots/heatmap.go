package plots

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
)

// drawHeatMap draws a metric over two swept parameters as colours with contour
// lines at the ticks of the colour bar. Cells reach half way to their
// neighbours; a point without a value is white. The cells are one image, in all
// formats but TeX, so that no reader shows seams between them.
func drawHeatMap(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	h, err := newHeatMap(data.Sweep, fig)
	if err != nil {
		return nil, err
	}
	if err := h.setColors(fig, style); err != nil {
		return nil, err
	}
	x, err := h.columns.horizontal(fig.X)
	if err != nil {
		return nil, err
	}
	p := &panel{boxed: true, flush: true, drawn: []func(*stack, *panel){h.draw}, inset: inset{cells: h}}
	if len(fig.Y) > 0 {
		p.axis = fig.Y[0]
	}
	y, err := h.rows.horizontal(p.axis)
	if err != nil {
		return nil, err
	}
	p.label, p.unit, p.fixed = h.rows.column.label(), h.rows.column.Unit, y.fixed
	if h.rows.words {
		p.rows = slices.Clone(h.rows.texts)
		slices.Reverse(p.rows)
		p.axis = Axis{Label: y.label}
		p.label = y.label
	} else {
		p.axis.Min, p.axis.Max = y.lo, y.hi
	}
	d.data = h.table()
	s := &stack{style: style, d: d, panels: []*panel{p}, x: x}
	s.rightRoom = h.barRoom(d, style)
	return s.layout(fig)
}

// A heatAxis is the values of one parameter, in order.
type heatAxis struct {
	column Column
	index  int // in Sweep.Params
	words  bool
	texts  []string
	values []float64 // 0, 1, 2, ... for words
	log    bool
}

func newHeatAxis(sweep *Sweep, what, name string, axis Axis) (heatAxis, error) {
	if name == "" {
		return heatAxis{}, fmt.Errorf("%s: name a parameter of the sweep", what)
	}
	i, err := column(sweep.Params, what, name)
	if err != nil {
		return heatAxis{}, err
	}
	h := heatAxis{column: sweep.Params[i], index: i, log: axis.Log}
	var all []Value
	for _, pt := range sweep.Points {
		v := pt.Params[i]
		h.words = h.words || math.IsNaN(v.Number)
		if !slices.ContainsFunc(all, func(w Value) bool { return w.Text == v.Text }) {
			all = append(all, v)
		}
	}
	if !h.words {
		slices.SortFunc(all, func(a, b Value) int { return cmp.Compare(a.Number, b.Number) })
	}
	for k, v := range all {
		h.texts = append(h.texts, v.Text)
		if h.words {
			h.values = append(h.values, float64(k))
		} else {
			h.values = append(h.values, v.Number)
		}
	}
	if h.log && (h.words || h.values[0] <= 0) {
		return h, fmt.Errorf("%s: a logarithmic axis needs positive numbers", what)
	}
	return h, nil
}

// edges are the borders of the cells: half way between values, on the axis.
func (h *heatAxis) edges() []float64 {
	to, from := func(v float64) float64 { return v }, func(v float64) float64 { return v }
	if h.log {
		to, from = math.Log, math.Exp
	}
	n := len(h.values)
	if n == 1 {
		v := h.values[0]
		if h.log {
			return []float64{v / 2, v * 2}
		}
		return []float64{v - 0.5, v + 0.5}
	}
	edges := make([]float64, n+1)
	for i := 1; i < n; i++ {
		edges[i] = (to(h.values[i-1]) + to(h.values[i])) / 2
	}
	edges[0] = 2*to(h.values[0]) - edges[1]
	edges[n] = 2*to(h.values[n-1]) - edges[n-1]
	for i := range edges {
		edges[i] = from(edges[i])
	}
	return edges
}

// horizontal is the axis; its range is that of the cells.
func (h *heatAxis) horizontal(axis Axis) (horizontal, error) {
	if axis.Min != axis.Max {
		return horizontal{}, errors.New("the axes of a heatmap show all cells: leave Min and Max 0")
	}
	e := h.edges()
	out := horizontal{log: h.log, lo: e[0], hi: e[len(e)-1], label: axis.Label}
	out.sc = scaleFor(h.column.Unit, h.values[len(h.values)-1])
	out.fixed = h.fixedTicks(out.sc)
	if h.words {
		out.sc = scale{factor: 1}
	}
	switch {
	case out.label != "":
		out.label = ownLabel(out.label, h.column.Unit, out.sc)
	case h.words:
		out.label = h.column.label()
	default:
		out.label = axisLabel(h.column.label(), h.column.Unit, out.sc)
	}
	return out, nil
}

// fixedTicks are ticks at the values, if they are few or words.
func (h *heatAxis) fixedTicks(sc scale) []tick {
	const few = 12
	if !h.words && len(h.values) > few {
		return nil
	}
	var ts []tick
	for i, v := range h.values {
		label := h.texts[i]
		if !h.words {
			v *= sc.factor
			label = strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "-", "−", 1)
		}
		ts = append(ts, tick{v, label})
	}
	return ts
}

// A heatMap is the values over two axes.
type heatMap struct {
	columns, rows heatAxis
	metric        Column
	cells         grid
	lo, hi        float64 // of the colours
	log           bool
	sc            scale
	label         string
	ticks         []tick
}

func newHeatMap(sweep *Sweep, fig Figure) (*heatMap, error) {
	if err := sweep.validate(); err != nil {
		return nil, err
	}
	if len(fig.Series) != 1 {
		return nil, fmt.Errorf("series: a heatmap shows one metric, not %d", len(fig.Series))
	}
	if len(fig.Limits) > 0 || len(fig.Theory) > 0 {
		return nil, errors.New("a heatmap has neither limits nor theory; leave them out")
	}
	var vertical Axis
	if len(fig.Y) > 0 {
		vertical = fig.Y[0]
	}
	h := &heatMap{}
	var errs [3]error
	var m int
	h.columns, errs[0] = newHeatAxis(sweep, "over", fig.Over, fig.X)
	h.rows, errs[1] = newHeatAxis(sweep, "by", fig.By, vertical)
	m, errs[2] = column(sweep.Metrics, "metric", fig.Series[0])
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	h.metric = sweep.Metrics[m]
	h.cells = grid{columns: len(h.columns.values), rows: len(h.rows.values)}
	h.cells.values = make([]float64, h.cells.columns*h.cells.rows)
	for i := range h.cells.values {
		h.cells.values[i] = math.NaN()
	}
	taken := make([]bool, len(h.cells.values))
	columns, rows := places(h.columns.texts), places(h.rows.texts)
	for _, pt := range sweep.Points {
		i := rows[pt.Params[h.rows.index].Text]*h.cells.columns + columns[pt.Params[h.columns.index].Text]
		if taken[i] {
			return nil, fmt.Errorf("there are two points at %s = %s, %s = %s: leave out points, such that only these two parameters vary",
				h.columns.column.Name, pt.Params[h.columns.index].Text, h.rows.column.Name, pt.Params[h.rows.index].Text)
		}
		taken[i] = true
		h.cells.values[i] = pt.Metrics[m].Mean
	}
	return h, nil
}

func places(texts []string) map[string]int {
	at := make(map[string]int, len(texts))
	for i, t := range texts {
		at[t] = i
	}
	return at
}

// setColors chooses the range of the colours and the ticks of the colour bar.
func (h *heatMap) setColors(fig Figure, style Style) error {
	var axis Axis
	if len(fig.Y) > 1 {
		axis = fig.Y[1]
	}
	if len(fig.Y) > 2 {
		return fmt.Errorf("y: %d axes are described, but a heatmap has one and the colours", len(fig.Y))
	}
	h.log, h.lo, h.hi = axis.Log, math.Inf(1), math.Inf(-1)
	for _, v := range h.cells.values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) && (!h.log || v > 0) {
			h.lo, h.hi = min(h.lo, v), max(h.hi, v)
		}
	}
	if h.lo > h.hi {
		return fmt.Errorf("%w: no point has a value of %s", ErrNoData, h.metric.Name)
	}
	switch {
	case axis.Min != axis.Max:
		h.lo, h.hi = axis.Min, axis.Max
	case h.metric.Unit == "ratio" && !h.log && h.hi > 0.5:
		h.lo, h.hi = min(h.lo, 0), max(h.hi, 1)
	case h.lo > 0 && h.lo < 0.3*h.hi && !h.log:
		h.lo = 0
	}
	if h.lo == h.hi {
		h.hi = h.lo + math.Max(math.Abs(h.lo), 1)
	}
	h.sc = scaleFor(h.metric.Unit, math.Max(math.Abs(h.lo), math.Abs(h.hi)))
	h.label = axis.Label
	if h.label = ownLabel(h.label, h.metric.Unit, h.sc); axis.Label == "" {
		h.label = axisLabel(h.metric.label(), h.metric.Unit, h.sc)
	}
	f := h.sc.factor
	height := style.Panel * 2 * 72
	if h.log {
		h.ticks = logTicks(h.lo*f, h.hi*f, func(ts []tick) bool { return len(ts) <= int(height/(2*style.Small)) })
	} else {
		h.ticks = linearTicks(h.lo*f, h.hi*f, 7, false, func([]tick) bool { return true })
	}
	return nil
}

// norm is the place of a value among the colours.
func (h *heatMap) norm(v float64) float64 {
	switch {
	case math.IsNaN(v) || h.log && v <= 0:
		return math.NaN()
	case h.log:
		return math.Log(v/h.lo) / math.Log(h.hi/h.lo)
	}
	return (v - h.lo) / (h.hi - h.lo)
}

func (h *heatMap) table() table {
	return table{[]string{h.columns.column.Name, h.rows.column.Name, h.metric.Name}, func(add func(...any)) {
		for row := range h.cells.rows {
			for col := range h.cells.columns {
				add(h.columns.cell(col), h.rows.cell(row), h.cells.at(col, row))
			}
		}
	}}
}

func (h *heatAxis) cell(i int) any {
	if h.words {
		return h.texts[i]
	}
	return h.values[i]
}

// picture is the cells as an image of so many pixels, in the panel's axes.
func (h *heatMap) picture(s *stack, p *panel, width, height int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	across := h.cellOf(h.columns.edges(), width, func(v float64) float64 { return s.x.norm(v) })
	up := h.cellOf(h.rows.edges(), height, p.norm)
	index := make([]uint8, len(h.cells.values))
	for i, v := range h.cells.values {
		index[i] = colorIndex(h.norm(v))
	}
	for y := range height {
		row := img.Pix[y*img.Stride:][:width]
		from := index[up[height-1-y]*h.cells.columns:]
		for x := range row {
			row[x] = from[across[x]]
		}
	}
	return img
}

// cellOf is the cell in whose borders the middle of each pixel lies.
func (h *heatMap) cellOf(edges []float64, pixels int, norm func(float64) float64) []int {
	out := make([]int, pixels)
	cell := 0
	for i := range out {
		at := (float64(i) + 0.5) / float64(pixels)
		for cell < len(edges)-2 && norm(edges[cell+1]) <= at {
			cell++
		}
		out[i] = cell
	}
	return out
}

// onPage is a place of the grid on the page.
func (h *heatMap) onPage(s *stack, p *panel, q gridPoint) vg.Point {
	between := func(values []float64, at float64) (a, b, part float64) {
		i := min(int(at), len(values)-2)
		return values[i], values[i+1], at - float64(i)
	}
	x0, x1, fx := between(h.columns.values, q.column)
	y0, y1, fy := between(h.rows.values, q.row)
	left, right, low, high := s.xAt(x0), s.xAt(x1), p.yAt(y0), p.yAt(y1)
	return vg.Point{X: left + vg.Length(fx)*(right-left), Y: low + vg.Length(fy)*(high-low)}
}
