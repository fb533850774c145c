package middlebox

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// NATConfig is the settings of a NAT.
type NATConfig struct {
	Timeouts
	// Public is the node that the hosts inside share outside. Packets for it
	// must be routed to the NAT: it is the number of the router at whose
	// outer links the NAT sits.
	Public segment.Node
	// PortLow and PortHigh bound the ports outside.
	PortLow, PortHigh uint16
	// Unknown is what becomes of packets of no known connection. PickUp works
	// for those from inside alone, and saves the connection if its port
	// outside is the same as before.
	Unknown Action
}

// DefaultNAT has the timeouts of RFC 5382, the ports from 1024 on, and drops
// what it does not know.
func DefaultNAT() NATConfig {
	return NATConfig{Timeouts: DefaultTimeouts(), PortLow: 1024, PortHigh: 65535}
}

// NAT translates addresses and ports of TCP connections that are opened from
// inside (RFC 5382). All connections of a port inside have the same port outside
// (endpoint-independent mapping, REQ-1), which is the same number if that is
// free, else the one that has been free for longest. A packet from outside
// passes only if it belongs to a connection (address- and port-dependent
// filtering). ICMP errors about connections are translated (REQ-9). Packets
// without TCP pass as they are. Hosts inside do not reach each other by their
// address outside.
type NAT struct {
	box
	config NATConfig
	track  tracker
	// mappings are the ports outside, from PortLow on; byInside finds those in
	// use, unused are the others.
	mappings []mapping
	byInside index
	unused   ages
	// mappingTime is the integral of the ports in use up to changed.
	mappingTime uint64
	changed     des.Time
}

// mapping is who has a port outside, for how many connections.
type mapping struct {
	node  segment.Node
	port  uint16
	flows uint32
}

// NewNAT returns a NAT; the name must be unique in the simulation.
func NewNAT(sim *des.Sim, name string, c NATConfig) (*NAT, error) {
	err := c.Validate()
	switch {
	case err != nil:
	case c.Public == 0:
		err = fmt.Errorf("needs the node that is its address outside")
	case c.PortLow == 0 || c.PortLow > c.PortHigh:
		err = fmt.Errorf("no ports from %d to %d", c.PortLow, c.PortHigh)
	}
	if err != nil {
		return nil, fmt.Errorf("nat %s: %w", name, err)
	}
	n := &NAT{config: c, mappings: make([]mapping, int(c.PortHigh-c.PortLow)+1)}
	n.track.init(sim, name, n, c.Timeouts)
	n.unused.lists = make([]ageEnds, 1)
	for m := range n.mappings {
		n.unused.push(0, uint32(m))
	}
	return n, nil
}

// Stats returns the counters.
func (n *NAT) Stats() Stats {
	n.account()
	s := n.track.read()
	s.Mappings, s.MappingTime = n.byInside.used, n.mappingTime
	return s
}

// TakePeak returns the most connections that were known at once since the last
// call.
func (n *NAT) TakePeak() int { return n.track.takePeak() }

// Mappings returns how many ports outside are in use.
func (n *NAT) Mappings() int { return n.byInside.used }

// Public returns the node that the hosts inside share outside.
func (n *NAT) Public() segment.Node { return n.config.Public }

// Translate returns the end inside that has, or had last, a port outside.
func (n *NAT) Translate(port uint16) (node segment.Node, inside uint16, ok bool) {
	if port < n.config.PortLow || port > n.config.PortHigh {
		return 0, 0, false
	}
	m := &n.mappings[port-n.config.PortLow]
	return m.node, m.port, m.node != 0
}

type natOut NAT

func (n *natOut) Receive(now des.Time, seg *segment.Segment) { (*NAT)(n).outward(now, seg) }

type natIn NAT

func (n *natIn) Receive(now des.Time, seg *segment.Segment) { (*NAT)(n).inward(now, seg) }

// Outward takes packets from inside.
func (n *NAT) Outward() network.Sink { return (*natOut)(n) }

// Inward takes packets from outside.
func (n *NAT) Inward() network.Sink { return (*natIn)(n) }

func (n *NAT) expired(_ des.Time, i uint32) {
	key := n.track.flows[i].key
	n.track.expire(i)
	m, ok := n.byInside.find(tuple{in: key.in, inPort: key.inPort})
	if !ok {
		panic("middlebox: a connection without a mapping")
	}
	n.release(m)
}

// account integrates the number of ports in use up to now.
func (n *NAT) account() {
	now := n.track.sim.Now()
	n.mappingTime += uint64(n.byInside.used) * uint64(now-n.changed)
	n.changed = now
}

// release takes one connection from mapping m.
func (n *NAT) release(m uint32) {
	p := &n.mappings[m]
	if p.flows--; p.flows == 0 {
		n.account()
		n.byInside.remove(tuple{in: p.node, inPort: p.port})
		n.unused.push(0, m)
	}
}

