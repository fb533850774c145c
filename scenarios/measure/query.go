package measure

import (
	"fmt"
	"math"

	"tcplab/des"
)

// Query answers what a metric was, as expectations ask.
type Query interface {
	// Value returns the metric over the whole run after the warm-up, or
	// during [during[0], during[1]) in seconds. null is true where there is
	// no value, as for a ratio over no attempts. It fails if there is no
	// such metric, or if the time is not one of the run.
	Value(name string, during *[2]float64) (value float64, null bool, err error)
	// Names returns the names of all metrics in their order.
	Names() []string
}

var _ Query = (*Recorder)(nil)

// all returns the metrics in their order: workloads, hosts, middleboxes, links, each in the
// order of declaration.
func (r *Recorder) all() []*metric {
	out := make([]*metric, 0, len(r.workloads)+len(r.ofHosts)+len(r.ofBoxes)+len(r.ofLinks))
	for _, list := range [][]metric{r.workloads, r.ofHosts, r.ofBoxes, r.ofLinks} {
		for i := range list {
			out = append(out, &list[i])
		}
	}
	return out
}

// Names returns the names of all metrics in their order. They are known before
// the run, once everything has been declared.
func (r *Recorder) Names() []string {
	list := r.all()
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.name
	}
	return names
}

// Value answers for Query. Bounds of during beyond the end of the run count as
// the end; it is the user's error if nothing is left.
func (r *Recorder) Value(name string, during *[2]float64) (value float64, null bool, err error) {
	if !r.finished {
		return 0, false, fmt.Errorf("%s: the run is not over", name)
	}
	w := r.whole()
	if during != nil {
		if w, err = r.window(*during); err != nil {
			return 0, false, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, m := range r.all() {
		if m.name != name {
			continue
		}
		v, ok := m.value(w)
		if !ok {
			return 0, true, nil
		}
		return v, false, nil
	}
	return 0, false, fmt.Errorf("no metric %q", name)
}

func (r *Recorder) window(during [2]float64) (window, error) {
	end := r.options.Until.Seconds()
	from, until := during[0], min(during[1], end)
	if !(from >= 0 && from < until) {
		return window{}, fmt.Errorf("the time from %v s until %v s is not within the run (0 s to %v s)", during[0], during[1], end)
	}
	return window{instant(from), instant(until)}, nil
}

// instant returns the nanosecond nearest to t seconds.
func instant(t float64) des.Time { return des.Time(math.Round(float64(t * 1e9))) }

// Metrics returns the metrics of a Result alone. Call it after Finish.
func (r *Recorder) Metrics() []Metric {
	all := r.all()
	out := make([]Metric, 0, len(all))
	w := r.whole()
	for _, m := range all {
		v, ok := m.value(w)
		if !ok {
			v = 0
		}
		out = append(out, Metric{Name: m.name, Value: v, Null: !ok, Unit: m.Unit, Doc: m.Doc, Key: m.Key})
	}
	return out
}

// Result returns what was measured. Call it after Finish.
func (r *Recorder) Result() *Result {
	out := &Result{Bands: r.bands, Metrics: r.Metrics()}
	for _, m := range r.all() {
		if m.series != nil {
			out.Series = append(out.Series, r.seriesOf(m))
		}
	}
	out.Series = append(out.Series, r.flowSeries(false)...)
	for _, f := range r.samples {
		out.Samples = append(out.Samples, f())
	}
	return out
}

// seriesOf computes the series of m: one value for each interval, or one for
// each point.
func (r *Recorder) seriesOf(m *metric) Series {
	s := Series{Name: m.name, Unit: m.SeriesUnit, Step: m.Step, Label: m.Label, Value: m.series()}
	for _, t := range r.grid[:len(s.Value)] {
		s.Time = append(s.Time, t.Seconds())
	}
	return s
}

func orNaN(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}
