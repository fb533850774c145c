package tcpmodel

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

func halfOpen(st *Stack) (nodes []segment.Node) {
	for i := range st.requests.entries {
		if r := &st.requests.entries[i]; r.live {
			nodes = append(nodes, r.key.remote())
		}
	}
	return nodes
}

// TestEvictOldest: of a full queue the entries leave in the order in which they
// came, whatever was completed or answered again meanwhile.
func TestEvictOldest(t *testing.T) {
	f := newFlood(t, des.Millisecond, 4, func(c *Config) { c.SynEviction = EvictOldest })
	for range 4 {
		f.syn()
	}
	second := f.g.a.requests.entries[1]
	again := segment.Segment{Src: second.key.remote(), SrcPort: second.key.remotePort(), Dst: 1, DstPort: 80, Seq: second.irs, Flags: segment.SYN}
	f.g.a.Receive(f.g.sim.Now(), &again)
	third := f.g.a.requests.entries[2]
	done := segment.Segment{Src: third.key.remote(), SrcPort: third.key.remotePort(), Dst: 1, DstPort: 80, Seq: third.irs + 1, Ack: third.iss + 1, Flags: segment.ACK}
	f.g.a.Receive(f.g.sim.Now(), &done)
	first := f.node - 3
	for _, gone := range [][]segment.Node{{}, {first}, {first, first + 1}, {first, first + 1, first + 3}} {
		f.syn()
		for _, n := range halfOpen(f.g.a) {
			for _, g := range gone {
				if n == 1000+g {
					t.Errorf("entry of node %d is there after %d evictions", n, len(gone))
				}
			}
		}
		if got := f.g.a.Counters().RequestsEvicted; got != uint64(len(gone)) {
			t.Errorf("%d evicted, want %d", got, len(gone))
		}
	}
	if n := f.g.a.Counters().ListenDrops; n != 0 {
		t.Errorf("%d SYNs dropped", n)
	}
}

// TestEvictRandom: each entry is as likely a victim as any other: the ages of
// the victims in newcomers are geometric with mean B.
func TestEvictRandom(t *testing.T) {
	const backlog, syns = 16, 40000
	f := newFlood(t, des.Microsecond, backlog, func(c *Config) { c.SynEviction = EvictRandom })
	born := map[segment.Node]int{}
	var ages, older float64
	for i := range syns {
		before := halfOpen(f.g.a)
		f.syn()
		born[f.seg.Src] = i
		after := map[segment.Node]bool{}
		for _, n := range halfOpen(f.g.a) {
			after[n] = true
		}
		if !after[f.seg.Src] {
			t.Fatal("the newcomer is not stored")
		}
		for _, n := range before {
			if !after[n] {
				age := i - born[n]
				ages += float64(age)
				if age > backlog {
					older++
				}
			}
		}
	}
	n := float64(f.g.a.Counters().RequestsEvicted)
	if n != syns-backlog {
		t.Fatalf("%v evicted, want %d", n, syns-backlog)
	}
	// The entries of the filling are a little older than the law says.
	q := 1 - 1.0/backlog
	if mean, within := ages/n, 3.3*math.Sqrt(q)*backlog/math.Sqrt(n)+float64(backlog*backlog)/n; math.Abs(mean-backlog) > within {
		t.Errorf("victims are %v newcomers old, want %d within %v", mean, backlog, within)
	}
	if share, want := older/n, math.Pow(q, backlog); math.Abs(share-want) > 3.3*math.Sqrt(want*(1-want)/n)+backlog/n {
		t.Errorf("share of victims older than the backlog %v, want %v", share, want)
	}
}

// TestEvictionBesideOtherRules: an eviction is for newcomers that would have
// been dropped for want of room, and for no others.
func TestEvictionBesideOtherRules(t *testing.T) {
	for _, c := range []struct {
		name    string
		backlog int
		tune    func(c *Config)
		half    int
		evicted uint64
		dropped uint64
		cookies uint64
	}{
		{"backlog + 1", 10, func(c *Config) { c.BacklogPlusOne = true }, 11, 89, 0, 0},
		{"reserved quarter", 100, func(c *Config) { c.ReserveQuarter, c.MaxSynBacklog = true, 64 }, 49, 51, 0, 0},
		{"cookies on overflow: it never comes to that", 10, func(c *Config) { c.SynCookies = 1 }, 10, 90, 0, 0},
		{"cookies always", 10, func(c *Config) { c.SynCookies = 2 }, 0, 0, 0, 100},
		{"nobody to evict", 0, nil, 0, 0, 100, 0},
	} {
		for _, policy := range []EvictionPolicy{EvictRandom, EvictOldest} {
			f := newFlood(t, des.Millisecond, c.backlog, func(cfg *Config) {
				cfg.SynEviction = policy
				if c.tune != nil {
					c.tune(cfg)
				}
			})
			for range 100 {
				f.syn()
			}
			k := f.g.a.Counters()
			if n := f.g.a.InState(SynReceived); n != c.half || k.RequestsEvicted != c.evicted || k.ListenDrops != c.dropped || k.SyncookiesSent != c.cookies {
				t.Errorf("%s: %d half-open, %d evicted, %d dropped, %d cookies, want %d, %d, %d, %d", c.name, n, k.RequestsEvicted, k.ListenDrops, k.SyncookiesSent, c.half, c.evicted, c.dropped, c.cookies)
			}
		}
	}
}

