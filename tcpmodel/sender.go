package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/segment"
)

// sender is the sending half of an endpoint: SND.* of RFC 9293 section 3.3.1,
// what is in flight, and the congestion window.
type sender struct {
	iss, sndUna, sndNxt segment.Seq
	// sndWnd is in bytes, scaled; sndWl1 is the sequence number of the
	// segment that set it last.
	sndWnd uint32
	sndWl1 segment.Seq
	// maxWindow is the largest window that the peer has offered.
	maxWindow uint32
	// writeSeq is the end of what the user has written. push are the ends
	// of writes that are not sent yet.
	writeSeq segment.Seq
	push     []segment.Seq
	// records are the ends of records that are not sent yet.
	records []segment.Seq
	// pushed is the last of them so far, tailFrom where the segment starts
	// that the next write continues.
	pushed, tailFrom segment.Seq
	finQueued        bool
	finSent          bool
	wantWrite        bool
	sndBuf           int
	// sndCharged: the buffer is charged with packets. sndLocked: SO_SNDBUF
	// has set it.
	sndCharged, sndLocked bool
	// mss is how many payload bytes a segment carries.
	mss uint32

	rtx rtxQueue
	cc  congestion.Controller
	win congestion.Window
	// ccAck is what cc is told, kept here so that telling allocates nothing.
	ccAck congestion.Ack
	// maxOut is the most that was in flight in the last round;
	// cwndLimited says that cwnd held the sender back.
	maxOut      uint32
	maxOutEnd   segment.Seq
	cwndLimited bool
	roundEnd    segment.Seq
	pace        pace
	// smallSent is the end of the last small segment (Minshall's variant of
	// Nagle's algorithm).
	smallSent segment.Seq

	scoreboard
	recovery
	rack rack
	tlp  tlp
	ecn  ecnState
	// in is the ACK being processed.
	in arrival

	chrono chrono

	rtt rttEstimator
	// rttRound is SND.NXT when the deviation was last reviewed.
	rttRound segment.Seq
	rto      des.Time
	backoff  uint8
	retries  uint8
	probes   uint8
	// firstRetry is when the oldest segment was first sent again, and for a
	// SYN when it was sent.
	firstRetry des.Time
	// pendingXmit is what timerRTO stands for.
	pendingXmit    xmitTimer
	synSentAt      des.Time
	synRetransmits uint8
}

func (ep *Endpoint) initSender() {
	ep.initSndbuf()
	ep.win = congestion.Window{Cwnd: 1, Ssthresh: congestion.Infinite, Clamp: congestion.Infinite}
	ep.rto = ep.st.cfg.InitialRTO
	ep.mss = defaultMSS
	ep.firstRetry = never
	ep.rtx.reset()
	ep.reordering = uint32(ep.st.cfg.Reordering)
	ep.rack.steps = 1
}

func (ep *Endpoint) setISS(isn segment.Seq) {
	ep.iss, ep.sndUna, ep.sndNxt = isn, isn, isn
	ep.writeSeq, ep.smallSent, ep.rttRound, ep.roundEnd = isn+1, isn, isn, isn
	ep.maxOutEnd, ep.highSeq, ep.sackEnd = isn, isn, isn
	ep.pushed, ep.tailFrom = isn+1, isn
}

// bytesAcked is how many bytes of the user's stream the peer has acknowledged.
// Sequence numbers wrap, so it counts what was sent less what is in flight.
func (ep *Endpoint) bytesAcked() uint64 {
	from := ep.sndUna
	if from == ep.iss {
		from++
	}
	return ep.stats.BytesSent - uint64(max(ep.dataNxt().Sub(from), 0))
}

// setMSS fixes the segment size when both SYNs are known (RFC 9293 section
// 3.7.1): options take their part of it.
func (ep *Endpoint) setMSS() {
	own := uint32(ep.offeredMSS())
	mss := max(min(uint32(ep.opt.mss), own), min(minMSS, own))
	if ep.opt.tsOK {
		mss -= tsOptionLen
	}
	ep.mss = mss
}

// boundMSS is the segment size in use: never more than half of the largest
// window that the peer has ever offered, so that two segments fit.
func (ep *Endpoint) boundMSS() uint32 {
	mss := ep.mss - min(ep.sackSpace(), ep.mss/2)
	limit := ep.maxWindow
	if limit > defaultMSS {
		limit /= 2
	}
	if limit > 0 && limit < mss {
		return max(limit, minMSS)
	}
	return mss
}

