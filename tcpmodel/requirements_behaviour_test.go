package tcpmodel

import (
	"fmt"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// shrunk is a puppet with ten segments of 1000 bytes in flight, up to 10101,
// and as much unsent, whose peer has acknowledged three of them and taken back
// its window to the left of what is in flight.
func shrunk(t *testing.T, profile string, window int) *puppet {
	t.Helper()
	p := newPuppet(t, profile, func(c *Config) { c.InitialWindow, c.TLP, c.WindowScaling = 10, false, false })
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1000><CTL=SYN>")
	p.arrive("<SEQ=301><ACK=101><WND=20000><CTL=ACK>")
	p.ep.Write(20000)
	if p.ep.sndNxt != 10101 {
		t.Fatalf("SND.NXT %d", p.ep.sndNxt)
	}
	p.sent = nil
	p.arrive(fmt.Sprintf("<SEQ=301><ACK=3101><WND=%d><CTL=ACK>", window))
	return p
}

// MUST-34, SHLD-15, SHLD-16: a sender whose usable window has become negative
// sends nothing new, sends again what lies inside the window, and goes on when
// it opens.
func TestWindowShrinks(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := shrunk(t, profile, 2000)
		p.run(5 * des.Second)
		if len(p.sent) == 0 {
			t.Fatal("nothing is sent again")
		}
		for _, line := range p.sent {
			if !strings.Contains(line, "<SEQ=3101><ACK=301><DATA=1000>") {
				t.Errorf("sent %s", line)
			}
		}
		// Two more are lost and the window of congestion takes them, that of
		// the peer the first alone.
		p.sent = nil
		p.arrive("<SEQ=301><ACK=4101><WND=900><CTL=ACK>")
		p.sends("<SEQ=4101><ACK=301><DATA=1000><CTL=ACK>")
		p.arrive("<SEQ=301><ACK=10101><WND=2000><CTL=ACK>")
		p.sends("<SEQ=10101><ACK=301><DATA=1000><CTL=ACK>", "<SEQ=11101><ACK=301><DATA=1000><CTL=ACK>")
		p.in(Established)
	})
}

// MUST-35, SHLD-17: a window that has shrunk to zero, with data in flight
// beyond it, is probed with the oldest of them, and as long as the peer answers
// the connection lives, however long.
func TestWindowShrinksToZero(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := shrunk(t, profile, 0)
		probes := 0
		for end := p.sim.Now() + 3*des.Hour; p.sim.Now() < end; {
			p.run(des.Second)
			for _, line := range p.sent {
				if !strings.Contains(line, "<SEQ=3101><ACK=301><DATA=1000>") {
					t.Fatalf("sent %s", line)
				}
				probes++
			}
			if len(p.sent) > 0 {
				p.sent = nil
				p.arrive("<SEQ=301><ACK=3101><WND=0><CTL=ACK>")
			}
		}
		p.in(Established)
		if probes < 60 || probes > 400 {
			t.Errorf("%d probes in three hours", probes)
		}
		p.arrive("<SEQ=301><ACK=10101><WND=20000><CTL=ACK>")
		if p.ep.sndUna != 10101 || len(p.sent) == 0 {
			t.Errorf("after the update SND.UNA %d, sent %v", p.ep.sndUna, p.sent)
		}
	})
}

// A peer that has taken its window back and is gone is given up all the same.
func TestWindowShrinksForGood(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := shrunk(t, profile, 0)
		p.idle(2 * des.Hour)
		if end := p.lastEnd(); end.Err != ETIMEDOUT || end.Ended < 100*des.Second {
			t.Errorf("ended with %v at %v", end.Err, end.Ended)
		}
		p.checkEmpty(t)
	})
}

// MUST-26: nothing is probed while data are outstanding. MUST-29: a probe that
// is lost does not end the connection. MUST-28: it begins after two hours.
func TestKeepaliveWaits(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, nil)
		l.connect(SocketOptions{Keepalive: true, KeepIdle: des.Second})
		l.a.wire.lose = func(int, *segment.Segment) bool { return l.sim.Now() < 10*des.Second }
		l.forget()
		l.a.ep.Write(100)
		l.run(20 * des.Second)
		for _, line := range l.log {
			if strings.Contains(line, "A <SEQ=100>") && strings.Compare(line, "11") < 0 {
				t.Errorf("probed with data outstanding: %s", line)
			}
		}

		l = newLab(t, profile, nil)
		l.connect(SocketOptions{Keepalive: true})
		l.forget()
		l.a.wire.lose = losing(l.a.wire.n + 1)
		l.run(2*des.Hour - 40*ms)
		l.want("")
		l.run(10 * des.Minute)
		l.want(`
			7200.020 A <SEQ=100><ACK=301><CTL=ACK> lost
			7275.020 A <SEQ=100><ACK=301><CTL=ACK>
			7275.030 B <SEQ=301><ACK=101><CTL=ACK>`)
		l.wantStates(Established, Established)
	})
}

