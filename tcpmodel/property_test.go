package tcpmodel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// peerApp sends so many bytes, half-closes, reads everything and closes.
type peerApp struct {
	send     int
	began    bool
	late     bool // half-closes only when the peer has
	ep       *Endpoint
	read     int
	ended    bool
	released bool
	err      Errno
}

func (p *peerApp) begin(ep *Endpoint) {
	p.began, p.ep = true, ep
	ep.SetOptions(SocketOptions{Keepalive: true, KeepIdle: des.Minute, KeepIntvl: des.Minute, KeepCnt: 5})
	if p.send > 0 {
		ep.Write(p.send)
	}
	if !p.late {
		ep.Shutdown()
	}
}

func (p *peerApp) HandleEvents(now des.Time, ep *Endpoint, ev Events) {
	if ev&EvConnected != 0 && !p.began {
		p.begin(ep)
	}
	for n := 1; n > 0; p.read += n {
		n = ep.Read(997)
	}
	if ev&EvFailed != 0 {
		p.err = ep.Err()
	}
	if ep.EOF() && !p.ended {
		p.ended = true
		ep.Close()
	}
	if ev&EvReleased != 0 {
		p.released = true
	}
}

func (p *peerApp) HandleAcceptable(now des.Time, l *Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		if p.began {
			// An old SYN came again after the connection's end.
			ep.SetApp(&peerApp{}, 0)
			ep.Abort()
			continue
		}
		ep.SetApp(p, 0)
		p.begin(ep)
	}
}

// fate is what happens to one segment on the way.
type fate struct {
	Lost   bool
	Copies int
	Delay  int // milliseconds more
}

// drawFates returns what happens to the segments of one direction: the first
// ones drawn one by one, the rest by chance.
func drawFates(rt *rapid.T, name string, lossy bool, w *wire) {
	fates := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) fate {
		return fate{
			Lost:   lossy && rapid.IntRange(0, 3).Draw(rt, "lost") == 3,
			Copies: max(0, rapid.IntRange(-3, 2).Draw(rt, "copies")),
			Delay:  max(0, rapid.IntRange(-40, 40).Draw(rt, "delay")),
		}
	}), 0, 30).Draw(rt, name+" fates")
	loss := 0
	if lossy {
		loss = rapid.SampledFrom([]int{0, 1, 5, 20, 40, 100}).Draw(rt, name+" loss in percent")
	}
	jitter := rapid.SampledFrom([]int{1, 1, 5, 50}).Draw(rt, name+" jitter in ms")
	rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, name+" seed"), 0))
	w.lose = func(n int, _ *segment.Segment) bool {
		if n <= len(fates) {
			return fates[n-1].Lost
		}
		return rnd.IntN(100) < loss
	}
	w.copies = func(n int) int {
		if n <= len(fates) {
			return fates[n-1].Copies
		}
		return max(0, rnd.IntN(20)-18)
	}
	w.hold = func(n int, _ *segment.Segment) des.Time {
		if n <= len(fates) {
			return des.Time(fates[n-1].Delay) * ms
		}
		return des.Time(rnd.IntN(jitter)) * ms
	}
}

// TestDelivery: whatever the network does, either everything arrives once and
// in order and both ends reach CLOSED, or an end says that it failed and what
// had arrived is a prefix. Without loss nothing may fail. Nothing is left in
// any table, and no timer is armed. SYN cookies promise less: a segment up to
// three bytes on that overtakes the one that returns the cookie passes for it,
// with another MSS, and every copy of it opens a connection.
func TestDelivery(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		rapid.Check(t, func(rt *rapid.T) { deliver(rt, t, profile) })
	})
}

