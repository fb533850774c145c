package scenarios

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"tcplab/des"
	"tcplab/scenarios/measure"
)

// kernelRuns is how often a scenario is run beside the kernel's recordings.
var kernelRuns = flag.Int("kernel.runs", 3, "runs of each variant of a scenario that is compared with recordings of the Linux kernel")

// recording is what testdata/kernel/runs.json.gz has of a case: the results of
// its repetitions, see README.md there.
type recording struct {
	Case       string
	Parameters map[string]string
	Client     map[string]string `json:"sysctls_set_in_client_namespace"`
	Server     map[string]string `json:"sysctls_set_in_server_namespace"`
	Lateness   []float64         `json:"emulator_max_delivery_lateness_ms"`
	Window     struct {
		AttackSYNs  []float64            `json:"attack_syns"`
		Answered    []float64            `json:"attack_syns_answered"`
		Started     []float64            `json:"legit_started"`
		OK          []float64            `json:"legit_ok"`
		Bins        []map[string]float64 `json:"latency_bins_of_ok"`
		P50         []float64            `json:"connect_ms_p50"`
		P90         []float64            `json:"connect_ms_p90"`
		P99         []float64            `json:"connect_ms_p99"`
		HalfMean    []float64            `json:"half_open_mean"`
		HalfP5      []float64            `json:"half_open_p5"`
		HalfP50     []float64            `json:"half_open_p50"`
		HalfP95     []float64            `json:"half_open_p95"`
		ServerNstat []map[string]float64 `json:"nstat_server_diff"`
	} `json:"measurement_window"`
	HalfOpenMax []float64 `json:"half_open_max_ever"`
	HalfOpen    struct {
		Time  []float64 `json:"t_s"`
		Total []float64 `json:"half_open_total"`
	} `json:"half_open_r1"`
	timeWaitRecording
}

// timeWaitRecording is what recordings of group tw have besides.
type timeWaitRecording struct {
	Results       []map[string]float64
	DistinctPorts []float64 `json:"distinct_ports"`
	OddPorts      []float64 `json:"odd_ports"`
	FirstOdd      []float64 `json:"index_of_first_odd_port"`
	Exhausted     []float64 `json:"first_EADDRNOTAVAIL_s"`
	Recovered     []float64 `json:"first_ok_after_that_s"`
	Reuse         []float64 `json:"min_s_between_close_and_reuse_of_a_port"`
	TwClientMax   []float64 `json:"tw_client_max"`
	TwServerMax   []float64 `json:"tw_server_max"`
	TimeWait      []struct {
		Time   []float64 `json:"t_s"`
		Client []float64 `json:"tw_client"`
	} `json:"time_wait"`
}

func readRecordings(t *testing.T, group string) []recording {
	t.Helper()
	f, err := os.Open("testdata/kernel/runs.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]recording
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all[group]) == 0 {
		t.Fatalf("no recordings of group %s", group)
	}
	return all[group]
}

// kernelTable compares figures with those of the kernel's repetitions.
type kernelTable struct {
	t    *testing.T
	text strings.Builder
	w    *tabwriter.Writer
}

