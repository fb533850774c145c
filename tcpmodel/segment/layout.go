package segment

// Lengths of headers in bytes.
const (
	ipHeaderLen   = 20
	tcpHeaderLen  = 20
	udpHeaderLen  = 8
	icmpLen       = ipHeaderLen + 8 + ipHeaderLen + 8
	maxOptionsLen = 40
	maxBlocks     = 4
	allOptions    = OptMSS | OptWScale | OptSACKPermitted | OptTimestamps | OptSACK
)

// layout is how a set of options is written.
type layout struct {
	length uint8 // bytes of options, a multiple of 4
	blocks uint8 // SACK blocks that are written
	packed bool  // without the NOPs that align each option
}

// layouts holds the layout for every set of options and number of SACK blocks.
var layouts = func() (t [allOptions + 1][maxBlocks + 1]layout) {
	for opts := range t {
		for blocks := range t[opts] {
			t[opts][blocks] = newLayout(Options(opts), blocks)
		}
	}
	return t
}()

func newLayout(opts Options, blocks int) layout {
	if opts&OptSACK == 0 {
		blocks = 0
	}
	for {
		aligned, packed := optionsLen(opts, blocks)
		switch {
		case aligned <= maxOptionsLen:
			return layout{uint8(aligned), uint8(blocks), false}
		case packed <= maxOptionsLen:
			return layout{uint8((packed + 3) &^ 3), uint8(blocks), true}
		}
		blocks--
	}
}

// optionsLen returns the length of a set of options, each aligned to 4 bytes
// and one behind the other.
func optionsLen(opts Options, blocks int) (aligned, packed int) {
	if opts&OptMSS != 0 {
		aligned, packed = aligned+4, packed+4
	}
	if opts&OptTimestamps != 0 {
		aligned, packed = aligned+12, packed+10
	}
	if opts&OptSACKPermitted != 0 {
		packed += 2
		if opts&OptTimestamps == 0 {
			aligned += 4
		}
	}
	if opts&OptWScale != 0 {
		aligned, packed = aligned+4, packed+3
	}
	if blocks > 0 {
		aligned, packed = aligned+4+8*blocks, packed+2+8*blocks
	}
	return aligned, packed
}

func (s *Segment) layout() layout {
	if s.Opts&OptFastOpen != 0 {
		return s.cookieLayout()
	}
	return layouts[s.Opts&allOptions][min(s.NumSACK, maxBlocks)]
}

// cookieLayout is kept apart so that layout is inlined.
func (s *Segment) cookieLayout() layout {
	c, _ := s.Cookie()
	form := layouts[s.Opts&allOptions&^OptSACK][0]
	form.length += cookieOptionLen(&c)
	return form
}

// HeaderLen returns the length in bytes of the headers of s, from the first
// byte of the IPv4 header to the payload: IPLen without the payload. It is 56
// for KindICMP, and for KindRaw it is what Encode puts before the payload.
func (s *Segment) HeaderLen() uint32 {
	switch s.Kind {
	case KindTCP:
		return ipHeaderLen + tcpHeaderLen + uint32(s.layout().length)
	case KindICMP:
		return icmpLen
	}
	if s.Len < ipHeaderLen+udpHeaderLen {
		return min(s.Len, ipHeaderLen)
	}
	return ipHeaderLen + udpHeaderLen
}

// tcpHeaderLens is the length of the IPv4 and TCP headers for every set of
// options without SACK blocks or cookie, as layouts has it. It has a place for
// every byte, so that no bound is checked.
var tcpHeaderLens = func() (t [256]uint32) {
	for opts := range OptSACK {
		t[opts] = ipHeaderLen + tcpHeaderLen + uint32(layouts[opts][0].length)
	}
	return t
}()

// IPLen returns the total length of the IPv4 packet that carries s, in bytes.
func (s *Segment) IPLen() uint32 {
	if s.Kind != KindTCP || s.Opts >= OptSACK {
		return s.otherLen()
	}
	return tcpHeaderLens[s.Opts] + s.Len
}

// otherLen is IPLen of what passes seldom, kept apart so that IPLen is inlined.
func (s *Segment) otherLen() uint32 {
	switch s.Kind {
	case KindTCP:
		return ipHeaderLen + tcpHeaderLen + uint32(s.layout().length) + s.Len
	case KindICMP:
		return icmpLen
	}
	return s.Len
}
