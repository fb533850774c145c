package capture_test

import (
	"bytes"
	"io"
	"net/netip"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/capture"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// vantage is how a host's stack is tapped for a capture: a Tracer of the stack
// and a Tap of the link that the host sends into.
type vantage struct {
	w     *capture.Writer
	iface int
	ended []tcpmodel.ConnStats
	path  []string // the states that the stack went through
}

// remarkable are the causes that a reader of the capture wants to know.
var remarkable = map[tcpmodel.Cause]bool{
	tcpmodel.CauseRetransmit: true, tcpmodel.CauseFastRetransmit: true, tcpmodel.CauseProbe: true,
	tcpmodel.CauseKeepalive: true, tcpmodel.CauseChallengeAck: true, tcpmodel.CauseCookie: true,
}

func (v *vantage) TraceSegment(now des.Time, _ tcpmodel.Conn, out bool, seg *segment.Segment, why tcpmodel.Cause) {
	direction, comment := capture.In, ""
	if out {
		direction = capture.Out
		if remarkable[why] {
			comment = why.String()
		}
	}
	v.w.Packet(v.iface, now, direction, seg, comment)
}

func (v *vantage) TraceState(now des.Time, c tcpmodel.Conn, from, to tcpmodel.State, why tcpmodel.Cause) {
	v.path = append(v.path, to.String())
	place := capture.OfNext
	if why == tcpmodel.CauseSegment || why == tcpmodel.CauseReset {
		place = capture.OfLast
	}
	flow := capture.Flow{Local: c.Local, Remote: c.Remote, LocalPort: c.LocalPort, RemotePort: c.RemotePort}
	v.w.State(v.iface, now, flow, from.String(), to.String(), why.String(), place)
}

func (v *vantage) TraceEnd(_ des.Time, _ tcpmodel.Conn, s *tcpmodel.ConnStats) {
	v.ended = append(v.ended, *s)
}

func (v *vantage) Observe(_ des.Time, event network.TapEvent, seg *segment.Segment) {
	if event == network.Lost || event == network.Dropped {
		v.w.Note(v.iface, seg, event.String())
	}
}

// run is a transfer of bytes from client to server over a link with faults
// towards the server; then both close, the client first.
type run struct {
	sim            *des.Sim
	client, server vantage
	left           int // bytes the client has to write
}

func (r *run) HandleEvents(_ des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&tcpmodel.EvReleased != 0 {
		return
	}
	if ep.Tag() == 1 { // the client's
		r.left -= ep.Write(r.left)
		if r.left == 0 {
			ep.Shutdown()
			r.left = -1
		}
		return
	}
	for ep.Read(1<<20) > 0 {
	}
	if ep.EOF() {
		ep.Close()
	}
}

func (r *run) HandleAcceptable(_ des.Time, l *tcpmodel.Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		ep.SetApp(r, 2)
	}
}

type setup struct {
	bytes  int
	faults string
	loss   float64
	refuse bool
	// both takes two vantage points, else there is that of the client.
	both    bool
	options capture.WriterOptions
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// capturedRun returns the run and the capture of it.
func capturedRun(t testing.TB, o setup) (*run, []byte) {
	t.Helper()
	var file bytes.Buffer
	r := writeRun(t, o, &file)
	if err := r.client.w.Close(); err != nil {
		t.Fatal(err)
	}
	return r, file.Bytes()
}

func writeRun(t testing.TB, o setup, file io.Writer) *run {
	t.Helper()
	r := &run{sim: des.New(7, 0), left: o.bytes}
	n := network.New(r.sim)
	client, server := n.AddHost("client"), n.AddHost("server")
	link := network.LinkConfig{Rate: 10e6, Delay: 20 * des.Millisecond, Queue: network.QueueLimit{Packets: 100}}
	up := link
	up.Loss = o.loss
	up.Faults = must[[]network.Fault](t)(network.ParseFaults(o.faults))
	forward, _, err := n.Connect(client, server, up, link)
	if err == nil {
		err = n.Build()
	}
	if err != nil {
		t.Fatal(err)
	}
	var addrs segment.Addresses
	points := []capture.Interface{{Name: "client"}}
	if o.both {
		points = append(points, capture.Interface{Name: "server", Description: "behind the lossy link"})
	}
	for i, node := range []segment.Node{client, server} {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})
		if err := addrs.Add(node, addr); err != nil {
			t.Fatal(err)
		}
		o.options.Names = append(o.options.Names, capture.HostName{Addr: addr, Name: n.Name(node)})
	}
	w := must[*capture.Writer](t)(capture.NewWriter(file, &addrs, points, o.options))
	r.client, r.server = vantage{w: w}, vantage{w: w, iface: 1}
	forward.AddTap(&r.client)

	config := must[tcpmodel.Config](t)(tcpmodel.Profile("linux"))
	stack := func(node segment.Node, tracer tcpmodel.Tracer) *tcpmodel.Stack {
		st := must[*tcpmodel.Stack](t)(tcpmodel.NewStack(tcpmodel.StackOptions{
			Sim: r.sim, Name: n.Name(node), Node: node, Config: config, Out: n.Egress(node), Tracer: tracer}))
		if err := n.Attach(node, st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	var serverTracer tcpmodel.Tracer
	if o.both {
		serverTracer = &r.server
	}
	from, to := stack(client, &r.client), stack(server, serverTracer)
	if !o.refuse {
		must[*tcpmodel.Listener](t)(to.Listen(80, 8, r))
	}
	must[*tcpmodel.Endpoint](t)(from.Connect(server, 80, r, tcpmodel.SocketOptions{Tag: 1}))
	r.sim.Run(300 * des.Second)
	return r
}
