package plots

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/go-fonts/liberation/liberationserifregular"

	"tcplab/scenarios/measure"
)

func TestErrorsNameWhatIsWrongAndRight(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*measure.Result, *Figure, *Style)
		want   []string
	}{
		{"unknown kind", func(_ *measure.Result, f *Figure, _ *Style) { f.Kind = "timeserie" },
			[]string{`kind: no "timeserie"`, `did you mean "timeseries"?`, "have timeseries, ecdf"}},
		{"unknown series", func(_ *measure.Result, f *Figure, _ *Style) { f.Series[0] = "server.synqueue"; f.Limits = nil },
			[]string{"figure syn-flood", `series: no "server.synqueue"`, `did you mean "server.syn_queue"?`, "legit.connect_success"}},
		{"two unknown at once", func(_ *measure.Result, f *Figure, _ *Style) { f.Series = []string{"a.b", "c.d"}; f.Limits = nil },
			[]string{`no "a.b"`, `no "c.d"`}},
		{"unknown event", func(_ *measure.Result, f *Figure, _ *Style) { f.Events = []string{"fload"} },
			[]string{`event: no "fload"`, `did you mean "flood"?`}},
		{"no bands at all", func(r *measure.Result, _ *Figure, _ *Style) { r.Bands = nil },
			[]string{`event: no "flood" (this run has none)`}},
		{"unknown limit", func(_ *measure.Result, f *Figure, _ *Style) { f.Limits[0].Series = "legit.connect_succes" },
			[]string{"limits", `did you mean "legit.connect_success"?`}},
		{"limit without a value", func(_ *measure.Result, f *Figure, _ *Style) { f.Limits[0].Value = math.NaN() },
			[]string{"limits", "NaN", "must be a number"}},
		{"series twice", func(_ *measure.Result, f *Figure, _ *Style) { f.Series = append(f.Series, f.Series[0]) },
			[]string{`"server.syn_queue" is named twice`}},
		{"no series", func(_ *measure.Result, f *Figure, _ *Style) { f.Series, f.Limits = nil, nil },
			[]string{"series: name at least one"}},
		{"file name", func(_ *measure.Result, f *Figure, _ *Style) { f.Name = "../x" },
			[]string{`"../x" cannot name a file`}},
		{"panels", func(_ *measure.Result, f *Figure, _ *Style) { f.Panels = "units" },
			[]string{`panels: no "units"`, `did you mean "unit"?`}},
		{"width", func(_ *measure.Result, f *Figure, _ *Style) { f.Width = "double" },
			[]string{`width: no "double"`, "have column, wide"}},
		{"range", func(_ *measure.Result, f *Figure, _ *Style) { f.X = Axis{Min: 5, Max: 2} },
			[]string{"from 5 to 2", "the maximum must be greater"}},
		{"too many axes", func(_ *measure.Result, f *Figure, _ *Style) { f.Y = make([]Axis, 4) },
			[]string{"4 axes", "3 panels"}},
		{"logarithmic time", func(_ *measure.Result, f *Figure, _ *Style) { f.X.Log = true },
			[]string{"time axis", "leave X.Log false"}},
		{"too low", func(_ *measure.Result, f *Figure, _ *Style) { f.Height = 0.5 },
			[]string{"height 0.50 in is too small for 3 panels", "at least"}},
		{"style", func(_ *measure.Result, _ *Figure, s *Style) { s.Line = 0 },
			[]string{`style "ieee": Line is 0`, "must be positive"}},
		{"letter", func(r *measure.Result, _ *Figure, _ *Style) { r.Series[0].Label = "队列" },
			[]string{`text "队列"`, "Liberation Sans has no letter '队'", "FontFile"}},
		{"font", func(_ *measure.Result, _ *Figure, s *Style) { s.FontFile = "figure_test.go" },
			[]string{"font figure_test.go", "must be an OpenType file"}},
		{"unequal lengths", func(r *measure.Result, _ *Figure, _ *Style) { r.Series[0].Time = r.Series[0].Time[:9] },
			[]string{"series server.syn_queue: 9 times but 181 values"}},
		{"time backwards", func(r *measure.Result, _ *Figure, _ *Style) { r.Series[0].Time[5] = 3 },
			[]string{"time runs backwards from 4 s to 3 s"}},
		{"infinite", func(r *measure.Result, _ *Figure, _ *Style) { r.Series[0].Value[5] = math.Inf(1) },
			[]string{"point 5", "+Inf", "must be finite"}},
	} {
		res, fig, style := floodResult(), floodFigure(), IEEE()
		c.change(res, &fig, &style)
		_, err := Draw(res, fig, style)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q is not in the error %q", c.name, w, err)
			}
		}
	}
}

