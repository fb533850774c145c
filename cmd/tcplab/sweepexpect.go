package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"

	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep"
)

// expected is what became of the expectations of a sweep.
type expected struct {
	sweep     *sweep.Sweep
	points    []sweep.PointOutcome
	good, all int
}

// expectedIn looks what became of the expectations of the sweep in dir.
func expectedIn(s *sweep.Sweep, dir string) (*expected, error) {
	points, err := s.Expectations(dir)
	e := &expected{sweep: s, points: points}
	for _, p := range points {
		e.all += len(p.Expectations)
		for _, o := range p.Expectations {
			if o.Passed {
				e.good++
			}
		}
	}
	return e, err
}

func (e *expected) String() string {
	return fmt.Sprintf("%d of %d expectations hold at %d points", e.good, e.all, len(e.points))
}

// printFailed tells each expectation that does not hold, with its point.
func (a *app) printFailed(e *expected) {
	for _, p := range e.points {
		for _, o := range p.Expectations {
			if !o.Passed {
				a.print("    point %d%s: %s\n", p.Point, pointValues(e.sweep, p.Params), o.Message)
			}
		}
	}
}

// checkSweep runs the sweep of a scenario for what it expects, and keeps nothing.
func (a *app) checkSweep(ctx context.Context, sc *spec.Scenario, set map[string]string, quiet bool) (found *expected, err error) {
	model, err := modelVersion()
	if err != nil {
		return nil, err
	}
	s, err := sweep.New(sc, sweep.Request{Set: set}, model)
	if err != nil {
		return nil, inputError(err)
	}
	dir, err := os.MkdirTemp("", "tcplab-check-")
	if err != nil {
		return nil, err
	}
	defer func() { err = cmp.Or(err, os.RemoveAll(dir)) }()
	bar := a.newSweepProgress(sc.Name, quiet)
	out, err := s.Run(ctx, dir, version(), runtime.Version(), sweep.Options{Progress: bar.update})
	bar.finish()
	if err != nil {
		return nil, err
	}
	if n := len(out.Failures); n > 0 {
		return nil, fmt.Errorf("%d points failed; the first is %s: %s", n, describePoint(s, out.Failures[0]), out.Failures[0].Text)
	}
	return expectedIn(s, dir)
}
