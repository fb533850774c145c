package measure

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// Mean returns the mean of values, summed in their order; NaN if there are none.
func Mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Deviation returns the standard deviation of a sample with that mean, NaN if
// it has fewer than two values.
func Deviation(values []float64, mean float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	squares := 0.0
	for _, v := range values {
		squares += float64((v - mean) * (v - mean))
	}
	return math.Sqrt(squares / float64(len(values)-1))
}

// HalfWidth returns how far the 95 % confidence interval of the mean of
// independent values reaches to each side, by Student's t distribution; NaN if
// there are fewer than two.
func HalfWidth(values []float64) float64 {
	n := len(values)
	if n < 2 {
		return math.NaN()
	}
	return float64(StudentT(n-1) * Deviation(values, Mean(values)) / math.Sqrt(float64(n)))
}

var studentT sync.Map // by degrees of freedom

// StudentT returns the 97.5 % quantile of Student's t distribution, rounded to
// nine decimals, so that intervals do not depend on the last bits of a special
// function.
func StudentT(degrees int) float64 {
	if t, ok := studentT.Load(degrees); ok {
		return t.(float64)
	}
	const digits = 1e9
	t := math.Round(distuv.StudentsT{Sigma: 1, Nu: float64(degrees)}.Quantile(0.975)*digits) / digits
	studentT.Store(degrees, t)
	return t
}
