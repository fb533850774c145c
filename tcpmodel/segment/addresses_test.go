package segment

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestAddressesPrefix(t *testing.T) {
	a := &Addresses{}
	if err := a.Add(1, mustAddr("203.0.113.10")); err != nil {
		t.Fatal(err)
	}
	n, err := a.AddPrefix(2, netip.MustParsePrefix("198.18.7.7/15"))
	if err != nil || n != 131072 {
		t.Fatalf("%d nodes, error %v", n, err)
	}
	for _, tt := range []struct {
		node Node
		addr string
	}{{1, "203.0.113.10"}, {2, "198.18.0.0"}, {3, "198.18.0.1"}, {2 + 65536, "198.19.0.0"}, {2 + 131071, "198.19.255.255"}} {
		if got := a.Addr(tt.node); got != mustAddr(tt.addr) {
			t.Errorf("node %d has %v, want %s", tt.node, got, tt.addr)
		}
		if got := a.Node(mustAddr(tt.addr)); got != tt.node {
			t.Errorf("%s is node %d, want %d", tt.addr, got, tt.node)
		}
	}
	if got := a.Node(mustAddr("::ffff:203.0.113.10")); got != 1 {
		t.Errorf("the mapped address is node %d", got)
	}
	for _, addr := range []string{"198.17.255.255", "198.20.0.0", "0.0.0.0", "255.255.255.255", "::1"} {
		if got := a.Node(mustAddr(addr)); got != 0 {
			t.Errorf("%s is node %d", addr, got)
		}
	}
	for _, node := range []Node{0, 2 + 131072, 1<<32 - 1} {
		if got := a.Addr(node); got.IsValid() {
			t.Errorf("node %d has %v", node, got)
		}
	}
}

func TestAddressesErrors(t *testing.T) {
	a := testAddresses()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"node taken", a.Add(10, mustAddr("10.0.0.1")), "has an address already"},
		{"range over a node", a.AddRange(testNodes, mustAddr("10.0.0.1"), 5), "has an address already"},
		{"address taken", a.Add(testNodes+1, mustAddr("198.19.0.0")), "in use already"},
		{"range over an address", a.AddRange(testNodes+1, mustAddr("198.17.255.255"), 2), "in use already"},
		{"node 0", a.Add(0, mustAddr("10.0.0.1")), "numbers start at 1"},
		{"IPv6", a.Add(testNodes+1, mustAddr("2001:db8::1")), "not an IPv4 address"},
		{"no address", a.Add(testNodes+1, netip.Addr{}), "not an IPv4 address"},
		{"empty", a.AddRange(testNodes+1, mustAddr("10.0.0.1"), 0), "empty range"},
		{"past the end", a.AddRange(testNodes+1, mustAddr("255.255.255.255"), 2), "past the end"},
	}
	_, err := a.AddPrefix(testNodes+1, netip.MustParsePrefix("2001:db8::/64"))
	tests = append(tests, struct {
		name string
		err  error
		want string
	}{"IPv6 prefix", err, "not an IPv4 prefix"})
	for _, tt := range tests {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, tt.err, tt.want)
		}
	}
}

// Whatever ranges are added, the two directions are inverse to each other and
// agree with a plain map.
func TestAddressesAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, byNode, byAddr := &Addresses{}, map[Node]uint32{}, map[uint32]Node{}
		for range rapid.IntRange(1, 8).Draw(t, "ranges") {
			node, count := Node(rapid.Uint32Range(1, 40).Draw(t, "node")), rapid.Uint32Range(1, 8).Draw(t, "count")
			addr := rapid.Uint32Range(100, 140).Draw(t, "addr")
			free := true
			for i := range count {
				_, n := byNode[node+Node(i)]
				_, d := byAddr[addr+i]
				free = free && !n && !d
			}
			err := a.AddRange(node, netip.AddrFrom4([4]byte{0, 0, 0, byte(addr)}), count)
			if (err == nil) != free {
				t.Fatalf("nodes %d, addresses %d, count %d: free %v, error %v", node, addr, count, free, err)
			}
			for i := range count {
				if free {
					byNode[node+Node(i)], byAddr[addr+i] = addr+i, node+Node(i)
				}
			}
		}
		for n := Node(0); n < 60; n++ {
			addr, ok := a.ip(n)
			if want, has := byNode[n]; ok != has || has && addr != want {
				t.Fatalf("node %d has %d %v, want %d %v", n, addr, ok, want, has)
			}
		}
		for addr := uint32(90); addr < 160; addr++ {
			if got := a.node(addr); got != byAddr[addr] {
				t.Fatalf("address %d is node %d, want %d", addr, got, byAddr[addr])
			}
		}
	})
}
