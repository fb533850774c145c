package plots

import (
	"errors"
	"fmt"
	"iter"
	"math"

	"gonum.org/v1/plot/vg"
)

// drawSequence draws a time-sequence graph as tcptrace does (Shawn Ostermann,
// Ohio University): each segment a stroke over its sequence numbers at the time
// at which it was sent, those sent again and those lost marked, the
// acknowledgments as a line below, the end of the offered window as one above,
// and SACK blocks as strokes at the time at which they arrived.
func drawSequence(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	seqs, err := findSequences(data.Sequences, fig)
	if err != nil {
		return nil, err
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range seqs {
		for _, e := range s.Events {
			lo, hi = min(lo, e.Time), max(hi, e.Time)
		}
	}
	if lo > hi {
		return nil, fmt.Errorf("%w: no segment in any of the sequences", ErrNoData)
	}
	x, err := spanAxis(lo, hi, fig.X)
	if err != nil {
		return nil, err
	}
	if len(fig.Y) > len(seqs) || len(fig.Limits) > 0 {
		return nil, errors.New("a sequence has one vertical axis for each connection, and no limits")
	}
	var panels []*panel
	for i, s := range seqs {
		p := s.panel(x, style)
		if len(seqs) > 1 {
			p.label += ", " + s.Name
		}
		if len(fig.Y) > i {
			p.axis = fig.Y[i]
		}
		if p.axis.Log {
			return nil, errors.New("sequence numbers are not drawn logarithmic: leave Y.Log false")
		}
		p.tight = fig.X.Min != fig.X.Max
		if i > 0 {
			p.keys = []legendEntry{}
		}
		panels = append(panels, p)
	}
	d.data = sequenceTable(seqs)
	st := &stack{style: style, d: d, panels: panels, x: x}
	st.setBands(data.Result, fig)
	return st.layout(fig)
}

func findSequences(have []Sequence, fig Figure) ([]*Sequence, error) {
	var names []string
	for _, s := range have {
		names = append(names, s.Name)
	}
	wanted := fig.Series
	if len(wanted) == 0 {
		wanted = names
	}
	if len(wanted) > 6 {
		return nil, fmt.Errorf("series: %d sequences do not fit on a page; name up to 6", len(wanted))
	}
	var out []*Sequence
	var errs []error
	for _, name := range wanted {
		found := false
		for i := range have {
			if have[i].Name == name {
				out, found = append(out, &have[i]), true
				break
			}
		}
		if !found {
			errs = append(errs, unknown("sequence", name, names))
		}
	}
	for _, s := range out {
		for i, e := range s.Events {
			if math.IsNaN(e.Time) || math.IsInf(e.Time, 0) || i > 0 && e.Time < s.Events[i-1].Time {
				errs = append(errs, fmt.Errorf("sequence %s: event %d is at %v s; times must be finite and in order", s.Name, i, e.Time))
				break
			}
		}
	}
	return out, errors.Join(errs...)
}

// The looks of what is in a time-sequence graph.
var (
	sentLook   = look{rgb(0x0072B2), nil}
	resentLook = look{rgb(0xD55E00), nil}
	lostLook   = look{rgb(0x000000), nil}
	sackLook   = look{rgb(0x009E73), nil}
	ackLook    = look{rgb(0x404040), nil}
	windowLook = look{rgb(0x9A6FB0), []float64{4, 1.6}}
)

// panel makes the curves of one sequence, and their legend.
func (q *Sequence) panel(x horizontal, style Style) *panel {
	p := &panel{label: "sequence number", unit: "B"}
	strokes := func(name string, lk *look, kind SequenceKind) {
		if bars := q.bars(kind, x); len(bars) > 0 {
			p.curves = append(p.curves, curve{label: name, look: lk, bars: bars})
			p.keys = append(p.keys, legendEntry{label: name, look: *lk, upright: style.Line * 1.3})
		}
	}
	line := func(name string, lk *look, kind SequenceKind) {
		if q.has(kind) {
			p.curves = append(p.curves, curve{label: name, look: lk, points: q.steps(kind, x.hi)})
			p.keys = append(p.keys, legendEntry{label: name, look: *lk, width: style.Line})
		}
	}
	line("ACK", &ackLook, AckArrived)
	strokes("SACK", &sackLook, SackArrived)
	strokes("sent", &sentLook, SegmentSent)
	strokes("sent again", &resentLook, SegmentResent)
	const seen = 300 // beyond that the strokes themselves are seen
	if last := len(p.curves) - 1; q.has(SegmentResent) && len(p.curves[last].bars) <= seen {
		p.curves[last].dots, p.curves[last].marker = q.middles(SegmentResent), diamond
		m := diamond
		p.keys[len(p.keys)-1] = legendEntry{label: "sent again", look: resentLook, marker: &m}
	}
	if q.has(SegmentLost) {
		p.curves = append(p.curves, curve{label: "lost", look: &lostLook, dots: q.middles(SegmentLost), marker: cross})
		m := cross
		p.keys = append(p.keys, legendEntry{label: "lost", look: lostLook, marker: &m})
	}
	if top, edge := q.tops(x); edge <= 2*top {
		line("window", &windowLook, WindowEdge)
	} else if q.has(WindowEdge) {
		p.keys = append(p.keys, legendEntry{label: "(window beyond the graph)"})
	}
	return p
}

func (q *Sequence) has(kind SequenceKind) bool {
	for _, e := range q.Events {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

// tops are the highest segment and the lowest window edge in view.
func (q *Sequence) tops(x horizontal) (segment, edge float64) {
	segment, edge = 0, math.Inf(1)
	for _, e := range q.Events {
		switch {
		case e.Time < x.lo || e.Time > x.hi:
		case e.Kind == WindowEdge:
			edge = min(edge, float64(e.To))
		default:
			segment = max(segment, float64(e.To))
		}
	}
	return segment, edge
}

func (q *Sequence) bars(kind SequenceKind, x horizontal) []bar {
	var out []bar
	for _, e := range q.Events {
		if e.Kind == kind && e.Time >= x.lo && e.Time <= x.hi {
			out = append(out, bar{e.Time, float64(e.From), float64(e.To)})
		}
	}
	return out
}

func (q *Sequence) middles(kind SequenceKind) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		for _, e := range q.Events {
			if e.Kind == kind && !yield(e.Time, float64(e.From+e.To)/2) {
				return
			}
		}
	}
}

// steps is the line of a number that stays until the next one.
func (q *Sequence) steps(kind SequenceKind, until float64) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		last, at := math.NaN(), until
		for _, e := range q.Events {
			if e.Kind != kind {
				continue
			}
			if !math.IsNaN(last) && !yield(e.Time, last) || !yield(e.Time, float64(e.To)) {
				return
			}
			last, at = float64(e.To), e.Time
		}
		yield(math.Max(at, until), last)
	}
}

// String returns "sent", "resent", "lost", "ack", "sack" or "window".
func (k SequenceKind) String() string {
	names := [...]string{"sent", "resent", "lost", "ack", "sack", "window"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("SequenceKind(%d)", uint8(k))
}

func sequenceTable(seqs []*Sequence) table {
	return table{[]string{"connection", "time_s", "event", "from", "to"}, func(add func(...any)) {
		for _, s := range seqs {
			for _, e := range s.Events {
				if e.Kind == AckArrived || e.Kind == WindowEdge {
					add(s.Name, e.Time, e.Kind.String(), nil, e.To)
				} else {
					add(s.Name, e.Time, e.Kind.String(), e.From, e.To)
				}
			}
		}
	}}
}

// upright draws a vertical stroke in a legend.
func (s *stack) upright(c look, width, x, y float64) {
	small := s.style.Small
	s.d.line(c.color, width, nil,
		vg.Point{X: vg.Length(x), Y: vg.Length(y - 0.05*small)}, vg.Point{X: vg.Length(x), Y: vg.Length(y + 0.78*small)})
}
