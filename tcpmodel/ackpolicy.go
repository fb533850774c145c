package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Linux's delayed-acknowledgement engine.
const (
	atoMin      = 40 * des.Millisecond
	delackMin   = 40 * des.Millisecond
	delackMax   = 200 * des.Millisecond
	quickAckMax = 16
	// pingpongThreshold is net.ipv4.tcp_pingpong_thresh.
	pingpongThreshold = 1
)

// ackState is when the next acknowledgement is due.
type ackState struct {
	// scheduled: something waits to be acknowledged. now: at once.
	scheduled, now bool
	// pushed and pushed2: one, or more than one, small segment has come.
	pushed, pushed2 bool
	pingpong        uint8
	quick           uint8
	// ato adapts to the time between segments; 0 before the first.
	ato      des.Time
	lastData des.Time
	// rcvMSS is the guess of the peer's segment size.
	rcvMSS uint32
	// dups counts the ACKs that were sent for segments out of order at
	// RCV.NXT = dupsAt, compressed those that wait for timerSack.
	dups, compressed uint8
	dupsAt           segment.Seq
}

// enoughDups is how many duplicate ACKs are never held back: those that fast
// retransmit without SACK needs.
const enoughDups = 3

func (a *ackState) inPingpong() bool { return a.pingpong >= pingpongThreshold }
func (a *ackState) inQuick() bool    { return a.quick > 0 && !a.inPingpong() }

func (a *ackState) incrQuick(ep *Endpoint, limit uint32) {
	n := ep.rcvWnd / (2 * max(a.rcvMSS, 1))
	if n == 0 {
		n = 2
	}
	a.quick = max(a.quick, uint8(min(n, limit)))
}

func (a *ackState) enterQuick(ep *Endpoint) { a.enterQuickFor(ep, quickAckMax) }

// enterQuickFor starts quick-ACK mode for at most that many segments.
func (a *ackState) enterQuickFor(ep *Endpoint, limit uint32) {
	a.incrQuick(ep, limit)
	a.pingpong = 0
	a.ato = atoMin
}

// received takes note of a segment with data (Linux's tcp_event_data_recv).
func (a *ackState) received(now des.Time, ep *Endpoint, seg *segment.Segment) {
	a.scheduled = true
	ep.measureWindow(now)
	a.measureMSS(ep, seg)
	if a.ato == 0 {
		a.incrQuick(ep, quickAckMax)
		a.ato = atoMin
	} else {
		m := now - a.lastData
		switch {
		case m <= atoMin/2:
			a.ato = a.ato/2 + atoMin/2
		case m < a.ato:
			a.ato = min(a.ato/2+m, ep.rto)
		case m > ep.rto:
			a.incrQuick(ep, quickAckMax)
		}
	}
	a.lastData = now
	ep.ecnReceive(now, seg)
	if seg.Len >= smallestToGrow {
		ep.growWindow(seg.Len)
	}
}

// smallestToGrow is the payload of a segment in order that lets the window grow.
const smallestToGrow = 128

// measureMSS guesses the peer's segment size.
func (a *ackState) measureMSS(ep *Endpoint, seg *segment.Segment) {
	if seg.Len < a.rcvMSS {
		a.pushed2 = a.pushed2 || a.pushed
		a.pushed = true
		return
	}
	if seg.Len != a.rcvMSS {
		ep.measureOverhead(seg.Len)
	}
	a.rcvMSS = min(seg.Len, ep.advMSS())
	if seg.Has(segment.PSH) {
		a.pushed = true
	}
}

// outOfOrder takes note of a segment beyond RCV.NXT (Linux's
// tcp_data_queue_ofo). RFC 5681 section 4.2 has it acknowledged at once.
func (a *ackState) outOfOrder(now des.Time, ep *Endpoint, seg *segment.Segment) {
	a.scheduled = true
	a.now = a.now || ep.st.cfg.AckPolicy != AckLinux
	a.measureMSS(ep, seg)
	ep.ecnReceive(now, seg)
	if ep.opt.sackOK {
		ep.growWindow(seg.Len)
	}
	if ep.listener == nil {
		ep.growBuffer(ep.autotune.space)
	}
}

