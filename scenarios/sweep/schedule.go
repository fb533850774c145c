package sweep

import (
	"slices"
	"sync"
	"time"
)

// scheduler hands out replications to workers. A worker takes a point and runs
// its replications; one that finds no point left takes replications of points
// that others have begun, so that the last points do not leave workers idle.
type scheduler struct {
	sweep   *Sweep
	store   *store
	look    bool // only find out what is missing
	workers int
	// part of parts is which replications are run, by their number; those of the
	// other parts are for others.
	part, parts int

	mu      sync.Mutex
	changed *sync.Cond
	queue   *queue
	costs   costs
	sorted  int // how many replications had been run when the queue was sorted
	active  []*active
	opening int
	ended   bool // by an error or an interruption

	keys     []Key // by point, filled as points are opened
	failures []Failure
	missing  missing
	points   int // finished
	found    int // replications that were there
	done     int // replications that were run
}

// missing is what a look has not found.
type missing struct {
	points       []int
	replications int
}

// Failure is a point that could not be run.
type Failure struct {
	// Point counts from 1.
	Point  int      `json:"point"`
	Params []string `json:"values"`
	// Replication counts from 1; 0 if the point could not be built.
	Replication int    `json:"replication"`
	Text        string `json:"error"`
}

// active is a point that has been begun.
type active struct {
	index   int
	values  []string
	levels  []int
	point   *point
	stop    *stopping
	records map[uint32]*record // behind the first that is missing
	found   int
	next    uint32 // to be handed out
	running int
	failed  bool
	closed  bool

	part, parts int // as those of the scheduler
}

func newScheduler(s *Sweep, st *store, workers, shard, shards int) *scheduler {
	d := &scheduler{sweep: s, store: st, workers: workers, queue: newQueue(s.Design.Points(), shard, shards),
		keys: make([]Key, s.Design.Points()), parts: 1}
	d.changed = sync.NewCond(&d.mu)
	return d
}

// end makes the workers stop after what they are doing.
func (d *scheduler) end() {
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
	d.changed.Broadcast()
}

// next returns what a worker does next, ok is false if nothing is left. own is
// the point of which the worker ran a replication before.
func (d *scheduler) next(own *active) (a *active, replication uint32, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.ended {
		if own != nil {
			if replication, ok := own.take(1); ok {
				return own, replication, true
			}
			own = nil
		}
		if i, ok := d.queue.pop(); ok {
			own = d.openPoint(i)
			continue
		}
		if a := d.steal(); a != nil {
			replication, _ := a.take(d.workers)
			return a, replication, true
		}
		if len(d.active) == 0 && d.opening == 0 {
			break
		}
		d.changed.Wait()
	}
	return nil, 0, false
}

// take hands out a replication.
func (a *active) take(ahead int) (uint32, bool) {
	if !a.left(ahead) {
		return 0, false
	}
	a.next++
	a.running++
	return a.next - 1, true
}

// left reports whether there is a replication to be handed out.
func (a *active) left(ahead int) bool {
	if a.failed || a.closed {
		return false
	}
	most := a.stop.allowed(ahead)
	for int(a.next) < most && (a.records[a.next] != nil || int(a.next)%a.parts != a.part) {
		a.next++
	}
	return int(a.next) < most
}

// steal finds the point with the most left to do.
func (d *scheduler) steal() (best *active) {
	most := 0.0
	for _, a := range d.active {
		if !a.left(d.workers) {
			continue
		}
		todo := float64(a.stop.allowed(d.workers)-int(a.next)) * (1 + d.costs.predict(a.levels))
		if todo > most {
			best, most = a, todo
		}
	}
	return best
}

