package tcpmodel

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// TestNagle: a small segment waits while another one is in flight (RFC 9293
// SHLD-7), unless TCP_NODELAY is set (MUST-17).
func TestNagle(t *testing.T) {
	for _, c := range []struct {
		profile string
		noDelay bool
		want    string
	}{
		{"linux", false, `
			0.040 A <SEQ=101><ACK=301><DATA=10><CTL=ACK>
			0.050 B <SEQ=301><ACK=111><CTL=ACK>
			0.060 A <SEQ=111><ACK=301><DATA=20><CTL=ACK>
			0.070 B <SEQ=301><ACK=131><CTL=ACK>`},
		{"linux", true, `
			0.040 A <SEQ=101><ACK=301><DATA=10><CTL=ACK>
			0.043 A <SEQ=111><ACK=301><DATA=10><CTL=ACK>
			0.046 A <SEQ=121><ACK=301><DATA=10><CTL=ACK>
			0.050 B <SEQ=301><ACK=111><CTL=ACK>
			0.053 B <SEQ=301><ACK=121><CTL=ACK>
			0.056 B <SEQ=301><ACK=131><CTL=ACK>`},
		// Nagle against delayed ACKs.
		{"textbook", false, `
			0.040 A <SEQ=101><ACK=301><DATA=10><CTL=ACK>
			0.250 B <SEQ=301><ACK=111><CTL=ACK>
			0.260 A <SEQ=111><ACK=301><DATA=20><CTL=ACK>
			0.470 B <SEQ=301><ACK=131><CTL=ACK>`},
		{"textbook", true, `
			0.040 A <SEQ=101><ACK=301><DATA=10><CTL=ACK>
			0.043 A <SEQ=111><ACK=301><DATA=10><CTL=ACK>
			0.046 A <SEQ=121><ACK=301><DATA=10><CTL=ACK>
			0.250 B <SEQ=301><ACK=131><CTL=ACK>`},
	} {
		l := newLab(t, c.profile, nil)
		l.b.greedy = true
		l.connect(SocketOptions{NoDelay: c.noDelay})
		l.forget()
		for range 3 {
			l.a.ep.Write(10)
			l.run(3 * ms)
		}
		l.run(des.Second)
		l.want(c.want)
	}
}

// An ACK at least for every second full segment, the last one after the
// delay (RFC 5681 section 4.2, RFC 9293 SHLD-19); Linux begins with one for
// each.
func TestDelayedAck(t *testing.T) {
	for _, c := range []struct{ profile, want string }{
		{"textbook", `
			0.040 A <SEQ=101><ACK=301><DATA=1460><CTL=ACK>
			0.040 A <SEQ=1561><ACK=301><DATA=1460><CTL=ACK>
			0.040 A <SEQ=3021><ACK=301><DATA=1460><CTL=ACK>
			0.050 B <SEQ=301><ACK=3021><CTL=ACK>
			0.250 B <SEQ=301><ACK=4481><CTL=ACK>`},
		{"linux", `
			0.040 A <SEQ=101><ACK=301><DATA=1448><CTL=ACK>
			0.040 A <SEQ=1549><ACK=301><DATA=1448><CTL=ACK>
			0.040 A <SEQ=2997><ACK=301><DATA=1448><CTL=ACK>
			0.050 B <SEQ=301><ACK=1549><CTL=ACK>
			0.050 B <SEQ=301><ACK=2997><CTL=ACK>
			0.050 B <SEQ=301><ACK=4445><CTL=ACK>`},
	} {
		l := newLab(t, c.profile, nil)
		l.connect(SocketOptions{})
		l.forget()
		l.a.ep.Write(3 * int(l.a.ep.mss))
		l.run(des.Second)
		l.want(c.want)
	}
	// AckImmediate: no delay at all.
	l := newLab(t, "textbook", func(c *Config) { c.AckPolicy = AckImmediate })
	l.connect(SocketOptions{})
	l.forget()
	l.a.ep.Write(10)
	l.run(des.Second)
	l.want(`
		0.040 A <SEQ=101><ACK=301><DATA=10><CTL=ACK>
		0.050 B <SEQ=301><ACK=111><CTL=ACK>`)
}

// Linux's quick ACKs come to an end: then a small question waits 40 ms.
func TestDelayedAckLinux(t *testing.T) {
	p := established(t, "linux", nil)
	seq := segment.Seq(301)
	delays := map[des.Time]int{}
	for range 40 {
		p.run(60 * ms)
		p.sent = nil
		s := segment.Segment{Seq: seq, Ack: 101, Wnd: 65535, Len: 10, Flags: segment.ACK}
		seq += 10
		start := p.sim.Now()
		p.arriveSegment(&s)
		for len(p.sent) == 0 {
			p.sim.Step()
		}
		delays[p.sim.Now()-start]++
	}
	if delays[0] != 16 || delays[40*ms] == 0 || len(delays) > 2 {
		t.Errorf("delays %v, want 16 of none and the rest of 40 ms", delays)
	}
}

