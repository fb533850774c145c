package middlebox

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

type nowhere struct{}

func (nowhere) Receive(des.Time, *segment.Segment) {}

// BenchmarkPacket is what a packet of one of 1000 known connections (or sources)
// costs, and a SYN of a flood at the SYN proxy.
func BenchmarkPacket(b *testing.B) {
	sim := des.New(1, 0)
	c := DefaultNAT()
	c.Public = 5
	nat, err := NewNAT(sim, "nat", c)
	if err != nil {
		b.Fatal(err)
	}
	proxy, err := NewSynProxy(sim, "proxy", DefaultSynProxy())
	if err != nil {
		b.Fatal(err)
	}
	firewall, err := NewFirewall(sim, "firewall", DefaultFirewall())
	if err != nil {
		b.Fatal(err)
	}
	limiter, err := NewLimiter(sim, LimiterConfig{Rate: 1e9, Burst: 9000, Sources: 1000}, nowhere{})
	if err != nil {
		b.Fatal(err)
	}
	for _, x := range []Box{nat, proxy, firewall} {
		x.SetNext(nowhere{}, nowhere{})
	}
	seg := segment.Segment{Dst: 2, SrcPort: 5000, DstPort: 80, Flags: segment.SYN}
	for seg.Src = 10; seg.Src < 1010; seg.Src++ {
		nat.Outward().Receive(0, &seg)
		firewall.Outward().Receive(0, &seg)
	}
	for _, k := range []struct {
		name string
		to   interface {
			Receive(des.Time, *segment.Segment)
		}
	}{{"nat", nat.Outward()}, {"firewall", firewall.Outward()}, {"syn-proxy", proxy.Inward()}, {"limiter", limiter}} {
		b.Run(k.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				seg.Src = segment.Node(10 + i%1000)
				k.to.Receive(0, &seg)
			}
		})
	}
}
