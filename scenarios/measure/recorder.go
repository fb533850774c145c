package measure

import (
	"errors"
	"fmt"
	"slices"

	"tcplab/des"
)

// maxMarks bounds how often everything is read in a run.
const maxMarks = 1_000_000

// Options says what a Recorder keeps.
type Options struct {
	// Interval is the distance of the points of series.
	Interval des.Time
	// Warmup is when the metrics of the whole run begin.
	Warmup des.Time
	// Until is when the run ends.
	Until des.Time
	// Marks are instants at which everything is read besides: bounds of
	// windows that will be asked for, so that the answers are exact.
	Marks []des.Time
	// Rows bounds the connection table, 0 for DefaultRows.
	Rows int
	// TraceConns are the numbers of the connections (from 1, in the order
	// of the table) whose every event is kept for ladders.
	TraceConns []int
	// TraceFirst is how many of the first connections from each host to each
	// address are traced besides, MaxTraces in all.
	TraceFirst int
	// TraceFrom and TraceUntil bound the time whose segments are kept, if
	// TraceUntil is not 0. Changes of state are kept always.
	TraceFrom, TraceUntil des.Time
	// TraceEvents bounds the events of one traced connection, 0 for
	// DefaultTraceEvents.
	TraceEvents int
	// Flows are connections whose sender is looked at closely.
	Flows []Flow
}

// The bounds of Options that are not given.
const (
	DefaultRows        = 10_000
	DefaultTraceEvents = 10_000
)

// MaxTraces bounds the connections that Options.TraceFirst chooses.
const MaxTraces = 30

// probe is what is read at every mark.
type probe interface{ sample(i int, now des.Time) }

// metric is a quantity of an owner with the ways to compute it.
type metric struct {
	Quantity
	name   string
	value  func(w window) (float64, bool)
	series func() []float64
}

// Recorder reads what a run does and turns it into a Result. Make it before
// everything else that makes a component of the simulation: then it is the
// first at any instant, so that what happens at an instant belongs to the
// interval that begins there.
type Recorder struct {
	sim       *des.Sim
	component des.Component
	timer     des.Timer
	options   Options
	marks     marks
	grid      []des.Time // the starts of the intervals of series, and the end
	next      int
	finished  bool

	probes    []probe
	hosts     []*Host
	attempts  []*Attempts
	workloads []metric
	ofHosts   []metric
	ofBoxes   []metric
	ofLinks   []metric
	samples   []func() Sample
	bands     []Band
	onFinish  []func(now des.Time)
	table     connTable
	flows     flowTable
}

// NewRecorder returns a recorder of sim, which reads from time 0 until
// o.Until. It fails if the options make no sense together.
func NewRecorder(sim *des.Sim, o Options) (*Recorder, error) {
	switch {
	case o.Until <= 0 || o.Until == des.Never:
		return nil, errors.New("the duration must be positive")
	case o.Interval <= 0:
		return nil, errors.New("measure.interval must be positive")
	case o.Warmup < 0 || o.Warmup >= o.Until:
		return nil, fmt.Errorf("measure.warmup %v must be shorter than the duration %v", o.Warmup, o.Until)
	case int64(o.Until/o.Interval) > maxMarks:
		return nil, fmt.Errorf("measure.interval %v over %v makes %d readings, at most %d (use a longer interval)",
			o.Interval, o.Until, o.Until/o.Interval, maxMarks)
	}
	if o.Rows == 0 {
		o.Rows = DefaultRows
	}
	if o.TraceEvents == 0 {
		o.TraceEvents = DefaultTraceEvents
	}
	r := &Recorder{sim: sim, options: o, component: sim.NewComponent("recorder")}
	for t := des.Time(0); t < o.Until; t += o.Interval {
		r.grid = append(r.grid, t)
	}
	r.grid = append(r.grid, o.Until)
	r.marks = append(append(marks{o.Warmup}, r.grid...), o.Marks...)
	slices.Sort(r.marks)
	r.marks = slices.Compact(r.marks)
	r.cutMarks(0, o.Until)
	r.table.init(o)
	for _, f := range o.Flows {
		r.choose(f)
	}
	r.timer = sim.NewTimer(r.component, r, 0)
	sim.Arm(r.timer, r.marks[0])
	return r, nil
}

