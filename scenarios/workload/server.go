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
	Response   quantity.Sizes     `key:"response" doc:"Size of the response to each request." default:"1kB"`
	Think      quantity.Durations `key:"think" doc:"Time that the work on a request takes, from its last byte to the first of the response." default:"0s"`
	Workers    int                `key:"workers" doc:"How many workers there are; 0 is as many as are needed." default:"0" min:"0"`
	WorkerFor  string             `key:"worker_for" doc:"What a worker is taken for: a connection, from its accept until the server closes it (others wait in the accept queue), or a request that has arrived in full (others wait in the application)." default:"connection" enum:"connection,request"`
	Accept     *bool              `key:"accept" doc:"false: the application never accepts a connection."`
	AcceptRate quantity.Frequency `key:"accept_rate" doc:"Connections that the server accepts per second; left out, it accepts at once." example:"100/s"`
	Idle       quantity.Duration  `key:"idle_timeout" doc:"How long the server waits for a request, or the rest of one, before it closes the connection; 0s is for ever." default:"0s"`
	Close      string             `key:"close" doc:"Who closes first: the server after its response, or the client; never: the server does not close at all." default:"server" enum:"server,client,never"`
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
	if c.Request < 0 || c.AcceptRate < 0 || c.Workers < 0 || c.Idle < 0 {
		return nil, fmt.Errorf("request, accept_rate, workers and idle_timeout: must not be negative")
	}
	if c.Close == "" {
		c.Close = "server"
	}
	if err := c.Socket.check(true); err != nil {
		return nil, err
	}
	s := &server{base: base{name: name, on: on}, config: *c, reader: c.Socket.reader()}
	s.options.Keepalive = c.Keepalive
	c.Socket.apply(&s.options)
	return s, nil
}

// Which timer of a server fired; from serverConnection on that of a connection.
const (
	serverAccept = iota
	serverThink
	serverConnection
)

type server struct {
	base
	reader
	options  tcpmodel.SocketOptions
	config   Server
	request  int64 // 0: the server speaks first
	varies   bool  // requests vary in size and are announced
	never    bool  // accepts nothing
	world    *World
	period   des.Time
	listener *tcpmodel.Listener
	accept   des.Timer
	mayTake  des.Time // when the next accept is due, with an accept rate
	think    variate
	thinking waits // where all work takes equally long and nobody waits for a worker
	response variate
	conns    slots[serverConn]
	working  int       // workers that are taken, or requests in work
	line     []waiting // requests that wait for a worker, from lineHead on
	lineHead int

	accepted, served, failed *measure.Counter
	timedOut                 *measure.Counter
	busy, waiting            *measure.Gauge
	queued                   int // last known length of the accept queue
}

// serverConn is an accepted connection.
type serverConn struct {
	ep      *tcpmodel.Endpoint
	timer   connTimer
	got     int64 // bytes of the request that is coming in
	want    int64 // its size, if that varies; 0 for not known yet
	owed    int64 // bytes of responses yet to be written
	heard   des.Time
	pending int32 // requests being thought about, or waiting for it
	open    int32 // responses not written in full
	working bool  // on one of them, with the timer
	holds   bool  // a worker is taken by the connection
	eof     bool
	closed  bool
}

func (s *server) prepare(w *World) error {
	return w.addService(&service{
		at: quantity.Address{Host: s.on, Port: uint16(s.config.Port)}, name: s.name,
		response: s.config.Response, serverCloses: s.config.Close == "server", told: s.config.Request > 0,
	})
}

