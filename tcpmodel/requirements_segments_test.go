package tcpmodel

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// MUST-5: an option may arrive in any segment. The MSS option of a data segment
// is read and, without SYN, means nothing; a time stamp that was not agreed on
// does no harm either.
func TestOptionsInAnySegment(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := established(t, profile, nil)
		mss := p.ep.mss
		p.arrive("<SEQ=301><ACK=101><DATA=10><MSS=100><SACKOK><WS=9><TS=7/0><CTL=ACK>")
		if p.ep.Readable() != 10 || p.ep.mss != mss || p.ep.opt.wscaleOK || p.ep.opt.sackOK || p.ep.opt.tsOK {
			t.Errorf("%d bytes readable, MSS %d, options %+v", p.ep.Readable(), p.ep.mss, p.ep.opt)
		}
	})
}

// MUST-65: the MSS option goes with SYN alone. MUST-2, MUST-4: what a transfer
// puts on the wire, losses included, is a packet that a decoder takes.
func TestOptionsSent(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, nil)
		addrs, syns, packets := new(segment.Addresses), 0, 0
		if _, err := addrs.AddPrefix(1, netip.MustParsePrefix("192.0.2.0/30")); err != nil {
			t.Fatal(err)
		}
		look := func(n int, s *segment.Segment) bool {
			packets++
			if syn := s.Flags&segment.SYN != 0; syn != (s.Opts&segment.OptMSS != 0) {
				t.Errorf("%v has the options %v", s, s.Opts)
			} else if syn {
				syns++
			}
			p, err := segment.Encode(nil, s, addrs)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := segment.Decode(p, addrs); err != nil {
				t.Errorf("%v: %v", s, err)
			}
			return n == 1 || n == 20
		}
		l.a.wire.lose, l.b.wire.lose = look, look
		l.a.greedy, l.b.greedy = true, true
		l.listen()
		l.dial(SocketOptions{})
		l.run(10 * des.Second)
		l.a.ep.Write(100000)
		l.run(10 * des.Second)
		l.a.ep.Close()
		l.idle(des.Hour)
		if l.b.read != 100000 || syns < 3 || packets < 100 {
			t.Errorf("%d bytes read, %d SYNs, %d packets", l.b.read, syns, packets)
		}
	})
}

// MUST-61, SHLD-27: the last segment of what was written carries PSH; the marks
// of writes that leave together collapse into one. SHLD-28: what has piled up
// leaves in full segments.
func TestPush(t *testing.T) {
	p := established(t, "textbook", nil)
	var pushed []uint32
	var lens []uint32
	p.wire.keep = func(s *segment.Segment) {
		lens = append(lens, s.Len)
		if s.Has(segment.PSH) {
			pushed = append(pushed, s.Len)
		}
	}
	p.ep.Write(3000)
	if len(lens) != 3 || len(pushed) != 1 || pushed[0] != 80 || lens[2] != 80 {
		t.Fatalf("3000 bytes leave as %v, with PSH %v", lens, pushed)
	}
	p.arrive("<SEQ=301><ACK=3101><CTL=ACK>")
	lens, pushed = nil, nil
	// The first leaves at once, the rest waits for its ACK (Nagle); the marks
	// of the other writes become one, at their end.
	for range 21 {
		p.ep.Write(100)
	}
	p.arrive("<SEQ=301><ACK=3201><CTL=ACK>")
	p.arrive("<SEQ=301><ACK=4661><CTL=ACK>")
	if len(lens) != 3 || lens[1] != 1460 || lens[2] != 540 || !slices.Equal(pushed, []uint32{100, 540}) {
		t.Errorf("21 writes of 100 leave as %v, with PSH %v", lens, pushed)
	}
}

// SHLD-2: a RST may carry data. MUST-66: it counts, and an ACK does, when the
// receive window is closed.
func TestResetWithData(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := established(t, profile, nil)
		p.arrive("<SEQ=301><DATA=20><CTL=RST>")
		p.in(Listen)
		p.checkEmpty(t)
		if p.lastEnd().Err != ECONNRESET {
			t.Errorf("ended with %v", p.lastEnd().Err)
		}
	})
}

func TestClosedReceiveWindow(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := established(t, profile, func(c *Config) {
			c.RmemDefault, c.RmemMax, c.Autotune, c.Truesize, c.WindowScaling = 8192, 8192, false, false, false
		})
		seq := segment.Seq(301)
		for n := p.ep.receiveWindow(); n > 0; n = p.ep.receiveWindow() {
			n = min(n, 1000)
			p.arriveSegment(&segment.Segment{Seq: seq, Ack: 101, Wnd: 65535, Len: n, Flags: segment.ACK})
			seq = seq.Add(n)
			p.run(des.Second)
		}
		// MAY-8: it stays closed as long as nobody reads, whatever comes.
		held := p.ep.Readable()
		for range 100 {
			p.run(des.Minute)
			p.sent = nil
			p.arriveSegment(&segment.Segment{Seq: seq, Ack: 101, Wnd: 65535, Len: 1, Flags: segment.ACK})
			if len(p.sent) != 1 || p.last.Ack != seq || p.last.Wnd != 0 {
				t.Fatalf("a probe is answered with %v window %d", p.sent, p.last.Wnd)
			}
		}
		// The ACK of what is sent is taken all the same, and the RST.
		p.ep.Write(10)
		p.arriveSegment(&segment.Segment{Seq: seq, Ack: 111, Wnd: 65535, Flags: segment.ACK})
		if p.ep.sndUna != 111 || p.ep.Readable() != held {
			t.Errorf("SND.UNA %d, %d bytes readable of %d", p.ep.sndUna, p.ep.Readable(), held)
		}
		p.arriveSegment(&segment.Segment{Seq: seq, Flags: segment.RST})
		p.in(Listen)
	})
}

