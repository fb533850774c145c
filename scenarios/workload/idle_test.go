package workload

import (
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel/network"
)

// Connections that are held: as many are open as are opened in the time of
// holding (Little's law), and none after the last.
func TestIdleConnectionsHeld(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 60 * des.Second})
	l.host("server", profile(t, "linux"), fastLink)
	l.host("client", profile(t, "linux"), fastLink)
	l.add("web", "server", &Server{Port: 80, Backlog: 128, Response: ofSize(1000), Request: 10, Close: "client"})
	l.add("users", "client", &IdleConnections{To: serverAddress, Arrivals: fixed(10), Hold: 5 * sec, Until: 30 * sec})
	r := l.run()
	if got := value(t, r, "users.opened"); got != 300 {
		t.Errorf("%v opened, want 300", got)
	}
	if got := value(t, r, "users.open", 10, 30); got < 49.9 || got > 50.1 {
		t.Errorf("%v are open, want 50", got)
	}
	if got := value(t, r, "users.open", 36, 60); got != 0 {
		t.Errorf("%v are open in the end", got)
	}
	if got := value(t, r, "users.failed"); got != 0 {
		t.Errorf("%v failed", got)
	}
}

// Keepalive notices that the other end is gone; without it nobody does.
func TestIdleConnectionsKeepalive(t *testing.T) {
	for _, keepalive := range []bool{true, false} {
		l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 100 * des.Second})
		client := profile(t, "linux")
		client.KeepaliveTime, client.KeepaliveIntvl, client.KeepaliveProbes = 10*des.Second, des.Second, 3
		cut := fastLink
		cut.Changes = []network.Change{{At: 30 * des.Second, Kind: network.LinkDown}}
		l.host("server", profile(t, "linux"), cut)
		l.host("client", client, fastLink)
		l.add("web", "server", &Server{Port: 80, Backlog: 128, Response: ofSize(1000), Request: 10, Close: "client"})
		l.add("users", "client", &IdleConnections{To: serverAddress, Arrivals: fixed(10), Connections: 20, Keepalive: keepalive})
		r := l.run()
		failed, open := 0.0, 20.0
		if keepalive {
			failed, open = 20, 0
		}
		if got := value(t, r, "users.failed"); got != failed {
			t.Errorf("keepalive %v: %v failed, want %v", keepalive, got, failed)
		}
		if got := value(t, r, "users.open", 50, 100); got != open {
			t.Errorf("keepalive %v: %v are open, want %v", keepalive, got, open)
		}
		if got := value(t, r, "users.open", 5, 30); got != 20 {
			t.Errorf("keepalive %v: %v are open before, want 20", keepalive, got)
		}
	}
}

// A flood that completes the handshake fills the accept queue of a server that
// does not accept as fast, and clients get nothing.
func TestConnectionFlood(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 20 * des.Second})
	for _, name := range []quantity.Host{"server", "client", "attacker"} {
		l.host(name, profile(t, "linux"), fastLink)
	}
	l.add("web", "server", &Server{Port: 80, Backlog: 50, Response: ofSize(1000), AcceptRate: 20})
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: poisson(5), Request: ofSize(100), ResponseTimeout: sec, Timeout: sec})
	l.add("flood", "attacker", &IdleConnections{To: serverAddress, Arrivals: fixed(500), From: 5 * sec, Until: 15 * sec})
	r := l.run()
	if got := value(t, r, "legit.response_success", 0, 4); got != 1 {
		t.Errorf("before the flood %v are served", got)
	}
	if got := value(t, r, "legit.response_success", 7, 14); got > 0.2 {
		t.Errorf("in the flood %v are served", got)
	}
	if got := value(t, r, "server.accept_queue_max"); got != 51 {
		t.Errorf("the accept queue had %v at most, want the backlog + 1", got)
	}
}