func (s *server) start(w *World) error {
	if err := s.begin(w); err != nil {
		return err
	}
	at := quantity.Address{Host: s.on, Port: uint16(s.config.Port)}
	if s.request = int64(s.config.Request); s.request == 0 {
		var err error
		if s.request, s.varies, err = w.requestSize(at); err != nil {
			return err
		}
	}
	if err := s.draws(w); err != nil {
		return err
	}
	s.accepted = w.events("server", s.name, "accepted")
	s.served = w.events("server", s.name, "served")
	s.failed = w.count("server", s.name, "failed")
	s.timedOut = w.count("server", s.name, "timed_out")
	s.busy = share(w, s.name, "busy", func() *measure.Gauge { return w.Recorder.Level("server", s.name, "busy") })
	s.waiting = share(w, s.name, "waiting", func() *measure.Gauge { return w.Recorder.Level("server", s.name, "waiting") })
	s.record.Listens()
	s.thinking = newWaits(s.sim, s.component, s, serverThink, des.Time(s.config.Think.A))
	if s.config.AcceptRate > 0 || s.config.Workers > 0 {
		s.accept = s.sim.NewTimer(s.component, s, serverAccept)
	}
	if s.config.AcceptRate > 0 {
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
	s.acceptMore(now)
}

// acceptMore accepts what waits, as far as rate and workers allow.
func (s *server) acceptMore(now des.Time) {
	switch {
	case s.listener == nil:
		return
	case s.never:
	case s.config.AcceptRate == 0:
		for s.free() {
			ep := s.listener.Accept()
			if ep == nil {
				break
			}
			s.take(now, ep)
		}
		if s.config.Workers == 0 {
			return // nothing ever waits
		}
	case s.free() && s.listener.AcceptQueue() > 0 && !s.sim.Armed(s.accept):
		s.sim.Arm(s.accept, max(now, s.mayTake))
	}
	s.countQueue(now)
}

// countQueue brings the recorded length of the accept queue up to date.
func (s *server) countQueue(now des.Time) {
	n := s.listener.AcceptQueue()
	s.record.AcceptQueue().Add(now, n-s.queued)
	s.queued = n
}

// HandleTimer runs the accept rate and the think time.
func (s *server) HandleTimer(now des.Time, which uint64) {
	switch which {
	case serverAccept:
		if s.config.AcceptRate > 0 && s.free() {
			if ep := s.listener.Accept(); ep != nil {
				s.take(now, ep)
				s.mayTake = now + s.period
			}
		}
		s.acceptMore(now)
	case serverThink:
		for w, ok := s.thinking.due(now); ok; w, ok = s.thinking.due(now) {
			s.work(now, -1)
			if s.conns.generations[w.slot] == w.generation {
				s.conns.rows[w.slot].pending--
				s.respond(now, w.slot)
			}
		}
	default:
		s.wake(now, uint32(which-serverConnection))
	}
}

func (s *server) take(now des.Time, ep *tcpmodel.Endpoint) {
	i := s.conns.take()
	c := &s.conns.rows[i]
	*c = serverConn{ep: ep, timer: c.timer, heard: now}
	ep.SetApp(s, uint64(i))
	if s.config.Workers > 0 && s.config.WorkerFor != "request" {
		c.holds = true
		s.work(now, 1)
	}
	s.accepted.Add(1)
	s.record.Accepted(now, ep)
	if s.request == 0 {
		s.asked(now, i)
	}
	s.watch(now, i)
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
		s.write(now, i)
	}
	if ev&tcpmodel.EvFailed != 0 {
		s.failed.Add(1)
		s.close(now, i)
	}
	if !c.closed && (c.eof || ep.EOF()) {
		c.eof = true
		s.finish(now, i)
	}
	if ev&tcpmodel.EvReleased != 0 {
		s.record.Released(ep.Conn(), ep.Stats())
		s.forget(now, i)
		c.ep = nil
		s.conns.release(i)
	}
}

// read takes what has arrived and starts on every request that is complete.
func (s *server) read(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	c.got += s.drain(c.ep)
	c.heard = now
	if s.varies {
		s.readAnnounced(now, i)
		return
	}
	if s.request == 0 {
		return
	}
	for c.got >= s.request {
		c.got -= s.request
		s.asked(now, i)
	}
}

// readAnnounced is read where requests vary in size. A client sends one after
// the other, and says of each how long it is.
func (s *server) readAnnounced(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	_, in, known := c.ep.Streams()
	for known && c.got > 0 {
		if c.want = s.world.announced(in); c.want <= 0 || c.got < c.want {
			return
		}
		c.got -= c.want
		s.asked(now, i)
	}
}

func (s *server) respond(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	if c.closed {
		return
	}
	size := s.response.next()
	if !s.response.fixed() {
		out, _, _ := c.ep.Streams()
		s.world.announce(out, size)
	}
	c.owed += size
	c.open++
	s.write(now, i)
}

// write gives the stack what it takes of the responses.
func (s *server) write(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	if c.open == 0 || c.closed {
		return
	}
	if c.owed -= put(c.ep, c.owed); c.owed > 0 {
		return
	}
	s.served.Add(uint64(c.open))
	c.open = 0
	if s.config.Close == "server" || c.eof {
		s.finish(now, i)
	}
	s.watch(now, i)
}

// finish closes when nothing is left to do.
func (s *server) finish(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	if c.closed || c.open > 0 || c.pending > 0 || s.config.Close == "never" {
		return
	}
	if s.config.HalfClose && !c.eof {
		c.ep.Shutdown()
		return
	}
	s.close(now, i)
}

// close ends the use of connection i, once, and lets go of what it holds.
func (s *server) close(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	s.forget(now, i)
	if !c.closed {
		c.closed = true
		c.ep.Close()
	}
}
