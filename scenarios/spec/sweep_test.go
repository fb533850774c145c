package spec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sweepFile is a scenario with a sweep that is given.
func sweepFile(sweep string) []byte {
	return []byte(`version: 1
name: sweep
params:
  rate: {default: 2/s, doc: x}
  size: {default: 100B, doc: x}
duration: 10s
hosts: {client: {}, server: {}}
links: [{ends: [client, server]}]
workloads:
  - {name: web, kind: server, on: server, port: 80}
  - {name: legit, kind: clients, on: client, to: server:80, arrivals: poisson $rate, request: $size}
sweep: ` + sweep + "\n")
}

func TestSweepForms(t *testing.T) {
	s, err := Load("sweep.yaml", sweepFile(`{grid: {rate: log:1/s..100/s:3}, sample: {points: 7, from: {size: lin:1B..1kB}},
  until: {metric: legit.connect_success, ci95_half_width: 0.01, max: 20}, compare: {param: rate, from: 1/s, to: 10/s}}`), nil, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	w := s.Sweep
	if diff := cmp.Diff([]string{"1/s", "10/s", "100/s"}, w.Grid[0].Values); diff != "" {
		t.Error(diff)
	}
	if w.Sample.Design != "latin_hypercube" || w.Sample.From[0].Span == nil || w.Streams != "common" || w.Until.Max != 20 || w.Compare.To != "10/s" {
		t.Errorf("%+v", w)
	}
	if diff := cmp.Diff([]string{"rate", "size"}, w.Params()); diff != "" {
		t.Error(diff)
	}
}

func TestReferenceForms(t *testing.T) {
	s, err := Load("sweep.yaml", sweepFile(`{grid: {rate: [1/s, 2/s], size: [1B, 1kB]}, figures: [{kind: lines, x: rate, y: legit.connect_success, by: size,
  reference: [{label: A 1999, source: figure 3, by: 1000B, points: [[60/min, 50%, 0.4, 60%], [2/s, 0.7]]}]}]}`), nil, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	r := s.Sweep.Figures[0].Reference[0]
	if p := r.Points[0]; p.X != "60/min" || p.Y.Value != 0.5 || p.Low.Value != 0.4 || p.High.Value != 0.6 || r.Points[1].Low != nil || r.By != "1000B" {
		t.Errorf("%+v", r)
	}
}

func TestSweepMistakes(t *testing.T) {
	for _, c := range []struct{ sweep, want string }{
		{`{replications: 3}`, "no parameter varies"},
		{`{grid: {rate: [1/s]}, zip: {rate: [2/s]}}`, "rate varies in two ways"},
		{`{zip: {rate: [1/s, 2/s], size: [1B]}}`, "rate has 2 values and size has 1"},
		{`{grid: {rate: lin:1/s..2/s}}`, "does not say how many values"},
		{`{grid: {rate: lin:1/s..2ms:3}}`, "give both ends one unit"},
		{`{grid: {rate: log:1..100:3}}`, "grid: with rate = 1 line 11 is wrong"},
		{`{zip: {size: [1/s]}}`, "zip: with size = 1/s line 11 is wrong"},
		{`{sample: {points: 3, from: {size: lin:1B..2B:4}}}`, "leave :4 out"},
		{`{sample: {points: 3, from: {rate: lin:1..2}}}`, "from: with rate = 1 line 11 is wrong"},
		{`{sample: {points: 0, from: {size: [1B]}}}`, "0 is too small"},
		{`{grid: {rate: [1/s]}, until: {metric: legit.no, ci95_half_width: 1, max: 9}}`, `has no "no"`},
		{`{grid: {rate: [1/s]}, replications: 9, until: {metric: legit.connect_success, ci95_half_width: 1, max: 3}}`, "less than the replications"},
		{`{grid: {rate: [1/s]}, figures: [{kind: lines, x: rate, y: legit.connect_success, reference: [{label: a, points: [[1/s]]}]}]}`, "a list of 1 where a point belongs (write [X, Y]"},
		{`{grid: {rate: [1/s]}, figures: [{kind: lines, x: rate, y: legit.connect_success, reference: [{label: a, points: [[1/s, much]]}]}]}`, `"much" is not a number with a unit`},
		{`{grid: {rate: [1/s]}, figures: [{kind: lines, x: rate, y: legit.connect_success, reference: [{label: a, points: [[1ms, 1%]]}]}]}`, "x is 1ms where a rate of events belongs"},
		{`{grid: {rate: [1/s]}, figures: [{kind: lines, x: rate, y: legit.connect_success, reference: [{label: a, points: [[1/s, 2ms]]}]}]}`, "2ms is a time, and legit.connect_success is measured in ratios"},
		{`{grid: {rate: [1/s]}, figures: [{kind: lines, x: rate, y: legit.connect_success, reference: [{label: a, points: [[1/s, 0.5, 0.6, 0.4]]}]}]}`, "upside down"},
		{`{grid: {rate: [1/s]}, figures: [{kind: lines, x: rate, y: legit.connect_success, reference: [{label: a, by: 3, points: [[1/s, 0.5]]}]}]}`, "the figure has no groups"},
		{`{grid: {rate: [1/s], size: [1B, 1kB]}, figures: [{kind: lines, x: rate, y: legit.connect_success, by: size, reference: [{label: a, by: 2B, points: [[1/s, 0.5]]}]}]}`, "size does not take the value \"2B\""},
		{`{grid: {rate: [1/s], size: [1B, 1kB]}, figures: [{kind: heatmap, x: rate, y: legit.connect_success, by: size, reference: [{label: a, points: [[1/s, 0.5]]}]}]}`, "only figures of kind lines"},
		{`{grid: {rate: [1/s]}, compare: {param: size, from: 1, to: 2}}`, `"size" does not vary`},
		{`{grid: {rate: [1/s]}, expect: [legit.no > 1]}`, `sweep.yaml:12:39: expect: workload legit has no "no"`},
		{`{grid: {rate: [1/s]}, expect: [legit.connect_success > rate]}`, "rate is a parameter (write $rate)"},
		{`{grid: {rate: [1/s]}, expect: [legit.connect_success > $size]}`, "legit.connect_success is a plain number"},
		{`{grid: {rate: [1/s]}, expect: [legit.connect_success.before(5s) > 1]}`, "legit.connect_success.before(5s): the results of a sweep have metrics of whole runs alone"},
		{`{grid: {rate: [1/s]}, metrics: [web.*], expect: [legit.connect_success > 1]}`, "legit.connect_success is not among the metrics of the results"},
	} {
		_, err := Load("sweep.yaml", sweepFile(c.sweep), nil, testRegistry())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.sweep, err, c.want)
		}
	}
}

