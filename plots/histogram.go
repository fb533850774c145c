package plots

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"tcplab/scenarios/measure"
)

// drawHistogram draws the share of values in bins of equal width, or on a
// logarithmic axis of equal ratio. Bins are those of all samples together, by
// the rule of Freedman and Diaconis, at most 80. Infinite values belong to no
// bin but count in the whole, and the legend says how many there are.
func drawHistogram(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	samples, err := findSamples(data.Result, fig)
	if err != nil {
		return nil, err
	}
	if len(fig.Limits) > 0 {
		return nil, errors.New("limits: a histogram has none; leave them out")
	}
	p := &panel{}
	lo, hi := math.Inf(1), math.Inf(-1)
	var values [][]float64
	for _, s := range samples {
		sorted := sortedValues(s)
		values = append(values, sorted)
		for _, v := range sorted {
			if !math.IsInf(v, 0) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
		p.curves = append(p.curves, curve{name: s.Name, label: sampleLabel(s)})
	}
	if lo > hi {
		return nil, fmt.Errorf("%w: its samples are empty", ErrNoData)
	}
	if err := finishPanels([]*panel{p}, nil, fig); err != nil {
		return nil, err
	}
	label := p.label
	x, err := valueAxis(label, samples[0].Unit, fig.X, &lo, &hi)
	if err != nil {
		return nil, err
	}
	edges := binEdges(values, fig, x)
	p.label, p.unit, p.zoomed = "fraction of values"+binWidth(edges, x), "ratio", true
	var shares [][]float64
	for i, v := range values {
		shares = append(shares, binShares(v, edges))
		c := &p.curves[i]
		c.points = steps(edges, shares[i])
		if len(values) == 1 {
			c.low, c.high = flat(edges), steps(edges, shares[i])
		}
		if n := infinite(v); n > 0 {
			part := fmt.Sprintf("%.3g%% infinite", 100*float64(n)/float64(len(v)))
			c.label += " (" + part + ")"
			if len(values) == 1 {
				x.label += ", " + part
			}
		}
	}
	d.data = histogramTable(samples, edges, shares)
	s := &stack{style: style, d: d, panels: []*panel{p}, x: x}
	return s.layout(fig)
}

func infinite(sorted []float64) int {
	n := 0
	for _, v := range sorted {
		if math.IsInf(v, 0) {
			n++
		}
	}
	return n
}

// binEdges divides the axis.
func binEdges(values [][]float64, fig Figure, x horizontal) []float64 {
	to := func(v float64) float64 { return v }
	from := to
	if x.log {
		to, from = math.Log10, func(v float64) float64 { return math.Pow(10, v) }
	}
	var all []float64
	for _, v := range values {
		for _, w := range v {
			if !math.IsInf(w, 0) && w >= x.lo && w <= x.hi {
				all = append(all, w)
			}
		}
	}
	lo, hi := to(x.lo), to(x.hi)
	if len(all) == 0 {
		return []float64{x.lo, x.hi}
	}
	slices.Sort(all)
	first, last := to(all[0]), to(all[len(all)-1])
	width := 2 * (to(measure.Quantile(all, 0.75)) - to(measure.Quantile(all, 0.25))) / math.Cbrt(float64(len(all)))
	if least := (last - first) / 80; width < least {
		width = least
	}
	if width <= 0 {
		width = (hi - lo) / 20
	}
	var edges []float64
	if fig.Bins > 0 {
		if first == last {
			first, last = lo, hi
		}
		width = (last - first) / float64(fig.Bins)
		for i := range fig.Bins + 1 {
			edges = append(edges, from(first+float64(i)*width))
		}
	} else {
		width = stepOver(width).value()
		for i := math.Floor(first / width); len(edges) < 2 || (i-1)*width <= last; i++ {
			edges = append(edges, from(i*width))
		}
	}
	// Rounding must leave no value out.
	edges[0] = min(edges[0], all[0])
	end := len(edges) - 1
	edges[end] = max(edges[end], all[len(all)-1])
	return edges
}

// binWidth says how wide bins are, for the label of the axis.
func binWidth(edges []float64, x horizontal) string {
	if x.log {
		perDecade := 1 / math.Log10(edges[1]/edges[0])
		return ", " + strconv.FormatFloat(perDecade, 'g', 3, 64) + " bins per decade"
	}
	text := " per " + strconv.FormatFloat((edges[1]-edges[0])*x.sc.factor, 'g', 3, 64)
	if x.sc.unit != "" {
		text += " " + x.sc.unit
	}
	return text
}

// binShares are the parts of all values in the bins; the last bin has its end.
func binShares(sorted, edges []float64) []float64 {
	shares := make([]float64, len(edges)-1)
	for _, v := range sorted {
		i, exact := slices.BinarySearch(edges, v)
		if !exact {
			i--
		}
		if i == len(shares) && v == edges[i] {
			i--
		}
		if i >= 0 && i < len(shares) {
			shares[i] += 1 / float64(len(sorted))
		}
	}
	return shares
}

// steps is the outline of bars.
func steps(edges, heights []float64) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		if !yield(edges[0], 0) {
			return
		}
		for i, h := range heights {
			if !yield(edges[i], h) || !yield(edges[i+1], h) {
				return
			}
		}
		yield(edges[len(edges)-1], 0)
	}
}

func flat(edges []float64) iter.Seq2[float64, float64] {
	return steps(edges, make([]float64, len(edges)-1))
}

func histogramTable(samples []*measure.Sample, edges []float64, shares [][]float64) table {
	return table{[]string{"sample", "unit", "from", "until", "fraction"}, func(add func(...any)) {
		for i, s := range samples {
			for j, f := range shares[i] {
				add(s.Name, s.Unit, edges[j], edges[j+1], f)
			}
		}
	}}
}