// SHLD-8 (RFC 3168 section 6.1): ECN is agreed on in the handshake; new data
// are capable, retransmissions and bare ACKs are not; a mark is echoed until
// CWR, and halves the window once.
func TestECN(t *testing.T) {
	for _, c := range []struct{ active, passive int }{{1, 2}, {1, 1}, {1, 0}, {0, 2}, {2, 2}} {
		l := newLab(t, "textbook", nil)
		l.a.cfg.ECN, l.b.cfg.ECN = c.active, c.passive
		agreed := c.active == 1 && c.passive > 0
		l.b.greedy = true
		capable, marked, echoes, cwr := 0, 0, 0, 0
		l.a.wire.lose = func(n int, s *segment.Segment) bool {
			if s.ECN != segment.NotECT {
				capable++
				if s.Len == 0 || !agreed {
					t.Errorf("%+v: %v is ECN-capable", c, s)
				}
				if capable == 9 {
					s.ECN = segment.CE
					marked++
				}
			}
			if s.Has(segment.CWR) && !s.Has(segment.SYN) {
				cwr++
			}
			return false
		}
		l.b.wire.lose = func(n int, s *segment.Segment) bool {
			if s.Has(segment.ECE) && !s.Has(segment.SYN) {
				echoes++
			}
			return false
		}
		l.connect(SocketOptions{})
		l.a.ep.Write(100000)
		l.run(10 * des.Second)
		once := 0
		if agreed {
			once = 1
		}
		if l.b.read != 100000 || marked != once || cwr != once || (echoes > 0) != agreed || (capable > 60) != agreed {
			t.Errorf("%+v: %d capable, %d marked, %d echoes, %d CWR", c, capable, marked, echoes, cwr)
		}
		if reduced := l.a.ep.win.Ssthresh < 100; reduced != agreed || l.a.Counters().RetransSegs != 0 {
			t.Errorf("%+v: threshold %d, %d retransmissions", c, l.a.ep.win.Ssthresh, l.a.Counters().RetransSegs)
		}
	}
}

// MUST-67: what is advertised fits into the MTU with both headers, and is
// TCP_MAXSEG if that is less.
func TestAdvertisedMSS(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		for _, c := range []struct{ mtu, maxSeg, want int }{{1500, 0, 1460}, {9000, 0, 8960}, {576, 0, 536}, {1500, 1000, 1000}, {576, 1000, 536}} {
			p := newPuppet(t, profile, func(cfg *Config) { cfg.MTU = c.mtu })
			p.activeOpen(SocketOptions{MaxSeg: c.maxSeg})
			if int(p.last.MSS) != c.want || p.last.Opts&segment.OptMSS == 0 {
				t.Errorf("MTU %d, TCP_MAXSEG %d: advertises %d, want %d", c.mtu, c.maxSeg, p.last.MSS, c.want)
			}
		}
	})
}

// SHLD-4 (RFC 6191): a SYN with a later time stamp opens a connection in
// TIME-WAIT again even with an older sequence number; one with the same stamp
// does not.
func TestTimeWaitStamps(t *testing.T) {
	for _, c := range []struct {
		stamp  int
		reopen bool
	}{{2000, true}, {50, false}, {40, false}} {
		p := newPuppet(t, "linux", nil)
		p.passiveOpen(5)
		p.arrive("<SEQ=300><TS=50/0><CTL=SYN>")
		echo := p.last.TSVal
		stamped := func(text string) { p.arrive(fmt.Sprintf(text, echo)) }
		stamped("<SEQ=301><ACK=101><TS=50/%d><CTL=ACK>")
		p.ep.Close()
		p.run(0)
		stamped("<SEQ=301><ACK=102><TS=50/%d><CTL=ACK>")
		stamped("<SEQ=301><ACK=102><TS=50/%d><CTL=FIN,ACK>")
		p.in(TimeWait)
		p.run(2 * des.Second)
		p.sent, p.host.arrived = nil, 0
		p.arrive(fmt.Sprintf("<SEQ=200><TS=%d/0><CTL=SYN>", c.stamp))
		if p.host.arrived != 1 {
			t.Errorf("stamp %d: the tracer is told %d times of the SYN", c.stamp, p.host.arrived)
		}
		if c.reopen {
			p.in(SynReceived)
		} else {
			p.in(TimeWait)
		}
	}
}
