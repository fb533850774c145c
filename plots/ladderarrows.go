package plots

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel/segment"
)

// A ladderText is a text that may lie at an angle, counted to the left.
type ladderText struct {
	text         string
	size         float64
	align, angle float64
	at           vg.Point
	color        color.NRGBA
}

func (p *ladderPage) text(t ladderText) { p.texts = append(p.texts, t) }

// width is how wide a text is, in points. Chinese letters are square.
func (p *ladderPage) width(t *ladderText) float64 {
	plain, square := make([]rune, 0, len(t.text)), 0.0
	for _, r := range t.text {
		if r < 0x2e80 {
			plain = append(plain, r)
		} else {
			square++
		}
	}
	if square > 0 && p.d.face.name != "Liberation Sans" {
		return p.d.textWidth(t.text, t.size)
	}
	return p.d.textWidth(string(plain), t.size) + square*t.size
}

// outline draws a text as outlines.
func (p *ladderPage) outline(t *ladderText) {
	path, _ := p.d.setText(t.text, textStyle{size: t.size, align: t.align, color: t.color}, vg.Point{})
	if len(path) == 0 {
		return
	}
	sin, cos := math.Sincos(t.angle)
	turn := func(q vg.Point) vg.Point {
		x, y := float64(q.X), float64(q.Y)
		return t.at.Add(vg.Point{X: vg.Length(x*cos - y*sin), Y: vg.Length(x*sin + y*cos)})
	}
	for i := range path {
		path[i].Pos = turn(path[i].Pos)
		for j := range path[i].Control {
			path[i].Control[j] = turn(path[i].Control[j])
		}
	}
	p.d.fill(t.color, path)
}

// withText adds texts to an SVG drawing of the given height.
func withText(plain []byte, texts []ladderText, height float64) ([]byte, error) {
	end := bytes.LastIndex(plain, []byte("</g>"))
	if end < 0 {
		return nil, fmt.Errorf("svg: no group to put text into")
	}
	var out bytes.Buffer
	out.Write(plain[:end])
	out.WriteString("</g>\n" + `<g font-family="'Liberation Sans',Arial,Helvetica,'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif">` + "\n")
	for i := range texts {
		t := &texts[i]
		anchor := "start"
		switch t.align {
		case 0.5:
			anchor = "middle"
		case 1:
			anchor = "end"
		}
		x, y := t.at.X.Points(), height-t.at.Y.Points()
		fmt.Fprintf(&out, `<text x="%.2f" y="%.2f" font-size="%.2f" text-anchor="%s" fill="#%02x%02x%02x"`, x, y, t.size, anchor,
			t.color.R, t.color.G, t.color.B)
		if t.angle != 0 {
			fmt.Fprintf(&out, ` transform="rotate(%.2f %.2f %.2f)"`, -t.angle*180/math.Pi, x, y)
		}
		out.WriteByte('>')
		if err := xml.EscapeText(&out, []byte(t.text)); err != nil {
			return nil, err
		}
		out.WriteString("</text>\n")
	}
	out.Write(plain[end:])
	return out.Bytes(), nil
}

// lostPart is how far along its way a lost segment is drawn.
const lostPart = 0.62

// ends are the two ends of the arrow of a segment; whole says that it arrives.
func (p *ladderPage) ends(x *measure.Passage) (from, to vg.Point, whole bool) {
	start, end := p.bars[0].Max.X, p.bars[1].Min.X
	if x.Passive {
		start, end = end, start
	}
	part := func(share float64) vg.Length { return start + vg.Length(share)*(end-start) }
	share := func(s float64) des.Time { return des.Time(s * float64(p.clock.flight)) }
	switch {
	case x.Sent != des.Never && x.Arrived != des.Never:
		return vg.Point{X: start, Y: p.y(x.Sent)}, vg.Point{X: end, Y: p.y(x.Arrived)}, true
	case x.Sent == des.Never:
		return vg.Point{X: part(1 - lostPart), Y: p.y(x.Arrived - min(share(lostPart), x.Arrived-p.clock.start))}, vg.Point{X: end, Y: p.y(x.Arrived)}, true
	}
	reach := lostPart
	if room := float64(p.l.End-x.Sent)/float64(p.clock.flight) + 0.1; x.Fate == measure.OnItsWay {
		reach = math.Min(lostPart, room) // the page ends here
	}
	return vg.Point{X: start, Y: p.y(x.Sent)}, vg.Point{X: part(reach), Y: p.y(x.Sent + share(reach))}, false
}

