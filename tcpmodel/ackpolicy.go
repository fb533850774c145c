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
}

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
	ep.measureReceiveRTT(now, seg)
	if seg.Len >= a.rcvMSS {
		if seg.Len != a.rcvMSS {
			ep.measureOverhead(seg.Len)
		}
		a.rcvMSS = min(seg.Len, ep.advMSS())
		if seg.Has(segment.PSH) {
			a.pushed = true
		}
	} else {
		a.pushed2 = a.pushed2 || a.pushed
		a.pushed = true
	}
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
	ep.growWindow(seg)
}

// sent takes note that an acknowledgement has left, alone or with data.
func (a *ackState) sent() {
	if a.quick > 0 {
		if a.quick--; a.quick == 0 {
			a.ato = atoMin
		}
	}
	a.scheduled, a.now, a.pushed, a.pushed2 = false, false, false, false
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
	ep.delayAck(now)
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
