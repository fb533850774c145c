package workload

import "tcplab/des"

// slots is a table of connections. Rows are used again, last freed first; a
// generation tells the owners of one row apart.
type slots[T any] struct {
	rows        []T
	generations []uint32
	free        []uint32
}

// take returns a row, which is as its last owner left it.
func (s *slots[T]) take() uint32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	var zero T
	s.rows = append(s.rows, zero)
	s.generations = append(s.generations, 0)
	return uint32(len(s.rows) - 1)
}

// release gives row i back.
func (s *slots[T]) release(i uint32) {
	s.generations[i]++
	s.free = append(s.free, i)
}

// waits is a queue of waits that all take equally long, so that they end in the
// order in which they began and need one timer. A wait that has become
// pointless stays until its time; whoever is told recognizes it by the
// generation.
type waits struct {
	sim   *des.Sim
	timer des.Timer
	delay des.Time
	ring  []wait
	head  int
	n     int
}

type wait struct {
	at         des.Time
	slot       uint32
	generation uint32
}

func newWaits(sim *des.Sim, c des.Component, h des.Handler, arg uint64, delay des.Time) waits {
	return waits{sim: sim, timer: sim.NewTimer(c, h, arg), delay: delay}
}

// add begins a wait now.
func (q *waits) add(now des.Time, slot, generation uint32) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = wait{now + q.delay, slot, generation}
	q.n++
	if q.n == 1 {
		q.sim.Arm(q.timer, now+q.delay)
	}
}

// due takes the first wait if it is over, and else arms the timer for it.
func (q *waits) due(now des.Time) (wait, bool) {
	if q.n == 0 {
		return wait{}, false
	}
	first := q.ring[q.head]
	if first.at > now {
		q.sim.Arm(q.timer, first.at)
		return wait{}, false
	}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return first, true
}

// clear forgets all waits.
func (q *waits) clear() {
	q.head, q.n = 0, 0
	q.sim.Stop(q.timer)
}

func (q *waits) grow() {
	bigger := make([]wait, max(16, 2*len(q.ring)))
	for i := range q.n {
		bigger[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
	}
	q.ring, q.head = bigger, 0
}
