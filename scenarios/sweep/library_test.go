package sweep

import (
	"slices"
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
			publishedAsExpected(t, s)
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

// publishedAsExpected holds the values that figures show from elsewhere to the
// parameter published, with which the results are compared.
func publishedAsExpected(t *testing.T, s *Sweep) {
	t.Helper()
	at := func(name string) int { return slices.Index(s.Design.Params, name) }
	published := at("published")
	if published < 0 {
		return
	}
	shown := 0
	for _, f := range s.Spec.Figures {
		for _, r := range f.Reference {
			for _, p := range r.Points {
				shown++
				found := false
				for i := range s.Design.Points() {
					v := s.Design.Point(i)
					found = found || v[at(f.X)] == p.X && v[published] == p.Y.Text && (r.By == "" || v[at(f.By)] == r.By)
				}
				if !found {
					t.Errorf("figure %s shows %s at %s = %s, where no point has that as published", f.Name, p.Y.Text, f.X, p.X)
				}
			}
		}
	}
	if shown == 0 {
		t.Error("no figure shows what was published")
	}
}
