package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Linux hands the network several segments at once, even to a device that takes
// one at a time (generic segmentation offload). That shows in PSH bits, in
// segments that wait until they can go together, and in how a window is used up
// to its edge.

const (
	// gsoMaxSize is the payload and headers of a burst.
	gsoMaxSize = 65536
	// maxTCPHeader is kept free before its payload.
	maxTCPHeader = 320
	// tsoRTTLog is net.ipv4.tcp_tso_rtt_log.
	tsoRTTLog = 9
	// tsoWinDivisor is net.ipv4.tcp_tso_win_divisor.
	tsoWinDivisor = 3
	// recentWrite is how long a write is recent, nearAck how far the next ACK
	// may be, so that a burst may wait.
	recentWrite = des.Millisecond
	nearAck     = des.Millisecond
)

// append adds n bytes of the user. They fill buffers of sizeGoal bytes, of which
// the last, starting at tailFrom, goes on to be filled by the next write until
// it is sent. PSH is due at the end of the buffer where a write ends, and at
// that of a buffer after every half of the peer's largest window, so that a
// receiver who waits for PSH does not starve. How a write goes on after these
// bytes, and whether they are its first, is for Send to say.
func (ep *Endpoint) append(n uint32, push, first bool) {
	end := ep.writeSeq.Add(n)
	half, size := ep.maxWindow>>1, ep.sizeGoal()
	if ep.tailFrom == ep.iss || ep.tailFrom.Less(ep.dataNxt()) {
		ep.tailFrom = maxSeq(ep.dataNxt(), ep.iss+1)
	}
	for {
		full := ep.tailFrom.Add(size)
		stop := minSeq(full, end)
		if k := len(ep.push); k > 0 && ep.tailFrom.Less(ep.push[k-1]) && ep.push[k-1].Less(stop) {
			ep.push[k-1] = stop
			if first && !push {
				ep.push = ep.push[:k-1]
			}
		}
		if stop == full && half > 0 && ep.pushed.Add(half).Less(full) {
			ep.markPush(full)
		}
		if stop == end {
			break
		}
		ep.tailFrom = full
	}
	ep.writeSeq = end
	if push || half > 0 && ep.pushed.Add(half).Less(end) {
		ep.markPush(end)
	}
}

func (ep *Endpoint) markPush(at segment.Seq) {
	if n := len(ep.push); n == 0 || ep.push[n-1] != at {
		ep.push = append(ep.push, at)
	}
	ep.pushed = at
}

// sizeGoal is how many bytes of the user go into one buffer: as many full
// segments as a burst takes, and no more than half of the peer's window.
func (ep *Endpoint) sizeGoal() uint32 {
	mss, segs := max(ep.mss, 1), uint32(ep.st.cfg.GSOMaxSegs)
	if segs <= 1 {
		return mss
	}
	size := uint32(gsoMaxSize - 1 - maxTCPHeader)
	if ep.maxWindow > defaultMSS {
		size = min(size, ep.maxWindow/2)
	}
	return max(min(size/mss, segs), 1) * mss
}

// burstSegs is how many segments leave at once: what is sent in about a
// millisecond, more on short paths, at least two (Linux's tcp_tso_autosize).
func (ep *Endpoint) burstSegs(mss uint32) uint32 {
	bytes := uint64(gsoMaxSize - 1 - maxTCPHeader)
	if us := uint64(ep.pace.srtt / des.Microsecond); us > 0 {
		rate := uint64(ep.pace.window) * uint64(mss) * 1e6 / us * uint64(ep.pace.percent) / 100 >> 10
		if r := uint64(ep.rtt.lowest()/des.Microsecond) >> tsoRTTLog; r < 32 {
			rate += gsoMaxSize >> r
		}
		bytes = min(bytes, rate)
	}
	return min(max(uint32(bytes)/mss, uint32(ep.st.cfg.MinTSOSegs)), uint32(ep.st.cfg.GSOMaxSegs))
}

// burst is how many bytes leave at once, given that a full segment may and more
// wait (Linux's tcp_mss_split_point).
func (ep *Endpoint) burst(mss uint32) uint32 {
	segs := min(ep.win.Cwnd-ep.inFlight(), max(ep.win.Cwnd/2, 1))
	if segs > uint32(ep.st.cfg.MinTSOSegs) {
		segs = min(segs, ep.burstSegs(mss))
	}
	room := uint32(ep.sndUna.Add(ep.sndWnd).Sub(ep.sndNxt))
	n := min(ep.ready(), room)
	if segs*mss <= n {
		return segs * mss
	}
	if part := n % mss; part > 0 && n == ep.unsent() && ep.holdsBack(part, mss) {
		return n - part
	}
	return n
}

// defers reports whether a burst waits for the next ACK to become larger
// (Linux's tcp_tso_should_defer): when it is short, the last one left just now,
// and the next ACK is near. It sets limited if the congestion window is why.
func (ep *Endpoint) defers(now des.Time, mss uint32, limited *bool) bool {
	if ep.ca >= caRecovery || now-ep.win.LastSent >= recentWrite || ep.rtx.len() == 0 {
		return false
	}
	room := uint32(ep.sndUna.Add(ep.sndWnd).Sub(ep.sndNxt))
	cwnd := (ep.win.Cwnd - ep.inFlight()) * mss
	limit := min(room, cwnd)
	if limit >= min(ep.sndWnd, ep.win.Cwnd*mss)/tsoWinDivisor || limit >= ep.burstSegs(mss)*mss {
		return false
	}
	if ep.rtx.at(ep.rtx.head).sentAt+ep.rtt.srtt-now >= min(ep.rtt.srtt/2, nearAck) {
		return false
	}
	ready := ep.ready()
	if ready < ep.unsent() && ready <= limit {
		// Nothing more can join it.
		return false
	}
	waits := min(ready, ep.sizeGoal())
	if cwnd < room && cwnd <= waits {
		*limited = true
		return true
	}
	return room <= waits || !ep.finQueued
}

// sendBurst sends n bytes, and the FIN if it is its turn, in segments. The last
// of several has PSH, so that a receiver that joins them passes them on.
func (ep *Endpoint) sendBurst(now des.Time, n, mss uint32, fin bool) {
	several, total := n > mss, n
	for ; n > mss; n -= mss {
		ep.sendPiece(now, mss, false, 0)
	}
	once := sentFlags(0)
	if several {
		once = sentPush
	}
	ep.sendPiece(now, n, fin, once)
	if ep.st.cfg.Pacing {
		ep.paceAfter(now, total, (total+mss-1)/mss)
	}
}
