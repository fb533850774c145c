package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"tcplab/plots"
	"tcplab/scenarios"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// figures is what became of the figures of a result.
type figures struct {
	// files are the names without an extension.
	files []string
	// err is what is wrong with those that cannot be drawn; the others are.
	err error
}

// draw draws the figures of a scenario, or those that fit the result if it
// declares none, into a directory.
func (a *app) draw(result *measure.Result, sc *spec.Scenario, dir string) (figures, error) {
	var out figures
	var drawings []*plots.Drawing
	list, style := figuresOf(result, sc), plots.IEEE()
	for i, f := range list {
		d, err := plots.Draw(result, f, style)
		switch {
		case errors.Is(err, plots.ErrNoData):
			a.note("warning: figure %s is not drawn: %v", f.Name, err)
			continue
		case err != nil && i < len(sc.Figures):
			out.err = errors.Join(out.err, sc.Problem(sc.Figures[i].Pos, "figures: %v", err))
			continue
		case err != nil:
			return out, err
		}
		drawings = append(drawings, d)
		out.files = append(out.files, f.Name)
	}
	if len(drawings) == 0 {
		return out, nil
	}
	_, err := plots.Write(dir, drawings...)
	return out, err
}

// figuresOf describes the figures of a scenario to package plots.
func figuresOf(result *measure.Result, sc *spec.Scenario) []plots.Figure {
	if len(sc.Figures) == 0 {
		return plots.Automatic(result)
	}
	var list []plots.Figure
	for i := range sc.Figures {
		f := &sc.Figures[i]
		fig := plots.Figure{Name: scenarios.FigureName(f, i), Kind: f.Kind, Title: f.Title, Series: f.Series, Events: f.Events,
			X: plots.Axis{Label: f.XLabel, Log: f.XScale == "log"}}
		if f.YLabel != "" || f.YScale == "log" {
			fig.Y = []plots.Axis{{Label: f.YLabel, Log: f.YScale == "log"}}
		}
		list = append(list, fig)
	}
	return list
}

// figureLine says where figures are, in as few words as possible.
func figureLine(dir string, names []string) string {
	path := filepath.Join(dir, scenarios.FiguresDir)
	list := strings.Join(names, ",")
	switch {
	case len(names) == 1:
		return filepath.Join(path, list) + ".{pdf,svg,png}"
	case len("figures  /{}.{pdf,svg,png}")+len(path)+len(list) <= terminalWidth:
		return filepath.Join(path, "{"+list+"}") + ".{pdf,svg,png}"
	default:
		return fmt.Sprintf("%s (%d figures as pdf, svg and png)", path+string(filepath.Separator), len(names))
	}
}
