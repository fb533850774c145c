package network

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// fragmentationNeeded is the ICMP type and code of a packet that is too big and
// must not be fragmented (RFC 1191 section 3), as Segment.Wnd has them.
const fragmentationNeeded = 3<<8 | 4

// reports sends ICMP reports about packets that are too big for a link, from
// the node at its entrance and by that node's routes. They leave it in the same
// instant, by an event of their own, so that a stack does not hear of a packet
// that it is still sending.
type reports struct {
	node segment.Node
	wire *Link
	seg  segment.Segment
}

// SetReports makes a link with an MTU report packets that are too big to their
// sources: from is the node at the link's entrance and to its router, which
// forwards the reports. Connect does so unless the link is a black hole.
func (l *Link) SetReports(from segment.Node, to Sink) error {
	if l.gate == nil || l.gate.mtu == 0 {
		return fmt.Errorf("link %s: reports about packets that are too big: the link has no mtu", l.name)
	}
	wire, err := NewLink(l.sim, l.name+" reports", LinkConfig{}, to)
	if err != nil {
		return err
	}
	l.gate.reports = &reports{node: from, wire: wire}
	return nil
}

// Reports returns what the link has sent in ICMP reports to the sources of
// packets that were too big.
func (l *Link) Reports() Count {
	if l.gate == nil || l.gate.reports == nil {
		return Count{}
	}
	return l.gate.reports.wire.Stats().Delivered
}

// send reports a TCP segment that is larger than mtu. There is no report about
// anything else: a Segment has no room for a quotation of it, and none must be
// sent about an ICMP error (RFC 1122 section 3.2.2).
func (r *reports) send(now des.Time, seg *segment.Segment, mtu uint32) {
	if seg.Kind != segment.KindTCP {
		return
	}
	r.seg = segment.Segment{
		Kind: segment.KindICMP, Src: r.node, Dst: seg.Src,
		SrcPort: seg.SrcPort, DstPort: seg.DstPort, Seq: seg.Seq, Ack: segment.Seq(seg.Dst),
		Wnd: fragmentationNeeded, MSS: uint16(mtu),
	}
	r.wire.Receive(now, &r.seg)
}
