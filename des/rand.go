package des

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream returns the random stream with that name from its beginning: a PCG
// (math/rand/v2) seeded with the first 16 bytes of the SHA-256 of seed (8
// bytes), replication (4 bytes), both little-endian, and name. Equal (seed,
// replication, name) give equal streams on every platform; any other triple
// gives an independent one, so that a consumer that is added to a simulation
// changes what no other draws. A consumer names its stream after itself, once.
func (s *Sim) Stream(name string) *rand.Rand {
	b := make([]byte, 0, 64)
	b = binary.LittleEndian.AppendUint64(b, s.seed)
	b = binary.LittleEndian.AppendUint32(b, s.replication)
	sum := sha256.Sum256(append(b, name...))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}
