package network

import (
	"math"
	"math/bits"

	"tcplab/des"
)

// Count counts packets and their bytes on the link, overhead included.
type Count struct{ Packets, Bytes uint64 }

func (c *Count) add(size uint32) {
	c.Packets++
	c.Bytes += uint64(size)
}

func (c Count) plus(d Count) Count { return Count{c.Packets + d.Packets, c.Bytes + d.Bytes} }

func (c Count) minus(d Count) Count { return Count{c.Packets - d.Packets, c.Bytes - d.Bytes} }

// ByteTime is an integral of bytes over time in byte nanoseconds, as a 128-bit
// number.
type ByteTime struct{ Hi, Lo uint64 }

// Float returns the nearest float64.
func (b ByteTime) Float() float64 { return math.Ldexp(float64(b.Hi), 64) + float64(b.Lo) }

func (b ByteTime) plus(bytes, ns uint64) ByteTime {
	hi, lo := bits.Mul64(bytes, ns)
	lo, carry := bits.Add64(b.Lo, lo, 0)
	return ByteTime{b.Hi + hi + carry, lo}
}

func (b ByteTime) minus(c ByteTime) ByteTime {
	lo, borrow := bits.Sub64(b.Lo, c.Lo, 0)
	return ByteTime{b.Hi - c.Hi - borrow, lo}
}

// Stats is what a link has counted from some moment up to At. Times are exact
// to the nanosecond. At every moment
//
//	Offered + Created = Dropped + Lost + Delivered + InFlight
//
// in packets and in bytes (for counts since the start). The sums in nanoseconds
// hold until a link has had 2^64 ns of packet time: 1000 packets queued for 213
// days on average.
type Stats struct {
	At      des.Time
	Elapsed des.Time

	// Offered packets came to the link. Created ones are the duplicates that
	// it made of them.
	Offered, Created Count
	// Dropped packets never began their way over the wire. Lost ones vanished
	// on it, and count from the time at which they would have been delivered.
	Dropped, Lost, Delivered Count
	// Departed packets have been serialised.
	Departed Count
	// Queued packets wait for serialisation or are in it at At. InFlight ones
	// are those, the ones on the wire, also the ones that will be lost, and
	// the ones that jitter and reordering hold.
	Queued, InFlight Count

	// What is Dropped for another reason than a full queue: Early by the
	// decision of the discipline on arrival; Policed by the policer; Oversize
	// because of the MTU, or because the shaper's burst is smaller; Down
	// because the link was down when they came; Discarded out of the queue
	// by the discipline or because the link went down.
	Early, Policed, Oversize, Down, Discarded Count
	// Marked packets got CE from the discipline; Corrupted ones were changed
	// on the wire.
	Marked, Corrupted Count

	// Busy is for how long a packet was in service. With a shaper or a trace
	// a packet that waits for them at the head is in service.
	Busy des.Time
	// Wait and Sojourn are sums over the departed packets, in ns: of the time
	// from arrival to the start of service, and to its end. DiscardTime is
	// the sum over the discarded ones, from arrival to discard.
	Wait, Sojourn, DiscardTime uint64
	// PacketTime and ByteTime are the integrals of Queued over time, in
	// packet nanoseconds and byte nanoseconds.
	PacketTime uint64
	ByteTime   ByteTime
}

// accounts is the running state behind Stats. What follows from ring positions
// is not counted again.
type accounts struct {
	since, changed des.Time
	packetTime     uint64
	byteTime       ByteTime
	queuedBytes    uint64
	departedBytes  uint64
	deliveredBytes uint64
	busy           des.Time
	sojourn, wait  uint64
	dropped, lost  Count

	aborted           des.Time // the part of busy that was for discarded packets
	discardTime       uint64
	diverted, created Count // into the egress; there
	left              Count // the egress
	early, policed    Count
	oversize, down    Count
	discarded         Count
	marked, corrupted Count

	peak uint64 // of the queue, since TakePeak
}

// pass integrates up to t, until when queued packets were in the system.
func (a *accounts) pass(t des.Time, queued uint64) {
	ns := uint64(t - a.changed)
	a.changed = t
	if queued > a.peak && ns > 0 {
		a.peak = queued
	}
	a.packetTime += queued * ns
	a.byteTime = a.byteTime.plus(a.queuedBytes, ns)
}

// arrive records an arrival that finds queued packets in the system.
func (a *accounts) arrive(t des.Time, queued uint64, size uint32) {
	a.pass(t, queued)
	a.queuedBytes += uint64(size)
}

// depart records the end of a service; queued counts the packet that leaves.
func (a *accounts) depart(arrived, started, finished des.Time, queued uint64, size uint32) {
	a.pass(finished, queued)
	a.queuedBytes -= uint64(size)
	a.departedBytes += uint64(size)
	a.wait += uint64(started - arrived)
	a.sojourn += uint64(finished - arrived)
	a.busy += finished - started
}

