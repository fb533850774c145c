package tcpmodel

import (
	"sort"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/congestion"
)

// secondRound returns the windows before and after a second round of a first
// slow start with HyStart++, in which the round-trip time is base + rise, and
// after a third.
func secondRound(t *testing.T, cwnd uint32, base, rise des.Time) (before, after, third uint32) {
	t.Helper()
	cfg := linux
	cfg.HyStart = congestion.HyStartPlus
	c, err := cfg.controller("reno")
	if err != nil {
		t.Fatal(err)
	}
	w := &congestion.Window{Cwnd: cwnd, Ssthresh: congestion.Infinite, Clamp: congestion.Infinite}
	c.OnEvent(w, congestion.EventStart, 0)
	now := des.Second
	round := func(rtt des.Time) {
		for i := range w.Cwnd {
			c.OnAck(w, &congestion.Ack{Now: now, Acked: 1, RTT: rtt, CwndLimited: true, RoundStart: i == 0})
		}
		now += rtt
	}
	round(base)
	before = w.Cwnd
	round(base + rise)
	after = w.Cwnd
	round(base + rise)
	return before, after, w.Cwnd
}

// rowRttThresh: the least rise, to the nanosecond, that ends the doubling.
func rowRttThresh(t *testing.T, r ValidationRow) {
	base := des.Time(r.Number(t, "last_round_min_rtt_ms") * float64(ms))
	rise := sort.Search(int(des.Second), func(rise int) bool {
		before, after, _ := secondRound(t, 100, base, des.Time(rise))
		return after < 2*before
	})
	r.Check(t, float64(rise)/float64(ms), 0)
}

// rowConservative: the growth in a whole round of conservative slow start.
func rowConservative(t *testing.T, r ValidationRow) {
	_, after, third := secondRound(t, 10000, 100*ms, 50*ms)
	r.Check(t, float64(third)/float64(after), 0)
}
