package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel/network"
)

// busy is a scenario with every kind of workload, to which failures are added.
const busy = `
version: 1
name: busy
duration: 40s
hosts: {server: {}, clients: {count: 3}, peer: {}, attacker: {}}
links:
  - {ends: [clients, core], delay: 5ms, rate: 10Mbit/s, name: access, changes: [{at: 12s, down: true}, {at: 13s, down: false}]}
  - {ends: [peer, core], delay: 5ms, rate: 10Mbit/s}
  - {ends: [attacker, core], delay: 1ms}
  - {ends: [core, server], delay: 2ms, rate: 20Mbit/s, name: wire}
workloads:
  - {name: web, kind: server, on: server, port: 80, response: 20kB, think: 30ms, accept_rate: 50/s}
  - {name: api, kind: server, on: server, port: 81, close: client}
  - {name: drop, kind: sink, on: server, port: 82, read_rate: 3Mbit/s}
  - {name: pages, kind: server, on: server, port: 83, think: exponential 50ms, workers: 3, idle_timeout: 2s}
  - {name: visits, kind: clients, on: clients, to: server:80, arrivals: poisson 5/s, timeout: 3s, retry: {tries: 3, wait: 500ms}}
  - {name: surf, kind: users, on: clients, to: server:83, users: 4, think: 300ms, requests: 1, response_timeout: 2s, retry: {tries: 3, wait: 200ms, factor: 2, jitter: 50%}}
  - {name: calls, kind: request_response, on: clients, to: server:81, connections: 2, think: 500ms, keepalive: true}
  - {name: away, kind: idle_connections, on: clients, to: server:81, arrivals: fixed 2/s, connections: 4}
  - {name: more, kind: idle_connections, on: peer, to: server:81, arrivals: poisson 2/s, hold: 3s}
  - {name: copy, kind: bulk, on: peer, to: server:82, size: 5MB, connections: 2}
  - {name: down, kind: bulk, on: server, to: peer:9000}
  - {name: flood, kind: syn_flood, on: attacker, to: server:80, rate: 50/s}
  - {name: guess, kind: blind_attack, on: attacker, to: server:81, as: peer, rate: 50/s, port_low: 1024}
  - {name: noise, kind: cross_traffic, on: attacker, to: server, rate: 100kbit/s}
failures:
`

// whatever fails, and however often: the books of the network are right, hosts
// that crashed at the end have no connection and listen to nothing, and the same
// run gives the same numbers.
func TestFailuresOfAllKinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		text.WriteString(busy)
		for range rapid.IntRange(1, 6).Draw(t, "failures") {
			on := rapid.SampledFrom([]string{"server", "clients", "peer", "attacker"}).Draw(t, "on")
			kind := rapid.SampledFrom([]string{spec.Crash, spec.Unplug, spec.Kill}).Draw(t, "kind")
			at := rapid.IntRange(0, 30_000).Draw(t, "at")
			fmt.Fprintf(&text, "  - {on: %s, kind: %s, at: %dms", on, kind, at)
			if on == "clients" && rapid.Bool().Draw(t, "some") {
				text.WriteString(", count: 2")
			}
			if rapid.Bool().Draw(t, "comes back") {
				fmt.Fprintf(&text, ", back: %dms", at+rapid.IntRange(1, 10_000).Draw(t, "for"))
			}
			text.WriteString("}\n")
		}
		for _, on := range []string{"server", "clients", "peer"} {
			fmt.Fprintf(&text, "  - {on: %s, kind: crash, at: 39s}\n", on)
		}
		sc, err := spec.Load("busy.yaml", []byte(text.String()), nil, Registry())
		if err != nil {
			t.Fatal(err)
		}
		var before []uint64
		for range 2 {
			w, err := build(sc, 0, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.advance(context.Background(), func(des.Time, uint64) {}); err != nil {
				t.Fatal(err)
			}
			w.recorder.Finish()
			now := []uint64{w.sim.Events()}
			for _, l := range w.net.Links() {
				now = append(now, l.Stats().Offered.Bytes)
			}
			if before != nil && !slices.Equal(before, now) {
				t.Errorf("a second run differs: %v, %v", before, now)
			}
			before = now
			for _, name := range []string{"server.established", "server.time_wait", "server.syn_queue", "server.accept_queue",
				"clients.established", "clients.time_wait", "peer.established", "peer.syn_queue", "away.open", "more.open"} {
				if v, null, err := w.recorder.Value(name, &[2]float64{39.5, 40}); v != 0 || null || err != nil {
					t.Errorf("%s is %v after the crash, %v", name, v, err)
				}
			}
		}
	})
}

// When all processes are killed and stay away, the kernels close what they had open,
// and after a while nothing is left but what the flood has opened.
func TestNothingIsLeftOfKilledProcesses(t *testing.T) {
	text := strings.Replace(busy, "duration: 40s", "duration: 400s", 1)
	for _, on := range []string{"server", "clients", "peer", "attacker"} {
		text += fmt.Sprintf("  - {on: %s, kind: kill, at: 20s}\n", on)
	}
	out := run(t, parse(t, text), Options{})
	for _, host := range []string{"server", "clients", "peer"} {
		for _, s := range out.Result.Series {
			if level := strings.TrimPrefix(s.Name, host+"."); level == "established" || level == "time_wait" || level == "close_wait" ||
				level == "fin_wait_1" || level == "fin_wait_2" || level == "last_ack" || level == "syn_queue" {
				if last := s.Value[len(s.Value)-1]; last != 0 {
					t.Errorf("%s is %v at the end", s.Name, last)
				}
			}
		}
	}
	if got := metric(t, out.Result, "server.established"); got == 0 {
		t.Error("the server has had no connection")
	}
}

