package plots

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"tcplab/scenarios/quantity"
)

// Theory is a closed form that is drawn with the results of a sweep.
type Theory struct {
	// Formula is the value at a point: an expression such as
	//
	//	1 - erlang_b(flood_rate * 63s, backlog)
	//	mathis(loss, 1) * 1448B * 8 / rtt
	//
	// over the parameters and constants of the sweep, quantities with units (in
	// seconds, bytes, bit/s, 1/s), + - * / ** ( ), the functions of Formulas, and
	// sqrt, exp, log, pow, min, max. Or it is the name of a function alone, such
	// as erlang_b: then its arguments are found by the names and units of the
	// parameters.
	Formula string
	// Label is its name in the legend; empty means that of the function.
	Label string
}

// Formula is a function that a Theory can name.
type Formula struct {
	// Name and Args are how it is written: erlang_b(load, slots).
	Name string
	Args []string
	// Label is its name in a legend.
	Label string
	// Doc says what it is, with units.
	Doc  string
	eval func(a []float64) float64
}

var formulas = []Formula{
	{"erlang_b", []string{"load", "slots"}, "Erlang B", "Share of arrivals that find all slots taken; load is rate times holding time.",
		func(a []float64) float64 { return ErlangB(a[0], a[1]) }},
	{"half_open_lifetime", []string{"initial", "retries"}, "lifetime", "Lifetime of an unanswered half-open entry in s, from the first timeout in s and the number of SYN-ACK retransmissions.",
		func(a []float64) float64 { return HalfOpenLifetime(a[0], a[1]) }},
	{"mathis", []string{"p", "b"}, "Mathis et al.", "Average window of Reno in segments under periodic loss; b is the number of segments per ACK.",
		func(a []float64) float64 { return MathisWindow(a[0], a[1]) }},
	{"ott", []string{"p", "b"}, "Ott et al.", "Average window of Reno in segments under independent loss; b is the number of segments per ACK.",
		func(a []float64) float64 { return OttWindow(a[0], a[1]) }},
	{"pftk", []string{"p", "rtt", "t0", "b", "wmax"}, "PFTK", "Rate of Reno in segments/s, full model; times in s, wmax in segments.",
		func(a []float64) float64 { return PFTK(a[0], a[1], a[2], a[3], a[4]) }},
	{"pftk_approx", []string{"p", "rtt", "t0", "b", "wmax"}, "PFTK (approx.)", "Rate of Reno in segments/s, approximate model; times in s, wmax in segments.",
		func(a []float64) float64 { return PFTKApprox(a[0], a[1], a[2], a[3], a[4]) }},
	{"tfrc", []string{"size", "rtt", "rto", "b", "p"}, "RFC 5348", "Throughput of RFC 5348 in B/s; size in B, times in s.",
		func(a []float64) float64 { return TFRC(a[0], a[1], a[2], a[3], a[4]) }},
	{"cubic", []string{"p", "rtt", "c", "beta"}, "RFC 9438", "Average window of CUBIC in segments when 1/p segments come between losses; rtt in s.",
		func(a []float64) float64 { return CubicWindow(a[0], a[1], a[2], a[3]) }},
	{"highspeed", []string{"p"}, "RFC 3649", "Average window of HighSpeed TCP in segments.",
		func(a []float64) float64 { return HighSpeedWindow(a[0]) }},
}

// Formulas returns the functions that a Theory can name.
func Formulas() []Formula { return slices.Clone(formulas) }

// ErrTheory is in the chain of the error about a Theory that cannot be drawn.
var ErrTheory = errors.New("theory")

func (t *Theory) fail(format string, args ...any) error {
	return fmt.Errorf("%w %q: %w", ErrTheory, t.Formula, fmt.Errorf(format, args...))
}

// A closedForm is a Theory ready to be evaluated.
type closedForm struct {
	label   string
	program *vm.Program
	env     map[string]any
}

