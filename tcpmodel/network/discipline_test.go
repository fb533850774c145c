package network

import (
	"math"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// stream sends packets of one flow at a constant rate, from a start on.
type stream struct {
	sim   *des.Sim
	timer des.Timer
	to    Sink
	seg   segment.Segment
	gap   des.Time
	until des.Time
}

func newStream(sim *des.Sim, to Sink, port uint16, size uint32, gap, from, until des.Time) *stream {
	s := &stream{sim: sim, to: to, gap: gap, until: until}
	s.seg = segment.Segment{Kind: segment.KindRaw, Src: 1, Dst: 2, SrcPort: port, Len: size, ECN: segment.ECT0}
	s.timer = sim.NewTimer(sim.NewComponent("stream"), s, 0)
	sim.Arm(s.timer, from)
	return s
}

func (s *stream) HandleTimer(now des.Time, _ uint64) {
	s.to.Receive(now, &s.seg)
	s.seg.Seq++
	if now+s.gap < s.until {
		s.sim.Arm(s.timer, now+s.gap)
	}
}

// perFlow measures what comes out of a link, by source port.
type perFlow struct {
	bytes, marked map[uint16]int
	last          map[uint16]segment.Seq
	backwards     int
}

func newPerFlow() *perFlow {
	return &perFlow{map[uint16]int{}, map[uint16]int{}, map[uint16]segment.Seq{}, 0}
}

func (p *perFlow) Receive(_ des.Time, seg *segment.Segment) {
	if last, seen := p.last[seg.SrcPort]; seen && !last.Less(seg.Seq) {
		p.backwards++
	}
	p.last[seg.SrcPort] = seg.Seq
	p.bytes[seg.SrcPort] += int(seg.Len)
	if seg.ECN == segment.CE {
		p.marked[seg.SrcPort]++
	}
}

// The probability is that of the average, on both slopes.
func TestREDProbability(t *testing.T) {
	tests := []struct {
		avg     float64
		gentle  bool
		meanGap float64 // (1/p+1)/2; 0: nothing is dropped
	}{
		{4.99, true, 0},
		{10, true, 10.5},  // p = 0.05
		{10, false, 10.5}, // p = 0.05
		{14.999999, false, 5.5},
		{15, false, 1},
		{15, true, 5.5},
		{21.0 + 2.0/3, true, 1.5}, // p = 0.5
		{30, true, 1},
	}
	for _, tt := range tests {
		config := DefaultRED()
		config.Gentle, config.Weight = tt.gentle, 1e-300
		link := newLink(t, des.New(1, 0), LinkConfig{Rate: 1, Discipline: config}, &counter{})
		link.Receive(0, raw(1000, 0))
		d := link.gate.paced.discipline.(*red)
		d.avg = tt.avg
		const packets = 100_000
		drops := 0
		for range packets {
			switch d.admit(0, raw(1000, 0), 1000) {
			case dropEarly:
				drops++
			case dropFull, admitMark:
				t.Fatal("no early drop")
			}
		}
		if tt.meanGap == 0 {
			if drops > 0 {
				t.Errorf("average %v: %d drops", tt.avg, drops)
			}
			continue
		}
		// A gap is uniform on 1 to 2*mean-1: its variance is (n^2-1)/12.
		n := 2*tt.meanGap - 1
		tolerance := 3.3 * math.Sqrt((n*n-1)/12/float64(drops))
		if got := packets / float64(drops); math.Abs(got-tt.meanGap) > tolerance+n/packets {
			t.Errorf("average %v, gentle %v: mean gap %v, want %v within %v", tt.avg, tt.gentle, got, tt.meanGap, tolerance)
		}
	}
}

// Early drops spare what is marked; full queues and averages above the upper
// threshold do not.
func TestREDMarks(t *testing.T) {
	config := DefaultRED()
	config.ECN, config.Weight, config.MaxP = true, 1e-300, 1
	link := newLink(t, des.New(1, 0), LinkConfig{Rate: 1, Discipline: config, Queue: QueueLimit{Packets: 2}}, &counter{})
	link.Receive(0, raw(1000, 0))
	d := link.gate.paced.discipline.(*red)
	capable, not := segment.Segment{ECN: segment.ECT1}, segment.Segment{}
	verdicts := func(avg float64) [2]verdict {
		d.avg = avg
		return [2]verdict{d.admit(0, &capable, 1000), d.admit(0, &not, 1000)}
	}
	if got := verdicts(14.9999999999); got != [2]verdict{admitMark, dropEarly} {
		t.Errorf("below the upper threshold: %v", got)
	}
	d.since = 5
	if got := verdicts(30); got != [2]verdict{dropEarly, dropEarly} || d.since != 0 {
		t.Errorf("above it: %v", got)
	}
	d.avg = 0
	link.Receive(0, raw(1000, 0))
	if got := verdicts(10); got != [2]verdict{dropFull, dropFull} {
		t.Errorf("in a full queue: %v", got)
	}
	if s := link.Stats(); s.Early.Packets != 0 || s.Offered.Packets != 2 {
		t.Errorf("%+v", s)
	}
}

// While the link is idle the average decays as if packets of the mean size had
// come.
func TestREDDecay(t *testing.T) {
	config := DefaultRED()
	config.MeanPacket, config.Weight = 1000, 0.25
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{Rate: 8e6, Discipline: config}, &counter{}) // 1 ms a packet
	link.Receive(0, raw(1000, 0))
	d := link.gate.paced.discipline.(*red)
	d.avg = 4
	sim.Run(3500 * des.Microsecond) // idle for 2.5 ms: two packets
	link.Receive(sim.Now(), raw(1000, 0))
	if want := 4 * 0.75 * 0.75; d.avg != want {
		t.Errorf("average %v, want %v", d.avg, want)
	}
	link.setDown(sim.Now(), true) // the packet in service goes
	link.setDown(sim.Now(), false)
	d.avg = 4
	sim.Run(sim.Now() + 1500*des.Microsecond)
	link.Receive(sim.Now(), raw(1000, 0))
	if want := 4 * 0.75; d.avg != want {
		t.Errorf("average %v after the link was down, want %v", d.avg, want)
	}
	if power(0.5, 10) != 1.0/1024 || power(0.3, 0) != 1 {
		t.Error(power(0.5, 10), power(0.3, 0))
	}
}

