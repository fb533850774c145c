package drill

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// value is a number or a string of the checks' language.
type value struct {
	float bool
	i     int64
	f     float64
	s     string
	text  bool
}

func intValue(i int64) value { return value{i: i} }

func boolValue(b bool) value {
	if b {
		return intValue(1)
	}
	return intValue(0)
}

func (v value) number() float64 {
	if v.float {
		return v.f
	}
	return float64(v.i)
}

func (v value) truth() bool { return v.s != "" || v.i != 0 || v.f != 0 }

// String returns the value as Python prints it.
func (v value) String() string {
	switch {
	case v.text:
		return v.s
	case v.float:
		return strconv.FormatFloat(v.f, 'g', -1, 64)
	}
	return strconv.FormatInt(v.i, 10)
}

// errUnknownName is the error of a name that has no value.
var errUnknownName = errors.New("unknown name")

// names finds the value of a variable.
type names func(name string) (value, bool)

// evaluate returns the value of a Python expression: integers, floats, names,
// comparison chains, and, or, not, bit and arithmetic operators, min, max, abs.
func evaluate(src string, vars names) (value, error) {
	e := &evaluator{src: src, vars: vars}
	v := e.or()
	if e.blank(); e.err == nil && e.i < len(e.src) {
		e.failf("%q after the expression", e.src[e.i:])
	}
	return v, e.err
}

// evaluator is a recursive descent that evaluates as it goes. The first error
// sticks.
type evaluator struct {
	src   string
	i     int
	depth int
	vars  names
	err   error
}

func (e *evaluator) failf(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
		e.i = len(e.src)
	}
}

func (e *evaluator) blank() {
	for e.i < len(e.src) && strings.IndexByte(" \t\r\n\\", e.src[e.i]) >= 0 {
		e.i++
	}
}

// op takes the operator s if it comes next and none of the longer ones does.
func (e *evaluator) op(s string, longer ...string) bool {
	e.blank()
	rest := e.src[e.i:]
	if !strings.HasPrefix(rest, s) {
		return false
	}
	for _, l := range longer {
		if strings.HasPrefix(rest, l) {
			return false
		}
	}
	e.i += len(s)
	return true
}

func (e *evaluator) word(s string) bool {
	e.blank()
	rest := e.src[e.i:]
	if !strings.HasPrefix(rest, s) || len(rest) > len(s) && isWord(rest[len(s)]) {
		return false
	}
	e.i += len(s)
	return true
}

func (e *evaluator) or() value {
	v := e.and()
	for e.word("or") {
		if w := e.and(); !v.truth() {
			v = w
		}
	}
	return v
}

func (e *evaluator) and() value {
	v := e.not()
	for e.word("and") {
		if w := e.not(); v.truth() {
			v = w
		}
	}
	return v
}

func (e *evaluator) not() value {
	if e.depth++; e.depth > maxDepth {
		e.failf("brackets more than %d deep", maxDepth)
	}
	defer func() { e.depth-- }()
	if e.word("not") {
		return boolValue(!e.not().truth())
	}
	return e.comparison()
}

// comparison is a chain such as 1 < x <= 3.
func (e *evaluator) comparison() value {
	a := e.bits(0)
	result, chained := true, false
	for e.err == nil {
		var holds func(c int) bool
		switch {
		case e.op("=="):
			holds = func(c int) bool { return c == 0 }
		case e.op("!="):
			holds = func(c int) bool { return c != 0 }
		case e.op("<="):
			holds = func(c int) bool { return c <= 0 }
		case e.op(">="):
			holds = func(c int) bool { return c >= 0 }
		case e.op("<", "<<"):
			holds = func(c int) bool { return c < 0 }
		case e.op(">", ">>"):
			holds = func(c int) bool { return c > 0 }
		default:
			if chained {
				return boolValue(result)
			}
			return a
		}
		b := e.bits(0)
		result, chained = result && holds(compare(a, b)), true
		a = b
	}
	return boolValue(result)
}

func compare(a, b value) int {
	switch {
	case a.text || b.text:
		return strings.Compare(a.String(), b.String())
	case !a.float && !b.float && a.i < b.i, (a.float || b.float) && a.number() < b.number():
		return -1
	case !a.float && !b.float && a.i > b.i, (a.float || b.float) && a.number() > b.number():
		return 1
	}
	return 0
}

// levels are the binary operators from the loosest to the tightest; behind each
// stand the longer ones that start alike.
var levels = [][][]string{
	{{"|", "||"}}, {{"^"}}, {{"&", "&&"}}, {{"<<"}, {">>"}}, {{"+"}, {"-"}}, {{"**"}, {"*", "**"}, {"//"}, {"/", "//"}, {"%"}},
}

func (e *evaluator) bits(level int) value {
	if level == len(levels) {
		return e.unary()
	}
	a := e.bits(level + 1)
next:
	for e.err == nil {
		for _, ops := range levels[level] {
			if e.op(ops[0], ops[1:]...) {
				a = e.binary(ops[0], a, e.bits(level+1))
				continue next
			}
		}
		break
	}
	return a
}

