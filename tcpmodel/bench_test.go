package tcpmodel

import (
	"fmt"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// BenchmarkPureAck: an ACK that opens the window, with nothing in flight.
func BenchmarkPureAck(b *testing.B) {
	for _, profile := range ProfileNames() {
		b.Run(profile, func(b *testing.B) {
			g, _, in := stopped(b, profile)
			b.ReportAllocs()
			for b.Loop() {
				in.Wnd ^= 1
				g.a.Receive(g.sim.Now(), &in)
			}
		})
	}
}

// BenchmarkSendAck: a write, its segment, and the ACK of it.
func BenchmarkSendAck(b *testing.B) {
	for _, profile := range ProfileNames() {
		b.Run(profile, func(b *testing.B) {
			g, ep, in := stopped(b, profile)
			b.ReportAllocs()
			for b.Loop() {
				ep.Write(1000)
				in.Ack = ep.sndNxt
				g.a.Receive(g.sim.Now(), &in)
			}
		})
	}
}

// BenchmarkDataSegment: a segment in order, read at once, and the ACKs sent.
func BenchmarkDataSegment(b *testing.B) {
	for _, profile := range ProfileNames() {
		b.Run(profile, func(b *testing.B) {
			g, _, in := stopped(b, profile)
			in.Len, in.Stream = 1460, 7
			b.ReportAllocs()
			for b.Loop() {
				g.a.Receive(g.sim.Now(), &in)
				in.Seq, in.Offset = in.Seq+1460, in.Offset+1460
			}
		})
	}
}

// BenchmarkBulk: a transfer between two stacks and pipes that cost next to
// nothing, per segment of data.
func BenchmarkBulk(b *testing.B) {
	for _, profile := range ProfileNames() {
		b.Run(profile, func(b *testing.B) {
			g, ep := bulk(b, profile)
			b.ReportAllocs()
			mss := uint64(ep.mss)
			for b.Loop() {
				for next := ep.stats.BytesSent + mss; ep.stats.BytesSent < next; {
					g.sim.Step()
				}
			}
		})
	}
}

// BenchmarkSynFlood: with so many half-open entries in steady state, one more
// SYN and the five retransmissions and the end of an old one. It also reports
// the bytes of heap for each entry, table and queues included.
func BenchmarkSynFlood(b *testing.B) {
	for _, entries := range []int{1000, 100000, 1000000} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			before := heap()
			f := newFlood(b, 63*des.Second/des.Time(entries), 1<<30, nil)
			for range entries * 11 / 10 {
				f.syn()
			}
			perEntry := float64(heap()-before) / float64(f.g.a.InState(SynReceived))
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				f.syn()
			}
			b.ReportMetric(perEntry, "bytes/entry")
			b.ReportMetric(float64(f.g.a.InState(SynReceived)), "entries")
		})
	}
}

// BenchmarkConnection: open, 10 kB one way, close, TIME-WAIT.
func BenchmarkConnection(b *testing.B) {
	for _, profile := range ProfileNames() {
		b.Run(profile, func(b *testing.B) {
			g := newRig(b, profile, des.Millisecond, func(c *Config) { c.PortLow = 1024 })
			if _, err := g.b.Listen(80, 100, quitter{}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				ep, err := g.a.Connect(2, 80, quitter{first: true}, SocketOptions{})
				if err != nil {
					b.Fatal(err)
				}
				ep.Write(10000)
				g.sim.Run(g.sim.Now() + 20*des.Millisecond)
			}
			b.ReportMetric(float64(g.a.InState(TimeWait)), "time-wait")
		})
	}
}

// BenchmarkNoConnection: a segment that belongs to nothing, and its RST.
func BenchmarkNoConnection(b *testing.B) {
	g := newRig(b, "linux", 0, nil)
	g.ab.to = nil
	in := segment.Segment{Src: 2, Dst: 1, SrcPort: 5000, DstPort: 80, Flags: segment.ACK}
	b.ReportAllocs()
	for b.Loop() {
		g.a.Receive(0, &in)
	}
}
