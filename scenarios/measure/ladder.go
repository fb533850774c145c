package measure

import (
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Ladder is a trace as a picture of it needs it: segments on their way, states
// and timers.
type Ladder struct {
	Trace *Trace
	// Passages are in the order in which they left.
	Passages []Passage
	// States are those of the active and of the passive end, in their order.
	States [2][]StateSpan
	Timers []TimerSpan
	// Start and End are the times of the first and the last event that is
	// shown.
	Start, End des.Time

	of []int // the passage of each event, -1 for none
}

// Passage is a segment on its way from one end to the other.
type Passage struct {
	// Passive says which end sent it.
	Passive bool
	// Sent, Arrived and Gone are when it left, arrived or was lost, des.Never
	// for what did not happen.
	Sent, Arrived, Gone des.Time
	Fate                Fate
	// Link is where it was lost, "" if that is not known. By is the middlebox
	// that sent it, "" if it was its end.
	Link, By string
	Segment  segment.Segment
	Cause    tcpmodel.Cause

	sent, arrived int // events
}

// Fate is what became of a segment.
type Fate uint8

// The fates. A segment is on its way if the trace ends before its fate is
// known; a copy has come into being on the way. What left before the trace
// begins has no time of departure.
const (
	Delivered Fate = iota
	Lost
	Dropped
	OnItsWay
	Copy
	// Answered: a middlebox has dealt with it.
	Answered
)

// StateSpan is a state that an end was in from From until the next one.
type StateSpan struct {
	State tcpmodel.State
	From  des.Time
	Why   tcpmodel.Cause
}

// TimerSpan is a timer that expired.
type TimerSpan struct {
	Passive     bool
	From, Until des.Time
	Kind        TimerKind
}

// TimerKind says which timer it was.
type TimerKind uint8

// The timers.
const (
	RetransmissionTimer TimerKind = iota
	ProbeTimer
	KeepaliveTimer
	TimeWaitTimer
)

// NewLadder returns the ladder of a trace.
func NewLadder(t *Trace) *Ladder {
	l := &Ladder{Trace: t, of: make([]int, len(t.Events))}
	l.Start = des.Never
	for i := range t.Events {
		if at := t.Events[i].Time; t.inWindow(at) {
			l.Start, l.End = min(l.Start, at), at
		}
	}
	for k, passive := range []bool{false, true} {
		if e := t.End(passive); e.Host != "" {
			l.States[k] = []StateSpan{{State: t.Initial(passive), From: l.Start}}
		}
	}
	l.join()
	for i := range t.Events {
		l.follow(i)
	}
	return l
}

// sameSegment is what a segment keeps on its way.
type sameSegment struct {
	passive            bool
	seq, ack           segment.Seq
	length, val, echo  uint32
	flags              segment.Flags
	window             uint16
	blocks             uint8
	firstLeft, firstRt segment.Seq
}

func same(passive bool, s *segment.Segment) sameSegment {
	k := sameSegment{passive: passive, seq: s.Seq, ack: s.Ack, length: s.Len, val: s.TSVal, echo: s.TSEcr, flags: s.Flags, window: s.Wnd,
		blocks: s.NumSACK}
	k.flags &^= segment.ECE | segment.CWR | segment.AE
	if s.NumSACK > 0 {
		k.firstLeft, k.firstRt = s.SACK[0].Left, s.SACK[0].Right
	}
	return k
}

// translated is what a segment keeps where a middlebox changes its numbers.
func (k sameSegment) translated() sameSegment {
	return sameSegment{passive: k.passive, seq: k.seq, ack: k.ack, length: k.length, flags: k.flags}
}

// join finds the arrival, or the loss, of each segment.
func (l *Ladder) join() {
	pending := map[sameSegment][]int{} // passages without a fate; never walked
	last := [2]int{-1, -1}             // the newest passage that arrived, by sender
	flight := [2]des.Time{-1, -1}      // how long the last one took, by sender
	for i := range l.Trace.Events {
		e := &l.Trace.Events[i]
		l.of[i] = -1
		sender := e.Passive != (e.Kind == SegmentIn)
		key := same(sender, &e.Segment)
		if l.Trace.Active.Translated || l.Trace.Passive.Translated {
			key = key.translated()
		}
		p := Passage{Passive: sender, Sent: des.Never, Arrived: des.Never, Gone: des.Never, Segment: e.Segment, Cause: e.Cause, sent: -1, arrived: -1}
		switch e.Kind {
		case StateChange, SegmentDuplicated:
			continue
		case SegmentMade:
			p.By, p.Fate = e.Link, OnItsWay
			pending[key] = append(pending[key], len(l.Passages))
			l.Passages = append(l.Passages, p)
			continue
		case SegmentOut:
			p.Sent, p.sent, p.Fate = e.Time, i, OnItsWay
			pending[key] = append(pending[key], len(l.Passages))
			l.of[i] = len(l.Passages)
			l.Passages = append(l.Passages, p)
			continue
		}
		n := len(l.Passages)
		wait, sent := pending[key]
		switch {
		case len(wait) > 0:
			k := 0
			if e.Kind == SegmentIn {
				k = l.likeliest(wait, e.Time, flight[side(sender)])
			}
			n = wait[k]
			pending[key] = slices.Delete(wait, k, k+1)
		case sent:
			p.Fate = Copy
			fallthrough
		default:
			l.Passages = append(l.Passages, p)
		}
		l.of[i] = n
		l.Passages[n].decide(e, i)
		if l.Passages[n].sent >= 0 {
			last[side(sender)] = max(last[side(sender)], n)
			if e.Kind == SegmentIn {
				flight[side(sender)] = e.Time - l.Passages[n].Sent
			}
		}
	}
	for n := range l.Passages {
		if p := &l.Passages[n]; p.Fate == OnItsWay && n < last[side(p.Passive)] {
			p.Fate = Lost // something sent later has arrived
		}
	}
}

// likeliest returns which of several segments that are alike has arrived: the
// first, unless it would have taken much longer than the segment before it did
// and a later one about as long. Then the first was held up on the way.
func (l *Ladder) likeliest(wait []int, at, flight des.Time) int {
	if flight <= 0 || at-l.Passages[wait[0]].Sent <= 4*flight {
		return 0
	}
	for k, n := range wait {
		if took := at - l.Passages[n].Sent; took >= flight/2 && took <= 2*flight {
			return k
		}
	}
	return 0
}

// side is the index of an end.
func side(passive bool) int {
	if passive {
		return 1
	}
	return 0
}

// decide enters the fate that event i tells.
func (p *Passage) decide(e *Event, i int) {
	if e.Kind == SegmentIn {
		p.Arrived, p.arrived = e.Time, i
		if p.Fate != Copy {
			p.Fate = Delivered
		}
		return
	}
	p.Gone, p.Link, p.Fate = e.Time, e.Link, Lost
	switch e.Kind {
	case SegmentDropped:
		p.Fate = Dropped
	case SegmentAnswered:
		p.Fate = Answered
	}
}

// follow enters event i into states and timers.
func (l *Ladder) follow(i int) {
	e := &l.Trace.Events[i]
	k := side(e.Passive)
	if e.Kind == StateChange {
		if n := len(l.States[k]); e.From == tcpmodel.TimeWait && e.Cause == tcpmodel.CauseTimeout && n > 0 {
			l.Timers = append(l.Timers, TimerSpan{e.Passive, l.States[k][n-1].From, e.Time, TimeWaitTimer})
		}
		l.States[k] = append(l.States[k], StateSpan{e.To, e.Time, e.Cause})
		return
	}
	if e.Kind != SegmentOut {
		return
	}
	kind, repeats := RetransmissionTimer, true
	switch e.Cause {
	case tcpmodel.CauseRetransmit:
	case tcpmodel.CauseProbe:
		kind, repeats = ProbeTimer, false
	case tcpmodel.CauseKeepalive:
		kind, repeats = KeepaliveTimer, false
	default:
		return
	}
	for j := i - 1; j >= 0; j-- {
		b := &l.Trace.Events[j]
		switch {
		case b.Passive != e.Passive || b.Kind != SegmentOut && b.Kind != SegmentIn:
		case b.Time == e.Time:
			return // an answer, not a timer
		case !repeats || b.Kind == SegmentOut && b.Segment.Seq == e.Segment.Seq && b.Segment.Flags&segment.SYN == e.Segment.Flags&segment.SYN:
			l.Timers = append(l.Timers, TimerSpan{e.Passive, b.Time, e.Time, kind})
			return
		}
	}
}
