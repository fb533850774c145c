package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// receiver is the receiving half of an endpoint: RCV.* of RFC 9293 section
// 3.3.1, reassembly, the receive window and the policy of acknowledging.
type receiver struct {
	rcvNxt, irs segment.Seq
	// rcvWnd is the window that was last offered, counted from rcvWup, the
	// RCV.NXT of that moment.
	rcvWnd uint32
	rcvWup segment.Seq
	// copiedSeq is the first byte that the user has not read.
	copiedSeq segment.Seq
	readable  int
	// finSeen: the FIN has been taken in order. finWaits: it was among what
	// came out of order and is in order now.
	finSeen, finWaits bool

	// rcvBuf is SO_RCVBUF. rcvSsthresh is how much of it may be offered:
	// it grows as data arrive (Linux's tcp_grow_window).
	rcvBuf       int
	rcvBufLocked bool
	rcvSsthresh  uint32
	// autotune measures what the user reads per round trip (Linux's
	// dynamic right-sizing).
	autotune struct {
		seq      segment.Seq
		since    des.Time
		space    uint32
		rttSeq   segment.Seq
		rttSince des.Time
		rtt      des.Time
		lastEcr  uint32
	}

	reassembly

	// memory is what the received data occupy in the receive buffer, and
	// spaceRatio, of 256, how much of the buffer is payload, both as Linux
	// accounts for them (see truesize).
	memory     int
	spaceRatio int

	// peerStream is the stream of the peer, if it is known.
	peerStream uint32
	peerKnown  bool

	ack ackState
}

func (ep *Endpoint) initReceiver() {
	cfg := &ep.st.cfg
	ep.rcvBuf = cfg.RmemDefault
	ep.spaceRatio = cfg.rcvSpace(spaceUnit)
	ep.rcvSsthresh = uint32(ep.space())
	ep.ack.rcvMSS = defaultMSS
}

// initialSpace is how many segments the peer is taken to send in its first
// round trip.
const initialSpace = 10

// startReceiving is called when the connection is established.
func (ep *Endpoint) startReceiving(now des.Time) {
	ep.ack.lastData = now
	ep.rcvSsthresh = ep.rcvWnd
	ep.ack.rcvMSS = min(ep.advMSS(), defaultMSS)
	a := &ep.autotune
	a.seq, a.since = ep.copiedSeq, now
	a.space = min(ep.rcvSsthresh, ep.rcvWnd, initialSpace*ep.advMSS())
}

// offeredMSS is the MSS option of the connection.
func (ep *Endpoint) offeredMSS() uint16 { return ep.st.offeredMSS(ep.key.remote(), ep.sock.MaxSeg) }

// advMSS is how many payload bytes the largest segment of the peer carries.
func (ep *Endpoint) advMSS() uint32 {
	mss := uint32(ep.offeredMSS())
	if ep.opt.tsOK {
		mss -= tsOptionLen
	}
	return mss
}

func (ep *Endpoint) eof() bool { return ep.finSeen }

// consume is the user's RECEIVE of n bytes.
func (ep *Endpoint) consume(now des.Time, n int) {
	ep.adjustSpace(now, n)
	ep.readable -= n
	ep.releaseMemory(n)
	ep.copiedSeq = ep.copiedSeq.Add(uint32(n))
	if ep.state.synchronized() {
		ep.cleanupRead(now)
	}
}

// cleanupRead sends the ACK that reading makes due: one that waited for the
// user, or a window that has opened by a factor of two.
func (ep *Endpoint) cleanupRead(now des.Time) {
	a := &ep.ack
	due := false
	if a.scheduled {
		due = ep.rcvNxt.Sub(ep.rcvWup) > int32(a.rcvMSS) ||
			(a.pushed2 || a.pushed && !a.inPingpong()) && ep.readable == 0
		if ep.st.cfg.AckPolicy != AckLinux {
			due = false
		}
	}
	if !due && !ep.finSeen {
		cur := ep.receiveWindow()
		if 2*cur <= uint32(ep.space()) {
			wnd := ep.newWindow()
			due = wnd > 0 && wnd >= 2*cur
		}
	}
	if due {
		ep.sendAck(now, CauseWindowUpdate)
	}
}
