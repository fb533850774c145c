package measure

import (
	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Host records one host: it is the Tracer of the host's stack. From the
// changes of state it keeps how many connections are in each state, exactly
// and without asking the stack; from the counters of the stack it keeps their
// growth.
type Host struct {
	r        *Recorder
	name     string
	node     segment.Node
	counters []*tcpmodel.Counters // of which the sum is recorded
	columns  []column
	total    *Host // that the figures go to: the host itself or its group
	single   bool  // a member of a group that has figures of its own besides

	states      [tcpmodel.NumStates]Gauge
	acceptQueue Gauge
	synData     Gauge // as read at each mark
	listening   bool
	ends        map[tcpmodel.Conn]endRef
	traced      []tracedEnd
	endpoint    func(tcpmodel.Conn) *tcpmodel.Endpoint

	flows     []*flow
	lastSYN   segment.Segment // that was sent, by connection lastSYNOf
	lastSYNOf uint32
}

// hostCounter says which counter of the stack a metric reads.
type hostCounter struct {
	of, name string
	read     func(*tcpmodel.Counters) uint64
}

var hostCounters = []hostCounter{
	{OfHost, "active_opens", func(c *tcpmodel.Counters) uint64 { return c.ActiveOpens }},
	{OfHost, "passive_opens", func(c *tcpmodel.Counters) uint64 { return c.PassiveOpens }},
	{OfHost, "attempt_fails", func(c *tcpmodel.Counters) uint64 { return c.AttemptFails }},
	{OfHost, "estab_resets", func(c *tcpmodel.Counters) uint64 { return c.EstabResets }},
	{OfHost, "in_segs", func(c *tcpmodel.Counters) uint64 { return c.InSegs }},
	{OfHost, "out_segs", func(c *tcpmodel.Counters) uint64 { return c.OutSegs }},
	{OfHost, "retrans_segs", func(c *tcpmodel.Counters) uint64 { return c.RetransSegs }},
	{OfHost, "out_rsts", func(c *tcpmodel.Counters) uint64 { return c.OutRsts }},
	{OfHost, "syn_retransmits", func(c *tcpmodel.Counters) uint64 { return c.TCPSynRetrans }},
	{OfHost, "rto_timeouts", func(c *tcpmodel.Counters) uint64 { return c.TCPTimeouts }},
	{OfHost, "fast_retransmits", func(c *tcpmodel.Counters) uint64 { return c.TCPFastRetrans }},
	{OfHost, "keepalive_probes", func(c *tcpmodel.Counters) uint64 { return c.TCPKeepAlive }},
	{OfHost, "abort_on_timeout", func(c *tcpmodel.Counters) uint64 { return c.TCPAbortOnTimeout }},
	{OfHost, "challenge_acks", func(c *tcpmodel.Counters) uint64 { return c.TCPChallengeACK }},
	{OfHost, "foreign_bytes", func(c *tcpmodel.Counters) uint64 { return c.ForeignBytes }},
	{OfHost, "corrupted_streams", func(c *tcpmodel.Counters) uint64 { return c.CorruptedStreams }},
	{OfListening, "syns_received", func(c *tcpmodel.Counters) uint64 { return c.SynsReceived }},
	{OfListening, "syns_queued", func(c *tcpmodel.Counters) uint64 { return c.SynsQueued }},
	{OfListening, "synack_retransmits", func(c *tcpmodel.Counters) uint64 { return c.SynackRetransmits }},
	{OfListening, "listen_drops", func(c *tcpmodel.Counters) uint64 { return c.ListenDrops }},
	{OfListening, "listen_overflows", func(c *tcpmodel.Counters) uint64 { return c.ListenOverflows }},
	{OfListening, "req_q_full_drop", func(c *tcpmodel.Counters) uint64 { return c.TCPReqQFullDrop }},
	{OfListening, "req_q_full_do_cookies", func(c *tcpmodel.Counters) uint64 { return c.TCPReqQFullDoCookies }},
	{OfListening, "syncookies_sent", func(c *tcpmodel.Counters) uint64 { return c.SyncookiesSent }},
	{OfListening, "syncookies_recv", func(c *tcpmodel.Counters) uint64 { return c.SyncookiesRecv }},
	{OfListening, "syncookies_failed", func(c *tcpmodel.Counters) uint64 { return c.SyncookiesFailed }},
	{OfListening, "fastopen_passive", func(c *tcpmodel.Counters) uint64 { return c.TCPFastOpenPassive }},
	{OfListening, "fastopen_passive_fail", func(c *tcpmodel.Counters) uint64 { return c.TCPFastOpenPassiveFail }},
	{OfListening, "fastopen_listen_overflow", func(c *tcpmodel.Counters) uint64 { return c.TCPFastOpenListenOverflow }},
	{OfListening, "fastopen_cookie_reqd", func(c *tcpmodel.Counters) uint64 { return c.TCPFastOpenCookieReqd }},
	{OfListening, "defer_accept_drop", func(c *tcpmodel.Counters) uint64 { return c.TCPDeferAcceptDrop }},
	{OfListening, "requests_expired", func(c *tcpmodel.Counters) uint64 { return c.RequestsExpired }},
	{OfListening, "requests_pruned", func(c *tcpmodel.Counters) uint64 { return c.RequestsPruned }},
	{OfListening, "requests_evicted", func(c *tcpmodel.Counters) uint64 { return c.RequestsEvicted }},
}

// stateLevels names the levels of connections by state, as ss(8) lists them.
var stateLevels = []struct {
	name  string
	state tcpmodel.State
}{
	{"syn_sent", tcpmodel.SynSent}, {"syn_received", tcpmodel.SynReceived}, {"established", tcpmodel.Established},
	{"fin_wait_1", tcpmodel.FinWait1}, {"fin_wait_2", tcpmodel.FinWait2}, {"close_wait", tcpmodel.CloseWait},
	{"closing", tcpmodel.Closing}, {"last_ack", tcpmodel.LastAck}, {"time_wait", tcpmodel.TimeWait},
}

// Host returns the record of a host, to be given to its stack as the Tracer.
func (r *Recorder) Host(name string, node segment.Node) *Host {
	h := r.HostGroup(name)
	h.node, h.ends = node, make(map[tcpmodel.Conn]endRef)
	r.hosts = append(r.hosts, h)
	return h
}

// HostGroup declares the metrics of many hosts together, each of which is a
// Member.
func (r *Recorder) HostGroup(name string) *Host {
	h := &Host{r: r, name: name}
	h.total = h
	h.declare()
	return h
}

// declare declares the metrics that a host has in any case.
func (h *Host) declare() {
	h.columns = make([]column, len(hostCounters))
	h.r.probes = append(h.r.probes, h)
	h.declareCounters(OfHost)
	for _, l := range stateLevels {
		h.declareLevel(OfHost, l.name, &h.states[l.state])
	}
	h.declarePeak(OfHost, "time_wait_max", &h.states[tcpmodel.TimeWait])
}

// Single declares metrics of a Member alone, beside those of its group; those of
// its accept queues are the group's only.
func (h *Host) Single() {
	h.single = true
	h.declare()
}

// Member returns the record of a host whose figures count in those of the group.
func (h *Host) Member(name string, node segment.Node) *Host {
	m := &Host{r: h.r, name: name, node: node, total: h, ends: make(map[tcpmodel.Conn]endRef)}
	h.r.hosts = append(h.r.hosts, m)
	return m
}

// Name returns the name of the host.
func (h *Host) Name() string { return h.name }

// Watch has the counters of the host's stack recorded from now on.
func (h *Host) Watch(c *tcpmodel.Counters) {
	h.total.counters = append(h.total.counters, c)
	if h.single {
		h.counters = append(h.counters, c)
	}
}

// Inspect says how to find the endpoint of a connection, so that traces have the
// variables of its sender.
func (h *Host) Inspect(endpoint func(tcpmodel.Conn) *tcpmodel.Endpoint) { h.endpoint = endpoint }

// Listens declares the metrics of a host that has a listener. It may be called
// for each listener.
func (h *Host) Listens() {
	if h.single && !h.listening {
		h.listens()
	}
	if !h.total.listening {
		h.total.listens()
	}
}

func (h *Host) listens() {
	h.listening = true
	h.declareLevel(OfListening, "syn_queue", &h.states[tcpmodel.SynReceived])
	h.declarePeak(OfListening, "syn_queue_max", &h.states[tcpmodel.SynReceived])
	if !h.single {
		h.declareLevel(OfListening, "accept_queue", &h.acceptQueue)
		h.declarePeak(OfListening, "accept_queue_max", &h.acceptQueue)
	}
	h.declareLevel(OfListening, "syn_data_held", &h.synData)
	h.declarePeak(OfListening, "syn_data_held_max", &h.synData)
	r := h.r
	r.declare(&r.ofHosts, OfListening, h.name, "syn_drop", h.synDrop, func() []float64 { return r.each(h.synDrop) })
	h.declareCounters(OfListening)
}

// AcceptQueue is the length of the accept queues of the host's listeners,
// which whoever accepts keeps up to date.
func (h *Host) AcceptQueue() *Gauge { return &h.total.acceptQueue }

// State returns how many connections are in state s, half-open and TIME-WAIT
// entries included.
func (h *Host) State(s tcpmodel.State) *Gauge { return &h.total.states[s] }

func (h *Host) declareCounters(of string) {
	r := h.r
	for i := range hostCounters {
		c := &h.columns[i]
		if hostCounters[i].of != of {
			continue
		}
		value := func(w window) (float64, bool) { return c.growth(r.marks, w), !w.empty() }
		r.declare(&r.ofHosts, of, h.name, hostCounters[i].name, value, func() []float64 { return r.rate(c, 1) })
	}
}

func (h *Host) declareLevel(of, name string, g *Gauge) {
	r := h.r
	r.declare(&r.ofHosts, of, h.name, name,
		func(w window) (float64, bool) { return g.mean(r.marks, w) },
		func() []float64 { return r.instants(&g.values) })
}

func (h *Host) declarePeak(of, name string, g *Gauge) {
	r := h.r
	r.declare(&r.ofHosts, of, h.name, name, func(w window) (float64, bool) { return g.most(r.marks, w) }, nil)
}

// synDrop is the share of the SYNs that got neither an entry nor a cookie.
func (h *Host) synDrop(w window) (float64, bool) {
	grown := func(name string) float64 {
		for i := range hostCounters {
			if hostCounters[i].name == name {
				return h.columns[i].growth(h.r.marks, w)
			}
		}
		panic("measure: no counter " + name)
	}
	received := grown("syns_received")
	if received == 0 {
		return 0, false
	}
	return 1 - (grown("syns_queued")+grown("syncookies_sent"))/received, true
}

func (h *Host) sample(i int, now des.Time) {
	for k := range hostCounters {
		sum := uint64(0)
		for _, c := range h.counters {
			sum += hostCounters[k].read(c)
		}
		h.columns[k].set(i, sum)
	}
	for s := range h.states {
		h.states[s].sample(i, now)
	}
	h.acceptQueue.sample(i, now)
	held := uint64(0)
	for _, c := range h.counters {
		held += c.SynDataHeld
	}
	h.synData.Set(now, int(held))
	h.synData.sample(i, now)
}

// counted reports whether a connection in state s exists at the host.
func counted(s tcpmodel.State) bool { return s != tcpmodel.Closed && s != tcpmodel.Listen }

func (h *Host) moved(now des.Time, from, to tcpmodel.State) {
	if counted(from) {
		h.states[from].Add(now, -1)
	}
	if counted(to) {
		h.states[to].Add(now, 1)
	}
}

// TraceState keeps the numbers of connections by state and the connection
// table.
func (h *Host) TraceState(now des.Time, c tcpmodel.Conn, from, to tcpmodel.State, why tcpmodel.Cause) {
	h.total.moved(now, from, to)
	if h.single {
		h.moved(now, from, to)
	}
	h.r.table.state(now, h, c, from, to, why)
}

// TraceSegment keeps the segments of the connections that are traced.
func (h *Host) TraceSegment(now des.Time, c tcpmodel.Conn, out bool, seg *segment.Segment, why tcpmodel.Cause) {
	if h.r.table.traces.on {
		h.r.table.traces.segment(now, h, c, out, seg, why)
	}
	if len(h.r.flows.all) > 0 {
		h.observe(now, c.Serial, out, seg)
	}
}

// TraceEnd completes the row of a connection.
func (h *Host) TraceEnd(_ des.Time, c tcpmodel.Conn, s *tcpmodel.ConnStats) {
	h.r.table.end(h, c, s, true)
}

// Snapshot takes the figures of a connection that lives on, or whose endpoint
// is about to be given back, so that the table has them.
func (h *Host) Snapshot(c tcpmodel.Conn, s *tcpmodel.ConnStats) { h.r.table.end(h, c, s, false) }
