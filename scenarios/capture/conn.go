package capture

import (
	"slices"

	"tcplab/tcpmodel/segment"
)

// conn follows one connection from packet to packet.
type conn struct {
	out    *Connection
	ends   [2]end // the client's, the server's
	before *conn  // the incarnation before, which may still speak
	lines  ladder
}

// end is what is known of one end of a connection. Sequence numbers are
// unwrapped and count from the SYN.
type end struct {
	out    *End
	origin segment.Seq // of number 0
	known  bool        // origin is
	iss    bool        // origin is that of a SYN
	next   int64       // after the highest number sent
	sent   bool        // anything yet
	holes  []hole      // below next, sorted
	ack    int64       // the highest acknowledgement sent
	acked  bool        // one was
	window uint16      // of the last segment
	fin    int64       // the number after its FIN, 0 without
	offer  segment.Options
	ecn    bool
	synack bool // it sent a SYN-ACK
	probed bool // its last segment was a keepalive or a probe
	flight []outstanding
	resent []resent
	rtts   []Span
	state  State
}

// hole is a range of numbers that has not been seen although later ones have.
type hole struct {
	left, right int64
	at          Span
	tsval       uint32 // of the segment behind it
	stamped     bool
}

// outstanding is data without acknowledgement.
type outstanding struct {
	left, right int64
	at          Span
	line        int
	resent      bool
}

// resent is a retransmission that a D-SACK may yet prove needless.
type resent struct {
	left, right int64
	line        int
	original    int // line, -1 if unknown
	spurious    bool
}

// What is remembered of one end has bounds, so that half a conversation does
// not fill the memory.
const (
	maxFlight = 1 << 14
	maxResent = 1 << 10
	maxHoles  = 1 << 10
)

func newConn(t *tcpPacket, number int) *conn {
	c := &conn{out: &Connection{Number: number, Interface: t.vantage.iface, Start: t.at}}
	client, server := t.source, t.dest
	switch t.Flags & (segment.SYN | segment.ACK) {
	case segment.SYN:
	case segment.SYN | segment.ACK:
		c.out.Partial = true
		client, server = server, client
	default:
		c.out.Partial = true
		if client.Port() < server.Port() {
			client, server = server, client
		}
	}
	c.out.Handshake = Handshake{SYNACK: None, ACK: None}
	c.out.Client.Addr, c.out.Server.Addr = client, server
	c.ends[0].out, c.ends[1].out = &c.out.Client, &c.out.Server
	for i := range c.ends {
		c.ends[i].out.WindowScale = -1
	}
	return c
}

// sender returns the index of the end that sent t.
func (c *conn) sender(t *tcpPacket) int {
	if t.source == c.out.Client.Addr {
		return 0
	}
	return 1
}

// isOther reports whether a SYN without ACK of end x opens another connection.
func (c *conn) isOther(t *tcpPacket, x int) bool {
	if e := &c.ends[x]; e.known {
		return e.origin != t.Seq
	}
	simultaneous := c.ends[1-x].state == SynSent
	return !simultaneous
}

// rel unwraps a sequence number of the end.
func (e *end) rel(s segment.Seq) int64 { return e.next + int64(s.Sub(e.origin.Add(uint32(e.next)))) }

// shift is the scale of the windows that the end announces, the largest one if
// its SYN was missed.
func (c *conn) shift(x int) int {
	e := &c.ends[x]
	switch {
	case !e.iss && c.out.Partial:
		return 14
	case e.out.WindowScale < 0 || c.ends[1-x].iss && c.ends[1-x].out.WindowScale < 0:
		return 0
	}
	return e.out.WindowScale
}

// fits reports whether t lies where its connection may be: not further ahead
// than the window of the peer can ever allow, nor that far behind.
func (c *conn) fits(t *tcpPacket, x int) bool {
	e, peer := &c.ends[x], &c.ends[1-x]
	if !e.known {
		return true
	}
	reach := int64(65535)<<c.shift(1-x) + 1
	left := e.rel(t.Seq)
	ahead := max(e.next, peer.ack) + reach
	return left <= ahead && left >= e.next-reach-1
}

// belongs reports whether t fits and acknowledges what the peer can have sent.
func (c *conn) belongs(t *tcpPacket, x int) bool {
	peer := &c.ends[1-x]
	if !c.fits(t, x) {
		return false
	}
	if !t.Has(segment.ACK) || !peer.known {
		return true
	}
	ack := peer.rel(t.Ack)
	return ack <= peer.next && ack >= peer.next-int64(65535)<<c.shift(x)-1
}

// take enters the next packet of the connection, which end x sent.
func (c *conn) take(t *tcpPacket, x int) {
	e, peer := &c.ends[x], &c.ends[1-x]
	c.out.End = t.at
	e.out.Segments++
	e.out.FrameBytes += uint64(t.wire)
	if t.Flags&segment.RST != 0 {
		e.out.Resets++
	}
	if t.Flags&segment.SYN != 0 {
		c.takeSYN(t, x)
	}
	c.learnOrigins(t, x)
	line := c.lines.open()
	var marks Marks
	switch {
	case !c.fits(t, x):
		marks = MarkOutOfWindow
	case t.Flags&segment.RST != 0:
		marks = c.takeRST(t, x)
	default:
		marks = c.takeSequence(t, x, line)
		c.takeAck(t, x)
		c.infer(t, x)
		e.window = t.Wnd
		e.probed = marks&(MarkKeepalive|MarkProbe) != 0
		e.sent = true
	}
	if t.badChecksum {
		marks |= MarkBadChecksum
	}
	c.count(e.out, marks)
	window := uint32(t.Wnd)
	if t.Flags&segment.SYN == 0 && e.iss {
		window <<= c.shift(x)
	}
	ack := int64(0)
	if t.Has(segment.ACK) && peer.known {
		ack = peer.rel(t.Ack)
	}
	c.lines.put(line, Line{
		Packet: t.number, At: t.at, From: sides[x], Flags: FlagSet(t.Flags), Seq: e.rel(t.Seq), Ack: ack,
		Len: t.Len, Window: window, Marks: marks, Client: c.ends[0].state, Server: c.ends[1].state, Comment: t.comment,
	})
}

