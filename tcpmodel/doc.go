// Package tcpmodel is the TCP of one host, without input or output of its own:
// segments come in through Stack.Receive, leave through a Wire, and time comes
// from a des.Sim. The same calls give the same segments.
//
// # Where things are
//
// RFC 9293 section 3.10.7, SEGMENT ARRIVES, is spread over four places, since
// what exists by the million has to be small:
//
//	CLOSED                    Stack.reset                 stack.go
//	LISTEN                    Listener.arrives            listener.go
//	SYN-RECEIVED, passive     Stack.requestArrives        synreceived.go
//	TIME-WAIT                 Stack.timeWaitArrives       timewait.go
//	SYN-SENT and all others   Endpoint.arrive             arrives.go
//
// A half-open connection is a request of 72 bytes, one in TIME-WAIT a timeWait
// of 64, both without pointers; neither has an engine timer of its own, since
// all that wait equally long expire in the order in which they began to
// (expiryQueue). Both report the same changes of state to a Tracer as a full
// Endpoint does. The endpoint itself is divided as its duties are:
//
//	arrives.go    the state machine, one method per step of the RFC
//	endpoint.go   the user's calls: OPEN, SEND, RECEIVE, CLOSE, ABORT
//	sender.go     SND.*, what to send and when; transmit.go makes the segments
//	ack.go        what an acknowledgement says; sack.go the scoreboard
//	recovery.go   the state machine of loss recovery, PRR; undo.go its undoing
//	rack.go       RACK and tail loss probes
//	receiver.go   RCV.*, reassembly, the window; ackpolicy.go when to acknowledge
//	timers.go     every timer; rtt.go the round-trip time and the timeout
//	eviction.go   whose half-open entry gives way; the SYN cache
//	pacing.go     the pacing rate and its timer; burst.go segmentation offload
//	limits.go     of a host: orphans, challenge ACKs
//	ecn.go, cookie.go, isn.go, ports.go, options.go, demux.go
//
// Congestion control is package congestion: it moves cwnd and ssthresh, and
// knows nothing of recovery.
//
// # Profiles
//
// A Config is a profile and what overrides it. The profile linux follows Linux
// 6.18 where Linux and the RFCs differ; rfc9293 and textbook are the same code
// with other settings. Where behaviour, not a number, differs, a knob says so:
// ack_policy, rto_estimator, retry_budget, backlog_plus_one, syn_prune and
// others (Knobs lists all, with unit and source).
//
// # Decisions
//
// The congestion window counts segments, as Linux's does and the RFCs permit.
// Payload is a length and a place in a numbered stream (package segment), so a
// receiver notices bytes of another connection (ConnStats.ForeignBytes).
//
// An App is called after the stack has finished with what it is doing, never
// from inside the App's own call: events that a call causes are told in the same
// instant by the engine. So an App needs no care about re-entry, and may close,
// write or connect at any time.
//
// An endpoint has one engine timer for all its deadlines, armed for the
// earliest; a deadline that moves later costs a store. Steady state allocates
// nothing: endpoints are pooled, tables and rings only grow.
//
// # Conformance
//
// Package requirements lists the numbered requirements of RFC 9293 with the
// tests that show them, or why they are deviated from (tcplab profiles
// --rfc9293).
//
// # What is not modelled
//
// Urgent data, the IP layer below (fragmentation, TTL, source routes), checksum
// offload and segmentation offload as such. Timers are exact unless
// timer_wheel_hz rounds them up as Linux does.
package tcpmodel
