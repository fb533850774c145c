package capture

import (
	"encoding/binary"
	"net/netip"
)

// The block types, option codes and constants of pcapng that the Writer uses
// (draft-ietf-opsawg-pcapng).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockNames     = 4
	blockPacket    = 6

	byteOrderMagic = 0x1a2b3c4d
	unknownLength  = ^uint64(0)
	linkTypeRaw    = 101

	optComment       = 1
	optApplication   = 4 // section
	optName          = 2 // interface
	optDescription   = 3 // interface
	optResolution    = 9 // interface
	optFlags         = 2 // packet
	recordIPv4       = 1 // names
	nanoseconds      = 9
	maxOption        = 1<<16 - 4
	packetBlockFixed = 28
)

// appendSection starts a section that says which program wrote it, and nothing
// of the machine or the hour.
func appendSection(b []byte, tool, comment string) []byte {
	start := len(b)
	b = le32(le32(b, blockSection), 0)
	b = le32(b, byteOrderMagic)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint64(b, unknownLength)
	b = appendOption(b, optApplication, tool)
	b = appendOption(b, optComment, comment)
	return endBlock(endOptions(b), start)
}

func appendInterface(b []byte, name, description string, snaplen uint32) []byte {
	start := len(b)
	b = le32(le32(b, blockInterface), 0)
	b = le32(b, linkTypeRaw)
	b = le32(b, snaplen)
	b = appendOption(b, optName, name)
	b = appendOption(b, optDescription, description)
	b = appendOption(b, optResolution, string([]byte{nanoseconds}))
	return endBlock(endOptions(b), start)
}

func appendNames(b []byte, names []HostName) []byte {
	start := len(b)
	b = le32(le32(b, blockNames), 0)
	for _, n := range names {
		addr := netip.Addr.As4(n.Addr)
		b = binary.LittleEndian.AppendUint16(b, recordIPv4)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(addr)+len(n.Name)+1))
		b = append(b, addr[:]...)
		b = append(b, n.Name...)
		b = pad(append(b, 0), start)
	}
	return endBlock(le32(b, 0), start)
}

// appendPacketHeader starts an enhanced packet block. The captured bytes, padding,
// options and endBlock follow.
func appendPacketHeader(b []byte, iface uint32, at uint64, captured, length int) []byte {
	b = le32(le32(b, blockPacket), 0)
	b = le32(b, iface)
	b = le32(le32(b, uint32(at>>32)), uint32(at))
	return le32(le32(b, uint32(captured)), uint32(length))
}

// appendOption appends an option, nothing for an empty value. What is longer
// than an option can be is cut.
func appendOption[T string | []byte](b []byte, code uint16, value T) []byte {
	if len(value) == 0 {
		return b
	}
	value = value[:min(len(value), maxOption)]
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	return append(b, zeros[:-len(value)&3]...)
}

func endOptions(b []byte) []byte { return le32(b, 0) }

// endBlock completes the block that started at start.
func endBlock(b []byte, start int) []byte {
	length := uint32(len(b) - start + 4)
	binary.LittleEndian.PutUint32(b[start+4:], length)
	return le32(b, length)
}

func pad(b []byte, start int) []byte { return append(b, zeros[:-(len(b)-start)&3]...) }

func le32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }

var zeros [4]byte
