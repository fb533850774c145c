package des

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Component numbers the parts of a simulation that own timers (a link, a host,
// a workload). Events at equal times run in the order of (component, sequence
// within the component).
type Component uint32

// Handler is called when a timer that it owns fires. arg is the value that was
// given to NewTimer, so that one handler can own any number of timers.
type Handler interface {
	HandleTimer(now Time, arg uint64)
}

// Timer is a handle of a timer. The zero value is no timer.
type Timer struct{ slot, generation uint32 }

type record struct {
	handler    Handler
	arg        uint64
	component  Component
	generation uint32
	deadline   Time
	sequence   uint64
}

// Sim is one simulation.
type Sim struct {
	now         Time
	seed        uint64
	replication uint32
	records     []record
	free        []uint32
	components  []string
	sequence    []uint64
	queue       queue
	halted      bool
	events      uint64
}

// New returns an empty simulation at time zero.
func New(seed uint64, replication uint32) *Sim {
	return &Sim{seed: seed, replication: replication, records: make([]record, 1), components: make([]string, 1), sequence: make([]uint64, 1)}
}

// NewComponent numbers a new component. The order of the calls fixes the order
// of events at equal times.
func (s *Sim) NewComponent(name string) Component {
	s.components = append(s.components, name)
	s.sequence = append(s.sequence, 0)
	return Component(len(s.components) - 1)
}

// NewTimer returns a timer of component c that calls h with arg.
func (s *Sim) NewTimer(c Component, h Handler, arg uint64) Timer {
	var slot uint32
	if n := len(s.free); n > 0 {
		slot = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		s.records = append(s.records, record{})
		slot = uint32(len(s.records) - 1)
	}
	r := &s.records[slot]
	r.generation++
	r.handler, r.arg, r.component, r.deadline = h, arg, c, Never
	return Timer{slot, r.generation}
}

func (s *Sim) record(t Timer) *record {
	r := &s.records[t.slot]
	if t.slot == 0 || r.generation != t.generation {
		panic("des: use of a timer that was released")
	}
	return r
}

// Arm sets the deadline of t, whether it is armed or not.
func (s *Sim) Arm(t Timer, at Time) {
	r := s.record(t)
	if at < s.now {
		panic(fmt.Sprintf("des: armed %v in the past (at %v, now %v)", s.now-at, at, s.now))
	}
	s.sequence[r.component]++
	r.deadline, r.sequence = at, s.sequence[r.component]
	heap.Push(&s.queue, entry{at, r.component, r.sequence, t})
}

// Stop disarms t. It does nothing to a timer that is not armed.
func (s *Sim) Stop(t Timer) { s.record(t).deadline = Never }

// Release disarms t and gives its slot back. The handle is dead afterwards.
func (s *Sim) Release(t Timer) {
	r := s.record(t)
	*r = record{generation: r.generation + 1, deadline: Never}
	s.free = append(s.free, t.slot)
}

// Armed reports whether t will fire.
func (s *Sim) Armed(t Timer) bool { return s.record(t).deadline != Never }

// Deadline returns when t will fire, Never if it is not armed.
func (s *Sim) Deadline(t Timer) Time { return s.record(t).deadline }

// Now returns the current time.
func (s *Sim) Now() Time { return s.now }

// Events returns how many timers have fired.
func (s *Sim) Events() uint64 { return s.events }

// Halt makes Run and RunIdle return after the current event.
func (s *Sim) Halt() { s.halted = true }

// NextDeadline returns the time of the next event, Never if there is none.
func (s *Sim) NextDeadline() Time {
	for len(s.queue) > 0 {
		e := s.queue[0]
		r := &s.records[e.timer.slot]
		if r.generation == e.timer.generation && r.deadline == e.at && r.sequence == e.seq {
			return e.at
		}
		heap.Pop(&s.queue)
	}
	return Never
}

// Step runs the next event and reports whether there was one.
func (s *Sim) Step() bool {
	at := s.NextDeadline()
	if at == Never {
		return false
	}
	e := heap.Pop(&s.queue).(entry)
	r := &s.records[e.timer.slot]
	r.deadline = Never
	s.now = at
	s.events++
	r.handler.HandleTimer(at, r.arg)
	return true
}

// Run runs all events up to and including until and leaves the clock there,
// unless Halt is called.
func (s *Sim) Run(until Time) {
	s.halted = false
	for !s.halted && s.NextDeadline() <= until {
		s.Step()
	}
	if !s.halted && until > s.now {
		s.now = until
	}
}

// RunIdle runs until no timer is armed or Halt is called.
func (s *Sim) RunIdle() {
	s.halted = false
	for !s.halted && s.Step() {
	}
}

// Stream returns the random stream with that name. Equal (seed, replication,
// name) give equal streams; different names give independent ones.
func (s *Sim) Stream(name string) *rand.Rand {
	b := binary.LittleEndian.AppendUint64(nil, s.seed)
	b = binary.LittleEndian.AppendUint32(b, s.replication)
	sum := sha256.Sum256(append(b, name...))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])))
}

type entry struct {
	at    Time
	comp  Component
	seq   uint64
	timer Timer
}
type queue []entry

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any     { o := *q; e := o[len(o)-1]; *q = o[:len(o)-1]; return e }
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.comp != b.comp {
		return a.comp < b.comp
	}
	return a.seq < b.seq
}
