package congestion

import "tcplab/des"

const (
	// dctcpOne is a fraction of marked segments of one.
	dctcpOne = 1024
	// dctcpShift is the weight of one window in the mean: g = 1/16.
	dctcpShift = 4
)

// dctcp is Data Center TCP (RFC 8257) as Linux 6.18 has it (tcp_dctcp.c): Reno
// that answers marks by as much as there are of them. Alpha is the mean fraction of
// marked segments; a window with marks is reduced by half of it, a loss halves.
type dctcp struct {
	reno
	// alpha is in units of 1/dctcpOne.
	alpha uint32
	// delivered and marked count the segments of the window so far.
	delivered, marked uint64
}

func newDCTCP(Options) Controller { return &dctcp{alpha: dctcpOne} }

// OnDelivered is RFC 8257 section 3.3 in segments rather than bytes.
func (d *dctcp) OnDelivered(segments uint32, echoed, ends bool) {
	d.delivered += uint64(segments)
	if echoed {
		d.marked += uint64(segments)
	}
	if !ends {
		return
	}
	if decay := d.alpha >> dctcpShift; decay > 0 {
		d.alpha -= decay
	} else {
		// The shift alone would never get below 2^dctcpShift.
		d.alpha = 0
	}
	fraction := d.marked * (dctcpOne >> dctcpShift) / max(d.delivered, 1)
	d.alpha = min(d.alpha+uint32(fraction), dctcpOne)
	d.delivered, d.marked = 0, 0
}

// OnLoss is the answer to marks (RFC 8257 section 3.3, cwnd * (1 - alpha/2)): an
// event follows if it was a loss.
func (d *dctcp) OnLoss(w *Window, _ des.Time) uint32 {
	cut := uint64(w.Cwnd) * uint64(d.alpha) / (2 * dctcpOne)
	return max(w.Cwnd-uint32(cut), 2)
}

func (d *dctcp) OnEvent(w *Window, e Event, now des.Time) {
	switch e {
	case EventStart:
		*d = dctcp{alpha: dctcpOne}
	case EventRecovery, EventRTO:
		// RFC 8257 section 3.4: as any TCP.
		w.Ssthresh = d.reno.OnLoss(w, now)
	}
}
