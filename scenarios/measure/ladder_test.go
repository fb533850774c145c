package measure

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// drawTrace draws an exchange over a network that delays, overtakes, loses and
// copies.
func drawTrace(t *rapid.T) *Trace {
	trace := &Trace{Number: 1, Until: math.MaxInt64, Active: TraceEnd{Host: "a"}, Passive: TraceEnd{Host: "b"}}
	at := des.Time(0)
	for i := range rapid.IntRange(1, 30).Draw(t, "segments") {
		at += des.Time(rapid.IntRange(0, 3).Draw(t, "pause"))
		passive := rapid.Bool().Draw(t, "passive")
		s := segment.Segment{Seq: segment.Seq(i), Len: 1, Flags: segment.ACK}
		trace.Events = append(trace.Events, Event{Time: at, Passive: passive, Kind: SegmentOut, Segment: s})
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 1, 2}).Draw(t, "copies") {
			arrival := at + des.Time(rapid.IntRange(1, 9).Draw(t, "delay"))
			trace.Events = append(trace.Events, Event{Time: arrival, Passive: !passive, Kind: SegmentIn, Segment: s})
		}
	}
	slices.SortStableFunc(trace.Events, func(a, b Event) int { return int(a.Time - b.Time) })
	return trace
}

// Read downwards, the lines of a ladder have what happened at either end in the
// order in which it happened.
func TestLadderIsInOrderAtBothEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := drawTrace(t)
		lines := NewLadder(trace).rungs()
		for _, passive := range []bool{false, true} {
			var want, got []segment.Seq
			for _, e := range trace.Events {
				if e.Passive == passive {
					want = append(want, e.Segment.Seq)
				}
			}
			for _, r := range lines {
				if r.seen[side(passive)] {
					got = append(got, r.passage.Segment.Seq)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("at the passive (%v) end %v, want %v", passive, got, want)
			}
		}
	})
}

// No line is wider than a terminal, whatever the numbers, names and languages.
func TestLadderFitsATerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := drawTrace(t)
		trace.Active.Host = strings.Repeat("x", rapid.IntRange(1, 30).Draw(t, "name"))
		for i := range trace.Events {
			e := &trace.Events[i]
			e.Time *= des.Time(rapid.SampledFrom([]int{1, 1000, 1e9}).Draw(t, "scale"))
			e.Segment.Ack = segment.Seq(rapid.Uint32().Draw(t, "ack"))
			e.Cause = tcpmodel.CauseRetransmit
		}
		slices.SortStableFunc(trace.Events, func(a, b Event) int { return int(a.Time - b.Time) })
		for _, g := range []Language{English, Chinese} {
			var out strings.Builder
			if err := NewLadder(trace).WriteText(&out, LadderOptions{Language: g, Notation: Notation{Absolute: true}}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if n := columns(strings.TrimRight(line, "\n")); n > ladderWidth {
					t.Fatalf("%d columns: %s", n, line)
				}
			}
		}
	})
}

func TestLadderTimers(t *testing.T) {
	s := func(seq uint32) segment.Segment {
		return segment.Segment{Seq: segment.Seq(seq), Len: 10, Flags: segment.ACK}
	}
	trace := &Trace{Until: math.MaxInt64, Events: []Event{
		{Time: 0, Kind: SegmentOut, Segment: s(0)},
		{Time: 5, Kind: SegmentLost, Segment: s(0), Link: "a->b"},
		{Time: 200, Kind: SegmentOut, Segment: s(0), Cause: tcpmodel.CauseRetransmit},
		{Time: 210, Passive: true, Kind: SegmentIn, Segment: s(0)},
		{Time: 300, Kind: SegmentOut, Segment: s(9), Cause: tcpmodel.CauseKeepalive},
		{Time: 310, Passive: true, Kind: SegmentIn, Segment: s(9)},
		{Time: 310, Passive: true, Kind: SegmentOut, Segment: s(1), Cause: tcpmodel.CauseRetransmit}, // an answer
		{Time: 400, Kind: StateChange, From: tcpmodel.FinWait2, To: tcpmodel.TimeWait, Cause: tcpmodel.CauseSegment},
		{Time: 900, Kind: StateChange, From: tcpmodel.TimeWait, To: tcpmodel.Closed, Cause: tcpmodel.CauseTimeout},
	}}
	l := NewLadder(trace)
	want := []TimerSpan{{false, 0, 200, RetransmissionTimer}, {false, 200, 300, KeepaliveTimer}, {false, 400, 900, TimeWaitTimer}}
	if !slices.Equal(l.Timers, want) {
		t.Errorf("timers %+v, want %+v", l.Timers, want)
	}
	fates := []Fate{}
	for _, p := range l.Passages {
		fates = append(fates, p.Fate)
	}
	if !slices.Equal(fates, []Fate{Lost, Delivered, Delivered, OnItsWay}) || l.Passages[0].Link != "a->b" {
		t.Errorf("fates %v", fates)
	}
}

// A segment that was held up is not taken for the one that was sent again, unless
// all are held up.
func TestLadderTellsAnOldDuplicate(t *testing.T) {
	for _, slow := range []bool{false, true} {
		var events []Event
		pass := func(sent, arrived des.Time, seq uint32) {
			s := segment.Segment{Seq: segment.Seq(seq), Len: 10, Flags: segment.ACK}
			events = append(events, Event{Time: sent, Kind: SegmentOut, Segment: s}, Event{Time: arrived, Passive: true, Kind: SegmentIn, Segment: s})
		}
		first, second := des.Time(7000), des.Time(1010)
		if slow {
			pass(0, 900, 1)
			first, second = 1010, 2010
		} else {
			pass(0, 10, 1)
		}
		pass(10, first, 11)
		pass(1000, second, 11)
		slices.SortStableFunc(events, func(a, b Event) int { return int(a.Time - b.Time) })
		l := NewLadder(&Trace{Until: math.MaxInt64, Events: events})
		if got := [2]des.Time{l.Passages[1].Arrived, l.Passages[2].Arrived}; got != [2]des.Time{first, second} {
			t.Errorf("all slow (%v): arrivals %v, want %v", slow, got, [2]des.Time{first, second})
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[des.Time]string{
		60 * des.Second: "60 s", 3600 * des.Second: "3600 s", 1234 * des.Microsecond: "1.23 ms",
		999: "999 ns", 20048 * des.Microsecond: "20 ms", 75 * des.Second: "75 s", 123456 * des.Microsecond: "123 ms",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

func TestPhrasesAreInAllLanguages(t *testing.T) {
	for name, text := range phrases {
		if text[English] == "" || text[Chinese] == "" || strings.Count(text[English], "%") != strings.Count(text[Chinese], "%") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"(retransmission)", []string{"(retransmission)"}},
		{"(retransmission, dropped on wall)", []string{"(retransmission, ", "dropped on wall)"}},
		{"(a, b, dropped)", []string{"(a, b, dropped)"}},
		{"(without any comma at all)", []string{"(without any comma at all)"}},
	} {
		if got := fold(c.text, 20); !slices.Equal(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
