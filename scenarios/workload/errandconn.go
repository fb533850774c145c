package workload

import (
	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
)

// HandleEvents runs a connection.
func (e *errands) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	i := uint32(ep.Tag())
	r := &e.conns.rows[i]
	r.closed = r.closed || ev&tcpmodel.EvReleased != 0
	if ev&tcpmodel.EvConnected != 0 && !r.closed {
		e.connectedTo(now, i)
	}
	if ev&tcpmodel.EvWritable != 0 && !r.closed && r.unwritten > 0 {
		e.write(now, i)
	}
	if ev&tcpmodel.EvReadable != 0 {
		e.read(now, i)
	}
	if ev&tcpmodel.EvFailed != 0 {
		e.fail(now, i, outcomeOf(ep.Err()))
	}
	if r = &e.conns.rows[i]; !r.closed && ep.EOF() {
		e.hungUp(now, i)
	}
	if ev&tcpmodel.EvReleased != 0 {
		e.record.Released(ep.Conn(), ep.Stats())
		e.lose(i)
		e.conns.rows[i].ep = nil
		e.conns.release(i)
	}
}

// connectedTo writes the request.
func (e *errands) connectedTo(now des.Time, i uint32) {
	r := &e.conns.rows[i]
	r.connected = true
	e.attempts.Connect(r.attempt, now, r.ep.Stats().Retransmits)
	r.asked = now
	r.sent = 1
	if e.config.responseTimeout > 0 {
		e.response.add(now, i, e.conns.generations[i])
	}
	if e.turnaround != nil {
		e.turnaround.Request()
	}
	e.write(now, i)
}

// ask sends a further request on a connection.
func (e *errands) ask(now des.Time, i uint32) {
	r := &e.conns.rows[i]
	r.size = e.sizes.next()
	r.asked, r.waiting, r.got, r.unwritten, r.want = now, true, 0, r.size, e.expected
	if e.varies {
		r.want = -1
	}
	e.announce(r)
	r.sent++
	r.done = false
	if e.config.responseTimeout > 0 {
		e.response.add(now, i, e.conns.generations[i])
	}
	if e.turnaround != nil {
		e.turnaround.Request()
	}
	e.write(now, i)
}

// hungUp is the end of the peer's stream. In the midst of a response it is a
// failure.
func (e *errands) hungUp(now des.Time, i uint32) {
	r := &e.conns.rows[i]
	if r.waiting && (e.expected > 0 || e.varies) {
		e.fail(now, i, measure.Broken)
		return
	}
	who, owned := e.lose(i)
	waiting := r.waiting && !r.done
	r.close()
	if owned && waiting {
		r.waiting = false
		e.over(now, who, true)
	}
}

// write gives the stack what it takes of the request. If there is nothing to
// wait for, the whole request is the end.
func (e *errands) write(now des.Time, i uint32) {
	r := &e.conns.rows[i]
	r.unwritten -= put(r.ep, r.unwritten)
	switch {
	case r.unwritten > 0:
	case e.config.halfClose:
		r.ep.Shutdown()
	case e.expected == 0 && !e.varies && e.closes != "server":
		e.complete(now, i)
	}
}

func (e *errands) read(now des.Time, i uint32) {
	r := &e.conns.rows[i]
	r.got += e.drain(r.ep)
	if r.want < 0 {
		if _, in, ok := r.ep.Streams(); ok {
			r.want = e.world.announced(in)
		}
	}
	if !r.waiting || r.done || r.want <= 0 || r.got < r.want {
		return
	}
	e.attempts.Respond(r.attempt, now)
	if e.turnaround != nil {
		e.turnaround.Response(now, r.asked)
	}
	e.complete(now, i)
}

// complete ends an attempt that has all that it wanted.
func (e *errands) complete(now des.Time, i uint32) {
	r := &e.conns.rows[i]
	r.done, r.waiting = true, false
	who, owned := r.who, r.owned
	if e.config.requests == 0 || r.sent < e.config.requests {
		// The connection is kept for the next request.
		if owned {
			e.over(now, who, true)
		}
		return
	}
	e.lose(i)
	switch e.closes {
	case "server":
	case "abort":
		if !r.closed {
			r.closed = true
			r.ep.Abort()
		}
	default:
		r.close()
	}
	if owned {
		e.over(now, who, true)
	}
}

// close ends the use of the endpoint, once. One that is released needs none.
func (r *errandConn) close() {
	if !r.closed {
		r.closed = true
		r.ep.Close()
	}
}

// halt ends the errands that are under way.
func (e *errands) halt(now des.Time) {
	for i := range e.people.rows {
		if e.people.rows[i].armed {
			e.sim.Stop(e.people.rows[i].timer)
		}
	}
	abandon(&e.base, &e.conns, func(r *errandConn) *tcpmodel.Endpoint {
		if r.ep != nil {
			if !r.done {
				e.attempts.Fail(r.attempt, measure.Broken)
			}
			r.owned = false
		}
		return r.ep
	})
	for i := range e.people.rows {
		p := &e.people.rows[i]
		if p.conn = 0; p.tries > 0 {
			p.tries = 0
			if e.tasks != nil {
				e.tasks.End(p.task, now, false)
			}
			if e.config.kind == "clients" {
				e.people.release(uint32(i))
			}
		}
	}
}

func (e *errands) snapshot(des.Time) {
	for i := range e.conns.rows {
		if ep := e.conns.rows[i].ep; ep != nil {
			e.record.Snapshot(ep.Conn(), ep.Stats())
		}
	}
}
