package scenarios

import (
	"slices"
	"strings"

	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// shows is what a kind of figure is drawn from.
type shows uint8

const (
	courses       shows = iota // series of one run
	distributions              // samples of one run
	connections                // the connection table, or series
	flows                      // courses of single connections, or series
	segments                   // sequences of single connections
	points                     // the points of a sweep
)

// figureKinds are the kinds of figure that scenarios name. Package plots draws
// them.
var figureKinds = []struct {
	name  string
	shows shows
}{
	{"timeseries", courses}, {"queue", courses}, {"congestion", flows}, {"sequence", segments},
	{"occupancy", connections}, {"gantt", connections},
	{"ecdf", distributions}, {"ccdf", distributions}, {"histogram", distributions}, {"boxplot", distributions},
	{"lines", points}, {"heatmap", points},
}

func kindShows(kind string) shows {
	for _, k := range figureKinds {
		if k.name == kind {
			return k.shows
		}
	}
	return courses
}

// registerFigures tells the loader of the kinds of figure.
func registerFigures(reg *spec.Registry) {
	reg.Shows = map[string]spec.Shows{}
	for _, k := range figureKinds {
		reg.Figures = append(reg.Figures, k.name)
		switch k.shows {
		case flows, segments:
			reg.Shows[k.name] = spec.ShowsFlows
		case connections:
			reg.Shows[k.name] = spec.ShowsHosts
		}
	}
}

// flowMetrics are the series of single connections of a kind of workload.
func flowMetrics(config any) []spec.Metric {
	var list []spec.Metric
	if _, ok := config.(spec.Flows); ok {
		for _, q := range measure.FlowQuantities() {
			list = append(list, spec.Metric{Name: q.Name, Unit: q.SeriesUnit, Doc: q.Doc, Series: true})
		}
	}
	return list
}

// Bounds of the connections that figures have looked at.
const (
	maxFlows       = 32
	automaticFlows = 4
)

// flowsOf returns the connections that the figures of a scenario show, and how
// closely. Without figures, they are the first of the bulk transfers. What is
// taken of the first replication alone is left out of the others.
func flowsOf(sc *spec.Scenario, first bool) []measure.Flow {
	var list []measure.Flow
	if len(sc.Figures) == 0 {
		list = pick(list, sc, "", automaticFlows, func(f *measure.Flow) { f.Courses = true })
	}
	for i := range sc.Figures {
		f := &sc.Figures[i]
		kind := kindShows(f.Kind)
		names := f.Series
		if len(names) == 0 && (kind == flows || kind == segments) {
			names = []string{""}
		}
		for _, name := range names {
			name, quantity, series := strings.Cut(name, ".")
			if kind != flows && kind != segments && (!series || !isFlowQuantity(quantity)) {
				continue
			}
			list = pick(list, sc, name, maxFlows, func(flow *measure.Flow) {
				flow.Segments = flow.Segments || kind == segments
				flow.Courses = flow.Courses || kind != segments
				flow.EachACK = flow.EachACK || kind == flows && f.Points == "ack"
			})
		}
	}
	if !first {
		list = slices.DeleteFunc(list, func(f measure.Flow) bool { return f.EachACK || !f.Courses })
		for i := range list {
			list[i].Segments = false
		}
	}
	return list
}

func isFlowQuantity(name string) bool {
	return slices.ContainsFunc(measure.FlowQuantities(), func(q measure.Quantity) bool { return q.Name == name })
}

// pick adds the connections with a name, up to a number of them; with "", all of
// the workloads that show theirs unasked. A workload that is named stands for all
// its connections, or the first if they come and go.
func pick(list []measure.Flow, sc *spec.Scenario, name string, most int, mark func(*measure.Flow)) []measure.Flow {
	for i := range sc.Workloads {
		w := &sc.Workloads[i]
		opens, ok := w.Config.(spec.Flows)
		if !ok {
			continue
		}
		n, shown := opens.Flows()
		from, until := 0, n
		switch at, one := w.FlowIndex(name); {
		case one:
			from, until = at, at+1
		case name == w.Name && !shown:
			until = min(n, automaticFlows)
		case name != w.Name && (name != "" || !shown):
			continue
		}
		for k := from; k < until; k++ {
			flow := w.FlowName(k)
			at := slices.IndexFunc(list, func(f measure.Flow) bool { return f.Name == flow })
			if at < 0 {
				if len(list) >= most {
					return list
				}
				at, list = len(list), append(list, measure.Flow{Name: flow, Workload: w.Name, Index: k})
			}
			mark(&list[at])
		}
	}
	return list
}

// checkFigures finds figures that ask for what is not measured: a figure shows
// either courses in time, or distributions, or connections.
func (b *builder) checkFigures(fail func(at spec.Pos, format string, args ...any), missing func(at spec.Pos, name string)) {
	for i := range b.sc.Figures {
		f := &b.sc.Figures[i]
		kind := kindShows(f.Kind)
		if kind == points {
			fail(f.Pos, "figures: a figure of kind %s is about the points of a sweep, not about one run (put it under sweep)", f.Kind)
			continue
		}
		if len(f.Series) == 0 && (kind == courses || kind == distributions) {
			fail(f.Pos, "figures: a figure of kind %s names what it shows (write series: [OWNER.NAME])", f.Kind)
		}
		for _, name := range f.Series {
			b.checkFigureName(f, kind, name, fail, missing)
		}
		for _, name := range f.Events {
			if !slices.ContainsFunc(b.recorder.Bands(), func(band measure.Band) bool { return band.Name == name }) {
				fail(f.Pos, "figures: events: %s is active all the time, so that there is nothing to shade (leave it out)", name)
			}
		}
		if f.Until != nil && (f.From == nil && *f.Until <= 0 || f.From != nil && *f.Until <= *f.From) {
			fail(f.Pos, "figures: until: %v is not after from", *f.Until)
		}
	}
}

func (b *builder) checkFigureName(f *spec.Figure, kind shows, name string,
	fail func(at spec.Pos, format string, args ...any), missing func(at spec.Pos, name string)) {
	owner, quantity, series := strings.Cut(name, ".")
	switch sampled := b.sampled(name); {
	case kind == segments && !b.sequenced(owner):
		fail(f.Pos, "figures: a figure of kind sequence shows bulk transfers (%s is none; write kind: congestion)", owner)
	case !series:
	case kind == segments:
		fail(f.Pos, "figures: a figure of kind %s shows a connection and not a series (write series: [%s])", f.Kind, owner)
	case kind == distributions && !sampled:
		fail(f.Pos, "figures: %s is no distribution (tcplab metrics marks those with a colon)", name)
	case kind != distributions && sampled:
		fail(f.Pos, "figures: %s is a distribution (draw it with kind: ecdf)", name)
	case isFlowQuantity(quantity) && b.sc.Workload(owner) != nil:
		if w := b.sc.Workload(owner); w.FlowName(0) != owner {
			fail(f.Pos, "figures: %s has several connections (write kind: congestion, series: [%s])", owner, w.FlowName(0))
		}
	case !sampled:
		missing(f.Pos, name)
	}
}

// sequenced reports whether there are sequences of the connection with a name, or
// of those of a workload.
func (b *builder) sequenced(name string) bool {
	return slices.ContainsFunc(b.sc.Workloads, func(w spec.Workload) bool {
		opens, ok := w.Config.(spec.Flows)
		if !ok {
			return false
		}
		_, shown := opens.Flows()
		_, one := w.FlowIndex(name)
		return shown && (one || name == w.Name)
	})
}
