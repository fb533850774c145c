package network

import (
	"fmt"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// dataSegment returns a segment as it fills a simulation of TCP.
func dataSegment(src, dst segment.Node) segment.Segment {
	return segment.Segment{
		Src: src, Dst: dst, SrcPort: 40000, DstPort: 80, Flags: segment.ACK, Wnd: 501,
		Opts: segment.OptTimestamps, Len: 1448,
	}
}

// ring returns n links in a circle, with total packets going round. Every link
// has a queue, a rate and a delay, and is nearly saturated.
func ring(b testing.TB, sim *des.Sim, n, total int) []*Link {
	perLink := total / n
	links := make([]*Link, n)
	serialisation := des.Time(1200) // of 1500 bytes at 10 Gbit/s
	for i := range links {
		l, err := NewLink(sim, fmt.Sprint(i), LinkConfig{Rate: 10e9, Delay: serialisation*des.Time(perLink) + des.Time(i), Queue: QueueLimit{Packets: 2*perLink + 10}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		links[i] = l
	}
	for i, l := range links {
		l.SetNext(links[(i+1)%n])
	}
	rng := sim.Stream("start")
	for _, l := range links {
		for range perLink {
			seg := dataSegment(1, 2)
			seg.Len = uint32(rng.IntN(1449))
			l.Receive(0, &seg)
		}
	}
	return links
}

// BenchmarkRing reports the cost of one packet over one hop: the event, the
// delivery and the admission to the next link.
func BenchmarkRing(b *testing.B) {
	for _, total := range []int{640, 64_000, 640_000} {
		b.Run(fmt.Sprint(total), func(b *testing.B) {
			sim := des.New(1, 0)
			ring(b, sim, 64, total)
			for range 4 * total { // rings have grown, packets have spread
				sim.Step()
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				sim.Step()
			}
		})
	}
}

// chain returns hosts a and b with n routers between them, and how many events
// a packet takes from one to the other. What reaches one goes back to the other.
func chain(b testing.TB, sim *des.Sim, routers int) (*Network, segment.Node, segment.Node) {
	n := New(sim)
	config := LinkConfig{Rate: 10e9, Delay: 10 * des.Microsecond, Queue: QueueLimit{Packets: 1000}}
	first, last := n.AddHost("a"), n.AddHost("b")
	previous := first
	for i := range routers {
		r := n.AddRouter(fmt.Sprint("r", i))
		if _, _, err := n.Connect(previous, r, config, config); err != nil {
			b.Fatal(err)
		}
		previous = r
	}
	if _, _, err := n.Connect(previous, last, config, config); err != nil {
		b.Fatal(err)
	}
	if err := n.Build(); err != nil {
		b.Fatal(err)
	}
	return n, first, last
}

// BenchmarkRouterChain reports the cost of a hop over a link and a router: 10
// routers in a row, 200 packets going to and fro.
func BenchmarkRouterChain(b *testing.B) {
	sim := des.New(1, 0)
	n, first, last := chain(b, sim, 10)
	for _, ends := range [][2]segment.Node{{first, last}, {last, first}} {
		back := n.Egress(ends[1])
		if err := n.Attach(ends[1], sinkFunc(func(now des.Time, seg *segment.Segment) {
			seg.Src, seg.Dst = seg.Dst, seg.Src
			back.Receive(now, seg)
		})); err != nil {
			b.Fatal(err)
		}
		for range 100 {
			seg := dataSegment(ends[0], ends[1])
			n.Egress(ends[0]).Receive(0, &seg)
		}
	}
	for range 10_000 {
		sim.Step()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		sim.Step()
	}
}

func TestForwardingDoesNotAllocate(t *testing.T) {
	sim := des.New(1, 0)
	n, first, last := chain(t, sim, 1)
	arrived := &counter{}
	if err := n.Attach(last, arrived); err != nil {
		t.Fatal(err)
	}
	for _, l := range n.Links() {
		l.AddTap(&tapCounter{})
	}
	egress := n.Egress(first)
	seg := dataSegment(first, last)
	burst := func() {
		for range 20 {
			egress.Receive(sim.Now(), &seg)
		}
		sim.RunIdle()
	}
	burst()
	if allocs := testing.AllocsPerRun(100, burst); allocs != 0 {
		t.Errorf("%v allocations for 20 packets over link, router and link", allocs)
	}
	if arrived.packets != 20*102 {
		t.Errorf("%d packets arrived, want %d", arrived.packets, 20*102)
	}
	if allocs := testing.AllocsPerRun(10, func() { n.Links()[0].Stats() }); allocs > 1 {
		t.Errorf("%v allocations for a look at the counters", allocs)
	}
}

type tapCounter struct{ events [6]int }

func (c *tapCounter) Observe(_ des.Time, e TapEvent, _ *segment.Segment) { c.events[e]++ }

func TestRingDoesNotAllocate(t *testing.T) {
	sim := des.New(1, 0)
	ring(t, sim, 8, 800)
	sim.Run(20 * des.Millisecond)
	if allocs := testing.AllocsPerRun(1000, func() { sim.Step() }); allocs != 0 {
		t.Errorf("%v allocations per packet and hop", allocs)
	}
}

// equipped are links with everything that a link can have, by discipline.
func equipped() map[string]LinkConfig {
	configs := map[string]LinkConfig{}
	for _, name := range DisciplineNames() {
		d, err := DefaultDiscipline(name)
		if err != nil {
			panic(err)
		}
		configs[name] = LinkConfig{
			Rate: 100e6, Delay: des.Millisecond, Queue: QueueLimit{Packets: 50}, Discipline: d,
			Shaper: TokenBucket{Rate: 80e6, Burst: 10_000}, Policer: TokenBucket{Rate: 200e6, Burst: 100_000}, MTU: 1400,
			Loss: 0.01, Gilbert: GilbertElliott{0.01, 0.3, 0, 1}, LossPeriod: 50, Duplicate: 0.1, Corrupt: 0.1,
			Jitter: Jitter{Span: des.Millisecond, Reordering: true}, Reorder: Reorder{0.1, des.Millisecond},
			Faults: []Fault{{Ordinals: []uint64{5}, Action: Delay, Extra: 1}},
		}
	}
	return configs
}

// Nothing that a link can have allocates per packet.
func TestEquippedLinksDoNotAllocate(t *testing.T) {
	for name, config := range equipped() {
		sim := des.New(1, 0)
		link := newLink(t, sim, config, &counter{})
		if err := link.SetReports(1, &counter{}); err != nil {
			t.Fatal(err)
		}
		link.AddTap(&tapCounter{})
		small, big := dataSegment(1, 2), dataSegment(1, 2)
		small.Len, small.ECN = 900, segment.ECT0
		burst := func() {
			for i := range 40 {
				small.SrcPort = uint16(i)
				link.Receive(sim.Now(), &small)
			}
			link.Receive(sim.Now(), &big)
			sim.Run(sim.Now() + 3*des.Millisecond)
		}
		for range 200 {
			burst()
		}
		if allocs := testing.AllocsPerRun(100, burst); allocs != 0 {
			t.Errorf("%s: %v allocations for 41 packets", name, allocs)
		}
		checkConservation(t, link)
	}
}

// BenchmarkDisciplines reports the cost of one packet through a link that is
// overloaded by a tenth: arrival, decision, service and delivery.
func BenchmarkDisciplines(b *testing.B) {
	for _, d := range []Discipline{DropTail{}, pacedTail{}, DefaultRED(), DefaultCoDel(), DefaultFQCoDel(), DefaultPIE()} {
		name := d.Name()
		if _, paced := d.(pacedTail); paced {
			name = "paced droptail"
		}
		b.Run(name, func(b *testing.B) {
			sim := des.New(1, 0)
			link := newLink(b, sim, LinkConfig{Rate: 1e9, Delay: des.Millisecond, Discipline: d, Queue: QueueLimit{Packets: 1000}}, &counter{})
			seg := dataSegment(1, 2)
			offer := func(i int) {
				seg.SrcPort = uint16(i & 63)
				link.Receive(sim.Now(), &seg)
				sim.Run(sim.Now() + 10_909)
			}
			for i := range 100_000 {
				offer(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				offer(i)
			}
		})
	}
}
