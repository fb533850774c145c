package scenarios

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// parse reads a scenario that is in order.
func parse(t testing.TB, text string) *spec.Scenario {
	t.Helper()
	sc, err := spec.Load("test.yaml", []byte(text), nil, Registry())
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// metric returns the value of a metric of a result.
func metric(t testing.TB, r *measure.Result, name string) float64 {
	t.Helper()
	m := r.FindMetric(name)
	if m == nil || m.Null {
		t.Fatalf("%s is not measured", name)
	}
	return m.Value
}

// home is two laptops behind a router, at whose outer link middleboxes stand, and a
// server.
const home = `
version: 1
name: home
duration: 60s
hosts: {laptops: {count: 2}, server: {}, attacker: {}}
links:
  - {ends: [laptops, home], delay: 1ms, rate: 50Mbit/s}
  - {ends: [isp, home], delay: 10ms, rate: 20Mbit/s, name: access}
  - {ends: [isp, attacker], delay: 1ms}
  - {ends: [isp, server], delay: 5ms, rate: 100Mbit/s, name: wire}
workloads:
  - {name: web, kind: server, on: server, port: 80, response: 20kB}
  - {name: inner, kind: server, on: laptops, port: 8080}
  - {name: visits, kind: clients, on: laptops, to: server:80, arrivals: poisson 5/s, timeout: 3s}
  - {name: upload, kind: bulk, on: laptops, to: server:82, size: 1MB, connections: 2}
  - {name: flood, kind: syn_flood, on: attacker, to: server:80, rate: 100/s}
`

// A bulk transfer through two NATs reaches the receiver that waits for it, its
// connections have both ends in the table, and the traces show both.
func TestConnectionsThroughNATs(t *testing.T) {
	text := strings.Replace(home, "ends: [isp, attacker]", "ends: [isp, core], name: trunk}\n  - {ends: [core, attacker]", 1)
	text = strings.Replace(text, "ends: [isp, server]", "ends: [core, server]", 1)
	sc := parse(t, text+`
middleboxes:
  - {name: inner_nat, kind: nat, inside: home, outside: isp}
  - {name: outer_nat, kind: nat, inside: isp, outside: core}
`)
	out := run(t, sc, Options{Trace: Trace{First: 1}})
	if done := metric(t, out.Result, "upload.completion"); done > 5 {
		t.Errorf("the transfer took %v s", done)
	}
	if got := metric(t, out.Result, "visits.response_success"); got < 0.9 {
		t.Errorf("%v of the visits got a response", got)
	}
	for _, r := range out.Connections.Rows {
		if r.Active.Host == "" || r.Passive.Host == "" || r.Active.Port == 0 {
			t.Fatalf("connection %d has the ends %q and %q", r.Number, r.Active.Host, r.Passive.Host)
		}
	}
	if len(out.Connections.Traces) == 0 {
		t.Fatal("no traces")
	}
	for i := range out.Connections.Traces {
		l := measure.NewLadder(&out.Connections.Traces[i])
		for _, p := range l.Passages {
			if p.Fate != measure.Delivered || p.Sent == des.Never {
				t.Errorf("connection %d: %v is %v", l.Trace.Number, p.Segment.String(), p.Fate)
			}
		}
	}
	for _, name := range []string{"inner_nat.entries_max", "outer_nat.entries_max", "inner_nat.ports"} {
		if got := metric(t, out.Result, name); got <= 0 {
			t.Errorf("%s is %v", name, got)
		}
	}
	if in, outer := metric(t, out.Result, "inner_nat.created"), metric(t, out.Result, "outer_nat.created"); in != outer {
		t.Errorf("the inner NAT has seen %v connections, the outer one %v", in, outer)
	}
}

// Behind a SYN proxy a connection has one exchange in its ladder: what the box
// answers ends there, what it sends begins there, and all else arrives with the
// numbers of its sender.
func TestLadderThroughSynProxy(t *testing.T) {
	sc := parse(t, home+`
middleboxes:
  - {name: guard, kind: syn_proxy, inside: server, outside: isp, ports: [80]}
`)
	out := run(t, sc, Options{Trace: Trace{Conns: []int{9}}})
	if got := metric(t, out.Result, "guard.cookies_sent"); got < 5000 {
		t.Errorf("%v cookies", got)
	}
	l := measure.NewLadder(&out.Connections.Traces[0])
	if !l.Trace.Passive.Translated {
		t.Error("the trace does not say that numbers were translated")
	}
	fates, made := map[measure.Fate]int{}, 0
	for _, p := range l.Passages {
		if p.By != "" {
			made++
		}
		fates[p.Fate]++
		if p.Fate == measure.Delivered && p.By == "" && (p.Sent == des.Never || p.Arrived == des.Never) {
			t.Errorf("%v left at %v and arrived at %v", p.Segment.String(), p.Sent, p.Arrived)
		}
		if seq, _ := l.Trace.Relative(p.Passive, &p.Segment); seq > 1<<20 {
			t.Errorf("%v has the relative number %d", p.Segment.String(), seq)
		}
	}
	if fates[measure.Answered] != 3 || made != 4 || fates[measure.Lost]+fates[measure.Copy] != 0 {
		t.Errorf("fates %v, %d made by the box", fates, made)
	}
}

// What the boxes of a scenario lose and make is in the books, whatever boxes there
// are, also many at one link, in both directions and at groups.
func TestBooksOfMiddleboxes(t *testing.T) {
	kinds := []string{
		"kind: nat, established: 5s, unknown: %s, entries: 20", "kind: firewall, established: 5s, unknown: %s, open: [8080]",
		"kind: syn_proxy, transitory: 3s", "kind: limiter, rate: 3/s, packets: all, direction: both", "kind: limiter, rate: 1/s, sources: 10",
		"kind: blackhole, from: 10s, until: 12s", "kind: blackhole, from: 20s, direction: outward",
	}
	places := []string{"inside: home, outside: isp", "inside: isp, outside: home", "inside: isp, outside: server", "inside: server, outside: isp", "inside: laptops, outside: home", "inside: home, outside: laptops"}
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		text.WriteString(strings.Replace(home, "duration: 60s", "duration: 30s", 1) + "middleboxes:\n")
		for i := range rapid.IntRange(1, 5).Draw(t, "boxes") {
			kind, place := rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.SampledFrom(places).Draw(t, "place")
			if strings.Contains(kind, "%s") {
				kind = fmt.Sprintf(kind, rapid.SampledFrom([]string{"drop", "reset", "pickup"}).Draw(t, "unknown"))
			}
			if strings.HasPrefix(kind, "kind: nat") && (strings.HasPrefix(place, "inside: server") || strings.HasPrefix(place, "inside: laptops")) {
				place = places[0]
			}
			fmt.Fprintf(&text, "  - {name: b%d, %s, %s}\n", i, place, kind)
		}
		sc, err := spec.Load("boxes.yaml", []byte(text.String()), nil, Registry())
		if err != nil {
			t.Fatal(err)
		}
		w, err := build(sc, 0, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.advance(context.Background(), func(des.Time, uint64) {}); err != nil {
			t.Error(err)
		}
	})
}

