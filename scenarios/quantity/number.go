package quantity

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNumber bounds the digits of a number, and maxExponent its exponent, so
// that exact arithmetic stays cheap whatever a file holds.
const (
	maxNumber   = 64
	maxExponent = 400
)

// numberLength returns how many bytes of s, from its start on, are an unsigned
// decimal number: digits, one point among or before them, an exponent.
func numberLength(s string) int {
	digits := func(i int) int {
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i
	}
	i := digits(0)
	n := i
	if i < len(s) && s[i] == '.' {
		if j := digits(i + 1); j > i+1 {
			n += j - i - 1
			i = j
		}
	}
	if n == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if k := digits(j); k > j {
			return k
		}
	}
	return i
}

// exact returns the value of a number that numberLength has found.
func exact(text string) (*big.Rat, error) {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if e, err := strconv.Atoi(text[i+1:]); err != nil || e > maxExponent || e < -maxExponent {
			return nil, fmt.Errorf("the exponent of %s is out of range", Quote(text))
		}
	}
	if len(text) > maxNumber {
		return nil, fmt.Errorf("%s has more than %d digits", Quote(text), maxNumber)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%s is not a number", Quote(text))
	}
	return r, nil
}

// Quote quotes s for a message, without the middle if it is long.
func Quote(s string) string {
	if len(s) > 48 {
		head, tail := 24, len(s)-12
		for !utf8.RuneStart(s[head]) {
			head--
		}
		for tail < len(s) && !utf8.RuneStart(s[tail]) {
			tail++
		}
		s = s[:head] + "..." + s[tail:]
	}
	return strconv.Quote(s)
}

// split divides s into a number and what follows it.
func split(s string) (number, rest string) {
	s = strings.TrimSpace(s)
	n := numberLength(s)
	return s[:n], strings.TrimLeft(s[n:], " ")
}

// parse reads s as a number with a unit of one of the dimensions, in the
// finest unit of the dimension. bare says that no unit is as good as one.
func parse(s string, bare bool, dims ...Dimension) (*big.Rat, unit, error) {
	want := examples(dims)
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return nil, unit{}, fmt.Errorf("no value (write %s)", want)
	}
	number, name := split(trimmed)
	if number == "" {
		return nil, unit{}, notNumber(trimmed, dims)
	}
	r, err := exact(number)
	if err != nil {
		return nil, unit{}, err
	}
	if name == "" {
		if bare {
			return r, unit{dim: Number, num: 1, den: 1}, nil
		}
		return nil, unit{}, fmt.Errorf("%s has no unit (write %s)", Quote(trimmed), withUnits(number, dims))
	}
	u, ok := findUnit(name)
	if !ok {
		return nil, unit{}, unknownUnit(trimmed, number, name, dims)
	}
	if !has(dims, u.dim) {
		return nil, unit{}, fmt.Errorf("%s is %v, not %v (write %s)", Quote(trimmed), u.dim, dims[0], want)
	}
	return r.Mul(r, big.NewRat(u.num, u.den)), u, nil
}

func examples(dims []Dimension) string {
	var parts []string
	for _, d := range dims {
		parts = append(parts, dimensions[d].examples)
	}
	return strings.Join(parts, " or ")
}

func notNumber(s string, dims []Dimension) error {
	if s[0] == '-' && numberLength(s[1:]) > 0 {
		return fmt.Errorf("%s is negative (%v is 0 or more)", Quote(s), dims[0])
	}
	if s[0] == '+' && numberLength(s[1:]) > 0 {
		return fmt.Errorf("%s has a sign (write %s)", Quote(s), Quote(s[1:]))
	}
	return fmt.Errorf("%s is not %v (write %s)", Quote(s), dims[0], examples(dims))
}

func unknownUnit(s, number, name string, dims []Dimension) error {
	if r, _ := utf8.DecodeRuneInString(name); r == ',' || r == '_' || r == '.' || unicode.IsDigit(r) {
		return fmt.Errorf("%s is not a number with a unit (write digits, a point for decimals, no separators, then one of %s)",
			Quote(s), unitNames(dims))
	}
	if name == "m" && has(dims, Time) {
		return fmt.Errorf("%s: unknown unit \"m\" (write %smin for minutes, %sms for milliseconds)", Quote(s), number, number)
	}
	if strings.EqualFold(name, "kb") && has(dims, Data) {
		return fmt.Errorf("%s: unknown unit %q (write %skB for 1000 bytes each, %sKiB for 1024)", Quote(s), name, number, number)
	}
	if u := meant(name, dims); u != "" {
		return fmt.Errorf("%s: unknown unit %q, did you mean %s? (have %s)", Quote(s), name, u, unitNames(dims))
	}
	return fmt.Errorf("%s: unknown unit %s (have %s)", Quote(s), Quote(name), unitNames(dims))
}

// withUnits shows number with the units that are likely for it.
func withUnits(number string, dims []Dimension) string {
	likely := map[Dimension][]string{
		Time: {"ms", "s"}, DataRate: {"Mbit/s", "kbit/s"}, EventRate: {"/s", "/min"},
		Data: {"B", "KiB"}, Share: {"%"}, Packets: {" packets"},
	}
	var parts []string
	for _, d := range dims {
		us := likely[d]
		if len(dims) > 1 {
			us = us[len(us)-1:]
		}
		for _, u := range us {
			parts = append(parts, number+u)
		}
	}
	return strings.Join(parts, " or ")
}

// whole returns r as an int64, which a value in the finest unit must be.
func whole(s string, r *big.Rat, finest string) (int64, error) {
	if !r.IsInt() {
		return 0, fmt.Errorf("%s is not a whole number of %s", Quote(s), finest)
	}
	if !r.Num().IsInt64() {
		return 0, fmt.Errorf("%s is too large (the most is %d %s)", Quote(s), int64(^uint64(0)>>1), finest)
	}
	return r.Num().Int64(), nil
}
