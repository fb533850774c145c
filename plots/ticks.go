package plots

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A tick is a mark on an axis; one without a label is a minor one.
type tick struct {
	value float64
	label string
}

// A step is the distance of ticks, digit times ten to the power exp.
type step struct{ digit, exp int }

func (s step) value() float64 { return s.times(1) }

// times returns k steps, rounded once.
func (s step) times(k int) float64 {
	v := float64(k * s.digit)
	if s.exp < 0 {
		return v / math.Pow10(-s.exp)
	}
	return v * math.Pow10(s.exp)
}

// next is the next larger step of the series 1, 2, 5, 10.
func (s step) next() step {
	switch s.digit {
	case 1:
		return step{2, s.exp}
	case 2:
		return step{5, s.exp}
	}
	return step{1, s.exp + 1}
}

// stepOver is the smallest step of at least v.
func stepOver(v float64) step {
	s := step{1, int(math.Floor(math.Log10(v))) - 1}
	for s.value() < v*(1-1e-9) {
		s = s.next()
	}
	return s
}

// linearTicks divides the range from lo to hi by the smallest step of 1, 2 or 5
// times a power of ten that leaves at most `most` labels which fit. Whole asks
// for ticks at whole numbers only.
func linearTicks(lo, hi float64, most int, whole bool, fits func([]tick) bool) []tick {
	s := stepOver((hi - lo) / float64(max(most, 1)))
	if whole && s.exp < 0 {
		s = step{1, 0}
	}
	for {
		major := multiples(s, lo, hi)
		if len(major) <= 2 || len(major) <= most && fits(major) {
			return withMinor(major, s, lo, hi, whole, 3*most)
		}
		s = s.next()
	}
}

// multiples are the labelled ticks at multiples of s.
func multiples(s step, lo, hi float64) []tick {
	slack := (hi - lo) * 1e-9
	var ts []tick
	first := int(math.Ceil((lo - slack) / s.value()))
	for k := first; s.times(k) <= hi+slack; k++ {
		v := s.times(k)
		ts = append(ts, tick{v, decimal(v, max(0, -s.exp))})
	}
	return ts
}

// labelled counts the ticks with a label.
func labelled(ts []tick) int {
	n := 0
	for _, t := range ts {
		if t.label != "" {
			n++
		}
	}
	return n
}

// withMinor adds ticks without labels between the labelled ones, if that makes
// at most so many.
func withMinor(major []tick, s step, lo, hi float64, whole bool, most int) []tick {
	parts := map[int]int{1: 2, 2: 2, 5: 5}[s.digit]
	fine := step{s.digit * 10 / parts, s.exp - 1}
	if whole && fine.value() < 1 {
		return major
	}
	if (hi-lo)/fine.value() > float64(most) {
		return major
	}
	ts := major
	for _, t := range multiples(fine, lo, hi) {
		k := math.Round(t.value / s.value())
		if math.Abs(t.value-k*s.value()) > fine.value()/2 {
			ts = append(ts, tick{value: t.value})
		}
	}
	return ts
}

// logTicks divides the range from lo to hi, both positive, of a logarithmic
// axis: labels at 1, 2 and 5 times powers of ten, or at fewer if they would not
// fit. A range too narrow for two of these is divided evenly.
func logTicks(lo, hi float64, fits func([]tick) bool) []tick {
	var major []tick
	for _, choice := range []struct {
		digits []int
		every  int
	}{{[]int{1, 2, 3, 5, 7}, 1}, {[]int{1, 2, 5}, 1}, {[]int{1, 3}, 1}, {[]int{1}, 1}, {[]int{1}, 2}, {[]int{1}, 3}, {[]int{1}, 6}} {
		if math.Log10(hi/lo) > 0.8 && len(choice.digits) > 3 {
			continue
		}
		if powers(lo, hi) && math.Log10(hi/lo) > 2.5 && len(choice.digits) > 1 {
			continue // powers of ten alone are easier to read
		}
		ts := decades(lo, hi, choice.digits, choice.every)
		if fits(ts) {
			major = ts
			break
		}
	}
	if len(major) < 2 {
		return linearTicks(lo, hi, 8, false, fits)
	}
	named := make(map[float64]bool)
	for _, t := range major {
		named[t.value] = true
	}
	digits := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}
	if math.Log10(hi/lo) > 10 {
		digits = digits[:1]
	}
	for _, t := range decades(lo, hi, digits, 1) {
		if !named[t.value] {
			major = append(major, tick{value: t.value})
		}
	}
	return major
}

// someTicks keeps the labels of every tick, or of every second, and so on, such
// that they fit.
func someTicks(all []tick, fits func([]tick) bool) []tick {
	for every := 1; ; every++ {
		ts := slices.Clone(all)
		for i := range ts {
			if i%every != 0 {
				ts[i].label = ""
			}
		}
		if every >= len(all) || fits(ts) {
			return ts
		}
	}
}

func decades(lo, hi float64, digits []int, every int) []tick {
	var ts []tick
	top := int(math.Ceil(math.Log10(hi)))
	for e := int(math.Floor(math.Log10(lo))); e <= top; e++ {
		if e%every != 0 {
			continue
		}
		for _, d := range digits {
			v := step{d, e}.value()
			if v >= lo*(1-1e-9) && v <= hi*(1+1e-9) {
				ts = append(ts, tick{v, logLabel(d, e, powers(lo, hi))})
			}
		}
	}
	return ts
}

// powers is true if decimals would be long on that axis.
func powers(lo, hi float64) bool { return lo < 5e-4 || hi > 2e4 }

// logLabel writes d times ten to the power e, as a power or as a decimal.
func logLabel(d, e int, power bool) string {
	if !power {
		return decimal(step{d, e}.value(), max(0, -e))
	}
	if d == 1 {
		return "10" + raised(e)
	}
	return strconv.Itoa(d) + "×10" + raised(e)
}

// decimal writes v with that many decimals and a true minus sign.
func decimal(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}

// raised writes n as an exponent.
func raised(n int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	var b strings.Builder
	for _, r := range strconv.Itoa(n) {
		if r == '-' {
			b.WriteRune('⁻')
		} else {
			b.WriteRune(digits[r-'0'])
		}
	}
	return b.String()
}