func TestECDFErrors(t *testing.T) {
	res := floodResult()
	res.Samples = append(res.Samples,
		measure.Sample{Name: "a.size", Unit: "B", Values: []float64{1, 2}},
		measure.Sample{Name: "a.zero", Unit: "s", Values: []float64{0, 2}},
		measure.Sample{Name: "a.none", Unit: "s"})
	for _, c := range []struct {
		fig  Figure
		want string
	}{
		{Figure{Series: []string{"legit.latency"}}, `did you mean "legit.connect_latency"?`},
		{Figure{Series: []string{"legit.connect_latency", "a.size"}}, "cannot share an axis: draw two figures"},
		{Figure{Series: []string{"a.zero"}, X: Axis{Log: true}}, "a logarithmic axis cannot show 0"},
		{Figure{Series: []string{"a.size"}, Events: []string{"flood"}}, "distributions have no time axis"},
		{Figure{Series: []string{"a.size"}, Limits: []Limit{{Series: "a.size"}}}, "limits: distributions have none"},
	} {
		c.fig.Kind = "ecdf"
		if _, err := Draw(res, c.fig, IEEE()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.fig, err, c.want)
		}
	}
	if _, err := Draw(res, Figure{Kind: "ecdf", Series: []string{"a.none"}}, IEEE()); !errors.Is(err, ErrNoData) {
		t.Errorf("an empty sample: error %v, want ErrNoData", err)
	}
}

func TestSeriesWithoutValues(t *testing.T) {
	res := floodResult()
	for i := range res.Series[1].Value {
		res.Series[1].Value[i] = math.NaN()
	}
	fig := floodFigure()
	d, err := Draw(res, fig, IEEE())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.labels, func(l placedText) bool { return l.text == "no values" }) {
		t.Error("an empty panel does not say that it is empty")
	}
	fig.Series, fig.Limits = fig.Series[1:2], nil
	if _, err := Draw(res, fig, IEEE()); !errors.Is(err, ErrNoData) {
		t.Errorf("a figure without a value: error %v, want ErrNoData", err)
	}
}

// texts lists what is written in a drawing, in one string.
func texts(d *Drawing) string {
	var out []string
	for _, l := range d.labels {
		out = append(out, l.text)
	}
	return strings.Join(out, "|")
}

func TestWhatAFigureSays(t *testing.T) {
	d, err := Draw(floodResult(), floodFigure(), IEEE())
	if err != nil {
		t.Fatal(err)
	}
	got := texts(d)
	for want, times := range map[string]int{
		"flood": 1, "backlog 256": 1, "time (s)": 1, "half-open|connections": 1,
		"success ratio": 1, "retransmissions|per second": 1, "0.0|0.5|1.0": 1, "180": 1,
	} {
		if n := strings.Count(got, want); n != times {
			t.Errorf("%q is there %d times, want %d, in %s", want, n, times, got)
		}
	}
	if strings.Contains(got, floodFigure().Title) {
		t.Error("the ieee style draws a title, which is for the caption")
	}
	slides, err := Draw(floodResult(), floodFigure(), Slides())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(texts(slides), floodFigure().Title) {
		t.Error("the slides style draws no title")
	}
}

// What has the same label is told apart by its owner.
func TestOwnersTellApart(t *testing.T) {
	res := &measure.Result{
		Series: []measure.Series{
			sine("flow_1.goodput", "bit/s", "goodput", true, 50, 10, 5e6, 1e6),
			sine("flow_2.goodput", "bit/s", "goodput", true, 50, 10, 4e6, 1e6),
			sine("flow_2.sent", "bit/s", "sent", true, 50, 10, 4e6, 1e6),
		},
		Samples: []measure.Sample{
			{Name: "near.latency", Unit: "s", Label: "time to connect", Values: []float64{1, 2}},
			{Name: "far.latency", Unit: "s", Label: "time to connect", Values: []float64{2, 3}},
		},
	}
	for _, c := range []struct {
		fig  Figure
		want []string
	}{
		{Figure{Kind: "timeseries", Series: []string{"flow_1.goodput", "flow_2.goodput"}}, []string{"goodput (Mbit/s)", "flow 1|flow 2"}},
		{Figure{Kind: "timeseries", Series: []string{"flow_1.goodput", "flow_2.goodput", "flow_2.sent"}},
			[]string{"data rate (Mbit/s)", "goodput, flow 1|goodput, flow 2|sent"}},
		{Figure{Kind: "timeseries", Series: []string{"flow_1.goodput", "flow_2.goodput"}, Panels: "series"},
			[]string{"goodput, flow|1 (Mbit/s)", "goodput, flow|2 (Mbit/s)"}},
		{Figure{Kind: "ecdf", Series: []string{"near.latency", "far.latency"}}, []string{"time to connect (s)", "near|far"}},
	} {
		d, err := Draw(res, c.fig, IEEE())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if got := texts(d); !strings.Contains(got, want) {
				t.Errorf("%v, %q: no %q in %s", c.fig.Series, c.fig.Panels, want, got)
			}
		}
	}
}

