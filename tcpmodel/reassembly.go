package tcpmodel

import (
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// reassembly is what has arrived beyond RCV.NXT.
type reassembly struct {
	// ooo are the stretches that have arrived, sorted and disjoint.
	ooo []stretch
	// blocks are those to report, the one that grew last first.
	blocks    [4]segment.Block
	numBlocks uint8
	// dsack is a duplicate to report once.
	dsack segment.Block
}

// stretch is a run of sequence numbers [Left, Right) that arrived out of
// order, a FIN at its end included. foreign counts its bytes that are not the
// peer's.
type stretch struct {
	segment.Block
	foreign uint32
	fin     bool
}

// text takes the payload of an acceptable segment (RFC 9293 section 3.10.7.4
// seventh) and reports whether anything of it was new. The FIN, if any, is the
// caller's.
func (ep *Endpoint) text(now des.Time, seg *segment.Segment) {
	ep.measureEcho(now, seg)
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
	ep.stretchBuffer()
	if left.LessEq(ep.rcvNxt) {
		ep.charge(seg.Len)
		if left.Less(ep.rcvNxt) && seg.Len > 0 {
			ep.reportDuplicate(left, ep.rcvNxt)
		}
		ep.inOrder(now, right, foreign, seg)
		return
	}
	ep.st.counters.TCPOFOQueue++
	if fin {
		right++
	}
	ep.insert(now, stretch{segment.Block{Left: left, Right: right}, foreign, fin})
	ep.ack.outOfOrder(now, ep, seg)
	ep.charge(seg.Len)
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
		if s.fin {
			s.Right--
			ep.finWaits = true
		}
		if s.Left.Less(ep.rcvNxt) && ep.dsack == (segment.Block{}) {
			ep.reportDuplicate(s.Left, minSeq(s.Right, ep.rcvNxt))
		}
		ep.deliver(s.Right, s.foreign)
	}
	if filled {
		ep.forgetBlocks()
		if len(ep.ooo) == 0 {
			// RFC 5681 section 4.2: an ACK at once when the gap is filled.
			ep.ack.now = true
		}
	}
}

func (ep *Endpoint) deliver(right segment.Seq, foreign uint32) {
	n := right.Sub(ep.rcvNxt)
	if n <= 0 {
		return
	}
	ep.rcvNxt = right
	ep.stats.BytesReceived += uint64(n)
	if foreign > 0 {
		ep.countForeign(uint64(foreign))
	}
	if !ep.closed {
		ep.readable += int(n)
		ep.wakeApp(EvReadable)
	}
}

func (ep *Endpoint) countForeign(n uint64) {
	if ep.stats.ForeignBytes == 0 {
		ep.st.counters.CorruptedStreams++
	}
	ep.stats.ForeignBytes += n
	ep.st.counters.ForeignBytes += n
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
func (ep *Endpoint) insert(now des.Time, s stretch) {
	i := 0
	for i < len(ep.ooo) && ep.ooo[i].Right.Less(s.Left) {
		i++
	}
	j := i
	for ; j < len(ep.ooo) && ep.ooo[j].Left.LessEq(s.Right); j++ {
		o := &ep.ooo[j]
		if ep.dsack == (segment.Block{}) {
			if l, r := maxSeq(o.Left, s.Left), minSeq(o.Right, s.Right); l.Less(r) {
				ep.reportDuplicate(l, r)
			}
		}
		s.Left, s.Right = minSeq(s.Left, o.Left), maxSeq(s.Right, o.Right)
		s.foreign += o.foreign
		s.fin = s.fin || o.fin
	}
	ep.ooo = slices.Replace(ep.ooo, i, j, s)
	ep.remember(now, s.Block)
}

// held is how many bytes have arrived out of order.
func (ep *Endpoint) held() (n int) {
	for i := range ep.ooo {
		n += int(ep.ooo[i].Right - ep.ooo[i].Left)
	}
	return n
}

// reportDuplicate makes the next segment report [left, right) as a D-SACK (RFC
// 2883), if tcp_dsack is on.
func (ep *Endpoint) reportDuplicate(left, right segment.Seq) {
	if ep.st.cfg.DSACK {
		ep.dsack = segment.Block{Left: left, Right: right}
	}
}

// expectedBlocks is how many blocks take turns in growing without an ACK for
// each.
const expectedBlocks = 2

// remember puts b first among the blocks to report, in the place of those that
// it has swallowed (RFC 2018 section 4: the most recent first).
func (ep *Endpoint) remember(now des.Time, b segment.Block) {
	if !slices.ContainsFunc(ep.blocks[:min(ep.numBlocks, expectedBlocks)], func(o segment.Block) bool {
		return b.Left.LessEq(o.Left) && o.Right.LessEq(b.Right)
	}) && ep.numBlocks >= expectedBlocks {
		// An ACK that was held back has no room for all the news.
		ep.flushAcks(now)
	}
	kept := uint8(0)
	for _, o := range ep.blocks[:ep.numBlocks] {
		if o.Left.Less(b.Left) || b.Right.Less(o.Right) {
			ep.blocks[kept] = o
			kept++
		}
	}
	kept = min(kept, uint8(len(ep.blocks)-1))
	copy(ep.blocks[1:], ep.blocks[:kept])
	ep.blocks[0] = b
	ep.numBlocks = kept + 1
}

// forgetBlocks drops the blocks that are in order now.
func (ep *Endpoint) forgetBlocks() {
	kept := uint8(0)
	for _, o := range ep.blocks[:ep.numBlocks] {
		if ep.rcvNxt.Less(o.Left) {
			ep.blocks[kept] = o
			kept++
		}
	}
	ep.numBlocks = kept
}

// sackCount is how many blocks the next segment reports: at most four, three
// beside time stamps.
func (ep *Endpoint) sackCount() uint8 {
	if !ep.opt.sackOK {
		return 0
	}
	n, room := int(ep.numBlocks), 4
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
	if ep.dsack != (segment.Block{}) {
		seg.SACK[0], seg.NumSACK = ep.dsack, 1
		ep.dsack = segment.Block{}
	}
	seg.NumSACK += uint8(copy(seg.SACK[seg.NumSACK:room], ep.blocks[:ep.numBlocks]))
	seg.Opts |= segment.OptSACK
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
