package tcpmodel

import (
	"math/bits"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// receiveWindow is how much of the offered window is left.
func (ep *Endpoint) receiveWindow() uint32 {
	return uint32(max(int64(int32(ep.rcvWup.Add(ep.rcvWnd)-ep.rcvNxt)), 0))
}

// spaceUnit is what spaceRatio is a part of.
const spaceUnit = 256

// space is how many payload bytes the receive buffer offers in all.
func (ep *Endpoint) space() int { return ep.rcvBuf * ep.spaceRatio / spaceUnit }

// freeSpace is how many payload bytes the receive buffer still takes.
func (ep *Endpoint) freeSpace() int {
	return max((ep.rcvBuf-ep.memory)*ep.spaceRatio/spaceUnit, 0)
}

// truesize is how much of the receive buffer a segment with n bytes of payload
// takes: with rmem_truesize what Linux charges for the packet (headroom,
// headers and the shared info in a slab of a power of two, plus the struct
// sk_buff), else payload and its share of overhead alone.
func (ep *Endpoint) truesize(n uint32) int {
	if !ep.st.cfg.Truesize {
		return int(n) * spaceUnit / max(ep.spaceRatio, 1)
	}
	const headroom, line, sharedInfo, skBuff, smallest = 64 + tcpIPHeaders + tsOptionLen, 64, 320, 256, 512
	need := roundUp(headroom+int(n), line) + sharedInfo
	return max(1<<bits.Len(uint(need-1)), smallest) + skBuff
}

// charge takes a received segment into the account of the receive buffer.
func (ep *Endpoint) charge(n uint32) { ep.memory += ep.truesize(n) }

// stretchBuffer lets the receive buffer hold what was received in spite of it:
// the window that was offered is kept, whatever the overhead of the segments
// (Linux's tcp_clamp_window).
func (ep *Endpoint) stretchBuffer() {
	cfg := &ep.st.cfg
	if !cfg.Truesize || ep.memory <= ep.rcvBuf {
		return
	}
	ep.ack.quick = 0
	if !ep.rcvBufLocked {
		ep.rcvBuf = max(ep.rcvBuf, min(ep.memory, cfg.RmemMax))
	}
	if ep.memory > ep.rcvBuf {
		ep.rcvSsthresh = min(uint32(ep.space()), 2*ep.advMSS())
	}
}

// releaseMemory gives back the part of the buffer that n bytes read took.
func (ep *Endpoint) releaseMemory(n int) {
	held := ep.readable + ep.held()
	if held == 0 {
		ep.memory = 0
		return
	}
	ep.memory = int(int64(ep.memory) * int64(held) / int64(held+n))
}

// measureOverhead learns from a segment that sets a new size how much of the
// receive buffer is payload (Linux's scaling_ratio).
func (ep *Endpoint) measureOverhead(n uint32) {
	if !ep.st.cfg.Truesize {
		return
	}
	ep.spaceRatio = max(min(int(n)*spaceUnit/ep.truesize(n), spaceUnit-1), 1)
	ep.autotune.space = min(ep.autotune.space, uint32(ep.space()))
}

// newWindow is the window to offer now, before the rule that the right edge
// never moves left: the free space in whole segments, avoiding silly windows
// (RFC 9293 section 3.8.6.2.2).
func (ep *Endpoint) newWindow() uint32 {
	full := ep.space()
	free := ep.freeSpace()
	mss := min(int(ep.ack.rcvMSS), full)
	if mss <= 0 {
		return 0
	}
	if free < full/2 {
		if ep.st.cfg.AckPolicy == AckLinux {
			ep.ack.quick = 0
		}
		free &^= 1<<ep.opt.rcvWScale - 1
		if free < full>>4 || free < mss {
			return 0
		}
	}
	free = min(free, int(ep.rcvSsthresh))
	if scale := ep.opt.rcvWScale; scale > 0 {
		return uint32(roundUp(free, 1<<scale))
	}
	wnd := int(ep.rcvWnd)
	if wnd <= free-mss || wnd > free {
		wnd = free - free%mss
	} else if mss == full && free > wnd+full/2 {
		wnd = free
	}
	return uint32(wnd)
}

func roundUp(n, unit int) int { return (n + unit - 1) &^ (unit - 1) }

// selectWindow sets the window that the next segment offers and returns the
// value of its window field.
func (ep *Endpoint) selectWindow() uint16 {
	cur, wnd := ep.receiveWindow(), ep.newWindow()
	if wnd < cur {
		// RFC 9293 section 3.8.6: the right edge does not move left.
		wnd = uint32(roundUp(int(cur), 1<<ep.opt.rcvWScale))
	}
	ep.rcvWnd, ep.rcvWup = wnd, ep.rcvNxt
	if ep.opt.rcvWScale == 0 {
		ep.rcvWnd = min(wnd, 65535)
	} else {
		ep.rcvWnd = min(wnd, 65535<<ep.opt.rcvWScale)
	}
	return uint16(ep.rcvWnd >> ep.opt.rcvWScale)
}

// growWindow lets more of the buffer be offered as segments arrive, as far as
// it is free, and acknowledges at once while it does, so that the sender hears
// of it (Linux's tcp_grow_window).
func (ep *Endpoint) growWindow(n uint32) {
	room := min(ep.space(), ep.freeSpace()) - int(ep.rcvSsthresh)
	if room <= 0 {
		return
	}
	more := 2 * ep.advMSS()
	if ep.truesize(n)*ep.spaceRatio/spaceUnit > int(n) {
		more = ep.growthOfSmall(n)
	}
	if more == 0 {
		return
	}
	ep.rcvSsthresh += min(uint32(room), max(more, 2*n))
	if ep.st.cfg.AckPolicy == AckLinux {
		ep.ack.quick |= 1
	}
}

// growthOfSmall is by how much the window grows for a segment that takes more
// of the buffer than its payload: as long as the window is small enough for the
// largest buffer to hold it in such segments.
func (ep *Endpoint) growthOfSmall(n uint32) uint32 {
	overhead := ep.truesize(n) * ep.spaceRatio / spaceUnit / 2
	window := ep.st.cfg.RmemMax * ep.spaceRatio / spaceUnit / 2
	for ; int(ep.rcvSsthresh) <= window; window /= 2 {
		if overhead <= int(n) {
			return 2 * ep.ack.rcvMSS
		}
		overhead /= 2
	}
	return 0
}

// adjustSpace lets the receive buffer follow what the user reads in a round trip
// (Linux's tcp_rcv_space_adjust, tcp_moderate_rcvbuf). It is called before the
// user takes n bytes, and looks at what will have been read after the first
// segment of them: for the others no time has passed since.
func (ep *Endpoint) adjustSpace(now des.Time, n int) {
	a := &ep.autotune
	if a.rtt == 0 || now-a.since < a.rtt {
		return
	}
	n = min(n, int(ep.ack.rcvMSS))
	end := ep.copiedSeq.Add(uint32(n))
	copied := int64(end.Sub(a.seq)) - int64(ep.readable-n)
	if copied > int64(a.space) {
		ep.growBuffer(uint32(copied))
	}
	a.seq, a.since = end, now
}

// growBuffer enlarges the receive buffer to twice what the user reads in a
// round trip, and as the estimate is a round trip late, by twice its growth
// more; what has arrived out of order comes on top (Linux's tcp_rcvbuf_grow).
func (ep *Endpoint) growBuffer(perRound uint32) {
	a, cfg := &ep.autotune, &ep.st.cfg
	before := max(a.space, 1)
	a.space = perRound
	if !cfg.Autotune || ep.rcvBufLocked {
		return
	}
	wnd := 2 * uint64(perRound)
	wnd += wnd * uint64(perRound-min(before, perRound)) / uint64(before) * 2
	if n := len(ep.ooo); n > 0 {
		wnd += uint64(ep.ooo[n-1].Right - ep.rcvNxt)
	}
	ep.rcvBuf = max(ep.rcvBuf, int(min(wnd*spaceUnit/uint64(ep.spaceRatio), uint64(cfg.RmemMax))))
}

// measureWindow estimates the round-trip time at the receiver by the time that
// one window takes.
func (ep *Endpoint) measureWindow(now des.Time) {
	a := &ep.autotune
	if ep.rcvNxt.Less(a.rttSeq) && a.rttSince != 0 {
		return
	}
	if a.rttSince != 0 {
		ep.receiveRTT(max(now-a.rttSince, des.Microsecond), true)
	}
	a.rttSeq, a.rttSince = ep.rcvNxt.Add(ep.rcvWnd), now
}

// measureEcho estimates it by the echoed clock, before seg is taken.
func (ep *Endpoint) measureEcho(now des.Time, seg *segment.Segment) {
	a := &ep.autotune
	if !ep.opt.tsOK || seg.TSEcr == 0 || seg.TSEcr == a.lastEcr {
		return
	}
	a.lastEcr = seg.TSEcr
	if m := des.Time(tsClock(now)+ep.tsOffset-seg.TSEcr) * des.Millisecond; seg.Len >= ep.ack.rcvMSS && m > 0 {
		ep.receiveRTT(m, false)
	}
}

// receiveRTT takes a measurement: any that is lower, and if it does not depend
// on the window, and no unread data may have held the sender back, higher ones
// as well.
func (ep *Endpoint) receiveRTT(m des.Time, byWindow bool) {
	a := &ep.autotune
	switch {
	case a.rtt == 0 || m < a.rtt:
		a.rtt = m
	case !byWindow && ep.readable == 0:
		a.rtt += (m - a.rtt) / 8
	}
}
