package middlebox

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

func natLab(t testing.TB, n int, tune func(*NATConfig)) (*lab, *NAT) {
	t.Helper()
	l := newLab(t, n, "linux", tenMs, nil)
	c := DefaultNAT()
	c.Public = l.edge
	if tune != nil {
		tune(&c)
	}
	nat, err := NewNAT(l.sim, "nat", c)
	if err != nil {
		t.Fatal(err)
	}
	Insert(l.sim, l.toServer, l.back, nat)
	l.listen(100)
	return l, nat
}

// TestNATTranslates: the server sees one host; clients with the same port get
// different ones outside; data arrive unchanged both ways.
func TestNATTranslates(t *testing.T) {
	l, nat := natLab(t, 3, nil)
	seen := map[uint16]segment.Node{}
	l.server.write = 100_000
	for _, c := range l.clients {
		c.write, c.closes = 50_000, true
		l.dial(c, tcpmodel.SocketOptions{LocalPort: 5000})
	}
	tap := &tapped{}
	l.back.AddTap(tap)
	l.run(des.Second)
	for _, s := range tap.got {
		if s.Dst != l.edge {
			t.Fatalf("the server sends to node %d, want the NAT %d", s.Dst, l.edge)
		}
		seen[s.DstPort] = s.Dst
	}
	if _, kept := seen[5000]; len(seen) != 3 || !kept {
		t.Errorf("ports outside %v, want 3 and 5000 among them", seen)
	}
	if nat.Mappings() != 3 || nat.Stats().Known != 3 {
		t.Errorf("%d ports in use for %d connections", nat.Mappings(), nat.Stats().Known)
	}
	for i, c := range l.clients {
		if c.read != 100_000 || c.foreign != 0 {
			t.Errorf("client %d has read %d bytes, %d foreign", i, c.read, c.foreign)
		}
	}
	if l.server.read != 150_000 || l.server.foreign != 0 {
		t.Errorf("the server has read %d bytes, %d foreign", l.server.read, l.server.foreign)
	}
	// All have ended, so the short timeout runs.
	l.run(5 * des.Minute)
	if nat.Mappings() != 0 || nat.Stats().Known != 0 || nat.Stats().Expired != 3 {
		t.Errorf("%d ports in use, %d connections, %d forgotten", nat.Mappings(), nat.Stats().Known, nat.Stats().Expired)
	}
	l.books(nat)
}

// TestNATOneMapping: connections of one port inside share a port outside, and
// it is free again after the last of them.
func TestNATOneMapping(t *testing.T) {
	l, nat := natLab(t, 1, nil)
	out := &collector{}
	nat.SetNext(out, nat.in.next)
	syn := segment.Segment{Src: l.client.node, SrcPort: 700, DstPort: 80, Flags: segment.SYN}
	var ports []uint16
	for dst := range segment.Node(3) {
		syn.Dst = 100 + dst
		nat.Outward().Receive(l.sim.Now(), &syn)
		ports = append(ports, out.last.SrcPort)
		l.run(des.Minute)
	}
	if ports[0] != 1024 || ports[1] != ports[0] || ports[2] != ports[0] || nat.Mappings() != 1 {
		t.Errorf("ports outside %v, %d in use, want 1024 alone", ports, nat.Mappings())
	}
	// The last SYN left at 2 min.
	l.sim.Run(6*des.Minute - 1)
	if nat.Mappings() != 1 || nat.Stats().Known != 1 {
		t.Errorf("%d mappings, %d connections", nat.Mappings(), nat.Stats().Known)
	}
	l.sim.Run(6 * des.Minute)
	if nat.Mappings() != 0 || nat.Stats().Known != 0 || nat.Stats().Expired != 3 {
		t.Errorf("%d mappings, %d connections, %d expired", nat.Mappings(), nat.Stats().Known, nat.Stats().Expired)
	}
}

// TestNATPortsRunOut: without a free port no connection comes about.
func TestNATPortsRunOut(t *testing.T) {
	l, nat := natLab(t, 1, func(c *NATConfig) { c.PortLow, c.PortHigh = 2000, 2009 })
	out := &collector{}
	nat.SetNext(out, nat.in.next)
	ports := map[uint16]bool{}
	for port := range uint16(15) {
		nat.Outward().Receive(0, &segment.Segment{Src: 3, Dst: 2, SrcPort: 2005 + port, DstPort: 80, Flags: segment.SYN})
		ports[out.last.SrcPort] = true
	}
	if out.n != 10 || len(ports) != 10 || nat.Stats().Full != 5 || nat.Mappings() != 10 {
		t.Errorf("%d SYNs passed with %d ports, %d refused", out.n, len(ports), nat.Stats().Full)
	}
	l.books(nat)
}

