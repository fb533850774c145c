package sweep

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// A rate trace is a part of its points by content: where it changes they are run
// again, and a directory needs nothing outside itself.
func TestFilesOfTheScenario(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	file := filepath.Join(home, "s.yaml")
	write(t, file, strings.Replace(text, "rate: 10Mbit/s", "trace: $cell", 1)+"sweep: {grid: {cell: [a.trace, sub/b.trace]}, replications: 2}\n")
	replaceIn(t, file, "  cc:  ", "  cell:    {default: a.trace, doc: x}\n  cc:  ")
	write(t, filepath.Join(home, "a.trace"), "4\n8\n")
	write(t, filepath.Join(home, "sub", "b.trace"), "6\n12\n")
	sweepOf := func() *Sweep {
		sc, err := spec.LoadFile(file, nil, scenarios.Registry())
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(sc, Request{}, "test")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for i, want := range []int{4, 0} {
		if out := mustRun(t, sweepOf(), dir, Options{}); out.Ran != want {
			t.Errorf("step %d: %d replications were run, want %d", i, out.Ran, want)
		}
	}
	first := final(t, dir)
	write(t, filepath.Join(home, "sub", "b.trace"), "9\n18\n")
	if out := mustRun(t, sweepOf(), dir, Options{}); out.Ran != 2 || out.Found != 2 {
		t.Errorf("with another content: %d were run, %d found, want 2 and 2", out.Ran, out.Found)
	}
	if final(t, dir)[resultsName] == first[resultsName] {
		t.Error("another trace makes no difference")
	}

	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	st, err := Look(context.Background(), dir, scenarios.Registry())
	if err != nil || st.Points != 2 || !st.Complete {
		t.Fatalf("status %+v, error %v", st, err)
	}
	copies, err := filepath.Glob(filepath.Join(dir, filesDir, "*-b.trace"))
	if err != nil || len(copies) != 2 {
		t.Fatalf("copies %v", copies)
	}
	for _, name := range copies {
		write(t, name, "damaged")
	}
	if _, _, err := Open(dir, scenarios.Registry()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v of a damaged copy", err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replaceIn(t *testing.T, name, from, to string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(b), from) {
		t.Fatal(fmt.Sprint(name, " has no ", from, err))
	}
	write(t, name, strings.Replace(string(b), from, to, 1))
}
