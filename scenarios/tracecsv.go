package scenarios

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// traceDir is where the traces are.
const traceDir = "trace"

// traceHeader is the first line of a trace. Files of older versions end after
// window_bytes.
var traceHeader = []string{"time_s", "end", "event", "state", "segment", "cause", "seq", "ack", "data_bytes", "window_bytes",
	"sack", "tsval", "tsecr", "cwnd", "ssthresh", "in_flight", "srtt_s", "rto_s"}

// traceCSV writes a trace, one event a line: when it happened at which end, the
// state of that end after it, the segment, and what the sender of that end knows.
// Numbers of segments count from the initial sequence number, the window is in
// bytes, cwnd, ssthresh and in_flight are in segments.
func traceCSV(t *measure.Trace) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	err := w.Write(traceHeader)
	states := [2]tcpmodel.State{t.Initial(false), t.Initial(true)}
	for i := range t.Events {
		if err != nil {
			break
		}
		e := &t.Events[i]
		k := 0
		if e.Passive {
			k = 1
		}
		if e.Kind == measure.StateChange {
			states[k] = e.To
		}
		row := append(make([]string, 0, len(traceHeader)), seconds(e.Time), endNames[k], e.Kind.String(), states[k].String())
		row = append(row, segmentCells(t, e)...)
		err = w.Write(append(row, senderCells(&e.Sender)...))
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return out.Bytes(), err
}

var endNames = [2]string{"active", "passive"}

// segmentCells are the columns from segment to tsecr.
func segmentCells(t *measure.Trace, e *measure.Event) []string {
	cause := e.Cause.String()
	if e.Link != "" {
		cause = e.Link
	}
	if e.Kind == measure.StateChange {
		return []string{"", cause, "", "", "", "", "", "", ""}
	}
	s := &e.Segment
	sender := e.Passive != (e.Kind == measure.SegmentIn)
	seq, ack := t.Relative(sender, s)
	acknowledged := ""
	if s.Has(segment.ACK) {
		acknowledged = strconv.FormatUint(uint64(ack), 10)
	}
	var blocks []string
	receiver := t.End(!sender)
	for _, b := range s.SACK[:s.NumSACK] {
		blocks = append(blocks, fmt.Sprintf("%d-%d", uint32(b.Left-receiver.ISS), uint32(b.Right-receiver.ISS)))
	}
	val, echo := "", ""
	if s.Opts&segment.OptTimestamps != 0 {
		val, echo = strconv.FormatUint(uint64(s.TSVal), 10), strconv.FormatUint(uint64(s.TSEcr), 10)
	}
	return []string{measure.Notation{}.Write(t, sender, s), cause, strconv.FormatUint(uint64(seq), 10), acknowledged,
		strconv.FormatUint(uint64(s.Len), 10), strconv.FormatUint(t.Window(sender, s), 10), strings.Join(blocks, " "), val, echo}
}

// senderCells are the columns from cwnd on.
func senderCells(s *measure.Sender) []string {
	if !s.Known() {
		return []string{"", "", "", "", ""}
	}
	count := func(v uint32) string { return strconv.FormatUint(uint64(v), 10) }
	threshold, srtt := "", ""
	if s.Ssthresh < measure.InfiniteThreshold {
		threshold = count(s.Ssthresh)
	}
	if s.SRTT > 0 {
		srtt = seconds(s.SRTT)
	}
	return []string{count(s.Cwnd), threshold, count(s.InFlight), srtt, seconds(s.RTO)}
}
