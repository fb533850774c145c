package des

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func draws(r *rand.Rand, n int) (u []uint64) {
	for range n {
		u = append(u, r.Uint64())
	}
	return u
}

// The seeds were computed with another implementation of SHA-256 (coreutils):
// printf '\x01\0\0\0\0\0\0\0\x02\0\0\0link' | sha256sum.
func TestStreamKnownAnswer(t *testing.T) {
	got := draws(New(1, 2).Stream("link"), 4)
	want := draws(rand.New(rand.NewPCG(0x4947311a646dbc6d, 0x7b9151bb58b970e9)), 4)
	first := []uint64{0x4e21e4514a9c6c35, 0x16b546352ce3e288, 0x6158ad785be5760, 0x860b7c641b3812e0}
	for i := range want {
		if got[i] != want[i] || got[i] != first[i] {
			t.Errorf("draw %d is %#x, want %#x by the seed and %#x by record", i, got[i], want[i], first[i])
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for _, seed := range []uint64{0, 1, 1 << 32} {
		for _, replication := range []uint32{0, 1} {
			for _, name := range []string{"", "a", "b", "ab"} {
				at := fmt.Sprint(seed, replication, name)
				u := New(seed, replication).Stream(name).Uint64()
				if other, ok := seen[u]; ok {
					t.Errorf("streams %s and %s start alike", at, other)
				}
				seen[u] = at
			}
		}
	}
}

// A stream that is added, and drawn from in between, changes no other.
func TestStreamsAreIndependent(t *testing.T) {
	alone := draws(New(7, 0).Stream("link"), 100)
	s := New(7, 0)
	added, link := s.Stream("flow"), s.Stream("link")
	for i, want := range alone {
		added.Float64()
		if got := link.Uint64(); got != want {
			t.Fatalf("draw %d is %#x, %#x without the other stream", i, got, want)
		}
	}
}

// Streams with similar names are uncorrelated: the correlation of n pairs has
// the standard error 1/sqrt(n).
func TestStreamsAreUncorrelated(t *testing.T) {
	const n = 20000
	streams := []*rand.Rand{
		New(1, 0).Stream("link 1"), New(1, 0).Stream("link 2"),
		New(1, 1).Stream("link 1"), New(2, 0).Stream("link 1"),
	}
	values := make([][n]float64, len(streams))
	for i, r := range streams {
		for j := range n {
			values[i][j] = r.Float64() - 0.5
		}
	}
	for i := range values {
		for j := range i {
			sum := 0.0
			for k := range n {
				sum += float64(values[i][k] * values[j][k])
			}
			if c := 12 * sum / n; math.Abs(c) > 3.3/math.Sqrt(n) {
				t.Errorf("streams %d and %d: correlation %.4f", j, i, c)
			}
		}
	}
}