func TestFontFile(t *testing.T) {
	style := IEEE()
	style.FontFile = filepath.Join(t.TempDir(), "serif.ttf")
	if err := os.WriteFile(style.FontFile, liberationserifregular.TTF, 0o644); err != nil {
		t.Fatal(err)
	}
	serif, err := Draw(floodResult(), floodFigure(), style)
	if err != nil {
		t.Fatal(err)
	}
	sans, err := Draw(floodResult(), floodFigure(), IEEE())
	if err != nil {
		t.Fatal(err)
	}
	if serif.labels[0].box == sans.labels[0].box {
		t.Error("the font file changes nothing")
	}
}

func TestAutomatic(t *testing.T) {
	res := floodResult()
	res.Series = append(res.Series,
		sine("server.zero", "packets", "", false, 10, 10, 0, 0),
		sine("server.a", "s", "", false, 10, 10, 1, 1),
		sine("server.b", "bit/s", "", false, 10, 10, 1, 1),
		sine("server.c", "1/s", "", false, 10, 10, 1, 1))
	res.Samples = append(res.Samples, measure.Sample{Name: "a.none", Unit: "s"}, measure.Sample{Name: "a.one", Unit: "s", Values: []float64{2, 2, 2}})
	res.Bands = append(res.Bands, measure.Band{Name: "nearly always", From: 2, Until: 180})
	level := func(name, unit string, v float64) measure.Series {
		return measure.Series{Name: name, Unit: unit, Time: []float64{0, 180}, Value: []float64{v, v}}
	}
	res.Series = append(res.Series,
		level("quiet.utilization", "ratio", 0.05), level("quiet.packets", "1/s", 3),
		level("lossy.utilization", "ratio", 0.05), level("lossy.dropped", "1/s", 3))
	type brief struct{ name, series string }
	var got []brief
	var drawings []*Drawing
	for _, fig := range Automatic(res) {
		got = append(got, brief{fig.Name, strings.Join(fig.Series, " ")})
		d, err := Draw(res, fig, Screen())
		if err != nil {
			t.Fatal(err)
		}
		drawings = append(drawings, d)
		if fig.Kind == "timeseries" && !slices.Equal(fig.Events, []string{"flood"}) {
			t.Errorf("%s shades %v", fig.Name, fig.Events)
		}
	}
	want := []brief{
		{"server", "server.syn_queue server.synack_retransmits server.accept_queue server.a server.b"},
		{"server-2", "server.c"},
		{"legit", "legit.connect_success"},
		{"lossy", "lossy.utilization lossy.dropped"},
		{"legit_connect_latency_ecdf", "legit.connect_latency"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, d := range drawings {
		for _, f := range flaws(d, Screen()) {
			t.Errorf("%s: %s", d.Name, f)
		}
	}
	if figs := Automatic(&measure.Result{}); len(figs) != 0 {
		t.Errorf("figures of nothing: %v", figs)
	}
}

func TestStyleNamed(t *testing.T) {
	for _, name := range []string{"ieee", "acm", "thesis", "slides", "screen"} {
		if s, err := StyleNamed(name); err != nil || s.Name != name {
			t.Errorf("%s: %v, %v", name, s.Name, err)
		}
	}
	if _, err := StyleNamed("acn"); err == nil || !strings.Contains(err.Error(), "have ieee, acm, thesis, slides, screen") {
		t.Errorf("unknown style: %v", err)
	}
}

// Colours must differ in lightness or dashes, as they do on a grey printer.
func TestLooksDifferInGrey(t *testing.T) {
	grey := func(l look) float64 {
		return 0.299*float64(l.color.R) + 0.587*float64(l.color.G) + 0.114*float64(l.color.B)
	}
	for i, a := range looks {
		for _, b := range looks[:i] {
			if math.Abs(grey(a)-grey(b)) < 25 && slices.Equal(a.dashes, b.dashes) {
				t.Errorf("%v and %v look the same in grey", a, b)
			}
		}
	}
}

// Panels of the same quantity say whose it is.
func TestPanelLabels(t *testing.T) {
	l := &lineFigure{sweep: &Sweep{Metrics: []Column{{Name: "near_user.delay"}, {Name: "far.delay"}, {Name: "far.loss"}}}, metrics: []int{0, 1, 2}}
	for i, want := range []string{"near user: delay", "far: delay", "loss"} {
		if got := l.panelLabel(l.sweep.Metrics[i]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
