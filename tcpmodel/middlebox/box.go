package middlebox

import (
	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// Box is a middlebox between an inside and an outside.
type Box interface {
	// Outward takes what goes from the inside to the outside, Inward what
	// comes back.
	Outward() network.Sink
	Inward() network.Sink
	// SetNext says where packets go on to.
	SetNext(outward, inward network.Sink)
	// Flows returns what went through each direction. A packet of the box's
	// own is Created in the direction in which it leaves.
	Flows() (outward, inward network.Flow)
}

// Insert puts boxes, the innermost first, at the ends of a pair of links: packets
// that outward has delivered go through the boxes to the outside, those that
// inward has delivered go through them in the opposite order. Boxes that are
// there already come behind.
func Insert(outward, inward *network.Link, boxes ...Box) {
	out, in := outward.Next(), inward.Next()
	for i := range boxes {
		last := boxes[len(boxes)-1-i]
		outNext := out
		if i > 0 {
			outNext = boxes[len(boxes)-i].Outward()
		}
		inNext := in
		if i < len(boxes)-1 {
			inNext = boxes[len(boxes)-2-i].Inward()
		}
		last.SetNext(outNext, inNext)
	}
	if len(boxes) > 0 {
		outward.SetNext(boxes[0].Outward())
		inward.SetNext(boxes[len(boxes)-1].Inward())
	}
}

// side is one direction of a box.
type side struct {
	next network.Sink
	flow network.Flow
	// scratch is the packet being changed or made: the one that came belongs
	// to whoever sent it.
	scratch segment.Segment
}

func count(c *network.Count, seg *segment.Segment) {
	c.Packets++
	c.Bytes += uint64(seg.IPLen())
}

func (s *side) pass(now des.Time, seg *segment.Segment) {
	count(&s.flow.Out, seg)
	s.next.Receive(now, seg)
}

// copy returns a copy of seg to change.
func (s *side) copy(seg *segment.Segment) *segment.Segment {
	s.scratch = *seg
	return &s.scratch
}

// create sends a packet of the box itself.
func (s *side) create(now des.Time, seg *segment.Segment) {
	count(&s.flow.Created, seg)
	s.pass(now, seg)
}

// lose drops seg, which came in this direction.
func (s *side) lose(seg *segment.Segment) { count(&s.flow.Lost, seg) }

// box is the part that all boxes share.
type box struct{ out, in side }

// SetNext says where packets go on to.
func (b *box) SetNext(outward, inward network.Sink) { b.out.next, b.in.next = outward, inward }

// Flows returns what went through each direction.
func (b *box) Flows() (outward, inward network.Flow) { return b.out.flow, b.in.flow }

// reset answers seg, which came from the other side, with a RST in its
// receiver's name (RFC 9293 section 3.10.7.1).
func (s *side) reset(now des.Time, seg *segment.Segment) {
	if seg.Has(segment.RST) {
		return
	}
	r := segment.Segment{Src: seg.Dst, Dst: seg.Src, SrcPort: seg.DstPort, DstPort: seg.SrcPort, Flags: segment.RST}
	if seg.Has(segment.ACK) {
		r.Seq = seg.Ack
	} else {
		r.Flags |= segment.ACK
		r.Ack = seg.End()
	}
	s.scratch = r
	s.create(now, &s.scratch)
}
