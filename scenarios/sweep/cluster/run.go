package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"tcplab/scenarios/sweep"
)

// Options say how a sweep is run on a cluster. They do not change its results.
type Options struct {
	Engine Engine
	// Program is the tcplab that tasks run, Version and Go what it was built from
	// and with.
	Program, Version, Go string
	// CPUs of each task; 0 is 1.
	CPUs int
	// TaskTime is how long a task should take; 0 is DefaultTaskTime.
	TaskTime time.Duration
	// MostTasks bounds the tasks of a job; 0 leaves it to the engine.
	MostTasks int
	// Detach leaves the waiting, and the writing of the results, to a job.
	Detach bool
	// Poll is how often the engine is asked; 0 is as often as does no harm.
	Poll time.Duration
	// Progress is told how far the sweep is, Note what the user should know.
	Progress func(Progress)
	Note     func(text string)
	// Collecting is told of the writing of the results.
	Collecting func(sweep.Progress)
}

// DefaultTaskTime is how long a task should take: long enough for what a batch
// system needs to start it not to count, short enough to find its place.
const DefaultTaskTime = 15 * time.Minute

// trial bounds the replications that are run to find out how long one takes.
const trial = 10 * time.Second

// Progress is how far the tasks of a sweep are.
type Progress struct {
	// Done replications are there, of Total at least.
	Done, Total int
	// Tasks are how many of the tasks are in each state.
	Tasks map[State]int
	// Reason is why those that wait do so, if the engine says.
	Reason string
	Left   time.Duration // -1 if nothing is known
}

// Detached is returned by Run if the results are left to a job.
type Detached struct {
	Job, Collect string
	Tasks        int
}

// Run runs what is missing of a sweep as jobs of the engine, in dir, and writes
// the results there. Jobs that an earlier Run has left are waited for first. If
// ctx ends, the jobs go on.
func Run(ctx context.Context, s *sweep.Sweep, dir string, o Options) (out *sweep.Outcome, detached *Detached, err error) {
	start := time.Now()
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	release, err := s.Enter(dir)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	r := &run{Options: o, sweep: s, dir: dir, told: map[string]bool{}}
	if r.Note == nil {
		r.Note = func(string) {}
	}
	detached, err = r.rounds(ctx)
	if err != nil || detached != nil {
		return nil, detached, err
	}
	out, err = s.Collect(ctx, dir, r.failed, again, o.Version, o.Go, start, sweep.Options{Progress: o.Collecting})
	if out != nil {
		out.Ran = r.ran
		out.Found -= r.ran
	}
	return out, nil, err
}

const again = "give the same command again"

type run struct {
	Options
	sweep  *sweep.Sweep
	dir    string
	failed []sweep.Failure
	ran    int
	told   map[string]bool
}

// rounds submits batches until nothing is missing.
func (r *run) rounds(ctx context.Context) (*Detached, error) {
	before, err := sweep.Kept(r.dir)
	if err != nil {
		return nil, err
	}
	if err := r.attach(ctx); err != nil {
		return nil, err
	}
	var ends *ending
	for {
		points, replications, err := r.missing(ctx)
		if err != nil {
			return nil, err
		}
		kept, err := sweep.Kept(r.dir)
		if err != nil {
			return nil, err
		}
		r.ran = kept - before
		if len(points) == 0 {
			return nil, nil
		}
		if err := ends.stops(kept, len(points)); err != nil {
			return nil, err
		}
		if ends != nil {
			r.Note(fmt.Sprintf("%s%d points are not finished and are submitted again", ends.text(), len(points)))
		}
		batchDir, job, err := r.submit(ctx, points, replications)
		if err != nil {
			return nil, err
		}
		if r.Detach {
			return r.detach(ctx, batchDir, job)
		}
		if ends, err = r.wait(ctx, batchDir, job, kept, replications); err != nil {
			return nil, err
		}
	}
}

// missing are the points that have neither been finished nor failed.
func (r *run) missing(ctx context.Context) (points []int, replications int, err error) {
	points, replications, err = r.sweep.Missing(ctx, r.dir)
	failed := map[int]bool{}
	for _, f := range r.failed {
		failed[f.Point] = true
	}
	return slices.DeleteFunc(points, func(p int) bool { return failed[p] }), replications, err
}

// submission is job.json of a batch.
type submission struct {
	Engine string `json:"engine"`
	Job    string `json:"job"`
	Tasks  int    `json:"tasks"`
	// Submitted is when.
	Submitted time.Time `json:"submitted"`
	// Collect is the job that writes the results, if there is one.
	Collect string `json:"collect,omitempty"`
}

const jobName = "job.json"

func writeSubmission(batchDir string, j *submission) error {
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(batchDir, jobName), append(text, '\n'), 0o644, renameio.WithTempDir(batchDir))
}

func readSubmission(batchDir string) (*submission, error) {
	text, err := os.ReadFile(filepath.Join(batchDir, jobName))
	if err != nil {
		return nil, err
	}
	j := new(submission)
	return j, json.Unmarshal(text, j)
}

