package tcpmodel

import (
	"fmt"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// syn lets a SYN of some node arrive at port 80.
func (p *puppet) syn(from segment.Node, port uint16) {
	s := segment.Segment{Src: from, Dst: 1, SrcPort: port, DstPort: 80, Seq: 300, Flags: segment.SYN, Wnd: 65535, Opts: segment.OptMSS, MSS: 1460}
	p.Receive(p.sim.Now(), &s)
}

// thirdAck completes the handshake of a node whose SYN-ACK has SEQ=iss.
func (p *puppet) thirdAck(from segment.Node, port uint16, iss segment.Seq) {
	s := segment.Segment{Src: from, Dst: 1, SrcPort: port, DstPort: 80, Seq: 301, Ack: iss + 1, Flags: segment.ACK, Wnd: 65535}
	p.Receive(p.sim.Now(), &s)
}

// How many half-open connections a listener holds without cookies.
func TestSynQueueLimit(t *testing.T) {
	for _, c := range []struct {
		name, profile string
		tune          func(c *Config)
		backlog       int
		want          int
	}{
		{"backlog + 1", "linux", nil, 5, 6},
		{"backlog 1", "linux", nil, 1, 2},
		{"exactly the backlog", "textbook", nil, 5, 5},
		{"exactly the backlog", "rfc9293", nil, 128, 128},
		{"backlog 0", "textbook", nil, 0, 0},
		{"somaxconn", "linux", func(c *Config) { c.Somaxconn = 16 }, 1000, 17},
		// The last quarter is for peers that have proven themselves.
		{"reserved quarter of 128", "linux", func(c *Config) { c.MaxSynBacklog = 128 }, 1000, 97},
		{"reserved quarter of 8", "linux", func(c *Config) { c.MaxSynBacklog = 8 }, 1000, 7},
		{"no reserve", "linux", func(c *Config) { c.MaxSynBacklog, c.ReserveQuarter = 128, false }, 1000, 1001},
	} {
		t.Run(c.profile+"/"+c.name, func(t *testing.T) {
			p := newPuppet(t, c.profile, func(cfg *Config) {
				cfg.SynCookies = 0
				if c.tune != nil {
					c.tune(cfg)
				}
			})
			p.passiveOpen(c.backlog)
			const flood = 1200
			for i := range flood {
				p.syn(segment.Node(10+i), 5000)
			}
			k := p.Counters()
			if p.l.SynQueue() != c.want || p.InState(SynReceived) != c.want || len(p.sent) != c.want {
				t.Errorf("%d half-open of %d, %d SYN-ACKs, want %d", p.l.SynQueue(), flood, len(p.sent), c.want)
			}
			if k.SynsReceived != flood || k.SynsQueued != uint64(c.want) || k.ListenDrops != uint64(flood-c.want) {
				t.Errorf("counters: %d SYNs, %d queued, %d dropped", k.SynsReceived, k.SynsQueued, k.ListenDrops)
			}
			p.idle(5 * des.Minute)
			p.checkEmpty(t)
			if k.RequestsExpired != uint64(c.want) {
				t.Errorf("%d expired", k.RequestsExpired)
			}
		})
	}
}

// A peer with a measured round-trip time from before gets into the reserved
// quarter, unless tcp_no_metrics_save keeps nothing of it.
func TestReservedQuarterProven(t *testing.T) {
	for _, forget := range []bool{false, true} {
		p := newPuppet(t, "linux", func(c *Config) { c.SynCookies, c.MaxSynBacklog, c.NoMetricsSave = 0, 128, forget })
		p.passiveOpen(1000)
		p.syn(7, 5000)
		p.run(10 * ms)
		p.thirdAck(7, 5000, 100)
		p.run(0)
		p.ep.Abort()
		p.run(0)
		for i := range 200 {
			p.syn(segment.Node(10+i), 5000)
		}
		before := p.l.SynQueue()
		p.syn(7, 6000)
		if got := p.l.SynQueue() - before; (got == 1) == forget {
			t.Errorf("tcp_no_metrics_save %v: %d entries for a proven peer beside %d", forget, got, before)
		}
	}
}

// Linux lets go of old entries early when more than half of the backlog is
// taken: here after 7 s instead of 63 s.
func TestPruning(t *testing.T) {
	for _, c := range []struct {
		profile string
		entries int
		gone    des.Time
	}{{"linux", 10, 63 * des.Second}, {"linux", 11, 7 * des.Second}, {"rfc9293", 11, 63 * des.Second}} {
		p := newPuppet(t, c.profile, nil)
		p.passiveOpen(20)
		for i := range c.entries {
			p.syn(segment.Node(10+i), 5000)
		}
		p.run(c.gone - ms)
		if p.l.SynQueue() != c.entries {
			t.Errorf("%s: %d of %d left just before %v", c.profile, p.l.SynQueue(), c.entries, c.gone)
		}
		p.run(ms)
		if left := p.l.SynQueue(); c.gone == 63*des.Second && left != 0 || left > 10 {
			t.Errorf("%s: %d of %d left after %v", c.profile, left, c.entries, c.gone)
		}
	}
}

// The accept queue holds backlog + 1 in Linux and the backlog elsewhere; when
// it is full SYNs and third ACKs are dropped.
func TestAcceptQueue(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := newPuppet(t, profile, nil)
		p.noWait = true
		p.passiveOpen(2)
		limit := 2
		if profile == "linux" {
			limit = 3
		}
		// One more gets half-way before the queue is full.
		for i := range limit {
			p.syn(segment.Node(10+i), 5000)
			if i == limit-1 && profile != "linux" {
				break
			}
			p.thirdAck(segment.Node(10+i), 5000, 100)
		}
		if profile != "linux" {
			p.syn(99, 5000)
			p.thirdAck(segment.Node(10+limit-1), 5000, 100)
		}
		if p.l.AcceptQueue() != limit {
			t.Fatalf("%d wait, want %d", p.l.AcceptQueue(), limit)
		}
		p.sent = nil
		p.syn(50, 5000)
		p.sends()
		if profile != "linux" {
			// The third ACK is lost on the listener; its SYN-ACK is sent
			// again by the original schedule, and the next try gets in.
			p.thirdAck(99, 5000, 100)
			p.sends()
			p.run(1500 * ms)
			p.sends("1.000 <SEQ=100><ACK=301><CTL=SYN,ACK>")
			if ep := p.l.Accept(); ep == nil || ep.State() != Established {
				t.Fatal("nothing to accept")
			}
			p.thirdAck(99, 5000, 100)
			if p.l.AcceptQueue() != limit {
				t.Errorf("%d wait after one was accepted and one joined", p.l.AcceptQueue())
			}
		}
		if k := p.Counters(); k.ListenOverflows == 0 || k.ListenOverflows != k.ListenDrops {
			t.Errorf("%d overflows, %d drops", k.ListenOverflows, k.ListenDrops)
		}
	})
}

