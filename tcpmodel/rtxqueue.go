package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// sentSegment is a segment that was sent and is not acknowledged yet.
type sentSegment struct {
	seq, end segment.Seq
	sentAt   des.Time
	flags    sentFlags
	syn, fin bool
	push     bool
	// rexmits is how often it was sent again.
	rexmits uint8
}

type sentFlags uint8

const (
	// sentSacked: the peer reported it in a SACK block.
	sentSacked sentFlags = 1 << iota
	// sentLost: it is taken for lost.
	sentLost
	// sentRetrans: it was sent again, and that copy is not known to be lost.
	sentRetrans
)

// rtxQueue is the segments in flight, in order of sequence number: a ring.
type rtxQueue struct {
	ring []sentSegment
	head uint32
	n    uint32
}

func (q *rtxQueue) at(i uint32) *sentSegment {
	return &q.ring[(q.head+i)&uint32(len(q.ring)-1)]
}

func (q *rtxQueue) push(s sentSegment) {
	if int(q.n) == len(q.ring) {
		ring := make([]sentSegment, max(2*len(q.ring), 16))
		for i := range q.n {
			ring[i] = *q.at(i)
		}
		q.ring, q.head = ring, 0
	}
	q.n++
	*q.at(q.n - 1) = s
}

func (q *rtxQueue) pop() {
	q.head = (q.head + 1) & uint32(len(q.ring)-1)
	q.n--
}

// search returns the index of the first segment that ends after s.
func (q *rtxQueue) search(s segment.Seq) uint32 {
	lo, hi := uint32(0), q.n
	for lo < hi {
		mid := (lo + hi) / 2
		if q.at(mid).end.LessEq(s) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
