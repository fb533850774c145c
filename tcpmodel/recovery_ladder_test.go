package tcpmodel

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// retransmissions lists the segments of A that repeat sequence numbers, as
// "2.060 30557", and the time at which everything was acknowledged.
func retransmissions(l *lab) *[]string {
	var again []string
	edge, known := segment.Seq(0), false
	lose := l.a.wire.lose
	l.a.wire.lose = func(n int, s *segment.Segment) bool {
		if s.SegLen() > 0 {
			if known && s.Seq.Less(edge) {
				again = append(again, fmt.Sprintf("%s %d", clock(l.sim.Now()), s.Seq))
			}
			if !known || edge.Less(s.End()) {
				edge, known = s.End(), true
			}
		}
		return lose != nil && lose(n, s)
	}
	return &again
}

// TestRecovery loses data segments of a window and shows what is sent again,
// and when. The first ten segments open the window and leave nothing in
// flight; at 2.040 s twenty follow.
func TestRecovery(t *testing.T) {
	for _, c := range []struct {
		name, profile string
		lost          []int
		want          []string
		fast, timeout uint64
	}{
		// RFC 6582: the first hole with the third duplicate ACK, the next with
		// the partial ACK one round trip later.
		{"NewReno, one hole", "textbook", []int{24}, []string{"2.060 30557"}, 1, 0},
		{"NewReno, two holes", "textbook", []int{24, 26}, []string{"2.060 30557", "2.080 33477"}, 1, 0},
		{"NewReno, three holes", "textbook", []int{24, 26, 28}, []string{"2.060 30557", "2.080 33477", "2.100 36397"}, 1, 0},
		// RFC 6675 and 8985: the scoreboard shows all holes at once.
		{"SACK, one hole", "rfc9293", []int{24}, []string{"2.060 30509"}, 1, 0},
		{"SACK, two holes", "rfc9293", []int{24, 26}, []string{"2.060 30509", "2.060 33405"}, 1, 0},
		{"SACK, three holes", "rfc9293", []int{24, 26, 28}, []string{"2.060 30509", "2.060 33405", "2.060 36301"}, 1, 0},
		{"SACK, two holes", "linux", []int{24, 26}, []string{"2.060 30509", "2.060 33405"}, 1, 0},
	} {
		t.Run(c.profile+"/"+c.name, func(t *testing.T) {
			l := newLab(t, c.profile, nil)
			l.b.greedy = true
			l.a.wire.lose = losing(c.lost...)
			again := retransmissions(l)
			l.connect(SocketOptions{})
			l.a.ep.Write(1448 * 10)
			l.run(des.Second)
			l.a.ep.Write(1448 * 7)
			l.run(des.Second)
			l.a.ep.Write(1448 * 20)
			l.run(4 * des.Second)
			if !slices.Equal(*again, c.want) {
				t.Errorf("sent again %v, want %v", *again, c.want)
			}
			if k := l.a.Counters(); k.TCPFastRetrans == 0 || k.TCPTimeouts != c.timeout {
				t.Errorf("%d fast retransmissions, %d timeouts", k.TCPFastRetrans, k.TCPTimeouts)
			}
			if l.b.read != 1448*37 || l.b.ep.Stats().ForeignBytes != 0 {
				t.Errorf("%d bytes read, %d foreign", l.b.read, l.b.ep.Stats().ForeignBytes)
			}
		})
	}
}

