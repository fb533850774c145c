package tcpmodel

import (
	"fmt"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// losing loses the segments with these ordinals; -n loses all from n on.
func losing(ordinals ...int) func(int, *segment.Segment) bool {
	return func(n int, _ *segment.Segment) bool {
		for _, o := range ordinals {
			if o == n || o < 0 && n >= -o {
				return true
			}
		}
		return false
	}
}

const opening = `
	0.000 A <SEQ=100><CTL=SYN>
	0.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
	0.020 A <SEQ=101><ACK=301><CTL=ACK>`

// lossCases lose one segment of a short connection; a and b are the ordinals of
// what A and B lose. No profile means all.
var lossCases = []struct {
	name, profile string
	a, b          []int
	act           func(l *lab)
	want          string
	inA, inB      State
}{
	{"SYN", "", []int{1}, nil, nil, `
			0.000 A <SEQ=100><CTL=SYN> lost
			1.000 A <SEQ=100><CTL=SYN>
			1.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
			1.020 A <SEQ=101><ACK=301><CTL=ACK>`, Established, Established},
	// Both ends send again after 1 s, so that the SYN-ACK comes twice.
	{"SYN-ACK", "", nil, []int{1}, nil, `
			0.000 A <SEQ=100><CTL=SYN>
			0.010 B <SEQ=300><ACK=101><CTL=SYN,ACK> lost
			1.000 A <SEQ=100><CTL=SYN>
			1.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
			1.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
			1.020 A <SEQ=101><ACK=301><CTL=ACK>
			1.020 A <SEQ=101><ACK=301><CTL=ACK>`, Established, Established},
	{"third segment, then silence", "", []int{2}, nil, nil, `
			0.000 A <SEQ=100><CTL=SYN>
			0.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
			0.020 A <SEQ=101><ACK=301><CTL=ACK> lost
			1.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
			1.020 A <SEQ=101><ACK=301><CTL=ACK>`, Established, Established},
	{"third segment, then data", "linux", []int{2}, nil, func(l *lab) { l.a.ep.Write(100) }, `
			0.000 A <SEQ=100><CTL=SYN>
			0.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
			0.020 A <SEQ=101><ACK=301><CTL=ACK> lost
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.050 B <SEQ=301><ACK=201><CTL=ACK>`, Established, Established},
	// The RTO of linux is SRTT + 200 ms; elsewhere it is 1 s.
	{"data", "linux", []int{3}, nil, func(l *lab) { l.a.ep.Write(100) }, opening + `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK> lost
			0.260 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.270 B <SEQ=301><ACK=201><CTL=ACK>`, Established, Established},
	{"data", "textbook", []int{3}, nil, func(l *lab) { l.a.ep.Write(100) }, opening + `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK> lost
			1.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			1.250 B <SEQ=301><ACK=201><CTL=ACK>`, Established, Established},
	{"ACK of data", "linux", nil, []int{2}, func(l *lab) { l.a.ep.Write(100) }, opening + `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.050 B <SEQ=301><ACK=201><CTL=ACK> lost
			0.260 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.270 B <SEQ=301><ACK=201><CTL=ACK><SACK=101:201>`, Established, Established},
	{"ACK of data", "textbook", nil, []int{2}, func(l *lab) { l.a.ep.Write(100) }, opening + `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.250 B <SEQ=301><ACK=201><CTL=ACK> lost
			1.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			1.050 B <SEQ=301><ACK=201><CTL=ACK>`, Established, Established},
	{"FIN", "linux", []int{3}, nil, func(l *lab) { l.a.ep.Close() }, opening + `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK> lost
			0.260 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			0.270 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			0.280 A <SEQ=102><ACK=302><CTL=ACK>`, TimeWait, Listen},
	{"FIN", "textbook", []int{3}, nil, func(l *lab) { l.a.ep.Close() }, opening + `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK> lost
			1.040 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			1.050 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			1.060 A <SEQ=102><ACK=302><CTL=ACK>`, TimeWait, Listen},
	// The FIN of LAST-ACK comes again to TIME-WAIT, which answers.
	{"last ACK", "linux", []int{4}, nil, func(l *lab) { l.a.ep.Close() }, opening + `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			0.050 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			0.060 A <SEQ=102><ACK=302><CTL=ACK> lost
			0.270 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			0.280 A <SEQ=102><ACK=302><CTL=ACK>`, TimeWait, Listen},
}

// TestLoss shows lossCases as ladders.
func TestLoss(t *testing.T) {
	for _, c := range lossCases {
		profiles := ProfileNames()
		if c.profile != "" {
			profiles = []string{c.profile}
		}
		for _, profile := range profiles {
			t.Run(c.name+"/"+profile, func(t *testing.T) {
				l := newLab(t, profile, nil)
				l.a.wire.lose, l.b.wire.lose = losing(c.a...), losing(c.b...)
				l.b.greedy = true
				l.listen()
				l.dial(SocketOptions{})
				l.run(40 * ms)
				if c.act != nil {
					c.act(l)
				}
				l.run(5 * des.Second)
				l.want(c.want)
				l.wantStates(c.inA, c.inB)
			})
		}
	}
}

// TestRetryLimits: how often what is never answered is sent again, and when
// the connection is given up. The first segment leaves at 0.040 s.
func TestRetryLimits(t *testing.T) {
	write := func(l *lab) { l.a.ep.Write(100) }
	closes := func(l *lab) { l.a.ep.Close() }
	for _, c := range []struct {
		name, profile string
		tune          func(c *Config)
		socket        SocketOptions
		act           func(l *lab)
		times         string
		end           string
	}{
		// Linux: a tail loss probe, then RTO by RTO; it gives up at the first
		// timeout that is 924.6 s after the first retransmission.
		{"data", "linux", nil, SocketOptions{}, write,
			"0.260 0.480 0.920 1.800 3.560 7.080 14.120 28.200 56.360 112.680 225.320 345.320 465.320 585.320 705.320 825.320", "945.320"},
		// 15 retries with a timeout that stops at 60 s.
		{"data", "textbook", nil, SocketOptions{}, write,
			"1.040 3.040 7.040 15.040 31.040 63.040 123.040 183.040 243.040 303.040 363.040 423.040 483.040 543.040 603.040", "663.040"},
		{"data, tcp_retries2 3", "textbook", func(c *Config) { c.Retries2 = 3 }, SocketOptions{}, write, "1.040 3.040 7.040", "15.040"},
		// A budget of (2^4-1) 200 ms = 3 s from 0.480 s on.
		{"data, tcp_retries2 3", "linux", func(c *Config) { c.Retries2 = 3 }, SocketOptions{}, write, "0.260 0.480 0.920 1.800", "3.560"},
		// An orphan has 8 retries, counted in time as well.
		{"FIN of an orphan", "linux", nil, SocketOptions{}, closes,
			"0.260 0.480 0.920 1.800 3.560 7.080 14.120 28.200 56.360", "112.680"},
		// TCP_USER_TIMEOUT counts from the first retransmission of the RTO.
		{"user timeout", "linux", nil, SocketOptions{UserTimeout: 5 * des.Second}, write, "0.260 0.480 0.920 1.800 3.560", "5.480"},
		{"user timeout", "textbook", nil, SocketOptions{UserTimeout: 5 * des.Second}, write, "1.040 3.040", "6.040"},
	} {
		t.Run(c.name+"/"+c.profile, func(t *testing.T) {
			l := newLab(t, c.profile, c.tune)
			l.a.wire.lose = losing(-3)
			l.connect(c.socket)
			l.forget()
			c.act(l)
			l.run(des.Hour)
			var times []string
			for _, line := range l.log[1:] {
				at, _, _ := strings.Cut(line, " ")
				times = append(times, at)
			}
			if got := strings.Join(times, " "); got != c.times {
				t.Errorf("sent again at\n%s, want\n%s", got, c.times)
			}
			end := l.a.lastEnd()
			if end.Err != ETIMEDOUT || end.Why != CauseGiveUp || clock(end.Ended) != c.end {
				t.Errorf("ended with %v by %v at %s, want ETIMEDOUT at %s", end.Err, end.Why, clock(end.Ended), c.end)
			}
			if c.socket.UserTimeout == 0 && len(times) != int(end.Retransmits) {
				t.Errorf("counts %d retransmissions of %d", end.Retransmits, len(times))
			}
			l.a.checkEmpty(t)
		})
	}
}

// tcp_syn_retries is a time in Linux: how many copies fit into it.
func TestSynRetries(t *testing.T) {
	for _, c := range []struct {
		retries, synCnt int
		copies          string
		end             string
	}{
		{1, 0, "1.000 2.000", "3.000"},
		{2, 0, "1.000 2.000 3.000 4.000 5.000", "7.000"},
		{6, 1, "1.000 2.000", "3.000"},
	} {
		p := newPuppet(t, "linux", func(cfg *Config) { cfg.SynRetries = c.retries })
		p.activeOpen(SocketOptions{SynCnt: c.synCnt})
		p.idle(des.Hour)
		got := ""
		for _, line := range p.sent[1:] {
			at, _, _ := strings.Cut(line, " ")
			got += " " + at
		}
		if got != " "+c.copies || clock(p.lastEnd().Ended) != c.end {
			t.Errorf("tcp_syn_retries %d, TCP_SYNCNT %d: copies at%s, end at %s, want %s, %s", c.retries, c.synCnt, got, clock(p.lastEnd().Ended), c.copies, c.end)
		}
	}
}

// Keepalive: a peer that answers is probed for ever, and what it sends starts
// the time of idleness anew.
func TestKeepalive(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, nil)
		l.connect(SocketOptions{Keepalive: true, KeepIdle: 10 * des.Second, KeepIntvl: des.Second, KeepCnt: 2})
		l.forget()
		l.run(31 * des.Second)
		// The third segment, at 0.020 s, is not what counts but the SYN-ACK
		// that it answers.
		l.want(`
			10.020 A <SEQ=100><ACK=301><CTL=ACK>
			10.030 B <SEQ=301><ACK=101><CTL=ACK>
			20.040 A <SEQ=100><ACK=301><CTL=ACK>
			20.050 B <SEQ=301><ACK=101><CTL=ACK>
			30.060 A <SEQ=100><ACK=301><CTL=ACK>
			30.070 B <SEQ=301><ACK=101><CTL=ACK>`)
		l.b.ep.Write(10)
		l.run(4 * des.Second)
		l.forget()
		l.run(7 * des.Second)
		if len(l.log) != 2 || !strings.HasPrefix(l.log[0], "41.050 A <SEQ=100><ACK=311>") {
			t.Errorf("after data at 31.050 s: %v", l.log)
		}
		// The peer dies: two probes, a RST, ETIMEDOUT.
		l.a.wire.lose = losing(-1)
		l.forget()
		l.run(des.Minute)
		if end := l.a.lastEnd(); end.Err != ETIMEDOUT || clock(end.Ended) != "53.070" || len(l.log) != 3 || !strings.Contains(l.log[2], "RST") {
			t.Errorf("ended with %v at %s: %v", end.Err, clock(end.Ended), l.log)
		}
	})
}

