package network

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
)

func parseTrace(t testing.TB, text string) *Trace {
	t.Helper()
	trace, err := ParseTrace(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func TestParseTrace(t *testing.T) {
	trace := parseTrace(t, "0\n1\n1\r\n10")
	if trace.Opportunities() != 4 || trace.Period() != 10*des.Millisecond || trace.Rate() != 4_800_000 {
		t.Errorf("%d opportunities in %v, %d bit/s", trace.Opportunities(), trace.Period(), trace.Rate())
	}
	for text, want := range map[string]string{
		"":                 "0 lines",
		"0\n0\n":           "end at 0 ms",
		"1\n\n2\n":         `line 2: ""`,
		"5\n4\n":           "line 2: 4 ms is before",
		"-1\n":             `line 1: "-1"`,
		"1.5\n":            `"1.5" is no time`,
		"99999999999999\n": "is no time",
		"1\n2 3\n":         `line 2: "2 3"`,
	} {
		if _, err := ParseTrace(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseTrace(strings.NewReader(strings.Repeat("9", 1<<17))); err == nil {
		t.Error("a line without end")
	}
}

func FuzzParseTrace(f *testing.F) {
	for _, text := range []string{"1\n2\n", "", "0\n", "5\n5\n7", "7\n5\n", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := ParseTrace(strings.NewReader(text))
		if err != nil {
			return
		}
		b := &strings.Builder{}
		for _, at := range trace.stamps {
			fmt.Fprintln(b, int64(at/des.Millisecond))
		}
		again := parseTrace(t, b.String())
		if !slices.Equal(trace.stamps, again.stamps) || !slices.IsSorted(trace.stamps) || trace.Rate() < 0 {
			t.Fatalf("%q became %q", text, b.String())
		}
	})
}

// Opportunities of 1500 bytes carry several small packets or a part of a large
// one; what a queue leaves of one is gone, and so are those of an idle link. The
// trace begins anew.
func TestTraceLink(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Trace: parseTrace(t, "2\n3\n3\n10\n"), Delay: 1}, sink)
	for i, size := range []uint32{1000, 400, 200} { // 1500 bytes at 2 ms, 100 at 3 ms
		link.Receive(0, raw(size, i))
	}
	sim.Run(3 * des.Millisecond)
	link.Receive(sim.Now(), raw(1501, 3)) // both of 3 ms are gone: 10 and 12 ms
	sim.Run(43 * des.Millisecond)
	link.Receive(sim.Now(), raw(3000, 4)) // 50, and 52 in the sixth period
	sim.RunIdle()
	want := []des.Time{2, 2, 3, 12, 52}
	for i, a := range sink.got {
		if a.at != want[i]*des.Millisecond+1 {
			t.Errorf("packet %d at %v, want %d ms and 1 ns", i, a.at, want[i])
		}
	}
	if len(sink.got) != len(want) {
		t.Errorf("%d delivered", len(sink.got))
	}
	checkConservation(t, link)
	if err := link.SetRate(5); err == nil {
		t.Error("a trace has a rate to change")
	}
}

// The link delivers as one that goes through every opportunity.
func TestTraceAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stamps := rapid.SliceOfN(rapid.Int64Range(0, 9), 1, 8).Draw(t, "stamps")
		slices.Sort(stamps)
		stamps[len(stamps)-1]++
		trace := &Trace{}
		for _, ms := range stamps {
			trace.stamps = append(trace.stamps, des.Time(ms)*des.Millisecond)
		}
		sim, sink := des.New(1, 0), &collector{}
		link, err := NewLink(sim, "a->b", LinkConfig{Trace: trace}, sink)
		if err != nil {
			t.Fatal(err)
		}
		var offers []offer
		now := des.Time(0)
		for i := range rapid.IntRange(1, 20).Draw(t, "packets") {
			now += des.Time(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 60)).Draw(t, "gap")) * des.Millisecond / 2
			offers = append(offers, offer{now, rapid.Uint32Range(1, 4000).Draw(t, "size")})
			sim.Run(now)
			link.Receive(now, raw(offers[i].size, i))
		}
		sim.RunIdle()
		// At each opportunity, what came before it is served in turn.
		var want []des.Time
		rest, next := uint32(0), 0
		for base := des.Time(0); len(want) < len(offers); base += trace.Period() {
			for _, stamp := range trace.stamps {
				for left := uint32(opportunity); left > 0 && next < len(offers) && offers[next].at < base+stamp; {
					if rest == 0 {
						rest = offers[next].size
					}
					used := min(rest, left)
					rest, left = rest-used, left-used
					if rest == 0 {
						want = append(want, base+stamp)
						next++
					}
				}
			}
		}
		for i, a := range sink.got {
			if a.at != want[i] {
				t.Fatalf("packet %d at %v, want %v", i, a.at, want[i])
			}
		}
		if len(sink.got) != len(offers) || link.Check() != nil {
			t.Fatal(len(sink.got), link.Check())
		}
	})
}
