package spec

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"tcplab/scenarios/quantity"
)

// Expectation is a comparison of metrics that must hold after a run, such as
//
//	legit.connect_success.during(30s, 120s) < 0.1
//	server.syn_queue_max <= 97 and not (web.resets > 0)
//
// It is built from metrics (owner.name), quantities with units, + - * /,
// parentheses, abs, min and max, the comparisons < <= > >= == !=, and, or, not.
// A metric takes .during(from, until), .after(from) and .before(until).
type Expectation struct {
	Pos
	// Text is the expression with parameters resolved.
	Text string
	root *term
}

// Metrics are the names of the metrics in the expression, in its order.
func (e *Expectation) Metrics() []string {
	var names []string
	e.root.walk(func(t *term) {
		if t.op == opMetric && !has(names, t.text) {
			names = append(names, t.text)
		}
	})
	return names
}

// op is what a term does: an operator as expr writes it, or one of these.
const (
	opConst  = "const"
	opMetric = "metric"
	opNeg    = "neg"
)

// Dimensions of a term. A term of dimension none is not known to have any.
const (
	none    = ""
	number  = "1"
	boolean = "bool"
)

// term is an expression that has been checked.
type term struct {
	op   string
	args []*term
	// text is how a constant or function is written, or the name of a metric.
	text  string
	value float64
	dim   string
	// during bounds the time of a metric, in seconds; bounds is how that is
	// written.
	during *[2]float64
	bounds string
}

func (t *term) walk(visit func(*term)) {
	if t == nil {
		return
	}
	visit(t)
	for _, a := range t.args {
		a.walk(visit)
	}
}

// maxExpression bounds the length of an expression, and with it the depth of
// recursion.
const maxExpression = 2000

const comparisonHint = "(write a comparison, such as legit.connect_success > 0.9)"

// decodeNode compiles an expression.
func (e *Expectation) decodeNode(d *decoder, n *node, _ *field) {
	e.Pos = n.Pos
	if n.kind != scalarNode || n.null {
		d.fail(n, "expect: %s where an expression belongs %s", n.what(), comparisonHint)
		return
	}
	e.Text = strings.TrimSpace(n.value)
	c := compiler{d: d, n: n, text: n.value}
	c.compile(e)
}

// compiler turns the text of one expectation into terms. The first problem ends
// it.
type compiler struct {
	d      *decoder
	n      *node
	text   string
	values []quantity.Found
	broken bool
}

func (c *compiler) fail(offset int, format string, args ...any) *term {
	if !c.broken {
		c.d.failAt(c.n, c.n.at(offset, c.d.lines), format, args...)
	}
	c.broken = true
	return &term{op: opConst}
}

func (c *compiler) compile(e *Expectation) {
	if len(c.text) > maxExpression {
		c.fail(0, "expect: an expression of %d characters (at most %d: split it into several)", len(c.text), maxExpression)
		return
	}
	masked := c.mask()
	if c.broken {
		return
	}
	tree, err := parser.Parse(masked)
	if err != nil {
		c.syntax(err)
		return
	}
	root := c.term(tree.Node)
	if c.broken {
		return
	}
	if root.dim != boolean {
		c.fail(0, "expect: %s is a value and not a condition %s", quote(e.Text), comparisonHint)
		return
	}
	e.root = root
	if len(e.Metrics()) == 0 {
		c.fail(0, "expect: %s names no metric, so that no run can change it %s", quote(e.Text), comparisonHint)
	}
}

// mask replaces each quantity by a name of the same length, so that the parser
// reads it as one word and keeps all positions.
func (c *compiler) mask() string {
	out := []byte(c.text)
	for i := 0; i < len(c.text); {
		switch b := c.text[i]; {
		case 'a' <= b && b <= 'z' || b == '_':
			for i < len(c.text) && isWord(c.text[i]) {
				i++
			}
		case '0' <= b && b <= '9' || b == '.' && i+1 < len(c.text) && '0' <= c.text[i+1] && c.text[i+1] <= '9':
			f, _, err := quantity.Scan(c.text[i:])
			if err != nil {
				c.fail(i, "expect: %v", err)
				return ""
			}
			if len(f.Text) > 1 {
				copy(out[i:], c.mark(f))
			}
			i += len(f.Text)
		case b == '%':
			c.fail(i, "expect: %% without a number before it (write 1%%)")
			return ""
		case b >= 0x80 || 'A' <= b && b <= 'Z' || strings.IndexByte("\"'`#;$\\", b) >= 0:
			r := []rune(c.text[i:])[0]
			c.fail(i, "expect: an expression cannot hold %q (names are small letters, digits and _)", r)
			return ""
		default:
			i++
		}
	}
	return string(out)
}

