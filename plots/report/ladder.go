package report

import (
	"encoding/json"
	"fmt"
	"strings"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel/segment"
)

// Bounds of what a page has of connections.
const (
	// LadderEvents is how many events all of them have together.
	LadderEvents = 12_000
	mostLadders  = 12
)

// ladder is a connection as the script draws it. Times are in nanoseconds from
// its first event.
type ladder struct {
	Number int          `json:"number"`
	Start  int64        `json:"start"` // in simulated time
	Ends   [2]ladderEnd `json:"ends"`
	// Passages are in the order in which they left.
	Passages []passage `json:"passages"`
	Timers   []timer   `json:"timers"`
	// LeftOut is how many events are not here, Kept how many are.
	LeftOut int `json:"leftOut,omitempty"`
	Kept    int `json:"kept"`

	Text string `json:"-"`
}

// ladderEnd is one end: its states, each with the time at which it was entered
// and why, and its sender: time, cwnd, ssthresh (-1 for none), segments in
// flight, SRTT and RTO in microseconds.
type ladderEnd struct {
	Host   string     `json:"host"`
	States []stateAt  `json:"states"`
	Sender [][6]int64 `json:"sender"`
}

type stateAt struct {
	At    int64  `json:"at"`
	State string `json:"state"`
	Why   string `json:"why,omitempty"`
}

// passage is a segment on its way: Sent and Arrived are -1 if that is not known
// or did not happen, Gone is when it was lost. Ack is -1 without one.
type passage struct {
	From                int // the end that sent it
	Sent, Arrived, Gone int64
	Flags               string
	Seq                 uint32
	Ack                 int64
	Len                 uint32
	Window              uint64
	Fate, SACK          string // Fate is "" if it arrived
	By, Remark          string // By is the middlebox that sent it
	Again               bool   // a retransmission
}

// MarshalJSON writes a row without names, since there are many: what ladder.js
// reads in this order, without what is empty at the end.
func (p passage) MarshalJSON() ([]byte, error) {
	row := []any{p.From, p.Sent, p.Arrived, p.Gone, p.Flags, p.Seq, p.Ack, p.Len, p.Window, p.Fate, p.SACK, p.By, p.Remark, p.Again}
	if p.Again {
		return json.Marshal(row)
	}
	row = row[:len(row)-1]
	for len(row) > 0 && row[len(row)-1] == "" {
		row = row[:len(row)-1]
	}
	return json.Marshal(row)
}

type timer struct {
	End   int    `json:"end"`
	From  int64  `json:"from"`
	Until int64  `json:"until"`
	Label string `json:"label"`
}

var fates = [...]string{measure.Delivered: "", measure.Lost: "lost", measure.Dropped: "dropped", measure.OnItsWay: "on its way", measure.Copy: "copy",
	measure.Answered: "answered"}

// ladders prepares traces, in their order, until there are too many events.
func ladders(traces []measure.Trace) []ladder {
	out := []ladder{}
	left := LadderEvents
	for i := range traces {
		if i == mostLadders || left == 0 {
			break
		}
		t := traces[i]
		// The connections to come have their part of what is left.
		most := max(left/min(len(traces)-i, mostLadders-i), 1)
		if len(t.Events) > most {
			t.LeftOut += len(t.Events) - most
			t.Events = t.Events[:most]
		}
		left -= len(t.Events)
		out = append(out, newLadder(&t))
	}
	return out
}

func newLadder(t *measure.Trace) ladder {
	l := measure.NewLadder(t)
	out := ladder{Number: t.Number, Passages: []passage{}, Timers: []timer{}, LeftOut: t.LeftOut, Kept: len(t.Events)}
	if len(t.Events) > 0 {
		out.Start = int64(l.Start)
	}
	since := func(at des.Time) int64 {
		if at == des.Never {
			return -1
		}
		return int64(max(at-des.Time(out.Start), 0))
	}
	for k := range out.Ends {
		e := &out.Ends[k]
		e.Host, e.States, e.Sender = t.End(k == 1).Host, []stateAt{}, [][6]int64{}
		for _, s := range l.States[k] {
			e.States = append(e.States, stateAt{since(s.From), s.State.String(), s.Why.String()})
		}
		e.sender(t, k == 1, since)
	}
	for i := range l.Passages {
		out.Passages = append(out.Passages, newPassage(t, &l.Passages[i], since))
	}
	for i := range l.Timers {
		x := &l.Timers[i]
		out.Timers = append(out.Timers, timer{index(x.Passive), since(x.From), since(x.Until), x.Label(measure.English)})
	}
	out.Text = ladderText(l)
	return out
}

func index(passive bool) int {
	if passive {
		return 1
	}
	return 0
}

// sender adds what the sender of an end knows, where that changes.
func (e *ladderEnd) sender(t *measure.Trace, passive bool, since func(des.Time) int64) {
	for i := range t.Events {
		x := &t.Events[i]
		if x.Passive != passive || !x.Sender.Known() {
			continue
		}
		s := &x.Sender
		row := [6]int64{since(x.Time), int64(s.Cwnd), int64(s.Ssthresh), int64(s.InFlight), int64(s.SRTT / des.Microsecond), int64(s.RTO / des.Microsecond)}
		if s.Ssthresh >= measure.InfiniteThreshold {
			row[2] = -1
		}
		if n := len(e.Sender); n > 0 && [5]int64(e.Sender[n-1][1:]) == [5]int64(row[1:]) {
			continue
		}
		e.Sender = append(e.Sender, row)
	}
}

func newPassage(t *measure.Trace, p *measure.Passage, since func(des.Time) int64) passage {
	s := &p.Segment
	seq, ack := t.Relative(p.Passive, s)
	out := passage{From: index(p.Passive), Sent: since(p.Sent), Arrived: since(p.Arrived), Gone: since(p.Gone), Fate: fates[p.Fate],
		Flags: (s.Flags &^ (segment.PSH | segment.ECE | segment.CWR | segment.AE)).String(), Seq: seq, Ack: -1, Len: s.Len,
		Window: t.Window(p.Passive, s), Remark: p.Remark(measure.English), Again: p.Repeated(), By: p.By}
	if s.Has(segment.ACK) {
		out.Ack = int64(ack)
	}
	var blocks []string
	for _, b := range s.SACK[:s.NumSACK] {
		base := t.End(!p.Passive).ISS
		blocks = append(blocks, fmt.Sprintf("%d-%d", uint32(b.Left-base), uint32(b.Right-base)))
	}
	out.SACK = strings.Join(blocks, " ")
	return out
}

// ladderText is the ladder as text, without the trailing line that speaks to
// users of the command line.
func ladderText(l *measure.Ladder) string {
	trace := *l.Trace
	trace.LeftOut = 0
	whole := *l
	whole.Trace = &trace
	return whole.String()
}
