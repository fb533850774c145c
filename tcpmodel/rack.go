package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// rackPersist is for how many recoveries a widened reordering window lasts.
const rackPersist = 16

// probeMargin is added to timeouts of loss probes and of the reordering timer
// (Linux's TCP_TIMEOUT_MIN_US).
const probeMargin = 2 * des.Millisecond

// rack is loss detection by time (RFC 8985 section 6): a segment is lost when
// one that was sent later has arrived and the reordering window is over.
type rack struct {
	// order is that of the segment sent last of those that arrived, rtt its
	// round-trip time.
	order    uint32
	rtt      des.Time
	advanced bool
	// steps widens the reordering window, in quarters of the minimum RTT.
	steps         uint8
	persist       uint8
	dsackSeen     bool
	lastDelivered uint32
}

// sentAfter tells which of two transmissions was the later one. RFC 8985 has to
// compare times and, where they are equal, sequence numbers; many segments
// leave in one instant of a simulation, and their order is known.
func sentAfter(order1, order2 uint32) bool { return int32(order1-order2) > 0 }

// rackAdvance takes note of the arrival of s (RFC 8985 section 6.2 step 2).
func (ep *Endpoint) rackAdvance(now des.Time, s *sentSegment) {
	r := &ep.rack
	rtt := now - s.sentAt
	if s.flags&(sentRetrans|sentEver) != 0 && rtt < ep.rtt.lowest() {
		// Too early to be the answer to the retransmission.
		return
	}
	r.advanced = true
	r.rtt = rtt
	if sentAfter(s.order, r.order) {
		r.order = s.order
	}
}

// rackWindow is the reordering window (RFC 8985 section 6.2 step 4).
func (ep *Endpoint) rackWindow() des.Time {
	if !ep.reordSeen && (ep.ca >= caRecovery || ep.sackedOut >= ep.reordering) {
		return 0
	}
	return min(ep.rtt.lowest()/4*des.Time(max(ep.rack.steps, 1)), ep.rtt.srtt)
}

// rackRemaining is how long to wait before s is taken for lost.
func (ep *Endpoint) rackRemaining(now des.Time, s *sentSegment, window des.Time) des.Time {
	return s.sentAt + ep.rack.rtt + window - now
}

// rackDetect marks what is lost, and returns how long to wait for the rest of
// what was sent before the newest arrival, 0 if there is nothing to wait for.
func (ep *Endpoint) rackDetect(now des.Time) (wait des.Time) {
	window := ep.rackWindow()
	var next uint32
	for pos := ep.rtx.oldest; pos != 0; pos = next {
		s := ep.rtx.at(pos)
		next = s.newer
		if s.flags&sentLost != 0 && s.flags&sentRetrans == 0 {
			continue
		}
		if !sentAfter(ep.rack.order, s.order) {
			break
		}
		if left := ep.rackRemaining(now, s, window); left > 0 {
			wait = max(wait, left)
			continue
		}
		ep.markLost(s)
		ep.rtx.untime(pos)
	}
	return wait
}

// rackMarkLost runs loss detection after an ACK and starts the reordering
// timer if some segments may still arrive. It reports whether it did.
func (ep *Endpoint) rackMarkLost(now des.Time) bool {
	if !ep.rack.advanced {
		return false
	}
	ep.rack.advanced = false
	wait := ep.rackDetect(now)
	if wait == 0 {
		return false
	}
	ep.pendingXmit = xmitReorder
	ep.arm(now, timerRTO, now+min(wait+probeMargin, ep.rto))
	return true
}

// reorderTimeout is the expiry of the reordering timer.
func (ep *Endpoint) reorderTimeout(now des.Time) {
	ep.in = arrival{}
	before := ep.inFlight()
	ep.rackDetect(now)
	if before != ep.inFlight() {
		if ep.ca != caRecovery {
			ep.enterRecovery(now)
			ep.reduce(1, ep.in.lost, false)
		}
		ep.retransmitLost(now)
	}
	if ep.pendingXmit != xmitRTO {
		ep.rearmRTO(now)
	}
}

