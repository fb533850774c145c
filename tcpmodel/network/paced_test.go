package network

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// step is something that a property test does to a link.
type step struct {
	at    des.Time
	kind  int // 0 to 5: a packet; then rate, delay, down, up, look
	value int64
}

func drawSteps(t *rapid.T) []step {
	steps := make([]step, rapid.IntRange(1, 60).Draw(t, "steps"))
	now := des.Time(0)
	for i := range steps {
		now += des.Time(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 20), rapid.Int64Range(0, 3000)).Draw(t, "gap"))
		s := step{at: now, kind: rapid.IntRange(0, 10).Draw(t, "kind")}
		switch {
		case s.kind <= 5:
			s.value = rapid.Int64Range(1, 1500).Draw(t, "size")
		case s.kind == 6:
			s.value = rapid.SampledFrom([]int64{0, 1e9, 3e9, 7_777_777_777, 100e9}).Draw(t, "rate")
		case s.kind == 7:
			s.value = rapid.Int64Range(0, 5000).Draw(t, "delay")
		}
		steps[i] = s
	}
	return steps
}

// do takes a step. Every link can go down here.
func (s step) do(l *Link, id int) error {
	switch s.kind {
	case 6:
		return l.SetRate(s.value)
	case 7:
		return l.SetDelay(des.Time(s.value))
	case 8, 9:
		l.setDown(s.at, s.kind == 8)
	case 10:
		return l.Check()
	default:
		seg := raw(uint32(s.value), id)
		seg.ECN = segment.ECT0
		l.Receive(s.at, seg)
		if seg.ECN != segment.ECT0 || seg.Corrupt {
			return errors.New("the packet of the caller was changed")
		}
	}
	return nil
}

// run takes the steps with a link of that configuration, checking its books
// after each, and returns the deliveries, the other events as text in sorted
// order and the counters.
func run(t *rapid.T, config LinkConfig, steps []step, seed uint64) ([]arrival, []string, Stats) {
	sim, sink := des.New(seed, 0), &collector{}
	config.Changes = []Change{{Kind: LinkUp}} // so that there is a gate
	var events []string
	var link *Link
	for i, s := range steps {
		at(sim, s.at, func() {
			if err := errors.Join(s.do(link, i), link.Check()); err != nil {
				t.Fatalf("step %d: %+v: %v", i, s, err)
			}
		})
	}
	link, err := NewLink(sim, "a->b", config, sink)
	if err != nil {
		t.Fatal(err)
	}
	link.AddTap(tapFunc(func(now des.Time, e TapEvent, seg *segment.Segment) {
		events = append(events, fmt.Sprint(now, e, seg.Seq))
	}))
	sim.Run(10 * des.Second)
	if err := link.Check(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(events)
	return sink.got, events, link.Stats()
}

// Drop-tail with an event at the end of each serialisation is drop-tail with
// arithmetic departures, whatever happens to the link.
func TestPacedQueueIsTheLazyQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config, steps := drawConfig(t), drawSteps(t)
		config.LossPeriod = rapid.IntRange(0, 3).Draw(t, "loss period")
		config.Discipline = DropTail{}
		lazy, lazyEvents, lazyStats := run(t, config, steps, 1)
		config.Discipline = pacedTail{}
		paced, pacedEvents, pacedStats := run(t, config, steps, 1)
		if !slices.Equal(lazy, paced) {
			t.Fatalf("deliveries\n%v, paced\n%v", lazy, paced)
		}
		if diff := cmp.Diff(lazyEvents, pacedEvents); diff != "" {
			t.Fatal(diff)
		}
		if lazyStats != pacedStats {
			t.Fatalf("stats\n%+v, paced\n%+v", lazyStats, pacedStats)
		}
	})
}

// Whatever a link does to packets, and whatever is done to it, its books are
// right after every step, and a second run is the same.
func TestBooksOfEveryKindOfLink(t *testing.T) {
	trace := &Trace{stamps: []des.Time{0, 1 * des.Microsecond, 1 * des.Microsecond, 4 * des.Microsecond}}
	rapid.Check(t, func(t *rapid.T) {
		config, steps := drawConfig(t), drawSteps(t)
		config.Discipline = drawDiscipline(t)
		config.Overhead = rapid.SampledFrom([]int{0, 0, 26}).Draw(t, "overhead")
		probability := rapid.SampledFrom([]float64{0, 0, 0.3, 1})
		config.Loss = probability.Draw(t, "loss")
		config.Duplicate = probability.Draw(t, "duplicate")
		config.Corrupt = probability.Draw(t, "corrupt")
		if rapid.Bool().Draw(t, "bursts") {
			config.Gilbert = GilbertElliott{0.2, 0.4, 0.1, 0.9}
		}
		config.Jitter = Jitter{Span: des.Time(rapid.SampledFrom([]int64{0, 0, 500}).Draw(t, "jitter")), Reordering: rapid.Bool().Draw(t, "reordering")}
		config.Reorder = Reorder{probability.Draw(t, "reorder"), 700}
		config.MTU = rapid.SampledFrom([]int{0, 0, 1400}).Draw(t, "mtu")
		if rapid.Bool().Draw(t, "policed") {
			config.Policer = TokenBucket{Rate: 2e9, Burst: 3000, Tick: des.Time(rapid.SampledFrom([]int64{0, 100}).Draw(t, "tick"))}
		}
		switch rapid.IntRange(0, 3).Draw(t, "service") {
		case 0:
			config.Shaper = TokenBucket{Rate: 3e9, Burst: 2000, Tick: des.Time(rapid.SampledFrom([]int64{0, 700}).Draw(t, "tick"))}
		case 1:
			config.Trace, config.Rate = trace, 0
			steps = slices.DeleteFunc(steps, func(s step) bool { return s.kind == 6 })
		}
		config.Faults = []Fault{{Ordinals: []uint64{3}, Action: Delay, Extra: 900}, {Ordinals: []uint64{4}, Action: Corrupt}, {Ordinals: []uint64{3, 5}, Action: Duplicate}, {Ordinals: []uint64{6}}}
		got, events, stats := run(t, config, steps, 7)
		again, eventsAgain, statsAgain := run(t, config, steps, 7)
		if !slices.Equal(got, again) || !slices.Equal(events, eventsAgain) || stats != statsAgain {
			t.Fatal("a second run is different")
		}
		if stats.InFlight != (Count{}) {
			t.Fatalf("at the end: %+v", stats)
		}
	})
}

