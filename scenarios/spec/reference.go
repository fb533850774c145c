package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"tcplab/scenarios/quantity"
)

// Reference returns the reference page of the scenario language in Markdown:
// every section and every workload kind with its keys, types, units and
// defaults, the settings of a stack, the metrics.
func Reference(r *Registry) []byte {
	p := &page{r: r}
	p.quantities()
	p.section("Top level", reflect.TypeFor[Scenario]())
	p.section("A parameter", reflect.TypeFor[Param]())
	p.section("A host", reflect.TypeFor[Host]())
	p.section("topology", reflect.TypeFor[Topology]())
	p.section("A link", reflect.TypeFor[Link]())
	p.section("queue", reflect.TypeFor[Queue]())
	p.section("shaper, policer", reflect.TypeFor[Bucket]())
	p.section("gilbert", reflect.TypeFor[Gilbert]())
	p.section("jitter", reflect.TypeFor[Jitter]())
	p.section("reorder", reflect.TypeFor[Reorder]())
	p.section("A fault", reflect.TypeFor[Fault]())
	p.section("A change", reflect.TypeFor[Change]())
	p.section("forward, backward", reflect.TypeFor[struct{}](), "Any of the keys of a link from `delay` to `reorder`: what is given replaces what the link has for both directions.")
	p.section("A middlebox", reflect.TypeFor[Middlebox]())
	p.line("")
	p.line("Further keys depend on the kind.")
	for _, k := range r.Boxes {
		p.section("Middlebox kind "+k.Name, reflect.TypeOf(k.New()).Elem(), k.Doc)
		p.metrics(k.Metrics)
	}
	p.section("A workload", reflect.TypeFor[Workload]())
	p.line("")
	p.line("Further keys depend on the kind.")
	for _, k := range r.Kinds {
		p.section("Workload kind "+k.Name, reflect.TypeOf(k.New()).Elem(), k.Doc)
		p.metrics(k.Metrics)
	}
	for _, part := range partsOf(r.Kinds) {
		p.section(part.key, part.typ, "Of workloads.")
	}
	p.section("A failure", reflect.TypeFor[Failure]())
	p.section("measure", reflect.TypeFor[Measure]())
	p.expectations()
	p.section("A figure", reflect.TypeFor[Figure]())
	p.section("A limit", reflect.TypeFor[Limit]())
	p.section("A reference", reflect.TypeFor[FigureReference]())
	p.section("sweep", reflect.TypeFor[Sweep]())
	p.section("sample", reflect.TypeFor[Sample]())
	p.section("until", reflect.TypeFor[Until]())
	p.section("compare", reflect.TypeFor[Compare]())
	p.knobs()
	p.heading("Metrics of a host")
	p.metrics(r.HostMetrics)
	p.heading("Metrics of a link")
	p.metrics(r.LinkMetrics)
	return append(p.opening(), p.out.String()...)
}

// part is a section within workloads, of one key wherever it is.
type part struct {
	key string
	typ reflect.Type
}

// partsOf returns the sections within workloads, each once.
func partsOf(kinds []Kind) []part {
	var parts []part
	for _, k := range kinds {
		for _, f := range fieldsOf(reflect.TypeOf(k.New()).Elem()) {
			t := f.typ
			for t.Kind() == reflect.Slice {
				t = t.Elem()
			}
			if p := (part{f.key, t}); t.Kind() == reflect.Struct && !isText(t) && !isNode(t) && !slices.Contains(parts, p) {
				parts = append(parts, p)
			}
		}
	}
	return parts
}

type page struct {
	out      strings.Builder
	r        *Registry
	headings []string
}

// opening is what comes before the first heading, with links to all of them.
func (p *page) opening() []byte {
	head := &page{}
	head.line("# The scenario file")
	head.line("")
	head.line("A scenario is one YAML file of at most %v. Every quantity has its unit; a key that is not listed here is an error.", quantity.Size(MaxBytes))
	head.line("A parameter `$NAME` stands for a whole value or for a word between blanks, in an expectation wherever a value can stand.")
	head.line("This page is what `tcplab schema --reference` prints.")
	head.line("")
	for i, heading := range p.headings {
		end := " ·"
		if i == len(p.headings)-1 {
			end = ""
		}
		head.line("[%s](#%s)%s", heading, anchor(heading), end)
	}
	return []byte(head.out.String())
}

// anchor is the name under which a code host offers a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

func (p *page) heading(title string) {
	p.headings = append(p.headings, title)
	p.line("")
	p.line("## %s", title)
}

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(&p.out, format+"\n", args...)
}

