package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"tcplab/plots"
	"tcplab/plots/report"
	"tcplab/scenarios"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep"
)

// reportName is the page in a results directory.
const reportName = "report.html"

func (a *app) reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR",
		Short: "Write the page of a results directory again, without running",
		Long: `Write DIR/report.html from what is in DIR, of a run or of a sweep: one page with the
question, parameters, expectations, figures that can be enlarged and read,
connections in slow motion, metrics, links to the files beside it and how to make
it again. It needs no network, and run and sweep write it, too.`,
		Example:           "  tcplab report results/syn-flood",
		Args:              needs(1, "one DIR"),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		RunE:              func(_ *cobra.Command, args []string) error { return a.reportAgain(args[0]) },
	}
}

func (a *app) reportAgain(dir string) (err error) {
	var page *report.Page
	if sweep.IsSweep(dir) {
		s, _, err := sweep.Open(dir, scenarios.Registry())
		if err != nil {
			return err
		}
		if page, err = sweepPage(s, dir); err != nil {
			return err
		}
	} else {
		stored, err := scenarios.Open(dir, scenarios.Registry())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stored.Close()) }()
		data, err := stored.FigureData()
		if err != nil {
			return err
		}
		if page, err = runPage(&stored.Manifest, data, stored.Scenario, dir); err != nil {
			return err
		}
	}
	if err := writePage(page, dir); err != nil {
		return err
	}
	a.print("%s\n", filepath.Join(dir, reportName))
	return nil
}

func writePage(page *report.Page, dir string) error {
	var out bytes.Buffer
	if err := page.Write(&out); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, reportName), out.Bytes(), 0o644)
}

// runPage describes the page of a run whose files are in a directory.
func runPage(m *scenarios.Manifest, data *scenarios.FigureData, sc *spec.Scenario, dir string) (*report.Page, error) {
	summary, err := scenarios.ReadSummary(dir)
	if err != nil {
		return nil, err
	}
	p := &report.Page{Kind: "run", Name: m.Scenario, Title: m.Title, Question: m.Question}
	if p.Question == "" {
		p.Question = sc.Description
	}
	for _, x := range m.Parameters {
		p.Parameters = append(p.Parameters, report.Parameter{Name: x.Name, Value: x.Value, Default: valueOf(m.Defaults, x.Name), Meaning: valueOf(m.Meanings, x.Name)})
	}
	for _, v := range summary.Expectations {
		p.Expectations = append(p.Expectations, report.Expectation{Text: v.Text, Passed: v.Passed, Message: strings.TrimPrefix(v.Message, v.Text+": ")})
	}
	p.Metrics = pageMetrics(summary.Metrics, sc)
	if p.Traces, err = m.ReadTraces(dir); err != nil {
		return nil, err
	}
	for _, l := range layOut(data, sc, pageStyle()) {
		if l.err != nil {
			if !errors.Is(l.err, plots.ErrNoData) {
				p.Remarks = append(p.Remarks, l.err.Error())
			}
			continue
		}
		p.Figures = append(p.Figures, pageFigure(l.drawing, dir))
	}
	p.Remarks = append(p.Remarks, runRemarks(m)...)
	p.Files = runFiles(m, dir)
	p.Facts = runFacts(m)
	line := "tcplab run scenario.yaml --out again"
	if m.Replications > 1 {
		line += fmt.Sprintf(" --replications %d", m.Replications)
	}
	p.Commands = []report.Command{{Line: line, Meaning: "The same results again, in the directory of this page:"}}
	return p, nil
}

// pageStyle lays figures out for a page, which has their titles beside them.
func pageStyle() plots.Style {
	style := plots.Screen()
	style.Titles = false
	return style
}

