package main

import (
	"errors"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tcplab/plots"
	"tcplab/scenarios"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep"
)

// drawSweep draws the figures of a finished sweep.
func (a *app) drawSweep(s *sweep.Sweep, dir string, l look) (figures, error) {
	l, err := l.of(s.Scenario)
	if err != nil {
		return figures{}, err
	}
	list, err := laySweep(s, dir, l.style)
	if err != nil {
		return figures{formats: l.formats}, err
	}
	return a.write(list, filepath.Join(dir, scenarios.FiguresDir), l)
}

// laySweep lays out the figures of a finished sweep. Those that ask for what does
// not vary, since the command line says what does, are left out.
func laySweep(s *sweep.Sweep, dir string, style plots.Style) ([]laidOut, error) {
	var metrics []string
	for i := range s.Spec.Figures {
		metrics = append(metrics, figureOf(&s.Spec.Figures[i], i).Series...)
	}
	if len(metrics) == 0 {
		return nil, nil
	}
	table, err := s.ReadTable(dir, metrics)
	if err != nil {
		return nil, err
	}
	data := &plots.Data{Sweep: plotSweep(s, table)}
	var list []laidOut
	for i := range s.Spec.Figures {
		f := &s.Spec.Figures[i]
		x := laidOut{figure: figureOf(f, i), missing: notVaried(s, f)}
		if x.missing == "" {
			x.drawing, x.err = data.Draw(x.figure, style)
		}
		if x.err != nil && !errors.Is(x.err, plots.ErrNoData) {
			x.err = s.Scenario.Problem(f.Pos, "figures: %v", x.err)
		}
		list = append(list, x)
	}
	return list, nil
}

// called is a function in an expression, or a name alone.
var called = regexp.MustCompile(`^(\w+)$|(\w+) *\(`)

// checkTheory looks whether the closed forms of a sweep are there, so that a long
// sweep does not end with their being unknown.
func checkTheory(sc *spec.Scenario) error {
	known := []string{"sqrt", "exp", "log", "pow", "min", "max"}
	var forms []string
	for _, f := range plots.Formulas() {
		forms = append(forms, f.Name)
	}
	for i := range sc.Sweep.Figures {
		f := &sc.Sweep.Figures[i]
		for _, m := range called.FindAllStringSubmatch(f.Theory, -1) {
			name := m[1] + m[2]
			if !slices.Contains(forms, name) && !slices.Contains(known, name) && !slices.ContainsFunc(sc.Params, func(p spec.Param) bool { return p.Name == name }) {
				return sc.Problem(f.Pos, "figures: theory: there is no closed form %q (have %s)", name, strings.Join(forms, ", "))
			}
		}
	}
	return nil
}

// notVaried is the parameter that a figure asks for and that does not vary.
func notVaried(s *sweep.Sweep, f *spec.Figure) string {
	for _, name := range []string{f.X, f.By} {
		if name != "" && !slices.Contains(s.Design.Params, name) {
			return name
		}
	}
	return ""
}

// plotSweep hands the table of a sweep to package plots.
func plotSweep(s *sweep.Sweep, table *sweep.Table) *plots.Sweep {
	out := &plots.Sweep{Constants: map[string]float64{}}
	for _, c := range table.Params {
		out.Params = append(out.Params, plots.Column{Name: c.Name, Unit: c.Unit})
	}
	for _, c := range table.Metrics {
		out.Metrics = append(out.Metrics, plots.Column{Name: c.Name, Unit: c.Unit, Label: metricLabel(c.Name)})
	}
	for _, p := range s.Scenario.Params {
		if f, ok := quantity.Parse(p.Value); ok && !slices.Contains(s.Design.Params, p.Name) {
			out.Constants[p.Name] = f.Value
		}
	}
	for _, row := range table.Rows {
		pt := plots.Point{}
		for i, text := range row.Texts {
			pt.Params = append(pt.Params, plots.Value{Text: text, Number: row.Numbers[i]})
		}
		for _, c := range row.Cells {
			pt.Metrics = append(pt.Metrics, plots.Estimate{Mean: orNaN(c.Mean, c.N > 0), Low: c.Low, High: c.High, N: c.N})
		}
		out.Points = append(out.Points, pt)
	}
	return out
}

// metricLabel is what figures call a metric: as its series, if all that have one
// of that name call it the same; else "".
func metricLabel(name string) string {
	_, name, _ = strings.Cut(name, ".")
	label := ""
	for _, q := range measure.Catalogue() {
		switch {
		case q.Name != name || q.Label == "" || q.Label == label:
		case label != "":
			return ""
		default:
			label = q.Label
		}
	}
	return label
}

func orNaN(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}

// plotSweepAgain draws the figures of a finished sweep from its directory.
func (a *app) plotSweepAgain(dir string, l look) error {
	s, _, err := sweep.Open(dir, scenarios.Registry())
	if err != nil {
		return err
	}
	drawn, err := a.drawSweep(s, dir, l)
	if err != nil {
		return err
	}
	if len(drawn.files) > 0 {
		a.print("%s\n", figureLine(dir, drawn))
	}
	return drawn.err
}
