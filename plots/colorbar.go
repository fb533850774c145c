package plots

import (
	"image"
	"math"

	"gonum.org/v1/plot/vg"
)

// Sizes of a colour bar, in multiples of the small font's size.
const (
	barGap   = 1.0
	barWidth = 1.4
)

// barRoom is the width of the colour bar with its ticks and label.
func (h *heatMap) barRoom(d *Drawing, style Style) float64 {
	widest := 0.0
	for _, t := range h.ticks {
		widest = max(widest, d.textWidth(t.label, style.Small))
	}
	return style.Small*(barGap+barWidth+tickLength+tickGap+labelGap) + widest + style.Label*lineHeight
}

// contoured is true if there are enough numbers on both axes for lines to mean
// something.
func (h *heatMap) contoured() bool {
	const least = 3
	return !h.columns.words && !h.rows.words && h.cells.columns >= least && h.cells.rows >= least
}

// draw draws the cells, the contours and the colour bar.
func (h *heatMap) draw(s *stack, p *panel) {
	dots := func(v vg.Length) int { return max(int(math.Round(v.Points()*float64(s.d.dpi)/72)), 1) }
	size := p.area.Size()
	s.d.picture(h.picture(s, p, dots(size.X), dots(size.Y)), p.area)
	if h.contoured() {
		for _, t := range h.ticks {
			if part := h.norm(t.value / h.sc.factor); t.label == "" || part < 0.01 || part > 0.99 {
				continue
			}
			level := t.value / h.sc.factor
			ink := dark
			if h.norm(level) < 0.5 {
				ink = white
			}
			for _, line := range h.cells.contour(level) {
				pts := make([]vg.Point, len(line))
				for i, q := range line {
					pts[i] = h.onPage(s, p, q)
				}
				s.d.line(ink, s.style.Rule*1.2, nil, pts...)
			}
		}
	}
	h.drawBar(s, p)
}

// drawBar draws the colour bar beside the panel, with the contours' levels.
func (h *heatMap) drawBar(s *stack, p *panel) {
	small := s.style.Small
	bar := vg.Rectangle{
		Min: vg.Point{X: s.right + vg.Length(barGap*small), Y: p.area.Min.Y},
		Max: vg.Point{X: s.right + vg.Length((barGap+barWidth)*small), Y: p.area.Max.Y},
	}
	img := image.NewPaletted(image.Rect(0, 0, 1, 255), palette)
	for i := range 255 {
		img.Pix[254-i] = uint8(i)
	}
	s.d.picture(img, bar)
	end, widest := bar.Max.X+vg.Length(small*tickLength), 0.0
	for _, t := range h.ticks {
		part := h.norm(t.value / h.sc.factor)
		if part < -1e-9 || part > 1+1e-9 {
			continue
		}
		y := bar.Min.Y + vg.Length(part)*(bar.Max.Y-bar.Min.Y)
		if t.label == "" {
			s.d.line(black, s.style.Rule, nil, vg.Point{X: bar.Max.X, Y: y}, vg.Point{X: bar.Max.X + (end-bar.Max.X)*0.6, Y: y})
			continue
		}
		s.d.line(black, s.style.Rule, nil, vg.Point{X: bar.Max.X, Y: y}, vg.Point{X: end, Y: y})
		if h.contoured() && part > 0.01 && part < 0.99 {
			ink := dark
			if part < 0.5 {
				ink = white
			}
			s.d.line(ink, s.style.Rule*1.2, nil, vg.Point{X: bar.Min.X, Y: y}, vg.Point{X: bar.Max.X, Y: y})
		}
		at := vg.Point{X: end + vg.Length(small*tickGap), Y: y - vg.Length(small*capHeight/2)}
		s.d.text(t.label, textStyle{size: small, color: black}, at)
		widest = max(widest, s.d.textWidth(t.label, small))
	}
	s.d.stroke(black, s.style.Rule, bar.Path())
	size := s.style.Label
	for s.d.textWidth(h.label, size) > s.d.Height-small && size > 1 {
		size *= 0.95
	}
	x := float64(end) + small*(tickGap+labelGap) + widest + s.style.Label*0.8
	mid := (bar.Min.Y + bar.Max.Y) / 2
	if half := vg.Length(s.d.textWidth(h.label, size) / 2); mid+half > vg.Length(s.d.Height-0.3*small) {
		mid = vg.Length(s.d.Height-0.3*small) - half
	}
	s.d.text(h.label, textStyle{size: size, align: 0.5, up: true, color: black}, vg.Point{X: vg.Length(x), Y: mid})
}
