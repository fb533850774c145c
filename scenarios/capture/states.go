package capture

import "tcplab/tcpmodel/segment"

// State is a state of RFC 9293 section 3.3.2 as an observer infers it, "" while
// nothing is known.
type State string

// The states.
const (
	StateUnknown State = ""
	StateClosed  State = "CLOSED"
	Listen       State = "LISTEN"
	SynSent      State = "SYN-SENT"
	SynReceived  State = "SYN-RECEIVED"
	Established  State = "ESTABLISHED"
	FinWait1     State = "FIN-WAIT-1"
	FinWait2     State = "FIN-WAIT-2"
	CloseWait    State = "CLOSE-WAIT"
	ClosingState State = "CLOSING"
	LastAck      State = "LAST-ACK"
	TimeWait     State = "TIME-WAIT"
)

// move enters a state into the path of the end.
func (e *end) move(at Span, s State) {
	if e.state == s {
		return
	}
	e.state = s
	e.out.States = append(e.out.States, StateAt{State: s, At: at})
}

// infer follows the states of both ends at a segment of end x that is no RST.
// What an end sends proves its own state. Of what it receives, an
// acknowledgement counts as delivered when it is seen, a FIN once it is
// acknowledged.
func (c *conn) infer(t *tcpPacket, x int) {
	e, peer := &c.ends[x], &c.ends[1-x]
	if t.Flags&segment.SYN != 0 {
		c.inferOpen(t, x)
		if t.Flags&segment.ACK == 0 {
			return
		}
	} else if c.out.Partial && e.state == StateUnknown {
		e.move(t.at, Established)
		if peer.state == StateUnknown {
			peer.move(t.at, Established)
		}
	}
	if t.Has(segment.ACK) {
		c.inferAck(t, x, peer.rel(t.Ack))
	}
	if t.Flags&segment.FIN != 0 {
		c.inferFIN(t, x)
	}
}

func (c *conn) inferOpen(t *tcpPacket, x int) {
	e, peer := &c.ends[x], &c.ends[1-x]
	if !t.Has(segment.ACK) {
		if e.state == StateUnknown || e.state == StateClosed {
			e.move(t.at, SynSent)
		}
		return
	}
	switch e.state {
	case StateUnknown:
		e.move(t.at, Listen)
		e.move(t.at, SynReceived)
	case SynSent:
		e.move(t.at, SynReceived)
		if peer.acked && peer.ack >= 1 {
			e.move(t.at, Established)
		}
	case Established:
		c.stillWaiting(e)
	}
	if peer.state == StateUnknown {
		peer.move(t.at, SynSent)
	}
	if h := &c.out.Handshake; h.SYNACK == None && !c.out.Partial {
		h.SYNACK = t.at - c.out.Start
	}
}

// stillWaiting takes back the end of the handshake: an end that repeats its
// SYN-ACK has not taken the ACK, which was lost or found the accept queue full.
func (c *conn) stillWaiting(e *end) {
	if n := len(e.out.States); e.next <= 1 && n > 1 && e.out.States[n-2].State == SynReceived {
		e.out.States = e.out.States[:n-1]
		e.state = SynReceived
		c.out.Handshake.ACK = None
	}
}

func (c *conn) inferAck(t *tcpPacket, x int, ack int64) {
	e, peer := &c.ends[x], &c.ends[1-x]
	if ack >= 1 {
		if e.state == SynSent && peer.sent && t.Flags&segment.SYN == 0 {
			e.move(t.at, Established)
		}
		if peer.state == SynReceived && ack <= peer.next {
			peer.move(t.at, Established)
			if h := &c.out.Handshake; h.ACK == None && !c.out.Partial {
				h.ACK = t.at - c.out.Start
			}
		}
	}
	if peer.fin == 0 || ack < peer.fin {
		return
	}
	switch peer.state {
	case FinWait1:
		peer.move(t.at, FinWait2)
	case ClosingState:
		peer.move(t.at, TimeWait)
	case LastAck:
		peer.move(t.at, StateClosed)
	}
	switch e.state {
	case SynReceived, Established:
		e.move(t.at, CloseWait)
	case FinWait1:
		e.move(t.at, ClosingState)
	case FinWait2:
		e.move(t.at, TimeWait)
	}
}

func (c *conn) inferFIN(t *tcpPacket, x int) {
	e := &c.ends[x]
	switch e.state {
	case SynReceived, Established:
		e.move(t.at, FinWait1)
		if c.out.ClosedFirst == Neither {
			c.out.ClosedFirst = sides[x]
		} else {
			c.out.ClosedFirst = Both
		}
	case CloseWait:
		e.move(t.at, LastAck)
	}
}

// takeRST finds out whether the RST t of end x ends the connection (RFC 9293
// section 3.10.7.4 with RFC 5961: it must have the number that the peer waits
// for) and what that means. The peer waits for what it acknowledged last, or
// for what came since.
func (c *conn) takeRST(t *tcpPacket, x int) Marks {
	e, peer := &c.ends[x], &c.ends[1-x]
	left := e.rel(t.Seq)
	if peer.state == SynSent && !e.sent {
		if !t.Has(segment.ACK) || peer.rel(t.Ack) < 1 || peer.rel(t.Ack) > peer.next {
			return MarkOutOfWindow
		}
	} else if left < peer.ack && peer.acked || left > e.next || e.state == SynSent && left == 0 {
		return MarkOutOfWindow
	}
	if c.out.ResetBy == Neither && peer.state != StateClosed {
		c.out.ResetBy = sides[x]
		if c.out.ClosedFirst == Neither {
			c.out.ClosedFirst = sides[x]
		}
	}
	if peer.state == SynReceived && x == 0 {
		peer.move(t.at, Listen)
	} else if peer.state != StateUnknown {
		peer.move(t.at, StateClosed)
	}
	e.move(t.at, StateClosed)
	return 0
}

// outcome says how far the connection came.
func (c *conn) outcome() Outcome {
	client, server := &c.ends[0], &c.ends[1]
	ended := func(e *end) bool { return e.state == StateClosed || e.state == TimeWait }
	switch {
	case c.out.ResetBy == Server && !server.sent && !c.out.Partial:
		return Refused
	case c.out.ResetBy != Neither:
		return Reset
	case !client.sent || !server.sent:
		if client.state == SynSent {
			return Unanswered
		}
	case ended(client) && ended(server):
		return Closed
	case server.state == SynReceived && client.fin == 0:
		return HalfOpen
	}
	if client.fin != 0 || server.fin != 0 {
		return Closing
	}
	return Open
}
