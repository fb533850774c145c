package quantity

import (
	"fmt"
	"strconv"
	"strings"
)

// Law is the form of a distribution.
type Law uint8

// The laws.
const (
	// Constant is always A.
	Constant Law = iota
	// Exponential has the mean A.
	Exponential
	// Uniform lies between A and B.
	Uniform
	// Pareto has the shape Shape and is at least A, and at most B if B is not
	// 0.
	Pareto
	// Lognormal has the median A; its logarithm has the standard deviation
	// Shape.
	Lognormal
	// Choice is one of Choices, by their weights.
	Choice
	// Empirical is read from File.
	Empirical
)

var lawNames = map[string]Law{"exponential": Exponential, "uniform": Uniform, "pareto": Pareto,
	"lognormal": Lognormal, "choice": Choice, "file": Empirical}

// Distribution is how a quantity varies: what Sizes and Durations have in
// common. Values are bytes or nanoseconds.
type Distribution struct {
	Law Law
	// A and B are values, by the law.
	A, B int64
	// Shape has no unit.
	Shape float64
	// Choices are the values of a Choice.
	Choices []Weighted
	// File is the name of the file of an Empirical distribution.
	File File
	// Text is what the file said.
	Text string
}

// Weighted is a value of a Choice, and how often it is drawn beside the others.
type Weighted struct {
	Value  int64
	Weight int64
}

// Sizes is a distribution of sizes: "1kB", "exponential 10kB", "uniform 1kB
// 2kB", "pareto 1.2 4kB 10MB", "lognormal 10kB 1.5", "choice 3 1kB 1 100kB",
// "file sizes.txt".
type Sizes Distribution

// Durations is a distribution of times, written as Sizes is.
type Durations Distribution

// Fixed returns the value of a Constant.
func (s Sizes) Fixed() (Size, bool) { return Size(s.A), s.Law == Constant }

// Reads returns the file that belongs to the distribution, "" for none.
func (s Sizes) Reads() File { return s.File }

// Reads returns the file that belongs to the distribution, "" for none.
func (d Durations) Reads() File { return d.File }

// Zero reports whether the size is always 0.
func (s Sizes) Zero() bool { return s.Law == Constant && s.A == 0 }

// Zero reports whether the time is always 0.
func (d Durations) Zero() bool { return d.Law == Constant && d.A == 0 }

// OfSize is the distribution of one size.
func OfSize(s Size) Sizes { return Sizes{A: int64(s), Text: s.String()} }

// OfDuration is the distribution of one time.
func OfDuration(d Duration) Durations { return Durations{A: int64(d), Text: d.String()} }

// String is what the distribution was read from.
func (s Sizes) String() string { return s.Text }

// String is what the distribution was read from.
func (d Durations) String() string { return d.Text }

// ParseSizes reads a distribution of sizes.
func ParseSizes(s string) (Sizes, error) {
	d, err := parseLaw(s, "10kB", func(v string) (int64, error) {
		x, err := ParseSize(v)
		return int64(x), err
	})
	return Sizes(d), err
}

// ParseDurations reads a distribution of times.
func ParseDurations(s string) (Durations, error) {
	d, err := parseLaw(s, "20ms", func(v string) (int64, error) {
		x, err := ParseDuration(v)
		return int64(x), err
	})
	return Durations(d), err
}

// parseLaw reads a distribution whose values value reads. example is a value.
func parseLaw(s, example string, value func(string) (int64, error)) (Distribution, error) {
	words := strings.Fields(s)
	d := Distribution{Text: strings.Join(words, " ")}
	if len(words) == 0 || numberLength(words[0]) > 0 {
		var err error
		d.A, err = value(s)
		return d, err
	}
	law, known := lawNames[words[0]]
	if !known {
		if !strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "+") {
			return d, fmt.Errorf("%s: unknown distribution %s (write %s for always the same, or exponential, uniform, pareto, lognormal, choice or file and what belongs to it)",
				Quote(s), Quote(words[0]), example)
		}
		_, err := value(s)
		return d, err
	}
	d.Law = law
	form := strings.NewReplacer("VALUE", example, "MOST", "10"+example).Replace(lawForms[law])
	if err := d.read(words[1:], value); err != nil {
		return d, fmt.Errorf("%s: %w (write %s)", Quote(s), err, Quote(form))
	}
	return d, nil
}

