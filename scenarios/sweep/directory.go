package sweep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

const (
	toolName = "tcplab"
	planKind = "sweep"
)

// Plan is plan.json: what a directory was made for. It is there from the start,
// when the manifest is not.
type Plan struct {
	Tool     string `json:"tool"`
	Kind     string `json:"kind"`
	Scenario string `json:"scenario"`
	// Model is that of Sweep.
	Model   string  `json:"model"`
	Request Request `json:"request"`
	// Files are what the scenario reads; the directory has copies of them.
	Files fileSums `json:"files,omitempty"`
	// Shard and Shards are 0 for a sweep that is in one piece.
	Shard  int `json:"shard,omitempty"`
	Shards int `json:"shards,omitempty"`
}

// Manifest is manifest.json of a sweep that is finished. Only here are figures
// that differ between two runs of the same sweep.
type Manifest struct {
	Tool    string `json:"tool"`
	Kind    string `json:"kind"`
	Version string `json:"version"`
	Go      string `json:"go"`
	// Model is that of Sweep.
	Model    string `json:"model"`
	Scenario string `json:"scenario"`
	Title    string `json:"title"`
	// SHA256 is that of scenario.yaml.
	SHA256     string               `json:"scenario_sha256"`
	Parameters scenarios.Parameters `json:"parameters"`
	Seed       uint64               `json:"seed"`
	Points     int                  `json:"points"`
	// Replications, Events and Packets are sums over the points.
	Replications uint64  `json:"replications"`
	Events       uint64  `json:"events"`
	Packets      uint64  `json:"packets"`
	WallSeconds  float64 `json:"wall_seconds"`
	Shard        int     `json:"shard,omitempty"`
	Shards       int     `json:"shards,omitempty"`

	Columns []Column  `json:"columns"`
	Failed  []Failure `json:"failed"`
}

// Outcome is what came of a sweep.
type Outcome struct {
	Manifest Manifest
	// Points are finished. Found replications were there before, Ran were run.
	Points, Found, Ran int
	// Failures are the points that are not among the results, in order.
	Failures []Failure
	// Damaged says of chunks of the store that they were not whole.
	Damaged []string
}

// Run runs what is missing of the sweep in dir and writes its results there.
// version is that of the program. If ctx ends it, or the disk is full, what is
// finished stays, and the outcome says how much that is beside the error.
func (s *Sweep) Run(ctx context.Context, dir, version, goVersion string, o Options) (*Outcome, error) {
	start := time.Now()
	if o.Shards < 0 || o.Shards > 0 && (o.Shard < 1 || o.Shard > o.Shards) {
		return nil, fmt.Errorf("there is no shard %d of %d (write 1/%d to %d/%d)", o.Shard, o.Shards, max(1, o.Shards), max(1, o.Shards), max(1, o.Shards))
	}
	plan := s.plan()
	plan.Shard, plan.Shards = o.Shard, o.Shards
	release, err := enter(dir, plan)
	if err != nil {
		return nil, err
	}
	out, err := s.runIn(ctx, dir, plan, o)
	if err == nil {
		m := &out.Manifest
		m.Version, m.Go, m.WallSeconds = version, goVersion, time.Since(start).Seconds()
		err = writeJSON(filepath.Join(dir, manifestName), m)
	}
	return out, errors.Join(err, release())
}

func (s *Sweep) runIn(ctx context.Context, dir string, plan *Plan, o Options) (*Outcome, error) {
	if err := s.begin(dir, plan); err != nil {
		return nil, err
	}
	st, err := openStore(dir, true)
	if err != nil {
		return nil, err
	}
	defer st.close()
	r, err := s.run(ctx, st, o, false)
	out := &Outcome{Points: r.points, Found: r.found, Ran: r.done, Failures: r.failures, Damaged: st.damaged}
	slices.SortFunc(out.Failures, func(a, b Failure) int { return a.Point - b.Point })
	if err != nil {
		return out, err
	}
	return out, s.finish(dir, plan, st, r.keys, out, o.Progress)
}

// begin writes what the directory is for, and takes back that it is complete.
// What a killed process had not given its name yet is removed.
func (s *Sweep) begin(dir string, plan *Plan) error {
	left := []string{filepath.Join(dir, manifestName)}
	for _, name := range []string{resultsName, parquetName, summaryName, differencesName, manifestName, planName, scenarioName} {
		unnamed, err := filepath.Glob(filepath.Join(dir, "."+name+"[0-9]*"))
		if err != nil {
			return err
		}
		left = append(left, unnamed...)
	}
	if s.Spec.Compare == nil {
		left = append(left, filepath.Join(dir, differencesName))
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain(err)
		}
	}
	if err := keepFiles(dir, s.Scenario); err != nil {
		return explain(err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, scenarioName), s.Scenario.Source(), 0o644, renameio.WithTempDir(dir)); err != nil {
		return explain(err)
	}
	return writeJSON(filepath.Join(dir, planName), plan)
}

