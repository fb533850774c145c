package measure

import (
	"math"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Flow chooses a connection of a workload whose sender is looked at closely.
type Flow struct {
	// Name is the owner of its series: NAME.cwnd.
	Name string
	// Workload opens the connection, as its number Index from 0. Its sender is
	// the end that Opened or Asked says.
	Workload string
	Index    int
	// Courses has the series of FlowQuantities kept, with a point for each
	// interval; EachACK has one for each ACK and each retransmission instead,
	// MaxFlowPoints at most.
	Courses, EachACK bool
	// Segments has what happened to its sequence numbers kept, MaxFlowEvents
	// at most.
	Segments bool
}

// Bounds of what is kept of one flow.
const (
	MaxFlowPoints = 200_000
	MaxFlowEvents = 200_000
)

// OfFlow is the kind of owner of FlowQuantities.
const OfFlow = "connection"

var flowQuantities = []Quantity{
	{Of: OfFlow, Name: "cwnd", SeriesUnit: "packets", Label: "cwnd", Doc: "Congestion window of the sender in segments."},
	{Of: OfFlow, Name: "ssthresh", SeriesUnit: "packets", Label: "ssthresh", Doc: "Slow start threshold in segments, no value until one is set."},
	{Of: OfFlow, Name: "inflight", SeriesUnit: "packets", Label: "in flight", Doc: "Segments sent and neither acknowledged, selectively acknowledged nor taken for lost."},
	{Of: OfFlow, Name: "srtt", SeriesUnit: "s", Label: "SRTT", Doc: "Smoothed round-trip time."},
	{Of: OfFlow, Name: "rto", SeriesUnit: "s", Label: "RTO", Doc: "Retransmission timeout."},
}

// FlowQuantities returns the series that there are of a chosen connection.
func FlowQuantities() []Quantity { return append([]Quantity(nil), flowQuantities...) }

// InfiniteThreshold is the ssthresh of a connection that has set none
// (TCP_INFINITE_SSTHRESH of Linux).
const InfiniteThreshold = 0x7fffffff

// flow is a chosen connection.
type flow struct {
	Flow
	until, interval des.Time
	// ep is the sender, nil before it is opened and after it is gone.
	ep     *tcpmodel.Endpoint
	serial uint32
	// stream is that of the other end, if the sender is what accepts it.
	stream uint32
	asked  bool

	times   []float64 // with EachACK
	courses [][]float64
	// pending is when an ACK came whose effect has not been read.
	pending des.Time
	waiting bool

	sequence Sequence
	tracker  tracker
}

// flowTable is the chosen connections.
type flowTable struct {
	all      []*flow
	segments bool
}

// choose prepares a flow.
func (r *Recorder) choose(f Flow) {
	w := &flow{Flow: f, until: r.options.Until, interval: r.options.Interval, courses: make([][]float64, len(flowQuantities))}
	w.sequence.Name = f.Name
	r.flows.all = append(r.flows.all, w)
	r.flows.segments = r.flows.segments || f.Segments
	if f.Courses && !f.EachACK {
		r.probes = append(r.probes, w)
	}
}

// Opened says that a workload of the host has opened its connection number
// index, so that it is looked at if it was chosen.
func (h *Host) Opened(now des.Time, workload string, index int, ep *tcpmodel.Endpoint) {
	for _, f := range h.r.flows.all {
		if f.Workload != workload || f.Index != index {
			continue
		}
		f.ep, f.serial = ep, ep.Conn().Serial
		h.flows = append(h.flows, f)
		if f.Segments {
			f.begin(h.node, ep.Conn())
			if h.lastSYNOf == f.serial {
				f.segment(now, true, &h.lastSYN)
			}
		}
		f.read(now)
	}
}

// Asked is Opened for a connection whose other end sends more: that one is looked
// at from when a workload accepts it.
func (h *Host) Asked(workload string, index int, ep *tcpmodel.Endpoint) {
	for _, f := range h.r.flows.all {
		if f.Workload == workload && f.Index == index {
			f.stream, _, _ = ep.Streams()
			f.asked = true
		}
	}
}

// Accepted says that a workload of the host has accepted a connection.
func (h *Host) Accepted(now des.Time, ep *tcpmodel.Endpoint) {
	if len(h.r.flows.all) == 0 {
		return
	}
	_, in, known := ep.Streams()
	for _, f := range h.r.flows.all {
		if known && f.asked && f.stream == in {
			f.asked, f.ep, f.serial = false, ep, ep.Conn().Serial
			h.flows = append(h.flows, f)
			f.read(now)
		}
	}
}

// Released is Snapshot of a connection whose endpoint is about to be given
// back.
func (h *Host) Released(c tcpmodel.Conn, s *tcpmodel.ConnStats) {
	h.Snapshot(c, s)
	for _, f := range h.flows {
		if f.serial == c.Serial {
			f.flush()
			f.ep = nil
		}
	}
}

// observe notes a segment of the flows of the host.
func (h *Host) observe(now des.Time, serial uint32, out bool, seg *segment.Segment) {
	if out && seg.Flags&segment.SYN != 0 {
		h.lastSYN, h.lastSYNOf = *seg, serial
	}
	for _, f := range h.flows {
		if f.serial != serial {
			continue
		}
		if f.Segments {
			f.segment(now, out, seg)
		}
		if out {
			f.read(now)
		} else {
			f.flush()
			f.pending, f.waiting = now, true
		}
	}
}

// values reads the sender; NaN is no value.
func (f *flow) values() [5]float64 {
	i := f.ep.Info()
	v := [5]float64{float64(i.SndCwnd), float64(i.SndSsthresh), float64(i.Unacked - i.Sacked - i.Lost + i.Retrans),
		float64(i.RTT) / 1e6, float64(i.RTO) / 1e6}
	if i.SndSsthresh >= InfiniteThreshold {
		v[1] = math.NaN()
	}
	if i.RTT == 0 {
		v[3] = math.NaN()
	}
	return v
}

// sample implements probe: a point at each instant of the grid.
func (f *flow) sample(_ int, now des.Time) {
	if now%f.interval != 0 && now != f.until {
		return
	}
	if f.ep == nil {
		for k := range f.courses {
			f.courses[k] = append(f.courses[k], math.NaN())
		}
		return
	}
	for k, v := range f.values() {
		f.courses[k] = append(f.courses[k], v)
	}
}

// flush reads what the last ACK brought about, before anything else happens.
func (f *flow) flush() {
	if f.waiting {
		f.read(f.pending)
	}
}

// read adds a point for each ACK. What is read again at an instant replaces
// what was there.
func (f *flow) read(now des.Time) {
	f.waiting = false
	if !f.EachACK || f.ep == nil {
		return
	}
	at := now.Seconds()
	n := len(f.times)
	if n > 0 && f.times[n-1] == at {
		n--
	} else if n == MaxFlowPoints {
		return
	} else {
		f.times = append(f.times, at)
	}
	for k, v := range f.values() {
		f.courses[k] = append(f.courses[k][:n], v)
	}
}

// flowSeries returns the series of the flows with a point for each interval,
// or those with one for each ACK.
func (r *Recorder) flowSeries(eachACK bool) []Series {
	var out []Series
	for _, f := range r.flows.all {
		if !f.Courses || f.EachACK != eachACK {
			continue
		}
		for k, q := range flowQuantities {
			s := Series{Name: f.Name + "." + q.Name, Unit: q.SeriesUnit, Label: q.Label, Step: eachACK, Value: f.courses[k]}
			if eachACK {
				s.Time = f.times
			} else {
				for _, t := range r.grid[:len(s.Value)] {
					s.Time = append(s.Time, t.Seconds())
				}
			}
			out = append(out, s)
		}
	}
	return out
}

// ACKSeries returns the series of flows that were chosen with EachACK. They are
// no part of the Result, since those of two replications have no times in
// common. Call it after Finish.
func (r *Recorder) ACKSeries() []Series { return r.flowSeries(true) }
