package capture

import (
	"slices"

	"tcplab/tcpmodel/segment"
)

// defaultReorder is how late a segment may come and still count as reordered
// while no handshake has told the round-trip time.
const defaultReorder Span = 3e6

const control = segment.SYN | segment.FIN | segment.RST

// takeSequence finds out what the segment t of end x is with regard to those
// before it, and enters the numbers that it occupies.
func (c *conn) takeSequence(t *tcpPacket, x int, line int) Marks {
	e := &c.ends[x]
	left := e.rel(t.Seq)
	right := left + int64(t.SegLen())
	marks := windowMarks(t)
	if m := c.liveness(t, x, left, right); m != 0 {
		e.out.Bytes += uint64(t.Len)
		if m == MarkProbe && right > e.next {
			e.out.NewBytes += uint64(t.Len)
			e.next = right
		}
		return marks | m
	}
	if right == left {
		return marks | c.pureAck(t, x, left)
	}
	if t.Flags&segment.FIN != 0 {
		e.fin = right
	}
	e.out.Bytes += uint64(t.Len)
	switch {
	case left > e.next:
		marks |= MarkGap
		e.addHole(hole{left: e.next, right: left, at: t.at, tsval: t.TSVal, stamped: t.Opts&segment.OptTimestamps != 0})
		fallthrough
	case left == e.next:
		e.out.NewBytes += uint64(t.Len)
		e.next = right
		e.synack = e.synack || t.Has(segment.SYN|segment.ACK)
		if t.Len > 0 {
			e.launch(outstanding{left: left, right: right, at: t.at, line: line})
		}
		return marks
	}
	return marks | c.again(t, x, left, right, line)
}

// again handles a segment that begins before SND.NXT: it repeats, or it fills a
// hole.
func (c *conn) again(t *tcpPacket, x int, left, right int64, line int) Marks {
	e, peer := &c.ends[x], &c.ends[1-x]
	if t.Has(segment.SYN|segment.ACK) && !e.synack {
		e.synack = true // simultaneous open: its SYN came without ACK
		return 0
	}
	filled, in := e.fill(left, right)
	fresh := filled + max(right-e.next, 0)
	e.out.NewBytes += uint64(min(fresh, int64(t.Len)))
	e.next = max(e.next, right)
	if fresh == right-left && c.reordered(t, in) {
		if t.Len > 0 {
			e.launch(outstanding{left: left, right: right, at: t.at, line: line})
		}
		return MarkOutOfOrder
	}
	marks := MarkRetransmission
	r := &e.out.Retransmissions
	switch {
	case t.Has(segment.SYN | segment.ACK):
		r.SYNACK++
	case t.Flags&segment.SYN != 0:
		r.SYN++
	case t.Len > 0:
		r.Data++
	default:
		r.FIN++
	}
	if fresh == right-left {
		r.Unseen++
	} else {
		r.Bytes += uint64(max(int64(t.Len)-fresh, 0))
	}
	if t.Len > 0 && peer.acked && right <= peer.ack {
		r.AfterAck++
		marks |= MarkAfterAck
	}
	original := -1
	for i := range e.flight {
		if f := &e.flight[i]; f.left < right && left < f.right {
			original = f.line
			c.lines.mark(f.line, MarkMaybeLost)
			f.resent, f.line = true, line
		}
	}
	if len(e.resent) == maxResent {
		e.resent = slices.Delete(e.resent, 0, maxResent/2)
	}
	e.resent = append(e.resent, resent{left: left, right: right, line: line, original: original})
	if t.Len > 0 && fresh > 0 {
		e.launch(outstanding{left: left, right: right, at: t.at, line: line, resent: true})
	}
	return marks
}

// reordered reports whether a segment that fills a hole was sent before the one
// behind the hole: its time stamp is older, or it comes within a round trip, in
// which no acknowledgement can have asked for it.
func (c *conn) reordered(t *tcpPacket, in hole) bool {
	if in.stamped && t.Opts&segment.OptTimestamps != 0 && t.TSVal != in.tsval {
		return segment.Seq(t.TSVal).Less(segment.Seq(in.tsval))
	}
	limit := defaultReorder
	if c.out.Handshake.ACK != None {
		limit = c.out.Handshake.ACK
	}
	return t.at-in.at < limit
}

// liveness recognises keepalives (RFC 9293 section 3.8.4) and probes of a zero
// window (section 3.8.6.1): Linux sends both as an empty segment with the
// number before SND.UNA, others with one byte.
func (c *conn) liveness(t *tcpPacket, x int, left, right int64) Marks {
	e, peer := &c.ends[x], &c.ends[1-x]
	if t.Flags&control != 0 || t.Len > 1 || !e.sent || !peer.acked {
		return 0
	}
	shut := peer.sent && peer.window == 0
	switch {
	case shut && t.Len == 1 && left == e.next:
		return MarkProbe
	case left != peer.ack-1 || right > peer.ack:
		return 0
	case shut:
		return MarkProbe
	case peer.ack == e.next:
		return MarkKeepalive
	}
	return 0
}

// windowMarks recognises a window of zero.
func windowMarks(t *tcpPacket) Marks {
	if t.Wnd == 0 && t.Flags&control == 0 {
		return MarkZeroWindow
	}
	return 0
}

// pureAck recognises what a segment without data repeats.
func (c *conn) pureAck(t *tcpPacket, x int, left int64) Marks {
	e, peer := &c.ends[x], &c.ends[1-x]
	var marks Marks
	if left > e.next {
		marks = MarkGap
	}
	if !t.Has(segment.ACK) || !e.acked || left != e.next || peer.rel(t.Ack) != e.ack {
		return marks
	}
	if t.Opts&segment.OptSACK != 0 && t.NumSACK > 0 {
		if right := peer.rel(t.SACK[0].Right); right <= e.ack {
			marks |= MarkDSACK
		}
	}
	switch {
	case peer.probed && t.Wnd == e.window && t.Wnd == 0:
		return marks | MarkProbeAck
	case peer.probed && t.Wnd == e.window:
		return marks | MarkKeepaliveAck
	case t.Wnd == 0:
		return marks
	case t.Wnd == e.window:
		return marks | MarkDupAck
	}
	return marks | MarkWindowUpdate
}

func (e *end) launch(o outstanding) {
	if len(e.flight) == maxFlight {
		e.flight = slices.Delete(e.flight, 0, maxFlight/2)
	}
	at := len(e.flight)
	for at > 0 && e.flight[at-1].right > o.right {
		at--
	}
	e.flight = slices.Insert(e.flight, at, o)
}

func (e *end) addHole(h hole) {
	if !e.sent {
		return // the capture begins here
	}
	if len(e.holes) == maxHoles {
		e.holes = slices.Delete(e.holes, 0, 1)
	}
	e.holes = append(e.holes, h)
}

// fill takes [left, right) out of the holes. It returns how much that was, and
// the hole that it was in, if any.
func (e *end) fill(left, right int64) (filled int64, in hole) {
	rest := e.holes[:0:0]
	for i, h := range e.holes {
		l, r := max(left, h.left), min(right, h.right)
		if l >= r {
			if rest != nil {
				rest = append(rest, h)
			}
			continue
		}
		if rest == nil {
			rest = append(make([]hole, 0, len(e.holes)+1), e.holes[:i]...)
		}
		filled, in = filled+r-l, h
		before, after := h, h
		before.right, after.left = l, r
		for _, part := range [2]hole{before, after} {
			if part.left < part.right {
				rest = append(rest, part)
			}
		}
	}
	if rest != nil {
		e.holes = rest
	}
	return filled, in
}
