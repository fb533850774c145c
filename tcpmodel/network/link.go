package network

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// maxPayload is the Len of the largest packet that a link takes. With a rate of
// at least 1 bit/s it keeps the work that a packet is within 63 bits.
const maxPayload = 1 << 30

// nanobits is the work that a byte is, in bit/s times ns.
const nanobits = 8e9

// Link is one direction of a connection between two nodes: a queue,
// serialisation at a rate, then a delay, and whatever else its LinkConfig says.
// It is a Sink.
//
// Ring positions count packets since the start: those in [head, served) have
// been serialised and are on the wire, those in [served, tail) are in the
// queue, the first of them in service. If the link has a paced queue, packets
// come into the ring when they have been serialised.
type Link struct {
	sim      *des.Sim
	timer    des.Timer
	next     Sink
	segments []segment.Segment // ring; the length is a power of two
	packets  []packet          // ring beside it, of the same length

	head, served, tail uint64
	delivering         uint64 // 1 while the slot before head is in use by next

	started   des.Time // when the service of the packet in service started
	finish    des.Time // when it ends, or when the last one ended
	remainder uint64   // what finish was rounded down by, in 1/rate ns
	rate      uint64   // bit/s; 0 is infinitely fast
	perByte   uint64   // ns; 0 if a byte takes no whole number of them
	delay     des.Time
	latest    des.Time // latest delivery fixed so far: later ones are not before it

	limitPackets, limitBytes uint64
	overhead                 uint32
	gate                     *gate   // nil: every packet goes on to the queue
	losses                   *losses // nil: none on the wire
	taps                     []Tap

	stats accounts

	name     string
	from, to segment.Node
	rewired  bool // SetNext was called

	component des.Component
	egress    *egress // nil: what leaves the wire has arrived
}

// packet is what the link knows of the segment in the same place.
type packet struct {
	when des.Time // arrival; from the end of serialisation on, time of delivery
	size uint32
	fate fate
}

// fate says what happens to a packet at the end of the wire: nothing if it is
// 0. From bit faultShift on it has the number of a fault that delays it.
type fate uint32

const (
	fateLost fate = 1 << iota
	fateCorrupt
	fateDuplicate
	fateEgress // it goes through the link's egress
	faultShift = 8
)

// NewLink returns a link that delivers to next. The name must be unique in the
// simulation: it names the random streams of the link. Links of a Network are
// made by Connect.
func NewLink(sim *des.Sim, name string, config LinkConfig, next Sink) (*Link, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("link %s: %w", name, err)
	}
	l := &Link{
		sim: sim, name: name, next: next,
		segments: make([]segment.Segment, 4), packets: make([]packet, 4),
		rate: uint64(config.Rate), perByte: perByte(uint64(config.Rate)), delay: config.Delay,
		limitPackets: limit(int64(config.Queue.Packets)), limitBytes: limit(config.Queue.Bytes),
		overhead: uint32(config.Overhead),
	}
	l.stats.since, l.stats.changed = sim.Now(), sim.Now()
	l.component = sim.NewComponent("link " + name)
	l.timer = sim.NewTimer(l.component, l, 0)
	l.losses = newLosses(sim, name, config.Loss, config.Gilbert, config.LossPeriod)
	var err error
	if l.egress, err = newEgress(l, &config); err != nil {
		return nil, err
	}
	l.gate = newGate(l, &config)
	if len(config.Changes) > 0 {
		armChanges(l, config.Changes)
	}
	return l, nil
}

// limit turns a limit of 0, which is none, into one that is never reached.
func limit(n int64) uint64 {
	if n == 0 {
		return 1 << 63
	}
	return uint64(n)
}

// Name returns the name of the link, such as "client->core".
func (l *Link) Name() string { return l.name }

// From returns the node that sends into the link, 0 if it is in no Network.
func (l *Link) From() segment.Node { return l.from }

// To returns the node that the link leads to, 0 if it is in no Network.
func (l *Link) To() segment.Node { return l.to }

// Next returns the sink that the link delivers to.
func (l *Link) Next() Sink { return l.next }

// SetNext makes the link deliver to next, which may pass packets on to what
// Next returned before: so a middlebox is put into the path.
func (l *Link) SetNext(next Sink) { l.next, l.rewired = next, true }

// AddTap adds an observer of the link's packets, after those that it has.
func (l *Link) AddTap(t Tap) { l.taps = append(l.taps, t) }

// Receive offers a packet to the link at time now, which is the simulation's
// current time.
func (l *Link) Receive(now des.Time, seg *segment.Segment) {
	if seg.Len > maxPayload {
		panic(fmt.Sprintf("network: link %s: a packet of %d bytes (at most %d)", l.name, seg.Len, maxPayload))
	}
	size := seg.IPLen() + l.overhead
	f := fate(0)
	if l.gate != nil {
		goesOn := false
		if f, goesOn = l.gate.pass(now, seg, size); !goesOn {
			return
		}
	}
	if l.finish <= now && l.served != l.tail {
		l.advance(now)
	}
	waiting := l.tail - l.served
	if waiting >= l.limitPackets || l.stats.queuedBytes+uint64(size) > l.limitBytes {
		l.drop(now, size, seg)
		return
	}
	if l.losses != nil && l.losses.next() {
		f |= fateLost
	}
	if l.tail-l.head+l.delivering == uint64(len(l.segments)) {
		l.grow()
	}
	i := l.tail & uint64(len(l.segments)-1)
	l.segments[i] = *seg
	l.packets[i] = packet{now, size, f}
	l.stats.arrive(now, waiting, size)
	l.tail++
	if waiting == 0 {
		if now != l.finish {
			l.remainder = 0
		}
		l.serve(now, size)
	}
	if l.tail-l.head == 1 {
		l.sim.Arm(l.timer, l.due())
	}
	if len(l.taps) > 0 {
		l.tell(now, Sent, seg)
	}
}

