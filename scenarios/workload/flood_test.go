package workload

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
)

// flagship is the flood of the README in small.
func flagship(tb testing.TB, seed uint64, rate quantity.Frequency, cookies int, traced ...int) *measure.Recorder {
	l := newLab(tb, seed, measure.Options{Interval: des.Second, Until: 60 * des.Second, Warmup: 2 * des.Second, TraceConns: traced})
	server, client := profile(tb, "linux"), profile(tb, "linux")
	server.MaxSynBacklog, server.SynCookies, server.NoMetricsSave = 128, cookies, true
	client.SynRetries = 1
	l.host("server", server, fastLink)
	l.host("client", client, network.LinkConfig{Rate: 100e6, Delay: 20 * des.Millisecond})
	l.host("attacker", client, fastLink)
	l.add("web", "server", &Server{Port: 80, Backlog: 128, Response: ofSize(1000)})
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: poisson(20), Request: ofSize(100), Timeout: 3 * sec})
	l.add("flood", "attacker", &SynFlood{To: serverAddress, Rate: rate, Law: quantity.Poisson, Burst: 1, From: 10 * sec, Until: 30 * sec,
		Spoof: quantity.Prefix(testRange), MSS: 1460})
	return l.run()
}

// TestFlood: without cookies success collapses in the attack and comes back
// after it; with cookies it does not collapse.
func TestFlood(t *testing.T) {
	off := flagship(t, 1, 1000, 0)
	if v := value(t, off, "legit.connect_success", 2, 10); v != 1 {
		t.Errorf("before the attack %v connect", v)
	}
	if v := value(t, off, "legit.connect_success", 13, 30); v > 0.2 {
		t.Errorf("in the attack %v connect", v)
	}
	if v := value(t, off, "legit.connect_success", 50, 60); v != 1 {
		t.Errorf("after the attack %v connect", v)
	}
	if v := value(t, off, "server.syn_queue_max"); v > 129 || v < 90 {
		t.Errorf("at most %v half-open connections", v)
	}
	on := flagship(t, 1, 1000, 1)
	if v := value(t, on, "legit.connect_success", 13, 30); v != 1 {
		t.Errorf("in the attack with cookies %v connect", v)
	}
	if v := value(t, on, "server.syncookies_sent"); v < 10_000 {
		t.Errorf("%v cookies sent", v)
	}
	if a, b := value(t, off, "flood.syns_sent"), value(t, on, "flood.syns_sent"); a != b || math.Abs(a-20_000) > 3.3*math.Sqrt(20_000) {
		t.Errorf("%v and %v SYNs sent, want 20000 and the same", a, b)
	}
	if band := off.Result().Bands; len(band) != 1 || band[0] != (measure.Band{Name: "flood", From: 10, Until: 30}) {
		t.Errorf("bands %v", band)
	}
}

// TestDeterminism: equal seeds give equal results, other seeds others.
func TestDeterminism(t *testing.T) {
	var dumps [3][]byte
	for i, seed := range []uint64{5, 5, 6} {
		r := flagship(t, seed, 500, 0, 1, 40)
		dumps[i] = fmt.Appendf(nil, "%+v %+v", *r.Result(), *r.Connections())
	}
	if !bytes.Equal(dumps[0], dumps[1]) {
		t.Error("two runs with one seed differ")
	}
	if bytes.Equal(dumps[0], dumps[2]) {
		t.Error("another seed changes nothing")
	}
}

