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
	// SetObserver has o told what the box does beside passing packets on.
	SetObserver(o Observer)
}

// Observer is told of packets that a box takes out of the path, and of those that
// it sends by itself. seg is valid during the call only and must not be changed.
type Observer interface {
	ObserveBox(now des.Time, did Deed, seg *segment.Segment)
}

// Deed is what a box did with a packet: why it took it out of the path, or Sent.
type Deed uint8

// The deeds.
const (
	// Unknown: the packet belongs to no connection that the box knows.
	Unknown Deed = iota
	// TableFull: there was no room for another connection, or no port.
	TableFull
	// Corrupt: its checksum was wrong.
	Corrupt
	// OverLimit: its source has sent too much.
	OverLimit
	// Failed: the path was dead.
	Failed
	// Answered: the box has dealt with it in the place of its receiver.
	Answered
	// NotOpen: the receiver has not answered the box yet.
	NotOpen
	// Sent: the packet is the box's own.
	Sent
)

// String returns the deed in words, such as "unknown connection".
func (d Deed) String() string {
	return [...]string{"unknown connection", "table full", "wrong checksum", "over the limit", "dead path",
		"answered by the box", "not open yet", "sent by the box"}[d]
}

// Insert puts boxes, the innermost first, at the inner end of a pair of links:
// packets go through the boxes before they are offered to outward, and in the
// opposite order those that inward has delivered. It is called once for a pair of
// links.
func Insert(sim *des.Sim, outward, inward *network.Link, boxes ...Box) {
	if len(boxes) == 0 {
		return
	}
	last := len(boxes) - 1
	door := newDoorway(sim, outward.Name()+" doorway", boxes[0].Outward(), inward.Next())
	out, in := outward.Intercept(door, boxes[last].Inward()), network.Sink((*doorwayIn)(door))
	for i, b := range boxes {
		outNext, inNext := out, in
		if i < last {
			outNext = boxes[i+1].Outward()
		}
		if i > 0 {
			inNext = boxes[i-1].Inward()
		}
		b.SetNext(outNext, inNext)
	}
	inward.SetNext(boxes[last].Inward())
}

// side is one direction of a box.
type side struct {
	next network.Sink
	flow network.Flow
	// scratch is the packet being changed or made: the one that came belongs
	// to whoever sent it.
	scratch  segment.Segment
	observer Observer
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
	if s.observer != nil {
		s.observer.ObserveBox(now, Sent, seg)
	}
	s.pass(now, seg)
}

// lose takes seg, which came in this direction, out of the path.
func (s *side) lose(now des.Time, seg *segment.Segment, why Deed) {
	count(&s.flow.Lost, seg)
	if s.observer != nil {
		s.observer.ObserveBox(now, why, seg)
	}
}

// box is the part that all boxes share.
type box struct{ out, in side }

// SetNext says where packets go on to.
func (b *box) SetNext(outward, inward network.Sink) { b.out.next, b.in.next = outward, inward }

// Flows returns what went through each direction.
func (b *box) Flows() (outward, inward network.Flow) { return b.out.flow, b.in.flow }

// SetObserver has o told what the box does beside passing packets on.
func (b *box) SetObserver(o Observer) { b.out.observer, b.in.observer = o, o }

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
