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

// LinkReading is what is read of one direction of a link.
type LinkReading struct {
	// Packets is the number of packets in the queue now, the one in service
	// included.
	Packets int
	// Sent counts packets and SentBytes their bytes on the wire, as they
	// leave the queue; Dropped counts what the queue discarded, Lost what
	// the loss model did.
	Sent, SentBytes, Dropped, Lost uint64
}

// link records one direction of a link.
type link struct {
	read                           func(now des.Time) LinkReading
	queue, sent, bytes, drop, lost column
}

// Link declares the metrics of one direction of a link. read is called at
// every mark; rate is in bit/s, 0 for none.
func (r *Recorder) Link(name string, rate int64, read func(now des.Time) LinkReading) {
	l := &link{read: read}
	r.probes = append(r.probes, l)
	declare := func(quantity string, value func(window) (float64, bool), series func() []float64) {
		r.declare(&r.ofLinks, OfLink, name, quantity, value, series)
	}
	declare("queue", func(w window) (float64, bool) { return r.meanOfReadings(&l.queue, w) },
		func() []float64 { return r.instants(&l.queue) })
	bits := func(w window) (float64, bool) {
		if w.empty() {
			return 0, false
		}
		return float64(8*l.bytes.growth(r.marks, w)) / w.seconds(), true
	}
	declare("throughput", bits, func() []float64 { return r.each(bits) })
	busy := func(w window) (float64, bool) {
		v, ok := bits(w)
		if !ok || rate == 0 {
			return 0, false
		}
		return v / float64(rate), true
	}
	declare("utilization", busy, func() []float64 { return r.each(busy) })
	for _, c := range []struct {
		name string
		of   *column
	}{{"sent", &l.sent}, {"dropped", &l.drop}, {"lost", &l.lost}} {
		declare(c.name, func(w window) (float64, bool) { return c.of.growth(r.marks, w), !w.empty() },
			func() []float64 { return r.rate(c.of, 1) })
	}
}

func (l *link) sample(i int, now des.Time) {
	v := l.read(now)
	l.queue.set(i, uint64(v.Packets))
	l.sent.set(i, v.Sent)
	l.bytes.set(i, v.SentBytes)
	l.drop.set(i, v.Dropped)
	l.lost.set(i, v.Lost)
}

// meanOfReadings is the mean of what was read in w, at its start but not at
// its end.
func (r *Recorder) meanOfReadings(c *column, w window) (float64, bool) {
	sum, n := 0.0, 0
	for i, t := range r.marks {
		if t >= w.from && t < w.until {
			sum += float64(int64(c.at(i)))
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return sum / float64(n), true
}