func (e *evaluator) binary(op string, a, b value) value {
	if op == "%" && a.text {
		return a
	}
	if a.text || b.text {
		e.failf("%s of a string", op)
		return value{}
	}
	if a.float || b.float || op == "/" {
		return e.floats(op, a.number(), b.number())
	}
	switch op {
	case "|":
		return intValue(a.i | b.i)
	case "^":
		return intValue(a.i ^ b.i)
	case "&":
		return intValue(a.i & b.i)
	case "+":
		return intValue(a.i + b.i)
	case "-":
		return intValue(a.i - b.i)
	case "*":
		return intValue(a.i * b.i)
	case "**":
		return value{float: true, f: math.Pow(a.number(), b.number())}
	case "<<", ">>":
		if b.i < 0 || b.i > 63 {
			e.failf("shift by %d", b.i)
			return value{}
		}
		if op == "<<" {
			return intValue(a.i << b.i)
		}
		return intValue(a.i >> b.i)
	}
	if b.i == 0 {
		e.failf("division by zero")
		return value{}
	}
	// Python rounds towards minus infinity.
	q, r := a.i/b.i, a.i%b.i
	if r != 0 && (r < 0) != (b.i < 0) {
		q, r = q-1, r+b.i
	}
	if op == "%" {
		return intValue(r)
	}
	return intValue(q)
}

func (e *evaluator) floats(op string, a, b float64) value {
	var f float64
	switch op {
	case "+":
		f = a + b
	case "-":
		f = a - b
	case "*":
		f = a * b
	case "/", "//":
		if b == 0 {
			e.failf("division by zero")
			return value{}
		}
		if f = a / b; op == "//" {
			f = math.Floor(f)
		}
	case "**":
		f = math.Pow(a, b)
	default:
		e.failf("%s of a fraction", op)
	}
	return value{float: true, f: f}
}

func (e *evaluator) unary() value {
	if e.depth++; e.depth > maxDepth {
		e.failf("operators more than %d deep", maxDepth)
	}
	defer func() { e.depth-- }()
	switch {
	case e.op("-"):
		v := e.unary()
		v.i, v.f = -v.i, -v.f
		return v
	case e.op("+"):
		return e.unary()
	case e.op("~"):
		return intValue(^e.unary().i)
	}
	return e.primary()
}

func (e *evaluator) primary() value {
	e.blank()
	if e.i >= len(e.src) {
		e.failf("the expression ends too early")
		return value{}
	}
	c := e.src[e.i]
	switch {
	case e.op("("):
		v := e.or()
		for e.op(",") {
			e.or()
		}
		if !e.op(")") {
			e.failf("no closing )")
		}
		return v
	case c == '\'' || c == '"':
		n := strings.IndexByte(e.src[e.i+1:], c)
		if n < 0 {
			e.failf("no closing %c", c)
			return value{}
		}
		s := e.src[e.i+1 : e.i+1+n]
		e.i += n + 2
		return value{text: true, s: s}
	case isDigit(c) || c == '.':
		return e.literal()
	case isWord(c):
		return e.name()
	}
	e.failf("%q is no value", e.src[e.i:])
	return value{}
}

func (e *evaluator) literal() value {
	first := e.i
	for e.i < len(e.src) && (isWord(e.src[e.i]) || e.src[e.i] == '.') {
		e.i++
	}
	text := strings.ReplaceAll(e.src[first:e.i], "_", "")
	if i, err := strconv.ParseInt(text, 0, 64); err == nil {
		return intValue(i)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		e.failf("%q is no number", text)
	}
	return value{float: true, f: f}
}

func (e *evaluator) name() value {
	first := e.i
	for e.i < len(e.src) && isWord(e.src[e.i]) {
		e.i++
	}
	name := e.src[first:e.i]
	if e.op("(") {
		return e.function(name)
	}
	switch name {
	case "True":
		return intValue(1)
	case "False":
		return intValue(0)
	}
	if e.vars != nil {
		if v, ok := e.vars(name); ok {
			return v
		}
	}
	e.failf("%w %q", errUnknownName, name)
	return value{}
}

func (e *evaluator) function(name string) value {
	v := e.or()
	if name == "abs" && v.number() < 0 {
		v.i, v.f = -v.i, -v.f
	}
	if name == "int" && v.float {
		v = intValue(int64(v.f))
	}
	for e.op(",") {
		w := e.or()
		if name == "min" && compare(w, v) < 0 || name == "max" && compare(w, v) > 0 {
			v = w
		}
	}
	if !e.op(")") {
		e.failf("no closing ) after %s(", name)
	}
	switch name {
	case "abs", "int", "min", "max":
		return v
	}
	e.failf("unknown function %s", name)
	return value{}
}
