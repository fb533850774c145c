package measure

import "tcplab/des"

// Events declares a count of things that a workload does, whose series is
// their rate: of and name are those of the catalogue, owner is the workload.
func (r *Recorder) Events(of, owner, name string) *Counter {
	c := new(Counter)
	r.probes = append(r.probes, c)
	r.declare(&r.workloads, of, owner, name,
		func(w window) (float64, bool) { return c.growth(r.marks, w) },
		func() []float64 { return r.rate(&c.totals, 1) })
	return c
}

// Count declares a count without a series, as Events does one with.
func (r *Recorder) Count(of, owner, name string) *Counter {
	c := new(Counter)
	r.probes = append(r.probes, c)
	r.declare(&r.workloads, of, owner, name, func(w window) (float64, bool) { return c.growth(r.marks, w) }, nil)
	return c
}

// Level declares a number that goes up and down, such as how many connections a
// workload has open.
func (r *Recorder) Level(of, owner, name string) *Gauge {
	g := new(Gauge)
	r.probes = append(r.probes, g)
	r.declare(&r.workloads, of, owner, name,
		func(w window) (float64, bool) { return g.mean(r.marks, w) },
		func() []float64 { return r.instants(&g.values) })
	return g
}

// Transfer measures bytes that arrive at a receiver: the goodput, which is the
// payload delivered to the application over the time in which the transfer
// ran.
type Transfer struct {
	r           *Recorder
	delivered   Counter
	from, until des.Time
	completion  des.Time
}

// Transfer declares the metrics of a transfer, of being its kind in the
// catalogue. Until it starts there is no goodput.
func (r *Recorder) Transfer(of, owner string) *Transfer {
	t := &Transfer{r: r, from: des.Never, until: des.Never, completion: des.Never}
	r.probes = append(r.probes, &t.delivered)
	r.declare(&r.workloads, of, owner, "goodput", t.goodput,
		func() []float64 { return r.rate(&t.delivered.totals, 8) })
	r.declare(&r.workloads, of, owner, "delivered",
		func(w window) (float64, bool) { return t.delivered.growth(r.marks, w) }, nil)
	if of != "sink" {
		r.declare(&r.workloads, of, owner, "completion", t.completed, nil)
	}
	return t
}

// Begin says when the transfer starts.
func (t *Transfer) Begin(now des.Time) { t.from = min(t.from, now) }

// Deliver counts n bytes that the receiver has read.
func (t *Transfer) Deliver(n int) { t.delivered.Add(uint64(n)) }

// Delivered returns the bytes that the receiver has read so far.
func (t *Transfer) Delivered() uint64 { return t.delivered.Total() }

// End says that the transfer is over; whole says that all of it arrived.
func (t *Transfer) End(now des.Time, whole bool) {
	t.until = now
	if whole {
		t.completion = now
	}
}

// Continue says that a transfer goes on that seemed to be over.
func (t *Transfer) Continue() { t.until = des.Never }

// goodput is over the part of w in which the transfer ran.
func (t *Transfer) goodput(w window) (float64, bool) {
	w = w.clip(t.from, t.until)
	if w.empty() {
		return 0, false
	}
	return float64(8*t.growthIn(w)) / w.seconds(), true
}

// growthIn is the growth in w. The end of a transfer is rarely a mark, but
// nothing is delivered after it, so the rest of its stretch may be taken along
// whole; the same holds for its start.
func (t *Transfer) growthIn(w window) float64 {
	i, part := t.r.marks.position(w.until)
	if w.until == t.until && part > 0 {
		w.until = t.r.marks[i+1]
	}
	if w.from == t.from {
		i, _ = t.r.marks.position(w.from)
		w.from = t.r.marks[i]
	}
	return t.delivered.totals.growth(t.r.marks, w)
}

// completed is the time from the start of the transfer to its last byte, if it
// started in w.
func (t *Transfer) completed(w window) (float64, bool) {
	if t.completion == des.Never || t.from < w.from || t.from >= w.until {
		return 0, false
	}
	return (t.completion - t.from).Seconds(), true
}

// readings is a quantity that is read at each mark.
type readings struct {
	read        func() (sum, count int)
	sum, count  uint64
	sums, times column
}

func (m *readings) sample(i int, _ des.Time) {
	sum, count := m.read()
	m.sum += uint64(sum)
	m.count += uint64(count)
	m.sums.set(i, m.sum)
	m.times.set(i, m.count)
}

// Readings declares the mean of what read finds at the instants at which
// everything is read: the sum over so many things. Nothing is computed between
// these instants, so that it costs a run little; their distance decides how
// exact it is.
func (r *Recorder) Readings(of, owner, name string, read func() (sum, count int)) {
	m := &readings{read: read}
	r.probes = append(r.probes, m)
	r.declare(&r.workloads, of, owner, name, func(w window) (float64, bool) {
		n := m.times.growth(r.marks, w)
		return m.sums.growth(r.marks, w) / n, n > 0
	}, nil)
}