// minMSS is the smallest segment size, options included, that a peer's MSS
// option or a small window leads to (tcp_min_snd_mss).
const minMSS = 48

// startTransfer sets the initial window (RFC 5681 section 3.1, RFC 6928).
func (ep *Endpoint) startTransfer(now des.Time) {
	cfg := &ep.st.cfg
	iw := uint32(cfg.InitialWindow)
	if iw == 0 {
		switch {
		case ep.mss > 2190:
			iw = 2
		case ep.mss > 1095:
			iw = 3
		default:
			iw = 4
		}
	}
	if ep.synRetransmits > 1 || cfg.RTO == RTORFC6298 && ep.synRetransmits > 0 {
		// RFC 5681 section 3.1: after the loss of a SYN or SYN-ACK the
		// window is one segment; Linux forgives one.
		iw = 1
	}
	ep.win.Cwnd = iw
	ep.startController(now)
	ep.ecn.opening = ep.passiveOpen
	ep.win.LastSent = now
	ep.updatePace()
	ep.growSndbuf()
	if ep.sock.NoQuickAck {
		ep.ack.pingpong = pingpongThreshold
	}
	ep.startReceiving(now)
}

// unsent is how many bytes of the user wait to be sent.
func (ep *Endpoint) unsent() uint32 { return uint32(ep.writeSeq - ep.dataNxt()) }

// dataNxt is SND.NXT without the FIN.
func (ep *Endpoint) dataNxt() segment.Seq {
	if ep.finSent {
		return ep.writeSeq
	}
	if ep.sndNxt == ep.iss {
		return ep.iss + 1
	}
	return ep.sndNxt
}

// output sends what the windows allow (RFC 9293 section 3.10.2 and 3.8.6.2.1,
// RFC 5681): retransmissions first, then new data, then the FIN.
func (ep *Endpoint) output(now des.Time) { ep.transmitNew(now, false) }

// outputOnce is output of one burst.
func (ep *Endpoint) outputOnce(now des.Time) { ep.transmitNew(now, true) }

func (ep *Endpoint) transmitNew(now des.Time, once bool) {
	if ep.state < Established && !ep.fast.pending {
		return
	}
	if ep.unsent() == 0 && (!ep.finQueued || ep.finSent) {
		return
	}
	if ep.rtx.len() == 0 {
		ep.restart(now)
	}
	mss := ep.boundMSS()
	limited, sent, shut := false, false, false
	for {
		unsent := ep.ready()
		tail := unsent == ep.unsent()
		last := tail && ep.finQueued && !ep.finSent
		n := min(unsent, mss)
		if n == 0 && !last {
			break
		}
		if ep.st.cfg.Pacing && ep.waitsForPace(now) {
			break
		}
		// The window does not hold back a lone FIN (Linux's tcp_cwnd_test).
		if ep.inFlight() >= ep.win.Cwnd && n > 0 {
			limited = true
			break
		}
		if !ep.windowTakes(&n, mss) {
			shut = true
			break
		}
		if unsent > mss && ep.st.cfg.GSOMaxSegs > 1 {
			if ep.defers(now, mss, &limited) {
				break
			}
			n = ep.burst(mss)
		} else if !(last && n == unsent) && tail && ep.holdsBack(n, mss) {
			break
		}
		ep.sendBurst(now, n, mss, last && n == unsent)
		if sent = true; once {
			break
		}
	}
	if shut {
		ep.chrono.start(now, chronoRwnd)
	} else if ep.chrono.now == chronoRwnd {
		ep.chrono.stop(now, chronoRwnd, false)
	}
	limited = limited || ep.inFlight() >= ep.win.Cwnd
	if sent {
		ep.scheduleProbe(now, false)
	}
	if sent || limited {
		ep.noteLimit(limited)
	}
	ep.probeIfBlocked(now)
}

// windowTakes reports whether the peer's window takes the next segment of *n
// bytes, which it may shorten: the sender's side of silly window avoidance.
func (ep *Endpoint) windowTakes(n *uint32, mss uint32) bool {
	room := ep.sndUna.Add(ep.sndWnd).Sub(ep.sndNxt)
	if *n == 0 {
		// A FIN goes out even into a closed window (Linux).
		return true
	}
	if room >= int32(*n) {
		return true
	}
	if ep.st.cfg.AckPolicy == AckLinux || room <= 0 {
		return false
	}
	// RFC 9293 section 3.8.6.2.1 (3): at least half of the largest window.
	if uint32(room) >= ep.maxWindow/2 {
		*n = uint32(room)
		return true
	}
	return false
}

