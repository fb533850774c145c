package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// namedRows is how many connections a gantt has at most with a name each.
const namedRows = 32

// drawGantt draws a row for each connection that is in view, in the colours of
// its states over time. More than namedRows connections have rows without names, from the top in
// the order of the data.
func drawGantt(data *Data, fig Figure, style Style) (*Drawing, error) {
	d, err := newDrawing(fig, style)
	if err != nil {
		return nil, err
	}
	lives, err := findLifetimes(data, fig)
	if err != nil {
		return nil, err
	}
	if len(fig.Limits) > 0 || len(fig.Y) > 0 && (fig.Y[0].Log || fig.Y[0].Min != fig.Y[0].Max) {
		return nil, errors.New("a gantt has connections on its vertical axis: leave limits and its range out")
	}
	x, err := lifeAxis(lives, fig.X)
	if err != nil {
		return nil, err
	}
	if lives = inView(lives, x); len(lives) == 0 {
		return nil, fmt.Errorf("%w: no connection has a state from %v s to %v s", ErrNoData, x.lo, x.hi)
	}
	names, colors := stateOrder(statesOf(lives))
	p := &panel{keys: stateKeys(names, colors), flush: true}
	if len(fig.Y) > 0 {
		p.axis = fig.Y[0]
	}
	row := style.Small * 1.5
	for _, l := range lives {
		p.rows = append(p.rows, l.Name)
	}
	if len(lives) > namedRows {
		row = style.Panel * 3 * 72 / float64(len(lives))
		for i := range p.rows {
			p.rows[i] = ""
		}
		if p.label == "" {
			p.label = fmt.Sprintf("%d connections", len(lives))
		}
	}
	p.height = row * float64(len(lives))
	p.inset.lives, p.inset.colors = lives, colors
	p.drawn = append(p.drawn, func(s *stack, p *panel) {
		for _, name := range names {
			drawStates(s, p, lives, name, colors[name])
		}
	})
	d.data = lifetimeTable(lives)
	s := &stack{style: style, d: d, panels: []*panel{p}, x: x}
	s.setBands(data.Result, fig)
	return s.layout(fig)
}

// findLifetimes are the connections that a figure names, or all.
func findLifetimes(data *Data, fig Figure) ([]Lifetime, error) {
	for _, l := range data.Lifetimes {
		for _, st := range l.States {
			if !(st.From <= st.Until) || math.IsInf(st.From, 0) {
				return nil, fmt.Errorf("connection %s: %s from %v s until %v s; a state has a beginning and a later end (+Inf if it was not left)",
					l.Name, st.State, st.From, st.Until)
			}
		}
	}
	if len(fig.Series) == 0 {
		return data.Lifetimes, nil
	}
	at := make(map[string]int, len(data.Lifetimes))
	var names []string
	for i, l := range data.Lifetimes {
		at[l.Name] = i
		names = append(names, l.Name)
	}
	var out []Lifetime
	var errs []error
	for _, name := range fig.Series {
		i, ok := at[name]
		if !ok {
			errs = append(errs, unknown("connection", name, names))
			continue
		}
		out = append(out, data.Lifetimes[i])
	}
	return out, errors.Join(errs...)
}

// inView are the connections with a state in the range of the axis.
func inView(lives []Lifetime, x horizontal) []Lifetime {
	var out []Lifetime
	for _, l := range lives {
		if slices.ContainsFunc(l.States, func(st StateSpan) bool { return st.From <= x.hi && st.Until >= x.lo }) {
			out = append(out, l)
		}
	}
	return out
}

func statesOf(lives []Lifetime) func(func(string)) {
	return func(visit func(string)) {
		for _, l := range lives {
			for _, st := range l.States {
				visit(st.State)
			}
		}
	}
}

// lifeAxis spans all states. What was never left lasts until the end.
func lifeAxis(lives []Lifetime, axis Axis) (horizontal, error) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, l := range lives {
		for _, st := range l.States {
			lo, hi = min(lo, st.From), max(hi, st.From)
			if !math.IsInf(st.Until, 1) {
				hi = max(hi, st.Until)
			}
		}
	}
	if lo > hi {
		return horizontal{}, fmt.Errorf("%w: no connection has a state", ErrNoData)
	}
	return spanAxis(lo, hi, axis)
}

// drawStates fills the bars of one state, those of many connections in one
// path.
func drawStates(s *stack, p *panel, lives []Lifetime, state string, c color.NRGBA) {
	var path vg.Path
	flush := func() {
		if len(path) == 0 {
			return
		}
		s.d.fill(c, path)
		if len(lives) <= namedRows {
			s.d.stroke(dark, s.style.Rule*0.5, path)
		}
		path = nil
	}
	top := float64(len(lives) - 1)
	for i, l := range lives {
		center, half := p.yAt(top-float64(i)), vg.Length(0.36)*(p.yAt(1)-p.yAt(0))
		if len(lives) > namedRows {
			half = 0.5*(p.yAt(1)-p.yAt(0)) + 0.5*columnWidth // no gaps between rows
		}
		for _, st := range l.States {
			from, until := math.Max(st.From, s.x.lo), math.Min(st.Until, s.x.hi)
			if st.State != state || from > until {
				continue
			}
			box := vg.Rectangle{Min: vg.Point{X: s.xAt(from), Y: center - half}, Max: vg.Point{X: s.xAt(until), Y: center + half}}
			box.Max.X = max(box.Max.X, box.Min.X+2*columnWidth) // a short state is seen
			path = append(path, box.Path()...)
			if len(path) >= 60 {
				flush()
			}
		}
	}
	flush()
}

func lifetimeTable(lives []Lifetime) table {
	lives = slices.Clone(lives)
	return table{[]string{"connection", "state", "from_s", "until_s"}, func(add func(...any)) {
		for _, l := range lives {
			for _, st := range l.States {
				add(l.Name, st.State, st.From, st.Until)
			}
		}
	}}
}
