package tcpmodel

import (
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Listener is a socket in LISTEN: its half-open connections (the SYN queue)
// are entries of the stack's request table, its established ones wait in the
// accept queue.
type Listener struct {
	st      *Stack
	port    uint16
	backlog int
	// number is its place in the request table.
	number   uint32
	acceptor Acceptor
	sock     SocketOptions
	closed   bool

	// half counts the half-open entries, young those whose SYN-ACK has not
	// timed out yet.
	half, young int
	// members are the half-open entries under EvictRandom, ages those under
	// EvictOldest.
	members    []uint32
	ages       ageList
	accept     []*Endpoint
	lastCookie des.Time
	told       bool
	fast       fastOpenQueue
}

// Port returns the port that the listener is bound to.
func (l *Listener) Port() uint16 { return l.port }

// Backlog returns the backlog in force: that of Listen, at most somaxconn.
func (l *Listener) Backlog() int { return l.backlog }

// SynQueue returns the number of half-open connections.
func (l *Listener) SynQueue() int { return l.half }

// AcceptQueue returns the number of connections that wait for Accept.
func (l *Listener) AcceptQueue() int { return len(l.accept) }

// Accept takes the connection that has waited longest, nil if none waits.
func (l *Listener) Accept() *Endpoint {
	if len(l.accept) == 0 {
		return nil
	}
	l.st.userEnter()
	defer l.st.userLeave()
	ep := l.accept[0]
	l.accept = slices.Delete(l.accept, 0, 1)
	ep.listener = nil
	if ep.readable > 0 || ep.eof() {
		ep.wakeApp(EvReadable)
	}
	if ep.eof() {
		ep.wakeApp(EvPeerClosed)
	}
	if ep.err != OK {
		ep.wakeApp(EvFailed)
	}
	if ep.state == Closed {
		ep.release()
	}
	return ep
}

// Close ends the listener: its half-open entries are dropped, the connections
// that nobody accepted are reset (RFC 9293 section 3.10.4 and Linux).
func (l *Listener) Close() {
	if l.closed {
		return
	}
	st, now := l.st, l.st.sim.Now()
	st.userEnter()
	l.closed = true
	st.listeners = slices.DeleteFunc(st.listeners, func(x *Listener) bool { return x == l })
	st.inState[Listen]--
	st.dropRequestsOf(now, l)
	for _, ep := range l.accept {
		ep.listener = nil
		if ep.state != Closed {
			ep.sendReset(now)
		}
		ep.finish(now, ECONNRESET, CauseUser)
	}
	l.accept = nil
	st.userLeave()
}

// ConnectFrom turns the listener into an active open to port of dst (RFC 9293
// section 3.10.1 and 3.10.2, OPEN or SEND in LISTEN).
func (l *Listener) ConnectFrom(dst segment.Node, port uint16, app App, o SocketOptions) (*Endpoint, error) {
	l.Close()
	o.LocalPort = l.port
	return l.st.Connect(dst, port, app, o)
}

// rcvBuf is the receive buffer of the connections of l: SO_RCVBUF, or the
// stack's.
func (l *Listener) rcvBuf() int {
	if l.sock.RcvBuf > 0 {
		return l.sock.RcvBuf
	}
	return l.st.cfg.RmemDefault
}

func (l *Listener) synQueueFull() bool {
	if l.st.cfg.BacklogPlusOne {
		return l.half > l.backlog
	}
	return l.half >= l.backlog
}

func (l *Listener) acceptQueueFull() bool {
	if l.st.cfg.BacklogPlusOne {
		return len(l.accept) > l.backlog
	}
	return len(l.accept) >= max(l.backlog, 1)
}

// arrives is RFC 9293 section 3.10.7.2. isn is the initial sequence number to
// use for the connection, 0 to choose one; a TIME-WAIT entry that gives way to
// a new SYN chooses it.
func (l *Listener) arrives(now des.Time, seg *segment.Segment, isn segment.Seq) {
	l.st.traceSegment(now, 0, 0, false, seg, CauseNone)
	switch {
	case seg.Has(segment.RST):
	case seg.Has(segment.ACK):
		if !l.cookieArrives(now, seg) {
			l.st.reset(now, seg)
		}
	case seg.Has(segment.SYN):
		if !seg.Has(segment.FIN) {
			l.syn(now, seg, isn)
		}
	}
}

// syn decides what becomes of a SYN, in the order of Linux.
func (l *Listener) syn(now des.Time, seg *segment.Segment, isn segment.Seq) {
	st, cfg := l.st, &l.st.cfg
	st.counters.SynsReceived++
	cookie := false
	if (cfg.SynCookies == 2 || l.queueFull()) && isn == 0 {
		if cfg.SynCookies == 0 {
			st.counters.TCPReqQFullDrop++
			st.counters.ListenDrops++
			return
		}
		st.counters.TCPReqQFullDoCookies++
		cookie = true
	}
	if l.acceptQueueFull() {
		st.counters.ListenOverflows++
		st.counters.ListenDrops++
		return
	}
	o := cfg.agree(seg, cfg.rcvWScaleFor(l.rcvBuf(), l.sock.RcvBuf > 0))
	if l.readsMarks() {
		o.ecnOK, o.ect = seg.Has(ecnSyn), true
	}
	if cookie && !o.tsOK {
		o.sackOK, o.wscaleOK, o.ecnOK, o.sndWScale, o.rcvWScale = false, false, false, 0, 0
	}
	key := keyOf(seg.Src, seg.SrcPort, seg.DstPort)
	if cookie {
		l.sendCookie(now, seg, key, o)
		return
	}
	if isn == 0 {
		if l.reserved(seg.Src) && !l.makesRoom() {
			st.counters.ListenDrops++
			return
		}
		isn = st.initialSeq(now, key)
	}
	st.counters.SynsQueued++
	if cfg.Handshake == TwoWay {
		l.openTwoWay(now, seg, key, o, isn)
		return
	}
	var answer segment.Cookie
	opens, answers := l.fastOpen(now, seg, &answer)
	switch {
	case opens:
		l.openFast(now, seg, key, o, isn)
	case answers:
		st.addRequest(now, l, seg, key, o, isn, &answer)
	default:
		st.addRequest(now, l, seg, key, o, isn, nil)
	}
}

// sendCookie answers a SYN without keeping anything of it.
func (l *Listener) sendCookie(now des.Time, in *segment.Segment, key connKey, o synOptions) {
	st := l.st
	l.lastCookie = now
	seg := st.blank(key, segment.SYN|segment.ACK)
	seg.Ack = in.Seq + 1
	seg.Seq, _ = st.cookies().Make(now, uint64(key), in.Seq, o.mss)
	st.cfg.offer(seg, &o, o.rcvWScale, st.offeredMSS(in.Src, l.sock.MaxSeg))
	seg.Wnd = uint16(st.cfg.initialWindow(l.rcvBuf(), seg.MSS, o.tsOK))
	if o.tsOK {
		seg.TSVal = CookieTimestamp(tsClock(now), CookieOptions{o.sndWScale, o.wscaleOK, o.sackOK, o.ecnOK}) + st.timestampOffset(in.Src)
		seg.TSEcr = in.TSVal
	}
	st.counters.SyncookiesSent++
	st.transmit(now, 0, 0, seg, CauseCookie)
}

// cookieArrives takes an ACK that may return a cookie, and reports whether it
// needs no RST.
func (l *Listener) cookieArrives(now des.Time, seg *segment.Segment) bool {
	st := l.st
	if st.cfg.SynCookies == 0 || seg.Has(segment.SYN) || now-l.lastCookie > cookieOverflowValid {
		return false
	}
	key := keyOf(seg.Src, seg.SrcPort, seg.DstPort)
	mss, ok := st.cookies().Check(now, uint64(key), seg.Seq-1, seg.Ack-1)
	if !ok {
		st.counters.SyncookiesFailed++
		return false
	}
	st.counters.SyncookiesRecv++
	o := synOptions{mss: mss}
	tsOff := st.timestampOffset(seg.Src)
	if st.cfg.Timestamps && seg.Opts&segment.OptTimestamps != 0 && seg.TSEcr != 0 {
		o.tsOK = true
		if !st.decodeCookieTimestamp(seg.TSEcr-tsOff, &o) {
			return true
		}
		if o.wscaleOK {
			o.rcvWScale = st.cfg.rcvWScaleFor(l.rcvBuf(), l.sock.RcvBuf > 0)
		}
	}
	if l.acceptQueueFull() {
		st.counters.ListenOverflows++
		st.counters.ListenDrops++
		return true
	}
	r := request{key: key, irs: seg.Seq - 1, iss: seg.Ack - 1, options: o, tsRecent: seg.TSVal, tsOffset: tsOff, created: now, untimed: true, serial: st.nextSerial(), stream: seg.Stream}
	c := st.connOf(key, r.serial)
	st.moved(now, c, Closed, Listen, CauseCookie)
	st.moved(now, c, Listen, SynReceived, CauseCookie)
	l.promote(now, &r, seg)
	return true
}

// promote makes an endpoint of a half-open connection whose handshake seg
// completes, and lets it process seg.
func (l *Listener) promote(now des.Time, r *request, seg *segment.Segment) {
	l.child(now, r).process(now, seg)
}

// child makes an endpoint in SYN-RECEIVED of a half-open connection and puts it
// into the accept queue.
func (l *Listener) child(now des.Time, r *request) *Endpoint {
	st := l.st
	ep, err := st.newEndpoint(now, r.key, l.sock.Congestion)
	if err != nil {
		panic("tcpmodel: the stack's own congestion control is unknown: " + st.cfg.Congestion)
	}
	ep.serial = r.serial
	ep.listener = l
	ep.applyOptions(l.sock)
	ep.passive(now, r)
	st.counters.PassiveOpens++
	l.accept = append(l.accept, ep)
	return ep
}

// openTwoWay is the counterfactual handshake: the connection is established
// when the SYN arrives.
func (l *Listener) openTwoWay(now des.Time, seg *segment.Segment, key connKey, o synOptions, isn segment.Seq) {
	st := l.st
	r := request{key: key, irs: seg.Seq, iss: isn, options: o, tsRecent: seg.TSVal, tsOffset: st.timestampOffset(seg.Src), created: now, untimed: true, serial: st.nextSerial(), stream: seg.Stream}
	c := st.connOf(key, r.serial)
	st.moved(now, c, Closed, Listen, CauseSegment)
	st.moved(now, c, Listen, SynReceived, CauseSegment)
	st.sendSynAck(now, l, &r, CauseSegment, nil)
	ack := *seg
	ack.Flags, ack.Seq, ack.Ack, ack.Len = segment.ACK, seg.Seq+1, isn+1, 0
	ack.TSEcr = tsClock(now) + r.tsOffset
	ack.Opts &= segment.OptTimestamps
	l.promote(now, &r, &ack)
}

// joined tells the acceptor that an established connection waits.
func (l *Listener) joined() {
	if !l.told {
		l.told = true
		l.st.acceptable = append(l.st.acceptable, l)
	}
}
