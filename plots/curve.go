package plots

import (
	"image/color"
	"iter"
	"math"

	"gonum.org/v1/plot/vg"
)

// A curve is what one series, sample or group is drawn as: any of a line, a
// shade, bars and markers, which share a look and a place in the legend.
type curve struct {
	name  string // of the series or the sample
	label string
	look  *look // nil: by the place in the panel
	quiet bool  // not in the legend

	points    iter.Seq2[float64, float64] // the line; a NaN breaks it
	low, high iter.Seq2[float64, float64] // the borders of the shade
	fill      *color.NRGBA                // of the shade; nil: a tint of the look
	bars      []bar
	caps      bool // bars have ends, as error bars do
	dots      iter.Seq2[float64, float64]
	marker    marker

	lines, lows, highs [][]vg.Point
}

// A bar is a vertical stroke.
type bar struct{ x, low, high float64 }

// thin reduces the curves to what can be seen, with the horizontal axis spread
// over the given width, and the values as they are.
func (p *panel) thin(x *horizontal, width vg.Length) {
	for i := range p.curves {
		c := &p.curves[i]
		c.lines = p.thinLine(c.points, x, width, math.NaN())
		c.lows = p.thinLine(c.low, x, width, math.SmallestNonzeroFloat64)
		c.highs = p.thinLine(c.high, x, width, math.SmallestNonzeroFloat64)
	}
}

// positive replaces values that a logarithmic axis cannot show: by NaN, which
// breaks a line, or by a value far below the axis, for the border of a shade.
func positive(points iter.Seq2[float64, float64], instead float64) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		for x, y := range points {
			if y <= 0 {
				y = instead
			}
			if !yield(x, y) {
				return
			}
		}
	}
}

func (p *panel) thinLine(points iter.Seq2[float64, float64], x *horizontal, width vg.Length, instead float64) [][]vg.Point {
	if points == nil {
		return nil
	}
	if p.axis.Log {
		points = positive(points, instead)
	}
	return thin(points, 0, width, func(vx, vy float64) vg.Point {
		return vg.Point{X: vg.Length(x.norm(vx)) * width, Y: vg.Length(vy)}
	})
}

// values calls visit with all values of a curve that an axis must show. Of a
// shade these are the borders.
func (p *panel) values(x *horizontal, visit func(float64)) {
	for i := range p.curves {
		c := &p.curves[i]
		for _, lines := range [3][][]vg.Point{c.lines, c.lows, c.highs} {
			for _, line := range lines {
				for _, q := range line {
					visit(float64(q.Y))
				}
			}
		}
		for _, b := range c.bars {
			if b.x >= x.lo && b.x <= x.hi && b.low <= b.high {
				visit(b.low)
				visit(b.high)
			}
		}
		if c.dots == nil {
			continue
		}
		for vx, vy := range c.dots {
			if vx >= x.lo && vx <= x.hi && !math.IsNaN(vy) {
				visit(vy)
			}
		}
	}
}

func (p *panel) lookOf(i int) look {
	if l := p.curves[i].look; l != nil {
		return *l
	}
	n := 0 // curves with a look of their own take none from the others
	for _, c := range p.curves[:i] {
		if c.look == nil {
			n++
		}
	}
	return looks[n%len(looks)]
}

// toPage turns thinned lines into points of the page, cut to the panel.
func (p *panel) toPage(s *stack) {
	shrink := (s.right - s.left) / vg.Length(s.d.Width)
	place := func(lines [][]vg.Point) {
		for _, line := range lines {
			for i, q := range line {
				line[i] = vg.Point{X: s.left + q.X*shrink, Y: p.yAt(float64(q.Y))}
			}
		}
	}
	for i := range p.curves {
		c := &p.curves[i]
		place(c.lines)
		place(c.lows)
		place(c.highs)
		c.lines = clipLines(c.lines, p.area.Min.Y, p.area.Max.Y)
	}
}

