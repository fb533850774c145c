package plots

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"

	"tcplab/scenarios/measure"
)

// drawTimeSeries draws series against time, one panel for each unit or series.
func drawTimeSeries(data *Data, fig Figure, style Style) (*Drawing, error) {
	return drawSeries(data, fig, style, func(*panel) {})
}

// drawSeries lets a kind adjust the panels of a timeseries.
func drawSeries(data *Data, fig Figure, style Style, adjust func(*panel)) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	s := &stack{style: style, d: d}
	means, res, err := averages(data, fig)
	if err != nil {
		return nil, err
	}
	panels, series, err := timePanels(res, fig)
	if err != nil {
		return nil, err
	}
	for _, p := range panels {
		adjust(p)
	}
	addIntervals(panels, means)
	d.data = seriesTable(series, means)
	s.panels = panels
	if s.x, err = timeAxis(series, fig.X); err != nil {
		return nil, err
	}
	s.setBands(res, fig)
	return s.layout(fig)
}

func (s *stack) setBands(res *measure.Result, fig Figure) {
	for _, name := range fig.Events {
		b := findBand(res, name)
		s.bands = append(s.bands, band{label: bandLabel(name), from: b.From, until: b.Until})
	}
}

func bandLabel(name string) string { return nameLabel("." + name) }

// timePanels groups the series of a figure.
func timePanels(res *measure.Result, fig Figure) (panels []*panel, series []*measure.Series, err error) {
	var names []string
	for _, s := range res.Series {
		names = append(names, s.Name)
	}
	var errs []error
	if fig.X.Log {
		errs = append(errs, errors.New("a time axis is not drawn logarithmic: leave X.Log false"))
	}
	byName := make(map[string]*panel)
	for _, name := range fig.Series {
		s := res.FindSeries(name)
		if s == nil {
			errs = append(errs, unknown("series", name, names))
			continue
		}
		if err := checkSeries(s); err != nil {
			errs = append(errs, err)
			continue
		}
		series = append(series, s)
		c := curve{name: name, label: seriesLabel(s), points: seriesPoints(s)}
		var p *panel
		for _, q := range panels {
			if fig.Panels != "series" && q.unit == s.Unit {
				p = q
			}
		}
		if p == nil {
			p = &panel{unit: s.Unit, per: perInterval(s)}
			panels = append(panels, p)
		}
		p.curves = append(p.curves, c)
		byName[name] = p
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	return panels, series, finishPanels(panels, byName, fig)
}

// finishPanels applies what the figure says about each panel.
func finishPanels(panels []*panel, byName map[string]*panel, fig Figure) error {
	if len(fig.Y) > len(panels) {
		return fmt.Errorf("y: %d axes are described, but there are %d panels", len(fig.Y), len(panels))
	}
	for i, a := range fig.Y {
		panels[i].axis = a
	}
	nameAxes(panels)
	for _, p := range panels {
		if len(p.curves) > len(looks) {
			return fmt.Errorf("%d series in one panel cannot be told apart (at most %d): split the figure, or give each its own panel (panels: series)",
				len(p.curves), len(looks))
		}
	}
	for _, l := range fig.Limits {
		if math.IsNaN(l.Value) || math.IsInf(l.Value, 0) {
			return fmt.Errorf("limits: the value for %s is %v; it must be a number", l.Series, l.Value)
		}
		p := byName[l.Series]
		if p.axis.Log && l.Value <= 0 {
			return fmt.Errorf("limits: a logarithmic axis cannot show %v", l.Value)
		}
		p.limits = append(p.limits, l)
	}
	return nil
}

// nameAxes labels the panels by what is in them. What several have in common is
// told apart by its owner: goodput of two flows has "goodput" at the axis and
// the flows in the legend.
func nameAxes(panels []*panel) {
	axes := make(map[string]int)
	for _, p := range panels {
		p.label = p.nameCurves()
		axes[p.label]++
	}
	for _, p := range panels {
		if axes[p.label] > 1 {
			p.label += ", " + owner(p.curves[0].name)
		}
		p.label += p.per
	}
}

// nameCurves tells the curves of a panel apart, and returns what the axis shows.
func (p *panel) nameCurves() string {
	same := make(map[string]int)
	for _, c := range p.curves {
		same[c.label]++
	}
	first := p.curves[0].label
	if len(p.curves) == 1 {
		return first
	}
	for i, c := range p.curves {
		switch {
		case len(same) == 1:
			p.curves[i].label = owner(c.name)
		case same[c.label] > 1:
			p.curves[i].label += ", " + owner(c.name)
		}
	}
	if len(same) == 1 {
		return first
	}
	return sharedLabel(p.unit)
}

func checkSeries(s *measure.Series) error {
	if len(s.Time) != len(s.Value) {
		return fmt.Errorf("series %s: %d times but %d values", s.Name, len(s.Time), len(s.Value))
	}
	for i, t := range s.Time {
		if math.IsNaN(t) || math.IsInf(t, 0) || math.IsInf(s.Value[i], 0) {
			return fmt.Errorf("series %s: point %d is (%v s, %v); times and values must be finite (NaN marks a missing value)", s.Name, i, t, s.Value[i])
		}
		if i > 0 && t < s.Time[i-1] {
			return fmt.Errorf("series %s: time runs backwards from %v s to %v s at point %d", s.Name, s.Time[i-1], t, i)
		}
	}
	return nil
}

// seriesLabel is what the series is called in a figure.
func seriesLabel(s *measure.Series) string {
	if s.Label != "" {
		return s.Label
	}
	return nameLabel(s.Name)
}

// sharedLabel is the label of a panel with several series of one unit.
func sharedLabel(unit string) string {
	switch unit {
	case "s":
		return "time"
	case "1/s":
		return "rate"
	case "bit/s", "B/s":
		return "data rate"
	case "B":
		return "size"
	}
	return unit
}

// perInterval says over which time a number of things was counted, if they were
// counted over intervals and all are of one length.
func perInterval(s *measure.Series) string {
	if !s.Step || !counted[s.Unit] || s.Unit == "entries" || len(s.Time) < 2 {
		return ""
	}
	dt := s.Time[1] - s.Time[0]
	for i := 1; i < len(s.Time); i++ {
		if math.Abs(s.Time[i]-s.Time[i-1]-dt) > 1e-6*dt {
			return ""
		}
	}
	if math.Abs(dt-1) < 1e-6 {
		return " per second"
	}
	sc := scaleFor("s", dt*(1+1e-6))
	return " per " + strconv.FormatFloat(dt*sc.factor, 'g', 4, 64) + " " + sc.unit
}

// seriesEnd is the time up to which a series says something.
func seriesEnd(s *measure.Series) float64 {
	n := len(s.Time)
	if s.Step && n > 1 {
		return s.Time[n-1] + (s.Time[n-1] - s.Time[n-2])
	}
	return s.Time[n-1]
}

// seriesPoints are the corners of the line: of a series over intervals, the
// beginning and the end of each.
func seriesPoints(s *measure.Series) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		for i, t := range s.Time {
			if !yield(t, s.Value[i]) {
				return
			}
			if !s.Step {
				continue
			}
			end := seriesEnd(s)
			if i+1 < len(s.Time) {
				end = s.Time[i+1]
			}
			if end > t && !yield(end, s.Value[i]) {
				return
			}
		}
	}
}

