package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// request is a half-open connection: what a listener remembers of a SYN until
// the third segment of the handshake arrives. It has no pointers, so that a
// million of them cost the collector nothing.
type request struct {
	key      connKey
	deadline des.Time
	created  des.Time
	irs, iss segment.Seq
	tsRecent uint32
	tsOffset uint32
	options  synOptions
	listener uint32
	token    uint32
	serial   uint32
	// stream is that of the peer's SYN, 0 for unknown.
	stream uint32
	// timeouts counts expiries of the SYN-ACK timer, retransmits SYN-ACKs
	// sent again for whatever reason.
	timeouts, retransmits uint8
	// acked: the third segment has come but the accept queue was full.
	acked bool
	live  bool
	// untimed: the SYN-ACK left at a time that nobody remembers.
	untimed bool
	// lastReply is when an unacceptable segment was last answered.
	lastReply des.Time
}

// requestTable holds the half-open connections of all listeners of a stack.
// All that have timed out equally often wait equally long, so steps[n] is a
// FIFO of those with n timeouts.
type requestTable struct {
	entries   []request
	free      []uint32
	listeners []*Listener
	steps     []expiryQueue
	timer     des.Timer
}

// addRequest puts a half-open connection into the SYN queue of l and answers
// the SYN (RFC 9293 section 3.10.7.2 third), with a Fast Open cookie if it is
// not nil.
func (st *Stack) addRequest(now des.Time, l *Listener, seg *segment.Segment, key connKey, o synOptions, isn segment.Seq, cookie *segment.Cookie) {
	t := &st.requests
	bucket := uint32(0)
	if st.evicts {
		bucket = st.makeRoom(now, l, key)
	}
	var i uint32
	if n := len(t.free); n > 0 {
		i = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		t.entries = append(t.entries, request{})
		i = uint32(len(t.entries) - 1)
	}
	r := &t.entries[i]
	*r = request{key: key, created: now, irs: seg.Seq, iss: isn, tsRecent: seg.TSVal,
		tsOffset: st.timestampOffset(seg.Src), options: o, listener: l.number,
		token: r.token + 1, serial: st.nextSerial(), stream: seg.Stream, live: true, lastReply: never}
	st.conns.put(key, refRequest|ref(i))
	l.half++
	l.young++
	if st.evicts {
		st.enlist(l, i, bucket)
	}
	c := st.connOf(key, r.serial)
	st.moved(now, c, Closed, Listen, CauseSegment)
	st.moved(now, c, Listen, SynReceived, CauseSegment)
	st.waitForAck(now, i)
	st.sendSynAck(now, l, r, CauseSegment, cookie)
}

// synAckTimeout is how long a half-open connection waits after n timeouts.
func (c *Config) synAckTimeout(n uint8) des.Time {
	return c.backedOff(c.InitialRTO, uint(n))
}

// backedOff is t doubled n times, at most tcp_rto_max.
func (c *Config) backedOff(t des.Time, n uint) des.Time {
	for ; n > 0 && t < c.RTOMax; n-- {
		t *= 2
	}
	return min(t, c.RTOMax)
}

// waitForAck starts the SYN-ACK timer of entry i for its next step.
func (st *Stack) waitForAck(now des.Time, i uint32) {
	t := &st.requests
	r := &t.entries[i]
	for len(t.steps) <= int(r.timeouts) {
		t.steps = append(t.steps, expiryQueue{})
	}
	r.token++
	r.deadline = st.cfg.roundTimer(now, now+st.cfg.synAckTimeout(r.timeouts))
	t.steps[r.timeouts].push(pending{r.deadline, i, r.token})
	if !st.sim.Armed(t.timer) || r.deadline < st.sim.Deadline(t.timer) {
		st.sim.Arm(t.timer, r.deadline)
	}
}

func (st *Stack) requestsTimeout(now des.Time) {
	t := &st.requests
	next := des.Never
	for s := range t.steps {
		for t.steps[s].n > 0 {
			p := *t.steps[s].at(0)
			if t.entries[p.index].token == p.token {
				if p.deadline > now {
					next = min(next, p.deadline)
					break
				}
				t.steps[s].pop()
				st.requestTimeout(now, p.index)
				continue
			}
			t.steps[s].pop()
		}
	}
	// A later step may have gained an entry after it was looked at, and its
	// deadline is then in the timer already.
	if next != des.Never && (!st.sim.Armed(t.timer) || next < st.sim.Deadline(t.timer)) {
		st.sim.Arm(t.timer, next)
	}
}

