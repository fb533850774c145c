package network

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// slot is the place of a packet in a paced queue.
type slot int32

const none slot = -1

// queued is a packet in a paced queue.
type queued struct {
	seg     segment.Segment
	arrived des.Time
	size    uint32
	fate    fate
	next    slot // in its list, or in the list of free slots
}

// list is a FIFO list of slots. The zero value is empty.
type list struct {
	first, last slot // if packets > 0
	packets     int
	bytes       uint64
}

func (a *list) append(q *paced, s slot) {
	p := &q.slots[s]
	if a.packets == 0 {
		a.first = s
	} else {
		q.slots[a.last].next = s
	}
	a.last = s
	a.packets++
	a.bytes += uint64(p.size)
}

// remove returns the first slot, none if there is none.
func (a *list) remove(q *paced) slot {
	if a.packets == 0 {
		return none
	}
	s := a.first
	p := &q.slots[s]
	a.first = p.next
	a.packets--
	a.bytes -= uint64(p.size)
	return s
}

// paced is the queue of a link that has an event at the end of each
// serialisation, because its discipline decides then what comes next or because
// its service is no constant rate. What has been serialised goes into the ring
// of the link, which is the wire.
type paced struct {
	link       *Link
	timer      des.Timer // for link.finish
	discipline discipline
	server     server // nil: the rate of the link
	slots      []queued
	free       slot
	current    slot   // in service
	packets    uint64 // in the queue, with the one in service
	ready      des.Time
}

// server is a service that is no constant rate.
type server interface {
	// serve returns when the serialisation of a packet begins and when it
	// ends if its service starts at start. busy: the packet before ended at
	// start.
	serve(start des.Time, size uint32, busy bool) (begin, end des.Time)
	// rate is the mean rate in bit/s, 0 for infinitely fast.
	rate() int64
}

func newPaced(l *Link, c *LinkConfig) *paced {
	q := &paced{link: l, free: none, current: none}
	d := c.Discipline
	if d == nil {
		d = DropTail{}
	}
	switch {
	case c.Trace != nil:
		q.server = &traceServer{trace: c.Trace, base: l.sim.Now()}
	case c.Shaper.Rate > 0:
		q.server = &shaper{link: l, bucket: *NewBucket(c.Shaper, l.sim.Now())}
	}
	q.discipline = d.build(q)
	q.timer = l.sim.NewTimer(l.component, q, 0)
	return q
}

// full reports whether a packet of that size has no room.
func (q *paced) full(size uint32) bool {
	return q.packets >= q.link.limitPackets || q.link.stats.queuedBytes+uint64(size) > q.link.limitBytes
}

// over reports whether there is more in the queue than it may hold.
func (q *paced) over() bool {
	return q.packets > q.link.limitPackets || q.link.stats.queuedBytes > q.link.limitBytes
}

// rate returns the rate in bit/s at which the queue is emptied on average, 0
// for infinitely fast.
func (q *paced) rate() int64 {
	r := int64(q.link.rate)
	if q.server == nil {
		return r
	}
	if s := q.server.rate(); r == 0 || s < r {
		return s
	}
	return r
}

// receive offers a packet to the queue.
func (q *paced) receive(now des.Time, seg *segment.Segment, size uint32, fate fate) {
	l := q.link
	q.settle(now)
	verdict := q.discipline.admit(now, seg, size)
	if verdict >= dropFull {
		if verdict == dropEarly {
			l.stats.early.add(size)
		}
		l.drop(now, size, seg)
		return
	}
	if l.losses != nil && l.losses.next() {
		fate |= fateLost
	}
	s := q.store(queued{seg: *seg, arrived: now, size: size, fate: fate})
	if verdict == admitMark {
		q.mark(s)
	}
	l.stats.arrive(now, q.packets, size)
	q.packets++
	if len(l.taps) > 0 {
		l.tell(now, Sent, &q.slots[s].seg)
	}
	q.discipline.push(now, s)
	if q.current == none {
		if now != l.finish {
			l.remainder = 0
		}
		q.start(now, false)
		q.settle(now)
	}
}

