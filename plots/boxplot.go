package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"

	"tcplab/scenarios/measure"
)

// drawBoxPlot draws a row for each sample: a box from the lower to the upper
// quartile with a line at the median, whiskers to the last value within 1.5
// times the box's length (Tukey, "Exploratory data analysis", 1977), and the
// values beyond as dots. An infinite value is drawn beyond the axis: the row's
// name says how many there are.
func drawBoxPlot(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	samples, err := findSamples(data.Result, fig)
	if err != nil {
		return nil, err
	}
	if len(fig.Limits) > 0 || len(fig.Y) > 0 {
		return nil, errors.New("a boxplot has names on its vertical axis: leave limits and Y out")
	}
	named := &panel{}
	lo, hi := math.Inf(1), math.Inf(-1)
	var boxes []box
	for _, s := range samples {
		b := newBox(sortedValues(s))
		boxes = append(boxes, b)
		lo, hi = min(lo, b.values.lo), max(hi, b.values.hi)
		named.curves = append(named.curves, curve{name: s.Name, label: sampleLabel(s)})
	}
	if lo > hi {
		return nil, fmt.Errorf("%w: its samples are empty", ErrNoData)
	}
	label := named.nameCurves()
	if label == "" || len(samples) > 1 && !sameLabels(samples) {
		label = sharedLabel(samples[0].Unit)
	}
	x, err := valueAxis(label, samples[0].Unit, fig.X, &lo, &hi)
	if err != nil {
		return nil, err
	}
	p := &panel{height: float64(len(samples))*style.Small*2.4 + style.Small}
	for i, b := range boxes {
		name := named.curves[i].label
		if len(samples) == 1 {
			name = owner(samples[0].Name)
		}
		if b.infinite > 0 {
			name += fmt.Sprintf(" (%.3g%% ∞)", 100*float64(b.infinite)/float64(b.n))
		}
		p.rows = append(p.rows, name)
		p.drawn = append(p.drawn, b.drawer(float64(len(boxes)-1-i), looks[i%len(looks)]))
	}
	p.inset.boxes = boxes
	d.data = boxTable(samples, boxes)
	s := &stack{style: style, d: d, panels: []*panel{p}, x: x}
	return s.layout(fig)
}

func sameLabels(samples []*measure.Sample) bool {
	for _, s := range samples {
		if sampleLabel(s) != sampleLabel(samples[0]) {
			return false
		}
	}
	return true
}

// A box is what a row shows.
type box struct {
	n, infinite               int
	low, q1, median, q3, high float64 // low and high end the whiskers
	outliers                  []float64
	values                    struct{ lo, hi float64 }
}

func newBox(sorted []float64) box {
	b := box{n: len(sorted), infinite: infinite(sorted)}
	b.values.lo, b.values.hi, _ = finiteRange(sorted)
	b.q1, b.median, b.q3 = measure.Quantile(sorted, 0.25), measure.Quantile(sorted, 0.5), measure.Quantile(sorted, 0.75)
	reach := 1.5 * (b.q3 - b.q1)
	b.low, b.high = math.Inf(1), math.Inf(-1)
	for _, v := range sorted {
		switch {
		case math.IsInf(v, 0):
		case v < b.q1-reach || v > b.q3+reach:
			b.outliers = append(b.outliers, v)
		default:
			b.low, b.high = min(b.low, v), max(b.high, v)
		}
	}
	return b
}

// drawer draws the box in a row of a panel.
func (b *box) drawer(row float64, lk look) func(*stack, *panel) {
	return func(s *stack, p *panel) {
		if b.n == 0 || b.n == b.infinite {
			return
		}
		y := p.yAt(row)
		half := vg.Length(s.style.Small * 0.62)
		at := func(v float64) vg.Length { return min(max(s.xAt(v), s.left), s.right) }
		line := func(width float64, x0, y0, x1, y1 vg.Length) {
			s.d.line(lk.color, width, nil, vg.Point{X: x0, Y: y0}, vg.Point{X: x1, Y: y1})
		}
		thin := s.style.Line
		low, q1, q3, high := at(math.Min(b.low, b.q1)), at(b.q1), at(b.q3), at(math.Max(b.high, b.q3))
		if math.IsInf(b.q3, 1) {
			q3, high = s.right, s.right
		}
		line(thin, low, y, q1, y)
		line(thin, q3, y, high, y)
		line(thin, low, y-half/2, low, y+half/2)
		if !math.IsInf(b.q3, 1) {
			line(thin, high, y-half/2, high, y+half/2)
		}
		frame := vg.Rectangle{Min: vg.Point{X: q1, Y: y - half}, Max: vg.Point{X: q3, Y: y + half}}
		s.d.rect(tint(lk.color, 0.3), frame)
		s.d.stroke(lk.color, thin, frame.Path())
		if !math.IsInf(b.median, 1) {
			line(thin*2, at(b.median), y-half, at(b.median), y+half)
		}
		t := newSpots(p.area, speck.size(s.style))
		for _, v := range b.outliers {
			if v >= s.x.lo && v <= s.x.hi {
				t.add(vg.Point{X: s.xAt(v), Y: y})
			}
		}
		s.d.markers(speck, lk.color, s.style, t.kept)
	}
}

func boxTable(samples []*measure.Sample, boxes []box) table {
	return table{[]string{"sample", "unit", "n", "infinite", "whisker_low", "q1", "median", "q3", "whisker_high", "outlier"}, func(add func(...any)) {
		for i, b := range boxes {
			s := samples[i]
			add(s.Name, s.Unit, b.n, b.infinite, b.low, b.q1, b.median, b.q3, b.high, math.NaN())
			for _, v := range b.outliers {
				add(s.Name, s.Unit, nil, nil, nil, nil, nil, nil, nil, v)
			}
		}
	}}
}
