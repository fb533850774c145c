package des

import "math/bits"

// queue finds the earliest of all timers: a tournament of their keys. The keys
// of the timers are the leaves of a complete binary tree, in the order of their
// slots; every inner node holds a copy of the earlier of its two children. The
// place of a timer therefore follows from its slot, so that a key is changed
// where it is, each timer has exactly one, and none has to be searched for.
//
// When the earliest key changes, the nodes that are compared with it on the way
// to the root are known beforehand, so that the processor loads them ahead and
// nothing waits for an earlier comparison but the comparison that follows.
//
// A key may be earlier than the deadline of its timer (Sim says when), never
// later. Equal times are ordered by the records of the timers.
type queue struct {
	// keys has the root at 1, the children of i at 2i and 2i+1, and the key
	// of the timer in slot s at len(keys)/2 + s. keys[0] is not used.
	keys    []key
	records []record
}

// key is 16 bytes without a pointer: a pair of siblings shares a cache line.
type key struct {
	at   Time
	slot uint32
}

// first returns the earliest key. Its time is Never if no key is queued.
func (q *queue) first() key { return q.keys[1] }

// tieBefore orders the queued keys of two timers whose times are equal.
func (q *queue) tieBefore(a, b uint32) bool {
	ra, rb := &q.records[a], &q.records[b]
	if ra.component != rb.component {
		return ra.component < rb.component
	}
	return ra.queuedSequence < rb.queuedSequence
}

// advance puts the key of slot, which must not be queued before (at, its
// queuedSequence), to at. It is short for most keys: it ends at the first
// node that is earlier.
func (q *queue) advance(slot uint32, at Time) {
	keys := q.keys
	i := uint(len(keys)/2) + uint(slot)
	keys[i].at = at
	for i >>= 1; i > 0; i >>= 1 {
		k := &keys[i]
		if at > k.at || at == k.at && k.slot != slot && q.tieBefore(k.slot, slot) {
			return
		}
		k.at, k.slot = at, slot
	}
}

// postpone puts the key of slot, which must not be queued after (at, its
// queuedSequence), to at. The nodes that it led are decided again: all up to
// the root if it was the earliest of all.
func (q *queue) postpone(slot uint32, at Time) {
	keys := q.keys
	i := uint(len(keys)/2) + uint(slot)
	keys[i].at = at
	winner, winnerAt := uint64(slot), uint64(at)
	for i > 1 && i>>1 < uint(len(keys)) && i^1 < uint(len(keys)) {
		other := &keys[i^1]
		i >>= 1
		parent := &keys[i]
		if parent.slot != slot {
			return
		}
		if uint64(other.at) == winnerAt {
			if winnerAt != uint64(Never) && q.tieBefore(other.slot, uint32(winner)) {
				winner = uint64(other.slot)
			}
		} else {
			// Which child is earlier is a coin toss that no branch
			// predictor wins: the borrow of the difference selects.
			_, earlier := bits.Sub64(uint64(other.at), winnerAt, 0)
			winnerAt ^= (winnerAt ^ uint64(other.at)) & -earlier
			winner ^= (winner ^ uint64(other.slot)) & -earlier
		}
		parent.at, parent.slot = Time(winnerAt), uint32(winner)
	}
}

// grow doubles the number of leaves. The new ones are not queued.
func (q *queue) grow() {
	leaves := len(q.keys)
	keys := make([]key, 2*leaves)
	copy(keys[leaves:], q.keys[leaves/2:])
	for i := range keys[leaves:] {
		if i >= leaves/2 {
			keys[leaves+i].at = Never
		}
		keys[leaves+i].slot = uint32(i)
	}
	for i := leaves - 1; i > 0; i-- {
		a, b := keys[2*i], keys[2*i+1]
		if b.at < a.at || b.at == a.at && b.at != Never && q.tieBefore(b.slot, a.slot) {
			a = b
		}
		keys[i] = a
	}
	q.keys = keys
}
