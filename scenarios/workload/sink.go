package workload

import (
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Sink is the configuration of a receiver of bulk transfers. A bulk transfer to
// a port where nothing listens makes one by itself; a sink of one's own adds
// its settings and its metrics over all transfers.
type Sink struct {
	Port      int           `key:"port" doc:"Port to listen on." required:"true" min:"1" max:"65535" example:"5001"`
	Backlog   int           `key:"backlog" doc:"Backlog of listen(2)." default:"128" min:"0"`
	RcvBuf    quantity.Size `key:"rcvbuf" doc:"SO_RCVBUF of accepted connections; left out, the stack's."`
	Keepalive bool          `key:"keepalive" doc:"SO_KEEPALIVE on accepted connections." default:"false"`

	Socket Socket `key:"socket" doc:"Options of its sockets." example:"{tcp_window_clamp: 16KiB}"`

	ReadRate quantity.Bitrate `key:"read_rate" doc:"How fast the application reads from each connection; left out, it reads at once." example:"1Mbit/s"`
	ReadSize quantity.Size    `key:"read_size" doc:"How much it reads at a time if it has a read_rate." default:"4KiB" min:"1B"`
}

// defaultBacklog is the backlog of a sink that a bulk transfer makes.
const defaultBacklog = 128

// ListenPort is the port on which it accepts connections.
func (c *Sink) ListenPort() uint16 { return uint16(c.Port) }

// Build makes the workload.
func (c *Sink) Build(name string, on quantity.Host) (Workload, error) {
	if c.Port < 1 || c.Port > 65535 {
		return nil, fmt.Errorf("port: %d is not from 1 to 65535", c.Port)
	}
	if c.ReadRate > 0 && c.ReadSize < 1 {
		return nil, fmt.Errorf("read_size: %v is less than 1B", c.ReadSize)
	}
	if err := c.Socket.check(true); err != nil {
		return nil, err
	}
	s := &sink{base: base{name: name, on: on}, config: *c, explicit: true, reader: c.Socket.reader()}
	s.options = tcpmodel.SocketOptions{Keepalive: c.Keepalive, RcvBuf: int(c.RcvBuf)}
	c.Socket.apply(&s.options)
	return s, nil
}

type sink struct {
	base
	reader
	options  tcpmodel.SocketOptions
	config   Sink
	world    *World
	explicit bool // has a name and metrics
	total    *measure.Transfer
	accepted *measure.Counter
	listener *tcpmodel.Listener
	conns    slots[sinkConn]
	reads    waits // of a slow reader, for its next read
	// expected has the flows whose connection is not accepted yet, by the
	// address of the sender. It is only looked up.
	expected map[remote]*flow
}

type remote struct {
	node segment.Node
	port uint16
}

// flow is one connection of a bulk transfer as the receiver sees it.
type flow struct {
	bulk     *bulk
	received uint64
	ended    bool
}

type sinkConn struct {
	ep     *tcpmodel.Endpoint
	flow   *flow
	closed bool
	waits  bool // for the next read
}

func (s *sink) prepare(w *World) error {
	return w.addService(&service{at: quantity.Address{Host: s.on, Port: uint16(s.config.Port)}, name: s.name, sink: s})
}

func (s *sink) start(w *World) error {
	if err := s.begin(w); err != nil {
		return err
	}
	if s.explicit {
		s.accepted = w.events("sink", s.name, "accepted")
		s.total = share(w, s.name, "goodput", func() *measure.Transfer { return w.Recorder.Transfer("sink", s.name) })
	}
	return s.listen(w)
}

func (s *sink) listen(w *World) error {
	s.world, s.expected = w, make(map[remote]*flow)
	s.record.Listens()
	w.Recorder.OnFinish(s.snapshot)
	if s.slow() {
		s.reads = newWaits(s.sim, s.component, s, 0, max(1, des.Time(8e9*int64(s.config.ReadSize)/int64(s.config.ReadRate))))
	}
	var err error
	if s.listener, err = s.base.listen(uint16(s.config.Port), s.config.Backlog, s, s.options); err != nil {
		return fmt.Errorf("listen on port %d: %w", s.config.Port, err)
	}
	return nil
}

// slow reports whether the application takes its time to read.
func (s *sink) slow() bool { return s.config.ReadRate > 0 }

// HandleTimer reads a piece of the connections whose turn it is.
func (s *sink) HandleTimer(now des.Time, _ uint64) {
	for w, ok := s.reads.due(now); ok; w, ok = s.reads.due(now) {
		c := &s.conns.rows[w.slot]
		if s.conns.generations[w.slot] != w.generation || c.ep == nil || c.closed {
			continue
		}
		c.waits = false
		s.deliver(now, c, c.ep.Read(int(s.config.ReadSize)))
		s.await(now, w.slot)
		s.finish(now, c, 0)
	}
}

// await has the next piece of connection i read when its time comes.
func (s *sink) await(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	if !c.waits && c.ep.Readable() > 0 {
		c.waits = true
		s.reads.add(now, i, s.conns.generations[i])
	}
}

// finish ends the use of a connection that has nothing more to read.
func (s *sink) finish(now des.Time, c *sinkConn, ev tcpmodel.Events) {
	if ev&(tcpmodel.EvFailed|tcpmodel.EvReleased) == 0 && !c.ep.EOF() {
		return
	}
	if c.flow != nil {
		c.flow.end(now)
	}
	if !c.closed && ev&tcpmodel.EvReleased == 0 {
		c.closed = true
		c.ep.Close()
	}
}

// expect says which transfer the connection from an address belongs to.
func (s *sink) expect(node segment.Node, port uint16, f *flow) {
	s.expected[remote{node, port}] = f
}

// HandleAcceptable accepts at once.
func (s *sink) HandleAcceptable(now des.Time, l *tcpmodel.Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		i := s.conns.take()
		c := ep.Conn()
		node, port := s.world.origin(c.Remote, c.RemotePort)
		from := remote{node, port}
		s.conns.rows[i] = sinkConn{ep: ep, flow: s.expected[from]}
		delete(s.expected, from)
		ep.SetApp(s, uint64(i))
		if s.explicit {
			s.accepted.Add(1)
			s.total.Begin(now)
		}
	}
}

