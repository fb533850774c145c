package workload

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/scenarios/quantity"
)

// variate draws the values of a distribution. Every platform draws the same:
// beside comparisons of integers there are only additions, multiplications and
// divisions of IEEE 754 that no compiler may fuse.
type variate struct {
	law     quantity.Distribution
	rand    *rand.Rand
	bound   float64 // of the logarithm of a Pareto variate, times the shape
	weights uint64  // sum over the choices
	table   *table
	least   int64
}

// largestVariate bounds what is drawn: about 1 PB, or 13 days.
const largestVariate = 1 << 50

// newSizes returns the variates of a distribution of sizes, which are at least a
// byte unless they are always the same.
func (w *World) newSizes(d quantity.Sizes, r *rand.Rand) (variate, error) {
	v, err := w.newVariate(quantity.Distribution(d), r, func(s string) (int64, error) {
		x, err := quantity.ParseSize(s)
		return int64(x), err
	})
	v.least = 1
	return v, err
}

// newDurations returns the variates of a distribution of times.
func (w *World) newDurations(d quantity.Durations, r *rand.Rand) (variate, error) {
	return w.newVariate(quantity.Distribution(d), r, func(s string) (int64, error) {
		x, err := quantity.ParseDuration(s)
		return int64(x), err
	})
}

func (w *World) newVariate(d quantity.Distribution, r *rand.Rand, value func(string) (int64, error)) (variate, error) {
	v := variate{law: d, rand: r}
	switch d.Law {
	case quantity.Pareto:
		if d.B > 0 {
			v.bound = float64(d.Shape * logarithm(float64(d.B)/float64(d.A)))
		}
	case quantity.Choice:
		for _, c := range d.Choices {
			v.weights += uint64(c.Weight)
		}
	case quantity.Empirical:
		var err error
		v.table, err = w.readTable(d.File, value)
		return v, err
	}
	return v, nil
}

// fixed reports whether all values are the same.
func (v *variate) fixed() bool { return v.law.Law == quantity.Constant }

// next draws a value.
func (v *variate) next() int64 {
	a, r := float64(v.law.A), v.rand
	switch v.law.Law {
	case quantity.Constant:
		return v.law.A
	case quantity.Exponential:
		return v.whole(float64(exponential(r) * a))
	case quantity.Uniform:
		return v.law.A + int64(r.Uint64N(uint64(v.law.B-v.law.A)+1))
	case quantity.Pareto:
		e := exponential(r)
		if v.bound > 0 {
			// What is left of an exponential variate beyond multiples of the
			// bound has its distribution below the bound.
			e -= float64(v.bound * math.Floor(e/v.bound))
		}
		return v.whole(float64(a * power(e/v.law.Shape)))
	case quantity.Lognormal:
		return v.whole(float64(a * power(float64(v.law.Shape*normal(r)))))
	case quantity.Choice:
		n := r.Uint64N(v.weights)
		for _, c := range v.law.Choices {
			if n < uint64(c.Weight) {
				return c.Value
			}
			n -= uint64(c.Weight)
		}
	}
	return v.whole(v.table.at(uniform(r)))
}

func (v *variate) whole(x float64) int64 {
	return max(v.least, int64(min(math.Floor(x+0.5), largestVariate)))
}

// uniform draws from [0, 1).
func uniform(r *rand.Rand) float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// normal draws from the standard normal distribution: an exponential variate x
// is kept with probability exp(-(x-1)^2/2) (von Neumann 1951) and has a sign at
// random.
func normal(r *rand.Rand) float64 {
	for {
		x := exponential(r)
		d := x - 1
		if float64(2*exponential(r)) >= float64(d*d) {
			if r.Uint64()&1 != 0 {
				return -x
			}
			return x
		}
	}
}

