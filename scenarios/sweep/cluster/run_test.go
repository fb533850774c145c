package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep"
)

// text is a scenario whose runs take a millisecond.
const text = `version: 1
name: tiny
params:
  rate: {default: 20/s, doc: x}
  cc:   {default: reno, doc: x}
duration: 3s
hosts: {client: {}, server: {sysctl: {tcp_congestion_control: $cc}}}
links: [{ends: [client, server], delay: 5ms, rate: 10Mbit/s, loss: 1%}]
workloads:
  - {name: web, kind: server, on: server, port: 80, response: 2kB}
  - {name: legit, kind: clients, on: client, to: server:80, arrivals: poisson $rate}
sweep:
  grid: {rate: lin:1/s..40/s:6, cc: [reno, cubic]}
  replications: 4
`

const model = "test"

func newSweep(t *testing.T, r sweep.Request) *sweep.Sweep {
	t.Helper()
	sc, err := spec.Load("tiny.yaml", []byte(text), nil, scenarios.Registry())
	if err != nil {
		t.Fatal(err)
	}
	s, err := sweep.New(sc, r, model)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inProcess is an engine that runs tasks when it is asked about them, one at each
// time, and lets happen to them what act says.
type inProcess struct {
	most int
	// act is what happens to a task of a job; nil is that it runs.
	act func(job, task int) act
	// submitted are the jobs, from 1.
	submitted []*Job
	tasks     map[string][]Task
}

// act is what happens to a task.
type act struct {
	run     bool   // it runs, and reports
	breaks  bool   // it is told to end
	model   string // of the program that the node has
	ends    State
	word    string
	waiting string // a reason for which it waits once before
	state   State
	forget  bool // the engine forgets the whole job
}

func (e *inProcess) Name() string                           { return "test" }
func (e *inProcess) MostTasks(context.Context) (int, error) { return e.most, nil }
func (e *inProcess) Help(_ string, t Task) string {
	if t.State == Held {
		return "release it"
	}
	return ""
}

func (e *inProcess) Submit(_ context.Context, j *Job) (string, error) {
	e.submitted = append(e.submitted, j)
	id := fmt.Sprint(len(e.submitted))
	if e.tasks == nil {
		e.tasks = map[string][]Task{}
	}
	for i := range j.Tasks {
		e.tasks[id] = append(e.tasks[id], Task{Number: i + 1})
	}
	return id, nil
}

func (e *inProcess) Tasks(ctx context.Context, id string) ([]Task, error) {
	var job int
	if _, err := fmt.Sscan(id, &job); err != nil {
		return nil, err
	}
	list := e.tasks[id]
	i := slices.IndexFunc(list, func(t Task) bool { return !t.State.Ended() })
	if i < 0 {
		return slices.Clone(list), nil
	}
	a := act{run: true, ends: Done}
	if e.act != nil {
		a = e.act(job, i+1)
	}
	if a.waiting != "" && list[i].Reason == "" {
		list[i].State, list[i].Reason = a.state, a.waiting
		return slices.Clone(list), nil
	}
	if a.forget {
		return nil, ErrGone
	}
	list[i].State, list[i].Word = a.ends, a.word
	if a.run {
		e.runTask(ctx, e.submitted[job-1].Command[2], i+1, a)
	}
	return slices.Clone(list), nil
}

func (e *inProcess) runTask(ctx context.Context, batchDir string, number int, a act) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if a.breaks {
		cancel()
	}
	m := model
	if a.model != "" {
		m = a.model
	}
	_, _ = sweep.RunTask(ctx, batchDir, number, m, scenarios.Registry(), sweep.Options{Workers: 1})
}

