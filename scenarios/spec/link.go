package spec

import (
	"fmt"
	"reflect"

	"tcplab/scenarios/quantity"
)

// Link joins two hosts or routers. What Direction has applies to each
// direction; Forward (from the first end to the second) and Backward set one.
// Directions merges them.
type Link struct {
	Pos  Pos
	Ends [2]string `key:"ends" required:"true" item:"an end" example:"[client, server]" doc:"The two hosts or routers that the link joins. From the first to the second is forward."`
	Name string    `key:"name" example:"bottleneck" doc:"The name under which its metrics appear, with _backward behind it for those from the second end to the first. Without it the two ends, joined by _."`
	Direction
	Faults   []Fault   `key:"faults" item:"a fault" example:"[{direction: backward, kind: syn_ack, ordinal: 2}]" doc:"Packets that are dropped, duplicated, delayed or corrupted on purpose."`
	Changes  []Change  `key:"changes" item:"a change" example:"[{at: 30s, down: true}, {at: 40s, down: false}]" doc:"What changes during the run, in the order of time."`
	Forward  *Override `key:"forward" example:"{rate: 10Mbit/s}" doc:"What differs from the first end to the second."`
	Backward *Override `key:"backward" example:"{rate: 1Mbit/s}" doc:"What differs from the second end to the first."`
}

// Backward is what follows the name of a link in the metrics of its direction
// from the second end to the first.
const Backward = "_backward"

// Validate implements Validator.
func (l *Link) Validate(report func(field, message string)) {
	forward, backward := l.Directions()
	if l.Forward == nil || l.Backward == nil {
		l.Direction.validate("", report)
	}
	if l.Forward != nil {
		forward.validate("forward.", report)
	}
	if l.Backward != nil {
		backward.validate("backward.", report)
	}
	for i := 1; i < len(l.Changes); i++ {
		if before, c := &l.Changes[i-1], &l.Changes[i]; c.At < before.At && c.At > 0 {
			report("changes", fmt.Sprintf("%v comes behind %v (write them in the order of time)", c.At, before.At))
		}
	}
}

// Override is what differs in one direction of a link: any of the keys of
// Direction. A key that holds a mapping of its own, such as queue, replaces it
// as a whole.
type Override struct {
	Direction
	// Given are the keys that are written.
	Given []string
}

// decodeNode implements nodeDecoder.
func (o *Override) decodeNode(d *decoder, n *node, f *field) {
	type unchecked Direction // what it means depends on the rest of the link
	d.structure(n, f.key, bind(reflect.ValueOf((*unchecked)(&o.Direction)).Elem()))
	for _, inner := range fieldsOf(reflect.TypeFor[Direction]()) {
		if n.get(inner.key) != nil {
			o.Given = append(o.Given, inner.key)
		}
	}
}

// describe implements describer.
func (o *Override) describe(r *Registry) object { return structSchema(reflect.TypeFor[Direction](), r) }

// Directions returns what holds from the first end to the second and back.
func (l *Link) Directions() (forward, backward Direction) {
	return l.Forward.over(l.Direction), l.Backward.over(l.Direction)
}

func (o *Override) over(d Direction) Direction {
	if o == nil {
		return d
	}
	for _, f := range fieldsOf(reflect.TypeFor[Direction]()) {
		if has(o.Given, f.key) {
			reflect.ValueOf(&d).Elem().FieldByIndex(f.index).Set(reflect.ValueOf(&o.Direction).Elem().FieldByIndex(f.index))
		}
	}
	return d
}

// Fault is something that happens to one packet on purpose: to the one with that
// ordinal, counted from 1, among those of its kind in its direction.
type Fault struct {
	Pos       Pos
	Direction string            `key:"direction" required:"true" enum:"forward,backward" doc:"From the first end of the link to the second, or back."`
	Kind      string            `key:"kind" default:"any" enum:"any,syn,syn_ack,ack,data,fin,rst" doc:"Which packets are counted. An ack is one without data, SYN, FIN and RST."`
	Ordinal   int               `key:"ordinal" required:"true" min:"1" example:"2" doc:"Which of them it happens to: 1 is the first."`
	Onward    bool              `key:"onward" default:"false" doc:"Whether it happens to all behind that one too."`
	Action    string            `key:"action" default:"drop" enum:"drop,duplicate,delay,corrupt" doc:"What happens. A corrupted packet arrives and is dropped for its checksum."`
	Delay     quantity.Duration `key:"delay" default:"0s" doc:"How much later a delayed packet arrives."`
}

// Validate implements Validator.
func (f *Fault) Validate(report func(field, message string)) {
	switch {
	case f.Action == "delay" && f.Delay == 0:
		report("action", "how long the packet is delayed is not given (write delay: 10ms)")
	case f.Action == "drop" && f.Delay != 0:
		report("delay", "a dropped packet has no delay (write action: delay, or remove it)")
	case f.Action == "duplicate" && f.Delay != 0:
		report("delay", "the copy of a duplicated packet comes right behind it (remove it)")
	case f.Action == "corrupt" && f.Delay != 0:
		report("delay", "a corrupted packet has no delay (write a fault for each)")
	}
}

// Change is what changes about a link at a time.
type Change struct {
	Pos       Pos
	At        quantity.Duration  `key:"at" required:"true" instant:"true" example:"30s" doc:"When."`
	Direction string             `key:"direction" default:"both" enum:"both,forward,backward" doc:"In which direction."`
	Down      *bool              `key:"down" doc:"Whether the link is down from then on: what is in its queue or on the wire is lost, and what comes is dropped. Routes stay."`
	Rate      *quantity.Bitrate  `key:"rate" doc:"How fast it sends from then on."`
	Delay     *quantity.Duration `key:"delay" doc:"The propagation delay from then on. Packets do not overtake those ahead of them when it becomes shorter."`
}

// Validate implements Validator.
func (c *Change) Validate(report func(field, message string)) {
	if c.Down == nil && c.Rate == nil && c.Delay == nil {
		report("", "a change says what changes (write down: true, rate: 1Mbit/s or delay: 50ms)")
	}
}