// TestSyncacheLimits: a bucket holds its limit, the cache holds its own, and a
// full cache drops what was retried most often.
func TestSyncacheLimits(t *testing.T) {
	f := newFlood(t, des.Millisecond, 5, func(c *Config) { c.SyncacheBuckets, c.SyncacheBucketLimit, c.SyncacheLimit = 8, 6, 40 })
	for range 1000 {
		f.syn()
		for i, b := range f.g.a.evict.buckets {
			if b.n > 6 {
				t.Fatalf("%d entries in bucket %d", b.n, i)
			}
		}
		if n := f.g.a.InState(SynReceived); n > 40 || n != f.g.a.evict.cached {
			t.Fatalf("%d entries in the cache, it says %d", n, f.g.a.evict.cached)
		}
	}
	k := f.g.a.Counters()
	if k.SyncacheBucketOverflow == 0 || k.SyncacheCacheOverflow == 0 || k.SyncacheBucketOverflow+k.SyncacheCacheOverflow != k.RequestsEvicted || k.ListenDrops != 0 {
		t.Errorf("%d and %d of %d evictions for bucket and cache, %d SYNs dropped", k.SyncacheBucketOverflow, k.SyncacheCacheOverflow, k.RequestsEvicted, k.ListenDrops)
	}

	f = newFlood(t, 0, 5, func(c *Config) { c.SyncacheBuckets, c.SyncacheBucketLimit, c.SyncacheLimit = 8, 100, 3 })
	f.syn()
	f.g.sim.Run(5 * des.Second)
	f.syn()
	f.g.sim.Run(5100 * des.Millisecond)
	f.syn()
	old := f.seg.Src
	f.g.sim.Run(6500 * des.Millisecond)
	f.syn()
	f.syn()
	// The first has timed out most often; of the other two of that time the
	// one from 5 s has.
	for _, n := range halfOpen(f.g.a) {
		if n < old {
			t.Errorf("entry of node %d is there, want %d and later", n, old)
		}
	}
}

// TestEvictionBooks: whatever comes, every SYN that was queued has one end, the
// lists hold the entries of the table, and the queue keeps its bound.
func TestEvictionBooks(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		backlog := rapid.IntRange(1, 6).Draw(t, "backlog")
		mode := rapid.IntRange(0, 2).Draw(t, "mode")
		g := newRig(outer, "linux", 0, func(c *Config) {
			c.SynCookies = 0
			switch mode {
			case 2:
				c.SyncacheBuckets, c.SyncacheBucketLimit, c.SyncacheLimit = 3, 2, 5
			default:
				c.SynEviction = EvictionPolicy(1 + mode)
			}
		})
		g.ab.to = nil
		for port := range uint16(2) {
			if _, err := g.a.Listen(80+port, backlog, quitter{}); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now := g.sim.Now()
			seg := segment.Segment{Src: segment.Node(10 + rapid.IntRange(0, 12).Draw(t, "node")), SrcPort: 9, Dst: 1,
				DstPort: uint16(80 + rapid.IntRange(0, 1).Draw(t, "port")), Seq: 300, Flags: segment.SYN, Wnd: 1000}
			r := g.a.conns.find(keyOf(seg.Src, 9, seg.DstPort))
			switch what := rapid.IntRange(0, 5).Draw(t, "what"); {
			case what == 0:
				g.sim.Run(now + des.Time(rapid.IntRange(1, 8000).Draw(t, "ms"))*des.Millisecond)
				continue
			case what == 1 && r.kind() == refRequest:
				seg.Flags, seg.Seq, seg.Ack = segment.ACK, 301, g.a.requests.entries[r.index()].iss+1
			case what == 2 && r.kind() == refRequest:
				seg.Flags, seg.Seq = segment.RST, 301
			}
			g.a.Receive(now, &seg)
			checkLists(t, g.a, backlog)
		}
	})
}

