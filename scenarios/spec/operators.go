package spec

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// function compiles abs, min and max.
func (c *compiler) function(at int, name string, args []ast.Node) *term {
	names := []string{"abs", "min", "max"}
	if !has(names, name) {
		return c.fail(at, "expect: unknown function %s %s", quote(name), instead(name, names))
	}
	if name == "abs" && len(args) != 1 || len(args) == 0 {
		return c.fail(at, "expect: %s has %d values (abs takes one, min and max take two or more)", name, len(args))
	}
	t := &term{op: name}
	for _, a := range args {
		arg := c.numeric(a)
		if c.broken {
			return arg
		}
		if len(t.args) > 0 && !c.alike(at, t.args[0], arg) {
			return t
		}
		t.args = append(t.args, arg)
		if t.dim == none {
			t.dim = arg.dim
		}
	}
	return t
}

// numeric compiles a term that is no condition.
func (c *compiler) numeric(n ast.Node) *term {
	t := c.term(n)
	if !c.broken && t.dim == boolean {
		return c.fail(n.Location().From, "expect: %s is a condition where a value belongs", quote(t.String()))
	}
	return t
}

// condition compiles a term that is a condition.
func (c *compiler) condition(n ast.Node, op string) *term {
	t := c.term(n)
	if !c.broken && t.dim != boolean {
		return c.fail(n.Location().From, "expect: %s is a value where %s wants a condition %s", quote(t.String()), op, comparisonHint)
	}
	return t
}

func (c *compiler) unary(n *ast.UnaryNode) *term {
	switch n.Operator {
	case "!", "not":
		return &term{op: "not", args: []*term{c.condition(n.Node, "not")}, dim: boolean}
	case "-":
		t := c.numeric(n.Node)
		return &term{op: opNeg, args: []*term{t}, dim: t.dim}
	default:
		return c.numeric(n.Node)
	}
}

var comparisons = []string{"<", "<=", ">", ">=", "==", "!="}

func (c *compiler) binary(n *ast.BinaryNode) *term {
	at := n.Location().From
	switch op := n.Operator; {
	case op == "and" || op == "or" || op == "&&" || op == "||":
		op = strings.NewReplacer("&&", "and", "||", "or").Replace(op)
		left := c.condition(n.Left, op)
		right := c.condition(n.Right, op)
		return &term{op: op, args: []*term{left, right}, dim: boolean}
	case has(comparisons, op):
		left, right := c.numeric(n.Left), c.numeric(n.Right)
		if !c.broken {
			c.alike(at, left, right)
		}
		return &term{op: op, args: []*term{left, right}, dim: boolean}
	case op == "+" || op == "-" || op == "*" || op == "/":
		left, right := c.numeric(n.Left), c.numeric(n.Right)
		if c.broken {
			return left
		}
		t := &term{op: op, args: []*term{left, right}}
		t.dim = c.arithmetic(at, op, left, right)
		return t
	default:
		return c.fail(at, "expect: unknown operator %s (have + - * / < <= > >= == != and or not)", quote(n.Operator))
	}
}

// arithmetic returns the dimension of left op right, none where that is not one
// of those that metrics have.
func (c *compiler) arithmetic(at int, op string, left, right *term) string {
	switch {
	case op == "+" || op == "-":
		c.alike(at, left, right)
		if left.dim != none {
			return left.dim
		}
		return right.dim
	case right.dim == number:
		return left.dim
	case op == "*" && left.dim == number:
		return right.dim
	case op == "/" && left.dim == right.dim && left.dim != none:
		return number
	default:
		return none
	}
}

// alike reports an error unless two values can be compared or added.
func (c *compiler) alike(at int, a, b *term) bool {
	if a.dim == b.dim || a.dim == none || b.dim == none {
		return true
	}
	if a.dim == number {
		a, b = b, a
	}
	if b.dim == number && b.op == opConst {
		c.fail(at, "expect: %s is %s, and %s has no unit (write %s)", a.String(), dimensionNames[a.dim], b.text, b.text+likelyUnits[a.dim])
	} else {
		c.fail(at, "expect: %s is %s, and %s is %s", a.String(), dimensionNames[a.dim], b.String(), dimensionNames[b.dim])
	}
	return false
}

var dimensionNames = map[string]string{
	number: "a plain number", "s": "a time", "1/s": "a rate of events", "bit/s": "a data rate", "B": "a size", boolean: "a condition",
}

// likelyUnits are what a message adds to a number without a unit.
var likelyUnits = map[string]string{"s": "s", "1/s": "/s", "bit/s": "Mbit/s", "B": "kB"}

// constant returns the value of a term that no run can change.
func (t *term) constant() (float64, bool) {
	known := true
	t.walk(func(t *term) { known = known && t.op != opMetric && t.dim != boolean })
	if !known {
		return 0, false
	}
	v, err := t.eval(nil)
	return v.value, err == nil && !v.null
}

// rank orders operators by how closely they bind.
func (t *term) rank() int {
	switch {
	case t.op == "or":
		return 1
	case t.op == "and":
		return 2
	case t.op == "not":
		return 3
	case has(comparisons, t.op):
		return 4
	case t.op == "+" || t.op == "-":
		return 5
	case t.op == "*" || t.op == "/":
		return 6
	default:
		return 7
	}
}

// String prints t as it can be written.
func (t *term) String() string {
	inner := func(i, rank int) string {
		if text := t.args[i].String(); t.args[i].rank() >= rank {
			return text
		}
		return "(" + t.args[i].String() + ")"
	}
	switch t.op {
	case opConst:
		return t.text
	case opMetric:
		return t.text + t.bounds
	case opNeg:
		return "-" + inner(0, 7)
	case "not":
		return "not " + inner(0, 7)
	case "abs", "min", "max":
		var args []string
		for _, a := range t.args {
			args = append(args, a.String())
		}
		return t.op + "(" + strings.Join(args, ", ") + ")"
	default:
		return inner(0, t.rank()) + " " + t.op + " " + inner(1, t.rank()+1)
	}
}
