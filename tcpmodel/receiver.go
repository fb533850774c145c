package tcpmodel

import (
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// receiver is the receiving half of an endpoint: RCV.* of RFC 9293 section
// 3.3.1, reassembly, the receive window and the policy of acknowledging.
type receiver struct {
	rcvNxt, irs segment.Seq
	// rcvWnd is the window that was last offered, counted from rcvWup, the
	// RCV.NXT of that moment.
	rcvWnd uint32
	rcvWup segment.Seq
	// copiedSeq is the first byte that the user has not read.
	copiedSeq segment.Seq
	readable  int
	// finSeen: the FIN has been taken in order. finWaits: it was among what
	// came out of order and is in order now.
	finSeen, finWaits bool

	// rcvBuf is SO_RCVBUF. rcvSsthresh is how much of it may be offered:
	// it grows as data arrive (Linux's tcp_grow_window).
	rcvBuf       int
	rcvBufLocked bool
	rcvSsthresh  uint32
	// autotune measures what the user reads per round trip (Linux's
	// dynamic right-sizing).
	autotune struct {
		seq      segment.Seq
		since    des.Time
		space    uint32
		rttSeq   segment.Seq
		rttSince des.Time
		rtt      des.Time
	}

	// ooo are the stretches beyond rcvNxt that have arrived, sorted and
	// disjoint. recent is the start of the one that grew last.
	ooo    []stretch
	recent segment.Seq
	dsack  segment.Block

	// peer is where the bytes of the peer's stream come from: byte n of it
	// has sequence number peerBase+n.
	peerStream uint32
	peerKnown  bool

	ack ackState
}

// stretch is a run of sequence numbers [Left, Right) that arrived out of
// order. foreign counts its bytes that are not the peer's.
type stretch struct {
	segment.Block
	foreign uint32
	fin     bool
}

func (ep *Endpoint) initReceiver() {
	cfg := &ep.st.cfg
	ep.rcvBuf = cfg.RmemDefault
	ep.rcvSsthresh = uint32(cfg.rcvSpace(ep.rcvBuf))
	ep.ack.rcvMSS = defaultMSS
}

// startReceiving is called when the connection is established.
func (ep *Endpoint) startReceiving(now des.Time) {
	ep.rcvSsthresh = ep.rcvWnd
	ep.ack.rcvMSS = min(ep.advMSS(), defaultMSS)
	a := &ep.autotune
	a.seq, a.since, a.space = ep.copiedSeq, now, ep.rcvWnd
}

// advMSS is how many payload bytes the largest segment of the peer carries.
func (ep *Endpoint) advMSS() uint32 {
	mss := uint32(ep.st.cfg.advertisedMSS())
	if ep.opt.tsOK {
		mss -= tsOptionLen
	}
	return mss
}

func (ep *Endpoint) eof() bool { return ep.finSeen }

// receiveWindow is how much of the offered window is left.
func (ep *Endpoint) receiveWindow() uint32 {
	return uint32(max(int64(int32(ep.rcvWup.Add(ep.rcvWnd)-ep.rcvNxt)), 0))
}

// freeSpace is how many payload bytes the receive buffer still takes.
func (ep *Endpoint) freeSpace() int {
	used := ep.readable
	for i := range ep.ooo {
		used += int(ep.ooo[i].Right - ep.ooo[i].Left)
	}
	return max(ep.st.cfg.rcvSpace(ep.rcvBuf)-used, 0)
}

// newWindow is the window to offer now, before the rule that the right edge
// never moves left: the free space in whole segments, avoiding silly windows
// (RFC 9293 section 3.8.6.2.2).
func (ep *Endpoint) newWindow() uint32 {
	full := ep.st.cfg.rcvSpace(ep.rcvBuf)
	free := ep.freeSpace()
	mss := min(int(ep.ack.rcvMSS), full)
	if mss <= 0 {
		return 0
	}
	if free < full/2 && (free < full>>4 || free < mss) {
		return 0
	}
	free = min(free, int(ep.rcvSsthresh))
	if scale := ep.opt.rcvWScale; scale > 0 {
		return uint32(roundUp(free, 1<<scale))
	}
	wnd := int(ep.rcvWnd)
	if wnd <= free-mss || wnd > free {
		wnd = free - free%mss
	} else if mss == full && free > wnd+full/2 {
		wnd = free
	}
	return uint32(wnd)
}

func roundUp(n, unit int) int { return (n + unit - 1) &^ (unit - 1) }

// selectWindow sets the window that the next segment offers and returns the
// value of its window field.
func (ep *Endpoint) selectWindow() uint16 {
	cur, wnd := ep.receiveWindow(), ep.newWindow()
	if wnd < cur {
		// RFC 9293 section 3.8.6: the right edge does not move left.
		wnd = uint32(roundUp(int(cur), 1<<ep.opt.rcvWScale))
	}
	ep.rcvWnd, ep.rcvWup = wnd, ep.rcvNxt
	if ep.opt.rcvWScale == 0 {
		ep.rcvWnd = min(wnd, 65535)
	} else {
		ep.rcvWnd = min(wnd, 65535<<ep.opt.rcvWScale)
	}
	return uint16(ep.rcvWnd >> ep.opt.rcvWScale)
}

// text takes the payload of an acceptable segment (RFC 9293 section 3.10.7.4
// seventh) and reports whether anything of it was new. The FIN, if any, is the
// caller's.
func (ep *Endpoint) text(now des.Time, seg *segment.Segment) {
	left, right := seg.Seq, seg.Seq.Add(seg.Len)
	foreign := ep.foreign(seg)
	fin := seg.Has(segment.FIN)
	if right.LessEq(ep.rcvNxt) && !(fin && right == ep.rcvNxt) {
		if fin {
			right++
		}
		ep.duplicate(left, right)
		return
	}
	if edge := ep.rcvNxt.Add(ep.receiveWindow()); edge.Less(right) {
		right, fin = edge, false
		if right.LessEq(left) {
			ep.ack.enterQuick(ep)
			ep.ack.now = true
			return
		}
	}
	if left.LessEq(ep.rcvNxt) {
		if left.Less(ep.rcvNxt) && seg.Len > 0 {
			ep.dsack = segment.Block{Left: left, Right: ep.rcvNxt}
		}
		ep.inOrder(now, right, foreign, seg)
		return
	}
	ep.st.counters.TCPOFOQueue++
	ep.insert(stretch{segment.Block{Left: left, Right: right}, foreign, fin})
	ep.ack.received(now, ep, seg)
	ep.ack.now = true
}

// inOrder takes bytes up to right, and what waits behind them.
func (ep *Endpoint) inOrder(now des.Time, right segment.Seq, foreign uint32, seg *segment.Segment) {
	filled := len(ep.ooo) > 0
	ep.deliver(right, foreign)
	if seg.Len > 0 {
		ep.ack.received(now, ep, seg)
	}
	for len(ep.ooo) > 0 && ep.ooo[0].Left.LessEq(ep.rcvNxt) {
		s := ep.ooo[0]
		ep.ooo = slices.Delete(ep.ooo, 0, 1)
		ep.deliver(s.Right, s.foreign)
		if s.fin && s.Right == ep.rcvNxt {
			ep.finWaits = true
		}
	}
	if filled {
		// RFC 5681 section 4.2: an ACK at once when a gap is filled.
		ep.ack.now = true
	}
}

func (ep *Endpoint) deliver(right segment.Seq, foreign uint32) {
	n := right.Sub(ep.rcvNxt)
	if n <= 0 {
		return
	}
	ep.rcvNxt = right
	ep.stats.BytesReceived += uint64(n)
	ep.stats.ForeignBytes += uint64(foreign)
	if !ep.closed {
		ep.readable += int(n)
		ep.wakeApp(EvReadable)
	}
}

// foreign counts the payload bytes of seg that do not belong to the stream
// that the connection has carried so far, at their place in it.
func (ep *Endpoint) foreign(seg *segment.Segment) uint32 {
	if seg.Len == 0 {
		return 0
	}
	if !ep.peerKnown {
		ep.peerKnown, ep.peerStream = true, seg.Stream
	}
	if seg.Stream == ep.peerStream && uint32(seg.Offset) == uint32(seg.Seq-ep.irs-1) {
		return 0
	}
	return seg.Len
}

// insert adds s to the stretches out of order, joined with those it touches.
func (ep *Endpoint) insert(s stretch) {
	i := 0
	for i < len(ep.ooo) && ep.ooo[i].Right.Less(s.Left) {
		i++
	}
	j := i
	for ; j < len(ep.ooo) && ep.ooo[j].Left.LessEq(s.Right); j++ {
		o := &ep.ooo[j]
		if ep.dsack == (segment.Block{}) {
			if l, r := maxSeq(o.Left, s.Left), minSeq(o.Right, s.Right); l.Less(r) {
				ep.dsack = segment.Block{Left: l, Right: r}
			}
		}
		s.Left, s.Right = minSeq(s.Left, o.Left), maxSeq(s.Right, o.Right)
		s.foreign += o.foreign
		s.fin = s.fin || o.fin
	}
	ep.ooo = slices.Replace(ep.ooo, i, j, s)
	ep.recent = s.Left
}

func minSeq(a, b segment.Seq) segment.Seq {
	if a.Less(b) {
		return a
	}
	return b
}

func maxSeq(a, b segment.Seq) segment.Seq {
	if a.Less(b) {
		return b
	}
	return a
}

// sackCount is how many blocks the next segment reports: at most four, three
// beside time stamps.
func (ep *Endpoint) sackCount() uint8 {
	if !ep.opt.sackOK {
		return 0
	}
	n, room := len(ep.ooo), 4
	if ep.dsack != (segment.Block{}) {
		n++
	}
	if ep.opt.tsOK {
		room = 3
	}
	return uint8(min(n, room))
}

// sackSpace is how many bytes of a segment the padded SACK option takes.
func (ep *Endpoint) sackSpace() uint32 {
	if n := ep.sackCount(); n > 0 {
		return 4 + 8*uint32(n)
	}
	return 0
}

// sackBlocks fills in the SACK option: a D-SACK first if there is one (RFC
// 2883 section 4), then the block that grew last, then the others (RFC 2018
// section 4).
func (ep *Endpoint) sackBlocks(seg *segment.Segment) {
	room := ep.sackCount()
	if room == 0 {
		return
	}
	add := func(b segment.Block) {
		if seg.NumSACK < room {
			seg.SACK[seg.NumSACK] = b
			seg.NumSACK++
		}
	}
	if ep.dsack != (segment.Block{}) {
		add(ep.dsack)
		ep.dsack = segment.Block{}
	}
	for i := range ep.ooo {
		if ep.ooo[i].Left == ep.recent {
			add(ep.ooo[i].Block)
		}
	}
	for i := range ep.ooo {
		if ep.ooo[i].Left != ep.recent {
			add(ep.ooo[i].Block)
		}
	}
	seg.Opts |= segment.OptSACK
}

// consume is the user's RECEIVE of n bytes.
func (ep *Endpoint) consume(now des.Time, n int) {
	ep.readable -= n
	ep.copiedSeq = ep.copiedSeq.Add(uint32(n))
	ep.adjustSpace(now)
	if ep.state.synchronized() {
		ep.cleanupRead(now)
	}
}

// cleanupRead sends the ACK that reading makes due: one that waited for the
// user, or a window that has opened by a factor of two.
func (ep *Endpoint) cleanupRead(now des.Time) {
	a := &ep.ack
	due := false
	if a.scheduled {
		due = ep.rcvNxt.Sub(ep.rcvWup) > int32(a.rcvMSS) ||
			(a.pushed2 || a.pushed && !a.inPingpong()) && ep.readable == 0
		if ep.st.cfg.AckPolicy != AckLinux {
			due = false
		}
	}
	if !due && !ep.finSeen {
		cur := ep.receiveWindow()
		if 2*cur <= uint32(ep.st.cfg.rcvSpace(ep.rcvBuf)) {
			wnd := ep.newWindow()
			due = wnd > 0 && wnd >= 2*cur
		}
	}
	if due {
		ep.sendAck(now, CauseWindowUpdate)
	}
}

// growWindow lets more of the buffer be offered as full segments arrive
// (Linux's tcp_grow_window).
func (ep *Endpoint) growWindow(seg *segment.Segment) {
	limit := uint32(ep.st.cfg.rcvSpace(ep.rcvBuf))
	if seg.Len < 128 || ep.rcvSsthresh >= limit {
		return
	}
	ep.rcvSsthresh = min(ep.rcvSsthresh+2*ep.advMSS(), limit)
}

// adjustSpace enlarges the receive buffer to twice what the user read in the
// last round trip (Linux's tcp_rcv_space_adjust, tcp_moderate_rcvbuf).
func (ep *Endpoint) adjustSpace(now des.Time) {
	a, cfg := &ep.autotune, &ep.st.cfg
	if !cfg.Autotune || ep.rcvBufLocked || a.rtt == 0 || now-a.since < a.rtt {
		return
	}
	copied := uint32(ep.copiedSeq - a.seq)
	if copied > a.space {
		wnd := uint64(copied)*2 + 16*uint64(ep.advMSS())
		wnd += wnd * uint64(copied-a.space) / uint64(a.space) * 2
		a.space = copied
		buf := int(wnd)
		if cfg.AdvWinScale > 0 {
			buf = int(wnd << cfg.AdvWinScale)
		}
		ep.rcvBuf = max(ep.rcvBuf, min(buf, cfg.RmemMax))
	}
	a.seq, a.since = ep.copiedSeq, now
}

// measureReceiveRTT estimates the round-trip time at the receiver: with time
// stamps from the echoed clock, else from the time that one window takes.
func (ep *Endpoint) measureReceiveRTT(now des.Time, seg *segment.Segment) {
	a := &ep.autotune
	if !ep.st.cfg.Autotune {
		return
	}
	var m des.Time
	if ep.opt.tsOK {
		if seg.TSEcr == 0 || seg.Len < ep.ack.rcvMSS {
			return
		}
		m = max(des.Time(tsClock(now)+ep.tsOffset-seg.TSEcr)*des.Millisecond, des.Millisecond)
	} else {
		if a.rttSince != 0 && ep.rcvNxt.Less(a.rttSeq) {
			return
		}
		m = now - a.rttSince
		first := a.rttSince == 0
		a.rttSeq, a.rttSince = ep.rcvNxt.Add(ep.rcvWnd), now
		if first {
			return
		}
	}
	if a.rtt == 0 {
		a.rtt = m
	} else if ep.opt.tsOK {
		a.rtt += (m - a.rtt) / 8
	} else {
		a.rtt = min(a.rtt, m)
	}
}
