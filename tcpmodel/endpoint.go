package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Endpoint is one end of a connection in any state but LISTEN: the
// transmission control block of RFC 9293 section 3.3.1. Its parts live in
// files of their own: sender.go (SND.*), receiver.go (RCV.*), arrives.go (the
// state machine), timers.go.
type Endpoint struct {
	st    *Stack
	app   App
	tag   uint64
	key   connKey
	state State

	sender
	receiver
	timers

	events Events
	// listener is set until the user accepts a passive connection.
	listener    *Listener
	opt         synOptions
	passiveOpen bool
	// closed: the user has closed and reads no more.
	closed bool
	// orphan: the connection counts against tcp_max_orphans.
	orphan bool
	// released: the App is being told, or was, that the endpoint is gone.
	released bool
	err      Errno
	// softErr is what SO_ERROR reports: err until it is read.
	softErr Errno
	// pushNow lets a small segment go once, whatever Nagle says; more keeps
	// one once.
	pushNow   bool
	more      bool
	index     uint32
	serial    uint32
	stream    uint32
	tsRecent  uint32
	tsOffset  uint32
	lastReply des.Time
	// tsRecentAt is when tsRecent was taken, for the 24 days of RFC 7323
	// section 5.5.
	tsRecentAt des.Time

	sock  SocketOptions
	stats ConnStats
	fast  fastOpen
}

// newEndpoint takes an endpoint from the pool for connection key. Its
// controller is that named, or the stack's.
func (st *Stack) newEndpoint(now des.Time, key connKey, control string) (*Endpoint, error) {
	if control == "" {
		control = st.cfg.Congestion
	}
	cc, err := st.cfg.controller(control)
	if err != nil {
		return nil, err
	}
	var ep *Endpoint
	if n := len(st.pool); n > 0 {
		ep = st.pool[n-1]
		st.pool = st.pool[:n-1]
	} else {
		ep = new(Endpoint)
	}
	rtx, ooo, marks, records := ep.rtx.ring, ep.ooo[:0], ep.push[:0], ep.records[:0]
	*ep = Endpoint{st: st, key: key, serial: 0, lastReply: never}
	ep.rtx.ring, ep.ooo, ep.push, ep.records = rtx, ooo, marks, records
	ep.setController(cc)
	if n := len(st.freeIndex); n > 0 {
		ep.index = st.freeIndex[n-1]
		st.freeIndex = st.freeIndex[:n-1]
		st.endpoints[ep.index] = ep
	} else {
		ep.index = uint32(len(st.endpoints))
		st.endpoints = append(st.endpoints, ep)
	}
	st.conns.put(key, refEndpoint|ref(ep.index))
	ep.tsOffset = st.timestampOffset(key.remote())
	ep.stats.Created, ep.stats.Connected = now, des.Never
	ep.initTimers()
	ep.initReceiver()
	ep.initSender()
	return ep, nil
}

// open is the active OPEN (RFC 9293 section 3.10.1).
func (ep *Endpoint) open(now des.Time, isn segment.Seq) {
	ep.serial = ep.st.nextSerial()
	ep.newStream()
	ep.setISS(isn)
	ep.rcvWnd = ep.st.cfg.initialWindow(ep.rcvBuf, ep.offeredMSS(), false)
	ep.setState(now, SynSent, CauseUser)
	if !ep.startFastOpen() {
		ep.sendSyn(now, 0)
	}
}

// passive takes over the half-open connection r, in SYN-RECEIVED.
func (ep *Endpoint) passive(now des.Time, r *request) {
	ep.newStream()
	ep.passiveOpen, ep.stats.Passive = true, true
	ep.stats.Created = r.created
	ep.stats.SegsIn, ep.stats.SegsOut = 1, uint32(1+r.retransmits)
	ep.stats.Retransmits = uint32(r.retransmits)
	ep.peerKnown, ep.peerStream = r.stream != 0, r.stream
	ep.opt = r.options
	ep.ecn.ok = r.options.ecnOK
	ep.tsOffset, ep.tsRecent, ep.tsRecentAt = r.tsOffset, r.tsRecent, now
	ep.setISS(r.iss)
	ep.sndNxt = r.iss + 1
	ep.writeSeq = ep.sndNxt
	ep.irs, ep.rcvNxt = r.irs, r.irs+1
	ep.rcvWup, ep.copiedSeq = ep.rcvNxt, ep.rcvNxt
	ep.rcvWnd = ep.st.cfg.initialWindow(ep.rcvBuf, ep.offeredMSS(), r.options.tsOK)
	ep.synRetransmits = r.retransmits
	ep.synSentAt = r.created
	if r.untimed {
		ep.synSentAt = never
	}
	ep.state = SynReceived
	ep.setMSS()
}

