package scenarios

import (
	"fmt"
	"net/netip"
	"slices"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel/middlebox"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// place is one of the links at which a middlebox of the scenario stands.
type place struct {
	inside          string
	outward, inward *network.Link
	first           bool // of the places of the box
}

// places returns the links at which a box stands: one, or one for each host of the
// group at one of its ends.
func (b *builder) places(m *spec.Middlebox) []place {
	i, forward := b.sc.LinkOf(m)
	var list []place
	for k, member := range linkMembers(b.sc, &b.sc.Links[i]) {
		p := place{inside: member.ends[0], outward: b.links[b.firstLink[i]+2*k], inward: b.links[b.firstLink[i]+2*k+1], first: k == 0}
		if !forward {
			p.inside, p.outward, p.inward = member.ends[1], p.inward, p.outward
		}
		list = append(list, p)
	}
	return list
}

// boxes makes the middleboxes and puts them into the links, those of one link
// together.
func (b *builder) boxes() error {
	at := map[*network.Link][]middlebox.Box{} // by the link from the first box's inside
	var order []place
	for i := range b.sc.Middleboxes {
		m := &b.sc.Middleboxes[i]
		var all []builtBox
		for k, p := range b.places(m) {
			name := m.Name
			if k > 0 {
				name = fmt.Sprintf("%s[%d]", m.Name, k+1)
			}
			built, err := m.Config.(boxConfig).build(b, m, name, p)
			if err != nil {
				return b.sc.Problem(m.Pos, "middlebox %s: %v", m.Name, err)
			}
			built.SetObserver(&boxObserver{b, name})
			all = append(all, built)
			box := built.Box
			if _, known := at[p.inward]; known {
				box, p.outward = turned{box}, p.inward
			} else if _, known := at[p.outward]; !known {
				order = append(order, p)
			}
			at[p.outward] = append(at[p.outward], box)
			b.boxList = append(b.boxList, built.Box)
		}
		b.recorder.Box(m.Kind, m.Name, sumLevels(all), sumCounts(all))
	}
	for _, p := range order {
		middlebox.Insert(b.sim, p.outward, p.inward, at[p.outward]...)
	}
	return nil
}

// turned is a box whose inside is outside.
type turned struct{ middlebox.Box }

// Outward takes packets from outside.
func (t turned) Outward() network.Sink { return t.Box.Inward() }

// Inward takes packets from inside.
func (t turned) Inward() network.Sink { return t.Box.Outward() }

// SetNext says where packets go on to.
func (t turned) SetNext(outward, inward network.Sink) { t.Box.SetNext(inward, outward) }

// sumLevels puts the levels of boxes of one name together; the longest queue is
// the longest of any.
func sumLevels(all []builtBox) []measure.Level {
	sum := slices.Clone(all[0].levels)
	for i := range sum {
		l := &sum[i]
		l.Value = total(all, func(b *builtBox) uint64 { return b.levels[i].Value() })
		l.Integral = total(all, func(b *builtBox) uint64 { return b.levels[i].Integral() })
		if l.Peak != nil {
			l.Peak = func() (most uint64) {
				for k := range all {
					most = max(most, all[k].levels[i].Peak())
				}
				return most
			}
		}
	}
	return sum
}

func sumCounts(all []builtBox) []measure.Count {
	sum := slices.Clone(all[0].counts)
	for i := range sum {
		sum[i].Read = total(all, func(b *builtBox) uint64 { return b.counts[i].Read() })
	}
	return sum
}

func total(all []builtBox, read func(*builtBox) uint64) func() uint64 {
	return func() (n uint64) {
		for k := range all {
			n += read(&all[k])
		}
		return n
	}
}

// boxObserver tells traces and captures what a box does.
type boxObserver struct {
	b    *builder
	name string
}

// ObserveBox implements middlebox.Observer.
func (o *boxObserver) ObserveBox(now des.Time, did middlebox.Deed, seg *segment.Segment) {
	where := fmt.Sprintf("%s (%v)", o.name, did)
	kind := measure.SegmentDropped
	switch did {
	case middlebox.Sent:
		kind, where = measure.SegmentMade, o.name
	case middlebox.Answered:
		kind, where = measure.SegmentAnswered, o.name
	}
	o.b.recorder.Fate(now, kind, where, seg)
	if o.b.capture != nil && did != middlebox.Sent {
		o.b.capture.note(o.b.recorder.Canonical(seg), kind.String()+" by "+where)
	}
}

// publicNetworks are where the addresses of NATs come from, the networks for
// documentation (RFC 5737): the first that no spoofed range overlaps.
var publicNetworks = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
}

// addressNATs gives the routers at which NATs stand their addresses.
func (b *builder) addressNATs(spoofed []netip.Prefix) error {
	from := publicNetworks[0]
	for _, p := range publicNetworks {
		if !slices.ContainsFunc(spoofed, p.Overlaps) {
			from = p
			break
		}
	}
	addr, seen := from.Addr(), map[string]bool{}
	for i := range b.sc.Middleboxes {
		m := &b.sc.Middleboxes[i]
		if _, router := m.Config.(spec.Router); !router || seen[m.Inside] {
			continue
		}
		seen[m.Inside] = true
		addr = addr.Next()
		if err := b.addresses.Add(b.nodes[m.Inside], addr); err != nil {
			return b.sc.Problem(m.Pos, "middlebox %s: %v", m.Name, err)
		}
	}
	return nil
}
