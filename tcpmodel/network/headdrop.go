package network

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// HeadDrop drops from the front of a full queue, so that the sender learns of the
// loss by the length of the queue sooner (Lakshman, Neidhardt and Ott, "The drop
// from front strategy in TCP and in TCP over ATM", INFOCOM 1996).
type HeadDrop struct{}

// Name returns "headdrop".
func (HeadDrop) Name() string { return "headdrop" }

// Validate returns nil: there are no parameters.
func (HeadDrop) Validate() error { return nil }

func (HeadDrop) build(q *paced) discipline { return &headDrop{fifo{q: q}} }

type headDrop struct{ fifo }

func (d *headDrop) admit(des.Time, *segment.Segment, uint32) verdict { return admit }

func (d *headDrop) push(now des.Time, s slot) {
	d.fifo.push(now, s)
	for d.q.over() {
		d.q.discard(now, d.take())
	}
}
