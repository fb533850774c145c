package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// ErrEncode says that a Segment has no form as an IPv4 packet; the error that
// wraps it says why.
var ErrEncode = errors.New("segment: cannot be encoded")

// IP protocol numbers. Raw packets too short for UDP carry the number that RFC
// 3692 section 2.1 keeps for experiments.
const (
	protoICMP       = 1
	protoTCP        = 6
	protoUDP        = 17
	protoExperiment = 253
)

// ICMP types (RFC 792) and the code of "fragmentation needed" (RFC 1191).
const (
	icmpUnreachable      = 3
	icmpTimeExceeded     = 11
	icmpParameterProblem = 12
	codeFragNeeded       = 4
)

// Kinds of TCP option.
const (
	kindEnd           = 0
	kindNOP           = 1
	kindMSS           = 2
	kindWScale        = 3
	kindSACKPermitted = 4
	kindSACK          = 5
	kindTimestamps    = 8
)

const (
	ttl             = 64
	dontFragment    = 0x4000
	maxIPLen        = 65535
	quotedTCPLength = ipHeaderLen + tcpHeaderLen
)

// Encode appends the IPv4 packet that s stands for to dst: IPLen bytes with
// correct checksums, but for the transport checksum of a packet that is Corrupt
// (protocol 253 has none). TCP goes as itself, KindICMP as an ICMP error that quotes
// an IPv4 header and 8 bytes of TCP, KindRaw as UDP (as protocol 253 below 28
// bytes). IPv4 ID is 0 with DF set (RFC 6864 section 4.1), TTL 64, the urgent
// pointer 0. The payload is that of FillPayload.
//
// The error wraps ErrEncode: a node has no address, the packet is longer than
// 65535 bytes or (KindRaw) shorter than 20, or the payload lies in an arena.
// dst is returned unchanged then.
func Encode(dst []byte, s *Segment, addrs *Addresses) ([]byte, error) {
	if InArena(s.Stream) && s.IPLen() > s.HeaderLen() {
		return dst, fmt.Errorf("%w: the bytes of stream %#x lie in an arena (use EncodePayload)", ErrEncode, s.Stream)
	}
	return encode(dst, s, addrs, nil)
}

// EncodePayload is Encode with the payload given: IPLen - HeaderLen bytes.
func EncodePayload(dst []byte, s *Segment, addrs *Addresses, payload []byte) ([]byte, error) {
	if want := s.IPLen() - s.HeaderLen(); uint64(len(payload)) != uint64(want) {
		return dst, fmt.Errorf("%w: %d bytes of payload given, the segment has %d", ErrEncode, len(payload), want)
	}
	if payload == nil {
		payload = []byte{}
	}
	return encode(dst, s, addrs, payload)
}

func encode(dst []byte, s *Segment, addrs *Addresses, payload []byte) ([]byte, error) {
	total := s.IPLen()
	switch {
	case total > maxIPLen:
		return dst, fmt.Errorf("%w: %d bytes (an IPv4 packet has at most %d)", ErrEncode, total, maxIPLen)
	case total < ipHeaderLen:
		return dst, fmt.Errorf("%w: %d bytes (an IPv4 packet has at least %d)", ErrEncode, total, ipHeaderLen)
	}
	ends := [3]uint32{}
	nodes := [3]Node{s.Src, s.Dst, Node(s.Ack)}
	for i := range nodes {
		if i == 2 && s.Kind != KindICMP {
			break
		}
		addr, ok := addrs.ip(nodes[i])
		if !ok {
			return dst, fmt.Errorf("%w: node %d has no address", ErrEncode, nodes[i])
		}
		ends[i] = addr
	}
	start := len(dst)
	dst = slices.Grow(dst, int(total))[:start+int(total)]
	p := dst[start:]
	body := p[ipHeaderLen:]
	content := p[s.HeaderLen():]
	if payload != nil {
		copy(content, payload)
	} else {
		FillPayload(content, s.Stream, s.Offset)
	}
	proto := byte(protoExperiment)
	switch {
	case s.Kind == KindTCP:
		proto = protoTCP
		putTCP(body, s)
		binary.BigEndian.PutUint16(body[16:], checksum(body, pseudo(ends[0], ends[1], protoTCP, len(body))))
	case s.Kind == KindICMP:
		proto = protoICMP
		putICMP(body, s, ends[1], ends[2])
	case len(body) >= udpHeaderLen:
		proto = protoUDP
		putUDP(body, s, pseudo(ends[0], ends[1], protoUDP, len(body)))
	}
	if s.Corrupt {
		spoil(body, proto)
	}
	putIP(p, s.ECN, proto, ends[0], ends[1])
	binary.BigEndian.PutUint16(p[10:], checksum(p[:ipHeaderLen], 0))
	return dst, nil
}

// spoil makes the transport checksum wrong in its lowest bit, or in the bit
// above where it would come out as 0, which in UDP says that there is none.
func spoil(body []byte, proto byte) {
	at := 0
	switch proto {
	case protoTCP:
		at = 16
	case protoUDP:
		at = 6
	case protoICMP:
		at = 2
	default:
		return
	}
	sum := binary.BigEndian.Uint16(body[at:])
	wrong := sum ^ 1
	if wrong == 0 {
		wrong = sum ^ 2
	}
	binary.BigEndian.PutUint16(body[at:], wrong)
}

