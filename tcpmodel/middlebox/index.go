package middlebox

import "tcplab/tcpmodel/segment"

// tuple names a connection by its ends, or, with zeros, one end.
type tuple struct {
	in, out         segment.Node
	inPort, outPort uint16
}

// index finds the entry of a tuple: a hash table with open addressing and
// linear probing, at most three quarters full, without pointers and tombstones.
type index struct {
	slots []indexSlot
	used  int
	shift uint8
}

// indexSlot holds entry ref-1, none if ref is 0.
type indexSlot struct {
	key tuple
	ref uint32
}

const minIndexBits = 4

func (x *index) home(k tuple) uint32 {
	h := uint64(k.in)<<32 | uint64(k.out)
	h = (h ^ h>>29) * 0xbf58476d1ce4e5b9
	h ^= uint64(k.inPort)<<16 | uint64(k.outPort)
	h = (h ^ h>>32) * 0x9e3779b97f4a7c15
	return uint32(h >> x.shift)
}

// place returns where k is, or where it would be put.
func (x *index) place(k tuple) uint32 {
	mask := uint32(len(x.slots) - 1)
	i := x.home(k)
	for x.slots[i].ref != 0 && x.slots[i].key != k {
		i = (i + 1) & mask
	}
	return i
}

func (x *index) find(k tuple) (i uint32, ok bool) {
	if x.used == 0 {
		return 0, false
	}
	r := x.slots[x.place(k)].ref
	return r - 1, r != 0
}

// put makes k, which is not there, lead to entry i.
func (x *index) put(k tuple, i uint32) {
	if 4*(x.used+1) > 3*len(x.slots) {
		x.grow()
	}
	x.slots[x.place(k)] = indexSlot{k, i + 1}
	x.used++
}

// remove deletes k and moves back what was displaced past it.
func (x *index) remove(k tuple) {
	if x.used == 0 {
		return
	}
	mask := uint32(len(x.slots) - 1)
	i := x.place(k)
	if x.slots[i].ref == 0 {
		return
	}
	x.used--
	for j := (i + 1) & mask; x.slots[j].ref != 0; j = (j + 1) & mask {
		if (j-x.home(x.slots[j].key))&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i].ref = 0
}

func (x *index) grow() {
	old := x.slots
	n := max(2*len(old), 1<<minIndexBits)
	x.slots, x.shift = make([]indexSlot, n), 64
	for ; n > 1; n >>= 1 {
		x.shift--
	}
	for _, s := range old {
		if s.ref != 0 {
			x.slots[x.place(s.key)] = s
		}
	}
}
