package tcpmodel

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// pacer is a puppet that paces, established with a round-trip time of 100 ms
// and a window of 30 segments of 1000 bytes, and the times at which what
// carries data leaves.
func pacer(t *testing.T, profile string, tune func(c *Config)) (*puppet, *[]des.Time) {
	t.Helper()
	p := newPuppet(t, profile, func(c *Config) {
		c.Pacing, c.InitialWindow, c.TLP, c.GSOMaxSegs = true, 30, false, 1
		if tune != nil {
			tune(c)
		}
	})
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1000><CTL=SYN>")
	p.run(100 * ms)
	p.arrive("<SEQ=301><ACK=101><WND=65000><CTL=ACK>")
	var times []des.Time
	p.wire.keep = func(s *segment.Segment) {
		if s.Len > 0 {
			times = append(times, p.sim.Now())
		}
	}
	return p, &times
}

// Ten segments leave at once; the others exactly as far apart as a segment
// takes at ratio x cwnd x MSS / SRTT, to the nanosecond.
func TestPacing(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		for _, c := range []struct {
			ssthresh, ratio uint32
			rate, gap       uint64 // by hand: bytes per second, nanoseconds
		}{
			{1 << 30, 200, 600000, 1666666}, // 2 x 30 x 1000 B / 0.1 s
			{50, 120, 360000, 2777777},
			{61, 120, 360000, 2777777},
			{62, 200, 600000, 1666666}, // below half of it
		} {
			p, times := pacer(t, profile, nil)
			p.ep.win.Ssthresh = c.ssthresh
			p.ep.updatePace()
			if p.ep.rtt.srtt != 100*ms || p.ep.pacingRate() != c.rate || p.ep.win.PacingRate != c.rate || !p.ep.win.Paced {
				t.Fatalf("SRTT %v, rate %d, want %d", p.ep.rtt.srtt, p.ep.pacingRate(), c.rate)
			}
			start := p.sim.Now()
			p.ep.Write(40000)
			p.run(100 * ms)
			if len(*times) != 30 {
				t.Fatalf("%d segments leave, want the window of 30", len(*times))
			}
			for i, at := range *times {
				if want := start + max(des.Time(i)-9, 0)*des.Time(c.gap); at != want {
					t.Fatalf("segment %d leaves at %d ns, want %d", i+1, at-start, want-start)
				}
			}
		}
	})
}

// After an idle time a segment leaves at once, and the next waits half as long.
func TestPacingCredit(t *testing.T) {
	p, times := pacer(t, "textbook", func(c *Config) { c.SlowStartAfterIdle = false })
	p.ep.Write(10000)
	p.arrive("<SEQ=301><ACK=10101><CTL=ACK>")
	p.run(des.Second)
	start := p.sim.Now()
	*times = nil
	p.ep.Write(3000)
	p.run(100 * ms)
	gap := des.Time(1000 * uint64(des.Second) / p.ep.pacingRate())
	if want := []des.Time{start, start + gap - gap/2, start + 2*gap - gap/2}; len(*times) != 3 || (*times)[0] != want[0] || (*times)[1] != want[1] || (*times)[2] != want[2] {
		t.Errorf("leave at %v, want %v", *times, want)
	}
	if p.ep.armed(timerPace) || p.ep.armed(timerPersist) {
		t.Error("a timer goes on with nothing to send")
	}
}

// Bursts of segmentation offload are spaced as wholes, by what is in them.
func TestPacingBursts(t *testing.T) {
	p, times := pacer(t, "linux", func(c *Config) { c.GSOMaxSegs = 65535 })
	p.ep.Write(60000)
	p.run(100 * ms)
	rate, at := p.ep.pacingRate(), map[des.Time]int{}
	for _, when := range *times {
		at[when]++
	}
	first := (*times)[0]
	for i := 1; i < len(*times); i++ {
		prev, next := (*times)[i-1], (*times)[i]
		if prev == next || prev == first {
			continue
		}
		if want := des.Time(uint64(at[prev]) * 1000 * uint64(des.Second) / rate); next-prev != want {
			t.Errorf("%v after a burst of %d, want %v", next-prev, at[prev], want)
		}
	}
	if len(*times) != 30 || len(at) < 5 || len(at) > 15 {
		t.Errorf("%d segments in %d bursts", len(*times), len(at))
	}
}

// Retransmissions are paced as well, and everything arrives.
func TestPacingRecovery(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, func(c *Config) { c.Pacing, c.InitialWindow = true, 20 })
		l.b.greedy = true
		l.connect(SocketOptions{})
		last, again, edge := des.Never, 0, segment.Seq(101)
		l.a.wire.lose = func(n int, s *segment.Segment) bool {
			if s.Len > 0 && s.Seq.Less(edge) {
				// Linux's timer and its first retransmission do not wait.
				if again++; last == l.sim.Now() && l.a.ep.ca != caLoss {
					t.Errorf("two retransmissions leave at %v", last)
				}
				last = l.sim.Now()
			}
			if edge.Less(s.End()) {
				edge = s.End()
			}
			return n >= 30 && n <= 36 || n == 60
		}
		l.a.ep.Write(200000)
		l.run(des.Minute)
		if l.b.read != 200000 || again < 8 {
			t.Errorf("%d bytes read, %d segments sent again", l.b.read, again)
		}
		l.a.ep.Close()
		l.idle(des.Hour)
		l.a.checkEmpty(t)
		l.b.checkEmpty(t)
	})
}

// Pacing allocates nothing; and where it is off, it leaves no trace.
func TestPacingAllocations(t *testing.T) {
	for _, on := range []bool{true, false} {
		g := newRig(t, "linux", 5*des.Millisecond, func(c *Config) { c.RmemDefault, c.Autotune, c.Pacing = 200000, false, on })
		if _, err := g.b.Listen(80, 5, reader{}); err != nil {
			t.Fatal(err)
		}
		ep, err := g.a.Connect(2, 80, source{}, SocketOptions{SndBuf: 1000000})
		if err != nil {
			t.Fatal(err)
		}
		g.sim.Run(des.Second)
		before := ep.stats.BytesSent
		gate(t, "50 ms of a bulk transfer", 20, func() { g.sim.Run(g.sim.Now() + 50*des.Millisecond) })
		if ep.stats.BytesSent-before < 1000000 || (ep.pace.next > 0) != on || ep.win.Paced != on {
			t.Errorf("pacing %v: %d bytes sent, next %v", on, ep.stats.BytesSent-before, ep.pace.next)
		}
	}
}
