package scenarios

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// files returns the bytes of everything that must not differ between runs.
func files(t *testing.T, sc *spec.Scenario, out *Outcome) map[string]string {
	t.Helper()
	r, err := NewResults(sc, out)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		summaryName: string(r.Summary), scenarioName: string(r.Scenario),
		connectionsName: string(connectionsCSV(out.Connections, out.Addresses)),
	}
	for _, s := range out.Result.Series {
		all["series/"+s.Name] = string(seriesCSV(s, out.Runs))
	}
	for _, s := range out.Result.Samples {
		all["samples/"+s.Name] = string(sampleCSV(s))
	}
	return all
}

func TestSameSeedSameBytes(t *testing.T) {
	sc := load(t, "syn-flood", nil)
	var want map[string]string
	for _, workers := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(workers)
		got := files(t, sc, run(t, sc, Options{Replications: 4, Workers: workers}))
		runtime.GOMAXPROCS(before)
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("with %d workers (-1 worker +these):\n%s", workers, diff)
		}
	}
	if len(want) < 50 {
		t.Errorf("only %d files were compared", len(want))
	}
	other := load(t, "syn-flood", nil)
	other.Seed++
	if cmp.Equal(want, files(t, other, run(t, other, Options{Replications: 4}))) {
		t.Error("another seed made no difference")
	}
}

// Cutting a run into slices changes nothing in it.
func TestSlicesChangeNothing(t *testing.T) {
	sc := load(t, "shared-bottleneck", nil)
	sc.Duration = 50e9
	whole, err := build(sc, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole.sim.Run(whole.recorder.Until())
	whole.recorder.Finish()
	sliced, err := build(sc, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	slices := 0
	if err := sliced.advance(context.Background(), func(des.Time, uint64) { slices++ }); err != nil {
		t.Fatal(err)
	}
	sliced.recorder.Finish()
	if slices < 10 {
		t.Fatalf("the run had %d slices", slices)
	}
	if whole.sim.Events() != sliced.sim.Events() {
		t.Errorf("%d events in one piece, %d in slices", whole.sim.Events(), sliced.sim.Events())
	}
	same := cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
	if diff := cmp.Diff(whole.recorder.Result(), sliced.recorder.Result(), same); diff != "" {
		t.Error(diff)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	sc := load(t, "shared-bottleneck", nil)
	sc.Duration = 1e9 * 1e9
	sc.Measure.Interval = 1e9 * 1e6
	updates := 0
	_, err := Run(ctx, sc, Options{Replications: 3, Progress: func(p Progress) {
		if updates++; updates == 5 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := Run(ctx, sc, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a run that was cancelled before it began", err)
	}
}

func TestProgressEndsComplete(t *testing.T) {
	sc := load(t, "handshake", nil)
	var last Progress
	out := run(t, sc, Options{Replications: 3, Progress: func(p Progress) {
		if p.Simulated < last.Simulated || p.Events < last.Events {
			t.Errorf("from %+v back to %+v", last, p)
		}
		last = p
	}})
	if last.Simulated != last.Total || last.Events != out.Events || out.Simulated != last.Total {
		t.Errorf("last %+v, outcome of %d events and %v", last, out.Events, out.Simulated)
	}
}

func TestCombine(t *testing.T) {
	nan := math.NaN()
	result := func(value float64, null bool, course, values []float64) *measure.Result {
		return &measure.Result{
			Metrics: []measure.Metric{{Name: "a.b", Unit: "s", Value: value, Null: null}},
			Series:  []measure.Series{{Name: "a.b", Time: []float64{0, 1}, Value: course}},
			Samples: []measure.Sample{{Name: "a.c", Values: values}},
		}
	}
	got := combine([]*measure.Result{
		result(1, false, []float64{1, nan}, []float64{5}),
		result(0, true, []float64{nan, nan}, nil),
		result(2, false, []float64{4, nan}, []float64{7, 6}),
		result(4.5, false, []float64{1, nan}, nil),
	})
	// Mean 2.5 and standard deviation sqrt(3.25); Student's t for two degrees
	// of freedom and 0.975 is 4.302652729... (any table).
	m := got.Metrics[0]
	half := 4.30265273 * math.Sqrt(3.25/3)
	if m.Null || m.Value != 2.5 || math.Abs(m.CI95[0]-2.5+half) > 1e-7 || math.Abs(m.CI95[1]-2.5-half) > 1e-7 {
		t.Errorf("metric %+v (interval %v), want 2.5 within %v", m, m.CI95, half)
	}
	if v := got.Series[0].Value; v[0] != 2 || !math.IsNaN(v[1]) {
		t.Errorf("series %v", v)
	}
	if diff := cmp.Diff([]float64{5, 7, 6}, got.Samples[0].Values); diff != "" {
		t.Error(diff)
	}
	none := combine([]*measure.Result{result(0, true, nil, nil), result(0, true, nil, nil)}).Metrics[0]
	if !none.Null || none.CI95 != nil {
		t.Errorf("metric without a value in any replication: %+v", none)
	}
	one := combine([]*measure.Result{result(3, false, nil, nil), result(0, true, nil, nil)}).Metrics[0]
	if one.Value != 3 || one.CI95 != nil {
		t.Errorf("metric with one value: %+v", one)
	}
}

func TestSummaryJSON(t *testing.T) {
	half := 0.5
	out := &Outcome{Replications: 1, Result: &measure.Result{Metrics: []measure.Metric{
		{Name: "z.first", Value: half, Unit: "ratio", CI95: &[2]float64{0.25, 0.75}},
		{Name: "a.second", Null: true, Unit: "s"},
		{Name: "a.third", Value: math.Inf(1), Unit: "s"},
	}}, Expectations: []spec.Outcome{{Text: "a.b < 1", Passed: true, Left: 0.5, Right: 1, Message: "is 0.5"}}}
	text, err := summary(&Manifest{Scenario: "x", Parameters: Parameters{{"p", "1%"}, {"a", `"`}}, Seed: 7, Replications: 1}, out)
	want := `{
  "scenario": "x",
  "parameters": {"p":"1%","a":"\""},
  "seed": 7,
  "replications": 1,
  "expectations": [
    {"text":"a.b < 1","passed":true,"left":0.5,"right":1,"message":"is 0.5"}
  ],
  "metrics": {
    "z.first": {"value":0.5,"unit":"ratio","ci95":[0.25,0.75]},
    "a.second": {"value":null,"unit":"s","ci95":null},
    "a.third": {"value":null,"unit":"s","ci95":null}
  }
}
`
	if diff := cmp.Diff(want, string(text)); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if empty, err := summary(&Manifest{}, &Outcome{Result: &measure.Result{}}); err != nil || !bytes.Contains(empty, []byte(`"metrics": {}`)) {
		t.Errorf("%s, %v", empty, err)
	}
}
