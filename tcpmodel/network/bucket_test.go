package network

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
)

// level returns the tokens in bytes after dt, from a level of before.
func level(config TokenBucket, before *big.Rat, from, to des.Time) *big.Rat {
	dt := to - from
	if config.Tick > 0 {
		dt = (to/config.Tick - from/config.Tick) * config.Tick
	}
	came := new(big.Rat).Mul(big.NewRat(config.Rate, 8e9), new(big.Rat).SetInt64(int64(dt)))
	came.Add(came, before)
	if depth := new(big.Rat).SetInt64(config.Burst); came.Cmp(depth) > 0 {
		return depth
	}
	return came
}

func drawBucket(t *rapid.T) TokenBucket {
	return TokenBucket{
		Rate:  rapid.SampledFrom([]int64{1_000_000, 3_333_333, 7_777_777_777, maxRate}).Draw(t, "rate"),
		Burst: rapid.Int64Range(1500, 5000).Draw(t, "burst"),
		Tick:  des.Time(rapid.SampledFrom([]int64{0, 1000, 999_999}).Draw(t, "tick")),
	}
}

// A bucket grants what one in rational arithmetic grants, and no token is made
// or lost.
func TestBucketAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := drawBucket(t)
		now := des.Time(rapid.Int64Range(0, 5000).Draw(t, "start"))
		b, last := NewBucket(config, now), now
		want := new(big.Rat).SetInt64(config.Burst)
		for range rapid.IntRange(1, 50).Draw(t, "packets") {
			now += des.Time(rapid.OneOf(rapid.Int64Range(0, 10_000), rapid.Int64Range(0, 50_000_000)).Draw(t, "gap"))
			size := rapid.Uint32Range(0, 1500).Draw(t, "size")
			cost := new(big.Rat).SetInt64(int64(size))
			want, last = level(config, want, last, now), now
			granted := want.Cmp(cost) >= 0
			if granted {
				want.Sub(want, cost)
			}
			if got := b.Take(now, size); got != granted {
				t.Fatalf("at %d: %d bytes granted: %v, want %v with %v left", now, size, got, granted, want)
			}
			if whole := new(big.Int).Quo(want.Num(), want.Denom()).Int64(); b.Level(now) != whole {
				t.Fatalf("at %d: level %d, want %d", now, b.Level(now), whole)
			}
			if err := b.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Wait is the first nanosecond at which Take would succeed.
func TestWaitIsTheFirstInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := drawBucket(t)
		b := NewBucket(config, 0)
		now := des.Time(0)
		for range rapid.IntRange(1, 50).Draw(t, "packets") {
			now += des.Time(rapid.Int64Range(0, 10_000_000).Draw(t, "gap"))
			size := rapid.Uint32Range(1, 1500).Draw(t, "size")
			before, early := *b, *b
			at := b.Wait(now, size)
			if at < now || !before.Take(at, size) {
				t.Fatalf("%d bytes at %d: not there at %d", size, now, at)
			}
			if at > now && early.Take(at-1, size) {
				t.Fatalf("%d bytes at %d: there before %d", size, now, at)
			}
			if err := b.Check(); err != nil {
				t.Fatal(err)
			}
			now = at
		}
	})
}

// A shaped link sends a burst at its line rate and then at the token rate; a
// packet that no burst covers is dropped.
func TestShaper(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 80e9, Shaper: TokenBucket{Rate: 8e6, Burst: 2000}}, sink)
	for i := range 4 {
		link.Receive(0, raw(1000, i)) // 100 ns on the line, 1 ms of tokens
	}
	link.Receive(0, raw(2001, 9))
	checkConservation(t, link)
	sim.RunIdle()
	want := []des.Time{100, 200, des.Millisecond + 100, 2*des.Millisecond + 100}
	for i, a := range sink.got {
		if a.at != want[i] {
			t.Errorf("packet %d at %v, want %v", i, a.at, want[i])
		}
	}
	if s := link.Stats(); len(sink.got) != 4 || s.Oversize != (Count{1, 2001}) {
		t.Errorf("%d delivered, %+v", len(sink.got), s)
	}
	checkConservation(t, link)
}

// The rate of the line changes while a packet waits for tokens, and while it is
// sent.
func TestShapedLinkChangesRate(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Shaper: TokenBucket{Rate: 8e6, Burst: 1000}}, sink)
	link.Receive(0, raw(1000, 0))
	link.Receive(0, raw(1000, 1))
	for _, change := range []struct {
		at   des.Time
		rate int64
	}{{500, 4e9}, {5000, 0}, {6000, 2e9}, {des.Millisecond + 2000, 8e9}} {
		sim.Run(change.at)
		if err := link.SetRate(change.rate); err != nil {
			t.Fatal(err)
		}
	}
	sim.RunIdle()
	// Half of each packet at one rate, and half at the next.
	if len(sink.got) != 2 || sink.got[0].at != 1500 || sink.got[1].at != des.Millisecond+2500 {
		t.Errorf("%v", sink.got)
	}
	checkConservation(t, link)
}

func TestPolicer(t *testing.T) {
	sim, sink := des.New(1, 0), &counter{}
	p, err := NewPolicer(sim, "p", TokenBucket{Rate: 8e6, Burst: 1500}, sink)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		p.Receive(0, raw(500, 0))
	}
	if f := p.Flow(); sink.packets != 3 || f.Lost != (Count{2, 1000}) || f.Check() != nil || p.Bucket().Level(des.Millisecond) != 1000 {
		t.Errorf("%d passed, %+v", sink.packets, f)
	}
	if _, err := NewPolicer(sim, "p", TokenBucket{}, sink); err == nil {
		t.Error("a policer without a rate")
	}
}
