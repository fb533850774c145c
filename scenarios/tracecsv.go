package scenarios

import (
	"bytes"
	"encoding/csv"
	"strconv"

	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// traceDir is where the traces are.
const traceDir = "trace"

// traceCSV writes a trace, one event a line: when it happened at which end, the
// state of that end after it, and the segment. Numbers of segments count from
// the initial sequence number, the window is in bytes.
func traceCSV(t *measure.Trace) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	err := w.Write([]string{"time_s", "end", "event", "state", "segment", "cause", "seq", "ack", "data_bytes", "window_bytes"})
	states := [2]tcpmodel.State{t.Initial(false), t.Initial(true)}
	for i := range t.Events {
		if err != nil {
			break
		}
		e := &t.Events[i]
		end, k := "active", 0
		if e.Passive {
			end, k = "passive", 1
		}
		if e.Kind == measure.StateChange {
			states[k] = e.To
			err = w.Write([]string{seconds(e.Time), end, e.Kind.String(), e.To.String(), "", e.Cause.String(), "", "", "", ""})
			continue
		}
		sender := e.Passive != (e.Kind == measure.SegmentIn)
		seq, ack := t.Relative(sender, &e.Segment)
		acknowledged := ""
		if e.Segment.Has(segment.ACK) {
			acknowledged = strconv.FormatUint(uint64(ack), 10)
		}
		cause := e.Cause.String()
		if e.Link != "" {
			cause = e.Link
		}
		err = w.Write([]string{seconds(e.Time), end, e.Kind.String(), states[k].String(),
			measure.Notation{}.Write(t, sender, &e.Segment), cause, strconv.FormatUint(uint64(seq), 10), acknowledged,
			strconv.FormatUint(uint64(e.Segment.Len), 10), strconv.FormatUint(t.Window(sender, &e.Segment), 10)})
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return out.Bytes(), err
}
