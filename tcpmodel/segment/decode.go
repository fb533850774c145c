package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What Decode can find wrong. Errors returned wrap one of these; compare with
// errors.Is.
var (
	// ErrTruncated: there are fewer bytes than the packet's headers say.
	ErrTruncated = errors.New("segment: truncated packet")
	// ErrPayloadTruncated: only payload is missing, as in a capture with a
	// snap length. It is an ErrTruncated, and the Segment is complete except
	// that its checksum was not verified.
	ErrPayloadTruncated = fmt.Errorf("%w (headers are complete)", ErrTruncated)
	// ErrHeaderLength: a length field contradicts another or is too small.
	ErrHeaderLength = errors.New("segment: bad header length")
	// ErrChecksum: an IPv4, TCP, UDP or ICMP checksum is wrong.
	ErrChecksum = errors.New("segment: bad checksum")
	// ErrUnsupported: not an IPv4 packet, a fragment, or an ICMP message that
	// is no error about a TCP segment.
	ErrUnsupported = errors.New("segment: unsupported packet")
	// ErrOption: a TCP option has an illegal length.
	ErrOption = errors.New("segment: bad option length")
	// ErrAddress: an address belongs to no node.
	ErrAddress = errors.New("segment: address of no node")
)

// Decode reads one IPv4 packet from the start of b; bytes after its end are
// ignored. Stream and Offset are 0: the payload is the last IPLen - HeaderLen
// bytes before the packet's end. What a Segment has no room for (TTL, ID,
// urgent pointer, unknown options) is not kept. UDP and protocols that are
// neither TCP nor ICMP are KindRaw.
//
// Errors that leave a usable Segment, which is returned with them, are in this
// order of precedence: ErrPayloadTruncated; ErrChecksum, with the fields as the
// bytes say (captures of hosts with checksum offload are full of these);
// ErrOption (RFC 9293 MUST-7), with the options that could be read: parsing
// stops at a length that cannot be skipped, and an option of known kind and
// wrong length is left out; and ErrAddress, with node 0 for the address. After
// any other error the Segment is the zero value.
func Decode(b []byte, addrs *Addresses) (Segment, error) {
	if len(b) < ipHeaderLen {
		return Segment{}, fmt.Errorf("%w: %d bytes are no IPv4 header", ErrTruncated, len(b))
	}
	if b[0]>>4 != 4 {
		return Segment{}, fmt.Errorf("%w: IP version %d (have 4)", ErrUnsupported, b[0]>>4)
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < ipHeaderLen || total < header {
		return Segment{}, fmt.Errorf("%w: IPv4 header of %d in a packet of %d bytes", ErrHeaderLength, header, total)
	}
	if len(b) < header {
		return Segment{}, fmt.Errorf("%w: %d bytes of an IPv4 header of %d", ErrTruncated, len(b), header)
	}
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 {
		return Segment{}, fmt.Errorf("%w: a fragment", ErrUnsupported)
	}
	d := decoder{addrs: addrs, length: total - header, body: b[header:min(total, len(b))]}
	d.src, d.dst = binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint32(b[16:])
	d.seg.ECN = ECN(b[1]) & CE
	if checksum(b[:header], 0) != 0 {
		d.note(ErrChecksum, "IPv4 header")
	}
	if err := d.transport(b[9], total); err != nil {
		return Segment{}, err
	}
	if len(d.body) < d.length {
		d.soft = fmt.Errorf("%w: %d bytes of %d", ErrPayloadTruncated, len(b), total)
	}
	d.seg.Src, d.seg.Dst = d.node(d.src), d.node(d.dst)
	return d.seg, d.soft
}

// decoder holds one packet while it is read.
type decoder struct {
	addrs    *Addresses
	src, dst uint32
	length   int    // of the IP payload, as the header says
	body     []byte // the part of it that is there
	seg      Segment
	soft     error // the first error that leaves seg usable
}

func (d *decoder) note(err error, what string) {
	if d.soft == nil {
		d.soft = fmt.Errorf("%w: %s", err, what)
	}
}

func (d *decoder) node(addr uint32) Node {
	n := d.addrs.node(addr)
	if n == 0 {
		d.note(ErrAddress, fmt.Sprintf("%d.%d.%d.%d", addr>>24, addr>>16&255, addr>>8&255, addr&255))
	}
	return n
}

// need returns an error if the IP payload cannot hold a header of n bytes or
// does not have them.
func (d *decoder) need(n int, what string) error {
	if d.length < n {
		return fmt.Errorf("%w: %s of %d in an IP payload of %d bytes", ErrHeaderLength, what, n, d.length)
	}
	if len(d.body) < n {
		return fmt.Errorf("%w: %d bytes of a %s of %d", ErrTruncated, len(d.body), what, n)
	}
	return nil
}

// verify notes a wrong checksum over the whole IP payload.
func (d *decoder) verify(sum uint64, what string) {
	if len(d.body) == d.length && checksum(d.body, sum) != 0 {
		d.note(ErrChecksum, what)
	}
}

func (d *decoder) transport(proto byte, total int) error {
	switch proto {
	case protoTCP:
		return d.tcp()
	case protoICMP:
		return d.icmp()
	case protoUDP:
		return d.udp(total)
	}
	d.seg.Kind, d.seg.Len = KindRaw, uint32(total)
	return nil
}

func (d *decoder) tcp() error {
	if err := d.need(tcpHeaderLen, "TCP header"); err != nil {
		return err
	}
	b, s := d.body, &d.seg
	header := int(b[12]>>4) * 4
	if header < tcpHeaderLen {
		return fmt.Errorf("%w: TCP header of %d bytes", ErrHeaderLength, header)
	}
	if err := d.need(header, "TCP header"); err != nil {
		return err
	}
	s.Kind = KindTCP
	s.SrcPort, s.DstPort = binary.BigEndian.Uint16(b[0:]), binary.BigEndian.Uint16(b[2:])
	s.Seq, s.Ack = Seq(binary.BigEndian.Uint32(b[4:])), Seq(binary.BigEndian.Uint32(b[8:]))
	s.Flags = Flags(b[13]) | Flags(b[12]&1)<<8
	s.Wnd = binary.BigEndian.Uint16(b[14:])
	s.Len = uint32(d.length - header)
	d.verify(pseudo(d.src, d.dst, protoTCP, d.length), "TCP")
	d.options(b[tcpHeaderLen:header])
	return nil
}

func (d *decoder) options(b []byte) {
	for len(b) > 0 && b[0] != kindEnd {
		if b[0] == kindNOP {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			d.note(ErrOption, fmt.Sprintf("option %d runs out of the header or has a length below 2", b[0]))
			return
		}
		if !d.option(b[0], b[2:b[1]]) {
			d.note(ErrOption, fmt.Sprintf("option %d of length %d", b[0], b[1]))
		}
		b = b[b[1]:]
	}
}

// option reads the value v of one option and reports whether its length is
// right. Unknown options are skipped (RFC 9293 MUST-6).
func (d *decoder) option(kind byte, v []byte) bool {
	s := &d.seg
	switch {
	case kind == kindMSS && len(v) == 2:
		s.Opts |= OptMSS
		s.MSS = binary.BigEndian.Uint16(v)
	case kind == kindWScale && len(v) == 1:
		s.Opts |= OptWScale
		s.WScale = v[0]
	case kind == kindSACKPermitted && len(v) == 0:
		s.Opts |= OptSACKPermitted
	case kind == kindTimestamps && len(v) == 8:
		s.Opts |= OptTimestamps
		s.TSVal, s.TSEcr = binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])
	case kind == kindFastOpen || kind == kindExperiment:
		return s.cookieOption(kind, v)
	case kind == kindSACK && s.Opts&OptFastOpen != 0:
	case kind == kindSACK && len(v) > 0 && len(v)%8 == 0:
		s.Opts |= OptSACK
		s.NumSACK, s.SACK = uint8(len(v)/8), [maxBlocks]Block{}
		for i := range s.SACK[:s.NumSACK] {
			s.SACK[i] = Block{Seq(binary.BigEndian.Uint32(v[8*i:])), Seq(binary.BigEndian.Uint32(v[8*i+4:]))}
		}
	default:
		return kind != kindMSS && kind != kindWScale && kind != kindSACKPermitted && kind != kindTimestamps && kind != kindSACK
	}
	return true
}

