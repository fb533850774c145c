package capture_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tcplab/scenarios/capture"
)

// pcapFile builds a pcap file from the packets of another capture, each behind
// a link header.
func pcapFile(t testing.TB, file []byte, order binary.AppendByteOrder, nano bool, linkType uint32, link func(ip []byte) []byte) []byte {
	t.Helper()
	magic, unit := uint32(0xa1b2c3d4), int64(1000)
	if nano {
		magic, unit = 0xa1b23c4d, 1
	}
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(order.AppendUint32(b, 65535), linkType)
	reader := must[*capture.Reader](t)(capture.NewReader(bytes.NewReader(file)))
	for {
		p, err := reader.Next()
		if err == io.EOF {
			return b
		}
		if err != nil {
			t.Fatal(err)
		}
		data := link(p.Data)
		b = order.AppendUint32(b, uint32(p.Time.Unix()))
		b = order.AppendUint32(b, uint32(int64(p.Time.Nanosecond())/unit))
		b = order.AppendUint32(b, uint32(len(data)))
		b = order.AppendUint32(b, uint32(len(data)+p.Length-len(p.Data)))
		b = append(b, data...)
	}
}

// prefix returns a function that puts bytes before a packet.
func prefix(header ...byte) func([]byte) []byte {
	return func(ip []byte) []byte { return append(append([]byte{}, header...), ip...) }
}

func zeros(n int, rest ...byte) []byte { return append(make([]byte, n), rest...) }

var linkTypes = []struct {
	name     string
	linkType uint32
	link     func([]byte) []byte
}{
	{"ethernet", 1, prefix(zeros(12, 8, 0)...)},
	{"ethernet with vlan", 1, prefix(zeros(12, 0x81, 0, 0, 5, 8, 0)...)},
	{"ethernet with two vlans", 1, prefix(zeros(12, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0)...)},
	{"ethernet with padding", 1, func(ip []byte) []byte {
		return append(prefix(zeros(12, 8, 0)...)(ip), make([]byte, max(0, 46-len(ip)))...)
	}},
	{"raw", 101, prefix()},
	{"raw, old number", 12, prefix()},
	{"ipv4", 228, prefix()},
	{"cooked", 113, prefix(0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0)},
	{"cooked v2", 276, prefix(8, 0, 0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0)},
	{"null, little endian", 0, prefix(2, 0, 0, 0)},
	{"null, big endian", 0, prefix(0, 0, 0, 2)},
	{"loop", 108, prefix(0, 0, 0, 2)},
}

// plain removes from a report what depends on the file format and link layer.
func plain(r *capture.Report, precision time.Duration) *capture.Report {
	r.Format, r.Interfaces = "", nil
	round := func(s *capture.Span) {
		if *s != capture.None {
			*s = capture.Span(s.Duration().Truncate(precision))
		}
	}
	round(&r.Duration)
	for _, c := range r.Connections {
		for _, s := range []*capture.Span{&c.Start, &c.End, &c.Handshake.SYNACK, &c.Handshake.ACK} {
			round(s)
		}
		for _, e := range []*capture.End{&c.Client, &c.Server} {
			e.FrameBytes, e.RTT = 0, capture.RTT{}
			for i := range e.States {
				round(&e.States[i].At)
			}
		}
		for i := range c.Ladder {
			round(&c.Ladder[i].At)
			c.Ladder[i].Comment = ""
		}
	}
	return r
}

// The same packets give the same report in every format.
func TestFormats(t *testing.T) {
	_, file := capturedRun(t, setup{bytes: 20_000, faults: "DATA:3"})
	analyze := func(b []byte) *capture.Report {
		return must[*capture.Report](t)(capture.Analyze(bytes.NewReader(b)))
	}
	for _, nano := range []bool{false, true} {
		precision := map[bool]time.Duration{false: time.Microsecond, true: time.Nanosecond}[nano]
		want := plain(analyze(file), precision)
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for _, l := range linkTypes {
				got := analyze(pcapFile(t, file, order, nano, l.linkType, l.link))
				if got.Format != "pcap" || got.Interfaces[0].LinkType != int(l.linkType) {
					t.Errorf("%s: %s, %+v", l.name, got.Format, got.Interfaces)
				}
				if got := plain(got, precision); !reflect.DeepEqual(got, want) {
					t.Errorf("%s, %v, nanoseconds %v: another report\n%+v\n%+v", l.name, order, nano, got.Connections[0], want.Connections[0])
				}
			}
		}
	}
	unknown := analyze(pcapFile(t, file, binary.LittleEndian, true, 147, prefix()))
	if unknown.Packets == 0 || unknown.TCP != 0 {
		t.Errorf("unknown link type: %+v", unknown)
	}
}