func runOn(t *testing.T, s *sweep.Sweep, dir string, e *inProcess, o Options) (*sweep.Outcome, string, error) {
	t.Helper()
	var notes strings.Builder
	o.Engine, o.Version, o.Go, o.Poll = e, "v", "go", time.Nanosecond
	o.Program = filepath.Join(t.TempDir(), "tcplab")
	if err := os.WriteFile(o.Program, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	o.Note = func(text string) { notes.WriteString(text + "\n") }
	out, _, err := Run(context.Background(), s, dir, o)
	return out, notes.String(), err
}

func results(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	for _, name := range []string{"results.csv", "results.parquet", "summary.csv"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	return out.String()
}

// local is what a sweep on this machine gives.
func local(t *testing.T, r sweep.Request) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := newSweep(t, r).Run(context.Background(), dir, "v", "go", sweep.Options{}); err != nil {
		t.Fatal(err)
	}
	return results(t, dir)
}

// Whatever becomes of tasks, the results are those of a sweep on one machine, and
// what was finished is not run again.
func TestRun(t *testing.T) {
	ran := act{run: true, ends: Done}
	want := local(t, sweep.Request{})
	for name, c := range map[string]struct {
		act  func(job, task int) act
		jobs int
		note string
	}{
		"all well": {nil, 1, "job 1: 12 points in 5 tasks"},
		"a task reaches its time limit": {func(job, task int) act {
			if job == 1 && task == 2 {
				return act{run: true, breaks: true, ends: Failed}
			}
			return ran
		}, 2, "task 2 timed out (it was told to end"},
		"a node is lost": {func(job, task int) act {
			if job == 1 && task == 3 {
				return act{ends: NodeFailed, word: "NODE_FAIL"}
			}
			return ran
		}, 2, "task 3 lost with their node"},
		"a task is held and released": {func(job, task int) act {
			if task == 1 {
				return act{run: true, ends: Done, waiting: "launch failed requeued held", state: Held}
			}
			return ran
		}, 1, "task 1 of job 1 is held (launch failed requeued held): release it"},
		"the engine forgets": {func(job, task int) act {
			return act{run: true, ends: Done, forget: job == 1 && task == 3}
		}, 2, "job 2: "},
		"a node has another tcplab": {func(job, task int) act {
			if job == 1 && task == 4 {
				return act{run: true, ends: Failed, model: "other"}
			}
			return ran
		}, 2, "is of tcplab test and this is tcplab other"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := &inProcess{act: c.act, most: 5}
			out, notes, err := runOn(t, newSweep(t, sweep.Request{}), dir, e, Options{TaskTime: time.Nanosecond})
			if err != nil {
				t.Fatalf("%v\n%s", err, notes)
			}
			if got := results(t, dir); got != want {
				t.Error("the results differ from those of one machine")
			}
			if len(e.submitted) != c.jobs || !strings.Contains(notes, c.note) || out.Ran != 48 || out.Points != 12 {
				t.Errorf("%d jobs, %d points, %d run, notes\n%s", len(e.submitted), out.Points, out.Ran, notes)
			}
			kept, err := sweep.Kept(dir)
			if err != nil || kept != 48 {
				t.Errorf("%d replications in the store, want 48 (%v)", kept, err)
			}
		})
	}
}

// What nobody can make good is an error that says what happened, and the same
// command goes on with what is missing.
func TestRunGivesUp(t *testing.T) {
	want := local(t, sweep.Request{})
	for name, c := range map[string]struct {
		act  func(job, task int) act
		want string
		jobs int
	}{
		"cancelled": {func(job, task int) act {
			return act{run: task == 1, ends: map[bool]State{true: Done, false: Cancelled}[task == 1]}
		}, "4 of 5 tasks were cancelled", 1},
		"nothing starts": {func(job, task int) act { return act{ends: Failed, word: "FAILED"} }, "the last job did nothing for them: task 1 failed (it said nothing", 1},
		"no more comes": {func(job, task int) act {
			return act{run: job == 1 && task == 1, ends: map[bool]State{true: Done, false: NodeFailed}[job == 1 && task == 1]}
		}, "the last job did nothing for them", 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := &inProcess{act: c.act, most: 5}
			_, notes, err := runOn(t, newSweep(t, sweep.Request{}), dir, e, Options{TaskTime: time.Nanosecond})
			if err == nil || !strings.Contains(err.Error(), c.want) || len(e.submitted) != c.jobs {
				t.Fatalf("error %v after %d jobs, want %q after %d\n%s", err, len(e.submitted), c.want, c.jobs, notes)
			}
			if _, err := sweep.ReadManifest(dir); err == nil {
				t.Error("the directory passes for complete")
			}
			before, _ := sweep.Kept(dir)
			out, _, err := runOn(t, newSweep(t, sweep.Request{}), dir, &inProcess{}, Options{})
			if err != nil || out.Found != before || out.Ran != 48-before || results(t, dir) != want {
				t.Errorf("then: %+v, %v; %d were there", out, err, before)
			}
		})
	}
}