// With ECN the marks come when the drops would have come.
func TestCoDelMarks(t *testing.T) {
	config := DefaultCoDel()
	drops, _ := overload(t, config, des.Second)
	config.ECN = true
	sim, out := des.New(1, 0), newPerFlow()
	link := newLink(t, sim, LinkConfig{Rate: 10_000_000, Discipline: config}, out)
	newStream(sim, link, 1, 125, 200*des.Microsecond/3, 0, des.Second)
	sim.Run(des.Second)
	s := link.Stats()
	checkConservation(t, link)
	if s.Dropped.Packets != 0 || s.Marked.Packets < 20 || s.Marked.Packets-uint64(out.marked[1]) > 1 {
		t.Errorf("%d dropped, %d marked, %d arrived with a mark", s.Dropped.Packets, s.Marked.Packets, out.marked[1])
	}
	if n := uint64(len(drops)); s.Marked.Packets != n {
		t.Errorf("%d marks, where there were %d drops", s.Marked.Packets, n)
	}
}

// A queue that drains within an interval is left alone, however long it was.
func TestCoDelLeavesBurstsAlone(t *testing.T) {
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{Rate: 10_000_000, Discipline: DefaultCoDel()}, &counter{})
	for burst := range des.Time(10) {
		sim.Run(burst * 200 * des.Millisecond)
		for range 80 { // 96 ms
			link.Receive(sim.Now(), raw(1500, 0))
		}
	}
	sim.RunIdle()
	if s := link.Stats(); s.Dropped.Packets != 0 || s.Delivered.Packets != 800 {
		t.Errorf("%+v", s)
	}
}

