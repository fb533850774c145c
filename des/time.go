package des

import (
	"math"
	"time"
)

// Time is an instant of simulated time in nanoseconds since the start of the
// simulation, and also the length of a span between two instants. It covers
// 292 years.
type Time int64

// Never is the instant that does not come: the deadline of a timer that is not
// armed.
const Never Time = math.MaxInt64

// Spans of simulated time.
const (
	Nanosecond  Time = 1
	Microsecond      = 1000 * Nanosecond
	Millisecond      = 1000 * Microsecond
	Second           = 1000 * Millisecond
	Minute           = 60 * Second
	Hour             = 60 * Minute
)

// Seconds returns t in seconds. It is for output: nothing in a simulation may
// depend on the result.
func (t Time) Seconds() float64 { return float64(t) / float64(Second) }

// String returns t in the form of time.Duration, such as "1.5s".
func (t Time) String() string {
	if t == Never {
		return "never"
	}
	return time.Duration(t).String()
}
