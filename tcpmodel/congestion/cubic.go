package congestion

import (
	"math"
	"math/bits"

	"tcplab/des"
)

const (
	// betaOne is what Options.Beta stands for 1 in.
	betaOne = 1024
	// cubicHZ is CUBIC's unit of time: 1/1024 s.
	cubicHZ = 1024
	// curveShift turns 10 BicScale (t/cubicHZ)^3 into segments: 10 bits for
	// the unit of C, 30 for the cube of the unit of time.
	curveShift  = 40
	maxBicScale = 4096
	// maxOffset keeps the cube of a time within 63 bits: the curve stands
	// still 34 minutes off its plateau, 3 billion segments away at C = 0.4.
	maxOffset = 1<<21 - 1
	// maxDrop keeps the cube of K within 64 bits; no window is as large.
	maxDrop = 1 << 24

	// cubicMinInterval and cubicMaxInterval bound how often the curve is
	// looked at: not twice in a clock tick of the kernel (HZ=250), and for an
	// unchanged window every 1/32 s.
	cubicMinInterval = 4 * des.Millisecond
	cubicMaxInterval = des.Second / 32
	// minPer keeps the growth below one half of a window per round trip.
	minPer = 2
	// probePer limits growth to 5 % per round trip at least as long as no
	// maximum is known.
	probePer = 20
)

// cubic is CUBIC (RFC 9438) as Linux does it: window and curve in whole
// segments, time in 1/1024 s. Where Linux reads a clock of HZ ticks, this
// takes the exact time; where Linux's cubic root is good to 0.2 %, this one is
// exact.
type cubic struct {
	hystart
	plus    hystartPlus
	options Options
	// renoScale is 8/alpha of RFC 9438 section 4.3, an integer.
	renoScale uint32
	// perK is how large the cube of K is for each segment below wMax.
	perK uint64

	// delayMin is the least round-trip time, 0 if none is known.
	delayMin des.Time
	// epoch is when this stage of congestion avoidance began, if growing.
	epoch   des.Time
	growing bool
	// prior is the window before the last reduction and wMax what of it the
	// curve aims at; both are 0 before the first one and after a time-out.
	prior, wMax uint32
	// origin is the plateau of the curve and k the time from epoch to it.
	origin, k uint32
	// wEst is the window that Reno would have, acked what was acknowledged
	// since it last grew.
	wEst, acked uint32
	// per is how many acknowledged segments the window grows by one for. It
	// was found at time looked with window lookedCwnd.
	per        uint32
	lookedCwnd uint32
	looked     des.Time
}

func newCubic(o Options) Controller {
	c := &cubic{
		options:   o,
		renoScale: 8 * (betaOne + o.Beta) / 3 / (betaOne - o.Beta),
		perK:      1 << curveShift / (10 * uint64(o.BicScale)),
	}
	c.startRound(0)
	c.plus.reset()
	return c
}

func (c *cubic) OnAck(w *Window, a *Ack) {
	c.measure(w, a)
	if c.options.HyStart == HyStartPlus && c.plus.applies(w) {
		c.plus.onAck(w, a)
		return
	}
	if !a.CwndLimited {
		return
	}
	acked := a.Acked
	if w.SlowStart() {
		if acked = w.GrowSlowStart(acked); acked == 0 {
			return
		}
	}
	c.update(w.Cwnd, acked, a.Now)
	w.GrowAdditive(c.per, acked)
}

// measure keeps the least round-trip time and lets HyStart see the ACK.
func (c *cubic) measure(w *Window, a *Ack) {
	if a.RoundStart {
		c.startRound(a.Now)
	}
	// The first second after a recovery is left out: it may measure a queue
	// that the recovery has just drained or filled.
	if a.RTT <= 0 || c.growing && a.Now-c.epoch < des.Second {
		return
	}
	if c.delayMin == 0 || a.RTT < c.delayMin {
		c.delayMin = a.RTT
	}
	if c.options.HyStart == HyStartClassic && !c.found && w.SlowStart() && c.hystart.update(w, a, c.delayMin) {
		w.Ssthresh = w.Cwnd
	}
}

// update finds per for a window of cwnd segments, of which acked have just
// been acknowledged.
func (c *cubic) update(cwnd, acked uint32, now des.Time) {
	c.acked += acked
	every := c.options.EveryAck
	if !every && c.growing && now-c.looked <= cubicMaxInterval && cwnd == c.lookedCwnd {
		return
	}
	if every || !c.growing || now-c.looked >= cubicMinInterval {
		c.looked, c.lookedCwnd = now, cwnd
		if !c.growing {
			c.startEpoch(cwnd, acked, now)
		}
		c.per = c.follow(cwnd, now)
	}
	if c.options.TCPFriendliness {
		c.befriend(cwnd)
	}
	c.per = max(c.per, minPer)
}

