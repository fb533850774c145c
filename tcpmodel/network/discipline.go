package network

import (
	"fmt"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Discipline is a queue discipline with its parameters: DropTail, RED, CoDel,
// FQCoDel, PIE or HeadDrop. DefaultDiscipline has the defaults of each. The limit of the
// queue is that of the LinkConfig, whatever the discipline.
type Discipline interface {
	// Name is the name that DefaultDiscipline knows.
	Name() string
	// Validate returns what is wrong with the parameters, all of it.
	Validate() error

	build(q *paced) discipline
}

// defaults of all disciplines, in the order of DisciplineNames.
var defaults = []Discipline{DropTail{}, DefaultRED(), DefaultCoDel(), DefaultFQCoDel(), DefaultPIE(), HeadDrop{}}

// DisciplineNames returns the names of all disciplines: "droptail", "red",
// "codel", "fq_codel", "pie", "headdrop".
func DisciplineNames() []string {
	var names []string
	for _, d := range defaults {
		names = append(names, d.Name())
	}
	return names
}

// DefaultDiscipline returns a discipline by its name, with default parameters.
func DefaultDiscipline(name string) (Discipline, error) {
	for _, d := range defaults {
		if d.Name() == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("unknown queue discipline %q (have %s)", name, strings.Join(DisciplineNames(), ", "))
}

// discipline decides which packets a link takes, in which order it sends them,
// which it marks and which it drops from the queue. Its queue, which is given
// to build, holds the packets and knows how many there are: the one in service
// included, which the discipline has handed over with pop.
type discipline interface {
	// admit decides about a packet that arrives. It does not keep it.
	admit(now des.Time, seg *segment.Segment, size uint32) verdict
	// push takes over a packet that was admitted. It may discard packets.
	push(now des.Time, s slot)
	// pop hands over the packet to serve next, none if there is none. It may
	// discard packets and mark the one that it returns.
	pop(now des.Time) slot
	// take hands over any packet, and decides nothing: the link goes down.
	take() slot
}

// verdict is what a discipline decides about a packet that arrives.
type verdict uint8

const (
	admit     verdict = iota
	admitMark         // with CE set
	dropFull          // there is no room
	dropEarly         // there is room, but the discipline drops it
)

// DropTail drops what finds the queue full. It has no parameters.
type DropTail struct{}

// Name returns "droptail".
func (DropTail) Name() string { return "droptail" }

// Validate returns nil.
func (DropTail) Validate() error { return nil }

func (DropTail) build(q *paced) discipline { return &dropTail{fifo{q: q}} }

// dropTail is drop-tail on links that cannot do without an event at the end of
// serialisation (shapers, traces).
type dropTail struct{ fifo }

func (d *dropTail) admit(_ des.Time, _ *segment.Segment, size uint32) verdict {
	if d.q.full(size) {
		return dropFull
	}
	return admit
}

// fifo is what disciplines with one queue in the order of arrival share.
type fifo struct {
	q *paced
	list
}

func (f *fifo) push(_ des.Time, s slot) { f.append(f.q, s) }
func (f *fifo) pop(des.Time) slot       { return f.take() }
func (f *fifo) take() slot              { return f.remove(f.q) }

// checkECN reports whether seg is from a transport that understands marks
// (RFC 3168 section 5). A packet that is marked already may be marked again.
func checkECN(seg *segment.Segment) bool { return seg.ECN != segment.NotECT }
