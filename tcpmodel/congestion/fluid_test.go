package congestion

import (
	"tcplab/des"
)

// fluid drives a controller without a network: an ACK for one segment every
// RTT/cwnd, and a reduction that takes effect at once, after each stretch of
// as many segments as gap returns. It is what the formulas for the average
// window assume; recovery takes no time.
type fluid struct {
	controller Controller
	rtt        des.Time
	// start is the window at a first loss, before the run.
	start uint32
	gap   func() int
	// warm is how many losses come before the measurement, cycles how many
	// it lasts.
	warm, cycles int
}

// run returns the average window and the average number of round trips
// between losses.
func (f fluid) run() (window, rounds float64) {
	w := &Window{Cwnd: f.start, Clamp: Infinite}
	now := des.Second
	f.controller.OnEvent(w, EventStart, now)
	w.Ssthresh = f.controller.OnLoss(w, now)
	w.Cwnd = w.Ssthresh
	var begin des.Time
	packets := 0
	a := Ack{Acked: 1, RTT: f.rtt, CwndLimited: true}
	round := uint32(0)
	for i := range f.warm + f.cycles {
		if i == f.warm {
			begin, packets = now, 0
		}
		n := f.gap()
		for range n {
			now += f.rtt / des.Time(w.Cwnd)
			round++
			if a.RoundStart = round >= w.Cwnd; a.RoundStart {
				round = 0
			}
			a.Now, a.InFlight = now, w.Cwnd
			f.controller.OnAck(w, &a)
		}
		packets += n
		w.Ssthresh = f.controller.OnLoss(w, now)
		w.Cwnd = w.Ssthresh
	}
	rounds = float64(now-begin) / float64(f.rtt)
	return float64(packets) / rounds, rounds / float64(f.cycles)
}
