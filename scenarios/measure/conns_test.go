package measure

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// tables are two hosts, nodes 1 and 2, and what is needed to walk connections
// between them through their states.
type tables struct {
	t              *testing.T
	r              *Recorder
	client, server *Host
	now            des.Time
}

func newTables(t *testing.T, o Options) *tables {
	o.Interval, o.Until = des.Second, 10*des.Second
	_, r := newRecorder(t, o)
	return &tables{t: t, r: r, client: r.Host("client", 1), server: r.Host("server", 2)}
}

func (x *tables) move(h *Host, c tcpmodel.Conn, states ...tcpmodel.State) {
	for i := 1; i < len(states); i++ {
		x.now++
		h.TraceState(x.now, c, states[i-1], states[i], tcpmodel.CauseSegment)
	}
}

func conns(port uint16, serial uint32) (client, server tcpmodel.Conn) {
	return tcpmodel.Conn{Local: 1, Remote: 2, LocalPort: port, RemotePort: 80, Serial: serial},
		tcpmodel.Conn{Local: 2, Remote: 1, LocalPort: 80, RemotePort: port, Serial: serial + 100}
}

// TestRowHasBothEnds: the two ends meet in one row, whichever of the last
// change of state and the last figures comes first; a half-open entry that
// expired before does not stay.
func TestRowHasBothEnds(t *testing.T) {
	x := newTables(t, Options{})
	c, s := conns(5000, 1)
	x.move(x.client, c, tcpmodel.Closed, tcpmodel.SynSent)
	x.move(x.server, s, tcpmodel.Closed, tcpmodel.Listen, tcpmodel.SynReceived, tcpmodel.Listen)
	x.server.TraceEnd(x.now, s, &tcpmodel.ConnStats{Passive: true})
	s.Serial++
	x.move(x.server, s, tcpmodel.Closed, tcpmodel.Listen, tcpmodel.SynReceived)
	halfOpen := x.now
	x.move(x.client, c, tcpmodel.SynSent, tcpmodel.Established)
	x.move(x.server, s, tcpmodel.SynReceived, tcpmodel.Established, tcpmodel.CloseWait, tcpmodel.LastAck)
	x.client.Snapshot(c, &tcpmodel.ConnStats{BytesSent: 1})
	x.client.TraceEnd(x.now, c, &tcpmodel.ConnStats{BytesSent: 7})
	x.client.Snapshot(c, &tcpmodel.ConnStats{BytesSent: 9}) // too late
	x.move(x.client, c, tcpmodel.Established, tcpmodel.FinWait1, tcpmodel.FinWait2, tcpmodel.TimeWait, tcpmodel.Closed)
	gone := x.now
	x.move(x.server, s, tcpmodel.LastAck, tcpmodel.Closed)
	x.server.TraceEnd(x.now, s, &tcpmodel.ConnStats{Passive: true, BytesReceived: 7})
	x.r.Finish()
	table := x.r.Connections()
	if len(table.Rows) != 1 || table.LeftOut != 0 {
		t.Fatalf("%+v", table)
	}
	a, p := &table.Rows[0].Active, &table.Rows[0].Passive
	if a.Host != "client" || p.Host != "server" || p.Port != 80 || a.Stats.BytesSent != 7 || p.Stats.BytesReceived != 7 {
		t.Errorf("ends %+v and %+v", a, p)
	}
	if p.Entered[tcpmodel.SynReceived] != halfOpen || a.Entered[tcpmodel.Closed] != gone || a.Entered[tcpmodel.SynReceived] != des.Never {
		t.Errorf("times %v and %v", a.Entered, p.Entered)
	}
	if len(x.client.ends) != 0 || len(x.server.ends) != 0 || len(x.r.table.open) != 0 {
		t.Errorf("kept %v, %v, %v", x.client.ends, x.server.ends, x.r.table.open)
	}
}

