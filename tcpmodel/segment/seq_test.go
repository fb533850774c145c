package segment

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSeqWraps(t *testing.T) {
	const top = Seq(1<<32 - 1)
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"Add over the top", top.Add(3), Seq(2)},
		{"Sub over the top", Seq(2).Sub(top), int32(3)},
		{"Sub backwards", top.Sub(2), int32(-3)},
		{"Less over the top", top.Less(2), true},
		{"Less back over the top", Seq(2).Less(top), false},
		{"Less of itself", top.Less(top), false},
		{"LessEq of itself", top.LessEq(top), true},
		{"LessEq over the top", top.LessEq(0), true},
		{"half a circle minus one is after", Seq(0).Less(1<<31 - 1), true},
		{"half a circle is before, seen from both", Seq(0).Less(1<<31) && Seq(1<<31).Less(0), true},
		{"first of the window", top.InWindow(top, 2), true},
		{"last of the window", Seq(0).InWindow(top, 2), true},
		{"after the window", Seq(1).InWindow(top, 2), false},
		{"before the window", Seq(top-1).InWindow(top, 2), false},
		{"empty window", top.InWindow(top, 0), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// Seen from any origin, numbers less than half a circle apart behave as plain
// integers.
func TestSeqAgainstIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := Seq(rapid.Uint32().Draw(t, "origin"))
		a, b := rapid.Uint32Range(0, 1<<31-1).Draw(t, "a"), rapid.Uint32Range(0, 1<<31-1).Draw(t, "b")
		size := rapid.Uint32Range(0, 1<<31-1).Draw(t, "size")
		x, y := origin.Add(a), origin.Add(b)
		if x.Sub(y) != int32(a-b) || x.Less(y) != (a < b) || x.LessEq(y) != (a <= b) {
			t.Fatalf("%d against %d: Sub %d, Less %v, LessEq %v", a, b, x.Sub(y), x.Less(y), x.LessEq(y))
		}
		if want := a >= b && uint64(a) < uint64(b)+uint64(size); x.InWindow(y, size) != want {
			t.Fatalf("%d in [%d, %d): %v", a, b, b+size, !want)
		}
	})
}
