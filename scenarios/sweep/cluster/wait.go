package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tcplab/scenarios/sweep"
)

// How often the engine is asked, and for how long it may give no answer.
const (
	firstPoll = 2 * time.Second
	lastPoll  = 30 * time.Second
	patience  = 10 * time.Minute
	// visible is how long the files of another machine may take to be seen.
	visible = time.Minute
)

// ending is how the tasks of a batch ended.
type ending struct {
	kept  int // replications before
	tasks []Task
	// why says of a task that did not end well what is known.
	why map[int]string
}

// stops reports why nothing more is to be submitted although points are missing.
func (e *ending) stops(kept, points int) error {
	if e == nil {
		return nil
	}
	if n := e.count(Cancelled); n > 0 {
		return fmt.Errorf("%d of %d tasks were cancelled, %d points are not finished (%s to go on)", n, len(e.tasks), points, again)
	}
	if kept == e.kept {
		return fmt.Errorf("%d points are not finished, and the last job did nothing for them: %s", points, strings.TrimSuffix(e.text(), "; "))
	}
	return nil
}

func (e *ending) count(s State) (n int) {
	for _, t := range e.tasks {
		if t.State == s {
			n++
		}
	}
	return n
}

// text tells of the first tasks of each sort that did not end well.
func (e *ending) text() string {
	var out strings.Builder
	said := map[State]bool{}
	for _, t := range e.tasks {
		if why := e.why[t.Number]; why != "" && !said[t.State] {
			said[t.State] = true
			fmt.Fprintf(&out, "task %d %s (%s); ", t.Number, t.State, why)
		}
	}
	return out.String()
}

// wait waits until all tasks of a batch have ended.
func (r *run) wait(ctx context.Context, batchDir string, j *submission, kept, replications int) (*ending, error) {
	w := &watch{run: r, counter: sweep.NewCounter(r.dir), batchDir: batchDir, job: j, kept: kept, total: kept + replications, start: time.Now(), answered: time.Now()}
	poll := firstPoll
	for {
		over, err := w.look(ctx)
		if err != nil {
			return nil, err
		}
		if over {
			break
		}
		if r.Poll > 0 {
			poll = r.Poll
		}
		select {
		case <-ctx.Done():
		case <-time.After(poll):
		}
		if ctx.Err() != nil {
			r.Note(fmt.Sprintf("job %s goes on: the same command waits for it again", j.Job))
			return nil, ctx.Err()
		}
		poll = min(lastPoll, poll*5/4)
	}
	return w.end(ctx)
}

// watch looks at the tasks of a batch.
type watch struct {
	run             *run
	batchDir        string
	job             *submission
	counter         *sweep.Counter
	kept, total     int
	start, answered time.Time
	tasks           []Task // by number, as last seen
}

// look asks the engine and tells how far the tasks are.
func (w *watch) look(ctx context.Context) (over bool, err error) {
	now, err := w.run.Engine.Tasks(ctx, w.job.Job)
	switch {
	case errors.Is(err, ErrGone):
	case err != nil && ctx.Err() == nil && time.Since(w.answered) < patience:
		w.run.tellOnce("no answer: "+err.Error(), "%s does not answer (%v): asking again", w.run.Engine.Name(), err)
		return false, nil
	case err != nil:
		return false, err
	}
	w.answered = time.Now()
	w.merge(now)
	p := Progress{Total: w.total, Tasks: map[State]int{}, Left: -1}
	for _, t := range w.tasks {
		p.Tasks[t.State]++
		if t.State == Waiting && p.Reason == "" && t.Reason != "None" {
			p.Reason = t.Reason
		}
		if help := w.run.Engine.Help(w.job.Job, t); help != "" && !t.State.Ended() {
			w.run.tellOnce(fmt.Sprint(w.job.Job, t.State, t.Reason), "task %d of job %s is %s (%s): %s", t.Number, w.job.Job, t.State, t.Reason, help)
		}
	}
	if p.Done, err = w.counter.Count(); err != nil {
		return false, err
	}
	if ran := p.Done - w.kept; ran > 0 {
		p.Left = time.Duration(float64(time.Since(w.start)) * float64(max(0, p.Total-p.Done)) / float64(ran))
	}
	if w.run.Progress != nil {
		w.run.Progress(p)
	}
	return !slices.ContainsFunc(w.tasks, func(t Task) bool { return !t.State.Ended() }), nil
}

// merge takes over what the engine says now. A task that it does not list any
// more has ended.
func (w *watch) merge(now []Task) {
	if w.tasks == nil {
		for i := range w.job.Tasks {
			w.tasks = append(w.tasks, Task{Number: i + 1, State: Gone})
		}
	}
	listed := map[int]bool{}
	for _, t := range now {
		if t.Number >= 1 && t.Number <= len(w.tasks) {
			w.tasks[t.Number-1], listed[t.Number] = t, true
		}
	}
	for i := range w.tasks {
		if t := &w.tasks[i]; !listed[t.Number] && !t.State.Ended() {
			t.State = Gone
		}
	}
}

// end reads what the tasks report.
func (w *watch) end(ctx context.Context) (*ending, error) {
	e := &ending{kept: w.kept, tasks: w.tasks, why: map[int]string{}}
	until := time.Now().Add(visible)
	for i, t := range w.tasks {
		report, err := sweep.ReadReport(w.batchDir, t.Number)
		for t.State == Done && errors.Is(err, fs.ErrNotExist) && time.Now().Before(until) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Second):
			}
			report, err = sweep.ReadReport(w.batchDir, t.Number)
		}
		why := w.run.Engine.Help(w.job.Job, t)
		switch {
		case err == nil:
			w.run.failed = append(w.run.failed, report.Failures...)
			if report.Stopped {
				why = "it was told to end on " + report.Host + " and kept what it had finished"
				if e.tasks[i].State == Failed || e.tasks[i].State == Gone {
					e.tasks[i].State = TimedOut
				}
			} else if report.Error != "" {
				why = report.Host + ": " + report.Error
			} else {
				why = ""
			}
		case why == "":
			why = lastLine(strings.ReplaceAll(filepath.Join(w.batchDir, "task-%a.log"), "%a", fmt.Sprint(t.Number)))
		}
		e.why[t.Number] = why
	}
	return e, nil
}

// lastLine is what a task said last, or where that would be.
func lastLine(name string) string {
	text, err := os.ReadFile(name)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; err == nil && last != "" {
		return fmt.Sprintf("%s: %s", name, last)
	}
	return "it said nothing in " + name
}

// tellOnce notes what has not been noted before.
func (r *run) tellOnce(key, format string, args ...any) {
	if !r.told[key] {
		r.told[key] = true
		r.Note(fmt.Sprintf(format, args...))
	}
}
