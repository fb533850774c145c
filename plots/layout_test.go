package plots

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"tcplab/scenarios/measure"
)

// flaws lists what a reviewer would object to: text that is cut by the page,
// that overlaps other text, or that covers data.
func flaws(d *Drawing, style Style) []string {
	var out []string
	for i, a := range d.labels {
		if a.box.Min.X < 0 || a.box.Min.Y < 0 || a.box.Max.X > vg.Length(d.Width) || a.box.Max.Y > vg.Length(d.Height) {
			out = append(out, fmt.Sprintf("%q is cut by the page of %.0f by %.0f: %v", a.text, d.Width, d.Height, a.box))
		}
		for _, b := range d.labels[:i] {
			if a.box.Min.X < b.box.Max.X && b.box.Min.X < a.box.Max.X && a.box.Min.Y < b.box.Max.Y && b.box.Min.Y < a.box.Max.Y {
				out = append(out, fmt.Sprintf("%q and %q overlap", a.text, b.text))
			}
		}
		for _, m := range d.marks {
			if float64(m.stroke) != style.Line {
				continue
			}
			for j := 1; j < len(m.path); j++ {
				if m.path[j].Type == vg.LineComp && crosses(m.path[j-1].Pos, m.path[j].Pos, a.box) {
					out = append(out, fmt.Sprintf("%q covers a curve", a.text))
					break
				}
			}
		}
	}
	return out
}

// sine is a series with n points from 0 to end seconds around mid.
func sine(name, unit, label string, step bool, n int, end, mid, amplitude float64) measure.Series {
	s := measure.Series{Name: name, Unit: unit, Label: label, Step: step}
	for i := range n {
		s.Time = append(s.Time, float64(i)*end/float64(n))
		s.Value = append(s.Value, mid+amplitude*math.Sin(float64(i)*25/float64(n)))
	}
	return s
}

func manyResult() *measure.Result {
	res := floodResult()
	res.Series = append(res.Series,
		sine("a.offset", "s", "clock offset", false, 200, 180, 0, 1e-4),
		sine("a.segments", "count", "segments sent", true, 180, 180, 1e6, 3e5),
		sine("a.goodput", "bit/s", "goodput λ·(1 − p)", false, 900, 180, 8.2e7, 1.1e7),
		sine("a.short", "entries", "queue", true, 20, 0.02, 5, 5),
		sine("a.long", "1/s", "arrivals", false, 500, 86400, 30, 2),
	)
	for i := range 7 {
		res.Series = append(res.Series, sine(fmt.Sprintf("flow%d.cwnd", i), "B",
			fmt.Sprintf("flow %d, a rather long label", i), false, 300, 180, 50000, float64(i)*7000))
	}
	res.Bands = append(res.Bands,
		measure.Band{Name: "link_down", From: 90, Until: 140},
		measure.Band{Name: "recovery", From: 150, Until: math.Inf(1)},
		measure.Band{Name: "warm_up", From: -5, Until: 5},
	)
	for i := range 400 {
		if i == 0 {
			res.Samples = append(res.Samples, measure.Sample{Name: "a.wide", Unit: "s", Label: "delay"})
		}
		s := &res.Samples[len(res.Samples)-1]
		s.Values = append(s.Values, 1e-6*math.Exp(float64(i)/30))
	}
	return res
}

func TestNothingIsCutOrCovered(t *testing.T) {
	res := manyResult()
	all := []string{"flood", "link_down", "recovery", "warm_up"}
	var flows []string
	for i := range 7 {
		flows = append(flows, fmt.Sprintf("flow%d.cwnd", i))
	}
	for _, fig := range []Figure{
		floodFigure(),
		{Name: "bands", Kind: "timeseries", Series: []string{"a.offset", "a.segments", "a.goodput"}, Events: all},
		{Name: "flows", Kind: "timeseries", Series: flows, Events: all, Limits: []Limit{{flows[0], 60000, "receive window"}}},
		{Name: "split", Kind: "timeseries", Series: flows[:3], Panels: "series"},
		{Name: "short", Kind: "timeseries", Series: []string{"a.short"}},
		{Name: "long", Kind: "timeseries", Series: []string{"a.long"}},
		{Name: "range", Kind: "timeseries", Series: []string{"a.goodput"}, X: Axis{Min: 119.9, Max: 121.3}, Events: all},
		{Name: "high", Kind: "timeseries", Series: []string{"a.goodput", "a.segments"}, Height: 3},
		{Name: "limits", Kind: "timeseries", Series: []string{"a.segments"},
			Limits: []Limit{{"a.segments", 1.35e6, "upper"}, {"a.segments", 2e5, "lower"}}},
		{Name: "latency", Kind: "ecdf", Series: []string{"legit.connect_latency"}, X: Axis{Log: true}},
		{Name: "linear", Kind: "ecdf", Series: []string{"legit.connect_latency"}},
		{Name: "decades", Kind: "ecdf", Series: []string{"a.wide", "legit.connect_latency"}, X: Axis{Log: true}},
	} {
		for _, style := range []Style{IEEE(), Slides(), Screen()} {
			for _, width := range []string{"column", "wide"} {
				fig.Width = width
				fig.Title = "A title <of> the figure"
				if fig.Height != 0 {
					fig.Height = style.Panel * 4
				}
				d, err := Draw(res, fig, style)
				if err != nil {
					t.Errorf("%s, %s, %s: %v", fig.Name, style.Name, width, err)
					continue
				}
				for _, f := range flaws(d, style) {
					t.Errorf("%s, %s, %s: %s", fig.Name, style.Name, width, f)
				}
				if fig.Height != 0 && math.Abs(d.Height-fig.Height*72) > 1e-6 {
					t.Errorf("%s, %s: height %.2f points, want %.2f", fig.Name, style.Name, d.Height, fig.Height*72)
				}
			}
		}
	}
}