// quantities lists how values with a unit are written.
func (p *page) quantities() {
	p.heading("Quantities")
	p.line("")
	p.line("| quantity | example | units |")
	p.line("|---|---|---|")
	for _, q := range []interface{ Syntax() quantity.Syntax }{
		quantity.Duration(0), quantity.Bitrate(0), quantity.Frequency(0), quantity.Size(0), quantity.Ratio(0),
		quantity.Limit{}, quantity.Arrivals{}, quantity.Sizes{}, quantity.Durations{}, quantity.Address{}, quantity.Prefix{},
	} {
		s := q.Syntax()
		p.line("| %s | `%s` | %s |", s.Name, s.Example, cell(s.Units))
	}
	p.line("")
	p.line("k, M, G and T are decimal, Ki, Mi, Gi and Ti powers of 1024. A blank may stand between number and unit. A data rate and a queue limit may be `unlimited`.")
}

func (p *page) section(title string, t reflect.Type, intro ...string) {
	p.heading(title)
	for _, text := range intro {
		p.line("")
		p.line("%s", text)
	}
	if len(fieldsOf(t)) == 0 {
		return
	}
	p.line("")
	p.line("| key | value | default | meaning |")
	p.line("|---|---|---|---|")
	p.rows("", t)
}

func (p *page) rows(prefix string, t reflect.Type) {
	for _, f := range fieldsOf(t) {
		standard := "`" + f.defaultText(p.r) + "`"
		switch {
		case f.required:
			standard = "required"
		case f.defaultText(p.r) == "":
			standard = ""
		}
		p.line("| `%s%s` | %s | %s | %s |", prefix, f.key, p.typeName(&f), standard, cell(f.doc+p.bounds(&f)))
		if f.typ.Kind() == reflect.Struct && !isText(f.typ) && !isNode(f.typ) && f.typ.PkgPath() != reflect.TypeFor[Scenario]().PkgPath() {
			p.rows(prefix+f.key+".", f.typ)
		}
	}
}

// cell escapes what would end a table cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func (p *page) bounds(f *field) string {
	var parts []string
	if f.above != "" {
		parts = append(parts, "more than "+f.above)
	}
	if f.min != "" {
		parts = append(parts, "at least "+f.min)
	}
	if f.max != "" {
		parts = append(parts, "at most "+f.max)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func (p *page) typeName(f *field) string {
	if words := f.words(p.r); len(words) > 0 {
		return "`" + strings.Join(words, "`, `") + "`"
	}
	t := f.typ
	switch {
	case isNode(t):
		what := "mapping"
		if strings.HasPrefix(f.sample(p.r), "[") {
			what = "list"
		}
		return what + " such as `" + cell(f.sample(p.r)) + "`"
	case f.named != "":
		return "mapping from names, " + f.item + " each"
	case t.Kind() == reflect.Slice && f.item != "":
		return "list, " + f.item + " each, such as `" + cell(f.sample(p.r)) + "`"
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		return "list such as `" + cell(f.sample(p.r)) + "`"
	}
	if s, ok := syntaxOf(t); ok {
		return s.Name + " such as `" + cell(s.Example) + "`"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "`true` or `false`"
	case reflect.Float64:
		return "number"
	case reflect.Struct:
		return "mapping"
	default:
		return "whole number"
	}
}

func (p *page) metrics(list []Metric) {
	if len(list) == 0 {
		return
	}
	p.line("")
	p.line("| metric | unit | in | meaning |")
	p.line("|---|---|---|---|")
	for _, m := range list {
		in := "expectations, figures"
		if m.Value && !m.Series {
			in = "expectations"
		}
		if m.Series && !m.Value {
			in = "figures"
		}
		p.line("| `%s` | %s | %s | %s |", m.Name, m.Unit, in, cell(m.Doc))
	}
}

func (p *page) knobs() {
	p.heading("Settings (sysctl)")
	p.line("")
	p.line("The names are those of Linux's sysctls and socket options where Linux has such a choice. The default is that of the first profile, behind it those of others where they differ.")
	p.line("")
	p.line("| name | value | default | meaning | source |")
	p.line("|---|---|---|---|---|")
	for _, k := range p.r.Knobs {
		p.line("| `%s` | %s | %s | %s | %s |", k.Name, cell(strings.TrimPrefix(k.usage(), "write ")), cell(k.Default), cell(k.Doc), cell(k.Source))
	}
}

func (p *page) expectations() {
	p.heading("An expectation")
	p.line("")
	p.line("A comparison (`<` `<=` `>` `>=` `==` `!=`) of metrics `OWNER.NAME` and quantities with units, where OWNER is a host, a link, a middlebox or a workload.")
	p.line("Values are joined by `+ - * /`, parentheses, `abs(a)`, `min(a, b)`, `max(a, b)`; comparisons by `and`, `or`, `not`.")
	p.line("`.during(30s, 120s)`, `.after(150s)` and `.before(30s)` behind a metric restrict it to attempts that started in that time.")
	p.line("A comparison with a metric that has no value, such as a ratio over no attempts, has not passed.")
}
