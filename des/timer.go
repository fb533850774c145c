package des

import (
	"fmt"
	"math"
)

// Handler is called when a timer that it owns fires. arg is the value that was
// given to NewTimer, so that one handler can own any number of timers. The
// timer is not armed during the call; the handler may arm, stop or release it
// and any other.
type Handler interface {
	HandleTimer(now Time, arg uint64)
}

// Timer is a handle of a timer. The zero value is no timer. Handles may be
// copied and compared.
type Timer struct{ slot, generation uint32 }

// record is the state of one timer, one cache line. Arm and Stop write
// (deadline, sequence); the queue holds (queuedAt, queuedSequence), which is
// never later.
type record struct {
	deadline       Time
	sequence       uint64
	queuedAt       Time
	queuedSequence uint64
	component      Component
	generation     uint32
	handler        Handler
	arg            uint64
}

// lastGeneration is the generation of slots that have no owner any more, and
// of slot 0, which never has one.
const lastGeneration = math.MaxUint32

// NewTimer returns a timer of component c that calls h with arg. It is not
// armed. Slots of released timers are used again.
func (s *Sim) NewTimer(c Component, h Handler, arg uint64) Timer {
	if c == 0 || int(c) >= len(s.names) {
		panic(fmt.Sprintf("des: no component %d, have 1 to %d", c, len(s.names)-1))
	}
	if h == nil {
		panic(fmt.Sprintf("des: timer of component %d (%s) without a handler", c, s.names[c]))
	}
	var slot uint32
	if n := len(s.free); n > 0 {
		slot = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		slot = s.newSlot()
	}
	r := &s.queue.records[slot]
	r.component, r.handler, r.arg = c, h, arg
	return Timer{slot, r.generation}
}

// newSlot appends a record and makes room for its key.
func (s *Sim) newSlot() uint32 {
	q := &s.queue
	n := len(q.records)
	if n > math.MaxUint32 {
		panic(fmt.Sprintf("des: more than %d timers", uint32(math.MaxUint32)))
	}
	if n >= len(q.keys)/2 {
		q.grow()
	}
	q.records = append(q.records, record{deadline: Never, queuedAt: Never})
	return uint32(n)
}

// record returns the state of t, which must be alive.
func (s *Sim) record(t Timer) *record {
	r := &s.queue.records[t.slot]
	if r.generation != t.generation {
		s.panicReleased(t)
	}
	return r
}

// Arm sets the deadline of t to at, whether it is armed or not. At equal times
// it counts as armed now: t fires after the timers of its component that were
// armed for that time before. To arm for the current time is allowed: t fires
// at once after the events of the current time that come before it. To arm for
// Never is to stop.
//
// Arm panics if at has passed.
func (s *Sim) Arm(t Timer, at Time) {
	r := s.record(t)
	if at < s.now {
		s.panicPast(r, at)
	}
	sequence := s.sequences[r.component] + 1
	s.sequences[r.component] = sequence
	r.deadline, r.sequence = at, sequence
	if at < r.queuedAt {
		r.queuedAt, r.queuedSequence = at, sequence
		s.queue.advance(t.slot, at)
	}
}

// Stop disarms t. It does nothing to a timer that is not armed.
func (s *Sim) Stop(t Timer) { s.record(t).deadline = Never }

// Release disarms t and gives its slot back. The handle is dead afterwards:
// whoever uses it panics, also when the slot has a new owner.
func (s *Sim) Release(t Timer) {
	r := s.record(t)
	if r.queuedAt != Never {
		s.queue.postpone(t.slot, Never)
	}
	generation := r.generation + 1
	*r = record{deadline: Never, queuedAt: Never, generation: generation}
	if generation != lastGeneration {
		s.free = append(s.free, t.slot)
	}
}

// Armed reports whether t will fire.
func (s *Sim) Armed(t Timer) bool { return s.record(t).deadline != Never }

// Deadline returns when t will fire, Never if it is not armed.
func (s *Sim) Deadline(t Timer) Time { return s.record(t).deadline }

func (s *Sim) panicReleased(t Timer) {
	if t == (Timer{}) {
		panic("des: use of the zero Timer (NewTimer makes timers)")
	}
	panic(fmt.Sprintf("des: use of a released timer (slot %d: generation %d, the slot is at %d)",
		t.slot, t.generation, s.queue.records[t.slot].generation))
}

func (s *Sim) panicPast(r *record, at Time) {
	if at < 0 {
		panic(fmt.Sprintf("des: component %d (%s) armed a timer for a time that does not fit (now %v and a delay make %d ns)",
			r.component, s.names[r.component], s.now, int64(at)))
	}
	panic(fmt.Sprintf("des: component %d (%s) armed a timer %v in the past (at %v, now %v)",
		r.component, s.names[r.component], s.now-at, at, s.now))
}
