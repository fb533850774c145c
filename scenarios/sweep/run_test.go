package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

const grid = `{grid: {rate: [1/s, 5/s, 20/s, 50/s], request: [100B, 1kB]}, replications: 3, compare: {param: request, from: 100B, to: 1kB}}`

// The same bytes whatever the number of workers, and whatever was there before.
func TestSameBytes(t *testing.T) {
	var want map[string]string
	for _, workers := range []int{1, 2, 8} {
		dir := t.TempDir()
		out := mustRun(t, newSweep(t, grid, Request{}), dir, Options{Workers: workers})
		if out.Points != 8 || out.Ran != 24 || out.Manifest.Replications != 24 {
			t.Fatalf("%+v", out)
		}
		got := final(t, dir)
		if want == nil {
			want = got
		}
		sameFiles(t, fmt.Sprint(workers, " workers"), want, got)
	}
	seed := uint64(2)
	dir := t.TempDir()
	mustRun(t, newSweep(t, grid, Request{Seed: &seed}), dir, Options{})
	if final(t, dir)[resultsName] == want[resultsName] {
		t.Error("another seed makes no difference")
	}
}

// More replications, and more values, run what is new and end with what a run
// from nothing gives; less is there at once.
func TestOnlyNewIsRun(t *testing.T) {
	dir := t.TempDir()
	for i, c := range []struct {
		request Request
		ran     int
	}{
		{Request{}, 24},
		{Request{}, 0},
		{Request{Replications: 5}, 16},
		{Request{Replications: 2}, 0},
		{Request{Vary: Vary{Values: []string{"rate=1/s,5/s,7/s", "request=100B,1kB"}}}, 6},
	} {
		out := mustRun(t, newSweep(t, grid, c.request), dir, Options{Workers: 2})
		if out.Ran != c.ran {
			t.Errorf("step %d: %d replications were run, want %d", i, out.Ran, c.ran)
		}
		fresh := t.TempDir()
		mustRun(t, newSweep(t, grid, c.request), fresh, Options{})
		sameFiles(t, fmt.Sprint("step ", i), final(t, fresh), final(t, dir))
	}
}

// Another version of the simulator does not use what an older one found.
func TestModelVersion(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, newSweep(t, grid, Request{}), dir, Options{})
	s, err := New(load(t, grid), Request{}, "newer")
	if err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, s, dir, Options{}); out.Ran != 24 || out.Found != 0 {
		t.Errorf("%d found, %d run", out.Found, out.Ran)
	}
}

func constant(values []string, _ uint32, _ *rand.Rand) ([]float64, [][]float64, error) {
	v, _ := strconv.ParseFloat(strings.TrimSuffix(values[0], "/s"), 64)
	return []float64{v, 1}, nil, nil
}

// A point that fails, in whatever way, is told and left out, and the others are
// not affected.
func TestFailingPoint(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("no") },
		"panic": func() error { panic("an invariant") },
	} {
		s := toy(newSweep(t, grid, Request{}), func(values []string, replication uint32, stream *rand.Rand) ([]float64, [][]float64, error) {
			if values[0] == "5/s" && values[1] == "1kB" && replication == 1 {
				if err := fail(); err != nil {
					return nil, nil, err
				}
			}
			return constant(values, replication, stream)
		})
		var told []Failure
		dir := t.TempDir()
		out := mustRun(t, s, dir, Options{Workers: 2, Failed: func(f Failure) { told = append(told, f) }})
		if len(out.Failures) != 1 || out.Failures[0].Point != 4 || out.Failures[0].Replication != 2 || len(told) != 1 || out.Points != 7 {
			t.Errorf("%s: failures %+v, told %+v, %d points", name, out.Failures, told, out.Points)
		}
		if text := final(t, dir)[resultsName]; strings.Contains(text, "\n4,") || strings.Count(text, "\n") != 1+7*3 {
			t.Errorf("%s: results\n%s", name, text)
		}
		if name == "panic" && !strings.Contains(out.Failures[0].Text, "an invariant") {
			t.Errorf("%q", out.Failures[0].Text)
		}
		again := mustRun(t, toy(newSweep(t, grid, Request{}), constant), dir, Options{})
		if again.Found < 21 || again.Points != 8 {
			t.Errorf("%s: then %+v", name, again)
		}
	}
}

