package congestion

import (
	"testing"

	"tcplab/des"
)

// steadyAcks calls OnAck n times, in congestion avoidance with a loss every
// ten thousand segments.
func steadyAcks(c Controller, w *Window, a *Ack, now des.Time, n int) des.Time {
	a.Acked, a.RTT, a.CwndLimited = 1, 20*des.Millisecond, true
	for i := range n {
		now += 20 * des.Millisecond / des.Time(w.Cwnd)
		a.Now = now
		a.RoundStart = i%64 == 0
		c.OnAck(w, a)
		if i%10000 == 9999 {
			w.Ssthresh = c.OnLoss(w, now)
			w.Cwnd = w.Ssthresh
		}
	}
	return now
}

func TestOnAckDoesNotAllocate(t *testing.T) {
	for _, name := range Names() {
		c, w := newTest(t, name), &Window{Cwnd: 10, Ssthresh: Infinite, Clamp: Infinite}
		a, now := new(Ack), des.Time(0)
		allocs := testing.AllocsPerRun(5, func() {
			c.OnEvent(w, EventRTO, now)
			now = steadyAcks(c, w, a, now, 20000)
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkOnAck(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			c, w := newTest(b, name), &Window{Cwnd: 100, Ssthresh: 100, Clamp: Infinite}
			b.ReportAllocs()
			b.ResetTimer()
			steadyAcks(c, w, new(Ack), 0, b.N)
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New("cubic"); err != nil {
			b.Fatal(err)
		}
	}
}
