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

// RequestResponse is the configuration of connections that stay open and carry
// one request after the other.
type RequestResponse struct {
	To          quantity.Address   `key:"to" doc:"Host and port to connect to." required:"true"`
	Connections int                `key:"connections" doc:"Connections side by side." default:"1" min:"1"`
	Requests    int                `key:"requests" doc:"Requests on each connection, after which the client closes; 0 is no limit." default:"0" min:"0"`
	Request     quantity.Sizes     `key:"request" doc:"Size of a request." default:"100B"`
	Writes      int                `key:"writes" doc:"In how many pieces the application writes a request, one right after the other." default:"1" min:"1" max:"1000"`
	Think       quantity.Durations `key:"think" doc:"Time from a response to the next request." default:"0s"`
	From        quantity.Duration  `key:"from" doc:"When the connections are opened." default:"0s" instant:"true"`
	Until       quantity.Duration  `key:"until" doc:"When no more requests are sent; left out, the end of the run." instant:"true"`
	NoDelay     bool               `key:"nodelay" doc:"TCP_NODELAY at the client." default:"false"`
	Keepalive   bool               `key:"keepalive" doc:"SO_KEEPALIVE on the connections." default:"false"`
	Socket      Socket             `key:"socket" doc:"Options of its sockets." example:"{tcp_user_timeout: 30s}"`
}

// Flows is the number of its connections, which figures may name.
func (c *RequestResponse) Flows() (n int, shown bool) { return c.Connections, false }

// Build makes the workload.
func (c *RequestResponse) Build(name string, on quantity.Host) (Workload, error) {
	if c.Request.Zero() {
		return nil, errors.New("request: must be more than 0B")
	}
	if c.Connections < 1 || c.Requests < 0 {
		return nil, errors.New("connections: at least 1; requests: not negative")
	}
	if c.Until != 0 && c.Until <= c.From {
		return nil, fmt.Errorf("until: %v is not after from (%v)", c.Until, c.From)
	}
	if err := c.Socket.check(false); err != nil {
		return nil, err
	}
	q := &requests{base: base{name: name, on: on}, config: *c, reader: c.Socket.reader()}
	q.options.NoDelay, q.options.Keepalive = c.NoDelay, c.Keepalive
	c.Socket.apply(&q.options)
	return q, nil
}

// requestsOpen is the argument of the timer that opens the connections; those
// of the think times have the number of their connection.
const requestsOpen = ^uint64(0)

type requests struct {
	base
	reader
	options  tcpmodel.SocketOptions
	config   RequestResponse
	node     segment.Node
	expected int64
	last     des.Time
	timer    des.Timer
	think    variate
	sizes    variate
	world    *World
	varies   bool // the size of the response does
	// announces: sizes of requests vary.
	announces bool
	conns     []requestConn
	attempts  *measure.Attempts
	log       *measure.Turnaround
}

// requestConn is one of the connections.
type requestConn struct {
	ep        *tcpmodel.Endpoint
	timer     des.Timer
	attempt   int
	asked     des.Time
	unwritten int64
	got       int64
	want      int64 // size of the response, -1 for not known yet
	sent      int
	waiting   bool // for a response
	closed    bool
}

func (q *requests) prepare(w *World) error {
	w.asks = append(w.asks, ask{q.config.To, q.name, q.config.Request})
	return nil
}

func (q *requests) start(w *World) (err error) {
	if err = q.begin(w); err != nil {
		return err
	}
	if q.node, err = w.peer(q.config.To); err != nil {
		return err
	}
	if s := w.service(q.config.To); s != nil {
		if s.serverCloses && q.config.Requests != 1 && s.sink == nil {
			return fmt.Errorf("to: server %s closes after its first response (give it close: client)", s.name)
		}
		fixed, constant := s.response.Fixed()
		q.expected, q.varies = int64(fixed), !constant
	}
	if q.expected == 0 && !q.varies {
		return fmt.Errorf("to: nothing at %s gives responses", q.config.To)
	}
	q.attempts = w.attempts("request_response", q.name, false)
	q.log = share(w, q.name, "requests", func() *measure.Turnaround { return w.Recorder.Turnaround("request_response", q.name) })
	q.last = q.end(q.config.Until)
	q.band(w, q.config.From, q.last)
	q.world = w
	if q.announces, err = w.announces(q.config.To); err != nil {
		return err
	}
	if q.think, err = w.newDurations(q.config.Think, q.sim.Stream(q.label+"/think")); err != nil {
		return fmt.Errorf("think: %w", err)
	}
	if q.sizes, err = w.newSizes(q.config.Request, q.sim.Stream(q.label+"/requests")); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	q.conns = make([]requestConn, q.config.Connections)
	for i := range q.conns {
		q.conns[i].timer = q.sim.NewTimer(q.component, q, uint64(i))
	}
	q.timer = q.sim.NewTimer(q.component, q, requestsOpen)
	if des.Time(q.config.From) < q.last {
		q.sim.Arm(q.timer, des.Time(q.config.From))
	}
	w.Recorder.OnFinish(q.snapshot)
	return nil
}

