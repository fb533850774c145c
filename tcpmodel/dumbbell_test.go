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

// dumbbell is the topology that other simulators were timed on: flows senders
// and receivers on access links of 1 Gbit/s and 1 ms, two routers, a
// bottleneck of 100 Mbit/s and 20 ms with 250 packets of drop-tail queue.
type dumbbell struct {
	sim       *des.Sim
	net       *network.Network
	senders   []*tcpmodel.Stack
	receivers []*sink
	bulk      bulk
}

// bulk keeps the send buffer of every connection full.
type bulk struct{}

func (bulk) HandleEvents(_ des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&(tcpmodel.EvConnected|tcpmodel.EvWritable) != 0 {
		for ep.Write(1<<20) > 0 {
		}
	}
}

// sink reads whatever arrives.
type sink struct {
	*tcpmodel.Stack
	bytes uint64
}

func (s *sink) HandleAcceptable(_ des.Time, l *tcpmodel.Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		ep.SetApp(s, 0)
	}
}

func (s *sink) HandleEvents(_ des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&tcpmodel.EvReadable != 0 {
		s.bytes += uint64(ep.Read(math.MaxInt32))
	}
}

func newDumbbell(tb testing.TB, flows int, control string) *dumbbell {
	tb.Helper()
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	d := &dumbbell{sim: des.New(1, 0)}
	d.net = network.New(d.sim)
	cfg, err := tcpmodel.Profile("linux")
	check(err)
	cfg.Congestion = control
	cfg.WmemMax = 8 << 20
	left, right := d.net.AddRouter("left"), d.net.AddRouter("right")
	access := network.LinkConfig{Rate: 1e9, Delay: des.Millisecond, Queue: network.QueueLimit{Packets: 1000}}
	bottle := network.LinkConfig{Rate: 100e6, Delay: 20 * des.Millisecond, Queue: network.QueueLimit{Packets: 250}}
	_, _, err = d.net.Connect(left, right, bottle, bottle)
	check(err)
	var from, to []segment.Node
	for i := range flows {
		from, to = append(from, d.net.AddHost(fmt.Sprintf("a%d", i))), append(to, d.net.AddHost(fmt.Sprintf("b%d", i)))
		_, _, err = d.net.Connect(from[i], left, access, access)
		check(err)
		_, _, err = d.net.Connect(right, to[i], access, access)
		check(err)
	}
	check(d.net.Build())
	stack := func(node segment.Node) *tcpmodel.Stack {
		st, err := tcpmodel.NewStack(tcpmodel.StackOptions{Sim: d.sim, Name: d.net.Name(node), Node: node, Config: cfg, Out: d.net.Egress(node)})
		check(err)
		check(d.net.Attach(node, st))
		return st
	}
	for i := range flows {
		d.senders = append(d.senders, stack(from[i]))
		d.receivers = append(d.receivers, &sink{Stack: stack(to[i])})
	}
	for i := range flows {
		_, err := d.receivers[i].Listen(5000, 10, d.receivers[i])
		check(err)
		d.sim.Run(des.Time(i) * 10 * des.Millisecond)
		_, err = d.senders[i].Connect(to[i], 5000, d.bulk, tcpmodel.SocketOptions{})
		check(err)
	}
	return d
}

func (d *dumbbell) hops() (n uint64) {
	for _, l := range d.net.Links() {
		n += l.Stats().Delivered.Packets
	}
	return n
}

func (d *dumbbell) goodput(seconds float64) float64 {
	n := uint64(0)
	for _, r := range d.receivers {
		n += r.bytes
	}
	return float64(n) * 8 / seconds
}

// BenchmarkDumbbell simulates 10 s of 10 flows over the dumbbell per
// operation, after 5 s in which they start, and reports the time per
// packet-hop.
func BenchmarkDumbbell(b *testing.B) {
	for _, control := range []string{"reno", "cubic"} {
		b.Run(control, func(b *testing.B) {
			d := newDumbbell(b, 10, control)
			d.sim.Run(5 * des.Second)
			b.ReportAllocs()
			before, events := d.hops(), d.sim.Events()
			b.ResetTimer()
			for range b.N {
				d.sim.Run(d.sim.Now() + 10*des.Second)
			}
			hops := float64(d.hops() - before)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/hops, "ns/hop")
			b.ReportMetric(float64(d.sim.Events()-events)/hops, "events/hop")
			b.ReportMetric(d.goodput(d.sim.Now().Seconds())/1e6, "Mbit/s")
		})
	}
}
