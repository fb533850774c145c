package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// blank returns the stack's scratch segment with the fixed fields of the
// connection, SEQ = SND.NXT.
func (ep *Endpoint) blank(f segment.Flags) *segment.Segment {
	seg := ep.st.blank(ep.key, f)
	seg.Seq, seg.Stream = ep.sndNxt, ep.stream
	return seg
}

// transmit adds the fields that every segment but the first SYN carries and
// sends it.
func (ep *Endpoint) transmit(now des.Time, seg *segment.Segment, why Cause) {
	if seg.Flags&segment.ACK != 0 {
		seg.Ack = ep.rcvNxt
		if seg.Flags&segment.SYN == 0 {
			seg.Wnd = ep.selectWindow()
		}
		if seg.Flags&segment.RST == 0 {
			ep.ack.sent()
			ep.stop(timerDelack)
			ep.stop(timerSack)
		}
	}
	ep.emit(now, seg, why)
}

// emit sends a segment whose acknowledgement and window are set.
func (ep *Endpoint) emit(now des.Time, seg *segment.Segment, why Cause) {
	if ep.opt.tsOK {
		seg.Opts |= segment.OptTimestamps
		seg.TSVal = tsClock(now) + ep.tsOffset
		seg.TSEcr = ep.tsRecent
	}
	ep.stats.SegsOut++
	ep.st.transmit(now, ep.key, ep.serial, seg, why)
}

// ackUpTo sends an ACK of less than has arrived. What is due for the rest stays
// due.
func (ep *Endpoint) ackUpTo(now des.Time, ack segment.Seq) {
	seg := ep.blank(segment.ACK)
	ep.sackBlocks(seg)
	ep.ecnSend(seg, false)
	seg.Ack, seg.Wnd = ack, ep.selectWindow()
	ep.emit(now, seg, CauseDelayedAck)
}

// sendAck sends a segment that only acknowledges.
func (ep *Endpoint) sendAck(now des.Time, why Cause) {
	seg := ep.blank(segment.ACK)
	ep.sackBlocks(seg)
	ep.ecnSend(seg, false)
	ep.transmit(now, seg, why)
}

// challengeAck answers a segment that may be forged (RFC 5961), within the
// limits of one per tcp_invalid_ratelimit for the connection and of
// tcp_challenge_ack_limit for the host.
func (ep *Endpoint) challengeAck(now des.Time) {
	if !ep.st.mayReply(now, &ep.lastReply) || !ep.st.mayChallenge(now) {
		return
	}
	ep.st.counters.TCPChallengeACK++
	ep.sendAck(now, CauseChallengeAck)
}

// sendSyn sends the SYN of an active open for the first time, with n bytes of
// data. It is kept without them, and they as a segment of their own.
func (ep *Endpoint) sendSyn(now des.Time, n uint32) {
	syn := sentSegment{seq: ep.iss, end: ep.iss + 1, flags: sentSyn}
	ep.rtx.time(ep.rtx.push(syn), now)
	ep.sndNxt = ep.iss + 1
	ep.synSentAt, ep.firstRetry = now, now
	if n > 0 {
		syn.end = ep.sndNxt.Add(n)
		ep.rtx.time(ep.rtx.push(sentSegment{seq: ep.sndNxt, end: syn.end, flags: sentPush}), now)
		ep.sndNxt = syn.end
		ep.pushDone(syn.end)
		ep.stats.BytesSent += uint64(n)
	}
	ep.sendSegment(now, &syn, CauseUser)
	ep.pendingXmit = xmitRTO
	ep.armRTO(now)
}

// sendSegment puts a segment of the retransmission queue on the wire, for the
// first time or again.
func (ep *Endpoint) sendSegment(now des.Time, s *sentSegment, why Cause) {
	flags := segment.ACK
	n := s.data()
	if s.flags&sentSyn != 0 {
		flags = segment.SYN
		if ep.state != SynSent {
			flags |= segment.ACK
		}
	}
	if s.flags&sentFin != 0 {
		flags |= segment.FIN
	}
	if s.flags&sentPush != 0 {
		flags |= segment.PSH
	}
	seg := ep.blank(flags)
	seg.Seq, seg.Len = s.seq, n
	if n > 0 && s.flags&sentSyn == 0 {
		seg.Offset = uint64(uint32(s.seq - ep.iss - 1))
	}
	if s.flags&sentSyn != 0 {
		cfg := &ep.st.cfg
		scale := cfg.rcvWScaleFor(ep.rcvBuf, ep.rcvBufLocked)
		cfg.offer(seg, nil, scale, ep.offeredMSS())
		ep.ecnSyn(seg, s.flags&sentEver != 0)
		ep.offerCookie(seg)
		seg.Wnd = uint16(min(ep.rcvWnd, 65535))
		if seg.Opts&segment.OptTimestamps != 0 {
			seg.TSVal, seg.TSEcr = tsClock(now)+ep.tsOffset, ep.tsRecent
		}
	} else {
		ep.sackBlocks(seg)
	}
	ep.ecnSend(seg, s.flags&sentEver == 0)
	ep.transmit(now, seg, why)
}

// resend sends the segment at pos of the retransmission queue again.
func (ep *Endpoint) resend(now des.Time, pos uint32, why Cause) {
	s := ep.rtx.at(pos)
	s.flags |= sentEver
	ep.rtx.time(pos, now)
	// A loss probe claims no loss: it is no retransmission to undo, starts
	// no clock of giving up and takes no room in the window (Linux).
	if why != CauseProbe {
		if s.flags&sentRetrans == 0 {
			s.flags |= sentRetrans
			ep.retransOut++
		}
		ep.undoRetrans = max(ep.undoRetrans, 0) + 1
		if ep.firstRetry == never {
			ep.firstRetry = now
		}
	}
	ep.stats.Retransmits++
	ep.st.counters.RetransSegs++
	if s.flags&sentSyn != 0 {
		ep.st.counters.TCPSynRetrans++
		ep.synRetransmits++
	}
	ep.sendSegment(now, s, why)
	if ep.st.cfg.Pacing {
		ep.paceAfter(now, uint32(s.end-s.seq), 1)
	}
}
