package tcpmodel

import (
	"fmt"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// lab is two hosts, A and B, and a wire between them that holds, loses and
// records segments as a test asks.
type lab struct {
	t    testing.TB
	sim  *des.Sim
	a, b *host
	log  []string
}

// host is one end of a lab: a stack, and an App that does nothing but remember.
type host struct {
	*Stack
	wire   *wire
	ep     *Endpoint
	events []Events
	ended  []ConnStats
	states []string
}

// wire carries segments one way after a delay. lose, if set, sees each segment
// with its ordinal, from 1, and reports whether it is lost; hold likewise adds
// to the delay.
type wire struct {
	lab   *lab
	name  string
	delay des.Time
	to    *host
	n     int
	lose  func(n int, s *segment.Segment) bool
	hold  func(n int, s *segment.Segment) des.Time
	timer []des.Timer
	kept  []segment.Segment
}

func (w *wire) Receive(now des.Time, s *segment.Segment) {
	w.n++
	lost := w.lose != nil && w.lose(w.n, s)
	mark := ""
	if lost {
		mark = " lost"
	}
	w.lab.log = append(w.lab.log, fmt.Sprintf("%.6f %s %s%s", now.Seconds(), w.name, ladder(s), mark))
	if lost {
		return
	}
	d := w.delay
	if w.hold != nil {
		d += w.hold(w.n, s)
	}
	w.kept = append(w.kept, *s)
	t := w.lab.sim.NewTimer(w.to.component, w, uint64(len(w.kept)-1))
	w.lab.sim.Arm(t, now+d)
}

func (w *wire) HandleTimer(now des.Time, i uint64) {
	s := w.kept[i]
	w.to.Stack.Receive(now, &s)
}

func ladder(s *segment.Segment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<SEQ=%d>", uint32(s.Seq))
	if s.Has(segment.ACK) {
		fmt.Fprintf(&b, "<ACK=%d>", uint32(s.Ack))
	}
	if s.Len > 0 {
		fmt.Fprintf(&b, "<DATA=%d>", s.Len)
	}
	fmt.Fprintf(&b, "<CTL=%v>", s.Flags&^segment.PSH)
	return b.String()
}

func (h *host) HandleEvents(now des.Time, ep *Endpoint, ev Events) {
	h.events = append(h.events, ev)
	if ev&EvReleased != 0 && h.ep == ep {
		h.ep = nil
	}
}

func (h *host) HandleAcceptable(now des.Time, l *Listener) {
	h.ep = l.Accept()
	h.ep.SetApp(h, 0)
}

func (h *host) TraceState(now des.Time, c Conn, from, to State, why Cause) {
	h.states = append(h.states, fmt.Sprintf("%v>%v", from, to))
}
func (h *host) TraceSegment(des.Time, Conn, bool, *segment.Segment, Cause) {}
func (h *host) TraceEnd(_ des.Time, _ Conn, s *ConnStats) {
	h.ended = append(h.ended, *s)
}

// state is that of the host's connection, TIME-WAIT entries included.
func (h *host) state() State {
	for s := SynSent; s < NumStates; s++ {
		if h.InState(s) > 0 {
			return s
		}
	}
	if h.InState(Listen) > 0 {
		return Listen
	}
	return Closed
}

const labDelay = 10 * des.Millisecond

// newLab returns hosts with that profile, changed by tune. The initial
// sequence numbers are 100 at A and 300 at B, as in RFC 9293.
func newLab(t testing.TB, profile string, tune func(c *Config)) *lab {
	l := &lab{t: t, sim: des.New(1, 0)}
	cfg, err := Profile(profile)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ISN = ISNConstant
	if tune != nil {
		tune(&cfg)
	}
	make := func(name string, node segment.Node, isn uint32) *host {
		h := &host{wire: &wire{lab: l, name: name, delay: labDelay}}
		c := cfg
		c.ISNValue = isn
		h.Stack, err = NewStack(StackOptions{Sim: l.sim, Name: name, Node: node, Config: c, Out: h.wire, Tracer: h})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	l.a, l.b = make("A", 1, 100), make("B", 2, 300)
	l.a.wire.to, l.b.wire.to = l.b, l.a
	return l
}

// connect opens a connection from A to port 80 of B and runs until both ends
// are established.
func (l *lab) connect(o SocketOptions) {
	l.t.Helper()
	l.listen()
	l.dial(o)
	l.sim.Run(l.sim.Now() + 4*labDelay)
	if l.a.state() != Established || l.b.state() != Established {
		l.t.Fatalf("not established: A %v, B %v\n%s", l.a.state(), l.b.state(), l.dump())
	}
}

func (l *lab) listen() {
	l.t.Helper()
	if _, err := l.b.Listen(80, 5, l.b); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) dial(o SocketOptions) {
	l.t.Helper()
	ep, err := l.a.Connect(l.b.Node(), 80, l.a, o)
	if err != nil {
		l.t.Fatal(err)
	}
	l.a.ep = ep
}

func (l *lab) run(d des.Time) { l.sim.Run(l.sim.Now() + d) }

func (l *lab) dump() string { return strings.Join(l.log, "\n") }