func (d *decoder) udp(total int) error {
	if err := d.need(udpHeaderLen, "UDP header"); err != nil {
		return err
	}
	b, s := d.body, &d.seg
	if n := int(binary.BigEndian.Uint16(b[4:])); n != d.length {
		return fmt.Errorf("%w: UDP length %d in an IP payload of %d bytes", ErrHeaderLength, n, d.length)
	}
	s.Kind, s.Len = KindRaw, uint32(total)
	s.SrcPort, s.DstPort = binary.BigEndian.Uint16(b[0:]), binary.BigEndian.Uint16(b[2:])
	if binary.BigEndian.Uint16(b[6:]) != 0 {
		d.verify(pseudo(d.src, d.dst, protoUDP, d.length), "UDP")
	}
	return nil
}

func (d *decoder) icmp() error {
	if err := d.need(8, "ICMP header"); err != nil {
		return err
	}
	b, s := d.body, &d.seg
	if b[0] != icmpUnreachable && b[0] != icmpTimeExceeded && b[0] != icmpParameterProblem {
		return fmt.Errorf("%w: ICMP type %d (have 3, 11 and 12)", ErrUnsupported, b[0])
	}
	if err := d.need(8+ipHeaderLen, "quoted IPv4 header"); err != nil {
		return err
	}
	quoted := b[8:]
	header := int(quoted[0]&15) * 4
	switch {
	case quoted[0]>>4 != 4 || quoted[9] != protoTCP || binary.BigEndian.Uint16(quoted[6:])&0x1fff != 0:
		return fmt.Errorf("%w: ICMP error about something else than a TCP segment over IPv4", ErrUnsupported)
	case header < ipHeaderLen:
		return fmt.Errorf("%w: quoted IPv4 header of %d bytes", ErrHeaderLength, header)
	}
	if err := d.need(8+header+8, "quoted segment"); err != nil {
		return err
	}
	s.Kind = KindICMP
	s.Wnd = binary.BigEndian.Uint16(b)
	if s.Wnd == icmpUnreachable<<8|codeFragNeeded {
		s.MSS = binary.BigEndian.Uint16(b[6:])
	}
	d.verify(0, "ICMP")
	s.Ack = Seq(d.node(binary.BigEndian.Uint32(quoted[16:])))
	quoted = quoted[header:]
	s.SrcPort, s.DstPort = binary.BigEndian.Uint16(quoted[0:]), binary.BigEndian.Uint16(quoted[2:])
	s.Seq = Seq(binary.BigEndian.Uint32(quoted[4:]))
	return nil
}
