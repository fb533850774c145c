package des

import (
	"fmt"
	"math"
)

// Component numbers the parts of a simulation that own timers (a link, a host,
// a workload). Events at equal times run in the order of (component, sequence
// within the component).
type Component uint32

// Sim is one simulation: a clock, timers, and random streams. It belongs to one
// goroutine.
type Sim struct {
	now       Time
	events    uint64
	queue     queue
	sequences []uint64 // by component: how often it armed a timer
	free      []uint32 // slots without an owner, last released first
	names     []string // by component
	halted    bool
	running   bool

	seed        uint64
	replication uint32
}

// New returns an empty simulation at time zero. (seed, replication) fix its
// random streams.
func New(seed uint64, replication uint32) *Sim {
	s := &Sim{
		seed:        seed,
		replication: replication,
		sequences:   make([]uint64, 1),
		names:       make([]string, 1),
	}
	s.queue.keys = make([]key, 2)
	for i := range s.queue.keys {
		s.queue.keys[i].at = Never
	}
	s.queue.records = []record{{deadline: Never, queuedAt: Never, generation: lastGeneration}}
	return s
}

// NewComponent numbers a new component, from 1. The order of the calls fixes
// the order of events at equal times.
func (s *Sim) NewComponent(name string) Component {
	if len(s.names) > math.MaxUint32 {
		panic(fmt.Sprintf("des: more than %d components", uint32(math.MaxUint32)))
	}
	s.names = append(s.names, name)
	s.sequences = append(s.sequences, 0)
	return Component(len(s.names) - 1)
}

// Now returns the current time.
func (s *Sim) Now() Time { return s.now }

// Events returns how many timers have fired.
func (s *Sim) Events() uint64 { return s.events }

// Halt makes Run and RunIdle return after the current event.
func (s *Sim) Halt() { s.halted = true }

// NextDeadline returns the time of the next event, Never if there is none.
func (s *Sim) NextDeadline() Time {
	for {
		k := s.queue.first()
		if k.at == Never {
			return Never
		}
		r := &s.queue.records[k.slot]
		if k.at == r.deadline && r.queuedSequence == r.sequence {
			return k.at
		}
		// The timer was moved to later, stopped, or has just fired.
		r.queuedAt, r.queuedSequence = r.deadline, r.sequence
		s.queue.postpone(k.slot, r.deadline)
	}
}

// fire runs the event at the head of the queue, which NextDeadline has found.
// The key stays in the queue: the usual handler arms its timer again, and then
// the key moves once instead of twice.
func (s *Sim) fire() {
	k := s.queue.first()
	r := &s.queue.records[k.slot]
	r.deadline = Never
	s.now = k.at
	s.events++
	r.handler.HandleTimer(k.at, r.arg)
}

// Step runs the next event and reports whether there was one.
func (s *Sim) Step() bool {
	s.start()
	found := s.NextDeadline() != Never
	if found {
		s.fire()
	}
	s.running = false
	return found
}

// Run runs all events up to and including until, also those that these arm,
// and leaves the clock there. If Halt is called, or if until is Never, the
// clock stays at the last event.
func (s *Sim) Run(until Time) {
	s.start()
	for !s.halted {
		if at := s.NextDeadline(); at > until || at == Never {
			break
		}
		s.fire()
	}
	s.running = false
	if !s.halted && until > s.now && until != Never {
		s.now = until
	}
}

// RunIdle runs until no timer is armed or Halt is called.
func (s *Sim) RunIdle() { s.Run(Never) }

// Inject brings work from outside into the simulation: it runs all events up
// to and including at, moves the clock there and calls f, which may arm timers
// as a handler may. So what comes from outside comes last in its instant, and
// Inject(at, f) twice keeps the order of the calls. Inject reports whether f
// was called: not if Halt stopped the run before. It panics if at has passed.
func (s *Sim) Inject(at Time, f func()) bool {
	if at < s.now || at == Never {
		panic(fmt.Sprintf("des: injection at %v, which is not in the time to come (now %v)", at, s.now))
	}
	s.Run(at)
	if s.halted {
		return false
	}
	f()
	return true
}

func (s *Sim) start() {
	if s.running {
		s.panicNested()
	}
	s.running, s.halted = true, false
}

func (s *Sim) panicNested() {
	panic(fmt.Sprintf("des: Step, Run or Inject called from a handler (event %d, now %v)", s.events, s.now))
}
