package network

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Element is the part that all impairments share: a Sink that passes packets on
// to another one. Bytes are those of the IP packets.
type Element struct {
	next Sink
	flow Flow
}

// Flow counts what went through an element. At every moment
//
//	In + Created = Out + Lost + Held
//
// in packets and in bytes.
type Flow struct {
	// In packets came, Out ones were passed on. Created ones are duplicates.
	In, Out, Created Count
	// Lost packets vanished in the element, Held ones are in it.
	Lost, Held Count
}

// Check returns an error if packets or bytes are missing.
func (f Flow) Check() error {
	if in, out := f.In.plus(f.Created), f.Out.plus(f.Lost).plus(f.Held); in != out {
		return fmt.Errorf("came or created %v, but passed on, lost and held are %v together", in, out)
	}
	return nil
}

// Next returns the sink that packets are passed on to.
func (e *Element) Next() Sink { return e.next }

// SetNext makes the element pass packets on to next.
func (e *Element) SetNext(next Sink) { e.next = next }

// Flow returns what went through the element.
func (e *Element) Flow() Flow { return e.flow }

func (e *Element) pass(now des.Time, seg *segment.Segment) {
	e.flow.Out.add(seg.IPLen())
	e.next.Receive(now, seg)
}