// at is the value with the variables set; NaN where there is none.
func (f *closedForm) at(vars map[string]float64) float64 {
	for name, v := range vars {
		f.env[name] = v
	}
	out, err := expr.Run(f.program, f.env)
	if err != nil {
		return math.NaN()
	}
	v, ok := out.(float64)
	if !ok {
		return math.NaN()
	}
	return v
}

const maxFormula = 1000

// compile prepares a theory for a metric of a sweep. Vars are the names that it
// may use.
func (t *Theory) compile(bind binder) (*closedForm, error) {
	text := strings.TrimSpace(t.Formula)
	if text == "" || len(text) > maxFormula {
		return nil, t.fail("a formula has 1 to %d characters", maxFormula)
	}
	// What the text names first is what it is about; the others are arguments.
	label, first := cmp.Or(t.Label, "theory"), len(text)
	for _, f := range formulas {
		if at := regexp.MustCompile(`\b` + f.Name + `\b`).FindStringIndex(text); at != nil && at[0] < first && t.Label == "" {
			label, first = f.Label, at[0]
		}
		if f.Name != text {
			continue
		}
		bound, err := bind.arguments(f)
		if err != nil {
			return nil, t.fail("%w", err)
		}
		text = bound
	}
	plain, err := baseUnits(text)
	if err != nil {
		return nil, t.fail("%w", err)
	}
	f := &closedForm{label: label, env: map[string]any{"inf": math.Inf(1)}}
	var vars []string
	for name := range bind.vars {
		f.env[name] = bind.constants[name]
		vars = append(vars, name)
	}
	slices.Sort(vars)
	f.program, err = expr.Compile(plain, append(functions(), expr.Env(f.env), expr.AsFloat64(), expr.DisableAllBuiltins())...)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, t.fail("%s (it may use %s)", first, strings.Join(vars, ", "))
	}
	return f, nil
}

// functions are what a formula may call.
func functions() []expr.Option {
	var out []expr.Option
	add := func(name string, n int, eval func([]float64) float64) {
		// The type tells the compiler how many numbers there are.
		types := []any{new(func(float64) float64), new(func(float64, float64) float64), new(func(float64, float64, float64) float64),
			new(func(float64, float64, float64, float64) float64), new(func(float64, float64, float64, float64, float64) float64)}
		out = append(out, expr.Function(name, func(params ...any) (any, error) {
			a := make([]float64, len(params))
			for i, p := range params {
				a[i], _ = p.(float64)
			}
			return eval(a), nil
		}, types[n-1]))
	}
	for _, f := range formulas {
		add(f.Name, len(f.Args), f.eval)
	}
	add("sqrt", 1, func(a []float64) float64 { return math.Sqrt(a[0]) })
	add("exp", 1, func(a []float64) float64 { return math.Exp(a[0]) })
	add("log", 1, func(a []float64) float64 { return math.Log(a[0]) })
	add("pow", 2, func(a []float64) float64 { return math.Pow(a[0], a[1]) })
	add("min", 2, func(a []float64) float64 { return math.Min(a[0], a[1]) })
	add("max", 2, func(a []float64) float64 { return math.Max(a[0], a[1]) })
	return out
}

// baseUnits writes the quantities of a formula as numbers in base units.
func baseUnits(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); {
		if n := wordAt(text[i:]); n > 0 {
			out.WriteString(text[i : i+n])
			i += n
			continue
		}
		f, ok, err := quantity.Scan(text[i:])
		if err != nil {
			return "", err
		}
		if !ok {
			out.WriteByte(text[i])
			i++
			continue
		}
		v := strconv.FormatFloat(f.Value, 'g', -1, 64)
		if !strings.ContainsAny(v, ".e") {
			v += ".0" // a whole number would be an integer
		}
		out.WriteString("(" + v + ")")
		i += len(f.Text)
	}
	return out.String(), nil
}

// wordAt is the length of the name that a text begins with.
func wordAt(s string) int {
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || n > 0 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	return n
}
