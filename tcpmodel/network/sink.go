package network

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Sink takes packets: a host's stack, a link, a router. seg is valid during
// the call only; a sink that keeps it copies the value.
type Sink interface {
	Receive(now des.Time, seg *segment.Segment)
}
