package network

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
)

// Readings in the middle of a service and of the wire.
func TestStatsInTheMiddle(t *testing.T) {
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Delay: 5000, Queue: QueueLimit{Packets: 2}}, &counter{})
	sim.Run(200)
	for i := range 3 {
		link.Receive(200, raw(1000, i))
	}
	sim.Run(700)
	early := link.Stats()
	want := Stats{
		At: 700, Elapsed: 700,
		Offered: Count{3, 3000}, Dropped: Count{1, 1000},
		Queued: Count{2, 2000}, InFlight: Count{2, 2000},
		Busy: 500, PacketTime: 1000, ByteTime: ByteTime{0, 1_000_000},
	}
	if early != want {
		t.Errorf("in the first service\n%+v, want\n%+v", early, want)
	}
	sim.Run(1700)
	s := link.Stats()
	want.At, want.Elapsed = 1700, 1700
	want.Departed, want.Queued = Count{1, 1000}, Count{1, 1000}
	want.Busy, want.Sojourn, want.PacketTime, want.ByteTime = 1500, 1000, 2500, ByteTime{0, 2_500_000}
	if s != want {
		t.Errorf("in the second service\n%+v, want\n%+v", s, want)
	}
	later := s.Since(early)
	if later.Utilization() != 1 || later.MeanQueued() != 1.5 || later.MeanQueuedBytes() != 1500 || later.MeanSojourn() != 1e-6 || later.MeanWait() != 0 || later.DropFraction() != 0 {
		t.Errorf("between the two: %+v", later)
	}
	sim.RunIdle()
	s = link.Stats()
	if s.Delivered != (Count{2, 2000}) || s.MeanWait() != 0.5e-6 || s.DropFraction() != 1.0/3 || s.At != 7200 {
		t.Errorf("at the end: %+v", s)
	}
}

func TestStatsOfNothing(t *testing.T) {
	s := newLink(t, des.New(1, 0), LinkConfig{}, &counter{}).Stats()
	for _, v := range []float64{s.MeanQueued(), s.MeanQueuedBytes(), s.MeanWait(), s.MeanSojourn(), s.Utilization(), s.DropFraction()} {
		if v != 0 {
			t.Errorf("%v of no packets over no time", v)
		}
	}
}

func TestByteTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b ByteTime
		exact := new(big.Int)
		for range rapid.IntRange(1, 5).Draw(t, "terms") {
			bytes, ns := rapid.Uint64Range(0, 1<<61).Draw(t, "bytes"), rapid.Uint64Range(0, 1<<61).Draw(t, "ns")
			before := b
			b = b.plus(bytes, ns)
			exact.Add(exact, new(big.Int).Mul(new(big.Int).SetUint64(bytes), new(big.Int).SetUint64(ns)))
			if b.minus(before) != (ByteTime{}).plus(bytes, ns) {
				t.Fatalf("%v - %v is %v", b, before, b.minus(before))
			}
		}
		got := new(big.Int).Add(new(big.Int).Lsh(new(big.Int).SetUint64(b.Hi), 64), new(big.Int).SetUint64(b.Lo))
		if got.Cmp(exact) != 0 {
			t.Fatalf("%v, want %v", got, exact)
		}
		want, _ := new(big.Float).SetInt(exact).Float64()
		if f := b.Float(); f < want*(1-1e-15) || f > want*(1+1e-15) {
			t.Fatalf("%v as float64 is %v", got, f)
		}
	})
}
