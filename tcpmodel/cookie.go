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

// SynCookies makes and checks the cookies of one secret: those of a host, or of
// a SYN proxy before it.
type SynCookies struct{ secret [2]uint64 }

// NewSynCookies returns the cookies of a secret.
func NewSynCookies(a, b uint64) SynCookies { return SynCookies{[2]uint64{a, b}} }

func (s SynCookies) hash(domain byte, conn uint64, minute uint32) uint32 {
	return uint32(keyed(s.secret, domain, conn, uint64(minute)))
}

// Make returns the sequence number of a SYN-ACK that keeps the connection conn
// in itself, and the MSS that it can tell of the peer's.
func (s SynCookies) Make(now des.Time, conn uint64, irs segment.Seq, mss uint16) (segment.Seq, uint16) {
	i := len(cookieMSS) - 1
	for i > 0 && cookieMSS[i] > mss {
		i--
	}
	minute := uint32(now / cookiePeriod)
	low := s.hash(keyCookieCount, conn, minute) + uint32(i)
	c := s.hash(keyCookieBase, conn, 0) + uint32(irs) + minute<<24 + low&cookieMask
	return segment.Seq(c), cookieMSS[i]
}

// Check returns the MSS that the cookie keeps, and whether it was made in the
// last two minutes.
func (s SynCookies) Check(now des.Time, conn uint64, irs, cookie segment.Seq) (mss uint16, ok bool) {
	minute := uint32(now / cookiePeriod)
	c := uint32(cookie) - s.hash(keyCookieBase, conn, 0) - uint32(irs)
	age := (minute - c>>24) & 0xff
	if age >= cookieMaxAge {
		return 0, false
	}
	i := (c - s.hash(keyCookieCount, conn, minute-age)) & cookieMask
	if i >= uint32(len(cookieMSS)) {
		return 0, false
	}
	return cookieMSS[i], true
}

func (st *Stack) cookies() SynCookies { return SynCookies{st.secret} }

// CookieOptions is what the time stamp of a SYN-ACK with a cookie keeps of the
// options of the SYN.
type CookieOptions struct {
	// WScale is the peer's window scale, if HasWScale.
	WScale               uint8
	HasWScale, SACK, ECN bool
}

// CookieTimestamp returns the TSval, at or just before clock, whose low bits
// keep the options of the SYN.
func CookieTimestamp(clock uint32, o CookieOptions) uint32 {
	bits := uint32(tsWScaleMask)
	if o.HasWScale {
		bits = uint32(o.WScale)
	}
	if o.SACK {
		bits |= tsSACK
	}
	if o.ECN {
		bits |= tsECN
	}
	v := clock&^(1<<tsBits-1) | bits
	if v > clock {
		v -= 1 << tsBits
	}
	return v
}

// DecodeCookieTimestamp is the inverse of CookieTimestamp.
func DecodeCookieTimestamp(tsval uint32) CookieOptions {
	o := CookieOptions{SACK: tsval&tsSACK != 0, ECN: tsval&tsECN != 0}
	if tsval&tsWScaleMask != tsWScaleMask {
		o.HasWScale, o.WScale = true, uint8(tsval&tsWScaleMask)
	}
	return o
}

// decodeCookieTimestamp sets the options of o that the TSecr tells. It fails if
// the bits ask for something that this host does not do.
func (st *Stack) decodeCookieTimestamp(tsecr uint32, o *synOptions) bool {
	c := DecodeCookieTimestamp(tsecr)
	o.sackOK, o.ecnOK = c.SACK, c.ECN && st.cfg.ECN > 0
	if o.sackOK && !st.cfg.SACK {
		return false
	}
	o.wscaleOK, o.sndWScale = c.HasWScale, c.WScale
	return !c.HasWScale || st.cfg.WindowScaling
}
