package network

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// offer is a packet that a property test sends.
type offer struct {
	at   des.Time
	size uint32
}

// outcome is what becomes of it.
type outcome struct {
	dropped         bool
	start, end, due des.Time
}

// reference is the link in rational arithmetic, with every departure worked out
// on its own: a packet leaves at max(its arrival, departure of the one before)
// + size*8/rate, and the queue at an arrival is who has not left.
func reference(config LinkConfig, offers []offer) []outcome {
	outcomes := make([]outcome, len(offers))
	last := new(big.Rat)
	for i, o := range offers {
		packets, bytes := 0, int64(0)
		for j, f := range outcomes[:i] {
			if !f.dropped && f.end > o.at {
				packets++
				bytes += int64(offers[j].size)
			}
		}
		q := config.Queue
		if q.Packets > 0 && packets >= q.Packets || q.Bytes > 0 && bytes+int64(o.size) > q.Bytes {
			outcomes[i].dropped = true
			continue
		}
		start := new(big.Rat).SetInt64(int64(o.at))
		if start.Cmp(last) < 0 {
			start.Set(last)
		}
		last = start
		outcomes[i].start = floor(start)
		if config.Rate > 0 {
			last = new(big.Rat).Add(start, big.NewRat(int64(o.size)*8e9, config.Rate))
		}
		outcomes[i].end = floor(last)
		outcomes[i].due = outcomes[i].end + config.Delay
	}
	return outcomes
}

func floor(r *big.Rat) des.Time {
	return des.Time(new(big.Int).Div(r.Num(), r.Denom()).Int64())
}

func drawOffers(t *rapid.T) []offer {
	offers := make([]offer, rapid.IntRange(1, 60).Draw(t, "packets"))
	now := des.Time(rapid.Int64Range(0, 10).Draw(t, "first"))
	for i := range offers {
		gap := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 20), rapid.Int64Range(0, 3000)).Draw(t, "gap")
		now += des.Time(gap)
		offers[i] = offer{now, rapid.Uint32Range(1, 1500).Draw(t, "size")}
	}
	return offers
}

// pacedTail is drop-tail that makes the link use a paced queue.
type pacedTail struct{ DropTail }

func drawConfig(t *rapid.T) LinkConfig {
	return LinkConfig{
		Discipline: rapid.SampledFrom([]Discipline{nil, DropTail{}, pacedTail{}}).Draw(t, "discipline"),
		Rate:       rapid.SampledFrom([]int64{0, 1e9, 3e9, 7_777_777_777, 100e9, 999_999_999_989}).Draw(t, "rate"),
		Delay:      des.Time(rapid.Int64Range(0, 5000).Draw(t, "delay")),
		Queue: QueueLimit{
			Packets: rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "packet limit"),
			Bytes:   rapid.SampledFrom([]int64{0, 1500, 4000}).Draw(t, "byte limit"),
		},
	}
}

// Whatever is offered, the lazy link drops, starts, ends and delivers as the
// reference does, and its integrals are those of the reference's queue.
func TestLinkAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config, offers := drawConfig(t), drawOffers(t)
		want := reference(config, offers)
		sim := des.New(1, 0)
		end := offers[len(offers)-1].at + 1_000_000
		sink := &collector{}
		link, err := NewLink(sim, "a->b", config, sink)
		if err != nil {
			t.Fatal(err)
		}
		dropped := map[int]bool{}
		link.AddTap(tapFunc(func(_ des.Time, e TapEvent, seg *segment.Segment) {
			if e == Dropped {
				dropped[int(seg.Seq)] = true
			}
		}))
		for i, o := range offers {
			at(sim, o.at, func() {
				link.Receive(o.at, raw(o.size, i))
				if got, want := link.Queued(), queuedAt(offers, want, i, o.at); got != want {
					t.Fatalf("after packet %d at %d: queued %v, want %v", i, o.at, got, want)
				}
			})
		}
		sim.Run(end)
		var got, expected []string
		for _, a := range sink.got {
			got = append(got, fmt.Sprintf("%d at %d", a.seg.Seq, a.at))
		}
		s := link.Stats()
		busy, wait, sojourn, byteTime := des.Time(0), uint64(0), uint64(0), uint64(0)
		for i, f := range want {
			if f.dropped != dropped[i] {
				t.Fatalf("packet %d: dropped %v, want %v", i, dropped[i], f.dropped)
			}
			if f.dropped {
				continue
			}
			expected = append(expected, fmt.Sprintf("%d at %d", i, f.due))
			busy += f.end - f.start
			wait += uint64(f.start - offers[i].at)
			sojourn += uint64(f.end - offers[i].at)
			byteTime += uint64(f.end-offers[i].at) * uint64(offers[i].size)
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Fatalf("-want +delivered\n%s", diff)
		}
		if s.Busy != busy || s.Wait != wait || s.Sojourn != sojourn || s.PacketTime != sojourn || s.ByteTime != (ByteTime{0, byteTime}) {
			t.Fatalf("stats %+v, want busy %d, wait %d, sojourn and packet time %d, byte time %d", s, busy, wait, sojourn, byteTime)
		}
	})
}

