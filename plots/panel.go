package plots

import (
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
)

// thin reduces the curves to what can be seen, with the horizontal axis spread
// over the given width, and the values as they are.
func (p *panel) thin(x *horizontal, width vg.Length) {
	for i := range p.curves {
		c := &p.curves[i]
		c.lines = thin(c.points, 0, width, func(vx, vy float64) vg.Point {
			return vg.Point{X: vg.Length(x.norm(vx)) * width, Y: vg.Length(vy)}
		})
	}
}

// empty is true if there is nothing to draw.
func (p *panel) empty() bool {
	for _, c := range p.curves {
		if len(c.lines) > 0 {
			return false
		}
	}
	return true
}

// setRange chooses the range of the vertical axis, without margins. A ratio has
// 0 to 1, and others begin at 0 unless their values keep far away from it.
func (p *panel) setRange() {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range p.curves {
		for _, line := range c.lines {
			for _, q := range line {
				lo, hi = min(lo, float64(q.Y)), max(hi, float64(q.Y))
			}
		}
	}
	for _, l := range p.limits {
		lo, hi = min(lo, l.Value), max(hi, l.Value)
	}
	// What is this small is the rounding of a 0.
	if lo > hi || max(math.Abs(lo), math.Abs(hi)) < 1e-12 {
		lo, hi = 0, 0
	}
	tiny := hi-lo < 1e-4*max(math.Abs(lo), math.Abs(hi)) // labels would be long
	switch {
	case p.axis.Min != p.axis.Max:
		lo, hi = p.axis.Min, p.axis.Max
	case p.unit == "ratio":
		lo, hi = min(lo, 0), max(hi, 1)
	case lo > 0 && (lo < 0.8*hi || tiny):
		lo = 0
	case hi < 0 && (hi > 0.8*lo || tiny):
		hi = 0
	}
	if lo == hi {
		hi = 1 // both are 0
	}
	p.lo, p.hi = lo, hi
	p.sc = scaleFor(p.unit, max(math.Abs(lo), math.Abs(hi)))
}

// setTicks adds margins, so that neither a line at the border is half hidden
// nor a limit without room for its label, and chooses the ticks.
func (p *panel) setTicks(height, small float64) {
	span := p.hi - p.lo
	top := p.hi + 0.045*span
	for _, l := range p.limits {
		if l.Label != "" && len(p.curves) == 1 {
			room := min(small*1.7/height, 0.5)
			top = max(top, (l.Value-room*p.lo)/(1-room))
		}
	}
	p.lo -= 0.045 * span
	p.hi = top
	f := p.sc.factor
	any := func([]tick) bool { return true }
	for _, apart := range []float64{1.75, 1.35} { // closer only if few would be left
		most := max(int(height/(small*apart)), 2)
		p.ticks = linearTicks(p.lo*f, p.hi*f, most, counted[p.unit] && f == 1, any)
		if labelled(p.ticks) > 2 {
			return
		}
	}
}

func (p *panel) fullLabel() string {
	if p.axis.Label != "" {
		return p.axis.Label
	}
	return axisLabel(p.label, p.unit, p.sc)
}

// reserve breaks the label into lines that fit beside a panel of that height,
// and the legend into rows.
func (p *panel) reserve(height float64, d *Drawing, style Style) {
	room := height + 0.5*style.Small
	for lines := 1; ; lines++ {
		p.yLabel = wrap(p.fullLabel(), lines)
		widest := 0.0
		for _, l := range p.yLabel {
			widest = max(widest, d.textWidth(l, style.Label))
		}
		if widest <= room || lines > len(p.label)+8 {
			return
		}
	}
}

// wrap breaks a text at blanks into at most n lines of about equal length. A
// unit in parentheses stays whole.
func wrap(text string, n int) []string {
	words := strings.Fields(text)
	for i := 1; i < len(words); i++ {
		if strings.Contains(words[i-1], "(") && !strings.Contains(words[i-1], ")") {
			words[i-1] += " " + words[i]
			words = append(words[:i], words[i+1:]...)
			i--
		}
	}
	if n >= len(words) {
		return words
	}
	for width := len(text)/n + 1; ; width++ {
		var lines []string
		for _, w := range words {
			last := len(lines) - 1
			if last >= 0 && len(lines[last])+1+len(w) <= width {
				lines[last] += " " + w
			} else {
				lines = append(lines, w)
			}
		}
		if len(lines) <= n {
			return lines
		}
	}
}

