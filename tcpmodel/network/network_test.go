package network

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

const ms = des.Millisecond

func connect(t testing.TB, n *Network, a, b segment.Node, delay des.Time) (*Link, *Link) {
	t.Helper()
	fwd, bwd, err := n.Connect(a, b, LinkConfig{Delay: delay}, LinkConfig{Delay: delay})
	if err != nil {
		t.Fatal(err)
	}
	return fwd, bwd
}

func attach(t testing.TB, n *Network, host segment.Node) *collector {
	t.Helper()
	c := &collector{}
	if err := n.Attach(host, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func build(t testing.TB, n *Network) {
	t.Helper()
	if err := n.Build(); err != nil {
		t.Fatal(err)
	}
}

func TestDumbbell(t *testing.T) {
	sim := des.New(1, 0)
	n := New(sim)
	client, attacker, server := n.AddHost("client"), n.AddHost("attacker"), n.AddHost("server")
	core, edge := n.AddRouter("core"), n.AddRouter("edge")
	spoofed := n.AddRange("spoofed", 131072)
	connect(t, n, client, core, 20*ms)
	connect(t, n, attacker, core, 5*ms)
	bottleneck, back := connect(t, n, core, edge, 1*ms)
	connect(t, n, edge, server, 2*ms)
	atServer, atClient := attach(t, n, server), attach(t, n, client)
	build(t, n)

	for _, tt := range []struct {
		from segment.Node
		seg  segment.Segment
	}{
		{client, segment.Segment{Src: client, Dst: server}},
		{attacker, segment.Segment{Src: spoofed + 1000, Dst: server}},
		{server, segment.Segment{Src: server, Dst: spoofed + 1000}},
		{server, segment.Segment{Src: server, Dst: client}},
		{server, segment.Segment{Src: server, Dst: core}},
		{server, segment.Segment{Src: server, Dst: 0}},
		{server, segment.Segment{Src: server, Dst: attacker}},
	} {
		n.Egress(tt.from).Receive(0, &tt.seg)
	}
	sim.RunIdle()
	if len(atServer.got) != 2 || atServer.got[0].at != 8*ms || atServer.got[1].at != 23*ms || atServer.got[0].seg.Src != spoofed+1000 {
		t.Errorf("server got %v", atServer.got)
	}
	if len(atClient.got) != 1 || atClient.got[0].at != 23*ms {
		t.Errorf("client got %v", atClient.got)
	}
	if n.NoRoute(edge) != 2 || n.NoRoute(core) != 1 || n.Undeliverable(attacker) != 1 || n.Misdelivered(attacker) != 0 {
		t.Errorf("no route at edge %d, at core %d; undeliverable at attacker %d", n.NoRoute(edge), n.NoRoute(core), n.Undeliverable(attacker))
	}
	if bottleneck.Stats().Delivered.Packets != 2 || back.Stats().Delivered.Packets != 3 {
		t.Errorf("bottleneck %+v, back %+v", bottleneck.Stats(), back.Stats())
	}
	if got := n.Unreachable(); got != nil {
		t.Errorf("unreachable %v", got)
	}
}

func TestNames(t *testing.T) {
	n := New(des.New(1, 0))
	a, r := n.AddHost("a"), n.AddRouter("r")
	spoofed := n.AddRange("spoofed", 10)
	b := n.AddHost("b")
	connect(t, n, a, r, 1)
	connect(t, n, r, b, 1)
	connect(t, n, r, a, 1)
	build(t, n)
	if a != 1 || r != 2 || spoofed != 3 || b != 13 || n.Nodes() != 13 {
		t.Errorf("numbers %d %d %d %d of %d", a, r, spoofed, b, n.Nodes())
	}
	var names []string
	for node := range n.Nodes() + 2 {
		names = append(names, n.Name(node))
	}
	want := []string{"", "a", "r"}
	for i := range 10 {
		want = append(want, fmt.Sprintf("spoofed[%d]", i))
	}
	if diff := cmp.Diff(append(want, "b", ""), names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var links []string
	for _, l := range n.Links() {
		links = append(links, fmt.Sprintf("%s %d %d", l.Name(), l.From(), l.To()))
	}
	if diff := cmp.Diff([]string{"a->r 1 2", "r->a 2 1", "r->b 2 13", "b->r 13 2", "r->a#2 2 1", "a->r#2 1 2"}, links); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n.Node("spoofed") != spoofed || n.Node("nobody") != 0 {
		t.Error("nodes by name")
	}
	if diff := cmp.Diff([][]segment.Node{{a, b}, {r}}, [][]segment.Node{n.Hosts(), n.Routers()}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestRouteChoice(t *testing.T) {
	tests := []struct {
		name   string
		delays [4]des.Time // a-r1, r1-b, a-r2, r2-b
		direct des.Time    // a-r3-r4-b: this much on each hop
		want   string
	}{
		{"least delay", [4]des.Time{10, 10, 5, 5}, 50, "r2"},
		{"the sum counts", [4]des.Time{1, 30, 10, 10}, 50, "r2"},
		{"then fewest hops", [4]des.Time{15, 15, 20, 10}, 10, "r1"},
		{"fewest hops, found last", [4]des.Time{25, 5, 40, 10}, 10, "r1"},
		{"then the first link", [4]des.Time{5, 15, 15, 5}, 50, "r1"},
		{"more hops if faster", [4]des.Time{15, 15, 20, 10}, 9, "r3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sim := des.New(1, 0)
			n := New(sim)
			a, b := n.AddHost("a"), n.AddHost("b")
			r1, r2, r3, r4 := n.AddRouter("r1"), n.AddRouter("r2"), n.AddRouter("r3"), n.AddRouter("r4")
			connect(t, n, a, r3, tt.direct)
			connect(t, n, r3, r4, tt.direct)
			connect(t, n, r4, b, tt.direct)
			connect(t, n, a, r1, tt.delays[0])
			connect(t, n, r1, b, tt.delays[1])
			connect(t, n, a, r2, tt.delays[2])
			connect(t, n, r2, b, tt.delays[3])
			atB := attach(t, n, b)
			build(t, n)
			n.Egress(a).Receive(0, &segment.Segment{Dst: b})
			n.Egress(a).Receive(0, &segment.Segment{Dst: 99})
			sim.RunIdle()
			for _, l := range n.Links() {
				if used := l.Stats().Delivered.Packets == 1; used != (l.Name() == "a->"+tt.want) && l.From() == a {
					t.Errorf("%s used: %v", l.Name(), used)
				}
			}
			if len(atB.got) != 1 || n.NoRoute(a) != 1 {
				t.Errorf("b got %v, %d without route", atB.got, n.NoRoute(a))
			}
		})
	}
}

// On any network, a packet takes exactly the least possible delay, and where no
// path exists it is counted somewhere.
func TestRoutesAreShortest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sim := des.New(1, 0)
		n := New(sim)
		var nodes []segment.Node
		for i := range rapid.IntRange(2, 9).Draw(rt, "nodes") {
			if rapid.Bool().Draw(rt, "router") {
				nodes = append(nodes, n.AddRouter(fmt.Sprint("r", i)))
			} else {
				nodes = append(nodes, n.AddHost(fmt.Sprint("h", i)))
			}
		}
		const far = des.Time(1 << 40)
		size := len(nodes) + 1
		hop := make([][]des.Time, size)
		for i := range hop {
			hop[i] = make([]des.Time, size)
			for j := range hop[i] {
				hop[i][j] = far
			}
		}
		for range rapid.IntRange(0, 15).Draw(rt, "links") {
			a, b := rapid.SampledFrom(nodes).Draw(rt, "a"), rapid.SampledFrom(nodes).Draw(rt, "b")
			if a == b {
				continue
			}
			there, back := des.Time(rapid.Int64Range(0, 4).Draw(rt, "there")), des.Time(rapid.Int64Range(0, 4).Draw(rt, "back"))
			if _, _, err := n.Connect(a, b, LinkConfig{Delay: there}, LinkConfig{Delay: back}); err != nil {
				rt.Fatal(err)
			}
			hop[a][b], hop[b][a] = min(hop[a][b], there), min(hop[b][a], back)
		}
		build(t, n)
		best := make([][]des.Time, size)
		for i := range best {
			best[i] = append([]des.Time(nil), hop[i]...)
		}
		for _, via := range n.Routers() {
			for i := range best {
				for j := range best {
					best[i][j] = min(best[i][j], best[i][via]+best[via][j])
				}
			}
		}
		checkPaths(rt, n, best, far)
	})
}

func checkPaths(t *rapid.T, n *Network, best [][]des.Time, far des.Time) {
	var unreachable []Pair
	for _, a := range n.Hosts() {
		for _, b := range n.Hosts() {
			if a == b {
				continue
			}
			sink := &collector{}
			if err := n.Attach(b, sink); err != nil {
				t.Fatal(err)
			}
			start := n.sim.Now()
			n.Egress(a).Receive(start, &segment.Segment{Src: a, Dst: b})
			n.sim.RunIdle()
			want := best[a][b]
			if want < far && (len(sink.got) != 1 || sink.got[0].at-start != want) {
				t.Fatalf("%d to %d: got %v after %v, want one packet after %v", a, b, sink.got, start, want)
			}
			if want >= far && a < b {
				unreachable = append(unreachable, Pair{a, b})
			}
			if want >= far && len(sink.got) > 0 {
				t.Fatalf("%d to %d: a packet came through where there is no path", a, b)
			}
		}
	}
	if diff := cmp.Diff(unreachable, n.Unreachable()); diff != "" {
		t.Fatalf("unreachable: -want +got\n%s", diff)
	}
}

func TestMisdelivered(t *testing.T) {
	sim := des.New(1, 0)
	n := New(sim)
	a, b := n.AddHost("a"), n.AddHost("b")
	connect(t, n, a, b, 1)
	atB := attach(t, n, b)
	build(t, n)
	n.Egress(a).Receive(0, &segment.Segment{Dst: 77})
	sim.RunIdle()
	if n.Misdelivered(b) != 1 || len(atB.got) != 0 {
		t.Errorf("misdelivered %d, got %v", n.Misdelivered(b), atB.got)
	}
	if n.Misdelivered(99)+n.Undeliverable(99)+n.NoRoute(99) != 0 {
		t.Error("a node that does not exist counts")
	}
}

func TestNetworkErrors(t *testing.T) {
	n := New(des.New(1, 0))
	a, b, spoofed := n.AddHost("a"), n.AddHost("b"), n.AddRange("spoofed", 5)
	r := n.AddRouter("r")
	good, bad := LinkConfig{}, LinkConfig{Loss: 2}
	for _, tt := range []struct {
		x, y     segment.Node
		fwd, bwd LinkConfig
		want     string
	}{
		{a, 99, good, good, "cannot connect node 99: there is no such node"},
		{0, a, good, good, "cannot connect node 0"},
		{a, spoofed + 1, good, good, `cannot connect "spoofed": it is a range`},
		{a, a, good, good, `cannot connect "a" with itself`},
		{a, b, good, bad, `link between "a" and "b": loss 2: must be 0 to 1`},
	} {
		if _, _, err := n.Connect(tt.x, tt.y, tt.fwd, tt.bwd); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	if len(n.Links()) != 0 {
		t.Error("a failed Connect left a link")
	}
	if err := n.Attach(r, &counter{}); err == nil || !strings.Contains(err.Error(), `"r": it is not a host`) {
		t.Errorf("error %v", err)
	}
	n.AddHost("a")
	n.AddHost("")
	n.AddRange("none", 0)
	n.AddRange("all", 1<<32-1)
	err := n.Build()
	for _, want := range []string{`two nodes are called "a" (1 and 9)`, "node 10 has no name", `range "none" of 0`, `range "all" of 4294967295`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestEgressBeforeBuildPanics(t *testing.T) {
	n := New(des.New(1, 0))
	a := n.AddHost("a")
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	n.Egress(a)
}

// A sink between two elements sees the packets and passes them on.
func TestSetNext(t *testing.T) {
	sim := des.New(1, 0)
	n := New(sim)
	a, b := n.AddHost("a"), n.AddHost("b")
	fwd, _ := connect(t, n, a, b, 1)
	atB := attach(t, n, b)
	build(t, n)
	after := fwd.Next()
	fwd.SetNext(sinkFunc(func(now des.Time, seg *segment.Segment) {
		seg.ECN = segment.CE
		after.Receive(now, seg)
	}))
	n.Egress(a).Receive(0, &segment.Segment{Dst: b})
	sim.RunIdle()
	if len(atB.got) != 1 || atB.got[0].seg.ECN != segment.CE {
		t.Errorf("b got %v", atB.got)
	}
}

// traceHash runs a lossy network with ties in time and folds every tap event of
// every link into one number.
func traceHash(t *testing.T) uint64 {
	sim := des.New(7, 3)
	n := New(sim)
	first, last := n.AddHost("a"), n.AddHost("b")
	r1, r2 := n.AddRouter("r1"), n.AddRouter("r2")
	config := LinkConfig{Rate: 1e9, Delay: 1200, Loss: 0.05, Queue: QueueLimit{Packets: 7}}
	for _, ends := range [][2]segment.Node{{first, r1}, {r1, r2}, {r2, last}} {
		if _, _, err := n.Connect(ends[0], ends[1], config, config); err != nil {
			t.Fatal(err)
		}
	}
	build(t, n)
	hash := uint64(14695981039346656037)
	for i, l := range n.Links() {
		l.AddTap(tapFunc(func(now des.Time, e TapEvent, seg *segment.Segment) {
			for _, v := range []uint64{uint64(i), uint64(now), uint64(e), uint64(seg.Seq)} {
				hash = (hash ^ v) * 1099511628211
			}
		}))
	}
	for k := range 2000 {
		now := des.Time(k/3) * 1200
		sim.Run(now)
		n.Egress(first).Receive(now, &segment.Segment{Kind: segment.KindRaw, Dst: last, Len: 100, Seq: segment.Seq(k)})
		n.Egress(last).Receive(now, &segment.Segment{Kind: segment.KindRaw, Dst: first, Len: 150, Seq: segment.Seq(k)})
	}
	sim.RunIdle()
	for _, l := range n.Links() {
		checkConservation(t, l)
	}
	return hash
}

// Q-DETERM of the validation set.
func TestRunsAreIdentical(t *testing.T) {
	want := traceHash(t)
	procs := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(procs)
	if got := traceHash(t); got != want {
		t.Errorf("hash %x with GOMAXPROCS 1, %x before", got, want)
	}
	runtime.GOMAXPROCS(4)
	if got := traceHash(t); got != want {
		t.Errorf("hash %x with GOMAXPROCS 4, %x before", got, want)
	}
}

// TestRangeBehindHost: what is sent to addresses behind a host comes to it over
// any number of routers, and nothing else does.
func TestRangeBehindHost(t *testing.T) {
	n := New(des.New(1, 0))
	a, b := n.AddHost("a"), n.AddHost("b")
	r, q := n.AddRouter("r"), n.AddRouter("q")
	nowhere, home := n.AddRange("nowhere", 100), n.AddRange("home", 100)
	for _, ends := range [][2]segment.Node{{a, r}, {r, q}, {q, b}} {
		if _, _, err := n.Connect(ends[0], ends[1], LinkConfig{}, LinkConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	var got []segment.Node
	if err := n.PutBehind(home, b, sinkFunc(func(_ des.Time, s *segment.Segment) { got = append(got, s.Dst) })); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][2]segment.Node{{home, a}, {home + 1, b}, {nowhere, r}, {a, b}} {
		if err := n.PutBehind(bad[0], bad[1], nil); err == nil {
			t.Errorf("put %d behind %d", bad[0], bad[1])
		}
	}
	if err := n.Build(); err != nil {
		t.Fatal(err)
	}
	for _, dst := range []segment.Node{home, home + 99, home + 100, nowhere, nowhere + 99} {
		n.Egress(a).Receive(0, &segment.Segment{Src: a, Dst: dst})
	}
	n.sim.Run(des.Second)
	if want := []segment.Node{home, home + 99}; !slices.Equal(got, want) || n.Misdelivered(b) != 0 || n.NoRoute(r) != 3 {
		t.Errorf("got %v, want %v; %d went astray, %d had no route", got, want, n.Misdelivered(b), n.NoRoute(r))
	}
}
