package network

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// RED is random early detection (Floyd and Jacobson, IEEE/ACM Transactions on
// Networking 1(4), 1993; RFC 2309): a packet that arrives is dropped or marked
// with a probability that grows with a moving average of the queue. The average
// is over the packets that wait, without the one in service, and is taken at
// each arrival; while the link is idle it decays as if small packets had come.
//
// Below MinTh nothing is dropped. Between MinTh and MaxTh p rises from 0 to
// MaxP, and is corrected by the number of packets since the last drop so that
// the gaps between drops are uniform on 1 to 1/p. At MaxTh and above everything
// is dropped, or if Gentle, p rises from MaxP to 1 at twice MaxTh.
type RED struct {
	// MinTh and MaxTh are the thresholds of the average, in packets.
	MinTh, MaxTh float64
	// MaxP is the probability at MaxTh.
	MaxP float64
	// Weight is that of one packet in the average (w_q).
	Weight float64
	// Gentle is Floyd's recommendation of 2000.
	Gentle bool
	// ECN marks packets from ECN-capable transports where they would be
	// dropped early (RFC 3168 section 7). Above the upper threshold and in a
	// full queue they are dropped all the same.
	ECN bool
	// MeanPacket is the size in bytes that the decay while idle counts in.
	MeanPacket int
}

// DefaultRED returns RED with the parameters that Floyd recommends ("RED:
// Discussions of setting parameters", 1997, and "gentle", 2000) and that ns-2
// and ns-3 have: thresholds of 5 and 15 packets, MaxP 0.1, weight 0.002, gentle,
// packets of 500 bytes, without ECN.
func DefaultRED() RED {
	return RED{MinTh: 5, MaxTh: 15, MaxP: 0.1, Weight: 0.002, Gentle: true, MeanPacket: 500}
}

// Name returns "red".
func (RED) Name() string { return "red" }

// Validate returns what is wrong with the parameters, all of it.
func (c RED) Validate() error {
	var problems []error
	if !(c.MinTh >= 0 && c.MaxTh > c.MinTh && c.MaxTh <= 1e9) {
		problems = append(problems, fmt.Errorf("thresholds of %v and %v packets: must be 0 or more, the upper above the lower, at most 1e9", c.MinTh, c.MaxTh))
	}
	if !(c.MaxP > 0 && c.MaxP <= 1) {
		problems = append(problems, fmt.Errorf("largest probability %v: must be above 0 and at most 1", c.MaxP))
	}
	if !(c.Weight > 0 && c.Weight <= 1) {
		problems = append(problems, fmt.Errorf("weight %v: must be above 0 and at most 1", c.Weight))
	}
	if c.MeanPacket < 1 || c.MeanPacket > maxMTU {
		problems = append(problems, fmt.Errorf("mean packet of %d bytes: must be 1 to %d", c.MeanPacket, maxMTU))
	}
	return errors.Join(problems...)
}

func (c RED) build(q *paced) discipline {
	return &red{RED: c, fifo: fifo{q: q}, rng: q.link.sim.Stream("red of link " + q.link.name)}
}

type red struct {
	RED
	fifo
	rng   *rand.Rand
	avg   float64
	since int // packets since the last drop or mark
}

// admit does not let the compiler fuse products and sums, so that every
// platform decides the same: hence the conversions.
func (d *red) admit(now des.Time, seg *segment.Segment, size uint32) verdict {
	d.average(now)
	if d.q.full(size) {
		d.since = 0
		return dropFull
	}
	p, upper := 0.0, d.MaxTh
	if d.Gentle {
		upper = 2 * d.MaxTh
	}
	switch {
	case d.avg < d.MinTh:
		d.since = 0
		return admit
	case d.avg >= upper:
		d.since = 0
		return dropEarly
	case d.avg < d.MaxTh:
		p = float64(d.MaxP*(d.avg-d.MinTh)) / (d.MaxTh - d.MinTh)
	default:
		p = d.MaxP + float64((1-d.MaxP)*(d.avg-d.MaxTh))/d.MaxTh
	}
	if !d.strike(p) {
		return admit
	}
	if d.ECN && checkECN(seg) {
		return admitMark
	}
	return dropEarly
}

// strike decides with probability p/(1 - since*p).
func (d *red) strike(p float64) bool {
	rest := 1 - float64(float64(d.since)*p)
	if rest <= p || float64(d.rng.Float64()*rest) < p {
		d.since = 0
		return true
	}
	d.since++
	return false
}

// average takes the queue that an arrival finds into the average.
func (d *red) average(now des.Time) {
	if d.q.current != none {
		d.avg += float64(d.Weight * (float64(d.packets) - d.avg))
		return
	}
	rate := d.q.rate()
	if rate == 0 || d.avg == 0 {
		d.avg = 0
		return
	}
	// As many packets could have been sent since the link became idle.
	one := uint64(d.MeanPacket) * nanobits / uint64(rate)
	missed := uint64(now-d.q.link.finish) / max(one, 1)
	d.avg = float64(d.avg * power(1-d.Weight, missed))
}

// power returns x^n by products alone, which every platform rounds the same.
func power(x float64, n uint64) float64 {
	y := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			y *= x
		}
		x *= x
	}
	return y
}