func isWord(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '_'
}

// mark returns a name in capitals, which no metric has, as long as f.Text.
func (c *compiler) mark(f quantity.Found) string {
	i := len(c.values)
	c.values = append(c.values, f)
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	name := string([]byte{digits[i/36%26], digits[i%36]})
	return name + strings.Repeat("_", len(f.Text)-2)
}

// marked returns the quantity behind a name from mark.
func (c *compiler) marked(name string) (quantity.Found, bool) {
	if len(name) < 2 || name[0] < 'A' || name[0] > 'Z' {
		return quantity.Found{}, false
	}
	second := int(name[1] - 'A')
	if name[1] <= '9' {
		second = int(name[1]-'0') + 26
	}
	i := int(name[0]-'A')*36 + second
	if i >= len(c.values) {
		return quantity.Found{}, false
	}
	return c.values[i], true
}

// syntax words an error of the parser.
func (c *compiler) syntax(err error) {
	var at *file.Error
	if !errors.As(err, &at) {
		c.fail(0, "expect: %v", err)
		return
	}
	offset := min(at.From, len(c.text))
	rest := strings.TrimSpace(c.text[offset:])
	if strings.Contains(at.Message, "EOF") || rest == "" {
		c.fail(len(c.text), "expect: the expression ends too early %s", comparisonHint)
		return
	}
	hint := comparisonHint
	for _, slip := range []struct{ wrong, right string }{{"=<", "<="}, {"=>", ">="}, {"<>", "!="}, {"=", "=="}} {
		if strings.HasPrefix(rest, slip.wrong) {
			hint = "(write " + slip.right + ")"
			break
		}
	}
	c.fail(offset, "expect: not understood from %s on %s", quote(rest), hint)
}

// dimension gives the dimension of a unit of the catalogue.
func dimension(unit string) string {
	switch unit {
	case "s", "1/s", "bit/s", "B", none:
		return unit
	default:
		return number
	}
}

func (c *compiler) constant(f quantity.Found) *term {
	dim := dimension(f.Dim.BaseUnit())
	if dim == none {
		dim = number
	}
	return &term{op: opConst, text: f.Text, value: f.Value, dim: dim}
}