func (l *Link) drop(now des.Time, size uint32, seg *segment.Segment) {
	l.stats.dropped.add(size)
	if len(l.taps) > 0 {
		l.tell(now, Dropped, seg)
	}
}

// serve starts the service of a packet at time start.
func (l *Link) serve(start des.Time, size uint32) {
	l.started, l.finish = start, start
	if l.rate == 0 {
		return
	}
	if l.perByte != 0 && l.remainder == 0 {
		l.finish += des.Time(uint64(size) * l.perByte)
		return
	}
	work := uint64(size)*nanobits + l.remainder
	l.finish += des.Time(work / l.rate)
	l.remainder = work % l.rate
}

// perByte is how many ns a byte takes at rate, 0 if that is no whole number:
// then a division is needed for each packet.
func perByte(rate uint64) uint64 {
	if rate == 0 || uint64(nanobits)%rate != 0 {
		return 0
	}
	return uint64(nanobits) / rate
}

// advance does what happened at the ends of serialisation up to now.
func (l *Link) advance(now des.Time) {
	mask := uint64(len(l.packets) - 1)
	for l.served != l.tail && l.finish <= now {
		p := &l.packets[l.served&mask]
		l.stats.depart(p.when, l.started, l.finish, l.tail-l.served, p.size)
		l.latest = max(l.latest, l.finish+l.delay)
		p.when = l.latest
		l.served++
		if l.served != l.tail {
			l.serve(l.finish, l.packets[l.served&mask].size)
		}
	}
}

// due returns when the head, which must exist, is delivered as things stand.
func (l *Link) due() des.Time {
	if l.head != l.served {
		return l.packets[l.head&uint64(len(l.packets)-1)].when
	}
	return max(l.latest, l.finish+l.delay)
}

// HandleTimer delivers the head. It is called by the engine.
func (l *Link) HandleTimer(now des.Time, _ uint64) {
	if l.finish <= now && l.served != l.tail {
		l.advance(now)
	}
	i := l.head & uint64(len(l.segments)-1)
	seg, p := &l.segments[i], l.packets[i]
	l.head++
	if l.head != l.tail {
		l.sim.Arm(l.timer, l.due())
	}
	if p.fate != 0 {
		l.divert(now, seg, p)
		return
	}
	l.stats.deliveredBytes += uint64(p.size)
	// The slot stays taken during the call, in which next may send into this
	// very link. Growing leaves the old ring, and seg in it, as it is.
	l.delivering = 1
	if len(l.taps) > 0 {
		l.tell(now, Delivered, seg)
	}
	l.next.Receive(now, seg)
	l.delivering = 0
}

func (l *Link) grow() {
	n := uint64(len(l.segments))
	segments, packets := make([]segment.Segment, 2*n), make([]packet, 2*n)
	for i := l.head; i != l.tail; i++ {
		segments[i&(2*n-1)], packets[i&(2*n-1)] = l.segments[i&(n-1)], l.packets[i&(n-1)]
	}
	l.segments, l.packets = segments, packets
}

// Rate returns the rate in bit/s that LinkConfig or SetRate gave, 0 for
// infinitely fast.
func (l *Link) Rate() int64 { return int64(l.rate) }

// SetRate changes the rate from now on, also for the rest of the packet that is
// in service: what of it is sent already stays sent. Rates are as in
// LinkConfig; a link that follows a trace has none to change.
func (l *Link) SetRate(rate int64) error {
	if err := checkRate(rate); err != nil {
		return fmt.Errorf("link %s: %w", l.name, err)
	}
	if l.gate != nil && l.gate.traced {
		return fmt.Errorf("link %s: rate of %d bit/s: the link follows a trace", l.name, rate)
	}
	now := l.sim.Now()
	l.settle(now)
	old := l.rate
	l.rate, l.perByte = uint64(rate), perByte(uint64(rate))
	if l.gate != nil && l.gate.paced != nil {
		l.gate.paced.changeRate(now, old)
		return nil
	}
	if l.served == l.tail {
		l.remainder = 0
		return nil
	}
	work := uint64(l.finish-now)*old + l.remainder
	l.finish, l.remainder = now, 0
	if rate > 0 {
		l.finish += des.Time(work / l.rate)
		l.remainder = work % l.rate
	} else {
		l.advance(now)
	}
	l.sim.Arm(l.timer, l.due())
	return nil
}

// Delay returns the delay that is added after serialisation.
func (l *Link) Delay() des.Time { return l.delay }

// SetDelay changes the delay of the packets whose serialisation ends from now
// on. Those on the wire keep theirs, and none overtakes them. Routes stay as
// they were built.
func (l *Link) SetDelay(delay des.Time) error {
	if err := checkDelay(delay); err != nil {
		return fmt.Errorf("link %s: %w", l.name, err)
	}
	l.settle(l.sim.Now())
	l.delay = delay
	if l.head != l.tail && l.head == l.served {
		l.sim.Arm(l.timer, l.due())
	}
	return nil
}

// settle does what happened up to now in the queue.
func (l *Link) settle(now des.Time) {
	l.advance(now)
	if l.gate != nil && l.gate.paced != nil {
		l.gate.paced.settle(now)
	}
}

// waiting returns how many packets are in the queue and in service.
func (l *Link) waiting() uint64 {
	if l.gate != nil && l.gate.paced != nil {
		return l.gate.paced.packets
	}
	return l.tail - l.served
}
