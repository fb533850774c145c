package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// fastOpenQueue is a listener's side of Fast Open.
type fastOpenQueue struct {
	key    fastOpenKey
	ownKey bool
	// pending are the connections whose handshake is not complete.
	pending int
	// resets are the times up to which connections that were reset still count
	// as pending, so that forged SYNs fill the queue (RFC 7413 section 5.1).
	resets []des.Time
}

// fastOpenResetHold is for how long that is.
const fastOpenResetHold = des.Minute

// SetFastOpenKey sets the key of the listener's Fast Open cookies
// (TCP_FASTOPEN_KEY).
func (l *Listener) SetFastOpenKey(key [16]byte) {
	l.fast.key, l.fast.ownKey = newFastOpenKey(key), true
}

// hasRoom reports whether one more connection may be pending, of at most limit.
func (q *fastOpenQueue) hasRoom(now des.Time, limit int) bool {
	if limit == 0 {
		return false
	}
	if q.pending+len(q.resets) < limit {
		return true
	}
	if len(q.resets) == 0 || q.resets[0] > now {
		return false
	}
	q.resets = q.resets[:copy(q.resets, q.resets[1:])]
	return true
}

// fastOpen decides whether a SYN opens its connection at once, which needs a
// valid cookie or none at all. If it does not, answer is the cookie for the
// SYN-ACK, nil for none (RFC 7413 section 4.2.2; Linux's tcp_try_fastopen).
func (l *Listener) fastOpen(now des.Time, seg *segment.Segment, answer *segment.Cookie) (opens, answers bool) {
	st := l.st
	c, ok := seg.Cookie()
	if ok && c.Len == 0 {
		st.counters.TCPFastOpenCookieReqd++
	}
	if st.cfg.FastOpen&fastOpenServer == 0 || seg.Len == 0 && !ok {
		return false, false
	}
	if !l.fast.hasRoom(now, l.sock.FastOpenQueue) {
		if l.sock.FastOpenQueue > 0 {
			st.counters.TCPFastOpenListenOverflow++
		}
		return false, false
	}
	if st.cfg.FastOpen&fastOpenServerFree != 0 || l.sock.FastOpenNoCookie {
		return true, false
	}
	if !ok {
		return false, false
	}
	key := st.fastOpenKey
	if l.fast.ownKey {
		key = l.fast.key
	}
	*answer = st.fastOpenCookie(key, seg.Src)
	if c.Len == answer.Len && c.Data == answer.Data {
		return true, false
	}
	if c.Len > 0 {
		st.counters.TCPFastOpenPassiveFail++
	}
	answer.Experimental = c.Experimental
	return false, true
}

// openFast makes a connection of a SYN at once: its data are there to be read,
// and the user may write, before the third segment comes.
func (l *Listener) openFast(now des.Time, seg *segment.Segment, key connKey, o synOptions, isn segment.Seq) {
	st := l.st
	r := request{key: key, created: now, irs: seg.Seq, iss: isn, tsRecent: seg.TSVal, tsOffset: st.timestampOffset(seg.Src),
		options: o, serial: st.nextSerial(), stream: seg.Stream}
	c := st.connOf(key, r.serial)
	st.moved(now, c, Closed, Listen, CauseSegment)
	st.moved(now, c, Listen, SynReceived, CauseSegment)
	ep := l.child(now, &r)
	st.counters.TCPFastOpenPassive++
	l.fast.pending++
	ep.fast.pending, ep.fast.from = true, l
	ep.sndUna = ep.sndNxt
	ep.sndWnd, ep.maxWindow, ep.sndWl1 = uint32(seg.Wnd), uint32(seg.Wnd), seg.Seq
	ep.startTransfer(now)
	ep.takeSynText(seg)
	ep.rcvWup, ep.fast.synAck = ep.rcvNxt, ep.rcvNxt
	st.counters.SynData += ep.synData()
	st.counters.SynDataHeld += ep.synData()
	ep.pendingXmit = xmitRTO
	ep.arm(now, timerRTO, now+st.cfg.InitialRTO)
	ep.sendSynAck(now, CauseSegment)
	l.joined()
}

// synData is how many bytes the SYN of a pending connection brought.
func (ep *Endpoint) synData() uint64 { return uint64(ep.fast.synAck.Sub(ep.irs + 1)) }

// FastOpenPending reports whether the connection came from a SYN with a valid
// cookie and its handshake is not complete. It may be read and written all the
// same.
func (ep *Endpoint) FastOpenPending() bool { return ep.fast.pending }

