package scenarios

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel/segment"
)

// Options say how a scenario is run. Its seed is Scenario.Seed.
type Options struct {
	// Replications is how many runs with random numbers of their own are
	// made; 0 is 1.
	Replications int
	// Workers is how many of them run at once; 0 is one for each processor.
	// It does not change the outcome.
	Workers int
	// Progress, if not nil, is told how far the run is, never twice at once.
	Progress func(Progress)
	// Capture, if not nil, has the packets of the first replication written.
	Capture *Capture
	// Trace says of which connections of the first replication all events
	// are kept.
	Trace Trace
	// Figures has the single connections looked at that figures of the
	// scenario show.
	Figures bool
}

// Trace chooses connections.
type Trace struct {
	// Conns are numbers of connections, from 1 in the order in which they
	// were opened.
	Conns []int
	// First is how many of the first connections from each host to each
	// address are chosen besides, at most measure.MaxTraces in all.
	First int
	// From and Until bound the time of the segments that are kept, if Until
	// is not 0.
	From, Until des.Time
	// Events bounds the events of a connection, 0 for the default.
	Events int
}

// Progress is how far a run is, all replications together.
type Progress struct {
	// Simulated is how much time has been simulated, of Total.
	Simulated, Total des.Time
	Events           uint64
}

// Outcome is what came of a run.
type Outcome struct {
	Result       *measure.Result
	Expectations []spec.Outcome
	// Runs have the series of each replication, if there are several.
	Runs []*measure.Result
	// Sequences are those of the connections that figures show, in the first
	// replication.
	Sequences []measure.Sequence
	// Connections is the connection table of the first replication, in which
	// the nodes have these Addresses.
	Connections *measure.ConnTable
	Addresses   *segment.Addresses
	// Replications, Events, Packets and Simulated are sums over the
	// replications. A packet counts once for every link that it comes to.
	Replications    int
	Events, Packets uint64
	Simulated       des.Time
}

// Passed returns how many expectations hold.
func (o *Outcome) Passed() int {
	n := 0
	for i := range o.Expectations {
		if o.Expectations[i].Passed {
			n++
		}
	}
	return n
}