func (ep *Endpoint) newStream() {
	ep.stream = uint32(ep.st.keyed(keyStream, uint64(ep.st.node), uint64(ep.serial))) % segment.StreamArena
}

// Conn returns the name of the connection.
func (ep *Endpoint) Conn() Conn { return ep.st.connOf(ep.key, ep.serial) }

// Streams returns the numbers of the streams that the connection sends and
// receives; ok is false if nothing has arrived that shows the latter.
func (ep *Endpoint) Streams() (out, in uint32, ok bool) {
	return ep.stream, ep.peerStream, ep.peerKnown
}

// State returns the state of the connection.
func (ep *Endpoint) State() State { return ep.state }

// Err returns why the connection failed, OK if it did not.
func (ep *Endpoint) Err() Errno { return ep.err }

// Tag returns the App's own number.
func (ep *Endpoint) Tag() uint64 { return ep.tag }

// SetApp sets who is told of events, for an accepted connection.
func (ep *Endpoint) SetApp(app App, tag uint64) { ep.app, ep.tag = app, tag }

// Stats returns what the connection has done so far.
func (ep *Endpoint) Stats() *ConnStats {
	ep.stats.SRTT = ep.rtt.smoothed()
	ep.stats.BytesAcked = ep.bytesAcked()
	return &ep.stats
}

// SetOptions changes the options of a live socket.
func (ep *Endpoint) SetOptions(o SocketOptions) {
	ep.st.userEnter()
	ep.applyOptions(o)
	if ep.state.synchronized() {
		ep.startKeepalive(ep.st.sim.Now())
		ep.output(ep.st.sim.Now())
	}
	ep.st.userLeave()
}

func (ep *Endpoint) applyOptions(o SocketOptions) {
	ep.sock = o
	if o.SndBuf > 0 {
		ep.lockSndbuf(o.SndBuf)
	}
	if o.WindowClamp > 0 {
		ep.rcvSsthresh = min(ep.rcvSsthresh, uint32(o.WindowClamp))
	}
	if o.RcvBuf > 0 {
		ep.rcvBuf, ep.rcvBufLocked = o.RcvBuf, true
		ep.rcvSsthresh = uint32(ep.space())
	}
}

// Read takes up to max bytes of what has arrived in order and returns how
// many; 0 means that there is nothing now, or the end of the stream, which EOF
// tells (RFC 9293 section 3.10.3).
func (ep *Endpoint) Read(max int) int {
	n := min(max, ep.readable)
	if n == 0 {
		return 0
	}
	ep.st.userEnter()
	ep.consume(ep.st.sim.Now(), n)
	ep.st.userLeave()
	return n
}

// Readable returns how many bytes Read can take.
func (ep *Endpoint) Readable() int { return ep.readable }

// EOF reports whether the stream of the peer has ended and all of it was read.
func (ep *Endpoint) EOF() bool { return ep.eof() && ep.readable == 0 }

// Shutdown closes the direction of sending alone: a FIN follows what was
// written (SHUT_WR, half-close).
func (ep *Endpoint) Shutdown() {
	ep.st.userEnter()
	ep.queueFIN(ep.st.sim.Now())
	ep.st.userLeave()
}

// Close ends the use of the endpoint (RFC 9293 section 3.10.4): what was
// written is still sent, then a FIN. With unread data it resets the connection
// instead, so that the peer knows of the loss (RFC 2525 section 2.17). The
// App hears EvReleased when the stack has let go of the endpoint.
func (ep *Endpoint) Close() {
	if ep.closed {
		return
	}
	st, now := ep.st, ep.st.sim.Now()
	st.userEnter()
	defer st.userLeave()
	ep.closed = true
	switch {
	case ep.state == Closed:
		ep.release()
	case ep.state == SynSent:
		ep.finish(now, OK, CauseUser)
	case ep.sock.LingerReset:
		st.counters.TCPAbortOnData++
		ep.sendReset(now)
		ep.finish(now, OK, CauseUser)
	case ep.readable > 0:
		st.counters.TCPAbortOnClose++
		ep.sendReset(now)
		ep.finish(now, OK, CauseUser)
	default:
		ep.queueFIN(now)
		if ep.state == FinWait2 {
			ep.startFinTimeout(now)
		} else {
			ep.becomeOrphan(now)
		}
	}
}

// Abort resets the connection (RFC 9293 section 3.10.5; close with SO_LINGER
// 0).
func (ep *Endpoint) Abort() {
	if ep.closed && ep.state == Closed {
		return
	}
	st, now := ep.st, ep.st.sim.Now()
	st.userEnter()
	defer st.userLeave()
	ep.closed = true
	if ep.state == Closed {
		ep.release()
		return
	}
	if ep.state != SynSent {
		st.counters.TCPAbortOnData++
		ep.sendReset(now)
	}
	ep.finish(now, OK, CauseUser)
}

