package spec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"tcplab/scenarios/quantity"
)

// Registry is what a scenario may name beyond the language itself: the workload
// kinds, the stack profiles and knobs, the metrics. The loader knows none of
// them, so that it depends on no model.
type Registry struct {
	Kinds []Kind
	// Boxes are the kinds of middlebox, described as those of workloads are.
	Boxes []Kind
	// Profiles are the stack profiles, the default first.
	Profiles []string
	// Knobs are the stack settings that `sysctl:` overrides.
	Knobs []Knob
	// Queues are the queue disciplines, the default first. Empty stands for
	// droptail alone.
	Queues []string
	// CheckLink, if not nil, has the last word on a link that is right as far
	// as the language goes.
	CheckLink func(*Link) error
	// Figures are the kinds of figure. Empty allows any word.
	Figures []string
	// Shows says what kinds of figure name under series, where it is not
	// series or distributions.
	Shows map[string]Shows
	// HostMetrics and LinkMetrics are what every host and every link
	// measures. Nil allows any name.
	HostMetrics, LinkMetrics []Metric
	// ReadFile, if not nil, reads the files that a scenario names, in place of
	// those beside it.
	ReadFile func(name quantity.File) ([]byte, error)
}

// Shows is what a kind of figure names under series.
type Shows uint8

// What kinds of figure name.
const (
	// ShowsSeries: series or distributions.
	ShowsSeries Shows = iota
	// ShowsFlows: connections of workloads, by the name of the workload, or
	// by that and a number.
	ShowsFlows
	// ShowsHosts: hosts, or series.
	ShowsHosts
)

// Kind is a kind of workload.
type Kind struct {
	// Name is the value of `kind:`, [a-z][a-z0-9_]*.
	Name string
	// Doc says in a sentence what it does.
	Doc string
	// New returns a pointer to a config struct whose fields carry the tags
	// that the package documentation describes.
	New func() any
	// Metrics is what it measures: single numbers and series. Nil allows any
	// name.
	Metrics []Metric
}

// Metric is a quantity that expectations and figures name as owner.name.
type Metric struct {
	Name string
	// Unit is that of measure.Metric: "ratio", "s", "1/s", "bit/s", "B",
	// "packets", "connections", "entries", "count". Empty is not checked.
	Unit string
	Doc  string
	// Series is true for what has a course in time (for figures), Value for
	// what is a number at the end (for expectations). Both false stands for
	// both true.
	Series, Value bool
}

// KnobType is how the value of a knob is written.
type KnobType uint8

// The types of knob, with the Go type that Parse returns.
const (
	// KnobInt is a whole number: int64.
	KnobInt KnobType = iota
	// KnobBool is 0, 1, true or false: bool.
	KnobBool
	// KnobDuration is a time with its unit, or a number in the knob's Unit:
	// quantity.Duration.
	KnobDuration
	// KnobBytes is a size with its unit, or a number of bytes:
	// quantity.Size.
	KnobBytes
	// KnobEnum is one of the words of Enum: string.
	KnobEnum
)

// Knob is a setting of a host's stack, named as the Linux sysctl is.
type Knob struct {
	Name string
	Type KnobType
	// Unit is that of a KnobDuration without one, such as "s" or "ms". Empty
	// demands a unit.
	Unit string
	Doc  string
	// Default says for the reference which value each profile has, Source where
	// the setting and its values come from.
	Default, Source string
	// Min and Max bound a KnobInt. Max 0 is no bound.
	Min, Max int64
	Enum     []string
	// Check, if not nil, has the last word on a value that has parsed. Its
	// error says what is allowed, such as "takes 68 to 65535 bytes".
	Check func(value any) error
}

// Parse reads a value of the knob; see KnobType for what it returns.
func (k Knob) Parse(text string) (any, error) {
	value, err := k.parse(strings.TrimSpace(text))
	if err == nil && k.Check != nil {
		if err = k.Check(value); err != nil {
			err = fmt.Errorf("%s is out of range (%s)", quote(text), strings.TrimPrefix(err.Error(), k.Name+" "))
		}
	}
	return value, err
}

