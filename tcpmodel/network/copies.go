package network

import (
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Duplicator is an element that passes some packets on twice, at once.
type Duplicator struct {
	Element
	chance  chance
	rng     *rand.Rand
	copy    segment.Segment
	observe func(now des.Time, seg *segment.Segment) // may be nil
}

// NewDuplicator returns a Duplicator that makes a second packet of each with
// that probability, for itself. The name must be unique among the links and
// elements of the simulation.
func NewDuplicator(sim *des.Sim, name string, probability float64, next Sink) (*Duplicator, error) {
	if err := checkProbability("duplication", probability); err != nil {
		return nil, fmt.Errorf("duplicator %s: %w", name, err)
	}
	return &Duplicator{Element: Element{next: next}, chance: newChance(probability), rng: sim.Stream("duplication of " + name)}, nil
}

// Receive passes a packet on, perhaps twice.
func (d *Duplicator) Receive(now des.Time, seg *segment.Segment) {
	d.flow.In.add(seg.IPLen())
	if !d.chance.hits(d.rng) {
		d.pass(now, seg)
		return
	}
	d.copy = *seg
	d.flow.Created.add(seg.IPLen())
	if d.observe != nil {
		d.observe(now, seg)
	}
	d.pass(now, seg)
	d.pass(now, &d.copy)
}

// Corrupter is an element that changes bits of some packets (segment.Corrupt).
type Corrupter struct {
	Element
	chance  chance
	rng     *rand.Rand
	copy    segment.Segment
	changed Count
	observe func(now des.Time, seg *segment.Segment) // may be nil
}

// NewCorrupter returns a Corrupter that changes each packet with that
// probability, for itself. The name must be unique among the links and elements
// of the simulation.
func NewCorrupter(sim *des.Sim, name string, probability float64, next Sink) (*Corrupter, error) {
	if err := checkProbability("corruption", probability); err != nil {
		return nil, fmt.Errorf("corrupter %s: %w", name, err)
	}
	return &Corrupter{Element: Element{next: next}, chance: newChance(probability), rng: sim.Stream("corruption of " + name)}, nil
}

// Corrupted returns how many packets were changed.
func (c *Corrupter) Corrupted() Count { return c.changed }

// Receive passes a packet on, perhaps changed.
func (c *Corrupter) Receive(now des.Time, seg *segment.Segment) {
	c.flow.In.add(seg.IPLen())
	if !c.chance.hits(c.rng) || seg.Corrupt {
		c.pass(now, seg)
		return
	}
	c.copy = *seg
	c.copy.Corrupt = true
	c.changed.add(seg.IPLen())
	if c.observe != nil {
		c.observe(now, &c.copy)
	}
	c.pass(now, &c.copy)
}
