package measure

import (
	"tcplab/des"
	"tcplab/tcpmodel/network"
)

// link records one direction of a link. The link keeps the integrals itself;
// they are read at the marks.
type link struct {
	r                          *Recorder
	from                       *network.Link
	queued, packetTime, busy   column
	sent, bytes, dropped, lost column
}

// Link declares the metrics of one direction of a link, with name as their
// owner.
func (r *Recorder) Link(name string, from *network.Link) {
	l := &link{r: r, from: from}
	r.probes = append(r.probes, l)
	declare := func(quantity string, value func(window) (float64, bool), series func() []float64) {
		r.declare(&r.ofLinks, OfLink, name, quantity, value, series)
	}
	declare("queue", l.perTime(&l.packetTime, 1e-9), func() []float64 { return r.instants(&l.queued) })
	bits := l.perTime(&l.bytes, 8)
	declare("throughput", bits, func() []float64 { return r.each(bits) })
	busy := l.perTime(&l.busy, 1e-9)
	declare("utilization", busy, func() []float64 { return r.each(busy) })
	for _, c := range []struct {
		name string
		of   *column
	}{{"sent", &l.sent}, {"dropped", &l.dropped}, {"lost", &l.lost}} {
		declare(c.name, func(w window) (float64, bool) { return c.of.growth(r.marks, w), !w.empty() },
			func() []float64 { return r.rate(c.of, 1) })
	}
}

// perTime returns how to compute the growth of c, times scale, per second.
func (l *link) perTime(c *column, scale float64) func(window) (float64, bool) {
	return func(w window) (float64, bool) {
		if w.empty() {
			return 0, false
		}
		return float64(c.growth(l.r.marks, w)*scale) / w.seconds(), true
	}
}

func (l *link) sample(i int, _ des.Time) {
	s := l.from.Stats()
	l.queued.set(i, s.Queued.Packets)
	l.packetTime.set(i, s.PacketTime)
	l.busy.set(i, uint64(s.Busy))
	l.sent.set(i, s.Departed.Packets)
	l.bytes.set(i, s.Departed.Bytes)
	l.dropped.set(i, s.Dropped.Packets)
	l.lost.set(i, s.Lost.Packets)
}
