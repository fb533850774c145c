package segment

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// Addresses says which IPv4 address each node shows on the wire. Nodes are
// added one by one or in ranges of consecutive numbers and addresses. The zero
// value holds none. It is meant for the edges of a simulation, where bytes are
// made or read; lookups are binary searches over the ranges.
type Addresses struct {
	byNode, byAddr []addressRange
}

type addressRange struct {
	node  Node
	addr  uint32
	count uint32
}

// Add gives node the address addr.
func (a *Addresses) Add(node Node, addr netip.Addr) error { return a.AddRange(node, addr, 1) }

// AddPrefix gives the addresses of prefix, from its first to its last, to as
// many consecutive nodes from first on, and returns how many that are: 131072
// for 198.18.0.0/15. Bits of the prefix beyond its length are ignored.
func (a *Addresses) AddPrefix(first Node, prefix netip.Prefix) (uint32, error) {
	if !prefix.IsValid() || !prefix.Addr().Is4() {
		return 0, fmt.Errorf("segment: %v is not an IPv4 prefix (want a form like 198.18.0.0/15)", prefix)
	}
	if prefix.Bits() == 0 {
		return 0, fmt.Errorf("segment: %v is too large to be a range of nodes (at most a /1)", prefix)
	}
	count := uint32(1) << (32 - prefix.Bits())
	return count, a.AddRange(first, prefix.Masked().Addr(), count)
}

// AddRange gives count consecutive addresses from addr on to the consecutive
// nodes from first on. It is an error if one of them is taken.
func (a *Addresses) AddRange(first Node, addr netip.Addr, count uint32) error {
	addr = addr.Unmap()
	if !addr.Is4() {
		return fmt.Errorf("segment: %v is not an IPv4 address", addr)
	}
	b := addr.As4()
	r := addressRange{first, binary.BigEndian.Uint32(b[:]), count}
	switch {
	case first == 0:
		return fmt.Errorf("segment: node 0 cannot have an address (numbers start at 1)")
	case count == 0:
		return fmt.Errorf("segment: an empty range of addresses at %v", addr)
	case uint64(first)+uint64(count) > 1<<32 || uint64(r.addr)+uint64(count) > 1<<32:
		return fmt.Errorf("segment: %d addresses from %v on (nodes from %d on) run past the end of the numbers", count, addr, first)
	}
	i, taken := find(a.byNode, r, nodeOf)
	if taken {
		return fmt.Errorf("segment: nodes %d to %d: one of them has an address already", first, first+Node(count-1))
	}
	j, taken := find(a.byAddr, r, addrOf)
	if taken {
		return fmt.Errorf("segment: %d addresses from %v on: one of them is in use already", count, addr)
	}
	a.byNode = slices.Insert(a.byNode, i, r)
	a.byAddr = slices.Insert(a.byAddr, j, r)
	return nil
}

func nodeOf(r addressRange) uint32 { return uint32(r.node) }
func addrOf(r addressRange) uint32 { return r.addr }

// find returns where r belongs in ranges, which are ordered by start, and
// whether it overlaps one of them.
func find(ranges []addressRange, r addressRange, start func(addressRange) uint32) (int, bool) {
	i, same := slices.BinarySearchFunc(ranges, start(r), func(e addressRange, t uint32) int { return cmp.Compare(start(e), t) })
	overlaps := same ||
		i > 0 && start(r)-start(ranges[i-1]) < ranges[i-1].count ||
		i < len(ranges) && start(ranges[i])-start(r) < r.count
	return i, overlaps
}

// lookup returns the range that holds the number v, and v's place in it.
func lookup(ranges []addressRange, v uint32, start func(addressRange) uint32) (r addressRange, place uint32, ok bool) {
	i, same := slices.BinarySearchFunc(ranges, v, func(e addressRange, t uint32) int { return cmp.Compare(start(e), t) })
	if !same {
		if i == 0 {
			return r, 0, false
		}
		i--
	}
	r = ranges[i]
	place = v - start(r)
	return r, place, place < r.count
}

// Addr returns the address of node, the zero Addr if it has none.
func (a *Addresses) Addr(node Node) netip.Addr {
	v, ok := a.ip(node)
	if !ok {
		return netip.Addr{}
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	return netip.AddrFrom4(b)
}

// Node returns the node that has the address addr, 0 if there is none.
func (a *Addresses) Node(addr netip.Addr) Node {
	addr = addr.Unmap()
	if !addr.Is4() {
		return 0
	}
	b := addr.As4()
	return a.node(binary.BigEndian.Uint32(b[:]))
}

func (a *Addresses) ip(node Node) (uint32, bool) {
	r, place, ok := lookup(a.byNode, uint32(node), nodeOf)
	return r.addr + place, ok
}

func (a *Addresses) node(addr uint32) Node {
	r, place, ok := lookup(a.byAddr, addr, addrOf)
	if !ok {
		return 0
	}
	return r.node + Node(place)
}
