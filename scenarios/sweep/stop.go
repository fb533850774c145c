package sweep

import (
	"math"
	"slices"

	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

func orNaN(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}

// stopping follows a stopping rule over the replications of a point. The rule
// sees replications 1 to n for n = 1, 2, ... and never what was finished first,
// so that the number of replications does not depend on the workers.
type stopping struct {
	rule   *spec.Until // nil for a fixed number
	least  int
	values []float64 // of the metric, in order
	seen   int
	// enough is the number of replications of the point, 0 if it is not known
	// yet.
	enough int
}

func newStopping(w *spec.Sweep) *stopping {
	s := &stopping{rule: w.Until, least: w.Replications}
	if s.rule == nil {
		s.enough = s.least
	} else {
		s.least = max(2, s.least)
	}
	return s
}

// add shows the next replication to the rule.
func (s *stopping) add(r *record) {
	s.seen++
	if s.rule == nil || s.enough > 0 {
		return
	}
	if i := slices.Index(r.schema.names, s.rule.Metric); i >= 0 && !math.IsNaN(r.values[i]) {
		s.values = append(s.values, r.values[i])
	}
	if s.seen >= s.least && measure.HalfWidth(s.values) <= s.rule.HalfWidth || s.seen >= s.rule.Max {
		s.enough = s.seen
	}
}

// allowed is how many replications may be begun now, if ahead of them may be
// run for nothing.
func (s *stopping) allowed(ahead int) int {
	if s.enough > 0 {
		return s.enough
	}
	return min(max(s.least, s.seen+ahead), s.rule.Max)
}
