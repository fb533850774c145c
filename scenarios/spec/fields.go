package spec

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"tcplab/scenarios/quantity"
)

// field is one key of a section, read from the tags of a struct field.
type field struct {
	key, doc string
	// def is the default, "" if there is none.
	def string
	// example is a value for messages that ask for one.
	example  string
	required bool
	// min and max bound the value, above does so strictly. They are written
	// as values are.
	min, max, above string
	// enum is the words that are allowed, or one @name of the registry.
	enum []string
	// item is what one element of a list or mapping is called: "a link".
	item string
	// named is the field of an element that takes its key: the section is
	// then a mapping and not a list.
	named string
	// instant marks a point of simulated time, which lies in the run.
	instant bool
	// optional is true for a pointer, nil if the key is absent.
	optional bool
	index    []int
	typ      reflect.Type
}

// words returns the enum with names of the registry filled in.
func (f *field) words(r *Registry) []string {
	if len(f.enum) == 1 && strings.HasPrefix(f.enum[0], "@") {
		return r.words(f.enum[0])
	}
	return f.enum
}

// defaultText is the default as it would be written, "" if there is none. Of
// words from the registry the first is the default.
func (f *field) defaultText(r *Registry) string {
	if f.def == "" && !f.required && len(f.enum) == 1 && strings.HasPrefix(f.enum[0], "@") {
		if words := f.words(r); len(words) > 0 {
			return words[0]
		}
	}
	return f.def
}

// sample is a value that a message can show, "" if there is none.
func (f *field) sample(r *Registry) string {
	if f.example != "" {
		return f.example
	}
	if words := f.words(r); len(words) > 0 {
		return words[0]
	}
	if s, ok := syntaxOf(f.typ); ok {
		return s.Example
	}
	if text := f.defaultText(r); text != "" {
		return text
	}
	switch f.typ.Kind() {
	case reflect.Bool:
		return "true"
	case reflect.String:
		return "TEXT"
	case reflect.Slice, reflect.Array:
		elem := *f
		elem.typ = f.typ.Elem()
		return "[" + elem.sample(r) + "]"
	case reflect.Struct:
		return shape(f.typ)
	default:
		return "1"
	}
}

// shape shows the first keys of a struct.
func shape(t reflect.Type) string {
	var keys []string
	for i, f := range fieldsOf(t) {
		if i == 3 {
			keys = append(keys, "...")
			break
		}
		keys = append(keys, f.key+": ...")
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

// write is the bracket of a message that asks for a value of the field.
func (f *field) write(r *Registry) string {
	return fmt.Sprintf("(write %s: %s)", f.key, f.sample(r))
}

var (
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
	nodeType = reflect.TypeFor[nodeDecoder]()
	posType  = reflect.TypeFor[Pos]()
)

func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }
func isNode(t reflect.Type) bool { return reflect.PointerTo(t).Implements(nodeType) }

func syntaxOf(t reflect.Type) (quantity.Syntax, bool) {
	s, ok := reflect.Zero(t).Interface().(interface{ Syntax() quantity.Syntax })
	if !ok {
		return quantity.Syntax{}, false
	}
	return s.Syntax(), true
}

var fieldCache sync.Map

// fieldsOf returns the keys of a struct in the order of its fields. The fields
// of an embedded struct count as its own.
func fieldsOf(t reflect.Type) []field {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.([]field)
	}
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct && sf.Type != posType {
			for _, f := range fieldsOf(sf.Type) {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		key, ok := sf.Tag.Lookup("key")
		if !ok {
			continue
		}
		out = append(out, readTags(key, i, sf))
	}
	fieldCache.Store(t, out)
	return out
}

func readTags(key string, index int, sf reflect.StructField) field {
	f := field{
		key: key, doc: sf.Tag.Get("doc"), def: sf.Tag.Get("default"), example: sf.Tag.Get("example"),
		required: sf.Tag.Get("required") == "true", instant: sf.Tag.Get("instant") == "true",
		min: sf.Tag.Get("min"), max: sf.Tag.Get("max"), above: sf.Tag.Get("above"),
		item: sf.Tag.Get("item"), named: sf.Tag.Get("named"),
		index: []int{index}, typ: sf.Type,
	}
	if enum := sf.Tag.Get("enum"); enum != "" {
		f.enum = strings.Split(enum, ",")
	}
	if f.typ.Kind() == reflect.Pointer {
		f.optional, f.typ = true, f.typ.Elem()
	}
	return f
}

// checkStruct reports tags that make no sense: a key twice, no doc, a default
// or a bound that does not parse, a type that the decoder does not know.
func checkStruct(t reflect.Type, r *Registry) error {
	seen := map[string]bool{}
	for _, f := range fieldsOf(t) {
		if f.doc == "" || seen[f.key] || !validKey(f.key) {
			return fmt.Errorf("field %q of %v: needs a key of its own ([a-z0-9_]) and a doc", f.key, t)
		}
		seen[f.key] = true
		if err := checkField(f, r); err != nil {
			return fmt.Errorf("field %q of %v: %w", f.key, t, err)
		}
	}
	return nil
}

func validKey(s string) bool { return quantity.ValidName(s) }

func checkField(f field, r *Registry) error {
	elem := f.typ
	for elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array {
		elem = elem.Elem()
	}
	switch {
	case isNode(elem) || isText(elem):
	case elem.Kind() == reflect.Struct:
		if err := checkStruct(elem, r); err != nil {
			return err
		}
	case !scalarKind(elem.Kind()):
		return fmt.Errorf("type %v is not supported", f.typ)
	}
	for _, text := range []string{f.def, f.min, f.max, f.above} {
		if text == "" {
			continue
		}
		if isNode(f.typ) || !isText(f.typ) && !scalarKind(f.typ.Kind()) {
			return fmt.Errorf("a default or bound of type %v", f.typ)
		}
		if err := setScalar(reflect.New(f.typ).Elem(), text); err != nil {
			return fmt.Errorf("tag value: %w", err)
		}
	}
	if f.def != "" && f.required {
		return fmt.Errorf("required and with a default")
	}
	return nil
}
