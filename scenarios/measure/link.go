package measure

import (
	"tcplab/des"
	"tcplab/tcpmodel/network"
)

// link records one direction of a link. The link keeps the integrals itself;
// they are read at the marks.
type link struct {
	r                        *Recorder
	from                     *network.Link
	queued, packetTime, busy column
	sent, bytes, wait, peak  column
	counts                   [len(linkCounts)]column
}

// linkCounts are the packets that a link counts.
var linkCounts = [...]struct {
	name string
	read func(*network.Stats) network.Count
}{
	{"sent", func(s *network.Stats) network.Count { return s.Departed }},
	{"dropped", func(s *network.Stats) network.Count { return s.Dropped }},
	{"early_drops", func(s *network.Stats) network.Count { return s.Early }},
	{"queue_discards", func(s *network.Stats) network.Count { return s.Discarded }},
	{"policed", func(s *network.Stats) network.Count { return s.Policed }},
	{"oversize", func(s *network.Stats) network.Count { return s.Oversize }},
	{"down_drops", func(s *network.Stats) network.Count { return s.Down }},
	{"marked", func(s *network.Stats) network.Count { return s.Marked }},
	{"lost", func(s *network.Stats) network.Count { return s.Lost }},
	{"corrupted", func(s *network.Stats) network.Count { return s.Corrupted }},
	{"duplicated", func(s *network.Stats) network.Count { return s.Created }},
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
	delay := func(w window) (float64, bool) {
		n := l.sent.growth(r.marks, w)
		if n <= 0 {
			return 0, false
		}
		return float64(l.wait.growth(r.marks, w)*1e-9) / n, true
	}
	declare("queue_delay", delay, func() []float64 { return r.each(delay) })
	declare("queue_max", func(w window) (float64, bool) { return l.peak.most(r.marks, w), !w.empty() }, nil)
	for i := range linkCounts {
		c := &l.counts[i]
		declare(linkCounts[i].name, func(w window) (float64, bool) { return c.growth(r.marks, w), !w.empty() },
			func() []float64 { return r.rate(c, 1) })
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
	l.wait.set(i, s.Wait)
	l.peak.set(i, l.from.TakePeak())
	for k := range linkCounts {
		l.counts[k].set(i, linkCounts[k].read(&s).Packets)
	}
}