func (k Knob) parse(text string) (any, error) {
	number, numberErr := strconv.ParseInt(text, 10, 64)
	switch k.Type {
	case KnobBool:
		switch text {
		case "0", "false":
			return false, nil
		case "1", "true":
			return true, nil
		}
		return nil, fmt.Errorf("%s is neither on nor off (write 1 or 0)", quote(text))
	case KnobDuration:
		if numberErr == nil && number >= 0 && k.Unit != "" {
			text += k.Unit
		}
		return quantity.ParseDuration(text)
	case KnobBytes:
		if numberErr == nil && number >= 0 {
			text += "B"
		}
		return quantity.ParseSize(text)
	case KnobEnum:
		for _, word := range k.Enum {
			if text == word {
				return word, nil
			}
		}
		return nil, fmt.Errorf("unknown value %s %s", quote(text), instead(text, k.Enum))
	default:
		if numberErr != nil {
			return nil, fmt.Errorf("%s is not a whole number (%s)", quote(text), k.usage())
		}
		if number < k.Min {
			return nil, fmt.Errorf("%d is too small (at least %d)", number, k.Min)
		}
		if k.Max != 0 && number > k.Max {
			return nil, fmt.Errorf("%d is too large (at most %d)", number, k.Max)
		}
		return number, nil
	}
}

func (r *Registry) knobNames() []string {
	var names []string
	for _, k := range r.Knobs {
		names = append(names, k.Name)
	}
	return names
}

// words returns the words behind an enum tag that begins with @.
func (r *Registry) words(name string) []string {
	switch name {
	case "@profiles":
		return r.Profiles
	case "@queues":
		if len(r.Queues) == 0 {
			return []string{"droptail"}
		}
		return r.Queues
	case "@figures":
		return r.Figures
	default:
		panic("spec: unknown word list " + name)
	}
}

// Check reports what is wrong with the registry itself: a kind without a doc, a
// tag that does not parse, a default that the field would not take. It is for
// the tests of whoever fills it; Load panics on what Check reports.
func (r *Registry) Check() error {
	if err := checkKinds(r.Kinds, reflect.TypeFor[Workload](), r); err != nil {
		return err
	}
	if err := checkKinds(r.Boxes, reflect.TypeFor[Middlebox](), r); err != nil {
		return err
	}
	for _, k := range r.Knobs {
		if k.Name == "" || k.Doc == "" || k.Type == KnobEnum && len(k.Enum) == 0 {
			return fmt.Errorf("knob %q: needs a name, a doc and, as an enum, words", k.Name)
		}
	}
	return nil
}

// checkKinds reports what is wrong with kinds of workload or of middlebox, whose
// own keys are those of head.
func checkKinds(kinds []Kind, head reflect.Type, r *Registry) error {
	seen := map[string]bool{}
	for _, k := range kinds {
		if !quantity.ValidName(k.Name) || seen[k.Name] || k.Doc == "" || k.New == nil {
			return fmt.Errorf("kind %q: needs a name of its own, a doc and a New", k.Name)
		}
		seen[k.Name] = true
		t := reflect.TypeOf(k.New())
		if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
			return fmt.Errorf("kind %q: New returns %v, not a pointer to a struct", k.Name, t)
		}
		if err := checkStruct(t.Elem(), r); err != nil {
			return fmt.Errorf("kind %q: %w", k.Name, err)
		}
		for _, f := range fieldsOf(t.Elem()) {
			for _, own := range fieldsOf(head) {
				if f.key == own.key {
					return fmt.Errorf("kind %q: the key %q is every %s's own", k.Name, f.key, strings.ToLower(head.Name()))
				}
			}
		}
	}
	return nil
}