const (
	legendSample = 2.2 // length of a line's sample, in sizes of the small font
	legendGap    = 1.2
)

// A legendEntry is a line's sample and name.
type legendEntry struct {
	label string
	look  look
	width float64 // of the line
}

// flowLegend fills rows with the curves' names, if there is more than one. Then
// the limits are there too, as there is little room beside their lines.
func (p *panel) flowLegend(d *Drawing, style Style, room float64) {
	p.legend = nil
	if len(p.curves) < 2 {
		return
	}
	var entries []legendEntry
	for i, c := range p.curves {
		entries = append(entries, legendEntry{c.label, looks[i%len(looks)], style.Line})
	}
	for _, l := range p.limits {
		if l.Label != "" {
			entries = append(entries, legendEntry{l.Label, limitLook, style.Rule})
		}
	}
	used := math.Inf(1)
	for _, e := range entries {
		w := style.Small*(legendSample+0.4) + d.textWidth(e.label, style.Small)
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

func (p *panel) yAt(v float64) vg.Length {
	return p.area.Min.Y + vg.Length((v-p.lo)/(p.hi-p.lo))*(p.area.Max.Y-p.area.Min.Y)
}

// draw draws the axes, the limits and the curves.
func (p *panel) draw(s *stack) {
	p.toPage(s)
	p.drawAxes(s)
	p.drawLegend(s)
	for _, l := range p.limits {
		y := p.yAt(l.Value)
		s.d.line(limitLook.color, s.style.Rule, limitLook.dashes, vg.Point{X: s.left, Y: y}, vg.Point{X: s.right, Y: y})
	}
	for i := range p.curves {
		lk := looks[i%len(looks)]
		for _, line := range p.curves[i].lines {
			if len(line) == 1 {
				s.d.dot(lk.color, s.style.Line*0.9, line[0])
			}
			s.d.line(lk.color, s.style.Line, lk.dashes, line...)
		}
	}
	for _, l := range p.limits {
		if l.Label != "" && len(p.legend) == 0 {
			p.drawLimitLabel(s, l)
		}
	}
	if p.empty() {
		mid := vg.Point{X: (s.left + s.right) / 2, Y: (p.area.Min.Y + p.area.Max.Y) / 2}
		s.d.text("no values", textStyle{size: s.style.Small, align: 0.5, color: dark}, mid)
	}
}

// toPage turns the thinned curves into points of the page.
func (p *panel) toPage(s *stack) {
	shrink := (s.right - s.left) / vg.Length(s.d.Width)
	for _, c := range p.curves {
		for _, line := range c.lines {
			for i, q := range line {
				line[i] = vg.Point{X: s.left + q.X*shrink, Y: p.yAt(float64(q.Y))}
			}
		}
	}
}

func (p *panel) drawAxes(s *stack) {
	small, rule, a := s.style.Small, s.style.Rule, p.area
	length := vg.Length(small * tickLength)
	for _, t := range p.ticks {
		y := p.yAt(t.value / p.sc.factor)
		l := length
		if t.label == "" {
			l *= 0.6
		}
		s.d.line(black, rule, nil, vg.Point{X: a.Min.X - l, Y: y}, vg.Point{X: a.Min.X, Y: y})
		if t.label != "" {
			at := vg.Point{X: a.Min.X - length - vg.Length(small*tickGap), Y: y - vg.Length(small*capHeight/2)}
			s.d.text(t.label, textStyle{size: small, align: 1, color: black}, at)
		}
	}
	for _, t := range s.x.ticks {
		x := s.xAt(t.value / s.x.sc.factor)
		l := length
		if t.label == "" {
			l *= 0.6
		}
		s.d.line(black, rule, nil, vg.Point{X: x, Y: a.Min.Y - l}, vg.Point{X: x, Y: a.Min.Y})
	}
	s.d.line(black, rule, nil, vg.Point{X: a.Min.X, Y: a.Max.Y}, a.Min, vg.Point{X: a.Max.X, Y: a.Min.Y})

	mid := (a.Min.Y + a.Max.Y) / 2
	for i, l := range p.yLabel {
		// The last line of each label is the same distance from the ticks.
		fromLast := float64(len(p.yLabel)-1-i) + 0.2
		x := s.labelEdge - fromLast*lineHeight*s.style.Label
		s.d.text(l, textStyle{size: s.style.Label, align: 0.5, up: true, color: black}, vg.Point{X: vg.Length(x), Y: mid})
	}
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
		for _, e := range row {
			mid := vg.Length(y + small*capHeight/2)
			s.d.line(e.look.color, e.width, e.look.dashes,
				vg.Point{X: vg.Length(x), Y: mid}, vg.Point{X: vg.Length(x + small*legendSample), Y: mid})
			x += small * (legendSample + 0.4)
			s.d.text(e.label, textStyle{size: small, color: black}, vg.Point{X: vg.Length(x), Y: vg.Length(y)})
			x += s.d.textWidth(e.label, small) + small*legendGap
		}
	}
}

// drawLimitLabel writes the label of a limit beside its line where it covers no
// curve, or else with a white rim.
func (p *panel) drawLimitLabel(s *stack, l Limit) {
	small, y := s.style.Small, p.yAt(l.Value)
	inset, width := vg.Length(0.4*small), s.right-s.left
	type spot struct {
		at    vg.Point
		align float64
	}
	var spots []spot
	for _, h := range []vg.Length{y + vg.Length(0.5*small), y - vg.Length((0.45+capHeight)*small)} {
		spots = append(spots, spot{vg.Point{X: s.right - inset, Y: h}, 1}, spot{vg.Point{X: s.left + inset, Y: h}, 0})
		for _, part := range []vg.Length{0.5, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4} {
			spots = append(spots, spot{vg.Point{X: s.left + part*width, Y: h}, 0.5})
		}
	}
	choice, clear := spots[0], false
	for _, sp := range spots {
		_, box := s.d.setText(l.Label, textStyle{size: small, align: sp.align}, sp.at)
		if p.free(box, vg.Length(s.style.Line)) {
			choice, clear = sp, true
			break
		}
	}
	st := textStyle{size: small, align: choice.align, color: dark}
	path, box := s.d.setText(l.Label, st, choice.at)
	if !clear {
		s.d.marks = append(s.d.marks, mark{path: path, color: white, stroke: vg.Length(0.35 * small)})
	}
	p.covered = append(p.covered, box)
	s.d.text(l.Label, st, choice.at)
}

// free is true if no curve and no other label comes within the margin of a box,
// which must lie in the panel.
func (p *panel) free(box vg.Rectangle, margin vg.Length) bool {
	b := grow(box, margin)
	if b.Min.Y < p.area.Min.Y || box.Max.Y > p.area.Max.Y {
		return false
	}
	for _, c := range p.covered {
		if b.Min.X < c.Max.X && c.Min.X < b.Max.X && b.Min.Y < c.Max.Y && c.Min.Y < b.Max.Y {
			return false
		}
	}
	for _, l := range p.limits {
		if y := p.yAt(l.Value); y > b.Min.Y && y < b.Max.Y {
			return false
		}
	}
	for _, c := range p.curves {
		for _, line := range c.lines {
			for i := range line {
				if crosses(line[max(i-1, 0)], line[i], b) {
					return false
				}
			}
		}
	}
	return true
}

func grow(r vg.Rectangle, by vg.Length) vg.Rectangle {
	m := vg.Point{X: by, Y: by}
	return vg.Rectangle{Min: r.Min.Sub(m), Max: r.Max.Add(m)}
}

// crosses is true if the line from a to b touches the box (clipping after Liang
// and Barsky).
func crosses(a, b vg.Point, box vg.Rectangle) bool {
	from, to := 0.0, 1.0
	for _, c := range [2][4]vg.Length{
		{a.X, b.X - a.X, box.Min.X, box.Max.X},
		{a.Y, b.Y - a.Y, box.Min.Y, box.Max.Y},
	} {
		if c[1] == 0 {
			if c[0] < c[2] || c[0] > c[3] {
				return false
			}
			continue
		}
		t0, t1 := float64((c[2]-c[0])/c[1]), float64((c[3]-c[0])/c[1])
		from, to = max(from, min(t0, t1)), min(to, max(t0, t1))
	}
	return from <= to
}
