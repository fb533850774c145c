package scenarios

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
)

// TestKernelTimeWait runs the recordings in which one address opens 50
// connections a second through 1,000 ports, with tcp_tw_reuse 0, 1 and 2.
func TestKernelTimeWait(t *testing.T) {
	for _, r := range readRecordings(t, "tw") {
		t.Run(r.Case, func(t *testing.T) {
			t.Parallel()
			checkTimeWait(t, &r)
		})
	}
}

func checkTimeWait(t *testing.T, r *recording) {
	set := map[string]string{"closer": r.Parameters["closer"]}
	for sysctl, value := range r.Client {
		switch sysctl {
		case "net.ipv4.tcp_tw_reuse":
			set["tw_reuse"] = value
		case "net.ipv4.ip_local_port_range":
			set["port_low"], set["port_high"], _ = strings.Cut(value, " ")
		default:
			t.Fatalf("the scenario has no parameter for %s", sysctl)
		}
	}
	run, err := runOne(context.Background(), load(t, "testdata/kernel/tw.yaml", set), 0, Options{}, func(des.Time, uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	k := newKernelTable(t)
	defer k.print()
	k.connects(r, run.result)
	k.ports(r, portsOf(run.connections))
	k.timeWait(r, run.result)
}

// connects compares the calls of connect, whose outcome chance has no part in.
func (k *kernelTable) connects(r *recording, run *measure.Result) {
	var ok, none []float64
	for _, outcome := range r.Results {
		ok, none = append(ok, outcome["ok"]), append(none, outcome["EADDRNOTAVAIL"])
	}
	k.exact("connected", ok, math.Round(kernelMetric(k.t, run, "load.connect_success")*kernelMetric(k.t, run, "load.attempts")))
	k.exact("EADDRNOTAVAIL", none, kernelMetric(k.t, run, "load.no_ports"))
}

// portUse is what a connection table says of the ports of the client.
type portUse struct {
	distinct, odd, firstOdd int
	// reuse is the least time from the end of a connection, which is when its
	// last segment left, to the next on its port.
	reuse float64
	// pause is when connections could be opened again after the longest time
	// without any.
	paused, resumed float64
}

func portsOf(table *measure.ConnTable) portUse {
	u := portUse{firstOdd: -1, reuse: math.Inf(1)}
	closed := map[uint16]des.Time{}
	var last, gap des.Time
	for i := range table.Rows {
		end := &table.Rows[i].Active
		opened := end.Entered[tcpmodel.SynSent]
		if before, used := closed[end.Port]; used {
			u.reuse = min(u.reuse, (opened - before).Seconds())
		}
		closed[end.Port] = min(end.Entered[tcpmodel.TimeWait], end.Entered[tcpmodel.Closed])
		if end.Port%2 == 1 {
			u.odd++
			if u.firstOdd < 0 {
				u.firstOdd = i
			}
		}
		if opened-last > gap {
			gap = opened - last
			u.paused, u.resumed = last.Seconds(), opened.Seconds()
		}
		last = opened
	}
	u.distinct = len(closed)
	return u
}

// ports compares which local ports connect took, and when it took them again. A
// timer of 60 s may be late by a granule of the wheel (2.05 s), depending on the
// phase of the wheel.
func (k *kernelTable) ports(r *recording, u portUse) {
	const granule = 2.048
	k.exact("distinct ports", r.DistinctPorts, float64(u.distinct))
	k.exact("odd ports", r.OddPorts, float64(u.odd))
	k.exact("first odd port", r.FirstOdd, float64(u.firstOdd))
	if slices.Max(r.Exhausted) < 0 {
		// A port is taken again early where the search begins anew, every ten
		// seconds at random: some of 15 times soon after it may be.
		if r.Parameters["closer"] == "client" {
			k.compare("close to reuse (s)", r.Reuse, [][]float64{{u.reuse}}, 0, 0.1)
		}
		return
	}
	k.compare("last before EADDRNOTAVAIL (s)", r.Exhausted, [][]float64{{u.paused}}, 0, 0.021)
	k.compare("first after it (s)", r.Recovered, [][]float64{{u.resumed}}, 0, granule)
	k.compare("close to reuse (s)", r.Reuse, [][]float64{{u.reuse}}, 0, granule)
}

// timeWait compares how many connections are in TIME-WAIT, with that of the
// first repetition throughout: 50 come in a second, so that what is late by the
// granule of the wheel and of the link is as many away. At the client of a server
// that closes first the count depends on whether the client's own close comes before
// the FIN that follows the response, which the recording leaves to its scheduler.
func (k *kernelTable) timeWait(r *recording, run *measure.Result) {
	host, most := "client", r.TwClientMax
	if r.Parameters["closer"] == "server" {
		host, most = "server", r.TwServerMax
	}
	k.compare("most in TIME-WAIT", most, [][]float64{{kernelMetric(k.t, run, host+".time_wait_max")}}, 0, 2)
	if host == "server" {
		return
	}
	s := run.FindSeries("client.time_wait")
	away := 0.0
	for i, at := range r.TimeWait[0].Time {
		j, _ := slices.BinarySearch(s.Time, at)
		if j < len(s.Time) {
			away = max(away, math.Abs(s.Value[j]-r.TimeWait[0].Client[i]))
		}
	}
	k.compareInterval("in TIME-WAIT, course (away)", []float64{0}, away, away, away, 50*(2.048+slices.Max(r.Lateness)/1000+0.5))
}

// exact holds a figure to what all repetitions agree on.
func (k *kernelTable) exact(name string, theirs []float64, ours float64) {
	k.t.Helper()
	k.compare(name, theirs, [][]float64{{ours}}, 0, 0)
}
