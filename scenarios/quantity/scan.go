package quantity

import (
	"fmt"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Found is a quantity at the start of a longer text.
type Found struct {
	// Text is what was read, such as "30s".
	Text string
	// Value is in the base unit of Dim: seconds, bit/s, 1/s, bytes; 0.01 for
	// "1%".
	Value float64
	Dim   Dimension
}

// Scan reads the quantity that s begins with: a number and the unit that
// follows without a blank. ok is false if s does not begin with a number. A
// slash belongs to the number only before a unit of time that is not the start
// of a longer name: "20/s" is a rate, "20/size" is 20 divided by size. When a
// word that is no unit follows the number, Text covers both and err says so.
func Scan(s string) (f Found, ok bool, err error) {
	n := numberLength(s)
	if n == 0 {
		return Found{}, false, nil
	}
	name := scanUnit(s[n:])
	f.Text = s[:n+len(name)]
	r, err := exact(s[:n])
	if err != nil {
		return f, true, err
	}
	if name != "" {
		u, known := findUnit(name)
		if !known {
			dims := []Dimension{Time, DataRate, EventRate, Data, Share}
			return f, true, unknownUnit(f.Text, s[:n], name, dims)
		}
		f.Dim = u.dim
		r.Mul(r, big.NewRat(u.num, u.den))
		if u.dim == Time {
			r.Mul(r, big.NewRat(1, 1e9))
		}
	}
	if f.Value, err = nearest(f.Text, r); err != nil {
		return f, true, fmt.Errorf("in an expression: %w", err)
	}
	return f, true, nil
}

// scanUnit returns the unit that s begins with, or the word that stands where a
// unit would.
func scanUnit(s string) string {
	if strings.HasPrefix(s, "%") {
		return "%"
	}
	w := wordLength(s)
	if strings.HasPrefix(s[w:], "/") {
		per := w + 1 + wordLength(s[w+1:])
		if _, known := findUnit(s[:per]); known {
			return s[:per]
		}
		if _, known := findUnit(s[:w]); w > 0 && !known && per > w+1 {
			return s[:per]
		}
	}
	return s[:w]
}

func wordLength(s string) int {
	for i, r := range s {
		if !unicode.IsLetter(r) && r != '_' && !(i > 0 && unicode.IsDigit(r)) || r == utf8.RuneError {
			return i
		}
	}
	return len(s)
}