// Two duplicate ACKs send new data (RFC 3042), the third sends the hole again
// (RFC 5681 section 3.2), and the window is half of what was in flight.
func TestFastRetransmit(t *testing.T) {
	p := established(t, "textbook", nil)
	p.ep.Write(1460 * 20)
	p.sends("<SEQ=101><ACK=301><DATA=1460><CTL=ACK>", "<SEQ=1561><ACK=301><DATA=1460><CTL=ACK>", "<SEQ=3021><ACK=301><DATA=1460><CTL=ACK>")
	// Ten segments in flight after the ACKs of slow start.
	for una := 1561; una <= 101+7*1460; una += 1460 {
		p.arrive(fmt.Sprintf("<SEQ=301><ACK=%d><CTL=ACK>", una))
	}
	una, nxt := p.ep.sndUna, p.ep.sndNxt
	if flight := nxt.Sub(una) / 1460; flight != 10 {
		t.Fatalf("%d segments in flight", flight)
	}
	p.sent = nil
	dup := fmt.Sprintf("<SEQ=301><ACK=%d><CTL=ACK>", una)
	p.arrive(dup)
	p.sends(fmt.Sprintf("<SEQ=%d><ACK=301><DATA=1460><CTL=ACK>", nxt))
	p.arrive(dup)
	p.sends(fmt.Sprintf("<SEQ=%d><ACK=301><DATA=1460><CTL=ACK>", nxt+1460))
	p.arrive(dup)
	if len(p.sent) == 0 || !strings.Contains(p.sent[0], fmt.Sprintf("<SEQ=%d>", una)) {
		t.Fatalf("the third duplicate ACK sends %v", p.sent)
	}
	if p.ep.win.Ssthresh < 5 || p.ep.win.Ssthresh > 6 {
		t.Errorf("ssthresh %d with 10 to 12 in flight", p.ep.win.Ssthresh)
	}
	// Neither a segment with data nor an update of the window is a duplicate.
	p = established(t, "textbook", nil)
	p.ep.Write(1460 * 3)
	p.sent = nil
	for i := range segment.Seq(4) {
		p.arrive(fmt.Sprintf("<SEQ=%d><ACK=101><DATA=10><CTL=ACK>", 301+10*i))
		p.arrive(fmt.Sprintf("<SEQ=%d><ACK=101><WND=%d><CTL=ACK>", 311+10*i, 30000+i))
	}
	for _, line := range p.sent {
		if strings.Contains(line, "<SEQ=101>") {
			t.Errorf("sent %s", line)
		}
	}
}

// Back-off and Karn's rule: the timeout of a segment that was sent again stays
// doubled until a segment that was sent once is acknowledged (RFC 6298 section
// 5.5, 5.7; RFC 9293 MUST-18). A time stamp tells at once.
func TestKarn(t *testing.T) {
	for _, c := range []struct {
		profile       string
		times         string
		after, later  des.Time // RTO after the ACK of the copy, and of new data
		samplesByCopy uint32
	}{
		{"textbook", "1.040 3.040 7.040 15.040", 16 * des.Second, des.Second, 0},
		{"linux", "0.260 0.480 0.920 1.800", 220 * ms, 220 * ms, 1},
	} {
		l := newLab(t, c.profile, nil)
		l.b.greedy = true
		l.a.wire.lose = losing(3, 4, 5, 6)
		l.connect(SocketOptions{})
		l.forget()
		before := l.a.ep.rtt.samples
		l.a.ep.Write(100)
		l.run(20 * des.Second)
		var times []string
		for _, line := range l.log[1:5] {
			at, _, _ := strings.Cut(line, " ")
			times = append(times, at)
		}
		if got := strings.Join(times, " "); got != c.times {
			t.Errorf("%s: sent again at %s, want %s", c.profile, got, c.times)
		}
		if l.a.ep.rto != c.after || l.a.ep.rtt.samples-before != c.samplesByCopy {
			t.Errorf("%s: after the copy RTO %v, %d samples", c.profile, l.a.ep.rto, l.a.ep.rtt.samples-before)
		}
		l.a.ep.Write(100)
		l.run(des.Second)
		if l.a.ep.rto != c.later || l.a.ep.backoff != 0 {
			t.Errorf("%s: after new data RTO %v, back-off %d", c.profile, l.a.ep.rto, l.a.ep.backoff)
		}
	}
}

