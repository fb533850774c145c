package spec

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"tcplab/scenarios/quantity"
)

// nodeDecoder is implemented by types that read their part of the file
// themselves.
type nodeDecoder interface {
	decodeNode(d *decoder, n *node, f *field)
}

// Validator is implemented by config structs whose fields depend on each other.
type Validator interface {
	// Validate calls report once for each relation that does not hold, with
	// the key of the field where the message belongs ("" is the whole) and
	// what is wrong (what would be right).
	Validate(report func(field, message string))
}

// decoder carries what decoding needs besides the values.
type decoder struct {
	file     string
	lines    []string
	registry *Registry
	problems []Problem
	warnings []Problem
	// hosts are the names that `hosts:` declares, in order.
	hosts []string
	// groups are the sizes of groups of hosts, by name.
	groups map[string]int
	// owners are what expectations and figures may name before the point.
	owners     map[string]owner
	names      []string
	peers      []peer
	reach      *reach
	gridValues []gridValue
	// addresses are the ports that workloads name.
	addresses []peer
	scenario  *Scenario
	files     *fileSet
	// topologyBad is true if no links could be made of the topology.
	topologyBad bool
	// again is true if the file has been read before, and its sweep is not
	// whole.
	again bool
}

// peer is a host that a workload names, for the check that a path leads there.
type peer struct {
	key  string
	host quantity.Host
	at   *node
}

func (d *decoder) report(pos Pos, text string) {
	if pos.Line > len(d.lines) {
		pos = Pos{len(d.lines), 1}
	}
	d.problems = append(d.problems, Problem{d.file, pos, text})
}

func (d *decoder) warn(pos Pos, text string) {
	d.warnings = append(d.warnings, Problem{d.file, pos, text})
}

// fail reports a problem with the value n.
func (d *decoder) fail(n *node, format string, args ...any) {
	d.failAt(n, n.Pos, format, args...)
}

// failAt is fail for a place within n.
func (d *decoder) failAt(n *node, pos Pos, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if n.origin != "" {
		text += " [" + n.origin + "]"
	}
	d.report(pos, text)
}

// binding is a struct that takes some of the keys of a mapping.
type binding struct {
	fields []field
	value  reflect.Value
}

func bind(v reflect.Value) binding { return binding{fieldsOf(v.Type()), v} }

// structure decodes a mapping into structs. where names it in messages: "a
// link". A value without content is an empty mapping.
func (d *decoder) structure(n *node, where string, bindings ...binding) {
	if n.bad {
		return
	}
	if n.kind != mappingNode && !n.null {
		d.fail(n, "%s where the keys of %s belong (write %s)", n.what(), where, shape(bindings[len(bindings)-1].value.Type()))
		return
	}
	var keys []string
	known := map[string]bool{}
	for _, b := range bindings {
		for _, f := range b.fields {
			keys = append(keys, f.key)
			known[f.key] = true
		}
	}
	meant := map[string]bool{}
	for i, k := range n.keys {
		if !known[k.value] {
			meant[nearest(k.value, keys)] = true
			hint := instead(k.value, keys)
			if key, value, joined := strings.Cut(k.value, ":"); joined && known[key] {
				meant[key], hint = true, fmt.Sprintf("(write a blank behind the colon: %s: %s)", key, value)
			} else if n.items[i].null && strings.Contains(k.value, " ") {
				hint = "(a comma begins another key here: put a text that holds commas in quotes)"
			}
			d.report(k.Pos, fmt.Sprintf("unknown key %s in %s %s", quote(k.value), where, hint))
		}
	}
	for _, b := range bindings {
		for i := range b.fields {
			f := &b.fields[i]
			if n.get(f.key) == nil && f.required && meant[f.key] {
				continue
			}
			d.field(n, where, f, b.value)
		}
		d.place(n, b.value)
	}
	for _, b := range bindings {
		d.validate(n, b.value)
	}
}

// place stores where the struct was written in its Pos field.
func (d *decoder) place(n *node, v reflect.Value) {
	if p := v.FieldByName("Pos"); p.IsValid() && p.Type() == posType && p.CanSet() {
		p.Set(reflect.ValueOf(n.Pos))
	}
}

func (d *decoder) validate(n *node, v reflect.Value) {
	validator, ok := v.Addr().Interface().(Validator)
	if !ok {
		return
	}
	validator.Validate(func(key, message string) {
		at := n
		for _, part := range strings.Split(key, ".") {
			if next := at.get(part); next != nil {
				at = next
			}
		}
		if key != "" {
			message = key + ": " + message
		}
		d.fail(at, "%s", message)
	})
}

