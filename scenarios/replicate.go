package scenarios

import (
	"math"

	"tcplab/scenarios/measure"
)

// combine puts the results of replications of one scenario together, in their
// order; see the package documentation for what becomes of each part.
func combine(results []*measure.Result) *measure.Result {
	first := results[0]
	if len(results) == 1 {
		return first
	}
	out := &measure.Result{Bands: first.Bands}
	for i, m := range first.Metrics {
		var values []float64
		for _, r := range results {
			if other := r.Metrics[i]; !other.Null {
				values = append(values, other.Value)
			}
		}
		m.Value, m.Null, m.CI95 = mean(values), len(values) == 0, confidence(values)
		out.Metrics = append(out.Metrics, m)
	}
	for i, s := range first.Series {
		s.Value = meanCourse(results, i)
		out.Series = append(out.Series, s)
	}
	for i, s := range first.Samples {
		s.Values = nil
		for _, r := range results {
			s.Values = append(s.Values, r.Samples[i].Values...)
		}
		out.Samples = append(out.Samples, s)
	}
	return out
}

// meanCourse returns the mean of series i at each point, over the replications
// that have a value there.
func meanCourse(results []*measure.Result, i int) []float64 {
	out := make([]float64, len(results[0].Series[i].Value))
	var values []float64
	for k := range out {
		values = values[:0]
		for _, r := range results {
			if v := r.Series[i].Value[k]; !math.IsNaN(v) {
				values = append(values, v)
			}
		}
		out[k] = math.NaN()
		if len(values) > 0 {
			out[k] = mean(values)
		}
	}
	return out
}

// mean returns the mean of values, 0 if there are none.
func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// confidence returns the 95 % confidence interval of the mean of independent
// values, nil if they are fewer than two.
func confidence(values []float64) *[2]float64 {
	if len(values) < 2 {
		return nil
	}
	m, half := mean(values), measure.HalfWidth(values)
	return &[2]float64{m - half, m + half}
}
