package plots

import (
	"math"
	"regexp"
	"strings"
)

// A scale turns the values of a unit into those that an axis shows.
type scale struct {
	factor float64
	// unit is what the axis label says; empty for plain numbers.
	unit string
}

// fractionWord is in labels that say that they are ratios.
var fractionWord = regexp.MustCompile(`ratio|rate|share|fraction|probability|utili[sz]ation`)

// counted are units whose quantity is a number of things.
var counted = map[string]bool{"entries": true, "connections": true, "packets": true, "count": true}

// siUnits are those that are written with prefixes.
var siUnits = map[string]bool{"s": true, "bit/s": true, "B": true, "B/s": true}

var siPrefixes = []struct {
	factor float64
	prefix string
}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}}

// scaleFor chooses the multiple of a unit in which values up to top are written
// in few digits: ms for short times, Mbit/s for fast links, thousands for large
// counts.
func scaleFor(unit string, top float64) scale {
	top = math.Abs(top)
	if unit == "" {
		unit = "count"
	}
	switch unit {
	case "s":
		for _, p := range siPrefixes[4:] {
			if top >= p.factor {
				return scale{1 / p.factor, p.prefix + "s"}
			}
		}
		if top > 0 {
			return scale{1e12, "ps"}
		}
		return scale{1, "s"}
	case "bit/s", "B", "B/s":
		for _, p := range siPrefixes[:5] {
			if top >= p.factor {
				return scale{1 / p.factor, p.prefix + unit}
			}
		}
		return scale{1, unit}
	case "ratio":
		return scale{1, ""}
	}
	exp := 0
	if top >= 2e4 || top > 0 && top < 1e-2 {
		exp = 3 * int(math.Floor(math.Log10(top)/3))
	}
	if exp == 0 {
		if unit == "count" {
			unit = ""
		}
		return scale{1, unit}
	}
	times := "10" + raised(exp)
	switch {
	case strings.HasPrefix(unit, "1/"):
		times += unit[1:]
	case unit != "count":
		times += " " + unit
	}
	return scale{1 / math.Pow10(exp), times}
}

// logScaleFor is scaleFor of a logarithmic axis. Over many decades it is the
// middle that is to have few digits: kB from 1 kB to 1 MB.
func logScaleFor(unit string, lo, hi float64) scale {
	if !siUnits[unit] {
		return scaleFor(unit, 1) // powers of ten are at the ticks
	}
	sc := scaleFor(unit, hi)
	if lo*sc.factor < 0.002 {
		sc = scaleFor(unit, math.Sqrt(lo*hi))
	}
	return sc
}

// axisLabel joins a label and its unit. A label that already says what is
// counted ("half-open connections") needs no unit, nor has a ratio one.
func axisLabel(label, unit string, sc scale) string {
	if unit == "ratio" && !fractionWord.MatchString(label) {
		return label + " (ratio)"
	}
	if sc.unit == "" {
		return label
	}
	if counted[unit] && sc.factor == 1 {
		words := strings.Fields(label)
		last := ""
		if len(words) > 0 {
			last = words[len(words)-1]
		}
		if strings.HasSuffix(last, "s") || strings.Contains(label, strings.TrimSuffix(unit, "s")) || strings.Contains(label, " per ") {
			return label
		}
	}
	return label + " (" + sc.unit + ")"
}

// ownLabel fits a label that was given to the scale of its axis: the unit at its
// end becomes the one that the axis has, and a power of ten is told.
func ownLabel(label, unit string, sc scale) string {
	if sc.factor == 1 || sc.unit == "" || strings.Contains(label, sc.unit) {
		return label
	}
	if head, ok := strings.CutSuffix(label, "("+unit+")"); ok {
		return head + "(" + sc.unit + ")"
	}
	return label + " (" + sc.unit + ")"
}

// owner is the first part of a name, as text.
func owner(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return strings.ReplaceAll(first, "_", " ")
}

// nameLabel makes a label of a name of the form owner.quantity.
func nameLabel(name string) string {
	_, quantity, found := strings.Cut(name, ".")
	if !found {
		quantity = name
	}
	return strings.ReplaceAll(quantity, "_", " ")
}
