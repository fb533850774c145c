package tcpmodel

import (
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// StackOptions say how a stack is made.
type StackOptions struct {
	Sim *des.Sim
	// Name is that of the host; it names the stack's random stream.
	Name   string
	Node   segment.Node
	Config Config
	// Out takes what the stack sends.
	Out Wire
	// Tracer is told what happens, nil for nobody.
	Tracer Tracer
	// Addresses, if not nil, are what Fast Open cookies are made of, as on
	// Linux; else they are made of node numbers.
	Addresses *segment.Addresses
}

// Stack is the TCP of one host: it finds the connection of each segment, keeps
// listeners, half-open and TIME-WAIT entries, and hands out ports.
type Stack struct {
	sim       *des.Sim
	component des.Component
	name      string
	node      segment.Node
	cfg       Config
	out       Wire
	tracer    Tracer
	rand      *rand.Rand
	secret    [2]uint64

	conns     connTable
	endpoints []*Endpoint
	freeIndex []uint32
	pool      []*Endpoint
	listeners []*Listener
	requests  requestTable
	evict     eviction
	timeWaits timeWaitTable
	proven    nodeSet

	addresses     *segment.Addresses
	fastOpenKey   fastOpenKey
	fastOpenPeers map[segment.Node]fastOpenPeer
	pathMTUs      map[segment.Node]pathMTU

	challenges challengeBudget
	// orphans is how many connections count against tcp_max_orphans.
	orphans int

	counters Counters
	inState  [NumStates]int
	serial   uint32
	nextPort uint32
	perturb  [portPerturbations]uint32 // of port_parity

	// scratch is the segment being built: Out keeps no reference to it.
	scratch segment.Segment
	// ended is what the Tracer is told of a half-open connection.
	ended ConnStats
	// woken are the endpoints with events that their App has not been told
	// of, acceptable the listeners likewise. They are told when the stack is
	// done with what it is doing (depth 0).
	woken      []*Endpoint
	acceptable []*Listener
	depth      int
	wake       des.Timer
	// evicts: half-open entries may give way to others.
	evicts bool
}

// Which of a stack's engine timers fired.
const (
	stackRequests = iota
	stackTimeWait
	stackWake
)

// NewStack returns a stack without connections.
func NewStack(o StackOptions) (*Stack, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("stack of %s: %w", o.Name, err)
	}
	st := &Stack{
		sim: o.Sim, component: o.Sim.NewComponent(o.Name), name: o.Name, node: o.Node,
		cfg: o.Config, out: o.Out, tracer: o.Tracer, rand: o.Sim.Stream(o.Name + "/stack"),
	}
	st.addresses = o.Addresses
	st.evict = newEviction(st.sim, st.name, &st.cfg)
	st.evicts = st.cfg.SynEviction != EvictNone || st.cfg.SyncacheBuckets > 0
	st.boot()
	st.requests.timer = st.sim.NewTimer(st.component, st, stackRequests)
	st.timeWaits.timer = st.sim.NewTimer(st.component, st, stackTimeWait)
	st.wake = st.sim.NewTimer(st.component, st, stackWake)
	return st, nil
}

// Node returns the host's node number.
func (st *Stack) Node() segment.Node { return st.node }

// Name returns the host's name.
func (st *Stack) Name() string { return st.name }

// Config returns the settings of the stack.
func (st *Stack) Config() *Config { return &st.cfg }

// Counters returns the stack's counters.
func (st *Stack) Counters() *Counters { return &st.counters }

// InState returns how many connections are in state s now, half-open and
// TIME-WAIT entries included.
func (st *Stack) InState(s State) int { return st.inState[s] }

// StateOf returns the state of the connection between port of remote and localPort,
// Closed if there is none.
func (st *Stack) StateOf(remote segment.Node, port, localPort uint16) State {
	switch r := st.conns.find(keyOf(remote, port, localPort)); r.kind() {
	case refEndpoint:
		return st.endpoints[r.index()].state
	case refRequest:
		return SynReceived
	case refTimeWait:
		return TimeWait
	}
	return Closed
}

