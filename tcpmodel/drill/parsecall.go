package drill

// maxDepth bounds the nesting of expressions.
const maxDepth = 50

// call reads NAME(args) = result [ERRNO] [(note)], after ...END if it blocks.
func (p *parser) call(e *Event) *Call {
	c := &Call{Pos: p.peek().pos}
	if p.peek().kind == tokEllipsis {
		t := p.take()
		c.Blocks, c.End = true, p.time()
		if c.End < e.At {
			p.fail(t.pos, "the call returns before it starts")
		}
	}
	t := p.word("a system call")
	c.Pos, c.Name = t.pos, t.text
	p.expect("(", c.Name)
	if !p.accept(")") {
		c.Args = p.expressions(")", c.Name)
	}
	p.expect("=", c.Name+"(...)")
	c.Result = p.expression()
	if p.peek().kind == tokWord {
		c.Errno = p.take().text
	}
	if p.accept("(") {
		for !p.accept(")") {
			if t := p.take(); t.kind == tokEOF {
				p.fail(t.pos, "note without )")
			}
		}
	}
	return c
}

// expressions reads a list up to and with its closing bracket.
func (p *parser) expressions(end, where string) []*Expr {
	var list []*Expr
	for {
		list = append(list, p.expression())
		if p.accept(end) {
			return list
		}
		p.expect(",", where)
	}
}

func (p *parser) expression() *Expr {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.peek().pos, "brackets more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	e := p.operand()
	for p.peek().is("|") {
		t := p.take()
		e = &Expr{Kind: ExprOr, Pos: t.pos, List: []*Expr{e, p.operand()}}
	}
	return e
}

func (p *parser) operand() *Expr {
	t := p.take()
	e := &Expr{Pos: t.pos, Text: t.text, Int: t.num}
	switch {
	case t.kind == tokEllipsis:
		e.Kind = ExprAny
	case t.kind == tokInt:
		e.Kind = ExprInt
	case t.kind == tokString:
		e.Kind = ExprString
		for p.peek().kind == tokString {
			e.Text += p.take().text
		}
		if p.peek().kind == tokEllipsis {
			p.i++
		}
	case t.is("["):
		e.Kind = ExprList
		if !p.accept("]") {
			e.List = p.expressions("]", "the list")
		}
	case t.is("{"):
		e.Kind = ExprStruct
		if !p.accept("}") {
			e.List = p.expressions("}", "the structure")
		}
	case t.kind == tokWord:
		p.named(e)
	default:
		p.fail(t.pos, "want an argument, not %v", t)
	}
	return e
}

// named reads what may follow a word: arguments, and = with a value.
func (p *parser) named(e *Expr) {
	e.Kind = ExprWord
	var args []*Expr
	if p.accept("(") {
		e.Kind = ExprCall
		if !p.accept(")") {
			args = p.expressions(")", e.Text)
		}
		e.List = args
	}
	if p.accept("=") {
		e.Kind = ExprAssign
		e.List = append([]*Expr{p.expression()}, args...)
	}
}
