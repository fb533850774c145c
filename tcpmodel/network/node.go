package network

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// host is the end of the links that lead to a host.
type host struct {
	self          segment.Node
	sink          Sink
	links         []*Link // that lead away from it
	egress        router  // used when it has several links
	received      uint64
	corrupted     uint64
	misdelivered  uint64
	undeliverable uint64
}

// Receive passes a packet for this host to what is attached to it, if its
// checksum is right.
func (h *host) Receive(now des.Time, seg *segment.Segment) {
	switch {
	case seg.Corrupt:
		h.corrupted++
	case seg.Dst != h.self:
		h.misdelivered++
	case h.sink == nil:
		h.undeliverable++
	default:
		h.received++
		h.sink.Receive(now, seg)
	}
}

// router forwards by destination. ports[table[dst]] is the link to take; port 0
// is none.
type router struct {
	table   []uint32
	ports   []*Link
	noRoute Count
}

// Receive forwards a packet, or drops it if there is no route.
func (r *router) Receive(now des.Time, seg *segment.Segment) {
	if uint64(seg.Dst) < uint64(len(r.table)) {
		if port := r.table[seg.Dst]; port != 0 {
			r.ports[port].Receive(now, seg)
			return
		}
	}
	r.noRoute.add(seg.IPLen())
}