// holdsBack reports whether a segment of n bytes has to wait for more: by
// TCP_CORK, or by Nagle's algorithm (RFC 9293 section 3.7.4, in Minshall's
// variant as in Linux: only while a small segment is in flight).
func (ep *Endpoint) holdsBack(n, mss uint32) bool {
	switch {
	case n >= mss || ep.pushNow:
		return false
	case ep.sock.Cork || ep.more:
		return true
	case ep.sock.NoDelay || ep.rtx.len() == 0:
		return false
	}
	return ep.sndUna.Less(ep.smallSent) && ep.smallSent.LessEq(ep.sndNxt)
}

// sendNew sends n bytes that were not sent before, and the FIN if it is its
// turn.
func (ep *Endpoint) sendNew(now des.Time, n uint32, fin bool) { ep.sendPiece(now, n, fin, 0) }

// sendPiece is sendNew with flags for this transmission alone.
func (ep *Endpoint) sendPiece(now des.Time, n uint32, fin bool, once sentFlags) {
	s := sentSegment{seq: ep.sndNxt, end: ep.sndNxt.Add(n)}
	if ep.pushDone(s.end) {
		s.flags |= sentPush
	}
	if fin {
		s.end++
		s.flags |= sentFin
		ep.finSent = true
	}
	if n > 0 && n < ep.boundMSS() {
		ep.smallSent = s.end
	}
	first := ep.rtx.len() == 0
	ep.rtx.time(ep.rtx.push(s), now)
	ep.sndNxt = s.end
	ep.stats.BytesSent += uint64(n)
	s.flags |= once
	ep.sendSegment(now, &s, CauseUser)
	if n > 0 {
		ep.ack.dataSent(now)
	}
	if ep.reducing() {
		ep.prr.out++
	}
	ep.win.LastSent = now
	if first || ep.pendingXmit == xmitProbe {
		ep.rearmRTO(now)
	}
	if len(ep.records) > 0 {
		ep.forgetRecords()
	}
}

// pushDone takes the marks up to end off the list of what is to be pushed, and
// reports whether there was one.
func (ep *Endpoint) pushDone(end segment.Seq) (any bool) {
	for len(ep.push) > 0 && ep.push[0].LessEq(end) {
		ep.push = ep.push[:copy(ep.push, ep.push[1:])]
		any = true
	}
	return any
}

// noteLimit remembers whether cwnd was what ended a burst (Linux's
// tcp_cwnd_validate).
func (ep *Endpoint) noteLimit(limited bool) {
	if !ep.sndUna.Less(ep.maxOutEnd) || ep.rtx.len() > ep.maxOut || limited {
		ep.maxOut = ep.rtx.len()
		ep.maxOutEnd = ep.sndNxt
		ep.cwndLimited = limited
	}
	if !limited && ep.wantWrite && ep.unsent() == 0 && (ep.state == Established || ep.state == CloseWait) {
		ep.chrono.start(ep.win.LastSent, chronoSndbuf)
	}
}

// isCwndLimited reports whether the window may grow: in slow start as long as
// at least half of it was used, else only if it was used up.
func (ep *Endpoint) isCwndLimited() bool {
	if ep.cwndLimited {
		return true
	}
	return ep.win.SlowStart() && ep.win.Cwnd < 2*ep.maxOut
}

// restart is called when data are about to leave and nothing is in flight. It
// halves cwnd for every RTO without sending, down to the initial window (RFC
// 5681 section 4.1, RFC 2861).
func (ep *Endpoint) restart(now des.Time) {
	cfg := &ep.st.cfg
	if idle := now - ep.win.LastSent; cfg.SlowStartAfterIdle && idle > ep.rto {
		floor := min(uint32(max(cfg.InitialWindow, 2)), ep.win.Cwnd)
		ep.win.Ssthresh = max(ep.win.Ssthresh, ep.win.Cwnd>>1+ep.win.Cwnd>>2)
		for idle -= ep.rto; idle > 0 && ep.win.Cwnd > floor; idle -= ep.rto {
			ep.win.Cwnd >>= 1
		}
		ep.win.Cwnd = max(ep.win.Cwnd, floor)
		ep.win.Count = 0
	}
	ep.cc.OnEvent(&ep.win, congestion.EventRestart, now)
}
