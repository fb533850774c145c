package tcpmodel

import "tcplab/des"

// pending is a place in an expiryQueue. It is dead (a tombstone) when the
// entry's own token has moved on.
type pending struct {
	deadline     des.Time
	index, token uint32
}

// expiryQueue holds entries that all wait equally long, so that they expire in
// the order in which they joined: a ring instead of a timer for each of a
// million entries. Removal from the middle leaves a tombstone.
type expiryQueue struct {
	ring []pending
	head uint32
	n    uint32
}

func (q *expiryQueue) push(p pending) {
	if int(q.n) == len(q.ring) {
		ring := make([]pending, max(2*len(q.ring), 8))
		for i := range q.n {
			ring[i] = *q.at(i)
		}
		q.ring, q.head = ring, 0
	}
	q.n++
	*q.at(q.n - 1) = p
}

func (q *expiryQueue) at(i uint32) *pending {
	return &q.ring[(q.head+i)&uint32(len(q.ring)-1)]
}

func (q *expiryQueue) pop() {
	q.head = (q.head + 1) & uint32(len(q.ring)-1)
	q.n--
}
