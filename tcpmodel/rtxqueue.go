package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// sentSegment is a segment that was sent and is not acknowledged yet.
type sentSegment struct {
	sentAt   des.Time
	seq, end segment.Seq
	// older and newer link the segments in the order of sentAt, as
	// positions in the queue; 0 ends the list.
	older, newer uint32
	// order counts the transmissions of the connection.
	order uint32
	flags sentFlags
	timed bool
}

// data is how many bytes of the user the segment carries.
func (s *sentSegment) data() uint32 {
	n := uint32(s.end - s.seq)
	if s.flags&sentSyn != 0 {
		n--
	}
	if s.flags&sentFin != 0 {
		n--
	}
	return n
}

type sentFlags uint8

const (
	// sentSacked: the peer reported it in a SACK block.
	sentSacked sentFlags = 1 << iota
	// sentLost: it is taken for lost.
	sentLost
	// sentRetrans: it was sent again, and that copy is not known to be lost.
	sentRetrans
	// sentEver: it was sent again at some time.
	sentEver
	sentSyn
	sentFin
	sentPush
)

// rtxQueue is the segments in flight, in order of sequence number: a ring
// whose places are counted from 1 and never re-used, so that a position names a
// segment for as long as it is there. Those that loss detection still has to
// look at are linked in the order in which they were sent last.
type rtxQueue struct {
	ring           []sentSegment
	head, tail     uint32
	oldest, newest uint32
	sends          uint32
}

func (q *rtxQueue) reset() {
	q.head, q.tail, q.oldest, q.newest, q.sends = 1, 1, 0, 0, 0
}

func (q *rtxQueue) len() uint32 { return q.tail - q.head }

func (q *rtxQueue) at(pos uint32) *sentSegment {
	return &q.ring[pos&uint32(len(q.ring)-1)]
}

// push appends s and returns its position.
func (q *rtxQueue) push(s sentSegment) uint32 {
	if int(q.len()) == len(q.ring) {
		old := *q
		q.ring = make([]sentSegment, max(2*len(q.ring), 16))
		for p := old.head; p != old.tail; p++ {
			*q.at(p) = *old.at(p)
		}
	}
	pos := q.tail
	q.tail++
	if q.tail == 0 {
		panic("tcpmodel: more than 2^32 segments on one connection")
	}
	*q.at(pos) = s
	return pos
}

func (q *rtxQueue) pop() {
	q.untime(q.head)
	q.head++
}

// search returns the position of the first segment that ends after s.
func (q *rtxQueue) search(s segment.Seq) uint32 {
	lo, hi := q.head, q.tail
	for lo < hi {
		mid := lo + (hi-lo)/2
		if q.at(mid).end.LessEq(s) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// time puts the segment at pos last in the order of sending.
func (q *rtxQueue) time(pos uint32, now des.Time) {
	q.untime(pos)
	s := q.at(pos)
	q.sends++
	s.sentAt, s.order = now, q.sends
	q.link(pos)
}

// link puts the segment at pos last in the list.
func (q *rtxQueue) link(pos uint32) {
	s := q.at(pos)
	s.timed, s.older, s.newer = true, q.newest, 0
	if q.newest != 0 {
		q.at(q.newest).newer = pos
	} else {
		q.oldest = pos
	}
	q.newest = pos
}

// untime takes the segment at pos out of the order of sending.
func (q *rtxQueue) untime(pos uint32) {
	s := q.at(pos)
	if !s.timed {
		return
	}
	s.timed = false
	if s.older != 0 {
		q.at(s.older).newer = s.newer
	} else {
		q.oldest = s.newer
	}
	if s.newer != 0 {
		q.at(s.newer).older = s.older
	} else {
		q.newest = s.older
	}
}
