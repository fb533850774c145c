package tcpmodel_test

import (
	"fmt"
	"math"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// segmentSize is the payload of a segment of 1500 bytes with time stamps.
const segmentSize = 1448

func seconds(s float64) des.Time { return des.Time(math.Round(s * float64(des.Second))) }

// rig is bulk flows, each from a host to another over a path of its own round-trip
// time, through a common bottleneck if there is one.
type rig struct {
	sim    *des.Sim
	flows  []*bulkFlow
	bottle *network.Link
}

// bulkFlow is one of them. Its data pass through loss before anything else.
type bulkFlow struct {
	rig  *rig
	snd  *tcpmodel.Stack
	rcv  *sink
	ep   *tcpmodel.Endpoint
	rtt  des.Time
	loss dropper
	// watching is set if there is a bottleneck.
	watching *lossWatch
}

// dropper counts segments with data and drops those that drop says.
type dropper struct {
	next         network.Sink
	drop         func() bool
	data, losses uint64
}

func (d *dropper) Receive(now des.Time, s *segment.Segment) {
	if s.Len > 0 {
		d.data++
		if d.drop != nil && d.drop() {
			d.losses++
			return
		}
	}
	d.next.Receive(now, s)
}

// every drops each n-th data segment: the 1/p packets between losses that
// deterministic models assume.
func every(n uint64) func() bool {
	k := uint64(0)
	return func() bool {
		k++
		if k == n {
			k = 0
		}
		return k == 0
	}
}

// bernoulli drops data segments with probability p.
func bernoulli(sim *des.Sim, name string, p float64) func() bool {
	rnd := sim.Stream(name)
	return func() bool { return rnd.Float64() < p }
}

// byNode hands a segment to the sink of its destination.
type byNode []network.Sink

func (b byNode) Receive(now des.Time, s *segment.Segment) { b[s.Dst].Receive(now, s) }

// newRig returns a rig with a flow for each round-trip time; start opens them.
// The bottleneck, if any, adds its service times to the round-trip times.
func newRig(t testing.TB, seed uint64, cfg tcpmodel.Config, bottle *network.LinkConfig, rtts ...des.Time) *rig {
	t.Helper()
	r := &rig{sim: des.New(seed, 0)}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	router := make(byNode, 2*len(rtts)+2)
	if bottle != nil {
		var err error
		r.bottle, err = network.NewLink(r.sim, "bottleneck", *bottle, router)
		check(err)
	}
	for i, rtt := range rtts {
		f := &bulkFlow{rig: r, rtt: rtt}
		from, to := segment.Node(2*i+1), segment.Node(2*i+2)
		stack := func(name string, node segment.Node, out tcpmodel.Wire, tr tcpmodel.Tracer) *tcpmodel.Stack {
			st, err := tcpmodel.NewStack(tcpmodel.StackOptions{Sim: r.sim, Name: fmt.Sprint(name, i), Node: node, Config: cfg, Out: out, Tracer: tr})
			check(err)
			return st
		}
		var tracer tcpmodel.Tracer
		if bottle != nil {
			f.watching = &lossWatch{}
			tracer = f.watching
		}
		f.snd = stack("from", from, &f.loss, tracer)
		back, err := network.NewLink(r.sim, fmt.Sprint("back", i), network.LinkConfig{Delay: rtt - rtt/2}, f.snd)
		check(err)
		f.rcv = &sink{Stack: stack("to", to, back, nil)}
		forward, err := network.NewLink(r.sim, fmt.Sprint("forward", i), network.LinkConfig{Delay: rtt / 2}, f.rcv)
		check(err)
		router[to], f.loss.next = forward, forward
		if r.bottle != nil {
			f.loss.next = r.bottle
		}
		r.flows = append(r.flows, f)
	}
	return r
}

// start opens the flow at time at, which must not be before that of the last
// call.
func (f *bulkFlow) start(t testing.TB, at des.Time) {
	t.Helper()
	f.rig.sim.Run(at)
	_, err := f.rcv.Listen(5000, 1, f.rcv)
	if err == nil {
		f.ep, err = f.snd.Connect(f.rcv.Node(), 5000, bulk{}, tcpmodel.SocketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// windowFor gives both ends buffers for that many segments in flight.
func windowFor(cfg *tcpmodel.Config, segments float64) {
	bytes := int(max(segments*segmentSize, 256<<10))
	cfg.Autotune, cfg.Truesize = false, false
	cfg.WmemMax, cfg.RmemDefault, cfg.RmemMax = bytes, 2*bytes, 2*bytes
}

// profile returns the settings of a profile.
func profile(t testing.TB, name string) tcpmodel.Config {
	t.Helper()
	cfg, err := tcpmodel.Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// series is measurements of one quantity over successive parts of a run, each
// with its weight.
type series struct{ sum, weight []float64 }

func (s *series) add(sum, weight float64) {
	s.sum, s.weight = append(s.sum, sum), append(s.weight, weight)
}

// mean returns the average, and its standard error from the spread of the
// parts.
func (s *series) mean() (mean, stderr float64) {
	total, weight := 0.0, 0.0
	for i := range s.sum {
		total += s.sum[i]
		weight += s.weight[i]
	}
	mean = total / weight
	n, square := float64(len(s.sum)), 0.0
	for i := range s.sum {
		d := s.sum[i] - mean*s.weight[i]
		square += d * d
	}
	if n < 2 {
		return mean, 0
	}
	return mean, math.Sqrt(square*n/(n-1)) / weight
}

// steady is what a bulk flow does in the long run.
type steady struct {
	// goodput is in segments per round-trip time, cwnd in segments, sent in
	// segments per second. cwnd leaves out recovery, for which the models have
	// no time: there PRR sets the window by what arrives.
	goodput, cwnd, sent series
}

// maxParts is how many parts of a run give the standard error.
const maxParts = 10

// measure appends to s what the flow does until it has lost that many
// segments more.
func (f *bulkFlow) measure(s *steady, losses uint64) {
	sim := f.rig.sim
	parts := min(maxParts, losses)
	for part := range parts {
		until := f.loss.losses + (part+1)*losses/parts - part*losses/parts
		begin, bytes, data, window, samples := sim.Now(), f.rcv.bytes, f.loss.data, 0.0, 0.0
		for f.loss.losses < until {
			sim.Run(sim.Now() + f.rtt/4)
			if info := f.ep.Info(); info.CaState < caRecovery {
				window += float64(info.SndCwnd)
				samples++
			}
		}
		span := (sim.Now() - begin).Seconds()
		s.goodput.add(float64(f.rcv.bytes-bytes)/segmentSize*f.rtt.Seconds(), span)
		s.cwnd.add(window, samples)
		s.sent.add(float64(f.loss.data-data), span)
	}
}

// lossWatch notes when the sender finds losses: the window before, and when.
type lossWatch struct {
	ep     *tcpmodel.Endpoint
	before tcpmodel.Info
	sent   uint64
	events []lossEvent
}

type lossEvent struct {
	at   des.Time
	cwnd uint32
	sent uint64
}

// caRecovery is TCP_CA_Recovery in TCP_INFO.
const caRecovery = 3

func (w *lossWatch) TraceState(des.Time, tcpmodel.Conn, tcpmodel.State, tcpmodel.State, tcpmodel.Cause) {
}
func (w *lossWatch) TraceEnd(des.Time, tcpmodel.Conn, *tcpmodel.ConnStats) {}

// TraceSegment looks at the sender before each ACK is taken in.
func (w *lossWatch) TraceSegment(now des.Time, _ tcpmodel.Conn, out bool, s *segment.Segment, why tcpmodel.Cause) {
	if w.ep == nil {
		return
	}
	if !out {
		w.before = w.ep.Info()
		return
	}
	if s.Len > 0 {
		w.sent++
		if why == tcpmodel.CauseFastRetransmit && w.before.CaState < caRecovery {
			w.before.CaState = caRecovery
			w.events = append(w.events, lossEvent{now, w.before.SndCwnd, w.sent})
		}
	}
}
