package capture

import (
	"encoding/binary"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"tcplab/tcpmodel/segment"
)

// The link types that layers has no constant for: raw IP in the numbering of
// operating systems, which old files have.
const (
	linkTypeRawBSD     = 12
	linkTypeRawOpenBSD = 14
)

// verdict is what became of the attempt to decode a packet.
type verdict uint8

const (
	isTCP verdict = iota
	isOther
	isFragment
	isMalformed
)

// tcpPacket is a TCP segment as a capture has it. The fields Src and Dst of the
// Segment are not used.
type tcpPacket struct {
	segment.Segment
	source, dest netip.AddrPort
	number       int
	at           Span
	vantage      vantage
	wire         int // length of the frame
	badChecksum  bool
	comment      string
}

// vantage is where a packet was seen: an interface of the file, and for a
// capture of all devices the device.
type vantage struct{ iface, device int }

// decoder takes packets apart. It keeps the layers from one packet to the next.
type decoder struct {
	ethernet layers.Ethernet
	vlan     layers.Dot1Q
	cooked   layers.LinuxSLL
	cooked2  layers.LinuxSLL2
	loopback layers.Loopback
	ip4      layers.IPv4
	ip6      layers.IPv6
	skipper  layers.IPv6ExtensionSkipper
	tcp      layers.TCP
	parsers  map[gopacket.LayerType]*gopacket.DecodingLayerParser // by the first layer
	found    []gopacket.LayerType
	cut      bool // the capture holds only the start of the packet
}

func newDecoder() *decoder {
	return &decoder{parsers: map[gopacket.LayerType]*gopacket.DecodingLayerParser{}}
}

func (d *decoder) parser(first gopacket.LayerType) *gopacket.DecodingLayerParser {
	p := d.parsers[first]
	if p == nil {
		p = gopacket.NewDecodingLayerParser(first, &d.ethernet, &d.vlan, &d.cooked, &d.cooked2, &d.loopback,
			&d.ip4, &d.ip6, &d.skipper, &d.tcp)
		p.IgnoreUnsupported = true
		d.parsers[first] = p
	}
	return p
}

// firstLayer returns the layer that packets of a link type begin with.
func firstLayer(linkType int, data []byte) (gopacket.LayerType, bool) {
	switch layers.LinkType(linkType) {
	case layers.LinkTypeEthernet:
		return layers.LayerTypeEthernet, true
	case layers.LinkTypeLinuxSLL:
		return layers.LayerTypeLinuxSLL, true
	case layers.LinkTypeLinuxSLL2:
		return layers.LayerTypeLinuxSLL2, true
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return layers.LayerTypeLoopback, true
	case layers.LinkTypeIPv4:
		return layers.LayerTypeIPv4, true
	case layers.LinkTypeIPv6:
		return layers.LayerTypeIPv6, true
	case layers.LinkTypeRaw, linkTypeRawBSD, linkTypeRawOpenBSD:
		if len(data) > 0 && data[0]>>4 == 6 {
			return layers.LayerTypeIPv6, true
		}
		return layers.LayerTypeIPv4, true
	}
	return 0, false
}

// decode finds the TCP segment in p and puts it into out.
func (d *decoder) decode(p *Packet, out *tcpPacket) verdict {
	first, known := firstLayer(p.LinkType, p.Data)
	if !known {
		return isOther
	}
	parser := d.parser(first)
	err := parser.DecodeLayers(p.Data, &d.found)
	d.cut = parser.Truncated
	var network gopacket.LayerType
	for _, layer := range d.found {
		switch layer {
		case layers.LayerTypeIPv4, layers.LayerTypeIPv6:
			network = layer
		case layers.LayerTypeLinuxSLL2:
			out.vantage.device = int(d.cooked2.InterfaceIndex)
		}
	}
	switch last := len(d.found) - 1; {
	case network == layers.LayerTypeIPv4 && d.ip4.Version != 4:
		return isMalformed
	case last >= 0 && d.found[last] == layers.LayerTypeTCP:
	case network == layers.LayerTypeIPv4 && d.ip4.NextLayerType() == gopacket.LayerTypeFragment:
		return isFragment
	case err != nil:
		return isMalformed
	default:
		return isOther
	}
	out.number, out.wire, out.comment = p.Number, p.Length, p.Comment
	out.vantage.iface = p.Interface
	d.header(out)
	d.options(out)
	d.addresses(network, out)
	return isTCP
}

