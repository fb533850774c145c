package workload

import (
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
)

// What becomes of each kind of workload when its process ends and starts again.

func (s *server) halt(now des.Time) {
	s.closeListener(s.listener)
	s.listener = nil
	s.record.AcceptQueue().Add(now, -s.queued)
	s.queued = 0
	if s.config.AcceptRate > 0 || s.config.Workers > 0 {
		s.sim.Stop(s.accept)
	}
	for i := range s.conns.rows {
		if c := &s.conns.rows[i]; c.timer.made {
			s.sim.Stop(c.timer.timer)
		}
	}
	timers := make([]connTimer, len(s.conns.rows))
	for i := range timers {
		timers[i] = s.conns.rows[i].timer
	}
	abandon(&s.base, &s.conns, func(c *serverConn) *tcpmodel.Endpoint { return c.ep })
	for i := range timers {
		s.conns.rows[i].timer = timers[i]
	}
	s.thinking.clear()
	s.work(now, -s.working)
	s.waiting.Add(now, -s.inLine())
	s.line, s.lineHead = s.line[:0], 0
}

// resume listens again, as with SO_REUSEADDR whatever still waits in TIME-WAIT.
func (s *server) resume(des.Time) {
	s.listener = s.relisten(uint16(s.config.Port), s.config.Backlog, s, s.options)
}

// relisten opens the listener of a process that has started again.
func (b *base) relisten(port uint16, backlog int, a tcpmodel.Acceptor, o tcpmodel.SocketOptions) *tcpmodel.Listener {
	l, err := b.listen(port, backlog, a, o)
	if err != nil {
		panic(fmt.Sprintf("workload: %s cannot listen again on port %d: %v", b.label, port, err))
	}
	return l
}

func (q *requests) halt(des.Time) {
	for i := range q.conns {
		c := &q.conns[i]
		if c.ep == nil {
			continue
		}
		if !c.closed {
			q.attempts.Fail(c.attempt, measure.Broken)
		}
		q.sim.Stop(c.timer)
		q.letGo(c.ep)
		*c = requestConn{timer: c.timer, closed: true}
	}
}

// resume opens the connections again.
func (q *requests) resume(now des.Time) {
	if now < des.Time(q.config.From) || now >= q.last {
		return
	}
	for i := range q.conns {
		q.conns[i] = requestConn{timer: q.conns[i].timer}
		q.open(now, i)
	}
}

func (c *idleConnections) halt(now des.Time) {
	abandon(&c.base, &c.conns, func(r *idleConn) *tcpmodel.Endpoint {
		if r.open {
			c.open.Add(now, -1)
		}
		return r.ep
	})
	if c.config.Connections > 0 {
		c.sim.Stop(c.arrival)
	}
}

// resume opens the connections again if there is a number of them; else the next
// one comes when its time has come.
func (c *idleConnections) resume(now des.Time) {
	if c.config.Connections == 0 {
		return
	}
	c.started = 0
	c.gaps = c.gaps.again(max(now, des.Time(c.config.From)))
	c.arm()
}

func (b *bulk) halt(now des.Time) {
	for i := range b.conns {
		c := &b.conns[i]
		if c.ep == nil {
			continue
		}
		b.flows[i].end(now)
		b.letGo(c.ep)
		*c = bulkConn{closed: true}
	}
}

// resume sends again what has not arrived in full.
func (b *bulk) resume(now des.Time) {
	if now < des.Time(b.config.Start) || b.config.Stop != 0 && now >= des.Time(b.config.Stop) {
		return
	}
	old := b.flows
	// The receiver may still hold on to the old ones.
	b.flows = make([]flow, len(old))
	for i := range old {
		if old[i].complete() {
			b.flows[i] = old[i]
			continue
		}
		if old[i].ended {
			b.all.running++
		}
		b.all.Continue()
		b.open(now, i)
	}
}

// complete reports whether all of a flow that has an end has arrived.
func (f *flow) complete() bool {
	return f.bulk != nil && f.bulk.config.Size > 0 && f.received == uint64(f.bulk.config.Size)
}

func (s *sink) halt(now des.Time) {
	s.closeListener(s.listener)
	s.listener = nil
	abandon(&s.base, &s.conns, func(c *sinkConn) *tcpmodel.Endpoint {
		if c.ep != nil && c.flow != nil {
			c.flow.end(now)
		}
		return c.ep
	})
}

func (s *sink) resume(des.Time) {
	s.listener = s.relisten(uint16(s.config.Port), s.config.Backlog, s, s.options)
}

// A flood, an attacker and traffic without TCP have no connections; they send
// nothing while they are down.

func (f *synFlood) halt(des.Time)       {}
func (f *synFlood) resume(des.Time)     {}
func (a *blindAttack) halt(des.Time)    {}
func (a *blindAttack) resume(des.Time)  {}
func (x *crossTraffic) halt(des.Time)   {}
func (x *crossTraffic) resume(des.Time) {}
