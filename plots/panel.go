package plots

import (
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
)

// empty is true if there is nothing to draw.
func (p *panel) empty(x *horizontal) bool {
	if p.drawn != nil {
		return false
	}
	some := false
	p.values(x, func(float64) { some = true })
	return !some
}

// setRange chooses the range of the vertical axis, without margins. A ratio has
// 0 to 1, and others begin at 0 unless their values keep far away from it.
func (p *panel) setRange(x *horizontal) {
	if p.rows != nil {
		p.lo, p.hi, p.sc = -0.5, float64(len(p.rows))-0.5, scale{factor: 1}
		return
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	visit := func(v float64) {
		if !p.axis.Log || v > math.SmallestNonzeroFloat64 {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	p.values(x, visit)
	for _, l := range p.limits {
		visit(l.Value)
	}
	if p.axis.Log {
		p.setLogRange(lo, hi)
		return
	}
	// What is this small is the rounding of a 0.
	if lo > hi || max(math.Abs(lo), math.Abs(hi)) < 1e-12 {
		lo, hi = 0, 0
	}
	tiny := hi-lo < 1e-4*max(math.Abs(lo), math.Abs(hi)) // labels would be long
	switch {
	case p.axis.Min != p.axis.Max:
		lo, hi = p.axis.Min, p.axis.Max
	case p.unit == "ratio" && !p.zoomed:
		lo, hi = min(lo, 0), max(hi, 1)
	case p.tight && hi > lo:
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

// setLogRange is setRange of a logarithmic axis; lo and hi are those of the
// positive values.
func (p *panel) setLogRange(lo, hi float64) {
	switch {
	case p.axis.Min != p.axis.Max:
		lo, hi = p.axis.Min, p.axis.Max
	case lo > hi:
		lo, hi = 0.1, 1
	case lo == hi:
		lo, hi = lo/2, hi*2
	}
	p.lo, p.hi = lo, hi
	p.sc = logScaleFor(p.unit, lo, hi)
}

// norm is the place of a value on the axis, from 0 to 1.
func (p *panel) norm(v float64) float64 {
	if p.axis.Log {
		return math.Log(v/p.lo) / math.Log(p.hi/p.lo)
	}
	return (v - p.lo) / (p.hi - p.lo)
}

func (p *panel) yAt(v float64) vg.Length {
	return p.area.Min.Y + vg.Length(p.norm(v))*(p.area.Max.Y-p.area.Min.Y)
}

// setTicks adds margins, so that neither a line at the border is half hidden
// nor a limit without room for its label, and chooses the ticks.
func (p *panel) setTicks(height, small float64) {
	if p.rows != nil {
		for i, r := range p.rows {
			p.ticks = append(p.ticks, tick{float64(len(p.rows) - 1 - i), r})
		}
		return
	}
	if p.fixed != nil {
		p.ticks = someTicks(p.fixed, p.apart(height, small))
		return
	}
	if p.axis.Log {
		p.setLogTicks(height, small)
		return
	}
	span := p.hi - p.lo
	top := p.hi + 0.045*span
	for _, l := range p.limits {
		if l.Label != "" && len(p.curves) == 1 {
			room := min(small*1.7/height, 0.5)
			top = max(top, (l.Value-room*p.lo)/(1-room))
		}
	}
	if !p.flush {
		p.lo -= 0.045 * span
		p.hi = top
	}
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

func (p *panel) setLogTicks(height, small float64) {
	margin := math.Pow(p.hi/p.lo, 0.045)
	if p.axis.Min == p.axis.Max {
		p.lo, p.hi = p.lo/margin, p.hi*margin
	}
	f := p.sc.factor
	p.ticks = logTicks(p.lo*f, p.hi*f, p.apart(height, small))
}

// apart tells whether labels leave room between them.
func (p *panel) apart(height, small float64) func([]tick) bool {
	return func(ts []tick) bool {
		last := math.Inf(-1)
		for _, t := range ts {
			if t.label == "" {
				continue
			}
			y := p.norm(t.value/p.sc.factor) * height
			if y < last+1.35*small {
				return false
			}
			last = y
		}
		return true
	}
}

func (p *panel) fullLabel() string {
	if p.axis.Label != "" {
		return ownLabel(p.axis.Label, p.unit, p.sc)
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

// draw draws the axes, the limits and the curves.
func (p *panel) draw(s *stack) {
	none := p.empty(&s.x)
	p.toPage(s)
	p.drawShades(s)
	for _, draw := range p.drawn {
		draw(s, p)
	}
	p.drawAxes(s)
	p.drawLegend(s)
	for _, l := range p.limits {
		y := p.yAt(l.Value)
		s.d.line(limitLook.color, s.style.Rule, limitLook.dashes, vg.Point{X: s.left, Y: y}, vg.Point{X: s.right, Y: y})
	}
	p.drawCurves(s)
	for _, l := range p.limits {
		if l.Label != "" && len(p.legend) == 0 {
			p.drawLimitLabel(s, l)
		}
	}
	if none {
		mid := vg.Point{X: (s.left + s.right) / 2, Y: (p.area.Min.Y + p.area.Max.Y) / 2}
		s.d.text("no values", textStyle{size: s.style.Small, align: 0.5, color: dark}, mid)
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
		if p.rows == nil {
			s.d.line(black, rule, nil, vg.Point{X: a.Min.X - l, Y: y}, vg.Point{X: a.Min.X, Y: y})
		}
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
	if p.boxed {
		s.d.stroke(black, rule, a.Path())
	} else {
		s.d.line(black, rule, nil, vg.Point{X: a.Min.X, Y: a.Max.Y}, a.Min, vg.Point{X: a.Max.X, Y: a.Min.Y})
	}

	mid := (a.Min.Y + a.Max.Y) / 2
	for i, l := range p.yLabel {
		// The last line of each label is the same distance from the ticks.
		fromLast := float64(len(p.yLabel)-1-i) + 0.2
		x := s.labelEdge - fromLast*lineHeight*s.style.Label
		s.d.text(l, textStyle{size: s.style.Label, align: 0.5, up: true, color: black}, vg.Point{X: vg.Length(x), Y: mid})
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
