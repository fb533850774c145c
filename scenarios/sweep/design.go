package sweep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
	"gonum.org/v1/gonum/stat/samplemv"

	"tcplab/des"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
)

// MaxPoints bounds the points of a design.
const MaxPoints = 10_000_000

// Design is the points of a sweep: all combinations of the rows of its blocks,
// of which the last varies fastest. Points are worked out when they are asked
// for, so that a design of a million points takes no room.
type Design struct {
	// Params are the parameters that vary, in the order of their values in a
	// point.
	Params []string
	blocks []block
	points int
}

// block is rows of values for some of the parameters.
type block struct {
	params int
	rows   int
	// values returns those of a row.
	values func(row int) []string
	// level says of a row where it is, for each of the block's dimensions, as a
	// small number: rows of one level are alike in what they cost.
	level func(row int) []int
}

// NewDesign returns the design that a scenario's sweep describes. The scenario
// has been checked by spec.
func NewDesign(sc *spec.Scenario, w *spec.Sweep) (*Design, error) {
	d := &Design{Params: w.Params(), points: 1}
	for _, a := range w.Grid {
		d.blocks = append(d.blocks, rows(1, len(a.Values), func(row int) []string { return a.Values[row : row+1] }))
	}
	if len(w.Zip) > 0 {
		d.blocks = append(d.blocks, rows(len(w.Zip), len(w.Zip[0].Values), func(row int) []string {
			var out []string
			for _, a := range w.Zip {
				out = append(out, a.Values[row])
			}
			return out
		}))
	}
	if len(w.OneAtATime) > 0 {
		d.blocks = append(d.blocks, oneAtATime(sc, w.OneAtATime))
	}
	if w.Sample != nil {
		d.blocks = append(d.blocks, sample(sc.Seed, w.Sample))
	}
	for _, b := range d.blocks {
		if d.points *= b.rows; d.points > MaxPoints {
			return nil, fmt.Errorf("the sweep has more than %d points (split it)", MaxPoints)
		}
	}
	return d, nil
}

// Points is how many points the design has.
func (d *Design) Points() int { return d.points }

// Point returns the values of point i, from 0 on, in the order of Params.
func (d *Design) Point(i int) []string {
	out := make([]string, len(d.Params))
	at := len(out)
	for k := len(d.blocks) - 1; k >= 0; k-- {
		b := &d.blocks[k]
		at -= b.params
		copy(out[at:], b.values(i%b.rows))
		i /= b.rows
	}
	return out
}

// levels returns where point i is in each dimension of the design.
func (d *Design) levels(i int) []int {
	var out []int
	for k := len(d.blocks) - 1; k >= 0; k-- {
		b := &d.blocks[k]
		out = append(out, b.level(i%b.rows)...)
		i /= b.rows
	}
	return out
}

// mostLevels bounds the levels of a dimension.
const mostLevels = 32

// rows is a block of one dimension, whose rows are in some order.
func rows(params, n int, values func(int) []string) block {
	level := func(row int) []int { return []int{row} }
	if n > mostLevels {
		level = func(row int) []int { return []int{row * mostLevels / n} }
	}
	return block{params, n, values, level}
}

// oneAtATime has a row in which all parameters have their own values, and one
// for each other value of each.
func oneAtATime(sc *spec.Scenario, axes spec.Grid) block {
	var base []string
	for _, a := range axes {
		i := slices.IndexFunc(sc.Params, func(p spec.Param) bool { return p.Name == a.Param })
		base = append(base, sc.Params[i].Value)
	}
	type change struct {
		axis  int
		value string
	}
	changes := []change{{0, base[0]}}
	for i, a := range axes {
		for _, v := range a.Values {
			if v != base[i] {
				changes = append(changes, change{i, v})
			}
		}
	}
	return rows(len(axes), len(changes), func(row int) []string {
		out := slices.Clone(base)
		out[changes[row].axis] = changes[row].value
		return out
	})
}

// sample draws points from the unit cube. Its stream depends on the seed and
// the kind of design alone.
func sample(seed uint64, s *spec.Sample) block {
	k := len(s.From)
	stream := des.New(seed, 0).Stream("sweep." + s.Design)
	batch := mat.NewDense(s.Points, k, nil)
	cube := distmv.NewUnitUniform(k, stream)
	if s.Design == "latin_hypercube" {
		samplemv.LatinHypercube{Q: cube, Src: stream}.Sample(batch)
	} else {
		samplemv.IID{Dist: cube}.Sample(batch)
	}
	values := func(row int) []string {
		out := make([]string, k)
		for i := range out {
			out[i] = s.From[i].At(batch.At(row, i))
		}
		return out
	}
	level := func(row int) []int {
		out := make([]int, k)
		for i := range out {
			out[i] = int(batch.At(row, i) * mostLevels)
		}
		return out
	}
	return block{k, s.Points, values, level}
}

