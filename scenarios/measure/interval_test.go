package measure

import (
	"math"
	"testing"
)

// Quantiles as in any table of Student's distribution.
func TestStudentT(t *testing.T) {
	for degrees, want := range map[int]float64{1: 12.70620474, 2: 4.30265273, 9: 2.262157163, 30: 2.042272456, 1000: 1.962339081} {
		if got := StudentT(degrees); math.Abs(got-want) > 1e-8 {
			t.Errorf("%d degrees of freedom: %v, want %v", degrees, got, want)
		}
	}
}

func TestHalfWidth(t *testing.T) {
	// Mean 2.5, variance 3.25, n = 3.
	if got, want := HalfWidth([]float64{1, 2, 4.5}), 4.30265273*math.Sqrt(3.25/3); math.Abs(got-want) > 1e-7 {
		t.Errorf("%v, want %v", got, want)
	}
	if got := HalfWidth([]float64{3}); !math.IsNaN(got) {
		t.Errorf("%v of one value", got)
	}
	if got := Mean(nil); !math.IsNaN(got) {
		t.Errorf("mean %v of nothing", got)
	}
}
