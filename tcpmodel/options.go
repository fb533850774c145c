package tcpmodel

import (
	"math/bits"

	"tcplab/tcpmodel/segment"
)

const (
	// defaultMSS is what a peer takes that sends no MSS option (RFC 9293
	// MUST-15).
	defaultMSS = 536
	// maxWScale is the largest shift (RFC 7323 section 2.3).
	maxWScale = 14
	// tcpIPHeaders is the length of an IPv4 and a TCP header without
	// options.
	tcpIPHeaders = 40
	// tsOptionLen is the length of the padded timestamps option.
	tsOptionLen = 12
)

// synOptions is what the options of the two SYNs have agreed on.
type synOptions struct {
	// mss is the peer's MSS option.
	mss uint16
	// sndWScale shifts the windows that we receive, rcvWScale those that
	// we send.
	sndWScale, rcvWScale   uint8
	wscaleOK, sackOK, tsOK bool
	ecnOK                  bool
	// ect: the SYN-ACK is sent as capable of ECN.
	ect bool
}

// rcvSpace is how many payload bytes a receive buffer of that size offers:
// Linux leaves a part of it to overhead (tcp_adv_win_scale).
func (c *Config) rcvSpace(rcvbuf int) int {
	switch {
	case c.AdvWinScale > 0:
		return rcvbuf - rcvbuf>>c.AdvWinScale
	case c.AdvWinScale < 0:
		return rcvbuf >> -c.AdvWinScale
	}
	return rcvbuf
}

// rcvWScaleFor returns the window scale that lets the whole of the largest
// receive buffer be offered, which with SO_RCVBUF (locked) is rcvbuf (Linux's
// tcp_select_initial_window).
func (c *Config) rcvWScaleFor(rcvbuf int, locked bool) uint8 {
	if !c.WindowScaling {
		return 0
	}
	space := uint64(max(rcvbuf, c.RmemMax))
	if locked {
		space = uint64(c.rcvSpace(rcvbuf))
	}
	return uint8(min(max(bits.Len64(space)-1-15, 0), maxWScale))
}

// offer fills in the options of a SYN, or, with agreed, those of a SYN-ACK.
// mss is the MSS option.
func (c *Config) offer(seg *segment.Segment, agreed *synOptions, rcvWScale uint8, mss uint16) {
	seg.Opts, seg.MSS = segment.OptMSS, mss
	if c.WindowScaling && (agreed == nil || agreed.wscaleOK) {
		seg.Opts |= segment.OptWScale
		seg.WScale = rcvWScale
	}
	if c.SACK && (agreed == nil || agreed.sackOK) {
		seg.Opts |= segment.OptSACKPermitted
	}
	if c.Timestamps && (agreed == nil || agreed.tsOK) {
		seg.Opts |= segment.OptTimestamps
	}
	if agreed != nil && agreed.ecnOK {
		seg.Flags |= segment.ECE
	}
	if agreed != nil && agreed.ect {
		seg.ECN = segment.ECT0
	}
}

// agree returns what both this host and the sender of the SYN seg want.
func (c *Config) agree(seg *segment.Segment, rcvWScale uint8) synOptions {
	o := synOptions{
		mss:      defaultMSS,
		wscaleOK: c.WindowScaling && seg.Opts&segment.OptWScale != 0,
		sackOK:   c.SACK && seg.Opts&segment.OptSACKPermitted != 0,
		tsOK:     c.Timestamps && seg.Opts&segment.OptTimestamps != 0,
		ecnOK:    c.grantsECN(seg),
	}
	if seg.Opts&segment.OptMSS != 0 && seg.MSS != 0 {
		o.mss = seg.MSS
	}
	if o.wscaleOK {
		o.sndWScale, o.rcvWScale = min(seg.WScale, maxWScale), rcvWScale
	}
	return o
}

// initialWindow returns the receive window that a SYN or SYN-ACK with that MSS
// option offers: the space of the receive buffer in whole segments, at most
// 65535 since the window of a SYN is never scaled.
func (c *Config) initialWindow(rcvbuf int, offered uint16, ts bool) uint32 {
	mss := int(offered)
	if ts {
		mss -= tsOptionLen
	}
	space := c.rcvSpace(rcvbuf)
	if space > mss {
		space -= space % mss
	}
	return uint32(min(space, 65535))
}
