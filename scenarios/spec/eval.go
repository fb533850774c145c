package spec

import (
	"fmt"
	"math"
	"strings"
)

// Lookup returns the value of a metric, over the whole run or over the attempts
// that started within during (seconds; the first bound counts, the second does
// not). null is true where there is none, as for a ratio over no attempts. An
// error is for a metric that does not exist or cannot be had over an interval.
type Lookup func(name string, during *[2]float64) (value float64, null bool, err error)

// Outcome is what became of an expectation.
type Outcome struct {
	// Passed is true if the condition holds. One that depends on a value
	// that does not exist has not passed.
	Passed bool
	// Text is the expectation.
	Text string
	// Left and Right are the values of the deciding comparison.
	Left, Right float64
	// Null is true if a value that decides does not exist; Left and Right
	// are then 0 where it stood.
	Null bool
	// Message says in one line what was found, such as
	// "legit.connect_success.during(30s, 120s) < 0.1: is 0.031".
	Message string
}

// comparison is one comparison of an expectation, with what was found.
type comparison struct {
	term        *term
	left, right result
	passed      bool
}

// result is the value of a term: a number, or none and the reason.
type result struct {
	value float64
	null  bool
	why   string
}

// truth is the value of a condition. A comparison with a value that does not
// exist is unknown; unknown and false is false, unknown or true is true.
type truth int8

const (
	isFalse truth = iota - 1
	unknown
	isTrue
)

// Eval finds out whether an expectation holds. The error is that of lookup.
func Eval(e *Expectation, lookup Lookup) (Outcome, error) {
	var found []comparison
	holds, err := e.root.holds(lookup, &found)
	if err != nil {
		return Outcome{}, fmt.Errorf("expectation %q: %w", e.Text, err)
	}
	o := Outcome{Text: e.Text, Passed: holds == isTrue, Null: holds == unknown}
	deciding := found[0]
	for _, c := range found {
		if o.Null && (c.left.null || c.right.null) || !o.Null && c.passed == o.Passed && !c.left.null && !c.right.null {
			deciding = c
			break
		}
	}
	o.Left, o.Right = deciding.left.value, deciding.right.value
	var parts []string
	for _, c := range found {
		text := c.says()
		if len(found) > 1 {
			text = c.subject() + " " + text
		}
		parts = append(parts, text)
	}
	o.Message = e.Text + ": " + strings.Join(parts, "; ")
	return o, nil
}

// subject is the side of a comparison that a run decides.
func (c *comparison) subject() string {
	if _, constant := c.term.args[0].constant(); constant {
		return c.term.args[1].String()
	}
	return c.term.args[0].String()
}

// says words what was found, to be read after the subject.
func (c *comparison) says() string {
	for _, side := range []result{c.left, c.right} {
		if side.null {
			return "has no value (" + side.why + ")"
		}
	}
	left, right := c.term.args[0], c.term.args[1]
	if _, constant := right.constant(); constant {
		return "is " + left.format(c.left.value, right)
	}
	if _, constant := left.constant(); constant {
		return "is " + right.format(c.right.value, left)
	}
	return fmt.Sprintf("is %s, against %s", left.format(c.left.value, right), right.format(c.right.value, left))
}

// format prints a value of t with its unit, in percent if it is compared with a
// value in percent.
func (t *term) format(v float64, with *term) string {
	if with.op == opConst && strings.HasSuffix(with.text, "%") {
		return fmt.Sprintf("%.6g%%", 100*v)
	}
	dim := t.dim
	if dim == none {
		dim = with.dim
	}
	unit := dim
	switch dim {
	case none, number:
		return fmt.Sprintf("%.6g", v)
	case "1/s":
		return fmt.Sprintf("%.6g/s", v)
	case "s":
		for _, step := range []string{"ms", "us", "ns"} {
			if v != 0 && math.Abs(v) < 1 && unit != "ns" {
				v, unit = v*1000, step
			}
		}
	default:
		for _, prefix := range []string{"k", "M", "G", "T"} {
			if math.Abs(v) >= 1000 {
				v, unit = v/1000, prefix+dim
			}
		}
	}
	return fmt.Sprintf("%.6g%s", v, unit)
}

func (t *term) holds(lookup Lookup, found *[]comparison) (truth, error) {
	switch t.op {
	case "not":
		v, err := t.args[0].holds(lookup, found)
		return -v, err
	case "and", "or":
		a, err := t.args[0].holds(lookup, found)
		if err != nil {
			return unknown, err
		}
		b, err := t.args[1].holds(lookup, found)
		if t.op == "and" {
			return min(a, b), err
		}
		return max(a, b), err
	}
	left, err := t.args[0].eval(lookup)
	if err != nil {
		return unknown, err
	}
	right, err := t.args[1].eval(lookup)
	if err != nil {
		return unknown, err
	}
	c := comparison{term: t, left: left, right: right}
	v := unknown
	if !left.null && !right.null {
		v = isFalse
		if c.passed = compares(t.op, left.value, right.value); c.passed {
			v = isTrue
		}
	}
	*found = append(*found, c)
	return v, nil
}

func compares(op string, a, b float64) bool {
	switch op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "==":
		return a == b
	default:
		return a != b
	}
}

func (t *term) eval(lookup Lookup) (result, error) {
	switch t.op {
	case opConst:
		return result{value: t.value}, nil
	case opMetric:
		return t.look(lookup)
	}
	var args []float64
	for _, a := range t.args {
		r, err := a.eval(lookup)
		if err != nil || r.null {
			return r, err
		}
		args = append(args, r.value)
	}
	v := args[0]
	switch t.op {
	case opNeg:
		v = -v
	case "abs":
		v = math.Abs(v)
	case "+":
		v += args[1]
	case "-":
		v -= args[1]
	case "*":
		v *= args[1]
	case "/":
		if args[1] == 0 {
			return result{null: true, why: "a division by zero"}, nil
		}
		v /= args[1]
	case "min", "max":
		for _, a := range args[1:] {
			if (a < v) == (t.op == "min") {
				v = a
			}
		}
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return result{null: true, why: "the result is out of range"}, nil
	}
	return result{value: v}, nil
}

func (t *term) look(lookup Lookup) (result, error) {
	v, null, err := lookup(t.text, t.during)
	if err != nil {
		return result{}, err
	}
	if null || math.IsNaN(v) {
		if t.during != nil {
			return result{null: true, why: "no attempts in that interval"}, nil
		}
		return result{null: true, why: "nothing was counted"}, nil
	}
	return result{value: v}, nil
}
