package middlebox

import (
	"fmt"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// proxyLab is a lab whose server is inside and the clients outside.
func proxyLab(t testing.TB, n int, link network.LinkConfig, tune func(*SynProxyConfig), stacks func(string, *tcpmodel.Config)) (*lab, *SynProxy) {
	t.Helper()
	l := newLab(t, n, "linux", link, stacks)
	c := DefaultSynProxy()
	if tune != nil {
		tune(&c)
	}
	p, err := NewSynProxy(l.sim, "proxy", c)
	if err != nil {
		t.Fatal(err)
	}
	Insert(l.sim, l.back, l.toServer, p)
	return l, p
}

// flooder sends SYNs of spoofed sources towards the server.
type flooder struct {
	l     *lab
	timer des.Timer
	gap   des.Time
	until des.Time
	seg   segment.Segment
	n     uint32
}

func (l *lab) flood(gap, until des.Time) *flooder {
	f := &flooder{l: l, gap: gap, until: until}
	f.seg = segment.Segment{Dst: l.server.node, DstPort: 80, Flags: segment.SYN, Wnd: 65535, Opts: segment.OptMSS, MSS: 1460}
	f.timer = l.sim.NewTimer(l.sim.NewComponent("flood"), f, 0)
	l.sim.Arm(f.timer, 0)
	return f
}

func (f *flooder) HandleTimer(now des.Time, _ uint64) {
	f.n++
	f.seg.Src = f.l.nowhere + segment.Node(f.n%(1<<16))
	f.seg.SrcPort, f.seg.Seq = uint16(1024+f.n>>16), segment.Seq(f.n*2654435761)
	f.l.net.Egress(f.l.client.node).Receive(now, &f.seg)
	if now+f.gap < f.until {
		f.l.sim.Arm(f.timer, now+f.gap)
	}
}

// TestSynProxyShields: under a flood that shuts the server, all clients connect
// through the proxy, and their data arrive unchanged both ways. Options that
// change what is translated are varied.
func TestSynProxyShields(t *testing.T) {
	options := map[string]func(string, *tcpmodel.Config){
		"all options":      nil,
		"no time stamps":   func(_ string, c *tcpmodel.Config) { c.Timestamps = false },
		"client without":   func(n string, c *tcpmodel.Config) { c.Timestamps = n == "server" },
		"no window scale":  func(_ string, c *tcpmodel.Config) { c.WindowScaling = false },
		"no SACK":          func(_ string, c *tcpmodel.Config) { c.SACK = false },
		"another scale":    func(_ string, c *tcpmodel.Config) { c.RmemMax = 4 << 20 },
		"server unscaled":  func(n string, c *tcpmodel.Config) { c.WindowScaling = n != "server" },
		"server sans SACK": func(n string, c *tcpmodel.Config) { c.SACK = n != "server" },
	}
	for name, tune := range options {
		for _, loss := range []float64{0, 0.02} {
			t.Run(fmt.Sprintf("%s, loss %v", name, loss), func(t *testing.T) {
				link := tenMs
				link.Loss = loss
				l, p := proxyLab(t, 4, link, nil, func(n string, c *tcpmodel.Config) {
					c.SynCookies, c.MaxSynBacklog = 0, 128
					if tune != nil {
						tune(n, c)
					}
				})
				l.listen(64)
				l.flood(500*des.Microsecond, 2*des.Second)
				l.server.write = 300_000
				l.run(des.Second / 2)
				for _, c := range l.clients {
					c.write = 200_000
					l.dial(c, tcpmodel.SocketOptions{})
				}
				l.run(30 * des.Second)
				for _, c := range l.clients {
					if c.last != nil {
						c.last.Close()
					}
				}
				l.run(2 * des.Minute)
				foreign := l.server.foreign
				for i, c := range l.clients {
					foreign += c.foreign
					if c.read != 300_000 || len(c.failed) > 0 {
						t.Errorf("client %d has read %d bytes, failed with %v", i, c.read, c.failed)
					}
				}
				s := p.Stats()
				if l.server.read != 800_000 || foreign != 0 {
					t.Errorf("the server has read %d bytes; %d foreign", l.server.read, foreign)
				}
				if k := l.server.Counters(); k.SynsReceived > 4+2 || k.ListenDrops != 0 {
					t.Errorf("the server saw %d SYNs and dropped %d", k.SynsReceived, k.ListenDrops)
				}
				if s.Opened != 4 || loss == 0 && s.Cookies != 4004 {
					t.Errorf("%d opened, %d cookies", s.Opened, s.Cookies)
				}
				l.books(p)
			})
		}
	}
}

// TestSynProxyIsNeeded: the same flood without the proxy shuts the server.
func TestSynProxyIsNeeded(t *testing.T) {
	l := newLab(t, 4, "linux", tenMs, func(_ string, c *tcpmodel.Config) { c.SynCookies, c.MaxSynBacklog = 0, 128 })
	l.listen(64)
	l.flood(500*des.Microsecond, 2*des.Second)
	l.run(des.Second / 2)
	for _, c := range l.clients {
		l.dial(c, tcpmodel.SocketOptions{})
	}
	l.run(des.Second)
	for i, c := range l.clients {
		if c.connected != 0 {
			t.Errorf("client %d is connected", i)
		}
	}
}

// TestSynProxyServerAway: a server that is not there, or that refuses, becomes a
// RST for the client, after the retries of the proxy.
func TestSynProxyServerAway(t *testing.T) {
	l, p := proxyLab(t, 1, tenMs, nil, nil)
	l.dial(l.client, tcpmodel.SocketOptions{})
	l.run(des.Second)
	if len(l.client.failed) != 1 || l.client.failed[0] != tcpmodel.ECONNRESET || p.Stats().Refused != 1 || p.Stats().Known != 0 {
		t.Errorf("refused: the client failed with %v, %+v", l.client.failed, p.Stats())
	}
	l.books(p)

	l, p = proxyLab(t, 1, tenMs, func(c *SynProxyConfig) { c.Retries = 3 }, nil)
	server := &collector{}
	p.SetNext(p.out.next, server)
	l.dial(l.client, tcpmodel.SocketOptions{})
	l.sim.Run(15 * des.Second)
	if server.n != 4 || len(l.client.failed) != 0 {
		t.Errorf("%d SYNs after 15 s, the client failed with %v", server.n, l.client.failed)
	}
	l.run(des.Second)
	if server.n != 4 || len(l.client.failed) != 1 || p.Stats().Known != 0 {
		t.Errorf("%d SYNs, the client failed with %v", server.n, l.client.failed)
	}
	l.books(p)
}

// TestSynProxyForged: what returns no cookie does not reach the server, and no
// cookie is worth anything for others, or after two minutes.
func TestSynProxyForged(t *testing.T) {
	l, p := proxyLab(t, 1, tenMs, nil, nil)
	out, in := &collector{}, &collector{}
	p.SetNext(out, in)
	syn := segment.Segment{Src: 9, SrcPort: 7, Dst: l.server.node, DstPort: 80, Seq: 100, Flags: segment.SYN}
	p.Inward().Receive(0, &syn)
	cookie := out.last.Seq
	good := segment.Segment{Src: 9, SrcPort: 7, Dst: l.server.node, DstPort: 80, Seq: 101, Ack: cookie + 1, Flags: segment.ACK, Wnd: 100}
	for name, change := range map[string]func(s *segment.Segment){
		"number":      func(s *segment.Segment) { s.Ack += 10 },
		"source":      func(s *segment.Segment) { s.Src++ },
		"port":        func(s *segment.Segment) { s.SrcPort++ },
		"destination": func(s *segment.Segment) { s.Dst++ },
		"sequence":    func(s *segment.Segment) { s.Seq += 5 },
		"flags":       func(s *segment.Segment) { s.Flags |= segment.RST },
	} {
		s := good
		change(&s)
		p.Inward().Receive(0, &s)
		if in.n != 0 || p.Stats().Known != 0 {
			t.Fatalf("%s: a segment got through", name)
		}
	}
	l.sim.Run(3 * des.Minute)
	p.Inward().Receive(l.sim.Now(), &good)
	if in.n != 0 {
		t.Error("an old cookie got through")
	}
	p.Inward().Receive(l.sim.Now(), &syn)
	good.Ack = out.last.Seq + 1
	p.Inward().Receive(l.sim.Now(), &good)
	if in.n != 1 || in.last.Flags != segment.SYN || in.last.Seq != 100 || p.Stats().Accepted != 1 {
		t.Errorf("a right cookie: %d segments, the last %+v", in.n, in.last)
	}
	l.books(p)
}

// TestSynProxyDirect: connections that the server opens itself pass, and other
// ports are left alone.
func TestSynProxyDirect(t *testing.T) {
	l, p := proxyLab(t, 1, tenMs, func(c *SynProxyConfig) { c.Ports = []uint16{443} }, nil)
	l.listen(5)
	l.client.write = 5000
	l.dial(l.client, tcpmodel.SocketOptions{})
	if _, err := l.client.Listen(90, 5, l.client); err != nil {
		t.Fatal(err)
	}
	l.server.write = 7000
	if _, err := l.server.Connect(l.client.node, 90, l.server, tcpmodel.SocketOptions{LocalPort: 443}); err != nil {
		t.Fatal(err)
	}
	l.run(des.Second)
	if l.server.read != 10000 || l.client.read != 14000 || p.Stats().Cookies != 0 {
		t.Errorf("server has read %d, client %d, %d cookies", l.server.read, l.client.read, p.Stats().Cookies)
	}
	l.books(p)
}

// TestSynProxyLosses: whichever of the first segments is lost, before or behind
// the proxy, the connection comes about and all bytes arrive, whoever speaks
// first.
func TestSynProxyLosses(t *testing.T) {
	for _, first := range []string{"client", "both"} {
		for where := range 4 {
			for n := 1; n <= 8; n++ {
				faults, err := network.ParseFaults(fmt.Sprintf("ANY:%d", n))
				if err != nil {
					t.Fatal(err)
				}
				links := [4]network.LinkConfig{tenMs, tenMs, tenMs, tenMs}
				links[where].Faults = faults
				l := newLabOf(t, 1, "linux", links, nil)
				p, err := NewSynProxy(l.sim, "proxy", DefaultSynProxy())
				if err != nil {
					t.Fatal(err)
				}
				var in, out *network.Link
				for _, k := range l.net.Links() {
					if k.From() == l.client.node {
						in = k
					} else if k.To() == l.client.node {
						out = k
					}
				}
				Insert(l.sim, out, in, p)
				l.listen(5)
				l.client.write = 20_000
				if first == "both" {
					l.server.write = 30_000
				}
				l.dial(l.client, tcpmodel.SocketOptions{})
				l.run(20 * des.Second)
				if l.client.last != nil {
					l.client.last.Close()
				}
				l.run(10 * des.Minute)
				if l.server.read != 20_000 || l.client.read != l.server.write || l.server.foreign+l.client.foreign != 0 || len(l.client.failed) != 0 {
					t.Errorf("%s first, link %d loses packet %d: server has read %d, client %d, failed with %v, %+v", first, where, n, l.server.read, l.client.read, l.client.failed, p.Stats())
				}
				if s := p.Stats(); s.Known != 0 || s.Rejected != 0 {
					t.Errorf("%s first, link %d loses packet %d: %+v", first, where, n, s)
				}
				l.books(p)
			}
		}
	}
}
