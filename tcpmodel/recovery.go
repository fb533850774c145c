package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/segment"
)

// caState is where loss recovery stands, with the names and numbers of Linux.
type caState uint8

const (
	// caOpen: nothing is amiss.
	caOpen caState = iota
	// caDisorder: duplicate ACKs or SACKs, too few to act on.
	caDisorder
	// caCWR: the window is being reduced for another reason than loss.
	caCWR
	// caRecovery: fast recovery (RFC 6582, RFC 6675, RFC 8985).
	caRecovery
	// caLoss: after a retransmission timeout.
	caLoss
)

// resend is what to send again after an ACK.
type resend uint8

const (
	resendNothing resend = iota
	resendLost
	// resendNew: new data first, to see whether a timeout was spurious.
	resendNew
)

// recovery is the state of loss recovery.
type recovery struct {
	ca caState
	// highSeq is SND.NXT when the episode began: RFC 6582's recover.
	highSeq segment.Seq
	// undoing: the reduction of this episode may turn out to be unfounded.
	// undoMarker is SND.UNA when it began, undoRetrans how many of its
	// retransmissions no D-SACK has answered for yet (-1: none was sent).
	undoing       bool
	undoMarker    segment.Seq
	undoRetrans   int32
	priorSsthresh uint32
	// frto: the timeout may have been spurious (RFC 5682).
	frto bool
	// prr is proportional rate reduction (RFC 6937).
	prr struct {
		prior, delivered, out uint32
	}
	dsackDups uint32
}

// reducing reports whether the window follows proportional rate reduction.
func (ep *Endpoint) reducing() bool { return ep.ca == caCWR || ep.ca == caRecovery }

// alert runs the state machine of loss recovery on an ACK that is a duplicate,
// brought alarming news, or falls into an episode. before is the SND.UNA before
// it. It returns what to send again.
func (ep *Endpoint) alert(now des.Time, before segment.Seq) resend {
	in := &ep.in
	dup := in.flags&(ackAdvanced|ackNotDup|ackDsack) == 0
	if ep.rtx.len() == 0 {
		ep.sackedOut = 0
	}
	if in.flags&ackECE != 0 {
		ep.priorSsthresh = 0
	}
	if in.flags&ackReneged != 0 {
		// The peer took its reports back: start over soon (RFC 2018
		// section 8).
		in.flags &^= ackTimer
		ep.pendingXmit = xmitRTO
		ep.arm(now, timerRTO, now+max(ep.rtt.srtt/2, 10*des.Millisecond))
		return resendNothing
	}
	if ep.ca == caOpen {
		ep.firstRetry = never
	} else if ep.highSeq.LessEq(ep.sndUna) && !ep.leaveEpisode() {
		return resendNothing
	}
	switch ep.ca {
	case caRecovery:
		return ep.inRecovery(now, before, dup)
	case caLoss:
		send, done := ep.afterTimeout(now, dup)
		if done {
			return send
		}
		ep.findLosses(now)
		if ep.ca != caOpen && in.flags&ackLostAgain == 0 {
			return send
		}
	}
	if !ep.opt.sackOK {
		if in.flags&ackAdvanced != 0 {
			ep.sackedOut = 0
		}
		if dup {
			ep.addDuplicate()
		}
	}
	if ep.ca <= caDisorder {
		ep.undoByDsack()
	}
	ep.findLosses(now)
	if ep.lostOut == 0 {
		ep.tryOpen(now)
		return resendNothing
	}
	ep.enterRecovery(now)
	return resendLost
}

// inRecovery handles an ACK in fast recovery.
func (ep *Endpoint) inRecovery(now des.Time, before segment.Seq, dup bool) resend {
	if ep.in.flags&ackAdvanced == 0 {
		if !ep.opt.sackOK && dup {
			ep.addDuplicate()
		}
	} else if ep.undoPartial(before) {
		return resendNothing
	}
	if ep.undoByDsack() {
		ep.keepOpen(now)
	}
	ep.findLosses(now)
	if ep.ca != caRecovery {
		if ep.lostOut == 0 {
			return resendNothing
		}
		ep.enterRecovery(now)
	}
	return resendLost
}

