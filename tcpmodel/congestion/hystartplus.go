package congestion

import (
	"fmt"
	"slices"
	"strings"

	"tcplab/des"
)

// HyStart is how slow start ends before the first loss.
type HyStart uint8

// The choices of HyStart.
const (
	// HyStartOff: it does not.
	HyStartOff HyStart = iota
	// HyStartClassic is that of Linux's CUBIC (Ha and Rhee 2008): by the
	// length of ACK trains and by the delay. Reno has none.
	HyStartClassic
	// HyStartPlus is HyStart++ (RFC 9406): by the delay, and by way of a
	// slower slow start that may be taken back.
	HyStartPlus
	numHyStarts
)

var hystartNames = [numHyStarts]string{"off", "classic", "plusplus"}

// String returns the word for h: off, classic or plusplus.
func (h HyStart) String() string {
	if h < numHyStarts {
		return hystartNames[h]
	}
	return fmt.Sprintf("HyStart(%d)", uint8(h))
}

// HyStartNames returns the words for the choices, in their order.
func HyStartNames() []string { return slices.Clone(hystartNames[:]) }

// validate reports a choice that there is not.
func (h HyStart) validate() error {
	if h < numHyStarts {
		return nil
	}
	return fmt.Errorf("hystart %d is none of %s", uint8(h), strings.Join(hystartNames[:], ", "))
}

// The constants of RFC 9406 section 4.3. plusLimit is its L, in segments, of a
// sender that does not pace; one that does has no limit.
const (
	plusThreshMin  = 4 * des.Millisecond
	plusThreshMax  = 16 * des.Millisecond
	plusDivisor    = 8
	plusSamples    = 8
	plusCSSDivisor = 4
	plusCSSRounds  = 5
	plusLimit      = 8
)

// hystartPlus is HyStart++ (RFC 9406 section 4.2). When the least round-trip
// time of a round has risen over that of the round before, it goes over to
// conservative slow start (CSS), which grows by a quarter; if the rise turns
// out to have been jitter, back to slow start; after five rounds of CSS, to
// congestion avoidance.
type hystartPlus struct {
	// last and current are the least round-trip times of the last and of this
	// round, Never if there is none; samples counts those of this round.
	last, current des.Time
	samples       uint32
	// baseline is the least round-trip time with which CSS began.
	baseline des.Time
	css      bool
	// rounds is how many rounds of CSS are over, the one in which it began
	// among them; rest what CSS owes to the window, in quarters of a segment.
	rounds, rest uint32
}

// reset prepares for the first slow start of a connection.
func (h *hystartPlus) reset() {
	*h = hystartPlus{last: des.Never, current: des.Never, baseline: des.Never}
}

// applies reports whether w is in the first slow start: RFC 9406 section 4.3
// would have HyStart++ in no other.
func (h *hystartPlus) applies(w *Window) bool { return w.Ssthresh >= Infinite }

// onAck grows w by a in the first slow start, and ends it.
func (h *hystartPlus) onAck(w *Window, a *Ack) {
	if a.RoundStart && h.newRound() {
		w.Ssthresh = w.Cwnd
		return
	}
	if a.CwndLimited {
		h.grow(w, a.Acked)
	}
	if a.RTT > 0 {
		h.current = min(h.current, a.RTT)
		h.samples++
		h.judge()
	}
}

// newRound begins a round and reports whether CSS is over with the last one.
func (h *hystartPlus) newRound() bool {
	h.last, h.current, h.samples = h.current, des.Never, 0
	if h.css {
		h.rounds++
	}
	return h.rounds >= plusCSSRounds
}

func (h *hystartPlus) grow(w *Window, acked uint32) {
	if !w.Paced {
		acked = min(acked, plusLimit)
	}
	if h.css {
		h.rest += acked
		acked = h.rest / plusCSSDivisor
		h.rest %= plusCSSDivisor
	}
	w.GrowSlowStart(acked)
}

// judge goes over to CSS and back, by what the round-trip times of this round
// say so far.
func (h *hystartPlus) judge() {
	switch {
	case h.samples < plusSamples:
	case h.css:
		if h.current < h.baseline {
			h.css, h.rounds, h.rest, h.baseline = false, 0, 0, des.Never
		}
	case h.last != des.Never && h.current >= h.last+plusThresh(h.last):
		h.css, h.baseline = true, h.current
	}
}

// plusThresh is RttThresh: how far a round-trip time of last must rise.
func plusThresh(last des.Time) des.Time {
	return max(plusThreshMin, min(last/plusDivisor, plusThreshMax))
}
