package plots

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcplab/scenarios/measure"
)

func TestNewEstimate(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values []float64
		want   Estimate
	}{
		{nil, Estimate{nan, nan, nan, 0}},
		{[]float64{nan}, Estimate{nan, nan, nan, 0}},
		{[]float64{3, nan}, Estimate{3, nan, nan, 1}},
		// t(0.975, 3) = 3.182446305, standard error sqrt(5/3)/2.
		{[]float64{1, 2, 3, 4}, Estimate{2.5, 2.5 - 3.182446305*math.Sqrt(5.0/12), 2.5 + 3.182446305*math.Sqrt(5.0/12), 4}},
	} {
		got := NewEstimate(c.values)
		for _, p := range [][2]float64{{got.Mean, c.want.Mean}, {got.Low, c.want.Low}, {got.High, c.want.High}, {float64(got.N), float64(c.want.N)}} {
			if math.Abs(p[0]-p[1]) > 1e-9 || math.IsNaN(p[0]) != math.IsNaN(p[1]) {
				t.Errorf("NewEstimate(%v) = %+v, want %+v", c.values, got, c.want)
				break
			}
		}
	}
}

// Every value belongs to one bin, and the shares add up.
func TestHistogramCountsEveryValueOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0.001, 1000), 1, 300).Draw(t, "values")
		bins := rapid.IntRange(0, 40).Draw(t, "bins")
		log := rapid.Bool().Draw(t, "log")
		res := &measure.Result{Samples: []measure.Sample{{Name: "a.b", Unit: "s", Values: values}}}
		d, err := Draw(res, Figure{Kind: "histogram", Series: []string{"a.b"}, Bins: bins, X: Axis{Log: log}}, IEEE())
		if err != nil {
			t.Fatal(err)
		}
		rows := tableOf(t, d)
		sum, until := 0.0, math.NaN()
		for _, r := range rows {
			from := number64(t, r["from"])
			if !math.IsNaN(until) && from != until {
				t.Fatalf("a bin from %v after one until %v", from, until)
			}
			until = number64(t, r["until"])
			n := 0
			for _, v := range values {
				if v >= from && v < until {
					n++
				}
			}
			share := number64(t, r["fraction"])
			sum += share
			if want := float64(n) / float64(len(values)); math.Abs(share-want) > 1e-9 && v(rows, r) {
				t.Fatalf("bin from %v until %v: %v, want %v", from, until, share, want)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("shares add up to %v", sum)
		}
	})
}

// v is true but for the last bin, which has its end.
func v(rows []map[string]string, r map[string]string) bool {
	return r["from"] != rows[len(rows)-1]["from"]
}

type failer interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// tableOf reads the data of a drawing back.
func tableOf(t failer, d *Drawing) []map[string]string {
	data, err := d.CSV()
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, r := range records[1:] {
		m := map[string]string{}
		for i, name := range records[0] {
			m[name] = r[i]
		}
		rows = append(rows, m)
	}
	return rows
}

func number64(t failer, text string) float64 {
	var v float64
	if _, err := fmt.Sscan(text, &v); err != nil {
		t.Fatalf("%q is not a number", text)
	}
	return v
}

func TestBox(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 30}
	b := newBox(values)
	if b.q1 != 3 || b.median != 5 || b.q3 != 7 || b.low != 1 || b.high != 8 || !slices.Equal(b.outliers, []float64{30}) {
		t.Errorf("%+v", b)
	}
	b = newBox([]float64{1, 2, math.Inf(1), math.Inf(1)})
	if b.infinite != 2 || b.n != 4 || b.high != 2 {
		t.Errorf("with infinite values: %+v", b)
	}
}

