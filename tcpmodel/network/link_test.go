package network

import (
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// state returns when k packets of size bytes back to back from time 0 are
// serialised, rounded down, and the remainder of the division, by big integers.
func state(k, size, rate int64) (des.Time, uint64) {
	work := new(big.Int).Mul(big.NewInt(k), big.NewInt(size))
	work.Mul(work, big.NewInt(8e9))
	quotient, rest := work.DivMod(work, big.NewInt(rate), new(big.Int))
	return des.Time(quotient.Int64()), rest.Uint64()
}

// Serialisation does not drift: from the exact state after k packets back to
// back, for any k up to 10^9 and beyond, one more leads to the exact state
// after k+1. With the state after 0 packets, which is the zero value, that is
// all of them by induction.
func TestSerializationDoesNotDrift(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, k, size, rate int64) {
		l := &Link{rate: uint64(rate)}
		l.finish, l.remainder = state(k, size, rate)
		l.serve(l.finish, uint32(size))
		if finish, rest := state(k+1, size, rate); l.finish != finish || l.remainder != rest {
			t.Fatalf("packet %d of %d bytes at %d bit/s: ends at %d + %d/rate, want %d + %d/rate", k+1, size, rate, l.finish, l.remainder, finish, rest)
		}
	}
	check(t, 999_999_999, 64, 100e9) // 5.12 ns each: 5.12 s in all
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.Int64Range(0, 2e9).Draw(t, "packets"), rapid.Int64Range(1, 65535).Draw(t, "size"), rapid.Int64Range(1e6, 1e12).Draw(t, "rate"))
	})
}

// The same, run: a saturated link is on time after a million packets whose
// serialisation takes 5.12 ns.
func TestSaturatedLinkIsOnTime(t *testing.T) {
	const packets = 1_000_000
	sim := des.New(1, 0)
	sent := 1
	var link *Link
	var last des.Time
	link = newLink(t, sim, LinkConfig{Rate: 100e9}, sinkFunc(func(now des.Time, seg *segment.Segment) {
		last = now
		if sent < packets {
			sent++
			link.Receive(now, seg) // two were waiting, so that the link never idles
		}
	}))
	for range 2 {
		link.Receive(0, raw(64, 0))
		sent++
	}
	sent--
	sim.RunIdle()
	if last != 5_120_000 {
		t.Errorf("%d packets of 5.12 ns took %v, want 5.12ms", packets, last)
	}
	if s := link.Stats(); s.Utilization() != 1 || s.Delivered.Packets != packets {
		t.Errorf("stats %+v", s)
	}
}

// A sink that sends into the link that is delivering to it makes the ring grow
// and wrap under it; the packet in its hands stays the same, and packets arrive
// in the order in which they were sent.
func TestSinkSendsIntoItsLink(t *testing.T) {
	sim := des.New(1, 0)
	var link *Link
	var sent, got []segment.Seq
	send := func(now des.Time, seg *segment.Segment) {
		sent = append(sent, seg.Seq)
		link.Receive(now, seg)
	}
	link = newLink(t, sim, LinkConfig{Delay: 10}, sinkFunc(func(now des.Time, seg *segment.Segment) {
		id := seg.Seq
		for range 5 {
			if len(sent) < 500 {
				send(now, raw(100, len(sent)))
			}
		}
		if len(sent) < 600 {
			send(now, seg) // memory of the ring itself
		}
		if seg.Seq != id {
			t.Errorf("packet %d became %d while it was delivered", id, seg.Seq)
		}
		got = append(got, id)
	}))
	send(0, raw(100, 0))
	sim.RunIdle()
	if diff := cmp.Diff(sent, got); diff != "" || len(got) != 600 {
		t.Errorf("%d packets, -sent +delivered\n%s", len(got), diff)
	}
	checkConservation(t, link)
}

