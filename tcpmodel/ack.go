package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/segment"
)

// ackFlags say what an ACK brought.
type ackFlags uint16

const (
	// ackAdvanced: SND.UNA moved. ackData: it acknowledged data, ackedSyn: our
	// SYN.
	ackAdvanced ackFlags = 1 << iota
	ackedData
	ackedSyn
	// ackCarries: the segment had text of its own.
	ackCarries
	// ackWindow: it updated the window.
	ackWindow
	// ackSacked: it reported segments for the first time.
	ackSacked
	// ackECE: it echoed congestion.
	ackECE
	// ackDsack: it reported a duplicate; ackDsackProbe: that of a loss probe.
	ackDsack
	ackDsackProbe
	// ackOriginal: it covered a segment that was sent only once, from before
	// the loss episode.
	ackOriginal
	// ackResent: it acknowledged a segment that was sent again.
	ackResent
	// ackLostAgain: it showed that a retransmission was lost.
	ackLostAgain
	// ackTimer: the retransmission timer has to be set anew.
	ackTimer
	// ackReneged: the peer took back what it had reported.
	ackReneged

	ackAnyNew  = ackedData | ackedSyn
	ackNotDup  = ackCarries | ackWindow | ackAnyNew
	ackAlarms  = ackSacked | ackECE | ackDsack
	ackForward = ackAnyNew | ackSacked
)

// arrival is what is gathered of one ACK while it is processed.
type arrival struct {
	flags ackFlags
	// delivered is how many segments it newly acknowledged or reported,
	// lost how many were newly taken for lost.
	delivered, lost uint32
	// tsEcr is its echoed time stamp, stamped whether it has one.
	tsEcr   uint32
	stamped bool
	// sackedFirst and sackedLast are when the first and the last of the
	// newly reported segments, sent only once, were sent; 0 is none.
	sackedFirst, sackedLast des.Time
	hasSackRTT              bool
	// ackedFirst and ackedLast are the same of the acknowledged segments.
	ackedFirst, ackedLast des.Time
	hasRTT                bool
	// cleanHole is the lowest acknowledged segment that was sent only once
	// and had not been reported.
	cleanHole segment.Seq
	// hole is the lowest newly reported segment that lay in a hole.
	hole segment.Seq
	rtt  des.Time
}

// ackText processes the acknowledgement number and the window of seg (RFC 9293
// section 3.10.7.4 fifth, ESTABLISHED) in the order of Linux's tcp_ack. It
// reports whether the segment goes on to the next step.
func (ep *Endpoint) ackText(now des.Time, seg *segment.Segment) bool {
	if ep.sndNxt.Less(seg.Ack) {
		ep.challengeAck(now)
		return false
	}
	in := &ep.in
	*in = arrival{hole: ep.sndNxt, stamped: ep.opt.tsOK && seg.Opts&segment.OptTimestamps != 0, tsEcr: seg.TSEcr}
	if seg.Ack.Less(ep.sndUna) {
		// RFC 5961 section 5: older than anything that the peer can still
		// have to say is suspect.
		if uint64(ep.sndUna-seg.Ack) > min(uint64(ep.maxWindow), ep.numbersAcked()) {
			ep.challengeAck(now)
			return false
		}
		if seg.NumSACK > 0 && ep.opt.sackOK {
			ep.tagSacked(now, seg)
			ep.finishAck(now, ep.sndUna)
		}
		return true
	}
	if ep.st.cfg.AckPolicy == AckLinux {
		ep.takeTimestamp(now, seg)
	}
	before := ep.sndUna
	if seg.SegLen() > 0 {
		in.flags |= ackCarries
	}
	if before.Less(seg.Ack) {
		in.flags |= ackAdvanced
		ep.retries = 0
	}
	if ep.updateWindow(seg) {
		in.flags |= ackWindow
	}
	highest := ep.highestSack()
	if ep.opt.sackOK && seg.NumSACK > 0 {
		ep.tagSacked(now, seg)
	}
	if ep.ecn.ok && seg.Flags&(segment.ECE|segment.SYN) == segment.ECE {
		in.flags |= ackECE
	}
	ep.lastAck = now
	ep.keepProbes, ep.probes = 0, 0
	if ep.rtx.len() == 0 {
		if ep.ecn.reader != nil {
			ep.countMarks(0)
		}
		if in.flags&ackDsack != 0 {
			ep.alert(now, before)
		}
		ep.windowOpened(now)
		ep.probeAcked(seg.Ack)
		return true
	}
	ep.clean(now, seg.Ack, highest)
	ep.rackAdapt()
	ep.probeAcked(seg.Ack)
	ep.finishAck(now, before)
	return true
}

