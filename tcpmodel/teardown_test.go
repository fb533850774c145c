package tcpmodel

import (
	"slices"
	"strings"
	"testing"

	"tcplab/des"
)

// closeCases are the ways in which a connection ends, from ESTABLISHED at 0.040
// s with 101 and 301 next. No profile means all.
var closeCases = []struct {
	name    string
	profile string
	act     func(l *lab)
	want    string
	a, b    State
}{
	{"four segments", "linux", closeOneByOne, `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			0.050 B <SEQ=301><ACK=102><CTL=ACK>
			0.540 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			0.550 A <SEQ=102><ACK=302><CTL=ACK>`, TimeWait, Listen},
	{"four segments, ACK delayed", "rfc9293", closeOneByOne, `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			0.250 B <SEQ=301><ACK=102><CTL=ACK>
			0.540 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			0.550 A <SEQ=102><ACK=302><CTL=ACK>`, TimeWait, Listen},
	{"four segments, ACK delayed", "textbook", closeOneByOne, `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			0.250 B <SEQ=301><ACK=102><CTL=ACK>
			0.540 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			0.550 A <SEQ=102><ACK=302><CTL=ACK>`, TimeWait, Listen},
	{"three segments", "", func(l *lab) {
		l.b.greedy = true
		l.a.ep.Close()
		l.run(500 * ms)
	}, `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			0.050 B <SEQ=301><ACK=102><CTL=FIN,ACK>
			0.060 A <SEQ=102><ACK=302><CTL=ACK>`, TimeWait, Listen},
	{"simultaneous", "", func(l *lab) {
		l.a.ep.Close()
		l.b.ep.Close()
		l.run(500 * ms)
	}, `
			0.040 A <SEQ=101><ACK=301><CTL=FIN,ACK>
			0.040 B <SEQ=301><ACK=101><CTL=FIN,ACK>
			0.050 A <SEQ=102><ACK=302><CTL=ACK>
			0.050 B <SEQ=302><ACK=102><CTL=ACK>`, TimeWait, TimeWait},
	{"half-close, then data the other way", "linux", closeHalf, `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.040 A <SEQ=201><ACK=301><CTL=FIN,ACK>
			0.050 B <SEQ=301><ACK=201><CTL=ACK>
			0.090 B <SEQ=301><ACK=202><CTL=ACK>
			0.340 B <SEQ=301><ACK=202><DATA=1448><CTL=ACK>
			0.340 B <SEQ=1749><ACK=202><DATA=1448><CTL=ACK>
			0.340 B <SEQ=3197><ACK=202><DATA=104><CTL=ACK>
			0.350 A <SEQ=202><ACK=1749><CTL=ACK>
			0.350 A <SEQ=202><ACK=3197><CTL=ACK>
			0.350 A <SEQ=202><ACK=3301><CTL=ACK>
			0.840 B <SEQ=3301><ACK=202><CTL=FIN,ACK>
			0.850 A <SEQ=202><ACK=3302><CTL=ACK>`, TimeWait, Listen},
	{"half-close, then data the other way", "textbook", closeHalf, `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.040 A <SEQ=201><ACK=301><CTL=FIN,ACK>
			0.250 B <SEQ=301><ACK=202><CTL=ACK>
			0.340 B <SEQ=301><ACK=202><DATA=1460><CTL=ACK>
			0.340 B <SEQ=1761><ACK=202><DATA=1460><CTL=ACK>
			0.340 B <SEQ=3221><ACK=202><DATA=80><CTL=ACK>
			0.350 A <SEQ=202><ACK=3221><CTL=ACK>
			0.550 A <SEQ=202><ACK=3301><CTL=ACK>
			0.840 B <SEQ=3301><ACK=202><CTL=FIN,ACK>
			0.850 A <SEQ=202><ACK=3302><CTL=ACK>`, TimeWait, Listen},
	{"reset on unread data", "linux", closeUnread, `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.050 B <SEQ=301><ACK=201><CTL=ACK>
			0.340 B <SEQ=301><ACK=201><CTL=RST,ACK>`, Closed, Listen},
	{"reset on unread data", "textbook", closeUnread, `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.250 B <SEQ=301><ACK=201><CTL=ACK>
			0.340 B <SEQ=301><ACK=201><CTL=RST,ACK>`, Closed, Listen},
	{"abort with data in flight", "rfc9293", abortInFlight, `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.040 A <SEQ=201><ACK=301><CTL=RST,ACK>`, Closed, Listen},
	// Linux acknowledges the first data at once, and so before the RST.
	{"abort with data in flight", "linux", abortInFlight, `
			0.040 A <SEQ=101><ACK=301><DATA=100><CTL=ACK>
			0.040 A <SEQ=201><ACK=301><CTL=RST,ACK>
			0.050 B <SEQ=301><ACK=201><CTL=ACK>
			0.060 A <SEQ=201><CTL=RST>`, Closed, Listen},
	{"data after close are reset", "", func(l *lab) {
		l.a.ep.Close()
		l.run(300 * ms)
		l.forget()
		l.b.ep.Write(100)
		l.run(500 * ms)
	}, `
			0.340 B <SEQ=301><ACK=102><DATA=100><CTL=ACK>
			0.350 A <SEQ=102><CTL=RST>`, Closed, Listen},
}

