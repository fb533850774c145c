package scenarios

import (
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/workload"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
)

// Registry returns what a scenario may name: the kinds of workload and of
// figure, the profiles and settings of stacks, the metrics.
func Registry() *spec.Registry {
	reg := &spec.Registry{
		Profiles:    tcpmodel.ProfileNames(),
		Queues:      network.DisciplineNames(),
		CheckLink:   checkLink,
		HostMetrics: append(metricsOf(measure.OfHost), metricsOf(measure.OfListening)...),
		LinkMetrics: metricsOf(measure.OfLink),
	}
	registerFigures(reg)
	reg.Boxes = boxKinds()
	for _, k := range workload.Kinds() {
		reg.Kinds = append(reg.Kinds, spec.Kind{Name: k.Name, Doc: k.Doc,
			New: func() any { return k.New() }, Metrics: append(metricsOf(k.Name), flowMetrics(k.New())...)})
	}
	for _, k := range tcpmodel.Knobs() {
		reg.Knobs = append(reg.Knobs, knob(k))
	}
	return reg
}

func metricsOf(kind string) []spec.Metric {
	var list []spec.Metric
	for _, q := range measure.QuantitiesOf(kind) {
		list = append(list, spec.Metric{Name: q.Name, Unit: q.Unit, Doc: q.Doc, Series: q.SeriesUnit != "", Value: true})
	}
	for _, d := range measure.DistributionsOf(kind) {
		list = append(list, spec.Metric{Name: d.Name, Unit: d.Unit, Doc: d.Doc, Series: true})
	}
	return list
}

// knob describes a setting of the stack to the loader.
func knob(k tcpmodel.Knob) spec.Knob {
	out := spec.Knob{Name: k.Name, Doc: k.Doc, Default: knobDefault(k), Source: k.Source}
	switch k.Kind {
	case tcpmodel.KnobBool:
		out.Type = spec.KnobBool
	case tcpmodel.KnobDuration:
		out.Type = spec.KnobDuration
		out.Unit = unitName(k.Unit)
	case tcpmodel.KnobBytes:
		out.Type = spec.KnobBytes
	case tcpmodel.KnobWord:
		out.Type, out.Enum = spec.KnobEnum, k.Words
	default:
		out.Type, out.Min, out.Max = spec.KnobInt, k.Min, k.Max
	}
	out.Check = func(value any) error {
		var scratch tcpmodel.Config
		return setKnob(&k, &scratch, value)
	}
	return out
}

// knobDefault is the value of the first profile, and what others have instead.
func knobDefault(k tcpmodel.Knob) string {
	text, first := "", ""
	for i, name := range tcpmodel.ProfileNames() {
		c, err := tcpmodel.Profile(name)
		if err != nil {
			panic(err) // the name is one of ProfileNames
		}
		switch value := k.Value(&c); {
		case i == 0:
			text, first = "`"+value+"`", value
		case value != first:
			text += fmt.Sprintf(", %s `%s`", name, value)
		}
	}
	return text
}

// unitName returns the unit of a duration without one.
func unitName(unit des.Time) string {
	switch unit {
	case des.Nanosecond:
		return "ns"
	case des.Microsecond:
		return "us"
	case des.Millisecond:
		return "ms"
	case des.Second:
		return "s"
	default:
		panic(fmt.Sprintf("scenarios: no name for the unit %v", unit))
	}
}

// setKnob sets a knob to what spec.Knob.Parse returned.
func setKnob(k *tcpmodel.Knob, c *tcpmodel.Config, value any) error {
	switch v := value.(type) {
	case string:
		return k.SetWord(c, v)
	case bool:
		if v {
			return k.SetInt(c, 1)
		}
		return k.SetInt(c, 0)
	case int64:
		return k.SetInt(c, v)
	case quantity.Duration:
		return k.SetInt(c, int64(v))
	case quantity.Size:
		return k.SetInt(c, int64(v))
	default:
		panic(fmt.Sprintf("scenarios: setting %s has a value of type %T", k.Name, value))
	}
}
