package network

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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

	actions = iota
)

// Fault does something on purpose to chosen packets of one direction of a link:
// the first packet of Kind that is offered to it has ordinal 1, and so on.
// Retransmissions count, and so do packets that find the queue full.
type Fault struct {
	Kind PacketKind
	// Ordinals lists the packets that are hit, in ascending order.
	Ordinals []uint64
	// From hits all packets from this ordinal on; 0 hits none.
	From uint64
	// Action is what happens to them.
	Action Action
}

// String returns f in the form that ParseFaults reads, such as "SYN:1,2,5+".
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
	return string(b)
}

func (f Fault) validate() error {
	switch {
	case f.Kind >= packetKinds:
		return fmt.Errorf("fault: unknown %v", f.Kind)
	case f.Action >= actions:
		return fmt.Errorf("fault %v: unknown action %d", f, f.Action)
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

// ParseFaults reads faults in the form "SYN:1,2;FIN:1;ANY:3+": kinds of packet,
// each with the ordinals that are dropped; "3+" is the third and all after it.
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

// drops counts seg and reports whether a fault drops it.
func (in *injector) drops(seg *segment.Segment) bool {
	hit := false
	for i := range in.counters {
		c := &in.counters[i]
		if !c.fault.Kind.Matches(seg) {
			continue
		}
		c.seen++
		if c.next < len(c.fault.Ordinals) && c.fault.Ordinals[c.next] == c.seen {
			c.next++
			hit = true
		}
		if c.fault.From > 0 && c.seen >= c.fault.From {
			hit = true
		}
	}
	return hit
}
