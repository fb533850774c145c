package congestion

import "tcplab/des"

// The constants of Linux's classic HyStart (hystart_low_window,
// hystart_ack_delta_us and fixed numbers).
const (
	hystartLowWindow = 16
	hystartAckDelta  = 2 * des.Millisecond
	hystartSamples   = 8
	hystartDelayMin  = 4 * des.Millisecond
	hystartDelayMax  = 16 * des.Millisecond
	// hystartAckDelay bounds what aggregation on the way may add to the
	// length of an ACK train; gsoMaxSize is the burst that makes it up.
	hystartAckDelay = des.Millisecond
	gsoMaxSize      = 65536
)

// hystart finds the end of slow start before packets are lost (Ha and Rhee,
// "Taming the Elephants: New TCP Slow Start", 2008): when the ACKs of one
// round, closely spaced, last as long as the forward path (the pipe is full),
// or when the least delay of a round has risen (a queue builds).
type hystart struct {
	roundStart, lastAck des.Time
	// roundRTT is the least round-trip time of this round, of which samples
	// have been counted up to hystartSamples.
	roundRTT des.Time
	samples  uint8
	// found is true from the end of slow start to the next time-out.
	found bool
}

// startRound begins a round with the acknowledgement that arrives now.
func (h *hystart) startRound(now des.Time) {
	h.roundStart, h.lastAck = now, now
	h.roundRTT, h.samples = des.Never, 0
}

// update takes a measured round-trip time, of which delayMin is the least so
// far, and reports whether slow start ends here.
func (h *hystart) update(w *Window, a *Ack, delayMin des.Time) bool {
	if w.Cwnd < hystartLowWindow {
		return false
	}
	if a.Now-h.lastAck <= hystartAckDelta {
		h.lastAck = a.Now
		if a.Now-h.roundStart > trainLimit(w, delayMin) {
			h.found = true
		}
	}
	h.roundRTT = min(h.roundRTT, a.RTT)
	if h.samples < hystartSamples {
		h.samples++
	} else if h.roundRTT > delayMin+min(max(delayMin/8, hystartDelayMin), hystartDelayMax) {
		h.found = true
	}
	return h.found
}

// trainLimit is how long an ACK train lasts when it fills the pipe: half a
// round trip, or a whole one if the sender's pacing has stretched it.
func trainLimit(w *Window, delayMin des.Time) des.Time {
	cushion := hystartAckDelay
	if w.PacingRate > 0 {
		cushion = min(cushion, des.Time(4*gsoMaxSize*uint64(des.Second)/w.PacingRate))
	}
	limit := delayMin + cushion
	if !w.Paced {
		limit /= 2
	}
	return limit
}
