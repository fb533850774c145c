package sweep

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tcplab/scenarios/quantity"
)

func points(d *Design) (out []string) {
	for i := range d.Points() {
		out = append(out, strings.Join(d.Point(i), " "))
	}
	return out
}

func TestDesigns(t *testing.T) {
	for _, c := range []struct {
		name, sweep string
		vary        Vary
		want        []string
	}{
		{"grid", `{grid: {rate: [1/s, 2/s], request: [1B, 2B]}}`, Vary{}, []string{"1/s 1B", "1/s 2B", "2/s 1B", "2/s 2B"}},
		{"zip", `{zip: {rate: [1/s, 2/s, 2/s], request: [1B, 2B, 3B]}}`, Vary{}, []string{"1/s 1B", "2/s 2B", "2/s 3B"}},
		{"one at a time", `{one_at_a_time: {rate: [1/s, 20/s, 30/s], request: [1B]}}`, Vary{}, []string{"20/s 100B", "1/s 100B", "30/s 100B", "20/s 1B"}},
		{"grid and zip", `{grid: {cc: [reno, cubic]}, zip: {rate: [1/s, 2/s], request: [1B, 2B]}}`, Vary{},
			[]string{"reno 1/s 1B", "reno 2/s 2B", "cubic 1/s 1B", "cubic 2/s 2B"}},
		{"span", `{grid: {rate: log:1/s..100/s:3}}`, Vary{}, []string{"1/s", "10/s", "100/s"}},
		{"vary", `{grid: {cc: [reno, cubic]}}`, Vary{Values: []string{"rate=1/s,2/s", "request=lin:1B..3B:3"}},
			[]string{"1/s 1B", "1/s 2B", "1/s 3B", "2/s 1B", "2/s 2B", "2/s 3B"}},
		{"vary zip", "", Vary{[]string{"rate=1/s,1/s", "request=1B,2B"}, "zip"}, []string{"1/s 1B", "1/s 2B"}},
		{"vary one at a time", "", Vary{[]string{"rate=1/s", "request=1B,2B"}, "one-at-a-time"}, []string{"20/s 100B", "1/s 100B", "20/s 1B", "20/s 2B"}},
	} {
		s := newSweep(t, c.sweep, Request{Vary: c.vary})
		if diff := cmp.Diff(c.want, points(s.Design)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestVaryMistakes(t *testing.T) {
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{}, "says nothing of what varies"},
		{Request{Vary: Vary{Values: []string{"rate"}}}, "not of the form"},
		{Request{Vary: Vary{Values: []string{"rat=1/s"}}}, `no parameter "rat"`},
		{Request{Vary: Vary{Values: []string{"rate=1/s,1/s"}}}, "given twice"},
		{Request{Vary: Vary{Values: []string{"rate=1/s", "rate=2/s"}}}, "varies in two ways"},
		{Request{Vary: Vary{Values: []string{"rate=lin:1/s..2/s"}}}, "how many values"},
		{Request{Vary: Vary{Values: []string{"rate=lin:1/s..2B:3"}}}, "give both ends one unit"},
		{Request{Vary: Vary{Values: []string{"rate=5"}}}, "tiny.yaml:13:"},
		{Request{Vary: Vary{Values: []string{"rate=1/s"}, Design: "cube"}}, "have grid, zip"},
		{Request{Vary: Vary{Values: []string{"rate=lin:1/s..2/s"}, Design: "random"}}, "random:N"},
		{Request{Vary: Vary{Values: []string{"rate=lin:1..2"}, Design: "random:3"}}, "has no unit"},
		{Request{Vary: Vary{Values: []string{"rate=1/s", "request=1B,2B"}, Design: "zip"}}, "give all as many"},
		{Request{Vary: Vary{Values: []string{"rate=1/s"}}, Set: map[string]string{"rate": "2/s"}}, "is set to one value, too"},
		{Request{Vary: Vary{Design: "zip"}}, "nothing to combine"},
		{Request{Vary: Vary{Values: []string{"rate=1/s"}}, Streams: "own"}, "have common, independent"},
	} {
		_, err := New(load(t, ""), c.request, "test")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.request, err, c.want)
		}
	}
}

// Of a Latin hypercube of n points, each n-th part of each span has one point.
func TestLatinHypercube(t *testing.T) {
	const n = 50
	s := newSweep(t, "", Request{Vary: Vary{[]string{"rate=lin:0.5/s..1.5/s", "request=lin:1kB..51kB"}, "latin_hypercube:50"}})
	for k, ends := range [][2]float64{{0.5, 1.5}, {1000, 51000}} {
		var seen []int
		for i := range n {
			f, ok := quantity.Parse(s.Design.Point(i)[k])
			if !ok {
				t.Fatal(s.Design.Point(i))
			}
			// Values have six digits that count, so that one may be on the
			// border of its part.
			seen = append(seen, int((f.Value-ends[0])/(ends[1]-ends[0])*n))
		}
		slices.Sort(seen)
		for i, part := range seen {
			if part != i {
				t.Errorf("parameter %d: point %d of the order is in part %d", k, i, part)
			}
		}
	}
	again := newSweep(t, "", s.Request)
	if diff := cmp.Diff(points(s.Design), points(again.Design)); diff != "" {
		t.Error(diff)
	}
	seed := uint64(9)
	other := newSweep(t, "", Request{Vary: s.Request.Vary, Seed: &seed})
	if slices.Equal(points(s.Design), points(other.Design)) {
		t.Error("another seed gives the same points")
	}
}

// A larger random design begins with the points of a smaller one.
func TestRandomGrows(t *testing.T) {
	design := func(n int) []string {
		return points(newSweep(t, "", Request{Vary: Vary{[]string{"rate=log:1/s..100/s", "cc=reno,cubic"}, fmt.Sprintf("random:%d", n)}}).Design)
	}
	few, many := design(20), design(60)
	if diff := cmp.Diff(few, many[:20]); diff != "" {
		t.Error(diff)
	}
	reno := 0
	for _, p := range many {
		if strings.HasSuffix(p, "reno") {
			reno++
		}
	}
	if reno < 18 || reno > 42 { // 30 within 3.1 standard deviations
		t.Errorf("%d of 60 points have the first of two equally likely values", reno)
	}
}

// The queue hands out each point of a shard once.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "points")
		shards := rapid.IntRange(1, 7).Draw(t, "shards")
		seen := make([]int, n)
		for shard := range shards {
			q := newQueue(n, shard, shards)
			for {
				i, ok := q.pop()
				if !ok {
					break
				}
				seen[i]++
				if i%shards != shard {
					t.Fatalf("shard %d has point %d", shard, i)
				}
			}
		}
		for i, times := range seen {
			if times != 1 {
				t.Fatalf("point %d comes %d times", i, times)
			}
		}
	})
}
