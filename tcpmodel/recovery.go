package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/segment"
)

// caState is where loss recovery stands, with the names of Linux.
type caState uint8

const (
	// caOpen: nothing is amiss.
	caOpen caState = iota
	// caDisorder: duplicate ACKs or SACKs, too few to act on.
	caDisorder
	// caRecovery: fast recovery (RFC 6582, RFC 6675).
	caRecovery
	// caLoss: after a retransmission timeout.
	caLoss
)

// recovery is the state of loss recovery.
type recovery struct {
	ca caState
	// highSeq is SND.NXT when the episode began: RFC 6582's recover.
	highSeq segment.Seq
	// sackedOut, lostOut and retransOut count segments in flight that the
	// peer has reported (without SACK: duplicate ACKs), that are taken for
	// lost, and that were sent again.
	sackedOut, lostOut, retransOut uint32
	// prr is proportional rate reduction (RFC 6937).
	prr struct {
		prior, delivered, out uint32
	}
}

// tagSacked marks the segments that the SACK blocks of seg report, and returns
// how many are new (RFC 2018 section 5).
func (ep *Endpoint) tagSacked(seg *segment.Segment) uint32 {
	fresh := uint32(0)
	for _, b := range seg.SACK[:seg.NumSACK] {
		if !ep.sndUna.Less(b.Right) || !b.Left.Less(b.Right) || ep.sndNxt.Less(b.Right) {
			continue
		}
		for i := ep.rtx.search(b.Left); i < ep.rtx.n; i++ {
			s := ep.rtx.at(i)
			if b.Right.Less(s.end) {
				break
			}
			if s.seq.Less(b.Left) || s.flags&sentSacked != 0 {
				continue
			}
			ep.unmark(s)
			s.flags |= sentSacked
			ep.sackedOut++
			fresh++
		}
	}
	return fresh
}

// unmark takes s out of the counts of lost and retransmitted segments.
func (ep *Endpoint) unmark(s *sentSegment) {
	if s.flags&sentLost != 0 {
		ep.lostOut--
	}
	if s.flags&sentRetrans != 0 {
		ep.retransOut--
	}
	s.flags &^= sentLost | sentRetrans
}

func (ep *Endpoint) markLost(s *sentSegment) {
	if s.flags&(sentLost|sentSacked) == 0 {
		s.flags |= sentLost
		ep.lostOut++
	}
}

// markLosses marks what the scoreboard says is lost: with SACK every segment
// with tcp_reordering reported ones above it (RFC 6675 IsLost in segments),
// without it the first.
func (ep *Endpoint) markLosses() {
	threshold := uint32(ep.st.cfg.Reordering)
	if !ep.opt.sackOK {
		if ep.sackedOut >= threshold || ep.ca == caRecovery {
			ep.markLost(ep.rtx.at(0))
		}
		return
	}
	above := ep.sackedOut
	for i := uint32(0); i < ep.rtx.n && above >= threshold; i++ {
		s := ep.rtx.at(i)
		if s.flags&sentSacked != 0 {
			above--
			continue
		}
		ep.markLost(s)
	}
}

// duplicateAck counts a duplicate ACK of a peer without SACK as the arrival of
// one segment beyond the first.
func (ep *Endpoint) duplicateAck() uint32 {
	if ep.sackedOut+ep.lostOut >= ep.rtx.n {
		return 0
	}
	ep.sackedOut++
	return 1
}

// recover runs loss recovery on an ACK that acknowledged acked segments and
// reported sacked new ones; dup says that it is a duplicate ACK, advanced that
// it moved SND.UNA. It reports whether the window may grow.
func (ep *Endpoint) recover(now des.Time, acked, sacked uint32, dup, advanced bool) bool {
	if ep.ca == caOpen && ep.sackedOut == 0 && !dup {
		return true
	}
	if !ep.opt.sackOK {
		if dup {
			sacked += ep.duplicateAck()
		} else if advanced {
			ep.forgetDuplicates(acked)
		}
	}
	lostBefore := ep.lostOut
	switch ep.ca {
	case caOpen, caDisorder:
		if ep.rtx.n == 0 || ep.sackedOut == 0 {
			ep.ca = caOpen
			return true
		}
		ep.ca = caDisorder
		ep.markLosses()
		if ep.lostOut == 0 {
			return true
		}
		ep.enterRecovery(now)
	case caRecovery:
		if ep.recovered() {
			ep.leaveRecovery(now)
			return false
		}
		if ep.rtx.n > 0 {
			if advanced || ep.opt.sackOK {
				ep.markLosses()
			}
		}
	case caLoss:
		if ep.highSeq.LessEq(ep.sndUna) {
			ep.ca = caOpen
			ep.firstRetry = never
			if ep.sackedOut > 0 && ep.opt.sackOK {
				ep.ca = caDisorder
			}
		}
		return true
	}
	ep.reduce(acked+sacked, advanced && ep.lostOut <= lostBefore)
	return false
}

