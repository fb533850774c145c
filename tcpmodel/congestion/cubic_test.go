package congestion

import (
	"math"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
)

func newTestCubic(t testing.TB, change func(*Options)) *cubic {
	t.Helper()
	o := DefaultOptions()
	if change != nil {
		change(&o)
	}
	c, err := NewWith("cubic", o)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*cubic)
}

func TestCubeRootIsExact(t *testing.T) {
	cubeAbove := func(x uint64, r uint32) bool {
		hi, lo := bits.Mul64(uint64(r)*uint64(r), uint64(r))
		return hi > 0 || lo > x
	}
	check := func(x uint64) bool { r := cubeRoot(x); return !cubeAbove(x, r) && cubeAbove(x, r+1) }
	for _, x := range []uint64{0, 1, 7, 8, 9, 26, 27, 63, 64, math.MaxUint32, math.MaxUint64} {
		if !check(x) {
			t.Errorf("root of %d is not %d", x, cubeRoot(x))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if x := rapid.Uint64().Draw(t, "x"); !check(x) {
			t.Errorf("root of %d is not %d", x, cubeRoot(x))
		}
	})
}

// RFC 9438 section 4.2, figures 1 and 2: W_cubic(t) = C (t - K)^3 + W_max and
// K = cbrt((W_max - cwnd_epoch) / C), with C = 410/1024. Whole segments and
// times in 1/1024 s: K may be one unit short, t one unit, the result one
// segment.
func TestCurveIsThatOfRFC9438(t *testing.T) {
	const c0 = 410.0 / 1024
	rapid.Check(t, func(t *rapid.T) {
		o := DefaultOptions()
		c := newCubic(o).(*cubic)
		c.wMax = rapid.Uint32Range(2, 1<<20).Draw(t, "wMax")
		cwnd := rapid.Uint32Range(1, 1<<20).Draw(t, "cwnd")
		at := rapid.Int64Range(0, int64(60*des.Second)).Draw(t, "t")
		c.startEpoch(cwnd, 1, 5*des.Second)

		wMax, k := float64(max(c.wMax, cwnd)), 0.0
		if c.wMax > cwnd {
			k = math.Cbrt(float64(c.wMax-cwnd) / c0)
		}
		const unit = 1.0 / 1024
		if got := float64(c.k) * unit; got > k+1e-4*k || got < k-unit-1e-4*k {
			t.Fatalf("K is %v, not %v", got, k)
		}
		x := float64(at)/1e9 - k
		want := wMax + c0*x*x*x
		slack := 1 + 3*c0*(math.Abs(x)+2*unit)*(math.Abs(x)+2*unit)*2*unit + 1e-3*math.Abs(want-wMax)
		if got := float64(c.curve(des.Time(at))); math.Abs(got-max(want, 0)) > slack {
			t.Fatalf("curve at %v is %v, not %v within %v", des.Time(at), got, want, slack)
		}
	})
}

// A curve that runs for years neither wraps nor leaves 32 bits.
func TestCurveGrowsForEver(t *testing.T) {
	for _, scale := range []uint32{1, 41, maxBicScale} {
		c := newTestCubic(t, func(o *Options) { o.BicScale = scale })
		c.wMax = 1 << 30
		c.startEpoch(1<<10, 1, 0)
		last := uint32(0)
		for at := des.Millisecond; at < 1<<60; at += at / 2 {
			w := c.curve(at)
			if w < last {
				t.Fatalf("scale %d: %d at %v after %d", scale, w, at, last)
			}
			last = w
		}
		if last <= c.wMax {
			t.Errorf("scale %d: %d at the end, not above the plateau", scale, last)
		}
	}
}

// RFC 9438 section 4.6: the window becomes beta times what it was.
// Section 4.7: a loss below the last maximum takes (1+beta)/2 of the window
// for the new one.
func TestCubicReductionAndFastConvergence(t *testing.T) {
	for _, test := range []struct {
		name                    string
		fast                    bool
		before, cwnd            uint32
		wantThreshold, wantWMax uint32
	}{
		{"first loss", true, 0, 1000, 700, 1000},
		{"above the last maximum", true, 900, 1000, 700, 1000},
		{"at the last maximum", true, 1000, 1000, 700, 1000},
		{"below the last maximum", true, 1100, 1000, 700, 850},
		{"below, switched off", false, 1100, 1000, 700, 1000},
		{"at least two", true, 0, 2, 2, 2},
		{"large", true, 0, 1 << 30, 717 << 20, 1 << 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newTestCubic(t, func(o *Options) { o.FastConvergence = test.fast })
			c.wMax = test.before
			if got := c.OnLoss(&Window{Cwnd: test.cwnd}, 0); got != test.wantThreshold {
				t.Errorf("threshold %d, not %d", got, test.wantThreshold)
			}
			if c.wMax != test.wantWMax {
				t.Errorf("wMax %d, not %d", c.wMax, test.wantWMax)
			}
		})
	}
}

