package main

import (
	"fmt"
	"strings"
	"time"

	"tcplab/scenarios/sweep"
)

// sweepProgress shows how far a sweep is, as progress does for a run.
type sweepProgress struct {
	progress
}

func (a *app) newSweepProgress(name string, quiet bool) *sweepProgress {
	return &sweepProgress{progress: *a.newProgress(name, quiet)}
}

func (p *sweepProgress) update(at sweep.Progress) {
	p.redraw(func(elapsed time.Duration) string { return sweepLine(p.name, at, elapsed, p.terminal) })
}

// above writes a line that stays, above the one that is drawn again.
func (p *sweepProgress) above(format string, args ...any) {
	p.finish()
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

// sweepLine is at most 80 characters wide on a terminal, for names that are not
// long.
func sweepLine(name string, at sweep.Progress, elapsed time.Duration, bar bool) string {
	const width = 10
	drawing := ""
	if bar {
		full := at.Points * width / max(1, at.Total)
		drawing = "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] "
	}
	if at.Writing {
		return fmt.Sprintf("%s %swriting the results, %d/%d points", name, drawing, at.Points, at.Total)
	}
	failed := ""
	if at.Failed > 0 {
		failed = fmt.Sprintf(", %d failed", at.Failed)
	}
	rest := "?"
	if at.Left >= 0 {
		rest = roughly(at.Left)
	}
	if r := []rune(name); len(r) > 12 && bar {
		name = string(r[:11]) + "…"
	}
	return fmt.Sprintf("%s %s%d/%d points, %d runs%s, %s ev/s, %s left", name, drawing, at.Points, at.Total,
		at.Found+at.Done, failed, perSecond(at.Events, elapsed), rest)
}
