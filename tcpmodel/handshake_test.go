package tcpmodel

import (
	"fmt"
	"slices"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// profilesTest runs f for every profile.
func profilesTest(t *testing.T, f func(t *testing.T, profile string)) {
	t.Helper()
	for _, profile := range ProfileNames() {
		t.Run(profile, func(t *testing.T) { f(t, profile) })
	}
}

// optionsOf prints the window field and the options of a segment.
func optionsOf(s *segment.Segment) string {
	text := fmt.Sprintf("%v win %d", s.Flags&^segment.PSH, s.Wnd)
	if s.Opts&segment.OptMSS != 0 {
		text += fmt.Sprintf(" mss %d", s.MSS)
	}
	if s.Opts&segment.OptSACKPermitted != 0 {
		text += " sackOK"
	}
	if s.Opts&segment.OptWScale != 0 {
		text += fmt.Sprintf(" ws %d", s.WScale)
	}
	if s.Opts&segment.OptTimestamps != 0 {
		text += " ts"
	}
	return text
}

// The windows and options of a handshake. Those of linux are what Linux 6.18
// puts on the wire: 44 segments of 1460 bytes in the SYN, 45 of 1448 in the
// SYN-ACK, the third segment in units of 2^10.
func TestHandshakeOptions(t *testing.T) {
	for _, c := range []struct {
		profile string
		want    []string
	}{
		{"linux", []string{
			"SYN win 64240 mss 1460 sackOK ws 10 ts",
			"SYN,ACK win 65160 mss 1460 sackOK ws 10 ts",
			"ACK win 63 ts",
			"ACK win 63 ts",
			"ACK win 64 ts",
		}},
		{"rfc9293", []string{
			"SYN win 64240 mss 1460 sackOK ws 10 ts",
			"SYN,ACK win 65160 mss 1460 sackOK ws 10 ts",
			"ACK win 63 ts",
			"ACK win 63 ts",
			"ACK win 64 ts",
		}},
		{"textbook", []string{
			"SYN win 64240 mss 1460",
			"SYN,ACK win 64240 mss 1460",
			"ACK win 64240",
			"ACK win 64240",
			"ACK win 64240",
		}},
	} {
		t.Run(c.profile, func(t *testing.T) {
			l := newLab(t, c.profile, nil)
			var got []string
			tap := func(_ int, s *segment.Segment) bool {
				got = append(got, optionsOf(s))
				return false
			}
			l.a.wire.lose, l.b.wire.lose = tap, tap
			l.b.greedy = true
			l.connect(SocketOptions{})
			l.a.ep.Write(100)
			l.run(300 * ms)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// An option is in use only if both SYNs carry it, and one that a SYN does not
// carry is not in the SYN-ACK.
func TestHandshakeAgreement(t *testing.T) {
	for _, c := range []struct{ syn, want string }{
		{"<SEQ=300><CTL=SYN>", "SYN,ACK win 64240 mss 1460"},
		{"<SEQ=300><MSS=1000><CTL=SYN>", "SYN,ACK win 64240 mss 1460"},
		{"<SEQ=300><MSS=1000><SACKOK><CTL=SYN>", "SYN,ACK win 64240 mss 1460 sackOK"},
		{"<SEQ=300><MSS=1000><WS=3><CTL=SYN>", "SYN,ACK win 64240 mss 1460 ws 10"},
		{"<SEQ=300><MSS=1000><TS=7/0><CTL=SYN>", "SYN,ACK win 65160 mss 1460 ts"},
		{"<SEQ=300><MSS=1000><SACKOK><WS=14><TS=7/0><CTL=SYN>", "SYN,ACK win 65160 mss 1460 sackOK ws 10 ts"},
	} {
		p := newPuppet(t, "linux", nil)
		p.passiveOpen(5)
		p.arrive(c.syn)
		if got := optionsOf(&p.last); got != c.want {
			t.Errorf("%s: answered with %s, want %s", c.syn, got, c.want)
		}
	}
}

// The segment size follows from the peer's MSS option, 536 without one, and a
// shift beyond 14 counts as 14 (RFC 9293 MUST-15, RFC 7323 section 2.3).
func TestSegmentSize(t *testing.T) {
	for _, c := range []struct {
		options string
		mss     uint32
	}{
		{"", 536}, {"<MSS=1000>", 1000}, {"<MSS=9000>", 1460}, {"<MSS=1000><TS=7/0>", 988}, {"<TS=7/0>", 524},
	} {
		p := newPuppet(t, "linux", nil)
		p.passiveOpen(5)
		p.arrive("<SEQ=300>" + c.options + "<CTL=SYN>")
		ack := "<SEQ=301><ACK=101><CTL=ACK>"
		if p.last.Opts&segment.OptTimestamps != 0 {
			ack = fmt.Sprintf("<SEQ=301><ACK=101><TS=8/%d><CTL=ACK>", p.last.TSVal)
		}
		p.arrive(ack)
		p.sent = nil
		p.ep.Write(int(3 * c.mss))
		p.sends(fmt.Sprintf("<SEQ=101><ACK=301><DATA=%d><CTL=ACK>", c.mss),
			fmt.Sprintf("<SEQ=%d><ACK=301><DATA=%d><CTL=ACK>", 101+c.mss, c.mss),
			fmt.Sprintf("<SEQ=%d><ACK=301><DATA=%d><CTL=ACK>", 101+2*c.mss, c.mss))
	}
	p := newPuppet(t, "linux", nil)
	p.passiveOpen(5)
	p.arrive("<SEQ=300><WS=255><CTL=SYN>")
	p.arrive("<SEQ=301><ACK=101><WND=3><CTL=ACK>")
	if p.ep.sndWnd != 3<<14 {
		t.Errorf("a window of 3 with a shift of 255 is %d bytes, want 3 << 14", p.ep.sndWnd)
	}
}

func TestSimultaneousOpen(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, nil)
		l.a.ep, _ = l.a.Connect(2, 80, l.a, SocketOptions{LocalPort: 1000})
		l.run(ms)
		l.b.ep, _ = l.b.Connect(1, 1000, l.b, SocketOptions{LocalPort: 80})
		l.run(300 * ms)
		// Each end repeats its SYN once; what the other end has already is
		// acknowledged, with a D-SACK where SACK is in use.
		dsackA, dsackB := "", ""
		if l.a.cfg.SACK {
			dsackA, dsackB = "<SACK=300:301>", "<SACK=100:101>"
		}
		l.want(`
			0.000 A <SEQ=100><CTL=SYN>
			0.001 B <SEQ=300><CTL=SYN>
			0.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
			0.011 A <SEQ=100><ACK=301><CTL=SYN,ACK>
			0.020 A <SEQ=101><ACK=301><CTL=ACK>` + dsackA + `
			0.021 B <SEQ=301><ACK=101><CTL=ACK>` + dsackB)
		l.wantStates(Established, Established)
		l.a.greedy, l.b.greedy = true, true
		l.a.ep.Write(5000)
		l.b.ep.Write(7000)
		l.run(des.Second)
		if l.a.read != 7000 || l.b.read != 5000 {
			t.Fatalf("A read %d, B %d", l.a.read, l.b.read)
		}
		l.a.ep.Close()
		l.idle(5 * des.Minute)
		l.a.checkEmpty(t)
		l.b.checkEmpty(t)
	})
}

func TestConnectionRefused(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, nil)
		l.dial(SocketOptions{})
		l.run(100 * ms)
		l.want(`
			0.000 A <SEQ=100><CTL=SYN>
			0.010 B <SEQ=0><ACK=101><CTL=RST,ACK>`)
		if l.a.lastEnd().Err != ECONNREFUSED || l.a.seen != EvFailed|EvReleased {
			t.Errorf("ended with %v, events %b", l.a.lastEnd().Err, l.a.seen)
		}
		l.a.checkEmpty(t)
	})
}

