package tcpmodel

import (
	"runtime"
	"testing"
	"unsafe"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// source writes whenever there is room, reader reads whatever comes.
type source struct{}

func (source) HandleEvents(_ des.Time, ep *Endpoint, ev Events) {
	if ev&(EvConnected|EvWritable) != 0 {
		for ep.Write(1<<20) > 0 {
		}
	}
}

type reader struct{}

func (reader) HandleEvents(_ des.Time, ep *Endpoint, ev Events) {
	for ev&EvReleased == 0 && ep.Read(1<<20) > 0 {
	}
}

func (reader) HandleAcceptable(_ des.Time, l *Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		ep.SetApp(reader{}, 0)
	}
}

// bulk returns a rig with a transfer under way that the receive window limits.
func bulk(t testing.TB, profile string) (*rig, *Endpoint) {
	t.Helper()
	g := newRig(t, profile, des.Millisecond, func(c *Config) { c.RmemDefault, c.Autotune = 200000, false })
	if _, err := g.b.Listen(80, 5, reader{}); err != nil {
		t.Fatal(err)
	}
	ep, err := g.a.Connect(2, 80, source{}, SocketOptions{SndBuf: 1000000})
	if err != nil {
		t.Fatal(err)
	}
	g.sim.Run(des.Second)
	return g, ep
}

// stopped returns an established endpoint of a stack that sends into nothing,
// and the segment with which its peer would go on.
func stopped(t testing.TB, profile string) (*rig, *Endpoint, segment.Segment) {
	t.Helper()
	g := newRig(t, profile, 0, nil)
	g.ab.to = nil
	if _, err := g.a.Listen(80, 5, reader{}); err != nil {
		t.Fatal(err)
	}
	var iss segment.Seq
	in := segment.Segment{Src: 2, Dst: 1, SrcPort: 5000, DstPort: 80, Seq: 300, Flags: segment.SYN, Wnd: 65535, Opts: segment.OptMSS, MSS: 1460}
	g.a.Receive(0, &in)
	iss = g.a.requests.entries[0].iss
	in.Seq, in.Ack, in.Flags, in.Opts = 301, iss+1, segment.ACK, 0
	g.a.Receive(0, &in)
	g.sim.Run(0)
	for _, ep := range g.a.endpoints {
		if ep != nil && ep.state == Established {
			return g, ep, in
		}
	}
	t.Fatal("not established")
	return nil, nil, in
}

// flood sends SYNs of ever new nodes to a stack, gap apart.
type flood struct {
	g    *rig
	gap  des.Time
	node segment.Node
	seg  segment.Segment
}

func newFlood(t testing.TB, gap des.Time, backlog int, tune func(c *Config)) *flood {
	t.Helper()
	g := newRig(t, "textbook", 0, func(c *Config) {
		c.Somaxconn, c.MaxSynBacklog = 1<<30, 1<<30
		if tune != nil {
			tune(c)
		}
	})
	g.ab.to = nil
	if _, err := g.a.Listen(80, backlog, nil); err != nil {
		t.Fatal(err)
	}
	return &flood{g: g, gap: gap, node: 1000, seg: segment.Segment{Dst: 1, DstPort: 80, Seq: 300, Flags: segment.SYN, Wnd: 65535, Opts: segment.OptMSS, MSS: 1460}}
}

func (f *flood) syn() {
	f.g.sim.Run(f.g.sim.Now() + f.gap)
	// 2^20 nodes and then the next port: no key comes again while it is in
	// the table.
	f.node++
	f.seg.Src, f.seg.SrcPort = 1000+f.node&(1<<20-1), uint16(1024+f.node>>20)
	f.g.a.Receive(f.g.sim.Now(), &f.seg)
}

// gate fails the test if f allocates.
func gate(t *testing.T, what string, runs int, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(runs, f); n != 0 {
		t.Errorf("%s: %v allocations", what, n)
	}
}

