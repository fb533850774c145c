package workload

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"

	"tcplab/des"
	"tcplab/scenarios/quantity"
)

// exponential draws from the exponential distribution with mean 1, exact to 53
// bits, by von Neumann's method (Various techniques used in connection with
// random digits, 1951): a descending run of uniform numbers has an odd length
// with probability exp(-first), and each run of even length adds 1. It compares
// integers only, so that every platform draws the same.
func exponential(r *rand.Rand) float64 {
	for whole := 0; ; whole++ {
		first := r.Uint64()
		odd := true
		for last := first; ; odd = !odd {
			next := r.Uint64()
			if next >= last {
				break
			}
			last = next
		}
		if odd {
			return float64(whole) + float64(float64(first>>11)*(1.0/(1<<53)))
		}
	}
}

// gaps is a clock of arrivals: each call of next returns the instant of the
// next one.
type gaps struct {
	at des.Time
	// Poisson arrivals: mean gap in ns, and the part of a nanosecond that at
	// lacks. mean is 0 for fixed arrivals.
	rand       *rand.Rand
	mean, part float64
	// Fixed arrivals: the gap is step + rem/den ns, and at lacks sum/den ns.
	step          des.Time
	rem, den, sum uint64
	started       bool
	// Arrivals from a file: their times, counted from from.
	times []des.Time
	from  des.Time
	read  int
	// burst is how many come at once, left how many of them still come.
	burst, left int
	last        des.Time
}

// checkArrivals reports arrivals that make no sense.
func checkArrivals(a quantity.Arrivals, burst int) error {
	if burst < 1 {
		return fmt.Errorf("burst: %d is less than 1", burst)
	}
	if a.Law == quantity.FromFile {
		return nil
	}
	if _, err := newGaps(a.Law, a.Rate/quantity.Frequency(burst), 0, nil); err != nil {
		return fmt.Errorf("arrivals: %w", err)
	}
	return nil
}

// newArrivals returns arrivals that come burst at a time, at that rate in all.
func (w *World) newArrivals(a quantity.Arrivals, burst int, from des.Time, r *rand.Rand) (g gaps, err error) {
	if a.Law == quantity.FromFile {
		g = gaps{from: from}
		if g.times, err = w.readTimes(a.File); err != nil {
			return g, fmt.Errorf("arrivals: %w", err)
		}
	} else if g, err = newGaps(a.Law, a.Rate/quantity.Frequency(burst), from, r); err != nil {
		return g, fmt.Errorf("arrivals: %w", err)
	}
	g.burst = burst
	return g, nil
}

// arrival returns the instant of the next arrival, des.Never after the last one.
func (g *gaps) arrival() des.Time {
	if g.left == 0 {
		g.left, g.last = g.burst, g.next()
	}
	g.left--
	return g.last
}

// newGaps returns the arrivals of that law and rate from time from on. Fixed
// arrivals begin at from, Poisson arrivals one gap later. r is used by Poisson
// arrivals alone.
func newGaps(law string, rate quantity.Frequency, from des.Time, r *rand.Rand) (gaps, error) {
	g := gaps{at: from, rand: r}
	if !(rate >= 1e-9 && rate <= 1e9) {
		return g, fmt.Errorf("rate %v: must be from 1e-9/s to 1e9/s", rate)
	}
	switch law {
	case quantity.Poisson:
		g.mean = 1e9 / float64(rate)
	case quantity.Fixed:
		g.step, g.rem, g.den = period(float64(rate))
	default:
		return g, fmt.Errorf("law %q: must be poisson or fixed", law)
	}
	return g, nil
}

// again returns the same arrivals from another time on, with the random numbers
// that come next.
func (g *gaps) again(from des.Time) gaps {
	return gaps{at: from, rand: g.rand, mean: g.mean, step: g.step, rem: g.rem, den: g.den, times: g.times, from: from, burst: g.burst}
}

// period returns 1e9/rate ns as step + rem/den. The rate is taken as the
// shortest decimal number that it stands for: 10.01 is 1001/100 and not the
// nearest binary fraction, so that the k-th arrival is at k*1e9*100/1001 ns,
// rounded down, for ever.
func period(rate float64) (step des.Time, rem, den uint64) {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(rate, 'g', -1, 64))
	if !ok || r.Sign() <= 0 {
		panic(fmt.Sprintf("workload: no period of rate %v", rate))
	}
	p := new(big.Rat).Quo(big.NewRat(1e9, 1), r)
	q, m := new(big.Int).QuoRem(p.Num(), p.Denom(), new(big.Int))
	return des.Time(q.Int64()), m.Uint64(), p.Denom().Uint64()
}

// next returns the instant of the next arrival. Gaps are rounded down to the
// nanosecond and the rest is kept for the next one.
func (g *gaps) next() des.Time {
	if g.times != nil {
		if g.read == len(g.times) {
			return des.Never
		}
		g.read++
		return g.from + g.times[g.read-1]
	}
	if g.mean != 0 {
		gap := float64(float64(exponential(g.rand)*g.mean) + g.part)
		whole := des.Time(gap)
		g.part = gap - float64(whole)
		g.at += whole
		return g.at
	}
	if !g.started {
		g.started = true
		return g.at
	}
	g.at += g.step
	if g.sum += g.rem; g.sum >= g.den {
		g.sum -= g.den
		g.at++
	}
	return g.at
}
