package measure

import (
	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// rung is a line of a ladder: a segment, or a part of its way, or a change of
// state without one.
type rung struct {
	at      des.Time
	part    part
	passage *Passage
	passive bool // of a change of state: at which end
	// states of the ends after it, shown where seen.
	states [2]tcpmodel.State
	seen   [2]bool
	why    tcpmodel.Cause
	from   tcpmodel.State // of a change of state
	// left out in its place:
	omitted []rung
}

type part uint8

const (
	wholeWay part = iota
	leaving       // arrives on a later line
	arriving
	goesNowhere
	noSegment
	gap
)

// place is where a line of an end is.
type place struct {
	rung int
	at   des.Time
}

// rungs returns the lines of a ladder in an order that is right at both ends. A
// segment that crosses another one has two lines.
func (l *Ladder) rungs() []rung {
	var out []rung
	whole := make([]int, len(l.Passages)) // the line of a segment that has one
	last := [2]place{{rung: -1}, {rung: -1}}
	states := [2]tcpmodel.State{l.Trace.Initial(false), l.Trace.Initial(true)}
	for i := range l.Trace.Events {
		e := &l.Trace.Events[i]
		k := side(e.Passive)
		switch e.Kind {
		case StateChange:
			states[k] = e.To
			switch {
			case !l.Trace.inWindow(e.Time):
			case caused(e.Cause) && last[k].rung >= 0 && last[k].at == e.Time:
				out[last[k].rung].states[k] = e.To
			case !l.toldByNext(i):
				r := rung{at: e.Time, part: noSegment, passive: e.Passive, why: e.Cause, from: e.From, states: states}
				r.seen[k] = true
				out = append(out, r)
			}
			continue
		case SegmentOut, SegmentIn:
		default:
			continue
		}
		n := l.of[i]
		p := &l.Passages[n]
		r := rung{at: e.Time, passage: p, states: states}
		r.seen[k] = true
		switch {
		case e.Kind == SegmentIn && p.Fate != Copy && whole[n] > 0:
			old := &out[whole[n]-1]
			old.states[k], old.seen[k] = states[k], true
			last[k] = place{whole[n] - 1, e.Time}
			continue
		case e.Kind == SegmentIn:
			r.part = arriving
		case p.Fate == Lost || p.Fate == Dropped || p.Fate == Answered:
			r.part = goesNowhere
		case p.Fate == Delivered && l.straight(p, whole):
			whole[n] = len(out) + 1
		default:
			r.part = leaving
		}
		last[k] = place{len(out), e.Time}
		out = append(out, r)
	}
	return out
}

// caused reports whether a change of state is the work of the segment before.
func caused(why tcpmodel.Cause) bool {
	return why == tcpmodel.CauseSegment || why == tcpmodel.CauseReset || why == tcpmodel.CauseCookie || why == tcpmodel.CauseOverflow
}

// toldByNext reports whether the end of event i sends a segment at that instant,
// on whose line its state is shown.
func (l *Ladder) toldByNext(i int) bool {
	e := &l.Trace.Events[i]
	for j := i + 1; j < len(l.Trace.Events) && l.Trace.Events[j].Time == e.Time; j++ {
		if b := &l.Trace.Events[j]; b.Passive == e.Passive && b.Kind == SegmentOut {
			return true
		}
	}
	return false
}

// straight reports whether nothing happens at the receiver of p between its
// departure and its arrival that would have to stand between them.
func (l *Ladder) straight(p *Passage, whole []int) bool {
	for i := p.sent + 1; i < p.arrived; i++ {
		e := &l.Trace.Events[i]
		if e.Passive == p.Passive {
			continue
		}
		switch e.Kind {
		case SegmentOut:
			return false
		case StateChange:
			if !caused(e.Cause) {
				return false
			}
		case SegmentIn:
			n := l.of[i]
			if whole[n] == 0 || l.Passages[n].sent > p.sent {
				return false
			}
		}
	}
	return true
}

// How many alike lines stay of a long row of them, and how many lines in all.
const (
	longRun   = 14
	runHead   = 5
	runTail   = 3
	mostLines = 300
	lastLines = 100
)

// collapse replaces long rows of lines on which nothing but data and their
// acknowledgements move, and the middle of what is still too long.
func collapse(all []rung) []rung {
	var out []rung
	for i := 0; i < len(all); {
		n, probes := 0, false
		for i+n < len(all) && all[i+n].ordinary() && (n == 0 || all[i+n].alike(all[i:i+n])) {
			probe := all[i+n].probe() || n > 0 && probes && all[i+n].answers(&all[i+n-1])
			if n > 0 && probe != probes {
				break
			}
			probes = probe
			n++
		}
		switch {
		case n == 0:
			out = append(out, all[i])
			n = 1
		case n < longRun:
			out = append(out, all[i:i+n]...)
		default:
			out = append(out, all[i:i+runHead]...)
			out = append(out, rung{at: all[i+n-runTail].at, part: gap, omitted: all[i+runHead : i+n-runTail]})
			out = append(out, all[i+n-runTail:i+n]...)
		}
		i += n
	}
	if len(out) <= mostLines {
		return out
	}
	first, rest := mostLines-lastLines, len(out)-lastLines
	middle := rung{at: out[rest].at, part: gap}
	for i := first; i < rest; i++ {
		if out[i].part == gap {
			middle.omitted = append(middle.omitted, out[i].omitted...)
		} else {
			middle.omitted = append(middle.omitted, out[i])
		}
	}
	return append(append(append([]rung{}, out[:first]...), middle), out[rest:]...)
}

// ordinary reports whether nothing needs to be said about a line.
func (r *rung) ordinary() bool {
	if r.part > arriving || r.passage.Fate == Copy || r.passage.By != "" {
		return false
	}
	switch r.passage.Cause {
	case tcpmodel.CauseRetransmit, tcpmodel.CauseFastRetransmit, tcpmodel.CauseChallengeAck, tcpmodel.CauseReset:
		return false
	}
	return r.passage.Segment.Flags&(segment.SYN|segment.FIN|segment.RST|segment.CWR) == 0
}

func (r *rung) probe() bool {
	return r.passage.Cause == tcpmodel.CauseKeepalive || r.passage.Cause == tcpmodel.CauseProbe
}

// answers reports whether a line may be the answer to a probe on the one before.
func (r *rung) answers(before *rung) bool {
	return r.passage.Passive != before.passage.Passive && r.passage.Segment.Len == 0 || r.passage == before.passage
}

// alike reports whether the states are those of the lines before, and whether
// the end goes on to echo marks, or not to.
func (r *rung) alike(before []rung) bool {
	for i := len(before) - 1; i >= 0; i-- {
		if p := before[i].passage; before[i].part == r.part && p.Passive == r.passage.Passive {
			if (p.Segment.Flags^r.passage.Segment.Flags)&segment.ECE != 0 {
				return false
			}
			break
		}
	}
	for k := range r.states {
		if !r.seen[k] {
			continue
		}
		for i := len(before) - 1; i >= 0; i-- {
			if before[i].seen[k] {
				if before[i].states[k] != r.states[k] {
					return false
				}
				break
			}
		}
	}
	return true
}
