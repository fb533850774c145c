package des

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recorder logs what fires, and then does what the test wants.
type recorder struct {
	sim  *Sim
	log  []string
	then func(arg uint64)
}

func (r *recorder) HandleTimer(now Time, arg uint64) {
	if now != r.sim.Now() {
		panic(fmt.Sprintf("handler told %v, the clock is at %v", now, r.sim.Now()))
	}
	r.log = append(r.log, fmt.Sprintf("%d@%d", arg, now))
	if r.then != nil {
		r.then(arg)
	}
}

// start returns a simulation with components 1 and 2 and timers 0 to 5, the
// even ones of component 1.
func start() (*Sim, *recorder, []Timer) {
	s := New(1, 0)
	r := &recorder{sim: s}
	a, b := s.NewComponent("a"), s.NewComponent("b")
	var timers []Timer
	for i := range uint64(6) {
		c := a
		if i%2 == 1 {
			c = b
		}
		timers = append(timers, s.NewTimer(c, r, i))
	}
	return s, r, timers
}

func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.log, want) {
		t.Errorf("fired %v, want %v", r.log, want)
	}
}

func TestOrder(t *testing.T) {
	tests := []struct {
		name string
		do   func(s *Sim, r *recorder, timers []Timer)
		want []string
	}{
		{"time", func(s *Sim, _ *recorder, timers []Timer) {
			s.Arm(timers[0], 30)
			s.Arm(timers[1], 10)
			s.Arm(timers[2], 20)
		}, []string{"1@10", "2@20", "0@30"}},
		{"component before arming", func(s *Sim, _ *recorder, timers []Timer) {
			s.Arm(timers[1], 10)
			s.Arm(timers[4], 10)
			s.Arm(timers[3], 10)
			s.Arm(timers[0], 10)
		}, []string{"4@10", "0@10", "1@10", "3@10"}},
		{"to arm again for the same time is to go last", func(s *Sim, _ *recorder, timers []Timer) {
			s.Arm(timers[0], 10)
			s.Arm(timers[2], 10)
			s.Arm(timers[0], 10)
		}, []string{"2@10", "0@10"}},
		{"earlier, later, stopped", func(s *Sim, _ *recorder, timers []Timer) {
			for _, timer := range timers[:4] {
				s.Arm(timer, 50)
			}
			s.Arm(timers[3], 40)
			s.Arm(timers[0], 60)
			s.Arm(timers[2], 70)
			s.Stop(timers[2])
		}, []string{"3@40", "1@50", "0@60"}},
		{"in the same instant, before what comes later in it", func(s *Sim, r *recorder, timers []Timer) {
			s.Arm(timers[0], 10)
			s.Arm(timers[1], 10)
			r.then = func(arg uint64) {
				switch arg {
				case 0:
					s.Arm(timers[3], 10)
					s.Arm(timers[2], 10)
				case 2:
					s.Arm(timers[4], 10)
				}
			}
		}, []string{"0@10", "2@10", "4@10", "1@10", "3@10"}},
		{"a handler arms its own timer for now", func(s *Sim, r *recorder, timers []Timer) {
			s.Arm(timers[0], 10)
			s.Arm(timers[2], 10)
			r.then = func(arg uint64) {
				if arg == 0 && len(r.log) < 3 {
					s.Arm(timers[0], 10)
				}
			}
		}, []string{"0@10", "2@10", "0@10"}},
		{"a handler stops one of its instant", func(s *Sim, r *recorder, timers []Timer) {
			s.Arm(timers[0], 10)
			s.Arm(timers[2], 10)
			r.then = func(uint64) { s.Stop(timers[2]) }
		}, []string{"0@10"}},
		{"a handler releases its own timer and takes another", func(s *Sim, r *recorder, timers []Timer) {
			s.Arm(timers[0], 10)
			s.Arm(timers[1], 10)
			r.then = func(arg uint64) {
				if arg == 0 {
					s.Release(timers[0])
					s.Arm(s.NewTimer(2, r, 9), 10)
				}
			}
		}, []string{"0@10", "1@10", "9@10"}},
		{"the new owner of a slot is earlier by its component", func(s *Sim, r *recorder, timers []Timer) {
			s.Arm(timers[3], 10)
			s.Arm(timers[1], 10)
			s.Release(timers[1])
			s.Arm(s.NewTimer(1, r, 9), 10)
		}, []string{"9@10", "3@10"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, r, timers := start()
			test.do(s, r, timers)
			s.RunIdle()
			r.want(t, test.want...)
			if s.Events() != uint64(len(test.want)) {
				t.Errorf("%d events counted, want %d", s.Events(), len(test.want))
			}
		})
	}
}

func TestReleasedKeyNeverFiresForNewOwner(t *testing.T) {
	s, r, timers := start()
	s.Arm(timers[0], 10)
	s.Release(timers[0])
	owner := s.NewTimer(2, r, 9)
	if owner == timers[0] || owner.slot != timers[0].slot {
		t.Fatalf("new handle %v after %v: want the same slot, another generation", owner, timers[0])
	}
	if s.Armed(owner) || s.NextDeadline() != Never {
		t.Errorf("a new timer is armed for %v", s.NextDeadline())
	}
	s.Arm(owner, 20)
	s.RunIdle()
	r.want(t, "9@20")
}