// TestClose shows closeCases as ladders.
func TestClose(t *testing.T) {
	for _, c := range closeCases {
		profiles := ProfileNames()
		if c.profile != "" {
			profiles = []string{c.profile}
		}
		for _, profile := range profiles {
			t.Run(c.name+"/"+profile, func(t *testing.T) {
				l := newLab(t, profile, nil)
				l.connect(SocketOptions{})
				l.forget()
				c.act(l)
				l.want(c.want)
				l.wantStates(c.a, c.b)
				l.idle(5 * des.Minute)
				l.a.checkEmpty(t)
				l.b.checkEmpty(t)
			})
		}
	}
}

func closeOneByOne(l *lab) {
	l.a.ep.Close()
	l.run(500 * ms)
	l.b.ep.Close()
	l.run(500 * ms)
}

func abortInFlight(l *lab) {
	l.a.ep.Write(100)
	l.a.ep.Abort()
	l.run(500 * ms)
	if l.a.lastEnd().Err != OK || l.b.lastEnd().Err != ECONNRESET {
		l.t.Errorf("A ended with %v, B with %v", l.a.lastEnd().Err, l.b.lastEnd().Err)
	}
}

func closeHalf(l *lab) {
	l.a.ep.Write(100)
	l.a.ep.Shutdown()
	l.run(300 * ms)
	l.b.ep.Read(100)
	l.b.ep.Write(3000)
	l.run(500 * ms)
	if n := l.a.ep.Read(10000); n != 3000 {
		l.t.Errorf("read %d bytes in FIN-WAIT-2", n)
	}
	l.b.ep.Close()
	l.run(des.Second)
	if !l.a.ep.EOF() {
		l.t.Error("no end of the stream in TIME-WAIT")
	}
	l.a.ep.Close()
	l.run(ms)
}

func closeUnread(l *lab) {
	l.a.ep.Write(100)
	l.run(300 * ms)
	l.b.ep.Close()
	l.run(500 * ms)
	if l.a.lastEnd().Err != ECONNRESET {
		l.t.Errorf("A ended with %v", l.a.lastEnd().Err)
	}
}

// A segment of data still takes part in the close: the FIN waits behind it.
func TestCloseWithPendingData(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		l := newLab(t, profile, nil)
		l.a.greedy, l.b.greedy = true, true
		l.connect(SocketOptions{})
		l.a.ep.Write(100000)
		l.a.ep.Close()
		l.idle(10 * des.Minute)
		if l.b.read != 100000 || l.b.lastEnd().Err != OK || l.a.lastEnd().BytesAcked != 100000 {
			t.Errorf("B read %d (%v), A counts %d acknowledged", l.b.read, l.b.lastEnd().Err, l.a.lastEnd().BytesAcked)
		}
		if !l.a.lastEnd().ClosedFirst || l.b.lastEnd().ClosedFirst {
			t.Error("who closed first is wrong")
		}
		l.a.checkEmpty(t)
		l.b.checkEmpty(t)
	})
}

// An orphan in FIN-WAIT-2 waits for tcp_fin_timeout, a half-closed connection
// for ever.
func TestFinWait2(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := newPuppet(t, profile, nil)
		inFinWait2(p)
		p.run(p.host.cfg.FinTimeout - ms)
		p.in(FinWait2)
		p.run(ms)
		p.checkEmpty(t)
		p = newPuppet(t, profile, nil)
		inEstablished(p)
		p.ep.Shutdown()
		p.run(0)
		p.arrive("<SEQ=301><ACK=102><CTL=ACK>")
		p.run(10 * des.Hour)
		p.in(FinWait2)
	})
}

