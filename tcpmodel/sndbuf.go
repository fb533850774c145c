package tcpmodel

import "math/bits"

// The send buffer. Where tcp_wmem_default is 0 and SO_SNDBUF is not set, it
// holds tcp_wmem_max bytes of the user. Else it is what Linux has: charged with
// the memory of packets, looked at when a packet is begun, not while it is
// filled, and grown with the congestion window unless SO_SNDBUF fixes it.

const (
	// minSndbuf is Linux's SOCK_MIN_SNDBUF.
	minSndbuf = 4608
	// sndbufPerPacket is what a packet takes beside its payload: a struct
	// sk_buff, the room for headers and the shared info.
	sndbufPerPacket = 1280
)

// initSndbuf sets the buffer of a new socket.
func (ep *Endpoint) initSndbuf() {
	if ep.sndBuf = ep.st.cfg.WmemMax; ep.st.cfg.WmemDefault > 0 {
		ep.sndBuf, ep.sndCharged = ep.st.cfg.WmemDefault, true
	}
}

// lockSndbuf is SO_SNDBUF.
func (ep *Endpoint) lockSndbuf(v int) {
	ep.sndBuf, ep.sndCharged, ep.sndLocked = max(2*v, minSndbuf), true, true
}

// queued is how much of the send buffer is taken.
func (ep *Endpoint) queued() int {
	n := int(ep.writeSeq - ep.sndUna)
	if ep.sndCharged && n > 0 {
		size := int(ep.sizeGoal())
		n += (n + size - 1) / size * sndbufPerPacket
	}
	return n
}

// lowat is TCP_NOTSENT_LOWAT.
func (ep *Endpoint) lowat() uint32 {
	if ep.sock.NotsentLowat > 0 {
		return ep.sock.NotsentLowat
	}
	if v := ep.st.cfg.NotsentLowat; v >= 0 {
		return uint32(v)
	}
	return ^uint32(0)
}

// sendRoom is how many bytes the next packet of the user may have.
func (ep *Endpoint) sendRoom() int {
	room := ep.sndBuf - ep.queued()
	switch {
	case room <= 0 || ep.unsent() >= ep.lowat():
		return 0
	case ep.sndCharged:
		return gsoMaxSize
	}
	return room
}

// Writable reports whether poll would call the socket writable: at least a
// third of the send buffer is free, and less than half of TCP_NOTSENT_LOWAT
// waits to be sent (Linux's sk_stream_is_writeable).
func (ep *Endpoint) Writable() bool {
	used := ep.queued()
	return ep.sndBuf-used >= used/2 && 2*uint64(ep.unsent()) < uint64(ep.lowat())
}

// growSndbuf lets the buffer hold two congestion windows (Linux's
// tcp_sndbuf_expand).
func (ep *Endpoint) growSndbuf() {
	if !ep.sndCharged || ep.sndLocked {
		return
	}
	const overhead, skBuff = 640, 256
	packet := 1<<bits.Len(uint(max(ep.mss, uint32(ep.opt.mss))+overhead-1)) + skBuff
	segs := max(10, ep.win.Cwnd, ep.reordering+1)
	ep.sndBuf = max(ep.sndBuf, min(2*int(segs)*packet, ep.st.cfg.WmemMax))
}

// checkSpace wakes a user who waits for room (Linux's tcp_check_space).
func (ep *Endpoint) checkSpace() {
	if !ep.wantWrite {
		return
	}
	if ep.inFlight() < ep.win.Cwnd {
		ep.growSndbuf()
	}
	if ep.sndCharged && ep.Writable() || !ep.sndCharged && ep.sndBuf-ep.queued() >= ep.sndBuf/3 {
		ep.wantWrite = false
		ep.chrono.stop(ep.st.sim.Now(), chronoSndbuf, ep.empty())
		ep.wakeApp(EvWritable)
	}
}
