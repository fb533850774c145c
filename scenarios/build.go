package scenarios

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/workload"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/middlebox"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// world is a scenario as a simulation that is ready to run.
type world struct {
	sim       *des.Sim
	net       *network.Network
	recorder  *measure.Recorder
	addresses segment.Addresses
	capture   *capturing // nil if there is none
	boxList   []middlebox.Box
}

// builder makes a world. Components of the simulation are made in the order
// recorder, links, middleboxes, stacks, workloads, failures, which is the order of events at equal
// times.
type builder struct {
	world
	sc      *spec.Scenario
	options Options
	first   bool // this is the first replication
	nodes   map[string]segment.Node
	links   []*network.Link
	// firstLink is the place in links of the first of each link of the
	// scenario, and behind the last their number.
	firstLink []int
	work      workload.World
}

// build makes the world of a scenario for one replication. What does not fit
// together is an error of the scenario. Only the first replication is captured.
func build(sc *spec.Scenario, replication uint32, o Options) (*world, error) {
	b := &builder{sc: sc, options: o, first: replication == 0, nodes: map[string]segment.Node{}}
	b.sim = des.New(sc.Seed, replication)
	b.net = network.New(b.sim)
	steps := []func() error{b.record, b.topology, b.ranges, b.routes, b.boxes, b.stacks, b.workloads, b.watchLinks, b.names}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &b.world, nil
}

func (b *builder) record() error {
	var marks []des.Time
	for i := range b.sc.Expect {
		for _, q := range b.sc.Expect[i].Questions() {
			if q.During != nil {
				marks = append(marks, instant(q.During[0]), instant(q.During[1]))
			}
		}
	}
	o := measure.Options{
		Interval: des.Time(b.sc.Measure.Interval),
		Warmup:   des.Time(b.sc.Measure.Warmup),
		Until:    des.Time(b.sc.Duration),
		Marks:    marks,
	}
	if b.options.Figures {
		o.Flows = flowsOf(b.sc, b.first)
	}
	if b.first {
		t := &b.options.Trace
		o.TraceConns, o.TraceFirst, o.TraceEvents, o.TraceFrom, o.TraceUntil = t.Conns, t.First, t.Events, t.From, t.Until
	}
	var err error
	b.recorder, err = measure.NewRecorder(b.sim, o)
	if err != nil {
		return b.sc.Problem(b.sc.Pos, "%v", err)
	}
	return nil
}

// instant returns the nanosecond nearest to t seconds.
func instant(t float64) des.Time { return des.Time(math.Round(float64(t * 1e9))) }

func (b *builder) topology() error {
	for _, name := range b.sc.HostNames() {
		b.nodes[name] = b.net.AddHost(name)
	}
	for _, name := range b.sc.Routers {
		b.nodes[name] = b.net.AddRouter(name)
	}
	files, down := traces{}, downTimes(b.sc)
	for i := range b.sc.Links {
		l := &b.sc.Links[i]
		configs, err := linkConfigs(l)
		if err != nil {
			return b.sc.Problem(l.Pos, "links: %v", err)
		}
		forward, backward := l.Directions()
		for k, d := range []*spec.Direction{&forward, &backward} {
			if configs[k].Trace, err = files.of(b.sc, d); err != nil {
				return b.sc.Problem(l.Pos, "links: %v", err)
			}
		}
		b.firstLink = append(b.firstLink, len(b.links))
		for _, m := range linkMembers(b.sc, l) {
			member := configs
			for k := range member {
				member[k].Changes = withFailures(configs[k].Changes, slices.Concat(down[m.ends[0]], down[m.ends[1]]))
			}
			fwd, bwd, err := b.net.Connect(b.nodes[m.ends[0]], b.nodes[m.ends[1]], member[0], member[1])
			if err != nil {
				return b.sc.Problem(l.Pos, "links: %v", err)
			}
			b.links = append(b.links, fwd, bwd)
		}
	}
	b.firstLink = append(b.firstLink, len(b.links))
	return nil
}

// hostNetworks are where the addresses of hosts come from: the first that no
// spoofed range overlaps.
var hostNetworks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
}

// ranges gives the spoofed addresses their nodes, and every node its address.
func (b *builder) ranges() error {
	var prefixes []netip.Prefix
	for i := range b.sc.Workloads {
		w := &b.sc.Workloads[i]
		spoofer, ok := w.Config.(workload.Spoofer)
		if !ok {
			continue
		}
		for _, p := range spoofer.SpoofedRanges() {
			p = p.Masked()
			if slices.Contains(prefixes, p) {
				continue
			}
			prefixes = append(prefixes, p)
			if err := b.addRange(p); err != nil {
				return b.sc.Problem(w.At("spoof"), "spoof: %v", err)
			}
		}
	}
	from := hostNetworks[0]
	for _, p := range hostNetworks {
		if !slices.ContainsFunc(prefixes, p.Overlaps) {
			from = p
			break
		}
	}
	addr := from.Addr()
	for _, name := range b.sc.HostNames() {
		addr = addr.Next()
		if err := b.addresses.Add(b.nodes[name], addr); err != nil {
			return b.sc.Problem(b.sc.Pos, "hosts: %s: %v", name, err)
		}
	}
	return b.addressNATs(prefixes)
}