// With tcp_abort_on_overflow the third ACK draws a RST.
func TestAbortOnOverflow(t *testing.T) {
	p := newPuppet(t, "linux", func(c *Config) { c.AbortOnOverflow = true })
	p.noWait = true
	p.passiveOpen(0)
	p.syn(10, 5000)
	p.syn(11, 5000)
	if p.l.SynQueue() != 1 {
		t.Fatalf("%d half-open", p.l.SynQueue())
	}
	p = newPuppet(t, "linux", func(c *Config) { c.AbortOnOverflow = true })
	p.noWait = true
	p.passiveOpen(1)
	p.syn(10, 5000)
	p.syn(11, 5000)
	p.thirdAck(10, 5000, 100)
	p.syn(12, 5000)
	p.thirdAck(11, 5000, 100)
	p.sent = nil
	p.thirdAck(12, 5000, 100)
	p.sends("<SEQ=101><CTL=RST>")
	if p.l.SynQueue() != 0 || p.l.AcceptQueue() != 2 {
		t.Errorf("%d half-open, %d wait", p.l.SynQueue(), p.l.AcceptQueue())
	}
}

// Close of a listener drops its half-open connections without a word, resets
// those that nobody has accepted, and leaves the others alone.
func TestListenerClose(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := newPuppet(t, profile, nil)
		p.passiveOpen(5)
		p.syn(10, 5000)
		p.thirdAck(10, 5000, 100)
		accepted := p.ep
		p.noWait = true
		p.syn(11, 5000)
		p.thirdAck(11, 5000, 100)
		p.syn(12, 5000)
		p.sent = nil
		p.l.Close()
		p.run(0)
		p.sends("<SEQ=101><ACK=301><CTL=RST,ACK>")
		if accepted.State() != Established || p.InState(Established) != 1 || p.InState(SynReceived) != 0 || p.InState(Listen) != 0 {
			t.Errorf("accepted %v; %d established, %d half-open, %d listening", accepted.State(), p.InState(Established), p.InState(SynReceived), p.InState(Listen))
		}
		p.thirdAck(12, 5000, 100)
		p.sends("<SEQ=101><CTL=RST>")
		if _, err := p.Listen(80, 5, p.host); err != nil {
			t.Error(err)
		}
		accepted.Abort()
		p.idle(des.Hour)
		p.checkEmpty(t)
	})
}