// What a host in SYN-SENT makes of segments that complete no handshake (RFC
// 9293 section 3.10.7.3).
func TestSynSentArrivals(t *testing.T) {
	for _, c := range []struct {
		segment, answer string
		state           State
	}{
		{"<SEQ=300><ACK=100><CTL=SYN,ACK>", "<SEQ=100><CTL=RST>", SynSent},
		{"<SEQ=300><ACK=102><CTL=SYN,ACK>", "<SEQ=102><CTL=RST>", SynSent},
		{"<SEQ=300><ACK=5000><CTL=ACK>", "<SEQ=5000><CTL=RST>", SynSent},
		{"<SEQ=300><ACK=5000><CTL=RST,ACK>", "", SynSent},
		{"<SEQ=300><CTL=RST>", "", SynSent},
		{"<SEQ=300><ACK=101><CTL=ACK>", "", SynSent},
		{"<SEQ=300><ACK=101><CTL=FIN,ACK>", "", SynSent},
		{"<SEQ=300><ACK=101><CTL=RST,ACK>", "", Closed},
		{"<SEQ=300><ACK=101><CTL=SYN,ACK>", "<SEQ=101><ACK=301><CTL=ACK>", Established},
		{"<SEQ=300><CTL=SYN>", "<SEQ=100><ACK=301><CTL=SYN,ACK>", SynReceived},
	} {
		profilesTest(t, func(t *testing.T, profile string) {
			p := newPuppet(t, profile, nil)
			inSynSent(p)
			p.sent = nil
			p.arrive(c.segment)
			if c.answer == "" {
				p.sends()
			} else {
				p.sends(c.answer)
			}
			p.in(c.state)
		})
	}
}