// mapped returns the mapping of a port inside, a new one if need be, with one
// connection more.
func (n *NAT) mapped(node segment.Node, port uint16) (m uint32, ok bool) {
	key := tuple{in: node, inPort: port}
	if m, ok = n.byInside.find(key); ok {
		n.mappings[m].flows++
		return m, true
	}
	if port >= n.config.PortLow && port <= n.config.PortHigh && n.mappings[port-n.config.PortLow].flows == 0 {
		m = uint32(port - n.config.PortLow)
	} else if m, ok = n.unused.oldest(0); !ok {
		n.track.stats.Full++
		return 0, false
	}
	n.account()
	n.unused.remove(0, m)
	n.mappings[m] = mapping{node, port, 1}
	n.byInside.put(key, m)
	return m, true
}

func (n *NAT) portOf(m uint32) uint16 { return n.config.PortLow + uint16(m) }

func (n *NAT) outward(now des.Time, seg *segment.Segment) {
	count(&n.out.flow.In, seg)
	switch {
	case seg.Corrupt:
		n.track.stats.Corrupt++
		n.out.lose(now, seg, Corrupt)
		return
	case seg.Kind == segment.KindRaw:
		n.out.pass(now, seg)
		return
	case seg.Kind == segment.KindICMP:
		n.outwardICMP(now, seg)
		return
	}
	key := outwardKey(seg)
	i, ok := n.track.find(now, key)
	if !ok {
		opening := isOpening(seg)
		if !opening && (n.config.Unknown != PickUp || seg.Flags&(segment.RST|segment.SYN) != 0) {
			n.track.stranger(now, seg, n.config.Unknown, &n.out, &n.in)
			return
		}
		if i, ok = n.open(now, key, opening); !ok {
			n.out.lose(now, seg, TableFull)
			return
		}
	}
	m, _ := n.byInside.find(tuple{in: key.in, inPort: key.inPort})
	n.track.touch(now, i, seg, true)
	t := n.out.copy(seg)
	t.Src, t.SrcPort = n.config.Public, n.portOf(m)
	n.out.pass(now, t)
}

func (n *NAT) open(now des.Time, key tuple, opening bool) (i uint32, ok bool) {
	m, ok := n.mapped(key.in, key.inPort)
	if !ok {
		return 0, false
	}
	if opening {
		i, ok = n.track.add(now, key, transitory)
	} else {
		i, ok = n.track.pickUp(now, key)
	}
	if !ok {
		n.release(m)
	}
	return i, ok
}

// inside returns the end inside that has a port outside.
func (n *NAT) inside(port uint16) (*mapping, bool) {
	if port < n.config.PortLow || port > n.config.PortHigh {
		return nil, false
	}
	m := &n.mappings[port-n.config.PortLow]
	return m, m.flows > 0
}

func (n *NAT) inward(now des.Time, seg *segment.Segment) {
	count(&n.in.flow.In, seg)
	switch {
	case seg.Corrupt:
		n.track.stats.Corrupt++
		n.in.lose(now, seg, Corrupt)
		return
	case seg.Kind == segment.KindRaw:
		n.in.pass(now, seg)
		return
	case seg.Kind == segment.KindICMP:
		n.inwardICMP(now, seg)
		return
	}
	if m, ok := n.inside(seg.DstPort); ok && seg.Dst == n.config.Public {
		if i, known := n.track.find(now, tuple{m.node, seg.Src, m.port, seg.SrcPort}); known {
			n.track.touch(now, i, seg, false)
			t := n.in.copy(seg)
			t.Dst, t.DstPort = m.node, m.port
			n.in.pass(now, t)
			return
		}
	}
	n.track.stranger(now, seg, n.config.Unknown, &n.in, &n.out)
}

// outwardICMP translates an error from inside about a segment from outside.
func (n *NAT) outwardICMP(now des.Time, seg *segment.Segment) {
	key := quotedOutward(seg)
	if _, known := n.track.find(now, key); known {
		m, _ := n.byInside.find(tuple{in: key.in, inPort: key.inPort})
		t := n.out.copy(seg)
		t.Src, t.Ack, t.DstPort = n.config.Public, segment.Seq(n.config.Public), n.portOf(m)
		n.out.pass(now, t)
		return
	}
	n.track.stranger(now, seg, Drop, &n.out, &n.in)
}

// inwardICMP translates an error from outside about a segment from inside.
func (n *NAT) inwardICMP(now des.Time, seg *segment.Segment) {
	if m, ok := n.inside(seg.SrcPort); ok && seg.Dst == n.config.Public {
		if _, known := n.track.find(now, tuple{m.node, segment.Node(seg.Ack), m.port, seg.DstPort}); known {
			t := n.in.copy(seg)
			t.Dst, t.SrcPort = m.node, m.port
			n.in.pass(now, t)
			return
		}
	}
	n.track.stranger(now, seg, Drop, &n.in, &n.out)
}