// The metrics of a limiter and of a black hole, and where a box of a group stands.
func TestMiddleboxMetrics(t *testing.T) {
	sc := parse(t, home+`
middleboxes:
  - {name: slow, kind: limiter, inside: isp, outside: attacker, rate: 10/s, burst: 1}
  - {name: dead, kind: blackhole, inside: laptops, outside: home, from: 30s, until: 40s}
`)
	out := run(t, sc, Options{})
	limited, dropped := metric(t, out.Result, "slow.limited"), metric(t, out.Result, "slow.dropped")
	// Spoofed sources are all different: nothing is dropped.
	if sent := metric(t, out.Result, "flood.syns_sent"); limited < sent-5 || limited > sent || dropped > 5 {
		t.Errorf("%v of %v SYNs limited, %v dropped", limited, sent, dropped)
	}
	if n := metric(t, out.Result, "slow.sources"); n < limited/2-100 || n > limited/2+100 {
		t.Errorf("%v sources on average, want half of %v", n, limited)
	}
	w, err := build(sc, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.boxList) != 3 {
		t.Errorf("%d boxes, want one at each of 2 laptops and one besides", len(w.boxList))
	}
	if metric(t, out.Result, "dead.dropped") < 50 {
		t.Errorf("the dead path has lost %v packets", metric(t, out.Result, "dead.dropped"))
	}
}
