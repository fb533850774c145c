package network

import (
	"math"
	"slices"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

func TestLossPeriod(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{LossPeriod: 3}, sink)
	for i := range 7 {
		link.Receive(0, raw(100, i+1))
	}
	sim.RunIdle()
	var got []int
	for _, a := range sink.got {
		got = append(got, int(a.seg.Seq))
	}
	if want := []int{1, 2, 4, 5, 7}; !slices.Equal(got, want) {
		t.Errorf("%v arrived, want %v", got, want)
	}
}

// Packets that find the queue full take no step of the chain.
func TestQueueDropsAreNotLosses(t *testing.T) {
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{Rate: 8e9, LossPeriod: 2, Queue: QueueLimit{Packets: 1}}, &counter{})
	for i := range des.Time(4) {
		for range 5 {
			link.Receive(sim.Now(), raw(1000, 0))
		}
		sim.Run((i + 1) * 2000)
	}
	if s := link.Stats(); s.Dropped.Packets != 16 || s.Lost.Packets != 2 {
		t.Errorf("%+v", s)
	}
}

// Elements behind each other, without a link, do what they do in a link and
// keep their books.
func TestElements(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	delayer, err := NewDelayer(sim, "d", DelayConfig{Jitter{Span: 1000}, Reorder{0.1, 5000}}, sink)
	if err != nil {
		t.Fatal(err)
	}
	corrupter, err := NewCorrupter(sim, "c", 0.2, delayer)
	if err != nil {
		t.Fatal(err)
	}
	duplicator, err := NewDuplicator(sim, "du", 0.3, corrupter)
	if err != nil {
		t.Fatal(err)
	}
	lossy, err := NewLossy(sim, "l", LossConfig{Loss: 0.4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	lossy.SetNext(duplicator)
	if lossy.Next() != Sink(duplicator) {
		t.Error("next is another")
	}
	const packets = 20_000
	for i := range packets {
		sim.Run(des.Time(i) * 100)
		lossy.Receive(sim.Now(), raw(100, i))
		if i%1000 == 0 {
			for _, e := range []interface{ Flow() Flow }{lossy, duplicator, corrupter, delayer} {
				if err := e.Flow().Check(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	sim.RunIdle()
	near := func(what string, got uint64, n uint64, p float64) {
		t.Helper()
		if math.Abs(float64(got)-float64(n)*p) > 3.3*math.Sqrt(float64(n)*p*(1-p)) {
			t.Errorf("%s: %d of %d, want a fraction of %v", what, got, n, p)
		}
	}
	through := duplicator.Flow()
	near("lost", lossy.Flow().Lost.Packets, packets, 0.4)
	near("duplicated", through.Created.Packets, through.In.Packets, 0.3)
	near("corrupted", corrupter.Corrupted().Packets, through.Out.Packets, 0.2)
	if f := delayer.Flow(); f.Held.Packets != 0 || f.Out.Packets != uint64(len(sink.got)) || f.Out != through.Out {
		t.Errorf("%+v, %d arrived", f, len(sink.got))
	}
	corrupt := uint64(0)
	for _, a := range sink.got {
		if a.seg.Corrupt {
			corrupt++
		}
	}
	if corrupt != corrupter.Corrupted().Packets {
		t.Errorf("%d arrived corrupt of %d", corrupt, corrupter.Corrupted().Packets)
	}
}

func TestElementErrors(t *testing.T) {
	sim, sink := des.New(1, 0), &counter{}
	for _, err := range []error{
		second(NewLossy(sim, "x", LossConfig{Loss: 2}, sink)), second(NewDuplicator(sim, "x", 2, sink)),
		second(NewCorrupter(sim, "x", -1, sink)), second(NewDelayer(sim, "x", DelayConfig{Jitter: Jitter{Span: -1}}, sink)),
	} {
		if err == nil {
			t.Error("a wrong configuration is accepted")
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Jitter stays in its span, has its mean, and reorders only if asked.
func TestJitter(t *testing.T) {
	const packets, span = 20_000, 1000
	for _, shape := range []JitterShape{Uniform, Normal} {
		for _, reordering := range []bool{false, true} {
			sim, sink := des.New(1, 0), &collector{}
			link := newLink(t, sim, LinkConfig{Delay: 5000, Jitter: Jitter{span, shape, reordering}}, sink)
			for i := range packets {
				at(sim, des.Time(i)*10, func() { link.Receive(des.Time(i)*10, raw(100, i)) })
			}
			sim.RunIdle()
			checkConservation(t, link)
			backwards, sum, squares := 0, 0.0, 0.0
			for i, a := range sink.got {
				if i > 0 && a.seg.Seq.Less(sink.got[i-1].seg.Seq) {
					backwards++
				}
				extra := float64(a.at - des.Time(a.seg.Seq)*10 - 5000)
				if extra < 0 || extra > span {
					t.Fatalf("delayed by %v more than the delay", extra)
				}
				sum += extra
				squares += extra * extra
			}
			if (backwards > 0) != reordering || len(sink.got) != packets {
				t.Errorf("shape %d, reordering %v: %d of %d packets came out of order", shape, reordering, backwards, len(sink.got))
			}
			if !reordering {
				continue
			}
			mean := sum / packets
			deviation := math.Sqrt(squares/packets - mean*mean)
			want := map[JitterShape]float64{Uniform: span / math.Sqrt(12), Normal: span / 6.0}[shape]
			// A sum of three numbers rounded down to thirds is 1/3 short.
			if math.Abs(mean-span/2) > 3.3*want/math.Sqrt(packets)+1 || math.Abs(deviation-want) > 0.02*want {
				t.Errorf("shape %d: mean %v, deviation %v, want %d and %v", shape, mean, deviation, span/2, want)
			}
		}
	}
}

// A packet that is reordered comes later by the extra delay, and the others as
// if it were not there.
func TestReorder(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Delay: 5000, Reorder: Reorder{0.1, 2500}}, sink)
	const packets = 10_000
	for i := range packets {
		link.Receive(0, raw(1000, i))
	}
	sim.RunIdle()
	late := 0
	for _, a := range sink.got {
		due := des.Time(a.seg.Seq+1)*1000 + 5000
		switch a.at {
		case due:
		case due + 2500:
			late++
		default:
			t.Fatalf("packet %d at %v, due at %v", a.seg.Seq, a.at, due)
		}
	}
	if len(sink.got) != packets || math.Abs(float64(late)-packets*0.1) > 3.3*math.Sqrt(packets*0.09) {
		t.Errorf("%d late of %d", late, len(sink.got))
	}
}

// A packet that is held until now leaves before one that comes now.
func TestHeldPacketsComeFirst(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	var d *Delayer
	at(sim, 100, func() { d.Receive(100, raw(100, 1)) })
	d, err := NewDelayer(sim, "d", DelayConfig{}, sink)
	if err != nil {
		t.Fatal(err)
	}
	d.hold(100, raw(100, 0))
	sim.RunIdle()
	if len(sink.got) != 2 || sink.got[0].seg.Seq != 0 || sink.got[1].at != 100 {
		t.Errorf("%v", sink.got)
	}
}

// Each action of a fault, and all on one packet.
func TestFaultActions(t *testing.T) {
	faults, err := ParseFaults("ANY:2 duplicate; ANY:3 delay 25ns; ANY:5 corrupt; ANY:6; ANY:7 duplicate; ANY:7 corrupt; ANY:7 delay 5ns; ANY:7 delay 9ns; ANY:8 delay 1ns; ANY:8 drop")
	if err != nil {
		t.Fatal(err)
	}
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 800e9, Delay: 100, Faults: faults}, sink) // 10 ns each
	events := map[TapEvent]int{}
	link.AddTap(tapFunc(func(_ des.Time, e TapEvent, _ *segment.Segment) { events[e]++ }))
	for i := range 9 {
		link.Receive(0, raw(1000, i+1))
	}
	sim.RunIdle()
	type got struct {
		at      des.Time
		id      int
		corrupt bool
	}
	want := []got{
		{110, 1, false}, {120, 2, false}, {120, 2, false}, {140, 4, false}, {150, 5, true}, {155, 3, false},
		{179, 7, true}, {179, 7, true}, {190, 9, false},
	}
	var all []got
	for _, a := range sink.got {
		all = append(all, got{a.at, int(a.seg.Seq), a.seg.Corrupt})
	}
	if !slices.Equal(all, want) {
		t.Errorf("%v arrived, want %v", all, want)
	}
	checkConservation(t, link)
	s := link.Stats()
	if s.Created.Packets != 2 || s.Corrupted.Packets != 2 || s.Lost.Packets != 2 || s.Delivered.Packets != 9 {
		t.Errorf("%+v", s)
	}
	if events[Sent] != 9 || events[Duplicated] != 2 || events[Lost] != 2 || events[Delivered] != 9 {
		t.Errorf("%v", events)
	}
}

// pipeline returns hosts a and b behind routers, with a link of that
// configuration from the first router to the second.
func pipeline(t *testing.T, sim *des.Sim, middle LinkConfig) (n *Network, a, b segment.Node, link *Link) {
	t.Helper()
	n = New(sim)
	a, b = n.AddHost("a"), n.AddHost("b")
	r1, r2 := n.AddRouter("r1"), n.AddRouter("r2")
	plain := LinkConfig{Rate: 1e9, Delay: 1000, Overhead: 26}
	connect := func(x, y segment.Node, forward LinkConfig) *Link {
		l, _, err := n.Connect(x, y, forward, plain)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	connect(a, r1, plain)
	link = connect(r1, r2, middle)
	connect(r2, b, plain)
	if err := n.Build(); err != nil {
		t.Fatal(err)
	}
	return n, a, b, link
}

// The host that a corrupt packet is for drops and counts it; routers pass it on.
func TestCorruptPacketsDieAtTheHost(t *testing.T) {
	sim, sink := des.New(1, 0), &counter{}
	n, a, b, link := pipeline(t, sim, LinkConfig{Corrupt: 0.5})
	if err := n.Attach(b, sink); err != nil {
		t.Fatal(err)
	}
	seg := dataSegment(a, b)
	for range 1000 {
		n.Egress(a).Receive(0, &seg)
	}
	sim.RunIdle()
	if err := n.Check(); err != nil {
		t.Error(err)
	}
	changed := link.Stats().Corrupted.Packets
	if n.Corrupted(b) != changed || uint64(sink.packets) != 1000-changed || changed < 400 || changed > 600 || n.Corrupted(99) != 0 {
		t.Errorf("%d corrupted, %d dropped at the host, %d received", changed, n.Corrupted(b), sink.packets)
	}
}

// A router tells the source of a packet that is too big for the link behind it,
// unless the link is a black hole.
func TestMTU(t *testing.T) {
	for _, hole := range []bool{false, true} {
		sim, back, there := des.New(1, 0), &collector{}, &counter{}
		n, a, b, link := pipeline(t, sim, LinkConfig{Rate: 1e9, Overhead: 26, MTU: 1400, BlackHole: hole})
		for host, sink := range map[segment.Node]Sink{a: back, b: there} {
			if err := n.Attach(host, sink); err != nil {
				t.Fatal(err)
			}
		}
		seg := dataSegment(a, b)
		seg.Seq = 777
		seg.Len = 1400 - 52
		n.Egress(a).Receive(0, &seg) // fits
		seg.Len++
		n.Egress(a).Receive(0, &seg)
		cross := raw(1401, 0)
		cross.Src, cross.Dst = a, b
		n.Egress(a).Receive(0, cross)
		sim.RunIdle()
		if err := n.Check(); err != nil {
			t.Error(err)
		}
		if s := link.Stats(); there.packets != 1 || s.Oversize != (Count{2, 2854}) || s.Dropped != s.Oversize {
			t.Errorf("%d arrived, %+v", there.packets, s)
		}
		if hole {
			if len(back.got) != 0 || link.Reports() != (Count{}) {
				t.Errorf("the black hole reports %v", back.got)
			}
			continue
		}
		want := segment.Segment{
			Kind: segment.KindICMP, Src: n.Node("r1"), Dst: a, SrcPort: 40000, DstPort: 80, Seq: 777, Ack: segment.Seq(b),
			Wnd: 3<<8 | 4, MSS: 1400,
		}
		if len(back.got) != 1 || back.got[0].seg != want || link.Reports().Packets != 1 {
			t.Fatalf("reports %v, want %v", back.got, &want)
		}
	}
}

// A host hears of its own link's MTU in an event of its own.
func TestMTUOfTheFirstLink(t *testing.T) {
	sim := des.New(1, 0)
	n := New(sim)
	a, b := n.AddHost("a"), n.AddHost("b")
	if _, _, err := n.Connect(a, b, LinkConfig{MTU: 1000}, LinkConfig{}); err != nil {
		t.Fatal(err)
	}
	if err := n.Build(); err != nil {
		t.Fatal(err)
	}
	sending, told := true, 0
	if err := n.Attach(a, sinkFunc(func(_ des.Time, seg *segment.Segment) {
		if sending || seg.MSS != 1000 {
			t.Errorf("while sending %v: %v", sending, seg)
		}
		told++
	})); err != nil {
		t.Fatal(err)
	}
	seg := dataSegment(a, b)
	n.Egress(a).Receive(0, &seg)
	sending = false
	sim.RunIdle()
	if told != 1 || sim.Now() != 0 {
		t.Errorf("told %d times, at %v", told, sim.Now())
	}
	if err := n.Check(); err != nil {
		t.Error(err)
	}
	if err := newLink(t, sim, LinkConfig{}, nil).SetReports(a, nil); err == nil {
		t.Error("a link without mtu reports")
	}
}

// Changes come at their times, in the order of the list.
func TestChanges(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Delay: 100, Changes: []Change{
		{At: 1500, Kind: ChangeRate, Rate: 4e9}, {At: 1500, Kind: ChangeDelay, Delay: 200},
		{At: 3500, Kind: LinkDown}, {At: 6000, Kind: LinkUp}, {At: 6000, Kind: ChangeRate, Rate: 8e9},
	}}, sink)
	events := map[TapEvent]int{}
	link.AddTap(tapFunc(func(_ des.Time, e TapEvent, _ *segment.Segment) { events[e]++ }))
	offer := func(t des.Time, packets int) {
		sim.Run(t)
		for range packets {
			link.Receive(sim.Now(), raw(1000, 0))
		}
	}
	offer(0, 4)    // 0 ends at 1000, 1 at 2500, 2 would at 4500
	offer(3400, 1) // for the queue
	offer(5000, 2) // while it is down
	offer(6000, 1)
	sim.RunIdle()
	checkConservation(t, link)
	var got []des.Time
	for _, a := range sink.got {
		got = append(got, a.at)
	}
	if want := []des.Time{1100, 2700, 7200}; !slices.Equal(got, want) {
		t.Errorf("arrivals at %v, want %v", got, want)
	}
	s := link.Stats()
	if s.Down.Packets != 2 || s.Discarded.Packets != 3 || s.Dropped.Packets != 5 || events[Discarded] != 3 || events[Dropped] != 2 {
		t.Errorf("%+v, %v", s, events)
	}
	if LinkUp.String() != "up" || ChangeKind(9).String() != "kind 9" {
		t.Error(LinkUp, ChangeKind(9))
	}
}

// What is on the wire of a link that goes down is lost.
func TestDownLosesTheWire(t *testing.T) {
	sim, sink := des.New(1, 0), &counter{}
	link := newLink(t, sim, LinkConfig{Delay: 1000, Changes: []Change{{At: 500, Kind: LinkDown}, {At: 600, Kind: LinkUp}}}, sink)
	link.Receive(0, raw(100, 0))
	sim.Run(700)
	link.Receive(700, raw(100, 1))
	sim.RunIdle()
	checkConservation(t, link)
	if s := link.Stats(); s.Lost.Packets != 1 || sink.packets != 1 {
		t.Errorf("%+v", s)
	}
}
