package tcpmodel

import (
	"encoding/binary"

	"github.com/dchest/siphash"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Domains of the host's keyed hash, so that its uses are independent.
const (
	keyISN = iota
	keyPorts
	keyTimestamp
	keyCookieBase
	keyCookieCount
	keyStream
	keyFastOpen
	keySyncache
	keyPortSkip
)

// keyed is SipHash-2-4 of (domain, a, b) under the host's secret.
func (st *Stack) keyed(domain byte, a, b uint64) uint64 { return keyed(st.secret, domain, a, b) }

func keyed(secret [2]uint64, domain byte, a, b uint64) uint64 {
	var buf [17]byte
	buf[0] = domain
	binary.LittleEndian.PutUint64(buf[1:], a)
	binary.LittleEndian.PutUint64(buf[9:], b)
	return siphash.Hash(secret[0], secret[1], buf[:])
}

// isnTick is the period of the ISN clock (RFC 9293 section 3.4.1).
const isnTick = 4 * des.Microsecond

// initialSeq returns the initial sequence number of a connection.
func (st *Stack) initialSeq(now des.Time, k connKey) segment.Seq {
	clock := uint32(now / isnTick)
	switch st.cfg.ISN {
	case ISNRandom:
		return segment.Seq(st.rand.Uint32())
	case ISNCounter:
		return segment.Seq(st.cfg.ISNValue + clock)
	case ISNConstant:
		return segment.Seq(st.cfg.ISNValue)
	}
	return segment.Seq(clock + uint32(st.keyed(keyISN, uint64(k), uint64(st.node))))
}

// timestampOffset is what a connection adds to the millisecond clock in its
// TSval (RFC 7323 section 5.4 and Linux: a keyed hash of the addresses).
func (st *Stack) timestampOffset(remote segment.Node) uint32 {
	return uint32(st.keyed(keyTimestamp, uint64(remote), uint64(st.node)))
}

// tsClock is the time-stamp clock of 1 ms (RFC 7323 section 5.4).
func tsClock(now des.Time) uint32 { return uint32(now / des.Millisecond) }
