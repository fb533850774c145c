package segment

import (
	"net/netip"

	"pgregory.net/rapid"
)

// testNodes nodes have addresses in testAddresses: 1 to 9 one by one, then a
// spoofed range of 131072.
const testNodes = 9 + 131072

func testAddresses() *Addresses {
	a := &Addresses{}
	host := netip.MustParseAddr("203.0.113.9")
	for n := Node(1); n <= 9; n++ {
		if err := a.Add(n, host); err != nil {
			panic(err)
		}
		host = host.Prev()
	}
	if _, err := a.AddPrefix(10, netip.MustParsePrefix("198.18.0.0/15")); err != nil {
		panic(err)
	}
	return a
}

func drawNode(t *rapid.T, label string) Node {
	return Node(rapid.Uint32Range(1, testNodes).Draw(t, label))
}

// drawSegment draws a Segment in which every field that its kind and options
// do not carry is zero, so that a round trip must return the same value.
func drawSegment(t *rapid.T) Segment {
	s := Segment{
		Src:     drawNode(t, "src"),
		Dst:     drawNode(t, "dst"),
		SrcPort: rapid.Uint16().Draw(t, "srcport"),
		DstPort: rapid.Uint16().Draw(t, "dstport"),
		ECN:     ECN(rapid.Uint8Range(0, 3).Draw(t, "ecn")),
		Kind:    Kind(rapid.Uint8Range(0, 2).Draw(t, "kind")),
	}
	switch s.Kind {
	case KindTCP:
		drawTCP(t, &s)
	case KindICMP:
		s.Seq = Seq(rapid.Uint32().Draw(t, "seq"))
		s.Ack = Seq(drawNode(t, "destination"))
		s.Wnd = rapid.SampledFrom([]uint16{0x0300, 0x0301, 0x0303, 0x0304, 0x0b00, 0x0c00}).Draw(t, "type")
		if s.Wnd == 0x0304 {
			s.MSS = rapid.Uint16().Draw(t, "mtu")
		}
	case KindRaw:
		s.Len = rapid.Uint32Range(20, 3000).Draw(t, "len")
		if s.Len < 28 {
			s.SrcPort, s.DstPort = 0, 0
		}
	}
	return s
}

func drawTCP(t *rapid.T, s *Segment) {
	s.Seq, s.Ack = Seq(rapid.Uint32().Draw(t, "seq")), Seq(rapid.Uint32().Draw(t, "ack"))
	s.Flags = Flags(rapid.Uint16Range(0, 511).Draw(t, "flags"))
	s.Wnd = rapid.Uint16().Draw(t, "wnd")
	s.Len = rapid.Uint32Range(0, 3000).Draw(t, "len")
	s.Opts = Options(rapid.Uint8Range(0, uint8(allOptions)).Draw(t, "options"))
	if s.Opts&OptMSS != 0 {
		s.MSS = rapid.Uint16().Draw(t, "mss")
	}
	if s.Opts&OptWScale != 0 {
		s.WScale = rapid.Uint8().Draw(t, "wscale")
	}
	if s.Opts&OptTimestamps != 0 {
		s.TSVal, s.TSEcr = rapid.Uint32().Draw(t, "tsval"), rapid.Uint32().Draw(t, "tsecr")
	}
	if s.Flags&SYN != 0 && rapid.Bool().Draw(t, "fast open") {
		v := rapid.SliceOfN(rapid.Byte(), 4, MaxCookieLen).Draw(t, "cookie")
		c, _ := NewCookie(v, rapid.Bool().Draw(t, "experimental"))
		s.SetCookie(c)
	}
	if s.Opts&OptSACK != 0 {
		s.NumSACK = rapid.Uint8Range(1, 4).Draw(t, "blocks")
		s.NumSACK = s.layout().blocks
		if s.NumSACK == 0 {
			s.Opts &^= OptSACK
		}
		for i := range s.SACK[:s.NumSACK] {
			s.SACK[i] = Block{Seq(rapid.Uint32().Draw(t, "left")), Seq(rapid.Uint32().Draw(t, "right"))}
		}
	}
}
