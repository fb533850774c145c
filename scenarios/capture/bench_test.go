package capture_test

import (
	"bytes"
	"io"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/capture"
	"tcplab/tcpmodel/segment"
)

// flood is a capture of n half-open connections.
func flood(t testing.TB, n int) []byte {
	var file bytes.Buffer
	w := small(t, &file, capture.WriterOptions{})
	for i := range n {
		syn := segment.Segment{Src: 1, Dst: 2, SrcPort: uint16(i), DstPort: uint16(80 + i>>16), Seq: segment.Seq(i) * 7919, Flags: segment.SYN}
		answer := segment.Segment{Src: 2, Dst: 1, SrcPort: syn.DstPort, DstPort: syn.SrcPort, Ack: syn.Seq + 1, Flags: segment.SYN | segment.ACK}
		w.Packet(0, des.Time(i)*des.Microsecond, capture.In, &syn, "")
		w.Packet(0, des.Time(i)*des.Microsecond, capture.Out, &answer, "")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestFlood(t *testing.T) {
	const n = 20_000
	r := must[*capture.Report](t)(capture.Analyze(bytes.NewReader(flood(t, n))))
	if len(r.Connections) != n {
		t.Fatalf("%d connections, want %d", len(r.Connections), n)
	}
	for i, c := range r.Connections {
		if c.Outcome != capture.HalfOpen || c.Number != i+1 || (len(c.Ladder) > 0) != (i < capture.DefaultLadders) {
			t.Fatalf("connection %d: %v, %d lines", c.Number, c.Outcome, len(c.Ladder))
		}
	}
	var text bytes.Buffer
	if err := capture.WriteText(&text, r, capture.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := text.Len(); got > 20_000 {
		t.Errorf("%d bytes of text by default", got)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	_, bulk := capturedRun(b, setup{bytes: 5_000_000, loss: 0.01})
	for _, test := range []struct {
		name string
		file []byte
	}{{"bulk", bulk}, {"flood", flood(b, 20_000)}} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(int64(len(test.file)))
			b.ReportAllocs()
			packets := 0
			for range b.N {
				packets = must[*capture.Report](b)(capture.Analyze(bytes.NewReader(test.file))).Packets
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
		})
	}
}

func BenchmarkText(b *testing.B) {
	_, bulk := capturedRun(b, setup{bytes: 5_000_000, loss: 0.01})
	r := must[*capture.Report](b)(capture.Analyze(bytes.NewReader(bulk)))
	for range b.N {
		if err := capture.WriteText(io.Discard, r, capture.TextOptions{Ladder: true}); err != nil {
			b.Fatal(err)
		}
	}
}
