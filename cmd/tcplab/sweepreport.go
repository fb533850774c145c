package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tcplab/plots"
	"tcplab/plots/report"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/sweep"
)

// Bounds of the table of points on a page.
const (
	mostPagePoints  = 500
	mostPageColumns = 8
	// mostPageCells bounds the points times metrics that are read for a page: of a
	// larger sweep the metrics of the table alone.
	mostPageCells = 1_000_000
)

// sweepPage describes the page of a finished sweep.
func sweepPage(s *sweep.Sweep, dir string) (*report.Page, error) {
	m, err := sweep.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	p := &report.Page{Kind: "sweep", Name: m.Scenario, Title: m.Title, Question: s.Scenario.OpeningComment()}
	if p.Question == "" {
		p.Question = s.Scenario.Description
	}
	for _, x := range s.Scenario.Params {
		q := report.Parameter{Name: x.Name, Value: x.Value, Meaning: x.Doc}
		if slices.Contains(s.Design.Params, x.Name) {
			q.Value = "varies"
		} else if x.Set {
			q.Default = x.Default
		}
		p.Parameters = append(p.Parameters, q)
	}
	if p.Expectations, err = sweepExpectations(s, dir); err != nil {
		return nil, err
	}
	list, err := laySweep(s, dir, pageStyle())
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		switch {
		case l.err == nil && l.missing == "":
			p.Figures = append(p.Figures, pageFigure(l.drawing, dir))
		case l.err != nil && !errors.Is(l.err, plots.ErrNoData):
			p.Remarks = append(p.Remarks, l.err.Error())
		}
	}
	if p.Sweep, err = sweepPoints(s, m, dir); err != nil {
		return nil, err
	}
	if n := len(p.Sweep.Spreads); n < countMetrics(m) {
		p.Remarks = append(p.Remarks, fmt.Sprintf("The sweep is large: of its %d metrics %d are on this page, all are in summary.csv.", countMetrics(m), n))
	}
	p.Files = sweepFiles(dir)
	p.Facts = []report.Fact{
		{Name: "scenario", Value: m.Scenario, Code: true}, {Name: "SHA-256 of scenario.yaml", Value: m.SHA256, Code: true},
		{Name: "seed", Value: strconv.FormatUint(m.Seed, 10)}, {Name: "points", Value: strconv.Itoa(m.Points)},
		{Name: "replications", Value: grouped(m.Replications)}, {Name: "events", Value: grouped(m.Events)}, {Name: "packets", Value: grouped(m.Packets)},
	}
	p.Facts = append(p.Facts, originFacts(m.Version, m.Go, m.Scenario, m.SHA256, m.Seed)...)
	p.Commands = []report.Command{{Line: sweepCommandLine(s), Meaning: "The same results again, in the directory of this page:"}}
	return p, nil
}

// mostFailedPoints is how many points at which an expectation fails are told.
const mostFailedPoints = 8

// sweepExpectations says of each expectation at how many points it holds.
func sweepExpectations(s *sweep.Sweep, dir string) ([]report.Expectation, error) {
	points, err := s.Expectations(dir)
	if err != nil {
		return nil, err
	}
	var list []report.Expectation
	held, failed := map[string]int{}, map[string][]string{}
	for _, pt := range points {
		for _, o := range pt.Expectations {
			if held[o.Text]+len(failed[o.Text]) == 0 {
				list = append(list, report.Expectation{Text: o.Text})
			}
			if o.Passed {
				held[o.Text]++
			} else {
				failed[o.Text] = append(failed[o.Text], strconv.Itoa(pt.Point))
			}
		}
	}
	for i := range list {
		x := &list[i]
		bad := failed[x.Text]
		x.Passed = len(bad) == 0
		x.Message = fmt.Sprintf("holds at %d of %d points", held[x.Text], held[x.Text]+len(bad))
		if !x.Passed {
			x.Message += ", not at " + strings.Join(bad[:min(len(bad), mostFailedPoints)], ", ")
			if len(bad) > mostFailedPoints {
				x.Message += " and others"
			}
		}
	}
	return list, nil
}

