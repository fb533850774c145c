package tcpmodel

import "tcplab/tcpmodel/segment"

// Undoing a reduction that turns out to be unfounded: every retransmission was
// answered by a D-SACK (RFC 2883, RFC 3708), or the ACK echoes a time stamp
// from before the first retransmission (RFC 3522).

// delayed reports whether the ACK was caused by an original transmission.
func (ep *Endpoint) delayed() bool {
	in := &ep.in
	if ep.firstRetry == never || !in.stamped || in.tsEcr == 0 {
		return false
	}
	return int32(in.tsEcr-(tsClock(ep.firstRetry)+ep.tsOffset)) < 0
}

func (ep *Endpoint) mayUndo() bool {
	return ep.undoing && (ep.undoRetrans == 0 || ep.delayed())
}

// undo restores the window of before the episode.
func (ep *Endpoint) undo(unmark bool) {
	if unmark {
		for pos := ep.rtx.head; pos != ep.rtx.tail; pos++ {
			ep.rtx.at(pos).flags &^= sentLost
		}
		ep.lostOut = 0
	}
	if ep.priorSsthresh > 0 {
		ep.win.Cwnd = ep.cc.OnUndo(&ep.win, ep.prr.prior)
		if ep.priorSsthresh > ep.win.Ssthresh {
			ep.win.Ssthresh = ep.priorSsthresh
			ep.ecn.queueCWR = false
		}
	}
	ep.undoing = false
	ep.rack.advanced = true
}

// undoRecovery ends an episode, undone or not, and reports whether the state
// has to stay: without SACK something above highSeq must be acknowledged
// first, so that old duplicate ACKs start no new recovery (RFC 6582 section
// 3.2 step 1).
func (ep *Endpoint) undoRecovery() bool {
	if ep.mayUndo() {
		ep.undo(false)
	} else if ep.rack.persist > 0 {
		ep.rack.persist--
	}
	if ep.holdsState() {
		return true
	}
	ep.ca = caOpen
	return false
}

func (ep *Endpoint) holdsState() bool {
	if ep.sndUna == ep.highSeq && !ep.opt.sackOK {
		if !ep.anyResent() {
			ep.firstRetry = never
		}
		return true
	}
	return false
}

// undoLoss leaves the state Loss if the timeout was spurious.
func (ep *Endpoint) undoLoss(spurious bool) bool {
	if !spurious && !ep.mayUndo() {
		return false
	}
	ep.undo(true)
	ep.retries = 0
	if ep.holdsState() {
		return true
	}
	if spurious || ep.opt.sackOK {
		ep.ca = caOpen
	}
	return true
}

// undoPartial undoes fast recovery when a partial ACK shows that its
// retransmission was not needed, and reports whether to retransmit nothing
// more for now.
func (ep *Endpoint) undoPartial(before segment.Seq) bool {
	if !ep.undoing || !ep.delayed() {
		return false
	}
	ep.sawReordering(before, ep.highestSack())
	if ep.retransOut > 0 {
		return true
	}
	if !ep.anyResent() {
		ep.firstRetry = never
	}
	ep.undo(true)
	ep.keepOpen(0)
	return false
}

// undoByDsack undoes a reduction whose retransmissions were all duplicates.
func (ep *Endpoint) undoByDsack() bool {
	if !ep.undoing || ep.undoRetrans != 0 {
		return false
	}
	ep.rack.persist = min(rackPersist, ep.rack.persist+1)
	ep.undo(false)
	return true
}