func (d *decoder) field(n *node, where string, f *field, parent reflect.Value) {
	v := parent.FieldByIndex(f.index)
	value := n.get(f.key)
	if value == nil {
		if f.required {
			d.fail(n, "%s has no %q %s", where, f.key, f.write(d.registry))
		} else if !f.optional {
			d.setDefaults(v, f)
		}
		return
	}
	if f.optional {
		v.Set(reflect.New(f.typ))
		v = v.Elem()
	}
	d.value(value, v, f)
}

// setDefaults gives v what it has when its key is absent.
func (d *decoder) setDefaults(v reflect.Value, f *field) {
	if text := f.defaultText(d.registry); text != "" {
		if err := setScalar(v, text); err != nil {
			panic(fmt.Sprintf("spec: default of %q: %v", f.key, err))
		}
		return
	}
	if v.Kind() == reflect.Struct && !isText(v.Type()) && !isNode(v.Type()) {
		for _, inner := range fieldsOf(v.Type()) {
			if !inner.optional {
				d.setDefaults(v.FieldByIndex(inner.index), &inner)
			}
		}
	}
}

// value decodes n into v, which the tags of f describe.
func (d *decoder) value(n *node, v reflect.Value, f *field) {
	t := v.Type()
	switch {
	case n.bad:
	case isNode(t):
		v.Addr().Interface().(nodeDecoder).decodeNode(d, n, f)
	case isText(t) || scalarKind(t.Kind()):
		d.scalar(n, v, f)
	case t.Kind() == reflect.Slice && f.named != "":
		d.named(n, v, f)
	case t.Kind() == reflect.Slice:
		d.list(n, v, f)
	case t.Kind() == reflect.Array:
		if n.kind != sequenceNode || len(n.items) != t.Len() {
			d.fail(n, "%s: %s where a list of %d belongs %s", f.key, n.what(), t.Len(), f.write(d.registry))
			return
		}
		for i, item := range n.items {
			d.value(item, v.Index(i), f)
		}
	case t.Kind() == reflect.Struct:
		where := f.item
		if where == "" {
			where = f.key
		}
		d.structure(n, where, bind(v))
	default:
		panic(fmt.Sprintf("spec: the type %v of key %q is not supported", t, f.key))
	}
}

// list decodes a sequence into a slice. A value without content is an empty
// list.
func (d *decoder) list(n *node, v reflect.Value, f *field) {
	if n.null {
		return
	}
	if n.kind != sequenceNode {
		d.fail(n, "%s: %s where a list belongs %s", f.key, n.what(), f.write(d.registry))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.value(item, v.Index(i), f)
	}
}

// named decodes a mapping from names to structs into a slice in the order of
// the file.
func (d *decoder) named(n *node, v reflect.Value, f *field) {
	if n.null {
		return
	}
	if n.kind != mappingNode {
		d.fail(n, "%s: %s where names belong (write %s: {NAME: {...}, ...})", f.key, n.what(), f.key)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		key, elem := n.keys[i], v.Index(i)
		elem.FieldByName(f.named).SetString(key.value)
		if !quantity.ValidName(key.value) {
			d.report(key.Pos, fmt.Sprintf("%s is not a name for %s (a name is a small letter, then small letters, digits and _)", quote(key.value), f.item))
		}
		if item.null {
			item = &node{kind: mappingNode, Pos: item.Pos}
		}
		d.structure(item, strings.TrimPrefix(strings.TrimPrefix(f.item, "an "), "a ")+" "+key.value, bind(elem))
		if p := elem.FieldByName("Pos"); p.IsValid() && p.Type() == posType {
			p.Set(reflect.ValueOf(key.Pos))
		}
	}
}

