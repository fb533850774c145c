package network

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// PacketKind is a kind of packet that a Fault can choose. A packet can be of
// several kinds: a FIN with payload is FIN, DATA and ANY.
type PacketKind uint8

// The kinds of packet. What is not TCP is ANY alone.
const (
	// ANY is every packet.
	ANY PacketKind = iota
	// SYN is a SYN without ACK.
	SYN
	// SYNACK is a SYN with ACK.
	SYNACK
	// ACK is a pure ACK: no payload, SYN, FIN or RST.
	ACK
	// DATA is a segment with payload.
	DATA
	// FIN is a segment with FIN.
	FIN
	// RST is a segment with RST.
	RST

	packetKinds = iota
)

var packetKindNames = [packetKinds]string{"ANY", "SYN", "SYNACK", "ACK", "DATA", "FIN", "RST"}

// String returns the name of k, such as "SYNACK".
func (k PacketKind) String() string {
	if k < packetKinds {
		return packetKindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Matches reports whether seg is of kind k.
func (k PacketKind) Matches(seg *segment.Segment) bool {
	if k == ANY || seg.Kind != segment.KindTCP {
		return k == ANY
	}
	switch k {
	case SYN:
		return seg.Flags&(segment.SYN|segment.ACK) == segment.SYN
	case SYNACK:
		return seg.Has(segment.SYN | segment.ACK)
	case ACK:
		return seg.Flags&(segment.ACK|segment.SYN|segment.FIN|segment.RST) == segment.ACK && seg.Len == 0
	case DATA:
		return seg.Len > 0
	case FIN:
		return seg.Has(segment.FIN)
	case RST:
		return seg.Has(segment.RST)
	}
	return false
}

// Action is what a Fault does to a packet.
type Action uint8

// The actions.
const (
	// Drop makes the packet vanish on the wire, after its serialisation.
	Drop Action = iota
	// Duplicate makes the packet arrive twice, once right after the other.
	Duplicate
	// Delay makes the packet arrive later than it would, by Fault.Extra, and
	// the packets behind it overtake it.
	Delay
	// Corrupt makes the packet arrive with changed bits (segment.Corrupt): the
	// host that it is for finds the wrong checksum and drops it.
	Corrupt

	actions = iota
)

var actionNames = [actions]string{"drop", "duplicate", "delay", "corrupt"}

// String returns "drop", "duplicate", "delay" or "corrupt".
func (a Action) String() string {
	if a < actions {
		return actionNames[a]
	}
	return "action " + strconv.Itoa(int(a))
}

// maxFaults is the largest number of faults of a link.
const maxFaults = 1<<(32-faultShift) - 1

// Fault does something on purpose to chosen packets of one direction of a link:
// the first packet of Kind that is offered to it has ordinal 1, and so on.
// Retransmissions count, and so do packets that find the queue full. If several
// faults hit one packet, all of their actions count, of delays the longest.
type Fault struct {
	Kind PacketKind
	// Ordinals lists the packets that are hit, in ascending order.
	Ordinals []uint64
	// From hits all packets from this ordinal on; 0 hits none.
	From uint64
	// Action is what happens to them.
	Action Action
	// Extra is how much later they arrive, for Delay alone.
	Extra des.Time
}

// String returns f in the form that ParseFaults reads, such as "SYN:1,2,5+" or
// "DATA:7 delay 20ms".
func (f Fault) String() string {
	b := []byte(f.Kind.String())
	separator := byte(':')
	for _, k := range f.Ordinals {
		b = strconv.AppendUint(append(b, separator), k, 10)
		separator = ','
	}
	if f.From > 0 {
		b = append(strconv.AppendUint(append(b, separator), f.From, 10), '+')
	}
	if f.Action != Drop {
		b = append(append(b, ' '), f.Action.String()...)
	}
	if f.Action == Delay {
		b = append(append(b, ' '), f.Extra.String()...)
	}
	return string(b)
}

func (f Fault) validate() error {
	switch {
	case f.Kind >= packetKinds:
		return fmt.Errorf("fault: unknown %v", f.Kind)
	case f.Action >= actions:
		return fmt.Errorf("fault %v: unknown %v", f, f.Action)
	case f.validateExtra() != nil:
		return fmt.Errorf("fault %v: %w", f, f.validateExtra())
	case len(f.Ordinals) == 0 && f.From == 0:
		return fmt.Errorf("fault %v: hits no packet", f)
	}
	last := uint64(0)
	for _, k := range f.Ordinals {
		if k <= last {
			return fmt.Errorf("fault %v: ordinals must start at 1 and ascend", f)
		}
		last = k
	}
	return nil
}

func (f Fault) validateExtra() error {
	switch {
	case f.Action == Delay && (f.Extra <= 0 || f.Extra > maxDelay):
		return fmt.Errorf("extra delay of %v: must be above 0 and at most %v", f.Extra, des.Time(maxDelay))
	case f.Action != Delay && f.Extra != 0:
		return fmt.Errorf("extra delay of %v: goes with the action delay alone", f.Extra)
	}
	return nil
}

// ParseFaults reads faults in the form "SYN:1,2;FIN:1;ANY:3+": kinds of packet,
// each with the ordinals that are hit; "3+" is the third and all after it. What
// happens to them stands behind, "drop" if nothing does: "DATA:3 duplicate",
// "ACK:1,2 corrupt", "DATA:7 delay 20ms" (with a unit as in time.Duration).
// Blanks are skipped, ordinals may be in any order, and nothing is no fault.
func ParseFaults(text string) ([]Fault, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var faults []Fault
	for part := range strings.SplitSeq(text, ";") {
		f, err := parseFault(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("faults %q: %w", text, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func parseFault(part string) (Fault, error) {
	name, list, found := strings.Cut(part, ":")
	if !found {
		return Fault{}, fmt.Errorf("%q has no ordinals (want a form like SYN:1,2 or ANY:3+)", part)
	}
	kind := slices.Index(packetKindNames[:], strings.TrimSpace(name))
	if kind < 0 {
		return Fault{}, fmt.Errorf("unknown kind of packet %q (have %s)", strings.TrimSpace(name), strings.Join(packetKindNames[:], ", "))
	}
	f := Fault{Kind: PacketKind(kind)}
	if at := strings.IndexFunc(list, unicode.IsLetter); at >= 0 {
		if err := f.parseAction(list[at:]); err != nil {
			return Fault{}, fmt.Errorf("%q: %w", part, err)
		}
		list = list[:at]
	}
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		digits, open := strings.CutSuffix(item, "+")
		k, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || k == 0 || digits[0] == '+' {
			return Fault{}, fmt.Errorf("%q in %q is no ordinal (want 1, 2, ... or 3+ for the third and all after it)", item, part)
		}
		switch {
		case open && f.From != 0:
			return Fault{}, fmt.Errorf("%q says twice from which packet on", part)
		case open:
			f.From = k
		default:
			f.Ordinals = append(f.Ordinals, k)
		}
	}
	slices.Sort(f.Ordinals)
	if len(slices.Compact(slices.Clone(f.Ordinals))) < len(f.Ordinals) {
		return Fault{}, fmt.Errorf("%q names an ordinal twice", part)
	}
	return f, nil
}

// parseAction reads what stands behind the ordinals.
func (f *Fault) parseAction(text string) error {
	words := strings.Fields(text)
	action := slices.Index(actionNames[:], words[0])
	if action < 0 {
		return fmt.Errorf("unknown action %q (have %s)", words[0], strings.Join(actionNames[:], ", "))
	}
	f.Action = Action(action)
	if f.Action != Delay {
		if len(words) > 1 {
			return fmt.Errorf("%q behind %q is not understood", words[1], words[0])
		}
		return nil
	}
	if len(words) != 2 {
		return fmt.Errorf("delay needs a time (want a form like delay 20ms)")
	}
	extra, err := time.ParseDuration(words[1])
	if err != nil {
		return fmt.Errorf("delay of %q (want a form like delay 20ms)", words[1])
	}
	f.Extra = des.Time(extra)
	return f.validateExtra()
}

// injector counts the packets of a link and finds those that faults hit.
type injector struct{ counters []faultCounter }

type faultCounter struct {
	fault Fault
	seen  uint64
	next  int // the first of fault.Ordinals that is still to come
}

// newInjector returns the injector of valid faults, nil if there are none.
func newInjector(faults []Fault) *injector {
	if len(faults) == 0 {
		return nil
	}
	in := &injector{}
	for _, f := range faults {
		f.Ordinals = slices.Clone(f.Ordinals)
		in.counters = append(in.counters, faultCounter{fault: f})
	}
	return in
}

// strike counts seg and returns what faults do to it.
func (in *injector) strike(seg *segment.Segment) fate {
	f, slowest := fate(0), -1
	for i := range in.counters {
		c := &in.counters[i]
		if !c.fault.Kind.Matches(seg) {
			continue
		}
		c.seen++
		hit := c.fault.From > 0 && c.seen >= c.fault.From
		if c.next < len(c.fault.Ordinals) && c.fault.Ordinals[c.next] == c.seen {
			c.next++
			hit = true
		}
		if !hit {
			continue
		}
		switch c.fault.Action {
		case Drop:
			f |= fateLost
		case Duplicate:
			f |= fateDuplicate
		case Corrupt:
			f |= fateCorrupt
		case Delay:
			if slowest < 0 || in.counters[slowest].fault.Extra < c.fault.Extra {
				slowest = i
			}
		}
	}
	return f | fate(slowest+1)<<faultShift
}

// extra returns by how much a packet of that fate is delayed.
func (in *injector) extra(f fate) des.Time { return in.counters[f>>faultShift-1].fault.Extra }
