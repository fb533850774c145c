package drill

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Options say how scripts are run. The zero value is packetdrill's way on the
// linux profile.
type Options struct {
	// Tolerance is how far an event may be off its time: 0 takes that of the
	// script's --tolerance_usecs, or else 4 ms.
	Tolerance des.Time
	// TolerancePercent allows that part of the time since the event before,
	// if it is more than Tolerance: 0 takes the script's
	// --tolerance_percent, or else 1.
	TolerancePercent float64
	// NoMerge compares the stack's segments one by one. Otherwise
	// consecutive full segments stand for the large one that a script
	// expects, as a kernel with segmentation offload sends it, unless the
	// script says --strict_segments or sets gso_max_segs to 1.
	NoMerge bool
	// Profile is the stack's, "" for linux.
	Profile string
	// Recent is how many packets and calls a failure shows, 0 for 10.
	Recent int
}

// The hosts of a script: the stack under test, the peer that the script plays,
// and clients that only fill the accept queue.
const (
	localNode segment.Node = 1 + iota
	peerNode
	firstClient
)

// The ports of packetdrill: that which a script binds and connects to, the first
// of the peer, the first of sockets that listen unbound.
const (
	servicePort  = 8080
	firstPort    = 40000
	unboundPort  = 20000
	maxClients   = 1 << 16
	maxEvents    = 20_000_000
	startOfClock = 1000 * des.Second
)

var addresses = func() *segment.Addresses {
	a := &segment.Addresses{}
	err := errors.Join(
		a.Add(localNode, netip.MustParseAddr("192.168.0.1")),
		a.Add(peerNode, netip.MustParseAddr("192.0.2.1")),
		a.AddRange(firstClient, netip.MustParseAddr("198.18.0.0"), maxClients))
	if err != nil {
		panic(err)
	}
	return a
}()

// failure is an event that did not come as the script says.
type failure struct {
	pos                   Pos
	reason, expected, got string
}

func (f *failure) Error() string { return f.reason }

// unsupported is something that the runner or the stack does not have.
type unsupported struct {
	pos    Pos
	reason string
}

func (u *unsupported) Error() string { return u.reason }

// run is one script that runs.
type run struct {
	script *Script
	opt    Options
	sim    *des.Sim
	stack  *tcpmodel.Stack
	// timer brings the simulation to the time of an event, before what the
	// stack does in that instant.
	timer des.Timer
	fired bool
	steps int
	// queue are segments that the stack has sent and the script has not
	// looked at. recent are lines for the report.
	queue  []sent
	recent []note

	fds     map[int64]*socket
	epolls  map[int64]*epoll
	conn    *conn
	ports   uint16
	unbound uint16
	clients segment.Node
	blocked *pendingCall
	vars    map[string]value
	// last is the event before, lastAt its time.
	last   *Event
	lastAt des.Time
	// err is what a call that blocks has found.
	err      error
	scaleEcr bool
	// localAddr and remoteAddr are the addresses of the stack and the peer.
	localAddr, remoteAddr string
	tick                  des.Time
	oneSegment            bool
	// counts are the counters when nstat read them last.
	counts tcpmodel.Counters
	// fastOpenKey is tcp_fastopen_key.
	fastOpenKey *[16]byte
}

// note is what the report of a failure may show: a segment of the stack, or what
// the script did.
type note struct {
	at   des.Time
	text string
	seg  segment.Segment
}

// sent is a segment that the stack has sent.
type sent struct {
	at  des.Time
	seg segment.Segment
}

func newRun(s *Script, o Options) *run {
	return &run{script: s, opt: o, sim: des.New(1, 0), fds: map[int64]*socket{}, epolls: map[int64]*epoll{}, vars: map[string]value{},
		ports: firstPort, unbound: unboundPort, clients: firstClient, localAddr: "192.168.0.1", remoteAddr: "192.0.2.1"}
}

// Run runs a script in simulated time.
func Run(s *Script, o Options) *Result {
	res := &Result{Script: s.File}
	r := newRun(s, o)
	err := r.prepare()
	if err == nil {
		err = r.events()
	}
	if r.sim.Now() > startOfClock {
		res.Simulated = r.sim.Now() - startOfClock
	}
	var f *failure
	var u *unsupported
	switch {
	case err == nil:
		return res
	case errors.As(err, &f):
		res.Status, res.Pos, res.Reason = Failed, f.pos, f.reason
		res.Expected, res.Got, res.Recent = f.expected, f.got, r.notes()
	case errors.As(err, &u):
		res.Status, res.Pos, res.Reason = Unsupported, u.pos, u.reason
	default:
		res.Status, res.Reason = Failed, err.Error()
	}
	res.Line, res.Column, res.Source = res.Pos.Line, res.Pos.Col, s.Line(res.Pos.Line)
	return res
}

func (r *run) events() error {
	if e := r.script.Events[0]; e.At != 0 {
		return &failure{pos: e.Pos, reason: "the first event is not at time 0"}
	}
	r.lastAt = r.sim.Now()
	for _, e := range r.script.Events {
		if err := r.event(e); err != nil {
			return err
		}
		if r.err != nil {
			return r.err
		}
		r.last = e
	}
	if b := r.blocked; b != nil {
		for r.blocked != nil && r.sim.Now() <= b.end+b.tolerance && r.err == nil {
			if err := r.runTo(min(r.sim.Now()+des.Millisecond, b.end+b.tolerance+1)); err != nil {
				return err
			}
		}
	}
	return r.err
}

