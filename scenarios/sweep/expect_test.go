package sweep

import (
	"slices"
	"strings"
	"testing"
)

// Expectations are about the means at each point, and only about the points that
// the scenario gives.
func TestExpectations(t *testing.T) {
	const sweep = `{grid: {rate: [1/s, 10/s, 30/s]}, replications: 3, expect: [legit.attempts > $rate * 1.4s, web.accepted < 25]}`
	look := func(r Request) (points []PointOutcome, failed string) {
		s, dir := newSweep(t, sweep, r), t.TempDir()
		mustRun(t, s, dir, Options{})
		points, err := s.Expectations(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range points {
			for _, o := range p.Expectations {
				if !o.Passed {
					failed += strings.Join(p.Params, " ") + ": " + o.Message + "\n"
				}
			}
		}
		return points, failed
	}
	points, failed := look(Request{})
	if len(points) != 3 || points[2].Point != 3 || len(points[0].Expectations) != 2 {
		t.Fatalf("%+v", points)
	}
	// 1, 1 and 2 attempts at the first point; at the last they are too many.
	want := "1/s: legit.attempts > 1/s * 1.4s: is 1.33333\n30/s: web.accepted < 25: is 67\n"
	if failed != want {
		t.Errorf("failed\n%swant\n%s", failed, want)
	}
	if points, _ := look(Request{Metrics: []string{"legit.*"}}); len(points) != 3 || len(points[0].Expectations) != 1 {
		t.Errorf("without web.accepted: %+v", points)
	}
	if points, _ := look(Request{Vary: Vary{Values: []string{"rate=1/s,2/s"}}}); slices.ContainsFunc(points, func(p PointOutcome) bool { return len(p.Expectations) > 0 }) {
		t.Errorf("of points of the command line: %+v", points)
	}
}