func TestPorts(t *testing.T) {
	p := newPuppet(t, "linux", func(c *Config) { c.PortLow, c.PortHigh, c.PortParity = 5000, 5009, false })
	if _, err := p.Listen(80, 5, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Listen(80, 5, nil); err != EADDRINUSE {
		t.Errorf("second listener: %v", err)
	}
	if _, err := p.Listen(0, 5, nil); err != EINVAL {
		t.Errorf("port 0: %v", err)
	}
	if _, err := p.Connect(2, 80, nil, SocketOptions{Congestion: "nagle"}); err != EINVAL {
		t.Errorf("unknown congestion control: %v", err)
	}
	if _, err := p.Connect(2, 80, nil, SocketOptions{LocalPort: 80}); err != EADDRINUSE {
		t.Errorf("port of a listener: %v", err)
	}
	// Ten ports make ten connections to one destination, each of another
	// port, and ten more to the next.
	for _, dst := range []struct {
		node segment.Node
		port uint16
	}{{2, 80}, {2, 81}, {3, 80}} {
		used := map[uint16]bool{}
		for range 10 {
			ep, err := p.Connect(dst.node, dst.port, p.host, SocketOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if port := ep.Conn().LocalPort; used[port] || port < 5000 || port > 5009 {
				t.Errorf("port %d", port)
			}
			used[ep.Conn().LocalPort] = true
		}
		if _, err := p.Connect(dst.node, dst.port, p.host, SocketOptions{}); err != EADDRNOTAVAIL {
			t.Errorf("the 11th connection: %v", err)
		}
	}
	if _, err := p.Connect(2, 80, p.host, SocketOptions{LocalPort: 5003}); err != EADDRINUSE {
		t.Errorf("a port in use: %v", err)
	}
	// A port is free again when its connection is closed, wherever the search
	// starts.
	for i := range 20 {
		port := uint16(5000 + i%10)
		p.endpoints[p.conns.find(keyOf(2, 80, port)).index()].Close()
		p.run(0)
		// The sum of offset and counter passes 2^32 in the middle of a search.
		p.nextPort = -uint32(i) - uint32(p.keyed(keyPorts, 2, 80))
		ep, err := p.Connect(2, 80, p.host, SocketOptions{})
		if err != nil || ep.Conn().LocalPort != port {
			t.Fatalf("%v, %v, want port %d", ep, err, port)
		}
	}
}

// cookieSyn lets a SYN arrive at a listener that answers with cookies, and
// returns the SYN-ACK.
func cookieSyn(t *testing.T, options string, tune func(c *Config)) (*puppet, segment.Segment) {
	t.Helper()
	p := newPuppet(t, "linux", func(c *Config) {
		c.SynCookies, c.ISN = 2, ISNRFC6528
		if tune != nil {
			tune(c)
		}
	})
	p.passiveOpen(5)
	p.run(30 * des.Second)
	p.arrive("<SEQ=300>" + options + "<CTL=SYN>")
	if len(p.sent) != 1 || p.l.SynQueue() != 0 || p.conns.used != 0 {
		t.Fatalf("sent %v, %d half-open, %d keys", p.sent, p.l.SynQueue(), p.conns.used)
	}
	p.sent = nil
	return p, p.last
}

// A cookie keeps the MSS, rounded down to one of a table, and with time stamps
// the window scale and SACK; the connection is as good as any.
func TestCookieOptions(t *testing.T) {
	for _, c := range []struct {
		options, answer  string
		mss              uint16
		wscale, ts, sack bool
	}{
		{"<MSS=1460>", "SYN,ACK win 64240 mss 1460", 1460, false, false, false},
		{"<MSS=1459>", "SYN,ACK win 64240 mss 1460", 1440, false, false, false},
		{"<MSS=536>", "SYN,ACK win 64240 mss 1460", 536, false, false, false},
		{"", "SYN,ACK win 64240 mss 1460", 536, false, false, false},
		{"<MSS=1460><SACKOK><WS=7>", "SYN,ACK win 64240 mss 1460", 1460, false, false, false},
		{"<MSS=1460><TS=5/0>", "SYN,ACK win 65160 mss 1460 ts", 1460, false, true, false},
		{"<MSS=1460><SACKOK><TS=5/0>", "SYN,ACK win 65160 mss 1460 sackOK ts", 1460, false, true, true},
		{"<MSS=1460><SACKOK><WS=7><TS=5/0>", "SYN,ACK win 65160 mss 1460 sackOK ws 10 ts", 1460, true, true, true},
		{"<MSS=1460><WS=0><TS=5/0>", "SYN,ACK win 65160 mss 1460 ws 10 ts", 1460, true, true, false},
	} {
		t.Run(c.options, func(t *testing.T) {
			p, synAck := cookieSyn(t, c.options, nil)
			if got := optionsOf(&synAck); got != c.answer {
				t.Errorf("answered with %s, want %s", got, c.answer)
			}
			ts := ""
			if c.ts {
				ts = fmt.Sprintf("<TS=6/%d>", synAck.TSVal)
			}
			p.arrive(fmt.Sprintf("<SEQ=301><ACK=%d><WND=1000><DATA=10>%s<CTL=ACK>", synAck.Seq+1, ts))
			p.in(Established)
			o := p.ep.opt
			if o.mss != c.mss || o.wscaleOK != c.wscale || o.tsOK != c.ts || o.sackOK != c.sack {
				t.Errorf("options %+v", o)
			}
			if c.wscale && (o.sndWScale != 7 && strings.Contains(c.options, "WS=7") || o.rcvWScale != 10) {
				t.Errorf("scales %d and %d", o.sndWScale, o.rcvWScale)
			}
			if p.ep.Readable() != 10 || p.ep.Stats().ForeignBytes != 0 {
				t.Errorf("%d bytes, %d foreign", p.ep.Readable(), p.ep.Stats().ForeignBytes)
			}
			// Nothing was kept of the SYN, so nothing was measured.
			if !c.ts && p.ep.rtt.samples != 0 {
				t.Errorf("a round-trip time of %v out of nothing", p.ep.rtt.srtt)
			}
			if k := p.Counters(); k.SyncookiesSent != 1 || k.SyncookiesRecv != 1 || k.SyncookiesFailed != 0 || k.PassiveOpens != 1 {
				t.Errorf("counters %+v", k)
			}
		})
	}
}

// A cookie holds for at least one minute and at most two; a wrong one draws a
// RST.
func TestCookieAge(t *testing.T) {
	for _, c := range []struct {
		after des.Time
		add   segment.Seq
		ok    bool
	}{
		{0, 0, true}, {29 * des.Second, 0, true}, {60 * des.Second, 0, true}, {89 * des.Second, 0, true},
		{90 * des.Second, 0, false}, {3 * des.Minute, 0, false}, {256*des.Minute + 10*des.Second, 0, false},
		{0, 1, false}, {0, 4, false}, {0, 1 << 24, false}, {0, 255 << 24, false}, {0, 1 << 31, false},
	} {
		p, synAck := cookieSyn(t, "<MSS=536>", nil)
		p.run(c.after)
		if c.after > 2*des.Minute {
			// The listener takes cookies only while it sends some.
			p.syn(77, 1)
			p.sent = nil
		}
		p.arrive(fmt.Sprintf("<SEQ=301><ACK=%d><CTL=ACK>", synAck.Seq+1+c.add))
		// The next cookie but for the MSS is as good: 1300 for 536.
		ok := c.ok || c.add == 1
		if ok {
			p.sends()
			p.in(Established)
			continue
		}
		p.sends(fmt.Sprintf("<SEQ=%d><CTL=RST>", synAck.Seq+1+c.add))
		if p.Counters().SyncookiesFailed != 1 {
			t.Errorf("%+v: %d cookies failed", c, p.Counters().SyncookiesFailed)
		}
		p.in(Listen)
	}
}

// With tcp_syncookies=1 cookies begin when the queue is full, and a listener
// that has sent none takes no ACK for one.
func TestCookiesWhenFull(t *testing.T) {
	p := newPuppet(t, "linux", nil)
	p.passiveOpen(1)
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.sends("<SEQ=101><CTL=RST>")
	for i := range 10 {
		p.syn(segment.Node(10+i), 5000)
	}
	k := p.Counters()
	if p.l.SynQueue() != 2 || k.SyncookiesSent != 8 || k.TCPReqQFullDoCookies != 8 || k.ListenDrops != 0 || len(p.sent) != 10 {
		t.Errorf("%d half-open, %d cookies, %d SYN-ACKs, %d drops", p.l.SynQueue(), k.SyncookiesSent, len(p.sent), k.ListenDrops)
	}
	p.thirdAck(19, 5000, p.last.Seq)
	p.run(0)
	p.in(SynReceived)
	if p.InState(Established) != 1 || p.ep.Conn().Remote != 19 {
		t.Errorf("%d established", p.InState(Established))
	}
}

// The SYN again: the SYN-ACK again, and the timer starts anew at its step.
func TestDuplicateSyn(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := newPuppet(t, profile, nil)
		inSynReceivedPassive(p)
		p.run(700 * ms)
		p.arrive("<SEQ=300><MSS=1460><CTL=SYN>")
		p.run(1200 * ms)
		p.sends("0.000 <SEQ=100><ACK=301><CTL=SYN,ACK>", "0.700 <SEQ=100><ACK=301><CTL=SYN,ACK>", "1.700 <SEQ=100><ACK=301><CTL=SYN,ACK>")
		if p.l.SynQueue() != 1 {
			t.Errorf("%d half-open", p.l.SynQueue())
		}
		p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
		p.in(Established)
	})
}

