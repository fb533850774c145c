package segment

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// A packet whose bits were changed on the way has the bytes of the original but
// for a checksum that every receiver finds wrong.
func TestCorruptPacketHasWrongChecksum(t *testing.T) {
	addrs := testAddresses()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSegment(t)
		if s.Kind == KindRaw && s.Len < 28 {
			t.Skip("protocol 253 has no checksum")
		}
		s.Corrupt = true
		p, err := Encode(nil, &s, addrs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(p, addrs)
		if !errors.Is(err, ErrChecksum) {
			t.Fatalf("%v: decoded with error %v, want ErrChecksum", &s, err)
		}
		s.Corrupt, s.Stream, s.Offset = false, 0, 0
		if got != s {
			t.Fatalf("decoded as %v, want %v", &got, &s)
		}
	})
}
