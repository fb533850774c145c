package workload

import (
	"math"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel/network"
)

// TestWorkersErlangC: with Poisson arrivals, exponential work and c workers for
// requests, the share of requests that wait and the mean wait are Erlang's.
func TestWorkersErlangC(t *testing.T) {
	const c, load, work, until = 4, 3.2, 0.05, 3000.0
	l := newLab(t, 7, measure.Options{Interval: 100 * des.Second, Until: des.Time(until * 1e9), Warmup: 20 * des.Second})
	l.host("server", profile(t, "linux"), network.LinkConfig{})
	l.host("client", profile(t, "linux"), network.LinkConfig{})
	l.add("web", "server", &Server{Port: 80, Backlog: 4000, Response: ofSize(1), Close: "client", Workers: c, WorkerFor: "request",
		Think: exponentialTime(des.Time(work * 1e9))})
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: poisson(load / work), Request: ofSize(1)})
	r := l.run()
	term, sum := 1.0, 1.0
	for k := 1; k < c; k++ {
		term *= load / float64(k)
		sum += term
	}
	last := term * load / c * c / (c - load)
	wait := last / (sum + last) * work / (c - load)
	// The time between independent stretches of an M/M/c queue is about
	// work/(1-sqrt(load/c))^2 of relaxation; over 3,000 s its mean is good to
	// about 3 %.
	if got := value(t, r, "web.waiting") / (load / work); math.Abs(got-wait)/wait > 0.10 {
		t.Errorf("mean wait %v s by Little's law, want %v s (Erlang C)", got, wait)
	}
	if got := value(t, r, "web.busy"); math.Abs(got-load)/load > 0.02 {
		t.Errorf("%v workers are busy, want %v", got, load)
	}
	if got := value(t, r, "legit.task_mean") - work; math.Abs(got-wait)/wait > 0.10 {
		t.Errorf("mean time beyond the work %v s, want %v s", got, wait)
	}
}

// TestWorkersForConnections: whoever finds no worker waits in the accept queue,
// and the worker of a silent connection is lost until the server runs out of
// patience.
func TestWorkersForConnections(t *testing.T) {
	run := func(idle quantity.Duration) *measure.Recorder {
		l := twoHosts(t, "linux", 60*des.Second)
		l.add("web", "server", &Server{Port: 80, Backlog: 100, Request: 100, Response: ofSize(1000), Workers: 2, Idle: idle, Think: lasting(quantity.Duration(100 * des.Millisecond))})
		l.add("silent", "client", &IdleConnections{To: serverAddress, Arrivals: fixed(10), Connections: 2})
		l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(2), Request: ofSize(100), From: 2 * sec, Until: 40 * sec})
		return l.run()
	}
	r := run(0)
	wants(t, r, map[string]float64{"web.accepted": 2, "web.served": 0, "web.timed_out": 0, "server.accept_queue_max": 76})
	r = run(10 * sec)
	wants(t, r, map[string]float64{"web.accepted": 78, "web.served": 76, "web.timed_out": 2, "legit.response_success": 1})
	if got := value(t, r, "server.accept_queue_max"); got < 16 || got > 18 {
		t.Errorf("accept queue of at most %v, want 16 or 17 after 8 s", got)
	}
}

// TestNeverAccepts: connections are established and nothing comes of them.
func TestNeverAccepts(t *testing.T) {
	l := twoHosts(t, "linux", 20*des.Second)
	l.add("web", "server", &Server{Port: 80, Backlog: 4, Response: ofSize(1000), Accept: ptr(false)})
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(10), Limit: 10, Request: ofSize(100), Timeout: sec, ResponseTimeout: 5 * sec})
	r := l.run()
	wants(t, r, map[string]float64{"web.accepted": 0, "legit.response_success": 0, "server.accept_queue_max": 5, "legit.connect_success": 0.5})
	if value(t, r, "server.listen_overflows") == 0 {
		t.Error("no overflow of the accept queue")
	}
}

// TestNeverCloses: connections stay in CLOSE-WAIT.
func TestNeverCloses(t *testing.T) {
	l := twoHosts(t, "linux", 30*des.Second)
	l.add("web", "server", &Server{Port: 80, Backlog: 4, Response: ofSize(1000), Close: "never"})
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(10), Limit: 10, Request: ofSize(100)})
	r := l.run()
	if got := value(t, r, "server.close_wait", 5, 30); got != 10 || value(t, r, "legit.response_success") != 1 {
		t.Errorf("%v connections in CLOSE-WAIT, want 10", got)
	}
}