// TestKeepaliveAndNAT: a connection that is idle for longer than the NAT
// remembers it dies in silence, or by a RST; keepalive faster than that keeps it
// alive. What the hosts notice is different in each case.
func TestKeepaliveAndNAT(t *testing.T) {
	const idle = 30 * des.Minute
	for _, c := range []struct {
		name      string
		unknown   Action
		keepIdle  des.Time
		timeout   des.Time
		delivered bool
		failed    tcpmodel.Errno
		probes    bool
	}{
		{"no keepalive, silence", Drop, 0, 20 * des.Minute, false, tcpmodel.ETIMEDOUT, false},
		{"no keepalive, RST", Reset, 0, 20 * des.Minute, false, tcpmodel.ECONNRESET, false},
		{"no keepalive, picked up", PickUp, 0, 20 * des.Minute, true, tcpmodel.OK, false},
		{"keepalive within the timeout", Drop, 10 * des.Minute, 20 * des.Minute, true, tcpmodel.OK, true},
		{"keepalive beyond the timeout", Drop, 25 * des.Minute, 20 * des.Minute, false, tcpmodel.ETIMEDOUT, true},
		{"timeout longer than idle", Drop, 0, 31 * des.Minute, true, tcpmodel.OK, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, nat := natLab(t, 1, func(n *NATConfig) { n.Unknown, n.Established = c.unknown, c.timeout })
			l.client.write = 1000
			ep := l.dial(l.client, tcpmodel.SocketOptions{Keepalive: c.keepIdle > 0, KeepIdle: c.keepIdle, KeepIntvl: des.Second, KeepCnt: 3})
			l.run(idle)
			if l.server.read != 1000 {
				t.Fatalf("the server has read %d bytes", l.server.read)
			}
			if l.client.last != nil {
				ep.Write(500)
			}
			l.run(des.Hour)
			if got := l.server.read == 1500; got != c.delivered {
				t.Errorf("the server has read %d bytes, want the second part: %v", l.server.read, c.delivered)
			}
			failed := tcpmodel.OK
			if len(l.client.failed) > 0 {
				failed = l.client.failed[0]
			}
			if failed != c.failed || (l.client.Counters().TCPKeepAlive > 0) != c.probes {
				t.Errorf("the client failed with %v after %d probes, want %v", failed, l.client.Counters().TCPKeepAlive, c.failed)
			}
			if !c.delivered && l.server.InState(tcpmodel.Established) != 1 {
				t.Errorf("the server should know nothing of it: %d established", l.server.InState(tcpmodel.Established))
			}
			if c.unknown == Reset && nat.Stats().Resets != 1 {
				t.Errorf("%d RSTs by the NAT", nat.Stats().Resets)
			}
			l.books(nat)
		})
	}
}

// TestNATUnsolicited: what nobody inside asked for stays outside.
func TestNATUnsolicited(t *testing.T) {
	l, nat := natLab(t, 1, nil)
	in := &collector{}
	nat.SetNext(nat.out.next, in)
	l.dial(l.client, tcpmodel.SocketOptions{LocalPort: 5000})
	l.run(5 * des.Millisecond)
	l.sim.Run(12 * des.Millisecond)
	for _, s := range []segment.Segment{
		{Src: l.server.node, SrcPort: 81, Dst: l.edge, DstPort: 5000, Flags: segment.ACK},
		{Src: l.server.node + 50, SrcPort: 80, Dst: l.edge, DstPort: 5000, Flags: segment.ACK},
		{Src: l.server.node, SrcPort: 80, Dst: l.edge, DstPort: 5001, Flags: segment.SYN},
		{Src: l.server.node, SrcPort: 80, Dst: l.client.node, DstPort: 5000, Flags: segment.ACK},
		{Src: l.server.node, SrcPort: 80, Dst: l.edge, DstPort: 5000, Flags: segment.ACK, Corrupt: true},
	} {
		nat.Inward().Receive(l.sim.Now(), &s)
	}
	if in.n != 0 || nat.Stats().Stateless != 4 || nat.Stats().Corrupt != 1 {
		t.Errorf("%d packets passed, %d without state", in.n, nat.Stats().Stateless)
	}
	icmp := segment.Segment{Kind: segment.KindICMP, Src: 77, Dst: l.edge, SrcPort: 5000, DstPort: 80, Ack: segment.Seq(l.server.node), Wnd: 3<<8 | 4, MSS: 1000}
	nat.Inward().Receive(l.sim.Now(), &icmp)
	if in.n != 1 || in.last.Dst != l.client.node || in.last.SrcPort != 5000 || in.last.MSS != 1000 {
		t.Errorf("ICMP error became %+v", in.last)
	}
	l.books(nat)
}
