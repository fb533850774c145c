package plots

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// clip is the part of a band on the axis, false if there is none.
func (s *stack) clip(b band) (from, until float64, ok bool) {
	from, until = max(b.from, s.x.lo), min(b.until, s.x.hi)
	return from, until, from < until
}

// middle is where the label of a band goes.
func (b band) middle(s *stack) float64 {
	from, until, _ := s.clip(b)
	return (s.x.norm(from) + s.x.norm(until)) / 2
}

// chooseBandRows puts the labels of bands that would collide above each other,
// and sets the height that they and the title need.
func (s *stack) chooseBandRows() {
	small := s.style.Small
	span := s.d.Width * 0.8 // about the width of the axis, which is not known yet
	var ends []float64      // of each row
	slices.SortStableFunc(s.bands, func(a, b band) int { return cmp.Compare(a.middle(s), b.middle(s)) })
	s.bandRows = make([]int, len(s.bands))
	for i, b := range s.bands {
		if _, _, ok := s.clip(b); !ok {
			continue
		}
		mid := b.middle(s) * span
		half := s.d.textWidth(b.label, small)/2 + 0.4*small
		row := slices.IndexFunc(ends, func(end float64) bool { return mid-half >= end })
		if row < 0 {
			row = len(ends)
			ends = append(ends, 0)
		}
		ends[row] = max(mid+half, 2*half) // at the left end a label is moved inwards
		s.bandRows[i] = row
	}
	s.over = small * 0.7 // for the upper half of the top tick label
	if n := len(ends); n > 0 {
		s.over = small * (0.55 + float64(n)*lineHeight)
	}
	if s.titled() {
		s.over += s.style.Label * 1.15 * 1.5
	}
}

// drawBands shades the bands in all panels, darker where they overlap, and
// labels each once.
func (s *stack) drawBands() {
	var edges []float64
	for _, b := range s.bands {
		if from, until, ok := s.clip(b); ok {
			edges = append(edges, from, until)
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	for i := 1; i < len(edges); i++ {
		depth := 0
		for _, b := range s.bands {
			if b.from < edges[i] && b.until > edges[i-1] {
				depth++
			}
		}
		if depth == 0 {
			continue
		}
		for _, p := range s.panels {
			s.d.rect(bandShade(depth), vg.Rectangle{
				Min: vg.Point{X: s.xAt(edges[i-1]), Y: p.area.Min.Y},
				Max: vg.Point{X: s.xAt(edges[i]), Y: p.area.Max.Y},
			})
		}
	}
	top := float64(s.panels[0].area.Max.Y)
	for i, b := range s.bands {
		if _, _, ok := s.clip(b); !ok {
			continue
		}
		small := s.style.Small
		y := top + small*(0.4+float64(s.bandRows[i])*lineHeight)
		x := float64(s.left) + b.middle(s)*float64(s.right-s.left)
		half := s.d.textWidth(b.label, small) / 2
		x = math.Min(math.Max(x, float64(s.left)+half), s.d.Width-half-small*edge)
		s.d.text(b.label, textStyle{size: small, align: 0.5, color: dark}, vg.Point{X: vg.Length(x), Y: vg.Length(y)})
	}
}
