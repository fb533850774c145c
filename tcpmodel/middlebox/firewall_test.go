package middlebox

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

func newFirewall(t testing.TB, sim *des.Sim, tune func(*FirewallConfig)) *Firewall {
	t.Helper()
	c := DefaultFirewall()
	if tune != nil {
		tune(&c)
	}
	f, err := NewFirewall(sim, "firewall", c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFirewallTransfer: an open port is reached from outside, others are not,
// and what is inside reaches everything.
func TestFirewallTransfer(t *testing.T) {
	for _, c := range []struct {
		open    []uint16
		unknown Action
		want    int
		failed  tcpmodel.Errno
	}{
		{[]uint16{443, 80}, Drop, 1, tcpmodel.OK},
		{nil, Drop, 0, tcpmodel.ETIMEDOUT},
		{[]uint16{443}, Reset, 0, tcpmodel.ECONNREFUSED},
	} {
		l := newLab(t, 1, "linux", tenMs, nil)
		f := newFirewall(t, l.sim, func(f *FirewallConfig) { f.Open, f.Unknown = c.open, c.unknown })
		Insert(l.sim, l.back, l.toServer, f)
		l.listen(5)
		l.client.write = 100_000
		l.dial(l.client, tcpmodel.SocketOptions{})
		if _, err := l.client.Listen(90, 5, l.client); err != nil {
			t.Fatal(err)
		}
		if _, err := l.server.Connect(l.client.node, 90, l.server, tcpmodel.SocketOptions{}); err != nil {
			t.Fatal(err)
		}
		l.run(5 * des.Minute)
		failed := tcpmodel.OK
		if len(l.client.failed) > 0 {
			failed = l.client.failed[0]
		}
		if l.server.accepted != c.want || failed != c.failed || l.server.connected != 1 {
			t.Errorf("open %v: %d accepted, the client failed with %v; the server's own connection: %d", c.open, l.server.accepted, failed, l.server.connected)
		}
		if l.server.read != 100_000*(1+c.want) {
			t.Errorf("open %v: the server has read %d bytes", c.open, l.server.read)
		}
		l.books(f)
	}
}

// step is a segment from inside or outside, after some time, and how the long
// and the short timeout are told apart: when the connection is forgotten.
type step struct {
	outward bool
	flags   segment.Flags
}

// TestForgetting: the connection is forgotten exactly when it has been idle for
// the timeout of its state (RFC 6146 section 3.5.2.2, RFC 5382 REQ-5).
func TestForgetting(t *testing.T) {
	const (
		long  = 7440 * des.Second
		short = 240 * des.Second
	)
	const syn, ack, fin, rst = segment.SYN, segment.ACK, segment.FIN, segment.RST
	open := []step{{true, syn}, {false, syn | ack}, {true, ack}}
	with := func(more ...step) []step { return append(append([]step{}, open...), more...) }
	for _, c := range []struct {
		name  string
		steps []step
		// at is when it is forgotten; a step is every 100 s.
		at des.Time
	}{
		{"a SYN", open[:1], short},
		{"a SYN again", []step{{true, syn}, {true, syn}}, 100*des.Second + short},
		{"a SYN, then something else", []step{{true, syn}, {true, ack}}, short},
		{"both SYNs", open[:2], 100*des.Second + long},
		{"established", open, 200*des.Second + long},
		{"data", with(step{false, ack}), 300*des.Second + long},
		{"one FIN", with(step{true, fin | ack}), 300*des.Second + long},
		{"two FINs of one end", with(step{true, fin | ack}, step{true, fin | ack}), 400*des.Second + long},
		{"both FINs", with(step{true, fin | ack}, step{false, fin | ack}), 400*des.Second + short},
		{"both FINs, ACK", with(step{false, fin | ack}, step{true, fin | ack}, step{false, ack}), 400*des.Second + short},
		{"RST", with(step{false, rst}), 300*des.Second + short},
		{"RST, then data", with(step{false, rst}, step{true, ack}), 400*des.Second + long},
		{"RST twice", with(step{false, rst}, step{true, rst}), 300*des.Second + short},
		{"both FINs, then a new SYN", with(step{true, fin | ack}, step{false, fin | ack}, step{true, syn}), 500*des.Second + short},
	} {
		sim := des.New(1, 0)
		f := newFirewall(t, sim, nil)
		out, in := &collector{}, &collector{}
		f.SetNext(out, in)
		for i, s := range c.steps {
			sim.Run(des.Time(i) * 100 * des.Second)
			seg := segment.Segment{Src: 1, Dst: 2, SrcPort: 10, DstPort: 80, Flags: s.flags}
			if !s.outward {
				seg = segment.Segment{Src: 2, Dst: 1, SrcPort: 80, DstPort: 10, Flags: s.flags}
			}
			f.receive(sim.Now(), &seg, s.outward)
		}
		if passed := out.n + in.n; passed != len(c.steps) {
			t.Errorf("%s: %d of %d segments passed", c.name, passed, len(c.steps))
		}
		sim.Run(c.at - 1)
		if n := f.Stats().Known; n != 1 {
			t.Errorf("%s: %d connections just before %v", c.name, n, c.at)
		}
		sim.Run(c.at)
		if n := f.Stats().Known; n != 0 {
			t.Errorf("%s: %d connections at %v", c.name, n, c.at)
		}
	}
}

// TestForgettingInAnInstant: a segment at the very time at which a connection is
// forgotten comes too late, whether the timer has fired or not.
func TestForgettingInAnInstant(t *testing.T) {
	sim := des.New(1, 0)
	f := newFirewall(t, sim, nil)
	out := &collector{}
	f.SetNext(out, &collector{})
	syn := segment.Segment{Src: 1, Dst: 2, SrcPort: 10, DstPort: 80, Flags: segment.SYN}
	f.receive(0, &syn, true)
	ack := syn
	ack.Flags = segment.ACK
	f.receive(240*des.Second, &ack, true)
	if out.n != 1 || f.Stats().Expired != 1 || f.Stats().Stateless != 1 {
		t.Errorf("%d segments passed, %+v", out.n, f.Stats())
	}
}

// TestFirewallFull: a full table lets no new connection in until one is
// forgotten, as under a SYN flood.
func TestFirewallFull(t *testing.T) {
	sim := des.New(1, 0)
	f := newFirewall(t, sim, func(c *FirewallConfig) { c.MaxFlows, c.Open = 1000, []uint16{80} })
	in := &collector{}
	f.SetNext(&collector{}, in)
	syn := segment.Segment{Dst: 1, DstPort: 80, Flags: segment.SYN}
	for i := range segment.Node(1500) {
		syn.Src = 2 + i
		f.receive(sim.Now(), &syn, false)
	}
	if s := f.Stats(); in.n != 1000 || s.Full != 500 || s.Known != 1000 {
		t.Errorf("%d passed, %+v", in.n, s)
	}
	sim.Run(240 * des.Second)
	f.receive(sim.Now(), &syn, false)
	if s := f.Stats(); in.n != 1001 || s.Known != 1 {
		t.Errorf("%d passed, %+v", in.n, s)
	}
	o, i := f.Flows()
	if o.Check() != nil || i.Check() != nil || i.Lost.Packets != 500 {
		t.Errorf("flows %+v, %+v", o, i)
	}
}
