package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// scoreboard is what the sender knows of the segments in flight (RFC 2018
// section 5, RFC 6675).
type scoreboard struct {
	// sackedOut, lostOut and retransOut count segments in flight that the
	// peer has reported (without SACK: duplicate ACKs), that are taken for
	// lost, and that were sent again.
	sackedOut, lostOut, retransOut uint32
	// sackEnd is the end of the highest reported segment.
	sackEnd segment.Seq
	// seen are the blocks of the last ACK, which need no second look.
	seen    [4]segment.Block
	numSeen uint8
	// reordering is how far, in segments, the network is known to reorder.
	reordering uint32
	reordSeen  bool
	// reordEvents counts how often it did.
	reordEvents uint32
	// delivered counts the segments that have arrived.
	delivered uint32
}

// inFlight is the number of segments in the network: sent, and neither
// reported nor lost (RFC 6675's pipe, in segments).
func (ep *Endpoint) inFlight() uint32 {
	return ep.rtx.len() - ep.sackedOut - ep.lostOut + ep.retransOut
}

// highestSack is the end of what the peer has reported, SND.UNA if nothing.
func (ep *Endpoint) highestSack() segment.Seq {
	if ep.sackedOut == 0 {
		return ep.sndUna
	}
	return ep.sackEnd
}

