package network

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// PIE is the proportional integral controller enhanced (RFC 8033): a packet
// that arrives is dropped or marked with a probability that is adjusted every
// TUpdate by how far the queueing delay is from Target and by how it changes.
//
// The delay is measured by time stamps, as in Linux: it is how long the packet
// that was dequeued last had waited, 0 when it left nothing behind. Below a
// queue of two mean packets, below half the target with a probability under
// 0.2, and while MaxBurst lasts nothing is dropped early. Drops are spread out
// (accu_prob, RFC 8033 section 5.4), the probability rises by at most 2 % a
// step once it is 10 %, but by 2 % more above 250 ms (section 5.5), and
// decays by 2 % per step while the delay is 0.
type PIE struct {
	// Target is the queueing delay to hold (QDELAY_REF), TUpdate how often the
	// probability is adjusted, MaxBurst how long a burst after an idle time
	// goes unpunished.
	Target, TUpdate, MaxBurst des.Time
	// Alpha and Beta weigh the distance from the target and the growth, in
	// 1/s.
	Alpha, Beta float64
	// ECN marks packets from ECN-capable transports instead of dropping them
	// early as long as the probability is below MarkLimit (MARK_ECNTH).
	ECN       bool
	MarkLimit float64
	// MeanPacket is the mean size of a packet in bytes.
	MeanPacket int
}

// DefaultPIE returns PIE with the parameters of RFC 8033: target and update
// interval 15 ms, burst 150 ms, alpha 0.125, beta 1.25, marks below 10 %;
// packets of 1500 bytes, without ECN.
func DefaultPIE() PIE {
	return PIE{
		Target: 15 * des.Millisecond, TUpdate: 15 * des.Millisecond, MaxBurst: 150 * des.Millisecond,
		Alpha: 0.125, Beta: 1.25, MarkLimit: 0.1, MeanPacket: 1500,
	}
}

// Name returns "pie".
func (PIE) Name() string { return "pie" }

// Validate returns what is wrong with the parameters, all of it.
func (c PIE) Validate() error {
	var problems []error
	if c.Target <= 0 || c.Target > des.Minute || c.TUpdate < 10*des.Microsecond || c.TUpdate > des.Minute || c.MaxBurst < 0 || c.MaxBurst > des.Hour {
		problems = append(problems, fmt.Errorf("target of %v, update interval of %v, burst of %v: must be up to 1m0s, 10µs to 1m0s, up to 1h0m0s", c.Target, c.TUpdate, c.MaxBurst))
	}
	if !(c.Alpha > 0 && c.Alpha <= 1000 && c.Beta >= 0 && c.Beta <= 1000) {
		problems = append(problems, fmt.Errorf("alpha %v, beta %v: must be up to 1000, alpha above 0", c.Alpha, c.Beta))
	}
	problems = append(problems, checkProbability("limit of marking", c.MarkLimit))
	if c.MeanPacket < 1 || c.MeanPacket > maxMTU {
		problems = append(problems, fmt.Errorf("mean packet of %d bytes: must be 1 to %d", c.MeanPacket, maxMTU))
	}
	return errors.Join(problems...)
}

func (c PIE) build(q *paced) discipline {
	return &pie{PIE: c, fifo: fifo{q: q}, rng: q.link.sim.Stream("pie of link " + q.link.name), burst: c.MaxBurst, update: q.link.sim.Now() + c.TUpdate}
}

// pie updates its probability late, but with the state of the queue at the
// time: nothing happens to the queue in between. So an idle link has no events.
type pie struct {
	PIE
	fifo
	rng        *rand.Rand
	update     des.Time // the next one
	delay, old des.Time // now and at the last update
	prob, accu float64
	burst      des.Time // what is left of the allowance
}

func (d *pie) admit(now des.Time, seg *segment.Segment, size uint32) verdict {
	d.catchUp(now)
	if d.q.full(size) {
		return dropFull
	}
	if d.burst > 0 || !d.strike() {
		return admit
	}
	if d.ECN && d.prob < d.MarkLimit && checkECN(seg) {
		return admitMark
	}
	return dropEarly
}

// strike decides about one packet (drop_early of RFC 8033 appendix A, with
// section 5.4).
func (d *pie) strike() bool {
	if d.old < d.Target/2 && d.prob < 0.2 || d.bytes <= 2*uint64(d.MeanPacket) {
		return false
	}
	if d.prob == 0 {
		d.accu = 0
	}
	d.accu += d.prob
	if d.accu < 0.85 {
		return false
	}
	if d.accu >= 8.5 || d.rng.Float64() < d.prob {
		d.accu = 0
		return true
	}
	return false
}

func (d *pie) pop(now des.Time) slot {
	d.catchUp(now)
	s := d.take()
	if s != none && d.packets > 0 {
		d.delay = now - d.q.slots[s].arrived
	}
	return s
}

// take leaves no delay behind unless pop says so.
func (d *pie) take() slot {
	d.delay = 0
	return d.fifo.take()
}

// catchUp makes the updates that were due up to now.
func (d *pie) catchUp(now des.Time) {
	for d.update <= now {
		d.adjust()
		d.update += d.TUpdate
		if d.settled() && d.update <= now {
			d.update += (now - d.update + d.TUpdate) / d.TUpdate * d.TUpdate
		}
	}
}

// settled reports whether updates change nothing any more.
func (d *pie) settled() bool {
	return d.prob == 0 && d.delay == 0 && d.old == 0 && d.burst == d.MaxBurst
}

// scales are by how much the adjustment is divided while the probability is
// below a limit (RFC 8033 section 4.2).
var scales = [...]struct{ below, by float64 }{
	{0.000001, 2048}, {0.00001, 512}, {0.0001, 128}, {0.001, 32}, {0.01, 8}, {0.1, 2},
}

func seconds(t des.Time) float64 { return float64(t) / 1e9 }

// adjust is the update of the probability (calculate_drop_prob of RFC 8033). The
// conversions keep the compiler from fusing products and sums.
func (d *pie) adjust() {
	p := float64(d.Alpha*seconds(d.delay-d.Target)) + float64(d.Beta*seconds(d.delay-d.old))
	for _, s := range scales {
		if d.prob < s.below {
			p /= s.by
			break
		}
	}
	if d.prob >= 0.1 && p > 0.02 {
		p = 0.02
	}
	if d.delay > 250*des.Millisecond {
		p += 0.02
	}
	d.prob += p
	if d.delay == 0 && d.old == 0 {
		d.prob = float64(d.prob * 0.98)
	}
	d.prob = min(max(d.prob, 0), 1)
	d.burst = max(0, d.burst-d.TUpdate)
	if d.prob == 0 && d.delay < d.Target/2 && d.old < d.Target/2 {
		d.burst = d.MaxBurst
	}
	d.old = d.delay
}
