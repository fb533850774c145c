package workload

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
)

const sec = quantity.Duration(des.Second)

// twoHosts is a client and a server on links of 10 ms, in each profile.
func twoHosts(t *testing.T, profileName string, until des.Time) *lab {
	t.Helper()
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: until})
	link := network.LinkConfig{Rate: 1e9, Delay: 5 * des.Millisecond}
	l.host("server", profile(t, profileName), link)
	l.host("client", profile(t, profileName), link)
	return l
}

// TestClients: with either end closing first, by FIN or RST, half-closed or
// not, every attempt succeeds in the time that the links take, and nothing is
// left over.
func TestClients(t *testing.T) {
	cases := []clientsCase{
		{"server closes", Server{Response: ofSize(1000)}, Clients{Request: ofSize(100)}, true, false},
		{"client closes", Server{Response: ofSize(1000), Close: "client"}, Clients{Request: ofSize(100)}, false, false},
		{"client aborts", Server{Response: ofSize(1000), Close: "client"}, Clients{Request: ofSize(100), Close: "abort"}, false, true},
		{"client half-closes", Server{Response: ofSize(50_000), Close: "client"}, Clients{Request: ofSize(100), HalfClose: true}, false, false},
		{"server half-closes", Server{Response: ofSize(1000), HalfClose: true}, Clients{Request: ofSize(100)}, true, false},
		{"server speaks first", Server{Response: ofSize(1000)}, Clients{}, true, false},
		{"large request", Server{Response: ofSize(10), Think: lasting(quantity.Duration(des.Millisecond))}, Clients{Request: ofSize(100_000)}, true, false},
		{"large response", Server{Response: ofSize(1_000_000)}, Clients{Request: ofSize(100)}, true, false},
		{"no response", Server{Close: "client"}, Clients{Request: ofSize(300_000)}, false, false},
		{"given request size", Server{Request: 100, Response: ofSize(1000)}, Clients{Request: ofSize(100)}, true, false},
	}
	for _, p := range tcpmodel.ProfileNames() {
		for _, c := range cases {
			t.Run(p+"/"+c.name, func(t *testing.T) { c.check(t, p) })
		}
	}
}

// clientsCase is a server and clients that get on, and what is left of it.
type clientsCase struct {
	name             string
	server           Server
	clients          Clients
	timeWait, resets bool // TIME-WAIT at the server; connections end by RST
}