// rackAdapt widens the reordering window in rounds in which a D-SACK shows
// that it was too narrow (RFC 8985 section 6.2 step 4).
func (ep *Endpoint) rackAdapt() {
	r := &ep.rack
	prior := ep.delivered - ep.in.delivered
	if prior == 0 {
		return
	}
	if int32(prior-r.lastDelivered) < 0 {
		r.dsackSeen = false
	}
	if r.dsackSeen {
		if r.steps < 255 {
			r.steps = max(r.steps, 1) + 1
		}
		r.dsackSeen = false
		r.lastDelivered = ep.delivered
		r.persist = rackPersist
	} else if r.persist == 0 {
		r.steps = 1
	}
}

// tlp is the tail loss probe (RFC 8985 section 7).
type tlp struct {
	// on: a probe is out, and highSeq was SND.NXT after it. retrans: the
	// probe repeated data.
	on      bool
	retrans bool
	highSeq segment.Seq
}

// scheduleProbe starts the timer of a loss probe where RFC 8985 section 7.2
// calls for one, and reports whether it did. restart says that the
// retransmission timer would start anew now.
func (ep *Endpoint) scheduleProbe(now des.Time, restart bool) bool {
	if !ep.st.cfg.TLP || ep.rtx.len() == 0 || ep.fast.pending || !ep.opt.sackOK || ep.ca != caOpen && ep.ca != caCWR {
		return false
	}
	wait := ep.st.cfg.InitialRTO
	if ep.rtt.samples > 0 {
		wait = 2 * ep.rtt.srtt
		if ep.rtx.len() == 1 {
			wait += ep.st.cfg.RTOMin
		} else {
			wait += probeMargin
		}
	}
	left := ep.rto
	if !restart {
		left = ep.rtx.at(ep.rtx.head).sentAt + ep.rto - now
	}
	if left > 0 {
		wait = min(wait, left)
	}
	ep.pendingXmit = xmitProbe
	ep.arm(now, timerRTO, now+wait)
	return true
}

// probeTimeout sends a loss probe: new data if the peer's window takes them,
// else the last segment again (RFC 8985 section 7.3).
func (ep *Endpoint) probeTimeout(now des.Time) {
	if ep.rtx.len() == 0 {
		ep.pendingXmit = xmitNone
		return
	}
	if ep.tlp.on {
		ep.rearmRTO(now)
		return
	}
	ep.tlp.retrans = false
	sent := false
	if n := min(ep.ready(), ep.boundMSS()); n > 0 {
		if ep.windowTakes(&n, ep.boundMSS()) {
			ep.sendNew(now, n, ep.finQueued && n == ep.unsent())
			sent = true
		}
	} else if ep.finQueued && !ep.finSent {
		// A FIN that the window held back is new, too.
		ep.sendNew(now, 0, true)
		sent = true
	} else {
		ep.resend(now, ep.rtx.tail-1, CauseProbe)
		ep.tlp.retrans, sent = true, true
	}
	if !sent {
		ep.rearmRTO(now)
		return
	}
	ep.tlp.on, ep.tlp.highSeq = true, ep.sndNxt
	ep.st.counters.TCPLossProbes++
	ep.pendingXmit = xmitNone
	ep.rearmRTO(now)
}

// probeAcked looks whether an ACK answers a loss probe, and whether the probe
// repaired a loss that then has to reduce the window (RFC 8985 section 7.4).
func (ep *Endpoint) probeAcked(ack segment.Seq) {
	p, in := &ep.tlp, &ep.in
	if !p.on || ack.Less(p.highSeq) {
		return
	}
	now := ep.st.sim.Now()
	switch {
	case !p.retrans, in.flags&ackDsackProbe != 0:
		p.on = false
	case p.highSeq.Less(ack):
		ep.startReduction(now)
		ep.ca = caCWR
		ep.endReduction()
		ep.keepOpen(now)
	case in.flags&(ackAdvanced|ackNotDup|ackSacked) == 0:
		p.on = false
	}
}
