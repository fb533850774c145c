package segment

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"pgregory.net/rapid"
)

// An independent decoder must read the fields that were encoded, and making
// the packet again from what it read, with lengths and checksums of its own,
// must give the same bytes.
func TestEncodeAgainstGopacket(t *testing.T) {
	addrs := testAddresses()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSegment(t)
		// gopacket goes on to decode what the well-known ports promise.
		s.SrcPort, s.DstPort = s.SrcPort|0xc000, s.DstPort|0xc000
		if s.Kind == KindRaw && s.Len < 28 {
			s.SrcPort, s.DstPort = 0, 0
		}
		p, err := Encode(nil, &s, addrs)
		if err != nil {
			t.Fatal(err)
		}
		packet := gopacket.NewPacket(p, layers.LayerTypeIPv4, gopacket.Default)
		if fail := packet.ErrorLayer(); fail != nil && packet.TransportLayer() == nil && (s.Kind != KindRaw || s.Len >= 28) {
			t.Fatal(fail.Error())
		}
		ip := packet.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		src, _ := netip.AddrFromSlice(ip.SrcIP)
		dst, _ := netip.AddrFromSlice(ip.DstIP)
		if src != addrs.Addr(s.Src) || dst != addrs.Addr(s.Dst) || ip.TOS != uint8(s.ECN) || uint32(ip.Length) != s.IPLen() || ip.Flags != layers.IPv4DontFragment {
			t.Fatalf("gopacket reads %+v from %v", ip, &s)
		}
		var again []gopacket.SerializableLayer
		switch s.Kind {
		case KindTCP:
			tcp := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
			checkTCP(t, &s, tcp)
			again = append(again, ip, tcp, gopacket.Payload(tcp.Payload))
			_ = tcp.SetNetworkLayerForChecksum(ip)
		case KindICMP:
			icmp := packet.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
			if uint16(icmp.TypeCode) != s.Wnd || icmp.Seq != s.MSS {
				t.Fatalf("gopacket reads %v, mtu %d from %v", icmp.TypeCode, icmp.Seq, &s)
			}
			checkQuotation(t, &s, icmp.Payload, addrs)
			again = append(again, ip, icmp, gopacket.Payload(icmp.Payload))
		case KindRaw:
			udp, ok := packet.Layer(layers.LayerTypeUDP).(*layers.UDP)
			if !ok {
				if s.Len >= 28 || ip.Protocol != 253 {
					t.Fatalf("gopacket finds no UDP in %v but protocol %v", &s, ip.Protocol)
				}
				return
			}
			if uint16(udp.SrcPort) != s.SrcPort || uint16(udp.DstPort) != s.DstPort {
				t.Fatalf("gopacket reads %+v from %v", udp, &s)
			}
			again = append(again, ip, udp, gopacket.Payload(udp.Payload))
			_ = udp.SetNetworkLayerForChecksum(ip)
		}
		buffer := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, again...); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(buffer.Bytes(), p) {
			t.Fatalf("%v\nencoded  %x\ngopacket %x", &s, p, buffer.Bytes())
		}
	})
}

func checkTCP(t *rapid.T, s *Segment, tcp *layers.TCP) {
	flags := Flags(0)
	for i, set := range []bool{tcp.FIN, tcp.SYN, tcp.RST, tcp.PSH, tcp.ACK, tcp.URG, tcp.ECE, tcp.CWR, tcp.NS} {
		if set {
			flags |= 1 << i
		}
	}
	if uint16(tcp.SrcPort) != s.SrcPort || uint16(tcp.DstPort) != s.DstPort || Seq(tcp.Seq) != s.Seq || Seq(tcp.Ack) != s.Ack ||
		flags != s.Flags || tcp.Window != s.Wnd || uint32(len(tcp.Payload)) != s.Len {
		t.Fatalf("gopacket reads %+v from %v", tcp, s)
	}
	opts := Options(0)
	for _, o := range tcp.Options {
		switch o.OptionType {
		case layers.TCPOptionKindMSS:
			opts |= OptMSS
		case layers.TCPOptionKindWindowScale:
			opts |= OptWScale
		case layers.TCPOptionKindSACKPermitted:
			opts |= OptSACKPermitted
		case layers.TCPOptionKindTimestamps:
			opts |= OptTimestamps
		case layers.TCPOptionKindSACK:
			opts |= OptSACK
			if len(o.OptionData) != 8*int(s.NumSACK) {
				t.Fatalf("gopacket reads %d bytes of SACK from %v", len(o.OptionData), s)
			}
		case kindFastOpen, kindExperiment:
			opts |= OptFastOpen
			if c, _ := s.Cookie(); !bytes.HasSuffix(o.OptionData, c.Bytes()) {
				t.Fatalf("gopacket reads the cookie %x from %v", o.OptionData, s)
			}
		}
	}
	if opts != s.Opts {
		t.Fatalf("gopacket reads options %v from %v", tcp.Options, s)
	}
}

func checkQuotation(t *rapid.T, s *Segment, quoted []byte, addrs *Addresses) {
	packet := gopacket.NewPacket(quoted, layers.LayerTypeIPv4, gopacket.Default)
	ip, ok := packet.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	if !ok || ip.Protocol != layers.IPProtocolTCP || len(ip.Payload) != 8 {
		t.Fatalf("gopacket reads %v from the quotation of %v", packet, s)
	}
	src, _ := netip.AddrFromSlice(ip.SrcIP)
	dst, _ := netip.AddrFromSlice(ip.DstIP)
	if src != addrs.Addr(s.Dst) || dst != addrs.Addr(Node(s.Ack)) {
		t.Fatalf("the quotation of %v goes from %v to %v", s, src, dst)
	}
	if checksum(quoted[:ipHeaderLen], 0) != 0 {
		t.Fatalf("the quotation of %v has a wrong header checksum", s)
	}
}