func (c clientsCase) check(t *testing.T, profileName string) {
	l := twoHosts(t, profileName, 20*des.Second)
	c.server.Port, c.server.Backlog = 80, 128
	c.clients.To, c.clients.Arrivals, c.clients.Limit = serverAddress, fixed(10), 50
	c.clients.Timeout = 3 * sec
	l.add("web", "server", &c.server)
	l.add("legit", "client", &c.clients)
	r := l.run()
	for name, want := range map[string]float64{"legit.attempts": 50, "legit.connect_success": 1, "legit.first_syn_accepted": 1,
		"legit.aborted": 0, "legit.undecided": 0,
		"web.accepted": 50, "server.passive_opens": 50, "client.active_opens": 50, "server.syn_drop": 0} {
		if got := value(t, r, name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if !c.server.Response.Zero() && value(t, r, "legit.response_success") != 1 {
		t.Error("not every attempt got its response")
	}
	if got := value(t, r, "legit.connect_p50"); math.Abs(got-0.020) > 1e-4 {
		t.Errorf("median time to connect %v, want one round trip of 20 ms", got)
	}
	if got := value(t, r, "web.served"); got != 50 {
		t.Errorf("%v served, want 50", got)
	}
	if c.resets {
		return
	}
	for s := tcpmodel.SynSent; s < tcpmodel.TimeWait; s++ {
		if n := l.stack("server").InState(s) + l.stack("client").InState(s); n != 0 {
			t.Errorf("%d connections are left in %v", n, s)
		}
	}
	if got := value(t, r, "server.time_wait_max") > 0; got != c.timeWait {
		t.Errorf("TIME-WAIT at the server: %v, want %v", got, c.timeWait)
	}
}

// TestOutcomes: refused, timed out, out of ports, and a server that nobody
// accepts from.
func TestOutcomes(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		l := twoHosts(t, "linux", 10*des.Second)
		l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(1), Request: ofSize(100), Until: 5 * sec})
		r := l.run()
		if got := value(t, r, "legit.refused"); got != 5 || value(t, r, "legit.connect_success") != 0 {
			t.Errorf("%v refused, want 5", got)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		l := twoHosts(t, "linux", 20*des.Second)
		l.hosts[0].config.SynRetries = 1
		l.host("away", profile(t, "linux"), network.LinkConfig{Loss: 1})
		l.add("legit", "client", &Clients{To: quantity.Address{Host: "away", Port: 80}, Arrivals: fixed(1), Request: ofSize(100), Timeout: 3 * sec})
		r := l.run()
		if got := value(t, r, "legit.timeouts"); got != 18 || value(t, r, "legit.undecided") != 2 {
			t.Errorf("%v timeouts, want 18 and 2 undecided", got)
		}
		if n := l.stack("client").InState(tcpmodel.SynSent); n > 2 {
			t.Errorf("%d attempts are still under way, at most 2 can be", n)
		}
	})
	t.Run("no port", func(t *testing.T) {
		l := twoHosts(t, "linux", 10*des.Second)
		l.hosts[1].config.PortLow, l.hosts[1].config.PortHigh = 40000, 40003
		l.add("web", "server", &Server{Port: 80, Backlog: 10, Response: ofSize(10), Close: "client"})
		l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(1), Request: ofSize(100), Until: 8 * sec})
		r := l.run()
		if got := value(t, r, "legit.no_ports"); got != 4 {
			t.Errorf("%v without a port, want 4 (4 ports, all in TIME-WAIT)", got)
		}
	})
	t.Run("response timeout", func(t *testing.T) {
		l := twoHosts(t, "linux", 10*des.Second)
		l.add("web", "server", &Server{Port: 80, Backlog: 10, Response: ofSize(10), Think: lasting(5 * sec)})
		l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(1), Request: ofSize(100), Until: 4 * sec, ResponseTimeout: sec})
		r := l.run()
		if value(t, r, "legit.connect_success") != 1 || value(t, r, "legit.response_success") != 0 || value(t, r, "legit.aborted") != 4 {
			t.Errorf("%v aborted, want 4", value(t, r, "legit.aborted"))
		}
	})
}

// TestAcceptRate: a server that accepts slowly has its accept queue fill, and
// the recorded length is that of the listener.
func TestAcceptRate(t *testing.T) {
	l := twoHosts(t, "linux", 10*des.Second)
	web := l.add("web", "server", &Server{Port: 80, Backlog: 500, Response: ofSize(10), AcceptRate: 10}).(*server)
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(50), Request: ofSize(100), Until: 4 * sec})
	l.start()
	for at := des.Time(0); at < 10*des.Second; at += des.Second / 4 {
		l.sim.Run(at)
		if got, want := l.hosts[0].record.AcceptQueue().Value(), web.listener.AcceptQueue(); got != want {
			t.Fatalf("at %v: recorded %d, the listener has %d", at, got, want)
		}
		if got, want := l.hosts[0].record.State(tcpmodel.SynReceived).Value(), web.listener.SynQueue(); got != want {
			t.Fatalf("at %v: recorded %d half-open, the listener has %d", at, got, want)
		}
	}
	l.sim.Run(10 * des.Second)
	l.world.Recorder.Finish()
	r := l.world.Recorder
	if got := value(t, r, "web.accepted"); got != 100 { // from 0.02 s on, every 0.1 s
		t.Errorf("%v accepted, want 100", got)
	}
	if got := value(t, r, "server.accept_queue_max"); got < 155 || got > 165 {
		t.Errorf("accept queue of at most %v, want about 160", got)
	}
}