// attach waits for the tasks that an earlier run has submitted, if any are left.
func (r *run) attach(ctx context.Context) error {
	for _, batchDir := range sweep.Batches(r.dir) {
		j, err := readSubmission(batchDir)
		if err != nil || j.Engine != r.Engine.Name() {
			continue
		}
		tasks, err := r.Engine.Tasks(ctx, j.Job)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(tasks, func(t Task) bool { return !t.State.Ended() }) {
			continue
		}
		if !r.sweep.IsBatchOf(batchDir) {
			return fmt.Errorf("job %s still runs tasks of a command with other options in %s (wait for it, or end it)", j.Job, r.dir)
		}
		if r.Detach {
			return fmt.Errorf("job %s, which was submitted before, still runs (tcplab sweep %s --status shows how far it is)", j.Job, r.dir)
		}
		r.Note(fmt.Sprintf("job %s was submitted before: waiting for it", j.Job))
		kept, err := sweep.Kept(r.dir)
		if err != nil {
			return err
		}
		_, replications, err := r.sweep.Missing(ctx, r.dir)
		if err != nil {
			return err
		}
		if _, err := r.wait(ctx, batchDir, j, kept, replications); err != nil {
			return err
		}
	}
	return nil
}

// submit makes a batch of the points and submits it.
func (r *run) submit(ctx context.Context, points []int, replications int) (batchDir string, j *submission, err error) {
	tasks, each, err := r.plan(ctx, points, replications)
	if err != nil {
		return "", nil, err
	}
	program, err := keepProgram(r.dir, r.Program)
	if err != nil {
		return "", nil, err
	}
	b := r.sweep.Divide(points, tasks)
	each = time.Duration(float64(each) * float64(tasks) / float64(b.Tasks()))
	if batchDir, err = r.sweep.AddBatch(r.dir, b); err != nil {
		return "", nil, err
	}
	id, err := r.Engine.Submit(ctx, &Job{
		Name: "tcplab-" + r.sweep.Scenario.Name, Command: []string{program, "task", batchDir}, Tasks: b.Tasks(), CPUs: r.cpus(),
		Time: timeLimit(each), Log: filepath.Join(batchDir, "task-%a.log"),
	})
	if err != nil {
		return "", nil, err
	}
	j = &submission{Engine: r.Engine.Name(), Job: id, Tasks: b.Tasks(), Submitted: time.Now()}
	if err := writeSubmission(batchDir, j); err != nil {
		return "", nil, fmt.Errorf("job %s was submitted, but %w", id, err)
	}
	r.Note(fmt.Sprintf("job %s: %d points in %d tasks of about %v", id, len(points), b.Tasks(), max(each, time.Second).Round(time.Second)))
	return batchDir, j, nil
}

func (r *run) cpus() int { return max(1, r.CPUs) }

// timeLimit leaves room for an estimate that is wrong by some factor.
func timeLimit(each time.Duration) time.Duration { return 3*each + 10*time.Minute }

// plan says how many tasks there are and how long one takes.
func (r *run) plan(ctx context.Context, points []int, replications int) (tasks int, each time.Duration, err error) {
	most, err := r.Engine.MostTasks(ctx)
	if err != nil {
		return 0, 0, err
	}
	if r.MostTasks > 0 && (most == 0 || r.MostTasks < most) {
		most = r.MostTasks
	}
	one, err := r.sweep.Sample(ctx, points, trial)
	if err != nil {
		return 0, 0, err
	}
	all := one.Seconds() * float64(replications) / float64(r.cpus())
	want := cmp.Or(r.TaskTime, DefaultTaskTime).Seconds()
	tasks = int(math.Ceil(all / want))
	if most > 0 {
		tasks = min(tasks, most)
	}
	tasks = max(1, min(tasks, replications))
	return tasks, time.Duration(all / float64(tasks) * float64(time.Second)), nil
}

// detach leaves the results to a job that starts when all tasks have ended.
func (r *run) detach(ctx context.Context, batchDir string, j *submission) (*Detached, error) {
	program, err := keepProgram(r.dir, r.Program)
	if err != nil {
		return nil, err
	}
	j.Collect, err = r.Engine.Submit(ctx, &Job{Name: "tcplab-" + r.sweep.Scenario.Name + "-results",
		Command: []string{program, "task", batchDir, "--collect"}, CPUs: 1, Time: time.Hour, Log: filepath.Join(batchDir, "collect.log"), After: j.Job})
	if err != nil {
		return nil, fmt.Errorf("job %s runs, but the job that writes the results could not be submitted: %w", j.Job, err)
	}
	return &Detached{Job: j.Job, Collect: j.Collect, Tasks: j.Tasks}, writeSubmission(batchDir, j)
}

// Collect writes the results of a batch whose tasks have ended: what the job does
// that Run with Detach submits.
func Collect(ctx context.Context, s *sweep.Sweep, batchDir string, o Options) (out *sweep.Outcome, dir string, err error) {
	dir = filepath.Dir(filepath.Dir(filepath.Clean(batchDir)))
	j, err := readSubmission(batchDir)
	if err != nil {
		return nil, dir, err
	}
	release, err := s.Enter(dir)
	if err != nil {
		return nil, dir, err
	}
	defer func() { err = errors.Join(err, release()) }()
	var failed []sweep.Failure
	for i := 1; i <= j.Tasks; i++ {
		if report, err := sweep.ReadReport(batchDir, i); err == nil {
			failed = append(failed, report.Failures...)
		}
	}
	out, err = s.Collect(ctx, dir, failed, again, o.Version, o.Go, j.Submitted, sweep.Options{Progress: o.Collecting})
	return out, dir, err
}
