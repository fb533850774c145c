package network

import (
	"errors"
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// egress is what a packet of an impaired link passes between the end of the
// wire and the receiver: duplication, then corruption of each copy for itself,
// then jitter and reordering.
type egress struct {
	first   Sink
	delayer *Delayer
	link    *Link
	copy    segment.Segment
}

// impaired reports whether every packet must go through the egress.
func (c *LinkConfig) impaired() bool {
	return c.Duplicate > 0 || c.Corrupt > 0 || c.Jitter.Span > 0 || c.Reorder.Probability > 0
}

// newEgress returns the egress of a link, nil if none is needed.
func newEgress(l *Link, c *LinkConfig) (*egress, error) {
	needed := c.impaired()
	for _, f := range c.Faults {
		needed = needed || f.Action != Drop
	}
	if !needed {
		return nil, nil
	}
	e := &egress{link: l}
	var err error
	if e.delayer, err = newDelayer(l.sim, l.component, "link "+l.name, DelayConfig{c.Jitter, c.Reorder}, (*arrivals)(l)); err != nil {
		return nil, err
	}
	e.first = e.delayer
	if c.Corrupt > 0 {
		corrupter, err := NewCorrupter(l.sim, "link "+l.name, c.Corrupt, e.first)
		if err != nil {
			return nil, err
		}
		corrupter.observe = l.observeCorruption
		e.first = corrupter
	}
	if c.Duplicate > 0 {
		duplicator, err := NewDuplicator(l.sim, "link "+l.name, c.Duplicate, e.first)
		if err != nil {
			return nil, err
		}
		duplicator.observe = l.observeDuplication
		e.first = duplicator
	}
	return e, nil
}

// observeCorruption counts a packet that the egress corrupts.
func (l *Link) observeCorruption(_ des.Time, seg *segment.Segment) {
	l.stats.corrupted.add(seg.IPLen() + l.overhead)
}

// observeDuplication counts a packet that the egress makes.
func (l *Link) observeDuplication(now des.Time, seg *segment.Segment) {
	l.stats.created.add(seg.IPLen() + l.overhead)
	if len(l.taps) > 0 {
		l.tell(now, Duplicated, seg)
	}
}

// divert brings a packet whose fate is not 0 from the end of the wire to its
// end. seg is the packet's place in the ring, which stays taken meanwhile.
func (l *Link) divert(now des.Time, seg *segment.Segment, p packet) {
	if p.fate&fateLost != 0 {
		l.stats.lost.add(p.size)
		if len(l.taps) > 0 {
			l.tell(now, Lost, seg)
		}
		return
	}
	l.stats.diverted.add(p.size)
	e := l.egress
	if p.fate&fateCorrupt != 0 && !seg.Corrupt {
		seg.Corrupt = true
		l.observeCorruption(now, seg)
	}
	if p.fate>>faultShift > 0 {
		e.delayer.extra = l.gate.faults.extra(p.fate)
	}
	e.copy = *seg
	l.delivering = 1
	e.first.Receive(now, seg)
	if p.fate&fateDuplicate != 0 {
		l.observeDuplication(now, &e.copy)
		e.first.Receive(now, &e.copy)
	}
	l.delivering = 0
	e.delayer.extra = 0
}

// arrivals is the end of a link's egress.
type arrivals Link

// Receive delivers a packet.
func (a *arrivals) Receive(now des.Time, seg *segment.Segment) {
	l := (*Link)(a)
	l.stats.left.add(seg.IPLen() + l.overhead)
	if len(l.taps) > 0 {
		l.tell(now, Delivered, seg)
	}
	l.next.Receive(now, seg)
}

// check returns an error if packets are missing in the egress.
func (e *egress) check() error {
	a := &e.link.stats
	if in, out := a.diverted.plus(a.created).minus(a.left), e.delayer.held(e.link.overhead); in != out {
		return fmt.Errorf("%v are between the wire and the receiver, but jitter and reordering hold %v", in, out)
	}
	var problems []error
	for sink := e.first; sink != (*arrivals)(e.link); {
		element := sink.(interface {
			Flow() Flow
			Next() Sink
		})
		problems = append(problems, element.Flow().Check())
		sink = element.Next()
	}
	return errors.Join(problems...)
}
