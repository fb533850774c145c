package segment

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The options as Linux writes them, byte for byte.
func TestOptionLayoutOfLinux(t *testing.T) {
	block := [4]Block{{1, 2}, {3, 4}, {5, 6}, {7, 8}}
	tests := []struct {
		name string
		s    Segment
		want string
	}{
		{"SYN", Segment{Flags: SYN, Opts: OptMSS | OptSACKPermitted | OptTimestamps | OptWScale, MSS: 1460, WScale: 7, TSVal: 1, TSEcr: 2},
			"020405b4 0402080a 00000001 00000002 01030307"},
		{"SYN without time stamps", Segment{Flags: SYN, Opts: OptMSS | OptSACKPermitted | OptWScale, MSS: 1460, WScale: 7}, "020405b4 01010402 01030307"},
		{"SYN without SACK", Segment{Flags: SYN, Opts: OptMSS | OptTimestamps | OptWScale, MSS: 1460, WScale: 7, TSVal: 1, TSEcr: 2},
			"020405b4 0101080a 00000001 00000002 01030307"},
		{"SYN with MSS alone", Segment{Flags: SYN, Opts: OptMSS, MSS: 536}, "02040218"},
		{"data", Segment{Flags: ACK, Opts: OptTimestamps, TSVal: 1, TSEcr: 2}, "0101080a 00000001 00000002"},
		{"one block", Segment{Flags: ACK, Opts: OptTimestamps | OptSACK, TSVal: 1, TSEcr: 2, NumSACK: 1, SACK: block},
			"0101080a 00000001 00000002 0101050a 00000001 00000002"},
		{"fourth block has no room", Segment{Flags: ACK, Opts: OptTimestamps | OptSACK, NumSACK: 4, SACK: block},
			"0101080a 00000000 00000000 0101051a 00000001 00000002 00000003 00000004 00000005 00000006"},
		{"four blocks", Segment{Flags: ACK, Opts: OptSACK, NumSACK: 4, SACK: block},
			"01010522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008"},
		{"SACK without blocks", Segment{Flags: ACK, Opts: OptSACK}, ""},
		{"cookie request", fastOpenSyn(""), "020405b4 0402080a 00000001 00000002 01030308 22020101"},
		{"cookie", fastOpenSyn("3021b9d889017eeb"), "020405b4 0402080a 00000001 00000002 01030308 220a3021 b9d88901 7eeb0101"},
		{"longest cookie", fastOpenSyn("00112233445566778899aabbccddeeff"),
			"020405b4 0402080a 00000001 00000002 01030308 22120011 22334455 66778899 aabbccdd eeff0101"},
		{"packed where the padding has no room", Segment{Opts: OptTimestamps | OptWScale | OptSACK, NumSACK: 3, WScale: 7, SACK: block},
			"080a0000 00000000 00000303 07051a00 00000100 00000200 00000300 00000400 00000500 00000600"},
	}
	addrs := testAddresses()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.s.Src, tt.s.Dst = 1, 2
			p, err := Encode(nil, &tt.s, addrs)
			if err != nil {
				t.Fatal(err)
			}
			got, want := hex.EncodeToString(p[40:]), strings.ReplaceAll(tt.want, " ", "")
			if got != want {
				t.Errorf("options %s, want %s", got, want)
			}
		})
	}
}

// fastOpenSyn is Linux's SYN with a Fast Open option.
func fastOpenSyn(cookie string) Segment {
	s := Segment{Flags: SYN, Opts: OptMSS | OptSACKPermitted | OptTimestamps | OptWScale, MSS: 1460, WScale: 8, TSVal: 1, TSEcr: 2}
	v, _ := hex.DecodeString(cookie)
	c, _ := NewCookie(v, false)
	s.SetCookie(c)
	return s
}

func withCookie(cookie string, experimental bool) (s Segment) {
	v, _ := hex.DecodeString(cookie)
	c, _ := NewCookie(v, experimental)
	s.SetCookie(c)
	return s
}

// packetWithOptions returns a SYN with these bytes of options and correct
// checksums.
func packetWithOptions(options []byte) []byte {
	p := make([]byte, 40, 80)
	p = append(p, options...)
	putIP(p, NotECT, protoTCP, 203<<24|113<<8|9, 203<<24|113<<8|8)
	binary.BigEndian.PutUint16(p[10:], checksum(p[:20], 0))
	b := p[20:]
	putTCP(b, &Segment{Flags: SYN})
	b[12] = byte(len(b)) << 2
	binary.BigEndian.PutUint16(b[16:], checksum(b, pseudo(203<<24|113<<8|9, 203<<24|113<<8|8, protoTCP, len(b))))
	return p
}

