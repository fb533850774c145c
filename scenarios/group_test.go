package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tcplab/scenarios/spec"
)

// Ten pairs over a dumbbell: each sender has its own receiver, and the metrics
// are of all together.
func TestDumbbellOfGroups(t *testing.T) {
	out := runText(t, "dumbbell.yaml", `version: 1
name: dumbbell
duration: 30s
params: {n: {default: 10}}
hosts: {left: {count: $n}, right: {count: $n}}
topology:
  kind: dumbbell
  left: [left]
  right: [right]
  access: {delay: 1ms, rate: 1Gbit/s}
  bottleneck: {delay: 10ms, rate: 20Mbit/s, queue: {limit: 100 packets}}
workloads:
  - {name: load, kind: bulk, on: left, to: right:5001, size: 5MB}
  - {name: web, kind: server, on: right, port: 80}
  - {name: visits, kind: clients, on: left, to: right:80, arrivals: poisson 1/s, limit: 5}
`)
	rows := out.Connections.Rows
	pairs := 0
	for i := range rows {
		a, p := rows[i].Active.Host, rows[i].Passive.Host
		if strings.TrimPrefix(a, "left") != strings.TrimPrefix(p, "right") {
			t.Errorf("%s connected to %s", a, p)
		}
		if rows[i].Passive.Port == 5001 {
			pairs++
		}
	}
	if pairs != 10 {
		t.Errorf("%d transfers", pairs)
	}
	for name, bounds := range map[string][2]float64{
		"bottleneck.utilization": {0.67, 0.9}, "load.delivered": {50e6, 50e6}, "load.completion": {20, 30},
		"left_left_router.throughput": {13e6, 19e6}, "left_left_router.utilization": {0.001, 0.0019},
		"left.active_opens": {40, 60}, "visits.attempts": {40, 50},
	} {
		if got := metricOf(t, out, name); got < bounds[0] || got > bounds[1] {
			t.Errorf("%s is %v, want %v", name, got, bounds)
		}
	}
	if m := out.Result.FindMetric("left1.active_opens"); m != nil {
		t.Errorf("a member has metrics of its own: %+v", m)
	}
}

// A group towards one host, and one host towards a group.
func TestGroupAndHost(t *testing.T) {
	out := runText(t, "star.yaml", `version: 1
name: star
duration: 10s
hosts: {many: {count: 3}, one: {}}
topology: {kind: star, hosts: [many, one], access: {delay: 1ms, rate: 10Mbit/s}}
workloads:
  - {name: there, kind: cross_traffic, on: many, to: one, rate: 1Mbit/s, size: 1250B}
  - {name: back, kind: cross_traffic, on: one, to: many, rate: 1Mbit/s, size: 1250B}
`)
	for _, name := range []string{"there.sent", "back.sent"} {
		if got := metricOf(t, out, name); got != 3000 {
			t.Errorf("%s is %v, want 3000", name, got)
		}
	}
}

// What the short forms stand for.
func TestTopologies(t *testing.T) {
	for _, c := range []struct{ topology, want string }{
		{"{kind: star, hosts: [a, b, c]}", "a-hub b-hub c-hub"},
		{"{kind: chain, ends: [a, b], hops: 1}", "a-b=hop1"},
		{"{kind: chain, ends: [a, b], hops: 3}", "a-router1=hop1 router1-router2=hop2 router2-b=hop3"},
		{"{kind: parking_lot, ends: [a, b], cross: [[c, d], [e, f]]}",
			"a-router1 c-router1 router1-router2=hop1 router2-d e-router2 router2-router3=hop2 router3-f router3-b"},
		{"{kind: dumbbell, left: [a, b], right: [c], bottleneck: {rate: 1Mbit/s}}",
			"a-left_router b-left_router left_router-right_router=bottleneck right_router-c"},
	} {
		sc, err := spec.Load("t.yaml", fmt.Appendf(nil, "version: 1\nname: t\nduration: 1s\nhosts: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}}\ntopology: %s\n", c.topology), nil, Registry())
		if err != nil {
			t.Errorf("%s: %v", c.topology, err)
			continue
		}
		var got []string
		for _, l := range sc.Links {
			text := l.Ends[0] + "-" + l.Ends[1]
			if l.Name != strings.Replace(text, "-", "_", 1) {
				text += "=" + l.Name
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.topology, strings.Join(got, " "), c.want)
		}
	}
}

func TestVantageOfGroup(t *testing.T) {
	sc, err := spec.Load("v.yaml", []byte("version: 1\nname: v\nduration: 1s\nhosts: {b: {}, a: {count: 2}}\nlinks: [{ends: [a, r]}, {ends: [r, b]}]\n"+
		"workloads: [{name: web, kind: server, on: a, port: 80}]\n"), nil, Registry())
	if err != nil {
		t.Fatal(err)
	}
	if at := DefaultVantage(sc); at != "a1" {
		t.Errorf("captured at %s", at)
	}
	if hosts, err := Vantage(sc, []string{"a2", "b"}); err != nil || !slices.Equal(hosts, []string{"a2", "b"}) {
		t.Errorf("%v, %v", hosts, err)
	}
	if _, err := Vantage(sc, []string{"a"}); err == nil || !strings.Contains(err.Error(), "have b, a1, a2") {
		t.Errorf("error %v", err)
	}
}

// TestMemberOfGroup: a single host of a group can be named by workloads,
// expectations and figures, and its figures are part of those of the group.
func TestMemberOfGroup(t *testing.T) {
	sc, err := spec.Load("members.yaml", []byte(`
version: 1
name: members
duration: 20s
hosts: {server: {}, user: {count: 12}}
links: [{ends: [user, core], delay: 5ms}, {ends: [server, core], delay: 1ms}]
workloads:
  - {name: web,   kind: server,  on: server, port: 80}
  - {name: crowd, kind: clients, on: user, to: server:80, arrivals: fixed 1/s, limit: 2}
  - {name: more,  kind: clients, on: user12, to: server:80, arrivals: fixed 1/s, limit: 5}
  - {name: own,   kind: server,  on: user7, port: 81}
  - {name: reverse, kind: clients, on: server, to: "user7:81", arrivals: fixed 1/s, limit: 3}
measure: {interval: 1s}
expect:
  - more.response_success == 1 and more.attempts == 5 and crowd.attempts == 24
  - user12.active_opens == 7 and user3.active_opens == 2 and user.active_opens == 29
  - user7.passive_opens == 3 and user7.syns_received == 3
figures:
  - {name: one, kind: timeseries, series: [user12.active_opens, user.established]}
`), nil, Registry())
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, sc, Options{})
	for _, e := range out.Expectations {
		if !e.Passed {
			t.Error(e.Message)
		}
	}
}