// forgetDuplicates takes acked segments out of the count of duplicate ACKs:
// the first of them filled the hole, the others had been counted.
func (ep *Endpoint) forgetDuplicates(acked uint32) {
	if acked > 1 {
		ep.sackedOut -= min(acked-1, ep.sackedOut)
	}
	ep.sackedOut = min(ep.sackedOut, ep.rtx.n-min(ep.lostOut, ep.rtx.n))
}

// recovered reports whether everything that was in flight when recovery began
// is acknowledged. Without SACK one byte more is asked for, so that duplicate
// ACKs of the same flight start no second recovery (RFC 6582 section 3.2).
func (ep *Endpoint) recovered() bool {
	if ep.opt.sackOK {
		return ep.highSeq.LessEq(ep.sndUna)
	}
	return ep.highSeq.Less(ep.sndUna) || ep.highSeq == ep.sndUna && ep.rtx.n == 0
}

func (ep *Endpoint) enterRecovery(now des.Time) {
	ep.st.counters.TCPFastRetrans++
	ep.highSeq = ep.sndNxt
	ep.prr.prior, ep.prr.delivered, ep.prr.out = ep.win.Cwnd, 0, 0
	ep.win.Ssthresh = ep.cc.OnLoss(&ep.win, now)
	ep.win.Count = 0
	ep.ca = caRecovery
}

func (ep *Endpoint) leaveRecovery(des.Time) {
	ep.win.Cwnd = ep.win.Ssthresh
	ep.ca = caOpen
	ep.firstRetry = never
	if !ep.opt.sackOK {
		ep.sackedOut = 0
	}
}

// reduce is proportional rate reduction with slow-start reduction bound (RFC
// 6937 section 3.1).
func (ep *Endpoint) reduce(delivered uint32, progress bool) {
	p := &ep.prr
	if delivered == 0 || p.prior == 0 {
		delivered = 0
	}
	p.delivered += delivered
	pipe, ssthresh := ep.inFlight(), ep.win.Ssthresh
	var send int64
	if pipe > ssthresh {
		send = (int64(ssthresh)*int64(p.delivered)+int64(p.prior)-1)/int64(p.prior) - int64(p.out)
	} else {
		send = max(int64(p.delivered)-int64(p.out), int64(delivered))
		if progress {
			send++
		}
		send = min(send, int64(ssthresh-pipe))
	}
	if p.out == 0 {
		// The first retransmission leaves at once.
		send = max(send, 1)
	}
	ep.win.Cwnd = pipe + uint32(max(send, 0))
}

// enterLoss is the answer to a retransmission timeout (RFC 5681 section 3.1,
// RFC 6298 (5.4)): everything that the peer has not reported is lost, and the
// window is one segment.
func (ep *Endpoint) enterLoss(now des.Time) {
	if ep.state != SynSent && ep.state != SynReceived {
		if ep.ca < caRecovery || !ep.sndUna.Less(ep.highSeq) || ep.retries == 0 && ep.ca == caLoss {
			ep.win.Ssthresh = ep.cc.OnLoss(&ep.win, now)
		}
		ep.cc.OnEvent(&ep.win, congestion.EventRTO, now)
		ep.win.Count = 0
	}
	for i := range ep.rtx.n {
		s := ep.rtx.at(i)
		if s.flags&sentRetrans != 0 {
			s.flags &^= sentRetrans
			ep.retransOut--
		}
		ep.markLost(s)
	}
	if !ep.opt.sackOK {
		ep.sackedOut = 0
	}
	ep.win.Cwnd = ep.inFlight() + 1
	ep.ca = caLoss
	ep.highSeq = ep.sndNxt
}

// retransmitLost sends again what is lost and was not sent again yet, as far
// as the window allows.
func (ep *Endpoint) retransmitLost(now des.Time) {
	why := CauseFastRetransmit
	if ep.ca == caLoss {
		why = CauseRetransmit
	}
	left := ep.lostOut
	for i := uint32(0); i < ep.rtx.n && left > 0; i++ {
		s := ep.rtx.at(i)
		if s.flags&sentLost == 0 {
			continue
		}
		left--
		if s.flags&sentRetrans != 0 {
			continue
		}
		if ep.inFlight() >= ep.win.Cwnd {
			return
		}
		if ep.ca == caLoss {
			ep.st.counters.TCPSlowStartRetrans++
		}
		ep.prr.out++
		ep.resend(now, i, why)
		if i == 0 {
			ep.armRTO(now)
		}
	}
}