// leaveEpisode ends an episode whose data are all acknowledged. It reports
// whether there is more to do for this ACK.
func (ep *Endpoint) leaveEpisode() bool {
	switch ep.ca {
	case caCWR:
		// Something above highSeq has to be acknowledged, so that the CWR
		// bit has reached the receiver.
		if ep.sndUna != ep.highSeq {
			ep.endReduction()
			ep.ca = caOpen
		}
	case caRecovery:
		if !ep.opt.sackOK {
			ep.sackedOut = 0
		}
		if ep.undoRecovery() {
			return false
		}
		ep.endReduction()
	}
	return true
}

// findLosses marks what the scoreboard says is lost.
func (ep *Endpoint) findLosses(now des.Time) {
	if ep.rtx.len() == 0 {
		return
	}
	if ep.opt.sackOK {
		retrans := ep.retransOut
		if ep.rackMarkLost(now) {
			ep.in.flags &^= ackTimer
		}
		if retrans > ep.retransOut {
			ep.in.flags |= ackLostAgain
		}
		return
	}
	// RFC 6582: the third duplicate ACK, or a partial ACK.
	if ep.ca < caRecovery && ep.sackedOut >= ep.reordering ||
		ep.ca == caRecovery && ep.in.flags&ackAdvanced != 0 {
		if s := ep.rtx.at(ep.rtx.head); s.flags&sentLost == 0 {
			ep.markLost(s)
		}
	}
}

// tryOpen leaves Disorder, or enters it, and answers ECE by reducing the
// window (RFC 3168 section 6.1.2).
func (ep *Endpoint) tryOpen(now des.Time) {
	if !ep.anyResent() {
		ep.firstRetry = never
	}
	if ep.in.flags&ackECE != 0 {
		ep.enterCWR(now)
	}
	if ep.ca != caCWR {
		ep.keepOpen(now)
	}
}

func (ep *Endpoint) keepOpen(des.Time) {
	to := caOpen
	if ep.sackedOut+ep.lostOut > 0 || ep.anyResent() {
		to = caDisorder
	}
	if ep.ca != to {
		ep.ca = to
		ep.highSeq = ep.sndNxt
	}
}

// anyResent reports whether a retransmission is in flight, or the head of the
// queue was ever sent again.
func (ep *Endpoint) anyResent() bool {
	if ep.retransOut > 0 {
		return true
	}
	return ep.rtx.len() > 0 && ep.rtx.at(ep.rtx.head).flags&sentEver != 0
}

// currentSsthresh is the threshold to go back to: in an episode the one in
// force, else at least three quarters of the window.
func (ep *Endpoint) currentSsthresh() uint32 {
	if ep.reducing() {
		return ep.win.Ssthresh
	}
	return max(ep.win.Ssthresh, ep.win.Cwnd>>1+ep.win.Cwnd>>2)
}

func (ep *Endpoint) startUndo() {
	ep.undoing, ep.undoMarker = true, ep.sndUna
	ep.undoRetrans = int32(ep.retransOut)
	if ep.tlp.on && ep.tlp.retrans {
		ep.undoRetrans++
	}
	if ep.undoRetrans == 0 {
		ep.undoRetrans = -1
	}
}

func (ep *Endpoint) enterRecovery(now des.Time) {
	ep.st.counters.TCPRecoveries++
	ep.priorSsthresh = 0
	ep.startUndo()
	if !ep.reducing() {
		if ep.in.flags&ackECE == 0 {
			ep.priorSsthresh = ep.currentSsthresh()
		}
		ep.startReduction(now)
	}
	ep.cc.OnEvent(&ep.win, congestion.EventRecovery, now)
	ep.ca = caRecovery
}

