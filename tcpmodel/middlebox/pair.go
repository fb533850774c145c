package middlebox

import (
	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// OneWay is what works in one direction: a Limiter, a Blackhole.
type OneWay interface {
	network.Sink
	SetNext(next network.Sink)
	Flow() network.Flow
	SetObserver(o Observer)
}

// SetObserver has o told of the packets that are lost.
func (s *side) SetObserver(o Observer) { s.observer = o }

// Flow returns what went through.
func (s *side) Flow() network.Flow { return s.flow }

// passage passes everything on.
type passage struct{ side }

// Receive passes a packet on.
func (p *passage) Receive(now des.Time, seg *segment.Segment) {
	count(&p.flow.In, seg)
	p.pass(now, seg)
}

// SetNext makes it pass packets on to next.
func (p *passage) SetNext(next network.Sink) { p.next = next }

// pair is a Box of an element for each direction.
type pair struct{ out, in OneWay }

// Pair returns a Box of an element for each direction. In a direction without
// one, nil, everything passes.
func Pair(outward, inward OneWay) Box {
	if outward == nil {
		outward = new(passage)
	}
	if inward == nil {
		inward = new(passage)
	}
	return &pair{outward, inward}
}

// Outward takes packets from inside.
func (p *pair) Outward() network.Sink { return p.out }

// Inward takes packets from outside.
func (p *pair) Inward() network.Sink { return p.in }

// SetNext says where packets go on to.
func (p *pair) SetNext(outward, inward network.Sink) {
	p.out.SetNext(outward)
	p.in.SetNext(inward)
}

// Flows returns what went through each direction.
func (p *pair) Flows() (outward, inward network.Flow) { return p.out.Flow(), p.in.Flow() }

// SetObserver has o told of the packets that are lost.
func (p *pair) SetObserver(o Observer) {
	p.out.SetObserver(o)
	p.in.SetObserver(o)
}
