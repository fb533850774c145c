package measure

import (
	"math"
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// Trace is what happened to one connection, at both ends, in order of time.
type Trace struct {
	// Number is that of the Row.
	Number int
	// Active and Passive are the ends. The passive one has no host if the
	// connection never came there.
	Active, Passive TraceEnd
	Events          []Event
	// From and Until bound the time whose segments are kept.
	From, Until des.Time
	// LeftOut is the number of events after the bound was reached.
	LeftOut int
}

// TraceEnd is one end of a traced connection.
type TraceEnd struct {
	Host string
	Node segment.Node
	Port uint16
	// ISS is its initial sequence number, if Synced.
	ISS    segment.Seq
	Synced bool
	// WScale is the window scale that it offered, -1 for none.
	WScale int
	// Translated says that a middlebox changed its sequence numbers on the way.
	// Events have them as this end knows them.
	Translated bool

	seen     segment.Seq // the ISS as the other end has seen it
	wasSeen  bool
	isPlayed bool // a middlebox has sent a SYN in its name
}

// End returns one end.
func (t *Trace) End(passive bool) *TraceEnd {
	if passive {
		return &t.Passive
	}
	return &t.Active
}

// Initial returns the state of an end before the first event: LISTEN where there
// is a listener, which answers no SYN with a RST.
func (t *Trace) Initial(passive bool) tcpmodel.State {
	for i := range t.Events {
		switch e := &t.Events[i]; {
		case e.Passive != passive:
		case e.Kind == StateChange:
			return e.From
		case e.Kind == SegmentOut && e.Segment.Flags&segment.RST != 0:
			return tcpmodel.Closed
		}
	}
	if passive {
		return tcpmodel.Listen
	}
	return tcpmodel.Closed
}

// inWindow reports whether segments are kept at that time.
func (t *Trace) inWindow(at des.Time) bool { return at >= t.From && at < t.Until }

// Relative returns the sequence number of a segment sent by an end, counted
// from the initial one, and the acknowledgement, counted from that of the peer,
// 0 without one.
func (t *Trace) Relative(passive bool, s *segment.Segment) (seq, ack uint32) {
	seq = uint32(s.Seq)
	if e := t.End(passive); e.Synced {
		seq -= uint32(e.ISS)
	}
	if s.Has(segment.ACK) {
		ack = uint32(s.Ack)
		if e := t.End(!passive); e.Synced {
			ack -= uint32(e.ISS)
		}
	}
	return seq, ack
}

// Window returns the window of a segment sent by an end, in bytes.
func (t *Trace) Window(passive bool, s *segment.Segment) uint64 {
	own, other := t.End(passive).WScale, t.End(!passive).WScale
	if s.Flags&segment.SYN != 0 || own < 0 || other < 0 {
		return uint64(s.Wnd)
	}
	return uint64(s.Wnd) << own
}

// Event is a change of state, or what became of a segment.
type Event struct {
	Time des.Time
	// Host and Passive say at which end; of a segment that did not arrive,
	// which end had sent it.
	Host    string
	Passive bool
	Kind    EventKind
	// From and To are the states before and after a change of state.
	From, To tcpmodel.State
	// Segment is the segment that was sent, taken in or lost.
	Segment segment.Segment
	Cause   tcpmodel.Cause
	// Link is where a segment was lost, dropped or duplicated: a link, or a
	// middlebox with its reason.
	Link string
	// Sender is what the sender of the end knew after the event. Not every
	// event has it: what changed is known by the next one that does.
	Sender Sender
}

// Sender are variables of the sender of an end. The zero value is none.
type Sender struct {
	// Cwnd, Ssthresh and InFlight are in segments; an Ssthresh of
	// InfiniteThreshold or more means that none is set.
	Cwnd, Ssthresh, InFlight uint32
	// SRTT is 0 before the first sample.
	SRTT, RTO des.Time
}

// Known reports whether there are any.
func (s *Sender) Known() bool { return s.Cwnd > 0 }

func senderOf(i *tcpmodel.Info) Sender {
	return Sender{Cwnd: i.SndCwnd, Ssthresh: i.SndSsthresh, InFlight: i.Unacked - i.Sacked - i.Lost + i.Retrans,
		SRTT: des.Time(i.RTT) * des.Microsecond, RTO: des.Time(i.RTO) * des.Microsecond}
}

// EventKind says what an Event is.
type EventKind uint8

// The kinds of events.
const (
	StateChange EventKind = iota
	SegmentOut
	SegmentIn
	// SegmentLost: it vanished on the wire. SegmentDropped: a queue did not
	// take it, or threw it out. SegmentDuplicated: the wire made a copy.
	SegmentLost
	SegmentDropped
	SegmentDuplicated
	// SegmentAnswered: a middlebox has dealt with it in the place of its
	// receiver. SegmentMade: a middlebox has sent it in the place of its
	// sender.
	SegmentAnswered
	SegmentMade
)

// String returns "state", "send", "receive", "lost", "dropped", "duplicated",
// "answered" or "made".
func (k EventKind) String() string {
	return [...]string{"state", "send", "receive", "lost", "dropped", "duplicated", "answered", "made"}[k]
}

// ParseEventKind reads what String returns.
func ParseEventKind(text string) (EventKind, bool) {
	for k := StateChange; k <= SegmentMade; k++ {
		if k.String() == text {
			return k, true
		}
	}
	return StateChange, false
}

// tracedEnd says to which trace a connection of a host belongs.
type tracedEnd struct {
	serial  uint32
	passive bool
	trace   int32
}

// liveTrace is a trace in the making.
type liveTrace struct {
	Trace
	row   int32
	tuple fourTuple
	// open is true while the active end exists: a segment of no connection
	// then belongs to the passive end.
	open bool
	// unread is where the segment is, counted from 1, that came last to each end
	// and whose effect has not been read.
	unread [2]int
}

// traceTable keeps the events of chosen connections. What is not chosen costs a
// look at a few numbers per segment.
type traceTable struct {
	on          bool
	numbers     []int
	first       int
	counts      map[fourTuple]int // local port 0; never walked
	events      int
	from, until des.Time
	all         []*liveTrace
}

func (t *traceTable) init(o Options) {
	t.numbers, t.first, t.events = o.TraceConns, o.TraceFirst, o.TraceEvents
	t.from, t.until = o.TraceFrom, o.TraceUntil
	if t.until == 0 {
		t.until = math.MaxInt64
	}
	t.on = len(t.numbers) > 0 || t.first > 0
	t.counts = make(map[fourTuple]int)
}

func (t *traceTable) chosen(row int32, tuple fourTuple, passive bool) bool {
	if slices.Contains(t.numbers, int(row)+1) {
		return true
	}
	if passive || t.first == 0 || len(t.all) >= MaxTraces+len(t.numbers) {
		return false
	}
	tuple.localPort = 0
	t.counts[tuple]++
	return t.counts[tuple] <= t.first
}

// begin is told of a new row.
func (t *traceTable) begin(h *Host, serial uint32, row int32, tuple fourTuple, passive bool) {
	if !t.on || !t.chosen(row, tuple, passive) {
		return
	}
	l := &liveTrace{row: row, tuple: tuple, open: !passive, Trace: Trace{Number: int(row) + 1, From: t.from, Until: t.until,
		Active: TraceEnd{WScale: -1}, Passive: TraceEnd{WScale: -1}}}
	own, other := l.End(passive), l.End(!passive)
	own.Host, own.Node, own.Port = h.name, tuple.local, tuple.localPort
	other.Node, other.Port = tuple.remote, tuple.remotePort
	h.traced = append(h.traced, tracedEnd{serial, passive, int32(len(t.all))})
	t.all = append(t.all, l)
}

// join is told of a passive end of a row.
func (t *traceTable) join(h *Host, serial uint32, row int32) {
	for i, l := range t.all {
		if l.row == row {
			l.Passive.Host = h.name
			h.traced = append(h.traced, tracedEnd{serial, true, int32(i)})
		}
	}
}

// gone is told that the active end of a row is no more.
func (t *traceTable) gone(row int32) {
	for _, l := range t.all {
		if l.row == row {
			l.open = false
		}
	}
}

func (h *Host) tracedEnd(serial uint32) *tracedEnd {
	for i := range h.traced {
		if h.traced[i].serial == serial {
			return &h.traced[i]
		}
	}
	return nil
}

func (t *traceTable) state(now des.Time, h *Host, c tcpmodel.Conn, from, to tcpmodel.State, why tcpmodel.Cause) {
	event := Event{Time: now, Host: h.name, Kind: StateChange, From: from, To: to, Cause: why}
	e := h.tracedEnd(c.Serial)
	if e != nil {
		event.Passive = e.passive
		t.all[e.trace].add(t, event)
	}
	if next := t.successor(e, h.r.table.canonical(fourTuple{c.Remote, c.Local, c.RemotePort, c.LocalPort})); next != nil {
		event.Passive = true
		next.add(t, event)
	}
}

// successor returns the trace of a connection whose active end has that address
// and exists, while the passive end e belongs to an older connection of the same
// ports, traced or not: what happens there concerns the new one. It is nil if there
// is none.
func (t *traceTable) successor(e *tracedEnd, active fourTuple) *liveTrace {
	if e != nil && (t.all[e.trace].open || !e.passive) {
		return nil
	}
	for _, next := range slices.Backward(t.all) {
		if next.open && next.tuple == active {
			return next
		}
	}
	return nil
}

// segment notes a segment of a traced connection. Before the stack has a
// connection for it, the SYN at the passive end belongs to the trace whose
// active end sent it.
func (t *traceTable) segment(now des.Time, h *Host, c tcpmodel.Conn, out bool, seg *segment.Segment, why tcpmodel.Cause) {
	passive, l := true, (*liveTrace)(nil)
	if c.Serial == 0 {
		l, passive = t.unborn(h.r.Canonical(seg), out)
	} else {
		e := h.tracedEnd(c.Serial)
		if e != nil {
			passive, l = e.passive, t.all[e.trace]
		}
		if next := t.successor(e, h.r.table.canonical(fourTuple{c.Remote, c.Local, c.RemotePort, c.LocalPort})); next != nil {
			l, passive = next, true
		}
	}
	if l == nil {
		return
	}
	kind := SegmentIn
	if other := l.End(!passive); !out && seg.Flags&segment.SYN != 0 && !other.wasSeen {
		other.seen, other.wasSeen = seg.Seq, true
	}
	if out {
		kind = SegmentOut
		if e := l.End(passive); seg.Flags&segment.SYN != 0 {
			e.ISS, e.Synced, e.WScale = seg.Seq, true, -1
			if seg.Opts&segment.OptWScale != 0 {
				e.WScale = int(seg.WScale)
			}
		}
	}
	if l.Passive.Host == "" && passive {
		l.Passive.Host = h.name
	}
	if now >= t.from && now < t.until {
		l.add(t, Event{Time: now, Host: h.name, Passive: passive, Kind: kind, Segment: *seg, Cause: why})
		l.read(h, c, passive, out)
	}
}

// read has the newest event show what the sender knows. A segment is told of
// before it is looked at: its effect is read with the next segment that is sent,
// or before the next one that comes.
func (l *liveTrace) read(h *Host, c tcpmodel.Conn, passive, out bool) {
	k, newest := side(passive), len(l.Events)
	if h.endpoint == nil || c.Serial == 0 || l.LeftOut > 0 {
		return
	}
	at := l.unread[k]
	l.unread[k] = newest
	if out {
		at, l.unread[k] = newest, 0
	}
	if at == 0 {
		return
	}
	if ep := h.endpoint(c); ep != nil {
		info := ep.Info()
		l.Events[at-1].Sender = senderOf(&info)
	}
}

// unborn returns the trace to which a segment belongs at an end where there is no
// connection: at the passive one, or at the active one where it resets another
// incarnation.
func (t *traceTable) unborn(seg *segment.Segment, out bool) (l *liveTrace, passive bool) {
	there := fourTuple{seg.Src, seg.Dst, seg.SrcPort, seg.DstPort}
	back := fourTuple{seg.Dst, seg.Src, seg.DstPort, seg.SrcPort}
	if out {
		there, back = back, there
	}
	for _, l := range t.all {
		if l.open && (l.tuple == there || l.tuple == back) {
			return l, l.tuple == there
		}
	}
	return nil, false
}

func (l *liveTrace) add(t *traceTable, e Event) {
	if len(l.Events) >= t.events {
		l.LeftOut++
		return
	}
	l.Events = append(l.Events, e)
}

// fate notes what became of a segment on a link. The newest trace of these
// ports is meant.
func (t *traceTable) fate(now des.Time, kind EventKind, link string, seg *segment.Segment) {
	if now < t.from || now >= t.until {
		return
	}
	there := fourTuple{seg.Src, seg.Dst, seg.SrcPort, seg.DstPort}
	back := fourTuple{seg.Dst, seg.Src, seg.DstPort, seg.SrcPort}
	for _, l := range slices.Backward(t.all) {
		if l.tuple == there || l.tuple == back {
			passive := l.tuple == back
			if kind == SegmentMade && seg.Flags&segment.SYN != 0 {
				l.End(passive).isPlayed = true
			}
			l.add(t, Event{Time: now, Host: l.End(passive).Host, Passive: passive, Kind: kind, Segment: *seg, Link: link})
			return
		}
	}
}

func (t *traceTable) finish() []Trace {
	var out []Trace
	for _, l := range t.all {
		l.translate()
		out = append(out, l.Trace)
	}
	return out
}

// translate gives the sequence numbers of events as the end knows them that they
// belong to, where a middlebox has changed them.
func (t *Trace) translate() {
	for _, passive := range []bool{false, true} {
		e := t.End(passive)
		if !e.isPlayed || !e.Synced || !e.wasSeen || e.seen == e.ISS {
			continue
		}
		e.Translated = true
		for i := range t.Events {
			t.Events[i].translate(passive, e)
		}
	}
}

// translate does so for the numbers of end e, which is passive or not. What is
// told by a link or a middlebox may be on either side of the translation: its
// numbers are those to which they are nearer.
func (v *Event) translate(passive bool, e *TraceEnd) {
	s, by := &v.Segment, e.ISS-e.seen
	foreign := func(n segment.Seq) bool { return distance(n, e.seen) < distance(n, e.ISS) }
	sender := v.Passive != (v.Kind == SegmentIn)
	switch {
	case v.Kind == StateChange:
	case sender == passive:
		if v.Kind == SegmentIn || v.Kind != SegmentOut && foreign(s.Seq) {
			s.Seq += by
		}
	case !s.Has(segment.ACK):
	case v.Kind == SegmentOut || v.Kind != SegmentIn && foreign(s.Ack):
		s.Ack += by
		for b := range s.SACK[:s.NumSACK] {
			s.SACK[b].Left += by
			s.SACK[b].Right += by
		}
	}
}

// distance is how far two sequence numbers are apart.
func distance(a, b segment.Seq) uint32 { return min(uint32(a-b), uint32(b-a)) }

// linkTrace tells what becomes of segments on a link.
type linkTrace struct {
	r    *Recorder
	link string
}

// TraceLink has what is lost on a link told in the traces. It does nothing if
// no connection is traced.
func (r *Recorder) TraceLink(l *network.Link) {
	if r.table.traces.on {
		l.AddTap(&linkTrace{r, l.Name()})
	}
}

// Observe implements network.Tap.
func (l *linkTrace) Observe(now des.Time, event network.TapEvent, seg *segment.Segment) {
	kind := SegmentLost
	switch event {
	case network.Sent, network.Delivered:
		return
	case network.Dropped, network.Discarded:
		kind = SegmentDropped
	case network.Duplicated:
		kind = SegmentDuplicated
	}
	l.r.table.traces.fate(now, kind, l.link, l.r.Canonical(seg))
}