// enterCWR starts a reduction without loss.
func (ep *Endpoint) enterCWR(now des.Time) {
	ep.priorSsthresh = 0
	if ep.ca < caCWR {
		ep.undoing = false
		ep.startReduction(now)
		ep.ca = caCWR
	}
}

// startReduction begins proportional rate reduction towards the controller's
// threshold.
func (ep *Endpoint) startReduction(now des.Time) {
	ep.highSeq = ep.sndNxt
	ep.tlp.on = false
	ep.prr.prior, ep.prr.delivered, ep.prr.out = ep.win.Cwnd, 0, 0
	ep.win.Ssthresh = ep.cc.OnLoss(&ep.win, now)
	ep.win.Count = 0
	ep.ecn.queueCWR = ep.ecn.ok
}

// reduce sets the window of an episode: proportional rate reduction with slow
// start as its bound as long as retransmissions are not lost again, packet
// conservation otherwise (RFC 6937 section 3.1); without prr the threshold (RFC
// 6675 section 5 step 4.2).
func (ep *Endpoint) reduce(delivered, lost uint32, advanced bool) {
	p := &ep.prr
	if delivered == 0 || p.prior == 0 {
		return
	}
	p.delivered += delivered
	pipe, ssthresh := ep.inFlight(), ep.win.Ssthresh
	if !ep.st.cfg.PRR {
		ep.win.Cwnd = ssthresh
		return
	}
	var send int64
	if pipe > ssthresh {
		send = (int64(ssthresh)*int64(p.delivered)+int64(p.prior)-1)/int64(p.prior) - int64(p.out)
	} else {
		send = max(int64(p.delivered)-int64(p.out), int64(delivered))
		if advanced && lost == 0 {
			send++
		}
		send = min(send, int64(ssthresh-pipe))
	}
	if p.out == 0 {
		// The first retransmission leaves at once.
		send = max(send, 1)
	}
	ep.win.Cwnd = uint32(max(int64(pipe)+send, 1))
}

// endReduction sets the window to the threshold when an episode ends.
func (ep *Endpoint) endReduction() {
	if ep.win.Ssthresh < congestion.Infinite && (ep.ca == caCWR || ep.undoing) {
		ep.win.Cwnd = ep.win.Ssthresh
	}
}

// enterLoss is the answer to a retransmission timeout (RFC 5681 section 3.1,
// RFC 6298 (5.4)): what the peer has not reported is lost, and the window is
// one segment.
func (ep *Endpoint) enterLoss(now des.Time) {
	fresh := ep.ca < caRecovery
	ep.timeoutMarkLost(now)
	if ep.ca <= caDisorder || ep.highSeq.LessEq(ep.sndUna) || ep.ca == caLoss && ep.retries == 0 {
		ep.priorSsthresh = ep.currentSsthresh()
		ep.prr.prior = ep.win.Cwnd
		ep.win.Ssthresh = ep.cc.OnLoss(&ep.win, now)
		ep.cc.OnEvent(&ep.win, congestion.EventRTO, now)
		ep.startUndo()
	}
	ep.win.Cwnd = ep.inFlight() + 1
	ep.win.Count = 0
	if ep.ca <= caDisorder && ep.sackedOut >= ep.reordering {
		ep.reordering = min(ep.reordering, uint32(ep.st.cfg.Reordering))
	}
	ep.ca = caLoss
	ep.highSeq = ep.sndNxt
	ep.tlp.on = false
	ep.ecn.queueCWR = ep.ecn.ok
	// RFC 5682 section 3.1 step 1.
	ep.frto = ep.st.cfg.FRTO && (fresh || ep.retries > 0)
}

