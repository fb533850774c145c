package des_test

import (
	"fmt"
	"math/rand/v2"

	"tcplab/des"
)

// station is a server with a queue: customers come at random, and each is served
// for a time of random length.
type station struct {
	sim             *des.Sim
	random          *rand.Rand
	arrival, finish des.Timer
	waiting         []des.Time // when those in the system came, the first in service
	served          int
	spent           des.Time // by all that were served
}

const (
	arrives uint64 = iota
	isServed
)

// HandleTimer is called when a timer of the station fires.
func (s *station) HandleTimer(now des.Time, what uint64) {
	switch what {
	case arrives:
		s.waiting = append(s.waiting, now)
		if len(s.waiting) == 1 {
			s.serve(now)
		}
		s.sim.Arm(s.arrival, now+s.after(100*des.Millisecond))
	case isServed:
		s.spent += now - s.waiting[0]
		s.served++
		if s.waiting = s.waiting[1:]; len(s.waiting) > 0 {
			s.serve(now)
		}
	}
}

func (s *station) serve(now des.Time) { s.sim.Arm(s.finish, now+s.after(50*des.Millisecond)) }

// after draws a time from an exponential distribution.
func (s *station) after(mean des.Time) des.Time {
	return des.Time(s.random.ExpFloat64() * float64(mean))
}

// A queue with random arrivals and service times (M/M/1): with a load of one half,
// customers spend twice their service time in it, 100 ms.
func Example_queue() {
	sim := des.New(1, 0)
	s := &station{sim: sim, random: sim.Stream("station")}
	owner := sim.NewComponent("station")
	s.arrival = sim.NewTimer(owner, s, arrives)
	s.finish = sim.NewTimer(owner, s, isServed)

	sim.Arm(s.arrival, 0)
	sim.Run(10 * des.Hour)
	fmt.Printf("%d served, %.0f ms in the mean, %d events\n",
		s.served, 1000*s.spent.Seconds()/float64(s.served), sim.Events())
	// Output: 361139 served, 100 ms in the mean, 722278 events
}