// scalar decodes one value, checks its bounds and the hosts that it names.
func (d *decoder) scalar(n *node, v reflect.Value, f *field) {
	if n.kind != scalarNode {
		d.fail(n, "%s: %s where one value belongs %s", f.key, n.what(), f.write(d.registry))
		return
	}
	text := n.text()
	if n.null {
		d.fail(n, "%s has no value %s", f.key, f.write(d.registry))
		return
	}
	if words := f.words(d.registry); len(words) > 0 && !has(words, text) {
		d.fail(n, "unknown %s %s %s", f.key, quote(text), instead(text, words))
		return
	}
	if err := setScalar(v, text); err != nil {
		hint := ""
		if !isText(v.Type()) {
			hint = " " + f.write(d.registry)
		}
		d.fail(n, "%s: %v%s", f.key, err, hint)
		return
	}
	d.bounds(n, v, f)
	if x, ok := v.Interface().(interface{ Reads() quantity.File }); ok && x.Reads() != "" {
		d.readFile(n, f.key, x.Reads())
	}
	switch x := v.Interface().(type) {
	case quantity.Host:
		d.host(n, f.key, x)
	case quantity.Address:
		d.host(n, f.key, x.Host)
		d.addresses = append(d.addresses, peer{f.key, x.Host, n})
	case quantity.Arrivals:
		if x.Rate == 0 && x.Law != quantity.FromFile {
			d.fail(n, "%s: the rate %v lets nothing arrive (write more than 0/s)", f.key, x.Rate)
		}
	case quantity.File:
		if x != "" {
			d.readFile(n, f.key, x)
		}
	case quantity.Duration:
		if f.instant && d.scenario.Duration > 0 && x > d.scenario.Duration {
			d.warn(n.Pos, fmt.Sprintf("%s: %v is after the end of the run (duration: %v)", f.key, x, d.scenario.Duration))
		}
	}
}

// host checks that a host is declared and remembers it for the check of paths.
func (d *decoder) host(n *node, key string, h quantity.Host) {
	if !has(d.hosts, d.group(string(h))) {
		d.fail(n, "%s: unknown host %s %s", key, quote(string(h)), instead(string(h), d.hosts))
		return
	}
	d.peers = append(d.peers, peer{key, h, n})
}

func (d *decoder) bounds(n *node, v reflect.Value, f *field) {
	bound := func(text string) reflect.Value {
		b := reflect.New(v.Type()).Elem()
		if err := setScalar(b, text); err != nil {
			panic(fmt.Sprintf("spec: bound of %q: %v", f.key, err))
		}
		return b
	}
	switch {
	case f.above != "" && compare(v, bound(f.above)) <= 0:
		d.fail(n, "%s: %s is too small (more than %s)", f.key, n.text(), f.above)
	case f.min != "" && compare(v, bound(f.min)) < 0:
		d.fail(n, "%s: %s is too small (at least %s)", f.key, n.text(), f.min)
	case f.max != "" && compare(v, bound(f.max)) > 0:
		d.fail(n, "%s: %s is too large (at most %s)", f.key, n.text(), f.max)
	}
}

// compare orders two values of one numeric type.
func compare(a, b reflect.Value) int {
	var less, more bool
	switch {
	case a.CanInt():
		less, more = a.Int() < b.Int(), a.Int() > b.Int()
	case a.CanUint():
		less, more = a.Uint() < b.Uint(), a.Uint() > b.Uint()
	case a.CanFloat():
		less, more = a.Float() < b.Float(), a.Float() > b.Float()
	default:
		panic(fmt.Sprintf("spec: a bound on the type %v", a.Type()))
	}
	if less {
		return -1
	}
	if more {
		return 1
	}
	return 0
}

func scalarKind(k reflect.Kind) bool {
	return k == reflect.String || k == reflect.Bool || k >= reflect.Int && k <= reflect.Uint64 || k == reflect.Float64
}

// setScalar parses text into v, whose type is a scalar or reads text.
func setScalar(v reflect.Value, text string) error {
	if isText(v.Type()) {
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%s is neither true nor false", quote(text))
		}
		v.SetBool(text == "true")
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s is not a whole number", quote(text))
		}
		if v.OverflowInt(i) {
			return fmt.Errorf("%s is out of range", quote(text))
		}
		v.SetInt(i)
	case v.CanUint():
		return setUint(v, text)
	default:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%s is not a number", quote(text))
		}
		v.SetFloat(x)
	}
	return nil
}

func setUint(v reflect.Value, text string) error {
	u, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		if strings.HasPrefix(text, "-") {
			return fmt.Errorf("%s is negative", quote(text))
		}
		return fmt.Errorf("%s is not a whole number", quote(text))
	}
	if v.OverflowUint(u) {
		most := uint64(1)<<v.Type().Bits() - 1
		return fmt.Errorf("%s is more than %d", quote(text), most)
	}
	v.SetUint(u)
	return nil
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