func (c *compiler) term(n ast.Node) *term {
	at := n.Location().From
	switch n := n.(type) {
	case *ast.IntegerNode:
		return c.constant(quantity.Found{Text: fmt.Sprint(n.Value), Value: float64(n.Value)})
	case *ast.FloatNode:
		return c.constant(quantity.Found{Text: fmt.Sprint(n.Value), Value: n.Value})
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.MemberNode:
		return c.metric(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.function(at, n.Name, n.Arguments)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	default:
		return c.fail(0, "expect: %s holds more than metrics, quantities, arithmetic and comparisons %s", quote(strings.TrimSpace(c.text)), comparisonHint)
	}
}

func (c *compiler) identifier(n *ast.IdentifierNode) *term {
	if f, ok := c.marked(n.Value); ok {
		return c.constant(f)
	}
	at := n.Location().From
	for _, p := range c.d.scenario.Params {
		if p.Name == n.Value {
			return c.fail(at, "expect: %s is a parameter (write $%s)", n.Value, n.Value)
		}
	}
	if o, ok := c.d.owners[n.Value]; ok {
		return c.fail(at, "expect: %s is %s and not a number (write %s.NAME, where NAME is one of its metrics)", n.Value, o.what, n.Value)
	}
	return c.fail(at, "expect: %s is not a metric (write OWNER.NAME, such as legit.connect_success)", quote(n.Value))
}

// metricOf returns owner.name if n is of that form.
func metricOf(n ast.Node) (name string, ok bool) {
	m, ok := n.(*ast.MemberNode)
	if !ok || m.Optional {
		return "", false
	}
	first, ok1 := m.Node.(*ast.IdentifierNode)
	second, ok2 := m.Property.(*ast.StringNode)
	if !ok1 || !ok2 {
		return "", false
	}
	return first.Value + "." + second.Value, true
}

func (c *compiler) metric(n ast.Node) *term {
	name, ok := metricOf(n)
	at := n.Location().From
	if !ok {
		if m, isMember := n.(*ast.MemberNode); isMember {
			if inner, isMetric := metricOf(m.Node); isMetric {
				return c.fail(at, "expect: nothing comes after the metric %s but .during(from, until), .after(from) or .before(until)", inner)
			}
		}
		return c.fail(at, "expect: not understood from %s on %s", quote(c.text[min(at, len(c.text)):]), comparisonHint)
	}
	owner, _ := n.(*ast.MemberNode).Node.(*ast.IdentifierNode)
	m, problem := c.d.findMetric(name, wantValue)
	if problem != "" {
		return c.fail(owner.Location().From, "expect: %s", problem)
	}
	return &term{op: opMetric, text: name, dim: dimension(m.Unit)}
}

// call compiles owner.name.during(a, b) and its kin.
func (c *compiler) call(n *ast.CallNode) *term {
	at := n.Location().From
	if f, ok := n.Callee.(*ast.IdentifierNode); ok {
		return c.function(at, f.Value, n.Arguments)
	}
	callee, ok := n.Callee.(*ast.MemberNode)
	if !ok {
		return c.fail(at, "expect: this cannot be called (functions are abs, min and max)")
	}
	method, _ := callee.Property.(*ast.StringNode)
	wanted := map[string]int{"during": 2, "after": 1, "before": 1}
	if method == nil || wanted[method.Value] == 0 {
		name := ""
		if method != nil {
			name = method.Value
		}
		return c.fail(callee.Location().From, "expect: unknown %s %s", quote("."+name), instead(name, []string{"during", "after", "before"}))
	}
	metric := c.metric(callee.Node)
	if c.broken {
		return metric
	}
	if len(n.Arguments) != wanted[method.Value] {
		usage := map[string]string{"during": "during(30s, 120s)", "after": "after(150s)", "before": "before(30s)"}[method.Value]
		return c.fail(callee.Property.Location().From, "expect: .%s has %d of %d times (write .%s)", method.Value, len(n.Arguments), wanted[method.Value], usage)
	}
	return c.interval(metric, method.Value, n.Arguments)
}

func (c *compiler) interval(metric *term, method string, args []ast.Node) *term {
	end := c.d.scenario.Duration.Seconds()
	var times []float64
	var texts []string
	for _, a := range args {
		at := a.Location().From
		t := c.term(a)
		if c.broken {
			return t
		}
		v, constant := t.constant()
		if !constant {
			return c.fail(at, "expect: .%s takes times, not metrics (write 30s)", method)
		}
		if t.dim != "s" {
			return c.fail(at, "expect: %s has no unit of time (write %ss)", t.String(), t.String())
		}
		if end > 0 && v > end {
			c.d.warn(c.n.at(at, c.d.lines), fmt.Sprintf("expect: %s is after the end of the run (duration: %v)", t.String(), c.d.scenario.Duration))
		}
		times = append(times, v)
		texts = append(texts, t.String())
	}
	metric.bounds = "." + method + "(" + strings.Join(texts, ", ") + ")"
	switch method {
	case "during":
		metric.during = &[2]float64{times[0], times[1]}
	case "after":
		metric.during = &[2]float64{times[0], max(end, times[0])}
	default:
		metric.during = &[2]float64{0, times[0]}
	}
	if method != "after" && metric.during[0] >= metric.during[1] {
		return c.fail(args[0].Location().From, "expect: %s is an empty interval (the first time comes before the second)", metric.bounds)
	}
	return metric
}
