package tcpmodel

import (
	"tcplab/des"
)

// SockOpt is a socket option that concerns TCP, in the units of setsockopt(2).
type SockOpt uint8

// The socket options.
const (
	// SoKeepalive: 0 or 1.
	SoKeepalive SockOpt = iota
	// SoLinger: seconds, -1 for off. 0 makes Close reset.
	SoLinger
	// SoSndbuf and SoRcvbuf: bytes, see SocketOptions.
	SoSndbuf
	SoRcvbuf
	// SoError: reads and clears the pending error.
	SoError
	// TCPNoDelay, TCPCork: 0 or 1.
	TCPNoDelay
	TCPCork
	// TCPQuickAck: 1 acknowledges at once for a while, 0 delays.
	TCPQuickAck
	// TCPKeepIdle, TCPKeepIntvl: seconds. TCPKeepCnt: a count.
	TCPKeepIdle
	TCPKeepIntvl
	TCPKeepCnt
	// TCPSynCnt: retransmissions of the SYN.
	TCPSynCnt
	// TCPLinger2: seconds in FIN-WAIT-2 after Close, 0 for the sysctl,
	// negative for none.
	TCPLinger2
	// TCPUserTimeout: milliseconds, 0 for none.
	TCPUserTimeout
	// TCPMaxSeg: bytes, reads the segment size in use.
	TCPMaxSeg
	// TCPWindowClamp: bytes.
	TCPWindowClamp
	// TCPFastOpen: how many connections of a listener may be open before their
	// handshake is complete.
	TCPFastOpen
	// TCPFastOpenConnect: 0 or 1. Connect with a cookie waits for data to send
	// with the SYN.
	TCPFastOpenConnect
	// TCPFastOpenNoCookie: 0 or 1. Fast Open without cookies.
	TCPFastOpenNoCookie
	// TCPNotsentLowat: bytes, 0 for the sysctl.
	TCPNotsentLowat
	// TCPDeferAccept: seconds, see SocketOptions.
	TCPDeferAccept
	numSockOpts
)

var sockOptNames = [numSockOpts]string{
	"SO_KEEPALIVE", "SO_LINGER", "SO_SNDBUF", "SO_RCVBUF", "SO_ERROR",
	"TCP_NODELAY", "TCP_CORK", "TCP_QUICKACK", "TCP_KEEPIDLE", "TCP_KEEPINTVL",
	"TCP_KEEPCNT", "TCP_SYNCNT", "TCP_LINGER2", "TCP_USER_TIMEOUT", "TCP_MAXSEG",
	"TCP_WINDOW_CLAMP", "TCP_FASTOPEN", "TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_NO_COOKIE",
	"TCP_NOTSENT_LOWAT", "TCP_DEFER_ACCEPT",
}

// String returns the name as in C, such as "TCP_NODELAY".
func (o SockOpt) String() string { return sockOptNames[o] }

// SockOptNamed returns the option with that C name.
func SockOptNamed(name string) (SockOpt, bool) {
	for i, n := range sockOptNames {
		if n == name {
			return SockOpt(i), true
		}
	}
	return 0, false
}

