package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"tcplab/des"
	"tcplab/scenarios/capture"
	"tcplab/tcpmodel/segment"
)

// The runs that the tests of this package capture.
var runs = map[string]setup{
	"clean":   {bytes: 30_000},
	"lossy":   {bytes: 600_000, loss: 0.03, both: true},
	"faults":  {bytes: 40_000, faults: "SYN:1; DATA:4,9; FIN:1", both: true},
	"refused": {refuse: true},
	"snapped": {bytes: 100_000, loss: 0.01, options: capture.WriterOptions{Snaplen: 64, Hold: 16}},
}

// gopacket reads every packet that the Writer wrote: raw IP, nanoseconds, right
// lengths and checksums.
func TestWriterAgainstGopacket(t *testing.T) {
	for name, o := range runs {
		t.Run(name, func(t *testing.T) {
			r, file := capturedRun(t, o)
			reader := must[*pcapgo.NgReader](t)(pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions))
			n := 0
			var before time.Time
			for ; ; n++ {
				data, ci, err := reader.ReadPacketData()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("packet %d: %v", n+1, err)
				}
				if ci.Timestamp.Before(before) {
					t.Errorf("packet %d at %v is before the one at %v", n+1, ci.Timestamp, before)
				}
				before = ci.Timestamp
				checkPacket(t, n+1, data, ci, int(o.options.Snaplen))
			}
			if n == 0 || n != r.client.w.Packets() {
				t.Errorf("%d packets in the file, %d written", n, r.client.w.Packets())
			}
			want := []string{"client", "server"}[:reader.NInterfaces()]
			for i, name := range want {
				got := must[pcapgo.NgInterface](t)(reader.Interface(i))
				if got.Name != name || got.LinkType != layers.LinkTypeRaw || got.TimestampResolution != 9 {
					t.Errorf("interface %d: %+v", i, got)
				}
			}
			if both := reader.NInterfaces() == 2; both != o.both {
				t.Errorf("%d interfaces", reader.NInterfaces())
			}
		})
	}
}

func checkPacket(t *testing.T, n int, data []byte, ci gopacket.CaptureInfo, snaplen int) {
	t.Helper()
	if snaplen > 0 {
		if ci.CaptureLength != min(snaplen, ci.Length) {
			t.Errorf("packet %d: %d of %d bytes", n, ci.CaptureLength, ci.Length)
		}
		return
	}
	p := gopacket.NewPacket(data, layers.LayerTypeIPv4, gopacket.DecodeOptions{Lazy: false, NoCopy: true})
	if e := p.ErrorLayer(); e != nil {
		t.Fatalf("packet %d: %v", n, e.Error())
	}
	ip := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	if err := p.Layer(layers.LayerTypeTCP).(*layers.TCP).SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	err, wrong := p.VerifyChecksums()
	if err != nil || len(wrong) > 0 {
		t.Errorf("packet %d: checksums %+v, %v", n, wrong, err)
	}
	if int(ip.Length) != len(data) || ci.Length != len(data) {
		t.Errorf("packet %d: length %d, IP says %d, captured %d", n, ci.Length, ip.Length, len(data))
	}
}

// The same run gives the same bytes.
func TestWriterReproducible(t *testing.T) {
	_, a := capturedRun(t, runs["lossy"])
	_, b := capturedRun(t, runs["lossy"])
	if !bytes.Equal(a, b) {
		t.Error("two captures of the same run differ")
	}
}

// comments reads the comments of the packets of one interface.
func comments(t *testing.T, file []byte, iface int) (all []string) {
	t.Helper()
	reader := must[*capture.Reader](t)(capture.NewReader(bytes.NewReader(file)))
	for {
		p, err := reader.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Interface == iface && p.Comment != "" {
			all = append(all, p.Comment)
		}
	}
}

