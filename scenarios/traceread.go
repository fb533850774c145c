package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Traced says which connection a file of trace/ is about.
type Traced struct {
	Connection int `json:"connection"`
	// Active and Passive are the hosts of its ends, "" for one that never was.
	Active  string `json:"active"`
	Passive string `json:"passive"`
	// LeftOut is how many events came after the trace was full.
	LeftOut int `json:"left_out,omitempty"`
	// Translated says that a middlebox changed the numbers of the active and of
	// the passive end.
	Translated [2]bool `json:"translated,omitzero"`
}

func tracedOf(list []measure.Trace) (out []Traced) {
	for i := range list {
		t := &list[i]
		out = append(out, Traced{t.Number, t.Active.Host, t.Passive.Host, t.LeftOut, [2]bool{t.Active.Translated, t.Passive.Translated}})
	}
	return out
}

// ReadTraces reads the traces of a results directory, in the order of the
// numbers of their connections. Sequence numbers count from the initial ones, as
// in the files. What a manifest of an older version does not tell of the ends is
// read from the connection table.
func (m *Manifest) ReadTraces(dir string) ([]measure.Trace, error) {
	traced := m.Traced
	if traced == nil {
		var err error
		if traced, err = findTraces(dir); err != nil {
			return nil, err
		}
	}
	var list []measure.Trace
	for _, x := range traced {
		t, err := readTrace(filepath.Join(dir, traceDir, strconv.Itoa(x.Connection)+".csv"))
		if err != nil {
			return nil, err
		}
		t.Number, t.LeftOut, t.Active.Host, t.Passive.Host = x.Connection, x.LeftOut, x.Active, x.Passive
		t.Active.Translated, t.Passive.Translated = x.Translated[0], x.Translated[1]
		list = append(list, *t)
	}
	return list, nil
}

// findTraces looks which connections are traced.
func findTraces(dir string) ([]Traced, error) {
	files, err := os.ReadDir(filepath.Join(dir, traceDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, connectionsName)
	rows, columns, err := readTable(path)
	if err != nil {
		return nil, err
	}
	var list []Traced
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".csv")
		number, err := strconv.Atoi(name)
		if !ok || err != nil {
			continue
		}
		x := Traced{Connection: number}
		for _, row := range rows {
			if i, ok := columns["passive_host"]; ok && row[columns["connection"]] == name {
				x.Active, x.Passive = row[columns["active_host"]], row[i]
			}
		}
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b Traced) int { return cmp.Compare(a.Connection, b.Connection) })
	return list, nil
}

// readTrace reads one trace.
func readTrace(path string) (*measure.Trace, error) {
	rows, columns, err := readTable(path)
	if err != nil {
		return nil, err
	}
	for _, name := range traceHeader[:10] {
		if _, ok := columns[name]; !ok {
			return nil, fmt.Errorf("%s: there is no column %s", path, name)
		}
	}
	t := &measure.Trace{Until: math.MaxInt64, Active: measure.TraceEnd{Synced: true}, Passive: measure.TraceEnd{Synced: true}}
	r := traceReader{columns: columns, trace: t}
	for i, row := range rows {
		if err := r.add(row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+2, err)
		}
	}
	r.scale()
	return t, nil
}

type traceReader struct {
	columns map[string]int
	trace   *measure.Trace
	states  [2]tcpmodel.State
	windows []uint64 // of the events
	row     []string
	err     error
}

func (r *traceReader) cell(name string) string {
	if i, ok := r.columns[name]; ok {
		return r.row[i]
	}
	return ""
}

// number reads a count, 0 where there is none.
func (r *traceReader) number(name string) uint64 {
	text := r.cell(name)
	if text == "" {
		return 0
	}
	v, err := strconv.ParseUint(text, 10, 64)
	r.err = errors.Join(r.err, err)
	return v
}

// instant reads a time in seconds, 0 where there is none.
func (r *traceReader) instant(name string) des.Time {
	text := r.cell(name)
	if text == "" {
		return 0
	}
	v, err := strconv.ParseFloat(text, 64)
	r.err = errors.Join(r.err, err)
	return des.Time(math.Round(v * 1e9))
}