func newKernelTable(t *testing.T) *kernelTable {
	k := &kernelTable{t: t}
	k.w = tabwriter.NewWriter(&k.text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(k.w, "figure\tkernel\ttcplab (means, standard deviation of a run)\tallowed\t")
	return k
}

func (k *kernelTable) print() {
	k.w.Flush()
	k.t.Logf("\n%s", k.text.String())
}

// compare holds the mean of the runs ours, one list for each variant of the
// scenario, to the range of the repetitions theirs: the range of our means may be
// away from it by at most
//
//	3.3 sqrt(s^2/len(theirs) + s^2/len(ours)) + model
//
// where s is the standard deviation of one run, that of the runs or floor (a
// binomial or Poisson error) if that is more, and model an error that is stated
// where compare is called.
func (k *kernelTable) compare(name string, theirs []float64, ours [][]float64, floor, model float64) {
	k.t.Helper()
	if len(theirs) == 0 || len(ours) == 0 {
		k.t.Fatalf("%s: %d repetitions, %d variants", name, len(theirs), len(ours))
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	s, n := floor, math.MaxInt
	for _, runs := range ours {
		m := mean(runs)
		lo, hi = min(lo, m), max(hi, m)
		s, n = max(s, deviation(runs)), min(n, len(runs))
	}
	allowed := 3.3*s*math.Sqrt(1/float64(len(theirs))+1/float64(n)) + model
	verdict := ""
	if !(lo-allowed <= slices.Max(theirs) && hi+allowed >= slices.Min(theirs)) {
		verdict = "OUT"
		k.t.Errorf("%s: from %.5g to %.5g, kernel %.5g, may be outside of that by %.3g", name, lo, hi, theirs, allowed)
	}
	fmt.Fprintf(k.w, "%s\t%.5g\t%.5g to %.5g (%.2g)\t%.3g\t%s\n", name, theirs, lo, hi, s, allowed, verdict)
}

func deviation(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// kernelReplications runs a scenario of testdata/kernel as often as asked for.
func kernelReplications(t *testing.T, file string, set map[string]string) []*measure.Result {
	t.Helper()
	sc := load(t, "testdata/kernel/"+file, set)
	var runs []*measure.Result
	for i := range max(2, *kernelRuns) {
		r, err := runOne(context.Background(), sc, uint32(i), Options{}, func(des.Time, uint64) {})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r.result)
		for k := range r.result.Series {
			r.result.Series[k].Time = runs[0].Series[k].Time
		}
	}
	return runs
}

// variants are runs of a scenario in one variant after the other.
type variants [][]*measure.Result

// each returns what value finds in each run.
func (v variants) each(value func(*measure.Result) float64) (out [][]float64) {
	for _, runs := range v {
		var values []float64
		for _, r := range runs {
			values = append(values, value(r))
		}
		out = append(out, values)
	}
	return out
}

// metric returns the value of a metric in each run.
func (v variants) metric(t *testing.T, name string) [][]float64 {
	t.Helper()
	return v.each(func(r *measure.Result) float64 { return kernelMetric(t, r, name) })
}

func kernelMetric(t *testing.T, r *measure.Result, name string) float64 {
	t.Helper()
	m := r.FindMetric(name)
	if m == nil || m.Null {
		t.Fatalf("%s is %+v", name, m)
	}
	return m.Value
}

// serverSettings are the parameters of the scenarios for sysctls of the server.
var serverSettings = map[string]string{
	"net.core.somaxconn": "somaxconn", "net.ipv4.tcp_max_syn_backlog": "max_syn_backlog", "net.ipv4.tcp_syncookies": "syncookies",
	"net.ipv4.tcp_synack_retries": "synack_retries", "net.ipv4.tcp_no_metrics_save": "no_metrics_save",
	"net.ipv4.tcp_abort_on_overflow": "abort_on_overflow",
}

func (r *recording) set(t *testing.T, set map[string]string) map[string]string {
	t.Helper()
	for sysctl, value := range r.Server {
		if serverSettings[sysctl] == "" {
			t.Fatalf("%s: the scenario has no parameter for %s", r.Case, sysctl)
		}
		set[serverSettings[sysctl]] = value
	}
	return set
}

// compareInterval holds an interval [lo, hi] of ours to the range of the
// repetitions theirs: they have to come as near to each other as model.
func (k *kernelTable) compareInterval(name string, theirs []float64, middle, lo, hi, model float64) {
	k.t.Helper()
	verdict := ""
	if hi+model < slices.Min(theirs) || lo-model > slices.Max(theirs) {
		verdict = "OUT"
		k.t.Errorf("%s: from %.5g to %.5g, kernel %.5g, may be outside of that by %.3g", name, lo, hi, theirs, model)
	}
	fmt.Fprintf(k.w, "%s\t%.5g\t%.5g (%.5g to %.5g)\t%.3g\t%s\n", name, theirs, middle, lo, hi, model, verdict)
}
