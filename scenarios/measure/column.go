package measure

import (
	"slices"

	"tcplab/des"
)

// marks are the instants at which everything is read, in order: 0, the
// multiples of the interval, the end of the warm-up, the bounds of windows
// that were announced, and the end.
type marks []des.Time

// position returns the mark at or before t and how far, in [0, 1), t is on the
// way to the next one. Instants outside the marks count as the first or the
// last.
func (m marks) position(t des.Time) (i int, part float64) {
	i, found := slices.BinarySearch(m, t)
	switch {
	case found || i == 0:
		return i, 0
	case i == len(m):
		return i - 1, 0
	}
	span := float64(m[i] - m[i-1])
	return i - 1, float64(float64(t-m[i-1]) / span)
}

// column has one value for each mark, stored where it differs from the one
// before. Most counters of most hosts never move and so cost nothing.
type column struct {
	mark  []int32
	value []uint64
}

// set records v at mark i. Marks are set in order.
func (c *column) set(i int, v uint64) {
	if n := len(c.value); n > 0 && c.value[n-1] == v || n == 0 && v == 0 {
		return
	}
	c.mark = append(c.mark, int32(i))
	c.value = append(c.value, v)
}

// at returns the value at mark i.
func (c *column) at(i int) uint64 {
	k, found := slices.BinarySearch(c.mark, int32(i))
	if !found {
		k--
	}
	if k < 0 {
		return 0
	}
	return c.value[k]
}

// growth returns by how much the quantity grew in w. It is exact when the
// bounds of w are marks; between marks the growth counts as even. Differences
// are taken modulo 2^64, so the sums themselves may wrap.
func (c *column) growth(m marks, w window) float64 {
	i, head := m.position(w.from)
	j, tail := m.position(w.until)
	grown := float64(int64(c.at(j) - c.at(i)))
	if head > 0 {
		grown -= float64(head * float64(int64(c.at(i+1)-c.at(i))))
	}
	if tail > 0 {
		grown += float64(tail * float64(int64(c.at(j+1)-c.at(j))))
	}
	return grown
}

// most returns the greatest of the signed values of the stretches between
// marks that overlap w, where the value at mark i belongs to the stretch that
// ends there.
func (c *column) most(m marks, w window) float64 {
	i, _ := m.position(w.from)
	j, tail := m.position(w.until)
	if tail > 0 {
		j++
	}
	first := min(i+1, len(m)-1)
	best := int64(c.at(first))
	k, _ := slices.BinarySearch(c.mark, int32(first+1))
	for ; k < len(c.mark) && int(c.mark[k]) <= j; k++ {
		best = max(best, int64(c.value[k]))
	}
	return float64(best)
}

// window is the time from from until until, the end excluded.
type window struct{ from, until des.Time }

func (w window) seconds() float64 { return (w.until - w.from).Seconds() }
func (w window) empty() bool      { return w.until <= w.from }

// clip returns the part of w that lies in [from, until).
func (w window) clip(from, until des.Time) window {
	return window{max(w.from, from), min(w.until, until)}
}
