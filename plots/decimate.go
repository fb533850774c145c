package plots

import (
	"iter"
	"math"

	"gonum.org/v1/plot/vg"
)

// columnWidth is the width of a pixel column at 600 dpi, in points. A line is
// thinned to a few points per column, which no eye and no printer tells from
// all of them.
const columnWidth = 72.0 / 600

// A thinner reduces a line to at most four points per column: the first, the
// lowest, the highest and the last, in the order in which they came, so that
// neither an extreme nor a connection to the neighbouring column is lost. Lines
// are cut to [left, right] and broken at gaps.
type thinner struct {
	left, right vg.Length
	lines       [][]vg.Point

	line    []vg.Point
	prev    vg.Point
	started bool

	column   int
	held     bool
	quad     [4]vg.Point // first, lowest, highest, last
	loAt     int
	hiAt, at int
}

// add continues the line to a point.
func (t *thinner) add(p vg.Point) {
	if !t.started {
		t.started = true
		t.prev = p
		if t.inside(p) {
			t.put(p)
		}
		return
	}
	a, b := t.prev, p
	t.prev = p
	if max(a.X, b.X) < t.left || min(a.X, b.X) > t.right {
		return
	}
	if !t.inside(a) {
		t.put(t.cross(a, b))
	}
	if t.inside(b) {
		t.put(b)
		return
	}
	t.put(t.cross(b, a))
	t.end()
	t.started, t.prev = true, b
}

func (t *thinner) inside(p vg.Point) bool { return p.X >= t.left && p.X <= t.right }

// cross is where the line from a point outside to b meets the border.
func (t *thinner) cross(a, b vg.Point) vg.Point {
	x := t.left
	if a.X > t.right {
		x = t.right
	}
	return vg.Point{X: x, Y: a.Y + (b.Y-a.Y)*(x-a.X)/(b.X-a.X)}
}

// end breaks the line.
func (t *thinner) end() {
	t.flush()
	if len(t.line) > 0 {
		t.lines = append(t.lines, t.line)
		t.line = nil
	}
	t.started = false
}

func (t *thinner) put(p vg.Point) {
	column := int((p.X - t.left) / columnWidth)
	if t.held && column != t.column {
		t.flush()
	}
	if !t.held {
		t.held, t.column = true, column
		t.quad = [4]vg.Point{p, p, p, p}
		t.loAt, t.hiAt, t.at = 0, 0, 0
		return
	}
	t.at++
	if p.Y < t.quad[1].Y {
		t.quad[1], t.loAt = p, t.at
	}
	if p.Y > t.quad[2].Y {
		t.quad[2], t.hiAt = p, t.at
	}
	t.quad[3] = p
}

func (t *thinner) flush() {
	if !t.held {
		return
	}
	t.held = false
	q := t.quad
	if t.hiAt < t.loAt {
		q[1], q[2] = q[2], q[1]
	}
	for _, p := range q {
		if n := len(t.line); n == 0 || t.line[n-1] != p {
			t.line = append(t.line, p)
		}
	}
}

// thin draws values through a transformation and returns the thinned lines. A
// NaN breaks the line.
func thin(points iter.Seq2[float64, float64], left, right vg.Length, at func(x, y float64) vg.Point) [][]vg.Point {
	t := thinner{left: left, right: right}
	for x, y := range points {
		if math.IsNaN(y) {
			t.end()
			continue
		}
		t.add(at(x, y))
	}
	t.end()
	return t.lines
}