// cutMarks drops the marks outside [from, until].
func (r *Recorder) cutMarks(from, until des.Time) {
	r.marks = slices.DeleteFunc(r.marks, func(t des.Time) bool { return t < from || t > until })
}

// HandleTimer reads everything.
func (r *Recorder) HandleTimer(now des.Time, _ uint64) {
	r.read(now)
	if r.next < len(r.marks) {
		r.sim.Arm(r.timer, r.marks[r.next])
	}
}

func (r *Recorder) read(now des.Time) {
	for _, p := range r.probes {
		p.sample(r.next, now)
	}
	r.next++
}

// Interval returns the distance of the points of series.
func (r *Recorder) Interval() des.Time { return r.options.Interval }

// Until returns when the run ends.
func (r *Recorder) Until() des.Time { return r.options.Until }

// OnFinish has f called when the run is over, before the results are taken.
func (r *Recorder) OnFinish(f func(now des.Time)) { r.onFinish = append(r.onFinish, f) }

// Band names a stretch of time, which figures shade.
func (r *Recorder) Band(name string, from, until des.Time) {
	r.bands = append(r.bands, Band{name, from.Seconds(), min(until, r.options.Until).Seconds()})
}

// Finish ends the recording at the current time, which is before Until if the
// run was stopped. Call it once, after the run and before any result is taken.
func (r *Recorder) Finish() {
	if r.finished {
		return
	}
	r.finished = true
	now := r.sim.Now()
	for _, f := range r.onFinish {
		f(now)
	}
	for _, f := range r.flows.all {
		f.flush()
	}
	r.sim.Stop(r.timer)
	if now < r.options.Until {
		r.truncate(now)
	}
	for _, a := range r.attempts {
		a.finish()
	}
	r.table.finish()
}

// truncate makes now the end of a run that was stopped.
func (r *Recorder) truncate(now des.Time) {
	r.options.Until = now
	r.options.Warmup = min(r.options.Warmup, now)
	if r.next == 0 || r.marks[r.next-1] < now {
		r.marks = append(r.marks[:r.next], now)
		r.read(now)
	}
	r.marks = r.marks[:r.next]
	i, found := slices.BinarySearch(r.grid, now)
	if found {
		i++
	}
	r.grid = r.grid[:i]
	if !found {
		r.grid = append(r.grid, now)
	}
	for i := range r.bands {
		r.bands[i].Until = min(r.bands[i].Until, now.Seconds())
	}
}

// Bands returns the stretches of time that have been named so far.
func (r *Recorder) Bands() []Band { return slices.Clone(r.bands) }

// whole is the time of the metrics of the whole run.
func (r *Recorder) whole() window { return window{r.options.Warmup, r.options.Until} }

// declare adds the quantity of the catalogue to the metrics of owner. A nil
// series is none.
func (r *Recorder) declare(list *[]metric, of, owner, name string, value func(window) (float64, bool), series func() []float64) {
	q := lookup(of, name)
	*list = append(*list, metric{Quantity: q, name: owner + "." + name, value: value, series: series})
}

// each computes one value for each interval of the grid, NaN where there is
// none.
func (r *Recorder) each(value func(w window) (float64, bool)) []float64 {
	out := make([]float64, max(0, len(r.grid)-1))
	for i := range out {
		out[i] = orNaN(value(window{r.grid[i], r.grid[i+1]}))
	}
	return out
}

// rate computes the growth per second of c, times scale, in each interval.
func (r *Recorder) rate(c *column, scale float64) []float64 {
	return r.each(func(w window) (float64, bool) {
		return float64(c.growth(r.marks, w)*scale) / w.seconds(), true
	})
}

// instants returns the value of c at each point of the grid.
func (r *Recorder) instants(c *column) []float64 {
	out := make([]float64, len(r.grid))
	for k, t := range r.grid {
		i, _ := r.marks.position(t)
		out[k] = float64(int64(c.at(i)))
	}
	return out
}