func countMetrics(m *sweep.Manifest) (n int) {
	for _, c := range m.Columns {
		if c.Role == "metric" {
			n++
		}
	}
	return n
}

// sweepPoints are the tables of a sweep.
func sweepPoints(s *sweep.Sweep, m *sweep.Manifest, dir string) (*report.Sweep, error) {
	var names []string
	all := sweep.Table{}
	for _, c := range m.Columns {
		if c.Role == "metric" {
			names, all.Metrics = append(names, c.Name), append(all.Metrics, c)
		}
	}
	if len(names)*m.Points > mostPageCells {
		names = nil
		for _, k := range shownMetrics(s, &all) {
			names = append(names, all.Metrics[k].Name)
		}
	}
	table, err := s.ReadTable(dir, names)
	if err != nil {
		return nil, err
	}
	out := &report.Sweep{Replications: [2]int{math.MaxInt, 0}}
	for _, c := range table.Params {
		out.Params = append(out.Params, c.Name)
	}
	shown := shownMetrics(s, table)
	for _, k := range shown {
		out.Metrics = append(out.Metrics, table.Metrics[k].Name)
	}
	for i, row := range table.Rows {
		for _, c := range row.Cells {
			out.Replications[1] = max(out.Replications[1], c.N)
		}
		n := 0
		for _, c := range row.Cells {
			n = max(n, c.N)
		}
		out.Replications[0] = min(out.Replications[0], n)
		if i >= mostPagePoints {
			out.LeftOut++
			continue
		}
		pt := report.Point{Number: i + 1, Params: row.Texts}
		for _, k := range shown {
			pt.Cells = append(pt.Cells, pageEstimate(row.Cells[k], table.Metrics[k].Unit))
		}
		out.Points = append(out.Points, pt)
	}
	if len(table.Rows) == 0 {
		out.Replications[0] = 0
	}
	for k := range table.Metrics {
		out.Spreads = append(out.Spreads, spreadOf(table, k, slices.Contains(shown, k)))
	}
	for _, f := range m.Failed {
		out.Failed = append(out.Failed, report.Failure{Point: f.Point, Params: strings.Join(f.Params, ", "), Text: f.Text})
	}
	return out, nil
}

// shownMetrics are the columns of the table of points: what figures and
// expectations ask for, else the first ones of a short summary.
func shownMetrics(s *sweep.Sweep, table *sweep.Table) (list []int) {
	add := func(name string) {
		k := slices.IndexFunc(table.Metrics, func(c sweep.Column) bool { return c.Name == name })
		if k >= 0 && !slices.Contains(list, k) && len(list) < mostPageColumns {
			list = append(list, k)
		}
	}
	for i := range s.Spec.Figures {
		for _, name := range figureOf(&s.Spec.Figures[i], i).Series {
			add(name)
		}
	}
	for i := range s.Scenario.Expect {
		for _, name := range s.Scenario.Expect[i].Metrics() {
			add(name)
		}
	}
	_, keys := metricDocs()
	for _, c := range table.Metrics {
		if _, quantity, _ := strings.Cut(c.Name, "."); keys[quantity] && len(list) < mostPageColumns/2 {
			add(c.Name)
		}
	}
	return list
}

// pageEstimate writes a mean and its interval in one unit.
func pageEstimate(c sweep.Cell, unit string) report.Estimate {
	e := report.Estimate{N: c.N}
	if c.N == 0 {
		return e
	}
	m := measure.Metric{Value: c.Mean, Unit: unit}
	value, shown := formatMetric(m)
	e.Mean = strings.TrimSpace(value + " " + shown)
	if !math.IsNaN(c.Low) && c.Low < c.High {
		m.CI95 = &[2]float64{c.Low, c.High}
		e.Low, e.High = formatInterval(m)
	}
	return e
}

