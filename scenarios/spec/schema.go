package spec

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"

	"tcplab/scenarios/quantity"
)

// object is a JSON object of the schema.
type object = map[string]any

// describer is implemented by the types that read their part of the file
// themselves, so that the schema knows what they take.
type describer interface {
	describe(r *Registry) object
}

const (
	namePattern  = `^[a-z][a-z0-9_]*$`
	paramPattern = `(.* )?\$[a-z][a-z0-9_]*( .*)?`
)

// Schema returns the JSON Schema (draft-07, which YAML editors understand) of
// scenario files. It is as strict as a schema can be: what loads is valid; what
// relates parts of a file to each other is checked by Load alone.
func Schema(r *Registry) []byte {
	root := structSchema(reflect.TypeFor[Scenario](), r)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "tcplab scenario"
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("spec: schema: " + err.Error())
	}
	return append(out, '\n')
}

// structSchema describes a mapping with the keys of a struct.
func structSchema(t reflect.Type, r *Registry) object {
	properties := object{}
	required := []string{}
	for _, f := range fieldsOf(t) {
		properties[f.key] = fieldSchema(&f, r)
		if f.required {
			required = append(required, f.key)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	} else {
		s["type"] = []string{"object", "null"}
	}
	return s
}

// fieldSchema describes the value of a key.
func fieldSchema(f *field, r *Registry) object {
	s := valueSchema(f, f.typ, r)
	s["description"] = f.doc
	if text := f.defaultText(r); text != "" {
		s["default"] = scalarJSON(f.typ, text)
	}
	return s
}

func scalarJSON(t reflect.Type, text string) any {
	if isText(t) || t.Kind() == reflect.String {
		return text
	}
	return json.RawMessage(text)
}

func valueSchema(f *field, t reflect.Type, r *Registry) object {
	switch {
	case isNode(t):
		return reflect.New(t).Interface().(describer).describe(r)
	case isText(t):
		return textSchema(t)
	case t.Kind() == reflect.Slice && f.named != "":
		return object{"type": []string{"object", "null"}, "propertyNames": object{"pattern": namePattern},
			"additionalProperties": structSchema(t.Elem(), r)}
	case t.Kind() == reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": valueSchema(f, t.Elem(), r)}
	case t.Kind() == reflect.Array:
		return object{"type": "array", "items": valueSchema(f, t.Elem(), r), "minItems": t.Len(), "maxItems": t.Len()}
	case t.Kind() == reflect.Struct:
		return structSchema(t, r)
	default:
		return scalarSchema(f, t, r)
	}
}

// textSchema describes a quantity: its pattern, or a parameter.
func textSchema(t reflect.Type) object {
	syntax, ok := syntaxOf(t)
	if !ok {
		return object{"type": []string{"string", "number", "boolean"}}
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(syntax.Pattern, "^"), "$")
	s := object{"type": "string", "pattern": `^(` + inner + `|` + paramPattern + `)$`, "examples": []string{syntax.Example}}
	if t == reflect.TypeFor[quantity.Ratio]() {
		s["type"] = []string{"string", "number"}
	}
	return s
}

// orParam allows a parameter beside a value that is no text.
func orParam(s object) object {
	return object{"anyOf": []object{s, {"type": "string", "pattern": `^` + paramPattern + `$`}}}
}

func scalarSchema(f *field, t reflect.Type, r *Registry) object {
	if words := f.words(r); len(words) > 0 {
		return orParam(object{"enum": words})
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": []string{"string", "number", "boolean"}}
	case reflect.Bool:
		return orParam(object{"type": "boolean"})
	}
	s := object{"type": "integer"}
	if t.Kind() == reflect.Float64 {
		s["type"] = "number"
	}
	if v := reflect.New(t).Elem(); v.CanUint() {
		s["minimum"] = 0
		if t.Bits() < 64 {
			s["maximum"] = uint64(1)<<t.Bits() - 1
		}
	} else if v.CanInt() && t.Bits() < 64 {
		s["minimum"], s["maximum"] = -1<<(t.Bits()-1), 1<<(t.Bits()-1)-1
	}
	for keyword, text := range map[string]string{"minimum": f.min, "maximum": f.max, "exclusiveMinimum": f.above} {
		if x, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(x, 0) {
			s[keyword] = x
		}
	}
	return orParam(s)
}

// describe implements describer: an expression is checked by Load.
func (e *Expectation) describe(*Registry) object {
	return object{"type": "string", "minLength": 1, "maxLength": maxExpression}
}

// describe implements describer.
func (s *Settings) describe(r *Registry) object {
	properties := object{}
	for _, k := range r.Knobs {
		p := k.schema()
		p["description"] = strings.TrimSpace(k.Doc + " (" + k.usage() + ")")
		properties[k.Name] = p
	}
	return object{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
}

func (k *Knob) schema() object {
	number := object{"type": "integer", "minimum": 0}
	switch k.Type {
	case KnobBool:
		return orParam(object{"enum": []any{0, 1, true, false}})
	case KnobDuration:
		if k.Unit == "" {
			return textSchema(reflect.TypeFor[quantity.Duration]())
		}
		return object{"anyOf": []object{number, textSchema(reflect.TypeFor[quantity.Duration]())}}
	case KnobBytes:
		return object{"anyOf": []object{number, textSchema(reflect.TypeFor[quantity.Size]())}}
	case KnobEnum:
		return orParam(object{"enum": k.Enum})
	default:
		s := object{"type": "integer", "minimum": k.Min}
		if k.Max != 0 {
			s["maximum"] = k.Max
		}
		return orParam(s)
	}
}

// describe implements describer: the keys of a workload depend on its kind.
func (w *Workload) describe(r *Registry) object {
	return kindedSchema(reflect.TypeFor[Workload](), r.Kinds, r)
}
