package capture

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// Holes are what a bitmap says of the numbers not seen.
func TestHoles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 60
		e := end{sent: true}
		var seen [size + 10]bool
		for range rapid.IntRange(1, 40).Draw(t, "segments") {
			left := int64(rapid.IntRange(0, size).Draw(t, "left"))
			right := left + int64(rapid.IntRange(1, 9).Draw(t, "length"))
			fresh := int64(0)
			for i := left; i < right; i++ {
				if !seen[i] {
					seen[i] = true
					fresh++
				}
			}
			var got int64
			if left >= e.next {
				if left > e.next {
					e.addHole(hole{left: e.next, right: left})
				}
				got = right - left
			} else {
				filled, _ := e.fill(left, right)
				got = filled + max(right-e.next, 0)
			}
			e.next = max(e.next, right)
			if got != fresh {
				t.Fatalf("[%d,%d) has %d new numbers, the bitmap says %d; holes %+v", left, right, got, fresh, e.holes)
			}
		}
		missing := map[int64]bool{}
		for i, h := range e.holes {
			if h.left >= h.right || i > 0 && e.holes[i-1].right > h.left {
				t.Fatalf("holes %+v", e.holes)
			}
			for n := h.left; n < h.right; n++ {
				missing[n] = true
			}
		}
		for n := range e.next {
			if missing[n] == seen[n] {
				t.Fatalf("number %d: missing %v, seen %v", n, missing[n], seen[n])
			}
		}
	})
}

// A ladder keeps the first and the last lines, with the marks that came later.
func TestLadderKeeps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit, total := rapid.IntRange(0, 12).Draw(t, "limit"), rapid.IntRange(0, 40).Draw(t, "lines")
		l := ladder{limit: limit}
		all := make([]Line, total)
		for i := range all {
			n := l.open()
			all[i] = Line{Packet: i + 1}
			l.put(n, all[i])
			marked := rapid.IntRange(0, i).Draw(t, "marked")
			all[marked].Marks |= MarkMaybeLost
			l.mark(marked, MarkMaybeLost)
		}
		lines, gap, omitted := l.close()
		var want []Line
		switch first := (limit + 1) / 2; {
		case limit == 0:
		case total <= limit:
			want = all
		default:
			want = append(append(want, all[:first]...), all[total-(limit-first):]...)
			if gap != first {
				t.Fatalf("gap at %d, want %d", gap, first)
			}
		}
		if limit > 0 && omitted != total-len(want) || len(lines) != len(want) {
			t.Fatalf("%d lines and %d omitted, want %d and %d", len(lines), omitted, len(want), total-len(want))
		}
		for i := range want {
			if lines[i] != want[i] {
				t.Fatalf("line %d: %+v, want %+v", i, lines[i], want[i])
			}
		}
	})
}

func TestSpanJSON(t *testing.T) {
	for span, want := range map[Span]string{0: "0", 1: "0.000000001", 1_500_000_000: "1.5", -20_000_000: "-0.02", 7e9: "7", None: "null",
		1<<63 - 1: "9223372036.854775807"} {
		text, err := json.Marshal(span)
		if err != nil || string(text) != want {
			t.Errorf("%d: %s, %v; want %s", int64(span), text, err, want)
		}
		var back Span
		if err := json.Unmarshal(text, &back); err != nil || back != span {
			t.Errorf("%s: %d, %v", text, int64(back), err)
		}
	}
}

// Every segment finds its place on an arrow.
func TestArrowWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Line{
			Flags: FlagSet(rapid.Uint16Range(0, 511).Draw(t, "flags")), Seq: rapid.Int64().Draw(t, "seq"), Ack: rapid.Int64().Draw(t, "ack"),
			Len: rapid.Uint32().Draw(t, "len"), Window: rapid.Uint32().Draw(t, "window"),
			Marks: Marks(rapid.Uint32().Draw(t, "marks")),
		}
		text, _ := l.label()
		for _, right := range []bool{false, true} {
			if a := arrow(text, right); len(a) != arrowWidth {
				t.Fatalf("%q has %d columns, want %d", a, len(a), arrowWidth)
			}
		}
	})
}
