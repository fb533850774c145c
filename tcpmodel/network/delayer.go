package network

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// JitterShape is a distribution of delay.
type JitterShape uint8

// The shapes.
const (
	// Uniform: every delay from 0 to the span is as likely.
	Uniform JitterShape = iota
	// Normal: the sum of three uniform delays, which is close to a normal
	// distribution with mean Span/2 and standard deviation Span/6, cut off at
	// three standard deviations.
	Normal

	jitterShapes = iota
)

// Jitter is random delay that is added to each packet. The zero value adds
// none.
type Jitter struct {
	// Span is the longest delay that is added; the shortest is 0.
	Span  des.Time
	Shape JitterShape
	// Reordering lets packets overtake each other. Without it a packet that
	// would come before the one ahead of it comes at the same time, behind it.
	Reordering bool
}

// Reorder delays single packets so that those behind them overtake. The zero
// value delays none.
type Reorder struct {
	// Probability is that of each packet, for itself.
	Probability float64
	// Extra is how much later it arrives.
	Extra des.Time
}

// DelayConfig is what a Delayer does.
type DelayConfig struct {
	Jitter  Jitter
	Reorder Reorder
}

// Validate returns what is wrong with c, all of it.
func (c *DelayConfig) Validate() error {
	problems := []error{checkProbability("reordering", c.Reorder.Probability)}
	if c.Jitter.Span < 0 || c.Jitter.Span > maxDelay {
		problems = append(problems, fmt.Errorf("jitter of %v: must be 0 to %v", c.Jitter.Span, des.Time(maxDelay)))
	}
	if c.Jitter.Shape >= jitterShapes {
		problems = append(problems, fmt.Errorf("jitter: unknown shape %d", c.Jitter.Shape))
	}
	if c.Reorder.Extra < 0 || c.Reorder.Extra > maxDelay {
		problems = append(problems, fmt.Errorf("reordering by %v: must be 0 to %v", c.Reorder.Extra, des.Time(maxDelay)))
	}
	if c.Reorder.Probability > 0 && c.Reorder.Extra == 0 {
		problems = append(problems, errors.New("reordering: needs an extra delay"))
	}
	return errors.Join(problems...)
}

// Delayer is an element that holds packets for a while: jitter and reordering.
// It draws for a packet when the packet comes.
type Delayer struct {
	Element
	sim        *des.Sim
	timer      des.Timer // for the first of waiting
	jitter     Jitter
	jitterRNG  *rand.Rand
	reorder    chance
	by         des.Time
	reorderRNG *rand.Rand
	latest     des.Time // of the packets that are not reordered
	extra      des.Time // added to the packets that come now

	waiting []held // heap by (when, order)
	order   uint64
	slots   []segment.Segment
	free    []int32
	out     segment.Segment // what is passed on
}

// held is a packet that waits.
type held struct {
	when  des.Time
	order uint64
	slot  int32
}

func (h held) before(o held) bool {
	return h.when < o.when || h.when == o.when && h.order < o.order
}

// NewDelayer returns a Delayer that passes to next. The name must be unique
// among the links and elements of the simulation.
func NewDelayer(sim *des.Sim, name string, config DelayConfig, next Sink) (*Delayer, error) {
	return newDelayer(sim, sim.NewComponent("delayer "+name), name, config, next)
}

func newDelayer(sim *des.Sim, component des.Component, name string, c DelayConfig, next Sink) (*Delayer, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("delayer %s: %w", name, err)
	}
	d := &Delayer{Element: Element{next: next}, sim: sim, jitter: c.Jitter, reorder: newChance(c.Reorder.Probability), by: c.Reorder.Extra}
	if c.Jitter.Span > 0 {
		d.jitterRNG = sim.Stream("jitter of " + name)
	}
	if d.reorder > 0 {
		d.reorderRNG = sim.Stream("reordering of " + name)
	}
	d.timer = sim.NewTimer(component, d, 0)
	return d, nil
}

// draw returns a random delay.
func (d *Delayer) draw() des.Time {
	span := uint64(d.jitter.Span)
	if d.jitter.Shape == Uniform {
		return des.Time(d.jitterRNG.Uint64N(span + 1))
	}
	sum := uint64(0)
	for range 3 {
		sum += d.jitterRNG.Uint64N(span + 1)
	}
	return des.Time(sum / 3)
}

// Receive takes a packet and passes it on at its time.
func (d *Delayer) Receive(now des.Time, seg *segment.Segment) {
	d.flow.In.add(seg.IPLen())
	when := now
	if d.jitterRNG != nil {
		when += d.draw()
	}
	if !d.jitter.Reordering {
		when = max(when, d.latest)
	}
	behind := d.extra
	if d.reorderRNG != nil && d.reorder.hits(d.reorderRNG) {
		behind += d.by
	}
	if behind == 0 {
		d.latest = when
	}
	when += behind
	if when == now && (len(d.waiting) == 0 || d.waiting[0].when > now) {
		d.pass(now, seg)
		return
	}
	d.hold(when, seg)
}

// hold keeps a packet until its time.
func (d *Delayer) hold(when des.Time, seg *segment.Segment) {
	s := int32(len(d.slots))
	if n := len(d.free); n > 0 {
		s = d.free[n-1]
		d.free = d.free[:n-1]
		d.slots[s] = *seg
	} else {
		d.slots = append(d.slots, *seg)
	}
	h := held{when, d.order, s}
	d.order++
	d.waiting = append(d.waiting, h)
	i := len(d.waiting) - 1
	for i > 0 && h.before(d.waiting[(i-1)/2]) {
		d.waiting[i] = d.waiting[(i-1)/2]
		i = (i - 1) / 2
	}
	d.waiting[i] = h
	if i == 0 {
		d.sim.Arm(d.timer, when)
	}
}

// release takes the first packet out of waiting.
func (d *Delayer) release() held {
	first, n := d.waiting[0], len(d.waiting)-1
	h := d.waiting[n]
	d.waiting = d.waiting[:n]
	i := 0
	for {
		child := 2*i + 1
		if child+1 < n && d.waiting[child+1].before(d.waiting[child]) {
			child++
		}
		if child >= n || h.before(d.waiting[child]) {
			break
		}
		d.waiting[i] = d.waiting[child]
		i = child
	}
	if n > 0 {
		d.waiting[i] = h
	}
	return first
}

// HandleTimer passes on the packet whose time has come.
func (d *Delayer) HandleTimer(now des.Time, _ uint64) {
	h := d.release()
	if len(d.waiting) > 0 {
		d.sim.Arm(d.timer, d.waiting[0].when)
	}
	d.out = d.slots[h.slot]
	d.free = append(d.free, h.slot)
	d.pass(now, &d.out)
}

// held counts the packets that wait, with overhead bytes for each.
func (d *Delayer) held(overhead uint32) Count {
	var c Count
	for _, h := range d.waiting {
		c.add(d.slots[h.slot].IPLen() + overhead)
	}
	return c
}

// Flow returns what went through the element.
func (d *Delayer) Flow() Flow {
	f := d.flow
	f.Held = d.held(0)
	return f
}