// HandleTimer opens the connections, and sends the next request when the user
// has thought.
func (q *requests) HandleTimer(now des.Time, which uint64) {
	if which == requestsOpen {
		if q.down() {
			return
		}
		for i := range q.conns {
			q.open(now, i)
		}
		return
	}
	q.ask(now, int(which))
}

func (q *requests) open(now des.Time, i int) {
	c := &q.conns[i]
	c.attempt = q.attempts.Start(now)
	q.options.Tag = uint64(i)
	ep, err := q.stack.Connect(q.node, q.config.To.Port, q, q.options)
	if err != nil {
		q.attempts.Fail(c.attempt, outcomeOf(err))
		c.closed = true
		return
	}
	c.ep = ep
	q.follow(now, q.member*q.config.Connections+i, ep)
	if _, waits := ep.FastOpenWaits(); waits {
		q.ask(now, i)
	}
}

// follow says that a connection has been opened, and which end sends more.
func (q *requests) follow(now des.Time, index int, ep *tcpmodel.Endpoint) {
	size, constant := q.config.Request.Fixed()
	if q.varies || !constant || q.expected >= int64(size) {
		q.record.Asked(q.name, index, ep)
		return
	}
	q.record.Opened(now, q.name, index, ep)
}

// ask sends a request, or closes when there are to be no more.
func (q *requests) ask(now des.Time, i int) {
	c := &q.conns[i]
	if c.closed {
		return
	}
	if now >= q.last || q.config.Requests > 0 && c.sent >= q.config.Requests {
		q.close(c)
		return
	}
	c.sent++
	c.asked, c.waiting, c.got = now, true, 0
	c.unwritten, c.want = q.sizes.next(), q.expected
	if q.varies {
		c.want = -1
	}
	if q.announces {
		out, _, _ := c.ep.Streams()
		q.world.announce(out, c.unwritten)
	}
	q.log.Request()
	piece := max(1, c.unwritten/int64(max(1, q.config.Writes)))
	for range q.config.Writes - 1 {
		c.unwritten -= put(c.ep, min(piece, c.unwritten))
	}
	c.unwritten -= put(c.ep, c.unwritten)
}

// HandleEvents runs a connection.
func (q *requests) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	i := int(ep.Tag())
	c := &q.conns[i]
	if ev&tcpmodel.EvReleased != 0 {
		c.closed = true
		q.sim.Stop(c.timer)
	}
	if ev&tcpmodel.EvConnected != 0 && !c.closed {
		q.attempts.Connect(c.attempt, now, ep.Stats().Retransmits)
		if c.sent == 0 {
			q.ask(now, i)
		}
	}
	if ev&tcpmodel.EvWritable != 0 && !c.closed {
		c.unwritten -= put(ep, c.unwritten)
	}
	if ev&tcpmodel.EvReadable != 0 {
		q.read(now, i)
	}
	if ev&tcpmodel.EvFailed != 0 {
		q.attempts.Fail(c.attempt, outcomeOf(ep.Err()))
		q.close(c)
	}
	if !c.closed && ep.EOF() {
		q.attempts.Fail(c.attempt, measure.Broken)
		q.close(c)
	}
	if ev&tcpmodel.EvReleased != 0 {
		q.record.Released(ep.Conn(), ep.Stats())
		c.ep = nil
	}
}

func (q *requests) read(now des.Time, i int) {
	c := &q.conns[i]
	c.got += q.drain(c.ep)
	if c.want < 0 {
		if _, in, ok := c.ep.Streams(); ok {
			c.want = q.world.announced(in)
		}
	}
	if !c.waiting || c.want <= 0 || c.got < c.want {
		return
	}
	c.waiting = false
	q.log.Response(now, c.asked)
	if q.config.Requests > 0 && c.sent >= q.config.Requests {
		q.attempts.Respond(c.attempt, now)
		q.close(c)
		return
	}
	if c.closed {
		return
	}
	if q.config.Think.Zero() {
		q.ask(now, i)
		return
	}
	q.sim.Arm(c.timer, now+des.Time(q.think.next()))
}

func (q *requests) close(c *requestConn) {
	if c.closed {
		return
	}
	c.closed = true
	q.sim.Stop(c.timer)
	c.ep.Close()
}

func (q *requests) snapshot(des.Time) {
	for i := range q.conns {
		if ep := q.conns[i].ep; ep != nil {
			q.record.Snapshot(ep.Conn(), ep.Stats())
		}
	}
}
