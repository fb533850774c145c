package main

import (
	"bytes"
	"context"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"tcplab/des"
	"tcplab/plots"
	"tcplab/scenarios"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep/cluster"
)

func TestSignificant(t *testing.T) {
	for _, c := range []struct {
		v    float64
		n    int
		want string
	}{
		{0, 4, "0"}, {1, 4, "1"}, {0.03854, 3, "0.0385"}, {97.25, 4, "97.25"}, {123456, 3, "123456"},
		{0.99996, 4, "1"}, {-2.5, 4, "-2.5"}, {1e-9, 3, "1e-09"}, {2.5e20, 2, "2.5e+20"}, {10, 2, "10"},
	} {
		if got := significant(c.v, c.n); got != c.want {
			t.Errorf("significant(%v, %d) = %q, want %q", c.v, c.n, got, c.want)
		}
	}
}

func TestFormatMetric(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{0.04201056, "s", "42.01 ms"}, {2.04201056, "s", "2.042 s"}, {1.5e-5, "s", "15 µs"}, {0, "s", "0 s"},
		{9.149e6, "bit/s", "9.149 Mbit/s"}, {12e9, "bit/s", "12 Gbit/s"}, {2500, "B", "2.5 kB"}, {89804, "count", "89804 "},
		{1796.6, "count", "1797 "}, {0.5079, "ratio", "0.5079 "}, {97, "entries", "97 entries"},
	} {
		value, unit := formatMetric(measure.Metric{Value: c.v, Unit: c.unit})
		if got := value + " " + unit; got != c.want {
			t.Errorf("%v %s is shown as %q, want %q", c.v, c.unit, got, c.want)
		}
	}
	if value, _ := formatMetric(measure.Metric{Null: true}); value != "-" {
		t.Errorf("no value is shown as %q", value)
	}
}

func testSummary(colour bool) *summary {
	long := "legit.connect_success.during(30s, 120s) < 0.1 and " + strings.Repeat("server.syn_queue_max < 97 and ", 5) + "more"
	return &summary{
		style: style{colour}, dir: "results/x", figures: figures{files: []string{"one", "two"}, formats: []string{"pdf", "svg", "png"}},
		manifest: &scenarios.Manifest{Scenario: "x", Title: strings.Repeat("word ", 30), Seed: 3, Replications: 2, WallSeconds: 0.25,
			Events: 5_000_000, SimulatedSeconds: 180, Parameters: scenarios.Parameters{{Name: "rate", Value: "1000/s"}}},
		outcome: &scenarios.Outcome{
			Result: &measure.Result{Metrics: []measure.Metric{
				{Name: "legit.connect_success", Value: 0.5, Unit: "ratio", Key: true, CI95: &[2]float64{0.4, 0.6}},
				{Name: "legit.connect_p50", Null: true, Unit: "s", Key: true},
				{Name: "server.hidden", Value: 1, Unit: "count"},
				{Name: "server.asked", Value: 123456, Unit: "count"},
			}},
			Expectations: []spec.Outcome{{Passed: true, Message: "a.b < 1: is 0"}, {Message: long}},
		},
		asked: []string{"server.asked"},
	}
}

func TestSummaryFits(t *testing.T) {
	var out bytes.Buffer
	testSummary(false).print(&out)
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(line); n > terminalWidth+1 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	for _, want := range []string{"rate=1000/s seed=3 replications=2", "95% CI 0.4 to 0.6", "no value", "server.asked", "✓ a.b < 1", "✗ legit",
		"180 s simulated in 250ms: 5 M events, 20 M events/s", "results/x/figures/{one,two}.{pdf,svg,png}"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
	for _, bad := range []string{"hidden", "\x1b"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%q in\n%s", bad, &out)
		}
	}
}

func TestSummaryInColour(t *testing.T) {
	var out bytes.Buffer
	testSummary(true).print(&out)
	if !strings.Contains(out.String(), "\x1b[32m✓\x1b[0m") || !strings.Contains(out.String(), "\x1b[31m✗\x1b[0m") {
		t.Errorf("%q", &out)
	}
	if a := (&app{}); a.styleOf(io.Discard).colour {
		t.Error("colour where there is no terminal")
	}
}

// ticking is a progress whose clock moves by a step with every look.
func ticking(out io.Writer, terminal bool, step time.Duration) *progress {
	at := time.Time{}
	p := &progress{out: out, name: "syn-flood", terminal: terminal, now: func() time.Time { at = at.Add(step); return at }}
	p.start = p.now()
	p.next = p.start.Add(p.every())
	return p
}

