package plots

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// A marker is the shape of a point.
type marker int

const (
	circle marker = iota
	square
	triangle
	diamond
	triangleDown
	openCircle
	openSquare
	cross
	speck // a small dot, where there are many

	// hollow, with a shape, is its outline around what is below, somewhat larger.
	hollow marker = 1 << 4
)

// markers are the shapes of groups, in the order of looks.
var markers = []marker{circle, square, triangle, diamond, triangleDown, openCircle, openSquare}

// size is the diameter in points.
func (m marker) size(style Style) float64 {
	if m&hollow != 0 {
		return 1.45 * (m &^ hollow).size(style)
	}
	switch m {
	case speck:
		return style.Line * 1.5
	case triangle, triangleDown, diamond, cross:
		return style.Small * 0.6
	}
	return style.Small * 0.5
}

func (m marker) open() bool { return m == openCircle || m == openSquare || m == cross }

// shape is the outline around a point.
func (m marker) shape(at vg.Point, size float64) vg.Path {
	r := vg.Length(size / 2)
	var corners []vg.Point
	switch m &^ hollow {
	case circle, openCircle, speck:
		return circlePath(at, size/2)
	case square, openSquare:
		k := 0.88 * r
		corners = []vg.Point{{X: -k, Y: -k}, {X: k, Y: -k}, {X: k, Y: k}, {X: -k, Y: k}}
	case triangle:
		corners = []vg.Point{{X: -r, Y: -0.75 * r}, {X: r, Y: -0.75 * r}, {Y: r}}
	case triangleDown:
		corners = []vg.Point{{X: -r, Y: 0.75 * r}, {Y: -r}, {X: r, Y: 0.75 * r}}
	case diamond:
		corners = []vg.Point{{X: -r}, {Y: -r}, {X: r}, {Y: r}}
	case cross:
		k := 0.75 * r
		var p vg.Path
		p.Move(at.Add(vg.Point{X: -k, Y: -k}))
		p.Line(at.Add(vg.Point{X: k, Y: k}))
		p.Move(at.Add(vg.Point{X: -k, Y: k}))
		p.Line(at.Add(vg.Point{X: k, Y: -k}))
		return p
	}
	var p vg.Path
	p.Move(at.Add(corners[0]))
	for _, c := range corners[1:] {
		p.Line(at.Add(c))
	}
	p.Close()
	return p
}

// markers draws points of one shape. Small specks share a path, so that files
// of many points stay small; other shapes have a white rim that tells
// neighbours apart.
func (d *Drawing) markers(m marker, c color.NRGBA, style Style, at []vg.Point) {
	size := m.size(style)
	if m == speck {
		const together = 16
		for chunk := range slices.Chunk(at, together) {
			var p vg.Path
			for _, q := range chunk {
				p = append(p, tinyPath(q, size/2)...)
			}
			d.fill(c, p)
		}
		return
	}
	for _, q := range at {
		p := m.shape(q, size)
		switch {
		case m == cross:
			d.stroke(c, style.Line*1.1, p)
		case m&hollow != 0:
			d.stroke(white, style.Line*1.1+style.Rule, p)
			d.stroke(c, style.Line*0.9, p)
		case m.open():
			d.fill(white, p)
			d.stroke(c, style.Line, p)
		default:
			d.stroke(white, style.Rule*1.2, p)
			d.fill(c, p)
		}
	}
}

// tinyPath is an octagon, which at the size of a speck looks like a circle.
func tinyPath(at vg.Point, radius float64) vg.Path {
	r := vg.Length(radius)
	k := r * vg.Length(math.Sqrt2-1)
	p := make(vg.Path, 0, 9)
	p.Move(vg.Point{X: at.X + r, Y: at.Y + k})
	for _, q := range [7]vg.Point{{X: k, Y: r}, {X: -k, Y: r}, {X: -r, Y: k}, {X: -r, Y: -k}, {X: -k, Y: -r}, {X: k, Y: -r}, {X: r, Y: -k}} {
		p.Line(at.Add(q))
	}
	p.Close()
	return p
}

// spots keeps one point of those that lie closer together than a part of their
// size, which no eye tells from all of them: the first of each cell of a grid.
type spots struct {
	area    vg.Rectangle
	cell    vg.Length
	columns int
	taken   []uint64 // a bit for each cell
	kept    []vg.Point
}

func newSpots(area vg.Rectangle, size float64) *spots {
	cell := vg.Length(math.Max(size*0.3, columnWidth))
	columns := int((area.Max.X-area.Min.X)/cell) + 1
	rows := int((area.Max.Y-area.Min.Y)/cell) + 1
	return &spots{area: area, cell: cell, columns: columns, taken: make([]uint64, (columns*rows+63)/64)}
}

// add keeps a point unless one of its cell is kept already. Points outside the
// area are left out.
func (t *spots) add(p vg.Point) {
	if p.X < t.area.Min.X || p.X > t.area.Max.X || p.Y < t.area.Min.Y || p.Y > t.area.Max.Y {
		return
	}
	i := int((p.Y-t.area.Min.Y)/t.cell)*t.columns + int((p.X-t.area.Min.X)/t.cell)
	if bit := uint64(1) << (i % 64); t.taken[i/64]&bit == 0 {
		t.taken[i/64] |= bit
		t.kept = append(t.kept, p)
	}
}

// mergeBars joins bars of one column that overlap or are no more than gap apart.
// Few bars are left as they are.
func mergeBars(bars []bar, column func(x float64) int, gap float64) []bar {
	if len(bars) < 500 {
		return bars
	}
	sorted := slices.Clone(bars)
	slices.SortStableFunc(sorted, func(a, b bar) int {
		return cmp.Or(cmp.Compare(column(a.x), column(b.x)), cmp.Compare(a.low, b.low))
	})
	out := sorted[:1]
	for _, b := range sorted[1:] {
		last := &out[len(out)-1]
		if column(b.x) == column(last.x) && b.low <= last.high+gap {
			last.high = max(last.high, b.high)
		} else {
			out = append(out, b)
		}
	}
	return out
}
