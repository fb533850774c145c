package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// A stack is panels above each other that share their horizontal axis: what
// timeseries and ecdf figures are.
type stack struct {
	x      horizontal
	panels []*panel
	bands  []band
	style  Style
	d      *Drawing

	left, right vg.Length // of all panels
	labelEdge   float64   // the right border of the vertical axes' labels
	over        float64   // height of the band labels and the title over the first panel
	legendRoom  float64   // width of a row
	rightRoom   float64   // beside the panels, for a colour bar
	bandRows    []int     // the row of each band's label, from the bottom
}

// horizontal is the shared axis. Lo and hi are in the unit of the values, ticks
// in the one of the scale.
type horizontal struct {
	label  string
	sc     scale
	lo, hi float64
	log    bool
	ticks  []tick
	fixed  []tick // in place of computed ones
}

// A panel is one vertical axis with its curves.
type panel struct {
	label  string
	per    string // what a number of things is counted over, such as " per second"
	unit   string
	axis   Axis
	curves []curve
	limits []Limit
	// rows are names in place of values: those of the rows from the top, at the
	// values len(rows)-1 to 0.
	rows []string
	// drawn is what is drawn besides the curves, below them.
	drawn  []func(*stack, *panel)
	inset  inset         // what they draw, as values
	keys   []legendEntry // in place of the curves' names
	tight  bool          // no 0 on the axis for its own sake
	fixed  []tick        // in place of computed ones
	zoomed bool          // a ratio need not show 0 to 1
	flush  bool          // no margins above and below the values
	boxed  bool          // axes on all sides
	height float64       // in points; 0: by the style

	sc      scale
	lo, hi  float64
	ticks   []tick
	yLabel  []string        // the label, in lines
	legend  [][]legendEntry // in rows
	area    vg.Rectangle
	covered []vg.Rectangle
}

// A band is a shaded stretch of the horizontal axis.
type band struct {
	label       string
	from, until float64
}

// norm is the place of a value on the axis, from 0 to 1.
func (h *horizontal) norm(v float64) float64 {
	if h.log {
		return plot.LogScale{}.Normalize(h.lo, h.hi, v)
	}
	return plot.LinearScale{}.Normalize(h.lo, h.hi, v)
}

// Distances in multiples of the small font's size.
const (
	tickLength = 0.36
	tickGap    = 0.3
	labelGap   = 0.45
	lineHeight = 1.2
	capHeight  = 0.72
	edge       = 0.3
	panelGap   = 1.0
)

// layout draws the stack.
func (s *stack) layout(fig Figure) (*Drawing, error) {
	small := s.style.Small
	width := vg.Length(s.d.Width)
	for _, p := range s.panels {
		p.thin(&s.x, width)
		p.setRange(&s.x)
	}
	s.chooseBandRows()
	s.legendRoom = 0.8 * s.d.Width // until the margins are known
	height, err := s.panelHeight(fig)
	if err != nil {
		return nil, err
	}
	for _, p := range s.panels {
		p.reserve(height, s.d, s.style)
		p.setTicks(height, small)
	}
	s.left = vg.Length(s.leftMargin())
	s.right = width - vg.Length(small*edge*2+s.rightRoom)
	s.setXTicks()
	s.legendRoom = float64(s.right - s.left)
	if height, err = s.panelHeight(fig); err != nil {
		return nil, err
	}
	s.place(height)
	s.drawBands()
	for _, p := range s.panels {
		p.draw(s)
	}
	s.drawXLabels()
	s.drawTitle()
	s.d.stack = s
	return s.d.finish()
}

// panelHeight is the height of each panel in points.
func (s *stack) panelHeight(fig Figure) (float64, error) {
	n := float64(len(s.panels))
	need := 3 * s.style.Small
	for _, p := range s.panels {
		for _, word := range wrap(p.fullLabel(), math.MaxInt) {
			need = max(need, s.d.textWidth(word, s.style.Label))
		}
	}
	if fig.Height == 0 {
		h := s.style.Panel * 72
		if n == 1 {
			h *= 2
		}
		if own := s.panels[0].height; own > 0 {
			h = own
		}
		return max(h, need), nil
	}
	rest := s.belowHeight() + s.over + s.legendHeight() + (n-1)*panelGap*s.style.Small
	h := (fig.Height*72 - rest) / n
	if h < need {
		return 0, fmt.Errorf("height %.2f in is too small for %d panels with these labels: it must be at least %.2f in",
			fig.Height, len(s.panels), (rest+n*need)/72)
	}
	return h, nil
}

// belowHeight is what the horizontal axis needs below the last panel.
func (s *stack) belowHeight() float64 {
	small := s.style.Small
	return small*(tickLength+tickGap+capHeight+labelGap+edge) + s.style.Label
}

