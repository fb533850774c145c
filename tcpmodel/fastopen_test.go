package tcpmodel

import (
	"net/netip"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// fastLab is two hosts with Fast Open on both sides, B listening with room for
// queue pending connections.
func fastLab(t testing.TB, queue int, tune func(c *Config)) *lab {
	t.Helper()
	l := newLab(t, "linux", func(c *Config) {
		c.FastOpen, c.Timestamps = fastOpenClient|fastOpenServer, false
		if tune != nil {
			tune(c)
		}
	})
	l.listen()
	l.b.l.SetSockOpt(TCPFastOpen, int64(queue))
	return l
}

// warm has A learn B's cookie, and starts a new log.
func (l *lab) warm() {
	l.t.Helper()
	l.dial(SocketOptions{FastOpen: true})
	l.run(4 * labDelay)
	l.a.ep.Abort()
	l.run(4 * labDelay)
	if l.a.fastOpenPeers[2].cookie.Len != 8 {
		l.t.Fatalf("no cookie after the first connection\n%s", l.dump())
	}
	l.forget()
}

// cookiesOf notes the Fast Open options of the segments that h sends.
func cookiesOf(h *host) *[]string {
	var seen []string
	h.wire.lose = func(_ int, s *segment.Segment) bool {
		if c, ok := s.Cookie(); ok {
			seen = append(seen, s.Flags.String()+" "+c.String())
		}
		return false
	}
	return &seen
}

// The first connection asks for a cookie, the SYN of the second carries it and
// data, which the server reads and answers before the third segment comes (RFC
// 7413 section 3.2 and 4.2).
func TestFastOpen(t *testing.T) {
	l := fastLab(t, 5, nil)
	a, b := cookiesOf(l.a), cookiesOf(l.b)
	l.dial(SocketOptions{FastOpen: true})
	l.run(4 * labDelay)
	cookie := l.a.fastOpenPeers[2].cookie
	if len(*a) != 1 || (*a)[0] != "SYN " || len(*b) != 1 || (*b)[0] != "SYN,ACK "+cookie.String() || cookie.Len != 8 {
		t.Fatalf("asked with %q, answered with %q, kept %v", *a, *b, &cookie)
	}
	l.a.ep.Abort()
	l.run(4 * labDelay)
	*a, *b = nil, nil
	l.forget()

	l.dial(SocketOptions{FastOpen: true})
	if room, waits := l.a.ep.FastOpenWaits(); room != 1420 || !waits || len(l.log) != 0 {
		t.Fatalf("room %d, waits %v, sent %q", room, waits, l.log)
	}
	l.a.ep.Write(2000)
	l.run(labDelay)
	if l.b.state() != SynReceived || l.b.ep.Readable() != 1420 || l.b.ep.Stats().ForeignBytes != 0 {
		t.Fatalf("server in %v with %d bytes\n%s", l.b.state(), l.b.ep.Readable(), l.dump())
	}
	l.b.ep.Read(1420)
	l.b.ep.Write(500)
	l.run(3 * labDelay)
	l.want(`
		0.080 A <SEQ=100><DATA=1420><CTL=SYN>
		0.090 B <SEQ=300><ACK=1521><CTL=SYN,ACK>
		0.090 B <SEQ=301><ACK=1521><DATA=500><CTL=ACK>
		0.100 A <SEQ=1521><ACK=301><DATA=580><CTL=ACK>
		0.110 B <SEQ=801><ACK=2101><CTL=ACK>`)
	if len(*a) != 1 || (*a)[0] != "SYN "+cookie.String() || len(*b) != 0 {
		t.Errorf("Fast Open options %q and %q", *a, *b)
	}
	if l.a.Counters().TCPFastOpenActive != 1 || l.b.Counters().TCPFastOpenPassive != 1 || l.b.l.fast.pending != 0 {
		t.Errorf("counters %+v %+v, %d pending", l.a.Counters(), l.b.Counters(), l.b.l.fast.pending)
	}
	for _, h := range []*host{l.a, l.b} {
		if info := h.ep.Info(); info.Options&infoSynData == 0 {
			t.Errorf("%s: TCP_INFO says nothing of data on the SYN", h.name)
		}
	}
}

// What the server does not take of the SYN is sent again at once, and says
// nothing of congestion: a wrong cookie is answered with the right one (RFC 7413
// section 4.1.3 and 4.2.1).
func TestFastOpenRefused(t *testing.T) {
	l := fastLab(t, 5, nil)
	l.warm()
	l.b.SetFastOpenKey([16]byte{1})
	b := cookiesOf(l.b)
	l.dial(SocketOptions{FastOpen: true})
	l.a.ep.Write(1000)
	l.run(50 * ms)
	l.want(`
		0.080 A <SEQ=100><DATA=1000><CTL=SYN>
		0.090 B <SEQ=300><ACK=101><CTL=SYN,ACK>
		0.100 A <SEQ=101><ACK=301><DATA=1000><CTL=ACK>
		0.110 B <SEQ=301><ACK=1101><CTL=ACK>`)
	if c := l.a.fastOpenPeers[2].cookie; len(*b) != 1 || (*b)[0] != "SYN,ACK "+c.String() {
		t.Errorf("answered with %q, kept %v", *b, &c)
	}
	info := l.a.ep.Info()
	if info.SndCwnd != 10 || info.CaState != uint8(caOpen) || info.Options&infoSynData != 0 {
		t.Errorf("cwnd %d, state %d, options %d", info.SndCwnd, info.CaState, info.Options)
	}
	if l.a.Counters().TCPFastOpenActiveFail != 1 || l.b.Counters().TCPFastOpenPassiveFail != 1 {
		t.Errorf("counters %+v %+v", l.a.Counters(), l.b.Counters())
	}
}

// A SYN that is sent again carries neither cookie nor data (RFC 7413 section
// 4.1.3.1), and the data follow the SYN-ACK.
func TestFastOpenSynLost(t *testing.T) {
	l := fastLab(t, 5, nil)
	l.warm()
	first := true
	l.a.wire.lose = func(_ int, s *segment.Segment) bool {
		lost := first
		if _, ok := s.Cookie(); ok != first && s.Has(segment.SYN) {
			t.Errorf("%v", s)
		}
		first = false
		return lost
	}
	l.dial(SocketOptions{FastOpen: true})
	l.a.ep.Write(1000)
	l.run(1100 * ms)
	l.want(`
		0.080 A <SEQ=100><DATA=1000><CTL=SYN> lost
		1.080 A <SEQ=100><CTL=SYN>
		1.090 B <SEQ=300><ACK=101><CTL=SYN,ACK>
		1.100 A <SEQ=101><ACK=301><DATA=1000><CTL=ACK>
		1.110 B <SEQ=301><ACK=1101><CTL=ACK>`)
}

// The SYN-ACK of a pending connection is sent again by its timer, nothing else
// is before the handshake is complete, and one retry more than
// tcp_synack_retries ends it.
func TestFastOpenSynAckLost(t *testing.T) {
	l := fastLab(t, 5, func(c *Config) { c.SynackRetries = 1 })
	l.warm()
	l.b.wire.lose = func(int, *segment.Segment) bool { return true }
	l.dial(SocketOptions{FastOpen: true})
	l.a.ep.Write(10)
	l.run(labDelay)
	l.a.ep.Abort()
	l.b.ep.Write(100)
	l.run(30 * des.Second)
	l.want(`
		0.080 A <SEQ=100><DATA=10><CTL=SYN>
		0.090 B <SEQ=300><ACK=111><CTL=SYN,ACK> lost
		0.090 B <SEQ=301><ACK=111><DATA=100><CTL=ACK> lost
		1.090 B <SEQ=300><ACK=111><CTL=SYN,ACK> lost
		3.090 B <SEQ=300><ACK=111><CTL=SYN,ACK> lost`)
	if e := l.b.lastEnd(); e.Err != ETIMEDOUT || e.Ended != 7090*ms || l.b.l.fast.pending != 0 {
		t.Errorf("ended with %v at %v, %d pending", e.Err, e.Ended, l.b.l.fast.pending)
	}
}

// Connections that were reset still count as pending for a minute (RFC 7413
// section 5.1), a full queue falls back to the plain handshake, and so does a
// listener that does not ask for Fast Open.
func TestFastOpenQueue(t *testing.T) {
	l := fastLab(t, 1, nil)
	l.warm()
	l.dial(SocketOptions{FastOpen: true})
	l.a.ep.Write(10)
	l.run(labDelay)
	rst := segment.Segment{Src: 1, Dst: 2, SrcPort: l.b.ep.Conn().RemotePort, DstPort: 80, Flags: segment.RST, Seq: 111}
	l.b.Receive(l.sim.Now(), &rst)
	for _, c := range []struct {
		wait des.Time
		want segment.Seq
	}{{0, 101}, {des.Minute, 111}} {
		l.run(c.wait)
		l.forget()
		var got segment.Seq
		l.b.wire.lose = func(_ int, s *segment.Segment) bool {
			if s.Has(segment.SYN) {
				got = s.Ack
			}
			return false
		}
		l.dial(SocketOptions{FastOpen: true})
		l.a.ep.Write(10)
		l.run(5 * labDelay)
		if got != c.want {
			t.Errorf("after %v the SYN-ACK acknowledges %d, want %d\n%s", c.wait, got, c.want, l.dump())
		}
	}
	if n := l.b.Counters().TCPFastOpenListenOverflow; n != 1 {
		t.Errorf("%d overflows", n)
	}
}

// The server may close before the third segment comes; data and FIN follow the
// SYN-ACK.
func TestFastOpenClose(t *testing.T) {
	l := fastLab(t, 5, nil)
	l.warm()
	l.dial(SocketOptions{FastOpen: true})
	l.a.ep.Write(10)
	l.a.greedy = true
	l.run(labDelay)
	l.b.ep.Read(10)
	l.b.ep.Write(20)
	l.b.ep.Close()
	l.run(100 * ms)
	l.want(`
		0.080 A <SEQ=100><DATA=10><CTL=SYN>
		0.090 B <SEQ=300><ACK=111><CTL=SYN,ACK>
		0.090 B <SEQ=301><ACK=111><DATA=20><CTL=ACK>
		0.090 B <SEQ=321><ACK=111><CTL=FIN,ACK>
		0.100 A <SEQ=111><ACK=301><CTL=ACK>
		0.100 A <SEQ=111><ACK=321><CTL=ACK>
		0.100 A <SEQ=111><ACK=322><CTL=FIN,ACK>
		0.110 B <SEQ=322><ACK=112><CTL=ACK>`)
	if l.a.read != 20 || l.b.state() != TimeWait {
		t.Errorf("read %d, server in %v", l.a.read, l.b.state())
	}
}

// Cookies are those of Linux for the same key and addresses, as its own tests of
// tcp_fastopen_key have them.
func TestFastOpenCookie(t *testing.T) {
	for _, c := range []struct{ local, remote, want string }{
		{"192.168.0.2", "10.248.0.2", "00abaaabe8e954c2"},
		{"192.168.0.2", "10.248.0.3", "1313a2da994a0951"},
		{"192.168.0.3", "10.248.0.3", "76d2c1c530f51f79"},
	} {
		addrs := &segment.Addresses{}
		if addrs.Add(1, netip.MustParseAddr(c.local)) != nil || addrs.Add(2, netip.MustParseAddr(c.remote)) != nil {
			t.Fatal("no addresses")
		}
		st := newLab(t, "linux", nil).a.Stack
		st.addresses = addrs
		st.SetFastOpenKey([16]byte{0xf7, 0x63, 0xbf, 0xa0, 0x81, 0x3d, 0x80, 0xed, 0x30, 0x1d, 0x64, 0xcd, 0x90, 0x4a, 0xbc, 0xce})
		if got := st.fastOpenCookie(st.fastOpenKey, 2); got.String() != c.want {
			t.Errorf("%s from %s: cookie %v, want %s", c.local, c.remote, &got, c.want)
		}
	}
}

// The profiles of the RFCs leave Fast Open out, and linux opens with it but does
// not listen.
func TestFastOpenProfiles(t *testing.T) {
	for _, c := range []struct {
		profile string
		want    int
	}{{"linux", fastOpenClient}, {"rfc9293", 0}, {"textbook", 0}} {
		cfg, _ := Profile(c.profile)
		if cfg.FastOpen != c.want {
			t.Errorf("%s: tcp_fastopen %d, want %d", c.profile, cfg.FastOpen, c.want)
		}
	}
	l := newLab(t, "rfc9293", nil)
	a := cookiesOf(l.a)
	l.connect(SocketOptions{FastOpen: true})
	if len(*a) > 0 {
		t.Errorf("Fast Open options %q", *a)
	}
}