// timeAxis spans all series. It begins at 0 if they begin soon after.
func timeAxis(series []*measure.Series, axis Axis) (horizontal, error) {
	lo, hi := math.Inf(1), math.Inf(-1)
	some := false
	for _, s := range series {
		if len(s.Time) == 0 {
			continue
		}
		lo, hi = min(lo, s.Time[0]), max(hi, seriesEnd(s))
		for _, v := range s.Value {
			some = some || !math.IsNaN(v)
		}
	}
	if !some {
		return horizontal{}, fmt.Errorf("%w: all intervals of all its series are empty", ErrNoData)
	}
	return spanAxis(lo, hi, axis)
}

// spanAxis is a time axis over a stretch. It begins at 0 if that is near.
func spanAxis(lo, hi float64, axis Axis) (horizontal, error) {
	if axis.Log {
		return horizontal{}, errors.New("a time axis is not drawn logarithmic: leave X.Log false")
	}
	if lo > 0 && lo < 0.1*hi {
		lo = 0
	}
	switch {
	case lo == hi && lo == 0:
		hi = 1
	case lo == hi:
		lo, hi = min(0, 2*lo), max(0, 2*hi)
	}
	// A last sample shortly before a round time ends the axis there.
	round := stepOver((hi - lo) / 100).value()
	hi = math.Ceil(hi/round-1e-9) * round
	if axis.Min != axis.Max {
		lo, hi = axis.Min, axis.Max
	}
	h := horizontal{lo: lo, hi: hi, label: axis.Label}
	h.sc = scaleFor("s", max(math.Abs(lo), math.Abs(hi)))
	if hi >= 36000 {
		h.sc = scale{1.0 / 3600, "h"}
	}
	if h.label = ownLabel(h.label, "s", h.sc); axis.Label == "" {
		h.label = "time (" + h.sc.unit + ")"
	}
	return h, nil
}
