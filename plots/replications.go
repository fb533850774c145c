package plots

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"tcplab/scenarios/measure"
)

// averaged is a series over replications: the mean, and the interval at each
// point.
type averaged struct {
	mean      measure.Series
	low, high []float64
	n         []int
}

// average takes a series from each of the results. The points must be at the
// same times in all of them.
func average(results []*measure.Result, name string) (*averaged, error) {
	var all []*measure.Series
	for i, r := range results {
		s := r.FindSeries(name)
		if s == nil {
			return nil, fmt.Errorf("series %s: replication %d of %d has none", name, i+1, len(results))
		}
		if err := checkSeries(s); err != nil {
			return nil, fmt.Errorf("replication %d: %w", i+1, err)
		}
		all = append(all, s)
	}
	first := all[0]
	for i, s := range all {
		if len(s.Time) != len(first.Time) {
			return nil, fmt.Errorf("series %s: %d points in replication %d, %d in the first; a mean over time needs equal times: draw series with a value for each interval",
				name, len(s.Time), i+1, len(first.Time))
		}
		for j, t := range s.Time {
			if math.Abs(t-first.Time[j]) > 1e-9*math.Max(1, math.Abs(t)) {
				return nil, fmt.Errorf("series %s: point %d is at %v s in replication %d, at %v s in the first; a mean over time needs equal times",
					name, j, t, i+1, first.Time[j])
			}
		}
	}
	a := &averaged{mean: *first}
	a.mean.Value = make([]float64, len(first.Time))
	values := make([]float64, len(all))
	signed := slices.ContainsFunc(all, func(s *measure.Series) bool {
		return slices.ContainsFunc(s.Value, func(v float64) bool { return v < 0 })
	})
	for j := range first.Time {
		for i, s := range all {
			values[i] = s.Value[j]
		}
		e := NewEstimate(values)
		if e.N == 1 {
			e.Low, e.High = e.Mean, e.Mean
		}
		// No more than what can be.
		if !signed {
			e.Low = math.Max(e.Low, 0)
		}
		if first.Unit == "ratio" {
			e.High = math.Min(e.High, 1)
		}
		a.mean.Value[j] = e.Mean
		a.low, a.high, a.n = append(a.low, e.Low), append(a.high, e.High), append(a.n, e.N)
	}
	return a, nil
}

// border is the line of low or high, drawn as the mean is.
func (a *averaged) border(values []float64) iter.Seq2[float64, float64] {
	s := a.mean
	s.Value = values
	return seriesPoints(&s)
}

// averages are the series of a figure over the replications, and a result with
// the means in place of one run's series; nil and the run's own result if there
// are no replications.
func averages(data *Data, fig Figure) (map[string]*averaged, *measure.Result, error) {
	if len(data.Replications) < 2 {
		return nil, data.Result, nil
	}
	res := *data.Result
	res.Series = nil
	out := make(map[string]*averaged)
	for _, name := range fig.Series {
		if data.Replications[0].FindSeries(name) == nil {
			return nil, data.Replications[0], nil // which says what there is
		}
		a, err := average(data.Replications, name)
		if err != nil {
			return nil, nil, err
		}
		out[name] = a
		res.Series = append(res.Series, a.mean)
	}
	return out, &res, nil
}

// addIntervals shades the intervals of the curves.
func addIntervals(panels []*panel, means map[string]*averaged) {
	for _, p := range panels {
		for i := range p.curves {
			if a := means[p.curves[i].name]; a != nil {
				p.curves[i].low, p.curves[i].high = a.border(a.low), a.border(a.high)
			}
		}
	}
}

// seriesTable is the data of series, with the interval of each point if there
// are replications.
func seriesTable(series []*measure.Series, means map[string]*averaged) table {
	if means == nil {
		return table{[]string{"series", "unit", "time_s", "value"}, func(add func(...any)) {
			for _, s := range series {
				for i, t := range s.Time {
					add(s.Name, s.Unit, t, s.Value[i])
				}
			}
		}}
	}
	return table{[]string{"series", "unit", "time_s", "mean", "ci95_low", "ci95_high", "n"}, func(add func(...any)) {
		for _, s := range series {
			a := means[s.Name]
			for i, t := range s.Time {
				add(s.Name, s.Unit, t, s.Value[i], a.low[i], a.high[i], a.n[i])
			}
		}
	}}
}
