package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tcplab/scenarios"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// style is how text is marked, plain if it does not go to a terminal.
type style struct{ colour bool }

func (a *app) styleOf(w io.Writer) style {
	return style{isTerminal(w) && os.Getenv("NO_COLOR") == ""}
}

func (s style) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string { return s.paint("1", text) }

func (s style) mark(passed bool) string {
	if passed {
		return s.paint("32", "✓")
	}
	return s.paint("31", "✗")
}

// summary is what run prints: at most 80 characters wide, but for long names.
type summary struct {
	style    style
	manifest *scenarios.Manifest
	outcome  *scenarios.Outcome
	// asked are the metrics that expectations name.
	asked   []string
	dir     string
	figures figures
}

func (s *summary) print(w io.Writer) {
	var out strings.Builder
	m := s.manifest
	title := m.Scenario
	if m.Title != "" {
		title += ": " + m.Title
	}
	for _, line := range wrap(title, terminalWidth) {
		out.WriteString(s.style.bold(line) + "\n")
	}
	s.setting(&out)
	out.WriteString("\n")
	s.metrics(&out)
	if len(s.outcome.Expectations) > 0 {
		out.WriteString("\n")
	}
	for _, e := range s.outcome.Expectations {
		s.expectation(&out, e)
	}
	out.WriteString("\n")
	s.files(&out)
	_, _ = io.WriteString(w, out.String())
}

// setting prints the parameters and the seed.
func (s *summary) setting(out *strings.Builder) {
	var parts []string
	for _, p := range s.manifest.Parameters {
		parts = append(parts, p.Name+"="+p.Value)
	}
	parts = append(parts, fmt.Sprintf("seed=%d", s.manifest.Seed))
	if n := s.manifest.Replications; n > 1 {
		parts = append(parts, fmt.Sprintf("replications=%d", n))
	}
	for _, line := range wrap(strings.Join(parts, " "), terminalWidth) {
		out.WriteString(line + "\n")
	}
}

// metrics prints the metrics that a short summary shows and those that
// expectations name, with confidence intervals if there are any.
func (s *summary) metrics(out *strings.Builder) {
	width := 0
	var shown []measure.Metric
	for _, m := range s.outcome.Result.Metrics {
		if m.Key || slices.Contains(s.asked, m.Name) {
			shown = append(shown, m)
			width = max(width, len(m.Name))
		}
	}
	for _, m := range shown {
		value, unit := formatMetric(m)
		line := fmt.Sprintf("  %-*s  %10s %s", width, m.Name, value, unit)
		if m.CI95 != nil {
			low, high := formatInterval(m)
			line = fmt.Sprintf("  %-*s  %10s %-11s 95%% CI %s to %s", width, m.Name, value, unit, low, high)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func (s *summary) expectation(out *strings.Builder, e spec.Outcome) {
	lines := wrap(e.Message, terminalWidth-4)
	out.WriteString("  " + s.style.mark(e.Passed) + " " + lines[0] + "\n")
	for _, line := range lines[1:] {
		out.WriteString("    " + line + "\n")
	}
}

func (s *summary) files(out *strings.Builder) {
	m := s.manifest
	wall := time.Duration(m.WallSeconds * float64(time.Second))
	fmt.Fprintf(out, "%s s simulated in %s: %s events, %s events/s\n", significant(m.SimulatedSeconds, 6), roughly(wall),
		prefixed(float64(m.Events)), perSecond(m.Events, wall))
	fmt.Fprintf(out, "results  %s\n", filepath.Clean(s.dir)+string(filepath.Separator))
	if len(s.figures.files) > 0 {
		fmt.Fprintf(out, "figures  %s\n", figureLine(s.dir, s.figures))
	}
	fmt.Fprintf(out, "report   %s\n", filepath.Join(s.dir, reportName))
	if len(m.Captured) > 0 {
		fmt.Fprintf(out, "packets  %s, as seen at %s\n", filepath.Join(s.dir, scenarios.PacketsName), strings.Join(m.Captured, ", "))
	}
}

// formatMetric writes a value for people, in a unit of handy size.
func formatMetric(m measure.Metric) (value, unit string) {
	if m.Null {
		return "-", "no value"
	}
	scale, unit := handyUnit(m.Value, m.Unit)
	return formatScaled(m.Value/scale, m.Unit), unit
}

func formatInterval(m measure.Metric) (low, high string) {
	scale, _ := handyUnit(m.Value, m.Unit)
	return formatScaled(m.CI95[0]/scale, m.Unit), formatScaled(m.CI95[1]/scale, m.Unit)
}

// formatScaled writes whole counts in full and everything else with four digits
// that count.
func formatScaled(v float64, unit string) string {
	if unit == "count" && v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return significant(v, 4)
}

// handyUnit returns by how much a value is divided to be shown, and the unit
// that it then has.
func handyUnit(v float64, unit string) (scale float64, shown string) {
	v = math.Abs(v)
	switch unit {
	case "s":
		switch {
		case v >= 1 || v == 0:
			return 1, "s"
		case v >= 1e-3:
			return 1e-3, "ms"
		default:
			return 1e-6, "µs"
		}
	case "bit/s", "B":
		for _, p := range []struct {
			scale float64
			name  string
		}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
			if v >= p.scale {
				return p.scale, p.name + unit
			}
		}
		return 1, unit
	case "count", "ratio":
		return 1, ""
	default:
		return 1, unit
	}
}

// significant writes v with at most n digits that count and without an exponent
// where it is not needed.
func significant(v float64, n int) string {
	if v == 0 {
		return "0"
	}
	magnitude := int(math.Floor(math.Log10(math.Abs(v))))
	if magnitude < -5 || magnitude >= 15 {
		return strconv.FormatFloat(v, 'g', n, 64)
	}
	text := strconv.FormatFloat(v, 'f', max(0, n-1-magnitude), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// prefixed writes a large number with three digits that count and a prefix.
func prefixed(v float64) string {
	for _, p := range []struct {
		scale float64
		name  string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if v >= p.scale {
			return significant(v/p.scale, 3) + p.name
		}
	}
	return significant(v, 3)
}
