package network

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Against an unresponsive overload of 1.5 PIE settles at its target, with the
// probability that takes a third; the first burst goes unpunished, and an idle
// link has no events.
func TestPIEHoldsTarget(t *testing.T) {
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{Rate: 12e6, Discipline: DefaultPIE()}, &counter{})
	newStream(sim, link, 1, 1500, 2*des.Millisecond/3, 0, 60*des.Second)
	sim.Run(150 * des.Millisecond)
	if s := link.Stats(); s.Dropped.Packets != 0 {
		t.Errorf("%d drops in the first burst", s.Dropped.Packets)
	}
	sim.Run(40 * des.Second)
	start := link.Stats()
	sim.Run(60 * des.Second)
	s := link.Stats().Since(start)
	// The controller has an integral part, so that the mean error is 0 in the
	// long run; what is left over 20 s is the walk of random drops.
	if got := s.MeanWait(); math.Abs(got-0.015) > 0.002 {
		t.Errorf("mean delay %v s, want 0.015", got)
	}
	if got := s.DropFraction(); math.Abs(got-1.0/3) > 0.01 || s.Early != s.Dropped {
		t.Errorf("drop fraction %v, early %v of %v", got, s.Early, s.Dropped)
	}
	sim.RunIdle()
	checkConservation(t, link)
	d := link.gate.paced.discipline.(*pie)
	d.catchUp(sim.Now() + des.Hour + 1)
	if sim.Now() > 61*des.Second || d.prob != 0 || d.burst != d.MaxBurst || d.update <= sim.Now()+des.Hour+1 || (d.update-d.TUpdate)%d.TUpdate != 0 {
		t.Errorf("after an idle hour at %v: %+v", sim.Now(), d)
	}
}

// One update of the probability, worked out by hand from RFC 8033 sections 4.2,
// 5.5 and 4.5.
func TestPIEAdjusts(t *testing.T) {
	const ms = des.Millisecond
	tests := []struct {
		prob       float64
		delay, old des.Time
		want       float64
	}{
		{0.2, 30 * ms, 20 * ms, 0.2 + 0.014375}, // 0.125*0.015 + 1.25*0.010
		{0.05, 30 * ms, 20 * ms, 0.05 + 0.014375/2},
		{0.005, 30 * ms, 20 * ms, 0.005 + 0.014375/8},
		{0.0005, 30 * ms, 20 * ms, 0.0005 + 0.014375/32},
		{0.00005, 30 * ms, 20 * ms, 0.00005 + 0.014375/128},
		{0.000005, 30 * ms, 20 * ms, 0.000005 + 0.014375/512},
		{0, 30 * ms, 20 * ms, 0.014375 / 2048},
		{0.2, 100 * ms, 0, 0.22},               // a step of at most 2 %
		{0.05, 100 * ms, 0, 0.05 + 0.135625/2}, // but not below 10 %
		{0.05, 300 * ms, 300 * ms, 0.05 + 0.035625/2 + 0.02},
		{0.2, 300 * ms, 300 * ms, 0.24},
		{0.995, 300 * ms, 300 * ms, 1},
		{0.5, 0, 0, (0.5 - 0.001875) * 0.98},
		{0.5, 0, 20 * ms, 0.5 - 0.001875 - 0.025},
		{0.0000001, 0, 20 * ms, 0},
	}
	for _, tt := range tests {
		d := &pie{PIE: DefaultPIE(), prob: tt.prob, delay: tt.delay, old: tt.old, burst: 20 * ms}
		d.adjust()
		if math.Abs(d.prob-tt.want) > 1e-15 || d.old != tt.delay || d.burst != 5*ms {
			t.Errorf("%v with %v after %v: %v, want %v; burst %v", tt.prob, tt.delay, tt.old, d.prob, tt.want, d.burst)
		}
	}
	d := &pie{PIE: DefaultPIE(), delay: 7 * ms, old: 7 * ms}
	d.adjust()
	if d.burst != d.MaxBurst {
		t.Errorf("burst %v after a time of low delay", d.burst)
	}
}

// When PIE decides at all, and when without a draw.
func TestPIEStrikes(t *testing.T) {
	const ms = des.Millisecond
	tests := []struct {
		prob  float64
		accu  float64
		old   des.Time
		bytes uint64
		want  int // hits of 1000
	}{
		{1, 0, 8 * ms, 3001, 1000},
		{1, 0, 8 * ms, 3000, 0},    // two packets
		{0.19, 9, 7 * ms, 3001, 0}, // low delay, low probability
		{0.21, 9, 7 * ms, 3001, 1000},
		{0.19, 9, 8 * ms, 3001, 1000},
		{0.5, 0.3, 8 * ms, 3001, 0},  // too soon after the last one
		{0.5, 0.4, 8 * ms, 3001, -1}, // a draw
		{0, 9, 8 * ms, 3001, 0},
	}
	for _, tt := range tests {
		d := &pie{PIE: DefaultPIE(), rng: des.New(1, 0).Stream("x"), prob: tt.prob, old: tt.old}
		d.bytes = tt.bytes
		hits := 0
		for range 1000 {
			d.accu = tt.accu
			if d.strike() {
				hits++
			}
		}
		if tt.want >= 0 && hits != tt.want || tt.want < 0 && math.Abs(float64(hits)-500) > 3.3*math.Sqrt(250) {
			t.Errorf("%+v: %d hits", tt, hits)
		}
	}
}

// Updates that are made late are those made in time.
func TestPIEUpdatesLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := drawSteps(t)
		config := LinkConfig{Rate: 1e9, Discipline: PIE{
			Target: 1000, TUpdate: 10 * des.Microsecond, MaxBurst: 20 * des.Microsecond, Alpha: 1000, Beta: 1000, MeanPacket: 10,
		}}
		var stats [2]Stats
		var probability [2]float64
		for i := range stats {
			sim := des.New(3, 0)
			link, err := NewLink(sim, "a->b", config, &counter{})
			if err != nil {
				t.Fatal(err)
			}
			d := link.gate.paced.discipline.(*pie)
			for j, s := range steps {
				if s.kind > 5 {
					continue
				}
				for i == 1 && sim.Now() < s.at {
					sim.Run(min(s.at, sim.Now()+10*des.Microsecond-sim.Now()%(10*des.Microsecond)))
					d.catchUp(sim.Now())
				}
				sim.Run(s.at)
				link.Receive(s.at, raw(uint32(s.value), j))
			}
			d.catchUp(sim.Now())
			stats[i], probability[i] = link.Stats(), d.prob
		}
		if stats[0] != stats[1] || probability[0] != probability[1] {
			t.Fatalf("late %+v, %v; in time %+v, %v", stats[0], probability[0], stats[1], probability[1])
		}
	})
}

// A packet from an ECN-capable transport is marked up to the limit, and dropped
// above it.
func TestPIEMarks(t *testing.T) {
	config := DefaultPIE()
	config.ECN = true
	link := newLink(t, des.New(1, 0), LinkConfig{Rate: 1, Discipline: config}, &counter{})
	for range 5 {
		link.Receive(0, raw(1500, 0))
	}
	d := link.gate.paced.discipline.(*pie)
	d.burst, d.old = 0, d.Target
	capable := segment.Segment{ECN: segment.ECT0}
	for _, tt := range []struct {
		prob float64
		want verdict
	}{{0.09, admitMark}, {0.1, dropEarly}, {0, admit}} {
		d.prob, d.accu = tt.prob, 8.5
		if got := d.admit(0, &capable, 1500); got != tt.want {
			t.Errorf("probability %v: %v, want %v", tt.prob, got, tt.want)
		}
	}
}
