package des

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const delayCount = 1 << 16

// delays draws the spans of a workload: "exp" is exponential with mean 1 ms;
// "tcp" is 45 % serialisation times, 45 % log-uniform from 20 us to 20 ms
// (propagation, pacing), 10 % timers from 200 ms to 1 s.
func delays(workload string) []Time {
	r := New(1, 0).Stream(workload)
	serialisation := []Time{320, 512, 4266, 12 * Microsecond, 120 * Microsecond}
	d := make([]Time, delayCount)
	for i := range d {
		u := r.Float64()
		switch {
		case workload == "exp":
			d[i] = Time(r.ExpFloat64() * float64(Millisecond))
		case u < 0.45:
			d[i] = serialisation[r.IntN(len(serialisation))]
		case u < 0.9:
			d[i] = Time(float64(20*Microsecond) * math.Pow(1000, r.Float64()))
		default:
			d[i] = 200*Millisecond + Time(r.Int64N(int64(800*Millisecond)))
		}
	}
	return d
}

// hold arms the timer that fired again: the number of pending timers stays.
type hold struct {
	sim    *Sim
	timers []Timer
	delays []Time
	next   int
}

func (h *hold) HandleTimer(now Time, arg uint64) {
	h.next++
	h.sim.Arm(h.timers[arg], now+h.delays[h.next%delayCount])
}

func newHold(workload string, pending int) *Sim {
	s := New(1, 0)
	h := &hold{sim: s, delays: delays(workload)}
	for i := range 64 {
		s.NewComponent(fmt.Sprint(i))
	}
	for i := range pending {
		timer := s.NewTimer(Component(1+i%64), h, uint64(i))
		h.timers = append(h.timers, timer)
		s.Arm(timer, h.delays[i%delayCount])
	}
	return s
}

// acks is one timer per connection for the next acknowledgement, which moves
// the retransmission timer of the connection to 200 ms later.
type acks struct {
	sim      *Sim
	ack, rto []Timer
	delays   []Time
	next     int
}

func (a *acks) HandleTimer(now Time, arg uint64) {
	i := arg / 2
	if arg%2 == 0 {
		a.next++
		a.sim.Arm(a.ack[i], now+a.delays[a.next%delayCount])
	}
	a.sim.Arm(a.rto[i], now+200*Millisecond)
}

func newAcks(connections int) *Sim {
	s := New(1, 0)
	a := &acks{sim: s, delays: delays("exp")}
	c := s.NewComponent("host")
	for i := range connections {
		a.ack = append(a.ack, s.NewTimer(c, a, uint64(2*i)))
		a.rto = append(a.rto, s.NewTimer(c, a, uint64(2*i+1)))
		s.Arm(a.ack[i], a.delays[i%delayCount])
		s.Arm(a.rto[i], 200*Millisecond)
	}
	return s
}

// closures is the baseline: container/heap, an item and a closure per event,
// cancelled by a flag.
type closures struct {
	now    Time
	seq    uint64
	events closureHeap
}

type closureEvent struct {
	at        Time
	seq       uint64
	cancelled bool
	call      func()
}

type closureHeap []*closureEvent

func (h closureHeap) Len() int      { return len(h) }
func (h closureHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *closureHeap) Push(x any)   { *h = append(*h, x.(*closureEvent)) }
func (h *closureHeap) Pop() any     { o := *h; e := o[len(o)-1]; *h = o[:len(o)-1]; return e }
func (h closureHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}

func (c *closures) schedule(at Time, call func()) *closureEvent {
	c.seq++
	e := &closureEvent{at: at, seq: c.seq, call: call}
	heap.Push(&c.events, e)
	return e
}

func (c *closures) step() {
	for {
		e := heap.Pop(&c.events).(*closureEvent)
		if !e.cancelled {
			c.now = e.at
			e.call()
			return
		}
	}
}

func newClosureHold(workload string, pending int) *closures {
	c := &closures{}
	d := delays(workload)
	next := 0
	var fire func(i int)
	fire = func(i int) {
		next++
		c.schedule(c.now+d[next%delayCount], func() { fire(i) })
	}
	for i := range pending {
		c.schedule(d[i%delayCount], func() { fire(i) })
	}
	return c
}

func newClosureAcks(connections int) *closures {
	c := &closures{}
	d := delays("exp")
	next := 0
	rto := make([]*closureEvent, connections)
	var restart, ack func(i int)
	restart = func(i int) {
		if rto[i] != nil {
			rto[i].cancelled = true
		}
		rto[i] = c.schedule(c.now+200*Millisecond, func() { restart(i) })
	}
	ack = func(i int) {
		next++
		c.schedule(c.now+d[next%delayCount], func() { ack(i) })
		restart(i)
	}
	for i := range connections {
		c.schedule(d[i%delayCount], func() { ack(i) })
		restart(i)
	}
	return c
}

// measure reports the time of one event after the pending ones have turned
// over.
func measure(b *testing.B, pending int, step func()) {
	for range 5 * pending {
		step()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		step()
	}
}

func BenchmarkHold(b *testing.B) {
	for _, workload := range []string{"tcp", "exp"} {
		for _, pending := range []int{10, 100, 1000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", workload, pending), func(b *testing.B) {
				s := newHold(workload, pending)
				measure(b, pending, func() { s.Step() })
			})
		}
	}
}

func BenchmarkHoldContainerHeap(b *testing.B) {
	for _, workload := range []string{"tcp", "exp"} {
		for _, pending := range []int{10, 100, 1000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", workload, pending), func(b *testing.B) {
				measure(b, pending, newClosureHold(workload, pending).step)
			})
		}
	}
}

// BenchmarkAck is one acknowledgement: an event, and a timer that is moved.
func BenchmarkAck(b *testing.B) {
	for _, connections := range []int{100, 1000, 100_000} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			s := newAcks(connections)
			measure(b, connections, func() { s.Step() })
		})
	}
}

func BenchmarkAckContainerHeap(b *testing.B) {
	for _, connections := range []int{100, 1000, 100_000} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			measure(b, connections, newClosureAcks(connections).step)
		})
	}
}

// BenchmarkArm is the call alone. Later touches the record; earlier puts the
// timer to the head of the queue, the longest way.
func BenchmarkArm(b *testing.B) {
	for _, direction := range []Time{1, -1} {
		for _, pending := range []int{100, 100_000} {
			b.Run(fmt.Sprintf("%+d/%d", direction, pending), func(b *testing.B) {
				s := New(1, 0)
				c := s.NewComponent("host")
				at := Never / 2
				var timers []Timer
				for range pending {
					timer := s.NewTimer(c, &hold{}, 0)
					timers = append(timers, timer)
					s.Arm(timer, at)
				}
				r := rand.New(rand.NewPCG(1, 1))
				b.ReportAllocs()
				for b.Loop() {
					at += direction
					s.Arm(timers[r.IntN(pending)], at)
				}
			})
		}
	}
}
