package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// arrive is SEGMENT ARRIVES (RFC 9293 section 3.10.7) for an endpoint; CLOSED
// is Stack.reset, LISTEN is Listener.arrives, a passive SYN-RECEIVED is
// Stack.requestArrives and TIME-WAIT is Stack.timeWaitArrives.
func (ep *Endpoint) arrive(now des.Time, seg *segment.Segment) {
	ep.st.traceSegment(now, ep.key, ep.serial, false, seg, CauseNone)
	ep.process(now, seg)
}

// process is arrive for a segment that has been traced.
func (ep *Endpoint) process(now des.Time, seg *segment.Segment) {
	ep.stats.SegsIn++
	if ep.state == SynSent {
		ep.arriveSynSent(now, seg)
		return
	}
	ep.arriveOtherwise(now, seg)
}

// synRetryDelay is Linux's TCP_TIMEOUT_MIN at 250 ticks a second.
const synRetryDelay = 8 * des.Millisecond

// arriveSynSent is RFC 9293 section 3.10.7.3.
func (ep *Endpoint) arriveSynSent(now des.Time, seg *segment.Segment) {
	st := ep.st
	stamped := ep.st.cfg.Timestamps && seg.Opts&segment.OptTimestamps != 0
	// First: the ACK.
	if seg.Has(segment.ACK) {
		bad := seg.Ack.LessEq(ep.iss) || ep.sndNxt.Less(seg.Ack)
		if bad && ep.retries == 0 && st.cfg.RTO == RTOLinux {
			// Linux tries again after two ticks.
			ep.arm(now, timerRTO, now+synRetryDelay)
		}
		// A time stamp that echoes nothing that was sent is as bad (Linux).
		if !bad && stamped && seg.TSEcr != 0 {
			first, last := tsClock(ep.synSentAt)+ep.tsOffset, tsClock(now)+ep.tsOffset
			bad = int32(seg.TSEcr-first) < 0 || int32(last-seg.TSEcr) < 0
		}
		if bad {
			st.reset(now, seg)
			return
		}
	}
	// Second: the RST.
	if seg.Has(segment.RST) {
		if seg.Has(segment.ACK) {
			st.counters.AttemptFails++
			ep.finish(now, ECONNREFUSED, CauseReset)
		}
		return
	}
	// Fourth: the SYN.
	if !seg.Has(segment.SYN) {
		return
	}
	ep.opt = st.cfg.agree(seg, st.cfg.rcvWScaleFor(ep.rcvBuf, ep.rcvBufLocked))
	if ep.opt.tsOK {
		ep.tsRecent, ep.tsRecentAt = seg.TSVal, now
	}
	ep.ecn.ok = (st.cfg.ECN == 1 || ep.ecn.reader != nil) && seg.Flags&ecnSyn == segment.ECE && seg.Has(segment.ACK) ||
		ep.opt.ecnOK && !seg.Has(segment.ACK)
	ep.irs, ep.rcvNxt = seg.Seq, seg.Seq+1
	ep.rcvWup, ep.copiedSeq = ep.rcvNxt, ep.rcvNxt
	ep.setMSS()
	ep.sndWnd, ep.maxWindow = uint32(seg.Wnd), uint32(seg.Wnd)
	ep.sndWl1 = seg.Seq
	if !seg.Has(segment.ACK) {
		// Simultaneous open: our SYN again, now with the ACK.
		ep.setState(now, SynReceived, CauseSegment)
		ep.sendSegment(now, ep.rtx.at(ep.rtx.head), CauseSegment)
		ep.armRTO(now)
		return
	}
	ep.lastAck = now
	ep.ackSyn(now, seg)
	ep.established(now)
	ep.ackSynAck(now, seg)
	ep.output(now)
}

