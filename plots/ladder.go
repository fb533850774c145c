package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// ErrNoLetters is what DrawLadder fails with if the font does not have the
// letters of the language.
var ErrNoLetters = errors.New("the built-in font has no Chinese letters")

// DrawLadder draws the ladder of a connection: time runs downwards and to scale,
// but for pauses in which nothing is on its way; the states of both ends are
// columns in colour. A language that the font of the style does not have is
// refused; LadderSVG has it.
func DrawLadder(l *measure.Ladder, o measure.LadderOptions, style Style) (*Drawing, error) {
	if o.Language == measure.Chinese && style.FontFile == "" {
		return nil, ErrNoLetters
	}
	p, err := layLadder(l, o, style)
	if err != nil {
		return nil, err
	}
	for i := range p.texts {
		p.outline(&p.texts[i])
	}
	return p.d.finish()
}

// LadderSVG is DrawLadder as SVG in every language: letters that the font does
// not have are text, for which the reader's fonts are used.
func LadderSVG(l *measure.Ladder, o measure.LadderOptions, style Style) ([]byte, error) {
	if o.Language == measure.English || style.FontFile != "" {
		d, err := DrawLadder(l, o, style)
		if err != nil {
			return nil, err
		}
		return d.SVG()
	}
	p, err := layLadder(l, o, style)
	if err != nil {
		return nil, err
	}
	d, err := p.d.finish()
	if err != nil {
		return nil, err
	}
	plain, err := d.SVG()
	if err != nil {
		return nil, err
	}
	return withText(plain, p.texts, d.Height)
}

// Distances of a ladder in multiples of its letters' size.
const (
	ladderTime   = 5.6 // room for times
	ladderTimers = 2.0 // for timers
	ladderNames  = 8.6 // for states
	ladderBar    = 1.1 // width of a column of states
	ladderTop    = 5.0
	ladderLead   = 1.8 // of the columns above the first event and below the last
	ladderBreak  = 3.6 // height of a pause
	leastFlight  = 4.0 // height of the usual time on the way
	usualHeight  = 84  // of a ladder, if the flights allow it
	mostFlight   = 16
)

// ladderPage is a ladder that is being laid out.
type ladderPage struct {
	l     *measure.Ladder
	o     measure.LadderOptions
	d     *Drawing
	size  float64 // of letters
	rule  float64
	clock ladderClock
	bars  [2]vg.Rectangle
	texts []ladderText
	boxes []ladderText // labels on arrows, none of which covers another
}

func layLadder(l *measure.Ladder, o measure.LadderOptions, style Style) (*ladderPage, error) {
	if err := style.validate(); err != nil {
		return nil, err
	}
	fig := Figure{Name: "ladder", Width: "wide", Title: o.Language.Phrase("connection", l.Trace.Number,
		o.Name(&l.Trace.Active), o.Name(&l.Trace.Passive))}
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	p := &ladderPage{l: l, o: o, d: d, size: style.Small * 0.93, rule: style.Rule}
	if p.clock, err = newLadderClock(l, p.size); err != nil {
		return nil, err
	}
	d.Height = (ladderTop+2*ladderLead+1)*p.size + p.clock.height
	if d.Height > 14400 {
		return nil, fmt.Errorf("a ladder of %v would be %.0f cm long (choose a shorter time with --from and --until)",
			l.End-l.Start, d.Height/72*2.54)
	}
	margin := (ladderTime + ladderTimers + ladderNames) * p.size
	top, bottom := p.y(l.Start)+vg.Length(ladderLead*p.size), p.y(l.End)-vg.Length(ladderLead*p.size)
	bar := vg.Length(ladderBar * p.size)
	left := vg.Rectangle{Min: vg.Point{X: vg.Length(margin), Y: bottom}, Max: vg.Point{X: vg.Length(margin) + bar, Y: top}}
	right := vg.Length(d.Width-margin) - bar
	p.bars = [2]vg.Rectangle{left, {Min: vg.Point{X: right, Y: bottom}, Max: vg.Point{X: right + bar, Y: top}}}
	p.draw()
	return p, nil
}

func (p *ladderPage) draw() {
	p.pauses()
	for k := range p.bars {
		p.states(k)
		p.times(k)
	}
	p.timers()
	for i := range p.l.Passages {
		p.arrow(&p.l.Passages[i])
	}
	for _, first := range []bool{true, false} {
		for i := range p.l.Passages {
			if x := &p.l.Passages[i]; important(x) == first {
				p.label(x)
			}
		}
	}
	for k, e := range []*measure.TraceEnd{&p.l.Trace.Active, &p.l.Trace.Passive} {
		align, x := 0.0, p.bars[k].Min.X
		if k == 1 {
			align, x = 1, p.bars[k].Max.X
		}
		at := vg.Point{X: x, Y: p.bars[k].Max.Y + vg.Length(p.size)}
		p.text(ladderText{text: p.o.Name(e), size: p.size * 1.15, align: align, at: at, color: black})
	}
	p.text(ladderText{text: p.o.Language.Phrase("connection time", p.l.Trace.Number), size: p.size, at: vg.Point{X: vg.Length(0.5 * p.size),
		Y: p.bars[0].Max.Y + vg.Length(p.size)}, color: dark})
}