// A point that cannot be built fails alone. Its value was not tried, as there
// were too many before it.
func TestPointThatCannotBeBuilt(t *testing.T) {
	s := toy(newSweep(t, grid, Request{}), constant)
	build := s.prepare
	s.prepare = func(values []string) (*point, error) {
		if values[0] == "1/s" {
			return nil, errors.New("cannot be built")
		}
		return build(values)
	}
	dir := t.TempDir()
	out := mustRun(t, s, dir, Options{})
	if len(out.Failures) != 2 || out.Points != 6 || out.Failures[0].Replication != 0 {
		t.Errorf("%+v", out)
	}
}

// An interruption keeps what is finished and leaves no results behind that could
// be taken for complete ones.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	var n atomic.Int32
	s := toy(newSweep(t, grid, Request{}), func(values []string, replication uint32, stream *rand.Rand) ([]float64, [][]float64, error) {
		if n.Add(1) == 10 {
			cancel()
		}
		return constant(values, replication, stream)
	})
	out, err := s.Run(ctx, dir, "v", "go", Options{Workers: 1})
	if !errors.Is(err, context.Canceled) || out.Ran != 9 {
		t.Fatalf("error %v, %d replications", err, out.Ran)
	}
	if _, err := ReadManifest(dir); err == nil {
		t.Error("the directory passes for complete")
	}
	if out := mustRun(t, toy(newSweep(t, grid, Request{}), constant), dir, Options{}); out.Found != 9 || out.Ran != 15 {
		t.Errorf("then %d found, %d run", out.Found, out.Ran)
	}
}

func TestFullDisk(t *testing.T) {
	want := t.TempDir()
	mustRun(t, newSweep(t, grid, Request{}), want, Options{})
	for _, workers := range []int{1, 2} {
		dir := t.TempDir()
		q := &sharedQuota{quota: quota{6000}}
		out, err := newSweep(t, grid, Request{}).Run(context.Background(), dir, "v", "go", Options{Workers: workers, create: q.create})
		if err == nil || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), "make room") {
			t.Fatalf("error %v", err)
		}
		if out.Ran == 0 || out.Ran >= 24 {
			t.Fatalf("%d replications were run", out.Ran)
		}
		again := mustRun(t, newSweep(t, grid, Request{}), dir, Options{Workers: workers})
		if again.Found < out.Ran || again.Found+again.Ran != 24 {
			t.Errorf("%d were kept, then %d found and %d run", out.Ran, again.Found, again.Ran)
		}
		sameFiles(t, "after a full disk", final(t, want), final(t, dir))
	}
}

// sharedQuota is a quota that several workers use.
type sharedQuota struct {
	mu    sync.Mutex
	quota quota
}

type sharedFile struct {
	chunkFile
	q *sharedQuota
}

func (q *sharedQuota) create(name string) (chunkFile, error) {
	f, err := q.quota.create(name)
	return sharedFile{f, q}, err
}

func (f sharedFile) Write(b []byte) (int, error) {
	f.q.mu.Lock()
	defer f.q.mu.Unlock()
	return f.chunkFile.Write(b)
}