// legendHeight is what all legends need.
func (s *stack) legendHeight() float64 {
	h := 0.0
	for _, p := range s.panels {
		p.flowLegend(s.d, s.style, s.legendRoom)
		h += p.legendHeight(s.style)
	}
	return h
}

// leftMargin is the room for labels and ticks of the widest vertical axis.
func (s *stack) leftMargin() float64 {
	small := s.style.Small
	ticks, lines := 0.0, 0
	for _, p := range s.panels {
		for _, t := range p.ticks {
			ticks = max(ticks, s.d.textWidth(t.label, small))
		}
		lines = max(lines, len(p.yLabel))
	}
	s.labelEdge = small*edge + float64(lines)*lineHeight*s.style.Label
	return s.labelEdge + small*(labelGap+tickGap+tickLength) + ticks
}

// setXTicks chooses the ticks of the horizontal axis, and leaves room for the
// half of the last label that reaches beyond it.
func (s *stack) setXTicks() {
	small := s.style.Small
	for range 3 { // a narrower axis can have another last tick
		x := &s.x
		span := float64(s.right - s.left)
		fits := func(ts []tick) bool {
			end := math.Inf(-1)
			for _, t := range ts {
				if t.label == "" {
					continue
				}
				mid, half := x.norm(t.value/x.sc.factor)*span, s.d.textWidth(t.label, small)/2
				if mid-half < end+0.9*small {
					return false
				}
				end = mid + half
			}
			return true
		}
		if x.fixed != nil {
			x.ticks = someTicks(x.fixed, fits)
		} else if x.log {
			x.ticks = logTicks(x.lo*x.sc.factor, x.hi*x.sc.factor, fits)
		} else {
			x.ticks = linearTicks(x.lo*x.sc.factor, x.hi*x.sc.factor, 11, false, fits)
		}
		reach := 0.0
		for _, t := range x.ticks {
			if t.label != "" {
				reach = max(reach, x.norm(t.value/x.sc.factor)*span+s.d.textWidth(t.label, small)/2)
			}
		}
		limit := s.d.Width - small*edge - float64(s.left)
		if reach <= limit {
			return
		}
		s.right -= vg.Length(reach - limit)
	}
}

// place gives each panel its area, and the page its height.
func (s *stack) place(height float64) {
	gap := panelGap * s.style.Small
	total := s.belowHeight() + s.over + s.legendHeight() +
		float64(len(s.panels))*height + float64(len(s.panels)-1)*gap
	s.d.Height = total
	y := total - s.over
	for i, p := range s.panels {
		if i == 0 {
			// The legend of the first panel is above the band labels.
			y -= p.legendHeight(s.style)
		} else {
			y -= gap + p.legendHeight(s.style)
		}
		p.area = vg.Rectangle{
			Min: vg.Point{X: s.left, Y: vg.Length(y - height)},
			Max: vg.Point{X: s.right, Y: vg.Length(y)},
		}
		y -= height
	}
}

func (s *stack) xAt(v float64) vg.Length {
	return s.left + vg.Length(s.x.norm(v))*(s.right-s.left)
}

func (s *stack) drawXLabels() {
	small := s.style.Small
	y := float64(s.panels[len(s.panels)-1].area.Min.Y) - small*(tickLength+tickGap+capHeight)
	for _, t := range s.x.ticks {
		if t.label != "" {
			at := vg.Point{X: s.xAt(t.value / s.x.sc.factor), Y: vg.Length(y)}
			s.d.text(t.label, textStyle{size: small, align: 0.5, color: black}, at)
		}
	}
	y -= small*labelGap + s.style.Label*0.8
	mid := vg.Point{X: (s.left + s.right) / 2, Y: vg.Length(y)}
	if half := s.d.textWidth(s.x.label, s.style.Label) / 2; float64(mid.X)+half > s.d.Width {
		mid.X = vg.Length(s.d.Width - half - small*edge)
	}
	s.d.text(s.x.label, textStyle{size: s.style.Label, align: 0.5, color: black}, mid)
}

func (s *stack) titled() bool { return s.style.Titles && s.d.Title != "" }

func (s *stack) drawTitle() {
	if !s.titled() {
		return
	}
	size := s.style.Label * 1.15
	for s.d.textWidth(s.d.Title, size) > s.d.Width-2*s.style.Small && size > 1 {
		size *= 0.95
	}
	at := vg.Point{X: vg.Length(s.d.Width / 2), Y: vg.Length(s.d.Height - s.style.Small*edge - size)}
	s.d.text(s.d.Title, textStyle{size: size, align: 0.5, color: black}, at)
}
