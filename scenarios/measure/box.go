package measure

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Level is a number that its owner integrates itself.
type Level struct {
	// Name is that in the catalogue, and Name_max that of its maximum if there
	// is a Peak.
	Name string
	// Value is the number now, Integral that over time in ns, Peak the most
	// since the last call.
	Value, Integral, Peak func() uint64
}

// Count is a counter that its owner keeps.
type Count struct {
	Name string
	Read func() uint64
}

// box records a middlebox, or many together.
type box struct {
	levels                   []Level
	counts                   []Count
	values, integrals, peaks []column
	totals                   []column
}

// Box declares the metrics of a middlebox: of is its kind in the catalogue.
func (r *Recorder) Box(of, owner string, levels []Level, counts []Count) {
	b := &box{levels: levels, counts: counts, values: make([]column, len(levels)), integrals: make([]column, len(levels)),
		peaks: make([]column, len(levels)), totals: make([]column, len(counts))}
	r.probes = append(r.probes, b)
	for i, l := range levels {
		r.declare(&r.ofBoxes, of, owner, l.Name, func(w window) (float64, bool) {
			if w.empty() {
				return 0, false
			}
			return b.integrals[i].growth(r.marks, w) / float64(w.until-w.from), true
		}, func() []float64 { return r.instants(&b.values[i]) })
		if l.Peak != nil {
			r.declare(&r.ofBoxes, of, owner, l.Name+"_max",
				func(w window) (float64, bool) { return b.peaks[i].most(r.marks, w), !w.empty() }, nil)
		}
	}
	for i, c := range counts {
		r.declare(&r.ofBoxes, of, owner, c.Name,
			func(w window) (float64, bool) { return b.totals[i].growth(r.marks, w), !w.empty() },
			func() []float64 { return r.rate(&b.totals[i], 1) })
	}
}

func (b *box) sample(i int, _ des.Time) {
	for k := range b.levels {
		l := &b.levels[k]
		b.values[k].set(i, l.Value())
		b.integrals[k].set(i, l.Integral())
		if l.Peak != nil {
			b.peaks[k].set(i, l.Peak())
		}
	}
	for k := range b.counts {
		b.totals[k].set(i, b.counts[k].Read())
	}
}

// Fate tells the traces what a middlebox of that name did with a segment, or that
// it made it (SegmentMade).
func (r *Recorder) Fate(now des.Time, kind EventKind, box string, seg *segment.Segment) {
	if r.table.traces.on {
		r.table.traces.fate(now, kind, box, r.Canonical(seg))
	}
}

// translation says for which end a NAT stands.
type translation struct {
	public segment.Node
	inside func(port uint16) (segment.Node, uint16, bool)
}

// Translate makes the table of connections and the traces look through a NAT: an
// end with that address is taken for the one that inside returns.
func (r *Recorder) Translate(public segment.Node, inside func(port uint16) (segment.Node, uint16, bool)) {
	r.table.translations = append(r.table.translations, translation{public, inside})
}

// Canonical returns seg with the addresses that it has where no NAT has changed
// them: seg itself if there are none, else a copy that is valid until the next
// call.
func (r *Recorder) Canonical(seg *segment.Segment) *segment.Segment {
	t := &r.table
	if len(t.translations) == 0 {
		return seg
	}
	tuple := t.canonical(fourTuple{seg.Src, seg.Dst, seg.SrcPort, seg.DstPort})
	t.scratch = *seg
	t.scratch.Src, t.scratch.Dst, t.scratch.SrcPort, t.scratch.DstPort = tuple.local, tuple.remote, tuple.localPort, tuple.remotePort
	return &t.scratch
}

// canonical looks through NATs, of which there may be several behind each other.
func (t *connTable) canonical(k fourTuple) fourTuple {
	for range t.translations {
		for i := range t.translations {
			x := &t.translations[i]
			if k.local == x.public {
				if node, port, ok := x.inside(k.localPort); ok {
					k.local, k.localPort = node, port
				}
			}
			if k.remote == x.public {
				if node, port, ok := x.inside(k.remotePort); ok {
					k.remote, k.remotePort = node, port
				}
			}
		}
	}
	return k
}
