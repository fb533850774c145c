package plots

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

const (
	legendSample = 2.2 // length of a line's sample, in sizes of the small font
	legendGap    = 1.2
)

// A legendEntry is a sample and a name. The sample is any of a filled box, a
// line and a marker.
type legendEntry struct {
	label  string
	look   look
	width  float64 // of the line, 0 for none
	box    *color.NRGBA
	marker *marker
	// upright is the width of a vertical stroke, 0 for none.
	upright float64
}

// sample is the width of the sample in sizes of the small font.
func (e *legendEntry) sample() float64 {
	switch {
	case e.upright > 0:
		return 0.4
	case e.width == 0 && e.box == nil && e.marker == nil:
		return 0
	case e.width == 0:
		return 1.1
	}
	return legendSample
}

// legendEntries are the keys that a figure sets, or the curves, if there is
// more than one, with the limits, as there is little room beside their lines.
func (p *panel) legendEntries(style Style) []legendEntry {
	entries := slices.Clone(p.keys)
	if p.keys == nil {
		entries = p.curveEntries(style)
	}
	if len(entries) == 0 {
		return nil
	}
	for _, l := range p.limits {
		if l.Label != "" {
			entries = append(entries, legendEntry{label: l.Label, look: limitLook, width: style.Rule})
		}
	}
	return entries
}

func (p *panel) curveEntries(style Style) []legendEntry {
	if len(p.curves) < 2 {
		return nil
	}
	var entries []legendEntry
	for i := range p.curves {
		c := &p.curves[i]
		if c.quiet {
			continue
		}
		e := legendEntry{label: c.label, look: p.lookOf(i)}
		if c.points != nil {
			e.width = style.Line
		}
		if c.dots != nil {
			e.marker = &c.marker
		}
		if c.low != nil && c.points == nil {
			e.box = c.fill
		}
		entries = append(entries, e)
	}
	return entries
}

// flowLegend fills rows with the entries.
func (p *panel) flowLegend(d *Drawing, style Style, room float64) {
	p.legend = nil
	used := math.Inf(1)
	for _, e := range p.legendEntries(style) {
		w := style.Small*(e.sample()+0.4) + d.textWidth(e.label, style.Small)
		if used+w > room {
			p.legend = append(p.legend, nil)
			used = 0
		}
		last := len(p.legend) - 1
		p.legend[last] = append(p.legend[last], e)
		used += w + style.Small*legendGap
	}
}

func (p *panel) legendHeight(style Style) float64 {
	return float64(len(p.legend)) * lineHeight * style.Small
}

func (p *panel) drawLegend(s *stack) {
	small := s.style.Small
	base := float64(p.area.Max.Y) + 0.45*small
	if p == s.panels[0] && len(s.bands) > 0 {
		rows := 0
		for _, r := range s.bandRows {
			rows = max(rows, r+1)
		}
		base += float64(rows) * lineHeight * small
	}
	for r, row := range p.legend {
		x := float64(s.left)
		y := base + float64(len(p.legend)-1-r)*lineHeight*small
		for i := range row {
			e := &row[i]
			s.drawSample(e, x, y)
			x += small * (e.sample() + 0.4)
			s.d.text(e.label, textStyle{size: small, color: black}, vg.Point{X: vg.Length(x), Y: vg.Length(y)})
			x += s.d.textWidth(e.label, small) + small*legendGap
		}
	}
}

func (s *stack) drawSample(e *legendEntry, x, y float64) {
	small := s.style.Small
	width := small * e.sample()
	mid := vg.Length(y + small*capHeight/2)
	if e.box != nil {
		box := vg.Rectangle{
			Min: vg.Point{X: vg.Length(x), Y: vg.Length(y - 0.04*small)},
			Max: vg.Point{X: vg.Length(x + width), Y: vg.Length(y + 0.76*small)},
		}
		s.d.rect(*e.box, box)
		s.d.stroke(dark, s.style.Rule*0.6, box.Path())
	}
	if e.width > 0 {
		s.d.line(e.look.color, e.width, e.look.dashes, vg.Point{X: vg.Length(x), Y: mid}, vg.Point{X: vg.Length(x + width), Y: mid})
	}
	if e.upright > 0 {
		s.upright(e.look, e.upright, x+width/2, y)
	}
	if e.marker != nil {
		s.d.markers(*e.marker, e.look.color, s.style, []vg.Point{{X: vg.Length(x + width/2), Y: mid}})
	}
}
