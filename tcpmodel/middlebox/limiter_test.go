package middlebox

import (
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

func newLimiter(t testing.TB, c LimiterConfig) (*Limiter, *collector) {
	t.Helper()
	out := &collector{}
	l, err := NewLimiter(des.New(1, 0), c, out)
	if err != nil {
		t.Fatal(err)
	}
	return l, out
}

// TestLimiterExact: a source that always sends gets burst + floor(rate t)
// packets through in a time t, to the packet, at each of the times.
func TestLimiterExact(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		burst int
		gap   des.Time
		times []des.Time
	}{
		{3, 5, des.Millisecond, []des.Time{0, 333 * des.Millisecond, 334 * des.Millisecond, des.Second, 1000 * des.Second}},
		{0.5, 1, 10 * des.Millisecond, []des.Time{0, 1990 * des.Millisecond, 2 * des.Second, 4 * des.Second, des.Hour}},
		{1e6, 10, 100 * des.Nanosecond, []des.Time{0, 999, 1000, 100 * des.Millisecond}},
	} {
		l, out := newLimiter(t, LimiterConfig{Rate: c.rate, Burst: c.burst, Sources: 10})
		seg := segment.Segment{Src: 7}
		now := des.Time(0)
		for range c.burst {
			l.Receive(now, &seg)
		}
		for _, until := range c.times {
			for ; now <= until; now += c.gap {
				l.Receive(now, &seg)
			}
			// Tokens of 10^-15, and the last packet came at now - gap.
			hi, lo := bits.Mul64(uint64(now-c.gap), uint64(c.rate*1e6))
			whole, _ := bits.Div64(hi, lo, 1e15)
			want := c.burst + int(whole)
			if out.n != want {
				t.Errorf("rate %v, burst %d: %d packets until %v, want %d", c.rate, c.burst, out.n, until, want)
			}
		}
		if err := l.Flow().Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestLimiterSources: sources do not take from each other, a quiet one has at
// most its burst, and the one that was quiet for longest is forgotten first.
func TestLimiterSources(t *testing.T) {
	l, out := newLimiter(t, LimiterConfig{Rate: 1, Burst: 2, Sources: 3})
	send := func(now des.Time, node segment.Node, n int) int {
		before := out.n
		for range n {
			l.Receive(now, &segment.Segment{Src: node})
		}
		return out.n - before
	}
	for i, c := range []struct {
		now  des.Time
		node segment.Node
		want int
	}{
		{0, 1, 2}, {0, 2, 2}, {0, 3, 2},
		{des.Second, 1, 1}, {des.Second, 2, 1},
		{des.Second, 4, 2}, // in the place of 3
		{des.Second, 1, 0},
		{des.Second, 3, 2}, // in the place of 2
		{des.Hour, 1, 2},
	} {
		if got := send(c.now, c.node, 5); got != c.want {
			t.Errorf("step %d: %d packets of node %d at %v, want %d", i, got, c.node, c.now, c.want)
		}
	}
	if s := l.Stats(); s.Sources != 3 || s.Forgotten != 2 || s.Limited != 45 || s.Dropped != 45-uint64(out.n) {
		t.Errorf("%+v with %d passed", s, out.n)
	}
}

// TestLimiterProperty: whatever comes when, no window of time t has more than
// burst + rate t packets of a source, and a packet that comes 1/rate after the
// one before is never dropped.
func TestLimiterProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 50).Draw(t, "rate")
		burst := rapid.IntRange(1, 10).Draw(t, "burst")
		out := &collector{}
		l, err := NewLimiter(des.New(1, 0), LimiterConfig{Rate: float64(rate), Burst: burst, Sources: 1}, out)
		if err != nil {
			t.Fatal(err)
		}
		var passed []des.Time
		now := des.Time(0)
		for range rapid.IntRange(1, 100).Draw(t, "packets") {
			gap := des.Time(rapid.IntRange(0, 200).Draw(t, "gap")) * des.Millisecond
			now += gap
			before := out.n
			l.Receive(now, &segment.Segment{Src: 1})
			if out.n > before {
				passed = append(passed, now)
			} else if gap*des.Time(rate) >= des.Second {
				t.Fatalf("a packet %v after the one before was dropped", gap)
			}
		}
		for i := range passed {
			for j := i; j < len(passed); j++ {
				if most := burst + int((passed[j]-passed[i])*des.Time(rate)/des.Second); j-i+1 > most {
					t.Fatalf("%d packets in %v", j-i+1, passed[j]-passed[i])
				}
			}
		}
	})
}

// TestLimiterSYNs: only what opens a connection is limited, if so asked.
func TestLimiterSYNs(t *testing.T) {
	l, out := newLimiter(t, LimiterConfig{Rate: 1, Burst: 1, Sources: 1, SYNs: true})
	for _, s := range []segment.Segment{
		{Flags: segment.SYN}, {Flags: segment.SYN}, {Flags: segment.ACK}, {Flags: segment.SYN | segment.ACK},
		{Kind: segment.KindRaw}, {Flags: segment.RST},
	} {
		l.Receive(0, &s)
	}
	if out.n != 5 || l.Stats().Dropped != 1 {
		t.Errorf("%d passed, %d dropped", out.n, l.Stats().Dropped)
	}
}

// TestBlackhole: from its time on everything is lost, until it is not.
func TestBlackhole(t *testing.T) {
	out := &collector{}
	b := NewBlackhole(10, 20, out)
	for now := range des.Time(30) {
		b.Receive(now, &segment.Segment{})
	}
	if f := b.Flow(); out.n != 20 || f.Lost.Packets != 10 || f.Check() != nil {
		t.Errorf("%d passed, %+v", out.n, f)
	}
}