// congested returns CUBIC just after a loss at a window of cwnd.
func congested(c *cubic, cwnd uint32, now des.Time) *Window {
	w := &Window{Cwnd: cwnd, Clamp: Infinite}
	w.Ssthresh = c.OnLoss(w, now)
	w.Cwnd = w.Ssthresh
	return w
}

// drive acknowledges one segment every rtt/cwnd from now until end.
func drive(c *cubic, w *Window, rtt, now, end des.Time) {
	for ; now < end; now += rtt / des.Time(w.Cwnd) {
		c.OnAck(w, &Ack{Now: now, Acked: 1, RTT: rtt, CwndLimited: true})
	}
}

// RFC 9438 sections 4.4 and 4.5: the window follows the curve through the
// concave and the convex region: it aims at the curve a round trip ahead and
// reaches for it over one, so that it is never above that nor below the curve
// a round trip ago, but for the two segments of whole numbers.
func TestWindowFollowsCurve(t *testing.T) {
	for _, rtt := range []des.Time{10 * des.Millisecond, 50 * des.Millisecond, 200 * des.Millisecond} {
		for _, wMax := range []uint32{100, 1000, 10000} {
			c := newTestCubic(t, func(o *Options) { o.TCPFriendliness = false })
			c.OnAck(&Window{Cwnd: 10, Ssthresh: 5, Clamp: Infinite}, &Ack{Now: 1, RTT: rtt})
			epoch := des.Second
			w := congested(c, wMax, epoch)
			k := math.Cbrt(float64(wMax-w.Cwnd) * 1024 / 410)
			curve := func(at des.Time) float64 {
				x := (at - epoch).Seconds() - k
				return float64(wMax) + 410.0/1024*x*x*x
			}
			end := epoch + des.Time(2*k*1e9)
			for now := epoch; now < end; now += end / 50 {
				drive(c, w, rtt, now, now+end/50)
				low, high := curve(now+end/50-rtt)-2, curve(now+end/50+rtt)+2
				if got := float64(w.Cwnd); now > epoch+rtt && (got < low || got > high) {
					t.Errorf("rtt %v, wMax %d, %v after the loss: window %v outside %.1f to %.1f",
						rtt, wMax, now+end/50-epoch, got, low, high)
				}
			}
		}
	}
}

// RFC 9438 section 4.3: W_est grows by alpha = 3 (1-beta)/(1+beta) segments
// per window acknowledged; 8/15 in integers. On a short path the window
// follows it, late by what it gains between two looks and one segment.
func TestRenoFriendlyWindow(t *testing.T) {
	const rtt = 5 * des.Millisecond
	for _, test := range []struct {
		name  string
		alpha bool
		// rate is the growth in segments per round trip below and above the
		// window at the loss.
		below, above float64
	}{
		{"linux", false, 8.0 / 15, 8.0 / 15},
		{"rfc 9438", true, 8.0 / 15, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newTestCubic(t, func(o *Options) { o.RenoAlpha = test.alpha })
			c.OnAck(&Window{Cwnd: 10, Ssthresh: 5, Clamp: Infinite}, &Ack{Now: 1, RTT: rtt})
			w := congested(c, 100, des.Second)
			start, rounds := w.Cwnd, 0.0
			for now := des.Second; w.Cwnd < 130; now += rtt {
				drive(c, w, rtt, now, now+rtt)
				rounds++
				toMax := float64(100-start) / test.below
				want := float64(start) + test.below*min(rounds, toMax) + test.above*max(rounds-toMax, 0)
				lag := test.above*float64(cubicMaxInterval/rtt) + 1
				if got := float64(w.Cwnd); got > want+1 || got < want-lag-0.01*want {
					t.Fatalf("after %v rounds: window %v, Reno would have %.1f (lag %.1f)", rounds, got, want, lag)
				}
			}
		})
	}
}

// Without a known maximum growth is at least 5 % per round trip, and it never
// exceeds half of the window.
func TestGrowthIsBounded(t *testing.T) {
	const rtt = 100 * des.Millisecond
	c, w := newTestCubic(t, nil), &Window{Cwnd: 100, Ssthresh: 50, Clamp: Infinite}
	for now := des.Second; now < 10*des.Second; now += rtt {
		before := w.Cwnd
		drive(c, w, rtt, now, now+rtt)
		if w.Cwnd < before+before/20-1 || w.Cwnd > before*27/16 {
			t.Errorf("%v: from %d to %d", now, before, w.Cwnd)
		}
	}
	w = congested(c, 1000, 10*des.Second)
	drive(c, w, rtt, 10*des.Second, 10*des.Second+rtt)
	w.Cwnd, w.Ssthresh = 100, 50
	c.OnAck(w, &Ack{Now: 60 * des.Second, Acked: 1, RTT: rtt, CwndLimited: true})
	if c.per != minPer {
		t.Errorf("a window far below the curve grows by one for %d segments, not %d", c.per, minPer)
	}
}