// Changes of state stand at the segments that belong to them; what was lost on
// the way says so, although that was known later.
func TestComments(t *testing.T) {
	r, file := capturedRun(t, setup{bytes: 1000, faults: "SYN:1", both: true})
	wantClient := []string{
		"client: CLOSED > SYN-SENT (user); lost",
		"retransmit",
		"client: SYN-SENT > ESTABLISHED (segment)",
		"client: ESTABLISHED > FIN-WAIT-1 (user)",
		"client: FIN-WAIT-1 > FIN-WAIT-2 (segment)",
		"client: FIN-WAIT-2 > TIME-WAIT (segment)",
	}
	wantServer := []string{
		"server: CLOSED > LISTEN (segment); server: LISTEN > SYN-RECEIVED (segment)",
		"server: SYN-RECEIVED > ESTABLISHED (segment)",
		"server: ESTABLISHED > CLOSE-WAIT (segment)",
		"server: CLOSE-WAIT > LAST-ACK (user)",
		"server: LAST-ACK > CLOSED (segment)",
	}
	for i, want := range [][]string{wantClient, wantServer} {
		if got := comments(t, file, i); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("interface %d:\n%s\nwant\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if got := r.client.w.Unattached(); got != 1 { // the end of TIME-WAIT has no segment
		t.Errorf("%d changes and notes without a packet, want 1", got)
	}
}

// small returns a Writer for two hosts, nodes 1 and 2.
func small(t testing.TB, w io.Writer, o capture.WriterOptions) *capture.Writer {
	t.Helper()
	var addrs segment.Addresses
	if err := addrs.AddRange(1, netip.MustParseAddr("10.0.0.1"), 2); err != nil {
		t.Fatal(err)
	}
	return must[*capture.Writer](t)(capture.NewWriter(w, &addrs, []capture.Interface{{Name: "a"}}, o))
}

// A change of state whose segment cannot leave yet waits for it, and not for
// that of another connection.
func TestStateWaits(t *testing.T) {
	var file bytes.Buffer
	w := small(t, &file, capture.WriterOptions{})
	a := segment.Segment{Src: 1, Dst: 2, SrcPort: 9, DstPort: 80, Flags: segment.ACK | segment.FIN}
	b := segment.Segment{Src: 1, Dst: 2, SrcPort: 8, DstPort: 80, Flags: segment.ACK}
	flow := capture.Flow{Local: 1, Remote: 2, LocalPort: 9, RemotePort: 80}
	w.State(0, 5, flow, "ESTABLISHED", "FIN-WAIT-1", "user", capture.OfNext)
	w.Packet(0, 5, capture.Out, &b, "")
	w.Packet(0, 7, capture.Out, &a, "")
	w.State(0, 9, flow, "FIN-WAIT-1", "CLOSED", "timeout", capture.OfNext)
	flow.LocalPort = 8
	w.State(0, 9, flow, "ESTABLISHED", "CLOSED", "timeout", capture.OfNext)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := "a: ESTABLISHED > FIN-WAIT-1 (user) at 0.000000005 s"
	if got := comments(t, file.Bytes(), 0); len(got) != 1 || got[0] != want || w.Unattached() != 2 {
		t.Errorf("%q and %d unattached, want %q and 2", got, w.Unattached(), want)
	}
}

func TestNoteOfAPacketThatIsGone(t *testing.T) {
	w := small(t, io.Discard, capture.WriterOptions{Hold: 2})
	var segs [3]segment.Segment
	for i := range segs {
		segs[i] = segment.Segment{Src: 1, Dst: 2, Seq: segment.Seq(i), Flags: segment.ACK}
		w.Packet(0, des.Time(i), capture.Out, &segs[i], "")
	}
	marked := segs[2]
	marked.ECN = segment.CE
	if w.Note(0, &segs[0], "lost") || !w.Note(0, &segs[1], "lost") || !w.Note(0, &marked, "lost") {
		t.Error("the packets that are kept back are not the last two")
	}
	if w.Unattached() != 1 {
		t.Errorf("%d without a packet, want 1", w.Unattached())
	}
}

// limited takes n bytes and then fails.
type limited struct{ n int }

var errFull = errors.New("no space left")

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.n {
		return l.n, errFull
	}
	l.n -= len(p)
	return len(p), nil
}