// SO_RCVBUF of a listener is in force from the SYN-ACK on, whether it comes from the
// SYN queue or with a cookie.
func TestListenerReceiveBuffer(t *testing.T) {
	const rcvBuf = 4 * 1460
	for _, cookies := range []int{0, 2} {
		p := newPuppet(t, "rfc9293", func(c *Config) { c.SynCookies, c.Timestamps, c.AdvWinScale = cookies, false, 0 })
		p.passiveOpen(5)
		if err := p.l.SetSockOpt(SoRcvbuf, rcvBuf); err != OK {
			t.Fatal(err)
		}
		p.arrive("<SEQ=300><MSS=1460><CTL=SYN>")
		if p.last.Wnd != rcvBuf {
			t.Errorf("tcp_syncookies %d: the SYN-ACK offers %d, want %d", cookies, p.last.Wnd, rcvBuf)
		}
		isn := p.last.Seq
		p.arriveSegment(&segment.Segment{Seq: 301, Ack: isn + 1, Flags: segment.ACK, Wnd: 65535})
		p.in(Established)
		if p.ep.rcvBuf != rcvBuf || p.ep.rcvWnd != rcvBuf {
			t.Errorf("tcp_syncookies %d: the connection has a buffer of %d and offers %d", cookies, p.ep.rcvBuf, p.ep.rcvWnd)
		}
	}
}

// The window scale where SO_RCVBUF is set, as TCP_INFO tells it of both ends of a
// connection of Linux 6.18 (the kernel doubles what is set; half of it is for data).
func TestWindowScaleOfLockedBuffer(t *testing.T) {
	cfg := linux
	for _, c := range []struct {
		rcvbuf int
		scale  uint8
	}{{40000, 0}, {120000, 0}, {200000, 1}, {400000, 2}} {
		if got := cfg.rcvWScaleFor(c.rcvbuf, true); got != c.scale {
			t.Errorf("buffer of %d: scale %d, kernel %d", c.rcvbuf, got, c.scale)
		}
	}
}
