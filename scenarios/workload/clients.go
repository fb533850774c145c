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

// Clients is the configuration of clients that connect again and again, each
// time for one request.
type Clients struct {
	To              quantity.Address  `key:"to" doc:"Host and port to connect to." required:"true"`
	Arrivals        quantity.Arrivals `key:"arrivals" doc:"When attempts start: a law and a rate." required:"true"`
	From            quantity.Duration `key:"from" doc:"When the first attempts may start." default:"0s" instant:"true"`
	Until           quantity.Duration `key:"until" doc:"When no more attempts start; left out, the end of the run." instant:"true"`
	Limit           int               `key:"limit" doc:"Number of attempts after which no more start; 0 is no limit." default:"0" min:"0"`
	Request         quantity.Size     `key:"request" doc:"Size of the request; 0B sends none." default:"100B"`
	Timeout         quantity.Duration `key:"timeout" doc:"Time after which the application gives up connecting; 0s leaves that to the stack." default:"0s"`
	ResponseTimeout quantity.Duration `key:"response_timeout" doc:"Time from the connection to the whole response after which the application gives up; 0s is never." default:"0s"`
	Close           string            `key:"close" doc:"Who closes first: as the server says (auto), the server, the client once it has the response, or the client with a RST (abort)." default:"auto" enum:"auto,server,client,abort"`
	HalfClose       bool              `key:"half_close" doc:"The client shuts down its direction after the request and goes on reading." default:"false"`
	Keepalive       bool              `key:"keepalive" doc:"SO_KEEPALIVE on the connections." default:"false"`
	Socket          Socket            `key:"socket" doc:"Options of its sockets." example:"{tcp_user_timeout: 30s}"`
}

// Build makes the workload.
func (c *Clients) Build(name string, on quantity.Host) (Workload, error) {
	if c.Request < 0 || c.Timeout < 0 || c.ResponseTimeout < 0 || c.Limit < 0 {
		return nil, errors.New("request, timeout, response_timeout and limit: must not be negative")
	}
	if c.Until != 0 && c.Until <= c.From {
		return nil, fmt.Errorf("until: %v is not after from (%v)", c.Until, c.From)
	}
	if _, err := newGaps(c.Arrivals.Law, c.Arrivals.Rate, 0, nil); err != nil {
		return nil, fmt.Errorf("arrivals: %w", err)
	}
	if err := c.Socket.check(false); err != nil {
		return nil, err
	}
	made := &clients{base: base{name: name, on: on}, config: *c, reader: c.Socket.reader()}
	made.options.Keepalive = c.Keepalive
	c.Socket.apply(&made.options)
	return made, nil
}

// Which timer of clients fired.
const (
	clientArrival = iota
	clientConnectTimeout
	clientResponseTimeout
)

type clients struct {
	base
	reader
	options  tcpmodel.SocketOptions
	config   Clients
	node     segment.Node
	expected int64 // size of the response
	closes   string
	arrival  des.Timer
	gaps     gaps
	last     des.Time // no attempt starts from then on
	connect  waits
	response waits
	conns    slots[clientConn]
	attempts *measure.Attempts
	started  int // attempts
}

// clientConn is an attempt that has an endpoint.
type clientConn struct {
	ep        *tcpmodel.Endpoint
	attempt   int
	unwritten int64
	got       int64
	connected bool
	done      bool // has the whole response
	closed    bool
}

func (c *clients) prepare(w *World) error {
	w.asks = append(w.asks, ask{c.config.To, c.name, int64(c.config.Request)})
	return nil
}

func (c *clients) start(w *World) (err error) {
	if err = c.begin(w); err != nil {
		return err
	}
	if c.node, err = w.peer(c.config.To); err != nil {
		return err
	}
	c.closes = c.config.Close
	if s := w.service(c.config.To); s != nil {
		c.expected = s.response
		if c.closes == "" || c.closes == "auto" {
			c.closes = "client"
			if s.serverCloses {
				c.closes = "server"
			}
		}
	}
	if s := w.service(c.config.To); s != nil && c.closes == "server" && !s.serverCloses && !c.config.HalfClose {
		return fmt.Errorf("close: neither end would close first (workload %s has close: client)", s.name)
	}
	c.attempts = w.attempts("clients", c.name, c.expected > 0)
	c.connect = newWaits(c.sim, c.component, c, clientConnectTimeout, des.Time(c.config.Timeout))
	c.response = newWaits(c.sim, c.component, c, clientResponseTimeout, des.Time(c.config.ResponseTimeout))
	c.last = c.end(c.config.Until)
	c.band(w, c.config.From, c.last)
	c.gaps, err = newGaps(c.config.Arrivals.Law, c.config.Arrivals.Rate, des.Time(c.config.From), c.sim.Stream(c.label+"/arrivals"))
	if err != nil {
		return err
	}
	c.arrival = c.sim.NewTimer(c.component, c, clientArrival)
	c.armArrival()
	w.Recorder.OnFinish(c.snapshot)
	return nil
}

func (c *clients) armArrival() {
	if c.config.Limit > 0 && c.started >= c.config.Limit {
		return
	}
	if at := c.gaps.next(); at < c.last {
		c.sim.Arm(c.arrival, at)
	}
}

