package plots

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"iter"
	"math"
	"slices"
	"strings"

	"tcplab/scenarios/measure"
)

// drawOccupancy draws how many connections are in each state over time, stacked:
// counted from the lifetimes, or, if series are named, from these.
func drawOccupancy(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	var l *layers
	if len(fig.Series) > 0 {
		l, err = seriesLayers(data.Result, fig)
	} else {
		l, err = lifetimeLayers(data, fig)
	}
	if err != nil {
		return nil, err
	}
	p := &panel{label: "connections", unit: l.unit, keys: stateKeys(l.names, l.colors)}
	if l.unit != "connections" {
		p.label = sharedLabel(l.unit)
	}
	for i := range l.names {
		fill := l.colors[l.names[i]]
		p.curves = append(p.curves, curve{name: l.names[i], label: l.names[i], fill: &fill, low: l.border(i), high: l.border(i + 1)})
	}
	if len(fig.Y) > 1 {
		return nil, fmt.Errorf("y: %d axes are described, but there is one panel", len(fig.Y))
	}
	if len(fig.Y) == 1 {
		p.axis = fig.Y[0]
	}
	if p.axis.Log {
		return nil, errors.New("stacked heights mean nothing on a logarithmic axis: leave Y.Log false")
	}
	p.limits = fig.Limits
	d.data = l.table()
	s := &stack{style: style, d: d, panels: []*panel{p}, x: l.x}
	s.setBands(data.Result, fig)
	return s.layout(fig)
}

// layers are heights over time, stacked.
type layers struct {
	names   []string
	colors  map[string]color.NRGBA
	unit    string
	times   []float64
	heights [][]float64 // for each layer, from each of the times on
	step    bool
	x       horizontal
}

// border is the sum of the first n layers.
func (l *layers) border(n int) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		last := 0.0
		for i, t := range l.times {
			sum := 0.0
			for _, h := range l.heights[:n] {
				sum += h[i]
			}
			if l.step && i > 0 && !yield(t, last) || !yield(t, sum) {
				return
			}
			last = sum
		}
		if l.step {
			yield(math.Max(l.x.hi, l.times[len(l.times)-1]), last)
		}
	}
}

func (l *layers) table() table {
	return table{[]string{"state", "unit", "time_s", "value"}, func(add func(...any)) {
		for i, name := range l.names {
			for j, t := range l.times {
				add(name, l.unit, t, l.heights[i][j])
			}
		}
	}}
}

// lifetimeLayers counts the connections in each state at each change.
func lifetimeLayers(data *Data, fig Figure) (*layers, error) {
	lives, err := findLifetimes(data, fig)
	if err != nil {
		return nil, err
	}
	x, err := lifeAxis(lives, fig.X)
	if err != nil {
		return nil, err
	}
	l := &layers{unit: "connections", step: true, x: x}
	l.names, l.colors = stateOrder(statesOf(lives))
	l.names = slices.DeleteFunc(l.names, func(s string) bool { return s == "CLOSED" || s == "LISTEN" })
	if len(l.names) == 0 {
		return nil, fmt.Errorf("%w: no connection is in any state but CLOSED and LISTEN", ErrNoData)
	}
	index := map[string]int{}
	for i, name := range l.names {
		index[name] = i
	}
	type change struct {
		time  float64
		state int
		by    float64
	}
	changes := []change{{x.lo, 0, 0}}
	for _, life := range lives {
		for _, st := range life.States {
			if i, ok := index[st.State]; ok {
				changes = append(changes, change{st.From, i, 1}, change{st.Until, i, -1})
			}
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.time, b.time) })
	now := make([]float64, len(l.names))
	l.heights = make([][]float64, len(l.names))
	for i, c := range changes {
		if math.IsInf(c.time, 1) {
			break
		}
		now[c.state] += c.by
		if i+1 < len(changes) && changes[i+1].time == c.time {
			continue
		}
		l.times = append(l.times, c.time)
		for k, n := range now {
			l.heights[k] = append(l.heights[k], n)
		}
	}
	return l, nil
}

// seriesLayers stacks series that have values at the same times. Those named
// after a state have its colour.
func seriesLayers(res *measure.Result, fig Figure) (*layers, error) {
	panels, series, err := timePanels(res, fig)
	if err != nil {
		return nil, err
	}
	if len(panels) != 1 {
		return nil, fmt.Errorf("series: what is stacked must have one unit, not %d", len(panels))
	}
	first := series[0]
	l := &layers{unit: first.Unit, step: first.Step, times: first.Time, colors: map[string]color.NRGBA{}}
	for i, s := range series {
		if !slices.Equal(s.Time, first.Time) {
			return nil, fmt.Errorf("series: %s and %s have values at different times and cannot be stacked", first.Name, s.Name)
		}
		label := panels[0].curves[i].label
		if len(series) == 1 {
			label = seriesLabel(s)
		}
		values := slices.Clone(s.Value)
		for j, v := range values {
			values[j] = zeroIfNaN(v)
			if v < 0 {
				return nil, fmt.Errorf("series %s: a height of %v cannot be stacked", s.Name, v)
			}
		}
		l.names = append(l.names, label)
		l.heights = append(l.heights, values)
		l.colors[label] = seriesColor(s.Name, i)
	}
	l.x, err = timeAxis(series, fig.X)
	return l, err
}

func seriesColor(name string, i int) color.NRGBA {
	_, quantity, _ := strings.Cut(name, ".")
	if quantity == "syn_queue" {
		quantity = "syn_received"
	}
	for _, s := range stateColors {
		if strings.ReplaceAll(strings.ToLower(s.name), "-", "_") == quantity {
			return s.color
		}
	}
	return otherColors[i%len(otherColors)]
}
