package middlebox

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Action is what becomes of a packet whose connection the box does not know,
// because it has forgotten it or never knew it.
type Action uint8

// The actions.
const (
	// Drop loses the packet without a word.
	Drop Action = iota
	// Reset answers it with a RST in the name of its receiver.
	Reset
	// PickUp takes it for one of an established connection, if it comes from
	// where connections may be opened (nf_conntrack_tcp_loose of Linux).
	PickUp
)

// String returns "drop", "reset" or "pickup".
func (a Action) String() string { return [...]string{"drop", "reset", "pickup"}[a] }

// Timeouts are how long a box remembers a connection without packets, and how
// many it remembers.
type Timeouts struct {
	// Established is for connections of which both SYNs were seen, and not
	// both FINs, and no RST: at least 2 h 4 min (RFC 5382 REQ-5).
	Established des.Time
	// Transitory is for all others: at least 4 min (RFC 5382 REQ-5).
	Transitory des.Time
	// MaxFlows is how many connections are remembered at once, 0 for no limit
	// (nf_conntrack_max of Linux).
	MaxFlows int
}

// DefaultTimeouts are the least that RFC 5382 allows, without a limit.
func DefaultTimeouts() Timeouts {
	return Timeouts{Established: 2*des.Hour + 4*des.Minute, Transitory: 4 * des.Minute}
}

// Validate reports timeouts that are not positive and limits below 0.
func (t Timeouts) Validate() error {
	if t.Established <= 0 || t.Transitory <= 0 || t.MaxFlows < 0 {
		return fmt.Errorf("timeouts must be positive (established %v, transitory %v) and the limit of connections %d not negative", t.Established, t.Transitory, t.MaxFlows)
	}
	return nil
}

// Stats counts what became of connections and of the packets of none.
type Stats struct {
	// Known is how many connections the box knows now. Created ones were
	// added, PickedUp ones among them in midstream, Expired ones removed,
	// Forgotten ones among them although they were established.
	Known                                 int
	Created, PickedUp, Expired, Forgotten uint64
	// Stateless packets belonged to no known connection and were dropped,
	// Resets of them answered with RST.
	Stateless, Resets uint64
	// Full counts packets dropped because no connection or port was left.
	Full uint64
	// Corrupt packets had a wrong checksum and were dropped.
	Corrupt uint64
	// KnownTime is the integral of Known over time, in connection nanoseconds.
	// Mappings is how many ports outside a NAT uses now, MappingTime its
	// integral.
	KnownTime   uint64
	Mappings    int
	MappingTime uint64
}

// What was seen of a connection (RFC 6146 section 3.5.2.2).
const (
	synOut = 1 << iota
	synIn
	finOut
	finIn
	wasReset
)

// flow is a connection that is remembered.
type flow struct {
	key tuple
	// last is when it was touched, list which timeout it waits for.
	last des.Time
	seen uint8
	list uint8
	live bool
}

// The lists of a tracker; further ones belong to its owner.
const (
	transitory = iota
	established
	firstOwnList
)

// owner is told when a flow has waited for as long as its list allows. It must
// move it to another list or drop it.
type owner interface{ expired(now des.Time, i uint32) }

// tracker is a table of connections with idle timeouts.
type tracker struct {
	sim      *des.Sim
	timer    des.Timer
	owner    owner
	flows    []flow
	free     []uint32
	index    index
	ages     ages
	timeouts []des.Time
	limit    int
	stats    Stats
	// changed is until when KnownTime counts, peak the most connections since
	// TakePeak.
	changed des.Time
	peak    int
}

// init prepares a tracker with lists of its owner beside the two of t.
func (k *tracker) init(sim *des.Sim, name string, o owner, t Timeouts, own ...des.Time) {
	k.sim, k.owner, k.limit = sim, o, t.MaxFlows
	k.timer = sim.NewTimer(sim.NewComponent(name), k, 0)
	k.timeouts = append([]des.Time{t.Transitory, t.Established}, own...)
	k.ages.lists = make([]ageEnds, len(k.timeouts))
}

// find returns the flow with that key. One whose time is over is forgotten
// first, so that the order of events in an instant does not matter.
func (k *tracker) find(now des.Time, key tuple) (i uint32, ok bool) {
	i, ok = k.index.find(key)
	if ok && now >= k.deadline(i) && k.flows[i].list < firstOwnList {
		k.owner.expired(now, i)
		return 0, false
	}
	return i, ok
}

func (k *tracker) deadline(i uint32) des.Time {
	f := &k.flows[i]
	return f.last + k.timeouts[f.list]
}

// add makes a flow, which nothing has been seen of yet, in that list.
func (k *tracker) add(now des.Time, key tuple, list uint8) (i uint32, ok bool) {
	if k.limit > 0 && k.stats.Known >= k.limit {
		k.stats.Full++
		return 0, false
	}
	if n := len(k.free); n > 0 {
		i = k.free[n-1]
		k.free = k.free[:n-1]
	} else {
		i = uint32(len(k.flows))
		k.flows = append(k.flows, flow{})
	}
	k.flows[i] = flow{key: key, last: now, list: list, live: true}
	k.index.put(key, i)
	k.ages.push(int(list), i)
	k.account()
	k.stats.Known++
	k.peak = max(k.peak, k.stats.Known)
	k.stats.Created++
	k.arm(list)
	return i, true
}

