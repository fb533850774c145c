package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Events is a set of things that happened at a socket since the App was last
// told, as epoll reports them.
type Events uint16

// The events of a socket.
const (
	// EvConnected: the connection is established (active open).
	EvConnected Events = 1 << iota
	// EvReadable: there is something to Read, or the end of the stream.
	EvReadable
	// EvWritable: there is room in the send buffer again.
	EvWritable
	// EvPeerClosed: the FIN of the peer has arrived, in order.
	EvPeerClosed
	// EvFailed: the connection ended with an error, which Err returns.
	EvFailed
	// EvReleased: the stack has let go of the endpoint, which is CLOSED or
	// lives on as a TIME-WAIT entry. It is the last call for this
	// endpoint, whose memory is used again afterwards.
	EvReleased
)

// App is the user of an endpoint. It is called after the stack has finished
// with the segment, call or timer that caused the events, so it may call any
// method of the endpoint.
type App interface {
	HandleEvents(now des.Time, ep *Endpoint, ev Events)
}

// Acceptor is the user of a listener, told when a connection has joined the
// accept queue.
type Acceptor interface {
	HandleAcceptable(now des.Time, l *Listener)
}

// Wire takes the packets that a stack sends. seg is valid during the call only.
type Wire interface {
	Receive(now des.Time, seg *segment.Segment)
}

// SocketOptions are what a user sets before connecting. The zero value means
// the profile's defaults.
type SocketOptions struct {
	// LocalPort is the port to bind to, 0 for an ephemeral one.
	LocalPort uint16
	// NoDelay is TCP_NODELAY: Nagle's algorithm is off.
	NoDelay bool
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
	// SndBuf and RcvBuf are SO_SNDBUF and SO_RCVBUF in bytes of payload, 0
	// for the profile's.
	SndBuf, RcvBuf int
	// Congestion is TCP_CONGESTION, "" for the profile's.
	Congestion string
	// Tag is the App's own number for the connection.
	Tag uint64
}
