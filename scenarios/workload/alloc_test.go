package workload

import (
	"runtime"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
)

// TestAllocationsOfErrands: once the tables have grown, a connection costs the two
// allocations of its congestion controllers, one at each end, and what the logs
// grow by, whatever the workload draws, times and retries.
func TestAllocationsOfErrands(t *testing.T) {
	sizes, err := quantity.ParseSizes("pareto 1.2 1kB 100kB")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		server *Server
		client Config
	}{
		"open loop": {&Server{Response: ofSize(1000)}, &Clients{Arrivals: poisson(1000), Request: ofSize(100), Timeout: sec, ResponseTimeout: sec}},
		"retries":   {&Server{Response: ofSize(1000)}, &Clients{Arrivals: poisson(1000), Request: ofSize(100), Retry: Retry{Tries: 3, Wait: sec, Factor: 2, Most: sec}}},
		"users":     {&Server{Response: ofSize(1000)}, &Users{Users: 1000, Think: exponentialTime(des.Second), Request: ofSize(100), Requests: 1}},
		"sizes and workers": {&Server{Response: sizes, Think: exponentialTime(des.Millisecond), Workers: 50, WorkerFor: "request"},
			&Clients{Arrivals: poisson(1000), Request: sizes}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 100 * des.Second, Rows: 1})
			config := profile(t, "linux")
			config.TimeWait = des.Second
			l.host("server", config, fastLink)
			l.host("client", config, fastLink)
			c.server.Port, c.server.Backlog = 80, 1000
			l.add("web", "server", c.server)
			switch x := c.client.(type) {
			case *Clients:
				x.To = serverAddress
			case *Users:
				x.To = serverAddress
			}
			l.add("legit", "client", c.client)
			l.start()
			l.sim.Run(20 * des.Second)
			opens := l.stack("client").Counters().ActiveOpens
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			l.sim.Run(25 * des.Second)
			runtime.ReadMemStats(&after)
			n := l.stack("client").Counters().ActiveOpens - opens
			if per := float64(after.Mallocs-before.Mallocs) / float64(n); n < 4000 || per > 2.1 {
				t.Errorf("%.2f allocations for each of %d connections, want 2", per, n)
			}
		})
	}
}
