package workload

import (
	"errors"
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// IdleConnections is the configuration of connections that are opened and then
// say nothing: users who are away, or a flood that completes the handshake.
type IdleConnections struct {
	To          quantity.Address  `key:"to" doc:"Host and port to connect to." required:"true"`
	Arrivals    quantity.Arrivals `key:"arrivals" doc:"When connections are opened: a law and a rate." required:"true"`
	Connections int               `key:"connections" doc:"How many are opened; 0 is without end." default:"0" min:"0"`
	Hold        quantity.Duration `key:"hold" doc:"How long each is kept once it is established; 0s is until the other end closes it." default:"0s"`
	Keepalive   bool              `key:"keepalive" doc:"SO_KEEPALIVE on the connections." default:"false"`
	Socket      Socket            `key:"socket" doc:"Options of its sockets." example:"{tcp_keepidle: 60s}"`
	Burst       int               `key:"burst" doc:"How many are opened at once; bursts come at the rate divided by this." default:"1" min:"1"`
	From        quantity.Duration `key:"from" doc:"When the first may be opened." default:"0s" instant:"true"`
	Until       quantity.Duration `key:"until" doc:"When no more are opened; left out, the end of the run." instant:"true"`
}

// Build makes the workload.
func (c *IdleConnections) Build(name string, on quantity.Host) (Workload, error) {
	if c.Connections < 0 || c.Hold < 0 {
		return nil, errors.New("connections and hold: must not be negative")
	}
	if c.Until != 0 && c.Until <= c.From {
		return nil, fmt.Errorf("until: %v is not after from (%v)", c.Until, c.From)
	}
	if c.Burst == 0 {
		c.Burst = 1
	}
	if err := checkArrivals(c.Arrivals, c.Burst); err != nil {
		return nil, err
	}
	if err := c.Socket.check(false); err != nil {
		return nil, err
	}
	made := &idleConnections{base: base{name: name, on: on}, config: *c, reader: c.Socket.reader()}
	made.options.Keepalive = c.Keepalive
	c.Socket.apply(&made.options)
	made.options.FastOpen = false // there is nothing to send
	return made, nil
}

// Which timer of idle connections fired.
const (
	idleArrival = iota
	idleHold
)

type idleConnections struct {
	base
	reader
	options tcpmodel.SocketOptions
	config  IdleConnections
	node    segment.Node
	arrival des.Timer
	gaps    gaps
	last    des.Time
	started int
	holds   waits
	conns   slots[idleConn]

	attempts, opened *measure.Counter
	failed           *measure.Counter
	open             *measure.Gauge
}

type idleConn struct {
	ep           *tcpmodel.Endpoint
	open, closed bool
}

func (c *idleConnections) prepare(*World) error { return nil }

func (c *idleConnections) start(w *World) (err error) {
	if err = c.begin(w); err != nil {
		return err
	}
	if c.node, err = w.peer(c.config.To); err != nil {
		return err
	}
	c.attempts = w.events("idle_connections", c.name, "attempts")
	c.opened = w.events("idle_connections", c.name, "opened")
	c.failed = w.count("idle_connections", c.name, "failed")
	c.open = share(w, c.name, "open", func() *measure.Gauge { return w.Recorder.Level("idle_connections", c.name, "open") })
	c.holds = newWaits(c.sim, c.component, c, idleHold, des.Time(c.config.Hold))
	c.last = c.end(c.config.Until)
	c.band(w, c.config.From, c.last)
	c.gaps, err = w.newArrivals(c.config.Arrivals, c.config.Burst, des.Time(c.config.From), c.sim.Stream(c.label+"/arrivals"))
	if err != nil {
		return err
	}
	c.arrival = c.sim.NewTimer(c.component, c, idleArrival)
	c.arm()
	w.Recorder.OnFinish(c.snapshot)
	return nil
}

func (c *idleConnections) arm() {
	if c.config.Connections > 0 && c.started == c.config.Connections {
		return
	}
	if at := c.gaps.arrival(); at < c.last {
		c.sim.Arm(c.arrival, at)
	}
}

// HandleTimer opens a connection, and closes those that were held long enough.
func (c *idleConnections) HandleTimer(now des.Time, which uint64) {
	if which == idleArrival {
		if !c.down() {
			c.connect()
		}
		c.arm()
		return
	}
	for w, ok := c.holds.due(now); ok; w, ok = c.holds.due(now) {
		if c.conns.generations[w.slot] == w.generation {
			c.conns.rows[w.slot].close()
		}
	}
}

func (c *idleConnections) connect() {
	c.started++
	c.attempts.Add(1)
	i := c.conns.take()
	c.conns.rows[i] = idleConn{}
	c.options.Tag = uint64(i)
	ep, err := c.stack.Connect(c.node, c.config.To.Port, c, c.options)
	if err != nil {
		c.failed.Add(1)
		c.conns.release(i)
		return
	}
	c.conns.rows[i].ep = ep
}

// HandleEvents notes what becomes of a connection, and closes it when the other
// end has.
func (c *idleConnections) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	i := uint32(ep.Tag())
	r := &c.conns.rows[i]
	r.closed = r.closed || ev&tcpmodel.EvReleased != 0
	if ev&tcpmodel.EvConnected != 0 {
		r.open = true
		c.opened.Add(1)
		c.open.Add(now, 1)
		if c.config.Hold > 0 {
			c.holds.add(now, i, c.conns.generations[i])
		}
	}
	if ev&tcpmodel.EvReadable != 0 {
		c.drain(ep)
	}
	if ev&tcpmodel.EvFailed != 0 {
		c.failed.Add(1)
	}
	if ev&(tcpmodel.EvFailed|tcpmodel.EvPeerClosed) != 0 {
		r.close()
	}
	if r.open && r.closed {
		r.open = false
		c.open.Add(now, -1)
	}
	if ev&tcpmodel.EvReleased != 0 {
		c.record.Snapshot(ep.Conn(), ep.Stats())
		r.ep = nil
		c.conns.release(i)
	}
}

// close ends the use of the endpoint, once.
func (r *idleConn) close() {
	if !r.closed && r.ep != nil {
		r.closed = true
		r.ep.Close()
	}
}

func (c *idleConnections) snapshot(des.Time) {
	for i := range c.conns.rows {
		if ep := c.conns.rows[i].ep; ep != nil {
			c.record.Snapshot(ep.Conn(), ep.Stats())
		}
	}
}
