package tcpmodel_test

import (
	"strconv"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// kernelReplay is the simulation of a kernelCase: two hosts, each with one
// application, and the link.
type kernelReplay struct {
	t     testing.TB
	c     *kernelCase
	sim   *des.Sim
	hosts [2]kernelHost // client, server
	run   kernelRun
	start des.Time
	order int
	dark  bool // everything is lost from now on
}

// kernelHost is one end: it records what its stack sends, and runs its script.
type kernelHost struct {
	*kernelReplay
	side   int
	name   string
	stack  *tcpmodel.Stack
	link   *network.Link
	flight []int                  // packets on the wire
	conns  map[uint16]*kernelConn // by the port of the client

	script []kernelStep
	timer  des.Timer
	until  des.Time
	ep     *tcpmodel.Endpoint
	l      *tcpmodel.Listener
	seen   tcpmodel.Events
	err    error
	got    int
	left   int
	busy   bool
}

// kernelConn is what the numbers of a connection are relative to.
type kernelConn struct {
	flow  int
	iss   segment.Seq
	ts    uint32
	ready [2]bool // iss, ts are known
}

// conn returns the connection whose client has that port.
func (h *kernelHost) conn(port uint16) *kernelConn {
	if h.conns == nil {
		h.conns = map[uint16]*kernelConn{}
	}
	c := h.conns[port]
	if c == nil {
		c = &kernelConn{flow: len(h.conns) + 1}
		h.conns[port] = c
	}
	return c
}

const kernelPort = 8080

func fromMS(v float64) des.Time { return des.Time(v*1000+0.5) * des.Microsecond }

func toMS(t des.Time) float64 { return float64(t) / float64(des.Millisecond) }

// replayKernelCase simulates c for the time that it was recorded. With hz the
// timers are those of a wheel, and the start is at that time after a tick.
func replayKernelCase(t testing.TB, c *kernelCase, hz int, start des.Time) *kernelRun {
	t.Helper()
	r := &kernelReplay{t: t, c: c, sim: des.New(1, 0), start: start}
	for i, name := range []string{"client", "server"} {
		h := &r.hosts[i]
		*h = kernelHost{kernelReplay: r, side: i, name: name}
		h.stack = kernelStack(t, r.sim, c, name, segment.Node(i+1), h, func(cfg *tcpmodel.Config) { cfg.TimerWheelHZ = hz })
		h.timer = r.sim.NewTimer(r.sim.NewComponent(name+" application"), h, 0)
	}
	r.connect()
	r.sim.Run(start)
	r.setUp()
	r.sim.Run(start + fromMS(r.duration()))
	return &r.run
}

// kernelStack returns a host with the sysctls of its side in the case.
func kernelStack(t testing.TB, sim *des.Sim, c *kernelCase, side string, node segment.Node, out tcpmodel.Wire, tune func(*tcpmodel.Config)) *tcpmodel.Stack {
	t.Helper()
	cfg, err := tcpmodel.Profile("linux")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range c.sysctls[side] {
		knob, ok := tcpmodel.FindKnob(name)
		if !ok {
			t.Fatalf("%v: no knob %s", c, name)
		}
		if err := knob.SetInt(&cfg, v); err != nil {
			t.Fatalf("%v: %v", c, err)
		}
	}
	if cc := c.params["cc"]; cc != "" {
		cfg.Congestion = cc
	}
	tune(&cfg)
	tracer, _ := out.(tcpmodel.Tracer)
	st, err := tcpmodel.NewStack(tcpmodel.StackOptions{Sim: sim, Name: side, Node: node, Config: cfg, Out: out, Tracer: tracer})
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	return st
}

// since is the time since the start, in ms.
func (r *kernelReplay) since(now des.Time) float64 { return toMS(now - r.start) }

func (r *kernelReplay) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%v: %v", r.c, err)
	}
}

// connect builds the link with the losses of the case.
func (r *kernelReplay) connect() {
	for i, dir := range []string{"c2s", "s2c"} {
		config := network.LinkConfig{Delay: fromMS(r.c.number(r.t, "delay_"+dir))}
		if dir == "c2s" {
			config.Rate = int64(1e6 * r.c.number(r.t, "rate_mbit"))
			config.Queue.Packets = int(r.c.number(r.t, "qpkts"))
		}
		var drops []string
		for _, d := range strings.Split(r.c.params["drop"], ";") {
			if d, ok := strings.CutPrefix(d, dir+":"); ok {
				drops = append(drops, d)
			}
		}
		var err error
		config.Faults, err = network.ParseFaults(strings.Join(drops, ";"))
		r.check(err)
		h := &r.hosts[i]
		h.link, err = network.NewLink(r.sim, dir, config, r.hosts[1-i].stack)
		r.check(err)
		h.link.AddTap(h)
	}
}

// duration is how long the recording is, and somewhat more where nothing was
// to come.
func (r *kernelReplay) duration() (ms float64) {
	if len(r.c.runs) == 0 {
		return 1000 * max(r.c.number(r.t, "dur_s"), 12)
	}
	g := r.c.runs[0]
	for i := range g.packets {
		ms = max(ms, g.packets[i].sent)
	}
	for _, e := range g.events {
		ms = max(ms, e.at)
	}
	if r.c.params["kind"] == "keepalive_alive" {
		return ms
	}
	return ms + 2000
}

