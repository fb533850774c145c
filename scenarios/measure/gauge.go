package measure

import (
	"math"

	"tcplab/des"
)

// Gauge is a number that goes up and down, such as the length of a queue. It
// keeps the exact integral over time and the exact maximum of the values that
// lasted; the zero value is a gauge at 0. Set and Add do not allocate.
type Gauge struct {
	value    int64
	peak     int64 // since the last mark, of the values that lasted
	since    des.Time
	integral uint64 // of value over time, in units x ns, modulo 2^64

	values, integrals, peaks column
}

// Set makes the value v from now on.
func (g *Gauge) Set(now des.Time, v int) {
	if now > g.since {
		g.integral += uint64(g.value) * uint64(now-g.since)
		g.peak = max(g.peak, g.value)
		g.since = now
	}
	g.value = int64(v)
}

// Add changes the value by d from now on.
func (g *Gauge) Add(now des.Time, d int) { g.Set(now, int(g.value)+d) }

// Value returns the current value.
func (g *Gauge) Value() int { return int(g.value) }

func (g *Gauge) sample(i int, now des.Time) {
	g.Set(now, int(g.value))
	g.values.set(i, uint64(g.value))
	g.integrals.set(i, g.integral)
	g.peaks.set(i, uint64(g.peak))
	g.peak = math.MinInt64
}

// mean is the mean over time in w.
func (g *Gauge) mean(m marks, w window) (float64, bool) {
	if w.empty() {
		return 0, false
	}
	return g.integrals.growth(m, w) / float64(w.until-w.from), true
}

// most is the maximum in w. Where a bound of w is no mark, the whole stretch
// between marks around it counts.
func (g *Gauge) most(m marks, w window) (float64, bool) {
	if w.empty() {
		return 0, false
	}
	return g.peaks.most(m, w), true
}

// Counter counts what happens. The zero value is a counter at 0.
type Counter struct {
	total  uint64
	totals column
}

// Add counts n more.
func (c *Counter) Add(n uint64) { c.total += n }

// Total returns what was counted since the start.
func (c *Counter) Total() uint64 { return c.total }

func (c *Counter) sample(i int, _ des.Time) { c.totals.set(i, c.total) }

func (c *Counter) growth(m marks, w window) (float64, bool) {
	if w.empty() {
		return 0, false
	}
	return c.totals.growth(m, w), true
}