// drawDiscipline draws a discipline with parameters for queues of microseconds.
func drawDiscipline(t *rapid.T) Discipline {
	codel := CoDel{Target: 50, Interval: 1000, ECN: rapid.Bool().Draw(t, "ecn"), CEThreshold: des.Time(rapid.SampledFrom([]int64{0, 30}).Draw(t, "ce threshold")), MTU: 100}
	red, pie := DefaultRED(), DefaultPIE()
	red.MinTh, red.MaxTh, red.Weight, red.ECN, red.Gentle = 1, 3, 0.5, codel.ECN, rapid.Bool().Draw(t, "gentle")
	pie.Target, pie.TUpdate, pie.MaxBurst, pie.ECN, pie.MeanPacket = 100, 10*des.Microsecond, 10*des.Microsecond, codel.ECN, 50
	pie.Alpha, pie.Beta = 1000, 1000
	return rapid.SampledFrom([]Discipline{nil, pacedTail{}, red, codel, FQCoDel{codel, 3, 300, 2}, pie}).Draw(t, "discipline")
}

// The names lead to disciplines whose defaults are valid.
func TestDisciplineNames(t *testing.T) {
	for _, name := range DisciplineNames() {
		d, err := DefaultDiscipline(name)
		if err != nil || d.Name() != name || d.Validate() != nil {
			t.Errorf("%s: %+v, %v, %v", name, d, err, d.Validate())
		}
	}
	if _, err := DefaultDiscipline("sfq"); err == nil {
		t.Error("sfq is known")
	}
	for _, d := range []Discipline{RED{}, CoDel{MTU: -1, CEThreshold: -1}, FQCoDel{}, PIE{MarkLimit: 2}} {
		if d.Validate() == nil {
			t.Errorf("%+v is valid", d)
		}
	}
}

// A link whose books are wrong is found out.
func TestCheckFindsErrors(t *testing.T) {
	for name, spoil := range map[string]func(l *Link){
		"a byte too many was lost":      func(l *Link) { l.stats.lost.Bytes++ },
		"a byte too many was delivered": func(l *Link) { l.stats.left.Bytes++ },
		"the queue was longer":          func(l *Link) { l.stats.packetTime++ },
		"a packet waited longer":        func(l *Link) { l.stats.wait++ },
		"a packet was queued twice":     func(l *Link) { l.gate.paced.packets++ },
		"jitter has lost a packet":      func(l *Link) { l.egress.delayer.waiting = nil },
		"tokens came from nowhere":      func(l *Link) { l.gate.policer.level++ },
		"dropped for more reasons":      func(l *Link) { l.stats.policed.Packets = 100 },
	} {
		sim := des.New(1, 0)
		link := newLink(t, sim, LinkConfig{
			Rate: 8e9, Discipline: DefaultCoDel(), Jitter: Jitter{Span: des.Second}, Policer: TokenBucket{Rate: 1e9, Burst: 10_000},
		}, &counter{})
		for range 20 {
			link.Receive(0, raw(1000, 0))
		}
		sim.Run(3500)
		checkConservation(t, link)
		spoil(link)
		if err := link.Check(); err == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

// So is a network that loses packets in a router or a host, unless something
// stands there that may do so.
func TestNetworkCheckFindsErrors(t *testing.T) {
	sim := des.New(1, 0)
	n, a, b, link := pipeline(t, sim, LinkConfig{Rate: 1e9})
	seg, stray := dataSegment(a, b), dataSegment(a, 77)
	for range 10 {
		n.Egress(a).Receive(0, &seg)
		n.Egress(a).Receive(0, &stray)
	}
	sim.Run(20 * des.Microsecond)
	if err := n.Check(); err != nil {
		t.Fatal(err)
	}
	router := n.find(n.Node("r1")).router
	router.noRoute.Bytes++
	if err := n.Check(); err == nil || !strings.Contains(err.Error(), "router r1") {
		t.Errorf("a byte too many without a route: %v", err)
	}
	router.noRoute.Bytes--
	n.find(b).host.undeliverable++
	if err := n.Check(); err == nil || !strings.Contains(err.Error(), "host b") {
		t.Errorf("a packet too many at the host: %v", err)
	}
	n.find(b).host.undeliverable--
	link.SetNext(&counter{})
	n.Egress(a).Receive(sim.Now(), &seg)
	sim.RunIdle()
	if err := n.Check(); err != nil {
		t.Errorf("with something between link and router: %v", err)
	}
}