// Listen opens a listener on port that lets backlog connections wait (RFC 9293
// passive OPEN). It fails with EADDRINUSE if there is one already.
func (st *Stack) Listen(port uint16, backlog int, a Acceptor) (*Listener, error) {
	if port == 0 || backlog < 0 {
		return nil, EINVAL
	}
	if st.listener(port) != nil {
		return nil, EADDRINUSE
	}
	l := &Listener{st: st, port: port, backlog: min(backlog, st.cfg.Somaxconn), acceptor: a, lastCookie: -cookieOverflowValid - 1}
	if all := fastOpenListeners | fastOpenServer; st.cfg.FastOpen&all == all {
		l.sock.FastOpenQueue = l.backlog
	}
	st.listeners = append(st.listeners, l)
	l.number = uint32(len(st.requests.listeners))
	st.requests.listeners = append(st.requests.listeners, l)
	st.inState[Listen]++
	return l, nil
}

func (st *Stack) listener(port uint16) *Listener {
	for _, l := range st.listeners {
		if l.port == port {
			return l
		}
	}
	return nil
}

// Connect opens a connection to port of dst (RFC 9293 active OPEN): the SYN
// leaves at once, and the App hears of the outcome. It fails with
// EADDRNOTAVAIL when no port is free, EADDRINUSE when the port asked for is
// taken, and EINVAL for unknown options.
func (st *Stack) Connect(dst segment.Node, port uint16, app App, o SocketOptions) (*Endpoint, error) {
	now := st.sim.Now()
	local := o.LocalPort
	if local == 0 {
		var err error
		if local, err = st.ephemeralPort(dst, port); err != nil {
			return nil, err
		}
	} else if !st.portFree(dst, port, local) {
		return nil, EADDRINUSE
	}
	key := keyOf(dst, port, local)
	isn := st.activeISN(now, key)
	ep, err := st.newEndpoint(now, key, o.Congestion)
	if err != nil {
		return nil, EINVAL
	}
	ep.app, ep.tag = app, o.Tag
	ep.applyOptions(o)
	st.counters.ActiveOpens++
	st.enter()
	ep.open(now, isn)
	st.leave(now)
	return ep, nil
}

// Receive takes a packet from the network.
func (st *Stack) Receive(now des.Time, seg *segment.Segment) {
	switch seg.Kind {
	case segment.KindTCP:
	case segment.KindICMP:
		st.enter()
		st.icmp(now, seg)
		st.leave(now)
		return
	default:
		return
	}
	st.counters.InSegs++
	st.enter()
	r := st.conns.find(keyOf(seg.Src, seg.SrcPort, seg.DstPort))
	switch r.kind() {
	case refEndpoint:
		st.endpoints[r.index()].arrive(now, seg)
	case refRequest:
		st.requestArrives(now, r.index(), seg)
	case refTimeWait:
		st.timeWaitArrives(now, r.index(), seg)
	default:
		if l := st.listener(seg.DstPort); l != nil {
			l.arrives(now, seg, 0)
		} else {
			st.traceSegment(now, 0, 0, false, seg, CauseNone)
			st.reset(now, seg)
		}
	}
	st.leave(now)
}

// Send puts a segment on the wire as it is: for those who forge them.
func (st *Stack) Send(now des.Time, seg *segment.Segment) {
	st.counters.OutSegs++
	st.out.Receive(now, seg)
}

// HandleTimer runs the stack's own timers.
func (st *Stack) HandleTimer(now des.Time, which uint64) {
	st.enter()
	switch which {
	case stackRequests:
		st.requestsTimeout(now)
	case stackTimeWait:
		st.timeWaitsTimeout(now)
	case stackWake:
	}
	st.leave(now)
}

func (st *Stack) enter() { st.depth++ }

// leave tells the Apps what has happened, unless the stack is still at work
// further up: an App that is called may call the stack again.
func (st *Stack) leave(now des.Time) {
	if st.depth == 1 {
		for len(st.woken)+len(st.acceptable) > 0 {
			st.tell(now)
		}
	}
	st.depth--
}

