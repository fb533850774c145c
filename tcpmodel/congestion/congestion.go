package congestion

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tcplab/des"
)

// Infinite is the slow-start threshold before the first loss.
const Infinite = math.MaxInt32

// Window is what a controller governs, in segments of one MSS. The sender owns
// it; a controller changes it in its methods only.
type Window struct {
	// Cwnd is the congestion window and Ssthresh the slow-start threshold
	// (RFC 5681 section 2).
	Cwnd, Ssthresh uint32
	// Clamp is the largest Cwnd.
	Clamp uint32
	// Count is the fraction of a segment by which Cwnd has grown, in units
	// that the controller chooses.
	Count uint32
	// LastSent is when the sender last sent data, 0 if never. On
	// EventRestart it still tells of the sending before the idle time. The
	// sender keeps it; controllers read it.
	LastSent des.Time
	// PacingRate is the rate in bytes per second that the sender would pace
	// at, 0 if it keeps none. The sender keeps it; controllers read it.
	PacingRate uint64
	// Paced is true if the sender really spaces its segments by PacingRate.
	Paced bool
}

// SlowStart reports whether the window is below the threshold.
func (w *Window) SlowStart() bool { return w.Cwnd < w.Ssthresh }

// GrowSlowStart adds acked segments up to the threshold and returns how many
// are left over for congestion avoidance (RFC 5681 section 3.1, with the
// appropriate byte counting of RFC 3465 without a limit, as Linux does).
func (w *Window) GrowSlowStart(acked uint32) uint32 {
	next := min(w.Cwnd+acked, w.Ssthresh)
	acked -= next - w.Cwnd
	w.Cwnd = min(next, w.Clamp)
	return acked
}

// GrowAdditive adds one segment for every per segments acknowledged.
func (w *Window) GrowAdditive(per, acked uint32) {
	if w.Count >= per {
		w.Count = 0
		w.Cwnd++
	}
	w.Count += acked
	if w.Count >= per {
		n := w.Count / per
		w.Count -= n * per
		w.Cwnd += n
	}
	w.Cwnd = min(w.Cwnd, w.Clamp)
}

// Ack is what an acknowledgement tells a controller.
type Ack struct {
	Now des.Time
	// Acked is how many segments it newly acknowledges or selectively
	// acknowledges.
	Acked uint32
	// RTT is the round-trip time that it measures, 0 if it measures none.
	RTT des.Time
	// InFlight is how many segments are in flight after it.
	InFlight uint32
	// CwndLimited is true if the window, not the application, was what held
	// the sender back. If it is false the controller takes its measurements
	// and leaves the window alone: a sender that governs the window itself
	// while it recovers from a loss passes false.
	CwndLimited bool
	// RoundStart is true for the first acknowledgement of data that was
	// sent after the last round began.
	RoundStart bool
}

// Event is something that a controller may want to know of.
type Event uint8

// The events.
const (
	// EventStart: the connection is established. It makes a controller as
	// good as new, so that one may be used again.
	EventStart Event = iota
	// EventRTO: the retransmission timer has expired. OnLoss has been called
	// before it if the time-out begins a loss episode.
	EventRTO
	// EventRecovery: fast recovery begins. OnLoss has been called before it,
	// unless the window was already being reduced because of marks.
	EventRecovery
	// EventRestart: data are about to be sent with nothing in flight.
	EventRestart
)

// Controller is a congestion control algorithm. It sees acknowledgements and
// events and moves Cwnd and Ssthresh; what is lost and what is sent again is
// the sender's business.
type Controller interface {
	// OnAck grows the window in the absence of loss.
	OnAck(w *Window, a *Ack)
	// OnLoss returns the new slow-start threshold when a loss episode
	// begins, or the reduction for marks (RFC 3168). The sender sets it.
	OnLoss(w *Window, now des.Time) uint32
	// OnUndo returns the window to go back to when a reduction turns out to
	// have been unfounded; prior is the window before it.
	OnUndo(w *Window, prior uint32) uint32
	// OnEvent tells of e.
	OnEvent(w *Window, e Event, now des.Time)
}

// MarkReader is a Controller that goes by how many segments are marked. A sender
// that has one asks for ECN and sends all its packets as capable of it, and a
// receiver that has one echoes exactly what is marked (RFC 8257 section 3.2).
// Without ECN it is Reno that the sender uses.
type MarkReader interface {
	Controller
	// OnDelivered tells that an ACK newly acknowledges or selectively
	// acknowledges so many segments, before anything else is made of it.
	// echoed: it has ECE set. ends: everything is acknowledged that had been
	// sent when this was last true.
	OnDelivered(segments uint32, echoed, ends bool)
}

// algorithms is the table of all controllers: a new one adds a line.
var algorithms = []struct {
	name string
	make func(Options) Controller
}{
	{"cubic", newCubic},
	{"dctcp", newDCTCP},
	{"reno", newReno},
	{"scalable", newScalable},
}

// Names returns the names of all algorithms, sorted.
func Names() []string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = a.name
	}
	slices.Sort(names)
	return names
}

// markReaders is the names of the algorithms that are a MarkReader.
var markReaders = slices.DeleteFunc(Names(), func(name string) bool {
	c, _ := New(name)
	_, ok := c.(MarkReader)
	return !ok
})

// ReadsMarks reports whether the algorithm of that name is a MarkReader.
func ReadsMarks(name string) bool { return slices.Contains(markReaders, name) }

// New returns a fresh controller of that name with DefaultOptions.
func New(name string) (Controller, error) { return NewWith(name, DefaultOptions()) }

// NewWith returns a fresh controller of that name. The error of an unknown name
// lists the known ones; that of a bad option says what is allowed.
func NewWith(name string, o Options) (Controller, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	for _, a := range algorithms {
		if a.name == name {
			return a.make(o), nil
		}
	}
	return nil, fmt.Errorf("unknown congestion control %q (have %s)", name, strings.Join(Names(), ", "))
}
