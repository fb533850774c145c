package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// errandConfig is what open and closed loops have in common.
type errandConfig struct {
	kind                     string
	to                       quantity.Address
	request                  quantity.Sizes
	from, until              quantity.Duration
	timeout, responseTimeout quantity.Duration
	retry                    Retry
	close                    string
	halfClose, keepalive     bool
	socket                   Socket
	// requests is how many a connection carries, 0 for no limit.
	requests int
	// answered: a request without a response makes no sense.
	answered bool
}

func newErrands(name string, on quantity.Host, c errandConfig) (*errands, error) {
	if c.timeout < 0 || c.responseTimeout < 0 {
		return nil, errors.New("timeout and response_timeout: must not be negative")
	}
	if err := errors.Join(checkTimes(c.from, c.until), c.retry.check(), c.socket.check(false)); err != nil {
		return nil, err
	}
	e := &errands{base: base{name: name, on: on}, config: c, reader: c.socket.reader()}
	e.options.Keepalive = c.keepalive
	c.socket.apply(&e.options)
	return e, nil
}

// The argument of a timer of errands: which of the queues of timeouts, or from
// errandAlarm on the number of a person.
const (
	errandConnectTimeout = iota
	errandResponseTimeout
	errandAlarm
)

// errands is people who want the response to a request each, and connect for
// it, again if an attempt fails. Who they are and what they do next is the
// business of an open or a closed loop.
type errands struct {
	base
	reader
	options  tcpmodel.SocketOptions
	config   errandConfig
	node     segment.Node
	opened   *int  // connections, of all members
	expected int64 // size of the response, unless it varies
	varies   bool
	// announces: sizes of requests vary, so that the server has to be told.
	announces bool
	closes    string
	world     *World
	sizes     variate
	last      des.Time // no errand starts from then on
	connect   waits
	response  waits
	conns     slots[errandConn]
	people    slots[person]
	backoff   *rand.Rand

	attempts   *measure.Attempts
	tasks      *measure.Tasks // nil where each is one attempt
	retries    *measure.Counter
	turnaround *measure.Turnaround // nil where a connection has one request
	// ended is told of errands that are over.
	ended func(now des.Time, who uint32, success bool)
}

// person is who has an errand.
type person struct {
	timer des.Timer
	armed bool // timer exists
	task  int
	tries int
	conn  uint32 // plus 1: that of the attempt, or one that is kept open; 0 is none
}

// errandConn is a connection of a person.
type errandConn struct {
	ep        *tcpmodel.Endpoint
	attempt   int
	who       uint32
	owned     bool // who still has to do with it
	asked     des.Time
	unwritten int64
	size      int64 // of the request
	got       int64
	want      int64 // size of the response, -1 for not known yet
	sent      int   // requests
	connected bool
	waiting   bool // for a response
	done      bool // the attempt has all that it wanted
	closed    bool
}

func (e *errands) prepare(w *World) error {
	w.asks = append(w.asks, ask{e.config.to, e.name, e.config.request})
	return nil
}

func (e *errands) start(w *World) (err error) {
	if err = e.base.begin(w); err != nil {
		return err
	}
	c := &e.config
	if e.node, err = w.peer(c.to); err != nil {
		return err
	}
	e.world = w
	if e.announces, err = w.announces(c.to); err != nil {
		return err
	}
	if err = e.meet(w.service(c.to)); err != nil {
		return err
	}
	if e.sizes, err = w.newSizes(c.request, e.sim.Stream(e.label+"/requests")); err != nil {
		return err
	}
	e.attempts = w.attempts(c.kind, e.name, e.expected > 0 || e.varies)
	e.declareTasks(w)
	e.backoff = e.sim.Stream(e.label + "/retries")
	e.connect = newWaits(e.sim, e.component, e, errandConnectTimeout, des.Time(c.timeout))
	e.response = newWaits(e.sim, e.component, e, errandResponseTimeout, des.Time(c.responseTimeout))
	e.last = e.end(c.until)
	e.band(w, c.from, e.last)
	w.Recorder.OnFinish(e.snapshot)
	e.opened = share(w, e.name, "opened", func() *int { return new(int) })
	return nil
}

// meet takes in what the server is known to do.
func (e *errands) meet(s *service) error {
	e.closes = e.config.close
	auto := e.closes == "" || e.closes == "auto"
	if s == nil {
		if e.config.answered {
			return fmt.Errorf("to: nothing at %s gives responses", e.config.to)
		}
		return nil
	}
	fixed, constant := s.response.Fixed()
	e.expected, e.varies = int64(fixed), !constant
	if auto {
		e.closes = "client"
		if s.serverCloses {
			e.closes = "server"
		}
	}
	switch {
	case e.closes == "server" && !s.serverCloses && !e.config.halfClose:
		return fmt.Errorf("close: neither end would close first (workload %s has close: client)", s.name)
	case e.config.answered && e.expected == 0 && !e.varies:
		return fmt.Errorf("to: nothing at %s gives responses", e.config.to)
	case e.config.requests != 1 && s.serverCloses:
		return fmt.Errorf("to: server %s closes after its first response (give it close: client)", s.name)
	}
	return nil
}

// declareTasks declares what is measured of errands. Where each is one attempt,
// it is taken from the log of attempts.
func (e *errands) declareTasks(w *World) {
	kind := e.config.kind
	e.retries = w.events(kind, e.name, "retries")
	if e.config.retry.Tries > 1 || e.config.requests != 1 {
		e.tasks = share(w, e.name, "tasks", func() *measure.Tasks { return w.Recorder.Tasks(kind, e.name) })
		return
	}
	share(w, e.name, "tasks", func() *measure.Attempts { e.attempts.AreTasks(e.expected > 0 || e.varies); return e.attempts })
}