// Receive records what the stack sends, and passes it on unless all is dark.
func (h *kernelHost) Receive(now des.Time, seg *segment.Segment) {
	h.order++
	k := kernelPacket{sent: h.since(now), dir: "><"[h.side], flags: kernelFlags(seg.Flags), len: seg.Len, window: uint32(seg.Wnd), order: h.order}
	port := seg.SrcPort
	if h.side == 1 {
		port = seg.DstPort
	}
	own, peer := h.conn(port), h.hosts[1-h.side].conn(port)
	k.flow = h.hosts[0].conn(port).flow
	if seg.Has(segment.SYN) && !own.ready[0] {
		own.iss, own.ready[0] = seg.Seq, true
	}
	k.seq = uint32(seg.Seq - own.iss)
	if k.hasAck = seg.Has(segment.ACK); k.hasAck {
		k.ack = uint32(seg.Ack - peer.iss)
	}
	if k.stamped = seg.Opts&segment.OptTimestamps != 0; k.stamped {
		if !own.ready[1] {
			own.ts, own.ready[1] = seg.TSVal, true
		}
		k.tsVal = seg.TSVal - own.ts
		if seg.TSEcr != 0 {
			k.tsEcr = seg.TSEcr - peer.ts
		}
	}
	k.options = kernelOptions(seg, peer.iss)
	k.lost = h.dark || seg.Dst != segment.Node(2-h.side)
	h.run.packets = append(h.run.packets, k)
	if !k.lost {
		h.flight = append(h.flight, len(h.run.packets)-1)
		h.link.Receive(now, seg)
	}
}

func kernelFlags(f segment.Flags) string {
	var b strings.Builder
	for _, x := range []struct {
		f    segment.Flags
		name byte
	}{{segment.SYN, 'S'}, {segment.FIN, 'F'}, {segment.RST, 'R'}, {segment.PSH, 'P'}, {segment.ACK, 'A'}} {
		if f&x.f != 0 {
			b.WriteByte(x.name)
		}
	}
	return b.String()
}

// kernelOptions prints the options but for time stamps. SACK blocks are
// relative to the numbers of the peer.
func kernelOptions(seg *segment.Segment, peer segment.Seq) string {
	var o []string
	if seg.Opts&segment.OptMSS != 0 {
		o = append(o, "mss="+strconv.Itoa(int(seg.MSS)))
	}
	if seg.Opts&segment.OptSACKPermitted != 0 {
		o = append(o, "sackOK")
	}
	if seg.Opts&segment.OptWScale != 0 {
		o = append(o, "ws="+strconv.Itoa(int(seg.WScale)))
	}
	for _, b := range seg.SACK[:seg.NumSACK] {
		o = append(o, "sack="+strconv.Itoa(int(b.Left-peer))+"-"+strconv.Itoa(int(b.Right-peer)))
	}
	return strings.Join(o, " ")
}

// Observe follows the packets on the wire.
func (h *kernelHost) Observe(now des.Time, event network.TapEvent, _ *segment.Segment) {
	switch event {
	case network.Dropped:
		h.run.packets[h.flight[len(h.flight)-1]].lost = true
		h.flight = h.flight[:len(h.flight)-1]
		return
	case network.Sent:
		return
	}
	k := &h.run.packets[h.flight[0]]
	h.flight = h.flight[1:]
	h.order++
	k.lost, k.delivered, k.handled = event == network.Lost, h.since(now), h.order
}

// TraceState records the states that the recordings looked for.
func (h *kernelHost) TraceState(now des.Time, _ tcpmodel.Conn, from, to tcpmodel.State, _ tcpmodel.Cause) {
	switch {
	case h.side == 1 && to == tcpmodel.SynReceived:
		h.event(now, "server_synrecv", "states", "03")
	case h.side == 1 && from == tcpmodel.SynReceived && to == tcpmodel.Listen:
		h.event(now, "server_synrecv", "states", "")
	case h.side == 0 && to == tcpmodel.FinWait1:
		h.event(now, "client_state", "states", "04")
	case h.side == 0 && to == tcpmodel.FinWait2:
		h.event(now, "client_state", "states", "05")
	case h.side == 0 && to == tcpmodel.TimeWait:
		h.event(now, "client_state", "states", "06")
	case h.side == 0 && to == tcpmodel.Closed:
		h.event(now, "client_state", "states", "")
	}
}

func (h *kernelHost) TraceSegment(des.Time, tcpmodel.Conn, bool, *segment.Segment, tcpmodel.Cause) {}
func (h *kernelHost) TraceEnd(des.Time, tcpmodel.Conn, *tcpmodel.ConnStats)                        {}

func (r *kernelReplay) event(now des.Time, who, what, value string) {
	r.order++
	r.run.events = append(r.run.events, kernelEvent{who, what, value, r.since(now), r.order})
}
