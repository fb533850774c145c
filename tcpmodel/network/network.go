package network

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Network is a topology of hosts, routers and links. It is built with AddHost,
// AddRouter, AddRange and Connect, and ready after Build.
type Network struct {
	sim      *des.Sim
	nodes    []node // by first number
	links    []*Link
	names    map[string]segment.Node
	count    segment.Node // numbers given so far
	built    bool
	problems []error // found before Build, which reports them
}

// node is a host, a router or a range of unrouted addresses.
type node struct {
	first  segment.Node
	count  uint32
	name   string
	host   *host
	router *router
	links  []int // indices of the links that lead away from it
	// home is the host that a range is behind, 0 for nowhere.
	home segment.Node
}

// New returns an empty network whose links run in sim.
func New(sim *des.Sim) *Network {
	return &Network{sim: sim, names: map[string]segment.Node{}}
}

// AddHost adds a host and returns its number. Names of hosts, routers and
// ranges must differ from each other; Build reports if they do not.
func (n *Network) AddHost(name string) segment.Node {
	h := &host{self: n.count + 1}
	return n.add(node{name: name, count: 1, host: h})
}

// AddRouter adds a router and returns its number.
func (n *Network) AddRouter(name string) segment.Node {
	return n.add(node{name: name, count: 1, router: &router{}})
}

// AddRange reserves count consecutive numbers for addresses that exist nowhere,
// such as spoofed sources, and returns the first. Nothing is routed to them.
// Routing tables are as long as the highest number of a host or router, so that
// ranges are best added last.
func (n *Network) AddRange(name string, count uint32) segment.Node {
	if count == 0 || uint64(n.count)+uint64(count) > 1<<32-1 {
		n.problems = append(n.problems, fmt.Errorf("range %q of %d addresses: must be 1 or more, and at most 2^32-1 nodes in all", name, count))
		count = 1
	}
	return n.add(node{name: name, count: count})
}

// PutBehind makes a range of AddRange, given by its first number, addresses behind
// a host: what is sent to them comes to the host, and there to sink.
func (n *Network) PutBehind(first, number segment.Node, sink Sink) error {
	v, h := n.find(first), n.find(number)
	switch {
	case v == nil || v.first != first || v.host != nil || v.router != nil:
		return fmt.Errorf("network: node %d begins no range", first)
	case h == nil || h.host == nil:
		return fmt.Errorf("network: %q cannot be behind node %d: it is not a host", v.name, number)
	case v.home != 0:
		return fmt.Errorf("network: %q is behind %q already", v.name, n.Name(v.home))
	}
	v.home = number
	h.host.behind = append(h.host.behind, behind{first, v.count, sink})
	n.built = false
	return nil
}

func (n *Network) add(v node) segment.Node {
	v.first = n.count + 1
	n.count += segment.Node(v.count)
	if v.name == "" {
		n.problems = append(n.problems, fmt.Errorf("node %d has no name", v.first))
	} else if other, taken := n.names[v.name]; taken {
		n.problems = append(n.problems, fmt.Errorf("two nodes are called %q (%d and %d)", v.name, other, v.first))
	} else {
		n.names[v.name] = v.first
	}
	n.nodes = append(n.nodes, v)
	n.built = false
	return v.first
}

// find returns the entry that holds a number, nil if there is none.
func (n *Network) find(number segment.Node) *node {
	i, same := slices.BinarySearchFunc(n.nodes, number, func(v node, t segment.Node) int { return cmp.Compare(v.first, t) })
	if !same {
		i--
	}
	if i < 0 || number == 0 || number > n.count {
		return nil
	}
	return &n.nodes[i]
}

// Name returns the name of a node, with its place behind it for a node of a
// range ("spoofed[7]"), "" if there is no such node.
func (n *Network) Name(number segment.Node) string {
	v := n.find(number)
	switch {
	case v == nil:
		return ""
	case v.host == nil && v.router == nil:
		return v.name + "[" + strconv.FormatUint(uint64(number-v.first), 10) + "]"
	}
	return v.name
}

// Node returns the node with that name (the first one of a range), 0 if there
// is none.
func (n *Network) Node(name string) segment.Node { return n.names[name] }

// Nodes returns how many numbers have been given: nodes are 1 to Nodes.
func (n *Network) Nodes() segment.Node { return n.count }

// Hosts returns the hosts in the order in which they were added.
func (n *Network) Hosts() []segment.Node {
	return n.list(func(v *node) bool { return v.host != nil })
}

// Routers returns the routers in the order in which they were added.
func (n *Network) Routers() []segment.Node {
	return n.list(func(v *node) bool { return v.router != nil })
}

func (n *Network) list(want func(*node) bool) (numbers []segment.Node) {
	for i := range n.nodes {
		if want(&n.nodes[i]) {
			numbers = append(numbers, n.nodes[i].first)
		}
	}
	return numbers
}

// Links returns all links in the order of Connect, forward before backward.
func (n *Network) Links() []*Link { return slices.Clone(n.links) }

