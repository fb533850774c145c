package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Conn names one connection at one host. Serial numbers the connections of a
// host from 1 in the order in which their state was created, half-open ones
// included, so that successive incarnations of a pair of ports differ.
type Conn struct {
	Local, Remote         segment.Node
	LocalPort, RemotePort uint16
	Serial                uint32
}

// Cause says why a segment was sent, a state changed or a connection ended.
type Cause uint8

// The causes.
const (
	CauseNone Cause = iota
	CauseUser
	CauseSegment
	CauseRetransmit
	CauseFastRetransmit
	CauseProbe
	CauseKeepalive
	CauseWindowUpdate
	CauseDelayedAck
	CauseChallengeAck
	CauseTimeout
	CauseReset
	CauseGiveUp
	CausePruned
	CauseOverflow
	CauseCookie
	CauseEvicted
	CauseCrash
	numCauses
)

var causeNames = [numCauses]string{
	"", "user", "segment", "retransmit", "fast-retransmit", "probe", "keepalive",
	"window-update", "delayed-ack", "challenge-ack", "timeout", "reset", "give-up",
	"pruned", "overflow", "cookie", "evicted", "crash",
}

// String returns the name of the cause, "" for none.
func (c Cause) String() string { return causeNames[c] }

// ParseCause reads what String returns.
func ParseCause(text string) (Cause, bool) {
	for i, name := range causeNames {
		if name == text {
			return Cause(i), true
		}
	}
	return CauseNone, false
}

// Tracer is told what happens at a stack. All arguments are valid during the
// call only. A stack without a Tracer pays one comparison for it.
type Tracer interface {
	// TraceState is called for every change of state of a connection.
	TraceState(now des.Time, c Conn, from, to State, why Cause)
	// TraceSegment is called for every TCP segment that the stack sends
	// (out) or takes in. c is the zero Conn where no connection fits.
	TraceSegment(now des.Time, c Conn, out bool, seg *segment.Segment, why Cause)
	// TraceEnd is called once for every connection, when it reaches CLOSED
	// or TIME-WAIT; the end of TIME-WAIT is a change of state.
	TraceEnd(now des.Time, c Conn, s *ConnStats)
}

// ConnStats is what a connection did, half-open ones included.
type ConnStats struct {
	// Passive is true for a connection that came from a listener.
	Passive bool
	// Created, Connected and Ended are when the state was created, when the
	// connection became established (des.Never if it did not) and when it
	// reached CLOSED or TIME-WAIT.
	Created, Connected, Ended des.Time
	// BytesSent counts payload the first time it was sent, BytesAcked what
	// the peer acknowledged, BytesReceived what arrived in order.
	BytesSent, BytesAcked, BytesReceived uint64
	// SegsOut and SegsIn count segments, Retransmits those sent again
	// (SYN, SYN-ACK, data or FIN).
	SegsOut, SegsIn, Retransmits uint32
	// ForeignBytes counts delivered bytes that the peer's stream does not
	// have at that place: another incarnation's or an attacker's.
	ForeignBytes uint64
	// ClosedFirst is true if the user of this end closed before the FIN of
	// the peer arrived.
	ClosedFirst bool
	// Err is why the connection failed, OK if it ended in order.
	Err Errno
	// Why is what ended it.
	Why Cause
	// SRTT is the last smoothed round-trip time, 0 if none was measured.
	SRTT des.Time
}
