package scenarios

import (
	"context"
	"runtime"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/spec"
)

// transfers is ten bulk transfers over a shared link of 100 Mbit/s.
const transfers = `
version: 1
name: transfers
duration: 10s
hosts: {left: {count: 10}, right: {}}
links:
  - {ends: [left, a], delay: 1ms, rate: 1Gbit/s}
  - {ends: [a, b], delay: 10ms, rate: 100Mbit/s, queue: {limit: 200 packets}}
  - {ends: [b, right], delay: 1ms, rate: 1Gbit/s}
workloads:
  - {name: load, kind: bulk, on: left, to: right:5001}
`

// BenchmarkMiddleboxes is what a packet costs on its way over three links and
// through a box, and BenchmarkMiddleboxes/none without one. A failure that has
// not come costs nothing.
func BenchmarkMiddleboxes(b *testing.B) {
	at := ", inside: a, outside: b"
	for _, c := range []struct{ name, extra string }{
		{"none", ""},
		{"failures", "failures: [{on: left, kind: crash, at: 10s}]\n"},
		{"blackhole", "middleboxes: [{name: x, kind: blackhole, from: 10s" + at + "}]\n"},
		{"limiter", "middleboxes: [{name: x, kind: limiter, rate: 1000000/s, packets: all, direction: both" + at + "}]\n"},
		{"firewall", "middleboxes: [{name: x, kind: firewall" + at + "}]\n"},
		{"nat", "middleboxes: [{name: x, kind: nat" + at + "}]\n"},
		{"syn_proxy", "middleboxes: [{name: x, kind: syn_proxy, inside: b, outside: a}]\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			sc, err := spec.Load("transfers.yaml", []byte(transfers+c.extra), nil, Registry())
			if err != nil {
				b.Fatal(err)
			}
			var packets, allocations uint64
			for range b.N {
				b.StopTimer()
				w, err := build(sc, 0, Options{})
				if err != nil {
					b.Fatal(err)
				}
				w.sim.Run(2 * des.Second) // until tables are as large as they get
				var before, after runtime.MemStats
				offered := w.offered()
				runtime.ReadMemStats(&before)
				b.StartTimer()
				if err := w.advance(context.Background(), func(des.Time, uint64) {}); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				runtime.ReadMemStats(&after)
				packets += w.offered() - offered
				allocations += after.Mallocs - before.Mallocs
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/hop")
			b.ReportMetric(float64(allocations)/float64(packets), "allocs/hop")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// offered is how many packets have come to links.
func (w *world) offered() (n uint64) {
	for _, l := range w.net.Links() {
		n += l.Stats().Offered.Packets
	}
	return n
}
