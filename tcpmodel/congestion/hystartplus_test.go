package congestion

import (
	"strings"
	"testing"

	"tcplab/des"
)

// plusRig is a controller with HyStart++ in its first slow start, fed round by
// round.
type plusRig struct {
	c   Controller
	w   *Window
	now des.Time
}

// eachPlus runs f for every controller with HyStart++.
func eachPlus(t *testing.T, f func(t *testing.T, r *plusRig)) {
	for _, name := range []string{"cubic", "reno"} {
		t.Run(name, func(t *testing.T) {
			o := DefaultOptions()
			o.HyStart = HyStartPlus
			c, err := NewWith(name, o)
			if err != nil {
				t.Fatal(err)
			}
			r := &plusRig{c: c, w: &Window{Cwnd: 10, Ssthresh: Infinite, Clamp: Infinite}, now: des.Second}
			c.OnEvent(r.w, EventStart, 0)
			f(t, r)
		})
	}
}

// round acknowledges the whole window, each segment of it on its own, with
// these round-trip times, the last for all that follow.
func (r *plusRig) round(rtts ...des.Time) {
	start := r.now
	for i, n := 0, int(r.w.Cwnd); i < n; i++ {
		rtt := rtts[min(i, len(rtts)-1)]
		r.c.OnAck(r.w, &Ack{Now: r.now, Acked: 1, RTT: rtt, CwndLimited: true, RoundStart: i == 0})
		r.now += 50 * des.Microsecond
	}
	r.now = max(r.now, start+rtts[len(rtts)-1])
}

// RttThresh of RFC 9406 section 4.2; the rows A-HSPP-10 to -200 of the tcplab
// validation set are among them.
func TestPlusThresh(t *testing.T) {
	for _, test := range []struct{ last, want des.Time }{
		{ms, 4 * ms}, {10 * ms, 4 * ms}, {32 * ms, 4 * ms}, {40 * ms, 5 * ms}, {100 * ms, 12*ms + ms/2},
		{128 * ms, 16 * ms}, {200 * ms, 16 * ms}, {des.Second, 16 * ms},
	} {
		if got := plusThresh(test.last); got != test.want {
			t.Errorf("last round %v: %v, want %v", test.last, got, test.want)
		}
	}
}

// As long as the delay does not rise by RttThresh from one round to the next,
// the window doubles.
func TestPlusDoubles(t *testing.T) {
	eachPlus(t, func(t *testing.T, r *plusRig) {
		want := uint32(10)
		for i := range des.Time(8) {
			// 12.5 ms is the threshold; 12 ms more each round passes.
			r.round(100*ms + i*12*ms)
			if want *= 2; r.w.Cwnd != want || r.w.Ssthresh != Infinite {
				t.Fatalf("after round %d window %d, threshold %d", i+1, r.w.Cwnd, r.w.Ssthresh)
			}
		}
	})
}

// The eighth sample of a round whose least is RttThresh above that of the round
// before begins conservative slow start: a quarter of the growth, for that round
// and four more; then congestion avoidance with the window reached.
func TestPlusConservative(t *testing.T) {
	eachPlus(t, func(t *testing.T, r *plusRig) {
		for range 4 {
			r.round(100 * ms)
		}
		if r.w.Cwnd != 160 {
			t.Fatalf("window %d", r.w.Cwnd)
		}
		// Eight segments as before, 152 quarters.
		r.round(112*ms + ms/2)
		want := uint32(160 + 8 + 152/4)
		if r.w.Cwnd != want {
			t.Fatalf("after the first round of CSS window %d, want %d", r.w.Cwnd, want)
		}
		rest := uint32(0)
		for i := range 4 {
			before := r.w.Cwnd
			r.round(120 * ms)
			rest += before
			want += rest / 4
			rest %= 4
			// A-HSPP-css: a round of CSS grows by a quarter.
			if r.w.Cwnd != want || r.w.Ssthresh != Infinite {
				t.Fatalf("round %d of CSS: window %d, want %d, threshold %d", i+2, r.w.Cwnd, want, r.w.Ssthresh)
			}
		}
		r.c.OnAck(r.w, &Ack{Now: r.now, Acked: 1, RTT: 120 * ms, CwndLimited: true, RoundStart: true})
		if r.w.Ssthresh != want || r.w.Cwnd != want {
			t.Errorf("after five rounds window %d, threshold %d, want %d", r.w.Cwnd, r.w.Ssthresh, want)
		}
	})
}

