package segment

import "encoding/binary"

// The stream numbers from StreamArena to StreamArenaLast index bytes that are
// held in an arena (those of a real peer, or of an application that sends real
// text). PayloadByte and FillPayload know nothing of them.
const (
	StreamArena     uint32 = 0xf000_0000
	StreamArenaLast uint32 = 0xffff_ffff
)

// InArena reports whether the bytes of stream lie in an arena rather than
// following from PayloadByte.
func InArena(stream uint32) bool { return stream >= StreamArena }

// The increment and the multipliers of SplitMix64 (Steele, Lea and Flood,
// "Fast splittable pseudorandom number generators", OOPSLA 2014).
const (
	mixIncrement = 0x9e3779b97f4a7c15
	mixFirst     = 0xbf58476d1ce4e5b9
	mixSecond    = 0x94d049bb133111eb
)

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * mixFirst
	z = (z ^ z>>27) * mixSecond
	return z ^ z>>31
}

// streamKey is where the sequence of a stream starts. It is scrambled, so that
// streams with neighbouring numbers share no run of bytes.
func streamKey(stream uint32) uint64 { return mix(uint64(stream)*mixIncrement + mixFirst) }

// Payload is lines of seven characters from @ to _, so that no program that
// reads a capture takes it for a broken message of the protocol of its port, or
// waits for the end of a line.
const (
	letterBits = 0x001f1f1f1f1f1f1f
	letterBase = 0x0a40404040404040
)

func payloadWord(key, index uint64) uint64 {
	return mix(key+(index+1)*mixIncrement)&letterBits | letterBase
}

// PayloadByte returns the byte at offset of a stream: a pseudo-random letter or
// the end of a line, a function of the two, the same in every run.
func PayloadByte(stream uint32, offset uint64) byte {
	return byte(payloadWord(streamKey(stream), offset>>3) >> ((offset & 7) * 8))
}

// FillPayload fills dst with the bytes of a stream from offset on, as
// PayloadByte gives them one by one.
func FillPayload(dst []byte, stream uint32, offset uint64) {
	key := streamKey(stream)
	for len(dst) > 0 && offset&7 != 0 {
		dst[0] = byte(payloadWord(key, offset>>3) >> ((offset & 7) * 8))
		dst, offset = dst[1:], offset+1
	}
	index := offset >> 3
	for ; len(dst) >= 8; index++ {
		binary.LittleEndian.PutUint64(dst, payloadWord(key, index))
		dst = dst[8:]
	}
	if len(dst) > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], payloadWord(key, index))
		copy(dst, last[:])
	}
}
