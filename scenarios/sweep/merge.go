package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// Status is how far the sweep of a directory is.
type Status struct {
	Plan *Plan
	// Points are finished, of Total. Replications are there.
	Points, Total, Replications int
	// MissingReplications is how many are missing at least.
	MissingReplications int
	// Complete is true if the results have been written.
	Complete bool
	// Running is true if somebody has the directory.
	Running bool
	Failed  []Failure
	Damaged []string
}

// Look finds out how far the sweep of a directory is, whether it runs or not. It
// changes nothing.
func Look(ctx context.Context, dir string, reg *spec.Registry) (*Status, error) {
	s, plan, err := Open(dir, reg)
	if err != nil {
		return nil, err
	}
	st, err := openStore(dir, false)
	if err != nil {
		return nil, err
	}
	defer st.close()
	r, err := s.run(ctx, st, Options{Shard: plan.Shard, Shards: plan.Shards}, true)
	if err != nil {
		return nil, err
	}
	out := &Status{Plan: plan, Points: r.points, Total: r.total, Replications: r.found,
		MissingReplications: r.missing.replications, Damaged: st.damaged}
	if m, err := ReadManifest(dir); err == nil {
		out.Complete, out.Failed = true, m.Failed
	}
	lock, err := scenarios.LockDir(dir)
	if err != nil {
		out.Running = true
		return out, nil
	}
	return out, lock.Release()
}

// Merge puts the shards of a sweep together into dir and writes the results
// there. The shards stay as they are.
func Merge(ctx context.Context, dir string, shards []string, version, goVersion string, reg *spec.Registry) (*Outcome, error) {
	start := time.Now()
	s, err := openShards(shards, reg)
	if err != nil {
		return nil, err
	}
	plan := s.plan()
	release, err := enter(dir, plan)
	if err != nil {
		return nil, err
	}
	out, err := s.merge(ctx, dir, plan, shards)
	if err == nil {
		m := &out.Manifest
		m.Version, m.Go, m.WallSeconds = version, goVersion, time.Since(start).Seconds()
		err = writeJSON(filepath.Join(dir, manifestName), m)
	}
	return out, errors.Join(err, release())
}

// openShards reads the sweep of which directories have shards.
func openShards(shards []string, reg *spec.Registry) (*Sweep, error) {
	var first *Sweep
	var request []byte
	for _, dir := range shards {
		s, _, err := Open(dir, reg)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(s.Request)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first, request = s, text
			continue
		}
		if s.Model != first.Model || string(text) != string(request) || string(s.Scenario.Source()) != string(first.Scenario.Source()) ||
			!maps.Equal(sumsOf(s.Scenario), sumsOf(first.Scenario)) {
			return nil, fmt.Errorf("%s and %s are not of one sweep: the scenario, a file that it reads, the options or the version differ (run the shards with one command and one tcplab): %w",
				shards[0], dir, scenarios.ErrForeign)
		}
	}
	return first, nil
}

func (s *Sweep) merge(ctx context.Context, dir string, plan *Plan, shards []string) (*Outcome, error) {
	if err := s.begin(dir, plan); err != nil {
		return nil, err
	}
	st, err := openStore(dir, true)
	if err != nil {
		return nil, err
	}
	defer func() { st.close() }()
	failed := map[int]Failure{}
	for _, shard := range shards {
		if same(dir, shard) {
			continue
		}
		if err := copyChunks(filepath.Join(dir, pointsDir), filepath.Join(shard, pointsDir)); err != nil {
			return nil, explain(err)
		}
		if m, err := ReadManifest(shard); err == nil {
			for _, f := range m.Failed {
				failed[f.Point] = f
			}
		}
	}
	if err := st.load(true); err != nil {
		return nil, err
	}
	return s.conclude(ctx, dir, plan, st, failed, "run the shards that are missing, then merge again", nil)
}

// conclude writes the results of what is in the store, if nothing is missing but
// points that failed, which are given by their number. missing says what to do
// otherwise.
func (s *Sweep) conclude(ctx context.Context, dir string, plan *Plan, st *store, failed map[int]Failure, missing string, progress func(Progress)) (*Outcome, error) {
	r, err := s.run(ctx, st, Options{}, true)
	if err != nil {
		return nil, err
	}
	failures := slices.Clone(r.failures) // those that cannot be built
	var left []int
	for _, i := range r.missing.points {
		if f, known := failed[i+1]; known {
			failures = append(failures, f)
		} else {
			left = append(left, i)
		}
	}
	slices.SortFunc(failures, func(a, b Failure) int { return a.Point - b.Point })
	out := &Outcome{Points: r.points, Found: r.found, Failures: failures, Damaged: st.damaged}
	if len(left) > 0 {
		return out, fmt.Errorf("%d of %d points are not finished, %d replications are missing, the first at point %d (%s)",
			len(left), r.total, r.missing.replications, slices.Min(left)+1, missing)
	}
	return out, s.finish(dir, plan, st, r.keys, out, progress)
}

func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// copyChunks copies the chunks of a store, with links where it can. An open
// chunk, of a shard that was killed or still runs, gets a name of its own, since
// there may be more of it another time.
func copyChunks(to, from string) error {
	names, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range names {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		switch {
		case strings.HasSuffix(target, sealSuffix):
			if _, err := os.Stat(target); err == nil || os.Link(source, target) == nil {
				continue
			}
		case strings.HasSuffix(target, openSuffix):
			target = filepath.Join(to, "part-"+e.Name())
		default:
			continue
		}
		if err := copyFile(target, source); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a chunk. Under its own name it would be taken for whole, so it
// is called open until it is.
func copyFile(target, source string) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	name := strings.TrimSuffix(strings.TrimSuffix(target, sealSuffix), openSuffix) + openSuffix
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	if strings.HasSuffix(target, sealSuffix) {
		return os.Rename(name, target)
	}
	return nil
}
