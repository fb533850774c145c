package workload

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel"
)

// waiting is a request that waits for a worker.
type waiting struct{ slot, generation uint32 }

// connTimer is the timer of a row, made when it is needed first.
type connTimer struct {
	timer des.Timer
	made  bool
}

// draws prepares what the server draws at random.
func (s *server) draws(w *World) (err error) {
	s.world, s.never = w, s.config.Accept != nil && !*s.config.Accept
	if s.think, err = w.newDurations(s.config.Think, s.sim.Stream(s.label+"/think")); err != nil {
		return fmt.Errorf("think: %w", err)
	}
	if s.response, err = w.newSizes(s.config.Response, s.sim.Stream(s.label+"/responses")); err != nil {
		return fmt.Errorf("response: %w", err)
	}
	return nil
}

// free reports whether one more connection may be accepted.
func (s *server) free() bool {
	return s.config.Workers == 0 || s.config.WorkerFor == "request" || s.working < s.config.Workers
}

// work counts workers that are taken.
func (s *server) work(now des.Time, n int) {
	s.working += n
	s.busy.Add(now, n)
}

// asked begins to work on a request, or lets it wait for a worker.
func (s *server) asked(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	perRequest := s.config.Workers > 0 && s.config.WorkerFor == "request"
	switch {
	case perRequest:
		if c.pending++; c.pending == 1 {
			s.queue(now, i)
		}
	case s.config.Think.Zero():
		s.respond(now, i)
	case s.think.fixed() && s.config.Workers == 0:
		c.pending++
		s.work(now, 1)
		s.thinking.add(now, i, s.conns.generations[i])
	default:
		if c.pending++; !c.working {
			s.labour(now, i)
		}
	}
}

// queue puts the next request of connection i behind those that wait.
func (s *server) queue(now des.Time, i uint32) {
	s.line = append(s.line, waiting{i, s.conns.generations[i]})
	s.waiting.Add(now, 1)
	s.serveLine(now)
}

// labour begins the work on a request of connection i, which the timer of the
// connection ends.
func (s *server) labour(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	c.working = true
	if !c.holds {
		s.work(now, 1)
	}
	s.sim.Arm(s.timerOf(i), now+des.Time(s.think.next()))
}

// inLine is how many requests wait for a worker.
func (s *server) inLine() int { return len(s.line) - s.lineHead }

// serveLine gives the requests that wait to workers who are free. A connection
// has its requests answered one after the other.
func (s *server) serveLine(now des.Time) {
	for s.inLine() > 0 && s.working < s.config.Workers {
		next := s.line[s.lineHead]
		s.waiting.Add(now, -1)
		if s.lineHead++; s.lineHead == len(s.line) {
			s.line, s.lineHead = s.line[:0], 0
		} else if s.lineHead >= 1024 && 2*s.lineHead > len(s.line) {
			s.line, s.lineHead = s.line[:copy(s.line, s.line[s.lineHead:])], 0
		}
		if c := &s.conns.rows[next.slot]; s.conns.generations[next.slot] == next.generation && !c.closed {
			s.labour(now, next.slot)
		}
	}
}

// timerOf returns the timer of connection i.
func (s *server) timerOf(i uint32) des.Timer {
	t := &s.conns.rows[i].timer
	if !t.made {
		t.made, t.timer = true, s.sim.NewTimer(s.component, s, serverConnection+uint64(i))
	}
	return t.timer
}

// wake is the timer of connection i: the end of the work on a request, or of the
// patience of the server.
func (s *server) wake(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	switch {
	case c.ep == nil || c.closed:
	case c.working:
		c.working = false
		c.pending--
		if !c.holds {
			s.work(now, -1)
		}
		s.respond(now, i)
		switch {
		case c.pending == 0 || c.closed:
			s.serveLine(now)
		case s.config.Workers > 0 && s.config.WorkerFor == "request":
			s.queue(now, i)
		default:
			s.labour(now, i)
		}
	case c.pending == 0 && c.open == 0 && c.heard+des.Time(s.config.Idle) <= now:
		s.timedOut.Add(1)
		s.close(now, i)
	default:
		s.watch(now, i)
	}
}

// watch has the connection closed when no request comes for too long.
func (s *server) watch(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	if s.config.Idle == 0 || c.closed || c.pending > 0 || c.open > 0 {
		return
	}
	s.sim.Arm(s.timerOf(i), max(now, c.heard+des.Time(s.config.Idle)))
}

// forget lets go of what connection i holds.
func (s *server) forget(now des.Time, i uint32) {
	c := &s.conns.rows[i]
	if c.holds || c.working {
		c.holds, c.working = false, false
		s.work(now, -1)
	}
	if c.timer.made {
		s.sim.Stop(c.timer.timer)
	}
	s.serveLine(now)
	if s.config.Workers > 0 && s.listener != nil && s.listener.AcceptQueue() > 0 && s.free() && !s.sim.Armed(s.accept) {
		s.sim.Arm(s.accept, max(now, s.mayTake))
	}
}

// snapshot has the figures of connections that live on recorded.
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