// HandleTimer starts attempts and ends those that took too long.
func (c *clients) HandleTimer(now des.Time, which uint64) {
	switch which {
	case clientArrival:
		if !c.down() {
			c.attempt(now)
		}
		c.armArrival()
	case clientConnectTimeout:
		for w, ok := c.connect.due(now); ok; w, ok = c.connect.due(now) {
			if c.conns.generations[w.slot] == w.generation && !c.conns.rows[w.slot].connected {
				c.giveUp(w.slot)
			}
		}
	case clientResponseTimeout:
		for w, ok := c.response.due(now); ok; w, ok = c.response.due(now) {
			if c.conns.generations[w.slot] == w.generation && !c.conns.rows[w.slot].done {
				c.giveUp(w.slot)
			}
		}
	}
}

func (c *clients) attempt(now des.Time) {
	n := c.attempts.Start(now)
	c.started++
	i := c.conns.take()
	c.conns.rows[i] = clientConn{attempt: n, unwritten: int64(c.config.Request)}
	c.options.Tag = uint64(i)
	ep, err := c.stack.Connect(c.node, c.config.To.Port, c, c.options)
	if err != nil {
		c.attempts.Fail(n, outcomeOf(err))
		c.conns.release(i)
		return
	}
	r := &c.conns.rows[i]
	r.ep = ep
	if _, waits := ep.FastOpenWaits(); waits {
		r.unwritten -= put(ep, r.unwritten)
	}
	if c.config.Timeout > 0 {
		c.connect.add(now, i, c.conns.generations[i])
	}
}

// giveUp ends attempt i as an application does that has waited long enough.
func (c *clients) giveUp(i uint32) {
	r := &c.conns.rows[i]
	if r.closed {
		return
	}
	c.attempts.Fail(r.attempt, measure.TimedOut)
	r.close()
}

// HandleEvents runs an attempt.
func (c *clients) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	i := uint32(ep.Tag())
	r := &c.conns.rows[i]
	r.closed = r.closed || ev&tcpmodel.EvReleased != 0
	if ev&tcpmodel.EvConnected != 0 && !r.closed {
		r.connected = true
		c.attempts.Connect(r.attempt, now, ep.Stats().Retransmits)
		if c.config.ResponseTimeout > 0 {
			c.response.add(now, i, c.conns.generations[i])
		}
		c.write(i)
	}
	if ev&tcpmodel.EvWritable != 0 && !r.closed && r.unwritten > 0 {
		c.write(i)
	}
	if ev&tcpmodel.EvReadable != 0 {
		c.read(now, i)
	}
	if ev&tcpmodel.EvFailed != 0 {
		c.attempts.Fail(r.attempt, outcomeOf(ep.Err()))
		r.close()
	}
	if !r.closed && ep.EOF() {
		if c.expected > 0 {
			c.attempts.Fail(r.attempt, measure.Broken)
		}
		r.close()
	}
	if ev&tcpmodel.EvReleased != 0 {
		c.record.Snapshot(ep.Conn(), ep.Stats())
		r.ep = nil
		c.conns.release(i)
	}
}

// write gives the stack what it takes of the request. If there is nothing to
// wait for, the whole request is the end.
func (c *clients) write(i uint32) {
	r := &c.conns.rows[i]
	r.unwritten -= put(r.ep, r.unwritten)
	switch {
	case r.unwritten > 0:
	case c.config.HalfClose:
		r.ep.Shutdown()
	case c.expected == 0 && c.closes != "server":
		c.complete(i)
	}
}

func (c *clients) read(now des.Time, i uint32) {
	r := &c.conns.rows[i]
	r.got += c.drain(r.ep)
	if r.done || c.expected == 0 || r.got < c.expected {
		return
	}
	c.attempts.Respond(r.attempt, now)
	c.complete(i)
}

// complete ends an attempt that has all that it wanted.
func (c *clients) complete(i uint32) {
	r := &c.conns.rows[i]
	r.done = true
	switch c.closes {
	case "server":
	case "abort":
		if !r.closed {
			r.closed = true
			r.ep.Abort()
		}
	default:
		r.close()
	}
}

// close ends the use of the endpoint, once. One that is released needs none.
func (r *clientConn) close() {
	if !r.closed {
		r.closed = true
		r.ep.Close()
	}
}

func (c *clients) snapshot(des.Time) {
	for i := range c.conns.rows {
		if ep := c.conns.rows[i].ep; ep != nil {
			c.record.Snapshot(ep.Conn(), ep.Stats())
		}
	}
}

// outcomeOf says what an error means to an attempt.
func outcomeOf(err error) measure.Outcome {
	var e tcpmodel.Errno
	if !errors.As(err, &e) {
		return measure.Broken
	}
	switch e {
	case tcpmodel.ECONNREFUSED:
		return measure.Refused
	case tcpmodel.ECONNRESET:
		return measure.Reset
	case tcpmodel.ETIMEDOUT:
		return measure.TimedOut
	case tcpmodel.EHOSTUNREACH, tcpmodel.ENETUNREACH:
		return measure.Unreachable
	case tcpmodel.EADDRNOTAVAIL:
		return measure.NoPort
	default:
		return measure.Broken
	}
}
