package des

import "testing"

// ticker arms its timer again, and moves another one, as an endpoint does with
// its retransmission timer on each acknowledgement.
type ticker struct {
	sim        *Sim
	own, moved Timer
}

func (h *ticker) HandleTimer(now Time, _ uint64) {
	h.sim.Arm(h.own, now+Millisecond)
	h.sim.Arm(h.moved, now+Second)
}

func TestNoAllocations(t *testing.T) {
	s := New(1, 0)
	c := s.NewComponent("component")
	var timers []Timer
	for range 100 {
		h := &ticker{sim: s}
		h.own, h.moved = s.NewTimer(c, h, 0), s.NewTimer(c, h, 1)
		s.Arm(h.own, 1)
		timers = append(timers, h.own, h.moved)
	}
	s.Release(s.NewTimer(c, &ticker{}, 0))
	h := &ticker{}
	i := 0
	next := func() Timer { i++; return timers[i%len(timers)] }
	tests := []struct {
		name string
		do   func()
	}{
		{"Step", func() { s.Step() }},
		{"Run", func() { s.Run(s.Now() + Millisecond) }},
		{"Arm later", func() { s.Arm(next(), s.Now()+Hour) }},
		{"Arm earlier", func() { s.Arm(next(), s.Now()+Millisecond) }},
		{"Stop and Arm", func() { s.Stop(next()); s.Arm(next(), s.Now()) }},
		{"NextDeadline", func() { s.NextDeadline() }},
		{"Inject", func() { s.Inject(s.Now()+1, func() {}) }},
		{"NewTimer, Arm and Release", func() {
			timer := s.NewTimer(c, h, 0)
			s.Arm(timer, s.Now())
			s.Release(timer)
		}},
	}
	for _, test := range tests {
		if n := testing.AllocsPerRun(1000, test.do); n != 0 {
			t.Errorf("%s: %v allocations", test.name, n)
		}
	}
}