// After a timeout the window is one segment and grows again from there (RFC
// 5681 section 3.1).
func TestTimeoutWindow(t *testing.T) {
	l := newLab(t, "textbook", nil)
	l.b.greedy = true
	l.a.wire.lose = func(n int, s *segment.Segment) bool { return l.sim.Now() == 40*ms }
	l.connect(SocketOptions{})
	l.forget()
	l.a.ep.Write(1460 * 3)
	l.run(2 * des.Second)
	l.want(`
		0.040 A <SEQ=101><ACK=301><DATA=1460><CTL=ACK> lost
		0.040 A <SEQ=1561><ACK=301><DATA=1460><CTL=ACK> lost
		0.040 A <SEQ=3021><ACK=301><DATA=1460><CTL=ACK> lost
		1.040 A <SEQ=101><ACK=301><DATA=1460><CTL=ACK>
		1.250 B <SEQ=301><ACK=1561><CTL=ACK>
		1.260 A <SEQ=1561><ACK=301><DATA=1460><CTL=ACK>
		1.260 A <SEQ=3021><ACK=301><DATA=1460><CTL=ACK>
		1.270 B <SEQ=301><ACK=4481><CTL=ACK>`)
}

// Segments out of order: an ACK at once for each, the hole shown by SACK, and
// everything delivered when it is filled (RFC 9293 SHLD-31, MAY-13).
func TestOutOfOrder(t *testing.T) {
	p := newPuppet(t, "linux", nil)
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1460><SACKOK><CTL=SYN>")
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.sent = nil
	p.arrive("<SEQ=501><ACK=101><DATA=100><CTL=ACK>")
	p.arrive("<SEQ=801><ACK=101><DATA=100><CTL=ACK>")
	p.arrive("<SEQ=601><ACK=101><DATA=100><CTL=ACK>")
	p.arrive("<SEQ=1001><ACK=101><CTL=FIN,ACK>")
	p.arrive("<SEQ=501><ACK=101><DATA=50><CTL=ACK>")
	p.sends("<SEQ=101><ACK=301><CTL=ACK><SACK=501:601>",
		"<SEQ=101><ACK=301><CTL=ACK><SACK=801:901,501:601>",
		"<SEQ=101><ACK=301><CTL=ACK><SACK=501:701,801:901>",
		"<SEQ=101><ACK=301><CTL=ACK><SACK=1001:1002,501:701,801:901>",
		"<SEQ=101><ACK=301><CTL=ACK><SACK=501:551,501:701,1001:1002,801:901>")
	if p.ep.Readable() != 0 {
		t.Errorf("%d bytes readable before the hole is filled", p.ep.Readable())
	}
	p.arrive("<SEQ=301><ACK=101><DATA=250><CTL=ACK>")
	p.sends("<SEQ=101><ACK=701><CTL=ACK><SACK=501:551,1001:1002,801:901>")
	p.arrive("<SEQ=901><ACK=101><DATA=100><CTL=ACK>")
	p.arrive("<SEQ=701><ACK=101><DATA=100><CTL=ACK>")
	p.in(CloseWait)
	if p.ep.Readable() != 700 || p.ep.Stats().ForeignBytes != 0 || p.ep.EOF() {
		t.Errorf("%d bytes readable, %d foreign", p.ep.Readable(), p.ep.Stats().ForeignBytes)
	}
	if p.ep.Read(1000) != 700 || !p.ep.EOF() {
		t.Error("no end of the stream")
	}
	if got := p.sent[len(p.sent)-1]; !strings.Contains(got, "<ACK=1002><CTL=ACK>") {
		t.Errorf("the last ACK is %s", got)
	}
}

// Bytes of another stream, or of another place in it, are counted as foreign.
func TestForeignBytes(t *testing.T) {
	p := established(t, "linux", nil)
	p.arrive("<SEQ=301><ACK=101><DATA=10><CTL=ACK>")
	s := parseLadder(t, "<SEQ=311><ACK=101><DATA=20><CTL=ACK>")
	s.Src, s.Dst, s.SrcPort, s.DstPort, s.Stream, s.Offset = 2, 1, p.peerPort, p.port, 8, 10
	p.Receive(p.sim.Now(), &s)
	s.Seq, s.Len, s.Stream, s.Offset = 331, 5, 7, 31
	p.Receive(p.sim.Now(), &s)
	p.arrive("<SEQ=336><ACK=101><DATA=10><CTL=ACK>")
	if got := p.ep.Stats(); got.BytesReceived != 45 || got.ForeignBytes != 25 {
		t.Errorf("%d received, %d foreign, want 45, 25", got.BytesReceived, got.ForeignBytes)
	}
}
