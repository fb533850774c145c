package middlebox

import (
	"fmt"
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// FirewallConfig is the settings of a Firewall.
type FirewallConfig struct {
	Timeouts
	// Unknown is what becomes of packets of no known connection.
	Unknown Action
	// Open are the ports inside at which connections from outside are let in.
	Open []uint16
}

// DefaultFirewall has the timeouts of RFC 5382, lets nothing in that was not
// asked for, and drops what it does not know.
func DefaultFirewall() FirewallConfig { return FirewallConfig{Timeouts: DefaultTimeouts()} }

// Firewall is a stateful firewall: hosts inside may connect to everywhere, those
// outside to open ports; other TCP passes only if it belongs to a connection
// that the firewall remembers, and ICMP errors only if they are about one.
// Packets without TCP pass.
type Firewall struct {
	box
	config FirewallConfig
	track  tracker
}

// NewFirewall returns a firewall; the name must be unique in the simulation.
func NewFirewall(sim *des.Sim, name string, c FirewallConfig) (*Firewall, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("firewall %s: %w", name, err)
	}
	f := &Firewall{config: c}
	f.config.Open = slices.Clone(c.Open)
	f.track.init(sim, name, f, c.Timeouts)
	return f, nil
}

// Stats returns the counters.
func (f *Firewall) Stats() Stats { return f.track.read() }

// TakePeak returns the most connections that were known at once since the last
// call.
func (f *Firewall) TakePeak() int { return f.track.takePeak() }

type firewallOut Firewall

func (f *firewallOut) Receive(now des.Time, seg *segment.Segment) {
	(*Firewall)(f).receive(now, seg, true)
}

type firewallIn Firewall

func (f *firewallIn) Receive(now des.Time, seg *segment.Segment) {
	(*Firewall)(f).receive(now, seg, false)
}

// Outward takes packets from inside.
func (f *Firewall) Outward() network.Sink { return (*firewallOut)(f) }

// Inward takes packets from outside.
func (f *Firewall) Inward() network.Sink { return (*firewallIn)(f) }

func (f *Firewall) expired(_ des.Time, i uint32) {
	f.track.expire(i)
}

func (f *Firewall) receive(now des.Time, seg *segment.Segment, outward bool) {
	from, back, key := &f.out, &f.in, outwardKey(seg)
	if !outward {
		from, back, key = &f.in, &f.out, inwardKey(seg)
	}
	count(&from.flow.In, seg)
	switch {
	case seg.Corrupt:
		f.track.stats.Corrupt++
		from.lose(now, seg, Corrupt)
		return
	case seg.Kind == segment.KindRaw:
		from.pass(now, seg)
		return
	case seg.Kind == segment.KindICMP:
		key = quotedInward(seg)
		if outward {
			key = quotedOutward(seg)
		}
		if _, ok := f.track.find(now, key); ok {
			from.pass(now, seg)
		} else {
			f.track.stranger(now, seg, Drop, from, back)
		}
		return
	}
	i, ok := f.track.find(now, key)
	if !ok {
		allowed := outward || slices.Contains(f.config.Open, seg.DstPort)
		switch {
		case allowed && isOpening(seg):
			i, ok = f.track.add(now, key, transitory)
		case allowed && f.config.Unknown == PickUp && !seg.Has(segment.RST) && !seg.Has(segment.SYN):
			i, ok = f.track.pickUp(now, key)
		default:
			f.track.stranger(now, seg, f.config.Unknown, from, back)
			return
		}
		if !ok {
			from.lose(now, seg, TableFull)
			return
		}
	}
	f.track.touch(now, i, seg, outward)
	from.pass(now, seg)
}