// Connect joins two hosts or routers by a link in each direction, forward from
// a to b and backward from b to a. The links are called "A->B" and "B->A" after
// the nodes, with "#2", "#3" ... behind it for parallel ones.
func (n *Network) Connect(a, b segment.Node, forward, backward LinkConfig) (fwd, bwd *Link, err error) {
	from, to := n.find(a), n.find(b)
	for _, end := range []struct {
		number segment.Node
		node   *node
	}{{a, from}, {b, to}} {
		if end.node == nil {
			return nil, nil, fmt.Errorf("network: cannot connect node %d: there is no such node", end.number)
		}
		if end.node.host == nil && end.node.router == nil {
			return nil, nil, fmt.Errorf("network: cannot connect %q: it is a range of addresses (want a host or a router)", end.node.name)
		}
	}
	if a == b {
		return nil, nil, fmt.Errorf("network: cannot connect %q with itself", from.name)
	}
	for _, c := range []*LinkConfig{&forward, &backward} {
		if err := c.Validate(); err != nil {
			return nil, nil, fmt.Errorf("network: link between %q and %q: %w", from.name, to.name, err)
		}
	}
	if fwd, err = n.connect(from, to, forward); err != nil {
		return nil, nil, fmt.Errorf("network: %w", err)
	}
	if bwd, err = n.connect(to, from, backward); err != nil {
		return nil, nil, fmt.Errorf("network: %w", err)
	}
	n.built = false
	return fwd, bwd, nil
}

func (n *Network) connect(from, to *node, config LinkConfig) (*Link, error) {
	name, parallel := from.name+"->"+to.name, 1
	for _, i := range from.links {
		if n.links[i].to == to.first {
			parallel++
		}
	}
	if parallel > 1 {
		name += "#" + strconv.Itoa(parallel)
	}
	var next Sink = to.router
	if to.host != nil {
		next = to.host
	}
	l, err := NewLink(n.sim, name, config, next)
	if err != nil {
		return nil, err
	}
	l.from, l.to = from.first, to.first
	if config.MTU > 0 && !config.BlackHole {
		var reporter Sink = from.router
		if from.host != nil {
			reporter = from.host
		}
		if err := l.SetReports(from.first, reporter); err != nil {
			return nil, err
		}
	}
	from.links = append(from.links, len(n.links))
	n.links = append(n.links, l)
	if from.host != nil {
		from.host.links = append(from.host.links, l)
	}
	return l, nil
}

// Attach makes sink receive the packets that arrive at a host for it. It may be
// called at any time, and again.
func (n *Network) Attach(number segment.Node, sink Sink) error {
	v := n.find(number)
	if v == nil || v.host == nil {
		return fmt.Errorf("network: cannot attach anything to node %d %q: it is not a host", number, n.Name(number))
	}
	v.host.sink = sink
	return nil
}

// Egress returns what the stack of a host sends into: the host's link if it has
// one, else an element that chooses among its links as a router does. It panics
// before Build and for what is not a host.
func (n *Network) Egress(number segment.Node) Sink {
	v := n.find(number)
	if v == nil || v.host == nil || !n.built {
		panic(fmt.Sprintf("network: Egress of node %d %q, built %v: want a host, after Build", number, n.Name(number), n.built))
	}
	if len(v.host.links) == 1 {
		return v.host.links[0]
	}
	return &v.host.egress
}

// Corrupted returns how many packets reached a host with a wrong checksum; they
// are dropped.
func (n *Network) Corrupted(host segment.Node) uint64 {
	if v := n.find(host); v != nil && v.host != nil {
		return v.host.corrupted
	}
	return 0
}

// Misdelivered returns how many packets reached a host that were for another
// node; they are dropped.
func (n *Network) Misdelivered(host segment.Node) uint64 {
	if v := n.find(host); v != nil && v.host != nil {
		return v.host.misdelivered
	}
	return 0
}

// Undeliverable returns how many packets reached a host to which nothing is
// attached; they are dropped.
func (n *Network) Undeliverable(host segment.Node) uint64 {
	if v := n.find(host); v != nil && v.host != nil {
		return v.host.undeliverable
	}
	return 0
}

// NoRoute returns how many packets a router (or a host that has not exactly one
// link) dropped because it had no route for them.
func (n *Network) NoRoute(number segment.Node) uint64 {
	v := n.find(number)
	switch {
	case v == nil:
		return 0
	case v.router != nil:
		return v.router.noRoute.Packets
	case v.host != nil:
		return v.host.egress.noRoute.Packets
	}
	return 0
}

// Build computes the routes. It fails if names are missing or not unique, or if
// a range was invalid; that hosts cannot reach each other is no error (see
// Unreachable). A network that was extended is built again.
func (n *Network) Build() error {
	if len(n.problems) > 0 {
		return fmt.Errorf("network: %w", errors.Join(n.problems...))
	}
	n.route()
	n.built = true
	return nil
}