// Jitter: a round of CSS whose least round-trip time is below the one with
// which CSS began takes it back, and slow start goes on, watching again.
func TestPlusResumes(t *testing.T) {
	eachPlus(t, func(t *testing.T, r *plusRig) {
		r.round(100 * ms)
		r.round(120 * ms)
		if r.w.Cwnd != 20+8+12/4 {
			t.Fatalf("window %d in CSS", r.w.Cwnd)
		}
		// The eighth sample of this round shows that the delay is back: seven
		// quarters and three quarters before it, the rest whole.
		r.round(100 * ms)
		if want := uint32(31 + 8/4 + 23); r.w.Cwnd != want {
			t.Fatalf("window %d, want %d", r.w.Cwnd, want)
		}
		before := r.w.Cwnd
		r.round(100 * ms)
		if r.w.Cwnd != 2*before {
			t.Errorf("window %d after %d", r.w.Cwnd, before)
		}
		before = r.w.Cwnd
		r.round(130 * ms)
		if want := before + 8 + (before-8)/4; r.w.Cwnd != want {
			t.Errorf("the next rise: window %d, want %d", r.w.Cwnd, want)
		}
	})
}

// Seven samples are too few, and one short round-trip time among the samples
// of a round is enough to go on.
func TestPlusSamples(t *testing.T) {
	eachPlus(t, func(t *testing.T, r *plusRig) {
		r.w.Cwnd = 7
		r.round(100 * ms)
		r.w.Cwnd = 7
		r.round(150 * ms)
		if r.w.Cwnd != 14 {
			t.Errorf("after seven samples window %d", r.w.Cwnd)
		}
		r.round(151*ms, 400*ms)
		if r.w.Cwnd != 28 {
			t.Errorf("with one short round trip window %d", r.w.Cwnd)
		}
	})
}

// L: an ACK grows the window by eight segments at most, unless the sender
// paces. Without the window in use nothing grows.
func TestPlusLimit(t *testing.T) {
	eachPlus(t, func(t *testing.T, r *plusRig) {
		a := &Ack{Now: r.now, Acked: 20, RTT: 100 * ms, CwndLimited: true}
		r.c.OnAck(r.w, a)
		if r.w.Cwnd != 18 {
			t.Errorf("window %d", r.w.Cwnd)
		}
		r.w.Paced = true
		r.c.OnAck(r.w, a)
		if r.w.Cwnd != 38 {
			t.Errorf("paced: window %d", r.w.Cwnd)
		}
		a.CwndLimited = false
		r.c.OnAck(r.w, a)
		if r.w.Cwnd != 38 {
			t.Errorf("not in use: window %d", r.w.Cwnd)
		}
	})
}

// Only the first slow start has it: after a loss and a time-out the window
// grows to the threshold whatever the delay does. A new connection begins anew.
func TestPlusFirstSlowStartOnly(t *testing.T) {
	eachPlus(t, func(t *testing.T, r *plusRig) {
		r.round(100 * ms)
		r.round(130 * ms)
		r.w.Ssthresh = r.c.OnLoss(r.w, r.now)
		r.c.OnEvent(r.w, EventRTO, r.now)
		r.w.Cwnd, r.w.Ssthresh = 10, 40
		r.round(100 * ms)
		r.round(200 * ms)
		if r.w.Cwnd != 40 {
			t.Errorf("window %d, want the threshold", r.w.Cwnd)
		}
		r.c.OnEvent(r.w, EventStart, r.now)
		r.w.Cwnd, r.w.Ssthresh = 10, Infinite
		r.round(300 * ms)
		r.round(300 * ms)
		if r.w.Cwnd != 40 || r.w.Ssthresh != Infinite {
			t.Errorf("a new connection: window %d, threshold %d", r.w.Cwnd, r.w.Ssthresh)
		}
	})
}

func TestHyStartWords(t *testing.T) {
	for i, name := range HyStartNames() {
		if HyStart(i).String() != name {
			t.Errorf("%d is %v, not %s", i, HyStart(i), name)
		}
	}
	o := DefaultOptions()
	o.HyStart = numHyStarts
	if _, err := NewWith("reno", o); err == nil || !strings.Contains(err.Error(), "off, classic, plusplus") || !strings.HasPrefix(numHyStarts.String(), "HyStart(") {
		t.Errorf("%v", err)
	}
}

func TestPlusDoesNotAllocate(t *testing.T) {
	eachPlus(t, func(t *testing.T, r *plusRig) {
		a := &Ack{Acked: 1, CwndLimited: true}
		if n := testing.AllocsPerRun(3, func() {
			r.c.OnEvent(r.w, EventStart, r.now)
			r.w.Cwnd, r.w.Ssthresh = 10, Infinite
			for i := range 2000 {
				a.Now, a.RTT, a.RoundStart = r.now, des.Time(100+i/10)*ms, i%100 == 0
				r.c.OnAck(r.w, a)
				r.now += ms
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