func TestWriterErrors(t *testing.T) {
	_, whole := capturedRun(t, runs["clean"])
	for _, n := range []int{0, 100, len(whole) / 2, len(whole) - 1} {
		r := writeRun(t, runs["clean"], &limited{n: n})
		err := r.client.w.Close()
		if !errors.Is(err, errFull) || strings.Count(err.Error(), errFull.Error()) != 1 {
			t.Errorf("after %d bytes: %v", n, err)
		}
		if again := r.client.w.Close(); again != err || r.client.w.Err() != err {
			t.Errorf("second Close: %v, first %v", again, err)
		}
	}
	seg := segment.Segment{Src: 1, Dst: 2}
	for _, test := range []struct {
		name string
		do   func(w *capture.Writer)
		want string
	}{
		{"time", func(w *capture.Writer) {
			w.Packet(0, 5, capture.In, &seg, "")
			w.Packet(0, 4, capture.In, &seg, "")
		}, "capture: packet 2 is of 4ns, before the one at 5ns"},
		{"address", func(w *capture.Writer) {
			w.Packet(0, 5, capture.In, &segment.Segment{Src: 1, Dst: 9}, "")
		}, `capture: packet 1 of interface "a" at 5ns: segment: `},
	} {
		w := small(t, io.Discard, capture.WriterOptions{})
		test.do(w)
		if err := w.Close(); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	var none segment.Addresses
	if _, err := capture.NewWriter(io.Discard, &none, nil, capture.WriterOptions{}); err == nil {
		t.Error("no vantage point: no error")
	}
}

// What is not TCP goes into the file as well.
func TestOtherPackets(t *testing.T) {
	var file bytes.Buffer
	w := small(t, &file, capture.WriterOptions{})
	for i, s := range []segment.Segment{
		{Src: 1, Dst: 2, SrcPort: 9, DstPort: 80, Flags: segment.SYN},
		{Src: 2, Dst: 1, SrcPort: 9, DstPort: 80, Kind: segment.KindICMP, Ack: 2, Wnd: 3<<8 | 1},
		{Src: 1, Dst: 2, Kind: segment.KindRaw, Len: 1000},
	} {
		w.Packet(0, des.Time(i), capture.Out, &s, "")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := must[*capture.Report](t)(capture.Analyze(&file))
	if r.Packets != 3 || r.TCP != 1 || r.Malformed != 0 || len(r.Connections) != 1 {
		t.Errorf("%+v", r)
	}
}

// Real bytes are kept as they are.
func TestPacketPayload(t *testing.T) {
	var file bytes.Buffer
	w := small(t, &file, capture.WriterOptions{})
	text := []byte("GET / HTTP/1.1\r\n\r\n")
	seg := segment.Segment{Src: 1, Dst: 2, Flags: segment.ACK | segment.PSH, Len: uint32(len(text)), Stream: segment.StreamArena}
	w.PacketPayload(0, 1, capture.Out, &seg, text, "real")
	text[0] = 'P'
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file.Bytes(), []byte("GET / HTTP/1.1\r\n\r\n")) {
		t.Error("the payload is not in the file")
	}
}

func TestWriterAllocations(t *testing.T) {
	w := small(t, io.Discard, capture.WriterOptions{Hold: 64})
	data := segment.Segment{Src: 1, Dst: 2, SrcPort: 9, DstPort: 80, Flags: segment.ACK, Len: 1448,
		Opts: segment.OptTimestamps, Stream: 1}
	ack := segment.Segment{Src: 2, Dst: 1, SrcPort: 80, DstPort: 9, Flags: segment.ACK, Opts: segment.OptTimestamps}
	flow := capture.Flow{Local: 1, Remote: 2, LocalPort: 9, RemotePort: 80}
	var now des.Time
	step := func() {
		now++
		data.Seq += 1448
		w.State(0, now, flow, "ESTABLISHED", "FIN-WAIT-1", "user", capture.OfNext)
		w.Packet(0, now, capture.Out, &data, "fast-retransmit")
		w.Note(0, &data, "lost")
		w.Packet(0, now, capture.In, &ack, "")
		w.State(0, now, flow, "FIN-WAIT-1", "FIN-WAIT-2", "segment", capture.OfLast)
	}
	for range 200 {
		step()
	}
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations for two packets with comments, want 0", n)
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkWriter(b *testing.B) {
	for _, snaplen := range []uint32{0, 96} {
		b.Run(fmt.Sprint("snaplen=", snaplen), func(b *testing.B) {
			w := small(b, io.Discard, capture.WriterOptions{Snaplen: snaplen})
			seg := segment.Segment{Src: 1, Dst: 2, Flags: segment.ACK, Len: 1448, Opts: segment.OptTimestamps}
			b.ReportAllocs()
			for i := range b.N {
				seg.Seq += 1448
				w.Packet(0, des.Time(i), capture.Out, &seg, "")
			}
		})
	}
}
