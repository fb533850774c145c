package segment

import (
	"encoding/binary"
	"encoding/hex"
)

// Lengths of a Fast Open cookie in bytes (RFC 7413 section 4.1.1).
const (
	MinCookieLen = 4
	MaxCookieLen = 16
)

// Cookie is the value of a Fast Open option: Len bytes of Data, an even number
// from 4 to 16, or none in the request for a cookie (RFC 7413 section 4.1.1).
type Cookie struct {
	Len  uint8
	Data [MaxCookieLen]byte
	// Experimental: the option is of the kind for experiments that was in use
	// before RFC 7413 (RFC 6994, ExID 0xf989).
	Experimental bool
}

// NewCookie returns the cookie with the bytes v, and whether a cookie may be so
// long.
func NewCookie(v []byte, experimental bool) (Cookie, bool) {
	c := Cookie{Len: uint8(len(v)), Experimental: experimental}
	if len(v)%2 != 0 || len(v) > MaxCookieLen || len(v) > 0 && len(v) < MinCookieLen {
		return Cookie{}, false
	}
	copy(c.Data[:], v)
	return c, true
}

// Bytes returns the cookie itself.
func (c *Cookie) Bytes() []byte { return c.Data[:c.Len] }

// String returns the cookie in hexadecimal.
func (c *Cookie) String() string { return hex.EncodeToString(c.Bytes()) }

// SetCookie adds a Fast Open option with the value c to s, a SYN. It takes the
// place of SACK blocks.
func (s *Segment) SetCookie(c Cookie) {
	s.Opts = s.Opts&^OptSACK | OptFastOpen
	s.NumSACK, s.SACK = 0, [maxBlocks]Block{}
	for i := range 4 {
		v := Seq(binary.BigEndian.Uint32(c.Data[4*i:]))
		if b := &s.SACK[i/2]; i%2 == 0 {
			b.Left = v
		} else {
			b.Right = v
		}
	}
	s.SACK[2].Left = Seq(c.Len)
	if c.Experimental {
		s.SACK[2].Right = 1
	}
}

// Cookie returns the value of the Fast Open option of s, and whether it has
// one.
func (s *Segment) Cookie() (c Cookie, ok bool) {
	if s.Opts&OptFastOpen == 0 {
		return c, false
	}
	for i, v := range [4]Seq{s.SACK[0].Left, s.SACK[0].Right, s.SACK[1].Left, s.SACK[1].Right} {
		binary.BigEndian.PutUint32(c.Data[4*i:], uint32(v))
	}
	c.Len, c.Experimental = uint8(min(uint32(s.SACK[2].Left), MaxCookieLen)), uint32(s.SACK[2].Right) != 0
	clear(c.Data[c.Len:])
	return c, true
}

// Kinds of the Fast Open option, and the experiment's identifier.
const (
	kindFastOpen   = 34
	kindExperiment = 254
	fastOpenExID   = 0xf989
)

// cookieOptionLen is the length of the option with its padding.
func cookieOptionLen(c *Cookie) uint8 {
	n := 2 + c.Len
	if c.Experimental {
		n += 2
	}
	return (n + 3) &^ 3
}

// putCookie writes the option to b, which has room for it, without padding.
func putCookie(b []byte, c *Cookie) int {
	head := []byte{kindFastOpen, 2 + c.Len}
	if c.Experimental {
		head = []byte{kindExperiment, 4 + c.Len, fastOpenExID >> 8, fastOpenExID & 0xff}
	}
	n := copy(b, head)
	return n + copy(b[n:], c.Bytes())
}

// cookieOption takes the option of that kind with the value v of a SYN, and
// reports whether its length is right. Linux ignores cookies of an illegal
// length, and Fast Open options of other segments.
func (s *Segment) cookieOption(kind byte, v []byte) bool {
	if kind == kindExperiment {
		if len(v) < 2 || binary.BigEndian.Uint16(v) != fastOpenExID {
			return true
		}
		v = v[2:]
	}
	c, ok := NewCookie(v, kind == kindExperiment)
	if ok && s.Flags&SYN != 0 {
		s.SetCookie(c)
	}
	return ok
}