func (r *run) event(e *Event) error {
	switch {
	case e.Packet != nil && e.Packet.Outbound:
		return r.outbound(e)
	case e.Packet != nil:
		if err := r.waitFor(e, "inbound packet"); err != nil {
			return err
		}
		return r.inbound(e)
	case e.Call != nil:
		if err := r.waitFor(e, "call"); err != nil {
			return err
		}
		return r.call(e)
	case e.Command != nil:
		if err := r.waitFor(e, "command"); err != nil {
			return err
		}
		return r.command(e.Command)
	}
	if err := r.waitFor(e, "check"); err != nil {
		return err
	}
	return r.code(e.Code)
}

// timeOf returns when e is due in simulated time, and the latest time if it has
// a range. Consecutive inbound packets count from each other's times, everything
// else from when the event before was done.
func (r *run) timeOf(e *Event) (from, to des.Time) {
	base := r.sim.Now()
	switch e.Kind {
	case TimeAbsolute, TimeRange:
		base = startOfClock
	case TimeRelative:
		if inbound(r.last) && inbound(e) {
			base = r.lastAt
		}
	}
	from = base + e.At
	to = from
	if e.Kind == TimeRange || e.Kind == TimeRelativeRange {
		to = base + e.Until
	}
	return from, to
}

func inbound(e *Event) bool { return e != nil && e.Packet != nil && !e.Packet.Outbound }

// tolerance is how far an event may be off the time at.
func (r *run) tolerance(at des.Time) des.Time {
	return max(r.opt.Tolerance, des.Time(float64(at-r.lastAt)*r.opt.TolerancePercent/100))
}

// waitFor lets time pass until e is due.
func (r *run) waitFor(e *Event, what string) error {
	at, _ := r.timeOf(e)
	if now := r.sim.Now(); now > at {
		if now-at > r.tolerance(at) {
			return &failure{pos: e.Pos, reason: fmt.Sprintf("%s due at %s, but the event before it came at %s only", what, clock(at), clock(now))}
		}
		at = now
	}
	if err := r.runTo(at); err != nil {
		return err
	}
	r.lastAt = at
	return nil
}

// clock is a time since the start of the script.
func clock(at des.Time) string { return fmt.Sprintf("%.6f s", (at - startOfClock).Seconds()) }

// HandleTimer is called at the time of an event.
func (r *run) HandleTimer(des.Time, uint64) { r.fired = true }

// runTo lets the stack run up to at: what it does in that very instant comes
// after the script's event.
func (r *run) runTo(at des.Time) error {
	if at <= r.sim.Now() {
		return r.err
	}
	r.fired = false
	r.sim.Arm(r.timer, at)
	for !r.fired {
		if err := r.step(); err != nil {
			r.sim.Stop(r.timer)
			return err
		}
	}
	return r.err
}

// step runs one event of the simulation.
func (r *run) step() error {
	if r.steps++; r.steps > maxEvents {
		return fmt.Errorf("more than %d events in one script", maxEvents)
	}
	r.sim.Step()
	r.poll()
	return r.err
}

// Receive takes what the stack sends.
func (r *run) Receive(now des.Time, seg *segment.Segment) {
	if seg.Kind == segment.KindTCP {
		r.queue = append(r.queue, sent{now, *seg})
	}
	if seg.Dst == peerNode {
		r.note(note{at: now, seg: *seg})
	}
}

// note keeps the last few things that happened.
func (r *run) note(n note) {
	if len(r.recent) >= r.opt.Recent {
		r.recent = append(r.recent[:0], r.recent[1:]...)
	}
	r.recent = append(r.recent, n)
}

// notes are the lines of the report.
func (r *run) notes() []string {
	lines := make([]string, len(r.recent))
	for i := range r.recent {
		n := &r.recent[i]
		text := n.text
		if text == "" {
			text = r.conn.show(&n.seg)
		}
		lines[i] = fmt.Sprintf("%.6f %s", (n.at - startOfClock).Seconds(), text)
	}
	return lines
}

// command carries out a shell command in the middle of the script.
func (r *run) command(c *Command) error {
	e, err := effectOf(filepath.Dir(r.script.File), c.Text)
	if err != nil {
		return &unsupported{c.Pos, err.Error()}
	}
	for _, s := range e.sysctls {
		if err := r.setSysctl(r.stack.Config(), s); err != nil {
			return &unsupported{c.Pos, err.Error()}
		}
	}
	if e.flush {
		r.stack.FlushMetrics()
	}
	for _, name := range e.grown {
		if counter(r.stack.Counters(), name) <= counter(&r.counts, name) {
			return &failure{pos: c.Pos, reason: fmt.Sprintf("the counter %s has not grown", name)}
		}
	}
	if e.counts {
		r.counts = *r.stack.Counters()
	}
	for range e.fill {
		if r.clients-firstClient >= maxClients {
			return &unsupported{c.Pos, fmt.Sprintf("more than %d connections of fill-accept-queue.sh", maxClients)}
		}
		r.client()
	}
	return r.runTo(r.sim.Now() + e.sleep)
}

// client opens a connection to the service from a host of its own.
func (r *run) client() {
	now, node := r.sim.Now(), r.clients
	r.clients++
	syn := segment.Segment{Src: node, Dst: localNode, SrcPort: firstPort, DstPort: servicePort, Flags: segment.SYN, Wnd: 65495,
		Opts: segment.OptMSS | segment.OptSACKPermitted | segment.OptWScale, MSS: 1460, WScale: 7}
	before := len(r.queue)
	r.stack.Receive(now, &syn)
	for _, s := range r.queue[before:] {
		if s.seg.Dst == node && s.seg.Has(segment.SYN|segment.ACK) {
			ack := segment.Segment{Src: node, Dst: localNode, SrcPort: firstPort, DstPort: servicePort, Flags: segment.ACK,
				Seq: 1, Ack: s.seg.Seq + 1, Wnd: 512}
			r.stack.Receive(now, &ack)
			return
		}
	}
}
