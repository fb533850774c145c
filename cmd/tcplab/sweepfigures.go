package main

import (
	"errors"
	"math"
	"path/filepath"
	"slices"

	"tcplab/plots"
	"tcplab/scenarios"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep"
)

// drawSweep draws the figures of a finished sweep. Those that ask for what does
// not vary, since the command line says what does, are left out.
func (a *app) drawSweep(s *sweep.Sweep, dir string) (figures, error) {
	out := figures{formats: usualLook().formats}
	var metrics []string
	for _, f := range s.Spec.Figures {
		metrics = append(metrics, figureMetrics(f)...)
	}
	if len(metrics) == 0 {
		return out, nil
	}
	table, err := s.ReadTable(dir, metrics)
	if err != nil {
		return out, err
	}
	data := &plots.Data{Sweep: plotSweep(s, table)}
	var drawings []*plots.Drawing
	for i, f := range s.Spec.Figures {
		fig := sweepFigure(f, i)
		if missing := notVaried(s, f); missing != "" {
			a.note("warning: figure %s is not drawn: %s does not vary", fig.Name, missing)
			continue
		}
		d, err := data.Draw(fig, plots.IEEE())
		switch {
		case errors.Is(err, plots.ErrNoData):
			a.note("warning: %v", err)
		case err != nil:
			out.err = errors.Join(out.err, s.Scenario.Problem(f.Pos, "figures: %v", err))
		default:
			drawings = append(drawings, d)
			out.files = append(out.files, fig.Name)
		}
	}
	if len(drawings) == 0 {
		return out, nil
	}
	_, err = plots.Write(filepath.Join(dir, scenarios.FiguresDir), drawings...)
	return out, err
}

func figureMetrics(f spec.Figure) []string {
	if f.Y != "" && f.Kind != "heatmap" || len(f.Series) == 0 && f.Y != "" {
		return []string{f.Y}
	}
	return f.Series
}

func sweepFigure(f spec.Figure, i int) plots.Figure {
	fig := figureOf(&f, i)
	fig.Series = figureMetrics(f)
	return fig
}

// notVaried is the parameter that a figure asks for and that does not vary.
func notVaried(s *sweep.Sweep, f spec.Figure) string {
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
		out.Metrics = append(out.Metrics, plots.Column{Name: c.Name, Unit: c.Unit})
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

func orNaN(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}
