package sweep

import (
	"slices"

	"tcplab/scenarios/spec"
)

// PointOutcome is what became of the expectations of a sweep at a point.
type PointOutcome struct {
	// Point counts from 1, as in the tables. Params are its values of the
	// parameters that vary.
	Point  int
	Params []string
	// Expectations are about the means over the replications.
	Expectations []spec.Outcome
}

// Passed reports whether all hold.
func (p *PointOutcome) Passed() bool {
	return !slices.ContainsFunc(p.Expectations, func(o spec.Outcome) bool { return !o.Passed })
}

// Expectations finds out what became of the expectations of the sweep in dir,
// which is finished. There are none if what varies is not what the scenario says,
// since they are about its points, none at points that failed, and none about
// metrics that Request.Metrics leaves out.
func (s *Sweep) Expectations(dir string) ([]PointOutcome, error) {
	if s.Scenario.Sweep == nil || len(s.Request.Vary.Values) > 0 {
		return nil, nil
	}
	var metrics []string
	for i := range s.Scenario.Sweep.Expect {
		metrics = append(metrics, s.Scenario.Sweep.Expect[i].Metrics()...)
	}
	if len(metrics) == 0 {
		return nil, nil
	}
	table, err := s.ReadTable(dir, metrics)
	if err != nil {
		return nil, err
	}
	var out []PointOutcome
	for i := range table.Rows {
		p, err := s.expectAt(table, &table.Rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// expectAt evaluates the expectations at one point.
func (s *Sweep) expectAt(table *Table, row *TableRow) (PointOutcome, error) {
	p := PointOutcome{Point: row.Point, Params: row.Texts}
	set := map[string]string{}
	for i, name := range s.Design.Params {
		set[name] = row.Texts[i]
	}
	expect, err := s.Scenario.PointExpectations(set)
	if err != nil {
		return p, err
	}
	column := func(name string) int {
		return slices.IndexFunc(table.Metrics, func(c Column) bool { return c.Name == name })
	}
	look := func(name string, _ *[2]float64) (value float64, null bool, err error) {
		c := &row.Cells[column(name)]
		return c.Mean, c.N == 0, nil
	}
	for i := range expect {
		if slices.ContainsFunc(expect[i].Metrics(), func(name string) bool { return column(name) < 0 }) {
			continue
		}
		o, err := spec.Eval(&expect[i], look)
		if err != nil {
			return p, s.Scenario.Problem(expect[i].Pos, "sweep: %v", err)
		}
		p.Expectations = append(p.Expectations, o)
	}
	return p, nil
}
