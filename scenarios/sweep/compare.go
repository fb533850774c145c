package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
)

// sameValue reports whether two texts are the same value: as texts, or as
// quantities.
func sameValue(a, b string) bool {
	x, ok1 := quantity.Parse(a)
	y, ok2 := quantity.Parse(b)
	return a == b || ok1 && ok2 && x.Value == y.Value && x.Dim == y.Dim
}

// checkCompare looks whether the points have the two values, where they are
// listed.
func checkCompare(w *spec.Sweep) error {
	c := w.Compare
	for _, g := range []spec.Grid{w.Grid, w.Zip} {
		for _, a := range g {
			for _, v := range []string{c.From, c.To} {
				if a.Param == c.Param && !slices.ContainsFunc(a.Values, func(have string) bool { return sameValue(have, v) }) {
					return fmt.Errorf("compare: %s is never %s (have %s)", c.Param, v, strings.Join(a.Values, ", "))
				}
			}
		}
	}
	return nil
}

// differences writes, for each two points that differ in the compared parameter
// alone, the mean difference of each metric over pairs of replications of one
// number. With common random numbers what the two points share goes out of it.
func (r *results) differences(t *tableFile) error {
	c := r.sweep.Spec.Compare
	at := slices.Index(r.sweep.Design.Params, c.Param)
	header := []string{"point_from", "point_to"}
	for k := range r.params {
		if k != at {
			header = append(header, r.params[k].Name)
		}
	}
	if err := t.header(append(header, "metric", "unit", c.Param+"_from", c.Param+"_to", "n", "difference", "ci95_low", "ci95_high")...); err != nil {
		return err
	}
	partners := map[string]int{}
	rest := func(texts []string) string { return strings.Join(slices.Delete(slices.Clone(texts), at, at+1), "\x00") }
	for i := range r.keys {
		if texts := r.sweep.Design.Point(i); !r.failed[i] && sameValue(texts[at], c.To) {
			partners[rest(texts)] = i
		}
	}
	for i := range r.keys {
		texts := r.sweep.Design.Point(i)
		j, found := partners[rest(texts)]
		if !found || r.failed[i] || !sameValue(texts[at], c.From) {
			continue
		}
		if err := r.pair(i, j, at, t); err != nil {
			return err
		}
	}
	return nil
}

// pair writes the lines of points i and j.
func (r *results) pair(i, j, at int, t *tableFile) error {
	from, err := r.records(i)
	if err != nil {
		return err
	}
	to, err := r.records(j)
	if err != nil {
		return err
	}
	differences := make([][]float64, len(r.metrics.columns))
	var a, b []float64
	for n := range min(len(from), len(to)) {
		a = r.metrics.row(from[n].schema, from[n].values, a)
		b = r.metrics.row(to[n].schema, to[n].values, b)
		for k := range differences {
			if d := b[k] - a[k]; !math.IsNaN(d) {
				differences[k] = append(differences[k], d)
			}
		}
	}
	texts, others := r.sweep.Design.Point(i), r.sweep.Design.Point(j)
	for k, c := range r.metrics.columns {
		t.whole(uint64(i + 1))
		t.whole(uint64(j + 1))
		for p := range texts {
			if p != at {
				t.param(&r.params[p], texts[p])
			}
		}
		t.text(c.Name)
		t.text(c.Unit)
		t.param(&r.params[at], texts[at])
		t.param(&r.params[at], others[at])
		d := differences[k]
		mean, half := measure.Mean(d), measure.HalfWidth(d)
		t.whole(uint64(len(d)))
		t.number(mean)
		t.number(mean - half)
		t.number(mean + half)
		if err := t.endLine(); err != nil {
			return err
		}
	}
	return nil
}
