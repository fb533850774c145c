package des

import (
	"cmp"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// sortedQueue is the reference of queue: the queued keys in order.
type sortedQueue []queued

type queued struct {
	at        Time
	component Component
	sequence  uint64
	slot      uint32
}

func (a queued) compare(b queued) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.component, b.component), cmp.Compare(a.sequence, b.sequence))
}

func (q *sortedQueue) set(k queued) {
	*q = slices.DeleteFunc(*q, func(e queued) bool { return e.slot == k.slot })
	if k.at != Never {
		i, _ := slices.BinarySearchFunc(*q, k, queued.compare)
		*q = slices.Insert(*q, i, k)
	}
}

func (q sortedQueue) first() key {
	if len(q) == 0 {
		return key{at: Never}
	}
	return key{q[0].at, q[0].slot}
}

// queuePair drives a queue and its reference through the same steps.
type queuePair struct {
	sim      *Sim
	sorted   sortedQueue
	sequence uint64
}

func newQueuePair() *queuePair { return &queuePair{sim: New(0, 0)} }

func (p *queuePair) add(c Component) {
	slot := p.sim.newSlot()
	p.sim.queue.records[slot].component = c
}

func (p *queuePair) timers() int { return len(p.sim.queue.records) - 1 }

// set moves the key of slot to at, in the direction that it has to go.
func (p *queuePair) set(slot uint32, at Time) {
	p.sequence++
	q := &p.sim.queue
	r := &q.records[slot]
	earlier := at < r.queuedAt
	r.queuedAt, r.queuedSequence = at, p.sequence
	if earlier {
		q.advance(slot, at)
	} else {
		q.postpone(slot, at)
	}
	p.sorted.set(queued{at, r.component, p.sequence, slot})
}

// check compares the heads and holds every inner node against its children.
func (p *queuePair) check(t interface{ Fatalf(string, ...any) }) {
	q := &p.sim.queue
	got, want := q.first(), p.sorted.first()
	if got.at != want.at || want.at != Never && got.slot != want.slot {
		t.Fatalf("first %v, want %v", got, want)
	}
	for i := 1; i < len(q.keys)/2; i++ {
		a, b := q.keys[2*i], q.keys[2*i+1]
		best := a
		if b.at < a.at || b.at == a.at && b.at != Never && q.tieBefore(b.slot, a.slot) {
			best = b
		}
		if k := q.keys[i]; k.at != best.at || best.at != Never && k.slot != best.slot {
			t.Fatalf("node %d holds %v, its children %v and %v", i, k, a, b)
		}
	}
}

func TestQueueAgainstSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newQueuePair()
		p.add(1)
		span := rapid.SampledFrom([]Time{2, 10, 1000000}).Draw(t, "span")
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				p.add(Component(rapid.IntRange(1, 3).Draw(t, "component")))
			case 1:
				if len(p.sorted) > 0 {
					p.set(p.sorted[0].slot, Never)
				}
			default:
				slot := uint32(rapid.IntRange(1, p.timers()).Draw(t, "slot"))
				p.set(slot, Time(rapid.Int64Range(0, int64(span)).Draw(t, "at")))
			}
			p.check(t)
		}
		for len(p.sorted) > 0 {
			p.set(p.sorted[0].slot, Never)
			p.check(t)
		}
	})
}

// FuzzQueue reads two bytes per step: what to do, and to which timer or time.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 9, 7, 17, 7, 1, 0})
	f.Add([]byte{0, 3, 0, 1, 0, 2, 2, 5, 10, 5, 18, 5, 1, 0, 1, 0})
	f.Fuzz(func(t *testing.T, steps []byte) {
		p := newQueuePair()
		p.add(1)
		for ; len(steps) >= 2 && p.timers() < 100; steps = steps[2:] {
			switch a, b := steps[0], steps[1]; {
			case a == 0:
				p.add(Component(b))
			case a == 1 && len(p.sorted) > 0:
				p.set(p.sorted[0].slot, Never)
			default:
				p.set(1+uint32(int(a)%p.timers()), Time(b))
			}
			p.check(t)
		}
	})
}

// A cache line holds one record, and two pairs of siblings.
func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(record{}); n != 64 {
		t.Errorf("a record is %d bytes, want 64", n)
	}
	if n := unsafe.Sizeof(key{}); n != 16 {
		t.Errorf("a key is %d bytes, want 16", n)
	}
}