// A SYN-ACK with data: the data are left to the peer to send again.
func TestSynAckWithData(t *testing.T) {
	p := newPuppet(t, "linux", nil)
	inSynSent(p)
	p.sent = nil
	p.arrive("<SEQ=300><ACK=101><DATA=10><CTL=SYN,ACK>")
	p.sends("<SEQ=101><ACK=301><CTL=ACK>")
	p.arrive("<SEQ=301><ACK=101><DATA=10><CTL=ACK>")
	p.sends("<SEQ=101><ACK=311><CTL=ACK>")
}

// TestTwoWayHandshake is the counterfactual for teaching: the listener's side
// is ESTABLISHED on the SYN, so a spoofed one costs a whole connection.
func TestTwoWayHandshake(t *testing.T) {
	p := newPuppet(t, "textbook", func(c *Config) { c.Handshake = TwoWay })
	p.passiveOpen(5)
	p.arrive("<SEQ=300><CTL=SYN>")
	p.sends("<SEQ=100><ACK=301><CTL=SYN,ACK>")
	p.in(Established)
	p.arrive("<SEQ=301><ACK=101><DATA=10><CTL=ACK>")
	if p.ep.Readable() != 10 || p.ep.Stats().ForeignBytes != 0 {
		t.Errorf("%d bytes readable, %d foreign", p.ep.Readable(), p.ep.Stats().ForeignBytes)
	}
	l := newLab(t, "textbook", func(c *Config) { c.Handshake = TwoWay })
	l.a.greedy, l.b.greedy = true, true
	l.connect(SocketOptions{})
	l.a.ep.Write(20000)
	l.run(des.Second)
	l.a.ep.Close()
	l.idle(des.Hour)
	if l.b.read != 20000 {
		t.Errorf("%d bytes read", l.b.read)
	}
	l.a.checkEmpty(t)
	l.b.checkEmpty(t)
}