// The stack is as high as there are connections, at any time.
func TestOccupancyCounts(t *testing.T) {
	lives := lifetimes(60)
	l, err := lifetimeLayers(&Data{Lifetimes: lives}, Figure{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.times) < 100 {
		t.Fatalf("%d changes", len(l.times))
	}
	for i, at := range l.times {
		for k, state := range l.names {
			want := 0.0
			for _, life := range lives {
				for _, st := range life.States {
					if st.State == state && st.From <= at && at < st.Until {
						want++
					}
				}
			}
			if l.heights[k][i] != want {
				t.Fatalf("%s at %v s: %v connections, want %v", state, at, l.heights[k][i], want)
			}
		}
	}
}

func TestReplicationsAreAveraged(t *testing.T) {
	all := replications(5)
	d, err := (&Data{Replications: all}).Draw(Figure{Kind: "timeseries", Series: []string{"server.syn_queue"}}, IEEE())
	if err != nil {
		t.Fatal(err)
	}
	rows := tableOf(t, d)
	if len(rows) != 181 {
		t.Fatalf("%d rows", len(rows))
	}
	var values []float64
	for _, r := range all {
		values = append(values, r.FindSeries("server.syn_queue").Value[100])
	}
	e := NewEstimate(values)
	r := rows[100]
	if number64(t, r["mean"]) != e.Mean || number64(t, r["ci95_low"]) != e.Low || r["n"] != "5" {
		t.Errorf("row %v, want %+v", r, e)
	}
	all[3].Series[0].Time = slices.Clone(all[3].Series[0].Time)
	all[3].Series[0].Time[7] += 0.25
	if _, err := (&Data{Replications: all}).Draw(Figure{Kind: "timeseries", Series: []string{"server.syn_queue"}}, IEEE()); err == nil || !strings.Contains(err.Error(), "needs equal times") {
		t.Errorf("unequal times: %v", err)
	}
}

func TestKindErrors(t *testing.T) {
	erlang := Figure{Kind: "lines", Series: []string{"legit.first_syn_accepted"}, Over: "flood_rate", By: "backlog"}
	heat := erlang
	heat.Kind = "heatmap"
	with := func(f Figure, change func(*Figure)) Figure {
		change(&f)
		return f
	}
	sweep := &Data{Sweep: erlangSweep()}
	flood := &Data{Result: floodResult()}
	for _, c := range []struct {
		name string
		data *Data
		fig  Figure
		want string
	}{
		{"no over", sweep, with(erlang, func(f *Figure) { f.Over = "" }), "over: name the parameter"},
		{"over", sweep, with(erlang, func(f *Figure) { f.Over = "flood" }), `did you mean "flood_rate"?`},
		{"by", sweep, with(erlang, func(f *Figure) { f.By = "backlok" }), `did you mean "backlog"?`},
		{"metric", sweep, with(erlang, func(f *Figure) { f.Series = []string{"legit.x"} }), `metric: no "legit.x"`},
		{"third parameter", sweep, with(erlang, func(f *Figure) { f.By = "" }), "name the parameter in which they differ"},
		{"theory", sweep, with(erlang, func(f *Figure) { f.Theory = []Theory{{Formula: "erlang_x"}} }), "erlang_x"},
		{"intervals", sweep, with(erlang, func(f *Figure) { f.Intervals = "bar" }), `did you mean "bars"?`},
		{"logarithm of 0", sweep, with(erlang, func(f *Figure) { f.X = Axis{Log: true, Min: -1, Max: 3} }), "begins above 0"},
		{"heat over", sweep, with(heat, func(f *Figure) { f.By = "" }), "by: name a parameter"},
		{"two metrics", sweep, with(heat, func(f *Figure) { f.Series = append(f.Series, "x") }), "one metric"},
		{"heat limits", sweep, with(heat, func(f *Figure) { f.Theory = []Theory{{Formula: "1"}} }), "neither limits nor theory"},
		{"log words", &Data{Sweep: wordSweep()}, Figure{Kind: "heatmap", Series: []string{"flow.goodput"}, Over: "congestion", By: "rtt", X: Axis{Log: true}}, "needs positive numbers"},
		{"bins", flood, Figure{Kind: "histogram", Series: []string{"legit.connect_latency"}, Bins: -1}, "bins: -1"},
		{"box axis", flood, Figure{Kind: "boxplot", Series: []string{"legit.connect_latency"}, Y: []Axis{{}}}, "leave limits and Y out"},
		{"log ecdf", flood, Figure{Kind: "ecdf", Series: []string{"legit.connect_latency"}, Y: []Axis{{Log: true}}}, "draw a ccdf"},
		{"congestion", flood, Figure{Kind: "congestion", Series: []string{"server"}}, "has none of cwnd, ssthresh"},
		{"units", flood, Figure{Kind: "occupancy", Series: []string{"server.syn_queue", "legit.connect_success"}}, "must have one unit"},
		{"connection", &Data{Lifetimes: lifetimes(3)}, Figure{Kind: "gantt", Series: []string{"client:4915"}}, `did you mean "client:49152"?`},
		{"backwards", &Data{Lifetimes: []Lifetime{{"a", []StateSpan{{"X", 3, 2}}}}}, Figure{Kind: "gantt"}, "X from 3 s until 2 s"},
		{"out of view", &Data{Lifetimes: lifetimes(3)}, Figure{Kind: "gantt", X: Axis{Min: 1e4, Max: 2e4}}, "no connection has a state from 10000 s"},
		{"sequence", &Data{Sequences: []Sequence{lossySequence()}}, Figure{Kind: "sequence", Series: []string{"x"}}, `sequence: no "x"`},
		{"log time", &Data{Sequences: []Sequence{lossySequence()}}, Figure{Kind: "sequence", X: Axis{Log: true}}, "leave X.Log false"},
		{"out of order", &Data{Sequences: []Sequence{{"x", []SequenceEvent{{Time: 2}, {Time: 1}}}}}, Figure{Kind: "sequence"}, "must be finite and in order"},
	} {
		if _, err := c.data.Draw(c.fig, IEEE()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	for _, k := range []Figure{erlang, heat, {Kind: "sequence"}, {Kind: "gantt"}, {Kind: "occupancy"}} {
		if _, err := (&Data{}).Draw(k, IEEE()); !errors.Is(err, ErrNoData) {
			t.Errorf("%s of nothing: error %v, want ErrNoData", k.Kind, err)
		}
	}
}

// The data of a figure is all there, and not what is left on the page.
func TestCSV(t *testing.T) {
	for _, show := range gallery() {
		d, err := show.data.Draw(show.fig, IEEE())
		if err != nil {
			t.Fatal(err)
		}
		if rows := tableOf(t, d); len(rows) < 3 {
			t.Errorf("%s: %d rows", show.fig.Name, len(rows))
		}
	}
	d, err := Draw(floodResult(), floodFigure(), IEEE())
	if err != nil {
		t.Fatal(err)
	}
	rows := tableOf(t, d)
	n := 0
	for _, name := range floodFigure().Series {
		s := floodResult().FindSeries(name)
		for i := range s.Time {
			r := rows[n]
			if r["series"] != name || number64(t, r["time_s"]) != s.Time[i] {
				t.Fatalf("row %d is %v", n, r)
			}
			if math.IsNaN(s.Value[i]) != (r["value"] == "") {
				t.Fatalf("row %d is %v, want %v", n, r, s.Value[i])
			}
			n++
		}
	}
	if n != len(rows) {
		t.Errorf("%d rows, want %d", len(rows), n)
	}
}
