package middlebox

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// TestReportsThroughNAT: the link behind a NAT reports packets that are too long,
// about addresses outside, to the host inside that sent them.
func TestReportsThroughNAT(t *testing.T) {
	access, narrow := network.LinkConfig{Delay: des.Millisecond}, network.LinkConfig{Delay: des.Millisecond, MTU: 1000}
	l := newLabOf(t, 2, "linux", [4]network.LinkConfig{access, access, narrow, access}, nil)
	c := DefaultNAT()
	c.Public = l.edge
	nat, err := NewNAT(l.sim, "nat", c)
	if err != nil {
		t.Fatal(err)
	}
	Insert(l.sim, l.toServer, l.back, nat)
	l.listen(5)
	for _, c := range l.clients {
		c.write = 50_000
		l.dial(c, tcpmodel.SocketOptions{LocalPort: 5000})
	}
	l.run(10 * des.Second)
	if l.server.read != 100_000 || l.toServer.Stats().Oversize.Packets == 0 {
		t.Errorf("%d bytes arrived, %d packets were too long", l.server.read, l.toServer.Stats().Oversize.Packets)
	}
	l.books(nat)
}

// TestAnswersToSendingHost: what a box at a host answers comes when the host is
// done with what it sends, in the same instant.
func TestAnswersToSendingHost(t *testing.T) {
	l := newLab(t, 1, "linux", tenMs, nil)
	f := newFirewall(t, l.sim, func(c *FirewallConfig) { c.Established, c.Unknown = des.Minute, Reset })
	Insert(l.sim, l.back, l.toServer, f)
	l.listen(5)
	f.config.Open = []uint16{80}
	l.client.write, l.server.write = 1000, 1000
	l.dial(l.client, tcpmodel.SocketOptions{})
	l.run(2 * des.Minute)
	l.server.left[l.server.last] = 1000
	at := l.sim.Now()
	l.server.push(l.server.last)
	if len(l.server.failed) != 0 {
		t.Fatal("the server hears of the RST while it sends")
	}
	l.run(0)
	if got := l.server.failed; len(got) != 1 || got[0] != tcpmodel.ECONNRESET || l.sim.Now() != at {
		t.Errorf("the server has failed with %v", got)
	}
	l.books(f)
}

// TestInterceptOnce: a link has one front.
func TestInterceptOnce(t *testing.T) {
	l := newLab(t, 1, "linux", tenMs, nil)
	l.toServer.Intercept(&collector{}, &collector{})
	defer func() {
		if recover() == nil {
			t.Error("a second front was taken")
		}
	}()
	l.toServer.Intercept(&collector{}, &collector{})
}

// TestPair: each direction has its element, and one without passes all.
func TestPair(t *testing.T) {
	for _, c := range []struct {
		out, in OneWay
		want    [2]int
	}{
		{nil, nil, [2]int{1, 1}},
		{NewBlackhole(0, des.Never, nil), nil, [2]int{0, 1}},
		{nil, NewBlackhole(0, des.Never, nil), [2]int{1, 0}},
	} {
		p, told := Pair(c.out, c.in), &deeds{}
		var got [2]collector
		p.SetNext(&got[0], &got[1])
		p.SetObserver(told)
		seg := segment.Segment{Src: 1, Dst: 2, Flags: segment.SYN}
		p.Outward().Receive(0, &seg)
		p.Inward().Receive(0, &seg)
		if got[0].n != c.want[0] || got[1].n != c.want[1] || told.n[Failed] != 2-got[0].n-got[1].n {
			t.Errorf("%d and %d passed, want %v; told of %d", got[0].n, got[1].n, c.want, told.n[Failed])
		}
		out, in := p.Flows()
		if out.Check() != nil || in.Check() != nil || out.In.Packets != 1 || in.In.Packets != 1 {
			t.Errorf("books: %+v, %+v", out, in)
		}
	}
}

// deeds counts what an Observer is told.
type deeds struct{ n [Sent + 1]int }

// ObserveBox implements Observer.
func (d *deeds) ObserveBox(_ des.Time, did Deed, _ *segment.Segment) { d.n[did]++ }
