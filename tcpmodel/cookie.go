package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// SYN cookies (RFC 4987 section 3.6) in the layout of Linux: the cookie is a
// hash plus the peer's initial sequence number plus a minute counter in the
// top 8 bits plus, in the low 24 bits, a second hash that depends on the minute
// and the index of the MSS. With timestamps the low 6 bits of the TSval of the
// SYN-ACK keep what does not fit: window scale, SACK, ECN.

const (
	cookiePeriod = des.Minute
	// cookieMaxAge is for how many periods a cookie holds: at least one
	// minute and at most two.
	cookieMaxAge = 2
	cookieMask   = 1<<24 - 1
	// cookieOverflowValid is for how long after the last cookie was sent a
	// listener takes an ACK for a cookie.
	cookieOverflowValid = 2 * des.Minute
)

// cookieMSS are the sizes that a cookie can tell.
var cookieMSS = [4]uint16{536, 1300, 1440, 1460}

const (
	tsWScaleMask = 0xf
	tsSACK       = 1 << 4
	tsECN        = 1 << 5
	tsBits       = 6
)

func (st *Stack) cookieHash(domain byte, k connKey, minute uint32) uint32 {
	return uint32(st.keyed(domain, uint64(k), uint64(minute)))
}

// makeCookie returns the sequence number of a SYN-ACK that keeps the
// connection k in itself, and the MSS that it can tell of the peer's.
func (st *Stack) makeCookie(now des.Time, k connKey, irs segment.Seq, mss uint16) (segment.Seq, uint16) {
	i := len(cookieMSS) - 1
	for i > 0 && cookieMSS[i] > mss {
		i--
	}
	minute := uint32(now / cookiePeriod)
	low := st.cookieHash(keyCookieCount, k, minute) + uint32(i)
	c := st.cookieHash(keyCookieBase, k, 0) + uint32(irs) + minute<<24 + low&cookieMask
	return segment.Seq(c), cookieMSS[i]
}

// checkCookie returns the MSS that the cookie keeps, and whether it is one
// that this host made in the last two minutes.
func (st *Stack) checkCookie(now des.Time, k connKey, irs, cookie segment.Seq) (mss uint16, ok bool) {
	minute := uint32(now / cookiePeriod)
	c := uint32(cookie) - st.cookieHash(keyCookieBase, k, 0) - uint32(irs)
	age := (minute - c>>24) & 0xff
	if age >= cookieMaxAge {
		return 0, false
	}
	i := (c - st.cookieHash(keyCookieCount, k, minute-age)) & cookieMask
	if i >= uint32(len(cookieMSS)) {
		return 0, false
	}
	return cookieMSS[i], true
}

// cookieTimestamp returns the TSval, at or just before clock, whose low bits
// keep the options of the SYN.
func cookieTimestamp(clock uint32, o synOptions) uint32 {
	bits := uint32(tsWScaleMask)
	if o.wscaleOK {
		bits = uint32(o.sndWScale)
	}
	if o.sackOK {
		bits |= tsSACK
	}
	if o.ecnOK {
		bits |= tsECN
	}
	v := clock&^(1<<tsBits-1) | bits
	if v > clock {
		v -= 1 << tsBits
	}
	return v
}

// decodeCookieTimestamp is the inverse of cookieTimestamp. It fails if the
// bits ask for something that this host does not do.
func (st *Stack) decodeCookieTimestamp(tsecr uint32, o *synOptions) bool {
	o.sackOK = tsecr&tsSACK != 0
	o.ecnOK = tsecr&tsECN != 0 && st.cfg.ECN > 0
	if o.sackOK && !st.cfg.SACK {
		return false
	}
	if tsecr&tsWScaleMask == tsWScaleMask {
		o.wscaleOK, o.sndWScale = false, 0
		return true
	}
	o.wscaleOK, o.sndWScale = true, uint8(tsecr&tsWScaleMask)
	return st.cfg.WindowScaling
}