// store puts a packet into a slot.
func (q *paced) store(p queued) slot {
	s := q.free
	if s == none {
		q.slots = append(q.slots, p)
		return slot(len(q.slots) - 1)
	}
	q.free = q.slots[s].next
	q.slots[s] = p
	return s
}

func (q *paced) release(s slot) {
	q.slots[s].next = q.free
	q.free = s
}

// mark sets CE.
func (q *paced) mark(s slot) {
	p := &q.slots[s]
	p.seg.ECN = segment.CE
	q.link.stats.marked.add(p.size)
}

// discard drops a packet that was admitted and that is in no list any more.
func (q *paced) discard(now des.Time, s slot) {
	p := &q.slots[s]
	q.link.stats.discard(now, p.arrived, q.packets, p.size)
	q.packets--
	if len(q.link.taps) > 0 {
		q.link.tell(now, Discarded, &p.seg)
	}
	q.release(s)
}

// start begins the next service, if there is something to serve. busy: another
// one ends now.
func (q *paced) start(now des.Time, busy bool) {
	l := q.link
	q.current = q.discipline.pop(now)
	if q.current == none {
		return
	}
	size := q.slots[q.current].size
	if q.server == nil {
		l.serve(now, size)
		q.ready = now
	} else {
		q.ready, l.finish = q.server.serve(now, size, busy)
		l.started = now
	}
	l.sim.Arm(q.timer, l.finish)
}

// settle ends the services that end up to now.
func (q *paced) settle(now des.Time) {
	if q.current == none || q.link.finish > now {
		return
	}
	for q.current != none && q.link.finish <= now {
		q.depart()
		q.start(q.link.finish, true)
	}
	if q.current == none {
		q.link.sim.Stop(q.timer)
	}
}

// HandleTimer ends the service of the packet in service.
func (q *paced) HandleTimer(now des.Time, _ uint64) { q.settle(now) }

// depart puts the packet in service on the wire.
func (q *paced) depart() {
	l, p := q.link, &q.slots[q.current]
	l.stats.depart(p.arrived, l.started, l.finish, q.packets, p.size)
	q.packets--
	l.latest = max(l.latest, l.finish+l.delay)
	if l.tail-l.head+l.delivering == uint64(len(l.segments)) {
		l.grow()
	}
	i := l.tail & uint64(len(l.segments)-1)
	l.segments[i] = p.seg
	l.packets[i] = packet{l.latest, p.size, p.fate}
	l.tail++
	l.served++
	if l.tail-l.head == 1 {
		l.sim.Arm(l.timer, l.latest)
	}
	q.release(q.current)
}

// changeRate goes on with the packet in service at another rate than old.
func (q *paced) changeRate(now des.Time, old uint64) {
	l := q.link
	if q.current == none {
		l.remainder = 0
		return
	}
	begin := max(now, q.ready)
	work := uint64(l.finish-begin)*old + l.remainder
	if old == 0 {
		work = uint64(q.slots[q.current].size) * nanobits
	}
	l.finish, l.remainder = begin, 0
	if l.rate > 0 {
		l.finish += des.Time(work / l.rate)
		l.remainder = work % l.rate
	}
	l.sim.Arm(q.timer, l.finish)
	q.settle(now)
}

// clear discards everything that is in the queue and in service.
func (q *paced) clear(now des.Time) {
	if q.current != none {
		q.link.stats.abort(now - q.link.started)
		q.discard(now, q.current)
		q.current = none
		q.link.finish, q.link.remainder = now, 0
		q.link.sim.Stop(q.timer)
	}
	for s := q.discipline.take(); s != none; s = q.discipline.take() {
		q.discard(now, s)
	}
}
