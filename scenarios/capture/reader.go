package capture

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"
)

// ErrTruncated says that the file ends within a packet, as a capture does whose
// writer was stopped. All packets before are good.
var ErrTruncated = errors.New("the file ends within a packet")

// FormatError is what is wrong with a capture file, and where.
type FormatError struct {
	// Packet is the number of the packet that could not be read, from 1.
	Packet int
	// Offset is where its record, or what stands in its place, begins, in
	// bytes from the start of the (uncompressed) file.
	Offset int64
	Err    error
}

// Error returns the message with packet number and offset.
func (e *FormatError) Error() string {
	return fmt.Sprintf("capture: packet %d at byte %d: %v", e.Packet, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// Packet is one record of a capture file.
type Packet struct {
	// Number counts the packets of the file from 1.
	Number int
	// Offset is where the record begins, in bytes.
	Offset int64
	// Time is when the packet was captured; the zero Time if the file does
	// not say.
	Time time.Time
	// Interface indexes Reader.Interfaces.
	Interface int
	// LinkType is the number of the link layer (LINKTYPE_ of tcpdump.org).
	LinkType int
	// Length is how long the packet was, len(Data) how much the file has.
	Length int
	// Data is valid until the next call.
	Data []byte
	// Comment holds the comments of the packet, joined with "; ".
	Comment string
}

// InterfaceInfo is a vantage point of a file that was read.
type InterfaceInfo struct {
	// Name is "" where the file has none.
	Name     string `json:"name"`
	LinkType int    `json:"link_type"`
}

// Reader reads capture files: pcap in both byte orders with stamps in micro-
// or nanoseconds, and pcapng, either of them compressed with gzip or not.
type Reader struct {
	in         *bufio.Reader
	counter    *counter
	pcap       *pcapgo.Reader
	ng         *pcapgo.NgReader
	interfaces []InterfaceInfo
	section    int // index in interfaces of the first one of the section
	packets    int
	err        error
}

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

const (
	bufferSize = 1 << 16 // above the 4 KiB from which pcapgo takes the buffer as its own
	magicNg    = blockSection
	magicMicro = 0xa1b2c3d4
	magicNano  = 0xa1b23c4d
)

// NewReader reads the head of a capture file and finds out its format.
func NewReader(r io.Reader) (*Reader, error) {
	reader := &Reader{counter: &counter{r: r}}
	reader.in = bufio.NewReaderSize(reader.counter, bufferSize)
	if head, _ := reader.in.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		unzipped, err := gzip.NewReader(reader.in)
		if err != nil {
			return nil, fmt.Errorf("capture: gzip: %w", err)
		}
		reader.counter = &counter{r: unzipped}
		reader.in = bufio.NewReaderSize(reader.counter, bufferSize)
	}
	head, err := reader.in.Peek(4)
	if err != nil {
		if err == io.EOF {
			err = fmt.Errorf("%d bytes are no capture file", len(head))
		}
		return nil, fmt.Errorf("capture: %w", err)
	}
	switch binary.LittleEndian.Uint32(head) {
	case magicNg:
		reader.ng, err = pcapgo.NewNgReader(reader.in, pcapgo.NgReaderOptions{
			WantMixedLinkType:  true,
			SkipUnknownVersion: true,
			SectionEndCallback: reader.sectionEnds,
		})
	case magicMicro, magicNano, bits.ReverseBytes32(magicMicro), bits.ReverseBytes32(magicNano):
		reader.pcap, err = pcapgo.NewReader(reader.in)
	default:
		err = fmt.Errorf("neither pcap nor pcapng: starts with % x", head)
	}
	if err != nil {
		return nil, fmt.Errorf("capture: head of the file: %w", err)
	}
	if reader.pcap != nil {
		reader.interfaces = []InterfaceInfo{{LinkType: int(reader.pcap.LinkType())}}
	}
	return reader, nil
}

// Format returns "pcap" or "pcapng".
func (r *Reader) Format() string {
	if r.ng != nil {
		return "pcapng"
	}
	return "pcap"
}

// Interfaces returns the vantage points met so far, those of all sections of
// a pcapng file one after the other.
func (r *Reader) Interfaces() []InterfaceInfo { return r.interfaces }

// Next returns the next packet. At the end it returns io.EOF. Otherwise the
// error is a *FormatError, which wraps ErrTruncated if the file ends too early,
// and so is every later one.
func (r *Reader) Next() (Packet, error) {
	if r.err != nil {
		return Packet{}, r.err
	}
	start := r.offset()
	p, err := r.read()
	if err != nil {
		if err != io.EOF || r.offset() != start {
			err = r.failure(start, err)
		}
		r.err = err
		return Packet{}, err
	}
	r.packets++
	p.Number, p.Offset = r.packets, start
	return p, nil
}

func (r *Reader) failure(start int64, err error) error {
	if err == io.EOF && r.ng != nil {
		return io.EOF // after blocks that are no packets
	}
	// pcapgo wraps some of these errors without %w.
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || strings.HasSuffix(err.Error(), io.ErrUnexpectedEOF.Error()) {
		err = ErrTruncated
	}
	return &FormatError{Packet: r.packets + 1, Offset: start, Err: err}
}

func (r *Reader) read() (p Packet, err error) {
	var ci gopacket.CaptureInfo
	if r.ng == nil {
		p.Data, ci, err = r.pcap.ZeroCopyReadPacketData()
		p.LinkType = r.interfaces[0].LinkType
	} else {
		var o pcapgo.NgPacketOptions
		p.Data, ci, o, err = r.ng.ZeroCopyReadPacketDataWithOptions()
		if err != nil {
			return p, err
		}
		r.growInterfaces()
		p.Interface = r.section + ci.InterfaceIndex
		p.LinkType = r.interfaces[p.Interface].LinkType
		p.Comment = strings.Join(o.Comments, "; ")
	}
	p.Length = max(ci.Length, len(p.Data))
	p.Time = ci.Timestamp
	return p, err
}

// growInterfaces takes over the interfaces that came since the last packet.
func (r *Reader) growInterfaces() {
	for n := len(r.interfaces) - r.section; n < r.ng.NInterfaces(); n++ {
		i, err := r.ng.Interface(n)
		if err != nil {
			panic("capture: interface counted but missing")
		}
		r.interfaces = append(r.interfaces, InterfaceInfo{Name: i.Name, LinkType: int(i.LinkType)})
	}
}

func (r *Reader) sectionEnds(all []pcapgo.NgInterface, _ pcapgo.NgSectionInfo) {
	for _, i := range all[len(r.interfaces)-r.section:] {
		r.interfaces = append(r.interfaces, InterfaceInfo{Name: i.Name, LinkType: int(i.LinkType)})
	}
	r.section = len(r.interfaces)
}

// offset returns how many bytes of the file have been used.
func (r *Reader) offset() int64 { return r.counter.n - int64(r.in.Buffered()) }