// queueFIN is the user's CLOSE of its direction.
func (ep *Endpoint) queueFIN(now des.Time) {
	if ep.finQueued {
		return
	}
	switch ep.state {
	case SynReceived:
		ep.stats.ClosedFirst = true
		ep.finQueued = true
		if ep.unsent() > 0 && !ep.fast.pending {
			// RFC 9293 section 3.10.4: the FIN waits for ESTABLISHED.
			return
		}
		// Room for the FIN beside our SYN.
		ep.win.Cwnd = max(ep.win.Cwnd, 2)
		ep.setState(now, FinWait1, CauseUser)
	case Established:
		ep.stats.ClosedFirst = true
		ep.finQueued = true
		ep.setState(now, FinWait1, CauseUser)
	case CloseWait:
		ep.finQueued = true
		ep.setState(now, LastAck, CauseUser)
	default:
		return
	}
	ep.output(now)
}

// setState is the only writer of the state of an endpoint.
func (ep *Endpoint) setState(now des.Time, to State, why Cause) {
	from := ep.state
	ep.state = to
	ep.st.moved(now, ep.Conn(), from, to, why)
}

// established is reached by every connection whose handshake is complete.
func (ep *Endpoint) established(now des.Time) {
	ep.setState(now, Established, CauseSegment)
	ep.opened(now)
}

// opened prepares for what follows the handshake.
func (ep *Endpoint) opened(now des.Time) {
	ep.stats.Connected = now
	ep.startTransfer(now)
	ep.startKeepalive(now)
	if ep.listener != nil {
		ep.listener.joined()
	} else {
		ep.wakeApp(EvConnected)
	}
}

// finish ends the connection: it goes to CLOSED and the App is told.
func (ep *Endpoint) finish(now des.Time, err Errno, why Cause) {
	if ep.state == Closed {
		return
	}
	st := ep.st
	ep.end(now, err, why)
	ep.setState(now, Closed, why)
	st.conns.remove(ep.key)
	ep.leaveTables()
}

// enterTimeWait moves the connection into the TIME-WAIT table and lets go of
// the endpoint.
func (ep *Endpoint) enterTimeWait(now des.Time) {
	st := ep.st
	ep.setState(now, TimeWait, CauseSegment)
	ep.end(now, OK, CauseSegment)
	if !st.addTimeWait(now, ep) {
		st.conns.remove(ep.key)
		st.moved(now, ep.Conn(), TimeWait, Closed, CauseTimeout)
	}
	ep.state = Closed
	ep.leaveTables()
}

// end records the end of the connection.
func (ep *Endpoint) end(now des.Time, err Errno, why Cause) {
	st := ep.st
	ep.leaveFastOpen(now, false)
	ep.err, ep.softErr = err, err
	ep.stats.Err, ep.stats.Why, ep.stats.Ended = err, why, now
	if ep.rtt.samples > 0 && !st.cfg.NoMetricsSave {
		st.proven.add(ep.key.remote())
	}
	ep.stopTimers()
	if st.tracer != nil {
		st.tracer.TraceEnd(now, ep.Conn(), ep.Stats())
	}
	if err != OK {
		ep.wakeApp(EvFailed)
	}
}

func (ep *Endpoint) leaveTables() {
	st := ep.st
	ep.leaveOrphans()
	st.endpoints[ep.index] = nil
	st.freeIndex = append(st.freeIndex, ep.index)
	ep.st.sim.Release(ep.timer)
	if ep.closed || ep.err != OK {
		ep.release()
	} else {
		ep.wakeApp(EvReadable)
	}
}

// release tells the App that the endpoint is gone. A connection that nobody
// has accepted yet waits for that.
func (ep *Endpoint) release() {
	if ep.listener == nil && !ep.released {
		ep.released = true
		ep.wakeApp(EvReleased)
	}
}

// recycle puts the endpoint back into the pool.
func (st *Stack) recycle(ep *Endpoint) {
	ep.app, ep.cc, ep.ecn.reader = nil, nil, nil
	st.pool = append(st.pool, ep)
}

func (ep *Endpoint) wakeApp(ev Events) {
	if ep.events == 0 {
		ep.st.woken = append(ep.st.woken, ep)
	}
	ep.events |= ev
}

// sendReset sends RST,ACK at SND.NXT.
func (ep *Endpoint) sendReset(now des.Time) {
	seg := ep.blank(segment.RST | segment.ACK)
	ep.transmit(now, seg, CauseReset)
}
