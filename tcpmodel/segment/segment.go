package segment

// Node is the number of an address in the simulated network. Numbers are
// dense and start at 1; 0 is no node. Which IPv4 address a node shows on the
// wire is decided where bytes are made (see Addresses).
type Node uint32

// Flags are the control bits of a TCP header (RFC 9293 section 3.1), with AE
// (the former NS bit) as bit 8.
type Flags uint16

// The control bits.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

// Kind tells what a Segment carries.
type Kind uint8

// The kinds of Segment.
const (
	// KindTCP is a TCP segment.
	KindTCP Kind = iota
	// KindICMP is an ICMP error about a TCP segment: Src is the node that
	// reports it, SrcPort, DstPort and Seq are those of the quoted segment
	// (SrcPort is a port of the receiver), Ack is its destination node, Wnd
	// is type<<8|code and MSS the next-hop MTU.
	KindICMP
	// KindRaw is cross traffic without TCP: Len is the length of the whole
	// IP packet.
	KindRaw
)

// ECN is the ECN field of the IP header (RFC 3168 section 5).
type ECN uint8

// The ECN code points.
const (
	NotECT ECN = iota
	ECT1
	ECT0
	CE
)

// Options is the set of TCP options that a Segment carries.
type Options uint8

// The TCP options.
const (
	// OptMSS: maximum segment size, in MSS (RFC 9293 section 3.7.1).
	OptMSS Options = 1 << iota
	// OptWScale: window scale, in WScale (RFC 7323 section 2).
	OptWScale
	// OptSACKPermitted (RFC 2018 section 2).
	OptSACKPermitted
	// OptTimestamps: TSVal and TSEcr (RFC 7323 section 3).
	OptTimestamps
	// OptSACK: the first NumSACK entries of SACK (RFC 2018 section 3).
	OptSACK
	// OptFastOpen: a Fast Open cookie or the request for one, in the place of
	// SACK blocks; Cookie reads and SetCookie writes it (RFC 7413 section
	// 4.1.1).
	OptFastOpen
)

// Block is a SACK block: the bytes [Left, Right) have arrived.
type Block struct{ Left, Right Seq }

// Segment is one packet as the network carries it: a value without pointers,
// 88 bytes, copied from ring to ring. Wnd is the window field as on the wire,
// not scaled. The payload is Len bytes of the stream Stream from Offset on;
// PayloadByte says what they are. Corrupt says that bits were changed on the
// way: the transport checksum is wrong, and its receiver drops the packet.
type Segment struct {
	Src, Dst         Node
	SrcPort, DstPort uint16
	Seq, Ack         Seq
	Wnd              uint16
	Flags            Flags
	Kind             Kind
	ECN              ECN
	Opts             Options
	WScale           uint8
	MSS              uint16
	NumSACK          uint8
	Corrupt          bool
	Len              uint32
	TSVal, TSEcr     uint32
	Stream           uint32
	Offset           uint64
	SACK             [4]Block
}

// SegLen is SEG.LEN of RFC 9293: the sequence space that s occupies, payload
// and SYN and FIN.
func (s *Segment) SegLen() uint32 {
	return s.Len + uint32(s.Flags&FIN) + uint32(s.Flags&SYN)>>1
}

// End is the sequence number after the last one that s occupies.
func (s *Segment) End() Seq { return s.Seq.Add(s.SegLen()) }

// Has reports whether all of the flags f are set.
func (s *Segment) Has(f Flags) bool { return s.Flags&f == f }
