package congestion

import "tcplab/des"

// scalable is Scalable TCP (Kelly, "Scalable TCP: improving performance in
// highspeed wide area networks", 2003): a segment more for every hundred that are
// acknowledged, an eighth less after a loss, as Linux's tcp_scalable has it. It is
// also what the smallest controller looks like: slow start is the plain one,
// whatever Options.HyStart says.
type scalable struct{}

func newScalable(Options) Controller { return scalable{} }

func (scalable) OnAck(w *Window, a *Ack) {
	if !a.CwndLimited {
		return
	}
	acked := a.Acked
	if w.SlowStart() {
		if acked = w.GrowSlowStart(acked); acked == 0 {
			return
		}
	}
	w.GrowAdditive(min(w.Cwnd, 100), acked)
}

func (scalable) OnLoss(w *Window, _ des.Time) uint32 { return max(w.Cwnd-w.Cwnd/8, 2) }

func (scalable) OnUndo(w *Window, prior uint32) uint32 { return max(w.Cwnd, prior) }

func (scalable) OnEvent(*Window, Event, des.Time) {}
