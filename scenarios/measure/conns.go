package measure

import (
	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Row is one connection of the connection table.
type Row struct {
	// Number counts the connections from 1, in the order in which they were
	// opened.
	Number int
	// Active is the end that opened the connection, Passive the other one;
	// in a simultaneous open Passive is the end that opened second. Either
	// may be missing (Host is then ""), as the passive end of a SYN without
	// an answer.
	Active, Passive End
}

// End is one end of a connection.
type End struct {
	// Host is the name of the host, "" if there was no such end.
	Host string
	// Node and Port are its address.
	Node segment.Node
	Port uint16
	// Entered is when the connection first came into each state at this
	// end, des.Never if it did not. Entered[CLOSED] is when its state was
	// gone, also when a half-open entry went back to LISTEN.
	Entered [tcpmodel.NumStates]des.Time
	// Stats is what the end did. Known is false if it lived on without a
	// user, as in TIME-WAIT, when the run ended; Stats is then empty.
	Stats tcpmodel.ConnStats
	Known bool

	final bool // Stats are the last ones
}

// ConnTable is the connections of a run.
type ConnTable struct {
	Rows []Row
	// LeftOut is the number of connections opened after the table was full.
	LeftOut int
	// HalfOpen is the number of half-open entries that ended without ever
	// being established and that belong to no row: those of a flood.
	HalfOpen int
	// Traces are the events of the chosen connections, in the order of their
	// numbers; those that do not exist are missing.
	Traces []Trace
}

// fourTuple is a connection as its active end sees it.
type fourTuple struct {
	local, remote         segment.Node
	localPort, remotePort uint16
}

// endRef says which end of which row a connection of a host is.
type endRef struct {
	row     int32
	passive bool
}

// connTable fills a ConnTable from what the hosts trace. Its maps are only
// looked up, never walked.
type connTable struct {
	out    ConnTable
	limit  int
	traces traceTable
	// open has the rows whose active end exists, for passive ends to join.
	open map[fourTuple]int32
	// translations are the NATs in the path.
	translations []translation
	scratch      segment.Segment
}

func (t *connTable) init(o Options) {
	t.limit = o.Rows
	t.open = make(map[fourTuple]int32)
	t.traces.init(o)
}

func (t *connTable) finish() { t.out.Traces = t.traces.finish() }

// state notes a change of state of connection c of host h.
func (t *connTable) state(now des.Time, h *Host, c tcpmodel.Conn, from, to tcpmodel.State, why tcpmodel.Cause) {
	ref, known := h.ends[c]
	if !known {
		if !counted(to) {
			if from == tcpmodel.SynReceived {
				t.out.HalfOpen++
			}
			return
		}
		if ref, known = t.join(h, c, to); !known {
			return
		}
		h.ends[c] = ref
	}
	end := t.endOf(ref)
	if !counted(to) { // CLOSED, or LISTEN for a half-open entry that ended
		end.Entered[tcpmodel.Closed] = now
	} else if end.Entered[to] == des.Never {
		end.Entered[to] = now
	}
	if t.traces.on {
		t.traces.state(now, h, c, from, to, why)
	}
	if !counted(to) && end.final {
		t.forget(h, c, ref)
	}
}

// join finds or makes the row of a connection that is new at h. A passive end
// joins the row of its active end; one that has none, as when a third segment
// was forged, gets a row once it is established.
func (t *connTable) join(h *Host, c tcpmodel.Conn, to tcpmodel.State) (endRef, bool) {
	passive := to != tcpmodel.SynSent
	reverse := t.canonical(fourTuple{c.Remote, c.Local, c.RemotePort, c.LocalPort})
	if row, found := t.open[reverse]; found {
		ref := endRef{row, true}
		t.begin(ref, h, c)
		t.traces.join(h, c.Serial, row)
		return ref, true
	}
	if passive && to == tcpmodel.SynReceived {
		return endRef{}, false
	}
	if len(t.out.Rows) >= t.limit {
		if !passive {
			t.out.LeftOut++
		}
		return endRef{}, false
	}
	row := int32(len(t.out.Rows))
	t.out.Rows = append(t.out.Rows, Row{Number: int(row) + 1})
	ref := endRef{row, passive}
	t.begin(ref, h, c)
	tuple := fourTuple{c.Local, c.Remote, c.LocalPort, c.RemotePort}
	if !passive {
		t.open[tuple] = row
	}
	t.traces.begin(h, c.Serial, row, tuple, passive)
	return ref, true
}

// begin sets the end up, anew if a half-open entry of it expired before.
func (t *connTable) begin(ref endRef, h *Host, c tcpmodel.Conn) {
	end := t.endOf(ref)
	*end = End{Host: h.name, Node: c.Local, Port: c.LocalPort}
	for s := range end.Entered {
		end.Entered[s] = des.Never
	}
}

func (t *connTable) endOf(ref endRef) *End {
	row := &t.out.Rows[ref.row]
	if ref.passive {
		return &row.Passive
	}
	return &row.Active
}

// end takes the figures of connection c; final says that they change no more.
// A connection is forgotten when its figures are final and its state is gone,
// whichever comes first.
func (t *connTable) end(h *Host, c tcpmodel.Conn, s *tcpmodel.ConnStats, final bool) {
	ref, known := h.ends[c]
	if !known {
		return
	}
	end := t.endOf(ref)
	if end.final {
		return
	}
	end.Stats, end.Known, end.final = *s, true, final
	if final && end.Entered[tcpmodel.Closed] != des.Never {
		t.forget(h, c, ref)
	}
}

func (t *connTable) forget(h *Host, c tcpmodel.Conn, ref endRef) {
	delete(h.ends, c)
	tuple := fourTuple{c.Local, c.Remote, c.LocalPort, c.RemotePort}
	if row, found := t.open[tuple]; found && !ref.passive && row == ref.row {
		delete(t.open, tuple)
		t.traces.gone(row)
	}
}

// Connections returns the connection table. Call it after Finish.
func (r *Recorder) Connections() *ConnTable { return &r.table.out }
