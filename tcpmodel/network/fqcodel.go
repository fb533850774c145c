package network

import (
	"errors"
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// FQCoDel is flow queue CoDel (RFC 8290): flows are hashed into queues that
// take turns by deficit round robin, those that have just become active before
// the others, and each has its own CoDel. In a full queue packets are dropped
// from the head of the flow with the most bytes.
type FQCoDel struct {
	// CoDel is what controls each flow. As in Linux its MTU is compared with
	// the bytes of all flows.
	CoDel CoDel
	// Flows is the number of queues. A flow is told by addresses, ports and
	// kind of packet; those that fall into one queue share it.
	Flows int
	// Quantum is how many bytes a flow may send in its turn.
	Quantum int
	// DropBatch is how many packets are dropped at most when the queue is
	// full, up to half of the flow's bytes (drop_batch of Linux).
	DropBatch int
}

// DefaultFQCoDel returns FQ-CoDel with the parameters of RFC 8290 section 5.2:
// 1024 flows, a quantum of 1514 bytes, target 5 ms, interval 100 ms, with ECN.
// Its limit is 10240 packets, which is for LinkConfig.Queue to say.
func DefaultFQCoDel() FQCoDel {
	c := DefaultCoDel()
	c.ECN = true
	return FQCoDel{CoDel: c, Flows: 1024, Quantum: 1514, DropBatch: 64}
}

// Name returns "fq_codel".
func (FQCoDel) Name() string { return "fq_codel" }

// Validate returns what is wrong with the parameters, all of it.
func (c FQCoDel) Validate() error {
	problems := []error{c.CoDel.Validate()}
	if c.Flows < 1 || c.Flows > 1<<16 {
		problems = append(problems, fmt.Errorf("%d flows: must be 1 to 65536", c.Flows))
	}
	if c.Quantum < 1 || c.Quantum > maxBurst {
		problems = append(problems, fmt.Errorf("quantum of %d bytes: must be 1 to %d", c.Quantum, maxBurst))
	}
	if c.DropBatch < 1 {
		problems = append(problems, fmt.Errorf("drop batch of %d packets: must be 1 or more", c.DropBatch))
	}
	return errors.Join(problems...)
}

func (c FQCoDel) build(q *paced) discipline {
	d := &fqCoDel{FQCoDel: c, q: q, flows: make([]fqFlow, c.Flows)}
	d.perturbation = q.link.sim.Stream("flow hash of link " + q.link.name).Uint64()
	return d
}

type fqCoDel struct {
	FQCoDel
	q            *paced
	flows        []fqFlow
	fresh, old   flowList
	backlog      uint64 // bytes of all flows
	perturbation uint64
}

// fqFlow is one of the queues.
type fqFlow struct {
	list
	state   codelState
	deficit int64
	next    int32 // in its flowList
	listed  bool
}

// flowList is a FIFO list of active flows. The zero value is empty.
type flowList struct {
	first, last int32 // if count > 0
	count       int
}

func (a *flowList) append(d *fqCoDel, f int32) {
	if a.count == 0 {
		a.first = f
	} else {
		d.flows[a.last].next = f
	}
	a.last = f
	a.count++
}

func (a *flowList) remove(d *fqCoDel) {
	a.first = d.flows[a.first].next
	a.count--
}

func (d *fqCoDel) admit(des.Time, *segment.Segment, uint32) verdict { return admit }

// push puts a packet into its flow, and makes room if the queue is too long
// (RFC 8290 section 4.1).
func (d *fqCoDel) push(now des.Time, s slot) {
	n := d.classify(&d.q.slots[s].seg)
	f := &d.flows[n]
	f.append(d.q, s)
	d.backlog += uint64(d.q.slots[s].size)
	if !f.listed {
		f.listed, f.deficit = true, int64(d.Quantum)
		d.fresh.append(d, n)
	}
	for d.q.over() {
		d.dropFattest(now)
	}
}

// dropFattest drops from the head of the flow with the most bytes: a batch, so
// that the search pays off. CoDel counts the drops, as in Linux.
func (d *fqCoDel) dropFattest(now des.Time) {
	fattest := &d.flows[0]
	for i := range d.flows {
		if d.flows[i].bytes > fattest.bytes {
			fattest = &d.flows[i]
		}
	}
	enough := fattest.bytes / 2
	for n := 0; n < d.DropBatch && fattest.packets > 0 && (n == 0 || fattest.bytes > enough); n++ {
		s := fattest.remove(d.q)
		d.backlog -= uint64(d.q.slots[s].size)
		d.q.discard(now, s)
		fattest.state.count++
	}
}

// pop serves the flows in turn (RFC 8290 section 4.2).
func (d *fqCoDel) pop(now des.Time) slot {
	for {
		from := &d.fresh
		if from.count == 0 {
			from = &d.old
		}
		if from.count == 0 {
			return none
		}
		n := from.first
		f := &d.flows[n]
		if f.deficit <= 0 {
			f.deficit += int64(d.Quantum)
			from.remove(d)
			d.old.append(d, n)
			continue
		}
		if s := f.state.pop(now, d.q, &d.CoDel, &f.list, &d.backlog); s != none {
			f.deficit -= int64(d.q.slots[s].size)
			return s
		}
		from.remove(d)
		// An empty new flow passes through the old ones, lest it starve them
		// by becoming new again at once.
		if from == &d.fresh && d.old.count > 0 {
			d.old.append(d, n)
		} else {
			f.listed = false
		}
	}
}

func (d *fqCoDel) take() slot {
	for i := range d.flows {
		if s := d.flows[i].remove(d.q); s != none {
			d.backlog -= uint64(d.q.slots[s].size)
			return s
		}
	}
	return none
}

// classify returns the flow of a packet.
func (d *fqCoDel) classify(seg *segment.Segment) int32 {
	h := d.perturbation ^ (uint64(seg.Src)<<32 | uint64(seg.Dst))
	h = scramble(h)
	h ^= uint64(seg.SrcPort)<<32 | uint64(seg.DstPort)<<16 | uint64(seg.Kind)
	return int32(scramble(h) % uint64(len(d.flows)))
}

// scramble is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func scramble(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