func checkLists(t *rapid.T, st *Stack, backlog int) {
	k, half := st.Counters(), uint64(st.InState(SynReceived))
	if ended := k.RequestsExpired + k.RequestsEvicted + k.AttemptFails + k.PassiveOpens; k.SynsQueued != ended+half {
		t.Fatalf("%d queued, %d ended and %d half-open", k.SynsQueued, ended, half)
	}
	listed := 0
	count := func(a *ageList) {
		n, last := int32(0), uint32(0)
		for i := a.oldest; i != 0; i = st.evict.links[i-1].newer {
			if live, older := st.requests.entries[i-1].live, st.evict.links[i-1].older; !live || older != last {
				t.Fatalf("entry %d: live %v, older %d want %d", i-1, live, older, last)
			}
			last = i
			n++
		}
		if n != a.n || last != a.newest {
			t.Fatalf("%d entries in a list of %d, the last %d of %d", n, a.n, last, a.newest)
		}
		listed += int(n)
	}
	for i := range st.evict.buckets {
		count(&st.evict.buckets[i])
	}
	for _, l := range st.listeners {
		count(&l.ages)
		for place, i := range l.members {
			if live, at := st.requests.entries[i].live, st.evict.links[i].place; !live || at != uint32(place) {
				t.Fatalf("member %d of the listener is entry %d: live %v, place %d", place, i, live, at)
			}
		}
		listed += len(l.members)
		if st.evict.buckets == nil && l.half > backlog+1 {
			t.Fatalf("%d half-open with a backlog of %d", l.half, backlog)
		}
	}
	if listed != int(half) {
		t.Fatalf("%d entries in lists, %d half-open", listed, half)
	}
}

// TestEvictionAllocations: a SYN that evicts costs no allocation.
func TestEvictionAllocations(t *testing.T) {
	for name, tune := range map[string]func(c *Config){
		"random":    func(c *Config) { c.SynEviction = EvictRandom },
		"oldest":    func(c *Config) { c.SynEviction = EvictOldest },
		"SYN cache": func(c *Config) { c.SyncacheBuckets, c.SyncacheLimit = 16, 450 },
	} {
		f := newFlood(t, 100*des.Microsecond, 400, tune)
		for range 30000 {
			f.syn()
		}
		evicted := f.g.a.Counters().RequestsEvicted
		gate(t, name, 2000, f.syn)
		if n := f.g.a.Counters().RequestsEvicted - evicted; n < 2000 {
			t.Errorf("%s: %d evicted meanwhile", name, n)
		}
	}
}

// TestEvictionKnobs: what cannot be set together is refused.
func TestEvictionKnobs(t *testing.T) {
	for _, p := range ProfileNames() {
		c, err := Profile(p)
		if err != nil || c.SynEviction != EvictNone || c.SyncacheBuckets != 0 || c.SyncacheBucketLimit != 30 || c.SyncacheLimit != 15359 {
			t.Errorf("%s: %v, %v, %d x %d, %d", p, err, c.SynEviction, c.SyncacheBuckets, c.SyncacheBucketLimit, c.SyncacheLimit)
		}
		c.SyncacheBuckets = 512
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		c.SynEviction = EvictOldest
		if c.Validate() == nil {
			t.Error("a SYN cache and an eviction policy are accepted together")
		}
		c.SynEviction, c.SyncacheLimit = EvictNone, 0
		if c.Validate() == nil {
			t.Error("a SYN cache without room is accepted")
		}
	}
}

// TestEvictedTrace: the client of an evicted entry believes to be connected
// until its next segment is answered with RST.
func TestEvictedTrace(t *testing.T) {
	l := newLab(t, "textbook", func(c *Config) { c.SynEviction = EvictOldest })
	l.listen()
	l.dial(SocketOptions{})
	l.run(15 * ms)
	l.b.wire.keep = func(*segment.Segment) {}
	for n := range segment.Node(5) {
		l.b.Receive(l.sim.Now(), &segment.Segment{Src: 9 + n, Dst: 2, SrcPort: 7, DstPort: 80, Seq: 1, Flags: segment.SYN})
	}
	l.b.wire.keep = nil
	if end := l.b.lastEnd(); end.Why != CauseEvicted || end.Err != ECONNABORTED || l.b.Counters().RequestsEvicted != 1 {
		t.Errorf("ended by %q with %v", end.Why, end.Err)
	}
	if last := l.b.causes[len(l.b.causes)-3]; last != "evicted" {
		t.Errorf("causes %v", l.b.causes)
	}
	l.run(6 * ms)
	if s := l.a.state(); s != Established {
		t.Errorf("the client is in %v, want ESTABLISHED", s)
	}
	l.run(30 * ms)
	l.want(`
		0.000 A <SEQ=100><CTL=SYN>
		0.010 B <SEQ=300><ACK=101><CTL=SYN,ACK>
		0.020 A <SEQ=101><ACK=301><CTL=ACK>
		0.030 B <SEQ=301><CTL=RST>`)
	if s := l.a.state(); s != Closed || l.a.lastEnd().Err != ECONNRESET {
		t.Errorf("the client is in %v after %v", s, l.a.lastEnd().Err)
	}
}
