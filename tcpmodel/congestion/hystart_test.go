package congestion

import (
	"testing"

	"tcplab/des"
)

const ms = des.Millisecond

// round acknowledges n segments from now on, one each gap, with round-trip
// time rtt, and returns when HyStart ended slow start, or Never.
func round(c *cubic, w *Window, now, gap, rtt des.Time, n int) des.Time {
	for i := range n {
		c.OnAck(w, &Ack{Now: now, Acked: 1, RTT: rtt, CwndLimited: true, RoundStart: i == 0})
		if w.Ssthresh != Infinite {
			return now
		}
		now += gap
	}
	return des.Never
}

func slowStart(t *testing.T, cwnd uint32) (*cubic, *Window) {
	c, w := newTestCubic(t, nil), &Window{Cwnd: cwnd, Ssthresh: Infinite, Clamp: Infinite}
	c.OnEvent(w, EventStart, 0)
	return c, w
}

// The delay has risen by max(4 ms, min(RTT/8, 16 ms)) over the least one: the
// ninth sample of a round ends slow start. The ACKs are too far apart for a
// train.
func TestHyStartDelayIncrease(t *testing.T) {
	for _, test := range []struct {
		name      string
		base, rtt des.Time
		exits     bool
	}{
		{"RTT/8, not more", 80 * ms, 90 * ms, false},
		{"RTT/8", 80 * ms, 90*ms + 1, true},
		{"4 ms at least, not more", 10 * ms, 14 * ms, false},
		{"4 ms at least", 10 * ms, 14*ms + 1, true},
		{"16 ms at most, not more", 300 * ms, 316 * ms, false},
		{"16 ms at most", 300 * ms, 316*ms + 1, true},
		{"shorter", 80 * ms, 70 * ms, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, w := slowStart(t, 20)
			if at := round(c, w, des.Second, 3*ms, test.base, 20); at != des.Never {
				t.Fatalf("the first round ended slow start at %v", at)
			}
			want := des.Never
			if test.exits {
				want = 2*des.Second + hystartSamples*3*ms
			}
			if at := round(c, w, 2*des.Second, 3*ms, test.rtt, 20); at != want {
				t.Errorf("slow start ended at %v, not %v", at, want)
			}
		})
	}
}

// One short round trip in a round is enough to go on: the least one counts.
func TestHyStartTakesLeastDelayOfRound(t *testing.T) {
	c, w := slowStart(t, 20)
	round(c, w, des.Second, 3*ms, 80*ms, 10)
	round(c, w, 2*des.Second, 3*ms, 80*ms, 1)
	for i := range des.Time(20) {
		c.OnAck(w, &Ack{Now: 2*des.Second + 3*ms*i, Acked: 1, RTT: 200 * ms, CwndLimited: true})
	}
	if w.Ssthresh != Infinite {
		t.Errorf("slow start ended at %d", w.Ssthresh)
	}
	if round(c, w, 3*des.Second, 3*ms, 200*ms, 9) == des.Never {
		t.Error("slow start goes on in the next round")
	}
}

// Closely spaced ACKs that last longer than half of the least round-trip time,
// with 1 ms for aggregation, end slow start; a gap of more than 2 ms ends the
// train instead.
func TestHyStartAckTrain(t *testing.T) {
	const rtt = 100 * ms
	for _, test := range []struct {
		name string
		gap  des.Time
		rate uint64
		pace bool
		want des.Time
	}{
		{"half a round trip", ms, 0, false, 51 * ms},
		{"2 ms apart", 2 * ms, 0, false, 52 * ms},
		{"more than 2 ms apart", 2*ms + 1, 0, false, des.Never},
		{"paced", ms, 0, true, 102 * ms},
		{"1 GB/s aggregate less", 100 * des.Microsecond, 1e9, false, 50200 * des.Microsecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, w := slowStart(t, 20)
			w.PacingRate, w.Paced = test.rate, test.pace
			want := test.want
			if want != des.Never {
				want += des.Second
			}
			at := round(c, w, des.Second, test.gap, rtt, 1100)
			if at != want {
				t.Errorf("slow start ended at %v, not %v", at, want)
			}
			if at != des.Never && (w.Cwnd != w.Ssthresh || !c.found) {
				t.Errorf("window %d, threshold %d, found %v", w.Cwnd, w.Ssthresh, c.found)
			}
		})
	}
}

// A gap within a round breaks the train for the rest of the round; the next
// round may have one.
func TestHyStartTrainBreaks(t *testing.T) {
	c, w := slowStart(t, 20)
	round(c, w, des.Second, ms, 100*ms, 10)
	for i := range des.Time(200) {
		c.OnAck(w, &Ack{Now: des.Second + 20*ms + i*ms/2, Acked: 1, RTT: 100 * ms, CwndLimited: true})
	}
	if w.Ssthresh != Infinite {
		t.Fatalf("slow start ended at %d", w.Ssthresh)
	}
	if round(c, w, 2*des.Second, ms, 100*ms, 60) == des.Never {
		t.Error("no train in the next round")
	}
}

func TestHyStartNeedsWindowOf16(t *testing.T) {
	for _, test := range []struct {
		cwnd  uint32
		exits bool
	}{{hystartLowWindow - 1, false}, {hystartLowWindow, true}} {
		c, w := slowStart(t, test.cwnd)
		for i := range des.Time(100) {
			c.OnAck(w, &Ack{Now: des.Second + i*ms, Acked: 1, RTT: 100 * ms, RoundStart: i == 0})
		}
		if exits := w.Ssthresh != Infinite; exits != test.exits {
			t.Errorf("window %d: slow start ended: %v", test.cwnd, exits)
		}
	}
}

// Switched off, or once it has found the end, HyStart does nothing until the
// next time-out.
func TestHyStartOffAndFound(t *testing.T) {
	c := newTestCubic(t, func(o *Options) { o.HyStart = HyStartOff })
	w := &Window{Cwnd: 20, Ssthresh: Infinite, Clamp: Infinite}
	if at := round(c, w, des.Second, ms, 100*ms, 500); at != des.Never {
		t.Errorf("switched off, it ended slow start at %v", at)
	}
	c, w = slowStart(t, 20)
	round(c, w, des.Second, ms, 100*ms, 100)
	w.Ssthresh = Infinite
	if at := round(c, w, 2*des.Second, ms, 100*ms, 100); at != des.Never {
		t.Errorf("found before, it ended slow start again at %v", at)
	}
	c.OnEvent(w, EventRTO, 3*des.Second)
	if at := round(c, w, 3*des.Second, ms, 100*ms, 100); at == des.Never {
		t.Error("it is still off after a time-out")
	}
}

// Linux 6.18 over 20 Mbit/s, 20 ms each way and 20 packets of queue leaves slow
// start by an ACK train at a window of 76 (TcpExtTCPHystartTrainCwnd of three
// golden runs of the tcplab validation set): a segment of 1500 bytes takes
// 0.6 ms, each second one is acknowledged, the first window is 10.
func TestHyStartLeavesWhereLinuxDoes(t *testing.T) {
	const segment = 600 * des.Microsecond
	c, w := slowStart(t, 10)
	rtt := 40*ms + segment
	for start := rtt; w.Ssthresh == Infinite && start < des.Second; start += rtt {
		for i := range des.Time(w.Cwnd / 2) {
			c.OnAck(w, &Ack{
				Now: start + 2*i*segment, Acked: 2, RTT: rtt, CwndLimited: true, RoundStart: i == 0,
			})
		}
	}
	if w.Ssthresh != 76 {
		t.Errorf("slow start ended at %d, not 76", w.Ssthresh)
	}
}
