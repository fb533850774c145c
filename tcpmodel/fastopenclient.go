package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// fastOpenPeer is what a host remembers of a peer that it has opened
// connections to with Fast Open (RFC 7413 section 4.1.3; Linux's tcp_metrics).
type fastOpenPeer struct {
	cookie segment.Cookie
	mss    uint16
	// attempts says which form of the option to ask with: 1 for the
	// experimental one, after the other went unanswered.
	attempts uint8
}

// maxTCPOptions is the room for options in a header: Linux keeps all of it free
// in a SYN with data, for middleboxes that add to it.
const maxTCPOptions = 40

// FlushMetrics forgets what the stack has learnt of its peers: Fast Open cookies
// and who is proven (ip tcp_metrics flush).
func (st *Stack) FlushMetrics() {
	clear(st.fastOpenPeers)
	clear(st.proven)
}

// startFastOpen decides how an active open with TCP_FASTOPEN_CONNECT begins,
// and reports whether its SYN waits for data: with a cookie, or where none is
// needed. Else the SYN asks for a cookie (RFC 7413 section 4.2.1).
func (ep *Endpoint) startFastOpen() bool {
	bits := ep.st.cfg.FastOpen
	if !ep.sock.FastOpen || bits&fastOpenClient == 0 {
		return false
	}
	f, peer := &ep.fast, ep.st.fastOpenPeers[ep.key.remote()]
	f.mss = peer.mss
	if bits&fastOpenClientFree != 0 || ep.sock.FastOpenNoCookie {
		f.waits = true
		return true
	}
	f.offers, f.cookie = true, peer.cookie
	if f.cookie.Len == 0 {
		f.cookie.Experimental = peer.attempts == 1
	}
	f.waits = f.cookie.Len > 0
	return f.waits
}

// FastOpenWaits reports whether the SYN has not left yet, since it waits for the
// first Write so that it can carry data, and how many bytes it will take.
func (ep *Endpoint) FastOpenWaits() (room int, waits bool) {
	if !ep.fast.waits {
		return 0, false
	}
	mss := ep.offeredMSS()
	if ep.fast.mss > 0 {
		mss = min(mss, ep.fast.mss)
	}
	return max(int(mss), minMSS) - maxTCPOptions, true
}

// sendSynWithData sends the SYN that has waited, with what it takes of the
// user's data.
func (ep *Endpoint) sendSynWithData(now des.Time) {
	room, _ := ep.FastOpenWaits()
	n := min(ep.unsent(), uint32(room))
	ep.fast.waits, ep.fast.sent = false, n > 0
	ep.sendSyn(now, n)
}

// offerCookie adds the Fast Open option to the first SYN.
func (ep *Endpoint) offerCookie(seg *segment.Segment) {
	if f := &ep.fast; f.offers {
		f.offers, f.asked = false, true
		seg.SetCookie(f.cookie)
	}
}

// synAnswered takes what a SYN-ACK says of Fast Open. It reports whether data
// of the SYN had to be sent again, which acknowledges the SYN-ACK (RFC 7413
// section 4.2.1; Linux's tcp_rcv_fastopen_synack).
func (ep *Endpoint) synAnswered(now des.Time, seg *segment.Segment) bool {
	f, st := &ep.fast, ep.st
	for ep.rtx.len() > 0 && ep.rtx.at(ep.rtx.head).end.LessEq(seg.Ack) {
		ep.rtx.pop()
	}
	lost := ep.rtx.len() > 0
	if lost {
		ep.rtx.at(ep.rtx.head).seq = seg.Ack
	}
	ep.sndUna = seg.Ack
	c, ok := seg.Cookie()
	ok = ok && f.asked
	peer := st.fastOpenPeers[ep.key.remote()]
	peer.mss = ep.opt.mss
	switch {
	case ok && c.Len > 0:
		peer.cookie = c
	case !ok && f.asked && ep.synRetransmits == 0 && !f.sent && peer.cookie.Len == 0:
		// The peer did not answer the request: ask in the other form once.
		peer.attempts = max(peer.attempts, 1)
		if f.cookie.Experimental {
			peer.attempts = 2
		}
	}
	if st.fastOpenPeers == nil {
		st.fastOpenPeers = map[segment.Node]fastOpenPeer{}
	}
	st.fastOpenPeers[ep.key.remote()] = peer
	if lost {
		st.counters.TCPFastOpenActiveFail++
		ep.resendSynData(now)
		return true
	}
	if f.taken = f.sent; f.taken {
		st.counters.TCPFastOpenActive++
	}
	taken := f.taken
	ep.takeSynText(seg)
	f.taken = taken || f.taken
	if seg.Has(segment.FIN) {
		fin := *seg
		fin.Seq++
		ep.checkFin(now, &fin)
	}
	return false
}

// resendSynData sends again what the SYN carried and the SYN-ACK does not
// acknowledge. It says nothing of congestion.
func (ep *Endpoint) resendSynData(now des.Time) {
	mss := ep.boundMSS()
	pos := ep.rtx.head
	for {
		s := ep.rtx.at(pos)
		rest := *s
		if uint32(s.end-s.seq) <= mss {
			break
		}
		s.end, s.flags = s.seq.Add(mss), s.flags&^sentPush
		rest.seq, rest.timed = s.end, false
		pos = ep.rtx.push(rest)
		ep.rtx.time(pos, rest.sentAt)
	}
	for pos := ep.rtx.head; pos != ep.rtx.tail; pos++ {
		ep.markLost(ep.rtx.at(pos))
	}
	ep.resendWithoutBlame(now)
}

// resendWithoutBlame sends again what is lost for another reason than
// congestion (Linux's tcp_non_congestion_loss_retransmit).
func (ep *Endpoint) resendWithoutBlame(now des.Time) {
	if ep.ca != caLoss {
		ep.highSeq = ep.sndNxt
		ep.win.Ssthresh = ep.currentSsthresh()
		ep.priorSsthresh, ep.undoing, ep.frto = 0, false, false
		ep.ca = caLoss
	}
	ep.retransmitLost(now)
}
