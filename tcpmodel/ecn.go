package tcpmodel

import (
	"tcplab/des"
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
}

// ecnSyn is the flags of a SYN that asks for ECN.
const ecnSyn = segment.ECE | segment.CWR

// grantsECN reports whether a SYN asks for ECN and this host grants it.
func (c *Config) grantsECN(syn *segment.Segment) bool {
	return c.ECN > 0 && syn.Has(ecnSyn) && syn.ECN == segment.NotECT
}

// ecnSend sets the ECN bits of an outgoing segment: new data are capable,
// retransmissions and pure ACKs are not.
func (ep *Endpoint) ecnSend(seg *segment.Segment, fresh bool) {
	if !ep.ecn.ok || seg.Flags&(segment.SYN|segment.RST) != 0 {
		return
	}
	if seg.Len > 0 && fresh {
		seg.ECN = segment.ECT0
		if ep.ecn.queueCWR {
			ep.ecn.queueCWR = false
			seg.Flags |= segment.CWR
		}
	}
	if ep.ecn.echo {
		seg.Flags |= segment.ECE
	}
}

// ecnReceive takes the ECN bits of a segment with data.
func (ep *Endpoint) ecnReceive(_ des.Time, seg *segment.Segment) {
	if !ep.ecn.ok {
		return
	}
	if seg.Has(segment.CWR) {
		ep.ecn.echo = false
		ep.ack.now = true
	}
	switch seg.ECN {
	case segment.NotECT:
		if ep.ecn.seen {
			ep.ack.enterQuickFor(ep, 2)
		}
	case segment.CE:
		if !ep.ecn.echo {
			ep.ack.enterQuickFor(ep, 2)
			ep.ecn.echo = true
		}
		ep.ecn.seen = true
	default:
		ep.ecn.seen = true
	}
}