// TestBulk: transfers of a given size complete with every byte, by themselves
// or to a sink; endless ones fill the link.
func TestBulk(t *testing.T) {
	t.Run("sized", func(t *testing.T) {
		l := twoHosts(t, "linux", 20*des.Second)
		l.add("data", "client", &Bulk{To: quantity.Address{Host: "server", Port: 5001}, Size: 3_000_000, Connections: 2, Start: sec})
		r := l.run()
		if got := value(t, r, "data.delivered"); got != 6_000_000 {
			t.Errorf("%v bytes delivered, want 6e6", got)
		}
		done := value(t, r, "data.completion")
		if goodput := value(t, r, "data.goodput"); math.Abs(goodput*done-48e6) > 1 {
			t.Errorf("goodput %v over %v s is not 48e6 bit", goodput, done)
		}
		for s := tcpmodel.SynSent; s < tcpmodel.TimeWait; s++ {
			if n := l.stack("server").InState(s) + l.stack("client").InState(s); n != 0 {
				t.Errorf("%d connections are left in %v", n, s)
			}
		}
	})
	t.Run("endless", func(t *testing.T) {
		l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 10 * des.Second, Warmup: 2 * des.Second})
		link := network.LinkConfig{Rate: 10e6, Delay: 5 * des.Millisecond, Queue: network.QueueLimit{Packets: 50}}
		l.host("server", profile(t, "linux"), fastLink)
		l.host("client", profile(t, "linux"), link)
		l.add("rx", "server", &Sink{Port: 5001, Backlog: 10})
		l.add("data", "client", &Bulk{To: quantity.Address{Host: "server", Port: 5001}, Connections: 1, Stop: 8 * sec})
		for _, x := range l.net.Links() {
			l.world.Recorder.Link(strings.ReplaceAll(x.Name(), "->", "_"), x)
		}
		r := l.run()
		if got := value(t, r, "data.goodput", 2, 8); got < 9e6 || got > 9.7e6 {
			t.Errorf("goodput %v, want nearly 10 Mbit/s", got)
		}
		if a, b := value(t, r, "data.delivered"), value(t, r, "rx.delivered"); a != b {
			t.Errorf("transfer %v B, sink %v B", a, b)
		}
		if got := value(t, r, "client_core.utilization", 2, 7); got < 0.98 || got > 1 {
			t.Errorf("utilization %v", got)
		}
		rows := r.Connections().Rows
		if len(rows) != 1 || !rows[0].Passive.Known || float64(rows[0].Passive.Stats.BytesReceived) != value(t, r, "rx.delivered", 0, 10) {
			t.Errorf("connection table: %+v", rows)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		l := twoHosts(t, "linux", 3*des.Second)
		l.add("data", "client", &Bulk{To: quantity.Address{Host: "server", Port: 5001}, Connections: 1})
		r := l.run()
		row := r.Connections().Rows[0]
		if !row.Active.Known || row.Active.Stats.BytesSent == 0 || row.Active.Entered[tcpmodel.Closed] != des.Never {
			t.Errorf("a connection that lives on: %+v", row.Active)
		}
	})
}

