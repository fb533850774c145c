package scenarios

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tcplab/des"
	"tcplab/scenarios/capture"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// Capture says what of a run is written as a pcapng file: what the first
// replication's hosts send and take in. Lost and dropped packets, causes of
// retransmissions and changes of state are comments of packets.
type Capture struct {
	// Out takes the file.
	Out io.Writer
	// Hosts are the vantage points, each an interface of the capture, in
	// this order. Without any it is DefaultVantage.
	Hosts []string
	// Tool names the program in the file, such as "tcplab 0.3".
	Tool string
}

// DefaultVantage returns the host at which a capture is taken if none is named:
// that of the first workload of kind server or, without one, the first host.
func DefaultVantage(sc *spec.Scenario) string {
	for i := range sc.Workloads {
		if sc.Workloads[i].Kind == "server" {
			return sc.MembersOf(string(sc.Workloads[i].On))[0]
		}
	}
	return sc.Hosts[0].Members()[0]
}

// Vantage returns the hosts of a capture of a scenario: those that are named or
// the default. An error says which is no host.
func Vantage(sc *spec.Scenario, hosts []string) ([]string, error) {
	if len(hosts) == 0 {
		return []string{DefaultVantage(sc)}, nil
	}
	have := sc.HostNames()
	for i, name := range hosts {
		switch {
		case slices.Contains(sc.Routers, name):
			return nil, fmt.Errorf("%s is a router; packets are captured at hosts (have %s)", name, strings.Join(have, ", "))
		case !slices.Contains(have, name):
			return nil, fmt.Errorf("no host %q (have %s)", name, strings.Join(have, ", "))
		case slices.Contains(hosts[:i], name):
			return nil, fmt.Errorf("host %s is named twice", name)
		}
	}
	return hosts, nil
}

// capturing is a capture in the making.
type capturing struct {
	writer *capture.Writer
	points []vantage
}

// newCapturing begins the file. Nodes and addresses must be complete.
func (b *builder) newCapturing(c *Capture) (*capturing, error) {
	hosts, err := Vantage(b.sc, c.Hosts)
	if err != nil {
		return nil, err
	}
	o := capture.WriterOptions{Tool: c.Tool, Comment: fmt.Sprintf("scenario %s, seed %d", b.sc.Name, b.sc.Seed)}
	for _, name := range b.sc.HostNames() {
		o.Names = append(o.Names, capture.HostName{Addr: b.addresses.Addr(b.nodes[name]), Name: name})
	}
	var interfaces []capture.Interface
	for _, name := range hosts {
		interfaces = append(interfaces, capture.Interface{Name: name})
	}
	out := &capturing{}
	if out.writer, err = capture.NewWriter(c.Out, &b.addresses, interfaces, o); err != nil {
		return nil, err
	}
	for i, name := range hosts {
		out.points = append(out.points, vantage{w: out.writer, iface: i, node: b.nodes[name]})
	}
	for _, l := range b.links {
		l.AddTap(&fate{capture: out, recorder: b.recorder, link: l.Name()})
	}
	return out, nil
}

// tracer returns what the stack of a node is to be told, record or both.
func (c *capturing) tracer(node segment.Node, record tcpmodel.Tracer) tcpmodel.Tracer {
	if c == nil {
		return record
	}
	for i := range c.points {
		if c.points[i].node == node {
			return &bothTracers{record, &c.points[i]}
		}
	}
	return record
}

// vantage is a host at which packets are captured.
type vantage struct {
	w     *capture.Writer
	iface int
	node  segment.Node
}

// remarkable are the causes of a segment that its numbers do not show.
var remarkable = [...]tcpmodel.Cause{tcpmodel.CauseRetransmit, tcpmodel.CauseFastRetransmit, tcpmodel.CauseProbe,
	tcpmodel.CauseKeepalive, tcpmodel.CauseChallengeAck, tcpmodel.CauseCookie, tcpmodel.CauseGiveUp}

// TraceSegment implements tcpmodel.Tracer.
func (v *vantage) TraceSegment(now des.Time, _ tcpmodel.Conn, out bool, seg *segment.Segment, why tcpmodel.Cause) {
	direction, comment := capture.In, ""
	if out {
		direction = capture.Out
		if slices.Contains(remarkable[:], why) {
			comment = why.String()
		}
	}
	v.w.Packet(v.iface, now, direction, seg, comment)
}

// TraceState implements tcpmodel.Tracer.
func (v *vantage) TraceState(now des.Time, c tcpmodel.Conn, from, to tcpmodel.State, why tcpmodel.Cause) {
	place := capture.OfNext
	if why == tcpmodel.CauseSegment || why == tcpmodel.CauseReset || why == tcpmodel.CauseCookie {
		place = capture.OfLast
	}
	flow := capture.Flow{Local: c.Local, Remote: c.Remote, LocalPort: c.LocalPort, RemotePort: c.RemotePort}
	v.w.State(v.iface, now, flow, from.String(), to.String(), why.String(), place)
}

// TraceEnd implements tcpmodel.Tracer.
func (v *vantage) TraceEnd(des.Time, tcpmodel.Conn, *tcpmodel.ConnStats) {}

// bothTracers tells two.
type bothTracers struct{ first, second tcpmodel.Tracer }

// TraceSegment implements tcpmodel.Tracer.
func (t *bothTracers) TraceSegment(now des.Time, c tcpmodel.Conn, out bool, seg *segment.Segment, why tcpmodel.Cause) {
	t.first.TraceSegment(now, c, out, seg, why)
	t.second.TraceSegment(now, c, out, seg, why)
}

// TraceState implements tcpmodel.Tracer.
func (t *bothTracers) TraceState(now des.Time, c tcpmodel.Conn, from, to tcpmodel.State, why tcpmodel.Cause) {
	t.first.TraceState(now, c, from, to, why)
	t.second.TraceState(now, c, from, to, why)
}

// TraceEnd implements tcpmodel.Tracer.
func (t *bothTracers) TraceEnd(now des.Time, c tcpmodel.Conn, s *tcpmodel.ConnStats) {
	t.first.TraceEnd(now, c, s)
	t.second.TraceEnd(now, c, s)
}

// fate notes what becomes of captured packets on a link, wherever it is.
type fate struct {
	capture  *capturing
	recorder *measure.Recorder
	link     string
}

// Observe implements network.Tap. A packet that did not come to a vantage point
// is not in the file, so only what a stack sent there is looked for.
func (f *fate) Observe(_ des.Time, event network.TapEvent, seg *segment.Segment) {
	if event == network.Sent || event == network.Delivered || seg.Kind == segment.KindRaw {
		return
	}
	f.capture.note(f.recorder.Canonical(seg), event.String()+" on "+f.link)
}

// note notes what became of a packet if it was sent at a vantage point.
func (c *capturing) note(seg *segment.Segment, text string) {
	for i := range c.points {
		if v := &c.points[i]; v.node == seg.Src {
			v.w.Note(v.iface, seg, text)
		}
	}
}