func deliver(rt *rapid.T, t testing.TB, profile string) {
	lossy := rapid.Bool().Draw(rt, "lossy")
	isnA, isnB := rapid.Uint32().Draw(rt, "A's ISN"), rapid.Uint32().Draw(rt, "B's ISN")
	mode := rapid.SampledFrom([]HandshakeMode{ThreeWay, ThreeWay, ThreeWay, TwoWay}).Draw(rt, "handshake")
	rcvbuf := rapid.SampledFrom([]int{131072, 20000, 6000}).Draw(rt, "receive buffer")
	l := newLab(t, profile, func(c *Config) { c.Handshake, c.RmemDefault = mode, rcvbuf })
	l.a.cfg.ISNValue, l.b.cfg.ISNValue = isnA, isnB
	sizes := rapid.SampledFrom([]int{0, 1, 100, 1448, 1460, 3000, 20000})
	a := &peerApp{send: sizes.Draw(rt, "bytes of A"), late: rapid.Bool().Draw(rt, "A waits")}
	b := &peerApp{send: sizes.Draw(rt, "bytes of B"), late: !a.late && rapid.Bool().Draw(rt, "B waits")}
	drawFates(rt, "A", lossy, l.a.wire)
	drawFates(rt, "B", lossy, l.b.wire)
	listener, err := l.b.Listen(80, 5, b)
	if err != nil {
		rt.Fatal(err)
	}
	if _, err = l.a.Connect(2, 80, a, SocketOptions{}); err != nil {
		rt.Fatal(err)
	}
	for step := 0; l.sim.Now() < 3*des.Hour && l.sim.Step(); step++ {
		if step < 2000 {
			checkStack(rt, l.a.Stack)
			checkStack(rt, l.b.Stack)
		}
		if step > 100000 {
			rt.Fatalf("more than %d events by %v", step, l.sim.Now())
		}
	}
	if at := l.sim.NextDeadline(); at != des.Never {
		rt.Fatalf("a timer is armed for %v\n%s", at, l.dump())
	}
	listener.Close()
	l.run(0)
	for _, h := range []*host{l.a, l.b} {
		if h.conns.used != 0 || h.timeWaits.n != 0 {
			rt.Fatalf("%s keeps %d connections, %d of them in TIME-WAIT\n%s", h.name, h.conns.used, h.timeWaits.n, l.dump())
		}
	}
	for _, side := range []struct {
		name       string
		from, to   *peerApp
		sender, at *host
	}{{"B", a, b, l.a, l.b}, {"A", b, a, l.b, l.a}} {
		var received, foreign uint64
		for _, s := range side.at.ended {
			received, foreign = received+s.BytesReceived, foreign+s.ForeignBytes
		}
		if foreign != 0 || received > uint64(side.from.send) {
			rt.Fatalf("%s got %d bytes of %d, %d of them foreign\n%s", side.name, received, side.from.send, foreign, l.dump())
		}
		if a.err == OK && b.err == OK && side.to.began && a.began && (side.to.read != side.from.send || !side.to.ended || !side.to.released) {
			rt.Fatalf("%s read %d bytes of %d (end of stream %v, released %v), and nobody failed\n%s", side.name, side.to.read, side.from.send, side.to.ended, side.to.released, l.dump())
		}
	}
	if !lossy && (a.err != OK || b.err != OK || !a.ended || !b.ended) && mode == ThreeWay {
		rt.Fatalf("nothing was lost, but A ends with %v and B with %v\n%s", a.err, b.err, l.dump())
	}
	if a.err == OK && !a.ended {
		rt.Fatalf("A neither ends nor fails\n%s", l.dump())
	}
}

// checkStack checks the bookkeeping of a stack.
func checkStack(t interface{ Fatalf(string, ...any) }, st *Stack) {
	live, half := 0, map[uint32]int{}
	var inState [NumStates]int
	for i, ep := range st.endpoints {
		if ep == nil {
			continue
		}
		live++
		inState[ep.state]++
		if r := st.conns.find(ep.key); r != refEndpoint|ref(i) {
			t.Fatalf("%s: endpoint %d is found as %x", st.name, i, r)
		}
		checkEndpoint(t, ep)
	}
	for i := range st.requests.entries {
		if r := &st.requests.entries[i]; r.live {
			live++
			half[r.listener]++
			inState[SynReceived]++
			if st.conns.find(r.key) != refRequest|ref(i) {
				t.Fatalf("%s: half-open entry %d is not found", st.name, i)
			}
		}
	}
	for i := range st.timeWaits.entries {
		if w := &st.timeWaits.entries[i]; w.live {
			live++
			inState[TimeWait]++
			if st.conns.find(w.key) != refTimeWait|ref(i) {
				t.Fatalf("%s: TIME-WAIT entry %d is not found", st.name, i)
			}
		}
	}
	if live != st.conns.used || inState[TimeWait] != st.timeWaits.n {
		t.Fatalf("%s: %d connections, %d keys; %d in TIME-WAIT, counted %d", st.name, live, st.conns.used, inState[TimeWait], st.timeWaits.n)
	}
	for i, l := range st.requests.listeners {
		if l.half != half[uint32(i)] || l.young > l.half || l.young < 0 {
			t.Fatalf("%s: listener counts %d half-open, %d young, has %d", st.name, l.half, l.young, half[uint32(i)])
		}
	}
	for s := SynSent; s < NumStates; s++ {
		if inState[s] != st.inState[s] {
			t.Fatalf("%s: %d connections in %v, counted %d", st.name, inState[s], s, st.inState[s])
		}
	}
}