// startEpoch begins congestion avoidance after a reduction of the window (RFC
// 9438 section 4.2: K is the cubic root of (W_max - cwnd) / C).
func (c *cubic) startEpoch(cwnd, acked uint32, now des.Time) {
	c.growing, c.epoch = true, now
	c.acked, c.wEst = acked, cwnd
	c.k, c.origin = 0, cwnd
	if c.wMax > cwnd {
		c.k, c.origin = cubeRoot(c.perK*uint64(min(c.wMax-cwnd, maxDrop))), c.wMax
	}
}

// follow returns the growth that takes cwnd to the curve within a round trip
// (RFC 9438 section 4.4), in acknowledged segments for one more segment.
func (c *cubic) follow(cwnd uint32, now des.Time) uint32 {
	target := c.curve(now - c.epoch + c.delayMin)
	per := 100 * min(cwnd, maxDrop)
	if target > cwnd {
		per = cwnd / (target - cwnd)
	}
	if c.wMax == 0 {
		per = min(per, probePer)
	}
	return per
}

// curve is W_cubic of RFC 9438 section 4.2, in segments, a time t after the
// epoch's start.
func (c *cubic) curve(t des.Time) uint32 {
	u := uint64(min(t, (maxOffset+cubicHZ)*des.Second/cubicHZ)) * cubicHZ / uint64(des.Second)
	below := u < uint64(c.k)
	offset := u - uint64(c.k)
	if below {
		offset = -offset
	}
	offset = min(offset, maxOffset)
	hi, lo := bits.Mul64(offset*offset*offset, 10*uint64(c.options.BicScale))
	delta := min(hi<<(64-curveShift)|lo>>curveShift, math.MaxInt32)
	if below {
		return c.origin - min(uint32(delta), c.origin)
	}
	return c.origin + uint32(delta)
}

// befriend keeps the growth at least as fast as that of a Reno flow with
// CUBIC's reduction (RFC 9438 section 4.3).
func (c *cubic) befriend(cwnd uint32) {
	scale := c.renoScale
	if c.options.RenoAlpha && c.wEst >= c.prior {
		scale = 8
	}
	each := max(uint32(uint64(cwnd)*uint64(scale)>>3), 1)
	if c.acked > each {
		n := (c.acked - 1) / each
		c.acked -= n * each
		c.wEst += n
	}
	if c.wEst > cwnd {
		c.per = min(c.per, cwnd/(c.wEst-cwnd))
	}
}

// OnLoss multiplies the window by beta (RFC 9438 section 4.6). A window that
// never came back to the last maximum leaves some room for newcomers (fast
// convergence, section 4.7).
func (c *cubic) OnLoss(w *Window, _ des.Time) uint32 {
	c.growing, c.prior = false, w.Cwnd
	cwnd, beta := uint64(w.Cwnd), uint64(c.options.Beta)
	if c.options.FastConvergence && w.Cwnd < c.wMax {
		c.wMax = uint32(cwnd * (betaOne + beta) / (2 * betaOne))
	} else {
		c.wMax = w.Cwnd
	}
	return max(uint32(cwnd*beta/betaOne), 2)
}

func (c *cubic) OnUndo(w *Window, prior uint32) uint32 { return max(w.Cwnd, prior) }

func (c *cubic) OnEvent(w *Window, e Event, now des.Time) {
	switch e {
	case EventStart, EventRTO:
		// What was known of the path does not count any more (RFC 9438
		// section 4.8).
		*c = cubic{options: c.options, renoScale: c.renoScale, perK: c.perK}
		c.startRound(now)
		c.plus.reset()
	case EventRestart:
		// RFC 9438 section 5.8: the curve does not run on while nothing is
		// sent.
		if c.growing && w.LastSent > 0 && now > w.LastSent {
			c.epoch = min(c.epoch+now-w.LastSent, now)
		}
	}
}

// cubeRoot returns the largest integer whose cube is at most x.
func cubeRoot(x uint64) uint32 {
	if x == 0 {
		return 0
	}
	// Newton's method from above decreases until it has passed the root.
	for r := uint64(1) << ((bits.Len64(x) + 2) / 3); ; {
		next := (2*r + x/(r*r)) / 3
		if next >= r {
			return uint32(r)
		}
		r = next
	}
}
