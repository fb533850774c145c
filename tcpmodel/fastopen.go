package tcpmodel

import (
	"encoding/binary"

	"github.com/dchest/siphash"

	"tcplab/tcpmodel/segment"
)

// TCP Fast Open (RFC 7413) as Linux has it: the SYN carries data, and a cookie
// that shows that its sender has received something at its address before.
// fastopenclient.go is the active, fastopenserver.go the passive side.

// The bits of tcp_fastopen.
const (
	fastOpenClient = 1 << 0
	fastOpenServer = 1 << 1
	// fastOpenClientFree and fastOpenServerFree do without cookies.
	fastOpenClientFree = 1 << 2
	fastOpenServerFree = 1 << 9
	// fastOpenListeners enables it for listeners that do not ask for it.
	fastOpenListeners = 1 << 10
)

// fastOpen is what an endpoint knows of Fast Open.
type fastOpen struct {
	// waits: the SYN waits for the first data of the user.
	waits bool
	// offers: the next SYN has the option with cookie. asked: one had it.
	offers, asked bool
	// sent: our SYN carried data. taken: it was acknowledged, or a SYN brought
	// data that were taken.
	sent, taken bool
	cookie      segment.Cookie
	// mss is that of the peer's last SYN-ACK, 0 for unknown.
	mss uint16

	// pending: the connection came from a SYN that was taken at once, and its
	// SYN-ACK is not acknowledged yet.
	pending bool
	// timeouts counts expiries of the SYN-ACK timer, synAck is what the
	// SYN-ACK acknowledges.
	timeouts uint8
	synAck   segment.Seq
	// from is the listener that counts the connection as pending.
	from *Listener
}

// fastOpenKey is the key of a host's cookies, a listener's own or the stack's.
type fastOpenKey [2]uint64

func newFastOpenKey(key [16]byte) fastOpenKey {
	return fastOpenKey{binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])}
}

// SetFastOpenKey sets the key of the host's Fast Open cookies (tcp_fastopen_key,
// as the bytes that TCP_FASTOPEN_KEY takes). Without it the host has a key of
// its own.
func (st *Stack) SetFastOpenKey(key [16]byte) { st.fastOpenKey = newFastOpenKey(key) }

// fastOpenCookie returns the cookie of a peer: as Linux makes it, SipHash-2-4 of
// both addresses.
func (st *Stack) fastOpenCookie(key fastOpenKey, remote segment.Node) (c segment.Cookie) {
	var buf [8]byte
	binary.BigEndian.PutUint32(buf[:], st.address(remote))
	binary.BigEndian.PutUint32(buf[4:], st.address(st.node))
	c.Len = 8
	binary.LittleEndian.PutUint64(c.Data[:], siphash.Hash(key[0], key[1], buf[:]))
	return c
}

// address is the IPv4 address of a node as far as it is known, else its number.
func (st *Stack) address(n segment.Node) uint32 {
	if st.addresses != nil {
		if a := st.addresses.Addr(n); a.IsValid() {
			b := a.As4()
			return binary.BigEndian.Uint32(b[:])
		}
	}
	return uint32(n)
}

// takeSynText takes the payload of a SYN or SYN-ACK, and its FIN. RCV.NXT is
// the sequence number after the SYN.
func (ep *Endpoint) takeSynText(seg *segment.Segment) {
	if seg.Len == 0 {
		return
	}
	text := *seg
	text.Seq++
	foreign := ep.foreign(&text)
	ep.charge(seg.Len)
	ep.deliver(text.Seq.Add(seg.Len), foreign)
	ep.fast.taken = true
}