// A packet that has nothing behind it is no standing queue, however long it
// has waited.
func TestCoDelNeedsAQueue(t *testing.T) {
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{Rate: 1e6, Discipline: DefaultCoDel()}, &counter{})
	link.Receive(0, raw(1500, 0))
	newStream(sim, link, 1, 1500, 12*des.Millisecond, 0, 10*des.Second) // each waits for 12 ms
	sim.RunIdle()
	if s := link.Stats(); s.Dropped.Packets != 0 || s.MeanWait() < 0.011 {
		t.Errorf("%+v", s)
	}
}

// After a pause shorter than 16 intervals dropping goes on near the rate of
// before; after a longer one it begins anew (RFC 8289 section 5.4).
func TestCoDelResumes(t *testing.T) {
	second := func(pause des.Time) (resumed uint32) {
		config := DefaultCoDel()
		config.MTU = 125
		sim := des.New(1, 0)
		link := newLink(t, sim, LinkConfig{Rate: 10_000_000, Discipline: config}, &counter{})
		newStream(sim, link, 1, 125, 200*des.Microsecond/3, 0, 3*des.Second)
		sim.RunIdle()
		state := &link.gate.paced.discipline.(*codel).state
		if state.dropping {
			t.Fatal("drops from an empty queue")
		}
		start := sim.Now() + pause
		newStream(sim, link, 1, 125, 200*des.Microsecond/3, start, start+des.Second)
		for !state.dropping {
			sim.Step()
		}
		if state.lastCount != state.count {
			t.Errorf("count %d, last count %d", state.count, state.lastCount)
		}
		return state.count
	}
	if n := second(100 * des.Millisecond); n < 50 {
		t.Errorf("resumed with count %d", n)
	}
	if n := second(2 * des.Second); n != 1 {
		t.Errorf("began anew with count %d", n)
	}
}

func TestCEThreshold(t *testing.T) {
	config := DefaultCoDel()
	config.CEThreshold = des.Millisecond
	sim, out := des.New(1, 0), newPerFlow()
	link := newLink(t, sim, LinkConfig{Rate: 8e6, Discipline: config}, out) // 1 ms a packet
	seg := segment.Segment{Kind: segment.KindRaw, SrcPort: 1, Len: 1000, ECN: segment.ECT0}
	for range 4 { // they wait for 0, 1, 2 and 3 ms
		link.Receive(0, &seg)
		seg.Seq++
	}
	sim.RunIdle()
	if out.marked[1] != 2 {
		t.Errorf("%d marks, want 2", out.marked[1])
	}
}

// Two greedy flows with different packets share the link equally, and a thin
// flow is neither delayed nor dropped; order within a flow is kept.
func TestFQCoDelIsFair(t *testing.T) {
	sim, out := des.New(1, 0), newPerFlow()
	config := DefaultFQCoDel()
	config.CoDel.ECN = false
	link := newLink(t, sim, LinkConfig{Rate: 12e6, Discipline: config, Queue: QueueLimit{Packets: 200}}, out)
	worst := des.Time(0)
	link.AddTap(tapFunc(func(now des.Time, e TapEvent, seg *segment.Segment) {
		if seg.SrcPort == 3 && e == Delivered {
			worst = max(worst, now-des.Time(seg.Seq)*10*des.Millisecond)
		}
		if seg.SrcPort == 3 && (e == Dropped || e == Discarded) {
			t.Error("the thin flow is dropped")
		}
	}))
	newStream(sim, link, 1, 1500, des.Millisecond, 0, 10*des.Second)    // 12 Mbit/s
	newStream(sim, link, 2, 300, 100*des.Microsecond, 0, 10*des.Second) // 24 Mbit/s
	newStream(sim, link, 3, 100, 10*des.Millisecond, 0, 10*des.Second)  // 0.08 Mbit/s
	sim.Run(10 * des.Second)
	checkConservation(t, link)
	if share := float64(out.bytes[1]) / float64(out.bytes[2]); math.Abs(share-1) > 0.01 {
		t.Errorf("shares of %d and %d bytes", out.bytes[1], out.bytes[2])
	}
	if out.bytes[3] < 990*100 || worst > 3*des.Millisecond {
		t.Errorf("thin flow: %d bytes of 100000, longest delay %v", out.bytes[3], worst)
	}
	if out.backwards > 0 {
		t.Errorf("%d packets came out of order", out.backwards)
	}
	if s := link.Stats(); s.Discarded != s.Dropped || s.Queued.Packets > 200 {
		t.Errorf("%+v", s)
	}
}

