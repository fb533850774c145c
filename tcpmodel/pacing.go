package tcpmodel

import "tcplab/des"

// pace is the pacing rate and, if the host paces, when the next segment may
// leave. The rate also sizes the bursts of segmentation offload, paced or not.
type pace struct {
	// window is what leaves in a round trip of srtt, in segments, percent by
	// how much it may leave faster.
	window  uint32
	percent uint16
	// free counts the segments that left before pacing began.
	free uint8
	srtt des.Time
	// next is when the next segment may leave.
	next des.Time
}

// paceFrom is how many segments of a connection leave without pacing (Linux).
const paceFrom = 10

// updatePace follows an ACK (Linux's tcp_update_pacing_rate).
func (ep *Endpoint) updatePace() {
	p, cfg := &ep.pace, &ep.st.cfg
	p.window, p.srtt, p.percent = max(ep.win.Cwnd, ep.rtx.len()), ep.rtt.srtt, uint16(cfg.PacingCARatio)
	if ep.win.Cwnd < ep.win.Ssthresh/2 {
		p.percent = uint16(cfg.PacingSSRatio)
	}
	if cfg.Pacing {
		ep.win.Paced, ep.win.PacingRate = true, ep.pacingRate()
	}
}

// pacingRate is the rate in bytes of payload per second, 0 before the first
// measurement of the round-trip time.
func (ep *Endpoint) pacingRate() uint64 {
	p := &ep.pace
	if p.srtt <= 0 {
		return 0
	}
	const perPercent = uint64(des.Second) / 100
	return uint64(p.window) * uint64(ep.mss) * uint64(p.percent) * perPercent / uint64(p.srtt)
}

// waitsForPace reports whether nothing may leave yet, and sees to it that
// sending goes on when it may. Only hosts that pace ask.
func (ep *Endpoint) waitsForPace(now des.Time) bool {
	if ep.pace.next <= now {
		return false
	}
	if !ep.armed(timerPace) {
		ep.armExactly(timerPace, ep.pace.next)
	}
	return true
}

// paceAfter is called when n bytes in segs segments have left together: the
// next may leave when the rate has made up for them. Time in which nothing left
// although something might have shortens the wait, to half of it at most
// (Linux's tcp_update_skb_after_send).
func (ep *Endpoint) paceAfter(now des.Time, n, segs uint32) {
	p := &ep.pace
	idle := max(now-p.next, 0)
	p.next = max(p.next, now)
	rate := ep.pacingRate()
	if p.free = uint8(min(uint32(p.free)+segs, paceFrom)); p.free < paceFrom || rate == 0 {
		return
	}
	wait := des.Time(uint64(n) * uint64(des.Second) / rate)
	p.next += wait - min(wait/2, idle)
}

// paceTimeout sends on: first what was lost, then new data.
func (ep *Endpoint) paceTimeout(now des.Time) {
	if ep.retransOut < ep.lostOut {
		ep.retransmitLost(now)
	}
	ep.output(now)
}
