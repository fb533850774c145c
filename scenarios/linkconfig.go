package scenarios

import (
	"bytes"
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel/network"
)

// linkConfigs returns both directions of a link as the network takes them,
// without their rate traces, and checks them.
func linkConfigs(l *spec.Link) (configs [2]network.LinkConfig, err error) {
	forward, backward := l.Directions()
	for k, d := range []*spec.Direction{&forward, &backward} {
		c, name := &configs[k], []string{"forward", "backward"}[k]
		if *c, err = directionConfig(d); err != nil {
			return configs, err
		}
		c.Faults = faultsOf(l.Faults, name)
		c.Changes = changesOf(l.Changes, name)
		if err := c.Validate(); err != nil {
			return configs, err
		}
	}
	return configs, nil
}

// checkLink has the last word on a link when it is loaded.
func checkLink(l *spec.Link) error {
	_, err := linkConfigs(l)
	return err
}

func directionConfig(d *spec.Direction) (network.LinkConfig, error) {
	discipline, err := disciplineOf(&d.Queue)
	c := network.LinkConfig{
		Rate:       int64(d.Rate),
		Delay:      des.Time(d.Delay),
		Queue:      network.QueueLimit{Packets: d.Queue.Limit.Packets, Bytes: int64(d.Queue.Limit.Bytes)},
		Discipline: discipline,
		Overhead:   int(d.Overhead),
		MTU:        int(d.MTU),
		BlackHole:  d.BlackHole,
		Loss:       float64(d.Loss),
		LossPeriod: d.LossPeriod,
		Duplicate:  float64(d.Duplicate),
		Corrupt:    float64(d.Corrupt),
	}
	if b := d.Shaper; b != nil {
		c.Shaper = network.TokenBucket{Rate: int64(b.Rate), Burst: int64(b.Burst), Tick: des.Time(b.Tick)}
	}
	if b := d.Policer; b != nil {
		c.Policer = network.TokenBucket{Rate: int64(b.Rate), Burst: int64(b.Burst), Tick: des.Time(b.Tick)}
	}
	if g := d.Gilbert; g != nil {
		c.Gilbert = network.GilbertElliott{GoodToBad: float64(g.GoodToBad), BadToGood: float64(g.BadToGood),
			LossGood: float64(g.LossGood), LossBad: float64(g.LossBad)}
	}
	if j := d.Jitter; j != nil {
		c.Jitter = network.Jitter{Span: des.Time(j.Span), Reordering: j.Reordering}
		if j.Shape == "normal" {
			c.Jitter.Shape = network.Normal
		}
	}
	if r := d.Reorder; r != nil {
		c.Reorder = network.Reorder{Probability: float64(r.Share), Extra: des.Time(r.Delay)}
	}
	return c, err
}

// disciplineOf returns the discipline of a queue with the parameters that are
// given, nil for the one that a link has anyway.
func disciplineOf(q *spec.Queue) (network.Discipline, error) {
	d, err := network.DefaultDiscipline(q.Discipline)
	if err != nil {
		return nil, err
	}
	switch c := d.(type) {
	case network.DropTail:
		return nil, nil
	case network.RED:
		set(&c.MinTh, q.MinTh)
		set(&c.MaxTh, q.MaxTh)
		set(&c.MaxP, q.MaxP)
		set(&c.Weight, q.Weight)
		set(&c.MeanPacket, q.MeanPacket)
		setBool(&c.Gentle, q.Gentle)
		setBool(&c.ECN, q.ECN)
		return c, nil
	case network.CoDel:
		setCoDel(&c, q)
		return c, nil
	case network.FQCoDel:
		setCoDel(&c.CoDel, q)
		set(&c.Flows, q.Flows)
		set(&c.Quantum, q.Quantum)
		set(&c.DropBatch, q.DropBatch)
		return c, nil
	case network.PIE:
		set(&c.Target, q.Target)
		set(&c.TUpdate, q.TUpdate)
		set(&c.MaxBurst, q.MaxBurst)
		set(&c.Alpha, q.Alpha)
		set(&c.Beta, q.Beta)
		set(&c.MarkLimit, q.MarkLimit)
		set(&c.MeanPacket, q.MeanPacket)
		setBool(&c.ECN, q.ECN)
		return c, nil
	default:
		return d, nil // it has no parameters
	}
}

func setCoDel(c *network.CoDel, q *spec.Queue) {
	set(&c.Target, q.Target)
	set(&c.Interval, q.Interval)
	set(&c.CEThreshold, q.CEThreshold)
	setBool(&c.ECN, q.ECN)
}

// number is a quantity of a scenario or a parameter of the network.
type number interface{ ~int | ~int64 | ~float64 }

// set gives a parameter its value if there is one.
func set[T, F number](to *T, from *F) {
	if from != nil {
		*to = T(*from)
	}
}

func setBool(to, from *bool) {
	if from != nil {
		*to = *from
	}
}

var packetKinds = map[string]network.PacketKind{
	"any": network.ANY, "syn": network.SYN, "syn_ack": network.SYNACK, "ack": network.ACK,
	"data": network.DATA, "fin": network.FIN, "rst": network.RST,
}

var faultActions = map[string]network.Action{
	"drop": network.Drop, "duplicate": network.Duplicate, "delay": network.Delay, "corrupt": network.Corrupt,
}

// faultsOf returns the faults of one direction of a link.
func faultsOf(faults []spec.Fault, direction string) []network.Fault {
	var out []network.Fault
	for _, f := range faults {
		if f.Direction != direction {
			continue
		}
		fault := network.Fault{Kind: packetKinds[f.Kind], Action: faultActions[f.Action], Extra: des.Time(f.Delay)}
		if f.Onward {
			fault.From = uint64(f.Ordinal)
		} else {
			fault.Ordinals = []uint64{uint64(f.Ordinal)}
		}
		out = append(out, fault)
	}
	return out
}

// changesOf returns the changes of one direction of a link. A link that comes up
// has its new rate and delay from the start.
func changesOf(list []spec.Change, direction string) []network.Change {
	var out []network.Change
	for _, c := range list {
		if c.Direction != direction && c.Direction != "both" {
			continue
		}
		at := des.Time(c.At)
		if c.Rate != nil {
			out = append(out, network.Change{At: at, Kind: network.ChangeRate, Rate: int64(*c.Rate)})
		}
		if c.Delay != nil {
			out = append(out, network.Change{At: at, Kind: network.ChangeDelay, Delay: des.Time(*c.Delay)})
		}
		if c.Down != nil {
			kind := network.LinkUp
			if *c.Down {
				kind = network.LinkDown
			}
			out = append(out, network.Change{At: at, Kind: kind})
		}
	}
	return out
}

// traces are rate traces by the names of their files.
type traces map[quantity.File]*network.Trace

// of returns the trace that a direction of a link follows, nil if it follows
// none.
func (t traces) of(sc *spec.Scenario, d *spec.Direction) (*network.Trace, error) {
	if d.Trace == "" || t[d.Trace] != nil {
		return t[d.Trace], nil
	}
	data, err := sc.FileData(d.Trace)
	if err != nil {
		return nil, err
	}
	trace, err := network.ParseTrace(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Trace, err)
	}
	t[d.Trace] = trace
	return trace, nil
}