func TestRequestResponse(t *testing.T) {
	l := twoHosts(t, "linux", 20*des.Second)
	l.add("db", "server", &Server{Port: 80, Backlog: 10, Response: ofSize(5000), Close: "client", Think: lasting(quantity.Duration(des.Millisecond))})
	l.add("app", "client", &RequestResponse{To: serverAddress, Connections: 3, Requests: 20, Request: ofSize(200),
		Think: exponentialTime(100 * des.Millisecond), From: sec})
	r := l.run()
	for name, want := range map[string]float64{"app.requests": 60, "app.responses": 60, "db.served": 60, "app.attempts": 3,
		"app.connect_success": 1, "app.response_success": 1, "app.aborted": 0} {
		if got := value(t, r, name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := value(t, r, "app.turnaround_p50"); math.Abs(got-0.0211) > 0.0003 {
		t.Errorf("median turnaround %v, want one round trip of 20 ms, 1 ms of work and the packets' time", got)
	}
	for s := tcpmodel.SynSent; s < tcpmodel.TimeWait; s++ {
		if n := l.stack("server").InState(s) + l.stack("client").InState(s); n != 0 {
			t.Errorf("%d connections are left in %v", n, s)
		}
	}
}

// TestStartErrors: what does not fit together is said before the run.
func TestStartErrors(t *testing.T) {
	to := serverAddress
	cases := map[string][]struct {
		on quantity.Host
		c  Config
	}{
		"port 80 of server is taken by workload 0": {{"server", &Server{Port: 80}}, {"server", &Sink{Port: 80}}},
		"is no sink":                                          {{"server", &Server{Port: 80}}, {"client", &Bulk{To: to, Connections: 1}}},
		"neither end would close":                             {{"server", &Server{Port: 80, Close: "client"}}, {"client", &Clients{To: to, Arrivals: fixed(1), Close: "server"}}},
		"give it close: client":                               {{"server", &Server{Port: 80, Response: ofSize(1)}}, {"client", &RequestResponse{To: to, Connections: 1, Request: ofSize(1)}}},
		"nothing at server:80 gives responses":                {{"client", &RequestResponse{To: to, Connections: 1, Request: ofSize(1)}}},
		"workloads 1 and 2 sends requests and the other none": {{"server", &Server{Port: 80}}, {"client", &Clients{To: to, Arrivals: fixed(1), Request: ofSize(5)}}, {"client", &Clients{To: to, Arrivals: fixed(1)}}},
		`no host "mars"`:                                      {{"mars", &Server{Port: 80}}},
	}
	for want, list := range cases {
		l := twoHosts(t, "linux", des.Second)
		l.start()
		var ws []Workload
		for i, x := range list {
			w, err := x.c.Build(fmt.Sprint(i), x.on)
			if err != nil {
				t.Fatal(err)
			}
			ws = append(ws, w)
		}
		if err := Start(l.world, ws); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ...%s...", err, want)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	for want, c := range map[string]Config{
		"port":        &Server{Port: 70000},
		"idle":        &Server{Port: 1, Idle: -1},
		"until":       &Clients{Arrivals: fixed(1), From: 5, Until: 4},
		"arrivals":    &Clients{Arrivals: quantity.Arrivals{Law: "weekly", Rate: 1}},
		"rate":        &Clients{Arrivals: fixed(0)},
		"congestion":  &Bulk{Connections: 1, Congestion: "bbr9"},
		"stop":        &Bulk{Connections: 1, Start: 5, Stop: 5},
		"connections": &Bulk{},
		"request":     &RequestResponse{Connections: 1},
		"burst":       &SynFlood{Rate: 1, Law: quantity.Fixed},
		"spoof":       &SynFlood{Rate: 1, Law: quantity.Fixed, Burst: 1},
		"from 1":      &Sink{},
	} {
		if _, err := c.Build("x", "h"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: got %v, want ...%s...", c, err, want)
		}
	}
}

// TestMetricsOfKinds: a workload of each kind declares what the catalogue says
// of the kind, in its order.
func TestMetricsOfKinds(t *testing.T) {
	l := twoHosts(t, "linux", des.Second)
	configs := map[string]Config{
		"server": &Server{Port: 80, Close: "client", Response: ofSize(1)}, "sink": &Sink{Port: 81},
		"clients":            &Clients{To: serverAddress, Arrivals: fixed(1), Request: ofSize(1)},
		"request_response":   &RequestResponse{To: serverAddress, Connections: 1, Request: ofSize(1)},
		"users":              &Users{To: serverAddress, Users: 1, Request: ofSize(1)},
		"bulk":               &Bulk{To: quantity.Address{Host: "server", Port: 81}, Connections: 1},
		"syn_flood":          &SynFlood{To: serverAddress, Rate: 1, Burst: 1, Law: quantity.Fixed, Spoof: quantity.Prefix(testRange)},
		"idle_connections":   &IdleConnections{To: serverAddress, Arrivals: fixed(1)},
		"blind_attack":       &BlindAttack{To: serverAddress, As: "server", Rate: 1, Law: quantity.Fixed, PortLow: 1},
		"spoofed_connection": &SpoofedConnection{To: serverAddress, As: "server", Rate: 1, Guesses: 1},
		"cross_traffic":      &CrossTraffic{To: "server", Rate: 1e6, Law: "constant", Size: 1000},
	}
	var want []string
	for _, k := range Kinds() {
		l.add(k.Name, map[bool]quantity.Host{true: "server", false: "client"}[k.Name == "server" || k.Name == "sink"], configs[k.Name])
		for _, q := range k.Metrics() {
			want = append(want, k.Name+"."+q.Name)
		}
		if k.Doc == "" || fmt.Sprintf("%T", k.New()) != fmt.Sprintf("%T", configs[k.Name]) {
			t.Errorf("kind %s: doc %q, New returns %T", k.Name, k.Doc, k.New())
		}
	}
	l.start()
	got := l.world.Recorder.Names()
	if !slices.Equal(got[:len(want)], want) {
		t.Errorf("declared %v\nwant %v", got[:len(want)], want)
	}
	for _, name := range got[len(want):] {
		owner, quantity, _ := strings.Cut(name, ".")
		known := func(of string) bool {
			return slices.ContainsFunc(measure.QuantitiesOf(of), func(q measure.Quantity) bool { return q.Name == quantity })
		}
		if !known(measure.OfHost) && !(owner == "server" && known(measure.OfListening)) {
			t.Errorf("%s is not in the catalogue", name)
		}
	}
}