// ackSynAck sends the third segment of the handshake. Without Fast Open data or
// a FIN on the SYN-ACK are not taken: the peer sends them again.
func (ep *Endpoint) ackSynAck(now des.Time, seg *segment.Segment) {
	if f := &ep.fast; f.asked || f.sent {
		if ep.synAnswered(now, seg) {
			return
		}
		if ep.unsent() > 0 {
			// Data are about to leave, and carry the ACK.
			ep.ack.scheduled, ep.ack.lastData = true, now
			ep.ack.enterQuick(ep)
			ep.arm(now, timerDelack, now+delackMax)
			return
		}
	}
	ep.sendAck(now, CauseSegment)
}

// ackSyn takes our SYN out of the retransmission queue.
func (ep *Endpoint) ackSyn(now des.Time, seg *segment.Segment) {
	if ep.rtx.len() > 0 {
		ep.unmark(ep.rtx.at(ep.rtx.head))
		ep.rtx.pop()
	}
	ep.delivered++
	ep.sndUna = ep.iss + 1
	switch {
	case ep.synSentAt == never:
	case ep.synRetransmits == 0:
		ep.rttSample(now, now-ep.synSentAt, now-ep.synSentAt)
	case ep.opt.tsOK && seg.Opts&segment.OptTimestamps != 0 && seg.TSEcr != 0:
		rtt := ep.echoed(now, seg.TSEcr)
		ep.rttSample(now, rtt, rtt)
	}
	ep.stop(timerRTO)
	ep.pendingXmit = xmitNone
	ep.undoRetrans = 0
	ep.retries, ep.backoff, ep.firstRetry = 0, 0, never
	ep.rto = ep.rtt.rto(&ep.st.cfg)
	if ep.synRetransmits > 0 && ep.rtt.samples == 0 {
		// RFC 6298 (5.7).
		ep.rto = max(ep.rto, 3*des.Second)
	}
}

// arriveOtherwise is RFC 9293 section 3.10.7.4, step by step. Each step
// reports whether to go on.
func (ep *Endpoint) arriveOtherwise(now des.Time, seg *segment.Segment) {
	if ep.fast.pending && ep.synAgain(now, seg) {
		return
	}
	if !ep.checkSeq(now, seg) ||
		!ep.checkRst(now, seg) ||
		!ep.checkSyn(now, seg) ||
		!ep.checkAck(now, seg) {
		return
	}
	ep.segmentText(now, seg)
	if ep.state == Closed {
		return
	}
	ep.checkFin(now, seg)
	if ep.state == Closed {
		return
	}
	ep.output(now)
	ep.maybeAck(now)
	ep.checkSpace()
}

// checkSeq is the first step: the time stamp (RFC 7323 section 5.3) and the
// sequence number.
func (ep *Endpoint) checkSeq(now des.Time, seg *segment.Segment) bool {
	stamped := ep.opt.tsOK && seg.Opts&segment.OptTimestamps != 0
	if stamped && int32(seg.TSVal-ep.tsRecent) < 0 && !seg.Has(segment.RST) && ep.pawsApplies(now, seg) {
		ep.st.counters.PAWSEstab++
		ep.replyOutOfWindow(now, seg)
		return false
	}
	if !ep.inWindow(seg) {
		if seg.Has(segment.RST) {
			return false
		}
		if seg.Has(segment.SYN) {
			ep.challengeAck(now)
			return false
		}
		if seg.SegLen() > 0 && seg.Seq.Less(ep.rcvNxt) {
			ep.duplicate(seg.Seq, minSeq(seg.End(), ep.rcvNxt))
		}
		ep.replyOutOfWindow(now, seg)
		return false
	}
	if ep.st.cfg.AckPolicy != AckLinux {
		ep.takeTimestamp(now, seg)
	}
	return true
}

// takeTimestamp keeps the time stamp to echo: that of the segment which is next
// in order (RFC 7323 section 4.3). Linux leaves it to the fifth step, so that a
// segment which that does not take, a SYN or an old ACK, leaves no trace.
func (ep *Endpoint) takeTimestamp(now des.Time, seg *segment.Segment) {
	if ep.opt.tsOK && seg.Opts&segment.OptTimestamps != 0 && seg.Seq.LessEq(ep.rcvWup) && int32(seg.TSVal-ep.tsRecent) >= 0 {
		ep.tsRecent, ep.tsRecentAt = seg.TSVal, now
	}
}

