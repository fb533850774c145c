package tcpmodel

import "fmt"

// State is the state of a connection (RFC 9293 section 3.3.2).
type State uint8

// The states, in the order of RFC 9293.
const (
	Closed State = iota
	Listen
	SynSent
	SynReceived
	Established
	FinWait1
	FinWait2
	CloseWait
	Closing
	LastAck
	TimeWait
	NumStates
)

var stateNames = [NumStates]string{
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
}

// String returns the name as RFC 9293 writes it, such as "SYN-SENT".
func (s State) String() string {
	if s < NumStates {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// ParseState reads what String returns.
func ParseState(text string) (State, bool) {
	for i, name := range stateNames {
		if name == text {
			return State(i), true
		}
	}
	return Closed, false
}

// transitions is RFC 9293 figure 5: bit n of an entry allows the change to
// State(n). Every state may also go to CLOSED (RST, ABORT, give-up).
var transitions = [NumStates]uint16{
	Closed:      1<<Listen | 1<<SynSent,
	Listen:      1<<SynSent | 1<<SynReceived,
	SynSent:     1<<SynReceived | 1<<Established,
	SynReceived: 1<<Established | 1<<FinWait1 | 1<<Listen,
	Established: 1<<FinWait1 | 1<<CloseWait,
	FinWait1:    1<<FinWait2 | 1<<Closing | 1<<TimeWait,
	FinWait2:    1 << TimeWait,
	CloseWait:   1 << LastAck,
	Closing:     1 << TimeWait,
	TimeWait:    1 << SynReceived,
}

func (s State) allows(to State) bool {
	return to == Closed || transitions[s]&(1<<to) != 0
}

// synchronized reports whether both ends know each other's sequence numbers
// (RFC 9293 section 3.5).
func (s State) synchronized() bool { return s >= Established }

// canReceive reports whether the peer may still send data.
func (s State) canReceive() bool {
	return s == Established || s == FinWait1 || s == FinWait2
}