// With window scaling more than 64 KiB are in flight, without it never.
func TestWindowScaling(t *testing.T) {
	for _, scaling := range []bool{true, false} {
		l := newLab(t, "linux", func(c *Config) { c.WindowScaling = scaling })
		l.a.wire.quiet, l.b.wire.quiet = true, true
		l.a.wire.delay, l.b.wire.delay = 50*ms, 50*ms
		l.b.greedy = true
		l.listen()
		l.dial(SocketOptions{})
		l.run(des.Second)
		most := uint32(0)
		l.a.wire.lose = func(_ int, s *segment.Segment) bool {
			most = max(most, uint32(s.End()-l.a.ep.sndUna))
			return false
		}
		l.a.ep.Write(3000000)
		l.run(20 * des.Second)
		if l.b.read != 3000000 {
			t.Errorf("scaling %v: %d bytes read", scaling, l.b.read)
		}
		if scaling && most < 200000 || !scaling && (most > 65535 || most < 60000) {
			t.Errorf("scaling %v: %d bytes in flight at most", scaling, most)
		}
	}
}

// The right edge of the offered window never moves left (RFC 9293 SHLD-14),
// nothing is sent beyond it, and a slow reader sees no silly windows (MUST-38,
// MUST-39).
func TestSlowReader(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, func(c *Config) { c.RmemDefault, c.RmemMax = 30000, 30000 })
		l.a.wire.quiet, l.b.wire.quiet = true, true
		edge, small := segment.Seq(0), 0
		l.b.wire.lose = func(_ int, s *segment.Segment) bool {
			if s.Has(segment.SYN) {
				edge = s.Ack.Add(uint32(s.Wnd))
				return false
			}
			right := s.Ack.Add(uint32(s.Wnd) << l.a.ep.opt.sndWScale)
			if right.Less(edge) {
				t.Errorf("the right edge moves from %d to %d", edge, right)
			}
			edge = right
			return false
		}
		l.connect(SocketOptions{})
		const total = 200000
		l.a.wire.lose = func(_ int, s *segment.Segment) bool {
			if s.Len > 0 && edge.Less(s.End()) {
				t.Errorf("data up to %d beyond the edge at %d", s.End(), edge)
			}
			if s.Len > 0 && s.Len < 536 && uint32(s.End()-l.a.ep.iss) < total {
				small++
			}
			return false
		}
		l.a.ep.Write(total)
		read := 0
		for range 20000 {
			l.run(10 * ms)
			read += l.b.ep.Read(100)
		}
		if read != total {
			t.Errorf("%d bytes read, %d unsent", read, l.a.ep.unsent())
		}
		if small > 10 {
			t.Errorf("%d small segments", small)
		}
	})
}

// The send buffer is looked at when a packet of half the peer's window, 22
// segments, is begun: the one that SO_SNDBUF still admits is filled, and filled
// again after its first five segments have left. EvWritable tells of room (Linux).
func TestSendBuffer(t *testing.T) {
	l := newLab(t, "linux", nil)
	l.b.greedy = true
	l.connect(SocketOptions{SndBuf: 10000})
	const took = (22 + 5 + 5) * 1448
	if n := l.a.ep.Write(100000); n != took {
		t.Errorf("Write took %d, want %d", n, took)
	}
	if n := l.a.ep.Write(1); n != 0 || l.a.ep.Writable() {
		t.Errorf("Write took %d more, writable %v", n, l.a.ep.Writable())
	}
	l.a.seen = 0
	l.run(des.Second)
	if l.a.seen&EvWritable == 0 || l.b.read != took || !l.a.ep.Writable() {
		t.Errorf("events %b, %d read", l.a.seen, l.b.read)
	}
	if n := l.a.ep.Write(5000); n != 5000 {
		t.Errorf("Write took %d", n)
	}
	l.a.ep.Close()
	if n := l.a.ep.Write(1); n != 0 {
		t.Errorf("Write after Close took %d", n)
	}
}

// BytesAcked counts beyond 2^32.
func TestBytesAckedBeyondWrap(t *testing.T) {
	p := established(t, "linux", nil)
	p.wire.keep = func(*segment.Segment) {}
	ep := p.ep
	sent := uint64(0)
	for range 5 {
		// A billion bytes pass without being simulated one by one.
		ep.Write(1)
		s := segment.Segment{Seq: 301, Ack: ep.sndNxt, Wnd: 65535, Flags: segment.ACK}
		p.arriveSegment(&s)
		sent++
		skip := segment.Seq(1 << 30)
		ep.sndUna, ep.sndNxt, ep.writeSeq = ep.sndUna+skip, ep.sndNxt+skip, ep.writeSeq+skip
		ep.smallSent = ep.sndNxt
		ep.stats.BytesSent += 1 << 30
		sent += 1 << 30
		s = segment.Segment{Seq: 301, Ack: ep.sndNxt, Wnd: 65535, Flags: segment.ACK}
		p.arriveSegment(&s)
	}
	if got := ep.Stats(); got.BytesAcked != sent || got.BytesSent != sent {
		t.Errorf("%d acknowledged of %d, want %d", got.BytesAcked, got.BytesSent, sent)
	}
}