// SocketOptions are what a user sets before connecting or listening. The zero
// value means the profile's defaults.
type SocketOptions struct {
	// LocalPort is the port to bind to, 0 for an ephemeral one.
	LocalPort uint16
	// NoDelay is TCP_NODELAY: Nagle's algorithm is off. Cork is TCP_CORK:
	// only full segments leave. NoQuickAck is TCP_QUICKACK 0.
	NoDelay, Cork, NoQuickAck bool
	// Keepalive is SO_KEEPALIVE; the times are TCP_KEEPIDLE and
	// TCP_KEEPINTVL, the count TCP_KEEPCNT; 0 takes the sysctl.
	Keepalive bool
	KeepIdle  des.Time
	KeepIntvl des.Time
	KeepCnt   int
	// UserTimeout is TCP_USER_TIMEOUT, 0 for none.
	UserTimeout des.Time
	// SynCnt is TCP_SYNCNT, 0 for the sysctl.
	SynCnt int
	// LingerReset is SO_LINGER with time 0: Close resets.
	LingerReset bool
	// Linger2 is TCP_LINGER2, 0 for tcp_fin_timeout, negative for no time at
	// all.
	Linger2 des.Time
	// SndBuf is SO_SNDBUF: Linux charges twice that with the memory of packets.
	// RcvBuf is SO_RCVBUF in bytes of payload. 0 is the profile's.
	SndBuf, RcvBuf int
	// NotsentLowat is TCP_NOTSENT_LOWAT: the user may write while less than
	// that waits to be sent, 0 for tcp_notsent_lowat.
	NotsentLowat uint32
	// MaxSeg is TCP_MAXSEG and WindowClamp TCP_WINDOW_CLAMP, 0 for none.
	MaxSeg, WindowClamp int
	// FastOpenQueue is TCP_FASTOPEN of a listener, FastOpen
	// TCP_FASTOPEN_CONNECT, FastOpenNoCookie TCP_FASTOPEN_NO_COOKIE (RFC
	// 7413).
	FastOpenQueue              int
	FastOpen, FastOpenNoCookie bool
	// DeferAccept is TCP_DEFER_ACCEPT of a listener, 0 for off: a connection
	// joins the accept queue with its first data; the third segment alone is
	// ignored until as many SYN-ACKs have timed out as fit into that time.
	DeferAccept des.Time
	// Congestion is TCP_CONGESTION, "" for the profile's.
	Congestion string
	// Tag is the App's own number for the connection.
	Tag uint64
}

// Set sets one option by its C value. It returns EINVAL for a value out of
// range and for options that can only be read.
func (s *SocketOptions) Set(o SockOpt, v int64) Errno {
	if v < 0 && o != SoLinger && o != TCPLinger2 {
		return EINVAL
	}
	switch o {
	case SoKeepalive:
		s.Keepalive = v != 0
	case SoLinger:
		s.LingerReset = v == 0
	case SoSndbuf:
		s.SndBuf = int(v)
	case SoRcvbuf:
		s.RcvBuf = int(v)
	case TCPNoDelay:
		s.NoDelay = v != 0
	case TCPCork:
		s.Cork = v != 0
	case TCPQuickAck:
		s.NoQuickAck = v == 0
	case TCPKeepIdle:
		s.KeepIdle = des.Time(v) * des.Second
	case TCPKeepIntvl:
		s.KeepIntvl = des.Time(v) * des.Second
	case TCPKeepCnt:
		s.KeepCnt = int(v)
	case TCPSynCnt:
		s.SynCnt = int(v)
	case TCPLinger2:
		s.Linger2 = des.Time(v) * des.Second
	case TCPUserTimeout:
		s.UserTimeout = des.Time(v) * des.Millisecond
	case TCPMaxSeg:
		s.MaxSeg = int(v)
	case TCPWindowClamp:
		s.WindowClamp = int(v)
	case TCPNotsentLowat:
		s.NotsentLowat = uint32(v)
	case TCPDeferAccept:
		s.DeferAccept = des.Time(v) * des.Second
	case TCPFastOpen:
		s.FastOpenQueue = int(v)
	case TCPFastOpenConnect, TCPFastOpenNoCookie:
		if v > 1 {
			return EINVAL
		}
		if o == TCPFastOpenConnect {
			s.FastOpen = v != 0
		} else {
			s.FastOpenNoCookie = v != 0
		}
	default:
		return EINVAL
	}
	return OK
}

// deferTimeouts is how many SYN-ACKs of a deferred connection time out before it
// is taken without data, and deferred the time that this is: Linux counts
// timeouts of 1 s, doubled up to 2 min (secs_to_retrans), whatever initial_rto
// is.
func (s *SocketOptions) deferTimeouts() (n int) {
	if s.DeferAccept <= 0 {
		return 0
	}
	timeout, period := des.Second, des.Second
	for n = 1; s.DeferAccept > period && n < 255; n++ {
		timeout = min(2*timeout, 2*des.Minute)
		period += timeout
	}
	return n
}