// The stopping rule looks at replications in their order: how many there are
// does not depend on the workers, and is what the rule gives by hand.
func TestStoppingRule(t *testing.T) {
	noise := func(values []string, _ uint32, stream *rand.Rand) ([]float64, [][]float64, error) {
		scale, _ := strconv.ParseFloat(strings.TrimSuffix(values[0], "/s"), 64)
		return []float64{scale * stream.NormFloat64(), math.NaN()}, nil, nil
	}
	var want map[string]string
	for _, workers := range []int{1, 3, 16} {
		s := toy(newSweep(t, grid, Request{Replications: 4, Until: &spec.Until{Metric: "legit.attempts", HalfWidth: 4, Max: 60}}), noise)
		s.Spec.Until.Metric = "toy.a"
		dir := t.TempDir()
		mustRun(t, s, dir, Options{Workers: workers})
		got := final(t, dir)
		if want == nil {
			want = got
			checkRule(t, got[resultsName], 4, 4, 60)
		}
		sameFiles(t, fmt.Sprint(workers, " workers"), want, got)
		if out := mustRun(t, s, dir, Options{Workers: workers}); out.Ran != 0 {
			t.Errorf("%d workers: %d replications were run again", workers, out.Ran)
		}
	}
}

// checkRule holds the lines of results.csv against the rule.
func checkRule(t *testing.T, csv string, half float64, least, most int) {
	t.Helper()
	values := map[string][]float64{}
	for _, line := range strings.Split(strings.TrimSpace(csv), "\n")[1:] {
		cells := strings.Split(line, ",")
		values[cells[0]] = append(values[cells[0]], float(cells[5]))
	}
	counts := map[int]bool{}
	for point, v := range values {
		width := func(n int) float64 {
			mean, squares := 0.0, 0.0
			for _, x := range v[:n] {
				mean += x / float64(n)
			}
			for _, x := range v[:n] {
				squares += (x - mean) * (x - mean)
			}
			table := map[int]float64{3: 3.182446, 4: 2.776445, 59: 2.000995}
			degrees := n - 1
			quantile, known := table[degrees]
			if !known {
				return math.NaN()
			}
			return quantile * math.Sqrt(squares/float64(degrees)/float64(n))
		}
		counts[len(v)] = true
		if len(v) < least || len(v) > most {
			t.Errorf("point %s has %d replications", point, len(v))
		}
		for n := least; n < len(v); n++ {
			if width(n) <= half*(1-1e-6) {
				t.Errorf("point %s has %d replications, although %d are enough", point, len(v), n)
			}
		}
		if w := width(len(v)); len(v) < most && w > half*(1+1e-6) {
			t.Errorf("point %s: %d replications give %v", point, len(v), w)
		}
	}
	if !counts[least] || !counts[most] || len(counts) < 3 {
		t.Errorf("the points have %v replications: the test tries too little", counts)
	}
}

// Common random numbers cancel out of differences, other ones do not.
func TestStreams(t *testing.T) {
	for streams, paired := range map[string]bool{"common": true, "independent": false} {
		s := toy(newSweep(t, grid, Request{Replications: 6, Streams: streams}), func(values []string, _ uint32, stream *rand.Rand) ([]float64, [][]float64, error) {
			v := stream.NormFloat64()
			if values[1] == "1kB" {
				v += 0.25
			}
			return []float64{v, 0}, nil, nil
		})
		dir := t.TempDir()
		mustRun(t, s, dir, Options{})
		lines := strings.Split(strings.TrimSpace(final(t, dir)[differencesName]), "\n")
		if len(lines) != 1+4*2 {
			t.Fatalf("%d lines of differences", len(lines))
		}
		cells := strings.Split(lines[1], ",")
		low, high := float(cells[len(cells)-2]), float(cells[len(cells)-1])
		exact := math.Abs(low-0.25) < 1e-9 && math.Abs(high-0.25) < 1e-9
		if exact != paired {
			t.Errorf("%s random numbers: the difference is from %v to %v", streams, low, high)
		}
	}
}

