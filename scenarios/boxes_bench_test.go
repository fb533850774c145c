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

// onTheWay is what may be in the way of the transfers.
var onTheWay = []struct{ name, extra string }{
	{"none", ""},
	{"failures", "failures: [{on: left, kind: crash, at: 10s}]\n"},
	{"blackhole", "middleboxes: [{name: x, kind: blackhole, from: 10s, inside: a, outside: b}]\n"},
	{"limiter", "middleboxes: [{name: x, kind: limiter, rate: 1000000/s, packets: all, direction: both, inside: a, outside: b}]\n"},
	{"firewall", "middleboxes: [{name: x, kind: firewall, inside: a, outside: b}]\n"},
	{"nat", "middleboxes: [{name: x, kind: nat, inside: a, outside: b}]\n"},
	{"syn_proxy", "middleboxes: [{name: x, kind: syn_proxy, inside: b, outside: a}]\n"},
}

// BenchmarkMiddleboxes is what a packet costs on its way over three links and
// through a box, and BenchmarkMiddleboxes/none without one. A failure that has
// not come costs nothing.
func BenchmarkMiddleboxes(b *testing.B) {
	for _, c := range onTheWay {
		b.Run(c.name, func(b *testing.B) {
			sc, err := spec.Load("transfers.yaml", []byte(transfers+c.extra), nil, Registry())
			if err != nil {
				b.Fatal(err)
			}
			var packets, allocations uint64
			for range b.N {
				b.StopTimer()
				p, a := carry(b, sc, b.StartTimer, b.StopTimer)
				packets, allocations = packets+p, allocations+a
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/hop")
			b.ReportMetric(float64(allocations)/float64(packets), "allocs/hop")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// A box on the way allocates nothing for a packet, and neither does a failure that is
// still to come.
func TestMiddleboxesDoNotAllocate(t *testing.T) {
	for _, c := range onTheWay {
		packets, allocations := carry(t, parse(t, transfers+c.extra), func() {}, func() {})
		if packets < 100_000 || allocations > packets/100 {
			t.Errorf("%s: %d allocations for %d packets", c.name, allocations, packets)
		}
	}
}

// carry runs a scenario, and from the time on when its tables are as large as they
// get it counts packets and allocations, between calls of start and stop.
func carry(t testing.TB, sc *spec.Scenario, start, stop func()) (packets, allocations uint64) {
	t.Helper()
	w, err := build(sc, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Run(2 * des.Second)
	var before, after runtime.MemStats
	offered := w.offered()
	runtime.ReadMemStats(&before)
	start()
	err = w.advance(context.Background(), func(des.Time, uint64) {})
	stop()
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	return w.offered() - offered, after.Mallocs - before.Mallocs
}

// offered is how many packets have come to links.
func (w *world) offered() (n uint64) {
	for _, l := range w.net.Links() {
		n += l.Stats().Offered.Packets
	}
	return n
}