// Run runs a scenario. The error is that of ctx if that ended the run, and
// spec.Errors if the scenario cannot be built.
func Run(ctx context.Context, sc *spec.Scenario, o Options) (*Outcome, error) {
	n := max(1, o.Replications)
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	report := newReporter(n, des.Time(sc.Duration), o.Progress)
	runs := make([]*replication, n)
	group, ctx2 := errgroup.WithContext(ctx)
	group.SetLimit(min(n, workers))
	for i := range n {
		group.Go(func() error {
			var err error
			runs[i], err = runOne(ctx2, sc, uint32(i), o, func(at des.Time, events uint64) { report.update(i, at, events) })
			return err
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return gather(sc, runs)
}

// replication is one run that is over.
type replication struct {
	result          *measure.Result
	answers         [][]answer // by expectation and question
	ackSeries       []measure.Series
	sequences       []measure.Sequence
	connections     *measure.ConnTable
	addresses       *segment.Addresses
	events, packets uint64
	simulated       des.Time
}

// runOne runs one replication.
func runOne(ctx context.Context, sc *spec.Scenario, number uint32, o Options, progress func(des.Time, uint64)) (*replication, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, err := build(sc, number, o)
	if err != nil {
		return nil, err
	}
	if err := w.advance(ctx, progress); err != nil {
		return nil, err
	}
	if w.capture != nil {
		if err := w.capture.writer.Close(); err != nil {
			return nil, err
		}
	}
	w.recorder.Finish()
	r := &replication{result: w.recorder.Result(), events: w.sim.Events(), simulated: w.sim.Now()}
	for _, l := range w.net.Links() {
		r.packets += l.Stats().Offered.Packets
	}
	if number == 0 {
		r.connections, r.addresses = w.recorder.Connections(), &w.addresses
		r.ackSeries, r.sequences = w.recorder.ACKSeries(), w.recorder.Sequences()
	} else {
		for i := range r.result.Series {
			r.result.Series[i].Time = nil // that of the first replication
		}
	}
	r.answers, err = answersOf(sc, w.recorder)
	return r, err
}

// A slice of a run should take some ten milliseconds, so that progress and
// interruption are prompt, and be at most one part in leastSlices of the run, so
// that a calm start does not make the slices long before a storm.
const (
	firstSlice  = des.Millisecond
	leastSlices = 200
	fewEvents   = 50_000
	manyEvents  = 400_000
)

// advance runs the simulation to its end in slices of simulated time, and checks
// its books then.
func (w *world) advance(ctx context.Context, progress func(des.Time, uint64)) error {
	end := w.recorder.Until()
	slice := firstSlice
	for w.sim.Now() < end {
		before := w.sim.Events()
		w.sim.Run(min(end, w.sim.Now()+slice))
		if err := ctx.Err(); err != nil {
			return err
		}
		progress(w.sim.Now(), w.sim.Events())
		switch ran := w.sim.Events() - before; {
		case ran < fewEvents:
			slice = min(2*slice, max(firstSlice, end/leastSlices))
		case ran > manyEvents:
			slice = max(1, slice/2)
		}
	}
	return w.check()
}

// check verifies the books of the links, routers, hosts and middleboxes exactly.
func (w *world) check() error {
	problems := []error{w.net.Check()}
	for _, b := range w.boxList {
		outward, inward := b.Flows()
		problems = append(problems, outward.Check(), inward.Check())
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("packets are missing, which is an error of the simulator: %w", err)
	}
	return nil
}

// reporter adds up the progress of replications that run side by side.
type reporter struct {
	mu     sync.Mutex
	tell   func(Progress)
	total  Progress
	at     []des.Time
	events []uint64
}

func newReporter(n int, duration des.Time, tell func(Progress)) *reporter {
	return &reporter{tell: tell, total: Progress{Total: duration * des.Time(n)}, at: make([]des.Time, n), events: make([]uint64, n)}
}

func (r *reporter) update(i int, at des.Time, events uint64) {
	if r.tell == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.Simulated += at - r.at[i]
	r.total.Events += events - r.events[i]
	r.at[i], r.events[i] = at, events
	r.tell(r.total)
}

// answer is the value of a question of an expectation in one replication.
type answer struct {
	value float64
	null  bool
}

func answersOf(sc *spec.Scenario, q measure.Query) ([][]answer, error) {
	all := make([][]answer, len(sc.Expect))
	for i := range sc.Expect {
		for _, question := range sc.Expect[i].Questions() {
			v, null, err := q.Value(question.Metric, question.During)
			if err != nil {
				return nil, sc.Problem(sc.Expect[i].Pos, "expect: %v", err)
			}
			all[i] = append(all[i], answer{v, null})
		}
	}
	return all, nil
}

// gather puts replications together, in the order of their numbers.
func gather(sc *spec.Scenario, runs []*replication) (*Outcome, error) {
	first := runs[0]
	out := &Outcome{Connections: first.connections, Addresses: first.addresses, Replications: len(runs)}
	var results []*measure.Result
	for _, r := range runs {
		results = append(results, r.result)
		out.Events += r.events
		out.Packets += r.packets
		out.Simulated += r.simulated
	}
	out.Result = combine(results)
	if len(runs) > 1 {
		for _, r := range results {
			out.Runs = append(out.Runs, &measure.Result{Series: r.Series, Bands: r.Bands})
			for i := range r.Series {
				r.Series[i].Time = first.result.Series[i].Time
			}
		}
	}
	out.Result.Series = append(out.Result.Series, first.ackSeries...)
	out.Sequences = first.sequences
	for i := range sc.Expect {
		e := &sc.Expect[i]
		found, err := spec.Eval(e, lookup(e, i, runs))
		if err != nil {
			return nil, fmt.Errorf("expectation %q: %w", e.Text, err)
		}
		out.Expectations = append(out.Expectations, found)
	}
	return out, nil
}

// lookup answers the questions of expectation i with means over replications.
func lookup(e *spec.Expectation, i int, runs []*replication) spec.Lookup {
	questions := e.Questions()
	return func(name string, during *[2]float64) (float64, bool, error) {
		for k, q := range questions {
			if q.Metric != name || !sameTime(q.During, during) {
				continue
			}
			var values []float64
			for _, r := range runs {
				if a := r.answers[i][k]; !a.null {
					values = append(values, a.value)
				}
			}
			return mean(values), len(values) == 0, nil
		}
		return 0, false, fmt.Errorf("%s was not measured", name)
	}
}

func sameTime(a, b *[2]float64) bool {
	return a == b || a != nil && b != nil && *a == *b
}
