package des_test

import (
	"fmt"

	"tcplab/des"
)

// source sends on a timer of its own and expects an answer before another.
type source struct {
	sim           *des.Sim
	send, timeout des.Timer
}

const (
	sendNext uint64 = iota
	giveUp
)

func (s *source) HandleTimer(now des.Time, arg uint64) {
	switch arg {
	case sendNext:
		fmt.Println(now, "send")
		s.sim.Arm(s.timeout, now+30*des.Millisecond)
		if now < 40*des.Millisecond {
			s.sim.Arm(s.send, now+20*des.Millisecond)
		}
	case giveUp:
		fmt.Println(now, "no answer")
	}
}

// Timers are made once and armed again and again. Here each send moves the
// time-out, which fires after the last.
func Example() {
	sim := des.New(1, 0)
	host := sim.NewComponent("host")
	s := &source{sim: sim}
	s.send = sim.NewTimer(host, s, sendNext)
	s.timeout = sim.NewTimer(host, s, giveUp)

	sim.Arm(s.send, 0)
	sim.Run(des.Second)
	fmt.Println(sim.Now(), sim.Events(), "events")
	// Output:
	// 0s send
	// 20ms send
	// 40ms send
	// 70ms no answer
	// 1s 4 events
}

// A front end that is driven by a clock puts its work in with Inject.
func ExampleSim_Inject() {
	sim := des.New(1, 0)
	s := &source{sim: sim}
	s.send = sim.NewTimer(sim.NewComponent("host"), s, sendNext)
	s.timeout = sim.NewTimer(sim.NewComponent("peer"), s, giveUp)

	sim.Arm(s.send, 40*des.Millisecond)
	sim.Inject(50*des.Millisecond, func() {
		fmt.Println(sim.Now(), "an answer came in")
		sim.Stop(s.timeout)
	})
	sim.RunIdle()
	// Output:
	// 40ms send
	// 50ms an answer came in
}

// Streams are told apart by name: a consumer that is added changes no other.
func ExampleSim_Stream() {
	loss := des.New(1, 0).Stream("link 1 loss")
	again := des.New(1, 0).Stream("link 1 loss")
	other := des.New(1, 0).Stream("link 2 loss")
	a, b, c := loss.Float64(), again.Float64(), other.Float64()
	fmt.Println(a == b, a == c)
	// Output: true false
}
