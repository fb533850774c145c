package workload

import (
	"net/netip"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// lab is a star: hosts around one router, and a range of addresses that leads
// nowhere.
type lab struct {
	tb    testing.TB
	sim   *des.Sim
	net   *network.Network
	world *World
	core  segment.Node
	hosts []labHost
	list  []Workload
}

type labHost struct {
	name   quantity.Host
	node   segment.Node
	config tcpmodel.Config
	stack  *tcpmodel.Stack
	record *measure.Host
}

var testRange = netip.MustParsePrefix("198.18.0.0/15")

func newLab(tb testing.TB, seed uint64, o measure.Options) *lab {
	tb.Helper()
	sim := des.New(seed, 0)
	r, err := measure.NewRecorder(sim, o)
	if err != nil {
		tb.Fatal(err)
	}
	l := &lab{tb: tb, sim: sim, net: network.New(sim), world: &World{Sim: sim, Recorder: r}}
	l.world.Net = l.net
	l.core = l.net.AddRouter("core")
	l.world.AddRange(testRange, l.net.AddRange("nowhere", 1<<17), 1<<17)
	return l
}

func profile(tb testing.TB, name string) tcpmodel.Config {
	tb.Helper()
	c, err := tcpmodel.Profile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// host adds a host whose link to the core has that delay and rate.
func (l *lab) host(name quantity.Host, c tcpmodel.Config, link network.LinkConfig) {
	l.tb.Helper()
	node := l.net.AddHost(string(name))
	if _, _, err := l.net.Connect(node, l.core, link, link); err != nil {
		l.tb.Fatal(err)
	}
	l.hosts = append(l.hosts, labHost{name: name, node: node, config: c})
}

func (l *lab) add(name string, on quantity.Host, c Config) Workload {
	l.tb.Helper()
	w, err := c.Build(name, on)
	if err != nil {
		l.tb.Fatal(err)
	}
	l.list = append(l.list, w)
	return w
}

// start makes the stacks and sets the workloads going.
func (l *lab) start() {
	l.tb.Helper()
	if err := l.net.Build(); err != nil {
		l.tb.Fatal(err)
	}
	for i := range l.hosts {
		h := &l.hosts[i]
		var err error
		h.record = l.world.Recorder.Host(string(h.name), h.node)
		h.stack, err = tcpmodel.NewStack(tcpmodel.StackOptions{Sim: l.sim, Name: string(h.name), Node: h.node,
			Config: h.config, Out: l.net.Egress(h.node), Tracer: h.record})
		if err != nil {
			l.tb.Fatal(err)
		}
		h.record.Watch(h.stack.Counters())
		if err := l.net.Attach(h.node, h.stack); err != nil {
			l.tb.Fatal(err)
		}
		l.world.AddHost(h.name, h.stack, h.record)
	}
	if err := Start(l.world, l.list); err != nil {
		l.tb.Fatal(err)
	}
}

// run starts everything and runs to the end.
func (l *lab) run() *measure.Recorder {
	l.tb.Helper()
	l.start()
	l.sim.Run(l.world.Recorder.Until())
	l.world.Recorder.Finish()
	return l.world.Recorder
}

func (l *lab) stack(name quantity.Host) *tcpmodel.Stack {
	for i := range l.hosts {
		if l.hosts[i].name == name {
			return l.hosts[i].stack
		}
	}
	l.tb.Fatalf("no host %s", name)
	return nil
}

// value returns a metric that must have a value.
func value(tb testing.TB, r *measure.Recorder, name string, during ...float64) float64 {
	tb.Helper()
	var w *[2]float64
	if len(during) == 2 {
		w = &[2]float64{during[0], during[1]}
	}
	v, null, err := r.Value(name, w)
	if err != nil || null {
		tb.Fatalf("%s during %v: null %v, %v", name, during, null, err)
	}
	return v
}

var (
	serverAddress = quantity.Address{Host: "server", Port: 80}
	fastLink      = network.LinkConfig{Rate: 1e9, Delay: des.Millisecond}
)

func fixed(rate quantity.Frequency) quantity.Arrivals {
	return quantity.Arrivals{Law: quantity.Fixed, Rate: rate}
}

func poisson(rate quantity.Frequency) quantity.Arrivals {
	return quantity.Arrivals{Law: quantity.Poisson, Rate: rate}
}

func ofSize(n quantity.Size) quantity.Sizes { return quantity.OfSize(n) }

func lasting(d quantity.Duration) quantity.Durations { return quantity.OfDuration(d) }

func exponentialTime(mean des.Time) quantity.Durations {
	return quantity.Durations{Law: quantity.Exponential, A: int64(mean)}
}
