package plots

import (
	"testing"

	"tcplab/scenarios/measure"
)

// The interval of a quantity that is never negative does not reach below 0.
func TestIntervalKeepsTheSign(t *testing.T) {
	for _, c := range []struct {
		values   [2]float64
		below    bool
		wantMean float64
	}{
		{[2]float64{0, 4}, false, 2},
		{[2]float64{-1, 5}, true, 2},
	} {
		var runs []*measure.Result
		for _, v := range c.values {
			runs = append(runs, &measure.Result{Series: []measure.Series{
				{Name: "link.queue", Unit: "packets", Time: []float64{0, 1}, Value: []float64{v, v}}}})
		}
		a, err := average(runs, "link.queue")
		if err != nil {
			t.Fatal(err)
		}
		if a.mean.Value[0] != c.wantMean || (a.low[0] < 0) != c.below {
			t.Errorf("%v: mean %v, interval from %v", c.values, a.mean.Value[0], a.low[0])
		}
	}
}
