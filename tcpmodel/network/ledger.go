package network

import (
	"errors"
	"fmt"

	"tcplab/tcpmodel/segment"
)

// Check verifies the books of the link exactly, by counting what is in it, and
// returns what is wrong:
//
//   - packets and bytes: Offered + Created = Dropped + Lost + Delivered +
//     what is in the queue, in service, on the wire and held by jitter and
//     reordering;
//   - Little's law: the integral of the queue is the sum of the times that
//     packets have spent in it, gone or still there; and each of those times
//     is waiting or service;
//   - tokens of the shaper and the policer.
//
// It may be called at any time between events.
func (l *Link) Check() error {
	s := l.Stats()
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	wire, queue, age := l.content()
	flying := wire.plus(queue)
	if e := l.egress; e != nil {
		flying = flying.plus(e.delayer.held(l.overhead))
		problems = append(problems, e.check())
	}
	if in, out := s.Offered.plus(s.Created), s.Dropped.plus(s.Lost).plus(s.Delivered).plus(flying); in != out {
		bad("offered or created %v, but dropped, lost, delivered and in flight are %v together", in, out)
	}
	if flying != s.InFlight || queue != s.Queued {
		bad("in flight %v, queued %v, but the counters say %v and %v", flying, queue, s.InFlight, s.Queued)
	}
	if spent := s.Sojourn + s.DiscardTime + age; s.PacketTime != spent {
		bad("Little's law: L*T = %d, but packets were there for %d", s.PacketTime, spent)
	}
	serving := uint64(0)
	if queue.Packets > 0 {
		serving = uint64(s.At - l.started)
	}
	if busy := uint64(s.Busy-l.stats.aborted) - serving; s.Wait+busy != s.Sojourn {
		bad("waits of %d and services of %d are not the sojourn times of %d", s.Wait, busy, s.Sojourn)
	}
	if reasons := s.Early.plus(s.Policed).plus(s.Oversize).plus(s.Down).plus(s.Discarded); reasons.Packets > s.Dropped.Packets || reasons.Bytes > s.Dropped.Bytes {
		bad("dropped %v, but for known reasons %v", s.Dropped, reasons)
	}
	if g := l.gate; g != nil {
		problems = append(problems, g.check())
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("link %s at %v: %w", l.name, s.At, err)
	}
	return nil
}

// content counts what is on the wire, and what is in the queue and for how long
// it has been, in packet nanoseconds.
func (l *Link) content() (wire, queue Count, age uint64) {
	now, mask := l.sim.Now(), uint64(len(l.packets)-1)
	for i := l.head; i != l.tail; i++ {
		p := &l.packets[i&mask]
		if i < l.served {
			wire.add(p.size)
			continue
		}
		queue.add(p.size)
		age += uint64(now - p.when)
	}
	if l.gate == nil || l.gate.paced == nil {
		return wire, queue, age
	}
	q := l.gate.paced
	unused := make([]bool, len(q.slots))
	for s := q.free; s != none; s = q.slots[s].next {
		unused[s] = true
	}
	for s := range q.slots {
		if !unused[s] {
			queue.add(q.slots[s].size)
			age += uint64(now - q.slots[s].arrived)
		}
	}
	return wire, queue, age
}

func (g *gate) check() error {
	var problems []error
	if g.policer != nil {
		problems = append(problems, within("policer", g.policer.Check()))
	}
	if g.reports != nil {
		problems = append(problems, g.reports.wire.Check())
	}
	if g.paced != nil {
		if s, ok := g.paced.server.(*shaper); ok {
			problems = append(problems, within("shaper", s.bucket.Check()))
		}
	}
	return errors.Join(problems...)
}

// Check verifies the books of the network exactly and returns what is wrong:
// those of every link, and that every packet that a link delivers to a router
// is offered to another link or has no route, and to a host is received or
// counted as dropped. Routers and hosts at links whose SetNext or Intercept was
// called are left out: what stands there may add packets and take them away. So
// are packets that something sends into a router's links past the router. It may be
// called at any time between events.
func (n *Network) Check() error {
	var problems []error
	in, out := map[segment.Node]Count{}, map[segment.Node]Count{}
	rewired := map[segment.Node]bool{}
	for _, l := range n.links {
		problems = append(problems, l.Check())
		s := l.Stats()
		in[l.to] = in[l.to].plus(l.bare(s.Delivered))
		out[l.from] = out[l.from].plus(l.bare(s.Offered))
		in[l.from] = in[l.from].plus(l.Reports())
		rewired[l.to] = rewired[l.to] || l.rewired
		rewired[l.from] = rewired[l.from] || l.gate != nil && l.gate.front != nil
	}
	for i := range n.nodes {
		v := &n.nodes[i]
		switch {
		case rewired[v.first]:
		case v.router != nil:
			if gone := out[v.first].plus(v.router.noRoute); in[v.first] != gone {
				problems = append(problems, fmt.Errorf("router %s: %v came, but sent on or without a route are %v", v.name, in[v.first], gone))
			}
		case v.host != nil:
			h := v.host
			if known := h.received + h.corrupted + h.misdelivered + h.undeliverable; in[v.first].Packets != known {
				problems = append(problems, fmt.Errorf("host %s: %d packets came, but received or dropped are %d", v.name, in[v.first].Packets, known))
			}
		}
	}
	return within("network", errors.Join(problems...))
}

// bare takes the overhead of the link out of a count.
func (l *Link) bare(c Count) Count {
	c.Bytes -= c.Packets * uint64(l.overhead)
	return c
}