// MUST-41: a passive open disturbs no connection that is there. MUST-42: it may
// be for a port on which one is opening.
func TestListenBesideConnections(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		for _, start := range []func(*puppet){inSynSent, inSynReceivedActive} {
			p := newPuppet(t, profile, nil)
			start(p)
			state := p.ep.State()
			p.passiveOpen(5)
			if got := p.ep.State(); got != state {
				t.Errorf("%v becomes %v", state, got)
			}
			p.arrive("<SEQ=300><ACK=101><CTL=SYN,ACK>")
			p.arrive("<SEQ=301><ACK=101><DATA=10><CTL=ACK>")
			if p.ep.State() != Established || p.ep.Readable() != 10 {
				t.Errorf("from %v: %v, %d bytes readable", state, p.ep.State(), p.ep.Readable())
			}
			// And the listener works beside it.
			p.peerPort, p.sent = 6000, nil
			p.arrive("<SEQ=700><CTL=SYN>")
			p.sends("<SEQ=100><ACK=701><CTL=SYN,ACK>")
		}
	})
}

// MUST-12: the user can tell that the peer has closed from that it has aborted.
func TestCloseOrAbort(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := established(t, profile, nil)
		ep := p.ep
		p.arrive("<SEQ=301><ACK=101><CTL=FIN,ACK>")
		if p.seen&EvPeerClosed == 0 || p.seen&EvFailed != 0 || !ep.EOF() || ep.Err() != OK {
			t.Errorf("closed: events %b, EOF %v, %v", p.seen, ep.EOF(), ep.Err())
		}
		p = established(t, profile, nil)
		p.arrive("<SEQ=301><CTL=RST>")
		if p.seen&EvPeerClosed != 0 || p.seen&EvFailed == 0 || p.lastEnd().Err != ECONNRESET {
			t.Errorf("aborted: events %b, %v", p.seen, p.lastEnd().Err)
		}
	})
}

// MUST-9: the function behind initial sequence numbers has a key, of which a
// number says nothing: hosts that differ in it alone give a connection other
// numbers, and those of neighbouring ports are no constant apart.
func TestISNKeyed(t *testing.T) {
	numbers, steps := map[segment.Seq]bool{}, map[segment.Seq]bool{}
	const n = 200
	for seed := range uint64(n) {
		st, err := NewStack(StackOptions{Sim: des.New(seed, 0), Name: "h", Node: 1, Config: linux})
		if err != nil {
			t.Fatal(err)
		}
		a, b := st.initialSeq(0, keyOf(2, 80, 1000)), st.initialSeq(0, keyOf(2, 80, 1001))
		numbers[a], steps[b-a] = true, true
	}
	if len(numbers) != n || len(steps) != n {
		t.Errorf("%d keys give %d numbers and %d distances between ports", n, len(numbers), len(steps))
	}
}

// icmp is an ICMP error from node 3 about the segment with that sequence number
// which the puppet has sent.
func (p *puppet) icmp(kind, code uint16, seq segment.Seq) {
	p.t.Helper()
	s := segment.Segment{Kind: segment.KindICMP, Src: 3, Dst: 1, SrcPort: p.port, DstPort: p.peerPort, Seq: seq, Ack: 2, Wnd: kind<<8 | code}
	p.Receive(p.sim.Now(), &s)
	p.run(0)
}

// MUST-54 to MUST-56, SHLD-26: an ICMP error concerns the connection whose
// segment it quotes. No error ends a connection that is established; an
// unreachable ends one that is opening, as in Linux; Source Quench nothing.
func TestICMPErrors(t *testing.T) {
	for code, want := range []Errno{ENETUNREACH, EHOSTUNREACH} {
		p := newPuppet(t, "linux", nil)
		inSynSent(p)
		p.icmp(3, uint16(code), 5000) // a segment that was never sent
		p.peerPort++
		p.icmp(3, uint16(code), 100) // another connection's
		p.peerPort--
		p.icmp(4, 0, 100)
		p.in(SynSent)
		p.icmp(3, uint16(code), 100)
		p.in(Closed)
		if p.lastEnd().Err != want {
			t.Errorf("code %d ends with %v", code, p.lastEnd().Err)
		}
	}
	profilesTest(t, func(t *testing.T, profile string) {
		for _, kind := range []uint16{3, 4, 11, 12} {
			for code := range uint16(6) {
				p := established(t, profile, nil)
				p.ep.Write(100)
				p.icmp(kind, code, 101)
				p.in(Established)
				p.arrive("<SEQ=301><ACK=201><DATA=10><CTL=ACK>")
				if p.ep.Readable() != 10 || p.ep.sndUna != 201 {
					t.Errorf("type %d code %d: %d bytes readable", kind, code, p.ep.Readable())
				}
			}
		}
	})
}