// TestTracedConnection: the trace of a connection without loss begins and ends
// as RFC 9293 figures 6 and 12 have it, at both ends, and its row agrees.
func TestTracedConnection(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 100 * des.Second, TraceConns: []int{2}})
	l.host("server", profile(t, "textbook"), fastLink)
	l.host("client", profile(t, "textbook"), fastLink)
	l.add("web", "server", &Server{Port: 80, Backlog: 10, Response: ofSize(1000)})
	l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(1), Limit: 3, Request: ofSize(100)})
	r := l.run()
	table := r.Connections()
	if len(table.Rows) != 3 || len(table.Traces) != 1 || table.Traces[0].Number != 2 {
		t.Fatalf("%d rows, traces %+v", len(table.Rows), table.Traces)
	}
	states := map[string][]tcpmodel.State{}
	last := des.Time(0)
	for _, e := range table.Traces[0].Events {
		if e.Time < last {
			t.Errorf("event at %v after one at %v", e.Time, last)
		}
		last = e.Time
		if e.Kind == measure.StateChange {
			states[e.Host] = append(states[e.Host], e.To)
		}
	}
	client := []tcpmodel.State{tcpmodel.SynSent, tcpmodel.Established, tcpmodel.CloseWait, tcpmodel.LastAck, tcpmodel.Closed}
	server := []tcpmodel.State{tcpmodel.SynReceived, tcpmodel.Established, tcpmodel.FinWait1, tcpmodel.FinWait2, tcpmodel.TimeWait, tcpmodel.Closed}
	if !slices.Equal(states["client"], client) || !slices.Equal(states["server"], server) {
		t.Errorf("states %v", states)
	}
	row := &table.Rows[1]
	if row.Active.Stats.BytesSent != 100 || row.Passive.Stats.BytesReceived != 100 || row.Active.Stats.BytesReceived != 1000 ||
		!row.Passive.Stats.ClosedFirst || row.Active.Stats.ClosedFirst {
		t.Errorf("figures %+v and %+v", row.Active.Stats, row.Passive.Stats)
	}
	if wait := row.Passive.Entered[tcpmodel.Closed] - row.Passive.Entered[tcpmodel.TimeWait]; wait != 60*des.Second {
		t.Errorf("TIME-WAIT lasts %v", wait)
	}
}

// TestAllocations: a SYN of a flood costs no allocation, from the attacker to
// the end of its half-open entry, and a connection only the growth of the log.
func TestAllocations(t *testing.T) {
	run := func(add func(l *lab)) float64 {
		l := newLab(t, 1, measure.Options{Interval: 1000 * des.Second, Until: 1000 * des.Second, Rows: 1})
		l.host("server", profile(t, "textbook"), fastLink)
		l.host("client", profile(t, "textbook"), fastLink)
		add(l)
		l.start()
		l.sim.Run(300 * des.Second)
		return testing.AllocsPerRun(10, func() { l.sim.Run(l.sim.Now() + 10*des.Second) })
	}
	web := &Server{Port: 80, Backlog: 128, Response: ofSize(1000)}
	if n := run(func(l *lab) {
		l.add("web", "server", web)
		l.add("flood", "client", &SynFlood{To: serverAddress, Rate: 100, Law: quantity.Poisson, Burst: 1, Spoof: quantity.Prefix(testRange), MSS: 1460})
	}); n != 0 {
		t.Errorf("%v allocations for 1000 SYNs", n)
	}
	if n := run(func(l *lab) {
		l.add("web", "server", web)
		l.add("legit", "client", &Clients{To: serverAddress, Arrivals: fixed(100), Request: ofSize(100), Timeout: sec})
	}); n > 20 {
		t.Errorf("%v allocations for 1000 connections", n)
	}
}

// BenchmarkFlood is the cost of one spoofed SYN, from the attacker to the end
// of its half-open entry, with everything recorded.
func BenchmarkFlood(b *testing.B) {
	l := newLab(b, 1, measure.Options{Interval: 10 * des.Second, Until: des.Minute * 100_000})
	server := profile(b, "textbook")
	server.SynackRetries = 0
	l.host("server", server, fastLink)
	l.host("attacker", server, fastLink)
	l.add("web", "server", &Server{Port: 80, Backlog: 4096, Response: ofSize(1000)})
	l.add("flood", "attacker", &SynFlood{To: serverAddress, Rate: 2000, Law: quantity.Poisson, Burst: 1, Spoof: quantity.Prefix(testRange), MSS: 1460})
	l.start()
	l.sim.Run(5 * des.Second)
	b.ReportAllocs()
	b.ResetTimer()
	l.sim.Run(l.sim.Now() + des.Time(b.N)*des.Second/2000)
}
