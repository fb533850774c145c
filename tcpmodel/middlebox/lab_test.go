package middlebox

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// lab is clients around one router, and a server behind two links at which boxes
// are inserted.
type lab struct {
	tb             testing.TB
	sim            *des.Sim
	net            *network.Network
	edge           segment.Node
	client, server *host
	toServer, back *network.Link
	nowhere        segment.Node
	clients        []*host
}

// host is a stack and an App that writes some bytes when it is connected, reads
// all, and closes after its peer, or first.
type host struct {
	*tcpmodel.Stack
	node      segment.Node
	write     int
	closes    bool
	left      map[*tcpmodel.Endpoint]int
	accepted  int
	connected int
	read      int
	foreign   uint64
	failed    []tcpmodel.Errno
	last      *tcpmodel.Endpoint
}

func (h *host) HandleAcceptable(now des.Time, l *tcpmodel.Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		h.accepted++
		ep.SetApp(h, 0)
		h.begin(ep)
	}
}

func (h *host) begin(ep *tcpmodel.Endpoint) {
	h.last = ep
	h.left[ep] = h.write
	h.push(ep)
}

func (h *host) push(ep *tcpmodel.Endpoint) {
	for h.left[ep] > 0 {
		n := ep.Write(h.left[ep])
		if n == 0 {
			return
		}
		h.left[ep] -= n
	}
	if h.closes {
		ep.Shutdown()
	}
}

func (h *host) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&tcpmodel.EvFailed != 0 {
		h.failed = append(h.failed, ep.Err())
	}
	if ev&tcpmodel.EvReleased != 0 {
		h.foreign += ep.Stats().ForeignBytes
		delete(h.left, ep)
		if h.last == ep {
			h.last = nil
		}
		return
	}
	if ev&tcpmodel.EvConnected != 0 {
		h.connected++
		h.begin(ep)
	}
	if ev&tcpmodel.EvWritable != 0 {
		h.push(ep)
	}
	for n := ep.Read(1 << 20); n > 0; n = ep.Read(1 << 20) {
		h.read += n
	}
	if ep.EOF() {
		ep.Close()
	}
}

// newLab returns a lab with n clients, 10 ms from the server.
func newLab(tb testing.TB, n int, profile string, link network.LinkConfig, tune func(name string, c *tcpmodel.Config)) *lab {
	tb.Helper()
	access := network.LinkConfig{Delay: des.Millisecond}
	return newLabOf(tb, n, profile, [4]network.LinkConfig{access, access, link, link}, tune)
}

// newLabOf returns a lab with these links: from and to each client, to and from
// the server.
func newLabOf(tb testing.TB, n int, profile string, links [4]network.LinkConfig, tune func(name string, c *tcpmodel.Config)) *lab {
	tb.Helper()
	sim := des.New(1, 0)
	l := &lab{tb: tb, sim: sim, net: network.New(sim)}
	l.edge = l.net.AddRouter("edge")
	server := l.net.AddHost("server")
	var err error
	if l.toServer, l.back, err = l.net.Connect(l.edge, server, links[2], links[3]); err != nil {
		tb.Fatal(err)
	}
	nodes := make([]segment.Node, n)
	for i := range nodes {
		nodes[i] = l.net.AddHost("client" + string(rune('a'+i)))
		if _, _, err := l.net.Connect(nodes[i], l.edge, links[0], links[1]); err != nil {
			tb.Fatal(err)
		}
	}
	l.nowhere = l.net.AddRange("nowhere", 1<<16)
	if err := l.net.Build(); err != nil {
		tb.Fatal(err)
	}
	stack := func(name string, node segment.Node) *host {
		c, err := tcpmodel.Profile(profile)
		if err != nil {
			tb.Fatal(err)
		}
		if tune != nil {
			tune(name, &c)
		}
		h := &host{node: node, left: map[*tcpmodel.Endpoint]int{}}
		if h.Stack, err = tcpmodel.NewStack(tcpmodel.StackOptions{Sim: sim, Name: name, Node: node, Config: c, Out: l.net.Egress(node)}); err != nil {
			tb.Fatal(err)
		}
		if err := l.net.Attach(node, h.Stack); err != nil {
			tb.Fatal(err)
		}
		return h
	}
	l.server = stack("server", server)
	for i, node := range nodes {
		l.clients = append(l.clients, stack("client"+string(rune('a'+i)), node))
	}
	l.client = l.clients[0]
	return l
}

func (l *lab) listen(backlog int) {
	l.tb.Helper()
	if _, err := l.server.Listen(80, backlog, l.server); err != nil {
		l.tb.Fatal(err)
	}
}

func (l *lab) dial(c *host, o tcpmodel.SocketOptions) *tcpmodel.Endpoint {
	l.tb.Helper()
	ep, err := c.Connect(l.server.node, 80, c, o)
	if err != nil {
		l.tb.Fatal(err)
	}
	return ep
}

func (l *lab) run(d des.Time) { l.sim.Run(l.sim.Now() + d) }

// books checks the accounts of a box and of the links.
func (l *lab) books(boxes ...Box) {
	l.tb.Helper()
	if err := l.net.Check(); err != nil {
		l.tb.Error(err)
	}
	for _, b := range boxes {
		out, in := b.Flows()
		if err := out.Check(); err != nil {
			l.tb.Errorf("outward: %v", err)
		}
		if err := in.Check(); err != nil {
			l.tb.Errorf("inward: %v", err)
		}
	}
}

// tapped keeps what is delivered at the end of a link.
type tapped struct{ got []segment.Segment }

func (t *tapped) Observe(_ des.Time, event network.TapEvent, seg *segment.Segment) {
	if event == network.Delivered {
		t.got = append(t.got, *seg)
	}
}

// collector is a Sink that keeps the last packet and counts.
type collector struct {
	n    int
	last segment.Segment
}

func (c *collector) Receive(_ des.Time, seg *segment.Segment) {
	c.n++
	c.last = *seg
}

var tenMs = network.LinkConfig{Rate: 1e9, Delay: 10 * des.Millisecond}