// What a connection in TIME-WAIT makes of arrivals: 2MSL is twMSL, the peer's
// FIN came at time 0.
func TestTimeWaitArrivals(t *testing.T) {
	const later = 10 * des.Second
	for _, c := range []struct {
		name, arrives, answer string
		ends                  des.Time // when TIME-WAIT is over, counted in 2MSL
		restarted             bool
	}{
		{"nothing", "", "", 0, false},
		// RFC 9293 section 3.10.7.4 eighth: acknowledge it and restart.
		{"the FIN again", "<SEQ=301><ACK=102><CTL=FIN,ACK>", "<SEQ=102><ACK=302><CTL=ACK>", 0, true},
		{"old data", "<SEQ=290><ACK=102><DATA=5><CTL=ACK>", "<SEQ=102><ACK=302><CTL=ACK>", 0, true},
		{"data beyond the FIN", "<SEQ=302><ACK=102><DATA=5><CTL=ACK>", "<SEQ=102><ACK=302><CTL=ACK>", 0, true},
		{"an old SYN", "<SEQ=200><CTL=SYN>", "<SEQ=102><ACK=302><CTL=ACK>", 0, false},
		{"RST outside", "<SEQ=200><CTL=RST>", "", 0, false},
		{"RST beyond RCV.NXT", "<SEQ=310><CTL=RST>", "", 0, false},
	} {
		profilesTest(t, func(t *testing.T, profile string) {
			p := newPuppet(t, profile, nil)
			inTimeWait(p)
			p.sent = nil
			start := p.sim.Now()
			p.run(later)
			if c.arrives != "" {
				p.arrive(c.arrives)
			}
			if c.answer == "" {
				p.sends()
			} else {
				p.sends(c.answer)
			}
			end := start + p.host.cfg.TimeWait
			if c.restarted {
				end += later
			}
			p.sim.Run(end - ms)
			p.in(TimeWait)
			p.sim.Run(end)
			p.in(Listen)
			p.checkEmpty(t)
		})
	}
}

// A RST in TIME-WAIT is deadly unless tcp_rfc1337 is set.
func TestTimeWaitReset(t *testing.T) {
	for _, rfc1337 := range []bool{false, true} {
		p := newPuppet(t, "linux", func(c *Config) { c.RFC1337 = rfc1337 })
		inTimeWait(p)
		p.arrive("<SEQ=302><CTL=RST>")
		if rfc1337 {
			p.in(TimeWait)
		} else {
			p.in(Listen)
			p.checkEmpty(t)
		}
	}
}

// A new SYN beyond the old incarnation opens again (RFC 6191, RFC 9293 MAY-2),
// from the old SND.NXT plus 65535 + 2 as in Linux.
func TestTimeWaitReopens(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := newPuppet(t, profile, nil)
		inTimeWait(p)
		p.states, p.sent = nil, nil
		p.arrive("<SEQ=9000><CTL=SYN>")
		p.sends("<SEQ=65639><ACK=9001><CTL=SYN,ACK>")
		if want := []string{"TIME-WAIT>CLOSED", "CLOSED>LISTEN", "LISTEN>SYN-RECEIVED"}; !slices.Equal(p.states, want) {
			t.Errorf("%v, want %v", p.states, want)
		}
		p.arrive("<SEQ=9001><ACK=65640><CTL=ACK>")
		p.in(Established)
		p.ep.Abort()
		p.idle(des.Hour)
		p.checkEmpty(t)
	})
}

// tcp_tw_reuse: an active open takes the port of an entry in TIME-WAIT that
// has time stamps and is older than a second.
func TestTimeWaitReuse(t *testing.T) {
	for _, c := range []struct {
		reuse int
		after des.Time
		taken bool
	}{{1, 1100 * ms, true}, {1, 900 * ms, false}, {0, 1100 * ms, false}, {2, 1100 * ms, false}} {
		l := newLab(t, "linux", func(c2 *Config) { c2.TwReuse = c.reuse; c2.PortLow, c2.PortHigh = 5000, 5000 })
		l.b.greedy = true
		l.connect(SocketOptions{})
		l.a.ep.Close()
		l.run(100 * ms)
		l.wantStates(TimeWait, Listen)
		l.run(c.after - 100*ms)
		l.forget()
		ep, err := l.a.Connect(2, 80, l.a, SocketOptions{})
		if (err == nil) != c.taken {
			t.Fatalf("tcp_tw_reuse %d after %v: %v", c.reuse, c.after, err)
		}
		if !c.taken {
			if err != EADDRNOTAVAIL {
				t.Errorf("refused with %v", err)
			}
			continue
		}
		l.a.ep = ep
		if !strings.Contains(l.log[0], "<SEQ=65639><CTL=SYN>") {
			t.Errorf("opens with %s", l.log[0])
		}
		l.run(100 * ms)
		l.wantStates(Established, Established)
		// The old entry's time passes without harm to the new connection.
		l.run(2 * des.Minute)
		l.wantStates(Established, Established)
		l.a.greedy = true
		l.b.ep.Write(3000)
		l.run(des.Second)
		if l.a.read != 3000 {
			t.Errorf("read %d", l.a.read)
		}
		l.a.ep.Close()
		l.idle(des.Hour)
		l.a.checkEmpty(t)
		l.b.checkEmpty(t)
	}
}

// Without a time to wait, or beyond tcp_max_tw_buckets, a connection is gone
// at once.
func TestTimeWaitNone(t *testing.T) {
	for _, tune := range []func(c *Config){
		func(c *Config) { c.TimeWait = 0 },
		func(c *Config) { c.MaxTwBuckets = 0 },
	} {
		p := newPuppet(t, "linux", tune)
		inTimeWait(p)
		p.in(Listen)
		p.checkEmpty(t)
	}
}
