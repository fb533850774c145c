package measure

import (
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// Sequence is what happened to the sequence numbers of a connection, as its
// sender sees it.
type Sequence struct {
	Name   string
	Events []SequenceEvent // in order of time
	// LeftOut is the number of events after the bound was reached.
	LeftOut int
}

// SequenceEvent is one of them. Sequence numbers count from the SYN's, which is
// 0, and do not wrap.
type SequenceEvent struct {
	// Time is in seconds. A lost segment has the time at which it was sent.
	Time float64
	Kind SequenceKind
	// From and To are the first number and the one after the last. An
	// acknowledgment and a window edge have one number, To.
	From, To int64
}

// SequenceKind says what a SequenceEvent is.
type SequenceKind uint8

// The kinds of SequenceEvent.
const (
	// SequenceSent is a segment with data, SYN or FIN that was sent first,
	// SequenceResent one that was sent again, as a whole or in part.
	SequenceSent SequenceKind = iota
	SequenceResent
	// SequenceLost is a segment that a link lost or dropped.
	SequenceLost
	// SequenceAcked is an acknowledgment that arrived, SequenceSACKed a block
	// of a selective one, SequenceWindow the end of the offered window.
	SequenceAcked
	SequenceSACKed
	SequenceWindow
)

var sequenceKindNames = []string{"sent", "resent", "lost", "ack", "sack", "window"}

// String returns "sent", "resent", "lost", "ack", "sack" or "window".
func (k SequenceKind) String() string { return sequenceKindNames[k] }

// ParseSequenceKind reads what String returns.
func ParseSequenceKind(text string) (SequenceKind, bool) {
	i := slices.Index(sequenceKindNames, text)
	return SequenceKind(max(i, 0)), i >= 0
}

// tracker turns the segments of one sender into numbers that do not wrap.
type tracker struct {
	there fourTuple // from the sender to the receiver
	began bool
	// newest is the sequence number after the highest that was sent, and top
	// what it counts from the first one.
	newest segment.Seq
	top    int64
	acked  int64
	edge   int64
	// own and peer are the window scales that were offered, -1 for none.
	own, peer int
}

// begin starts to follow connection c of a host.
func (f *flow) begin(node segment.Node, c tcpmodel.Conn) {
	f.tracker = tracker{there: fourTuple{node, c.Remote, c.LocalPort, c.RemotePort}, own: -1, peer: -1, acked: -1, edge: -1}
}

// at returns what a number near the highest counts from the first one.
func (t *tracker) at(s segment.Seq) int64 { return t.top + int64(int32(uint32(s)-uint32(t.newest))) }

func (f *flow) note(now des.Time, kind SequenceKind, from, to int64) {
	if len(f.sequence.Events) >= MaxFlowEvents {
		f.sequence.LeftOut++
		return
	}
	f.sequence.Events = append(f.sequence.Events, SequenceEvent{now.Seconds(), kind, from, to})
}

// segment notes a segment that the sender sent or took in.
func (f *flow) segment(now des.Time, out bool, seg *segment.Segment) {
	t := &f.tracker
	if out {
		f.sent(now, seg)
		return
	}
	if !t.began {
		return
	}
	if seg.Flags&segment.SYN != 0 {
		t.peer = offeredScale(seg)
	}
	if !seg.Has(segment.ACK) {
		return
	}
	ack := t.at(seg.Ack)
	window := int64(seg.Wnd)
	if t.own >= 0 && t.peer > 0 && seg.Flags&segment.SYN == 0 {
		window <<= t.peer
	}
	if ack > t.acked {
		t.acked = ack
		f.note(now, SequenceAcked, 0, ack)
	}
	if ack == t.acked && ack+window != t.edge {
		t.edge = ack + window
		f.note(now, SequenceWindow, 0, t.edge)
	}
	for _, b := range seg.SACK[:seg.NumSACK] {
		f.note(now, SequenceSACKed, t.at(b.Left), t.at(b.Right))
	}
}

func (f *flow) sent(now des.Time, seg *segment.Segment) {
	t := &f.tracker
	if seg.Flags&segment.SYN != 0 {
		t.own = offeredScale(seg)
		if !t.began {
			t.began, t.newest = true, seg.Seq
		}
	}
	length := int64(seg.SegLen())
	if !t.began || length == 0 || seg.Flags&segment.RST != 0 {
		return
	}
	from := t.at(seg.Seq)
	kind := SequenceSent
	if from < t.top {
		kind = SequenceResent
	}
	f.note(now, kind, from, from+length)
	if from+length > t.top {
		t.newest, t.top = seg.End(), from+length
	}
}

func offeredScale(seg *segment.Segment) int {
	if seg.Opts&segment.OptWScale != 0 {
		return int(seg.WScale)
	}
	return -1
}

// lost notes that a segment did not arrive, at the time at which it was sent.
func (f *flow) lost(seg *segment.Segment) {
	from, to := f.tracker.at(seg.Seq), f.tracker.at(seg.End())
	for i := len(f.sequence.Events) - 1; i >= 0; i-- {
		e := &f.sequence.Events[i]
		if e.Kind <= SequenceResent && e.From == from && e.To == to {
			if len(f.sequence.Events) < MaxFlowEvents {
				f.sequence.Events = append(f.sequence.Events, SequenceEvent{e.Time, SequenceLost, from, to})
			} else {
				f.sequence.LeftOut++
			}
			return
		}
	}
}

// FlowLink has what is lost on a link noted in the sequences. It does nothing
// if none is kept.
func (r *Recorder) FlowLink(l *network.Link) {
	if r.flows.segments {
		l.AddTap((*flowTap)(r))
	}
}

type flowTap Recorder

// Observe implements network.Tap.
func (t *flowTap) Observe(_ des.Time, event network.TapEvent, seg *segment.Segment) {
	if event != network.Lost && event != network.Dropped && event != network.Discarded || seg.SegLen() == 0 {
		return
	}
	seg = (*Recorder)(t).Canonical(seg)
	there := fourTuple{seg.Src, seg.Dst, seg.SrcPort, seg.DstPort}
	for _, f := range t.flows.all {
		if f.tracker.began && f.tracker.there == there {
			f.lost(seg)
		}
	}
}

// Sequences returns the sequences of the flows that were chosen with Segments.
// Call it after Finish.
func (r *Recorder) Sequences() []Sequence {
	var out []Sequence
	for _, f := range r.flows.all {
		if !f.Segments {
			continue
		}
		slices.SortStableFunc(f.sequence.Events, func(a, b SequenceEvent) int {
			switch {
			case a.Time < b.Time:
				return -1
			case a.Time > b.Time:
				return 1
			}
			return 0
		})
		out = append(out, f.sequence)
	}
	return out
}
