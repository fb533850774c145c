package segment

import (
	"math"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// What every ring copies must stay small (two cache lines with the link's own
// fields).
func TestSegmentSize(t *testing.T) {
	if size := unsafe.Sizeof(Segment{}); size > 96 {
		t.Errorf("a Segment has %d bytes, want at most 96", size)
	}
}

func TestSegLen(t *testing.T) {
	for _, tt := range []struct {
		s    Segment
		want uint32
	}{
		{Segment{Flags: SYN}, 1}, {Segment{Flags: SYN | ACK, Len: 10}, 11}, {Segment{Flags: FIN | ACK}, 1},
		{Segment{Flags: SYN | FIN, Len: 3}, 5}, {Segment{Flags: ACK}, 0}, {Segment{Flags: ACK, Len: 1460}, 1460},
	} {
		tt.s.Seq = 1<<32 - 1
		if got := tt.s.SegLen(); got != tt.want {
			t.Errorf("%v: SegLen %d, want %d", &tt.s, got, tt.want)
		}
		if got := tt.s.End(); got.Sub(tt.s.Seq) != int32(tt.want) {
			t.Errorf("%v: End %d", &tt.s, got)
		}
	}
}

func TestIPLen(t *testing.T) {
	for _, tt := range []struct {
		s    Segment
		want uint32
	}{
		{Segment{Flags: SYN, Opts: OptMSS | OptSACKPermitted | OptTimestamps | OptWScale}, 60},
		{Segment{Flags: ACK}, 40},
		{Segment{Flags: ACK, Opts: OptTimestamps, Len: 1448}, 1500},
		{Segment{Flags: ACK, Opts: OptTimestamps | OptSACK, NumSACK: 2}, 72},
		{Segment{Flags: RST}, 40},
		{Segment{Kind: KindICMP}, 56},
		{Segment{Kind: KindRaw, Len: 777}, 777},
		{Segment{Kind: KindRaw, Len: 0}, 0},
	} {
		if got := tt.s.IPLen(); got != tt.want {
			t.Errorf("%v: IPLen %d, want %d", &tt.s, got, tt.want)
		}
	}
}

func TestStrings(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Flags(0).String(), "none"},
		{SYN.String(), "SYN"},
		{(SYN | ACK).String(), "SYN,ACK"},
		{(FIN | PSH | ACK).String(), "FIN,PSH,ACK"},
		{(AE | CWR | ECE | URG | RST).String(), "RST,URG,ECE,CWR,AE"},
		{KindRaw.String(), "raw"},
		{Kind(9).String(), "kind 9"},
		{CE.String(), "ce"},
		{(&Segment{Src: 1, Dst: 2, SrcPort: 40000, DstPort: 80, Seq: 1<<32 - 1, Flags: SYN, Wnd: 64240, Opts: OptMSS | OptSACKPermitted | OptTimestamps | OptWScale,
			MSS: 1460, WScale: 7, TSVal: 5}).String(), "1.40000 > 2.80: SYN, seq 4294967295, win 64240, <mss 1460, sackOK, ts 5 ecr 0, ws 7>, len 0"},
		{(&Segment{Src: 1, Dst: 2, SrcPort: 40000, DstPort: 80, Seq: 1<<32 - 1, Ack: 7, Flags: ACK, Len: 10, ECN: ECT0}).String(),
			"1.40000 > 2.80: ACK, seq 4294967295:9, ack 7, win 0, ect0, len 10"},
		{(&Segment{Src: 1, Dst: 2, Flags: ACK, Opts: OptSACK, NumSACK: 2, SACK: [4]Block{{1, 2}, {3, 4}}}).String(), "1.0 > 2.0: ACK, seq 0, ack 0, win 0, <sack 1:2 3:4>, len 0"},
		{(&Segment{Kind: KindRaw, Src: 1, Dst: 2, Len: 1250}).String(), "1.0 > 2.0: raw, len 1250"},
		{(&Segment{Kind: KindICMP, Src: 9, Dst: 1, SrcPort: 40000, DstPort: 80, Seq: 5, Ack: 2, Wnd: 0x0304, MSS: 1400}).String(),
			"9 > 1: icmp type 3 code 4 about 1.40000 > 2.80: seq 5, mtu 1400"},
	} {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}

func TestFillPayloadAgreesWithPayloadByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream, offset := rapid.Uint32().Draw(t, "stream"), rapid.Uint64().Draw(t, "offset")
		b := make([]byte, rapid.IntRange(0, 100).Draw(t, "len"))
		FillPayload(b, stream, offset)
		for i, got := range b {
			if want := PayloadByte(stream, offset+uint64(i)); got != want {
				t.Fatalf("byte %d is %#x, want %#x", i, got, want)
			}
		}
	})
}

// Bytes of another stream, or of the same one at another offset, are not
// mistaken for the right ones: they agree about as often as chance has it.
func TestPayloadTellsStreamsApart(t *testing.T) {
	const n = 1 << 16
	a, b := make([]byte, n), make([]byte, n)
	FillPayload(a, 1, 0)
	for _, other := range []struct {
		stream uint32
		offset uint64
	}{{2, 0}, {1, 1}, {1, 8}, {1, 1 << 32}, {0, 0}, {1 << 31, 0}} {
		FillPayload(b, other.stream, other.offset)
		letters, equal := 0.0, 0.0
		for i := range a {
			if a[i] != '\n' && b[i] != '\n' {
				letters++
				if a[i] == b[i] {
					equal++
				}
			}
		}
		want := letters / 32
		if bound := 3.3 * math.Sqrt(want*31/32); math.Abs(equal-want) > bound {
			t.Errorf("stream %d from %d: %.0f letters of %.0f agree, want %.0f within %.0f",
				other.stream, other.offset, equal, letters, want, bound)
		}
	}
}

// What a dissector sees begins with a line that ends, and is no header.
func TestPayloadIsLinesOfLetters(t *testing.T) {
	b := make([]byte, 4096)
	FillPayload(b, 7, 0)
	for i, c := range b {
		if end := i%8 == 7; end != (c == '\n') || !end && (c < '@' || c > '_') {
			t.Fatalf("byte %d is %q", i, c)
		}
	}
}

func BenchmarkIPLen(b *testing.B) {
	s := Segment{Flags: ACK, Opts: OptTimestamps | OptSACK, NumSACK: 2}
	sum := uint32(0)
	for b.Loop() {
		sum += s.IPLen()
	}
	_ = sum
}

func BenchmarkEncode(b *testing.B) {
	addrs, buffer := testAddresses(), make([]byte, 0, 1500)
	s := Segment{Src: 1, Dst: 20, Flags: ACK, Len: 1448, Opts: OptTimestamps}
	b.SetBytes(1500)
	for b.Loop() {
		buffer, _ = Encode(buffer[:0], &s, addrs)
	}
}

func BenchmarkFillPayload(b *testing.B) {
	buffer := make([]byte, 1448)
	b.SetBytes(1448)
	for b.Loop() {
		FillPayload(buffer, 7, 1448)
	}
}