// RFC 9438 section 4.8: a time-out forgets the maximum.
func TestTimeoutResets(t *testing.T) {
	c := newTestCubic(t, nil)
	w := congested(c, 1000, des.Second)
	drive(c, w, 20*des.Millisecond, des.Second, 3*des.Second)
	w.Ssthresh = c.OnLoss(w, 3*des.Second)
	c.OnEvent(w, EventRTO, 3*des.Second)
	fresh := newTestCubic(t, nil)
	fresh.startRound(3 * des.Second)
	if *c != *fresh {
		t.Errorf("after a time-out %+v, not %+v", *c, *fresh)
	}
}

// RFC 9438 section 5.8: idle time does not move the window along the curve.
func TestEpochShiftsOverIdleTime(t *testing.T) {
	const rtt = 50 * des.Millisecond
	run := func(idle des.Time) uint32 {
		c := newTestCubic(t, nil)
		w := congested(c, 1000, des.Second)
		drive(c, w, rtt, des.Second, 3*des.Second)
		w.LastSent = 3 * des.Second
		c.OnEvent(w, EventRestart, w.LastSent+idle)
		drive(c, w, rtt, 3*des.Second+idle, 4*des.Second+idle)
		return w.Cwnd
	}
	if a, b := run(0), run(60*des.Second); a != b {
		t.Errorf("window %d without and %d with an idle minute", a, b)
	}
	c := newTestCubic(t, nil)
	w := congested(c, 1000, des.Second)
	drive(c, w, rtt, des.Second, 2*des.Second)
	before := c.epoch
	c.OnEvent(w, EventRestart, 10*des.Second)
	if c.epoch != before {
		t.Error("the epoch moves although it is not known when data were last sent")
	}
	w.LastSent = des.Millisecond
	c.OnEvent(w, EventRestart, 10*des.Second)
	if c.epoch != 10*des.Second {
		t.Errorf("the epoch begins in the future, at %v", c.epoch)
	}
}

// The least round-trip time leaves out the first second of an epoch.
func TestDelayMin(t *testing.T) {
	c := newTestCubic(t, nil)
	w := &Window{Cwnd: 10, Ssthresh: 5, Clamp: Infinite}
	for _, step := range []struct{ now, rtt, want des.Time }{
		{des.Second, 0, 0},
		{des.Second, 50 * des.Millisecond, 50 * des.Millisecond},
		{des.Second, 40 * des.Millisecond, 40 * des.Millisecond},
		{1500 * des.Millisecond, 60 * des.Millisecond, 40 * des.Millisecond},
	} {
		c.OnAck(w, &Ack{Now: step.now, RTT: step.rtt, Acked: 1})
		if c.delayMin != step.want {
			t.Errorf("%v: %v, not %v", step.now, c.delayMin, step.want)
		}
	}
	c.OnAck(w, &Ack{Now: 2 * des.Second, Acked: 1, CwndLimited: true})
	for _, step := range []struct{ now, want des.Time }{
		{2999 * des.Millisecond, 40 * des.Millisecond},
		{3 * des.Second, 30 * des.Millisecond},
	} {
		c.OnAck(w, &Ack{Now: step.now, RTT: 30 * des.Millisecond, Acked: 1})
		if c.delayMin != step.want {
			t.Errorf("%v: %v, not %v", step.now, c.delayMin, step.want)
		}
	}
}

// Whatever comes, a window stays between 1 and its clamp and shrinks only in
// OnLoss.
func TestCubicWindowStaysSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCubic(DefaultOptions())
		w := &Window{Cwnd: 10, Ssthresh: Infinite, Clamp: rapid.Uint32Range(10, Infinite).Draw(t, "clamp")}
		now := des.Time(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += des.Time(rapid.Int64Range(0, int64(10*des.Second)).Draw(t, "gap"))
			before := w.Cwnd
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				w.Ssthresh = c.OnLoss(w, now)
				if w.Ssthresh > max(before, 2) || w.Ssthresh < 2 {
					t.Fatalf("threshold %d for window %d", w.Ssthresh, before)
				}
				w.Cwnd = min(w.Cwnd, w.Ssthresh)
			case 1:
				w.Ssthresh = c.OnLoss(w, now)
				w.Cwnd = 1
				c.OnEvent(w, EventRTO, now)
			case 2:
				c.OnEvent(w, EventRestart, now)
			default:
				c.OnAck(w, &Ack{
					Now: now, Acked: rapid.Uint32Range(0, 100).Draw(t, "acked"),
					RTT:         des.Time(rapid.Int64Range(0, int64(des.Second)).Draw(t, "rtt")),
					CwndLimited: rapid.Bool().Draw(t, "limited"), RoundStart: rapid.Bool().Draw(t, "round"),
				})
				if w.Cwnd < before || w.Cwnd > w.Clamp {
					t.Fatalf("window from %d to %d, clamp %d", before, w.Cwnd, w.Clamp)
				}
			}
			w.LastSent = now
		}
	})
}