func TestQueueLimits(t *testing.T) {
	tests := []struct {
		name  string
		limit QueueLimit
		want  int // packets of 1000 bytes of 10 that are admitted at once
	}{
		{"none", QueueLimit{}, 10},
		{"packets count the one in service", QueueLimit{Packets: 3}, 3},
		{"one packet", QueueLimit{Packets: 1}, 1},
		{"bytes", QueueLimit{Bytes: 4000}, 4},
		{"bytes, one short", QueueLimit{Bytes: 3999}, 3},
		{"both, packets bind", QueueLimit{Packets: 2, Bytes: 4000}, 2},
		{"both, bytes bind", QueueLimit{Packets: 5, Bytes: 4000}, 4},
		{"no packet fits", QueueLimit{Bytes: 999}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim, sink := des.New(1, 0), &counter{}
			link := newLink(t, sim, LinkConfig{Rate: 8e6, Queue: tt.limit}, sink)
			for i := range 10 {
				link.Receive(0, raw(1000, i))
			}
			s := link.Stats()
			if s.Queued.Packets != uint64(tt.want) || s.Dropped.Packets != uint64(10-tt.want) {
				t.Errorf("%d queued, %d dropped, want %d and %d", s.Queued.Packets, s.Dropped.Packets, tt.want, 10-tt.want)
			}
			sim.RunIdle()
			if sink.packets != tt.want {
				t.Errorf("%d delivered, want %d", sink.packets, tt.want)
			}
			checkConservation(t, link)
		})
	}
}

// A packet that leaves at the moment of an arrival has left.
func TestDepartureComesBeforeArrival(t *testing.T) {
	sim, sink := des.New(1, 0), &counter{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Queue: QueueLimit{Packets: 1}}, sink)
	for i := range des.Time(5) {
		sim.Run(i * 1000)
		link.Receive(i*1000, raw(1000, 0))
	}
	sim.RunIdle()
	if sink.packets != 5 {
		t.Errorf("%d of 5 packets delivered", sink.packets)
	}
}

func TestOverheadCounts(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Overhead: 38}, sink)
	syn := &segment.Segment{Flags: segment.SYN, Opts: segment.OptMSS}
	link.Receive(0, syn)
	sim.RunIdle()
	if sink.got[0].at != 44+38 || link.Stats().Delivered.Bytes != 44+38 {
		t.Errorf("delivered at %d, %d bytes, want 82 and 82", sink.got[0].at, link.Stats().Delivered.Bytes)
	}
}

// A lost packet holds up those behind it as if it were not lost.
func TestLostPacketsTakeTheirTime(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Delay: 5, Queue: QueueLimit{Packets: 3}, Faults: []Fault{{Ordinals: []uint64{1, 2}}}}, sink)
	var seen []TapEvent
	link.AddTap(tapFunc(func(_ des.Time, e TapEvent, _ *segment.Segment) { seen = append(seen, e) }))
	for i := range 4 {
		link.Receive(0, raw(1000, i))
	}
	sim.RunIdle()
	if len(sink.got) != 1 || sink.got[0].at != 3005 || sink.got[0].seg.Seq != 2 {
		t.Errorf("delivered %v, want packet 2 at 3005", sink.got)
	}
	if diff := cmp.Diff([]TapEvent{Sent, Sent, Sent, Dropped, Lost, Lost, Delivered}, seen); diff != "" {
		t.Errorf("tap: -want +got\n%s", diff)
	}
	if s := link.Stats(); s.Lost.Packets != 2 || s.Dropped.Packets != 1 || s.Busy != 3000 {
		t.Errorf("stats %+v", s)
	}
	checkConservation(t, link)
}

func TestLossOfOneAndZero(t *testing.T) {
	for _, p := range []float64{0, 1} {
		sim, sink := des.New(1, 0), &counter{}
		link := newLink(t, sim, LinkConfig{Loss: p}, sink)
		for i := range 10_000 {
			link.Receive(0, raw(100, i))
		}
		sim.RunIdle()
		if want := 10_000 * (1 - int(p)); sink.packets != want {
			t.Errorf("loss %v: %d delivered, want %d", p, sink.packets, want)
		}
	}
}

func TestSetRate(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Delay: 10}, sink)
	for i := range 4 {
		link.Receive(0, raw(1000, i))
	}
	for _, change := range []struct {
		at   des.Time
		rate int64
	}{
		{1500, 4e9}, // packet 1 has 500 bytes left: 1000 ns, ends at 2500
		{2500, 2e9}, // packet 2 starts now: 4000 ns, ends at 6500
		{6501, 0},   // packet 3 is in service for 1 ns and leaves at once
	} {
		sim.Run(change.at)
		if err := link.SetRate(change.rate); err != nil {
			t.Fatal(err)
		}
	}
	sim.RunIdle()
	want := []des.Time{1010, 2510, 6510, 6511}
	for i, a := range sink.got {
		if a.at != want[i] || a.seg.Seq != segment.Seq(i) {
			t.Errorf("delivery %d: packet %d at %d, want %d", i, a.seg.Seq, a.at, want[i])
		}
	}
	if s := link.Stats(); s.Busy != 6501 || len(sink.got) != 4 || link.Rate() != 0 {
		t.Errorf("rate %d, stats %+v", link.Rate(), s)
	}
	if err := link.SetRate(-1); err == nil || !strings.Contains(err.Error(), "a->b") {
		t.Errorf("rate -1: %v", err)
	}
}

