package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// requestArrives is RFC 9293 section 3.10.7.4 for a connection in SYN-RECEIVED
// that came from a listener, in its order.
func (st *Stack) requestArrives(now des.Time, i uint32, seg *segment.Segment) {
	r := &st.requests.entries[i]
	st.traceSegment(now, r.key, r.serial, false, seg, CauseNone)
	stale := r.options.tsOK && seg.Opts&segment.OptTimestamps != 0 && int32(seg.TSVal-r.tsRecent) < 0

	if seg.Flags&(segment.SYN|segment.ACK|segment.RST|segment.FIN) == segment.SYN && seg.Seq == r.irs && !stale {
		st.repeatSynAck(now, i)
		return
	}
	if seg.Has(segment.ACK) && seg.Ack != r.iss+1 {
		st.reset(now, seg)
		return
	}
	// First: the sequence number.
	wnd := st.requestWindow(r)
	if stale || !acceptable(seg, r.irs+1, wnd) {
		if !seg.Has(segment.RST) && st.mayReply(now, &r.lastReply) {
			st.ackRequest(now, r)
		}
		if stale {
			st.counters.PAWSEstab++
		}
		return
	}
	if r.options.tsOK && seg.Opts&segment.OptTimestamps != 0 && seg.Seq.LessEq(r.irs+1) {
		r.tsRecent = seg.TSVal
	}
	// Second and fourth: RST and SYN. Fifth: ACK.
	if !st.requestReset(now, i, seg) && seg.Has(segment.ACK) {
		st.requestAcked(now, i, seg)
	}
}

// repeatSynAck answers the SYN when it comes again: with the SYN-ACK, as Linux
// does, not with an ACK.
func (st *Stack) repeatSynAck(now des.Time, i uint32) {
	r := &st.requests.entries[i]
	if !st.mayReply(now, &r.lastReply) {
		return
	}
	st.retransmitSynAck(now, i)
}

// requestReset handles RST and SYN, and reports whether seg carries one that
// counts.
func (st *Stack) requestReset(now des.Time, i uint32, seg *segment.Segment) bool {
	r := &st.requests.entries[i]
	flags := seg.Flags
	if seg.Seq == r.irs {
		flags &^= segment.SYN
	}
	if flags&(segment.RST|segment.SYN) == 0 {
		return false
	}
	if flags&segment.RST != 0 && seg.Seq != r.irs+1 {
		// RFC 5961 section 3.2. Linux drops it without the challenge ACK.
		if st.cfg.AckPolicy != AckLinux && st.mayReply(now, &r.lastReply) {
			st.ackRequest(now, r)
		}
		return true
	}
	st.counters.AttemptFails++
	if flags&segment.RST == 0 {
		st.reset(now, seg)
	}
	st.dropRequest(now, i, ECONNRESET, CauseReset)
	return true
}

// requestAcked is the third segment of the handshake.
func (st *Stack) requestAcked(now des.Time, i uint32, seg *segment.Segment) {
	r := &st.requests.entries[i]
	l := st.requests.listeners[r.listener]
	if seg.SegLen() == 0 && seg.Seq == r.irs+1 && int(r.timeouts) < l.sock.deferTimeouts() {
		st.counters.TCPDeferAcceptDrop++
		r.acked = true
		return
	}
	if l.acceptQueueFull() {
		st.counters.ListenOverflows++
		st.counters.ListenDrops++
		if st.cfg.AbortOnOverflow {
			st.reset(now, seg)
			st.dropRequest(now, i, ECONNABORTED, CauseOverflow)
			return
		}
		r.acked = true
		return
	}
	copied := *r
	st.removeRequest(i)
	l.promote(now, &copied, seg)
}

// requestWindow is the window that the SYN-ACK has offered.
func (st *Stack) requestWindow(r *request) uint32 {
	mss := st.offeredMSS(r.key.remote(), st.requests.listeners[r.listener].sock.MaxSeg)
	return st.cfg.initialWindow(st.cfg.RmemDefault, mss, r.options.tsOK)
}

func (st *Stack) ackRequest(now des.Time, r *request) {
	seg := st.blank(r.key, segment.ACK)
	seg.Seq, seg.Ack = r.iss+1, r.irs+1
	seg.Wnd = uint16(st.requestWindow(r) >> r.options.rcvWScale)
	if r.options.tsOK {
		seg.Opts, seg.TSVal, seg.TSEcr = segment.OptTimestamps, tsClock(now)+r.tsOffset, r.tsRecent
	}
	st.transmit(now, r.key, r.serial, seg, CauseChallengeAck)
}

// never is long before the start of any simulation.
const never = -des.Hour

// mayReply limits answers to unacceptable segments to one per
// tcp_invalid_ratelimit; last is when the connection answered last.
func (st *Stack) mayReply(now des.Time, last *des.Time) bool {
	if now-*last < st.cfg.InvalidRateLimit {
		return false
	}
	*last = now
	return true
}

// acceptable is the sequence number test of RFC 9293 section 3.10.7.4 first.
func acceptable(seg *segment.Segment, rcvNxt segment.Seq, rcvWnd uint32) bool {
	n := seg.SegLen()
	switch {
	case n == 0 && rcvWnd == 0:
		return seg.Seq == rcvNxt
	case n == 0:
		return seg.Seq.InWindow(rcvNxt, rcvWnd)
	case rcvWnd == 0:
		return false
	}
	return seg.Seq.InWindow(rcvNxt, rcvWnd) || (seg.End()-1).InWindow(rcvNxt, rcvWnd)
}
