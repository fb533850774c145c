package tcpmodel

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// rig is two stacks without tracers and two pipes, for what has to run fast.
type rig struct {
	sim  *des.Sim
	a, b *Stack
	ab   *pipe
	ba   *pipe
}

// pipe carries segments after a constant delay, and allocates nothing once its
// ring is large enough. Without a destination it drops them.
type pipe struct {
	sim   *des.Sim
	to    *Stack
	delay des.Time
	timer des.Timer
	ring  []onTheWay
	head  int
	n     int
	count int
	// arrived is the segment being delivered.
	arrived segment.Segment
}

type onTheWay struct {
	at  des.Time
	seg segment.Segment
}

func (p *pipe) Receive(now des.Time, s *segment.Segment) {
	p.count++
	if p.to == nil {
		return
	}
	if p.n == len(p.ring) {
		ring := make([]onTheWay, max(2*len(p.ring), 64))
		for i := range p.n {
			ring[i] = p.ring[(p.head+i)%len(p.ring)]
		}
		p.ring, p.head = ring, 0
	}
	p.ring[(p.head+p.n)%len(p.ring)] = onTheWay{now + p.delay, *s}
	p.n++
	if p.n == 1 {
		p.sim.Arm(p.timer, now+p.delay)
	}
}

func (p *pipe) HandleTimer(now des.Time, _ uint64) {
	p.arrived = p.ring[p.head].seg
	p.head = (p.head + 1) % len(p.ring)
	p.n--
	if p.n > 0 {
		p.sim.Arm(p.timer, p.ring[p.head].at)
	}
	p.to.Receive(now, &p.arrived)
}

// newRig returns two hosts delay apart.
func newRig(t testing.TB, profile string, delay des.Time, tune func(c *Config)) *rig {
	t.Helper()
	r := &rig{sim: des.New(1, 0)}
	cfg, err := Profile(profile)
	if err != nil {
		t.Fatal(err)
	}
	if tune != nil {
		tune(&cfg)
	}
	stack := func(name string, node segment.Node, p *pipe) *Stack {
		st, err := NewStack(StackOptions{Sim: r.sim, Name: name, Node: node, Config: cfg, Out: p})
		if err != nil {
			t.Fatal(err)
		}
		p.sim, p.delay = r.sim, delay
		p.timer = r.sim.NewTimer(r.sim.NewComponent(name+"'s pipe"), p, 0)
		return st
	}
	r.ab, r.ba = new(pipe), new(pipe)
	r.a, r.b = stack("a", 1, r.ab), stack("b", 2, r.ba)
	r.ab.to, r.ba.to = r.b, r.a
	return r
}

// quitter is an App that closes: at once when it is the side to begin, else
// after its peer. It is also the Acceptor of such a side.
type quitter struct{ first bool }

func (q quitter) HandleEvents(_ des.Time, ep *Endpoint, ev Events) {
	if ev&EvReleased != 0 {
		return
	}
	for ep.Read(1<<20) > 0 {
	}
	if q.first && ev&EvConnected != 0 || ep.EOF() {
		ep.Close()
	}
}

func (q quitter) HandleAcceptable(_ des.Time, l *Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		ep.SetApp(q, 0)
		if q.first {
			ep.Close()
		}
	}
}
