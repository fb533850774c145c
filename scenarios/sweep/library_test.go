package sweep

import (
	"testing"

	"tcplab/scenarios"
)

// The sweeps of the library find at each point what they expect; among them are
// the published figures and tables that they reproduce.
func TestLibraryOfSweeps(t *testing.T) {
	list, err := scenarios.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		sc, err := scenarios.Load(entry.Name, nil, scenarios.Registry())
		if err != nil {
			t.Fatal(err)
		}
		if sc.Sweep == nil || len(sc.Sweep.Expect) == 0 {
			if entry.Topic == "Reproductions" {
				t.Errorf("%s reproduces what it does not expect", entry.Name)
			}
			continue
		}
		t.Run(entry.Name, func(t *testing.T) {
			s, err := New(sc, Request{}, "test")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			out := mustRun(t, s, dir, Options{})
			points, err := s.Expectations(dir)
			if err != nil || out.Points != s.Design.Points() || len(points) != out.Points {
				t.Fatalf("%d points of %d, expectations at %d, %v", out.Points, s.Design.Points(), len(points), err)
			}
			for _, p := range points {
				for _, o := range p.Expectations {
					if !o.Passed {
						t.Errorf("point %d %v: %s", p.Point, p.Params, o.Message)
					}
				}
			}
		})
	}
}
