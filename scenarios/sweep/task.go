package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"tcplab/scenarios/spec"
)

// A cluster runs a sweep in batches. A batch is a directory DIR/cluster/N with a
// plan and a scenario of its own, so that tasks that wait for days run what they
// were submitted for, with the list of its points, and with what its tasks
// report. Their records go to DIR/points as those of any worker do.
const (
	// ClusterDir is the folder of the batches.
	ClusterDir = "cluster"
	batchName  = "batch.json"
)

// Batch is points that tasks run side by side, all in one directory.
type Batch struct {
	// Points are those that are run, from 1 as in the results.
	Points []int `json:"points"`
	// Groups is in how many groups the points are, Parts in how many parts the
	// replications of each are.
	Groups int `json:"groups"`
	Parts  int `json:"parts"`
}

// Tasks is how many tasks there are: one for each part of each group.
func (b *Batch) Tasks() int { return b.Groups * b.Parts }

// share is what task i, from 1 to Tasks, runs.
func (b *Batch) share(i int) *share {
	group, part := (i-1)%b.Groups, (i-1)/b.Groups
	h := &share{part: part, parts: b.Parts}
	for k := group; k < len(b.Points); k += b.Groups {
		h.points = append(h.points, b.Points[k]-1)
	}
	return h
}

// Divide returns a batch of points in at most so many tasks. Replications are
// divided where points are fewer than tasks, but not under a stopping rule, which
// sees them in their order.
func (s *Sweep) Divide(points []int, tasks int) *Batch {
	b := &Batch{Points: points, Groups: max(1, min(tasks, len(points))), Parts: 1}
	if s.Spec.Until == nil {
		b.Parts = max(1, min(tasks/b.Groups, s.Spec.Replications))
	}
	return b
}

// Report is what a task says when it ends.
type Report struct {
	Host string `json:"host"`
	// Ran replications were run. Failures are the points that failed.
	Ran      int       `json:"ran"`
	Failures []Failure `json:"failed,omitempty"`
	// Stopped is true if the task was told to end before it was done.
	Stopped bool `json:"stopped,omitempty"`
	// Error is why it could not go on.
	Error string `json:"error,omitempty"`
}

// Enter takes the directory for this process until release, says in it what it is
// for and makes its store.
func (s *Sweep) Enter(dir string) (release func() error, err error) {
	plan := s.plan()
	if release, err = enter(dir, plan); err != nil {
		return nil, err
	}
	err = s.begin(dir, plan)
	if err == nil {
		var st *store
		if st, err = openStore(dir, true); err == nil {
			st.close()
		}
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return release, nil
}

func (s *Sweep) plan() *Plan {
	return &Plan{Tool: toolName, Kind: planKind, Scenario: s.Scenario.Name, Model: s.Model, Request: s.Request, Files: sumsOf(s.Scenario)}
}

// Missing returns the points, from 1, that are not finished in dir, but not those
// that cannot be built, and how many replications are missing of them at least.
func (s *Sweep) Missing(ctx context.Context, dir string) (points []int, replications int, err error) {
	st, err := openStore(dir, false)
	if err != nil {
		return nil, 0, err
	}
	defer st.close()
	r, err := s.run(ctx, st, Options{}, true)
	if err != nil {
		return nil, 0, err
	}
	for _, i := range r.missing.points {
		points = append(points, i+1)
	}
	slices.Sort(points)
	return points, r.missing.replications, nil
}

// mostSampled is at how many points a sample is taken.
const mostSampled = 8

// Sample runs the first replication of some of the points, from 1, for at most
// limit, and returns how long a replication takes in the mean. One that does not
// keep to the limit counts for twice as much.
func (s *Sweep) Sample(ctx context.Context, points []int, limit time.Duration) (time.Duration, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	n := min(mostSampled, len(points))
	for i := range n {
		p, err := s.prepare(s.Design.Point(points[(2*i+1)*len(points)/(2*n)] - 1))
		if err == nil {
			_, err = p.replicate(limited, 0, func(uint64) {})
		}
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case limited.Err() != nil && i == 0:
			return 2 * limit, nil
		case limited.Err() != nil:
			return time.Since(start) / time.Duration(i), nil
		case err != nil: // which the task that runs the point will report
			continue
		}
	}
	return time.Since(start) / time.Duration(n), nil
}

// Kept is how many replications the store of a directory has, of whatever sweep.
func Kept(dir string) (int, error) {
	st, err := openStore(dir, false)
	if err != nil {
		return 0, err
	}
	defer st.close()
	return len(st.entries), nil
}

// Counter counts the replications in the store of a directory, again and again.
// What it has read of sealed chunks it does not read again.
type Counter struct {
	dir    string
	sealed map[string]int
}

// NewCounter returns a counter for a directory.
func NewCounter(dir string) *Counter {
	return &Counter{filepath.Join(dir, pointsDir), map[string]int{}}
}

// Count returns how many replications there are now.
func (c *Counter) Count() (total int, err error) {
	names, err := os.ReadDir(c.dir)
	if err != nil {
		return 0, explain(err)
	}
	for _, e := range names {
		name := filepath.Join(c.dir, e.Name())
		n, known := c.sealed[name]
		if sealed := strings.HasSuffix(name, sealSuffix); !known && (sealed || strings.HasSuffix(name, openSuffix)) {
			var one store
			if _, err := one.scan(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return 0, err
			}
			if n = len(one.entries); sealed {
				c.sealed[name] = n
			}
		}
		total += n
	}
	return total, nil
}