// discard records that a packet is dropped from the queue; queued counts it.
func (a *accounts) discard(t, arrived des.Time, queued uint64, size uint32) {
	a.pass(t, queued)
	a.queuedBytes -= uint64(size)
	a.discardTime += uint64(t - arrived)
	a.discarded.add(size)
	a.dropped.add(size)
}

// abort records a service that ended before it was done.
func (a *accounts) abort(served des.Time) {
	a.busy += served
	a.aborted += served
}

// Stats returns the counts since the link was made, as they are now.
func (l *Link) Stats() Stats {
	now := l.sim.Now()
	l.settle(now)
	a := &l.stats
	queued := l.waiting()
	a.pass(now, queued)
	s := Stats{
		At: now, Elapsed: now - a.since,
		Created: a.created, Dropped: a.dropped, Lost: a.lost,
		Delivered: Count{l.head - a.lost.Packets - a.diverted.Packets, a.deliveredBytes}.plus(a.left),
		Departed:  Count{l.served, a.departedBytes},
		Queued:    Count{queued, a.queuedBytes},
		Early:     a.early, Policed: a.policed, Oversize: a.oversize, Down: a.down, Discarded: a.discarded,
		Marked: a.marked, Corrupted: a.corrupted,
		Busy: a.busy, Wait: a.wait, Sojourn: a.sojourn, DiscardTime: a.discardTime,
		PacketTime: a.packetTime, ByteTime: a.byteTime,
	}
	if queued > 0 {
		s.Busy += now - l.started
	}
	admitted := s.Departed.plus(s.Queued)
	s.Offered = admitted.plus(a.dropped)
	s.InFlight = admitted.plus(a.created).minus(s.Delivered).minus(s.Lost)
	return s
}

// Queued returns how many packets wait for serialisation or are in it now, and
// their bytes.
func (l *Link) Queued() Count {
	l.settle(l.sim.Now())
	return Count{l.waiting(), l.stats.queuedBytes}
}

// TakePeak returns the most packets that have waited for serialisation or been
// in it for some time since the last call, and begins anew.
func (l *Link) TakePeak() uint64 {
	now := l.sim.Now()
	l.settle(now)
	l.stats.pass(now, l.waiting())
	peak := l.stats.peak
	l.stats.peak = 0
	return peak
}

// Since returns what was counted between an earlier reading of the same link
// and s. Queued and InFlight stay as they are in s.
func (s Stats) Since(earlier Stats) Stats {
	s.Elapsed = s.At - earlier.At
	for _, c := range []struct {
		sum    *Count
		before Count
	}{
		{&s.Offered, earlier.Offered}, {&s.Created, earlier.Created}, {&s.Dropped, earlier.Dropped},
		{&s.Lost, earlier.Lost}, {&s.Delivered, earlier.Delivered}, {&s.Departed, earlier.Departed},
		{&s.Early, earlier.Early}, {&s.Policed, earlier.Policed}, {&s.Oversize, earlier.Oversize},
		{&s.Down, earlier.Down}, {&s.Discarded, earlier.Discarded},
		{&s.Marked, earlier.Marked}, {&s.Corrupted, earlier.Corrupted},
	} {
		*c.sum = c.sum.minus(c.before)
	}
	s.Busy -= earlier.Busy
	s.Wait -= earlier.Wait
	s.Sojourn -= earlier.Sojourn
	s.DiscardTime -= earlier.DiscardTime
	s.PacketTime -= earlier.PacketTime
	s.ByteTime = s.ByteTime.minus(earlier.ByteTime)
	return s
}

// MeanQueued returns the time average of the number of packets in the system
// (L), 0 over no time.
func (s Stats) MeanQueued() float64 { return ratio(float64(s.PacketTime), float64(s.Elapsed)) }

// MeanQueuedBytes returns the time average of the bytes in the system.
func (s Stats) MeanQueuedBytes() float64 { return ratio(s.ByteTime.Float(), float64(s.Elapsed)) }

// MeanWait returns the mean time from arrival to the start of service of the
// departed packets (Wq) in seconds, 0 if there are none.
func (s Stats) MeanWait() float64 { return ratio(float64(s.Wait), float64(s.Departed.Packets)) / 1e9 }

// MeanSojourn returns the mean time from arrival to the end of service of the
// departed packets (W) in seconds, 0 if there are none.
func (s Stats) MeanSojourn() float64 {
	return ratio(float64(s.Sojourn), float64(s.Departed.Packets)) / 1e9
}

// Utilization returns the fraction of time in which a packet was in service.
// One minus it is the fraction of time in which the system was empty (P0).
func (s Stats) Utilization() float64 { return ratio(float64(s.Busy), float64(s.Elapsed)) }

// DropFraction returns the fraction of the offered packets that were dropped, 0
// if none were offered.
func (s Stats) DropFraction() float64 {
	return ratio(float64(s.Dropped.Packets), float64(s.Offered.Packets))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
