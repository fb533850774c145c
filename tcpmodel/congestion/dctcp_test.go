package congestion

import (
	"math"
	"testing"
)

// The mean of the fraction of marked segments, by hand: alpha*(1-1/16) + F/16 in
// units of 1/1024, rounded as integers are.
func TestDCTCPAlpha(t *testing.T) {
	for _, c := range []struct {
		name              string
		alpha             uint32
		delivered, marked uint32
		want              uint32
	}{
		{"nothing marked", 1024, 100, 0, 960},
		{"nothing marked later", 960, 100, 0, 900},
		{"all marked", 1024, 100, 100, 1024},
		{"all marked from nothing", 0, 100, 100, 64},
		{"a tenth marked", 512, 100, 10, 512 - 32 + 6},
		{"the smallest value that shifts", 16, 10, 0, 15},
		{"the rest goes at once", 15, 10, 0, 0},
		{"nothing delivered", 320, 0, 0, 300},
	} {
		d := &dctcp{alpha: c.alpha}
		// Spread over three ACKs, of which the last ends the window.
		d.OnDelivered(c.marked, true, false)
		d.OnDelivered(c.delivered-c.marked, false, false)
		d.OnDelivered(0, false, true)
		if d.alpha != c.want || d.delivered != 0 || d.marked != 0 {
			t.Errorf("%s: alpha %d, %d of %d left over; want %d, none", c.name, d.alpha, d.marked, d.delivered, c.want)
		}
	}
}

// Under constant F alpha settles at F, to the part of 1024 that the shift loses.
func TestDCTCPAlphaSettles(t *testing.T) {
	for _, percent := range []uint32{5, 10, 50, 90} {
		d := &dctcp{alpha: dctcpOne}
		for range 500 {
			d.OnDelivered(percent, true, false)
			d.OnDelivered(100-percent, false, true)
		}
		if got := float64(d.alpha) / dctcpOne; math.Abs(got-float64(percent)/100) > 16./dctcpOne {
			t.Errorf("%d %% marked: alpha settles at %.4f", percent, got)
		}
	}
}

// Marks reduce the window by half of alpha, losses halve it.
func TestDCTCPReductions(t *testing.T) {
	for _, c := range []struct{ cwnd, alpha, marks, loss uint32 }{
		{100, 1024, 50, 50}, {100, 512, 75, 50}, {100, 102, 96, 50}, {100, 0, 100, 50}, {3, 1024, 2, 2}, {2, 1024, 2, 2}, {1 << 22, 1024, 1 << 21, 1 << 21},
	} {
		d, w := &dctcp{alpha: c.alpha}, &Window{Cwnd: c.cwnd, Ssthresh: Infinite, Clamp: Infinite}
		if w.Ssthresh = d.OnLoss(w, 0); w.Ssthresh != c.marks {
			t.Errorf("%+v: marks set the threshold to %d", c, w.Ssthresh)
		}
		for _, e := range []Event{EventRecovery, EventRTO} {
			w.Ssthresh = c.marks
			if d.OnEvent(w, e, 0); w.Ssthresh != c.loss || w.Cwnd != c.cwnd {
				t.Errorf("%+v: event %d sets the threshold to %d", c, e, w.Ssthresh)
			}
		}
		d.OnEvent(w, EventStart, 0)
		if *d != (dctcp{alpha: dctcpOne}) {
			t.Errorf("%+v: after a new start %+v", c, d)
		}
	}
}

func TestReadsMarks(t *testing.T) {
	for _, name := range Names() {
		if got, want := ReadsMarks(name), name == "dctcp"; got != want {
			t.Errorf("%s reads marks: %v", name, got)
		}
	}
	if ReadsMarks("vegas") {
		t.Error("an unknown name reads marks")
	}
}
