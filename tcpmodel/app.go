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