// sendSynAck sends the SYN-ACK of a connection that is pending.
func (ep *Endpoint) sendSynAck(now des.Time, why Cause) {
	st := ep.st
	seg := st.blank(ep.key, segment.SYN|segment.ACK)
	seg.Seq, seg.Ack = ep.iss, ep.fast.synAck
	st.cfg.offer(seg, &ep.opt, ep.opt.rcvWScale, ep.offeredMSS())
	seg.Wnd = uint16(st.cfg.initialWindow(st.cfg.RmemDefault, seg.MSS, ep.opt.tsOK))
	if ep.opt.tsOK {
		seg.TSVal, seg.TSEcr = tsClock(now)+ep.tsOffset, ep.tsRecent
	}
	ep.stats.SegsOut++
	if why == CauseRetransmit {
		ep.synRetransmits++
		ep.stats.Retransmits++
		st.counters.SynackRetransmits++
		st.counters.TCPSynRetrans++
		st.counters.RetransSegs++
	}
	st.transmit(now, ep.key, ep.serial, seg, why)
}

// synAgain answers a SYN that comes again while the connection is pending, and
// reports whether seg was one.
func (ep *Endpoint) synAgain(now des.Time, seg *segment.Segment) bool {
	stale := ep.opt.tsOK && seg.Opts&segment.OptTimestamps != 0 && int32(seg.TSVal-ep.tsRecent) < 0
	if seg.Flags&(segment.SYN|segment.ACK|segment.RST|segment.FIN) != segment.SYN || seg.Seq != ep.irs || stale {
		return false
	}
	if ep.st.mayReply(now, &ep.lastReply) {
		ep.sendSynAck(now, CauseRetransmit)
	}
	return true
}

// synAckTimeout is the expiry of the SYN-ACK timer of a pending connection.
// Nothing else is sent again before the handshake is complete.
func (ep *Endpoint) synAckTimeout(now des.Time) {
	cfg, f := &ep.st.cfg, &ep.fast
	limit := cfg.SynackRetries + 1
	if ep.sock.SynCnt > 0 {
		limit = ep.sock.SynCnt
	}
	if int(f.timeouts) >= limit {
		ep.st.counters.TCPAbortOnTimeout++
		ep.st.counters.AttemptFails++
		ep.finish(now, ETIMEDOUT, CauseGiveUp)
		return
	}
	if ep.retries == 1 {
		if ep.rtx.len() > 0 {
			ep.in = arrival{}
			ep.enterLoss(now)
		} else {
			ep.win.Cwnd, ep.win.Count = 1, 0
		}
	}
	ep.st.counters.TCPTimeouts++
	ep.sendSynAck(now, CauseRetransmit)
	f.timeouts++
	ep.retries++
	if ep.firstRetry == never {
		ep.firstRetry = now
	}
	ep.pendingXmit = xmitRTO
	ep.arm(now, timerRTO, now+cfg.synAckTimeout(f.timeouts))
}

// synAckAcked is the fifth step for a pending connection: seg may complete the
// handshake (Linux's tcp_rcv_synrecv_state_fastopen).
func (ep *Endpoint) synAckAcked(now des.Time, seg *segment.Segment) bool {
	if ep.state == SynReceived && (seg.Ack.Less(ep.sndUna) || ep.sndNxt.Less(seg.Ack)) {
		ep.st.reset(now, seg)
		return false
	}
	if !ep.ackText(now, seg) {
		return false
	}
	if ep.rtt.samples == 0 && ep.synRetransmits == 0 {
		ep.rttSample(now, now-ep.synSentAt, now-ep.synSentAt)
	}
	if ep.ca == caLoss && ep.rtx.len() == 0 {
		ep.undoRecovery()
	}
	ep.retries = 0
	if !ep.anyResent() && ep.ca <= caDisorder {
		ep.firstRetry = never
	}
	ep.leaveFastOpen(now, false)
	ep.pendingXmit = xmitNone
	ep.rearmRTO(now)
	if ep.state != SynReceived {
		return true
	}
	ep.delivered++
	ep.sndWnd = uint32(seg.Wnd) << ep.opt.sndWScale
	ep.maxWindow = max(ep.maxWindow, ep.sndWnd)
	ep.sndWl1 = seg.Seq
	ep.stats.Connected = now
	ep.setState(now, Established, CauseSegment)
	ep.win.LastSent = now
	ep.startKeepalive(now)
	return true
}

// leaveFastOpen takes the connection out of its listener's count of pending
// ones. One that the peer has reset after it was accepted counts for a while
// longer.
func (ep *Endpoint) leaveFastOpen(now des.Time, reset bool) {
	f := &ep.fast
	if !f.pending {
		return
	}
	q := &f.from.fast
	q.pending--
	ep.st.counters.SynDataHeld -= ep.synData()
	if reset && ep.listener == nil && !f.from.closed {
		q.resets = append(q.resets, now+fastOpenResetHold)
	}
	f.pending, f.from = false, nil
}
