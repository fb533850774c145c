package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/segment"
)

// ackData processes the acknowledgement number and the window of seg (RFC 9293
// section 3.10.7.4 fifth, ESTABLISHED). It reports whether the segment goes on
// to the next step.
func (ep *Endpoint) ackData(now des.Time, seg *segment.Segment) bool {
	if ep.sndNxt.Less(seg.Ack) {
		ep.challengeAck(now)
		return false
	}
	if seg.Ack.Less(ep.sndUna) {
		// RFC 5961 section 5: older than anything that the peer can still
		// have to say is suspect.
		if uint32(ep.sndUna-seg.Ack) > max(ep.maxWindow, 65535) {
			ep.challengeAck(now)
			return false
		}
		if ep.opt.sackOK && seg.NumSACK > 0 && ep.rtx.n > 0 {
			ep.react(now, seg, ep.sndUna, false)
		}
		return true
	}
	ep.lastAck = now
	ep.keepProbes, ep.probes = 0, 0
	advanced := ep.sndUna.Less(seg.Ack)
	wndBefore := ep.sndWnd
	ep.updateWindow(seg)
	if !advanced && ep.rtx.n == 0 {
		ep.windowOpened(now, wndBefore)
		return true
	}
	dup := !advanced && seg.SegLen() == 0 && ep.sndWnd == wndBefore && ep.rtx.n > 0
	ep.react(now, seg, seg.Ack, dup)
	return true
}

// react removes what is acknowledged, takes in the SACK blocks, runs loss
// recovery and lets the window grow.
func (ep *Endpoint) react(now des.Time, seg *segment.Segment, ack segment.Seq, dup bool) {
	advanced := ep.sndUna.Less(ack)
	var acked uint32
	var rtt des.Time
	if advanced {
		acked, rtt = ep.clean(now, ack)
		if rtt == 0 && ep.opt.tsOK && seg.TSEcr != 0 {
			// RFC 7323 section 4.1: a time stamp measures even what was
			// sent again.
			rtt = max(des.Time(tsClock(now)+ep.tsOffset-seg.TSEcr)*des.Millisecond, des.Millisecond)
		}
		if rtt > 0 {
			ep.rttSample(now, rtt)
		}
		if ep.rtx.n == 0 {
			ep.stop(timerRTO)
		} else {
			ep.armRTO(now)
		}
	}
	sacked := uint32(0)
	if ep.opt.sackOK && seg.Opts&segment.OptSACK != 0 {
		sacked = ep.tagSacked(seg)
		dup = dup || sacked > 0
	}
	mayGrow := ep.recover(now, acked, sacked, dup, advanced)
	if acked+sacked == 0 {
		return
	}
	a := &ep.ccAck
	*a = congestion.Ack{Now: now, Acked: acked + sacked, RTT: rtt, InFlight: ep.inFlight(),
		CwndLimited: mayGrow && ep.isCwndLimited()}
	if advanced && ep.roundEnd.Less(ep.sndUna) {
		a.RoundStart = true
		ep.roundEnd = ep.sndNxt
	}
	ep.cc.OnAck(&ep.win, a)
}

// clean removes the segments below ack from the retransmission queue. It
// returns how many that had not been reported before, and the round-trip time
// of the newest one that was sent only once (Karn), 0 if there is none.
func (ep *Endpoint) clean(now des.Time, ack segment.Seq) (acked uint32, rtt des.Time) {
	resent := false
	for ep.rtx.n > 0 {
		s := ep.rtx.at(0)
		if ack.Less(s.end) {
			if s.seq.Less(ack) {
				// Part of a segment: the rest stays in flight.
				s.seq = ack
			}
			break
		}
		if s.rexmits > 0 {
			resent = true
		} else if s.flags&sentSacked == 0 {
			rtt = now - s.sentAt
		}
		if s.flags&sentSacked != 0 {
			ep.sackedOut--
		} else {
			acked++
		}
		ep.unmark(s)
		ep.rtx.pop()
	}
	if resent {
		rtt = 0
	}
	ep.sndUna = ack
	if !ep.opt.sackOK {
		ep.sackedOut = min(ep.sackedOut, ep.rtx.n)
	}
	ep.retries = 0
	if ep.ca < caRecovery {
		ep.firstRetry = never
	}
	return acked, rtt
}

// rttSample takes a measurement and ends the back-off (RFC 6298 section 2 and
// 3).
func (ep *Endpoint) rttSample(now, rtt des.Time) {
	round := ep.rttRound.Less(ep.sndUna)
	ep.rtt.sample(&ep.st.cfg, rtt, round)
	if round {
		ep.rttRound = ep.sndNxt
	}
	ep.backoff = 0
	ep.rto = ep.rtt.rto(&ep.st.cfg)
}

// updateWindow is SND.WND, SND.WL1 and SND.WL2 (RFC 9293 section 3.10.7.4). A
// segment with the same numbers updates the window only to a larger one or to
// zero, as in Linux.
func (ep *Endpoint) updateWindow(seg *segment.Segment) {
	wnd := uint32(seg.Wnd) << ep.opt.sndWScale
	newer := ep.sndUna.Less(seg.Ack) || ep.sndWl1.Less(seg.Seq) ||
		ep.sndWl1 == seg.Seq && (wnd > ep.sndWnd || wnd == 0)
	if !newer {
		return
	}
	ep.sndWl1, ep.sndWl2 = seg.Seq, seg.Ack
	ep.sndWnd = wnd
	ep.maxWindow = max(ep.maxWindow, wnd)
}

// windowOpened stops the persist timer when the peer takes data again.
func (ep *Endpoint) windowOpened(now des.Time, before uint32) {
	if ep.unsent() == 0 {
		return
	}
	if n := min(ep.unsent(), ep.boundMSS()); ep.sndWnd >= n && before < ep.sndWnd {
		ep.backoff = 0
		ep.stop(timerPersist)
	}
}