// move touches flow i and puts it at the young end of a list.
func (k *tracker) move(now des.Time, i uint32, list uint8) {
	f := &k.flows[i]
	k.ages.remove(int(f.list), i)
	f.last, f.list = now, list
	k.ages.push(int(list), i)
	k.arm(list)
}

func (k *tracker) drop(i uint32) {
	f := &k.flows[i]
	k.ages.remove(int(f.list), i)
	k.index.remove(f.key)
	f.live = false
	k.free = append(k.free, i)
	k.account()
	k.stats.Known--
}

// account integrates the number of connections up to now.
func (k *tracker) account() {
	now := k.sim.Now()
	k.stats.KnownTime += uint64(k.stats.Known) * uint64(now-k.changed)
	k.changed = now
}

// expire counts a flow that has waited for as long as its list allows, and drops
// it.
func (k *tracker) expire(i uint32) {
	k.stats.Expired++
	if k.flows[i].list == established {
		k.stats.Forgotten++
	}
	k.drop(i)
}

// read returns the counters as they are now.
func (k *tracker) read() Stats {
	k.account()
	return k.stats
}

// takePeak returns the most connections that were known at once since the last
// call.
func (k *tracker) takePeak() int {
	p := k.peak
	k.peak = k.stats.Known
	return p
}

// arm makes sure that the timer fires when the first of a list is due. It may
// fire earlier.
func (k *tracker) arm(list uint8) {
	first, ok := k.ages.oldest(int(list))
	if !ok {
		return
	}
	if at := k.deadline(first); !k.sim.Armed(k.timer) || at < k.sim.Deadline(k.timer) {
		k.sim.Arm(k.timer, at)
	}
}

// HandleTimer forgets what is due.
func (k *tracker) HandleTimer(now des.Time, _ uint64) {
	for list := range k.ages.lists {
		for {
			i, ok := k.ages.oldest(list)
			if !ok || k.deadline(i) > now {
				break
			}
			k.owner.expired(now, i)
		}
	}
	for list := range k.ages.lists {
		k.arm(uint8(list))
	}
}

// touch is what a segment of flow i changes (RFC 6146 section 3.5.2.2): the
// timeout is the long one once both SYNs were seen; both FINs or a RST make it
// the short one, which packets then do not restart, unless they show that the
// RST was not believed, or that the ports are used again.
func (k *tracker) touch(now des.Time, i uint32, seg *segment.Segment, outward bool) {
	f := &k.flows[i]
	syn, fin := uint8(synIn), uint8(finIn)
	if outward {
		syn, fin = synOut, finOut
	}
	ended := f.seen&(finOut|finIn) == finOut|finIn
	switch {
	case seg.Flags&segment.SYN != 0:
		if ended || f.seen&wasReset != 0 {
			f.seen = 0
		}
		f.seen |= syn
	case seg.Flags&segment.RST != 0:
		if f.seen&wasReset == 0 && !ended {
			f.seen |= wasReset
			k.move(now, i, transitory)
		}
		return
	case ended || f.seen&(synOut|synIn) != synOut|synIn:
		return
	}
	if seg.Flags&segment.FIN != 0 {
		f.seen |= fin
	}
	f.seen &^= wasReset
	list := uint8(transitory)
	if f.seen&(synOut|synIn) == synOut|synIn && f.seen&(finOut|finIn) != finOut|finIn {
		list = established
	}
	k.move(now, i, list)
}

// pickUp makes a flow of a connection of which nothing was seen.
func (k *tracker) pickUp(now des.Time, key tuple) (i uint32, ok bool) {
	if i, ok = k.add(now, key, established); ok {
		k.flows[i].seen = synOut | synIn
		k.stats.PickedUp++
	}
	return i, ok
}

// stranger deals with a packet that came by side from and belongs to no flow;
// its answer leaves by side back.
func (k *tracker) stranger(now des.Time, seg *segment.Segment, a Action, from, back *side) {
	from.lose(now, seg, Unknown)
	k.stats.Stateless++
	if a == Reset && seg.Kind == segment.KindTCP && !seg.Has(segment.RST) {
		k.stats.Resets++
		back.reset(now, seg)
	}
}

// outwardKey is the connection of a segment from inside, inwardKey of one from
// outside.
func outwardKey(seg *segment.Segment) tuple {
	return tuple{seg.Src, seg.Dst, seg.SrcPort, seg.DstPort}
}

func inwardKey(seg *segment.Segment) tuple {
	return tuple{seg.Dst, seg.Src, seg.DstPort, seg.SrcPort}
}

// quotedOutward is the connection of the segment that an ICMP error from inside
// is about: one that came from outside. quotedInward is the opposite.
func quotedOutward(seg *segment.Segment) tuple {
	return tuple{segment.Node(seg.Ack), seg.Dst, seg.DstPort, seg.SrcPort}
}

func quotedInward(seg *segment.Segment) tuple {
	return tuple{seg.Dst, segment.Node(seg.Ack), seg.SrcPort, seg.DstPort}
}

func isOpening(seg *segment.Segment) bool {
	return seg.Flags&(segment.SYN|segment.ACK|segment.RST|segment.FIN) == segment.SYN
}
