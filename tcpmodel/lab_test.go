package tcpmodel

import (
	"fmt"
	"strconv"
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

// host is one end of a lab: a stack, and an App that remembers. With greedy it
// reads whatever arrives and closes after its peer.
type host struct {
	*Stack
	wire   *wire
	l      *Listener
	ep     *Endpoint
	greedy bool
	noWait bool // does not accept
	seen   Events
	read   int
	// arrived is how many segments the stack told its Tracer of.
	arrived int
	ended   []ConnStats
	states  []string
	causes  []string
}

// wire carries segments one way after a delay. lose, if set, sees each segment
// with its ordinal, from 1, and reports whether it is lost; hold likewise adds
// to the delay; copies is how many more arrive.
type wire struct {
	lab    *lab
	name   string
	delay  des.Time
	to     *host
	n      int
	lose   func(n int, s *segment.Segment) bool
	hold   func(n int, s *segment.Segment) des.Time
	copies func(n int) int
	kept   []flying
	free   []uint64
	keep   func(s *segment.Segment) // takes everything instead
	quiet  bool
}

type flying struct {
	seg   segment.Segment
	timer des.Timer
}

func (w *wire) Receive(now des.Time, s *segment.Segment) {
	w.n++
	n := w.n
	if w.keep != nil {
		w.keep(s)
		return
	}
	lost := w.lose != nil && w.lose(n, s)
	if !w.quiet {
		mark := ""
		if lost {
			mark = " lost"
		}
		w.lab.log = append(w.lab.log, fmt.Sprintf("%s %s %s%s", clock(now), w.name, ladder(s), mark))
	}
	if lost {
		return
	}
	w.send(now, n, s)
	if w.copies != nil {
		for range w.copies(n) {
			w.send(now, n, s)
		}
	}
}

func (w *wire) send(now des.Time, n int, s *segment.Segment) {
	d := w.delay
	if w.hold != nil {
		d += w.hold(n, s)
	}
	var i uint64
	if k := len(w.free); k > 0 {
		i = w.free[k-1]
		w.free = w.free[:k-1]
	} else {
		i = uint64(len(w.kept))
		w.kept = append(w.kept, flying{})
		w.kept[i].timer = w.lab.sim.NewTimer(w.to.component, w, i)
	}
	w.kept[i].seg = *s
	w.lab.sim.Arm(w.kept[i].timer, now+d)
}

func (w *wire) HandleTimer(now des.Time, i uint64) {
	s := w.kept[i].seg
	w.free = append(w.free, i)
	w.to.Receive(now, &s)
}

// clock prints a time in seconds without trailing zeros after the third digit.
func clock(t des.Time) string {
	s := strconv.FormatFloat(t.Seconds(), 'f', 6, 64)
	return strings.TrimSuffix(s, "000")
}

// ladder prints a segment as the figures of RFC 9293 do.
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
	if s.NumSACK > 0 {
		fmt.Fprintf(&b, "<SACK=")
		for i, k := range s.SACK[:s.NumSACK] {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%d:%d", uint32(k.Left), uint32(k.Right))
		}
		b.WriteByte('>')
	}
	return b.String()
}

// parseLadder is the inverse of ladder, with WND, MSS, WS, TS=val/ecr and
// SACKOK beside.
func parseLadder(t testing.TB, text string) segment.Segment {
	t.Helper()
	s := segment.Segment{Wnd: 65535}
	num := func(v string) uint32 {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return uint32(n)
	}
	for _, f := range strings.Split(strings.Trim(text, "<>"), "><") {
		name, v, _ := strings.Cut(f, "=")
		switch name {
		case "SEQ":
			s.Seq = segment.Seq(num(v))
		case "ACK":
			s.Ack = segment.Seq(num(v))
		case "DATA":
			s.Len = num(v)
		case "WND":
			s.Wnd = uint16(num(v))
		case "MSS":
			s.MSS, s.Opts = uint16(num(v)), s.Opts|segment.OptMSS
		case "WS":
			s.WScale, s.Opts = uint8(num(v)), s.Opts|segment.OptWScale
		case "SACKOK":
			s.Opts |= segment.OptSACKPermitted
		case "TS":
			val, ecr, _ := strings.Cut(v, "/")
			s.TSVal, s.TSEcr, s.Opts = num(val), num(ecr), s.Opts|segment.OptTimestamps
		case "SACK":
			for _, b := range strings.Split(v, ",") {
				l, r, _ := strings.Cut(b, ":")
				s.SACK[s.NumSACK] = segment.Block{Left: segment.Seq(num(l)), Right: segment.Seq(num(r))}
				s.NumSACK++
			}
			s.Opts |= segment.OptSACK
		case "CTL":
			s.Flags = parseFlags(t, v)
		default:
			t.Fatalf("%s: no field %q", text, name)
		}
	}
	return s
}

