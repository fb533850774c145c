package middlebox

import (
	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// Blackhole is a path that fails in silence: from a time on, it loses all that
// comes. It works in one direction and may be put into both.
type Blackhole struct {
	side
	from, until des.Time
}

// NewBlackhole returns a Blackhole that loses what comes from a time on and
// before another, and passes all else to next. des.Never as until is for ever.
func NewBlackhole(from, until des.Time, next network.Sink) *Blackhole {
	return &Blackhole{side: side{next: next}, from: from, until: until}
}

// SetNext makes the black hole pass packets on to next.
func (b *Blackhole) SetNext(next network.Sink) { b.next = next }

// Receive passes on or loses a packet.
func (b *Blackhole) Receive(now des.Time, seg *segment.Segment) {
	count(&b.flow.In, seg)
	if now >= b.from && now < b.until {
		b.lose(now, seg, Failed)
		return
	}
	b.pass(now, seg)
}
