package workload

import (
	"cmp"
	"fmt"
	"slices"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
)

// Failure is something that befalls a host or a process at a time.
type Failure struct {
	On quantity.Host
	// Crash: the host forgets everything and its workloads are gone (the
	// links of a host that is off must be down). Otherwise processes are
	// killed: the kernel closes their sockets.
	Crash bool
	// Process is the workload that is killed, "" for all of the host.
	Process string
	// At and Back are when it happens and when the host or the process has
	// started again, des.Never for not at all.
	At, Back des.Time
}

// process is a workload as the operating system of its host sees it.
type process interface {
	self() *base
	// halt ends it: it lets go of all endpoints and listeners. Clients that
	// come anyway, such as users, find nobody at home.
	halt(now des.Time)
	// resume starts it again: it listens, and opens the connections that it
	// opens by itself. It is called only while the workload is down.
	resume(now des.Time)
}

func (b *base) self() *base { return b }

// letGo ends the use of an endpoint when its process is gone. Unless the host
// crashed, the kernel closes it: with FIN, or with RST where data have not been
// read.
func (b *base) letGo(ep *tcpmodel.Endpoint) {
	if b.crashed {
		b.record.Released(ep.Conn(), ep.Stats())
		return
	}
	ep.SetApp(orphan{b.record}, 0)
	ep.Close()
}

// orphan is the App of endpoints without a process.
type orphan struct{ record *measure.Host }

// HandleEvents notes the end of the connection.
func (o orphan) HandleEvents(_ des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&tcpmodel.EvReleased != 0 {
		o.record.Released(ep.Conn(), ep.Stats())
	}
}

// closeListener ends a listener when its process is gone.
func (b *base) closeListener(l *tcpmodel.Listener) {
	if l != nil && !b.crashed {
		l.Close()
	}
}

// abandon lets go of all connections of a table; end returns the endpoint of a
// row, nil if it is free, after having done what else belongs to the end.
func abandon[T any](b *base, s *slots[T], end func(*T) *tcpmodel.Endpoint) {
	for i := range s.rows {
		if ep := end(&s.rows[i]); ep != nil {
			b.letGo(ep)
			var none T
			s.rows[i] = none
			s.release(uint32(i))
		}
	}
}

// Fail has failures happen to the workloads that Start has set going.
func Fail(w *World, list []Failure) error {
	f := &failures{sim: w.Sim}
	for i := range list {
		if err := f.add(w, &list[i]); err != nil {
			return err
		}
	}
	if len(f.steps) == 0 {
		return nil
	}
	slices.SortStableFunc(f.steps, func(a, b failureStep) int { return cmp.Compare(a.at, b.at) })
	f.timer = w.Sim.NewTimer(w.Sim.NewComponent("failures"), f, 0)
	w.Sim.Arm(f.timer, f.steps[0].at)
	return nil
}

// failures makes failures happen, in the order of time and at one time in that
// of the list.
type failures struct {
	sim   *des.Sim
	timer des.Timer
	steps []failureStep // still to come
}

// failureStep is the beginning or the end of a failure.
type failureStep struct {
	at        des.Time
	back      bool
	crash     *tcpmodel.Stack // nil where processes are killed
	processes []process
}

func (f *failures) add(w *World, x *Failure) error {
	h, err := w.host(x.On)
	if err != nil {
		return err
	}
	s := failureStep{at: x.At}
	if x.Crash {
		s.crash = h.stack
	}
	for _, p := range w.processes {
		if b := p.self(); b.on == x.On && (x.Process == "" || b.name == x.Process) {
			s.processes = append(s.processes, p)
		}
	}
	if x.Process != "" && len(s.processes) == 0 {
		return fmt.Errorf("no workload %s on %s", x.Process, x.On)
	}
	f.steps = append(f.steps, s)
	if x.Back != des.Never {
		s.at, s.back = x.Back, true
		f.steps = append(f.steps, s)
	}
	return nil
}

// HandleTimer makes happen what is due.
func (f *failures) HandleTimer(now des.Time, _ uint64) {
	for len(f.steps) > 0 && f.steps[0].at <= now {
		f.steps[0].happen(now)
		f.steps = f.steps[1:]
	}
	if len(f.steps) > 0 {
		f.sim.Arm(f.timer, f.steps[0].at)
	}
}

func (s *failureStep) happen(now des.Time) {
	for _, p := range s.processes {
		b := p.self()
		switch {
		case s.back:
			if b.failures--; b.failures == 0 {
				p.resume(now)
			}
		default:
			b.failures++
			b.crashed = s.crash != nil
			p.halt(now)
		}
	}
	if s.crash != nil && !s.back {
		s.crash.Crash()
	}
}

// down reports whether the process of the workload does not run.
func (b *base) down() bool { return b.failures > 0 }