// finish writes the results of what is in the store. A shard has none of its
// own.
func (s *Sweep) finish(dir string, plan *Plan, st *store, keys []Key, out *Outcome, progress func(Progress)) error {
	m := &out.Manifest
	sum := sha256.Sum256(s.Scenario.Source())
	*m = Manifest{Tool: toolName, Kind: planKind, Model: s.Model, Scenario: s.Scenario.Name, Title: s.Scenario.Title,
		SHA256: hex.EncodeToString(sum[:]), Parameters: scenarios.Parameters{}, Seed: s.Scenario.Seed, Points: out.Points,
		Shard: plan.Shard, Shards: plan.Shards, Columns: []Column{}, Failed: append([]Failure{}, out.Failures...)}
	for _, p := range s.Scenario.Params {
		if !slices.Contains(s.Design.Params, p.Name) {
			m.Parameters = append(m.Parameters, scenarios.Parameter{Name: p.Name, Value: p.Value})
		}
	}
	if plan.Shards > 1 {
		return nil
	}
	if err := st.load(false); err != nil {
		return err
	}
	r := &results{sweep: s, store: st, keys: keys, failed: map[int]bool{}, progress: progress}
	for _, f := range out.Failures {
		r.failed[f.Point-1] = true
	}
	columns, err := r.write(dir)
	if err != nil {
		return explain(err)
	}
	m.Columns, m.Replications, m.Events, m.Packets = columns, r.replications, r.events, r.packets
	return nil
}

// enter makes the directory if it is missing, looks whether it is one of sweeps
// of this scenario, and keeps others out of it until release.
func enter(dir string, plan *Plan) (release func() error, err error) {
	if err := checkDir(dir, plan); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, explain(err)
	}
	lock, err := scenarios.LockDir(dir)
	if err != nil {
		return nil, err
	}
	return lock.Release, nil
}

func checkDir(dir string, plan *Plan) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	have, err := readPlan(dir)
	switch {
	case err == nil && have.Scenario != plan.Scenario:
		return fmt.Errorf("%s holds a sweep of %s, not of %s (choose another --out): %w", dir, have.Scenario, plan.Scenario, scenarios.ErrForeign)
	case err == nil && (have.Shard != plan.Shard || have.Shards != plan.Shards):
		return fmt.Errorf("%s holds shard %d/%d of the sweep and not %d/%d (choose another --out): %w", dir, have.Shard, have.Shards, plan.Shard, plan.Shards, scenarios.ErrForeign)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for _, e := range entries {
		if e.Name() == manifestName {
			return fmt.Errorf("%s holds the results of a run, which a sweep does not replace (choose another directory, such as --out %s-sweep): %w", dir, dir, scenarios.ErrForeign)
		}
	}
	for _, e := range entries {
		if name := e.Name(); name != ".tcplab-lock" && name != scenarioName && name != pointsDir && name != filesDir && !strings.HasPrefix(name, "."+scenarioName) && !strings.HasPrefix(name, "."+planName) {
			return fmt.Errorf("%s holds %s and no sweep, so that nothing is put there (choose another --out): %w", dir, name, scenarios.ErrForeign)
		}
	}
	return nil
}

// readPlan reads the plan of a directory; the error is fs.ErrNotExist if it has
// none.
func readPlan(dir string) (*Plan, error) {
	name := filepath.Join(dir, planName)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p := new(Plan)
	if err := json.Unmarshal(text, p); err != nil || p.Tool != toolName || p.Kind != planKind {
		return nil, fmt.Errorf("%s is not the plan of a sweep: %w", name, scenarios.ErrForeign)
	}
	return p, nil
}

func writeJSON(name string, value any) error {
	text, err := jsonText(value)
	if err != nil {
		return err
	}
	return explain(renameio.WriteFile(name, text, 0o644, renameio.WithTempDir(filepath.Dir(name))))
}

func jsonText(value any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(value)
	return text.Bytes(), err
}

// Open reads the sweep that a directory was made for, finished or not.
func Open(dir string, reg *spec.Registry) (*Sweep, *Plan, error) { return open(dir, dir, reg) }

// open reads a plan and its scenario; home has the copies of the files.
func open(dir, home string, reg *spec.Registry) (*Sweep, *Plan, error) {
	plan, err := readPlan(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s holds no sweep (it has no %s): %w", dir, planName, scenarios.ErrForeign)
	}
	if err != nil {
		return nil, nil, err
	}
	own := *reg
	own.ReadFile = plan.Files.reader(home)
	sc, err := spec.LoadFile(filepath.Join(dir, scenarioName), plan.Request.Set, &own)
	if err != nil {
		return nil, nil, err
	}
	s, err := New(sc, plan.Request, plan.Model)
	return s, plan, err
}

// IsSweep reports whether a directory is one of a sweep.
func IsSweep(dir string) bool {
	_, err := readPlan(dir)
	return err == nil
}

// ReadManifest reads the manifest of a finished sweep.
func ReadManifest(dir string) (*Manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the sweep in %s is not finished (tcplab sweep goes on with it)", dir)
	}
	if err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil || m.Tool != toolName || m.Kind != planKind {
		return nil, fmt.Errorf("%s is not the manifest of a sweep: %w", filepath.Join(dir, manifestName), scenarios.ErrForeign)
	}
	return m, nil
}
