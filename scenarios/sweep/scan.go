package sweep

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strings"
)

// scan adds the records of a chunk to the index and returns where the last
// whole frame ends. What comes behind a frame that is torn or damaged is left
// out: its points are run again.
func (s *store) scan(name string) (whole int64, err error) {
	file := uint16(len(s.files))
	s.files = append(s.files, name)
	f, err := openChunk(name)
	if err != nil {
		return 0, explain(err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 256<<10)
	header := make([]byte, len(chunkHeader))
	if _, err := io.ReadFull(in, header); err != nil || string(header) != chunkHeader {
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			s.damage(name, 0, err)
			return 0, nil
		}
		return 0, explain(err)
	}
	whole = int64(len(header))
	var numbers []uint16 // of the chunk's schemas in the store
	var buffer []byte
	for {
		if buffer, err = readFrame(in, buffer); err != nil {
			if !errors.Is(err, io.EOF) {
				s.damage(name, whole, err)
			}
			return whole, nil
		}
		if err := s.index(buffer, file, whole, &numbers); err != nil {
			return whole, fmt.Errorf("%s: %w", name, err)
		}
		whole += int64(frameHeader + len(buffer))
	}
}

// openChunk opens a chunk, which whoever writes it may have sealed since its name
// was read.
func openChunk(name string) (*os.File, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(name, openSuffix) {
		return os.Open(strings.TrimSuffix(name, openSuffix) + sealSuffix)
	}
	return f, err
}

// damage notes that a chunk is not whole. A chunk that ends within a frame is
// what a killed process leaves, which is no damage.
func (s *store) damage(name string, at int64, err error) {
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		s.damaged = append(s.damaged, fmt.Sprintf("%s is damaged behind byte %d: what it held there is run again", name, at))
	}
}

var errChecksum = errors.New("wrong checksum")

// readFrame reads the content of a frame into buffer, which may grow. The error
// is io.EOF at the end of the chunk and io.ErrUnexpectedEOF within a frame.
func readFrame(in io.Reader, buffer []byte) ([]byte, error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return buffer, err
	}
	n := binary.LittleEndian.Uint32(head[:4])
	if n == 0 || n > longestFrame {
		return buffer, errChecksum
	}
	if cap(buffer) < int(n) {
		buffer = make([]byte, n)
	}
	buffer = buffer[:n]
	if _, err := io.ReadFull(in, buffer); err != nil {
		return buffer, io.ErrUnexpectedEOF
	}
	if crc32.Checksum(buffer, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return buffer, errChecksum
	}
	return buffer, nil
}

// index adds what is in a frame.
func (s *store) index(content []byte, file uint16, at int64, numbers *[]uint16) error {
	switch content[0] {
	case schemaFrame:
		x, err := parseSchema(content[1:])
		if err != nil {
			return err
		}
		number, err := s.schemaNumber(x)
		*numbers = append(*numbers, number)
		return err
	case recordFrame:
		p := parser{b: content[1:]}
		key, replication, schema := p.parseHead()
		if p.failed || schema >= uint64(len(*numbers)) {
			return errFrame
		}
		s.entries = append(s.entries, entry{key, replication, uint32(at), file, (*numbers)[schema]})
		return nil
	default:
		return errFrame
	}
}

// read returns the record of an entry.
func (s *store) read(e entry) (*record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.reader(e.file)
	if err != nil {
		return nil, explain(err)
	}
	content, err := readFrame(io.NewSectionReader(f, int64(e.at), frameHeader+longestFrame), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: byte %d: %w (give the command again: what is damaged is run again)", s.files[e.file], e.at, err)
	}
	r, err := parseRecord(content[1:])
	if err != nil {
		return nil, err
	}
	r.schema = s.schemas[e.schema]
	if len(r.values) != len(r.schema.names) {
		return nil, fmt.Errorf("%s: byte %d: %w", s.files[e.file], e.at, errFrame)
	}
	return r, nil
}

// reader opens a chunk, and closes the others if many are open. The caller holds
// the lock.
func (s *store) reader(file uint16) (*os.File, error) {
	if f := s.open[file]; f != nil {
		return f, nil
	}
	if len(s.open) >= mostOpen {
		s.closeFiles()
	}
	f, err := openChunk(s.files[file])
	if err == nil {
		s.open[file] = f
	}
	return f, err
}
