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
// the bands shaded, and the distribution of each sample. What has no value, or
// never any but 0, is left out, and so are distributions of one value, links that
// carry little and lose nothing, and bands that last nearly all the time.
func Automatic(res *measure.Result) []Figure {
	var figs []Figure
	bands := passing(res)
	for _, owner := range owners(res) {
		if !idle(res, owner) {
			figs = append(figs, ownerFigures(res, owner, bands)...)
		}
	}
	for i := range res.Samples {
		s := &res.Samples[i]
		lo, hi, n := finiteRange(s.Values)
		if n < 2 || lo == hi {
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

// busy is the utilization from which on a link is of interest by itself.
const busy = 0.1

// idle is true of a link that carries little and loses nothing.
func idle(res *measure.Result, owner string) bool {
	peak := func(name string) float64 {
		s := res.FindSeries(owner + "." + name)
		if s == nil {
			return 0
		}
		_, hi, n := finiteRange(s.Value)
		if n == 0 {
			return 0
		}
		return hi
	}
	return res.FindSeries(owner+".utilization") != nil && peak("utilization") < busy && peak("dropped") == 0 && peak("lost") == 0
}

// passing are the bands that do not last from near the start to near the end.
func passing(res *measure.Result) []string {
	end := 0.0
	for i := range res.Series {
		if t := res.Series[i].Time; len(t) > 0 {
			end = max(end, t[len(t)-1])
		}
	}
	var names []string
	for _, b := range res.Bands {
		if min(b.Until, end)-max(b.From, 0) < 0.9*end {
			names = append(names, b.Name)
		}
	}
	return names
}

func ownerFigures(res *measure.Result, owner string, bands []string) []Figure {
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
			figs = append(figs, Figure{Name: name, Kind: "timeseries", Events: bands})
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