func (r *traceReader) add(row []string) error {
	r.row, r.err = row, nil
	e := measure.Event{Time: r.instant("time_s")}
	var known [3]bool
	e.Kind, known[0] = measure.ParseEventKind(r.cell("event"))
	state, ok := tcpmodel.ParseState(r.cell("state"))
	known[1], known[2] = ok, true
	k := slices.Index(endNames[:], r.cell("end"))
	e.Passive = k == 1
	switch e.Kind {
	case measure.StateChange, measure.SegmentOut, measure.SegmentIn:
		e.Cause, known[2] = tcpmodel.ParseCause(r.cell("cause"))
	default:
		e.Link = r.cell("cause")
	}
	if k < 0 || known != [3]bool{true, true, true} {
		return fmt.Errorf("unknown end, event, state or cause in %q", strings.Join(row, ","))
	}
	if e.Kind == measure.StateChange {
		e.From, e.To = r.states[k], state
	} else {
		r.segment(&e.Segment)
	}
	if e.Kind == measure.SegmentMade && e.Passive && e.Segment.Has(segment.SYN) {
		r.trace.Passive.Translated = true // by a SYN proxy
	}
	r.states[k] = state
	e.Sender = measure.Sender{Cwnd: uint32(r.number("cwnd")), Ssthresh: uint32(r.number("ssthresh")),
		InFlight: uint32(r.number("in_flight")), SRTT: r.instant("srtt_s"), RTO: r.instant("rto_s")}
	if e.Sender.Known() && r.cell("ssthresh") == "" {
		e.Sender.Ssthresh = measure.InfiniteThreshold
	}
	r.trace.Events = append(r.trace.Events, e)
	r.windows = append(r.windows, r.number("window_bytes"))
	return r.err
}

func (r *traceReader) segment(s *segment.Segment) {
	_, flags, _ := strings.Cut(r.cell("segment"), "<CTL=")
	flags, _, _ = strings.Cut(flags, ">")
	f, ok := segment.ParseFlags(flags)
	if !ok {
		r.err = errors.Join(r.err, fmt.Errorf("unknown flags %q", flags))
	}
	s.Flags, s.Seq, s.Ack, s.Len = f, segment.Seq(r.number("seq")), segment.Seq(r.number("ack")), uint32(r.number("data_bytes"))
	if r.cell("tsval") != "" {
		s.Opts |= segment.OptTimestamps
		s.TSVal, s.TSEcr = uint32(r.number("tsval")), uint32(r.number("tsecr"))
	}
	for block := range strings.FieldsSeq(r.cell("sack")) {
		left, right, _ := strings.Cut(block, "-")
		from, err1 := strconv.ParseUint(left, 10, 32)
		until, err2 := strconv.ParseUint(right, 10, 32)
		r.err = errors.Join(r.err, err1, err2)
		if int(s.NumSACK) < len(s.SACK) {
			s.SACK[s.NumSACK] = segment.Block{Left: segment.Seq(from), Right: segment.Seq(until)}
			s.NumSACK++
		}
	}
}

// scale has the windows, which are in bytes, fit into segments.
func (r *traceReader) scale() {
	var top [2]uint64 // by sender
	sender := func(e *measure.Event) int {
		if e.Passive != (e.Kind == measure.SegmentIn) {
			return 1
		}
		return 0
	}
	for i := range r.trace.Events {
		if e := &r.trace.Events[i]; e.Segment.Flags&segment.SYN == 0 {
			top[sender(e)] = max(top[sender(e)], r.windows[i])
		}
	}
	shifts := [2]int{max(0, bits.Len64(top[0])-16), max(0, bits.Len64(top[1])-16)}
	r.trace.Active.WScale, r.trace.Passive.WScale = shifts[0], shifts[1]
	for i := range r.trace.Events {
		e := &r.trace.Events[i]
		if e.Segment.Flags&segment.SYN != 0 {
			e.Segment.Wnd = uint16(r.windows[i]) // is never scaled
		} else {
			e.Segment.Wnd = uint16(r.windows[i] >> shifts[sender(e)])
		}
	}
}
