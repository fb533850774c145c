package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/segment"
)

// ecnState is explicit congestion notification (RFC 3168 section 6.1).
type ecnState struct {
	// ok: both ends agreed to use it.
	ok bool
	// queueCWR: the window was reduced, the next data say so. echo: a mark
	// has arrived, ACKs say so until the peer answers. seen: the peer has
	// sent capable packets.
	queueCWR, echo, seen bool

	// reader is the controller if it goes by marks (RFC 8257), else nil.
	reader congestion.MarkReader
	// countEnd is SND.NXT when reader was last told that its window ended.
	countEnd segment.Seq
	// opening: the ACK that completes the handshake is being processed, which
	// reader is not told of.
	opening bool
	// ce: the last segment was marked. ceNxt is RCV.NXT after it.
	ce    bool
	ceNxt segment.Seq
}

// ecnSyn is the flags of a SYN that asks for ECN.
const ecnSyn = segment.ECE | segment.CWR

// grantsECN reports whether a SYN asks for ECN and this host grants it.
func (c *Config) grantsECN(syn *segment.Segment) bool {
	return c.ECN > 0 && syn.Has(ecnSyn) && syn.ECN == segment.NotECT
}

// readsMarks reports whether the connections of l use a controller that goes by
// marks.
func (l *Listener) readsMarks() bool {
	name := l.sock.Congestion
	if name == "" {
		name = l.st.cfg.Congestion
	}
	return congestion.ReadsMarks(name)
}

// setController gives the connection its congestion control.
func (ep *Endpoint) setController(cc congestion.Controller) {
	ep.cc = cc
	ep.ecn.reader, _ = cc.(congestion.MarkReader)
}

// startController is called when the connection is established. Without ECN a
// controller that goes by marks has nothing to go by (Linux: dctcp-reno).
func (ep *Endpoint) startController(now des.Time) {
	if ep.ecn.reader != nil {
		if !ep.ecn.ok {
			cc, err := ep.st.cfg.controller("reno")
			if err != nil {
				panic("tcpmodel: " + err.Error())
			}
			ep.setController(cc)
		}
		ep.ecn.countEnd, ep.ecn.ceNxt, ep.ecn.ce = ep.sndNxt, ep.rcvNxt, false
	}
	ep.cc.OnEvent(&ep.win, congestion.EventStart, now)
}

// ecnSyn sets the ECN bits of a SYN of an active open. One that is sent again asks
// for nothing, since the first may have been lost for that (RFC 3168 section
// 6.1.1.1, Linux's tcp_ecn_fallback).
func (ep *Endpoint) ecnSyn(seg *segment.Segment, again bool) {
	reads := ep.ecn.reader != nil
	if (reads || ep.st.cfg.ECN == 1) && !again && !seg.Has(segment.ACK) {
		seg.Flags |= ecnSyn
	}
	if reads {
		seg.ECN = segment.ECT0
	}
}

// ecnSend sets the ECN bits of an outgoing segment: new data are capable,
// retransmissions and pure ACKs are not, unless the controller goes by marks.
func (ep *Endpoint) ecnSend(seg *segment.Segment, fresh bool) {
	if !ep.ecn.ok || seg.Flags&(segment.SYN|segment.RST) != 0 {
		return
	}
	switch {
	case seg.Len > 0 && fresh:
		seg.ECN = segment.ECT0
		if ep.ecn.queueCWR {
			ep.ecn.queueCWR = false
			seg.Flags |= segment.CWR
		}
	case ep.ecn.reader != nil:
		seg.ECN = segment.ECT0
	}
	if ep.ecn.echo {
		seg.Flags |= segment.ECE
	}
}

// ecnReceive takes the ECN bits of a segment with data.
func (ep *Endpoint) ecnReceive(now des.Time, seg *segment.Segment) {
	if !ep.ecn.ok {
		return
	}
	if seg.Has(segment.CWR) {
		ep.ecn.echo = false
		ep.ack.now = true
	}
	if seg.ECN == segment.NotECT {
		if ep.ecn.seen {
			ep.ack.enterQuickFor(ep, 2)
		}
		return
	}
	if ep.ecn.reader != nil {
		ep.echoExactly(now, seg.ECN == segment.CE)
	}
	if seg.ECN == segment.CE && !ep.ecn.echo {
		ep.ack.enterQuickFor(ep, 2)
		ep.ecn.echo = true
	}
	ep.ecn.seen = true
}

// echoExactly is what a receiver makes of a mark, or the lack of one, if the sender
// counts them (RFC 8257 section 3.2): ACKs echo whether the last segment was
// marked. When that changes, an ACK that was delayed goes out as it would have
// been, and the new segment is acknowledged at once.
func (ep *Endpoint) echoExactly(now des.Time, ce bool) {
	e := &ep.ecn
	if e.ce != ce {
		if ep.armed(timerDelack) {
			e.echo = e.ce
			ep.ackUpTo(now, e.ceNxt)
		}
		ep.ack.now = true
	}
	e.ce, e.ceNxt, e.echo = ce, ep.rcvNxt, ce
}

// countMarks tells the controller of the segments that an ACK reports, before
// it is decided what the ACK means.
func (ep *Endpoint) countMarks(segments uint32) {
	e := &ep.ecn
	if e.opening {
		e.opening = false
		return
	}
	ends := e.countEnd.LessEq(ep.sndUna)
	if ends {
		e.countEnd = ep.sndNxt
	}
	e.reader.OnDelivered(segments, ep.in.flags&ackECE != 0, ends)
}
