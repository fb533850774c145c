package tcpmodel

import (
	"cmp"
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Path MTU discovery (RFC 1191) and what else ICMP errors say of a connection.

const (
	// minPathMTU is net.ipv4.route.min_pmtu: smaller reports count as this.
	minPathMTU = 552
	// pathMTUExpires is net.ipv4.route.mtu_expires.
	pathMTUExpires = 600 * des.Second
)

// The types of ICMP message, and the codes of destination unreachable (RFC 792, RFC 1191).
const (
	icmpUnreachable  = 3
	icmpTimeExceeded = 11
	codeNet          = 0
	codeHost         = 1
	codePort         = 3
	codeFragNeeded   = 4
)

// pathMTU is what a router has said of the path to a node.
type pathMTU struct {
	mtu     int
	expires des.Time
}

// mtuTo is the largest packet for a node.
func (st *Stack) mtuTo(now des.Time, n segment.Node) int {
	if len(st.pathMTUs) > 0 {
		if p, ok := st.pathMTUs[n]; ok && now < p.expires {
			return min(p.mtu, st.cfg.MTU)
		}
	}
	return st.cfg.MTU
}

// offeredMSS is the MSS option for a node: the MTU less the fixed headers (RFC
// 6691), and at most TCP_MAXSEG, if that is not 0.
func (st *Stack) offeredMSS(n segment.Node, maxSeg int) uint16 {
	mss := st.cfg.MTU - tcpIPHeaders
	if len(st.pathMTUs) > 0 {
		mss = st.mtuTo(st.sim.Now(), n) - tcpIPHeaders
	}
	if maxSeg > 0 {
		mss = min(mss, maxSeg)
	}
	return uint16(mss)
}

// icmp takes an ICMP error about a segment that was sent. It is soft while the
// connection is synchronized, the end of one that is opening (RFC 9293 section
// 3.9.2.2), and one that a packet was too large shortens the segments.
func (st *Stack) icmp(now des.Time, seg *segment.Segment) {
	r := st.conns.find(keyOf(segment.Node(seg.Ack), seg.DstPort, seg.SrcPort))
	switch r.kind() {
	case refRequest:
		st.icmpRequest(now, r.index(), seg)
	case refEndpoint:
		st.endpoints[r.index()].icmp(now, seg)
	}
}

// icmpRequest drops a half-open connection whose peer cannot be reached
// (Linux's tcp_req_err).
func (st *Stack) icmpRequest(now des.Time, i uint32, seg *segment.Segment) {
	kind, code := seg.Wnd>>8, seg.Wnd&0xff
	if r := &st.requests.entries[i]; seg.Seq != r.iss {
		st.counters.OutOfWindowIcmps++
		return
	}
	if kind != icmpUnreachable || code == codeNet || code == codeHost {
		st.dropRequest(now, i, EHOSTUNREACH, CauseReset)
	}
}

func (ep *Endpoint) icmp(now des.Time, seg *segment.Segment) {
	una := ep.sndUna
	if ep.fast.pending {
		una = ep.iss
	}
	if seg.Seq.Less(una) || ep.sndNxt.Less(seg.Seq) {
		ep.st.counters.OutOfWindowIcmps++
		return
	}
	if seg.Wnd == icmpUnreachable<<8|codeFragNeeded {
		ep.packetTooBig(now, int(seg.MSS))
		return
	}
	accepted := ep.passiveOpen && ep.listener == nil
	opening := ep.state == SynSent && seg.Seq == ep.iss || ep.state == SynReceived && !accepted
	if err := icmpErrno(seg.Wnd>>8, seg.Wnd&0xff); err != OK && opening {
		ep.finish(now, err, CauseReset)
	}
}

// icmpErrno is the error that an ICMP message stands for: OK for Source Quench,
// for a packet that is too big, and for what Linux does not heed.
func icmpErrno(kind, code uint16) Errno {
	switch {
	case kind == icmpTimeExceeded:
		return EHOSTUNREACH
	case kind != icmpUnreachable || code == codeFragNeeded || code > 15:
		return OK
	case code == codePort:
		return ECONNREFUSED
	case code == codeNet || code == 6 || code == 9 || code == 11:
		return ENETUNREACH
	}
	return EHOSTUNREACH
}

// packetTooBig notes the MTU that a router reports, and sends again what was too
// large: that is no sign of congestion (Linux's tcp_v4_mtu_reduced,
// tcp_simple_retransmit).
func (ep *Endpoint) packetTooBig(now des.Time, mtu int) {
	st, n := ep.st, ep.key.remote()
	if mtu < minPathMTU {
		mtu = min(st.mtuTo(now, n), minPathMTU)
	}
	if mtu >= st.mtuTo(now, n) {
		return
	}
	if st.pathMTUs == nil {
		st.pathMTUs = map[segment.Node]pathMTU{}
	}
	st.pathMTUs[n] = pathMTU{mtu, now + pathMTUExpires}
	if ep.state == SynSent {
		if ep.fast.sent {
			ep.resend(now, ep.rtx.head, CauseRetransmit)
			ep.armRTO(now)
		}
		return
	}
	ep.setMSS()
	if ep.fast.pending || !ep.rtx.divide(ep.boundMSS()) {
		return
	}
	ep.recount()
	if ep.lostOut > 0 {
		ep.resendWithoutBlame(now)
	}
}

// divide cuts the segments longer than mss, which are then lost, and reports
// whether there were any.
func (q *rtxQueue) divide(mss uint32) bool {
	var old []sentSegment
	long := false
	for pos := q.head; pos != q.tail; pos++ {
		old = append(old, *q.at(pos))
		long = long || q.at(pos).data() > mss
	}
	if !long {
		return false
	}
	sends := q.sends
	q.reset()
	q.sends = sends
	var timed []uint32
	for _, s := range old {
		cut := s.data() > mss && s.flags&sentSacked == 0
		for {
			piece := s
			if cut {
				piece.flags = piece.flags&^sentRetrans | sentLost
			}
			if s.data() > mss {
				piece.end = s.seq.Add(mss)
				piece.flags &^= sentPush | sentFin
			}
			pos := q.push(piece)
			q.at(pos).timed = false
			if s.timed && piece.flags&(sentLost|sentRetrans) != sentLost {
				timed = append(timed, pos)
			}
			if s.seq = piece.end; s.seq == s.end {
				break
			}
		}
	}
	slices.SortStableFunc(timed, func(a, b uint32) int { return cmp.Compare(int32(q.at(a).order-q.at(b).order), 0) })
	for _, pos := range timed {
		q.link(pos)
	}
	return true
}

// recount sets the counts of the scoreboard by what is marked.
func (ep *Endpoint) recount() {
	if ep.opt.sackOK {
		ep.sackedOut = 0
	}
	ep.lostOut, ep.retransOut = 0, 0
	for pos := ep.rtx.head; pos != ep.rtx.tail; pos++ {
		f := ep.rtx.at(pos).flags
		if f&sentSacked != 0 {
			ep.sackedOut++
		}
		if f&sentLost != 0 {
			ep.lostOut++
		}
		if f&sentRetrans != 0 {
			ep.retransOut++
		}
	}
}