// pawsApplies tells a stale segment from a harmless one: an ACK that was
// overtaken on the way, or a connection idle for more than 24 days.
func (ep *Endpoint) pawsApplies(now des.Time, seg *segment.Segment) bool {
	if now-ep.tsRecentAt > 24*24*des.Hour {
		return false
	}
	disordered := seg.Len == 0 && !seg.Has(segment.SYN) && seg.Seq == ep.rcvNxt && seg.Ack == ep.sndUna &&
		int32(ep.tsRecent-seg.TSVal) <= int32(ep.rto/des.Millisecond)
	return !disordered
}

// inWindow is the test of the sequence number, in Linux's form: a segment may
// start left of the window as long as it ends where the peer may not know yet
// that we have got to, and may start at its right edge. What of its text is
// new is for segmentText to say.
func (ep *Endpoint) inWindow(seg *segment.Segment) bool {
	return ep.rcvWup.LessEq(seg.End()) && seg.Seq.LessEq(ep.rcvNxt.Add(ep.receiveWindow()))
}

// duplicate takes note of a repetition of [left, right): it is reported as
// D-SACK and acknowledged without delay.
func (ep *Endpoint) duplicate(left, right segment.Seq) {
	ep.reportDuplicate(left, right)
	ep.ack.enterQuick(ep)
	ep.ack.now = true
}

// replyOutOfWindow acknowledges an unacceptable segment; bare ACKs are
// answered within the limit of tcp_invalid_ratelimit alone, so that two ends
// cannot answer each other for ever.
func (ep *Endpoint) replyOutOfWindow(now des.Time, seg *segment.Segment) {
	if seg.Has(segment.RST) {
		return
	}
	if seg.Len == 0 && !seg.Has(segment.SYN) && !seg.Has(segment.FIN) && !ep.st.mayReply(now, &ep.lastReply) {
		return
	}
	ep.sendAck(now, CauseSegment)
}

// checkRst is the second step, with RFC 5961 section 3: only the exact
// sequence number resets, another one in the window draws a challenge ACK.
func (ep *Endpoint) checkRst(now des.Time, seg *segment.Segment) bool {
	if !seg.Has(segment.RST) {
		return true
	}
	exact := seg.Seq == ep.rcvNxt
	if n := len(ep.ooo); !exact && n > 0 && ep.opt.sackOK {
		exact = seg.Seq == ep.ooo[n-1].Right
	}
	if !exact {
		ep.challengeAck(now)
		return false
	}
	err := ECONNRESET
	switch ep.state {
	case SynReceived:
		ep.st.counters.AttemptFails++
		ep.leaveFastOpen(now, true)
		if !ep.passiveOpen {
			err = ECONNREFUSED
		}
	case CloseWait:
		err = EPIPE
	case Closing, LastAck:
		err = OK
	}
	if ep.state == Established || ep.state == CloseWait {
		ep.st.counters.EstabResets++
	}
	ep.finish(now, err, CauseReset)
	return false
}

// checkSyn is the fourth step: a SYN in the window draws a challenge ACK (RFC
// 5961 section 4).
func (ep *Endpoint) checkSyn(now des.Time, seg *segment.Segment) bool {
	if !seg.Has(segment.SYN) {
		return true
	}
	if ep.state == SynReceived && seg.Has(segment.ACK) && seg.Seq == ep.irs {
		// The SYN-ACK that completes a simultaneous open.
		return true
	}
	ep.challengeAck(now)
	return false
}