// What a sweep expects is about the values at the point.
func TestPointExpectations(t *testing.T) {
	s, err := Load("sweep.yaml", sweepFile(`{grid: {rate: [1/s, 2/s]}, expect: [legit.connect_success < 10s * $rate]}`), nil, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rate   string
		passes bool
	}{{"1/s", false}, {"2/s", true}} {
		expect, err := s.PointExpectations(map[string]string{"rate": c.rate})
		if err != nil || len(expect) != 1 || expect[0].Line != 12 {
			t.Fatal(expect, err)
		}
		o, err := Eval(&expect[0], func(string, *[2]float64) (float64, bool, error) { return 15, false, nil })
		if err != nil || o.Passed != c.passes {
			t.Errorf("at %s: %+v, %v", c.rate, o, err)
		}
	}
	if v, err := s.Variant(map[string]string{"rate": "1/s"}); err != nil || v.Sweep != nil {
		t.Error("a variant has a sweep", err)
	}
}

// A parameter that only names the lines of a figure is of use.
func TestNameOfLines(t *testing.T) {
	for _, c := range []struct {
		by       string
		warnings int
	}{{", by: size", 0}, {"", 1}} {
		text := strings.Replace(string(sweepFile(`{grid: {rate: [1/s], size: [1B, 2B]}, figures: [{kind: lines, x: rate, y: legit.connect_success`+c.by+`}]}`)), ", request: $size", "", 1)
		s, err := Load("sweep.yaml", []byte(text), nil, testRegistry())
		if err != nil || len(s.Warnings) != c.warnings {
			t.Errorf("by %q: %v, %v", c.by, s, err)
		}
	}
}

// A variant is what Load gives with the same values, and loading variants of one
// scenario leaves it as it is.
func TestVariant(t *testing.T) {
	base, err := Load("sweep.yaml", sweepFile(`{grid: {rate: [1/s]}}`), map[string]string{"size": "7B"}, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	before := base.Digest()
	for i := range 3 {
		set := map[string]string{"rate": fmt.Sprintf("%d/s", 5+i)}
		got, err := base.Variant(set)
		if err != nil {
			t.Fatal(err)
		}
		set["size"] = "7B"
		want, err := Load("sweep.yaml", sweepFile(`{grid: {rate: [1/s]}}`), set, testRegistry())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, same...); diff != "" {
			t.Error(diff)
		}
		if got.Digest() != want.Digest() || got.Digest() == before {
			t.Error("the digests do not tell variants apart")
		}
	}
	if _, err := base.Variant(map[string]string{"rate": "5"}); err == nil || !strings.Contains(err.Error(), "sweep.yaml:11:") {
		t.Errorf("error %v of a wrong value", err)
	}
	if base.Digest() != before {
		t.Error("a variant changed its scenario")
	}
}

// The digest is about what is run, and not about how it is written.
func TestDigest(t *testing.T) {
	text := string(sweepFile(`{grid: {rate: [1/s]}}`))
	load := func(text string, set map[string]string) [32]byte {
		t.Helper()
		s, err := Load("x.yaml", []byte(text), set, testRegistry())
		if err != nil {
			t.Fatal(err)
		}
		return s.Digest()
	}
	plain := load(text, nil)
	for _, c := range []struct {
		from, to string
		same     bool
	}{
		{"name: sweep", "name: other\ntitle: of another title", true},
		{"[1/s]", "[1/s, 2/s]", true},
		{"default: 2/s", `default:   "2/s"`, true},
		{"default: 2/s", "default: 3/s", false},
		{"duration: 10s", "duration: 11s", false},
		{"port: 80", "port: 81", false},
		{"duration: 10s", "duration: 10s\nseed: 2", false},
	} {
		changed := strings.ReplaceAll(strings.Replace(text, c.from, c.to, 1), "server:80", map[bool]string{true: "server:81", false: "server:80"}[c.to == "port: 81"])
		if changed == text {
			t.Fatalf("%q is not in the file", c.from)
		}
		if got := load(changed, nil); (got == plain) != c.same {
			t.Errorf("%q in place of %q: same digest is %v", c.to, c.from, !c.same)
		}
	}
	if load(text, map[string]string{"rate": "2/s"}) != plain {
		t.Error("a parameter that is set to its default changes the digest")
	}
}

func BenchmarkVariant(b *testing.B) {
	base, err := Load("sweep.yaml", sweepFile(`{grid: {rate: [1/s]}}`), nil, testRegistry())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := base.Variant(map[string]string{"rate": "7/s"})
		if err != nil {
			b.Fatal(err)
		}
		s.Digest()
	}
}
