package network

import (
	"errors"
	"fmt"
	"math"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// CoDel is controlled delay (RFC 8289): packets are dropped from the head of
// the queue once every packet has waited for Target or longer during an
// Interval, and then ever faster until the delay is below Target.
type CoDel struct {
	// Target is the delay that a standing queue may have, Interval the time in
	// which good queues drain: about the longest round trip of most flows.
	Target, Interval des.Time
	// ECN marks packets from ECN-capable transports instead of dropping them.
	ECN bool
	// CEThreshold marks every packet from an ECN-capable transport that has
	// waited longer, with or without ECN (ce_threshold of Linux, for DCTCP).
	// 0 is off.
	CEThreshold des.Time
	// MTU is the queue in bytes up to which nothing is dropped.
	MTU int
}

// DefaultCoDel returns CoDel with the parameters of RFC 8289 section 4.4: a
// target of 5 ms and an interval of 100 ms, without ECN.
func DefaultCoDel() CoDel {
	return CoDel{Target: 5 * des.Millisecond, Interval: 100 * des.Millisecond, MTU: 1514}
}

// Name returns "codel".
func (CoDel) Name() string { return "codel" }

// Validate returns what is wrong with the parameters, all of it.
func (c CoDel) Validate() error {
	var problems []error
	if c.Target <= 0 || c.Interval <= c.Target || c.Interval > des.Hour {
		problems = append(problems, fmt.Errorf("target of %v, interval of %v: must be above 0, the interval longer and at most 1h", c.Target, c.Interval))
	}
	if c.CEThreshold < 0 {
		problems = append(problems, fmt.Errorf("ce threshold of %v: must not be negative (0 is off)", c.CEThreshold))
	}
	if c.MTU < 0 || c.MTU > maxBurst {
		problems = append(problems, fmt.Errorf("mtu of %d bytes: must be 0 to %d", c.MTU, maxBurst))
	}
	return errors.Join(problems...)
}

func (c CoDel) build(q *paced) discipline { return &codel{CoDel: c, fifo: fifo{q: q}} }

type codel struct {
	CoDel
	fifo
	state codelState
}

func (d *codel) admit(_ des.Time, _ *segment.Segment, size uint32) verdict {
	if d.q.full(size) {
		return dropFull
	}
	return admit
}

func (d *codel) pop(now des.Time) slot {
	return d.state.pop(now, d.q, &d.CoDel, &d.list, &d.bytes)
}

// codelState is the control of one queue, with the names of RFC 8289 section 5.
type codelState struct {
	firstAboveTime   des.Time // 0: the delay is below the target
	dropNext         des.Time
	count, lastCount uint32
	dropping         bool
}

// controlLaw returns the time of the drop after one at t (RFC 8289 section 5.6).
// The square root and the quotient are rounded in the one way that IEEE 754 has.
func controlLaw(c *CoDel, t des.Time, count uint32) des.Time {
	return t + des.Time(float64(c.Interval)/math.Sqrt(float64(count)))
}

// take removes the head of from and reports whether it may be dropped (dodequeue
// of RFC 8289 section 5.5). backlog is the queue behind it in bytes.
func (d *codelState) take(now des.Time, q *paced, c *CoDel, from *list, backlog *uint64) (s slot, ok bool) {
	if s = from.remove(q); s == none {
		d.firstAboveTime = 0
		return none, false
	}
	if backlog != &from.bytes {
		*backlog -= uint64(q.slots[s].size)
	}
	switch sojourn := now - q.slots[s].arrived; {
	case sojourn < c.Target || *backlog <= uint64(c.MTU):
		d.firstAboveTime = 0
	case d.firstAboveTime == 0:
		d.firstAboveTime = now + c.Interval
	case now >= d.firstAboveTime:
		return s, true
	}
	return s, false
}

// pop returns the packet to send next (dequeue of RFC 8289 section 5.5).
// Packets are marked as Linux does it: one that would be dropped is sent.
func (d *codelState) pop(now des.Time, q *paced, c *CoDel, from *list, backlog *uint64) slot {
	s, ok := d.take(now, q, c, from, backlog)
	marked := false
	switch {
	case d.dropping && !ok:
		d.dropping = false
	case d.dropping:
		for d.dropping && now >= d.dropNext {
			d.count++
			if marked = d.mark(q, c, s); marked {
				d.dropNext = controlLaw(c, d.dropNext, d.count)
				break
			}
			q.discard(now, s)
			if s, ok = d.take(now, q, c, from, backlog); ok {
				d.dropNext = controlLaw(c, d.dropNext, d.count)
			} else {
				d.dropping = false
			}
		}
	case ok:
		if marked = d.mark(q, c, s); !marked {
			q.discard(now, s)
			s, _ = d.take(now, q, c, from, backlog)
		}
		d.dropping = true
		// If the last time was not long ago, begin near the rate of drops
		// that controlled the queue then.
		delta := d.count - d.lastCount
		d.count = 1
		if delta > 1 && now-d.dropNext < 16*c.Interval {
			d.count = delta
		}
		d.dropNext = controlLaw(c, now, d.count)
		d.lastCount = d.count
	}
	if s != none && !marked && c.CEThreshold > 0 && now-q.slots[s].arrived > c.CEThreshold && checkECN(&q.slots[s].seg) {
		q.mark(s)
	}
	return s
}

// mark marks a packet instead of dropping it, if that is allowed.
func (d *codelState) mark(q *paced, c *CoDel, s slot) bool {
	if !c.ECN || !checkECN(&q.slots[s].seg) {
		return false
	}
	q.mark(s)
	return true
}