// A new flow that has become empty waits for the old ones before it is new
// again, unless there are none (RFC 8290 section 4.2).
func TestFQCoDelNewFlowsWait(t *testing.T) {
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{Rate: 8e6, Discipline: DefaultFQCoDel()}, &counter{}) // 1 ms a packet
	d := link.gate.paced.discipline.(*fqCoDel)
	offer := func(port uint16) {
		link.Receive(sim.Now(), &segment.Segment{Kind: segment.KindRaw, SrcPort: port, Len: 1000})
	}
	offer(2) // in service
	offer(2)
	sim.Run(1500 * des.Microsecond)
	if d.fresh.count+d.old.count != 1 {
		t.Fatalf("%d new and %d old flows, want the one in service", d.fresh.count, d.old.count)
	}
	for range 10 {
		offer(1)
	}
	sim.Run(4500 * des.Microsecond) // flow 1 is in its second turn
	offer(2)
	if d.fresh.count != 1 || d.old.count != 1 {
		t.Fatalf("%d new and %d old flows, want one of each", d.fresh.count, d.old.count)
	}
	sim.Run(6500 * des.Microsecond) // flow 2 was served and is empty
	offer(2)
	if d.fresh.count != 0 || d.old.count != 2 {
		t.Errorf("%d new and %d old flows, want two old ones", d.fresh.count, d.old.count)
	}
	sim.RunIdle()
	if d.fresh.count+d.old.count != 0 || d.backlog != 0 {
		t.Errorf("at the end %d new and %d old flows, %d bytes", d.fresh.count, d.old.count, d.backlog)
	}
}

// A full queue loses half of the fattest flow at once, at most a batch.
func TestFQCoDelDropBatch(t *testing.T) {
	for batch, want := range map[int]uint64{64: 51, 10: 10} {
		config := DefaultFQCoDel()
		config.DropBatch = batch
		link := newLink(t, des.New(1, 0), LinkConfig{Rate: 1, Discipline: config, Queue: QueueLimit{Packets: 101}}, &counter{})
		for range 102 { // one is in service
			link.Receive(0, raw(100, 0))
		}
		if s := link.Stats(); s.Discarded.Packets != want {
			t.Errorf("batch of %d: %d dropped, want %d", batch, s.Discarded.Packets, want)
		}
		checkConservation(t, link)
	}
}

// Flows are spread over the queues, and the spread is another in another run.
func TestFlowHash(t *testing.T) {
	place := func(seed uint64) (of []int32) {
		link := newLink(t, des.New(seed, 0), LinkConfig{Discipline: DefaultFQCoDel()}, &counter{})
		d := link.gate.paced.discipline.(*fqCoDel)
		for port := range uint16(10_000) {
			of = append(of, d.classify(&segment.Segment{Src: 1, Dst: 2, SrcPort: port, DstPort: 80}))
		}
		return of
	}
	one, same, two := place(1), place(1), place(2)
	counts, moved := make([]int, 1024), 0
	for i := range one {
		counts[one[i]]++
		if one[i] != same[i] {
			t.Fatal("the hash is not a function of the seed")
		}
		if one[i] != two[i] {
			moved++
		}
	}
	chi2 := 0.0
	for _, n := range counts {
		e := 10_000.0 / 1024
		chi2 += (float64(n) - e) * (float64(n) - e) / e
	}
	if chi2 > 1023+3.3*math.Sqrt(2*1023) || moved < 9900 {
		t.Errorf("chi-square %.0f of 1023 degrees, %d of 10000 flows moved", chi2, moved)
	}
}
