package congestion

import "tcplab/des"

// reno is the congestion control of RFC 5681, counting in segments.
type reno struct{}

func newReno(o Options) Controller {
	if o.HyStart == HyStartPlus {
		r := new(renoPlus)
		r.reset()
		return r
	}
	return reno{}
}

func (reno) OnAck(w *Window, a *Ack) {
	if !a.CwndLimited {
		return
	}
	acked := a.Acked
	if w.SlowStart() {
		if acked = w.GrowSlowStart(acked); acked == 0 {
			return
		}
	}
	w.GrowAdditive(w.Cwnd, acked)
}

// OnLoss halves the window. RFC 5681 equation 4 takes half of FlightSize; like
// Linux this takes half of cwnd, which is the same when cwnd is in use.
func (reno) OnLoss(w *Window, _ des.Time) uint32 { return max(w.Cwnd/2, 2) }

func (reno) OnUndo(w *Window, prior uint32) uint32 { return max(w.Cwnd, prior) }

func (reno) OnEvent(*Window, Event, des.Time) {}

// renoPlus is reno with HyStart++.
type renoPlus struct {
	reno
	hystartPlus
}

func (r *renoPlus) OnAck(w *Window, a *Ack) {
	if r.applies(w) {
		r.hystartPlus.onAck(w, a)
		return
	}
	r.reno.OnAck(w, a)
}

func (r *renoPlus) OnEvent(_ *Window, e Event, _ des.Time) {
	if e == EventStart {
		r.reset()
	}
}