// sent takes note that an acknowledgement has left, alone or with data.
func (a *ackState) sent() {
	if a.quick > 0 {
		if a.quick--; a.quick == 0 {
			a.ato = atoMin
		}
	}
	a.scheduled, a.now, a.pushed, a.pushed2 = false, false, false, false
	a.compressed = 0
}

// dataSent takes note of data sent: an answer that follows a question at once
// makes the connection interactive, and ACKs wait for data to ride on.
func (a *ackState) dataSent(now des.Time) {
	if a.ato > 0 && now-a.lastData < a.ato && a.pingpong < 255 {
		a.pingpong++
	}
}

// maybeAck sends or schedules the acknowledgement of what has arrived (RFC
// 9293 section 3.8.6.3).
func (ep *Endpoint) maybeAck(now des.Time) {
	a := &ep.ack
	if !a.scheduled && !a.now {
		return
	}
	if a.now || ep.ackDue() {
		ep.sendAck(now, CauseSegment)
		return
	}
	if len(ep.ooo) > 0 {
		ep.ackDisorder(now)
		return
	}
	ep.delayAck(now)
}

// ackDisorder acknowledges while something is missing. After the first few ACKs
// a peer that understands SACK gets one for many segments (tcp_comp_sack_*).
func (ep *Endpoint) ackDisorder(now des.Time) {
	a, cfg := &ep.ack, &ep.st.cfg
	if a.dupsAt != ep.rcvNxt {
		a.dupsAt, a.dups = ep.rcvNxt, 0
	}
	if !ep.opt.sackOK || int(a.compressed) >= cfg.CompSackNr || a.dups < enoughDups {
		a.dups = min(a.dups+1, enoughDups)
		ep.sendAck(now, CauseSegment)
		return
	}
	a.compressed++
	if ep.armed(timerSack) {
		return
	}
	rtt := ep.autotune.rtt
	if ep.rtt.srtt > 0 {
		rtt = min(rtt, ep.rtt.srtt)
	}
	ep.armExactly(timerSack, now+min(cfg.CompSackDelay, rtt/20))
}

// flushAcks sends the ACK that stands for those that were held back.
func (ep *Endpoint) flushAcks(now des.Time) {
	if ep.ack.compressed > 0 {
		ep.sendAck(now, CauseDelayedAck)
	}
}

func (ep *Endpoint) ackDue() bool {
	a := &ep.ack
	waiting := ep.rcvNxt.Sub(ep.rcvWup)
	switch ep.st.cfg.AckPolicy {
	case AckImmediate:
		return true
	case AckRFC:
		return waiting >= 2*int32(min(a.rcvMSS, ep.advMSS()))
	}
	if a.inQuick() {
		return true
	}
	return waiting > int32(a.rcvMSS) && (ep.readable == 0 || ep.newWindow() >= ep.rcvWnd)
}

// delayAck starts the delayed-ACK timer.
func (ep *Endpoint) delayAck(now des.Time) {
	if ep.st.cfg.AckPolicy != AckLinux {
		if !ep.armed(timerDelack) {
			ep.arm(now, timerDelack, now+ep.st.cfg.DelackTime)
		}
		return
	}
	a := &ep.ack
	ato := a.ato
	if ato > delackMin {
		limit := des.Second / 2
		if a.inPingpong() || a.pushed {
			limit = delackMax
		}
		if ep.rtt.srtt > 0 {
			limit = min(limit, max(ep.rtt.srtt, delackMin))
		}
		ato = min(ato, limit)
	}
	ato = min(ato, delackMax)
	at := now + ato
	if ep.armed(timerDelack) {
		if ep.deadline[timerDelack] <= now+ato/4 {
			ep.sendAck(now, CauseDelayedAck)
			return
		}
		at = min(at, ep.deadline[timerDelack])
	}
	ep.arm(now, timerDelack, at)
}

func (ep *Endpoint) delackTimeout(now des.Time) {
	a := &ep.ack
	if !a.scheduled {
		return
	}
	if !a.inPingpong() {
		a.ato = min(a.ato*2, ep.rto)
	} else {
		a.pingpong = 0
		a.ato = atoMin
	}
	ep.st.counters.DelayedACKs++
	ep.sendAck(now, CauseDelayedAck)
}