// putIP writes an IPv4 header for a packet of len(p) bytes, without checksum.
func putIP(p []byte, ecn ECN, proto byte, src, dst uint32) {
	p[0], p[1] = 4<<4|ipHeaderLen/4, byte(ecn&CE)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	binary.BigEndian.PutUint16(p[4:], 0)
	binary.BigEndian.PutUint16(p[6:], dontFragment)
	p[8], p[9] = ttl, proto
	binary.BigEndian.PutUint16(p[10:], 0)
	binary.BigEndian.PutUint32(p[12:], src)
	binary.BigEndian.PutUint32(p[16:], dst)
}

// putTCP writes the TCP header and options, without checksum.
func putTCP(b []byte, s *Segment) {
	form := s.layout()
	binary.BigEndian.PutUint16(b[0:], s.SrcPort)
	binary.BigEndian.PutUint16(b[2:], s.DstPort)
	binary.BigEndian.PutUint32(b[4:], uint32(s.Seq))
	binary.BigEndian.PutUint32(b[8:], uint32(s.Ack))
	b[12] = (tcpHeaderLen+form.length)<<2 | byte(s.Flags>>8&1)
	b[13] = byte(s.Flags)
	binary.BigEndian.PutUint16(b[14:], s.Wnd)
	binary.BigEndian.PutUint32(b[16:], 0)
	putOptions(b[tcpHeaderLen:tcpHeaderLen+int(form.length)], s, form)
}

// putOptions fills b with the options of s in the order of Linux.
func putOptions(b []byte, s *Segment, form layout) {
	n := 0
	put := func(v ...byte) { n += copy(b[n:], v) }
	pad := func(nops int) {
		for i := 0; i < nops && !form.packed; i++ {
			put(kindNOP)
		}
	}
	word := func(v uint32) { put(byte(v>>24), byte(v>>16), byte(v>>8), byte(v)) }
	if s.Opts&OptMSS != 0 {
		put(kindMSS, 4, byte(s.MSS>>8), byte(s.MSS))
	}
	if s.Opts&OptSACKPermitted != 0 {
		if s.Opts&OptTimestamps == 0 {
			pad(2)
		}
		put(kindSACKPermitted, 2)
	}
	if s.Opts&OptTimestamps != 0 {
		if s.Opts&OptSACKPermitted == 0 {
			pad(2)
		}
		put(kindTimestamps, 10)
		word(s.TSVal)
		word(s.TSEcr)
	}
	if s.Opts&OptWScale != 0 {
		pad(1)
		put(kindWScale, 3, s.WScale)
	}
	if form.blocks > 0 {
		pad(2)
		put(kindSACK, 2+8*form.blocks)
		for _, block := range s.SACK[:form.blocks] {
			word(uint32(block.Left))
			word(uint32(block.Right))
		}
	}
	if c, ok := s.Cookie(); ok {
		n += putCookie(b[n:], &c)
		for ; n%4 != 0; n++ {
			b[n] = kindNOP
		}
	}
	clear(b[n:])
}

// putICMP writes an ICMP error with its quotation: the header of the packet
// from node Dst to node Ack, and the first 8 bytes of its TCP header.
func putICMP(b []byte, s *Segment, src, dst uint32) {
	clear(b)
	binary.BigEndian.PutUint16(b, s.Wnd)
	if s.Wnd == icmpUnreachable<<8|codeFragNeeded {
		binary.BigEndian.PutUint16(b[6:], s.MSS)
	}
	quoted := b[8:]
	putIP(quoted, NotECT, protoTCP, src, dst)
	binary.BigEndian.PutUint16(quoted[2:], quotedTCPLength)
	binary.BigEndian.PutUint16(quoted[10:], checksum(quoted[:ipHeaderLen], 0))
	binary.BigEndian.PutUint16(quoted[20:], s.SrcPort)
	binary.BigEndian.PutUint16(quoted[22:], s.DstPort)
	binary.BigEndian.PutUint32(quoted[24:], uint32(s.Seq))
	binary.BigEndian.PutUint16(b[2:], checksum(b, 0))
}

func putUDP(b []byte, s *Segment, pseudo uint64) {
	binary.BigEndian.PutUint16(b[0:], s.SrcPort)
	binary.BigEndian.PutUint16(b[2:], s.DstPort)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[6:], 0)
	sum := checksum(b, pseudo)
	if sum == 0 {
		sum = 0xffff // 0 would say that there is none (RFC 768)
	}
	binary.BigEndian.PutUint16(b[6:], sum)
}

// pseudo returns the sum of the pseudo-header (RFC 9293 section 3.1).
func pseudo(src, dst uint32, proto byte, length int) uint64 {
	return uint64(src) + uint64(dst) + uint64(proto) + uint64(length)
}

// checksum returns the Internet checksum (RFC 1071) of b and what is in sum. It
// is 0 for a header that carries its correct checksum.
func checksum(b []byte, sum uint64) uint16 {
	for len(b) >= 8 {
		v, carry := bits.Add64(sum, binary.BigEndian.Uint64(b), 0)
		sum = v + carry
		b = b[8:]
	}
	var last [8]byte
	copy(last[:], b)
	sum, carry := bits.Add64(sum, binary.BigEndian.Uint64(last[:]), 0)
	sum += carry
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum>>16 + sum)
}