// A command that is interrupted leaves its job, and the same command waits for
// that job and submits no second one; a command with other options does not mix.
func TestRunAttaches(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	e := &inProcess{most: 5}
	o := Options{Engine: e, TaskTime: time.Nanosecond, Poll: time.Nanosecond, Progress: func(Progress) { cancel() }}
	o.Program = filepath.Join(t.TempDir(), "tcplab")
	if err := os.WriteFile(o.Program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Run(ctx, newSweep(t, sweep.Request{}), dir, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, _, err := runOn(t, newSweep(t, sweep.Request{Replications: 6}), dir, e, Options{}); err == nil || !strings.Contains(err.Error(), "job 1 still runs") {
		t.Errorf("other options: error %v", err)
	}
	_, notes, err := runOn(t, newSweep(t, sweep.Request{}), dir, e, Options{})
	if err != nil || len(e.submitted) != 1 || !strings.Contains(notes, "job 1 was submitted before") {
		t.Fatalf("%d jobs, error %v, notes\n%s", len(e.submitted), err, notes)
	}
	if results(t, dir) != local(t, sweep.Request{}) {
		t.Error("the results differ")
	}
	more := sweep.Request{Replications: 6}
	if _, notes, err = runOn(t, newSweep(t, more), dir, e, Options{MostTasks: 2}); err != nil || !strings.Contains(notes, "12 points in ") || results(t, dir) != local(t, more) {
		t.Errorf("more replications: %v\n%s", err, notes)
	}
}

// With Detach a job writes the results.
func TestDetach(t *testing.T) {
	dir := t.TempDir()
	e := &inProcess{most: 3}
	program := filepath.Join(t.TempDir(), "tcplab")
	if err := os.WriteFile(program, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := newSweep(t, sweep.Request{})
	_, d, err := Run(context.Background(), s, dir, Options{Engine: e, Program: program, TaskTime: time.Nanosecond, Detach: true})
	if err != nil || d == nil || len(e.submitted) != 2 || e.submitted[1].After != "1" || !slices.Contains(e.submitted[1].Command, "--collect") {
		t.Fatalf("%+v, %v, jobs %+v", d, err, e.submitted)
	}
	batchDir := e.submitted[1].Command[2]
	if _, _, err := Collect(context.Background(), s, batchDir, Options{}); err == nil || !strings.Contains(err.Error(), "give the same command again") {
		t.Errorf("results of nothing: %v", err)
	}
	for range 3 {
		if _, err := e.Tasks(context.Background(), "1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := Collect(context.Background(), s, batchDir, Options{}); err != nil || results(t, dir) != local(t, sweep.Request{}) {
		t.Errorf("error %v", err)
	}
}

// More tasks than points share the replications of a point, but not under a
// stopping rule.
func TestDivide(t *testing.T) {
	r := sweep.Request{Vary: sweep.Vary{Values: []string{"rate=5/s,9/s"}}, Replications: 7}
	dir := t.TempDir()
	e := &inProcess{}
	if _, notes, err := runOn(t, newSweep(t, r), dir, e, Options{TaskTime: time.Nanosecond, MostTasks: 6}); err != nil || e.submitted[0].Tasks != 6 {
		t.Fatalf("%v\n%s", err, notes)
	}
	if results(t, dir) != local(t, r) {
		t.Error("the results differ")
	}
	if kept, _ := sweep.Kept(dir); kept != 14 {
		t.Errorf("%d replications were run, want 14", kept)
	}
	r.Until = &spec.Until{Metric: "legit.connect_success", HalfWidth: 1e-9, Max: 9}
	e = &inProcess{}
	dir = t.TempDir()
	if _, notes, err := runOn(t, newSweep(t, r), dir, e, Options{TaskTime: time.Nanosecond, MostTasks: 6}); err != nil || e.submitted[0].Tasks != 2 || results(t, dir) != local(t, r) {
		t.Errorf("stopping rule: %v\n%s", err, notes)
	}
}