func (s *SocketOptions) deferred() (period des.Time) {
	timeout := des.Second
	for range s.deferTimeouts() {
		period += timeout
		timeout = min(2*timeout, 2*des.Minute)
	}
	return period
}

func (s *SocketOptions) get(o SockOpt) int64 {
	truth := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	switch o {
	case SoKeepalive:
		return truth(s.Keepalive)
	case SoLinger:
		return truth(s.LingerReset) - 1
	case SoSndbuf:
		return int64(s.SndBuf)
	case SoRcvbuf:
		return int64(s.RcvBuf)
	case TCPNoDelay:
		return truth(s.NoDelay)
	case TCPCork:
		return truth(s.Cork)
	case TCPQuickAck:
		return truth(!s.NoQuickAck)
	case TCPKeepIdle:
		return int64(s.KeepIdle / des.Second)
	case TCPKeepIntvl:
		return int64(s.KeepIntvl / des.Second)
	case TCPKeepCnt:
		return int64(s.KeepCnt)
	case TCPSynCnt:
		return int64(s.SynCnt)
	case TCPLinger2:
		return int64(s.Linger2 / des.Second)
	case TCPUserTimeout:
		return int64(s.UserTimeout / des.Millisecond)
	case TCPWindowClamp:
		return int64(s.WindowClamp)
	case TCPNotsentLowat:
		return int64(s.NotsentLowat)
	case TCPDeferAccept:
		return int64(s.deferred() / des.Second)
	case TCPFastOpen:
		return int64(s.FastOpenQueue)
	case TCPFastOpenConnect:
		return truth(s.FastOpen)
	case TCPFastOpenNoCookie:
		return truth(s.FastOpenNoCookie)
	}
	return int64(s.MaxSeg)
}

// SetSockOpt sets an option of a live socket, with the effects that it has at
// once: no Nagle and no cork let waiting data go.
func (ep *Endpoint) SetSockOpt(o SockOpt, v int64) Errno {
	sock := ep.sock
	if err := sock.Set(o, v); err != OK {
		return err
	}
	now := ep.st.sim.Now()
	ep.st.userEnter()
	defer ep.st.userLeave()
	ep.applyOptions(sock)
	switch o {
	case SoKeepalive, TCPKeepIdle:
		if ep.state.synchronized() {
			ep.startKeepalive(now)
		}
	case TCPNoDelay, TCPCork:
		if v != 0 && o == TCPNoDelay {
			ep.pushNow = true
		}
		ep.output(now)
		ep.pushNow = false
	case TCPQuickAck:
		if v == 0 {
			ep.ack.pingpong = pingpongThreshold
		} else {
			ep.ack.pingpong = 0
			if ep.ack.scheduled && ep.state == Established || ep.ack.scheduled && ep.state == CloseWait {
				ep.sendAck(now, CauseUser)
				if v&1 == 0 {
					ep.ack.pingpong = pingpongThreshold
				}
			}
		}
	}
	return OK
}

// GetSockOpt reads an option. Reading SoError clears the error.
func (ep *Endpoint) GetSockOpt(o SockOpt) (int64, Errno) {
	switch o {
	case SoError:
		e := ep.softErr
		ep.softErr = OK
		return int64(e), OK
	case TCPMaxSeg:
		return int64(ep.mss), OK
	}
	if o >= numSockOpts {
		return 0, EINVAL
	}
	return ep.sock.get(o), OK
}

// SetSockOpt sets an option that the connections of the listener inherit.
func (l *Listener) SetSockOpt(o SockOpt, v int64) Errno { return l.sock.Set(o, v) }

// SetOptions replaces all options that the connections of the listener inherit.
func (l *Listener) SetOptions(o SocketOptions) { l.sock = o }