// checkAck is the fifth step.
func (ep *Endpoint) checkAck(now des.Time, seg *segment.Segment) bool {
	if !seg.Has(segment.ACK) {
		return false
	}
	switch {
	case ep.fast.pending:
		if !ep.synAckAcked(now, seg) {
			return false
		}
	case !ep.completes(now, seg), !ep.ackText(now, seg):
		return false
	}
	switch ep.state {
	case FinWait1:
		if ep.finAcked() {
			ep.setState(now, FinWait2, CauseSegment)
			if ep.closed && !ep.startFinTimeout(now) {
				return false
			}
		}
	case Closing:
		if ep.finAcked() {
			ep.enterTimeWait(now)
			return false
		}
	case LastAck:
		if ep.finAcked() {
			ep.finish(now, OK, CauseSegment)
			return false
		}
	}
	return true
}

// completes takes the ACK of our SYN in SYN-RECEIVED, and reports whether seg
// has it or none is needed.
func (ep *Endpoint) completes(now des.Time, seg *segment.Segment) bool {
	// A connection closed in SYN-RECEIVED is in FIN-WAIT-1 already.
	closedEarly := ep.state == FinWait1 && ep.sndUna == ep.iss
	if ep.state != SynReceived && !closedEarly {
		return true
	}
	if seg.Ack.LessEq(ep.sndUna) || ep.sndNxt.Less(seg.Ack) {
		ep.st.reset(now, seg)
		return false
	}
	ep.lastAck = now
	ep.sndWnd = uint32(seg.Wnd) << ep.opt.sndWScale
	ep.maxWindow = max(ep.maxWindow, ep.sndWnd)
	ep.sndWl1 = seg.Seq
	ep.ackSyn(now, seg)
	switch {
	case closedEarly:
		ep.opened(now)
		ep.rearmRTO(now)
	case ep.finQueued:
		ep.finQueued = false
		ep.established(now)
		ep.queueFIN(now)
	default:
		ep.established(now)
	}
	return true
}

func (ep *Endpoint) finAcked() bool { return ep.finSent && ep.sndUna == ep.sndNxt }

// segmentText is the seventh step.
func (ep *Endpoint) segmentText(now des.Time, seg *segment.Segment) {
	if seg.SegLen() == 0 {
		return
	}
	if seg.Has(segment.SYN) {
		ep.duplicate(seg.Seq, seg.Seq+1)
		return
	}
	if !ep.state.canReceive() {
		if seg.Len > 0 && ep.rcvNxt.Less(seg.Seq.Add(seg.Len)) {
			return
		}
		ep.text(now, seg)
		return
	}
	if ep.closed && seg.Len > 0 && ep.rcvNxt.Less(seg.Seq.Add(seg.Len)) {
		// Data for a user who is gone: RFC 9293 section 3.10.4 lets an end
		// that has closed reset, as Linux does.
		ep.st.counters.TCPAbortOnData++
		ep.st.reset(now, seg)
		ep.finish(now, OK, CauseReset)
		return
	}
	ep.text(now, seg)
}

// checkFin is the eighth step.
func (ep *Endpoint) checkFin(now des.Time, seg *segment.Segment) {
	fin := ep.finWaits || seg.Has(segment.FIN) && seg.Seq.Add(seg.Len) == ep.rcvNxt
	if !fin || ep.finSeen {
		return
	}
	ep.finWaits, ep.finSeen = false, true
	ep.rcvNxt++
	// Nothing after the end of the stream is of interest, nor reported.
	ep.ooo, ep.numBlocks, ep.dsack = ep.ooo[:0], 0, segment.Block{}
	ep.ack.scheduled = true
	switch ep.state {
	case Established:
		ep.setState(now, CloseWait, CauseSegment)
		ep.ack.pingpong = pingpongThreshold
	case FinWait1:
		// Our FIN is not acknowledged, else the state were FIN-WAIT-2.
		ep.ack.now = true
		ep.setState(now, Closing, CauseSegment)
	case FinWait2:
		ep.sendAck(now, CauseSegment)
		ep.wakeApp(EvReadable | EvPeerClosed)
		ep.enterTimeWait(now)
		return
	}
	ep.wakeApp(EvReadable | EvPeerClosed)
}