// power is exp(x), the same on every platform: math.Exp is not. The argument is
// reduced by a multiple of ln 2 (in two parts) to less than 0.35, where 14 terms
// of the series are exact to the last bit but one.
func power(x float64) float64 {
	const (
		high = 6.93147180369123816490e-01
		low  = 1.90821492927058770002e-10
	)
	if x > 700 {
		return math.MaxFloat64
	}
	if x < -700 {
		return 0
	}
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	rest := float64(x-float64(k*high)) - float64(k*low)
	sum := 1.0
	for i := 14; i >= 1; i-- {
		sum = 1 + float64(rest*sum)/float64(i)
	}
	return math.Ldexp(sum, int(k))
}

// logarithm is ln(x) on every platform, found by Newton's method for power.
func logarithm(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	y := float64(float64(exponent)*math.Ln2) + fraction - 1
	for range 6 {
		p := power(y)
		y += float64(2*(x-p)) / (x + p)
	}
	return y
}

// table is a distribution that was read from a file: single values that are all
// equally likely, or points of the distribution function.
type table struct {
	values []float64
	// shares are the values of the distribution function at values, nil for
	// single values.
	shares []float64
}

// at returns the quantile of order u.
func (t *table) at(u float64) float64 {
	n := len(t.values)
	if t.shares == nil {
		return t.values[int(float64(u*float64(n)))]
	}
	low, high := 0, n-1
	for low < high {
		if mid := (low + high) / 2; t.shares[mid] < u {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return t.values[0]
	}
	part := (u - t.shares[low-1]) / (t.shares[low] - t.shares[low-1])
	return t.values[low-1] + float64(part*(t.values[low]-t.values[low-1]))
}

// readTable reads a distribution: a value with its unit on each line or, for a
// distribution function, a value and the share of those that are not larger,
// up to 1. Between such points it is linear.
func (w *World) readTable(name quantity.File, value func(string) (int64, error)) (*table, error) {
	t := &table{}
	err := w.readLines(name, func(words []string) error {
		v, err := value(words[0])
		if err != nil || len(words) > 2 {
			return errors.Join(err, tooMany(words, 2))
		}
		if len(words) == 2 {
			share, err := strconv.ParseFloat(words[1], 64)
			last := 0.0
			if n := len(t.shares); n > 0 {
				last = t.shares[n-1]
			}
			if err != nil || !(share >= last && share <= 1) {
				return fmt.Errorf("the share %q is not a number from %v to 1", words[1], last)
			}
			t.shares = append(t.shares, share)
		}
		t.values = append(t.values, float64(v))
		if len(t.shares) != 0 && len(t.shares) != len(t.values) {
			return errors.New("some lines have a share and others do not")
		}
		return nil
	})
	switch n := len(t.shares); {
	case err != nil:
		return nil, err
	case len(t.values) == 0:
		return nil, fmt.Errorf("%s has no values", name)
	case n > 0 && t.shares[n-1] != 1:
		return nil, fmt.Errorf("%s: the last share is %v, not 1", name, t.shares[n-1])
	}
	return t, nil
}

// readTimes reads the times of arrivals, with a unit or in seconds, one on a
// line, in order.
func (w *World) readTimes(name quantity.File) ([]des.Time, error) {
	var times []des.Time
	err := w.readLines(name, func(words []string) error {
		if _, err := strconv.ParseFloat(words[0], 64); err == nil {
			words[0] += "s"
		}
		at, err := quantity.ParseDuration(words[0])
		if n := len(times); err == nil && n > 0 && des.Time(at) < times[n-1] {
			err = fmt.Errorf("%v is before the time on the line above it", at)
		}
		times = append(times, des.Time(at))
		return errors.Join(err, tooMany(words, 1))
	})
	if err == nil && len(times) == 0 {
		err = fmt.Errorf("%s has no times", name)
	}
	return times, err
}

func tooMany(words []string, most int) error {
	if len(words) > most {
		return fmt.Errorf("%d words where %d belong", len(words), most)
	}
	return nil
}

// readLines calls f for the words of each line that is not empty and no comment.
func (w *World) readLines(name quantity.File, f func(words []string) error) error {
	data, err := w.FileData(name)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			if err := f(words); err != nil {
				return fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
	}
	return nil
}