// lawForms shows how each law is written.
var lawForms = map[Law]string{Exponential: "exponential VALUE", Uniform: "uniform VALUE MOST", Pareto: "pareto 1.2 VALUE MOST",
	Lognormal: "lognormal VALUE 1.5", Choice: "choice 3 VALUE 1 MOST", Empirical: "file NAME.txt"}

// read reads what stands behind the law.
func (d *Distribution) read(words []string, value func(string) (int64, error)) (err error) {
	counts := map[Law][2]int{Exponential: {1, 1}, Uniform: {2, 2}, Pareto: {2, 3}, Lognormal: {2, 2}, Choice: {2, 2 << 10}, Empirical: {1, 1}}
	if n := counts[d.Law]; len(words) < n[0] || len(words) > n[1] || d.Law == Choice && len(words)%2 != 0 {
		return fmt.Errorf("%d words behind the distribution", len(words))
	}
	first, last := words[0], words[len(words)-1]
	switch d.Law {
	case Exponential:
		d.A, err = value(first)
	case Uniform:
		if d.A, err = value(first); err == nil {
			d.B, err = value(last)
		}
		if err == nil && d.B <= d.A {
			err = fmt.Errorf("%s is not less than %s", first, last)
		}
		return err
	case Pareto:
		if d.Shape, err = shape(first); err == nil {
			d.A, err = value(words[1])
		}
		if err == nil && len(words) == 3 {
			if d.B, err = value(last); err == nil && d.B <= d.A {
				err = fmt.Errorf("%s is not less than %s", words[1], last)
			}
		}
	case Lognormal:
		if d.A, err = value(first); err == nil {
			d.Shape, err = shape(last)
		}
	case Choice:
		return d.choices(words, value)
	case Empirical:
		d.File = File(first)
		return nil
	}
	if err == nil && d.A == 0 {
		err = fmt.Errorf("a value of 0")
	}
	return err
}

func (d *Distribution) choices(words []string, value func(string) (int64, error)) error {
	for i := 0; i < len(words); i += 2 {
		weight, err := strconv.ParseInt(words[i], 10, 32)
		if err != nil || weight < 1 {
			return fmt.Errorf("the weight %s is not a whole number of 1 or more", Quote(words[i]))
		}
		v, err := value(words[i+1])
		if err != nil {
			return err
		}
		d.Choices = append(d.Choices, Weighted{v, weight})
	}
	return nil
}

func shape(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0.05 && x <= 100) {
		return 0, fmt.Errorf("the shape %s is not a number from 0.05 to 100", Quote(s))
	}
	return x, nil
}

// UnmarshalText is ParseSizes.
func (s *Sizes) UnmarshalText(b []byte) error { return text(s, b, ParseSizes) }

// MarshalText is String.
func (s Sizes) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseDurations.
func (d *Durations) UnmarshalText(b []byte) error { return text(d, b, ParseDurations) }

// MarshalText is String.
func (d Durations) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// lawPattern is the pattern of a distribution whose values have that pattern.
// What it is in detail, the parser says.
func lawPattern(value string) string {
	return anchored(`(` + value + `|(exponential|uniform|pareto|lognormal|choice|file) +.+)`)
}

const lawUnits = "one value, or exponential MEAN, uniform LEAST MOST, pareto SHAPE LEAST [MOST], lognormal MEDIAN SIGMA, choice WEIGHT VALUE ..., file NAME"

// Syntax tells how Sizes are written.
func (Sizes) Syntax() Syntax {
	return Syntax{"sizes", lawUnits + ", with " + unitNames([]Dimension{Data}), "exponential 10kB", lawPattern(pattern(Data))}
}

// Syntax tells how Durations are written.
func (Durations) Syntax() Syntax {
	return Syntax{"times", lawUnits + ", with " + unitNames([]Dimension{Time}), "exponential 20ms", lawPattern(pattern(Time))}
}
