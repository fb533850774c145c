package measure

import (
	"math"
	"slices"
)

// Quantile returns the p-quantile of sorted values by linear interpolation
// between order statistics at (n-1)p, which is type 7 of Hyndman and Fan
// (The American Statistician 50, 1996), the default of R and NumPy. It is
// exact: all values are kept. Quantile returns NaN if there is no value; p
// outside [0, 1] counts as 0 or 1.
func Quantile(sorted []float64, p float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	h := float64(float64(n-1) * min(max(p, 0), 1))
	i := int(h)
	if i+1 >= n {
		return sorted[n-1]
	}
	return sorted[i] + float64((h-float64(i))*(sorted[i+1]-sorted[i]))
}

func quantileOf(values []float64, p float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	return Quantile(values, p), true
}

func meanOf(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values)), true
}