// clipLines cuts lines to the heights from lo to hi.
func clipLines(lines [][]vg.Point, lo, hi vg.Length) [][]vg.Point {
	inside := func(q vg.Point) bool { return q.Y >= lo && q.Y <= hi }
	var out [][]vg.Point
	for _, line := range lines {
		all := true
		for _, q := range line {
			all = all && inside(q)
		}
		if all {
			out = append(out, line)
			continue
		}
		var part []vg.Point
		for i, q := range line {
			if i > 0 {
				a, b, ok := clipSegment(line[i-1], q, lo, hi)
				if ok && len(part) == 0 {
					part = append(part, a)
				}
				if ok {
					part = append(part, b)
				}
			} else if inside(q) {
				part = append(part, q)
			}
			if !inside(q) && len(part) > 0 {
				out = append(out, part)
				part = nil
			}
		}
		if len(part) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// clipSegment is the part of a segment between two heights.
func clipSegment(a, b vg.Point, lo, hi vg.Length) (from, to vg.Point, ok bool) {
	if max(a.Y, b.Y) < lo || min(a.Y, b.Y) > hi {
		return a, b, false
	}
	at := func(q vg.Point) vg.Point {
		y := min(max(q.Y, lo), hi)
		if y == q.Y {
			return q
		}
		return vg.Point{X: a.X + (b.X-a.X)*(y-a.Y)/(b.Y-a.Y), Y: y}
	}
	return at(a), at(b), true
}

// drawShades fills the shades, below all lines.
func (p *panel) drawShades(s *stack) {
	for i := range p.curves {
		c := &p.curves[i]
		lk := p.lookOf(i)
		fill := tint(lk.color, 0.3)
		if c.fill != nil {
			fill = *c.fill
		}
		for j := range min(len(c.lows), len(c.highs)) {
			s.d.shade(fill, p.clampLine(c.lows[j]), p.clampLine(c.highs[j]))
		}
		if c.fill != nil {
			continue
		}
		// Thin borders, since a later shade covers an earlier one.
		for _, border := range [2][][]vg.Point{c.lows, c.highs} {
			for _, line := range clipLines(border, p.area.Min.Y, p.area.Max.Y) {
				s.d.line(tint(lk.color, 0.6), s.style.Rule*0.5, nil, line...)
			}
		}
	}
}

// clampLine moves what is above or below the panel to its border.
func (p *panel) clampLine(line []vg.Point) []vg.Point {
	out := make([]vg.Point, len(line))
	for i, q := range line {
		out[i] = vg.Point{X: q.X, Y: min(max(q.Y, p.area.Min.Y), p.area.Max.Y)}
	}
	return out
}

// drawCurves draws bars, lines and markers.
func (p *panel) drawCurves(s *stack) {
	for i := range p.curves {
		p.drawBars(s, &p.curves[i], p.lookOf(i))
	}
	for i := range p.curves {
		lk := p.lookOf(i)
		for _, line := range p.curves[i].lines {
			if len(line) == 1 {
				s.d.dot(lk.color, s.style.Line*0.9, line[0])
			}
			s.d.line(lk.color, s.style.Line, lk.dashes, line...)
		}
	}
	for i := range p.curves {
		c := &p.curves[i]
		if c.dots == nil {
			continue
		}
		t := newSpots(p.area, c.marker.size(s.style))
		for vx, vy := range c.dots {
			if vx >= s.x.lo && vx <= s.x.hi && !math.IsNaN(vy) && (!p.axis.Log || vy > 0) {
				t.add(vg.Point{X: s.xAt(vx), Y: p.yAt(vy)})
			}
		}
		s.d.markers(c.marker, p.lookOf(i).color, s.style, t.kept)
	}
}

// drawBars draws the bars of a curve, those that lie within one column of the
// finest print merged.
func (p *panel) drawBars(s *stack, c *curve, lk look) {
	width, half := s.style.Line, vg.Length(0)
	if c.caps {
		width, half = s.style.Line*0.75, vg.Length(s.style.Small*0.22)
	}
	var paths vg.Path
	flush := func() {
		if len(paths) > 0 {
			s.d.stroke(lk.color, width, paths)
			paths = nil
		}
	}
	gap := 0.0
	if height := float64(p.area.Max.Y - p.area.Min.Y); !p.axis.Log {
		gap = (p.hi - p.lo) * columnWidth / height
	}
	for _, b := range mergeBars(c.bars, s.columnOf, gap) {
		if !(b.x >= s.x.lo && b.x <= s.x.hi && b.low <= b.high) {
			continue
		}
		x := s.xAt(b.x)
		lo, hi := p.clampY(b.low), p.clampY(b.high)
		if least := vg.Length(1.5 * width); !c.caps && hi-lo < least { // a short stroke is seen
			lo, hi = (lo+hi-least)/2, (lo+hi+least)/2
		}
		paths.Move(vg.Point{X: x, Y: lo})
		paths.Line(vg.Point{X: x, Y: hi})
		if half > 0 {
			for _, y := range [2]vg.Length{lo, hi} {
				paths.Move(vg.Point{X: x - half, Y: y})
				paths.Line(vg.Point{X: x + half, Y: y})
			}
		}
		if len(paths) >= 24 {
			flush()
		}
	}
	flush()
}

func (p *panel) clampY(v float64) vg.Length {
	if p.axis.Log && v <= 0 {
		return p.area.Min.Y
	}
	return min(max(p.yAt(v), p.area.Min.Y), p.area.Max.Y)
}

// columnOf is the column of the finest print in which a value lies.
func (s *stack) columnOf(v float64) int { return int((s.xAt(v) - s.left) / columnWidth) }
