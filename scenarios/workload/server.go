package workload

import (
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
)

// Server is the configuration of a server: for each request it writes a
// response.
type Server struct {
	Port       int                `key:"port" doc:"Port to listen on." required:"true" min:"1" max:"65535" example:"80"`
	Backlog    int                `key:"backlog" doc:"Backlog of listen(2)." default:"128" min:"0"`
	Request    quantity.Size      `key:"request" doc:"Size of a request; left out, that of the workloads directed at the server. Of 0B, the server speaks first."`
	Response   quantity.Size      `key:"response" doc:"Size of the response to each request." default:"1kB"`
	Think      quantity.Duration  `key:"think" doc:"Time from the last byte of a request to the first of the response." default:"0s"`
	AcceptRate quantity.Frequency `key:"accept_rate" doc:"Connections that the server accepts per second; left out, it accepts at once." example:"100/s"`
	Close      string             `key:"close" doc:"Who closes first: the server after its response, or the client." default:"server" enum:"server,client"`
	HalfClose  bool               `key:"half_close" doc:"The server shuts down only its direction and goes on reading until the client closes." default:"false"`
	Keepalive  bool               `key:"keepalive" doc:"SO_KEEPALIVE on accepted connections." default:"false"`
	Socket     Socket             `key:"socket" doc:"Options of its sockets." example:"{tcp_defer_accept: 5s}"`
}

// ListenPort is the port on which it accepts connections.
func (c *Server) ListenPort() uint16 { return uint16(c.Port) }

// Build makes the workload.
func (c *Server) Build(name string, on quantity.Host) (Workload, error) {
	if c.Port < 1 || c.Port > 65535 {
		return nil, fmt.Errorf("port: %d is not from 1 to 65535", c.Port)
	}
	if c.Response < 0 || c.Request < 0 || c.Think < 0 || c.AcceptRate < 0 {
		return nil, fmt.Errorf("request, response, think and accept_rate: must not be negative")
	}
	if err := c.Socket.check(true); err != nil {
		return nil, err
	}
	s := &server{base: base{name: name, on: on}, config: *c, reader: c.Socket.reader()}
	s.options.Keepalive = c.Keepalive
	c.Socket.apply(&s.options)
	return s, nil
}

// Which timer of a server fired.
const (
	serverAccept = iota
	serverThink
)

type server struct {
	base
	reader
	options  tcpmodel.SocketOptions
	config   Server
	request  int64 // 0: the server speaks first
	period   des.Time
	listener *tcpmodel.Listener
	accept   des.Timer
	mayTake  des.Time // when the next accept is due, with an accept rate
	thinking waits
	conns    slots[serverConn]

	accepted, served, failed *measure.Counter
	queued                   int // last known length of the accept queue
}

// serverConn is an accepted connection.
type serverConn struct {
	ep      *tcpmodel.Endpoint
	got     int64 // bytes of the request that is coming in
	owed    int64 // bytes of responses yet to be written
	pending int32 // requests being thought about
	open    int32 // responses not written in full
	eof     bool
	closed  bool
}

func (s *server) prepare(w *World) error {
	return w.addService(&service{
		at: quantity.Address{Host: s.on, Port: uint16(s.config.Port)}, name: s.name,
		response: int64(s.config.Response), serverCloses: s.config.Close != "client",
	})
}

func (s *server) start(w *World) error {
	if err := s.begin(w); err != nil {
		return err
	}
	at := quantity.Address{Host: s.on, Port: uint16(s.config.Port)}
	if s.request = int64(s.config.Request); s.request == 0 {
		size, err := w.requestSize(at)
		if err != nil {
			return err
		}
		s.request = size
	}
	s.accepted = w.events("server", s.name, "accepted")
	s.served = w.events("server", s.name, "served")
	s.failed = w.count("server", s.name, "failed")
	s.record.Listens()
	s.thinking = newWaits(s.sim, s.component, s, serverThink, des.Time(s.config.Think))
	if s.config.AcceptRate > 0 {
		s.accept = s.sim.NewTimer(s.component, s, serverAccept)
		s.period, _, _ = period(float64(s.config.AcceptRate))
	}
	l, err := s.listen(uint16(s.config.Port), s.config.Backlog, s, s.options)
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", s.config.Port, err)
	}
	s.listener = l
	w.Recorder.OnFinish(s.snapshot)
	return nil
}