func (ep *Endpoint) countDelivered(n uint32) {
	ep.delivered += n
	ep.in.delivered += n
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

// markLost takes s for lost. A segment that was lost before and sent again has
// been lost again.
func (ep *Endpoint) markLost(s *sentSegment) {
	switch {
	case s.flags&sentSacked != 0:
	case s.flags&sentLost == 0:
		s.flags |= sentLost
		ep.lostOut++
		ep.in.lost++
	case s.flags&sentRetrans != 0:
		s.flags &^= sentRetrans
		ep.retransOut--
		ep.in.lost++
	}
}

// tagSacked takes in the SACK blocks of seg: a D-SACK first, if there is one
// (RFC 2883 section 4), then what has arrived out of order, from left to right:
// what the same ACK reports further right says nothing of reordering.
func (ep *Endpoint) tagSacked(now des.Time, seg *segment.Segment) {
	sorted := seg.SACK
	blocks := sorted[:seg.NumSACK]
	if ep.isDsack(seg, blocks) {
		ep.dsackArrived(blocks[0], seg.Ack)
		ep.tagDuplicate(blocks[0])
		blocks = blocks[1:]
	}
	for i := range blocks {
		for j := i; j > 0 && blocks[j].Left.Less(blocks[j-1].Left); j-- {
			blocks[j], blocks[j-1] = blocks[j-1], blocks[j]
		}
	}
	for _, b := range blocks {
		if !ep.sndUna.Less(b.Right) || !b.Left.Less(b.Right) || ep.sndNxt.Less(b.Right) || b.Left.Less(ep.sndUna) {
			continue
		}
		from := b.Left
		for _, c := range ep.seen[:ep.numSeen] {
			if from.LessEq(c.Left) && c.Left.Less(c.Right) && c.Right.LessEq(b.Right) {
				ep.tagRange(now, segment.Block{Left: from, Right: c.Left})
				from = c.Right
			}
		}
		ep.tagRange(now, segment.Block{Left: from, Right: b.Right})
	}
	ep.numSeen = uint8(copy(ep.seen[:], blocks))
	if ep.ca != caLoss || ep.undoing {
		ep.sawReordering(ep.in.hole, ep.highestSack())
	}
}

// isDsack tells a D-SACK from a SACK: it lies below the acknowledgement or
// inside the second block.
func (ep *Endpoint) isDsack(seg *segment.Segment, blocks []segment.Block) bool {
	switch {
	case blocks[0].Left.Less(seg.Ack):
		return true
	case len(blocks) > 1:
		return blocks[1].Left.LessEq(blocks[0].Left) && blocks[0].Right.LessEq(blocks[1].Right)
	}
	return false
}

// dsackArrived takes note of a duplicate: each answers for one retransmission
// that was not needed.
func (ep *Endpoint) dsackArrived(b segment.Block, ack segment.Seq) {
	n := uint32(b.Right - b.Left)
	if n == 0 || n > max(ep.maxWindow, 1) {
		return
	}
	dups := int32(1)
	if n > ep.mss {
		dups = int32((n + ep.mss - 1) / ep.mss)
	} else if ep.tlp.on && ep.tlp.highSeq == b.Right {
		ep.in.flags |= ackDsackProbe
	}
	ep.dsackDups += uint32(dups)
	if uint32(dups) > ep.stats.Retransmits {
		return
	}
	ep.in.flags |= ackDsack
	if ep.reordSeen && ep.in.flags&ackDsackProbe == 0 {
		ep.rack.dsackSeen = true
	}
	if ep.undoing && ep.undoRetrans > 0 && b.Right.LessEq(ep.sndUna) && ep.undoMarker.Less(b.Right) {
		ep.undoRetrans = max(ep.undoRetrans-dups, 0)
	}
}

// tagDuplicate accounts for a duplicate of segments still in flight.
func (ep *Endpoint) tagDuplicate(b segment.Block) {
	if b.Right.LessEq(ep.sndUna) || ep.sndNxt.Less(b.Right) {
		return
	}
	for pos := ep.rtx.search(b.Left); pos != ep.rtx.tail; pos++ {
		s := ep.rtx.at(pos)
		if b.Right.Less(s.end) {
			return
		}
		if s.seq.Less(b.Left) || s.flags&(sentRetrans|sentEver) == 0 {
			continue
		}
		if ep.undoing && ep.undoRetrans > 0 && ep.undoMarker.Less(s.end) {
			ep.undoRetrans--
		}
		if s.flags&sentSacked != 0 {
			ep.in.hole = minSeq(ep.in.hole, s.seq)
		}
		if s.flags&sentRetrans != 0 && s.flags&sentLost == 0 {
			s.flags &^= sentRetrans
			ep.retransOut--
		}
	}
}

// tagRange marks the segments inside b as reported.
func (ep *Endpoint) tagRange(now des.Time, b segment.Block) {
	if !b.Left.Less(b.Right) {
		return
	}
	for pos := ep.rtx.search(b.Left); pos != ep.rtx.tail; pos++ {
		s := ep.rtx.at(pos)
		if b.Right.Less(s.end) {
			return
		}
		if s.seq.Less(b.Left) || s.flags&sentSacked != 0 {
			continue
		}
		ep.tagOne(now, pos, s)
	}
}

func (ep *Endpoint) tagOne(now des.Time, pos uint32, s *sentSegment) {
	in := &ep.in
	ep.rackAdvance(now, s)
	if s.flags&(sentRetrans|sentEver) == 0 {
		if s.seq.Less(ep.highestSack()) {
			// It lay in a hole and was never sent again: reordering.
			in.hole = minSeq(in.hole, s.seq)
		}
		if s.end.LessEq(ep.highSeq) {
			in.flags |= ackOriginal
		}
		if !in.hasSackRTT {
			in.sackedFirst, in.hasSackRTT = s.sentAt, true
		}
		in.sackedLast = s.sentAt
	}
	if s.flags&sentLost != 0 || s.flags&sentRetrans == 0 {
		ep.unmark(s)
	}
	s.flags |= sentSacked
	in.flags |= ackSacked
	ep.sackEnd = maxSeq(ep.highestSack(), s.end)
	ep.sackedOut++
	ep.countDelivered(1)
	ep.rtx.untime(pos)
}

// sawReordering takes note that low arrived after what ends at highest.
func (ep *Endpoint) sawReordering(low, highest segment.Seq) {
	if !low.Less(highest) {
		return
	}
	if metric := uint32(highest - low); metric > ep.reordering*ep.mss {
		ep.reordering = min((metric+ep.mss-1)/ep.mss, maxReordering)
	}
	ep.reordSeen = true
	ep.reordEvents++
}

// maxReordering is net.ipv4.tcp_max_reordering.
const maxReordering = 300

// addDuplicate counts a duplicate ACK of a peer without SACK as the arrival of
// one segment beyond the first hole.
func (ep *Endpoint) addDuplicate() {
	before := ep.sackedOut
	ep.sackedOut++
	ep.limitDuplicates(0)
	if ep.sackedOut > before {
		ep.countDelivered(ep.sackedOut - before)
	}
}

// limitDuplicates keeps the count below the number of segments in flight; more
// duplicates than that show reordering.
func (ep *Endpoint) limitDuplicates(more uint32) {
	n := ep.rtx.len()
	holes := min(max(ep.lostOut, 1), n)
	if ep.sackedOut+holes > n {
		ep.sackedOut = n - holes
		ep.reordering = min(n+more, maxReordering)
		ep.reordSeen = true
		ep.reordEvents++
	}
}

// eatDuplicates takes acked segments out of the count of duplicate ACKs: one
// filled the hole, the others had been counted.
func (ep *Endpoint) eatDuplicates(acked uint32) {
	if acked == 0 {
		return
	}
	ep.countDelivered(max(acked-min(ep.sackedOut, acked), 1))
	ep.sackedOut -= min(acked-1, ep.sackedOut)
	ep.limitDuplicates(acked)
}