func parseFlags(t testing.TB, text string) segment.Flags {
	t.Helper()
	var f segment.Flags
	for _, name := range strings.Split(text, ",") {
		i := segment.Flags(1)
		for ; i <= segment.AE && i.String() != name; i <<= 1 {
		}
		if i > segment.AE {
			t.Fatalf("no control bit %q", name)
		}
		f |= i
	}
	return f
}

func (h *host) HandleEvents(now des.Time, ep *Endpoint, ev Events) {
	h.seen |= ev
	if h.greedy {
		for n := 1; n > 0; h.read += n {
			n = ep.Read(1 << 20)
		}
		if ep.EOF() && ev&EvReleased == 0 {
			ep.Close()
		}
	}
	if ev&EvReleased != 0 && h.ep == ep {
		h.ep = nil
	}
}

func (h *host) HandleAcceptable(now des.Time, l *Listener) {
	if h.noWait {
		return
	}
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		ep.SetApp(h, 0)
		h.ep = ep
	}
}

func (h *host) TraceState(now des.Time, c Conn, from, to State, why Cause) {
	h.states = append(h.states, fmt.Sprintf("%v>%v", from, to))
	h.causes = append(h.causes, why.String())
}
func (h *host) TraceSegment(_ des.Time, _ Conn, out bool, _ *segment.Segment, _ Cause) {
	if !out {
		h.arrived++
	}
}
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

// lastEnd is how the connection that ended last did.
func (h *host) lastEnd() ConnStats {
	if len(h.ended) == 0 {
		return ConnStats{}
	}
	return h.ended[len(h.ended)-1]
}

// checkEmpty fails the test if h keeps anything of a connection.
func (h *host) checkEmpty(t testing.TB) {
	t.Helper()
	eps := 0
	for _, ep := range h.endpoints {
		if ep != nil {
			eps++
		}
	}
	half := 0
	for i := range h.requests.entries {
		if h.requests.entries[i].live {
			half++
		}
	}
	if eps+half+h.timeWaits.n+h.conns.used != 0 {
		t.Errorf("%s keeps %d endpoints, %d half-open, %d TIME-WAIT entries, %d keys", h.name, eps, half, h.timeWaits.n, h.conns.used)
	}
	for s := SynSent; s < NumStates; s++ {
		if h.InState(s) != 0 {
			t.Errorf("%s counts %d connections in %v", h.name, h.InState(s), s)
		}
	}
}

const (
	labDelay = 10 * des.Millisecond
	ms       = des.Millisecond
)

// newLab returns hosts with that profile, changed by tune. The initial
// sequence numbers are 100 at A and 300 at B, as in RFC 9293.
func newLab(t testing.TB, profile string, tune func(c *Config)) *lab {
	t.Helper()
	l := &lab{t: t, sim: des.New(1, 0)}
	cfg, err := Profile(profile)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ISN = ISNConstant
	if tune != nil {
		tune(&cfg)
	}
	l.a, l.b = l.newHost("A", 1, cfg, 100), l.newHost("B", 2, cfg, 300)
	l.a.wire.to, l.b.wire.to = l.b, l.a
	return l
}

func (l *lab) newHost(name string, node segment.Node, cfg Config, isn uint32) *host {
	l.t.Helper()
	h := &host{wire: &wire{lab: l, name: name, delay: labDelay}}
	cfg.ISNValue = isn
	var err error
	h.Stack, err = NewStack(StackOptions{Sim: l.sim, Name: name, Node: node, Config: cfg, Out: h.wire, Tracer: h})
	if err != nil {
		l.t.Fatal(err)
	}
	return h
}

// connect opens a connection from A to port 80 of B and runs until both ends
// are established.
func (l *lab) connect(o SocketOptions) {
	l.t.Helper()
	l.listen()
	l.dial(o)
	l.run(4 * labDelay)
	if l.a.state() != Established || l.b.state() != Established {
		l.t.Fatalf("not established: A %v, B %v\n%s", l.a.state(), l.b.state(), l.dump())
	}
}