// openPoint prepares a point and looks what of it is there. The caller holds
// the lock, which is free meanwhile. It returns nil if nothing is to be done.
func (d *scheduler) openPoint(i int) *active {
	d.opening++
	d.mu.Unlock()
	a := &active{index: i, values: d.sweep.Design.Point(i), levels: d.sweep.Design.levels(i), stop: newStopping(&d.sweep.Spec),
		part: d.part, parts: d.parts}
	err := a.open(d.sweep, d.store)
	d.mu.Lock()
	d.opening--
	if err != nil {
		d.fail(a, -1, err)
		d.changed.Broadcast()
		return nil
	}
	d.keys[i] = a.point.key
	d.found += a.found
	d.active = append(d.active, a)
	d.advance(a)
	d.leave(a)
	if a.closed {
		return nil
	}
	if d.look {
		d.missing.points = append(d.missing.points, i)
		d.missing.replications += a.stop.allowed(1) - a.found
		d.close(a)
		return nil
	}
	d.changed.Broadcast()
	return a
}

func (a *active) open(s *Sweep, st *store) error {
	var err error
	if a.point, err = s.prepare(a.values); err != nil {
		return err
	}
	a.records = map[uint32]*record{}
	for _, e := range st.find(a.point.key) {
		if int(e.replication) >= s.most() {
			break
		}
		r := &record{}
		if a.stop.rule != nil {
			if r, err = st.read(e); err != nil {
				return err
			}
		}
		a.records[e.replication] = r
	}
	a.found = len(a.records)
	return nil
}

// advance shows the stopping rule what has come, in order, and closes the point
// if that is enough.
func (d *scheduler) advance(a *active) {
	for !a.complete() {
		r := a.records[uint32(a.stop.seen)]
		if r == nil {
			return
		}
		delete(a.records, uint32(a.stop.seen))
		a.next = max(a.next, uint32(a.stop.seen)+1)
		a.stop.add(r)
	}
	if !a.closed {
		d.points++
		d.close(a)
	}
}

func (a *active) complete() bool { return a.stop.enough > 0 && a.stop.seen >= a.stop.enough }

// leave closes a point of which what is left is for others.
func (d *scheduler) leave(a *active) {
	if d.parts > 1 && !d.look && !a.closed && a.running == 0 && !a.left(1) {
		d.close(a)
	}
}

func (d *scheduler) close(a *active) {
	a.closed = true
	d.active = slices.DeleteFunc(d.active, func(b *active) bool { return a == b })
	d.changed.Broadcast()
}

// finished takes over a replication that has been run and kept.
func (d *scheduler) finished(a *active, r *record, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a.running--
	d.done++
	d.costs.add(a.levels, took)
	if !a.closed && !a.failed {
		a.records[r.replication] = r
		d.advance(a)
		d.leave(a)
	}
	if n := d.costs.all.n; n >= 8 && n >= 2*d.sorted {
		d.sorted = n
		d.queue.sort(d.sweep.Design, &d.costs)
	}
	d.changed.Broadcast()
}

// failedRun takes over a replication that failed: the point is given up.
func (d *scheduler) failedRun(a *active, replication uint32, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a.running--
	if !a.failed {
		d.fail(a, int(replication), err)
	}
	d.close(a)
}

func (d *scheduler) fail(a *active, replication int, err error) {
	a.failed = true
	d.failures = append(d.failures, Failure{a.index + 1, a.values, replication + 1, err.Error()})
}

// remaining estimates the time that is left, -1 if nothing is known.
func (d *scheduler) remaining() time.Duration {
	if d.costs.all.n == 0 {
		return -1
	}
	waiting := d.queue.total
	if d.sorted == 0 {
		waiting = float64(d.costs.sum) / float64(d.costs.all.n) * float64(len(d.queue.points))
	}
	left := waiting * float64(d.replicationsEach())
	for _, a := range d.active {
		left += float64(max(0, a.stop.allowed(1)-a.stop.seen)) * d.costs.predict(a.levels)
	}
	return time.Duration(left / float64(d.workers))
}

// replicationsEach is how many replications a point may need, from those that
// are finished if there is a stopping rule.
func (d *scheduler) replicationsEach() float64 {
	if d.sweep.Spec.Until != nil && d.points > 0 {
		return float64(d.found+d.done) / float64(d.points)
	}
	return float64(d.sweep.Spec.Replications)
}