// All kinds, in all styles and both widths.
func TestGalleryHasNoFlaws(t *testing.T) {
	seen := map[string]bool{}
	for _, show := range gallery() {
		seen[show.fig.Kind] = true
		for _, style := range []Style{IEEE(), ACM(), Thesis(), Slides(), Screen()} {
			for _, width := range []string{"column", "wide"} {
				show.fig.Width = width
				d, err := show.data.Draw(show.fig, style)
				if err != nil {
					t.Errorf("%s, %s, %s: %v", show.fig.Name, style.Name, width, err)
					continue
				}
				for _, f := range flaws(d, style) {
					t.Errorf("%s, %s, %s: %s", show.fig.Name, style.Name, width, f)
				}
			}
		}
	}
	for _, k := range Kinds() {
		if !seen[k] {
			t.Errorf("the gallery has no %s", k)
		}
	}
}

// The check above must be able to fail.
func TestFlawsAreFound(t *testing.T) {
	d, err := Draw(floodResult(), floodFigure(), IEEE())
	if err != nil {
		t.Fatal(err)
	}
	d.face, err = openTypeface("")
	if err != nil {
		t.Fatal(err)
	}
	st := textStyle{size: 7, color: black}
	d.text("over the edge", st, vg.Point{X: vg.Length(d.Width) - 20, Y: 50})
	for i := range 20 {
		d.text("on a curve", st, vg.Point{X: 60, Y: vg.Length(10 * i)})
	}
	got := strings.Join(flaws(d, IEEE()), "\n")
	for _, want := range []string{"cut by the page", "overlap", "covers a curve"} {
		if !strings.Contains(got, want) {
			t.Errorf("no flaw %q in:\n%s", want, got)
		}
	}
}

func TestAnyRangeIsDrawnWithoutFlaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		magnitude := math.Pow(10, rapid.Float64Range(-8, 11).Draw(t, "decade"))
		unit := rapid.SampledFrom([]string{"s", "1/s", "bit/s", "B", "count", "entries", "packets", "ratio"}).Draw(t, "unit")
		end := math.Pow(10, rapid.Float64Range(-5, 6).Draw(t, "end"))
		n := rapid.IntRange(1, 60).Draw(t, "points")
		mid := rapid.Float64Range(-1, 3).Draw(t, "mid") * magnitude
		s := sine("x.quantity", unit, "some quantity", rapid.Bool().Draw(t, "step"), n, end, mid, magnitude)
		fig := Figure{Kind: "timeseries", Series: []string{s.Name}}
		d, err := Draw(&measure.Result{Series: []measure.Series{s}}, fig, IEEE())
		if err != nil {
			t.Fatal(err)
		}
		if f := flaws(d, IEEE()); len(f) > 0 {
			t.Fatal(strings.Join(f, "\n"))
		}
		labelled := map[bool]int{}
		for _, l := range d.labels {
			labelled[strings.Trim(l.text, "−0123456789.") == ""]++
		}
		if labelled[true] < 4 {
			t.Fatalf("%d tick labels on both axes, want at least 2 on each: %v", labelled[true], d.labels)
		}
	})
}

// Sweeps and samples of any size and magnitude are drawn without flaw.
func TestAnySweepIsDrawnWithoutFlaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := math.Pow(10, rapid.Float64Range(-6, 9).Draw(t, "x decade"))
		ys := math.Pow(10, rapid.Float64Range(-6, 10).Draw(t, "y decade"))
		unit := rapid.SampledFrom([]string{"s", "1/s", "bit/s", "B", "count", "packets", "ratio", ""}).Draw(t, "unit")
		s := &Sweep{Params: []Column{{Name: "size", Unit: unit}, {Name: "kind"}}, Metrics: []Column{{Name: "a.result", Unit: unit}}}
		groups := rapid.IntRange(1, 7).Draw(t, "groups")
		n := rapid.IntRange(1, 20).Draw(t, "points")
		spread := rapid.Float64Range(1.01, 3).Draw(t, "spread")
		for g := range groups {
			for i := range n {
				x := xs * math.Pow(spread, float64(i))
				y := ys * rapid.Float64Range(0.01, 1).Draw(t, "y")
				s.Points = append(s.Points, Point{
					Params:  []Value{{fmt.Sprint(x), x}, {fmt.Sprintf("group %d", g), math.NaN()}},
					Metrics: []Estimate{{y, y * 0.9, y * 1.2, 5}},
				})
			}
		}
		log := rapid.Bool().Draw(t, "log")
		for _, kind := range []string{"lines", "heatmap"} {
			fig := Figure{Kind: kind, Series: []string{"a.result"}, Over: "size", By: "kind",
				Intervals: rapid.SampledFrom([]string{"bars", "bands", "none"}).Draw(t, "intervals"), X: Axis{Log: log}}
			if kind == "lines" {
				fig.Y = []Axis{{Log: rapid.Bool().Draw(t, "log y")}}
			}
			d, err := (&Data{Sweep: s}).Draw(fig, IEEE())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range flaws(d, IEEE()) {
				if !strings.HasSuffix(f, "covers a curve") {
					t.Fatal(kind, f)
				}
			}
			for _, m := range d.marks {
				for _, c := range m.path {
					if c.Type != vg.CloseComp && !(c.Pos.X >= -1 && float64(c.Pos.X) <= d.Width+1 && c.Pos.Y >= -1 && float64(c.Pos.Y) <= d.Height+1) {
						t.Fatalf("%s: a mark at %v is off the page of %.0f by %.0f", kind, c.Pos, d.Width, d.Height)
					}
				}
			}
		}
	})
}