// HandleAcceptable accepts, at once or when the accept rate allows.
func (s *server) HandleAcceptable(now des.Time, l *tcpmodel.Listener) {
	if l != s.listener {
		return // of a process that is gone
	}
	if s.config.AcceptRate == 0 {
		for ep := l.Accept(); ep != nil; ep = l.Accept() {
			s.take(now, ep)
		}
		return
	}
	s.countQueue(now)
	if !s.sim.Armed(s.accept) {
		s.sim.Arm(s.accept, max(now, s.mayTake))
	}
}

// countQueue brings the recorded length of the accept queue up to date.
func (s *server) countQueue(now des.Time) {
	n := s.listener.AcceptQueue()
	s.record.AcceptQueue().Add(now, n-s.queued)
	s.queued = n
}

// HandleTimer runs the accept rate and the think time.
func (s *server) HandleTimer(now des.Time, which uint64) {
	if which == serverThink {
		for w, ok := s.thinking.due(now); ok; w, ok = s.thinking.due(now) {
			if s.conns.generations[w.slot] == w.generation {
				s.conns.rows[w.slot].pending--
				s.respond(w.slot)
			}
		}
		return
	}
	if ep := s.listener.Accept(); ep != nil {
		s.take(now, ep)
		s.mayTake = now + s.period
	}
	s.countQueue(now)
	if s.queued > 0 {
		s.sim.Arm(s.accept, s.mayTake)
	}
}

func (s *server) take(now des.Time, ep *tcpmodel.Endpoint) {
	i := s.conns.take()
	s.conns.rows[i] = serverConn{ep: ep}
	ep.SetApp(s, uint64(i))
	s.accepted.Add(1)
	if s.request == 0 {
		s.asked(now, i)
	}
}

// HandleEvents serves a connection.
func (s *server) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	i := uint32(ep.Tag())
	c := &s.conns.rows[i]
	c.closed = c.closed || ev&tcpmodel.EvReleased != 0
	if ev&tcpmodel.EvReadable != 0 {
		s.read(now, i)
	}
	if ev&tcpmodel.EvWritable != 0 {
		s.write(i)
	}
	if ev&tcpmodel.EvFailed != 0 {
		s.failed.Add(1)
		if !c.closed {
			c.closed = true
			ep.Close()
		}
	}
	if !c.closed && (c.eof || ep.EOF()) {
		c.eof = true
		s.finish(i)
	}
	if ev&tcpmodel.EvReleased != 0 {
		s.record.Snapshot(ep.Conn(), ep.Stats())
		c.ep = nil
		s.conns.release(i)
	}
}

// read takes what has arrived and starts on every request that is complete.
func (s *server) read(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	c.got += s.drain(c.ep)
	if s.request == 0 {
		return
	}
	for c.got >= s.request {
		c.got -= s.request
		s.asked(now, i)
	}
}

// asked begins to work on a request.
func (s *server) asked(now des.Time, i uint32) {
	if s.config.Think > 0 {
		s.conns.rows[i].pending++
		s.thinking.add(now, i, s.conns.generations[i])
		return
	}
	s.respond(i)
}

func (s *server) respond(i uint32) {
	c := &s.conns.rows[i]
	if c.closed {
		return
	}
	c.owed += int64(s.config.Response)
	c.open++
	s.write(i)
}

// write gives the stack what it takes of the responses.
func (s *server) write(i uint32) {
	c := &s.conns.rows[i]
	if c.open == 0 || c.closed {
		return
	}
	if c.owed -= put(c.ep, c.owed); c.owed > 0 {
		return
	}
	s.served.Add(uint64(c.open))
	c.open = 0
	if s.config.Close != "client" || c.eof {
		s.finish(i)
	}
}

// finish closes when nothing is left to do.
func (s *server) finish(i uint32) {
	c := &s.conns.rows[i]
	if c.closed || c.open > 0 || c.pending > 0 {
		return
	}
	if s.config.HalfClose && !c.eof {
		c.ep.Shutdown()
		return
	}
	c.closed = true
	c.ep.Close()
}

func (s *server) snapshot(des.Time) {
	for i := range s.conns.rows {
		if ep := s.conns.rows[i].ep; ep != nil {
			s.record.Snapshot(ep.Conn(), ep.Stats())
		}
	}
}

// put writes up to n bytes and returns how many the stack took.
func put(ep *tcpmodel.Endpoint, n int64) int64 {
	if n == 0 {
		return 0
	}
	return int64(ep.Write(int(min(n, 1<<30))))
}