func (d *decoder) header(out *tcpPacket) {
	t := &d.tcp
	out.SrcPort, out.DstPort = uint16(t.SrcPort), uint16(t.DstPort)
	out.Seq, out.Ack, out.Wnd = segment.Seq(t.Seq), segment.Seq(t.Ack), t.Window
	out.Flags = segment.Flags(t.Contents[13]) | segment.Flags(t.Contents[12]&1)<<8
	out.Len = uint32(len(t.Payload))
}

func (d *decoder) addresses(network gopacket.LayerType, out *tcpPacket) {
	var src, dst netip.Addr
	header := len(d.tcp.Contents)
	if network == layers.LayerTypeIPv4 {
		src, _ = netip.AddrFromSlice(d.ip4.SrcIP)
		dst, _ = netip.AddrFromSlice(d.ip4.DstIP)
		if d.cut {
			out.Len = uint32(max(int(d.ip4.Length)-len(d.ip4.Contents)-header, int(out.Len)))
		}
	} else {
		src, _ = netip.AddrFromSlice(d.ip6.SrcIP)
		dst, _ = netip.AddrFromSlice(d.ip6.DstIP)
		if d.cut {
			extensions := len(d.ip6.Payload) - len(d.tcp.Contents) - len(d.tcp.Payload)
			out.Len = uint32(max(int(d.ip6.Length)-extensions-header, int(out.Len)))
		}
	}
	out.source = netip.AddrPortFrom(src, out.SrcPort)
	out.dest = netip.AddrPortFrom(dst, out.DstPort)
	out.badChecksum = !d.cut && d.wrongChecksum(network)
}

func (d *decoder) wrongChecksum(network gopacket.LayerType) bool {
	var layer gopacket.NetworkLayer = &d.ip6
	if network == layers.LayerTypeIPv4 {
		layer = &d.ip4
	}
	if d.tcp.SetNetworkLayerForChecksum(layer) != nil {
		return false
	}
	err, result := d.tcp.VerifyChecksum()
	return err == nil && !result.Valid
}

// options takes over the options that matter for the course of a connection.
func (d *decoder) options(out *tcpPacket) {
	out.Opts, out.NumSACK = 0, 0
	for i := range d.tcp.Options {
		o := &d.tcp.Options[i]
		v := o.OptionData
		switch {
		case o.OptionType == layers.TCPOptionKindMSS && len(v) == 2:
			out.Opts |= segment.OptMSS
			out.MSS = binary.BigEndian.Uint16(v)
		case o.OptionType == layers.TCPOptionKindWindowScale && len(v) == 1:
			out.Opts |= segment.OptWScale
			out.WScale = min(v[0], 14) // RFC 7323 section 2.3
		case o.OptionType == layers.TCPOptionKindSACKPermitted:
			out.Opts |= segment.OptSACKPermitted
		case o.OptionType == layers.TCPOptionKindTimestamps && len(v) == 8:
			out.Opts |= segment.OptTimestamps
			out.TSVal, out.TSEcr = binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])
		case o.OptionType == layers.TCPOptionKindSACK:
			out.Opts |= segment.OptSACK
			for ; len(v) >= 8 && int(out.NumSACK) < len(out.SACK); v = v[8:] {
				out.SACK[out.NumSACK] = segment.Block{
					Left:  segment.Seq(binary.BigEndian.Uint32(v)),
					Right: segment.Seq(binary.BigEndian.Uint32(v[4:])),
				}
				out.NumSACK++
			}
		}
	}
}
