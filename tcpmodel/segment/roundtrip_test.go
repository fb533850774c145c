package segment

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEncodeDecodeRoundTrip(t *testing.T) {
	addrs := testAddresses()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSegment(t)
		s.Stream, s.Offset = rapid.Uint32Range(0, StreamArena-1).Draw(t, "stream"), rapid.Uint64().Draw(t, "offset")
		prefix := []byte("kept")
		out, err := Encode(prefix, &s, addrs)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := bytes.CutPrefix(out, prefix)
		if !ok || uint32(len(p)) != s.IPLen() {
			t.Fatalf("%d bytes after the prefix, IPLen %d", len(p), s.IPLen())
		}
		want := make([]byte, s.IPLen()-s.HeaderLen())
		FillPayload(want, s.Stream, s.Offset)
		if got := p[s.HeaderLen():]; !bytes.Equal(got, want) {
			t.Fatalf("payload %x, want %x", got, want)
		}
		s.Stream, s.Offset = 0, 0
		got, err := Decode(append(p, "padding of the frame"...), addrs)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Fatalf("-sent +decoded\n%s", diff)
		}
	})
}

// A single flipped bit in a TCP packet never passes for the same packet, and
// wherever it leaves the lengths alone a checksum finds it.
func TestDecodeFindsFlippedBits(t *testing.T) {
	addrs := testAddresses()
	s := Segment{Src: 1, Dst: 2, SrcPort: 40000, DstPort: 80, Seq: 7, Ack: 9, Flags: ACK | PSH, Wnd: 501, Opts: OptTimestamps, TSVal: 3, TSEcr: 4, Len: 100}
	p, err := Encode(nil, &s, addrs)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(p) * 8 {
		q := bytes.Clone(p)
		q[bit/8] ^= 1 << (bit % 8)
		_, err := Decode(q, addrs)
		lengths := bit/8 < 4 || bit/8 == 6 || bit/8 == 7 || bit/8 == 9 || bit/8 == 32
		if err == nil || !lengths && !errors.Is(err, ErrChecksum) {
			t.Errorf("bit %d of byte %d flipped: %v", bit%8, bit/8, err)
		}
	}
}

// Every prefix of a packet is truncated, with the headers' Segment as soon as
// they are complete.
func TestDecodeTruncated(t *testing.T) {
	addrs := testAddresses()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSegment(t)
		p, err := Encode(nil, &s, addrs)
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(0, len(p)-1).Draw(t, "cut")
		got, err := Decode(p[:cut], addrs)
		if !errors.Is(err, ErrTruncated) {
			t.Fatalf("%d bytes of %d: %v", cut, len(p), err)
		}
		complete := cut >= int(s.HeaderLen())
		if errors.Is(err, ErrPayloadTruncated) != complete {
			t.Fatalf("%d bytes of %d with headers of %d: %v", cut, len(p), s.HeaderLen(), err)
		}
		if complete {
			if diff := cmp.Diff(s, got); diff != "" {
				t.Fatalf("-sent +decoded\n%s", diff)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	addrs := testAddresses()
	for _, s := range []Segment{
		{Src: 1, Dst: 2, Flags: SYN, Opts: OptMSS | OptSACKPermitted | OptTimestamps | OptWScale, MSS: 1460, WScale: 7},
		{Src: 2, Dst: 1, Flags: ACK, Opts: OptTimestamps | OptSACK, NumSACK: 3},
		{Src: 2, Dst: 100, Flags: ACK | PSH, Len: 30},
		{Src: 3, Dst: 1, Kind: KindICMP, Ack: 2, Wnd: 0x0304, MSS: 1400},
		{Src: 3, Dst: 1, Kind: KindRaw, Len: 60},
		{Src: 3, Dst: 1, Kind: KindRaw, Len: 25},
	} {
		p, err := Encode(nil, &s, addrs)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := Decode(b, addrs)
		usable := err == nil || errors.Is(err, ErrPayloadTruncated) || errors.Is(err, ErrChecksum) || errors.Is(err, ErrOption)
		if !usable || first.Src == 0 || first.Dst == 0 || first.Kind == KindICMP && first.Ack == 0 {
			return
		}
		p, err := Encode(nil, &first, addrs)
		if first.IPLen() > maxIPLen { // NOPs of the canonical layout can push a packet over the limit
			return
		}
		if err != nil {
			t.Fatalf("decoded %v: %v", &first, err)
		}
		second, err := Decode(p, addrs)
		if err != nil {
			t.Fatalf("%v encoded: %v", &first, err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("-decoded +decoded again\n%s", diff)
		}
	})
}