func TestProgress(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		step     time.Duration
		updates  int
		lines    int
	}{
		{"terminal", true, 50 * time.Millisecond, 20, 10},
		{"file, short run", false, 100 * time.Millisecond, 40, 0},
		{"file, long run", false, time.Second, 20, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			p := ticking(&out, c.terminal, c.step)
			for i := range c.updates {
				p.update(scenarios.Progress{Simulated: des.Time(i) * des.Second, Total: des.Time(c.updates) * des.Second, Events: uint64(i) * 1e6})
			}
			p.finish()
			ends := "\n"
			if c.terminal {
				ends = "\x1b[K"
				if !strings.HasSuffix(out.String(), "\r\x1b[K") {
					t.Errorf("the line is left on the terminal: %q", &out)
				}
			}
			drawn := strings.Count(out.String(), ends)
			if c.terminal {
				drawn-- // the last one wipes
			}
			if drawn != c.lines {
				t.Errorf("%d lines, want %d: %q", drawn, c.lines, &out)
			}
		})
	}
}

func TestProgressLineFits(t *testing.T) {
	for _, at := range []scenarios.Progress{
		{Simulated: 0, Total: 180 * des.Second},
		{Simulated: 77 * des.Second, Total: 180 * des.Second, Events: 123e6},
		{Simulated: 86400 * 364 * des.Second, Total: 86400 * 365 * des.Second, Events: 1e15},
	} {
		line := progressLine("a-scenario-with-a-name-that-does-not-end", at, 3*time.Hour+25*time.Minute, true)
		if n := utf8.RuneCountInString(line); n >= terminalWidth {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	line := progressLine("x", scenarios.Progress{Simulated: 45 * des.Second, Total: 180 * des.Second, Events: 30e6}, 3*time.Second, true)
	if want := "x [####............] 25% of 180s, 10 M events/s, 9s left"; line != want {
		t.Errorf("%q, want %q", line, want)
	}
}

func TestWrap(t *testing.T) {
	got := strings.Join(wrap("one two three  four", 9), "|")
	if got != "one two|three|four" {
		t.Errorf("%q", got)
	}
	if got := wrap("", 9); len(got) != 1 || got[0] != "" {
		t.Errorf("%q", got)
	}
}

func TestSettings(t *testing.T) {
	s := settings{}
	for _, text := range []string{"rate=5/s", "expr=a=b"} {
		if err := s.Set(text); err != nil {
			t.Error(err)
		}
	}
	if s["rate"] != "5/s" || s["expr"] != "a=b" {
		t.Errorf("%v", s)
	}
	for _, text := range []string{"rate", "=5", "rate=6/s"} {
		if s.Set(text) == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// What helps fits a terminal.
func TestHelpIsNarrow(t *testing.T) {
	var pages func(cmd *cobra.Command, path []string)
	pages = func(cmd *cobra.Command, path []string) {
		var stdout, stderr bytes.Buffer
		if got := execute(context.Background(), append(slices.Clone(path), "--help"), &stdout, &stderr); got != exitDone {
			t.Errorf("%v: exit status %d, %s", path, got, &stderr)
		}
		for line := range strings.Lines(stdout.String()) {
			if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > terminalWidth && !slices.Contains(path, "completion") {
				t.Errorf("%v: a line of %d characters: %s", path, n, line)
			}
		}
		for _, c := range cmd.Commands() {
			pages(c, append(slices.Clone(path), c.Name()))
		}
	}
	pages(new(app).root(), nil)
}

// What a scenario can say of styles and formats is what there is.
func TestStylesOfTheLanguage(t *testing.T) {
	for style := range strings.SplitSeq(words(t, "Style"), ",") {
		if _, err := plots.StyleNamed(style); err != nil {
			t.Error(err)
		}
	}
	if got, want := words(t, "Formats"), strings.Join(plots.Formats(), ","); got != want {
		t.Errorf("formats %s, but there are %s", got, want)
	}
}

// words are those that a key of a scenario takes.
func words(t *testing.T, field string) string {
	t.Helper()
	f, ok := reflect.TypeFor[spec.Scenario]().FieldByName(field)
	if !ok {
		t.Fatalf("a scenario has no %s", field)
	}
	return f.Tag.Get("enum")
}

func TestJobsLine(t *testing.T) {
	at := cluster.Progress{Done: 700, Total: 2000, Left: 3 * time.Minute, Reason: "Resources",
		Tasks: map[cluster.State]int{cluster.Running: 2, cluster.Waiting: 9, cluster.Done: 1}}
	for _, c := range []struct {
		bar  bool
		more map[cluster.State]int
		want string
	}{
		{false, nil, "syn-flood-long-name 700/2000 runs, 3m0s left, tasks 9 waiting (Resources), 2 running, 1 done"},
		{true, nil, "syn-flood-l… [###.......] 700/2000 runs, 3m0s left, tasks 9 waiting, 2 running…"},
		{true, map[cluster.State]int{cluster.Done: 12}, "syn-flood-l… [###.......] 700/2000 runs, 3m0s left, tasks 12 done"},
	} {
		if c.more != nil {
			at.Tasks = c.more
		}
		got := jobsLine("syn-flood-long-name", at, c.bar)
		if got != c.want || c.bar && len([]rune(got)) > 79 {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
