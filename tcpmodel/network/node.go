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
	// behind are the ranges whose home the host is.
	behind []behind
}

// behind is a range of addresses that a host stands before.
type behind struct {
	first segment.Node
	count uint32
	sink  Sink
}

// Receive passes a packet for this host to what is attached to it, if its
// checksum is right.
func (h *host) Receive(now des.Time, seg *segment.Segment) {
	switch {
	case seg.Corrupt:
		h.corrupted++
	case seg.Dst != h.self:
		h.receiveFor(now, seg)
	case h.sink == nil:
		h.undeliverable++
	default:
		h.received++
		h.sink.Receive(now, seg)
	}
}

// receiveFor takes a packet that is for another node: one of a range behind the
// host, or it went astray.
func (h *host) receiveFor(now des.Time, seg *segment.Segment) {
	for i := range h.behind {
		if b := &h.behind[i]; uint32(seg.Dst-b.first) < b.count && b.sink != nil {
			h.received++
			b.sink.Receive(now, seg)
			return
		}
	}
	h.misdelivered++
}

// router forwards by destination. ports[table[dst]] is the link to take; port 0
// is none.
type router struct {
	table   []uint32
	ports   []*Link
	ranges  []rangeRoute
	noRoute Count
}

// rangeRoute is the way to a range: an index of ports.
type rangeRoute struct {
	first segment.Node
	count uint32
	port  uint32
}

// Receive forwards a packet, or drops it if there is no route.
func (r *router) Receive(now des.Time, seg *segment.Segment) {
	if uint64(seg.Dst) < uint64(len(r.table)) {
		if port := r.table[seg.Dst]; port != 0 {
			r.ports[port].Receive(now, seg)
			return
		}
	}
	for i := range r.ranges {
		if x := &r.ranges[i]; uint32(seg.Dst-x.first) < x.count {
			r.ports[x.port].Receive(now, seg)
			return
		}
	}
	r.noRoute.add(seg.IPLen())
}