// TestTransferAllocations: sending and receiving allocate nothing in steady
// state.
func TestTransferAllocations(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		g, ep := bulk(t, profile)
		before := ep.stats.BytesSent
		gate(t, "50 ms of a bulk transfer", 20, func() { g.sim.Run(g.sim.Now() + 50*des.Millisecond) })
		if sent := ep.stats.BytesSent - before; sent < 1000000 {
			t.Errorf("%d bytes sent meanwhile", sent)
		}

		g, ep, in := stopped(t, profile)
		gate(t, "pure ACK with a window update", 1000, func() { in.Wnd ^= 1; g.a.Receive(g.sim.Now(), &in) })
		step := func() {
			ep.Write(1000)
			in.Ack = ep.sndNxt
			g.sim.Run(g.sim.Now() + des.Millisecond)
			g.a.Receive(g.sim.Now(), &in)
		}
		for range 100 {
			step()
		}
		gate(t, "segment sent, pure ACK taken", 1000, step)
		if ep.sndUna != ep.sndNxt || ep.unsent() != 0 || ep.bytesAcked() < 1000000 {
			t.Errorf("%d acknowledged, %d unsent", ep.bytesAcked(), ep.unsent())
		}
		in.Len, in.Stream = 1000, 7
		step = func() {
			g.sim.Run(g.sim.Now() + des.Millisecond)
			g.a.Receive(g.sim.Now(), &in)
			in.Seq, in.Offset = in.Seq+1000, in.Offset+1000
		}
		for range 100 {
			step()
		}
		acks := g.ab.count
		gate(t, "segment in order taken and read, ACK sent", 1000, step)
		if ep.stats.BytesReceived < 1000000 || ep.stats.ForeignBytes != 0 || g.ab.count-acks < 300 {
			t.Errorf("%d received, %d foreign, %d ACKs", ep.stats.BytesReceived, ep.stats.ForeignBytes, g.ab.count-acks)
		}
	})
}

// TestTableAllocations: nor do half-open connections and those in TIME-WAIT.
func TestTableAllocations(t *testing.T) {
	t.Run("SYN queued and expired", func(t *testing.T) {
		f := newFlood(t, 10*des.Millisecond, 1<<20, nil)
		for range 20000 {
			f.syn()
		}
		k := f.g.a.Counters()
		expired := k.RequestsExpired
		gate(t, "SYN", 2000, f.syn)
		if k.RequestsExpired-expired < 1900 || f.g.a.InState(SynReceived) != 6300 {
			t.Errorf("%d expired meanwhile, %d half-open", k.RequestsExpired-expired, f.g.a.InState(SynReceived))
		}
	})
	t.Run("SYN dropped", func(t *testing.T) {
		f := newFlood(t, 0, 100, nil)
		for range 200 {
			f.syn()
		}
		gate(t, "SYN", 1000, f.syn)
		if n := f.g.a.Counters().TCPReqQFullDrop; n < 1000 {
			t.Errorf("%d dropped", n)
		}
	})
	t.Run("SYN answered with a cookie", func(t *testing.T) {
		f := newFlood(t, 0, 100, func(c *Config) { c.SynCookies = 1 })
		for range 200 {
			f.syn()
		}
		gate(t, "SYN", 1000, f.syn)
		if n := f.g.a.Counters().SyncookiesSent; n < 1000 {
			t.Errorf("%d cookies", n)
		}
	})
	t.Run("TIME-WAIT", func(t *testing.T) {
		g, ep, _ := stopped(t, "linux")
		port := uint16(0)
		churn := func() {
			g.sim.Run(g.sim.Now() + 10*des.Millisecond)
			port++
			ep.key = keyOf(9, port, 80)
			g.a.inState[TimeWait]++
			g.a.addTimeWait(g.sim.Now(), ep)
		}
		for range 15000 {
			churn()
		}
		gate(t, "entry", 2000, churn)
		if n := g.a.timeWaits.n; n != 6000 {
			t.Errorf("%d in TIME-WAIT", n)
		}
	})
}

// What exists by the million is small (sizes in bytes; the pool of a table adds
// what doubling leaves free).
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, most uintptr
	}{
		{"half-open entry", unsafe.Sizeof(request{}), 96},
		{"TIME-WAIT entry", unsafe.Sizeof(timeWait{}), 72},
		{"place in an expiry queue", unsafe.Sizeof(pending{}), 16},
		{"segment in flight", unsafe.Sizeof(sentSegment{}), 32},
	} {
		t.Logf("%s: %d bytes", c.name, c.got)
		if c.got > c.most {
			t.Errorf("%s: %d bytes, at most %d wanted", c.name, c.got, c.most)
		}
	}
	t.Logf("endpoint: %d bytes", unsafe.Sizeof(Endpoint{}))
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
