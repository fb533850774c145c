package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree returns the files and empty directories below dir.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *Target {
	t.Helper()
	target, err := OpenTarget(dir)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// results runs a scenario and leaves its results in dir.
func results(t *testing.T, ref, dir string) *Results {
	t.Helper()
	sc := load(t, ref, nil)
	r, err := NewResults(sc, run(t, sc, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	target := open(t, dir)
	if err := r.Write(target); err != nil {
		t.Fatal(err)
	}
	if err := target.Commit(&r.Manifest); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestResultsAreReadBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "down")
	r := results(t, "lost-syn-ack", dir)
	stored, err := Open(dir, Registry())
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })
	if diff := cmp.Diff(r.Manifest, stored.Manifest, same); diff != "" {
		t.Errorf("manifest (-written +read):\n%s", diff)
	}
	want := *r.Outcome.Result
	want.Metrics = nil
	if diff := cmp.Diff(&want, stored.Result, same); diff != "" {
		t.Errorf("result (-written +read):\n%s", diff)
	}
	if stored.Scenario.Name != "lost-syn-ack" || len(stored.Scenario.Figures) != 1 {
		t.Errorf("scenario %+v", stored.Scenario)
	}
	if err := stored.Close(); err != nil {
		t.Error(err)
	}
	names := tree(t, dir)
	if len(names) != 4+len(r.Manifest.Series)+len(r.Manifest.Samples) {
		t.Errorf("files %v", names)
	}
	for _, name := range names {
		if strings.HasPrefix(filepath.Base(name), ".") {
			t.Errorf("%s was left behind", name)
		}
	}
}

func TestReplaceOwnResults(t *testing.T) {
	dir := t.TempDir()
	results(t, "keepalive", dir)
	write(t, filepath.Join(dir, "notes.txt"), "mine")
	write(t, filepath.Join(dir, FiguresDir, "old.pdf"), "old")
	results(t, "lost-syn-ack", dir)
	for _, name := range tree(t, dir) {
		if strings.Contains(name, "session") || strings.Contains(name, "old.pdf") {
			t.Errorf("%s is of the older run", name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "notes.txt")); err != nil {
		t.Error("what is not tcplab's was removed:", err)
	}
}

func TestRefuseForeignDirectory(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
	}{
		{"some file", map[string]string{"dir/thesis.tex": "years of work"}},
		{"a manifest of another tool", map[string]string{"dir/manifest.json": `{"name": "web app"}`}},
		{"a manifest that is no JSON", map[string]string{"dir/manifest.json": "tcplab"}},
		{"results without a manifest", map[string]string{"dir/summary.json": "{}"}},
		{"a file", map[string]string{"dir": "text"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := t.TempDir()
			for name, text := range c.files {
				write(t, filepath.Join(base, name), text)
			}
			before := tree(t, base)
			_, err := OpenTarget(filepath.Join(base, "dir"))
			if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "--out") {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(before, tree(t, base)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDiscardLeavesNothing(t *testing.T) {
	base := t.TempDir()
	target := open(t, filepath.Join(base, "results", "x"))
	if err := target.Write("series/a.csv", []byte("1\n")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := target.Discard(); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(base)
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestDiscardKeepsOlderResults(t *testing.T) {
	dir := t.TempDir()
	results(t, "keepalive", dir)
	before := tree(t, dir)
	target := open(t, dir)
	if err := target.Write(summaryName, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := target.Discard(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, summaryName)); string(text) == "new" {
		t.Error("summary.json is of the run that was given up")
	}
}

// A run that was killed leaves its lock file and what it had written.
func TestTakeOverFromKilledRun(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, lockName), "")
	write(t, filepath.Join(dir, stagingName, seriesDir, "half.csv"), "ti")
	results(t, "lost-syn-ack", dir)
	for _, name := range tree(t, dir) {
		if strings.Contains(name, "half") || strings.HasPrefix(name, ".") {
			t.Errorf("%s was left", name)
		}
	}
}

func TestOneRunPerDirectory(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	if _, err := OpenTarget(dir); err == nil || !strings.Contains(err.Error(), "another run is writing to") {
		t.Errorf("error %v while another has the directory", err)
	}
	if err := first.Discard(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Discard(); err != nil {
		t.Fatal(err)
	}
	results(t, "lost-syn-ack", dir)
	stored, err := Open(dir, Registry())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTarget(dir); err == nil {
		t.Error("results were replaced while being read")
	}
	if err := stored.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "the disk is full"},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, "the disk is full"},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, "not allowed"},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, "not allowed"},
	} {
		err := explain(fmt.Errorf("wrapped: %w", c.err))
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "--out") || !errors.Is(err, c.err) {
			t.Errorf("%v", err)
		}
	}
	if explain(nil) != nil {
		t.Error("an error out of nothing")
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	results(t, "lost-syn-ack", dir)
	spoil := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
		if _, err := Open(dir, Registry()); err == nil || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("%s with %q: error %v", name, text, err)
		}
		write(t, path, string(good))
	}
	spoil("series/client.in_segs.csv", "time_s,in_segs_per_s\n0,1\n1\n")
	spoil("series/client.in_segs.csv", "time_s,in_segs_per_s\n0,one\n")
	spoil("samples/visit.connect_latency.csv", "connect_latency_s\n1,2\n")
	spoil("scenario.yaml", "version: 2\n")
	spoil("manifest.json", `{"tool": "tcplab", "parameters": []}`)
	spoil("manifest.json", "")
	for _, dir := range []string{filepath.Join(dir, "none"), filepath.Join(dir, summaryName), t.TempDir()} {
		if _, err := Open(dir, Registry()); err == nil {
			t.Errorf("%s was read", dir)
		}
	}
	stored, err := Open(dir, Registry())
	if err != nil {
		t.Fatal(err)
	}
	if err := stored.Close(); err != nil {
		t.Error(err)
	}
}
