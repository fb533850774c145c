package scenarios

import (
	"slices"
	"testing"
)

// TestKernelTimeWait runs the TIME-WAIT recordings of Linux 6.18 as scenarios.
// Nothing in them is random, so one run is compared: what became of the attempts
// exactly, and the connections in TIME-WAIT at each instant. The link of the
// kernel was late by up to 0.25 s, and its 60 s end up to 2.05 s and a tick late:
// 50 connections a second of that are the margin of the course, and one second of
// them that of the maxima.
func TestKernelTimeWait(t *testing.T) {
	for _, r := range readRecordings(t, "tw") {
		t.Run(r.Case, func(t *testing.T) {
			reuse := r.Client["net.ipv4.tcp_tw_reuse"]
			if reuse == "" {
				reuse = "2" // Linux's own
			}
			sc := load(t, "testdata/kernel/tw.yaml", map[string]string{
				"rate": r.Parameters["rate"] + "/s", "length": r.Parameters["dur_s"] + "s", "closes": r.Parameters["closer"], "reuse": reuse})
			out := run(t, sc, Options{})
			attempts, noPorts := metricOf(t, out, "churn.attempts"), metricOf(t, out, "churn.no_ports")
			for i, results := range r.Results {
				ok := attempts * metricOf(t, out, "churn.response_success")
				if ok != results["ok"] || noPorts != results["EADDRNOTAVAIL"] {
					t.Errorf("repetition %d: %v ok and %v without a port, kernel %v", i+1, ok, noPorts, results)
				}
			}
			compareTimeWait(t, &r, out)
		})
	}
}

// compareTimeWait compares the courses. Where the server closes first, the
// kernel's application at the client closes at about the same time, and which end
// lingers is a race, in a third of the ports won by the client: there only the
// server's course is compared, while connections are opened.
func compareTimeWait(t *testing.T, r *recording, out *Outcome) {
	const margin = 50 * (2.05 + 0.25)
	for rep, k := range r.TimeWait {
		for _, side := range []struct {
			name, series string
			kernel       []float64
		}{{"client", "client.time_wait", k.Client}, {"server", "server.time_wait", k.Server}} {
			if r.Parameters["closer"] == "server" && side.name == "client" {
				continue
			}
			s := out.Result.FindSeries(side.series)
			for i, at := range k.Time {
				n, _ := slices.BinarySearch(s.Time, at)
				if n >= len(s.Value) || r.Parameters["closer"] == "server" && at > 150 {
					break
				}
				if got := s.Value[n]; got < side.kernel[i]-margin || got > side.kernel[i]+margin {
					t.Errorf("repetition %d: %s has %v in TIME-WAIT at %v s, kernel %v", rep+1, side.name, got, at, side.kernel[i])
					break
				}
			}
			if got, want := slices.Max(s.Value), slices.Max(side.kernel); got < want-50 || got > want+50 {
				t.Errorf("repetition %d: %s has at most %v in TIME-WAIT, kernel %v", rep+1, side.name, got, want)
			}
		}
	}
}
