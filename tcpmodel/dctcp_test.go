package tcpmodel

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// RFC 8257 section 3.2, figure 1: ACKs echo whether the last segment was marked.
// While that does not change they are delayed as ever; when it does, what was delayed
// is acknowledged with the old answer, and the new segment at once.
func TestExactEcho(t *testing.T) {
	for _, c := range []struct{ marks, want string }{
		{"....", "3 5"},
		{"MMMM", "2E 4E"}, // the first mark is a change: at once; then in pairs, and one waits
		{".M", "2 3E"},
		{"..M.", "3 4E 5"},
		{".MM.M", "2 3E 4E 5 6E"},
		{"M..", "2E 3"},
	} {
		t.Run(c.marks, func(t *testing.T) {
			p := newPuppet(t, "rfc9293", func(cfg *Config) { cfg.Congestion = "dctcp" })
			p.passiveOpen(5)
			syn := segment.Segment{Seq: 300, Flags: segment.SYN | ecnSyn, ECN: segment.ECT0, Opts: segment.OptMSS, MSS: 1000}
			p.arriveSegment(&syn)
			if p.last.ECN != segment.ECT0 || p.last.Flags&ecnSyn != segment.ECE {
				t.Fatalf("the SYN-ACK is %v", &p.last)
			}
			p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
			p.in(Established)
			p.greedy = true
			var got []string
			for i, m := range c.marks {
				p.sent = nil
				seg := segment.Segment{Seq: segment.Seq(301 + 1000*i), Ack: 101, Flags: segment.ACK, Len: 1000, Wnd: 65535, ECN: segment.ECT0}
				if m == 'M' {
					seg.ECN = segment.CE
				}
				p.wire.keep = func(s *segment.Segment) {
					if s.ECN != segment.ECT0 {
						t.Errorf("%v is not capable of ECN", s)
					}
					echo := ""
					if s.Has(segment.ECE) {
						echo = "E"
					}
					got = append(got, fmt.Sprint(uint32(s.Ack-301)/1000+1, echo))
				}
				p.arriveSegment(&seg)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("acknowledges up to %s, want %s", s, c.want)
			}
		})
	}
}

// Who speaks DCTCP with whom. A SYN that is capable of ECN itself is refused it by
// listeners without DCTCP, as in Linux, and then dctcp is Reno.
func TestDCTCPHandshake(t *testing.T) {
	for _, c := range []struct {
		active, passive string
		ecn             int
		agreed          bool
	}{
		{"dctcp", "dctcp", 0, true},
		{"dctcp", "cubic", 2, false},
		{"cubic", "dctcp", 2, false},
		{"cubic", "dctcp", 1, true},
	} {
		l := newLab(t, "linux", nil)
		l.a.cfg.Congestion, l.b.cfg.Congestion, l.a.cfg.ECN = c.active, c.passive, c.ecn
		l.b.greedy = true
		var data, resent, acks []segment.ECN
		var from segment.Seq
		l.a.wire.lose = func(n int, s *segment.Segment) bool {
			switch {
			case s.Has(segment.SYN):
				from = s.Seq
				if (s.ECN == segment.ECT0) != (c.active == "dctcp") || s.Has(ecnSyn) != (c.active == "dctcp" || c.ecn == 1) {
					t.Errorf("%+v: the SYN is %v", c, s)
				}
			case s.Len > 0 && s.Seq == from+1:
				if resent = append(resent, s.ECN); len(resent) == 1 {
					return true
				}
			case s.Len > 0:
				data = append(data, s.ECN)
			}
			return false
		}
		l.b.wire.lose = func(n int, s *segment.Segment) bool {
			if !s.Has(segment.SYN) {
				acks = append(acks, s.ECN)
			}
			return false
		}
		l.connect(SocketOptions{})
		l.a.ep.Write(100000)
		l.run(10 * des.Second)
		if l.b.read != 100000 {
			t.Errorf("%+v: %d bytes arrived", c, l.b.read)
		}
		all := func(what string, list []segment.ECN, capable bool) {
			want := segment.NotECT
			if capable {
				want = segment.ECT0
			}
			if len(list) == 0 || slices.ContainsFunc(list, func(e segment.ECN) bool { return e != want }) {
				t.Errorf("%+v: %s are %v, want %v", c, what, list, want)
			}
		}
		all("data", data, c.agreed)
		all("retransmissions", resent[1:], c.agreed && c.active == "dctcp")
		all("ACKs", acks, c.agreed && c.passive == "dctcp")
		if reads := l.a.ep.ecn.reader != nil; reads != (c.agreed && c.active == "dctcp") {
			t.Errorf("%+v: the sender reads marks: %v", c, reads)
		}
	}
}

// Marks reduce the window once per window (RFC 8257 section 3.3), at first by half,
// and a loss while it is reduced halves what is left (section 3.4).
func TestDCTCPReducesOnce(t *testing.T) {
	p := newPuppet(t, "rfc9293", func(c *Config) { c.Congestion = "dctcp" })
	p.passiveOpen(5)
	p.arriveSegment(&segment.Segment{Seq: 300, Flags: segment.SYN | ecnSyn, ECN: segment.ECT0, Opts: segment.OptMSS | segment.OptSACKPermitted, MSS: 1000})
	p.run(100 * des.Millisecond)
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	ep := p.ep
	ep.win.Cwnd, ep.win.Ssthresh = 32, 32
	ep.Write(90 * 1000)
	ack := func(n uint32, flags segment.Flags, sacked uint32) {
		p.run(des.Millisecond)
		s := segment.Segment{Seq: 301, Ack: 101 + segment.Seq(1000*n), Flags: segment.ACK | flags, Wnd: 65535}
		if sacked > 0 {
			s.Opts, s.NumSACK = segment.OptSACK, 1
			s.SACK[0] = segment.Block{Left: s.Ack + 1000, Right: s.Ack + 1000 + segment.Seq(1000*sacked)}
		}
		p.arriveSegment(&s)
	}
	p.run(99 * des.Millisecond)
	ack(4, segment.ECE, 0)
	if ep.ca != caCWR || ep.win.Ssthresh != 16 {
		t.Fatalf("state %d, threshold %d: alpha is 1 at first, which halves the window", ep.ca, ep.win.Ssthresh)
	}
	for n := uint32(5); n <= 16; n++ {
		ack(n, segment.ECE, 0)
	}
	if ep.ca != caCWR || ep.win.Ssthresh != 16 {
		t.Errorf("state %d, threshold %d: further marks of the window count no more", ep.ca, ep.win.Ssthresh)
	}
	ack(16, 0, 1)
	ack(16, 0, 2)
	before := ep.win.Cwnd
	ack(16, 0, 3)
	if ep.ca != caRecovery || ep.win.Ssthresh != before/2 {
		t.Errorf("state %d, threshold %d: a loss at a window of %d halves it", ep.ca, ep.win.Ssthresh, before)
	}
}
