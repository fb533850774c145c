package network

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// gate is what a packet passes before the queue of a link that has more than a
// drop-tail queue, a rate and a delay. It is where everything rare begins, so
// that a plain link pays one comparison for it.
type gate struct {
	link    *Link
	front   Sink // takes packets before the link does; nil: none
	behind  bool // the packet comes from front
	faults  *injector
	mtu     uint32 // 0: none
	reports *reports
	policer *Bucket
	largest uint32 // packet that the shaper can send; 0: any
	egress  bool   // every packet goes through the egress
	down    bool
	traced  bool
	paced   *paced
}

// newGate returns the gate of a link, nil if it needs none.
func newGate(l *Link, c *LinkConfig) *gate {
	g := &gate{link: l, faults: newInjector(c.Faults), mtu: uint32(c.MTU), traced: c.Trace != nil}
	needed := g.faults != nil || g.mtu > 0 || len(c.Changes) > 0
	if c.Policer.Rate > 0 {
		g.policer, needed = NewBucket(c.Policer, l.sim.Now()), true
	}
	if c.Shaper.Rate > 0 {
		g.largest = uint32(c.Shaper.Burst)
	}
	if c.impaired() {
		g.egress, needed = true, true
	}
	_, simple := c.Discipline.(DropTail)
	if c.Discipline != nil && !simple || c.Shaper.Rate > 0 || c.Trace != nil {
		g.paced, needed = newPaced(l, c), true
	}
	if !needed {
		return nil
	}
	return g
}

// pass decides about a packet that is offered to the link: whether it goes on
// to the link's own queue, and its fate there.
func (g *gate) pass(now des.Time, seg *segment.Segment, size uint32) (fate, bool) {
	l, f := g.link, fate(0)
	if g.front != nil {
		if !g.behind {
			g.front.Receive(now, seg)
			return 0, false
		}
		g.behind = false
	}
	if g.faults != nil {
		f = g.faults.strike(seg)
	}
	if g.egress {
		f |= fateEgress
	}
	switch {
	case g.down:
		l.stats.down.add(size)
	case g.mtu > 0 && seg.IPLen() > g.mtu:
		l.stats.oversize.add(size)
		l.drop(now, size, seg)
		if g.reports != nil {
			g.reports.send(now, seg, g.mtu)
		}
		return 0, false
	case g.largest > 0 && size > g.largest:
		l.stats.oversize.add(size)
	case g.policer != nil && !g.policer.Take(now, size):
		l.stats.policed.add(size)
	case g.paced != nil:
		g.paced.receive(now, seg, size, f)
		return 0, false
	default:
		return f, true
	}
	l.drop(now, size, seg)
	return 0, false
}

// Intercept has packets that are offered to the link go to front first, and
// returns what takes them into the link behind it: so a middlebox is put before
// the queue. The link's reports about packets that are too big go to reports
// instead of the node at its entrance. A link has one front at most.
func (l *Link) Intercept(front, reports Sink) (behind Sink) {
	if l.gate == nil {
		l.gate = &gate{link: l}
	}
	if l.gate.front != nil {
		panic("network: link " + l.name + " is intercepted already")
	}
	l.gate.front = front
	if l.gate.reports != nil {
		l.gate.reports.wire.SetNext(reports)
	}
	return (*behindFront)(l)
}

// behindFront is a link behind its front.
type behindFront Link

// Receive offers a packet to the link itself.
func (b *behindFront) Receive(now des.Time, seg *segment.Segment) {
	b.gate.behind = true
	(*Link)(b).Receive(now, seg)
}

// setDown takes the link down or up. What is in the queue is discarded when it
// goes down; what is on the wire is lost.
func (l *Link) setDown(now des.Time, down bool) {
	l.settle(now)
	l.gate.down = down
	if !down {
		return
	}
	mask := uint64(len(l.packets) - 1)
	if l.gate.paced != nil {
		l.gate.paced.clear(now)
	} else if l.served != l.tail {
		l.stats.abort(now - l.started)
		for i := l.served; i != l.tail; i++ {
			p := &l.packets[i&mask]
			l.stats.discard(now, p.when, l.tail-i, p.size)
			if len(l.taps) > 0 {
				l.tell(now, Discarded, &l.segments[i&mask])
			}
		}
		l.tail, l.finish, l.remainder = l.served, now, 0
		if l.head == l.served {
			l.sim.Stop(l.timer)
		}
	}
	for i := l.head; i != l.served; i++ {
		l.packets[i&mask].fate |= fateLost
	}
}