// queuedAt counts who of the first i+1 packets has come and not left at now.
func queuedAt(offers []offer, outcomes []outcome, i int, now des.Time) (c Count) {
	for j := range i + 1 {
		if !outcomes[j].dropped && outcomes[j].end > now {
			c.Packets++
			c.Bytes += uint64(offers[j].size)
		}
	}
	return c
}

// A stray look at the link in between, which makes it account early, changes
// nothing: neither what it does nor what it counts.
func TestLinkLooksChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config, offers := drawConfig(t), drawOffers(t)
		config.Loss = 0.3
		looks := rapid.SliceOfN(rapid.Int64Range(0, 100_000), 0, 20).Draw(t, "looks")
		var deliveries [2][]arrival
		var stats [2]Stats
		for run := range 2 {
			sim, sink := des.New(1, 0), &collector{}
			var link *Link
			for i, o := range offers {
				at(sim, o.at, func() { link.Receive(o.at, raw(o.size, i)) })
			}
			if run == 1 {
				for _, look := range looks {
					at(sim, des.Time(look), func() { link.Stats() })
				}
			}
			link, _ = NewLink(sim, "a->b", config, sink)
			sim.Run(1_000_000)
			deliveries[run], stats[run] = sink.got, link.Stats()
		}
		if !slices.Equal(deliveries[0], deliveries[1]) || stats[0] != stats[1] {
			t.Fatalf("without looks %+v, with looks %+v", stats[0], stats[1])
		}
	})
}

// Counts hold at every moment, also for the differences of two readings.
func TestConservationAndLittle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config, offers := drawConfig(rt), drawOffers(rt)
		config.Loss = rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(rt, "loss")
		config.Overhead = rapid.IntRange(0, 40).Draw(rt, "overhead")
		sim := des.New(rapid.Uint64().Draw(rt, "seed"), 0)
		link, err := NewLink(sim, "a->b", config, &counter{})
		if err != nil {
			rt.Fatal(err)
		}
		half := link.Stats()
		for i, o := range offers {
			at(sim, o.at, func() {
				link.Receive(o.at, raw(o.size, i))
				checkConservation(t, link)
				if i == len(offers)/2 {
					half = link.Stats()
				}
			})
		}
		sim.RunIdle()
		checkConservation(t, link)
		s := link.Stats()
		if s.InFlight != (Count{}) || s.Offered.Packets != uint64(len(offers)) {
			rt.Fatalf("at the end: %+v", s)
		}
		if s.PacketTime != s.Sojourn || s.Wait+uint64(s.Busy) != s.Sojourn {
			rt.Fatalf("L*T is %d, the sum of sojourn times %d, of waiting times and services %d", s.PacketTime, s.Sojourn, s.Wait+uint64(s.Busy))
		}
		later := s.Since(half)
		if later.Offered.Packets != uint64(len(offers)-len(offers)/2-1) || later.Elapsed != s.At-half.At {
			rt.Fatalf("second half: %+v", later)
		}
	})
}