// y is where an instant is on the page.
func (p *ladderPage) y(at des.Time) vg.Length {
	return vg.Length(p.d.Height - (ladderTop+ladderLead)*p.size - p.clock.at(at))
}

// important reports whether a segment has a label before others.
func important(x *measure.Passage) bool {
	return x.Segment.Flags&(segment.SYN|segment.FIN|segment.RST) != 0 || x.Fate == measure.Lost || x.Fate == measure.Dropped ||
		x.Fate == measure.Answered || x.By != "" || x.Repeated()
}

func stateColor(s tcpmodel.State) color.NRGBA {
	for _, c := range stateColors {
		if c.name == s.String() {
			return c.color
		}
	}
	return white
}

// states draws the column of states of an end, and their names beside it.
func (p *ladderPage) states(k int) {
	spans, bar := p.l.States[k], p.bars[k]
	line := vg.Length(1.15 * p.size)
	next := bar.Max.Y + line
	for i, s := range spans {
		from, until := bar.Max.Y, bar.Min.Y
		if i > 0 {
			from = min(bar.Max.Y, p.y(max(s.From, p.l.Start)))
		}
		if i+1 < len(spans) {
			if spans[i+1].From < p.l.Start {
				continue
			}
			until = max(bar.Min.Y, p.y(min(spans[i+1].From, p.l.End)))
		}
		if s.From > p.l.End {
			break
		}
		box := vg.Rectangle{Min: vg.Point{X: bar.Min.X, Y: until}, Max: vg.Point{X: bar.Max.X, Y: from}}
		p.d.rect(stateColor(s.State), box)
		p.d.stroke(dark, p.rule, box.Path())
		y := min(from-vg.Length(0.9*p.size), next-line)
		p.stateName(k, s.State.String(), y, from)
		next = y
	}
}

// stateName writes the name of a state beside its column, with a line to where
// it begins if that is not there.
func (p *ladderPage) stateName(k int, name string, y, from vg.Length) {
	gap := vg.Length(0.9 * p.size)
	x, edge, align := p.bars[0].Min.X-gap, p.bars[0].Min.X, 1.0
	if k == 1 {
		x, edge, align = p.bars[1].Max.X+gap, p.bars[1].Max.X, 0
	}
	p.text(ladderText{text: name, size: p.size, align: align, at: vg.Point{X: x, Y: y}, color: black})
	middle := y + vg.Length(0.35*p.size)
	p.d.line(dark, p.rule*0.7, nil, vg.Point{X: edge, Y: from}, vg.Point{X: (x + edge) / 2, Y: middle}, vg.Point{X: x, Y: middle})
}

// times writes the times of what happens at an end, where there is room.
func (p *ladderPage) times(k int) {
	var at []des.Time
	for i := range p.l.Passages {
		x := &p.l.Passages[i]
		if x.Passive == (k == 1) {
			at = append(at, x.Sent)
		} else {
			at = append(at, x.Arrived)
		}
	}
	for i, s := range p.l.States[k] {
		if i > 0 && s.From >= p.l.Start && s.From <= p.l.End {
			at = append(at, s.From)
		}
	}
	slices.Sort(at)
	last := vg.Length(math.Inf(1))
	for _, t := range at {
		if t == des.Never {
			continue
		}
		y := p.y(t)
		if last-y < vg.Length(1.1*p.size) {
			continue
		}
		last = y
		x, align := vg.Length(ladderTime*p.size), 1.0
		if k == 1 {
			x, align = vg.Length(p.d.Width-ladderTime*p.size), 0
		}
		p.text(ladderText{text: p.clock.label(t), size: p.size * 0.9, align: align, color: dark,
			at: vg.Point{X: x, Y: y - vg.Length(0.32*p.size)}})
	}
}

// timers draws timers that expired as brackets beside the states. A label that is
// longer than its bracket stands across.
func (p *ladderPage) timers() {
	for i := range p.l.Timers {
		t := &p.l.Timers[i]
		if t.Until < p.l.Start || t.From > p.l.End {
			continue
		}
		x, inward := vg.Length((ladderTime+0.65*ladderTimers)*p.size), vg.Length(p.size)
		text := ladderText{text: t.Label(p.o.Language), size: p.size * 0.9, align: 0.5, angle: math.Pi / 2, color: retransmitted}
		text.at.X = x - 0.2*inward
		if t.Passive {
			x, inward = vg.Length(p.d.Width)-x, -inward
			text.at.X = x - 0.9*inward
		}
		from, until := p.y(max(t.From, p.l.Start)), p.y(min(t.Until, p.l.End))
		p.d.line(retransmitted, p.rule*1.4, nil, vg.Point{X: x + 0.5*inward, Y: from}, vg.Point{X: x, Y: from},
			vg.Point{X: x, Y: until}, vg.Point{X: x + 0.5*inward, Y: until})
		text.at.Y = (from + until) / 2
		if float64(from-until) < p.width(&text) {
			text.angle, text.align = 0, 0
			if t.Passive {
				text.align = 1
			}
			text.at = vg.Point{X: x + 0.4*inward, Y: text.at.Y - vg.Length(0.3*p.size)}
		}
		p.text(text)
	}
}

// retransmitted is the colour of what was sent again, and of timers.
var retransmitted = rgb(0xB34700)
