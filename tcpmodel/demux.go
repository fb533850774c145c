package tcpmodel

import "tcplab/tcpmodel/segment"

// connKey packs what tells the connections of one host apart: the remote node,
// its port and the local port.
type connKey uint64

func keyOf(remote segment.Node, remotePort, localPort uint16) connKey {
	return connKey(remote)<<32 | connKey(remotePort)<<16 | connKey(localPort)
}

func (k connKey) remote() segment.Node { return segment.Node(k >> 32) }
func (k connKey) remotePort() uint16   { return uint16(k >> 16) }
func (k connKey) localPort() uint16    { return uint16(k) }

// ref says what a key leads to: a kind in the two top bits and an index into
// the table of that kind.
type ref uint32

const (
	refNone     ref = 0
	refEndpoint ref = 1 << 30
	refRequest  ref = 2 << 30
	refTimeWait ref = 3 << 30
	refKind     ref = 3 << 30
)

func (r ref) kind() ref     { return r & refKind }
func (r ref) index() uint32 { return uint32(r &^ refKind) }

// connTable finds connections by key: a hash table with open addressing and
// linear probing, 12 bytes per slot, at most three quarters full. It holds a
// million half-open connections without a pointer for the collector to follow.
type connTable struct {
	keys  []connKey
	refs  []ref
	used  int
	shift uint8
}

const minTableBits = 4

func (t *connTable) home(k connKey) uint32 {
	h := uint64(k)
	h ^= h >> 32
	return uint32(h * 0x9e3779b97f4a7c15 >> t.shift)
}

func (t *connTable) find(k connKey) ref {
	if t.used == 0 {
		return refNone
	}
	mask := uint32(len(t.keys) - 1)
	for i := t.home(k); ; i = (i + 1) & mask {
		if t.refs[i] == refNone || t.keys[i] == k {
			return t.refs[i]
		}
	}
}

// put sets what k leads to, whether it was there or not.
func (t *connTable) put(k connKey, r ref) {
	if 4*(t.used+1) > 3*len(t.keys) {
		t.grow()
	}
	mask := uint32(len(t.keys) - 1)
	i := t.home(k)
	for t.refs[i] != refNone && t.keys[i] != k {
		i = (i + 1) & mask
	}
	if t.refs[i] == refNone {
		t.used++
	}
	t.keys[i], t.refs[i] = k, r
}

// remove deletes k and moves back the entries that were displaced past it, so
// that the table keeps no tombstones.
func (t *connTable) remove(k connKey) {
	if t.used == 0 {
		return
	}
	mask := uint32(len(t.keys) - 1)
	i := t.home(k)
	for t.refs[i] != refNone && t.keys[i] != k {
		i = (i + 1) & mask
	}
	if t.refs[i] == refNone {
		return
	}
	t.used--
	for j := (i + 1) & mask; t.refs[j] != refNone; j = (j + 1) & mask {
		if (j-t.home(t.keys[j]))&mask >= (j-i)&mask {
			t.keys[i], t.refs[i] = t.keys[j], t.refs[j]
			i = j
		}
	}
	t.refs[i] = refNone
}

func (t *connTable) grow() {
	old := *t
	n := max(2*len(old.keys), 1<<minTableBits)
	t.keys, t.refs, t.used = make([]connKey, n), make([]ref, n), 0
	t.shift = 64
	for ; n > 1; n >>= 1 {
		t.shift--
	}
	for i, r := range old.refs {
		if r != refNone {
			t.put(old.keys[i], r)
		}
	}
}
