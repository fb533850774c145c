package scenarios

import (
	"context"
	"math"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// Replication is one run of a scenario, for those who run many.
type Replication struct {
	// Metrics are those of measure.Result, with their definitions.
	Metrics []measure.Metric
	// Batches are the values of the metrics in equal stretches of the time
	// after the warm-up, NaN where there is none: Batches[stretch][metric].
	Batches [][]float64
	// Events and Packets count as in Outcome.
	Events, Packets uint64
}

// Replicate runs replication number of a scenario and, if batches is not 0,
// divides it into that many stretches. A stretch is a whole number of
// measurement intervals if the run is long enough for that; what is left over at
// the end is in none. progress, which may be nil, is told from time to time how
// many events have been run since it was told last. Replicate may be called at
// the same time for the same scenario.
func Replicate(ctx context.Context, sc *spec.Scenario, number uint32, batches int, progress func(events uint64)) (*Replication, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, err := build(sc, number, Options{})
	if err != nil {
		return nil, err
	}
	told := uint64(0)
	err = w.advance(ctx, func(_ des.Time, events uint64) {
		if progress != nil {
			progress(events - told)
			told = events
		}
	})
	if err != nil {
		return nil, err
	}
	w.recorder.Finish()
	r := &Replication{Metrics: w.recorder.Metrics(), Events: w.sim.Events()}
	for _, l := range w.net.Links() {
		r.Packets += l.Stats().Offered.Packets
	}
	r.Batches, err = w.batches(sc, batches)
	return r, err
}

// MetricNames returns the names of all metrics of a scenario, which it builds and
// does not run.
func MetricNames(sc *spec.Scenario) ([]string, error) {
	w, err := build(sc, 0, Options{})
	if err != nil {
		return nil, err
	}
	return w.recorder.Names(), nil
}

// batches reads the metrics in n stretches of the run.
func (w *world) batches(sc *spec.Scenario, n int) ([][]float64, error) {
	if n == 0 {
		return nil, nil
	}
	interval := des.Time(sc.Measure.Interval)
	start := des.Time(sc.Measure.Warmup)
	length := (w.recorder.Until() - start) / des.Time(n)
	if length >= interval {
		length -= length % interval
	}
	names := w.recorder.Names()
	out := make([][]float64, n)
	for i := range out {
		from := start + des.Time(i)*length
		during := [2]float64{from.Seconds(), (from + length).Seconds()}
		for _, name := range names {
			v, null, err := w.recorder.Value(name, &during)
			if err != nil {
				return nil, err
			}
			if null {
				v = math.NaN()
			}
			out[i] = append(out[i], v)
		}
	}
	return out, nil
}

// Lock keeps other runs out of a results directory, which must exist, until it
// is released.
type Lock struct{ release func() error }

// LockDir takes the lock of a results directory. It fails if another run has it.
func LockDir(dir string) (*Lock, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, explain(err)
	}
	return &Lock{func() error { return unlockDir(dir, lock) }}, nil
}

// Release lets go of the directory.
func (l *Lock) Release() error { return l.release() }
