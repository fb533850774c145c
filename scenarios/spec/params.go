package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"tcplab/scenarios/quantity"
)

// Param is a parameter of a scenario, which --set and sweeps change.
type Param struct {
	Pos
	Name string
	// Default is the value in the file, with the parameters in it resolved.
	Default string `key:"default" required:"true" example:"20ms" doc:"The value unless --set or a sweep gives another: one value, written as it stands at the place of use."`
	Doc     string `key:"doc" example:"what it changes" doc:"What the parameter means, in a few words."`
	// Value is the value in force.
	Value string
	// Set is true if Value is from --set.
	Set bool
}

// params substitutes parameters in the nodes of a file.
type params struct {
	d     *decoder
	names []string
	byKey map[string]*param
	// expanded is how much has been put in place of parameters, full whether
	// it was too much.
	expanded int
	full     bool
}

// param is a parameter while it is substituted.
type param struct {
	name  string
	node  *node
	set   bool
	used  bool
	state int // 0 not resolved, 1 being resolved, 2 resolved
}

// origin is what a message says of a value that came from p.
func (p *param) origin() string {
	if p.set {
		return fmt.Sprintf("from --set %s=%s", p.name, shown(p.node.text()))
	}
	return fmt.Sprintf("from parameter %s, default in line %d", p.name, p.node.Line)
}