// Vary is what the command line says of the points: the values of parameters
// and how they are combined.
type Vary struct {
	// Values are of the form PARAMETER=VALUES, where VALUES is a list with
	// commas, or a span as quantity.ParseSpan reads it.
	Values []string `json:"values,omitempty"`
	// Design is grid, zip, one_at_a_time, random:N or latin_hypercube:N; empty
	// is grid.
	Design string `json:"design,omitempty"`
}

// apply puts the points of v in the place of those of a sweep.
func (v *Vary) apply(sc *spec.Scenario, w *spec.Sweep) error {
	if len(v.Values) == 0 {
		if v.Design != "" {
			return fmt.Errorf("--design %s: there is nothing to combine (give --vary PARAMETER=VALUES too)", v.Design)
		}
		return nil
	}
	w.Grid, w.Zip, w.OneAtATime, w.Sample = nil, nil, nil, nil
	design, count, counted := strings.Cut(strings.ReplaceAll(v.Design, "-", "_"), ":")
	random := design == "random" || design == "latin_hypercube"
	points, err := strconv.Atoi(count)
	if random && (err != nil || points < 1 || points > quantity.MaxSpan) || counted && !random {
		return fmt.Errorf("--design %s: write grid, zip, one_at_a_time, random:N or latin_hypercube:N, such as latin_hypercube:100", v.Design)
	}
	var axes spec.Grid
	var ranges spec.Ranges
	for _, text := range v.Values {
		r, err := readVary(sc, text, random, random || design == "zip")
		if err != nil {
			return err
		}
		if slices.ContainsFunc(axes, func(a spec.Axis) bool { return a.Param == r.Param }) {
			return fmt.Errorf("--vary %s: %s varies in two ways (name it once)", text, r.Param)
		}
		axes, ranges = append(axes, r.Axis), append(ranges, r)
	}
	switch {
	case design == "" || design == "grid":
		w.Grid = axes
	case design == "one_at_a_time":
		w.OneAtATime = axes
	case random:
		w.Sample = &spec.Sample{Design: design, Points: points, From: ranges}
	case design == "zip":
		for _, a := range axes {
			if len(a.Values) != len(axes[0].Values) {
				return fmt.Errorf("--design zip: %s has %d values and %s has %d (give all as many)",
					axes[0].Param, len(axes[0].Values), a.Param, len(a.Values))
			}
		}
		w.Zip = axes
	default:
		return fmt.Errorf("--design %s is unknown (have grid, zip, one_at_a_time, random:N, latin_hypercube:N)", v.Design)
	}
	return nil
}

// readVary reads PARAMETER=VALUES. Of a random design a span has no number of
// values; repeat allows a value to be given twice.
func readVary(sc *spec.Scenario, text string, random, repeat bool) (spec.Range, error) {
	name, list, found := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	r := spec.Range{Axis: spec.Axis{Param: name}}
	if !found || name == "" || strings.TrimSpace(list) == "" {
		return r, fmt.Errorf("--vary %s is not of the form PARAMETER=VALUES (such as backlog=64,128 or rate=lin:1/s..10/s:4)", text)
	}
	if !slices.ContainsFunc(sc.Params, func(p spec.Param) bool { return p.Name == name }) {
		return r, fmt.Errorf("--vary %s: there is no parameter %q (tcplab params lists them)", text, name)
	}
	if quantity.IsSpan(list) {
		span, err := quantity.ParseSpan(list)
		if err != nil {
			return r, fmt.Errorf("--vary %s: %w", text, err)
		}
		if random {
			r.Span = &span
			return r, nil
		}
		if span.Count == 0 {
			return r, fmt.Errorf("--vary %s does not say how many values (write %s:5)", text, text)
		}
		r.Values = span.Values()
		return r, nil
	}
	if strings.Contains(list, "..") {
		return r, fmt.Errorf("--vary %s: a span says how it is divided (write %s=lin:FROM..TO:COUNT or %s=log:FROM..TO:COUNT)", text, name, name)
	}
	for value := range strings.SplitSeq(list, ",") {
		value = strings.TrimSpace(value)
		if value == "" || slices.Contains(r.Values, value) && !repeat {
			return r, fmt.Errorf("--vary %s: a value is empty or given twice (write %s=VALUE,VALUE)", text, name)
		}
		r.Values = append(r.Values, value)
	}
	return r, nil
}