// Setting the rate that a link has, at any moment, changes nothing.
func TestSetSameRateChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config, offers := drawConfig(t), drawOffers(t)
		moments := rapid.SliceOfN(rapid.Int64Range(0, 100_000), 1, 10).Draw(t, "moments")
		var got [2]collector
		for run := range 2 {
			sim := des.New(1, 0)
			var link *Link
			for i, o := range offers {
				at(sim, o.at, func() { link.Receive(o.at, raw(o.size, i)) })
			}
			for _, moment := range moments {
				at(sim, des.Time(moment), func() {
					if run == 0 {
						return
					}
					if err := link.SetRate(config.Rate); err != nil {
						t.Fatal(err)
					}
					if err := link.SetDelay(config.Delay); err != nil {
						t.Fatal(err)
					}
				})
			}
			link, _ = NewLink(sim, "a->b", config, &got[run])
			sim.RunIdle()
		}
		if diff := cmp.Diff(got[0].got, got[1].got, cmp.AllowUnexported(arrival{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestSetDelay(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	link := newLink(t, sim, LinkConfig{Rate: 8e9, Delay: 10_000}, sink)
	for i := range 3 {
		link.Receive(0, raw(1000, i))
	}
	sim.Run(1500) // packet 0 is on the wire until 11000
	if err := link.SetDelay(100); err != nil {
		t.Fatal(err)
	}
	sim.Run(12_000)
	link.Receive(12_000, raw(1000, 3))
	if err := link.SetDelay(7); err != nil { // before its serialisation ends
		t.Fatal(err)
	}
	sim.RunIdle()
	want := []des.Time{11_000, 11_000, 11_000, 13_007}
	for i, a := range sink.got {
		if a.at != want[i] || a.seg.Seq != segment.Seq(i) {
			t.Errorf("delivery %d: packet %d at %d, want %d", i, a.seg.Seq, a.at, want[i])
		}
	}
	if err := link.SetDelay(-1); err == nil || link.Delay() != 7 {
		t.Errorf("delay -1: %v, now %v", err, link.Delay())
	}
}

func TestConfigErrors(t *testing.T) {
	bad := LinkConfig{
		Shaper: TokenBucket{Burst: 1}, Policer: TokenBucket{Rate: 1, Burst: -1, Tick: -1}, MTU: 67, LossPeriod: -1,
		Gilbert: GilbertElliott{GoodToBad: 2}, Duplicate: -1, Corrupt: 2, Jitter: Jitter{Span: -1, Shape: 9},
		Reorder: Reorder{Probability: 0.5}, Changes: []Change{{At: 5}, {At: 4, Kind: 9}, {At: 5, Rate: -1}},
		Discipline: CoDel{}, Trace: &Trace{}, Rate: -1, Delay: -1, Queue: QueueLimit{Packets: -1}, Overhead: -1, Loss: 1.5,
		Faults: []Fault{{}, {From: 1, Action: Delay}, {From: 1, Extra: 5}},
	}
	_, err := NewLink(des.New(1, 0), "x", bad, &counter{})
	for _, want := range []string{"link x", "rate of -1", "delay of -1ns", "queue limit of -1", "overhead of -1", "loss 1.5", "hits no packet",
		"shaper: rate of 0", "policer: burst of -1", "tick of -1ns", "mtu of 67", "loss period of -1", "good to bad 2", "duplication -1", "corruption 2",
		"jitter of -1ns", "unknown shape 9", "needs an extra delay", "change 2 (kind 9 at 4ns): times must", "change 3 (rate at 5ns): rate of -1",
		"codel: target of 0s", "trace: is empty", "trace: takes the place", "extra delay of 0s", "goes with the action delay alone", "follows a trace",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestGiantPacketPanics(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("no panic")
		}
	}()
	newLink(t, des.New(1, 0), LinkConfig{}, &counter{}).Receive(0, raw(1<<30+1, 0))
}
