package network

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// arrival is a packet as a collector sees it.
type arrival struct {
	at  des.Time
	seg segment.Segment
}

// collector is a Sink that keeps what it receives.
type collector struct{ got []arrival }

func (c *collector) Receive(now des.Time, seg *segment.Segment) {
	c.got = append(c.got, arrival{now, *seg})
}

// sinkFunc is a Sink that is a function.
type sinkFunc func(now des.Time, seg *segment.Segment)

func (f sinkFunc) Receive(now des.Time, seg *segment.Segment) { f(now, seg) }

// counter is a Sink that counts.
type counter struct{ packets int }

func (c *counter) Receive(des.Time, *segment.Segment) { c.packets++ }

// tapFunc is a Tap that is a function.
type tapFunc func(now des.Time, event TapEvent, seg *segment.Segment)

func (f tapFunc) Observe(now des.Time, event TapEvent, seg *segment.Segment) { f(now, event, seg) }

// raw returns a packet of size bytes, with id in Seq.
func raw(size uint32, id int) *segment.Segment {
	return &segment.Segment{Kind: segment.KindRaw, Len: size, Seq: segment.Seq(id)}
}

// caller runs a function at given times.
type caller struct {
	sim   *des.Sim
	do    func()
	timer des.Timer
}

func (c *caller) HandleTimer(des.Time, uint64) { c.do() }

// at arranges that do runs at time t, in the order of the calls for equal
// times, before the links that exist afterwards.
func at(sim *des.Sim, t des.Time, do func()) {
	c := &caller{sim: sim, do: do}
	c.timer = sim.NewTimer(sim.NewComponent("test"), c, 0)
	sim.Arm(c.timer, t)
}

func newLink(t testing.TB, sim *des.Sim, config LinkConfig, next Sink) *Link {
	t.Helper()
	l, err := NewLink(sim, "a->b", config, next)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func checkConservation(t testing.TB, l *Link) {
	t.Helper()
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
}
