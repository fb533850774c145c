package workload

import (
	"fmt"
	"net/netip"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// World is what workloads work in: the hosts of a simulation and the recorder
// of what happens.
type World struct {
	Sim      *des.Sim
	Net      *network.Network
	Recorder *measure.Recorder
	// FileData returns the content of a file that the config of a workload
	// names.
	FileData func(name quantity.File) ([]byte, error)

	hosts     []host
	processes []process
	ranges    []spoofRange
	services  []*service
	nats      []nat
	asks      []ask
	shared    map[string]any // what workloads of one name count in together
	begun     map[string]int // how many of a name have begun

	// messages are the lengths of messages whose length varies, by the stream
	// that carries them: what in HTTP the Content-Length says.
	messages map[uint32]int64
}

type host struct {
	name   quantity.Host
	stack  *tcpmodel.Stack
	record *measure.Host
	// packets takes packets without TCP, nil if none are directed at it.
	packets *packetReceiver
	// front takes what arrives before the stack does, nil for nobody.
	front network.Sink
}

type spoofRange struct {
	prefix netip.Prefix
	first  segment.Node
	count  uint32
	// residents are the addresses as far as they exist.
	residents *residents
}

// service is what listens at an address, as clients need to know it.
type service struct {
	at   quantity.Address
	name string
	// response is the size of the response, serverCloses who closes first.
	response     quantity.Sizes
	serverCloses bool
	// told: the server knows the size of requests by itself.
	told bool
	sink *sink
}

// ask is the size of the requests of one workload.
type ask struct {
	to   quantity.Address
	name string
	size quantity.Sizes
}

// AddHost makes a host known. record is the Tracer of its stack.
func (w *World) AddHost(name quantity.Host, stack *tcpmodel.Stack, record *measure.Host) {
	w.hosts = append(w.hosts, host{name: name, stack: stack, record: record})
}

// AddRange makes the nodes known that stand for the addresses of prefix: count
// of them from first on.
func (w *World) AddRange(prefix netip.Prefix, first segment.Node, count uint32) {
	w.ranges = append(w.ranges, spoofRange{prefix: prefix.Masked(), first: first, count: count})
}

func (w *World) host(name quantity.Host) (*host, error) {
	for i := range w.hosts {
		if w.hosts[i].name == name {
			return &w.hosts[i], nil
		}
	}
	return nil, fmt.Errorf("no host %q", name)
}

func (w *World) service(at quantity.Address) *service {
	for _, s := range w.services {
		if s.at == at {
			return s
		}
	}
	return nil
}

func (w *World) addService(s *service) error {
	if other := w.service(s.at); other != nil {
		return fmt.Errorf("port %d of %s is taken by workload %s", s.at.Port, s.at.Host, other.name)
	}
	w.services = append(w.services, s)
	return nil
}

// requestSize returns the size of the requests that go to an address, 0 if
// there are none, and whether they vary: then clients announce each of theirs.
func (w *World) requestSize(to quantity.Address) (size int64, varies bool, err error) {
	var first *ask
	for i := range w.asks {
		a := &w.asks[i]
		fixed, constant := a.size.Fixed()
		switch {
		case a.to != to:
			continue
		case first == nil:
			first, size = a, int64(fixed)
		case first.size.Zero() != a.size.Zero():
			return 0, false, fmt.Errorf("one of the workloads %s and %s sends requests and the other none: tell the server (request:)",
				first.name, a.name)
		case constant && int64(fixed) != size:
			varies = true
		}
		varies = varies || !constant
	}
	return size, varies, nil
}

// announces reports whether who sends requests to an address has to say how long
// each is.
func (w *World) announces(to quantity.Address) (bool, error) {
	if s := w.service(to); s != nil && s.told {
		return false, nil
	}
	_, varies, err := w.requestSize(to)
	return varies, err
}

// spoofed returns the nodes of prefix.
func (w *World) spoofed(prefix netip.Prefix) (spoofRange, error) {
	for _, r := range w.ranges {
		if r.prefix == prefix.Masked() {
			return r, nil
		}
	}
	return spoofRange{}, fmt.Errorf("no nodes for the addresses %v", prefix)
}

// nat is an address outside that stands for ends inside.
type nat struct {
	public segment.Node
	inside func(port uint16) (segment.Node, uint16, bool)
}

// Translate makes a NAT known: an end with that address is the one that inside
// returns.
func (w *World) Translate(public segment.Node, inside func(port uint16) (segment.Node, uint16, bool)) {
	w.nats = append(w.nats, nat{public, inside})
}

// origin returns the end that appears as node and port, which NATs may have
// changed.
func (w *World) origin(node segment.Node, port uint16) (segment.Node, uint16) {
	for range w.nats {
		for _, n := range w.nats {
			if n.public == node {
				if inside, at, ok := n.inside(port); ok {
					node, port = inside, at
				}
			}
		}
	}
	return node, port
}

// Workload is something that a host does.
type Workload interface {
	// Name returns the name that owns its metrics. Workloads of one name and
	// kind, on different hosts, count in them together.
	Name() string
	// prepare makes known what others need to know.
	prepare(w *World) error
	// start declares the metrics and arms the first timers.
	start(w *World) error

	process
}

// announce says how long the next message on a stream is, and announced what was
// said, -1 for nothing.
func (w *World) announce(stream uint32, size int64) {
	if w.messages == nil {
		w.messages = map[uint32]int64{}
	}
	w.messages[stream] = size
}

func (w *World) announced(stream uint32) int64 {
	if size, ok := w.messages[stream]; ok {
		return size
	}
	return -1
}

// Start sets workloads going. Their order is that of their metrics, and of
// their events at equal times.
func Start(w *World, list []Workload) error {
	for _, x := range list {
		if err := x.prepare(w); err != nil {
			return fmt.Errorf("workload %s: %w", x.Name(), err)
		}
	}
	for _, x := range list {
		if err := x.start(w); err != nil {
			return fmt.Errorf("workload %s: %w", x.Name(), err)
		}
		w.processes = append(w.processes, x)
	}
	return nil
}

// Config is the configuration of a workload: a pointer to a struct whose tags
// describe the keys.
type Config interface {
	// Build makes the workload of that name on a host. It fails if the
	// values do not fit together.
	Build(name string, on quantity.Host) (Workload, error)
}

// Spoofer is a Config whose workload sends from addresses that are not its
// host's: the nodes of these ranges must be in the World.
type Spoofer interface{ SpoofedRanges() []netip.Prefix }

// Kind is a kind of workload.
type Kind struct {
	// Name is the value of `kind:`.
	Name string
	// Doc says in one sentence what it does.
	Doc string
	// New returns a new configuration, without defaults.
	New func() Config
}

// Metrics returns what workloads of the kind measure.
func (k Kind) Metrics() []measure.Quantity { return measure.QuantitiesOf(k.Name) }

// Kinds returns all kinds of workload.
func Kinds() []Kind {
	return []Kind{
		{"server", "Accepts connections and answers requests.", func() Config { return new(Server) }},
		{"clients", "Connects again and again, sends a request and waits for the response.", func() Config { return new(Clients) }},
		{"users", "Users who each wait for the response, think, and send the next request.", func() Config { return new(Users) }},
		{"request_response", "Keeps connections open and sends one request after the other.", func() Config { return new(RequestResponse) }},
		{"bulk", "Sends as fast as it can, a given amount or without end.", func() Config { return new(Bulk) }},
		{"sink", "Accepts connections and reads whatever arrives.", func() Config { return new(Sink) }},
		{"syn_flood", "Sends SYNs from spoofed addresses and answers nothing.", func() Config { return new(SynFlood) }},
		{"idle_connections", "Opens connections and says nothing on them.", func() Config { return new(IdleConnections) }},
		{"blind_attack", "Guesses the numbers of a connection that it cannot see, to reset it or to put data into it.", func() Config { return new(BlindAttack) }},
		{"spoofed_connection", "Opens connections in the name of a host that stays silent, by guessing the server's initial sequence numbers.", func() Config { return new(SpoofedConnection) }},
		{"cross_traffic", "Sends packets without TCP, which nothing slows down.", func() Config { return new(CrossTraffic) }},
	}
}

// base is what all workloads have.
type base struct {
	name      string
	on        quantity.Host
	sim       *des.Sim
	component des.Component
	stack     *tcpmodel.Stack
	record    *measure.Host
	until     des.Time // the end of the run
	// label is the name that nothing else has: the workload may be one of
	// many of its name, of which member counts those before it.
	label  string
	member int
	// failures is how many failures keep the process from running; crashed:
	// the last one was that of the host.
	failures int
	crashed  bool
}

// Name returns the name of the workload.
func (b *base) Name() string { return b.name }

func (b *base) begin(w *World) error {
	h, err := w.host(b.on)
	if err != nil {
		return err
	}
	b.sim, b.stack, b.record, b.until = w.Sim, h.stack, h.record, w.Recorder.Until()
	if w.begun == nil {
		w.begun = map[string]int{}
	}
	b.member, b.label = w.begun[b.name], b.name
	if w.begun[b.name]++; b.member > 0 {
		b.label = fmt.Sprintf("%s[%d]", b.name, b.member+1)
	}
	b.component = w.Sim.NewComponent(b.label)
	return nil
}

// band names the time in which the workload is active for figures to shade,
// unless that is all the time.
func (b *base) band(w *World, from quantity.Duration, until des.Time) {
	if b.member == 0 && (from > 0 || until < b.until) {
		w.Recorder.Band(b.name, des.Time(from), until)
	}
}

// share returns what workloads of one name count in together: the first makes it,
// for a quantity of that name.
func share[T any](w *World, owner, quantity string, create func() *T) *T {
	key := owner + "." + quantity
	if have := w.shared[key]; have != nil {
		return have.(*T)
	}
	if w.shared == nil {
		w.shared = map[string]any{}
	}
	made := create()
	w.shared[key] = made
	return made
}

// events is Recorder.Events, for all workloads of a name together.
func (w *World) events(of, owner, name string) *measure.Counter {
	return share(w, owner, name, func() *measure.Counter { return w.Recorder.Events(of, owner, name) })
}

// count is Recorder.Count, for all workloads of a name together.
func (w *World) count(of, owner, name string) *measure.Counter {
	return share(w, owner, name, func() *measure.Counter { return w.Recorder.Count(of, owner, name) })
}

// attempts is Recorder.Attempts, for all workloads of a name together.
func (w *World) attempts(of, owner string, responses bool) *measure.Attempts {
	return share(w, owner, "attempts", func() *measure.Attempts { return w.Recorder.Attempts(of, owner, responses) })
}

// peer returns the node of an address.
func (w *World) peer(to quantity.Address) (segment.Node, error) {
	h, err := w.host(to.Host)
	if err != nil {
		return 0, err
	}
	return h.stack.Node(), nil
}

// end returns until, or the end of the run if that is zero or later.
func (b *base) end(until quantity.Duration) des.Time {
	if until == 0 {
		return b.until
	}
	return min(des.Time(until), b.until)
}
