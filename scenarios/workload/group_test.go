package workload

import (
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// Workloads of one name on two hosts count together and draw for themselves.
func TestWorkloadsOfOneName(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 20 * des.Second})
	l.host("server", profile(t, "linux"), fastLink)
	l.host("one", profile(t, "linux"), fastLink)
	l.host("two", profile(t, "linux"), fastLink)
	l.add("web", "server", &Server{Port: 80, Backlog: 128, Response: ofSize(1000)})
	for _, on := range []quantity.Host{"one", "two"} {
		l.add("legit", on, &Clients{To: serverAddress, Arrivals: poisson(50), Request: ofSize(100), Limit: 30, From: sec})
		l.add("load", on, &Bulk{To: quantity.Address{Host: "server", Port: 5001}, Connections: 2, Size: 100_000})
		l.add("noise", on, &CrossTraffic{To: "server", Rate: 8e5, Law: "constant", Size: 1000})
	}
	r := l.run()
	for name, want := range map[string]float64{
		"legit.attempts": 60, "legit.connect_success": 1, "load.delivered": 400_000, "noise.sent": 4000, "noise.received": 4000, "web.served": 60,
	} {
		if got := value(t, r, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if value(t, r, "load.completion") <= 0 {
		t.Error("the transfers are not complete")
	}
	if bands := r.Result().Bands; len(bands) != 1 {
		t.Errorf("bands %v", bands)
	}
	opened := map[string]map[des.Time]bool{"one": {}, "two": {}}
	same := 0
	for _, row := range r.Connections().Rows {
		if row.Passive.Port == 80 {
			opened[row.Active.Host][row.Active.Entered[tcpmodel.SynSent]] = true
		}
	}
	for at := range opened["one"] {
		if opened["two"][at] {
			same++
		}
	}
	if len(opened["one"]) != 30 || len(opened["two"]) != 30 || same != 0 {
		t.Errorf("%d and %d attempts, %d at the same time", len(opened["one"]), len(opened["two"]), same)
	}
}

// Many hosts as one: their figures are sums.
func TestHostGroup(t *testing.T) {
	sim := des.New(1, 0)
	r, err := measure.NewRecorder(sim, measure.Options{Interval: des.Second, Until: 10 * des.Second})
	if err != nil {
		t.Fatal(err)
	}
	group := r.HostGroup("many")
	for i, name := range []string{"many1", "many2"} {
		m := group.Member(name, segment.Node(i+1))
		m.Watch(&tcpmodel.Counters{})
		m.TraceState(sim.Now(), tcpmodel.Conn{Local: segment.Node(i + 1)}, tcpmodel.Closed, tcpmodel.Established, tcpmodel.CauseUser)
		m.Listens()
		if m.Name() != name {
			t.Errorf("the member is called %s", m.Name())
		}
	}
	sim.Run(10 * des.Second)
	r.Finish()
	if got := value(t, r, "many.established"); got != 2 {
		t.Errorf("%v connections, want 2", got)
	}
	seen := map[string]bool{}
	for _, name := range r.Names() {
		if seen[name] || !strings.HasPrefix(name, "many.") {
			t.Errorf("the metric %s, twice or of a member", name)
		}
		seen[name] = true
	}
}