// requestTimeout is the expiry of one entry's SYN-ACK timer. Like Linux it
// gives up earlier when more than half of the queue is taken by old entries,
// so that young ones find room.
func (st *Stack) requestTimeout(now des.Time, i uint32) {
	r := &st.requests.entries[i]
	l := st.requests.listeners[r.listener]
	limit := st.cfg.SynackRetries
	if st.cfg.PruneSynQueue && st.evict.buckets == nil && 2*l.half > max(8, l.backlog) {
		for young := 2 * l.young; limit > 2 && l.half >= young; young *= 2 {
			limit--
		}
	}
	st.counters.TCPTimeouts++
	expires, resends := r.due(limit, l.sock.deferTimeouts())
	if expires {
		why := CauseGiveUp
		st.counters.RequestsExpired++
		if int(r.timeouts) < st.cfg.SynackRetries {
			why = CausePruned
			st.counters.RequestsPruned++
		}
		if st.cfg.SynackGiveUpRST {
			st.resetRequest(now, r)
		}
		st.dropRequest(now, i, ETIMEDOUT, why)
		return
	}
	if r.timeouts == 0 {
		l.young--
	}
	r.timeouts++
	if !resends {
		st.waitForAck(now, i)
		return
	}
	st.retransmitSynAck(now, i)
}

// retransmitSynAck sends the SYN-ACK of entry i again and starts its timer anew.
func (st *Stack) retransmitSynAck(now des.Time, i uint32) {
	r := &st.requests.entries[i]
	r.retransmits++
	st.counters.SynackRetransmits++
	st.counters.TCPSynRetrans++
	st.counters.RetransSegs++
	st.waitForAck(now, i)
	st.sendSynAck(now, st.requests.listeners[r.listener], r, CauseRetransmit, nil)
}

// due says what the expiry of the SYN-ACK timer means, with that limit of
// retransmissions and TCP_DEFER_ACCEPT: a peer that has acknowledged the SYN-ACK
// is left alone until the last chance to send data (Linux's syn_ack_recalc).
func (r *request) due(limit, deferred int) (expires, resends bool) {
	n := int(r.timeouts)
	if deferred == 0 {
		return n >= limit, true
	}
	return n >= limit && (!r.acked || n >= deferred), !r.acked || n >= deferred-1
}

// sendSynAck sends the second segment of the handshake.
func (st *Stack) sendSynAck(now des.Time, l *Listener, r *request, why Cause, cookie *segment.Cookie) {
	seg := st.blank(r.key, segment.SYN|segment.ACK)
	seg.Seq, seg.Ack = r.iss, r.irs+1
	st.cfg.offer(seg, &r.options, r.options.rcvWScale, st.offeredMSS(r.key.remote(), l.sock.MaxSeg))
	if cookie != nil {
		seg.SetCookie(*cookie)
	}
	seg.Wnd = uint16(st.cfg.initialWindow(l.rcvBuf(), seg.MSS, r.options.tsOK))
	if r.options.tsOK {
		seg.TSVal = tsClock(now) + r.tsOffset
		seg.TSEcr = r.tsRecent
	}
	st.transmit(now, r.key, r.serial, seg, why)
}

func (st *Stack) resetRequest(now des.Time, r *request) {
	seg := st.blank(r.key, segment.RST|segment.ACK)
	seg.Seq, seg.Ack = r.iss+1, r.irs+1
	st.transmit(now, r.key, r.serial, seg, CauseGiveUp)
}

// removeRequest takes entry i out of the table without a trace.
func (st *Stack) removeRequest(i uint32) {
	t := &st.requests
	r := &t.entries[i]
	l := t.listeners[r.listener]
	if st.evicts {
		st.delist(l, i)
	}
	l.half--
	if r.timeouts == 0 {
		l.young--
	}
	st.conns.remove(r.key)
	r.token++
	r.live = false
	t.free = append(t.free, i)
}

// dropRequest ends a half-open connection: its listener is in LISTEN as before
// (RFC 9293 figure 5 note 1).
func (st *Stack) dropRequest(now des.Time, i uint32, err Errno, why Cause) {
	st.removeRequest(i)
	r := &st.requests.entries[i]
	c := st.connOf(r.key, r.serial)
	st.moved(now, c, SynReceived, Listen, why)
	if st.tracer != nil {
		st.ended = ConnStats{Passive: true, Created: r.created, Connected: des.Never, Ended: now,
			SegsOut: uint32(1 + r.retransmits), SegsIn: 1, Retransmits: uint32(r.retransmits), Err: err, Why: why}
		st.tracer.TraceEnd(now, c, &st.ended)
	}
}

func (st *Stack) dropRequestsOf(now des.Time, l *Listener) {
	t := &st.requests
	for i := range t.entries {
		if t.entries[i].live && t.listeners[t.entries[i].listener] == l {
			st.dropRequest(now, uint32(i), ECONNABORTED, CauseUser)
		}
	}
}
