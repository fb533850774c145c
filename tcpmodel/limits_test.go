package tcpmodel

import (
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// crowd is a puppet with n established connections, of the peer's ports from
// 5000 on; each starts at sequence number 300.
func crowd(t *testing.T, n int, tune func(c *Config)) (*puppet, []*Endpoint) {
	t.Helper()
	p := newPuppet(t, "linux", tune)
	p.passiveOpen(n)
	var eps []*Endpoint
	for i := range n {
		p.peerPort = uint16(5000 + i)
		p.arrive("<SEQ=300><MSS=1460><CTL=SYN>")
		p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
		eps = append(eps, p.ep)
	}
	p.in(Established)
	p.sent = nil
	return p, eps
}

// Orphans beyond tcp_max_orphans are reset behind their FIN; when others have
// gone there is room again.
func TestMaxOrphans(t *testing.T) {
	p, eps := crowd(t, 6, func(c *Config) { c.MaxOrphans = 2 })
	k := p.Counters()
	for i, ep := range eps[:4] {
		p.sent = nil
		ep.Close()
		p.run(0)
		want, state := []string{"<SEQ=101><ACK=301><CTL=FIN,ACK>"}, FinWait1
		if i >= 2 {
			want, state = append(want, "<SEQ=102><ACK=301><CTL=RST,ACK>"), Closed
		}
		p.sends(want...)
		if ep.State() != state {
			t.Errorf("orphan %d is in %v, want %v", i+1, ep.State(), state)
		}
	}
	if k.TCPAbortOnMemory != 2 || k.OutRsts != 2 || p.orphans != 2 || p.lastEnd().Why != CauseOverflow {
		t.Errorf("%d aborted, %d resets, %d orphans, %v", k.TCPAbortOnMemory, k.OutRsts, p.orphans, p.lastEnd().Why)
	}
	// The first goes to FIN-WAIT-2, which does not count, the second to LAST-ACK
	// by way of CLOSING, TIME-WAIT.
	p.peerPort = 5000
	p.arrive("<SEQ=301><ACK=102><CTL=ACK>")
	if eps[0].State() != FinWait2 || p.orphans != 1 {
		t.Errorf("%v, %d orphans", eps[0].State(), p.orphans)
	}
	p.peerPort = 5001
	p.arrive("<SEQ=301><ACK=102><CTL=FIN,ACK>")
	if p.orphans != 0 {
		t.Errorf("%d orphans", p.orphans)
	}
	eps[4].Close()
	eps[5].Close()
	p.run(0)
	if k.TCPAbortOnMemory != 2 || p.orphans != 2 {
		t.Errorf("%d aborted, %d orphans", k.TCPAbortOnMemory, p.orphans)
	}
	// They are given up in the end, and nothing is left.
	p.idle(des.Hour)
	if p.orphans != 0 || k.TCPAbortOnMemory != 2 {
		t.Errorf("%d orphans, %d aborted", p.orphans, k.TCPAbortOnMemory)
	}
	p.checkEmpty(t)
}

// None at all: each is reset. And what is closed in the same way without being
// an orphan, or is half-closed, is none.
func TestNoOrphans(t *testing.T) {
	p, eps := crowd(t, 3, func(c *Config) { c.MaxOrphans = 0 })
	eps[0].Shutdown()
	eps[1].Abort()
	p.run(0)
	if k := p.Counters(); k.TCPAbortOnMemory != 0 || p.orphans != 0 || eps[0].State() != FinWait1 {
		t.Errorf("%d aborted, %d orphans", k.TCPAbortOnMemory, p.orphans)
	}
	eps[0].Close()
	eps[2].Close()
	p.run(0)
	if k := p.Counters(); k.TCPAbortOnMemory != 2 || p.orphans != 0 {
		t.Errorf("%d aborted, %d orphans", k.TCPAbortOnMemory, p.orphans)
	}
	p.idle(des.Hour)
	p.checkEmpty(t)
}

// An orphan that has sent nothing for long counts double when its timer expires.
func TestOrphanOfClosedWindow(t *testing.T) {
	for _, c := range []struct {
		limit int
		shed  bool
	}{{1, true}, {2, false}} {
		p, eps := crowd(t, 1, func(cfg *Config) { cfg.MaxOrphans, cfg.OrphanRetries, cfg.RTOMax = c.limit, 30, 10*des.Second })
		p.arrive("<SEQ=301><ACK=101><WND=0><CTL=ACK>")
		eps[0].Write(100)
		eps[0].Close()
		for range 600 {
			p.run(des.Second / 10)
			if n := len(p.sent); n > 0 && strings.Contains(p.sent[n-1], "<SEQ=100>") {
				p.sent = nil
				p.arrive("<SEQ=301><ACK=101><WND=0><CTL=ACK>")
			}
		}
		if k := p.Counters(); (k.TCPAbortOnMemory == 1) != c.shed || (eps[0].State() == Closed) != c.shed {
			t.Errorf("tcp_max_orphans %d: %d aborted, %v", c.limit, k.TCPAbortOnMemory, eps[0].State())
		}
	}
}

// Challenge ACKs of a host: no more in a second than tcp_challenge_ack_limit,
// give or take its half, whatever the number of connections; the numbers differ
// from second to second. Without a limit, each is answered.
func TestChallengeAckLimit(t *testing.T) {
	const conns = 60
	perSecond := func(limit int) []int {
		p, _ := crowd(t, conns, func(c *Config) { c.ChallengeAckLimit = limit })
		p.sim.Run(des.Second)
		k, counts := p.Counters(), []int{}
		for range 40 {
			before := k.TCPChallengeACK
			for i := range conns {
				p.peerPort = uint16(5000 + i)
				s := segment.Segment{Seq: 350, Flags: segment.RST}
				p.arriveSegment(&s)
				p.sim.Run(p.sim.Now() + des.Second/conns - 1)
			}
			counts = append(counts, int(k.TCPChallengeACK-before))
			p.sim.Run((p.sim.Now()/des.Second + 1) * des.Second)
		}
		return counts
	}
	for _, limit := range []int{1, 2, 7, 20} {
		seen, sum, half := map[int]bool{}, 0, (limit+1)/2
		for _, n := range perSecond(limit) {
			if n < half || n > half+limit-1 {
				t.Errorf("limit %d: %d in a second, want %d to %d", limit, n, half, half+limit-1)
			}
			seen[n] = true
			sum += n
		}
		// The mean of 40 numbers out of limit equally likely ones; 3.3
		// standard errors of (limit^2-1)/12 each.
		mean, want := float64(sum)/40, float64(half)+float64(limit-1)/2
		if tol := 0.15*float64(limit) + 1e-9; mean < want-tol || mean > want+tol || limit > 2 && len(seen) < 4 {
			t.Errorf("limit %d: mean %v, want %v; %d different numbers", limit, mean, want, len(seen))
		}
	}
	for i, n := range perSecond(maxInt) {
		if n != conns {
			t.Fatalf("no limit, second %d: %d of %d are answered", i, n, conns)
		}
	}
}
