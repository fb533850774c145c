package middlebox

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// TestIndex: the index is a map.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x index
		want := map[tuple]uint32{}
		for n := range uint32(rapid.IntRange(0, 200).Draw(t, "steps")) {
			k := tuple{segment.Node(rapid.IntRange(1, 5).Draw(t, "in")), 9, uint16(rapid.IntRange(0, 9).Draw(t, "port")), 80}
			if _, there := want[k]; there {
				x.remove(k)
				delete(want, k)
			} else if rapid.Bool().Draw(t, "put") {
				x.put(k, n)
				want[k] = n
			} else {
				x.remove(k)
			}
			if x.used != len(want) {
				t.Fatalf("%d used, want %d", x.used, len(want))
			}
			for in := segment.Node(1); in <= 5; in++ {
				for port := range uint16(10) {
					k := tuple{in, 9, port, 80}
					i, ok := x.find(k)
					if w, there := want[k]; ok != there || ok && i != w {
						t.Fatalf("%v leads to %d, %v, want %d, %v", k, i, ok, w, there)
					}
				}
			}
		}
	})
}

// TestAges: lists are in the order of the last touch.
func TestAges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := ages{lists: make([]ageEnds, 2)}
		want := [2][]uint32{}
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			i := uint32(rapid.IntRange(0, 7).Draw(t, "entry"))
			for list := range want {
				if at := slices.Index(want[list], i); at >= 0 {
					a.remove(list, i)
					want[list] = slices.Delete(want[list], at, at+1)
				}
			}
			if list := rapid.IntRange(0, 2).Draw(t, "list"); list < 2 {
				a.push(list, i)
				want[list] = append(want[list], i)
			}
			for list := range want {
				var got []uint32
				for k := a.lists[list].oldest; k != 0; k = a.links[k-1].newer {
					got = append(got, k-1)
				}
				if !slices.Equal(got, want[list]) {
					t.Fatalf("list %d is %v, want %v", list, got, want[list])
				}
			}
		}
	})
}

// TestInsertOrder: several boxes nest, the first one innermost.
func TestInsertOrder(t *testing.T) {
	l := newLab(t, 1, "linux", tenMs, nil)
	c := DefaultNAT()
	c.Public = l.edge
	nat, err := NewNAT(l.sim, "nat", c)
	if err != nil {
		t.Fatal(err)
	}
	inner, outer := newFirewall(t, l.sim, nil), newFirewall(t, l.sim, nil)
	Insert(l.sim, l.toServer, l.back, inner, nat, outer)
	l.listen(5)
	l.client.write = 10_000
	l.dial(l.client, tcpmodel.SocketOptions{})
	l.run(des.Second)
	if l.server.read != 10_000 {
		t.Errorf("the server has read %d bytes", l.server.read)
	}
	for _, f := range []struct {
		box  *Firewall
		want segment.Node
	}{{inner, l.client.node}, {outer, l.edge}} {
		if got := f.box.track.flows[0].key.in; got != f.want {
			t.Errorf("a firewall sees node %d inside, want %d", got, f.want)
		}
	}
	l.books(inner, nat, outer)
}

// TestAllocations: nothing is allocated for a packet, nor for a connection once
// tables are as large as they get.
func TestAllocations(t *testing.T) {
	gate := func(what string, f func()) {
		t.Helper()
		for range 3000 {
			f()
		}
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
	sim := des.New(1, 0)
	c := DefaultNAT()
	c.Public = 5
	nat, err := NewNAT(sim, "nat", c)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := NewSynProxy(sim, "proxy", DefaultSynProxy())
	if err != nil {
		t.Fatal(err)
	}
	firewall := newFirewall(t, sim, func(c *FirewallConfig) { c.MaxFlows = 500 })
	for _, b := range []Box{nat, proxy, firewall} {
		b.SetNext(&collector{}, &collector{})
	}
	seg := segment.Segment{Src: 1, Dst: 2, SrcPort: 5000, DstPort: 80, Flags: segment.SYN}
	ack := seg
	ack.Flags = segment.ACK
	nat.Outward().Receive(0, &seg)
	gate("NAT, packet", func() { nat.Outward().Receive(sim.Now(), &ack) })
	gate("NAT, connections come and are forgotten", func() {
		sim.Run(sim.Now() + des.Second)
		seg.SrcPort++
		nat.Outward().Receive(sim.Now(), &seg)
	})
	if s := nat.Stats(); s.Expired < 3000 {
		t.Errorf("%d connections forgotten", s.Expired)
	}
	gate("firewall, full table", func() {
		sim.Run(sim.Now() + 100*des.Millisecond)
		seg.SrcPort++
		firewall.Outward().Receive(sim.Now(), &seg)
	})
	gate("SYN proxy, flood", func() {
		seg.Src++
		proxy.Inward().Receive(sim.Now(), &seg)
	})
	limiter, _ := newLimiter(t, LimiterConfig{Rate: 5, Burst: 5, Sources: 100})
	gate("limiter, new sources", func() {
		seg.Src++
		limiter.Receive(sim.Now(), &seg)
	})
}

// TestConfigs: what no box can run with is refused.
func TestConfigs(t *testing.T) {
	sim := des.New(1, 0)
	nat := func(f func(*NATConfig)) error {
		c := DefaultNAT()
		c.Public = 1
		f(&c)
		_, err := NewNAT(sim, "nat", c)
		return err
	}
	proxy := func(f func(*SynProxyConfig)) error {
		c := DefaultSynProxy()
		f(&c)
		_, err := NewSynProxy(sim, "proxy", c)
		return err
	}
	limiter := func(c LimiterConfig) error {
		_, err := NewLimiter(des.New(1, 0), c, nil)
		return err
	}
	for what, err := range map[string]error{
		"no address":       nat(func(c *NATConfig) { c.Public = 0 }),
		"no ports":         nat(func(c *NATConfig) { c.PortLow, c.PortHigh = 10, 9 }),
		"no timeout":       nat(func(c *NATConfig) { c.Established = 0 }),
		"limit below 0":    nat(func(c *NATConfig) { c.MaxFlows = -1 }),
		"pick up":          proxy(func(c *SynProxyConfig) { c.Unknown = PickUp }),
		"scale":            proxy(func(c *SynProxyConfig) { c.WScale = 15 }),
		"retries":          proxy(func(c *SynProxyConfig) { c.Retries = 17 }),
		"no rate":          limiter(DefaultLimiter()),
		"too slow":         limiter(LimiterConfig{Rate: 1e-9, Burst: 1, Sources: 1}),
		"burst":            limiter(LimiterConfig{Rate: 1, Burst: 9001, Sources: 1}),
		"no sources":       limiter(LimiterConfig{Rate: 1, Burst: 1}),
		"proxy no timeout": proxy(func(c *SynProxyConfig) { c.RTO = 0 }),
	} {
		if err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}