// readParams finds the parameters of the file and puts the values of --set in
// their place.
func readParams(d *decoder, root *node, set map[string]string) *params {
	ps := &params{d: d, byKey: map[string]*param{}}
	section := root.get("params")
	if section != nil && section.kind == mappingNode {
		for i, key := range section.keys {
			p := &param{name: key.value, node: section.items[i].get("default")}
			ps.names = append(ps.names, p.name)
			ps.byKey[p.name] = p
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		value := set[name]
		p := ps.byKey[name]
		if p == nil {
			hint := "(the scenario has none)"
			if len(ps.names) > 0 {
				hint = instead(name, ps.names)
			}
			d.report(Pos{}, fmt.Sprintf("--set %s=%s: there is no parameter %s %s", shown(name), shown(value), quote(name), hint))
			continue
		}
		if strings.TrimSpace(value) == "" {
			d.report(Pos{}, fmt.Sprintf("--set %s= has no value (write --set %s=VALUE)", name, name))
			continue
		}
		at := Pos{}
		if p.node != nil {
			at = p.node.Pos
		}
		if _, what := notText([]byte(value)); what != "" {
			d.report(Pos{}, fmt.Sprintf("--set %s=%s: %s", name, quote(value), what))
			continue
		}
		p.node = &node{Pos: at, value: strings.ReplaceAll(value, "$", "$$"), quoted: true}
		p.set, p.state = true, 2
	}
	for _, name := range ps.names {
		ps.resolve(ps.byKey[name], nil)
	}
	return ps
}

// resolve substitutes the parameters that stand in the default of p.
func (ps *params) resolve(p *param, chain []string) {
	chain = append(chain, p.name)
	if p.state == 2 {
		return
	}
	if p.state == 1 {
		if p.node != nil {
			ps.d.report(p.node.Pos, fmt.Sprintf("parameters stand for each other in a circle: %s (give one of them a value)", strings.Join(chain, " -> ")))
			p.node.bad = true
		}
		return
	}
	p.state = 1
	if p.node != nil && p.node.kind == scalarNode {
		for _, name := range reference.FindAllString(p.node.value, -1) {
			if other := ps.byKey[name[1:]]; other != nil {
				ps.resolve(other, chain)
			}
		}
		ps.scalar(p.node, false)
		p.node.origin = ""
	}
	p.state = 2
}

var (
	reference = regexp.MustCompile(`\$[a-z][a-z0-9_]*`)
	dollar    = regexp.MustCompile(`\$\$|\$\{[^}\s]*\}?|\$[A-Za-z_(][A-Za-z0-9_]*`)
)

// substitute replaces the parameters in everything but `params:` itself.
func (ps *params) substitute(root *node) {
	for i, key := range root.keys {
		switch key.value {
		case "params":
		case "title", "description":
			ps.text(root.items[i])
		case "expect":
			ps.tree(root.items[i], true)
		case "sweep":
			ps.sweep(root.items[i])
		default:
			ps.tree(root.items[i], false)
		}
	}
}

// sweep substitutes in a sweep, whose expectations are expressions.
func (ps *params) sweep(n *node) {
	if n.kind != mappingNode {
		ps.tree(n, false)
		return
	}
	for i, key := range n.keys {
		ps.tree(n.items[i], key.value == "expect")
	}
}

func (ps *params) tree(n *node, expression bool) {
	if n.kind == scalarNode {
		ps.scalar(n, expression)
	}
	for _, item := range n.items {
		ps.tree(item, expression)
	}
}

// scalar replaces a parameter that is the whole scalar, or one between blanks.
// In an expression a parameter can stand wherever a value can.
func (ps *params) scalar(n *node, expression bool) {
	if n.null || n.bad {
		return
	}
	if n.value != "" && reference.FindString(n.value) == n.value {
		p := ps.find(n, n.value)
		if p == nil || p.isNull() {
			n.bad = true
			return
		}
		*n = node{Pos: n.Pos, value: p.value(), quoted: p.node.quoted, origin: p.origin(),
			edits: []edit{{0, len(p.value()), len(n.value)}}}
		return
	}
	var out strings.Builder
	from := 0
	for _, m := range dollar.FindAllStringIndex(n.value, -1) {
		word := n.value[m[0]:m[1]]
		if word == "$$" {
			continue
		}
		if !expression && !between(n.value, m[0], m[1]) {
			ps.d.fail(n, "%s within %s is not replaced (a parameter stands for a whole value or for a word between blanks; write $$ for a dollar sign)",
				word, quote(n.value))
			n.bad = true
			continue
		}
		p := ps.find(n, word)
		if p == nil || p.isNull() {
			n.bad = true
			continue
		}
		if ps.full || ps.grows(n, out.Len()+len(p.value())) {
			n.bad = true
			return
		}
		out.WriteString(n.value[from:m[0]])
		n.edits = append(n.edits, edit{out.Len(), len(p.value()), len(word)})
		out.WriteString(p.value())
		from = m[1]
		n.addOrigin(p.origin())
	}
	if len(n.edits) > 0 {
		out.WriteString(n.value[from:])
		n.value = out.String()
	}
}

// maxExpanded bounds what parameters stand for, one alone and all together:
// parameters that stand for each other twice double at each step.
const (
	maxExpanded    = 64 << 10
	maxExpandedAll = 4 << 20
)

// grows counts what is put in place of a parameter, and reports too much of it.
func (ps *params) grows(n *node, length int) bool {
	ps.expanded += length
	if length <= maxExpanded && ps.expanded <= maxExpandedAll {
		return false
	}
	if !ps.full {
		ps.d.fail(n, "parameters stand for more than %v here (shorten their values)", quantity.Size(maxExpanded))
	}
	ps.full, n.bad = true, true
	return true
}

// text is scalar for prose, in which a dollar sign is mostly just that.
func (ps *params) text(n *node) {
	n.value = dollar.ReplaceAllStringFunc(n.value, func(word string) string {
		if p := ps.byKey[word[1:]]; p != nil && !p.isNull() && !ps.full && !ps.grows(n, len(p.value())) {
			p.used = true
			return p.value()
		}
		return word
	})
}

func (n *node) addOrigin(origin string) {
	if n.origin != "" && n.origin != origin {
		origin = n.origin + "; " + origin
	}
	n.origin = origin
}

// value is the text of the parameter, in which $$ stands for $.
func (p *param) value() string {
	if p.node == nil {
		return ""
	}
	return p.node.value
}

func (p *param) isNull() bool {
	return p.node == nil || p.node.kind != scalarNode || p.node.null || p.node.bad
}

// between reports whether blanks or ends surround s[i:j].
func between(s string, i, j int) bool {
	blank := func(b byte) bool { return b == ' ' || b == '\t' || b == '\n' }
	return (i == 0 || blank(s[i-1])) && (j == len(s) || blank(s[j]))
}

// find returns the parameter that word stands for, and reports one that does
// not exist.
func (ps *params) find(n *node, word string) *param {
	p := ps.byKey[word[1:]]
	if p != nil {
		p.used = true
		return p
	}
	hint := instead(word[1:], ps.names)
	if len(ps.names) == 0 {
		hint = fmt.Sprintf("(declare it: params: {%s: {default: VALUE}}, or write $$ for a dollar sign)", word[1:])
	}
	ps.d.fail(n, "there is no parameter %s %s", quote(word[1:]), hint)
	n.bad = true
	return nil
}

// finish fills in the values in force and warns of parameters without effect.
func (ps *params) finish(s *Scenario) {
	for i := range s.Params {
		p := &s.Params[i]
		q := ps.byKey[p.Name]
		if q == nil || q.node == nil {
			continue
		}
		p.Value, p.Set = q.node.text(), q.set
		if !q.used && !s.Sweep.shows(p.Name) {
			ps.d.warn(p.Pos, fmt.Sprintf("the parameter %s is not used (write $%s where it belongs, or remove it)", p.Name, p.Name))
		}
	}
}

// shown is s as on a command line, in quotes if it would not be one word of a
// message.
func shown(s string) string {
	if len(s) > 40 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return quote(s)
	}
	return s
}

func quote(s string) string { return quantity.Quote(s) }
