package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// timeWait is a connection in TIME-WAIT: enough of it to answer for 2MSL.
type timeWait struct {
	key            connKey
	sndNxt, rcvNxt segment.Seq
	rcvWnd         uint32
	tsRecent       uint32
	tsStamp        des.Time
	tsOffset       uint32
	serial         uint32
	token          uint32
	lastReply      des.Time
	rcvWScale      uint8
	tsOK, live     bool
}

// timeWaitTable holds the connections in TIME-WAIT. All of them last equally
// long, so they expire in the order of a FIFO.
type timeWaitTable struct {
	entries []timeWait
	free    []uint32
	queue   expiryQueue
	timer   des.Timer
	n       int
}

// addTimeWait takes over the connection of ep, whose endpoint is then free. It
// reports whether there was room (tcp_max_tw_buckets) and a time to wait.
func (st *Stack) addTimeWait(now des.Time, ep *Endpoint) bool {
	t := &st.timeWaits
	if st.cfg.TimeWait <= 0 {
		return false
	}
	if t.n >= st.cfg.MaxTwBuckets {
		st.counters.TCPTimeWaitOverflow++
		return false
	}
	var i uint32
	if n := len(t.free); n > 0 {
		i = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		t.entries = append(t.entries, timeWait{})
		i = uint32(len(t.entries) - 1)
	}
	w := &t.entries[i]
	*w = timeWait{key: ep.key, sndNxt: ep.sndNxt, rcvNxt: ep.rcvNxt, rcvWnd: ep.receiveWindow(),
		tsRecent: ep.tsRecent, tsStamp: ep.tsRecentAt, tsOffset: ep.tsOffset, serial: ep.serial,
		token: w.token, rcvWScale: ep.opt.rcvWScale, tsOK: ep.opt.tsOK, live: true, lastReply: ep.lastReply}
	t.n++
	st.counters.TW++
	st.conns.put(w.key, refTimeWait|ref(i))
	st.restartTimeWait(now, i)
	return true
}

// restartTimeWait starts the 2MSL timer of entry i, again if it is running
// (RFC 9293 section 3.10.7.4 eighth).
func (st *Stack) restartTimeWait(now des.Time, i uint32) {
	t := &st.timeWaits
	w := &t.entries[i]
	w.token++
	at := st.cfg.roundTimer(now, now+st.cfg.TimeWait)
	t.queue.push(pending{at, i, w.token})
	if !st.sim.Armed(t.timer) {
		st.sim.Arm(t.timer, at)
	}
}

func (st *Stack) timeWaitsTimeout(now des.Time) {
	t := &st.timeWaits
	for t.queue.n > 0 {
		p := *t.queue.at(0)
		if t.entries[p.index].token == p.token {
			if p.deadline > now {
				st.sim.Arm(t.timer, p.deadline)
				return
			}
			st.endTimeWait(now, p.index, CauseTimeout)
		}
		t.queue.pop()
	}
}

func (st *Stack) endTimeWait(now des.Time, i uint32, why Cause) {
	t := &st.timeWaits
	w := &t.entries[i]
	w.token++
	w.live = false
	t.n--
	t.free = append(t.free, i)
	st.conns.remove(w.key)
	st.moved(now, st.connOf(w.key, w.serial), TimeWait, Closed, why)
}

// reopenDistance is how far beyond the last sequence number of the old
// incarnation Linux starts the next one.
const reopenDistance = 65535 + 2

// timeWaitReusable reports whether a new connection may take the port of entry
// i (tcp_tw_reuse; RFC 6191 from the side of the active opener).
func (st *Stack) timeWaitReusable(i uint32) bool {
	w := &st.timeWaits.entries[i]
	return st.cfg.TwReuse == 1 && w.tsOK && st.sim.Now()-w.tsStamp > st.cfg.TwReuseDelay
}

// activeISN ends a reusable TIME-WAIT entry of that key and returns the
// initial sequence number of the new connection.
func (st *Stack) activeISN(now des.Time, key connKey) segment.Seq {
	if r := st.conns.find(key); r.kind() == refTimeWait {
		isn := st.timeWaits.entries[r.index()].sndNxt + reopenDistance
		st.endTimeWait(now, r.index(), CauseUser)
		st.counters.TWRecycled++
		return isn
	}
	return st.initialSeq(now, key)
}

// timeWaitArrives is RFC 9293 section 3.10.7.4 for TIME-WAIT, with RFC 6191's
// rule for a new SYN and RFC 5961's limits, as Linux has them.
func (st *Stack) timeWaitArrives(now des.Time, i uint32, seg *segment.Segment) {
	w := &st.timeWaits.entries[i]
	stamped := w.tsOK && seg.Opts&segment.OptTimestamps != 0
	stale := stamped && int32(seg.TSVal-w.tsRecent) < 0 && !seg.Has(segment.RST)
	if !stale && w.isReopened(seg, stamped) {
		if l := st.listener(seg.DstPort); l != nil {
			isn := w.sndNxt + reopenDistance
			if isn == 0 {
				isn = 1
			}
			st.endTimeWait(now, i, CauseSegment)
			l.arrives(now, seg, isn)
			return
		}
	}
	st.traceSegment(now, w.key, w.serial, false, seg, CauseNone)
	rst := seg.Has(segment.RST)
	if !stale && seg.Seq == w.rcvNxt && (seg.SegLen() == 0 || rst) {
		if rst {
			if !st.cfg.RFC1337 {
				st.endTimeWait(now, i, CauseReset)
			}
			return
		}
		if stamped {
			w.tsRecent, w.tsStamp = seg.TSVal, now
		}
		st.restartTimeWait(now, i)
		return
	}
	if stale {
		st.counters.PAWSEstab++
	}
	if rst {
		return
	}
	if stale || seg.Has(segment.ACK) {
		st.restartTimeWait(now, i)
	}
	if seg.SegLen() == 0 && !st.mayReply(now, &w.lastReply) {
		return
	}
	st.ackTimeWait(now, w)
}

// isReopened reports whether seg is a SYN that is younger than the connection.
func (w *timeWait) isReopened(seg *segment.Segment, stamped bool) bool {
	return seg.Flags&(segment.SYN|segment.RST|segment.ACK) == segment.SYN &&
		(w.rcvNxt.Less(seg.Seq) || stamped && int32(w.tsRecent-seg.TSVal) < 0)
}

func (st *Stack) ackTimeWait(now des.Time, w *timeWait) {
	seg := st.blank(w.key, segment.ACK)
	seg.Seq, seg.Ack, seg.Wnd = w.sndNxt, w.rcvNxt, uint16(min(w.rcvWnd>>w.rcvWScale, 65535))
	if w.tsOK {
		seg.Opts, seg.TSVal, seg.TSEcr = segment.OptTimestamps, tsClock(now)+w.tsOffset, w.tsRecent
	}
	st.transmit(now, w.key, w.serial, seg, CauseSegment)
}
