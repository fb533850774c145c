package plots

import (
	"fmt"
	"math"

	"tcplab/scenarios/measure"
)

// Data is what figures are drawn from. Each kind of figure reads one part; the
// others may be empty.
type Data struct {
	// Result is what one run measured: for most kinds.
	Result *measure.Result
	// Replications are the results of equal runs with different random numbers.
	// If there are two or more, a timeseries shows the mean over them with its
	// 95 % confidence interval.
	Replications []*measure.Result
	// Sweep is what the points of a sweep measured: for lines and heatmap.
	Sweep *Sweep
	// Sequences are connections segment by segment: for sequence.
	Sequences []Sequence
	// Lifetimes are the states of connections: for gantt and occupancy.
	Lifetimes []Lifetime
}

// Sweep is the table of a sweep: parameters that vary, metrics, and a row for
// each point.
type Sweep struct {
	Params  []Column
	Metrics []Column
	Points  []Point
	// Constants are parameters with one value at all points, in base units,
	// for theory to name.
	Constants map[string]float64
}

// Column is a parameter or a metric of a sweep.
type Column struct {
	// Name is that of the scenario: "flood_rate", "legit.connect_success".
	Name string
	// Unit is that of the values: one of the units of a measure.Metric, or ""
	// for a plain number or a word.
	Unit string
	// Label names it in a figure; empty means the name.
	Label string
}

// Point is one point of a sweep.
type Point struct {
	// Params are the values of the parameters, in the order of Sweep.Params.
	Params []Value
	// Metrics are what the replications measured, in the order of
	// Sweep.Metrics.
	Metrics []Estimate
}

// Value is the value of a parameter.
type Value struct {
	// Text is the value as the scenario has it: "20/s", "cubic".
	Text string
	// Number is the value in the unit of the column: 20; NaN if it is a word.
	Number float64
}

// Estimate is a mean with its 95 % confidence interval. Mean is NaN if there is
// no value; Low and High are NaN if there is no interval.
type Estimate struct {
	Mean, Low, High float64
	// N is how many values there are.
	N int
}

// NewEstimate is the mean of independent values with the interval of Student's
// distribution. A NaN is no value.
func NewEstimate(values []float64) Estimate {
	e := Estimate{Mean: math.NaN(), Low: math.NaN(), High: math.NaN()}
	sum := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			e.N++
		}
	}
	if e.N == 0 {
		return e
	}
	n := float64(e.N)
	e.Mean = sum / n
	if e.N < 2 {
		return e
	}
	squares := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			squares += float64((v - e.Mean) * (v - e.Mean))
		}
	}
	half := float64(measure.StudentT(e.N-1) * math.Sqrt(squares/(n-1)/n))
	e.Low, e.High = e.Mean-half, e.Mean+half
	return e
}

// Lifetime is the states that one connection went through at one end.
type Lifetime struct {
	// Name is what the row of a gantt is called: "client:49152".
	Name string
	// States are in order of time and do not overlap.
	States []StateSpan
}

// StateSpan is a stretch of time in a state.
type StateSpan struct {
	// State is named as RFC 9293 does: "SYN-SENT". Other names are allowed.
	State string
	// From and Until are in seconds; Until is +Inf if the state was never left.
	From, Until float64
}

// Sequence is a connection segment by segment as its sender sees it, in one
// direction.
type Sequence struct {
	// Name is what figures name in their Series.
	Name   string
	Events []SequenceEvent
}

// SequenceEvent is something that happened to sequence numbers. These count
// bytes from the first one, the SYN's, so that they do not wrap.
type SequenceEvent struct {
	// Time is in seconds.
	Time float64
	Kind SequenceKind
	// From and To are the sequence numbers that it concerns: of a segment or a
	// SACK block the first, and the one after the last. An acknowledgment and
	// a window edge have one number, To.
	From, To int64
}

// SequenceKind says what a SequenceEvent is.
type SequenceKind uint8

// The kinds of SequenceEvent.
const (
	// SegmentSent is a segment with data, SYN or FIN that was sent first.
	SegmentSent SequenceKind = iota
	// SegmentResent was sent again, as a whole or in part.
	SegmentResent
	// SegmentLost is a sent segment that did not arrive, if that is known.
	SegmentLost
	// AckArrived acknowledges all before To.
	AckArrived
	// SackArrived is a block of a selective acknowledgment.
	SackArrived
	// WindowEdge: To is the end of the window that the receiver offers, the
	// acknowledgment number plus the scaled window.
	WindowEdge
)

// column finds a column by name.
func column(columns []Column, what, name string) (int, error) {
	var names []string
	for i, c := range columns {
		if c.Name == name {
			return i, nil
		}
		names = append(names, c.Name)
	}
	return 0, unknown(what, name, names)
}

func (c *Column) label() string {
	if c.Label != "" {
		return c.Label
	}
	return nameLabel(c.Name)
}

// validate checks that all points have all columns.
func (s *Sweep) validate() error {
	if s == nil || len(s.Points) == 0 {
		return fmt.Errorf("%w: there is no point of a sweep", ErrNoData)
	}
	for i, p := range s.Points {
		if len(p.Params) != len(s.Params) || len(p.Metrics) != len(s.Metrics) {
			return fmt.Errorf("point %d of the sweep has %d parameters and %d metrics, want %d and %d",
				i, len(p.Params), len(p.Metrics), len(s.Params), len(s.Metrics))
		}
	}
	return nil
}
