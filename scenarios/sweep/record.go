package sweep

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// Key tells points apart in the store: a hash of all that a run depends on but
// the number of the replication.
type Key [16]byte

// record is what one replication of a point measured.
type record struct {
	key         Key
	replication uint32
	schema      *schema
	events      uint64
	packets     uint64
	// values are those of the metrics of the schema, NaN where there is none.
	values []float64
	// batches are the values in stretches of the run.
	batches [][]float64
}

// schema is the metrics that a record has values of.
type schema struct {
	names, units []string
	text         string // its encoding, by which schemas are the same or not
}

func newSchema(names, units []string) *schema {
	s := &schema{names: names, units: units}
	var b []byte
	b = binary.AppendUvarint(b, uint64(len(names)))
	for i, name := range names {
		b = appendText(appendText(b, name), units[i])
	}
	s.text = string(b)
	return s
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A chunk is a header and frames. A frame is the length of its content (4
// bytes), the CRC-32C of the content (4 bytes), and the content: a schema, which
// gets the next number of the chunk, or a record of one of the schemas before.
// Numbers are little-endian.
const (
	chunkHeader  = "tcplab points 1\n"
	frameHeader  = 8
	longestFrame = 64 << 20

	schemaFrame = 'S'
	recordFrame = 'R'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// beginFrame leaves room for the header of a frame.
func beginFrame(b []byte) []byte { return append(b, make([]byte, frameHeader)...) }

// endFrame fills in the header of the frame that begins at an offset of b.
func endFrame(b []byte, at int) []byte {
	content := b[at+frameHeader:]
	binary.LittleEndian.PutUint32(b[at:], uint32(len(content)))
	binary.LittleEndian.PutUint32(b[at+4:], crc32.Checksum(content, castagnoli))
	return b
}

func appendSchema(b []byte, s *schema) []byte {
	at := len(b)
	b = append(beginFrame(b), schemaFrame)
	return endFrame(append(b, s.text...), at)
}

func appendRecord(b []byte, r *record, schema uint64) []byte {
	at := len(b)
	b = append(beginFrame(b), recordFrame)
	b = append(b, r.key[:]...)
	b = binary.LittleEndian.AppendUint32(b, r.replication)
	for _, v := range []uint64{schema, r.events, r.packets, uint64(len(r.values)), uint64(len(r.batches))} {
		b = binary.AppendUvarint(b, v)
	}
	b = appendFloats(b, r.values)
	for _, batch := range r.batches {
		b = appendFloats(b, batch)
	}
	return endFrame(b, at)
}

func appendFloats(b []byte, values []float64) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

var errFrame = errors.New("a frame has a content that its checksum agrees with and that makes no sense: it is of another version")

// parser reads the content of a frame. After what is not there it fails.
type parser struct {
	b      []byte
	failed bool
}

func (p *parser) take(n uint64) []byte {
	if p.failed || n > uint64(len(p.b)) {
		p.failed = true
		return nil
	}
	out := p.b[:n]
	p.b = p.b[n:]
	return out
}

func (p *parser) uvarint() uint64 {
	v, n := binary.Uvarint(p.b)
	if p.failed || n <= 0 {
		p.failed = true
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) floats(n uint64) []float64 {
	if n > uint64(len(p.b))/8 {
		p.failed = true
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(p.take(8)))
	}
	return out
}

// parseSchema reads the content of a schema frame behind its first byte.
func parseSchema(b []byte) (*schema, error) {
	p := parser{b: b}
	n := p.uvarint()
	if n > uint64(len(b)) {
		return nil, errFrame
	}
	var names, units []string
	for range n {
		names = append(names, string(p.take(p.uvarint())))
		units = append(units, string(p.take(p.uvarint())))
	}
	if p.failed || len(p.b) > 0 {
		return nil, errFrame
	}
	return newSchema(names, units), nil
}

// parseHead reads what the index keeps of a record: its key, its replication
// and the number of its schema.
func (p *parser) parseHead() (key Key, replication uint32, schema uint64) {
	copy(key[:], p.take(uint64(len(key))))
	if b := p.take(4); b != nil {
		replication = binary.LittleEndian.Uint32(b)
	}
	return key, replication, p.uvarint()
}

// parseRecord reads the content of a record frame behind its first byte.
func parseRecord(b []byte) (*record, error) {
	p := parser{b: b}
	r := &record{}
	r.key, r.replication, _ = p.parseHead()
	r.events, r.packets = p.uvarint(), p.uvarint()
	n, batches := p.uvarint(), p.uvarint()
	r.values = p.floats(n)
	if p.failed || batches > uint64(len(b)) {
		return nil, errFrame
	}
	for range batches {
		r.batches = append(r.batches, p.floats(n))
	}
	if p.failed || len(p.b) > 0 {
		return nil, errFrame
	}
	return r, nil
}
