package plots

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tcplab/scenarios/measure"
)

// mostPanels is how many panels a figure made by Automatic has at most.
const mostPanels = 4

// mostCurves is how many curves a panel made by Automatic has at most.
const mostCurves = 4

// Automatic describes figures for a result for which none are declared: the
// series of each owner (the part of a name before the dot) against time, with
// all bands shaded, and the distribution of each sample. What has no value, or
// never any but 0, is left out.
func Automatic(res *measure.Result) []Figure {
	var figs []Figure
	for _, owner := range owners(res) {
		figs = append(figs, ownerFigures(res, owner)...)
	}
	for i := range res.Samples {
		s := &res.Samples[i]
		lo, hi, n := finiteRange(s.Values)
		if n < 2 {
			continue
		}
		figs = append(figs, Figure{
			Name:   strings.ReplaceAll(s.Name, ".", "_") + "_ecdf",
			Kind:   "ecdf",
			Series: []string{s.Name},
			X:      Axis{Log: lo > 0 && hi/lo > 20},
		})
	}
	return figs
}

// owners lists the owners of series in the order of their first series.
func owners(res *measure.Result) []string {
	var names []string
	for _, s := range res.Series {
		owner, _, _ := strings.Cut(s.Name, ".")
		if !slices.Contains(names, owner) {
			names = append(names, owner)
		}
	}
	return names
}

func ownerFigures(res *measure.Result, owner string) []Figure {
	var figs []Figure
	var panels map[string]int // series in the panel of each unit
	for _, s := range res.Series {
		name, _, _ := strings.Cut(s.Name, ".")
		lo, hi, n := finiteRange(s.Value)
		if name != owner || n == 0 || lo == 0 && hi == 0 {
			continue
		}
		last := len(figs) - 1
		full := last < 0 || panels[s.Unit] == 0 && len(panels) == mostPanels || panels[s.Unit] == mostCurves
		if full {
			name := owner
			if last >= 0 {
				name = fmt.Sprintf("%s-%d", owner, last+2)
			}
			figs = append(figs, Figure{Name: name, Kind: "timeseries", Events: bandNames(res)})
			panels = make(map[string]int)
			last++
		}
		figs[last].Series = append(figs[last].Series, s.Name)
		panels[s.Unit]++
	}
	return figs
}

// finiteRange is the range of the finite values, and how many there are.
func finiteRange(values []float64) (lo, hi float64, n int) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi, n = min(lo, v), max(hi, v), n+1
		}
	}
	return lo, hi, n
}