// look is the colour of a segment's arrow.
func (p *ladderPage) look(x *measure.Passage) (c color.NRGBA, width float64, dashes []float64) {
	c, width = rgb(0x33567A), p.rule*1.2
	switch {
	case x.Repeated():
		c, width = retransmitted, p.rule*2
	case x.Segment.Flags&(segment.SYN|segment.FIN|segment.RST) != 0:
		c, width = black, p.rule*2
	case x.Segment.Len == 0:
		c = rgb(0x808080)
	}
	if x.Fate == measure.OnItsWay || x.Fate == measure.Copy || x.Sent == des.Never {
		dashes = []float64{4, 3}
	}
	return c, width, dashes
}

// arrow draws a segment on its way, with a cross where it is lost.
func (p *ladderPage) arrow(x *measure.Passage) {
	from, to, _ := p.ends(x)
	c, width, dashes := p.look(x)
	p.d.line(c, width, dashes, from, to)
	angle := math.Atan2(float64(to.Y-from.Y), float64(to.X-from.X))
	offset := func(length, turn float64) vg.Point {
		sin, cos := math.Sincos(angle + turn)
		return to.Add(vg.Point{X: vg.Length(length * cos), Y: vg.Length(length * sin)})
	}
	if x.Fate == measure.Lost || x.Fate == measure.Dropped {
		for _, turn := range []float64{math.Pi / 4, -math.Pi / 4} {
			p.d.line(retransmitted, p.rule*2.6, nil, offset(0.55*p.size, turn), offset(-0.55*p.size, turn))
		}
		return
	}
	tip := vg.Path{}
	tip.Move(to)
	tip.Line(offset(-0.85*p.size, 0.28))
	tip.Line(offset(-0.85*p.size, -0.28))
	tip.Close()
	p.d.fill(c, tip)
}

// label writes what a segment says along its arrow: above or below it, where it
// covers nothing. What is important may cover other arrows, the rest is left out
// if there is no room.
func (p *ladderPage) label(x *measure.Passage) {
	c, _, _ := p.look(x)
	t := ladderText{text: p.o.Notation.Write(p.l.Trace, x.Passive, &x.Segment), size: p.size * 0.9, align: 0.5, color: c}
	if remark := x.Remark(p.o.Language); remark != "" {
		t.text += " (" + remark + ")"
	}
	shares := []vg.Length{0.36, 0.62}
	if _, _, whole := p.ends(x); !whole {
		shares = []vg.Length{0.5}
	}
	fallback := ladderText{}
	for _, share := range shares {
		for _, below := range []bool{false, true} {
			p.along(&t, x, share, below)
			switch {
			case p.coversText(&t) || p.cutOff(&t):
			case !p.coversArrow(&t, x, below):
				p.boxes = append(p.boxes, t)
				p.text(t)
				return
			case fallback.text == "" && important(x):
				fallback = t
			}
		}
	}
	if fallback.text != "" {
		p.boxes = append(p.boxes, fallback)
		p.d.fill(white, p.frame(&fallback))
		p.text(fallback)
	}
}

// How far the base line of a label is above its arrow, or below it, in multiples
// of the letters' size.
const (
	labelLift = 0.3
	labelDrop = 0.95
)