// Packets that cannot be analysed are counted.
func TestDamage(t *testing.T) {
	_, file := capturedRun(t, setup{bytes: 100})
	n := 0
	damaged := pcapFile(t, file, binary.LittleEndian, true, 101, func(ip []byte) []byte {
		n++
		ip = slices.Clone(ip)
		switch n {
		case 2: // more fragments
			ip[6] |= 0x20
		case 3: // a TCP header of 4 bytes
			ip[32] = 0x10
		case 4: // a bit of the sequence number
			ip[27] ^= 1
		case 5: // no version of IP
			ip[0] = 0xf5
		}
		return ip
	})
	r := must[*capture.Report](t)(capture.Analyze(bytes.NewReader(damaged)))
	if r.Fragments != 1 || r.Malformed != 2 || r.BadChecksums != 1 || r.TCP != r.Packets-3 {
		t.Errorf("%d packets, %d TCP, %d fragments, %d malformed, %d bad checksums", r.Packets, r.TCP, r.Fragments, r.Malformed, r.BadChecksums)
	}
	var text bytes.Buffer
	if err := capture.WriteText(&text, r, capture.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 malformed packets are left out", "1 fragments of IP packets", "1 wrong TCP checksums"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestGzip(t *testing.T) {
	_, file := capturedRun(t, runs["clean"])
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	a := must[*capture.Report](t)(capture.Analyze(&zipped))
	b := must[*capture.Report](t)(capture.Analyze(bytes.NewReader(file)))
	if !reflect.DeepEqual(a, b) {
		t.Error("another report after gzip")
	}
}

// A file that is cut anywhere gives the packets before the cut.
func TestCutAnywhere(t *testing.T) {
	_, file := capturedRun(t, setup{bytes: 100})
	pcap := pcapFile(t, file, binary.BigEndian, true, 101, prefix())
	for _, whole := range [][]byte{file, pcap} {
		ends := offsets(t, whole)
		head := int(ends[0])
		clean := boundaries(whole, ends)
		for n := 0; n < len(whole); n++ {
			r, err := capture.Analyze(bytes.NewReader(whole[:n]))
			if r == nil {
				if err == nil || n >= head {
					t.Errorf("cut at %d: no report, %v", n, err)
				}
				continue
			}
			complete := 0
			for i, end := range ends {
				if int(end) <= n {
					complete = i
				}
			}
			if err != nil || r.Packets != complete || r.Cut == slices.Contains(clean, n) {
				t.Errorf("cut at %d: %d packets, want %d; cut %v, %v", n, r.Packets, complete, r.Cut, err)
			}
		}
	}
}

// boundaries returns where a file may end: after each packet, or after each
// block.
func boundaries(file []byte, ends []int64) (all []int) {
	if binary.LittleEndian.Uint32(file) != 0x0a0d0d0a {
		for _, end := range ends {
			all = append(all, int(end))
		}
		return all
	}
	for at := 0; at < len(file); at += int(binary.LittleEndian.Uint32(file[at+4:])) {
		all = append(all, at)
	}
	return append(all, len(file))
}

// offsets returns where the packets of a file begin, and its end.
func offsets(t *testing.T, file []byte) (all []int64) {
	t.Helper()
	reader := must[*capture.Reader](t)(capture.NewReader(bytes.NewReader(file)))
	for n := 1; ; n++ {
		p, err := reader.Next()
		if err == io.EOF {
			return append(all, int64(len(file)))
		}
		if err != nil || p.Number != n {
			t.Fatalf("packet %d has number %d, %v", n, p.Number, err)
		}
		all = append(all, p.Offset)
	}
}

// Errors say where they are.
func TestFormatError(t *testing.T) {
	_, file := capturedRun(t, setup{bytes: 100})
	at := offsets(t, file)
	binary.LittleEndian.PutUint32(file[at[3]+8:], 77) // the interface
	r, err := capture.Analyze(bytes.NewReader(file))
	var where *capture.FormatError
	if !errors.As(err, &where) || where.Packet != 4 || !strings.HasPrefix(err.Error(), fmt.Sprintf("capture: packet 4 at byte %d: ", at[3])) || where.Offset != at[3] || r == nil || r.Packets != 3 {
		t.Errorf("%v; %+v", err, r)
	}
	for text, want := range map[string]string{
		"":                        "capture: 0 bytes are no capture file",
		"GIF89a, it is a picture": "capture: head of the file: neither pcap nor pcapng: starts with 47 49 46 38",
	} {
		if _, err := capture.Analyze(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	failing := io.MultiReader(bytes.NewReader(file[:at[2]+10]), iotestErr{})
	if _, err := capture.Analyze(failing); !errors.Is(err, errFull) || !errors.As(err, &where) || where.Packet != 3 {
		t.Errorf("a disk that fails: %v", err)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errFull }

// The files of the module gopacket have what a pcapng file can have: both byte
// orders, several sections and interfaces, blocks of unknown type, packets
// without stamps. capinfos counts the same packets; of the last file it refuses
// a section of version 2.0, which the standard says to skip.
func TestFilesOfGopacket(t *testing.T) {
	want := map[string]int{
		"test001": 4, "test002": 0, "test003": 0, "test004": 4, "test005": 4, "test006": 5, "test007": 1, "test008": 4,
		"test009": 2, "test010": 4, "test011": 4, "test012": 4, "test013": 0, "test014": 0, "test015": 0, "test016": 4,
		"test017": 0, "test018": 4, "test100": 5, "test101": 4, "test102": 5, "test200": 0, "test201": 4, "test202": 8,
		"test300": 32, "test301": 276, "test901": 2, "test902": 1,
	}
	seen := 0
	for _, order := range []string{"le", "be"} {
		files, err := filepath.Glob(sample(t, "gopacket:pcapgo/tests/"+order+"/*.pcapng"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			seen++
			r := analyzed(t, "gopacket:pcapgo/tests/"+order+"/"+filepath.Base(path))
			if n, ok := want[strings.TrimSuffix(filepath.Base(path), ".pcapng")]; !ok || r.Packets != n || r.Cut {
				t.Errorf("%s/%s: %d packets, want %d; cut %v", order, filepath.Base(path), r.Packets, n, r.Cut)
			}
		}
	}
	if seen < 50 {
		t.Errorf("%d files", seen)
	}
}

// Whatever the bytes, an analysis ends, and its text fits.
func FuzzAnalyze(f *testing.F) {
	_, file := capturedRun(f, setup{bytes: 300, faults: "DATA:1"})
	f.Add(file)
	f.Add(pcapFile(f, file, binary.BigEndian, false, 276, linkTypes[8].link))
	for _, name := range []string{"gopacket:pcap/test_ethernet.pcap", "gopacket:pcapgo/tests/be/test202.pcapng"} {
		b, err := os.ReadFile(sample(f, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := capture.Analyze(bytes.NewReader(b))
		if r == nil {
			if err == nil {
				t.Fatal("neither report nor error")
			}
			return
		}
		segments := 0
		for _, c := range r.Connections {
			segments += c.Client.Segments + c.Server.Segments
		}
		if segments != r.TCP || r.TCP > r.Packets {
			t.Errorf("%d segments in connections, %d of TCP, %d packets", segments, r.TCP, r.Packets)
		}
		if err := capture.WriteText(io.Discard, r, capture.TextOptions{Ladder: true, Comments: true}); err != nil {
			t.Fatal(err)
		}
	})
}