// timeoutMarkLost marks the segments in flight as lost, but for those that were
// sent so recently that their answer may still come.
func (ep *Endpoint) timeoutMarkLost(now des.Time) {
	head := ep.rtx.at(ep.rtx.head)
	reneged := head.flags&sentSacked != 0
	if !ep.opt.sackOK {
		ep.sackedOut = 0
	}
	for pos := ep.rtx.head; pos != ep.rtx.tail; pos++ {
		s := ep.rtx.at(pos)
		if reneged && s.flags&sentSacked != 0 {
			s.flags &^= sentSacked
			ep.sackedOut--
		} else if ep.opt.sackOK && pos != ep.rtx.head && ep.rackRemaining(now, s, 0) > 0 {
			continue
		}
		ep.markLost(s)
	}
	if reneged {
		ep.numSeen = 0
	}
}

// afterTimeout handles an ACK in the state Loss. done says that nothing more is
// to be done for it.
func (ep *Endpoint) afterTimeout(now des.Time, dup bool) (send resend, done bool) {
	in := &ep.in
	recovered := ep.highSeq.LessEq(ep.sndUna)
	if in.flags&ackAdvanced != 0 && ep.undoLoss(false) {
		return resendNothing, true
	}
	if ep.frto {
		// RFC 5682 section 3.1 step 3.b: something that was sent only once
		// has arrived.
		if in.flags&ackOriginal != 0 && ep.undoLoss(true) {
			return resendNothing, true
		}
		if ep.highSeq.Less(ep.sndNxt) {
			if in.flags&ackSacked != 0 || dup {
				ep.frto = false
			}
		} else if in.flags&ackAdvanced != 0 && !recovered {
			// Step 2.b: new data tell whether the timeout was real.
			ep.highSeq = ep.sndNxt
			if ep.unsent() > 0 && ep.sndNxt.Less(ep.sndUna.Add(ep.sndWnd)) {
				return resendNew, true
			}
			ep.frto = false
		}
	}
	if recovered {
		ep.undoRecovery()
		return resendNothing, true
	}
	if !ep.opt.sackOK {
		if ep.highSeq.Less(ep.sndNxt) {
			if dup {
				ep.addDuplicate()
			}
		} else if in.flags&ackAdvanced != 0 {
			ep.sackedOut = 0
		}
	}
	return resendLost, false
}

// sendAfterAck sends again what the ACK calls for.
func (ep *Endpoint) sendAfterAck(now des.Time, what resend) {
	switch what {
	case resendNothing:
		return
	case resendNew:
		ep.pushNow = true
		ep.output(now)
		ep.pushNow = false
		if ep.highSeq.Less(ep.sndNxt) {
			return
		}
		ep.frto = false
	}
	ep.retransmitLost(now)
}

// retransmitLost sends again what is lost and was not sent again yet, as far
// as the window allows.
func (ep *Endpoint) retransmitLost(now des.Time) {
	timer := false
	for pos := ep.rtx.head; pos != ep.rtx.tail; pos++ {
		// RFC 6675 section 5 step 4.3: the first one asks no window.
		first := !ep.st.cfg.PRR && ep.reducing() && ep.prr.out == 0
		if ep.inFlight() >= ep.win.Cwnd && !first || ep.retransOut >= ep.lostOut {
			break
		}
		s := ep.rtx.at(pos)
		if s.flags&sentLost == 0 || s.flags&(sentSacked|sentRetrans) != 0 {
			continue
		}
		if pos != ep.rtx.head && ep.sndUna.Add(ep.sndWnd).LessEq(s.seq) {
			// The peer has taken back its window. The oldest goes as a probe.
			break
		}
		if ep.st.cfg.Pacing && ep.waitsForPace(now) {
			break
		}
		why := CauseFastRetransmit
		if ep.ca == caLoss {
			why = CauseRetransmit
			ep.st.counters.TCPSlowStartRetrans++
		} else {
			ep.st.counters.TCPFastRetrans++
		}
		ep.resend(now, pos, why)
		if ep.reducing() {
			ep.prr.out++
		}
		if pos == ep.rtx.head && ep.pendingXmit != xmitReorder {
			timer = true
		}
	}
	if timer {
		ep.pendingXmit = xmitRTO
		ep.armRTO(now)
	}
}