// numbersAcked is how many sequence numbers the peer has acknowledged since the
// connection began: those of data, of a SYN that opened it, and of the FIN.
func (ep *Endpoint) numbersAcked() uint64 {
	n := ep.bytesAcked()
	if !ep.passiveOpen {
		n++
	}
	if ep.finAcked() {
		n++
	}
	return n
}

// finishAck is what follows when the scoreboard is up to date: recovery, the
// timer, the congestion window, retransmissions.
func (ep *Endpoint) finishAck(now des.Time, before segment.Seq) {
	in := &ep.in
	send, delivered := resendNothing, in.delivered
	if ep.ecn.reader != nil {
		ep.countMarks(delivered)
	}
	if in.flags&ackNotDup == 0 || in.flags&ackAlarms != 0 || ep.ca != caOpen {
		send = ep.alert(now, before)
		if ep.ecn.reader != nil && in.delivered > delivered {
			// Without SACK, duplicate ACKs have just been counted.
			ep.countMarks(in.delivered - delivered)
		}
	}
	if in.flags&ackTimer != 0 {
		ep.setTimer(now)
	}
	ep.controlWindow(now)
	ep.updatePace()
	ep.sendAfterAck(now, send)
}

// controlWindow lets the congestion window follow the ACK: proportional rate
// reduction in an episode, else the controller.
func (ep *Endpoint) controlWindow(now des.Time) {
	in := &ep.in
	grow := in.flags&ackedData != 0 || ep.reordering > uint32(ep.st.cfg.Reordering) && in.flags&ackForward != 0
	if ep.reducing() {
		ep.reduce(in.delivered, in.lost, in.flags&ackAdvanced != 0)
		grow = false
	}
	if in.delivered == 0 {
		return
	}
	a := &ep.ccAck
	*a = congestion.Ack{Now: now, Acked: in.delivered, RTT: in.rtt, InFlight: ep.inFlight(),
		CwndLimited: grow && ep.isCwndLimited()}
	if !ep.st.cfg.ByteCounting {
		a.Acked = 1
	}
	if in.flags&ackAdvanced != 0 && ep.roundEnd.Less(ep.sndUna) {
		a.RoundStart = true
		ep.roundEnd = ep.sndNxt
	}
	ep.cc.OnAck(&ep.win, a)
}

// clean removes the segments below ack from the retransmission queue, measures
// the round-trip time and notes what that says. highest is the end of what was
// reported before.
func (ep *Endpoint) clean(now des.Time, ack, highest segment.Seq) {
	in := &ep.in
	in.cleanHole = ep.sndNxt
	acked := uint32(0)
	for ep.rtx.len() > 0 {
		s := ep.rtx.at(ep.rtx.head)
		if ack.Less(s.end) {
			if s.seq.Less(ack) {
				// Part of a segment: the rest stays in flight.
				s.seq = ack
			}
			if s.flags&sentSacked != 0 {
				in.flags |= ackReneged
			}
			break
		}
		ep.cleanOne(now, s)
		acked++
		ep.rtx.pop()
	}
	ep.sndUna = ack
	if ep.rtx.len() == 0 {
		ep.chrono.stop(now, chronoBusy, ep.unsent() == 0)
	}
	ep.measure(now)
	switch {
	case in.flags&ackAnyNew == 0:
		if ep.rtx.len() > 0 && in.hasSackRTT && ep.rtx.at(ep.rtx.head).sentAt > in.sackedFirst {
			// The report measures something sent after the head was: the
			// timer may be set anew without putting off the timeout for
			// ever.
			in.flags |= ackTimer
		}
		return
	case ep.opt.sackOK:
		ep.sawReordering(in.cleanHole, highest)
	default:
		ep.eatDuplicates(acked)
		if in.flags&ackResent != 0 {
			in.flags &^= ackOriginal
		}
	}
	in.flags |= ackTimer
}

