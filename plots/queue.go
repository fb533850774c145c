package plots

import (
	"iter"
	"math"
	"strings"

	"tcplab/scenarios/measure"
)

// dropSeries are the series whose values above 0 a queue figure marks.
var dropSeries = []string{"dropped", "drops", "listen_drops"}

// drawQueue draws the depth of queues over time, filled from 0, each in its
// panel, with a mark above for each interval in which the owner of the queue
// dropped something.
func drawQueue(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	fig.Panels = "series"
	panels, series, err := timePanels(data.Result, fig)
	if err != nil {
		return nil, err
	}
	shown := series
	for i, p := range panels {
		s := series[i]
		p.label = strings.TrimSuffix(p.label, p.per) // a depth is not counted
		p.curves[0].low, p.curves[0].high = level(s, 0), seriesPoints(s)
		top := 0.0
		for _, v := range s.Value {
			top = max(top, zeroIfNaN(v))
		}
		for _, l := range p.limits {
			top = max(top, l.Value)
		}
		drops := findDrops(data.Result, s.Name)
		if drops == nil || p.axis.Log {
			continue
		}
		shown = append(shown, drops)
		lk := look{rgb(0xD55E00), nil}
		p.curves = append(p.curves, curve{label: seriesLabel(drops), look: &lk, bars: marksAt(drops, top*1.04, top*1.1)})
		first := p.lookOf(0)
		p.keys = []legendEntry{
			{label: seriesLabel(s), look: first, width: style.Line},
			{label: seriesLabel(drops), look: lk, upright: style.Line * 1.3},
		}
	}
	d.data = seriesTable(shown, nil)
	s := &stack{style: style, d: d, panels: panels}
	if s.x, err = timeAxis(series, fig.X); err != nil {
		return nil, err
	}
	s.setBands(data.Result, fig)
	return s.layout(fig)
}

// findDrops is the series of what the owner of a queue dropped, nil if there is
// none or nothing was.
func findDrops(res *measure.Result, queue string) *measure.Series {
	name, _, _ := strings.Cut(queue, ".")
	for _, quantity := range dropSeries {
		if s := res.FindSeries(name + "." + quantity); s != nil && checkSeries(s) == nil {
			for _, v := range s.Value {
				if v > 0 {
					return s
				}
			}
		}
	}
	return nil
}

// marksAt are short strokes at the times of values above 0.
func marksAt(s *measure.Series, low, high float64) []bar {
	var out []bar
	for i, v := range s.Value {
		if v > 0 {
			at := s.Time[i]
			if s.Step && i+1 < len(s.Time) {
				at = (at + s.Time[i+1]) / 2
			}
			out = append(out, bar{at, low, high})
		}
	}
	return out
}

// level is a series of one value, with the gaps of another.
func level(s *measure.Series, v float64) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		for x, y := range seriesPoints(s) {
			if !math.IsNaN(y) {
				y = v
			}
			if !yield(x, y) {
				return
			}
		}
	}
}