func (b *builder) addRange(p netip.Prefix) error {
	if !p.Addr().Is4() || p.Bits() < 1 {
		return fmt.Errorf("%v is not a range of IPv4 addresses (write a form like 198.18.0.0/15)", p)
	}
	count := uint32(1) << (32 - p.Bits())
	first := b.net.AddRange(strings.NewReplacer(".", "_", "/", "_").Replace("spoofed_"+p.String()), count)
	if first == 0 {
		return fmt.Errorf("%v and the other ranges are too many addresses (use a longer prefix)", p)
	}
	if _, err := b.addresses.AddPrefix(first, p); err != nil {
		return err
	}
	b.work.AddRange(p, first, count)
	return nil
}

func (b *builder) routes() error {
	if err := b.net.Build(); err != nil {
		return b.sc.Problem(b.sc.Pos, "%v", err)
	}
	return nil
}

func (b *builder) stacks() error {
	b.work.Sim, b.work.Net, b.work.Recorder, b.work.FileData = b.sim, b.net, b.recorder, b.sc.FileData
	if b.first && b.options.Capture != nil {
		var err error
		if b.capture, err = b.newCapturing(b.options.Capture); err != nil {
			return err
		}
	}
	asked := b.sc.Owners()
	for i := range b.sc.Hosts {
		h := &b.sc.Hosts[i]
		config, err := stackConfig(h)
		if err != nil {
			return b.sc.Problem(h.Pos, "%s: %v", h.Name, err)
		}
		if h.Count == nil {
			err = b.stack(h.Name, config, b.recorder.Host(h.Name, b.nodes[h.Name]))
		} else {
			group := b.recorder.HostGroup(h.Name)
			for _, name := range h.Members() {
				member := group.Member(name, b.nodes[name])
				if asked[name] {
					member.Single()
				}
				err = errors.Join(err, b.stack(name, config, member))
			}
		}
		if err != nil {
			return b.sc.Problem(h.Pos, "%v", err)
		}
	}
	return nil
}

// stack makes the stack of one host.
func (b *builder) stack(name string, config tcpmodel.Config, record *measure.Host) error {
	node := b.nodes[name]
	stack, err := tcpmodel.NewStack(tcpmodel.StackOptions{Sim: b.sim, Name: name, Node: node,
		Config: config, Out: b.net.Egress(node), Tracer: b.capture.tracer(node, record)})
	if err != nil {
		return err
	}
	record.Watch(stack.Counters())
	record.Inspect(stack.Lookup)
	b.work.AddHost(quantity.Host(name), stack, record)
	return b.net.Attach(node, stack)
}

// stackConfig returns the settings of a host: its profile and what differs.
func stackConfig(h *spec.Host) (tcpmodel.Config, error) {
	config, err := tcpmodel.Profile(h.Profile)
	if err != nil {
		return config, err
	}
	for _, s := range h.Sysctl {
		k, ok := tcpmodel.FindKnob(s.Name)
		if !ok {
			return config, fmt.Errorf("no setting %s", s.Name)
		}
		if err := setKnob(k, &config, s.Value); err != nil {
			return config, err
		}
	}
	return config, nil
}

func (b *builder) workloads() error {
	var list []workload.Workload
	for i := range b.sc.Workloads {
		w := &b.sc.Workloads[i]
		made, err := b.buildWorkload(w)
		if err != nil {
			return b.sc.Problem(w.Pos, "workload %s: %v", w.Name, err)
		}
		list = append(list, made...)
	}
	if err := workload.Start(&b.work, list); err != nil {
		return b.sc.Problem(b.sc.Pos, "%v", err)
	}
	return b.failures()
}

func (b *builder) watchLinks() error {
	for _, l := range b.links {
		b.recorder.TraceLink(l)
		b.recorder.FlowLink(l)
	}
	for i := range b.sc.Links {
		name := b.sc.Links[i].Name
		b.recorder.Link(name, b.directions(i, 0)...)
		b.recorder.Link(name+spec.Backward, b.directions(i, 1)...)
	}
	return nil
}

// names checks that what is asked for is measured: a host has the metrics of a
// listener only if something listens there, and a figure shows either courses in
// time or distributions.
func (b *builder) names() error {
	var problems spec.Errors
	fail := func(at spec.Pos, format string, args ...any) {
		problems = append(problems, spec.Problem{File: b.sc.File, Pos: at, Text: fmt.Sprintf(format, args...)})
	}
	have := b.recorder.Names()
	missing := func(at spec.Pos, name string) {
		if !slices.Contains(have, name) {
			fail(at, "nothing listens at the host of %s (give it a server)", name)
		}
	}
	for i := range b.sc.Expect {
		for _, name := range b.sc.Expect[i].Metrics() {
			missing(b.sc.Expect[i].Pos, name)
		}
	}
	b.checkFigures(fail, missing)
	if problems != nil {
		return problems
	}
	return nil
}

// sampled reports whether a name is that of a distribution.
func (b *builder) sampled(name string) bool {
	owner, quantity, _ := strings.Cut(name, ".")
	w := b.sc.Workload(owner)
	return w != nil && slices.ContainsFunc(measure.DistributionsOf(w.Kind), func(d measure.Distribution) bool { return d.Name == quantity })
}