// One point with many replications, as the last ones have, keeps all workers
// busy: the others take replications of it.
func TestReplicationsAreShared(t *testing.T) {
	const workers = 4
	var mu sync.Mutex
	together, most := 0, 0
	gate := make(chan struct{})
	s := toy(newSweep(t, "", Request{Vary: Vary{Values: []string{"rate=1/s"}}, Replications: workers}),
		func(values []string, replication uint32, stream *rand.Rand) ([]float64, [][]float64, error) {
			mu.Lock()
			together++
			most = max(most, together)
			if together == workers {
				close(gate)
			}
			mu.Unlock()
			<-gate // opens when all workers are at it
			return constant(values, replication, stream)
		})
	mustRun(t, s, t.TempDir(), Options{Workers: workers})
	if most != workers {
		t.Errorf("%d replications of the point ran at once", most)
	}
}

// What is kept of a finished point is small.
func TestMemoryOfManyPoints(t *testing.T) {
	live := func(points int) uint64 {
		var n atomic.Int64
		var most atomic.Uint64
		s := toy(newSweep(t, "", Request{Vary: Vary{Values: []string{fmt.Sprintf("request=lin:1B..%dB:%d", points, points)}}}),
			func(values []string, _ uint32, _ *rand.Rand) ([]float64, [][]float64, error) {
				if n.Add(1) == int64(points*9/10) {
					runtime.GC()
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most.Store(m.HeapAlloc)
				}
				return make([]float64, 2), nil, nil
			})
		dir := t.TempDir()
		out := mustRun(t, s, dir, Options{})
		if out.Points != points {
			t.Fatalf("%d points", out.Points)
		}
		files, err := filepath.Glob(filepath.Join(dir, pointsDir, "*"))
		if err != nil || len(files) > 2*runtime.GOMAXPROCS(0) {
			t.Errorf("%d files (%v)", len(files), err)
		}
		return most.Load()
	}
	few := live(1000)
	const more = 9000
	if grown := int64(live(1000+more)) - int64(few); grown > 300*more {
		t.Errorf("%d bytes for each further point", grown/more)
	}
}

// Files that a killed process had begun are removed, and so are the differences
// of an earlier sweep.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, newSweep(t, grid, Request{}), dir, Options{})
	left := []string{".results.csv123", ".results.parquet9", ".manifest.json77"}
	for _, name := range left {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, newSweep(t, `{grid: {rate: [1/s]}}`, Request{}), dir, Options{})
	for _, name := range append(left, differencesName) {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestDirectoryOfAnother(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := newSweep(t, grid, Request{}).Run(context.Background(), dir, "v", "go", Options{}); !errors.Is(err, scenarios.ErrForeign) {
		t.Errorf("error %v", err)
	}
	dir = t.TempDir()
	mustRun(t, newSweep(t, grid, Request{}), dir, Options{})
	s := newSweep(t, grid, Request{})
	s.Scenario.Name = "another"
	if _, err := s.Run(context.Background(), dir, "v", "go", Options{}); !errors.Is(err, scenarios.ErrForeign) {
		t.Errorf("error %v", err)
	}
	lock, err := scenarios.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newSweep(t, grid, Request{}).Run(context.Background(), dir, "v", "go", Options{}); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("error %v while another has the directory", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}

// What a point costs beside its simulation: preparing it, handing it out,
// keeping it, and its rows in the results. Ten replications with 80 metrics.
func BenchmarkPoint(b *testing.B) {
	const each = 500
	names := make([]string, 80)
	for i := range names {
		names[i] = fmt.Sprint("m.m", i)
	}
	metrics := newSchema(names, make([]string, len(names)))
	for b.Loop() {
		s := newSweep(b, "", Request{Vary: Vary{Values: []string{fmt.Sprintf("rate=lin:1/s..%d/s:%d", each, each)}}, Replications: 10})
		s.prepare = func(values []string) (*point, error) {
			p, err := s.prepareScenario(values)
			if err == nil {
				p.run = func(_ context.Context, replication uint32, _ func(uint64)) (*record, error) {
					return &record{key: p.key, replication: replication, schema: metrics, values: make([]float64, len(names))}, nil
				}
			}
			return p, err
		}
		mustRun(b, s, b.TempDir(), Options{Workers: 1})
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/each, "ns/point")
}
