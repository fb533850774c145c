package measure

import (
	"tcplab/des"
	"tcplab/tcpmodel/network"
)

// link records one direction of a link, or of many together. The links keep the
// integrals themselves; they are read at the marks.
type link struct {
	r                        *Recorder
	from                     []*network.Link
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
// owner. Of several links it is their sum, for the utilization their mean and for
// the longest queue the longest of any.
func (r *Recorder) Link(name string, from ...*network.Link) {
	l := &link{r: r, from: from}
	r.probes = append(r.probes, l)
	declare := func(quantity string, value func(window) (float64, bool), series func() []float64) {
		r.declare(&r.ofLinks, OfLink, name, quantity, value, series)
	}
	declare("queue", l.perTime(&l.packetTime, 1e-9), func() []float64 { return r.instants(&l.queued) })
	bits := l.perTime(&l.bytes, 8)
	declare("throughput", bits, func() []float64 { return r.each(bits) })
	busy := l.perTime(&l.busy, 1e-9/float64(len(from)))
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
	var queued, packetTime, busy, sent, bytes, wait, peak uint64
	var counts [len(linkCounts)]uint64
	for _, from := range l.from {
		s := from.Stats()
		queued += s.Queued.Packets
		packetTime += s.PacketTime
		busy += uint64(s.Busy)
		sent += s.Departed.Packets
		bytes += s.Departed.Bytes
		wait += s.Wait
		peak = max(peak, from.TakePeak())
		for k := range linkCounts {
			counts[k] += linkCounts[k].read(&s).Packets
		}
	}
	l.queued.set(i, queued)
	l.packetTime.set(i, packetTime)
	l.busy.set(i, busy)
	l.sent.set(i, sent)
	l.bytes.set(i, bytes)
	l.wait.set(i, wait)
	l.peak.set(i, peak)
	for k := range counts {
		l.counts[k].set(i, counts[k])
	}
}
