package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// SpoofedConnection is the configuration of an attacker who opens connections in
// the name of another host without seeing the answers: he has to guess the
// initial sequence number of the server (Morris 1985, Bellovin 1989).
type SpoofedConnection struct {
	To      quantity.Address   `key:"to" doc:"Host and port to connect to." required:"true"`
	As      quantity.Host      `key:"as" doc:"Host for which the attacker passes itself off. It must not hear the SYN-ACK, or it resets the connection." required:"true" example:"trusted"`
	Rate    quantity.Frequency `key:"rate" doc:"Attempts per second." required:"true" example:"1/s"`
	Learn   string             `key:"learn" doc:"Where the guess comes from: a connection of the attacker's own that is opened just before (probe), or nowhere (random)." default:"probe" enum:"probe,random"`
	Guesses int                `key:"guesses" doc:"Numbers that are tried in each attempt: the one that is expected, and those after it." default:"1" min:"1" max:"65536"`
	Data    quantity.Size      `key:"data" doc:"Payload that comes with the third segment." default:"100B" max:"1460B"`
	From    quantity.Duration  `key:"from" doc:"When it starts." default:"0s" instant:"true"`
	Until   quantity.Duration  `key:"until" doc:"When it stops; left out, the end of the run." instant:"true"`
}

// Build makes the workload.
func (c *SpoofedConnection) Build(name string, on quantity.Host) (Workload, error) {
	if c.Guesses < 1 || c.Data < 0 || c.Data > 1460 {
		return nil, errors.New("guesses: at least 1; data: from 0B to 1460B")
	}
	if err := checkTimes(c.From, c.Until); err != nil {
		return nil, err
	}
	if _, err := newGaps(quantity.Fixed, c.Rate, 0, nil); err != nil {
		return nil, fmt.Errorf("rate: %w", err)
	}
	return &impostor{base: base{name: name, on: on}, config: *c}, nil
}

type impostor struct {
	base
	config  SpoofedConnection
	victim  *tcpmodel.Stack
	as      segment.Node
	timer   des.Timer
	gaps    gaps
	last    des.Time
	guesses *rand.Rand
	// port and seq are those of the attempt that is under way, probe the port
	// of the attacker's own connection, 0 if nothing is waited for.
	port, probe uint16
	seq         segment.Seq
	next        network.Sink // what else arrives at the host

	trials, established *measure.Counter
}

func (m *impostor) prepare(*World) error { return nil }

func (m *impostor) start(w *World) (err error) {
	if err = m.begin(w); err != nil {
		return err
	}
	victim, err := w.host(m.config.To.Host)
	if err != nil {
		return err
	}
	as, err := w.host(m.config.As)
	if err != nil {
		return err
	}
	m.victim, m.as = victim.stack, as.stack.Node()
	m.trials = w.events("spoofed_connection", m.name, "trials")
	m.established = w.events("spoofed_connection", m.name, "established")
	m.last = m.end(m.config.Until)
	m.band(w, m.config.From, m.last)
	m.guesses = m.sim.Stream(m.label + "/guesses")
	if m.gaps, err = newGaps(quantity.Fixed, m.config.Rate, des.Time(m.config.From), nil); err != nil {
		return err
	}
	if m.next, err = w.listenIn(m.on, m); err != nil {
		return err
	}
	m.timer = m.sim.NewTimer(m.component, m, 0)
	m.arm()
	w.Recorder.OnFinish(func(des.Time) { m.judge() })
	return nil
}

// arm waits for the next attempt, and after the last one for its end.
func (m *impostor) arm() {
	if at := m.gaps.next(); at < m.last || m.port != 0 {
		m.sim.Arm(m.timer, at)
	}
}

// HandleTimer begins an attempt: a probe to learn where the server's numbers
// are, and right behind it the SYN in the name of the other host.
func (m *impostor) HandleTimer(now des.Time, _ uint64) {
	m.judge()
	if now >= m.last {
		return
	}
	if m.down() {
		m.arm()
		return
	}
	m.trials.Add(1)
	m.port = uint16(1024 + m.guesses.Uint32N(65536-1024))
	m.seq = segment.Seq(m.guesses.Uint32())
	syn := segment.Segment{Dst: m.victim.Node(), DstPort: m.config.To.Port, Flags: segment.SYN, Wnd: 65535,
		Opts: segment.OptMSS, MSS: 1460}
	if m.config.Learn == "probe" {
		m.probe = uint16(1024 + m.guesses.Uint32N(65536-1024))
		syn.Src, syn.SrcPort, syn.Seq = m.stack.Node(), m.probe, m.seq
		m.stack.Send(now, &syn)
	}
	syn.Src, syn.SrcPort, syn.Seq = m.as, m.port, m.seq
	m.stack.Send(now, &syn)
	if m.config.Learn != "probe" {
		m.guess(now, segment.Seq(m.guesses.Uint32()))
	}
	m.arm()
}

// Receive implements network.Sink: the answer to a probe is what the attacker
// waits for. His host resets it, as it knows nothing of the connection.
func (m *impostor) Receive(now des.Time, seg *segment.Segment) {
	if m.probe != 0 && seg.Kind == segment.KindTCP && seg.DstPort == m.probe && seg.Has(segment.SYN|segment.ACK) &&
		seg.Src == m.victim.Node() && seg.SrcPort == m.config.To.Port {
		m.probe = 0
		m.guess(now, seg.Seq)
	}
	m.next.Receive(now, seg)
}

// guess sends the third segments of a handshake whose second one nobody saw.
func (m *impostor) guess(now des.Time, iss segment.Seq) {
	ack := segment.Segment{Src: m.as, Dst: m.victim.Node(), SrcPort: m.port, DstPort: m.config.To.Port,
		Flags: segment.ACK | segment.PSH, Seq: m.seq + 1, Wnd: 65535, Len: uint32(m.config.Data)}
	for k := range m.config.Guesses {
		ack.Ack = iss.Add(uint32(k)) + 1
		m.stack.Send(now, &ack)
	}
}

// judge counts the attempt before as a success if its connection is there: the
// attacker cannot know.
func (m *impostor) judge() {
	if m.port != 0 && m.victim.StateOf(m.as, m.port, m.config.To.Port) >= tcpmodel.Established {
		m.established.Add(1)
	}
	m.port = 0
}

func (m *impostor) halt(des.Time)   { m.probe = 0 }
func (m *impostor) resume(des.Time) {}

// listenIn lets sink have what arrives at a host first, and returns where it
// should go then.
func (w *World) listenIn(name quantity.Host, sink network.Sink) (next network.Sink, err error) {
	h, err := w.host(name)
	if err != nil {
		return nil, err
	}
	if next = h.front; next == nil {
		next = h.stack
	}
	h.front = sink
	return next, w.Net.Attach(h.stack.Node(), sink)
}