func (st *Stack) tell(now des.Time) {
	for i := 0; i < len(st.acceptable); i++ {
		l := st.acceptable[i]
		l.told = false
		if l.acceptor != nil {
			l.acceptor.HandleAcceptable(now, l)
		}
	}
	st.acceptable = st.acceptable[:0]
	for i := 0; i < len(st.woken); i++ {
		ep := st.woken[i]
		ev := ep.events
		ep.events = 0
		if ep.app != nil && ev != 0 {
			ep.app.HandleEvents(now, ep, ev)
		}
		if ev&EvReleased != 0 {
			st.recycle(ep)
		}
	}
	st.woken = st.woken[:0]
}

// userEnter and userLeave bracket a call of the user. An App is never called
// from inside its own call: it hears of the events in the same instant, but
// from the engine.
func (st *Stack) userEnter() { st.depth++ }

func (st *Stack) userLeave() {
	st.depth--
	if st.depth == 0 && len(st.woken)+len(st.acceptable) > 0 && !st.sim.Armed(st.wake) {
		st.sim.Arm(st.wake, st.sim.Now())
	}
}

// reset answers a segment that belongs to no connection (RFC 9293 section
// 3.5.2 group 1, 3.10.7.1).
func (st *Stack) reset(now des.Time, in *segment.Segment) {
	if in.Has(segment.RST) {
		return
	}
	seg := st.blank(keyOf(in.Src, in.SrcPort, in.DstPort), segment.RST)
	if in.Has(segment.ACK) {
		seg.Seq = in.Ack
	} else {
		seg.Flags |= segment.ACK
		seg.Ack = in.End()
	}
	st.transmit(now, 0, 0, seg, CauseReset)
}

// blank returns the scratch segment with the addresses, ports and flags of a
// segment of connection k.
func (st *Stack) blank(k connKey, f segment.Flags) *segment.Segment {
	st.scratch = segment.Segment{Src: st.node, Dst: k.remote(), SrcPort: k.localPort(), DstPort: k.remotePort(), Flags: f}
	return &st.scratch
}

// transmit sends a segment of the connection with that key and serial number,
// 0 and 0 where it belongs to none.
func (st *Stack) transmit(now des.Time, k connKey, serial uint32, seg *segment.Segment, why Cause) {
	st.counters.OutSegs++
	if seg.Flags&segment.RST != 0 {
		st.counters.OutRsts++
	}
	st.traceSegment(now, k, serial, true, seg, why)
	st.out.Receive(now, seg)
}

func (st *Stack) traceSegment(now des.Time, k connKey, serial uint32, out bool, seg *segment.Segment, why Cause) {
	if st.tracer == nil {
		return
	}
	var c Conn
	if serial != 0 {
		c = st.connOf(k, serial)
	}
	st.tracer.TraceSegment(now, c, out, seg, why)
}

// moved accounts for a connection's change of state.
func (st *Stack) moved(now des.Time, c Conn, from, to State, why Cause) {
	if !from.allows(to) {
		panic(fmt.Sprintf("tcpmodel: %s: %v to %v is not in RFC 9293 figure 5", st.name, from, to))
	}
	if from != Closed && from != Listen {
		st.inState[from]--
	}
	if to != Closed && to != Listen {
		st.inState[to]++
	}
	if st.tracer != nil {
		st.tracer.TraceState(now, c, from, to, why)
	}
}

// Lookup returns the endpoint of a connection, nil if it has none (it is half
// open, in TIME-WAIT, or gone).
func (st *Stack) Lookup(c Conn) *Endpoint {
	r := st.conns.find(keyOf(c.Remote, c.RemotePort, c.LocalPort))
	if r.kind() != refEndpoint {
		return nil
	}
	if ep := st.endpoints[r.index()]; ep.serial == c.Serial {
		return ep
	}
	return nil
}

func (st *Stack) connOf(k connKey, serial uint32) Conn {
	return Conn{Local: st.node, Remote: k.remote(), LocalPort: k.localPort(), RemotePort: k.remotePort(), Serial: serial}
}

func (st *Stack) nextSerial() uint32 {
	st.serial++
	return st.serial
}

// nodeSet is a set of nodes, a bit each.
type nodeSet []uint64

func (s *nodeSet) add(n segment.Node) {
	for int(n>>6) >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[n>>6] |= 1 << (n & 63)
}

func (s nodeSet) has(n segment.Node) bool {
	return int(n>>6) < len(s) && s[n>>6]>>(n&63)&1 != 0
}
