package middlebox

import (
	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// doorway is between a node and the boxes at one of its links. What a box answers
// while the node is still sending leaves for the node in the same instant, by an
// event of its own, so that no stack hears of a segment that it has not done with
// and no box is entered twice.
type doorway struct {
	front, node network.Sink
	wire        *network.Link
	sending     int // packets of the node that are on their way through the boxes
	waiting     int // packets on the wire
}

// newDoorway returns the doorway of a node, whose packets go to front.
func newDoorway(sim *des.Sim, name string, front, node network.Sink) *doorway {
	d := &doorway{front: front, node: node}
	wire, err := network.NewLink(sim, name, network.LinkConfig{}, (*doorwayWire)(d))
	if err != nil {
		panic("middlebox: " + err.Error())
	}
	d.wire = wire
	return d
}

// Receive takes a packet of the node.
func (d *doorway) Receive(now des.Time, seg *segment.Segment) {
	d.sending++
	d.front.Receive(now, seg)
	d.sending--
}

// doorwayIn takes packets for the node.
type doorwayIn doorway

// Receive implements network.Sink.
func (d *doorwayIn) Receive(now des.Time, seg *segment.Segment) {
	if d.sending == 0 && d.waiting == 0 {
		d.node.Receive(now, seg)
		return
	}
	d.waiting++
	d.wire.Receive(now, seg)
}

// doorwayWire is the end of the wire.
type doorwayWire doorway

// Receive implements network.Sink.
func (d *doorwayWire) Receive(now des.Time, seg *segment.Segment) {
	d.waiting--
	d.node.Receive(now, seg)
}