func TestSlotRetiresAfterItsLastGeneration(t *testing.T) {
	s, r, timers := start()
	slot := timers[5].slot
	s.queue.records[slot].generation = lastGeneration - 1
	last := Timer{slot, lastGeneration - 1}
	s.Arm(last, 10)
	s.Release(last)
	if next := s.NewTimer(1, r, 0); next.slot == slot {
		t.Error("a slot whose generations are used up was given out again")
	}
}

func TestRun(t *testing.T) {
	s, r, timers := start()
	s.Arm(timers[0], 10)
	s.Arm(timers[1], 20)
	s.Arm(timers[2], 21)

	s.Run(20)
	r.want(t, "0@10", "1@20")
	if s.Now() != 20 || s.NextDeadline() != 21 {
		t.Errorf("now %d next %d, want 20 and 21", s.Now(), s.NextDeadline())
	}
	s.Run(5)
	if s.Now() != 20 {
		t.Errorf("the clock went back to %d", s.Now())
	}
	s.Run(100)
	if s.Now() != 100 || s.NextDeadline() != Never {
		t.Errorf("now %d next %v, want 100 and never", s.Now(), s.NextDeadline())
	}
	s.Arm(timers[0], 150)
	s.Run(Never)
	if s.Now() != 150 || s.Step() {
		t.Errorf("now %d, want the time of the last event, 150", s.Now())
	}
	if !s.Armed(timers[0]) {
		s.Arm(timers[0], Never)
	}
	if s.Armed(timers[0]) || s.Deadline(timers[0]) != Never {
		t.Error("armed for Never is not stopped")
	}
}

func TestHalt(t *testing.T) {
	s, r, timers := start()
	s.Arm(timers[0], 10)
	s.Arm(timers[2], 10)
	r.then = func(uint64) { s.Halt() }
	s.Run(50)
	r.want(t, "0@10")
	if s.Now() != 10 {
		t.Errorf("halted at %d, want 10", s.Now())
	}
	if s.Inject(60, func() { t.Error("injected after a halt") }) {
		t.Error("Inject reports true though it was halted")
	}
	s.RunIdle()
	r.want(t, "0@10", "2@10")
}

func TestInject(t *testing.T) {
	s, r, timers := start()
	s.Arm(timers[1], 10)
	s.Arm(timers[3], 11)
	inject := func(i int) func() {
		return func() {
			r.log = append(r.log, fmt.Sprintf("in%d@%d", i, s.Now()))
			s.Arm(timers[0], s.Now())
		}
	}
	if !s.Inject(10, inject(1)) || !s.Inject(10, inject(2)) || !s.Inject(11, inject(3)) {
		t.Error("Inject reports false without a halt")
	}
	s.RunIdle()
	r.want(t, "1@10", "in1@10", "0@10", "in2@10", "0@10", "3@11", "in3@11", "0@11")
}

func TestMisusePanics(t *testing.T) {
	tests := []struct {
		name string
		do   func(s *Sim, r *recorder, timers []Timer)
		want string
	}{
		{"past", func(s *Sim, _ *recorder, timers []Timer) {
			s.Run(Second + 3200*Microsecond)
			s.Arm(timers[1], Second)
		}, "des: component 2 (b) armed a timer 3.2ms in the past (at 1s, now 1.0032s)"},
		{"overflow", func(s *Sim, _ *recorder, timers []Timer) {
			s.Run(Second)
			s.Arm(timers[0], s.Now()+Never)
		}, "des: component 1 (a) armed a timer for a time that does not fit (now 1s and a delay make -"},
		{"released", func(s *Sim, _ *recorder, timers []Timer) {
			s.Release(timers[0])
			s.Stop(timers[0])
		}, "des: use of a released timer (slot 1: generation 0, the slot is at 1)"},
		{"released twice", func(s *Sim, _ *recorder, timers []Timer) {
			s.Release(timers[0])
			s.Release(timers[0])
		}, "des: use of a released timer"},
		{"released, new owner", func(s *Sim, r *recorder, timers []Timer) {
			s.Release(timers[0])
			s.NewTimer(1, r, 0)
			s.Arm(timers[0], 1)
		}, "des: use of a released timer"},
		{"zero timer", func(s *Sim, _ *recorder, _ []Timer) { s.Deadline(Timer{}) },
			"des: use of the zero Timer (NewTimer makes timers)"},
		{"component", func(s *Sim, r *recorder, _ []Timer) { s.NewTimer(3, r, 0) },
			"des: no component 3, have 1 to 2"},
		{"handler", func(s *Sim, _ *recorder, _ []Timer) { s.NewTimer(1, nil, 0) },
			"des: timer of component 1 (a) without a handler"},
		{"nested", func(s *Sim, r *recorder, timers []Timer) {
			s.Arm(timers[0], 10)
			r.then = func(uint64) { s.Run(20) }
			s.Step()
		}, "des: Step, Run or Inject called from a handler (event 1, now 10ns)"},
		{"inject into the past", func(s *Sim, _ *recorder, _ []Timer) {
			s.Run(10)
			s.Inject(9, func() {})
		}, "des: injection at 9ns, which is not in the time to come (now 10ns)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, test.want) {
					t.Errorf("panic %q, want %q", got, test.want)
				}
			}()
			test.do(start())
		})
	}
}

func TestTimeString(t *testing.T) {
	for at, want := range map[Time]string{1500 * Millisecond: "1.5s", Never: "never", 0: "0s"} {
		if got := at.String(); got != want {
			t.Errorf("%d prints as %s, want %s", int64(at), got, want)
		}
	}
	if got := (250 * Millisecond).Seconds(); got != 0.25 {
		t.Errorf("250 ms are %v s", got)
	}
}