// AddBatch makes the directory of a batch. The caller has entered dir.
func (s *Sweep) AddBatch(dir string, b *Batch) (batchDir string, err error) {
	for n := len(Batches(dir)) + 1; ; n++ {
		batchDir = filepath.Join(dir, ClusterDir, strconv.Itoa(n))
		if _, err := os.Stat(batchDir); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err := os.MkdirAll(batchDir, 0o755); err != nil {
		return "", explain(err)
	}
	if err := renameio.WriteFile(filepath.Join(batchDir, scenarioName), s.Scenario.Source(), 0o644, renameio.WithTempDir(batchDir)); err != nil {
		return "", explain(err)
	}
	if err := writeJSON(filepath.Join(batchDir, planName), s.plan()); err != nil {
		return "", err
	}
	return batchDir, writeJSON(filepath.Join(batchDir, batchName), b)
}

// Batches returns the directories of the batches of a sweep, in their order.
func Batches(dir string) []string {
	var out []string
	for n := 1; ; n++ {
		batchDir := filepath.Join(dir, ClusterDir, strconv.Itoa(n))
		if _, err := os.Stat(batchDir); err != nil {
			return out
		}
		out = append(out, batchDir)
	}
}

// OpenBatch reads a batch and the sweep that it is of.
func OpenBatch(batchDir string, reg *spec.Registry) (*Sweep, *Batch, error) {
	s, _, err := open(batchDir, ofBatch(batchDir), reg)
	if err != nil {
		return nil, nil, err
	}
	b := new(Batch)
	name := filepath.Join(batchDir, batchName)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(text, b); err != nil || b.Groups < 1 || b.Parts < 1 {
		return nil, nil, fmt.Errorf("%s is not the description of a batch", name)
	}
	return s, b, nil
}

// ofBatch is the directory of the sweep of a batch.
func ofBatch(batchDir string) string { return filepath.Dir(filepath.Dir(filepath.Clean(batchDir))) }

// IsBatchOf reports whether a batch is of the very sweep s: the same scenario,
// options and version.
func (s *Sweep) IsBatchOf(batchDir string) bool {
	have, err := os.ReadFile(filepath.Join(batchDir, planName))
	if err != nil {
		return false
	}
	want, err := jsonText(s.plan())
	source, err2 := os.ReadFile(filepath.Join(batchDir, scenarioName))
	return err == nil && err2 == nil && string(have) == string(want) && string(source) == string(s.Scenario.Source())
}

// RunTask runs task i of a batch, from 1, and leaves its report there. model is
// that of this program. It takes no lock, since all tasks of a batch write to one
// directory, each into chunks of its own.
func RunTask(ctx context.Context, batchDir string, i int, model string, reg *spec.Registry, o Options) (*Report, error) {
	report := &Report{}
	report.Host, _ = os.Hostname()
	err := runTask(ctx, batchDir, i, model, reg, o, report)
	report.Stopped = ctx.Err() != nil
	if err != nil && !report.Stopped {
		report.Error = err.Error()
	}
	return report, errors.Join(err, writeJSON(reportName(batchDir, i), report))
}

func reportName(batchDir string, i int) string {
	return filepath.Join(batchDir, fmt.Sprintf("task-%d.json", i))
}

func runTask(ctx context.Context, batchDir string, i int, model string, reg *spec.Registry, o Options, report *Report) error {
	s, b, err := OpenBatch(batchDir, reg)
	if err != nil {
		return err
	}
	if i < 1 || i > b.Tasks() {
		return fmt.Errorf("%s has no task %d (it has 1 to %d)", batchDir, i, b.Tasks())
	}
	if s.Model != model {
		return fmt.Errorf("%s is of tcplab %s and this is tcplab %s, whose results could differ (let all nodes run the tcplab that submitted it)", batchDir, s.Model, model)
	}
	st, err := openStore(ofBatch(batchDir), false)
	if err != nil {
		return err
	}
	defer st.close()
	st.run = taskPrefix + st.run
	o.share = b.share(i)
	r, err := s.run(ctx, st, o, false)
	report.Ran, report.Failures = r.done, r.failures
	return err
}

// ReadReport reads what a task said when it ended. The error is fs.ErrNotExist if
// it has not ended, or not in peace.
func ReadReport(batchDir string, i int) (*Report, error) {
	text, err := os.ReadFile(reportName(batchDir, i))
	if err != nil {
		return nil, err
	}
	r := new(Report)
	return r, json.Unmarshal(text, r)
}

// Collect writes the results of a sweep that tasks have run, none of which runs
// any more since start. failed are the points that failed, missing says what to
// do if others are not finished. The caller has entered dir.
func (s *Sweep) Collect(ctx context.Context, dir string, failed []Failure, missing, version, goVersion string, start time.Time, o Options) (*Outcome, error) {
	st, err := openStore(dir, true)
	if err != nil {
		return nil, err
	}
	defer st.close()
	known := map[int]Failure{}
	for _, f := range failed {
		known[f.Point] = f
	}
	out, err := s.conclude(ctx, dir, s.plan(), st, known, missing, o.Progress)
	if err != nil {
		return out, err
	}
	m := &out.Manifest
	m.Version, m.Go, m.WallSeconds = version, goVersion, time.Since(start).Seconds()
	return out, writeJSON(filepath.Join(dir, manifestName), m)
}