// cleanOne takes note of the acknowledgement of s.
func (ep *Endpoint) cleanOne(now des.Time, s *sentSegment) {
	in := &ep.in
	switch {
	case s.flags&(sentRetrans|sentEver) != 0:
		in.flags |= ackResent
	case s.flags&sentSacked == 0:
		if in.ackedLast = s.sentAt; !in.hasRTT {
			in.ackedFirst, in.hasRTT = s.sentAt, true
		}
		in.cleanHole = minSeq(in.cleanHole, s.seq)
		if s.end.LessEq(ep.highSeq) {
			in.flags |= ackOriginal
		}
	}
	if s.flags&sentSacked != 0 {
		ep.sackedOut--
	} else if ep.opt.sackOK {
		ep.countDelivered(1)
		ep.rackAdvance(now, s)
	}
	ep.unmark(s)
	if s.flags&sentSyn != 0 {
		in.flags |= ackedSyn
	} else {
		in.flags |= ackedData
	}
}

// measure takes the round-trip time of an ACK: from the first of the
// acknowledged segments that were sent only once, else from the reported ones,
// else from the time stamp (RFC 7323 section 4.1).
func (ep *Endpoint) measure(now des.Time) {
	in := &ep.in
	sample, latest := des.Time(-1), des.Time(-1)
	if in.hasRTT && in.flags&ackResent == 0 {
		sample, latest = now-in.ackedFirst, now-in.ackedLast
	}
	if in.hasSackRTT {
		latest = now - in.sackedLast
		if sample < 0 {
			sample = now - in.sackedFirst
		}
	}
	if sample < 0 && in.stamped && in.tsEcr != 0 && in.flags&ackAnyNew != 0 {
		sample = ep.echoed(now, in.tsEcr)
		latest = sample
	}
	in.rtt = max(latest, 0)
	if sample < 0 {
		return
	}
	ep.rttSample(now, sample, latest)
}

// echoed is the round-trip time that an echoed time stamp shows, at least one
// tick of its clock.
func (ep *Endpoint) echoed(now des.Time, tsEcr uint32) des.Time {
	return max(des.Time(tsClock(now)+ep.tsOffset-tsEcr)*des.Millisecond, des.Millisecond)
}

// rttSample takes a measurement and ends the back-off (RFC 6298 section 2 and
// 3). latest is the round-trip time of the newest segment covered.
func (ep *Endpoint) rttSample(now, rtt, latest des.Time) {
	round := ep.rttRound.Less(ep.sndUna)
	ep.rtt.sample(&ep.st.cfg, now, rtt, latest, round)
	if round {
		ep.rttRound = ep.sndNxt
	}
	ep.backoff = 0
	ep.rto = ep.rtt.rto(&ep.st.cfg)
}

// updateWindow is SND.WND and SND.WL1 (RFC 9293 section 3.10.7.4). A segment
// with the same numbers updates the window only to a larger one or to zero, as
// in Linux, where SND.WL2 is not kept for that reason.
func (ep *Endpoint) updateWindow(seg *segment.Segment) bool {
	wnd := uint32(seg.Wnd) << ep.opt.sndWScale
	newer := ep.sndUna.Less(seg.Ack) || ep.sndWl1.Less(seg.Seq) ||
		ep.sndWl1 == seg.Seq && (wnd > ep.sndWnd || wnd == 0)
	if !newer {
		return false
	}
	ep.sndWl1 = seg.Seq
	ep.sndWnd = wnd
	ep.maxWindow = max(ep.maxWindow, wnd)
	return true
}

// windowOpened stops the persist timer when the peer takes the next segment
// again. While it does not, Linux counts the time to the next probe from the
// answer to the last one.
func (ep *Endpoint) windowOpened(now des.Time) {
	n := min(ep.unsent(), ep.boundMSS())
	if n == 0 {
		return
	}
	if ep.sndUna.Add(ep.sndWnd).Sub(ep.sndNxt) >= int32(n) {
		ep.backoff = 0
		ep.probing = never
		ep.stop(timerPersist)
		return
	}
	if ep.st.cfg.RTO == RTOLinux {
		ep.armPersist(now)
	}
}