func spreadOf(table *sweep.Table, k int, key bool) report.Spread {
	unit := table.Metrics[k].Unit
	out := report.Spread{Name: table.Metrics[k].Name, Unit: unit, Key: key}
	least, greatest, widest := -1, -1, 0.0
	for i, row := range table.Rows {
		c := row.Cells[k]
		if c.N == 0 {
			continue
		}
		out.Points++
		if least < 0 || c.Mean < table.Rows[least].Cells[k].Mean {
			least = i
		}
		if greatest < 0 || c.Mean > table.Rows[greatest].Cells[k].Mean {
			greatest = i
		}
		if half := (c.High - c.Low) / 2; half > widest {
			widest = half
		}
	}
	if least < 0 {
		out.Least, out.Greatest = "–", "–"
		return out
	}
	say := func(v float64) string {
		value, shown := formatMetric(measure.Metric{Value: v, Unit: unit})
		return strings.TrimSpace(value + " " + shown)
	}
	out.Least, out.Greatest = say(table.Rows[least].Cells[k].Mean), say(table.Rows[greatest].Cells[k].Mean)
	if out.Least != out.Greatest {
		out.LeastAt, out.GreatestAt = pointText(table, least), pointText(table, greatest)
	}
	if widest > 0 {
		out.Widest = say(widest)
	}
	return out
}

func pointText(table *sweep.Table, i int) string {
	var parts []string
	for k, text := range table.Rows[i].Texts {
		parts = append(parts, table.Params[k].Name+" "+text)
	}
	return strings.Join(parts, ", ")
}

func sweepFiles(dir string) []report.Files {
	results := []report.File{}
	for _, name := range []string{"summary.csv", "results.csv", "results.parquet", "differences.csv", "manifest.json"} {
		if isFile(dir, name) {
			results = append(results, file(name))
		}
	}
	return []report.Files{
		{Label: "results", Meaning: "summary.csv has a row for each point and metric, results.csv and results.parquet one for each replication", List: results},
		{Label: "scenario", List: []report.File{file("scenario.yaml")}},
	}
}

// sweepCommandLine is the command line that makes a sweep again.
func sweepCommandLine(s *sweep.Sweep) string {
	words := []string{"tcplab", "sweep", "scenario.yaml", "--out", "again"}
	r := &s.Request
	for _, name := range slices.Sorted(maps.Keys(r.Set)) {
		words = append(words, "--set", name+"="+r.Set[name])
	}
	if r.Seed != nil {
		words = append(words, "--seed", strconv.FormatUint(*r.Seed, 10))
	}
	for _, v := range r.Vary.Values {
		words = append(words, "--vary", v)
	}
	if r.Vary.Design != "" {
		words = append(words, "--design", r.Vary.Design)
	}
	if r.Replications > 0 {
		words = append(words, "--replications", strconv.Itoa(r.Replications))
	}
	if r.Streams != "" {
		words = append(words, "--streams", r.Streams)
	}
	if r.Until != nil {
		words = append(words, "--until", fmt.Sprintf("%s=%v,%d", r.Until.Metric, r.Until.HalfWidth, r.Until.Max))
	}
	if r.Batches != nil {
		words = append(words, "--batches", strconv.Itoa(*r.Batches))
	}
	if r.Compare != nil {
		words = append(words, "--compare", r.Compare.Param+"="+r.Compare.From+","+r.Compare.To)
	}
	if len(r.Metrics) > 0 {
		words = append(words, "--metrics", strings.Join(r.Metrics, ","))
	}
	for i, w := range words {
		words[i] = shellWord(w)
	}
	return strings.Join(words, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,+@%-]+$`)

// shellWord quotes a word of a command line where that is needed.
func shellWord(w string) string {
	if plainWord.MatchString(w) {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// isFile reports whether a directory has a file.
func isFile(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
	return err == nil && info.Mode().IsRegular()
}