// The initial sequence number of each mode.
func TestISNModes(t *testing.T) {
	connect := func(mode ISNMode, at des.Time) segment.Seq {
		p := newPuppet(t, "linux", func(c *Config) { c.ISN = mode })
		p.sim.Run(at)
		p.activeOpen(SocketOptions{})
		return p.last.Seq
	}
	if a, b := connect(ISNConstant, 0), connect(ISNConstant, des.Second); a != 100 || b != 100 {
		t.Errorf("constant: %d, %d", a, b)
	}
	if a, b := connect(ISNCounter, 0), connect(ISNCounter, des.Second); a != 100 || b != 100+250000 {
		t.Errorf("counter: %d, %d", a, b)
	}
	if a, b := connect(ISNRFC6528, 0), connect(ISNRFC6528, des.Second); b-a != 250000 {
		t.Errorf("RFC 6528: %d, %d: the same connection one second later is not one second on", a, b)
	}
	p := newPuppet(t, "linux", func(c *Config) { c.ISN = ISNRandom })
	seen := map[segment.Seq]bool{}
	for i := range 100 {
		p.Connect(2, uint16(i+1), p.host, SocketOptions{})
		seen[p.last.Seq] = true
	}
	if len(seen) < 100 {
		t.Errorf("random: %d different numbers of 100", len(seen))
	}
}

// relative prints what hosts with these initial sequence numbers send, with
// relative numbers.
func relativeRun(t *testing.T, profile string, issA, issB segment.Seq) (ladders []string, a, b *host) {
	t.Helper()
	l := newLab(t, profile, nil)
	l.a.cfg.ISNValue, l.b.cfg.ISNValue = uint32(issA), uint32(issB)
	tap := func(mine, theirs segment.Seq, lost []int, name string) func(int, *segment.Segment) bool {
		return func(n int, s *segment.Segment) bool {
			r := *s
			r.Seq -= mine
			if r.Has(segment.ACK) {
				r.Ack -= theirs
			}
			for i := range r.SACK[:r.NumSACK] {
				r.SACK[i].Left -= theirs
				r.SACK[i].Right -= theirs
			}
			ladders = append(ladders, fmt.Sprintf("%s %s %s", clock(l.sim.Now()), name, ladder(&r)))
			return slices.Contains(lost, n)
		}
	}
	l.a.wire.lose = tap(issA, issB, []int{4, 9, 17, 18}, "A")
	l.b.wire.lose = tap(issB, issA, []int{5, 11, 12}, "B")
	l.a.greedy, l.b.greedy = true, true
	l.connect(SocketOptions{})
	l.a.ep.Write(60000)
	l.b.ep.Write(9000)
	l.run(10 * des.Second)
	l.a.ep.Close()
	l.idle(10 * des.Minute)
	return ladders, l.a, l.b
}

// TestSequenceWrap: where on the circle of sequence numbers a connection lies
// makes no difference, through handshake, loss, SACK and close. Every point of
// a run, and so every comparison, gets to lie at the wrap.
func TestSequenceWrap(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		want, _, _ := relativeRun(t, profile, 100, 300)
		var issues [][2]segment.Seq
		for _, before := range []segment.Seq{0, 1, 2, 3, 100, 1448, 1449, 1460, 1461, 1462, 2897, 4345, 5793, 20273, 30000, 60000, 60001, 60002, 1 << 31} {
			issues = append(issues, [2]segment.Seq{-before, 300}, [2]segment.Seq{100, -before}, [2]segment.Seq{-before, -before})
		}
		for n := range uint32(39) {
			i := segment.Seq(n + 1)
			issues = append(issues, [2]segment.Seq{-(1 + i*1448), -(1 + i*1448)}, [2]segment.Seq{-(1 + i*1460), -(1 + i*1460)})
		}
		for _, iss := range issues {
			got, a, b := relativeRun(t, profile, iss[0], iss[1])
			if a.read != 9000 || b.read != 60000 || a.lastEnd().ForeignBytes+b.lastEnd().ForeignBytes != 0 {
				t.Fatalf("ISNs %d, %d: A read %d, B %d, foreign %d, %d", iss[0], iss[1], a.read, b.read, a.lastEnd().ForeignBytes, b.lastEnd().ForeignBytes)
			}
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("ISNs %d, %d: line %d is %s, with 100, 300 it is %s", iss[0], iss[1], i, got[i], want[i])
				}
			}
			if len(got) != len(want) {
				t.Fatalf("ISNs %d, %d: %d segments, with 100, 300 %d", iss[0], iss[1], len(got), len(want))
			}
		}
	})
}
