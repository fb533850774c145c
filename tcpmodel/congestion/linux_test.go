package congestion

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"tcplab/des"
)

// sample is one reading of a kernel's TCP_INFO.
type sample struct {
	at, rtt        des.Time
	open           bool
	cwnd, ssthresh uint32
}

func samples(t *testing.T, path string) []sample {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	integer := func(s string) uint32 {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(n)
	}
	var all []sample
	for _, l := range lines[1:] {
		all = append(all, sample{
			at: seconds(number(t, l[0]) / 1000), rtt: des.Time(integer(l[4])) * des.Microsecond,
			open: l[1] == "Open", cwnd: integer(l[2]), ssthresh: integer(l[3]),
		})
	}
	return all
}

// grow acknowledges windows of segments until the time of the next sample;
// spacing is that of the bottleneck.
func grow(c Controller, w *Window, from, to sample, spacing des.Time) {
	a := Ack{Acked: 1, RTT: to.rtt, CwndLimited: true}
	for now := from.at; now < to.at; now += max(to.rtt/des.Time(w.Cwnd), spacing) {
		a.Now = now
		c.OnAck(w, &a)
	}
}

// The window of a real kernel's sender, read every 50 or 100 ms, against the
// controller, which is told of the losses and of the smoothed round-trip
// times. What the readings tell only to within an interval is taken from them:
// the window at a loss (the one whose reduction gives the kernel's threshold)
// and the window at the first reading after recovery. From there to the next
// loss, up to five seconds, every reading must be within two segments: one for
// rounding, one for the round trip by which the start is uncertain.
func TestWindowOfLinux(t *testing.T) {
	for _, test := range []struct {
		file, algorithm string
		minRTT, spacing des.Time
		compared        int
	}{
		{"linux_cubic_p0.001.csv", "cubic", 50200 * des.Microsecond, 0, 131},
		{"linux_cubic_20mbit_q50.csv", "cubic", 40700 * des.Microsecond, 600 * des.Microsecond, 157},
		{"linux_reno_p0.001.csv", "reno", 50200 * des.Microsecond, 0, 132},
	} {
		t.Run(test.file, func(t *testing.T) {
			all := samples(t, "testdata/"+test.file)
			c, err := New(test.algorithm)
			if err != nil {
				t.Fatal(err)
			}
			w := &Window{Cwnd: all[0].cwnd, Ssthresh: Infinite, Clamp: Infinite}
			c.OnEvent(w, EventStart, 0)
			c.OnAck(w, &Ack{Now: 1, RTT: test.minRTT})
			recovering, losses, compared := true, 0, 0
			for i, s := range all[1:] {
				before := all[i]
				switch {
				case s.ssthresh == Infinite:
					continue
				case before.ssthresh == Infinite && s.open:
					// HyStart has ended slow start.
					w.Ssthresh = s.ssthresh
				case s.ssthresh != before.ssthresh, !recovering && s.cwnd < before.cwnd:
					w.Cwnd = windowAtLoss(t, c, w, s)
					w.Ssthresh = c.OnLoss(w, s.at)
					recovering = true
					losses++
				case !recovering:
					grow(c, w, before, s, test.spacing)
					if s.open {
						compared++
						if d := int(w.Cwnd) - int(s.cwnd); d < -2 || d > 2 {
							t.Errorf("%v: window %d, Linux has %d", s.at, w.Cwnd, s.cwnd)
						}
					}
				}
				if recovering && s.open {
					w.Cwnd, recovering = s.cwnd, false
				}
			}
			t.Logf("%d losses, %d readings compared", losses, compared)
			if compared != test.compared {
				t.Errorf("%d readings compared, not %d", compared, test.compared)
			}
		})
	}
}

// windowAtLoss returns the window that the reduction to s's threshold began
// with: the one closest to the model's.
func windowAtLoss(t *testing.T, c Controller, w *Window, s sample) uint32 {
	t.Helper()
	model := w.Cwnd
	best, found := uint32(0), false
	for cwnd := s.ssthresh; cwnd <= 2*s.ssthresh+1; cwnd++ {
		var reduced uint32
		switch c := c.(type) {
		case *cubic:
			trial := *c
			reduced = trial.OnLoss(&Window{Cwnd: cwnd}, s.at)
		default:
			reduced = c.OnLoss(&Window{Cwnd: cwnd}, s.at)
		}
		if reduced == s.ssthresh && (!found || diff(cwnd, model) < diff(best, model)) {
			best, found = cwnd, true
		}
	}
	if !found {
		t.Fatalf("%v: no window is reduced to %d", s.at, s.ssthresh)
	}
	return best
}

func diff(a, b uint32) uint32 { return max(a, b) - min(a, b) }
