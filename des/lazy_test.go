package des

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// engine is what the same script drives twice: the lazy engine and the eager
// reference. Timers are known by the numbers that the script gives them.
type engine interface {
	create(id int, c Component)
	arm(id int, at Time)
	stop(id int)
	release(id int)
	armed(id int) Time
	now() Time
	next() Time
	step() bool
}

// eager is the order as the documentation states it: of all armed timers the
// one with the least (deadline, component, sequence) is next.
type eager struct {
	clock     Time
	timers    map[int]queued
	sequences map[Component]uint64
	fired     func(id int)
}

func (e *eager) create(id int, c Component) { e.timers[id] = queued{at: Never, component: c} }
func (e *eager) release(id int)             { delete(e.timers, id) }
func (e *eager) armed(id int) Time          { return e.timers[id].at }
func (e *eager) now() Time                  { return e.clock }

func (e *eager) stop(id int) {
	k := e.timers[id]
	k.at = Never
	e.timers[id] = k
}

func (e *eager) arm(id int, at Time) {
	k := e.timers[id]
	e.sequences[k.component]++
	k.at, k.sequence = at, e.sequences[k.component]
	e.timers[id] = k
}

func (e *eager) first() (int, queued) {
	first, best := 0, queued{at: Never}
	for id, k := range e.timers {
		if k.at != Never && (best.at == Never || k.compare(best) < 0) {
			first, best = id, k
		}
	}
	return first, best
}

func (e *eager) next() Time { _, k := e.first(); return k.at }

func (e *eager) step() bool {
	id, k := e.first()
	if k.at == Never {
		return false
	}
	e.clock = k.at
	e.stop(id)
	e.fired(id)
	return true
}

// lazy is the engine under test.
type lazy struct {
	sim    *Sim
	timers map[int]Timer
	fired  func(id int)
}

func (l *lazy) HandleTimer(_ Time, arg uint64) { l.fired(int(arg)) }

func (l *lazy) create(id int, c Component) { l.timers[id] = l.sim.NewTimer(c, l, uint64(id)) }
func (l *lazy) arm(id int, at Time)        { l.sim.Arm(l.timers[id], at) }
func (l *lazy) stop(id int)                { l.sim.Stop(l.timers[id]) }
func (l *lazy) armed(id int) Time          { return l.sim.Deadline(l.timers[id]) }
func (l *lazy) now() Time                  { return l.sim.Now() }
func (l *lazy) next() Time                 { return l.sim.NextDeadline() }
func (l *lazy) step() bool                 { return l.sim.Step() }

func (l *lazy) release(id int) {
	l.sim.Release(l.timers[id])
	delete(l.timers, id)
}

type action struct {
	kind  int
	which int  // of the live timers
	delay Time // of arm, from now
	burst int  // how many of the next actions an event runs
}

// play runs the script and returns what happened: the timers that fired, when,
// and what could be seen in between.
func play(script []action, e engine, fired *func(int)) (log []Time) {
	var live []int
	created := 0
	create := func(c int) {
		created++
		e.create(created, Component(1+c%3))
		live = append(live, created)
	}
	create(0)
	var run func(n int, nested bool)
	run = func(n int, nested bool) {
		for ; n > 0 && len(script) > 0; n-- {
			a := script[0]
			script = script[1:]
			id := live[a.which%len(live)]
			switch a.kind {
			case 0:
				create(a.which)
			case 1:
				e.stop(id)
			case 2:
				if len(live) > 1 {
					e.release(id)
					live = slices.DeleteFunc(live, func(l int) bool { return l == id })
				}
			case 3, 4:
				if !nested {
					*fired = func(id int) { log = append(log, Time(id), e.now()); run(a.burst, true) }
					e.step()
				}
			case 5:
				log = append(log, e.armed(id), e.next())
			default:
				e.arm(id, e.now()+a.delay)
			}
		}
	}
	run(len(script), false)
	*fired = func(id int) { log = append(log, Time(id), e.now()) }
	for e.step() {
	}
	return append(log, e.now())
}

func actions(span Time) *rapid.Generator[[]action] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) action {
		return action{
			kind:  rapid.IntRange(0, 11).Draw(t, "kind"),
			which: rapid.IntRange(0, 20).Draw(t, "which"),
			delay: Time(rapid.Int64Range(0, int64(span)).Draw(t, "delay")),
			burst: rapid.IntRange(0, 4).Draw(t, "burst"),
		}
	}), 0, 150)
}

// playBoth holds the lazy engine against the eager reference: moving a deadline
// in the record alone, and the key when it surfaces, gives the order of moving
// the key at once.
func playBoth(t interface{ Fatalf(string, ...any) }, script []action) {
	e := &eager{timers: map[int]queued{}, sequences: map[Component]uint64{}}
	want := play(script, e, &e.fired)

	l := &lazy{sim: New(0, 0), timers: map[int]Timer{}}
	for range 3 {
		l.sim.NewComponent("component")
	}
	if got := play(script, l, &l.fired); !slices.Equal(got, want) {
		t.Fatalf("lazy %v\neager %v", got, want)
	}
}

// spans of delays: the short ones make most times equal.
var spans = []Time{1, 5, 1000}

func TestLazyIsEager(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		playBoth(t, actions(rapid.SampledFrom(spans).Draw(t, "span")).Draw(t, "script"))
	})
}

// Long scripts reach states that the short ones, which shrink well, do not.
func TestLazyIsEagerAtLength(t *testing.T) {
	r := New(1, 0).Stream("scripts")
	for round := range 150 {
		script := make([]action, 1000)
		for i := range script {
			script[i] = action{
				kind:  r.IntN(12),
				which: r.IntN(1000),
				delay: Time(r.Int64N(int64(spans[round%len(spans)]) + 1)),
				burst: r.IntN(6),
			}
			if i < 15 {
				script[i].kind = 0
			}
		}
		playBoth(t, script)
	}
}

// However often timers are moved, to and fro, the queue has one key for each.
func TestQueueStaysSmall(t *testing.T) {
	s := New(0, 0)
	c := s.NewComponent("component")
	h := &recorder{sim: s}
	var timers [100]Timer
	for i := range timers {
		timers[i] = s.NewTimer(c, h, uint64(i))
	}
	before := len(s.queue.keys)
	for round := range Time(1000) {
		for i, timer := range timers {
			s.Arm(timer, s.Now()+Second-round*Millisecond)
			s.Arm(timer, s.Now()+2*Second)
			if i%10 == 0 {
				s.Release(timer)
				timers[i] = s.NewTimer(c, h, uint64(i))
			}
		}
	}
	if after := len(s.queue.keys); after != before || after > 512 {
		t.Errorf("%d nodes for %d timers, %d before they were moved", after, len(timers), before)
	}
	s.RunIdle()
	if want := uint64(90); s.Events() != want {
		t.Errorf("%d events, want %d", s.Events(), want)
	}
}