func TestDecodeOptions(t *testing.T) {
	tests := []struct {
		name, options string
		want          Segment
		err           error
	}{
		{"none", "", Segment{}, nil},
		{"unknown one skipped (MUST-6)", "fd040102 020405b4", Segment{Opts: OptMSS, MSS: 1460}, nil},
		{"not word aligned (MUST-64)", "01020405 b4010303 07080a00 00000100 00000200", Segment{Opts: OptMSS | OptWScale | OptTimestamps, MSS: 1460, WScale: 7, TSVal: 1, TSEcr: 2}, nil},
		{"end of list", "00040105 020405b4", Segment{}, nil},
		{"length zero (MUST-7)", "020405b4 08000000", Segment{Opts: OptMSS, MSS: 1460}, ErrOption},
		{"length one", "020405b4 08010000", Segment{Opts: OptMSS, MSS: 1460}, ErrOption},
		{"beyond the header", "020405b4 0101080a", Segment{Opts: OptMSS, MSS: 1460}, ErrOption},
		{"kind without length", "010101fd", Segment{}, ErrOption},
		{"known with a wrong length is left out", "02030501 020405b4", Segment{Opts: OptMSS, MSS: 1460}, ErrOption},
		{"half a SACK block", "0506000000010101", Segment{}, ErrOption},
		{"empty SACK", "05020101", Segment{}, ErrOption},
		{"cookie", "220a3021 b9d88901 7eeb0101", withCookie("3021b9d889017eeb", false), nil},
		{"cookie request", "22020101", withCookie("", false), nil},
		{"experimental cookie", "fe0cf989 3021b9d8 89017eeb", withCookie("3021b9d889017eeb", true), nil},
		{"another experiment", "fe04f988", Segment{}, nil},
		{"cookie of odd length", "22051122 33010101", Segment{}, ErrOption},
		{"cookie too short", "22041122", Segment{}, ErrOption},
		{"cookie too long", "22141122 33445566 77889900 11223344 55667788", Segment{}, ErrOption},
		{"SACK beside a cookie has no room", "22061122 33440101 050a0000 00010000 00020101", withCookie("11223344", false), nil},
		{"the later of two holds", "02040001 02040002", Segment{Opts: OptMSS, MSS: 2}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options, err := hex.DecodeString(strings.ReplaceAll(tt.options, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			addrs := &Addresses{}
			_ = addrs.Add(1, mustAddr("203.0.113.9"))
			_ = addrs.Add(2, mustAddr("203.0.113.8"))
			got, err := Decode(packetWithOptions(options), addrs)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			tt.want.Src, tt.want.Dst, tt.want.Flags = 1, 2, SYN
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	addrs := testAddresses()
	tcp := Segment{Src: 1, Dst: 2, Flags: ACK, Len: 10}
	icmp := Segment{Src: 3, Dst: 1, Kind: KindICMP, Ack: 2, Wnd: 0x0301}
	udp := Segment{Src: 3, Dst: 1, Kind: KindRaw, Len: 40}
	tests := []struct {
		name   string
		s      Segment
		at     int
		value  byte
		want   error
		usable bool
	}{
		{"IPv6", tcp, 0, 0x65, ErrUnsupported, false},
		{"IPv4 header of 16", tcp, 0, 0x44, ErrHeaderLength, false},
		{"total length below the header", tcp, 3, 19, ErrHeaderLength, false},
		{"total length too large", tcp, 3, 90, ErrPayloadTruncated, true},
		{"more fragments", tcp, 6, 0x20, ErrUnsupported, false},
		{"later fragment", tcp, 7, 1, ErrUnsupported, false},
		{"no room for TCP", tcp, 3, 39, ErrHeaderLength, false},
		{"TCP header of 16", tcp, 32, 0x40, ErrHeaderLength, false},
		{"TCP header beyond the packet", tcp, 32, 0xf0, ErrHeaderLength, false},
		{"TCP checksum", tcp, 36, 0, ErrChecksum, true},
		{"IPv4 checksum", tcp, 8, 63, ErrChecksum, true},
		{"ICMP echo", icmp, 20, 8, ErrUnsupported, false},
		{"ICMP about UDP", icmp, 28 + 9, 17, ErrUnsupported, false},
		{"ICMP quoting a short header", icmp, 28, 0x44, ErrHeaderLength, false},
		{"ICMP quoting a long header", icmp, 28, 0x46, ErrHeaderLength, false},
		{"ICMP checksum", icmp, 22, 0, ErrChecksum, true},
		{"UDP length", udp, 25, 19, ErrHeaderLength, false},
		{"UDP checksum", udp, 39, 0, ErrChecksum, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Encode(nil, &tt.s, addrs)
			if err != nil {
				t.Fatal(err)
			}
			p[tt.at] = tt.value
			got, err := Decode(p, addrs)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if (got != Segment{}) != tt.usable {
				t.Errorf("segment %v with the error", &got)
			}
		})
	}
}

func TestDecodeUnknownAddress(t *testing.T) {
	s := Segment{Src: 1, Dst: 2, SrcPort: 5, Flags: RST}
	p, err := Encode(nil, &s, testAddresses())
	if err != nil {
		t.Fatal(err)
	}
	some := &Addresses{}
	if err := some.Add(1, testAddresses().Addr(1)); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(p, some)
	if s.Dst = 0; !errors.Is(err, ErrAddress) || got != s {
		t.Errorf("decoded %v, error %v", &got, err)
	}
}

func TestEncodeErrors(t *testing.T) {
	tests := []struct {
		name string
		s    Segment
		want string
	}{
		{"too long", Segment{Src: 1, Dst: 2, Len: 65496}, "65536 bytes (an IPv4 packet has at most 65535)"},
		{"too short", Segment{Src: 1, Dst: 2, Kind: KindRaw, Len: 19}, "19 bytes (an IPv4 packet has at least 20)"},
		{"no address", Segment{Src: 1, Dst: 1 << 30}, "node 1073741824 has no address"},
		{"no address quoted", Segment{Src: 1, Dst: 2, Kind: KindICMP}, "node 0 has no address"},
		{"arena", Segment{Src: 1, Dst: 2, Stream: StreamArena, Len: 1}, "arena (use EncodePayload)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := Encode([]byte("abc"), &tt.s, testAddresses())
			if !errors.Is(err, ErrEncode) || !strings.Contains(err.Error(), tt.want) || string(out) != "abc" {
				t.Errorf("%q, error %v, want %q", out, err, tt.want)
			}
		})
	}
}

func TestEncodePayload(t *testing.T) {
	s := Segment{Src: 1, Dst: 2, Flags: ACK, Len: 5, Stream: StreamArena + 3}
	p, err := EncodePayload(nil, &s, testAddresses(), []byte("hello"))
	if err != nil || string(p[40:]) != "hello" {
		t.Fatalf("%q, error %v", p, err)
	}
	if _, err := Decode(p, testAddresses()); err != nil {
		t.Error(err)
	}
	if _, err := EncodePayload(nil, &s, testAddresses(), []byte("hell")); !errors.Is(err, ErrEncode) {
		t.Errorf("4 bytes for 5: error %v", err)
	}
	s.Len = 0
	if _, err := EncodePayload(nil, &s, testAddresses(), nil); err != nil {
		t.Errorf("a pure ACK of an arena stream: %v", err)
	}
	if _, err := Encode(nil, &s, testAddresses()); err != nil {
		t.Errorf("a pure ACK of an arena stream: %v", err)
	}
}

func TestEncodeAllocates(t *testing.T) {
	addrs := testAddresses()
	s := Segment{Src: 1, Dst: 20, Flags: ACK, Len: 1448, Opts: OptTimestamps}
	buffer := make([]byte, 0, 1500)
	if n := testing.AllocsPerRun(100, func() { buffer, _ = Encode(buffer[:0], &s, addrs) }); n != 0 {
		t.Errorf("Encode: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = Decode(buffer, addrs) }); n != 0 {
		t.Errorf("Decode: %v allocations", n)
	}
}

// A UDP checksum of 0 would say that there is none: it is sent as 0xffff.
func TestChecksumOfZero(t *testing.T) {
	addrs := testAddresses()
	s := Segment{Src: 1, Dst: 2, Kind: KindRaw, Len: 40}
	for port := range 1 << 16 {
		s.SrcPort = uint16(port)
		p, err := Encode(nil, &s, addrs)
		if err != nil {
			t.Fatal(err)
		}
		if sum := binary.BigEndian.Uint16(p[26:]); sum == 0xffff {
			if _, err := Decode(p, addrs); err != nil {
				t.Error(err)
			}
			return
		} else if sum == 0 {
			t.Fatalf("port %d: checksum 0", port)
		}
	}
	t.Error("no port gives the checksum 0xffff")
}