func valueOf(list scenarios.Parameters, name string) string {
	for _, p := range list {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

func pageFigure(d *plots.Drawing, dir string) report.Figure {
	f := report.Figure{Chart: d.Chart(report.FigurePoints)}
	for _, format := range plots.Formats() {
		path := scenarios.FiguresDir + "/" + d.Name + "." + format
		if isFile(dir, path) {
			f.Files = append(f.Files, report.File{Path: path, Label: format})
		}
	}
	return f
}

// pageMetrics are metrics for people. Those that expectations ask for come with
// those of a short summary.
func pageMetrics(list []measure.Metric, sc *spec.Scenario) (out []report.Metric) {
	var asked []string
	for i := range sc.Expect {
		asked = append(asked, sc.Expect[i].Metrics()...)
	}
	docs, keys := metricDocs()
	for _, m := range list {
		_, quantity, _ := strings.Cut(m.Name, ".")
		x := report.Metric{Name: m.Name, Meaning: docs[quantity], Key: keys[quantity] || slices.Contains(asked, m.Name)}
		x.Value, x.Unit = formatMetric(m)
		if m.CI95 != nil && !m.Null {
			x.Low, x.High = formatInterval(m)
		}
		out = append(out, x)
	}
	return out
}

// metricDocs says what quantities mean, if all owners mean the same, and which
// are those of a short summary.
func metricDocs() (docs map[string]string, keys map[string]bool) {
	docs, keys = map[string]string{}, map[string]bool{}
	for _, q := range measure.Catalogue() {
		if doc, known := docs[q.Name]; known && doc != q.Doc {
			docs[q.Name] = ""
		} else {
			docs[q.Name] = q.Doc
		}
		keys[q.Name] = keys[q.Name] || q.Key
	}
	return docs, keys
}

func runRemarks(m *scenarios.Manifest) (list []string) {
	if m.Replications > 1 {
		list = append(list, fmt.Sprintf("Metrics and series are means over %d replications; the connections are those of the first.", m.Replications))
	}
	if n := m.ConnectionsLeftOut; n > 0 {
		list = append(list, fmt.Sprintf("%d connections came after the table of connections was full: figures of connections show the first ones only.", n))
	}
	return list
}

// runFiles are the files of a run, as the manifest and the directory have them.
func runFiles(m *scenarios.Manifest, dir string) []report.Files {
	list := []report.Files{{Label: "results", List: []report.File{file("summary.json"), file("connections.csv"), file("manifest.json")}},
		{Label: "scenario", Meaning: "as it was run, with the values of all parameters", List: []report.File{file("scenario.yaml")}}}
	if len(m.Captured) > 0 {
		list = append(list, report.Files{Label: "packets", Meaning: "as seen at " + strings.Join(m.Captured, ", ") + ", for Wireshark", List: []report.File{file(scenarios.PacketsName)}})
	}
	var series, samples []report.File
	for _, s := range m.Series {
		series = append(series, report.File{Path: "series/" + s.Name + ".csv", Label: s.Name})
	}
	for _, s := range m.Samples {
		samples = append(samples, report.File{Path: "samples/" + s.Name + ".csv", Label: s.Name})
	}
	list = append(list, report.Files{Label: "series", Meaning: "over time", List: series}, report.Files{Label: "samples", Meaning: "single values of distributions", List: samples},
		folder(dir, "sequences", "sequences", "what happened to the sequence numbers of a connection"),
		folder(dir, "trace", "traces", "everything that happened at both ends of a connection"))
	return slices.DeleteFunc(list, func(f report.Files) bool { return len(f.List) == 0 })
}

func file(name string) report.File { return report.File{Path: name, Label: name} }

// folder links to the CSV files of a folder, those named by numbers in order.
func folder(dir, name, label, meaning string) report.Files {
	f := report.Files{Label: label, Meaning: meaning}
	entries, err := os.ReadDir(filepath.Join(dir, name))
	if err != nil {
		return f
	}
	for _, e := range entries {
		if stem, ok := strings.CutSuffix(e.Name(), ".csv"); ok {
			f.List = append(f.List, report.File{Path: name + "/" + e.Name(), Label: stem})
		}
	}
	slices.SortStableFunc(f.List, func(a, b report.File) int {
		x, err1 := strconv.Atoi(a.Label)
		y, err2 := strconv.Atoi(b.Label)
		if err1 != nil || err2 != nil {
			return 0
		}
		return x - y
	})
	return f
}

func runFacts(m *scenarios.Manifest) []report.Fact {
	facts := []report.Fact{
		{Name: "scenario", Value: m.Scenario, Code: true}, {Name: "SHA-256 of scenario.yaml", Value: m.SHA256, Code: true},
		{Name: "seed", Value: strconv.FormatUint(m.Seed, 10)}, {Name: "replications", Value: strconv.Itoa(m.Replications)},
		{Name: "simulated time", Value: significant(m.SimulatedSeconds, 9) + " s"},
		{Name: "events", Value: grouped(m.Events)}, {Name: "packets", Value: grouped(m.Packets)},
	}
	return append(facts, originFacts(m.Version, m.Go, m.Scenario, m.SHA256, m.Seed)...)
}

func originFacts(version, goVersion, scenario, sum string, seed uint64) []report.Fact {
	return []report.Fact{{Name: "made by", Value: "tcplab " + version + ", " + goVersion},
		{Name: "cite as", Value: fmt.Sprintf("tcplab %s, scenario %s (SHA-256 %.12s), seed %d", version, scenario, sum, seed)}}
}

// grouped writes a count with its digits in groups of three.
func grouped(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}