// alarm returns the timer of a person.
func (e *errands) alarm(who uint32) des.Timer {
	p := &e.people.rows[who]
	if !p.armed {
		p.armed, p.timer = true, e.sim.NewTimer(e.component, e, errandAlarm+uint64(who))
	}
	return p.timer
}

// HandleTimer begins errands and attempts, and ends those that took too long.
func (e *errands) HandleTimer(now des.Time, which uint64) {
	switch which {
	case errandConnectTimeout:
		for w, ok := e.connect.due(now); ok; w, ok = e.connect.due(now) {
			if e.conns.generations[w.slot] == w.generation && !e.conns.rows[w.slot].connected {
				e.giveUp(now, w.slot)
			}
		}
	case errandResponseTimeout:
		for w, ok := e.response.due(now); ok; w, ok = e.response.due(now) {
			r := &e.conns.rows[w.slot]
			if e.conns.generations[w.slot] == w.generation && !r.done && r.asked+e.response.delay == w.at {
				e.giveUp(now, w.slot)
			}
		}
	default:
		if e.down() {
			return
		}
		who := uint32(which - errandAlarm)
		if e.people.rows[who].tries > 0 {
			e.try(now, who)
		} else {
			e.begin(now, who)
		}
	}
}

// begin starts an errand.
func (e *errands) begin(now des.Time, who uint32) {
	p := &e.people.rows[who]
	p.tries = 0
	if e.tasks != nil {
		p.task = e.tasks.Start(now)
	}
	e.try(now, who)
}

// try makes an attempt: on the connection that is open, or a new one.
func (e *errands) try(now des.Time, who uint32) {
	p := &e.people.rows[who]
	if p.tries++; p.tries > 1 {
		e.retries.Add(1)
	}
	if p.conn != 0 {
		e.ask(now, p.conn-1)
		return
	}
	n := e.attempts.Start(now)
	i := e.conns.take()
	size := e.sizes.next()
	e.conns.rows[i] = errandConn{attempt: n, who: who, owned: true, unwritten: size, size: size, want: e.expected, waiting: true}
	if e.varies {
		e.conns.rows[i].want = -1
	}
	e.options.Tag = uint64(i)
	ep, err := e.stack.Connect(e.node, e.config.to.Port, e, e.options)
	if err != nil {
		e.conns.rows[i].owned = false
		e.conns.release(i)
		e.attempts.Fail(n, outcomeOf(err))
		e.failed(now, who)
		return
	}
	p.conn = i + 1
	r := &e.conns.rows[i]
	r.ep = ep
	e.follow(now, r)
	e.announce(r)
	if _, waits := ep.FastOpenWaits(); waits {
		r.unwritten -= put(ep, r.unwritten)
	}
	if e.config.timeout > 0 {
		e.connect.add(now, i, e.conns.generations[i])
	}
}

// mostFlows is how many connections can be named of those that are opened one
// after the other.
const mostFlows = 1_000_000

// follow says that a connection has been opened, and which end sends more.
func (e *errands) follow(now des.Time, r *errandConn) {
	index := *e.opened
	*e.opened++
	if e.varies || e.expected >= r.size {
		e.record.Asked(e.name, index, r.ep)
		return
	}
	e.record.Opened(now, e.name, index, r.ep)
}

// announce says how long the request is that comes on a connection.
func (e *errands) announce(r *errandConn) {
	if e.announces {
		out, _, _ := r.ep.Streams()
		e.world.announce(out, r.size)
	}
}

// failed is the end of an attempt: the person tries again, or gives up.
func (e *errands) failed(now des.Time, who uint32) {
	p := &e.people.rows[who]
	if p.tries < e.config.retry.Tries {
		e.sim.Arm(e.alarm(who), now+e.config.retry.wait(p.tries, e.backoff))
		return
	}
	e.over(now, who, false)
}

// over is the end of an errand.
func (e *errands) over(now des.Time, who uint32, success bool) {
	p := &e.people.rows[who]
	p.tries = 0
	if e.tasks != nil {
		e.tasks.End(p.task, now, success)
	}
	e.ended(now, who, success)
}

// lose takes connection i away from its person, and reports whether it had one.
func (e *errands) lose(i uint32) (who uint32, owned bool) {
	r := &e.conns.rows[i]
	if owned = r.owned; owned {
		r.owned = false
		e.people.rows[r.who].conn = 0
	}
	return r.who, owned
}

// part closes the connection that a person has kept open.
func (e *errands) part(who uint32) {
	if c := e.people.rows[who].conn; c != 0 {
		e.lose(c - 1)
		e.conns.rows[c-1].close()
	}
}

// giveUp ends attempt i as an application does that has waited long enough.
func (e *errands) giveUp(now des.Time, i uint32) {
	if e.conns.rows[i].closed {
		return
	}
	e.fail(now, i, measure.TimedOut)
}

// fail ends the attempt on connection i, if there is one, and the connection.
func (e *errands) fail(now des.Time, i uint32, why measure.Outcome) {
	r := &e.conns.rows[i]
	waiting := r.waiting && !r.done
	e.attempts.Fail(r.attempt, why)
	who, owned := e.lose(i)
	r.done, r.waiting = true, false
	r.close()
	if owned && waiting {
		e.failed(now, who)
	}
}
