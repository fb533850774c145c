package congestion

import (
	"testing"

	"tcplab/des"
)

func newTest(t testing.TB, name string) Controller {
	t.Helper()
	c, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// RFC 5681 section 3.1: during slow start cwnd grows by at most SMSS for each
// SMSS acknowledged, so it doubles each round trip.
func TestRenoSlowStartDoublesEachRound(t *testing.T) {
	c, w := newTest(t, "reno"), &Window{Cwnd: 10, Ssthresh: Infinite, Clamp: Infinite}
	for round := range 5 {
		want := 2 * w.Cwnd
		for range w.Cwnd {
			c.OnAck(w, &Ack{Acked: 1, CwndLimited: true})
		}
		if w.Cwnd != want {
			t.Errorf("round %d: window %d, not %d", round, w.Cwnd, want)
		}
	}
}

// RFC 5681 section 3.1: slow start is used while cwnd is below ssthresh; what
// an ACK acknowledges beyond it counts for congestion avoidance.
func TestRenoSlowStartEndsAtThreshold(t *testing.T) {
	for _, test := range []struct {
		name                  string
		cwnd, ssthresh, acked uint32
		wantCwnd, wantCount   uint32
	}{
		{"below", 10, 20, 9, 19, 0},
		{"reaches", 10, 20, 10, 20, 0},
		{"crosses", 10, 20, 13, 20, 3},
		{"at", 20, 20, 5, 20, 5},
		{"crosses far", 10, 20, 35, 21, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &Window{Cwnd: test.cwnd, Ssthresh: test.ssthresh, Clamp: Infinite}
			newTest(t, "reno").OnAck(w, &Ack{Acked: test.acked, CwndLimited: true})
			if w.Cwnd != test.wantCwnd || w.Count != test.wantCount {
				t.Errorf("window %d and %d/cwnd, not %d and %d", w.Cwnd, w.Count, test.wantCwnd, test.wantCount)
			}
		})
	}
}

// RFC 5681 section 3.1: in congestion avoidance cwnd grows by one segment per
// round trip, whether each segment or each second one is acknowledged.
func TestRenoAddsOneSegmentPerRound(t *testing.T) {
	for _, per := range []uint32{1, 2} {
		c, w := newTest(t, "reno"), &Window{Cwnd: 10, Ssthresh: 10, Clamp: Infinite}
		acked := uint32(0)
		for target := uint32(11); target <= 100; target++ {
			for ; w.Cwnd < target; acked += per {
				c.OnAck(w, &Ack{Acked: per, CwndLimited: true})
			}
		}
		// Windows 10 to 99, once each, and at most one ACK's worth more.
		if want := uint32((10 + 99) * 90 / 2); acked < want || acked > want+per {
			t.Errorf("%d segments acknowledged from 10 to 100, not %d", acked, want)
		}
	}
}

// RFC 5681 equation 4: ssthresh is half of the flight, at least two segments.
func TestRenoHalvesOnLoss(t *testing.T) {
	for _, test := range []struct{ cwnd, want uint32 }{{100, 50}, {11, 5}, {5, 2}, {4, 2}, {3, 2}, {1, 2}} {
		if got := newTest(t, "reno").OnLoss(&Window{Cwnd: test.cwnd}, 0); got != test.want {
			t.Errorf("threshold %d for window %d, not %d", got, test.cwnd, test.want)
		}
	}
}

func TestEveryController(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Run("window unused stays", func(t *testing.T) {
				c, w := newTest(t, name), &Window{Cwnd: 10, Ssthresh: 20, Clamp: Infinite}
				c.OnAck(w, &Ack{Now: des.Second, Acked: 10, RTT: des.Millisecond})
				if w.Cwnd != 10 || w.Count != 0 {
					t.Errorf("window %d, count %d", w.Cwnd, w.Count)
				}
			})
			t.Run("clamp holds", func(t *testing.T) {
				for _, ssthresh := range []uint32{5, Infinite} {
					c, w := newTest(t, name), &Window{Cwnd: 10, Ssthresh: ssthresh, Clamp: 12}
					for i := range des.Time(1000) {
						c.OnAck(w, &Ack{Now: i * des.Millisecond, Acked: 1, RTT: 10 * des.Millisecond, CwndLimited: true})
						if w.Cwnd > 12 {
							t.Fatalf("window %d", w.Cwnd)
						}
					}
				}
			})
			t.Run("undo goes back to the window before", func(t *testing.T) {
				c, w := newTest(t, name), &Window{Cwnd: 100, Ssthresh: 50, Clamp: Infinite}
				w.Ssthresh = c.OnLoss(w, des.Second)
				w.Cwnd = w.Ssthresh
				if got := c.OnUndo(w, 100); got != 100 {
					t.Errorf("window %d", got)
				}
				w.Cwnd = 120
				if got := c.OnUndo(w, 100); got != 120 {
					t.Errorf("window %d", got)
				}
			})
		})
	}
}

func TestNewErrors(t *testing.T) {
	bad := DefaultOptions()
	bad.Beta = 1024
	none := DefaultOptions()
	none.BicScale = 0
	for _, test := range []struct {
		name string
		o    Options
		want string
	}{
		{"vegas", DefaultOptions(), `unknown congestion control "vegas" (have cubic, dctcp, reno, scalable)`},
		{"cubic", bad, "beta 1024 is outside 1 to 1023 (units of 1/1024; start from DefaultOptions)"},
		{"cubic", none, "bic_scale 0 is outside 1 to 4096 (start from DefaultOptions)"},
	} {
		if _, err := NewWith(test.name, test.o); err == nil || err.Error() != test.want {
			t.Errorf("%v, not %q", err, test.want)
		}
	}
}
