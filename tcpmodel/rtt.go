package tcpmodel

import "tcplab/des"

// rttEstimator keeps the smoothed round-trip time and derives the
// retransmission timeout, by RFC 6298 or as Linux does.
type rttEstimator struct {
	srtt, rttvar des.Time
	// fine are SRTT and RTTVAR of RFC 6298 in units of 2^-fineShift ns, so
	// that the divisions by 8 and 4 lose nothing that shows.
	fine struct{ srtt, rttvar des.Time }
	// mdev and mdevMax are Linux's: the mean deviation, and its largest value
	// in the current round trip.
	mdev, mdevMax des.Time
	// least is the smallest sample of the last minRTTWindow.
	least   windowedMin
	samples uint32
}

const fineShift = 10

// clockGranularity is G of RFC 6298 section 2.
const clockGranularity = des.Millisecond

func (r *rttEstimator) smoothed() des.Time { return r.srtt }

// sample6298 takes a measurement (RFC 6298 section 2.2 and 2.3).
func (r *rttEstimator) sample6298(rtt des.Time) {
	f := &r.fine
	m := rtt << fineShift
	if r.samples == 0 {
		f.srtt, f.rttvar = m, m/2
	} else {
		dev := f.srtt - m
		if dev < 0 {
			dev = -dev
		}
		f.rttvar += (dev - f.rttvar) / 4
		f.srtt += (m - f.srtt) / 8
	}
	r.srtt, r.rttvar = f.srtt>>fineShift, f.rttvar>>fineShift
}

// sampleLinux takes a measurement as Linux does: in microseconds, a fall of
// the round-trip time below SRTT - RTTVAR weighs less in the deviation, and
// RTTVAR follows the largest deviation of a round trip, never below
// tcp_rto_min. newRound says that the round trip in which mdevMax was taken is
// over.
func (r *rttEstimator) sampleLinux(rtt, rtoMin des.Time, newRound bool) {
	const us = des.Microsecond
	m := max(rtt/us, 1)
	srtt, mdev, mdevMax, rttvar := r.srtt*8/us, r.mdev*4/us, r.mdevMax*4/us, r.rttvar*4/us
	floor := rtoMin / us
	if r.samples == 0 {
		srtt = m << 3
		mdev = m << 1
		rttvar = max(mdev, floor)
		mdevMax = rttvar
	} else {
		m -= srtt >> 3
		srtt += m
		if m < 0 {
			m = -m - mdev>>2
			if m > 0 {
				m >>= 3
			}
		} else {
			m -= mdev >> 2
		}
		mdev += m
		if mdev > mdevMax {
			mdevMax = mdev
			if mdevMax > rttvar {
				rttvar = mdevMax
			}
		}
		if newRound {
			if mdevMax < rttvar {
				rttvar -= (rttvar - mdevMax) >> 2
			}
			mdevMax = floor
		}
	}
	r.srtt, r.mdev, r.mdevMax, r.rttvar = srtt*us/8, mdev*us/4, mdevMax*us/4, rttvar*us/4
}

// sample takes the measurement rtt; latest is the round-trip time of the newest
// segment that it covers, which delayed acknowledgements lengthen least.
func (r *rttEstimator) sample(c *Config, now, rtt, latest des.Time, newRound bool) {
	r.least.add(now, max(latest, 1))
	if c.RTO == RTORFC6298 {
		r.sample6298(rtt)
	} else {
		r.sampleLinux(rtt, c.RTOMin, newRound)
	}
	r.samples++
}

// rto returns the retransmission timeout without back-off.
func (r *rttEstimator) rto(c *Config) des.Time {
	if r.samples == 0 {
		return c.InitialRTO
	}
	if c.RTO == RTORFC6298 {
		// (2.3), (2.4), (2.5).
		f := &r.fine
		rto := (f.srtt + max(clockGranularity<<fineShift, 4*f.rttvar)) >> fineShift
		return min(max(rto, c.RTOMin), c.RTOMax)
	}
	return min(r.srtt+4*r.rttvar, c.RTOMax)
}

// lowest is the minimum round-trip time, des.Never before the first sample.
func (r *rttEstimator) lowest() des.Time {
	if r.samples == 0 {
		return des.Never
	}
	return r.least.best[0].value
}

// minRTTWindow is net.ipv4.tcp_min_rtt_wlen.
const minRTTWindow = 300 * des.Second

// windowedMin is the minimum over a sliding window, kept as the best, second
// and third best of its parts (K. Nichols' filter, as Linux has it).
type windowedMin struct {
	best [3]struct{ at, value des.Time }
	set  bool
}

func (m *windowedMin) add(now, v des.Time) {
	b := &m.best
	n := struct{ at, value des.Time }{now, v}
	if !m.set || v <= b[0].value || now-b[2].at > minRTTWindow {
		m.set = true
		b[0], b[1], b[2] = n, n, n
		return
	}
	if v <= b[1].value {
		b[1], b[2] = n, n
	} else if v <= b[2].value {
		b[2] = n
	}
	switch age := now - b[0].at; {
	case age > minRTTWindow:
		b[0], b[1], b[2] = b[1], b[2], n
		if now-b[0].at > minRTTWindow {
			b[0], b[1], b[2] = b[1], b[2], n
		}
	case b[1].at == b[0].at && age > minRTTWindow/4:
		b[1], b[2] = n, n
	case b[2].at == b[1].at && age > minRTTWindow/2:
		b[2] = n
	}
}