// checkEndpoint checks what holds for an endpoint between any two events.
func checkEndpoint(t interface{ Fatalf(string, ...any) }, ep *Endpoint) {
	fail := func(format string, args ...any) {
		t.Fatalf("%s in %v: %s", ep.st.name, ep.state, fmt.Sprintf(format, args...))
	}
	if ep.state == Closed || ep.state == TimeWait || ep.state == Listen {
		fail("an endpoint in the tables")
	}
	if ep.sndNxt.Less(ep.sndUna) || ep.writeSeq.Add(1).Less(ep.sndNxt) {
		fail("SND.UNA %d, SND.NXT %d, written up to %d", ep.sndUna, ep.sndNxt, ep.writeSeq)
	}
	at := ep.sndUna
	var sacked, lost, retrans uint32
	for pos := ep.rtx.head; pos != ep.rtx.tail; pos++ {
		s := ep.rtx.at(pos)
		if s.seq != at || !s.seq.Less(s.end) {
			fail("in flight from %d to %d after %d", s.seq, s.end, at)
		}
		at = s.end
		if s.flags&sentSacked != 0 {
			sacked++
		}
		if s.flags&sentLost != 0 {
			lost++
		}
		if s.flags&sentRetrans != 0 {
			retrans++
		}
	}
	if at != ep.sndNxt {
		fail("in flight up to %d, SND.NXT is %d", at, ep.sndNxt)
	}
	if ep.opt.sackOK && sacked != ep.sackedOut || lost != ep.lostOut || retrans != ep.retransOut {
		fail("%d SACKed, %d lost, %d sent again; counted %d, %d, %d", sacked, lost, retrans, ep.sackedOut, ep.lostOut, ep.retransOut)
	}
	if ep.sackedOut+ep.lostOut > ep.rtx.len() {
		fail("%d SACKed and %d lost of %d", ep.sackedOut, ep.lostOut, ep.rtx.len())
	}
	if ep.win.Cwnd == 0 || int32(ep.win.Cwnd) < 0 {
		fail("cwnd %d", ep.win.Cwnd)
	}
	edge := ep.rcvNxt
	for _, s := range ep.ooo {
		if !edge.Less(s.Left) || !s.Left.Less(s.Right) {
			fail("out of order from %d to %d after %d", s.Left, s.Right, edge)
		}
		edge = s.Right
	}
	if ep.readable < 0 || ep.state.synchronized() && ep.rtx.len() > 0 && !ep.armed(timerRTO) {
		fail("%d readable, %d in flight, retransmission timer armed %v", ep.readable, ep.rtx.len(), ep.armed(timerRTO))
	}
}

// near draws a sequence number that is interesting beside those of an
// endpoint.
func near(rt *rapid.T, name string, interesting []segment.Seq) segment.Seq {
	if rapid.IntRange(0, 9).Draw(rt, name+" arbitrary") == 9 {
		return segment.Seq(rapid.Uint32().Draw(rt, name))
	}
	base := rapid.SampledFrom(interesting).Draw(rt, name+" beside")
	return base + segment.Seq(rapid.SampledFrom([]int{0, 0, 0, 0, 1, -1, 10, -10, 1460, -1460, 2920, 65535, 1 << 20}).Draw(rt, name+" by"))
}

// hostile lets arbitrary segments, calls of the user and waits come over one
// stack.
func hostile(rt *rapid.T, t testing.TB, profile string) {
	p := newPuppet(t, profile, func(c *Config) {
		c.ISNValue = 0
		c.SynCookies = rapid.IntRange(0, 2).Draw(rt, "tcp_syncookies")
		c.MaxTwBuckets = rapid.SampledFrom([]int{0, 100}).Draw(rt, "tcp_max_tw_buckets")
	})
	p.wire.keep = func(s *segment.Segment) { p.last = *s }
	p.host.cfg.ISNValue = rapid.SampledFrom([]uint32{100, 1<<32 - 1, 1<<32 - 1500}).Draw(rt, "ISN")
	o := SocketOptions{Keepalive: rapid.Bool().Draw(rt, "keepalive"), KeepIdle: des.Second, KeepIntvl: des.Second}
	if rapid.Bool().Draw(rt, "passive") {
		p.passiveOpen(rapid.IntRange(0, 3).Draw(rt, "backlog"))
	} else {
		p.activeOpen(o)
	}
	interesting := []segment.Seq{0, 100, 101, 300, 301}
	for range rapid.IntRange(1, 40).Draw(rt, "steps") {
		if ep := p.ep; ep != nil && ep.state != Closed {
			interesting = []segment.Seq{ep.iss, ep.sndUna, ep.sndNxt, ep.irs, ep.rcvNxt, ep.rcvNxt.Add(ep.receiveWindow())}
			if n := len(ep.ooo); n > 0 {
				interesting = append(interesting, ep.ooo[0].Left, ep.ooo[n-1].Right)
			}
		} else {
			interesting = append(interesting[:5:5], p.last.Seq, p.last.End(), p.last.Ack)
		}
		hostileStep(rt, p, interesting)
		p.run(0)
		checkStack(rt, p.Stack)
	}
	for _, ep := range p.endpoints {
		if ep != nil {
			ep.Abort()
		}
	}
	if p.l != nil {
		p.l.Close()
	}
	p.run(des.Hour)
	if at := p.sim.NextDeadline(); at != des.Never || p.conns.used != 0 {
		rt.Fatalf("%d connections left, next timer at %v", p.conns.used, at)
	}
}