// Of a group the first hosts fail, and the others do not.
func TestSomeOfAGroupFail(t *testing.T) {
	out := run(t, parse(t, `
version: 1
name: some
duration: 60s
hosts: {clients: {count: 5}, server: {}}
links: [{ends: [clients, core], delay: 5ms}, {ends: [core, server]}]
workloads:
  - {name: web, kind: server, on: server, port: 80, close: client}
  - {name: sessions, kind: request_response, on: clients, to: server:80, think: 1s}
failures: [{on: clients, count: 2, kind: crash, at: 20s}, {on: clients, count: 4, kind: unplug, at: 30s}]
`), Options{})
	value := func(name string, at int) float64 {
		for _, s := range out.Result.Series {
			if s.Name == name {
				return s.Value[at]
			}
		}
		t.Fatalf("no series %s", name)
		return 0
	}
	if a, b := value("clients.established", 10), value("clients.established", 25); a != 5 || b != 3 {
		t.Errorf("%v connections before the crash of two clients, %v after it", a, b)
	}
	if n := value("sessions.responses", 40); n > 1 {
		t.Errorf("%v responses a second, with one client left", n)
	}
}

// What an old connection answers to the SYN of a rebooted client is in the ladder
// of the new one.
func TestLadderOfRebootedClient(t *testing.T) {
	out := run(t, load(t, "client-rebooted", nil), Options{Trace: Trace{Conns: []int{2}}})
	l := measure.NewLadder(&out.Connections.Traces[0])
	var text []string
	for _, p := range l.Passages[:4] {
		if p.Fate != measure.Delivered || p.Sent == des.Never {
			t.Errorf("%v is %v", p.Segment.String(), p.Fate)
		}
		text = append(text, p.Segment.Flags.String())
	}
	if got := strings.Join(text, " "); got != "SYN ACK RST SYN" {
		t.Errorf("the exchange begins with %s", got)
	}
	if got := l.States[1]; got[0].State.String() != "ESTABLISHED" || got[1].State.String() != "CLOSED" {
		t.Errorf("the server was in %v", got)
	}
}

func TestTimesDown(t *testing.T) {
	s := des.Second
	up := func(at des.Time) network.Change { return network.Change{At: at, Kind: network.LinkUp} }
	down := func(at des.Time) network.Change { return network.Change{At: at, Kind: network.LinkDown} }
	rate := network.Change{At: 6 * s, Kind: network.ChangeRate, Rate: 5}
	for _, c := range []struct {
		own  []network.Change
		down []downTime
		want []network.Change
	}{
		{own: []network.Change{down(1), up(2)}, want: []network.Change{down(1), up(2)}},
		{down: []downTime{{5 * s, 8 * s}}, want: []network.Change{down(5 * s), up(8 * s)}},
		{down: []downTime{{5 * s, des.Never}}, want: []network.Change{down(5 * s)}},
		{down: []downTime{{5 * s, 8 * s}, {7 * s, 9 * s}}, want: []network.Change{down(5 * s), up(9 * s)}},
		{down: []downTime{{5 * s, 8 * s}, {8 * s, 9 * s}}, own: []network.Change{rate},
			want: []network.Change{down(5 * s), rate, up(8 * s), down(8 * s), up(9 * s)}},
		{down: []downTime{{5 * s, 8 * s}}, own: []network.Change{down(7 * s), up(10 * s)},
			want: []network.Change{down(5 * s), up(10 * s)}},
		{down: []downTime{{5 * s, 8 * s}}, own: []network.Change{down(4 * s), up(6 * s)},
			want: []network.Change{down(4 * s), up(8 * s)}},
	} {
		if got := withFailures(c.own, c.down); !slices.Equal(got, c.want) {
			t.Errorf("%v with %v down: %v, want %v", c.own, c.down, got, c.want)
		}
	}
}

func TestFailuresThatAreWrong(t *testing.T) {
	for _, c := range []struct{ failure, want string }{
		{"{on: servr, kind: crash, at: 1s}", `failures.yaml:9:10: on: unknown host "servr" (did you mean server?)`},
		{"{on: server, kind: reboot, at: 1s}", `failures.yaml:9:24: unknown kind "reboot" (have crash, unplug, kill)`},
		{"{on: server, kind: crash, at: 2s, back: 1s}", `failures.yaml:9:45: back: 1s is not after at (2s)`},
		{"{on: server, kind: crash, at: 2}", `failures.yaml:9:35: at: "2" has no unit (write 2ms or 2s)`},
		{"{on: server, kind: crash, at: 2s, workload: web}", `failures.yaml:9:49: workload: a crash befalls the whole host (write kind: kill, or remove it)`},
		{"{on: server, kind: kill, at: 2s, workload: wb}", `failures.yaml:9:48: workload: server runs no workload "wb" (did you mean web?)`},
		{"{on: client, kind: kill, at: 2s, workload: web}", `failures.yaml:9:48: workload: client runs no workload "web" (there is none)`},
		{"{on: server, kind: crash, at: 2s, count: 2}", `failures.yaml:9:46: count: server stands for 1, fewer than 2`},
		{"{on: server, kind: kill, at: 2s, name: web}", `failures.yaml:9:44: the name "web" is taken by a workload (figures tell them apart: choose another)`},
	} {
		text := "version: 1\nname: x\nduration: 9s\nhosts: {client: {}, server: {}}\nlinks: [{ends: [client, server]}]\nworkloads:\n" +
			"  - {name: web, kind: server, on: server, port: 80}\nfailures:\n  - " + c.failure + "\n"
		_, err := spec.Load("failures.yaml", []byte(text), nil, Registry())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.failure, err, c.want)
		}
	}
}