// Without SO_KEEPALIVE nothing is ever sent on an idle connection (RFC 9293
// MUST-25).
func TestNoKeepalive(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, nil)
		l.connect(SocketOptions{})
		l.forget()
		l.idle(100 * des.Hour)
		l.want("")
		l.wantStates(Established, Established)
	})
}

// A zero window is probed, and the data flow when it opens, whether the peer's
// update arrives or the next probe asks for it.
func TestZeroWindow(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		for _, lost := range []bool{false, true} {
			l := newLab(t, profile, func(c *Config) { c.RmemDefault, c.RmemMax, c.Autotune = 8192, 8192, false })
			l.connect(SocketOptions{})
			l.a.ep.Write(20000)
			l.run(10 * des.Second)
			if l.b.ep.Readable() == 0 || l.b.ep.receiveWindow() >= 1448 || l.a.ep.Stats().BytesAcked > 8192 {
				t.Fatalf("%d bytes wait in a window of %d, %d acknowledged", l.b.ep.Readable(), l.b.ep.receiveWindow(), l.a.ep.Stats().BytesAcked)
			}
			if n := l.a.ep.probes; l.b.ep.receiveWindow() == 0 && n != 0 {
				t.Errorf("%d unanswered probes", n)
			}
			if lost {
				n := l.b.wire.n
				l.b.wire.lose = losing(n + 1)
			}
			l.b.greedy = true
			l.b.HandleEvents(l.sim.Now(), l.b.ep, EvReadable)
			l.run(des.Minute)
			if l.b.read != 20000 {
				t.Errorf("update lost %v: %d bytes read\n%s", lost, l.b.read, l.dump())
			}
			l.a.ep.Close()
			l.idle(des.Hour)
		}
	})
}

// A peer that closes its window and is gone: probes by the retry limit.
func TestZeroWindowDeath(t *testing.T) {
	p := established(t, "rfc9293", func(c *Config) { c.Retries2 = 4 })
	p.arrive("<SEQ=301><ACK=101><WND=0><CTL=ACK>")
	p.ep.Write(100)
	p.idle(des.Hour)
	want := []string{}
	for _, at := range []int{1, 3, 7, 15} {
		want = append(want, fmt.Sprintf("%d.000 <SEQ=100><ACK=301><CTL=ACK>", at))
	}
	p.sends(want...)
	if end := p.lastEnd(); end.Err != ETIMEDOUT || clock(end.Ended) != "31.000" {
		t.Errorf("ended with %v at %s", end.Err, clock(end.Ended))
	}
	p.checkEmpty(t)
}
