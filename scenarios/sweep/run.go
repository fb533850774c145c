package sweep

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how a sweep is run. They do not change its results.
type Options struct {
	// Workers is how many replications run at once; 0 is one for each
	// processor.
	Workers int
	// Shard, from 1 to Shards, has every Shards-th point run; both 0 is all.
	Shard, Shards int
	// Progress, if not nil, is told ten times a second how far the sweep is.
	Progress func(Progress)
	// Failed, if not nil, is told of each point that fails.
	Failed func(Failure)

	create func(name string) (chunkFile, error)
	share  *share
}

// share is what a process runs of a sweep that others run, too: some points, of
// which it runs one part of the replications.
type share struct {
	points      []int
	part, parts int
}

// Progress is how far a sweep is.
type Progress struct {
	// Points are finished, of Total.
	Points, Total int
	// Found replications were there before, Done have been run.
	Found, Done int
	Events      uint64
	Failed      int
	// Left is an estimate of the time that is left, negative if nothing is
	// known.
	Left time.Duration
	// Writing is true while the results are written, of Points so far.
	Writing bool
}

func (o *Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// runner is one pass over the points.
type runner struct {
	*scheduler
	options Options
	total   int
	events  atomic.Uint64
	told    int // failures

	cancel context.CancelCauseFunc
}

// run runs what is missing of a sweep, or looks what that is. The error is that
// of ctx if it was cancelled, or of the store.
func (s *Sweep) run(ctx context.Context, st *store, o Options, look bool) (*runner, error) {
	shard, shards := 0, 1
	if o.Shards > 0 {
		shard, shards = o.Shard-1, o.Shards
	}
	workers := min(o.workers(), max(1, s.Design.Points()*s.most()))
	r := &runner{scheduler: newScheduler(s, st, workers, shard, shards), options: o}
	r.look = look
	if h := o.share; h != nil {
		r.part, r.parts = h.part, h.parts
		r.queue.restrict(h.points)
	}
	r.total = len(r.queue.points)
	if o.create != nil {
		st.create = o.create
	}
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	stop := context.AfterFunc(ctx, r.end)
	defer stop()
	finished := make(chan struct{})
	var reporting sync.WaitGroup
	if o.Progress != nil || o.Failed != nil {
		reporting.Go(func() { r.report(finished) })
	}
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() { r.work(ctx, st.appender(i)) })
	}
	group.Wait()
	close(finished)
	reporting.Wait()
	return r, context.Cause(ctx)
}

// work is what one worker does.
func (r *runner) work(ctx context.Context, out *appender) {
	var own *active
	for {
		a, number, ok := r.next(own)
		if !ok {
			break
		}
		own = a
		start := time.Now()
		record, err := a.point.replicate(ctx, number, func(events uint64) { r.events.Add(events) })
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			r.failedRun(a, number, err)
			continue
		}
		if err := out.append(record); err != nil {
			r.cancel(err)
			break
		}
		r.finished(a, record, time.Since(start))
	}
	if err := out.seal(); err != nil {
		r.cancel(err)
	}
}

// replicate runs a replication. That the simulator fails is an error of the
// point, and the others go on.
func (p *point) replicate(ctx context.Context, number uint32, progress func(events uint64)) (out *record, err error) {
	defer func() {
		if x := recover(); x != nil {
			out, err = nil, fmt.Errorf("the simulator failed: %v\n%s", x, where(debug.Stack()))
		}
	}()
	return p.run(ctx, number, progress)
}

// where is the part of a stack that says where it went wrong.
func where(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			lines = lines[min(i+2, len(lines)):]
			break
		}
	}
	for i := range lines {
		lines[i] = filepath.Base(strings.TrimSpace(lines[i]))
	}
	return "  " + strings.Join(lines[:min(8, len(lines))], "\n  ")
}

// report tells how far the sweep is until it is finished.
func (r *runner) report(finished <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		r.tell()
		select {
		case <-tick.C:
		case <-finished:
			r.tell()
			return
		}
	}
}

func (r *runner) tell() {
	r.mu.Lock()
	p := Progress{Points: r.points, Total: r.total, Found: r.found, Done: r.done, Events: r.events.Load(),
		Failed: len(r.failures), Left: r.remaining()}
	failures := r.failures[r.told:len(r.failures):len(r.failures)]
	r.told = len(r.failures)
	r.mu.Unlock()
	if r.options.Failed != nil {
		for _, f := range failures {
			r.options.Failed(f)
		}
	}
	if r.options.Progress != nil {
		r.options.Progress(p)
	}
}
