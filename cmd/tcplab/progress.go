package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"tcplab/des"
	"tcplab/scenarios"
)

// How often the progress is drawn on a terminal, and told elsewhere.
const (
	drawEvery = 100 * time.Millisecond
	tellEvery = 5 * time.Second
)

// progress shows how far a run is: a line that is drawn again and again on a
// terminal, a line now and then elsewhere, if the run is long.
type progress struct {
	out      io.Writer
	name     string
	terminal bool
	start    time.Time
	next     time.Time
	drawn    bool
	now      func() time.Time
}

func (a *app) newProgress(name string, quiet bool) *progress {
	p := &progress{out: a.stderr, name: name, terminal: isTerminal(a.stderr), now: time.Now}
	if quiet {
		p.out = io.Discard
	}
	p.start = p.now()
	p.next = p.start.Add(p.every())
	return p
}

func (p *progress) every() time.Duration {
	if p.terminal {
		return drawEvery
	}
	return tellEvery
}

func (p *progress) update(at scenarios.Progress) {
	p.redraw(func(elapsed time.Duration) string { return progressLine(p.name, at, elapsed, p.terminal) })
}

// redraw shows the line that text returns, if it is time for one again.
func (p *progress) redraw(text func(elapsed time.Duration) string) {
	now := p.now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(p.every())
	line := text(now.Sub(p.start))
	if p.terminal {
		p.drawn = true
		_, _ = fmt.Fprintf(p.out, "\r%s\x1b[K", line)
		return
	}
	_, _ = fmt.Fprintln(p.out, line)
}

// finish wipes the line off the terminal.
func (p *progress) finish() {
	if p.drawn {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// progressLine is at most 80 characters wide.
func progressLine(name string, at scenarios.Progress, elapsed time.Duration, bar bool) string {
	const width = 16
	done := float64(at.Simulated) / float64(max(1, at.Total))
	if r := []rune(name); len(r) > 16 {
		name = string(r[:15]) + "…"
	}
	rest := "?"
	if done > 0 {
		rest = roughly(time.Duration(float64(elapsed) * (1 - done) / done))
	}
	total := fmt.Sprintf("%.4gs", at.Total.Seconds())
	if at.Total >= des.Hour {
		total = roughly(time.Duration(at.Total))
	}
	drawing := ""
	if bar {
		full := int(done * width)
		drawing = "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] "
	}
	return fmt.Sprintf("%s %s%.0f%% of %s, %s events/s, %s left", name, drawing, math.Floor(100*done),
		total, perSecond(at.Events, elapsed), rest)
}

// roughly writes a duration with two or three digits.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}

// perSecond writes n in a time as a rate.
func perSecond(n uint64, in time.Duration) string {
	if in <= 0 {
		return "-"
	}
	return prefixed(float64(n) / in.Seconds())
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