// takeSYN takes what a SYN says. A server without memory (SYN cookies) may
// answer a repeated SYN with another number.
func (c *conn) takeSYN(t *tcpPacket, x int) {
	e := &c.ends[x]
	forgot := e.iss && e.origin != t.Seq && e.out.Bytes == 0 && e.state == SynReceived
	if !e.known || forgot {
		e.origin, e.known, e.next, e.sent = t.Seq, true, 0, false
	}
	e.iss = e.iss || e.origin == t.Seq
	e.offer = t.Opts
	if t.Opts&segment.OptMSS != 0 {
		e.out.MSS = t.MSS
	}
	if t.Opts&segment.OptWScale != 0 {
		e.out.WindowScale = int(t.WScale)
	}
	if t.Has(segment.ACK) {
		e.ecn = t.Flags&(segment.ECE|segment.CWR) == segment.ECE
	} else {
		e.ecn = t.Has(segment.ECE | segment.CWR)
	}
}

// learnOrigins takes the first numbers seen for those after a SYN.
func (c *conn) learnOrigins(t *tcpPacket, x int) {
	if e := &c.ends[x]; !e.known {
		e.origin, e.known, e.next = t.Seq.Add(^uint32(0)), true, 1
	}
	if peer := &c.ends[1-x]; t.Has(segment.ACK) && !peer.known {
		peer.origin, peer.known, peer.next = t.Ack.Add(^uint32(0)), true, 1
	}
}

// takeAck takes the acknowledgement in t: round-trip times of the peer's data,
// and SACK.
func (c *conn) takeAck(t *tcpPacket, x int) {
	e, peer := &c.ends[x], &c.ends[1-x]
	if !t.Has(segment.ACK) {
		return
	}
	ack := peer.rel(t.Ack)
	if t.Opts&segment.OptSACK != 0 {
		c.takeDSACK(t, x, ack)
	}
	if ack > peer.next && !peer.sent {
		peer.next = ack
	}
	if e.acked && ack <= e.ack {
		return
	}
	e.ack, e.acked = ack, true
	n, clean := 0, true
	for n < len(peer.flight) && peer.flight[n].right <= ack {
		clean = clean && !peer.flight[n].resent
		n++
	}
	if n > 0 {
		if clean {
			peer.rtts = append(peer.rtts, t.at-peer.flight[n-1].at)
		}
		peer.flight = slices.Delete(peer.flight, 0, n)
	}
}

// takeDSACK looks for a report of data received twice (RFC 2883 section 4).
func (c *conn) takeDSACK(t *tcpPacket, x int, ack int64) {
	peer := &c.ends[1-x]
	if t.NumSACK == 0 {
		return
	}
	left, right := peer.rel(t.SACK[0].Left), peer.rel(t.SACK[0].Right)
	inside := t.NumSACK > 1 && left >= peer.rel(t.SACK[1].Left) && right <= peer.rel(t.SACK[1].Right)
	if left >= right || right > ack && !inside {
		return
	}
	c.ends[x].out.DSACKs++
	for i := len(peer.resent) - 1; i >= 0; i-- {
		r := &peer.resent[i]
		if !r.spurious && r.left < right && left < r.right {
			r.spurious = true
			peer.out.Retransmissions.Spurious++
			c.lines.mark(r.line, MarkSpurious)
			c.lines.unmark(r.original, MarkMaybeLost)
			return
		}
	}
}

func (c *conn) count(e *End, m Marks) {
	for _, k := range []struct {
		mark Marks
		n    *int
	}{
		{MarkOutOfOrder, &e.OutOfOrder}, {MarkGap, &e.Gaps}, {MarkDupAck, &e.DupAcks},
		{MarkWindowUpdate, &e.WindowUpdates}, {MarkZeroWindow, &e.ZeroWindows},
		{MarkKeepalive, &e.Keepalives}, {MarkProbe, &e.Probes}, {MarkOutOfWindow, &e.OutOfWindow},
	} {
		if m&k.mark != 0 {
			*k.n++
		}
	}
}

// finish completes the connection.
func (c *conn) finish() *Connection {
	for i := range c.ends {
		e := &c.ends[i]
		r := &e.out.RTT
		*r = RTT{Samples: len(e.rtts), Min: None, Median: None}
		if len(e.rtts) > 0 {
			slices.Sort(e.rtts)
			r.Min, r.Median = e.rtts[0], e.rtts[len(e.rtts)/2]
		}
		if e.out.States == nil {
			e.out.States = []StateAt{}
		}
	}
	a, b := &c.ends[0], &c.ends[1]
	if a.iss && b.iss {
		both := a.offer & b.offer
		c.out.Agreed = Agreed{
			WindowScale: both&segment.OptWScale != 0, SACK: both&segment.OptSACKPermitted != 0,
			Timestamps: both&segment.OptTimestamps != 0, ECN: a.ecn && b.ecn,
		}
	}
	c.out.Outcome = c.outcome()
	c.out.Ladder, c.out.LadderGap, c.out.LadderOmitted = c.lines.close()
	return c.out
}