func (l *lab) listen() {
	l.t.Helper()
	var err error
	if l.b.l, err = l.b.Listen(80, 5, l.b); err != nil {
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

// idle runs until nothing is left to happen, and fails the test if that takes
// longer than limit.
func (l *lab) idle(limit des.Time) {
	l.t.Helper()
	l.run(limit)
	if at := l.sim.NextDeadline(); at != des.Never {
		l.t.Fatalf("a timer is still armed after %v, for %v\n%s", limit, at, l.dump())
	}
}

func (l *lab) dump() string { return strings.Join(l.log, "\n") }

// want compares the ladder since the last want (or forget) with lines of the
// form "0.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>", blank ones left out.
func (l *lab) want(text string) {
	l.t.Helper()
	var lines []string
	for _, s := range strings.Split(text, "\n") {
		if s = strings.TrimSpace(s); s != "" {
			lines = append(lines, strings.Join(strings.Fields(s), " "))
		}
	}
	compareLadders(l.t, l.log, lines)
	l.log = nil
}

func compareLadders(t testing.TB, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("line %d\n got %s\nwant %s\nthe whole:\n%s", i+1, g, w, strings.Join(got, "\n"))
		}
	}
}

func (l *lab) forget() { l.log = nil }

func (l *lab) wantStates(a, b State) {
	l.t.Helper()
	if l.a.state() != a || l.b.state() != b {
		l.t.Fatalf("A %v, B %v, want %v, %v\n%s", l.a.state(), l.b.state(), a, b, l.dump())
	}
}

// puppet is host A of a lab whose peer, B, is worked by the test: what A sends
// is kept, what B sends is written down.
type puppet struct {
	*lab
	*host
	port, peerPort uint16
	peerISS        segment.Seq
	sent           []string
	last           segment.Segment
}

// newPuppet returns a stack whose initial sequence number is 100.
func newPuppet(t testing.TB, profile string, tune func(c *Config)) *puppet {
	t.Helper()
	l := newLab(t, profile, tune)
	p := &puppet{lab: l, host: l.a, port: 80, peerPort: 5000}
	p.wire.keep = func(s *segment.Segment) {
		p.last = *s
		p.sent = append(p.sent, clock(l.sim.Now())+" "+ladder(s))
	}
	return p
}

func (p *puppet) passiveOpen(backlog int) {
	p.t.Helper()
	var err error
	if p.l, err = p.Listen(p.port, backlog, p.host); err != nil {
		p.t.Fatal(err)
	}
}

func (p *puppet) activeOpen(o SocketOptions) {
	p.t.Helper()
	p.port, p.peerPort, o.LocalPort = 1000, 80, 1000
	var err error
	if p.ep, err = p.Connect(2, p.peerPort, p.host, o); err != nil {
		p.t.Fatal(err)
	}
}

// arrive lets a segment of the peer arrive now.
func (p *puppet) arrive(text string) {
	p.t.Helper()
	s := parseLadder(p.t, text)
	p.arriveSegment(&s)
}

func (p *puppet) arriveSegment(s *segment.Segment) {
	s.Src, s.Dst, s.SrcPort, s.DstPort = 2, 1, p.peerPort, p.port
	if s.Has(segment.SYN) {
		p.peerISS = s.Seq
	}
	if s.Len > 0 {
		s.Stream, s.Offset = 7, uint64(uint32(s.Seq-p.peerISS-1))
	}
	p.Receive(p.sim.Now(), s)
	p.run(0)
}

// sends checks what the stack has sent since the last call: lines of a ladder,
// with the time before it or without.
func (p *puppet) sends(lines ...string) {
	p.t.Helper()
	got := p.sent
	p.sent = nil
	if len(lines) > 0 && strings.HasPrefix(lines[0], "<") {
		for i, s := range got {
			_, got[i], _ = strings.Cut(s, " ")
		}
	}
	compareLadders(p.t, got, lines)
}

func (p *puppet) in(want State) {
	p.t.Helper()
	if got := p.state(); got != want {
		p.t.Fatalf("in %v, want %v; sent %v", got, want, p.sent)
	}
}

// established brings the puppet to ESTABLISHED after a passive open: SND.NXT
// is 101, RCV.NXT 301.
func established(t testing.TB, profile string, tune func(c *Config)) *puppet {
	t.Helper()
	p := newPuppet(t, profile, tune)
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1460><CTL=SYN>")
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.sends("<SEQ=100><ACK=301><CTL=SYN,ACK>")
	p.in(Established)
	return p
}