// along places a text at a share of the way of a segment, between the columns.
func (p *ladderPage) along(t *ladderText, x *measure.Passage, share vg.Length, below bool) {
	from, to, _ := p.ends(x)
	if from.X > to.X {
		from, to, share = to, from, 1-share
	}
	t.angle = math.Atan2(float64(to.Y-from.Y), float64(to.X-from.X))
	lift := vg.Length(labelLift * p.size)
	if below {
		lift = vg.Length(-labelDrop * p.size)
	}
	half := vg.Length(p.width(t)/2*math.Cos(t.angle)) + 2
	middle := max(p.bars[0].Max.X+half, min(p.bars[1].Min.X-half, from.X+share*(to.X-from.X)))
	t.at = vg.Point{X: middle - lift*vg.Length(math.Sin(t.angle)),
		Y: from.Y + (middle-from.X)*vg.Length(math.Tan(t.angle)) + lift*vg.Length(math.Cos(t.angle))}
}

// cutOff reports whether a text reaches beyond the columns.
func (p *ladderPage) cutOff(t *ladderText) bool {
	for _, q := range p.corners(t, 0) {
		if q.Y < p.bars[0].Min.Y || q.Y > p.bars[0].Max.Y {
			return true
		}
	}
	return false
}

func (p *ladderPage) coversText(t *ladderText) bool {
	box := p.corners(t, 0.1)
	for i := range p.boxes {
		other := p.corners(&p.boxes[i], 0.1)
		if !apart(box[:], other[:]) {
			return true
		}
	}
	return false
}

// coversArrow reports whether the arrow of another segment crosses a text, or
// runs between the text and its own arrow.
func (p *ladderPage) coversArrow(t *ladderText, own *measure.Passage, below bool) bool {
	bottom, top := -labelLift*p.size, 0.7*t.size
	if below {
		bottom, top = -0.2*t.size, labelDrop*p.size
	}
	box := p.box(t, -0.02*t.size, bottom, top)
	low, high := box[0].Y, box[0].Y
	for _, q := range box {
		low, high = min(low, q.Y), max(high, q.Y)
	}
	for i := range p.l.Passages {
		x := &p.l.Passages[i]
		from, to, _ := p.ends(x)
		if x == own || min(from.Y, to.Y) > high || max(from.Y, to.Y) < low {
			continue
		}
		if !apart(box[:], []vg.Point{from, to}) {
			return true
		}
	}
	return false
}

// frame is the box around a text.
func (p *ladderPage) frame(t *ladderText) vg.Path {
	var path vg.Path
	for i, q := range p.corners(t, 0.05) {
		if i == 0 {
			path.Move(q)
		} else {
			path.Line(q)
		}
	}
	path.Close()
	return path
}

// corners are those of the box around a text, with a margin in multiples of its
// size.
func (p *ladderPage) corners(t *ladderText, margin float64) [4]vg.Point {
	return p.box(t, margin*t.size, (-0.2-margin)*t.size, (0.75+margin)*t.size)
}

// box returns the corners of the box around a text with a margin at its sides,
// from bottom to top, counted from its base line.
func (p *ladderPage) box(t *ladderText, margin, bottom, top float64) [4]vg.Point {
	w := p.width(t)
	left, right := -t.align*w-margin, (1-t.align)*w+margin
	sin, cos := math.Sincos(t.angle)
	var out [4]vg.Point
	for i, q := range [4][2]float64{{left, bottom}, {right, bottom}, {right, top}, {left, top}} {
		out[i] = t.at.Add(vg.Point{X: vg.Length(q[0]*cos - q[1]*sin), Y: vg.Length(q[0]*sin + q[1]*cos)})
	}
	return out
}

// apart reports whether a line separates two convex figures, each given by its
// corners in order: one that is parallel to a side of either.
func apart(a, b []vg.Point) bool {
	figures := [2][]vg.Point{a, b}
	for _, f := range figures {
		for i := range f {
			side := f[(i+1)%len(f)].Sub(f[i])
			var low, high [2]float64
			for k := range figures {
				low[k], high[k] = math.Inf(1), math.Inf(-1)
				for _, q := range figures[k] {
					v := float64(q.Y*side.X - q.X*side.Y)
					low[k], high[k] = math.Min(low[k], v), math.Max(high[k], v)
				}
			}
			if high[0] < low[1] || high[1] < low[0] {
				return true
			}
		}
	}
	return false
}
