package plots

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"tcplab/scenarios/measure"
)

// drawECDF draws the empirical distribution functions of samples: the fraction
// of values up to x, against x. A value of +Inf counts and is never reached.
func drawECDF(data *Data, fig Figure, style Style) (*Drawing, error) {
	if len(fig.Y) > 0 && fig.Y[0].Log {
		return nil, errors.New("a logarithmic vertical axis hides most of an ecdf: leave Y.Log false, or draw a ccdf")
	}
	return drawDistribution(data, fig, style, false)
}

// drawCCDF draws the complement: the fraction of values above x, which shows
// rare large values if both axes are logarithmic.
func drawCCDF(data *Data, fig Figure, style Style) (*Drawing, error) {
	return drawDistribution(data, fig, style, true)
}

func drawDistribution(data *Data, fig Figure, style Style, above bool) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	samples, err := findSamples(data.Result, fig)
	if err != nil {
		return nil, err
	}
	p := &panel{unit: samples[0].Unit}
	lo, hi := math.Inf(1), math.Inf(-1)
	var values [][]float64
	for _, s := range samples {
		sorted := sortedValues(s)
		values = append(values, sorted)
		for _, v := range sorted {
			if !math.IsInf(v, 1) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
		points := distribution(sorted, &lo, &hi)
		if above {
			points = complement(points)
		}
		p.curves = append(p.curves, curve{name: s.Name, label: sampleLabel(s), points: points})
	}
	if lo > hi {
		return nil, fmt.Errorf("%w: its samples are empty", ErrNoData)
	}
	if len(fig.Limits) > 0 {
		return nil, errors.New("limits: distributions have none; leave them out")
	}
	d.data = distributionTable(samples, values, above)
	if err := finishPanels([]*panel{p}, nil, fig); err != nil {
		return nil, err
	}
	label := p.label // of the values, which an ecdf has on the horizontal axis
	p.label, p.unit = "cumulative fraction", "ratio"
	if above {
		p.label = "fraction above"
	}
	x, err := valueAxis(label, samples[0].Unit, fig.X, &lo, &hi)
	if err != nil {
		return nil, err
	}
	s := &stack{style: style, d: d, panels: []*panel{p}, x: x}
	return s.layout(fig)
}

func findSamples(res *measure.Result, fig Figure) ([]*measure.Sample, error) {
	var names []string
	for _, s := range res.Samples {
		names = append(names, s.Name)
	}
	var errs []error
	if len(fig.Events) > 0 {
		errs = append(errs, errors.New("events: distributions have no time axis; leave them out"))
	}
	var found []*measure.Sample
	for _, name := range fig.Series {
		i := slices.Index(names, name)
		if i < 0 {
			errs = append(errs, unknown("sample", name, names))
			continue
		}
		found = append(found, &res.Samples[i])
		if u := found[0].Unit; res.Samples[i].Unit != u {
			errs = append(errs, fmt.Errorf("samples of %s (%s) and of %s (%s) cannot share an axis: draw two figures",
				u, found[0].Name, res.Samples[i].Unit, name))
		}
	}
	return found, errors.Join(errs...)
}

func sampleLabel(s *measure.Sample) string {
	if s.Label != "" {
		return s.Label
	}
	return nameLabel(s.Name)
}

func complement(points iter.Seq2[float64, float64]) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		for x, y := range points {
			if !yield(x, 1-y) {
				return
			}
		}
	}
}

// distributionTable has each value with the fraction up to it, or above it.
func distributionTable(samples []*measure.Sample, values [][]float64, above bool) table {
	what := "fraction_up_to"
	if above {
		what = "fraction_above"
	}
	return table{[]string{"sample", "unit", "value", what}, func(add func(...any)) {
		for i, s := range samples {
			n := float64(len(values[i]))
			for j, v := range values[i] {
				if j+1 < len(values[i]) && values[i][j+1] == v {
					continue
				}
				f := float64(j+1) / n
				if above {
					f = 1 - f
				}
				add(s.Name, s.Unit, v, f)
			}
		}
	}}
}

// sortedValues is a sorted copy without NaN.
func sortedValues(s *measure.Sample) []float64 {
	values := make([]float64, 0, len(s.Values))
	for _, v := range s.Values {
		if !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}

// distribution are the corners of the step function over the axis.
func distribution(sorted []float64, lo, hi *float64) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		n := float64(len(sorted))
		if n == 0 || !yield(*lo, 0) {
			return
		}
		y := 0.0
		for i, v := range sorted {
			if math.IsInf(v, 1) {
				break
			}
			if i+1 < len(sorted) && sorted[i+1] == v {
				continue
			}
			v = max(v, *lo)
			if !yield(v, y) {
				return
			}
			y = float64(i+1) / n
			if !yield(v, y) {
				return
			}
		}
		yield(*hi, y)
	}
}

// valueAxis is the axis of the values, widened to lo and hi, a little beyond
// the values so that the curves begin at 0 and end in view.
func valueAxis(label, unit string, axis Axis, lo, hi *float64) (horizontal, error) {
	h := horizontal{log: axis.Log, label: axis.Label}
	fixed := axis.Min != axis.Max
	if fixed {
		*lo, *hi = axis.Min, axis.Max
	}
	if h.log && *lo <= 0 {
		return h, fmt.Errorf("a logarithmic axis cannot show %v: leave X.Log false, or set X.Min above 0", *lo)
	}
	switch {
	case fixed:
	case h.log:
		margin := math.Pow(*hi / *lo, 0.04)
		if margin == 1 {
			margin = 1.5
		}
		*lo, *hi = *lo/margin, *hi*margin
	default:
		if *lo > 0 && *lo < 0.5**hi {
			*lo = 0
		}
		margin := 0.04 * (*hi - *lo)
		if margin == 0 {
			margin = max(0.1*math.Abs(*hi), 1e-9)
		}
		if *lo != 0 {
			*lo -= margin
		}
		*hi += margin
	}
	h.lo, h.hi = *lo, *hi
	h.sc = scaleFor(unit, *hi)
	if h.log {
		h.sc = logScaleFor(unit, *lo, *hi)
	}
	if h.label = ownLabel(h.label, unit, h.sc); axis.Label == "" {
		h.label = axisLabel(label, unit, h.sc)
	}
	return h, nil
}