// HandleEvents reads what arrives.
func (s *sink) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	i := uint32(ep.Tag())
	c := &s.conns.rows[i]
	if ev&tcpmodel.EvReadable != 0 {
		if s.slow() {
			s.await(now, i)
		} else {
			s.deliver(now, c, int(s.drain(ep)))
		}
	}
	s.finish(now, c, ev)
	if ev&tcpmodel.EvReleased != 0 {
		s.record.Snapshot(ep.Conn(), ep.Stats())
		c.ep, c.flow = nil, nil
		s.conns.release(i)
	}
}

func (s *sink) deliver(now des.Time, c *sinkConn, n int) {
	if s.explicit {
		s.total.Deliver(n)
	}
	if c.flow != nil {
		c.flow.deliver(now, n)
	}
}

func (s *sink) snapshot(des.Time) {
	for i := range s.conns.rows {
		if ep := s.conns.rows[i].ep; ep != nil {
			s.record.Snapshot(ep.Conn(), ep.Stats())
		}
	}
}

// sinkAt returns the sink at an address, a new one if nothing listens there.
func (w *World) sinkAt(at quantity.Address) (*sink, error) {
	if found := w.service(at); found != nil {
		if found.sink == nil {
			return nil, fmt.Errorf("to: workload %s at %s is no sink (give the transfer a port of its own)", found.name, at)
		}
		return found.sink, nil
	}
	s := &sink{base: base{name: "sink of " + at.String(), on: at.Host}, config: Sink{Port: int(at.Port), Backlog: defaultBacklog}}
	if err := s.prepare(w); err != nil {
		return nil, err
	}
	w.processes = append(w.processes, s)
	return s, s.start(w)
}