// TestRowLimit: connections beyond the limit are counted, at one end only;
// half-open entries of a flood are counted and make no row; what is
// established without an active end gets a row.
func TestRowLimit(t *testing.T) {
	x := newTables(t, Options{Rows: 3})
	for i := range uint16(5) {
		c, s := conns(5000+i, uint32(i))
		x.move(x.client, c, tcpmodel.Closed, tcpmodel.SynSent)
		x.move(x.server, s, tcpmodel.Closed, tcpmodel.Listen, tcpmodel.SynReceived, tcpmodel.Established)
		x.move(x.client, c, tcpmodel.SynSent, tcpmodel.Established)
		flood := tcpmodel.Conn{Local: 2, Remote: 77, LocalPort: 80, RemotePort: i, Serial: 1000 + uint32(i)}
		x.move(x.server, flood, tcpmodel.Closed, tcpmodel.Listen, tcpmodel.SynReceived, tcpmodel.Closed)
		if i == 1 {
			forged := tcpmodel.Conn{Local: 2, Remote: 78, LocalPort: 80, RemotePort: 1, Serial: 2000}
			x.move(x.server, forged, tcpmodel.Closed, tcpmodel.Listen, tcpmodel.SynReceived, tcpmodel.Established)
		}
	}
	x.r.Finish()
	table := x.r.Connections()
	if len(table.Rows) != 3 || table.LeftOut != 3 || table.HalfOpen != 5 {
		t.Errorf("%d rows, %d left out, %d half-open, want 3, 3, 5", len(table.Rows), table.LeftOut, table.HalfOpen)
	}
	if forged := table.Rows[2]; forged.Active.Host != "" || forged.Passive.Node != 2 {
		t.Errorf("row of a forged third segment: %+v", forged)
	}
	for i := range table.Rows[:2] {
		if table.Rows[i].Passive.Host != "server" || table.Rows[i].Number != i+1 {
			t.Errorf("row %+v", table.Rows[i])
		}
	}
	if got := x.server.State(tcpmodel.Established).Value(); got != 6 {
		t.Errorf("%d established at the server, want 6", got)
	}
	if got := x.server.State(tcpmodel.SynReceived).Value(); got != 0 {
		t.Errorf("%d half-open at the server, want 0", got)
	}
}

// TestReuse: a connection on the ports of an earlier one has a row of its own,
// and the end of the earlier one does not disturb it.
func TestReuse(t *testing.T) {
	x := newTables(t, Options{})
	first, _ := conns(5000, 1)
	second, s := conns(5000, 2)
	x.move(x.client, first, tcpmodel.Closed, tcpmodel.SynSent, tcpmodel.Established, tcpmodel.FinWait1, tcpmodel.FinWait2, tcpmodel.TimeWait)
	x.client.TraceEnd(x.now, first, &tcpmodel.ConnStats{})
	x.move(x.client, second, tcpmodel.Closed, tcpmodel.SynSent)
	x.move(x.client, first, tcpmodel.TimeWait, tcpmodel.Closed)
	x.move(x.server, s, tcpmodel.Closed, tcpmodel.Listen, tcpmodel.SynReceived)
	x.r.Finish()
	if rows := x.r.Connections().Rows; len(rows) != 2 || rows[0].Passive.Host != "" || rows[1].Passive.Host != "server" {
		t.Errorf("%+v", rows)
	}
}

// TestSimultaneousOpen: two active ends share a row.
func TestSimultaneousOpen(t *testing.T) {
	x := newTables(t, Options{})
	c, s := conns(5000, 1)
	x.move(x.client, c, tcpmodel.Closed, tcpmodel.SynSent)
	x.move(x.server, s, tcpmodel.Closed, tcpmodel.SynSent)
	x.move(x.client, c, tcpmodel.SynSent, tcpmodel.SynReceived, tcpmodel.Established)
	x.move(x.server, s, tcpmodel.SynSent, tcpmodel.SynReceived, tcpmodel.Established)
	x.r.Finish()
	rows := x.r.Connections().Rows
	if len(rows) != 1 || rows[0].Passive.Entered[tcpmodel.SynSent] != 2 || rows[0].Active.Entered[tcpmodel.SynSent] != 1 {
		t.Errorf("%+v", rows)
	}
}

// TestTrace: the events of the chosen connection alone, the SYN at the passive
// end included, up to the bound.
func TestTrace(t *testing.T) {
	x := newTables(t, Options{TraceConns: []int{2, 2, 9, 0}, TraceEvents: 6})
	for i := range uint16(3) {
		c, s := conns(5000+i, uint32(i))
		x.move(x.client, c, tcpmodel.Closed, tcpmodel.SynSent)
		syn := segment.Segment{Src: 1, Dst: 2, SrcPort: 5000 + i, DstPort: 80, Flags: segment.SYN}
		x.client.TraceSegment(x.now, c, true, &syn, tcpmodel.CauseUser)
		x.server.TraceSegment(x.now, tcpmodel.Conn{}, false, &syn, tcpmodel.CauseNone)
		x.move(x.server, s, tcpmodel.Closed, tcpmodel.Listen, tcpmodel.SynReceived)
		x.move(x.client, c, tcpmodel.SynSent, tcpmodel.Established, tcpmodel.FinWait1, tcpmodel.FinWait2, tcpmodel.TimeWait)
	}
	x.r.Finish()
	traces := x.r.Connections().Traces
	if len(traces) != 1 || traces[0].Number != 2 || traces[0].LeftOut != 2 {
		t.Fatalf("%+v", traces)
	}
	want := []struct {
		kind    EventKind
		passive bool
	}{{StateChange, false}, {SegmentOut, false}, {SegmentIn, true}, {StateChange, true}, {StateChange, false}, {StateChange, false}}
	for i, e := range traces[0].Events {
		if e.Kind != want[i].kind || e.Passive != want[i].passive || (e.Kind != StateChange) != (e.Segment.SrcPort == 5001) {
			t.Errorf("event %d: %+v", i, e)
		}
	}
}
