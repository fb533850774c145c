package tcpmodel

import (
	"math/rand/v2"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// EvictionPolicy is whose half-open connection gives way to a newcomer when the
// SYN queue of a listener is full (RFC 4987 section 3.4, "recycling the oldest
// half-open TCB", and random drop).
type EvictionPolicy uint8

// The policies.
const (
	// EvictNone drops the newcomer.
	EvictNone EvictionPolicy = iota
	// EvictRandom drops one of the entries of the listener, all equally
	// likely.
	EvictRandom
	// EvictOldest drops the entry of the listener that was made first.
	EvictOldest
)

// ageList is the entries of a listener or of a bucket in the order in which
// they were made. 0 is none, i+1 is entry i.
type ageList struct {
	oldest, newest uint32
	n              int32
}

// eviction is what the request table keeps of its entries so that a victim is
// found at once.
type eviction struct {
	rand *rand.Rand // of EvictRandom
	// buckets are the SYN cache, nil without one.
	buckets []ageList
	cached  int
	// links belong to the entries of the same numbers, which are no larger
	// where nothing is evicted.
	links []requestLink
}

// requestLink is an entry's index in Listener.members or its bucket in the SYN
// cache, and its neighbours in an ageList.
type requestLink struct{ place, older, newer uint32 }

func newEviction(sim *des.Sim, host string, c *Config) (e eviction) {
	if c.SynEviction == EvictRandom {
		e.rand = sim.Stream(host + "/eviction")
	}
	if c.SyncacheBuckets > 0 {
		e.buckets = make([]ageList, c.SyncacheBuckets)
	}
	return e
}

// reset forgets all entries.
func (e *eviction) reset() {
	clear(e.buckets)
	e.cached, e.links = 0, nil
}

// makesRoom reports whether a newcomer to a full SYN queue is admitted in the
// place of another.
func (l *Listener) makesRoom() bool {
	return l.st.cfg.SynEviction != EvictNone && l.half > 0
}

// queueFull reports whether the SYN queue takes no newcomer. A SYN cache
// belongs to the whole stack and always takes one.
func (l *Listener) queueFull() bool {
	return l.st.evict.buckets == nil && l.synQueueFull() && !l.makesRoom()
}

// reserved reports whether what is left of the SYN queue is kept for proven
// peers and src is none.
func (l *Listener) reserved(src segment.Node) bool {
	cfg := &l.st.cfg
	return cfg.ReserveQuarter && cfg.SynCookies == 0 && l.st.evict.buckets == nil &&
		cfg.MaxSynBacklog-l.half < cfg.MaxSynBacklog>>2 && !l.st.proven.has(src)
}

// makeRoom drops what gives way to a new entry with that key, and returns the
// bucket of the key in the SYN cache.
func (st *Stack) makeRoom(now des.Time, l *Listener, key connKey) (bucket uint32) {
	e := &st.evict
	if e.buckets == nil {
		if st.cfg.SynEviction != EvictNone && l.half > 0 && (l.synQueueFull() || l.reserved(key.remote())) {
			st.evictRequest(now, l.victim())
		}
		return 0
	}
	bucket = uint32(st.keyed(keySyncache, uint64(key), 0) % uint64(len(e.buckets)))
	switch b := &e.buckets[bucket]; {
	case int(b.n) >= st.cfg.SyncacheBucketLimit:
		st.counters.SyncacheBucketOverflow++
		st.evictRequest(now, b.oldest-1)
	case e.cached >= st.cfg.SyncacheLimit:
		st.counters.SyncacheCacheOverflow++
		st.evictRequest(now, st.requests.mostRetried())
	}
	return bucket
}

// victim is the entry of l that gives way.
func (l *Listener) victim() uint32 {
	if l.st.cfg.SynEviction == EvictRandom {
		return l.members[l.st.evict.rand.IntN(len(l.members))]
	}
	return l.ages.oldest - 1
}

// mostRetried is the entry that a full SYN cache drops: of those that have
// timed out most often, the one whose timer runs out first (Lemon, "Resisting
// SYN flood DoS attacks with a SYN cache", BSDCon 2002). There must be one.
func (t *requestTable) mostRetried() uint32 {
	for s := len(t.steps) - 1; s >= 0; s-- {
		for t.steps[s].n > 0 {
			p := *t.steps[s].at(0)
			if t.entries[p.index].token == p.token {
				return p.index
			}
			t.steps[s].pop()
		}
	}
	panic("tcpmodel: a full SYN cache is empty")
}

// evictRequest drops entry i. Its peer, which may have the SYN-ACK already, is
// told nothing.
func (st *Stack) evictRequest(now des.Time, i uint32) {
	st.counters.RequestsEvicted++
	st.dropRequest(now, i, ECONNABORTED, CauseEvicted)
}

// enlist makes entry i known to those who look for victims.
func (st *Stack) enlist(l *Listener, i, bucket uint32) {
	e := &st.evict
	for int(i) >= len(e.links) {
		e.links = append(e.links, requestLink{})
	}
	switch {
	case e.buckets != nil:
		e.links[i].place = bucket
		e.cached++
		e.append(&e.buckets[bucket], i)
	case st.cfg.SynEviction == EvictRandom:
		e.links[i].place = uint32(len(l.members))
		l.members = append(l.members, i)
	case st.cfg.SynEviction == EvictOldest:
		e.append(&l.ages, i)
	}
}

// delist is the inverse of enlist.
func (st *Stack) delist(l *Listener, i uint32) {
	e := &st.evict
	place := e.links[i].place
	switch {
	case e.buckets != nil:
		e.cached--
		e.unlink(&e.buckets[place], i)
	case st.cfg.SynEviction == EvictRandom:
		last := len(l.members) - 1
		moved := l.members[last]
		l.members[place] = moved
		e.links[moved].place = place
		l.members = l.members[:last]
	case st.cfg.SynEviction == EvictOldest:
		e.unlink(&l.ages, i)
	}
}

// append puts entry i at the end of a list.
func (e *eviction) append(a *ageList, i uint32) {
	k := &e.links[i]
	k.older, k.newer = a.newest, 0
	if a.newest == 0 {
		a.oldest = i + 1
	} else {
		e.links[a.newest-1].newer = i + 1
	}
	a.newest = i + 1
	a.n++
}

// unlink takes entry i out of a list.
func (e *eviction) unlink(a *ageList, i uint32) {
	k := e.links[i]
	if k.older == 0 {
		a.oldest = k.newer
	} else {
		e.links[k.older-1].newer = k.newer
	}
	if k.newer == 0 {
		a.newest = k.older
	} else {
		e.links[k.newer-1].older = k.older
	}
	a.n--
}
