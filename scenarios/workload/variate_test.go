package workload

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/scenarios/quantity"
)

// TestExponential checks mean, variance, independence of neighbours and the
// distance to the distribution function against their standard errors.
func TestExponential(t *testing.T) {
	const n = 200_000
	r := rand.New(rand.NewPCG(7, 11))
	x := make([]float64, n)
	for i := range x {
		x[i] = exponential(r)
	}
	mean, variance := stat.MeanVariance(x, nil)
	if z := math.Abs(mean-1) * math.Sqrt(n); z > 3.3 {
		t.Errorf("mean %v is %.1f standard errors off", mean, z)
	}
	if z := math.Abs(variance-1) * math.Sqrt(n/8.0); z > 3.3 { // Var(s^2) = (mu4 - 1)/n, mu4 = 9
		t.Errorf("variance %v is %.1f standard errors off", variance, z)
	}
	if z := math.Abs(stat.Correlation(x[1:], x[:n-1], nil)) * math.Sqrt(n); z > 3.3 {
		t.Errorf("neighbours correlate, %.1f standard errors", z)
	}
	slices.Sort(x)
	law := distuv.Exponential{Rate: 1}
	distance := 0.0
	for i, v := range x {
		f := law.CDF(v)
		distance = max(distance, math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n))
	}
	// Kolmogorov: P(sqrt(n) D > 1.95) = 0.001.
	if d := distance * math.Sqrt(n); d > 1.95 {
		t.Errorf("Kolmogorov-Smirnov: sqrt(n) D = %v", d)
	}
}

// TestPoissonArrivals: the number of arrivals in a long time has the mean and
// the variance of a Poisson distribution, also when the gaps are shorter than a
// nanosecond's rounding could bear.
func TestPoissonArrivals(t *testing.T) {
	for _, rate := range []quantity.Frequency{0.5, 20, 3e8} {
		g, err := newGaps(quantity.Poisson, rate, 5, rand.New(rand.NewPCG(3, 4)))
		if err != nil {
			t.Fatal(err)
		}
		const n = 100_000
		var last des.Time
		for range n {
			if last = g.next(); last < 5 {
				t.Fatalf("arrival at %d, before the start", last)
			}
		}
		want := n / float64(rate) * 1e9
		if z := math.Abs(float64(last-5)-want) / want * math.Sqrt(n); z > 3.3 {
			t.Errorf("rate %v: %d arrivals took %v ns, want %v: %.1f standard errors", rate, n, last, want, z)
		}
	}
}

// TestFixedArrivals: the k-th arrival is at the start plus k/rate, rounded
// down to the nanosecond, however large k is.
func TestFixedArrivals(t *testing.T) {
	for rate, exact := range map[quantity.Frequency]*big.Rat{
		10.01: big.NewRat(1001, 100), 3: big.NewRat(3, 1), 0.7: big.NewRat(7, 10), 1e9: big.NewRat(1e9, 1), 4.1: big.NewRat(41, 10),
	} {
		g, err := newGaps(quantity.Fixed, rate, 17, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k := range int64(300_000) {
			at := g.next()
			if k%9973 != 0 && k > 10 {
				continue
			}
			want := new(big.Rat).Quo(big.NewRat(k*1e9, 1), exact)
			floor := new(big.Int).Quo(want.Num(), want.Denom()).Int64()
			if at != 17+des.Time(floor) {
				t.Fatalf("rate %v, arrival %d: at %d, want %d", rate, k, at, 17+floor)
			}
		}
	}
}

func TestGapsErrors(t *testing.T) {
	for _, rate := range []quantity.Frequency{0, -1, 2e9, quantity.Frequency(math.NaN()), quantity.Frequency(math.Inf(1))} {
		if _, err := newGaps(quantity.Poisson, rate, 0, nil); err == nil {
			t.Errorf("rate %v: accepted", rate)
		}
	}
	if _, err := newGaps("weibull", 1, 0, nil); err == nil {
		t.Error("law weibull: accepted")
	}
}

// TestWaits: waits end in order, each once, at their time.
func TestWaits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sim := des.New(1, 0)
		delay := des.Time(rapid.IntRange(0, 50).Draw(t, "delay"))
		h := &waiter{sim: sim}
		c := sim.NewComponent("waiter")
		h.waits = newWaits(sim, c, h, 1, delay)
		h.arrival = sim.NewTimer(c, h, 0)
		at := des.Time(0)
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			at += des.Time(rapid.IntRange(0, 20).Draw(t, "gap"))
			h.starts = append(h.starts, at)
		}
		sim.Arm(h.arrival, h.starts[0])
		sim.RunIdle()
		if len(h.ended) != len(h.starts) {
			t.Fatalf("%d waits ended, want %d", len(h.ended), len(h.starts))
		}
		for i, e := range h.ended {
			if e.slot != uint32(i) || e.at != h.starts[i]+delay {
				t.Fatalf("wait %d: %+v, want to end at %d", i, e, h.starts[i]+delay)
			}
		}
	})
}

type waiter struct {
	sim     *des.Sim
	waits   waits
	arrival des.Timer
	starts  []des.Time
	begun   int
	ended   []wait
}

func (h *waiter) HandleTimer(now des.Time, which uint64) {
	if which == 0 {
		h.waits.add(now, uint32(h.begun), 0)
		if h.begun++; h.begun < len(h.starts) {
			h.sim.Arm(h.arrival, h.starts[h.begun])
		}
		return
	}
	for w, ok := h.waits.due(now); ok; w, ok = h.waits.due(now) {
		if w.at != now {
			panic("a wait that ended late")
		}
		h.ended = append(h.ended, w)
	}
}

func BenchmarkExponential(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		exponential(r)
	}
}
