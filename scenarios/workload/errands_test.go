package workload

import (
	"math"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
)

// wants compares metrics, which must be there.
func wants(t *testing.T, r *measure.Recorder, want map[string]float64) {
	t.Helper()
	for name, w := range want {
		if got := value(t, r, name); got != w {
			t.Errorf("%s: got %v, want %v", name, got, w)
		}
	}
}

// nothingLeft checks that all connections are closed or in TIME-WAIT.
func nothingLeft(t *testing.T, l *lab) {
	t.Helper()
	for s := tcpmodel.SynSent; s < tcpmodel.TimeWait; s++ {
		if n := l.stack("server").InState(s) + l.stack("client").InState(s); n != 0 {
			t.Errorf("%d connections are left in %v", n, s)
		}
	}
}

// TestUsers: each user has a request every think time and round trip, on a
// connection of its own or on one that is kept, whoever closes.
func TestUsers(t *testing.T) {
	for _, c := range []struct {
		name         string
		close        string
		requests     int
		connections  float64
		perRoundTrip float64 // round trips of a request
	}{
		{"server closes", "server", 1, 30, 2},
		{"client closes", "client", 1, 30, 2},
		{"five on a connection", "client", 5, 6, 1.2},
		{"one connection", "client", 0, 3, 1.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := twoHosts(t, "linux", 40*des.Second)
			l.add("web", "server", &Server{Port: 80, Backlog: 128, Response: ofSize(1000), Close: c.close})
			l.add("crowd", "client", &Users{To: serverAddress, Users: 3, Think: lasting(sec), Requests: c.requests, Request: ofSize(100),
				Ramp: quantity.Duration(300 * des.Millisecond), Until: quantity.Duration(10 * des.Second)})
			r := l.run()
			wants(t, r, map[string]float64{"crowd.tasks": 30, "crowd.task_success": 1, "crowd.responses": 30, "web.served": 30,
				"crowd.attempts": c.connections, "crowd.connect_success": 1, "crowd.retries": 0, "crowd.aborted": 0})
			if got, want := value(t, r, "crowd.task_mean"), 0.020*c.perRoundTrip; math.Abs(got-want) > 2e-4 {
				t.Errorf("mean time of a task %v, want %v", got, want)
			}
			nothingLeft(t, l)
		})
	}
}

// TestRetries: after a failure clients come again as they are told to, and what
// the user sees is told from the attempts.
func TestRetries(t *testing.T) {
	l := twoHosts(t, "linux", 60*des.Second)
	// Nothing listens, so that each attempt fails after a round trip of 20 ms.
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(1), Limit: 3, Request: ofSize(100),
		Retry: Retry{Tries: 4, Wait: sec, Factor: 2, Most: 3 * sec}})
	r := l.run()
	wants(t, r, map[string]float64{"legit.attempts": 12, "legit.refused": 12, "legit.retries": 9, "legit.tasks": 3, "legit.task_success": 0})
	// 0, 1.02, 3.04 and 6.06 s, for clients that come at 0, 1 and 2 s.
	for _, x := range []struct{ from, until, want float64 }{{0, 1.01, 2}, {1.015, 1.03, 1}, {3.035, 3.05, 1}, {6.05, 6.07, 1}, {8.05, 8.07, 1}, {8.07, 60, 0}} {
		if got := value(t, r, "legit.attempts", x.from, x.until); got != x.want {
			t.Errorf("%v attempts from %v to %v, want %v", got, x.from, x.until, x.want)
		}
	}
}

// TestRetrySucceeds: what an outage takes, repetitions bring back; users of a
// closed loop, too.
func TestRetrySucceeds(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 60 * des.Second})
	down := network.LinkConfig{Rate: 1e9, Delay: 5 * des.Millisecond,
		Changes: []network.Change{{At: 5 * des.Second, Kind: network.LinkDown}, {At: 10 * des.Second, Kind: network.LinkUp}}}
	l.host("server", profile(t, "linux"), down)
	l.host("client", profile(t, "linux"), fastLink)
	l.add("web", "server", &Server{Port: 80, Backlog: 128, Response: ofSize(1000)})
	retry := Retry{Tries: 20, Wait: sec, Factor: 1, Most: 60 * sec, Jitter: 0.5}
	l.add("open", "client", &Clients{To: serverAddress, Arrivals: poisson(10), Request: ofSize(100), Timeout: sec, ResponseTimeout: sec, Retry: retry, Until: 40 * sec})
	l.add("loop", "client", &Users{To: serverAddress, Users: 10, Think: exponentialTime(des.Second), Request: ofSize(100), Timeout: sec, ResponseTimeout: sec, Requests: 1, Retry: retry, Until: 40 * sec})
	r := l.run()
	for _, name := range []string{"open", "loop"} {
		if value(t, r, name+".task_success") != 1 || value(t, r, name+".response_success") > 0.95 {
			t.Errorf("%s: success of tasks %v, of attempts %v", name, value(t, r, name+".task_success"), value(t, r, name+".response_success"))
		}
		if a, k, n := value(t, r, name+".attempts"), value(t, r, name+".retries"), value(t, r, name+".tasks"); a != k+n {
			t.Errorf("%s: %v attempts are not %v tasks and %v repetitions", name, a, n, k)
		}
		if got := value(t, r, name+".task_p99"); got < 1 || got > 8 {
			t.Errorf("%s: the slowest tasks take %v s, want those of the outage", name, got)
		}
	}
}

func ptr[T any](x T) *T { return &x }

// TestVaryingSizes: what both ends say arrives, however long it is, on every
// profile.
func TestVaryingSizes(t *testing.T) {
	l := twoHosts(t, "linux", 30*des.Second)
	sizes, err := quantity.ParseSizes("pareto 1.1 100B 1MB")
	if err != nil {
		t.Fatal(err)
	}
	l.add("web", "server", &Server{Port: 80, Backlog: 128, Response: sizes, Close: "client"})
	l.add("open", "client", &Clients{To: serverAddress, Arrivals: poisson(20), Request: sizes, Until: 20 * sec})
	l.add("loop", "client", &Users{To: serverAddress, Users: 5, Think: exponentialTime(des.Second), Requests: 4, Request: ofSize(300), Until: 20 * sec})
	l.add("rr", "client", &RequestResponse{To: serverAddress, Connections: 2, Requests: 10, Request: sizes})
	r := l.run()
	wants(t, r, map[string]float64{"open.response_success": 1, "loop.task_success": 1, "rr.responses": 20, "web.failed": 0})
	if got, want := value(t, r, "web.served"), value(t, r, "open.attempts")+value(t, r, "loop.tasks")+20; got != want {
		t.Errorf("%v served, want %v", got, want)
	}
	nothingLeft(t, l)
}
