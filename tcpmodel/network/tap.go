package network

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// TapEvent is what happened to a packet on a link.
type TapEvent uint8

// Every packet that is offered to a link is first Sent or Dropped. Every packet
// that was Sent is later Discarded, Lost or Delivered; without a discipline that
// reorders (FQCoDel), jitter or reordering it is so in the same order.
const (
	// Sent: the packet was admitted to the queue.
	Sent TapEvent = iota
	// Dropped: the packet was not admitted to the queue.
	Dropped
	// Lost: the packet vanished on the wire (loss or fault). It is told when
	// the packet would have been delivered.
	Lost
	// Delivered: the packet arrived; the receiver has not seen it yet.
	Delivered
	// Discarded: a packet that was Sent is dropped from the queue, by the
	// discipline or because the link went down.
	Discarded
	// Duplicated: at the end of the wire another packet like this one has come
	// into being. It is Delivered later.
	Duplicated
)

var tapEventNames = [...]string{"sent", "dropped", "lost", "delivered", "discarded", "duplicated"}

// String returns "sent", "dropped", "lost", "delivered", "discarded" or
// "duplicated".
func (e TapEvent) String() string { return tapEventNames[e] }

// Tap observes the packets of one direction of a link, for captures, ladders
// and tests. seg is valid during the call only and must not be changed. An
// observer must not send into the link that it observes.
type Tap interface {
	Observe(now des.Time, event TapEvent, seg *segment.Segment)
}

func (l *Link) tell(now des.Time, event TapEvent, seg *segment.Segment) {
	for _, t := range l.taps {
		t.Observe(now, event, seg)
	}
}