func hostileStep(rt *rapid.T, p *puppet, interesting []segment.Seq) {
	switch rapid.IntRange(0, 12).Draw(rt, "step") {
	case 0:
		p.run(des.Time(rapid.SampledFrom([]int{1, 40, 200, 1000, 60000, 400000}).Draw(rt, "ms")) * ms)
	case 1:
		if p.ep != nil {
			p.ep.Write(rapid.SampledFrom([]int{1, 1460, 5000, 100000}).Draw(rt, "write"))
		}
	case 2:
		if p.ep != nil {
			p.ep.Read(rapid.SampledFrom([]int{1, 1460, 100000}).Draw(rt, "read"))
		}
	case 3:
		if p.ep != nil {
			switch rapid.IntRange(0, 5).Draw(rt, "end") {
			case 0:
				p.ep.Close()
			case 1:
				p.ep.Abort()
			case 2, 3, 4, 5:
				p.ep.Shutdown()
			}
		}
	default:
		s := segment.Segment{
			Seq: near(rt, "SEQ", interesting), Ack: near(rt, "ACK", interesting),
			Wnd:   rapid.SampledFrom([]uint16{0, 1, 500, 5000, 65535}).Draw(rt, "WND"),
			Len:   rapid.SampledFrom([]uint32{0, 0, 0, 1, 10, 1460, 70000}).Draw(rt, "DATA"),
			Flags: rapid.SampledFrom([]segment.Flags{segment.ACK, segment.ACK, segment.ACK, segment.SYN, segment.SYN | segment.ACK, segment.FIN | segment.ACK, segment.RST, segment.RST | segment.ACK, 0, segment.FIN, segment.SYN | segment.FIN, 0x1ff}).Draw(rt, "CTL"),
			Opts:  segment.Options(rapid.IntRange(0, 31).Draw(rt, "options")),
			MSS:   rapid.SampledFrom([]uint16{0, 1, 48, 536, 1460, 65535}).Draw(rt, "MSS"), WScale: uint8(rapid.IntRange(0, 20).Draw(rt, "WS")),
			TSVal: rapid.SampledFrom([]uint32{0, 1, 1000, 1 << 31}).Draw(rt, "TSval"),
			TSEcr: rapid.SampledFrom([]uint32{0, p.last.TSVal, p.last.TSVal + 5, 77}).Draw(rt, "TSecr"),
			ECN:   segment.ECN(rapid.IntRange(0, 3).Draw(rt, "ECN")),
		}
		if s.Opts&segment.OptSACK != 0 {
			s.NumSACK = uint8(rapid.IntRange(0, 4).Draw(rt, "blocks"))
			for i := range s.SACK[:s.NumSACK] {
				s.SACK[i] = segment.Block{Left: near(rt, "left", interesting), Right: near(rt, "right", interesting)}
			}
		}
		if rapid.IntRange(0, 9).Draw(rt, "icmp") == 9 {
			s.Kind, s.Ack, s.Wnd = segment.KindICMP, 2, uint16(3<<8|rapid.IntRange(0, 5).Draw(rt, "code"))
			s.SrcPort, s.DstPort, s.Src, s.Dst = p.port, p.peerPort, 3, 1
			p.Receive(p.sim.Now(), &s)
			return
		}
		p.arriveSegment(&s)
	}
}

// TestHostile: no segment, in whatever state, makes a stack panic or miscount.
func TestHostile(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		rapid.Check(t, func(rt *rapid.T) { hostile(rt, t, profile) })
	})
}

func FuzzArrive(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		profile := ProfileNames()[len(data)%len(ProfileNames())]
		rapid.MakeFuzz(func(rt *rapid.T) { hostile(rt, t, profile) })(t, data)
	})
}
