package scenarios

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"tcplab/scenarios/measure"
)

// TestKernelFlood runs the flood recordings of Linux 6.18 as scenarios: backlog,
// rate, cookies, the reserved quarter and proven peers. With -v it prints all
// figures; -kernel.runs=20 makes them sharper.
func TestKernelFlood(t *testing.T) {
	for _, group := range []string{"flood", "flood_ck", "limits"} {
		for _, r := range readRecordings(t, group) {
			t.Run(group+"/"+r.Case, func(t *testing.T) {
				t.Parallel()
				checkFlood(t, &r)
			})
		}
	}
}

func checkFlood(t *testing.T, r *recording) {
	p := r.Parameters
	warm, _ := strconv.ParseFloat(p["warm_s"], 64)
	length, _ := strconv.ParseFloat(p["meas_s"], 64)
	until := strconv.FormatFloat(warm+length, 'g', -1, 64) + "s"
	set := r.set(t, map[string]string{"attack": p["A"] + "/s", "backlog": p["B"], "warm": p["warm_s"] + "s", "until": until})
	clients := p["legit"] != "0"
	if clients {
		set["clients"] = p["legit"] + "/s"
	} else {
		set["clients_from"] = until
	}
	runs := kernelReplications(t, "flood.yaml", set)
	k := newKernelTable(t, r.Case)
	defer k.print()
	if clients {
		k.clients(r, runs)
	}
	k.halfOpen(r, runs, warm)
	k.counters(r, runs)
}

// clients compares what the clients see. Fractions have a binomial error. The
// kernel's link was late by up to the time that the recording states; the best
// repetition is the measure of it.
func (k *kernelTable) clients(r *recording, runs []*measure.Result) {
	w := &r.Window
	n := mean(w.Started)
	fraction := func(name string, theirs, ours []float64, model float64) {
		p := mean(ours)
		k.compare(name, theirs, ours, math.Sqrt(max(p*(1-p), 1/n)/n), model)
	}
	fraction("success", quotients(w.OK, w.Started), metrics(k.t, runs, "legit.response_success"), 0)
	attempts := metrics(k.t, runs, "legit.attempts")
	for _, bin := range []struct {
		name     string
		from, to float64
	}{{"first_SYN(<500ms)", 0, 0.5}, {"after_1_retransmit(~1s)", 0.5, 1.5}, {"after_2_retransmits(~2s)", 1.5, 2.5}} {
		var theirs, ours []float64
		for i, b := range w.Bins {
			theirs = append(theirs, b[bin.name]/w.Started[i])
		}
		for i, run := range runs {
			ours = append(ours, count(run, bin.from, bin.to)/attempts[i])
		}
		// A link that stands still for a moment moves the entries of a full
		// queue to further ticks of the wheel for good, and retransmitted SYNs,
		// which come at ticks, find them more often.
		model := 0.0
		if bin.from > 0 {
			model = 0.2 * slices.Max(theirs)
		}
		fraction(bin.name, theirs, ours, model)
	}
	late := slices.Min(r.Lateness) / 1000
	for _, q := range []struct {
		name   string
		p      float64
		theirs []float64
	}{{"connect p50 (s)", 0.5, w.P50}, {"connect p90 (s)", 0.9, w.P90}, {"connect p99 (s)", 0.99, w.P99}} {
		k.quantile(q.name, q.p, q.theirs, w.OK, runs, late)
	}
}

// quantile compares a quantile of the times to connect. In a mixture of one, two
// and three SYNs a quantile may jump from one to the next: the interval that
// covers the p-quantile of a run of the kernel's number of connections, by the
// order statistics of all our runs, has to meet the range of the kernel's.
func (k *kernelTable) quantile(name string, p float64, theirs, ok []float64, runs []*measure.Result, late float64) {
	var all []float64
	for _, run := range runs {
		all = append(all, sampleOf(run, "legit.connect_latency")...)
	}
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	e := 3.3 * math.Sqrt(p*(1-p)/max(1, slices.Min(ok)))
	at := func(p float64) float64 {
		return all[min(max(int(p*float64(len(all))), 0), len(all)-1)]
	}
	middle := at(p)
	lo, hi := at(p-e), at(p+e)
	k.compareInterval(name, scaled(theirs, 1e-3), middle, lo, hi, 0.001+2*late)
}

// count counts the connections whose time to connect is from lo up to hi.
func count(run *measure.Result, lo, hi float64) (n float64) {
	for _, v := range sampleOf(run, "legit.connect_latency") {
		if v >= lo && v < hi {
			n++
		}
	}
	return n
}

func sampleOf(run *measure.Result, name string) []float64 {
	for _, s := range run.Samples {
		if s.Name == name {
			return s.Values
		}
	}
	return nil
}

// halfOpen compares the half-open connections: how many there are in the
// window, and the course from the start in windows of some seconds.
func (k *kernelTable) halfOpen(r *recording, runs []*measure.Result, warm float64) {
	w := &r.Window
	times := runs[0].FindSeries("server.syn_queue").Time // of all runs
	// The kernel's are counted by reading a file, row by row, while entries come
	// and go. The lowest of them are from when its link stood still.
	const model = 1
	k.compare("half-open mean", w.HalfMean, metrics(k.t, runs, "server.syn_queue"), 0, model)
	for _, q := range []struct {
		name   string
		p      float64
		theirs []float64
	}{{"half-open p5", 0.05, w.HalfP5}, {"half-open p50", 0.5, w.HalfP50}, {"half-open p95", 0.95, w.HalfP95}} {
		var ours []float64
		for _, run := range runs {
			i, _ := slices.BinarySearch(times, warm)
			values := slices.Sorted(slices.Values(run.FindSeries("server.syn_queue").Value[i:]))
			ours = append(ours, values[min(int(q.p*float64(len(values))), len(values)-1)])
		}
		m := float64(model)
		if q.p < 0.5 {
			m += 0.05 * slices.Max(q.theirs)
		}
		k.compare(q.name, q.theirs, ours, 0, m)
	}
	if n := len(r.HalfOpen.Time); n > 0 {
		k.course(r, runs)
	}
}

// course compares the mean number of half-open connections in stretches of ten
// samples with that of the first repetition, at the same instants. A stretch in
// which the link of the kernel stood still, for the time by which it was late
// at most, lacks what the flood would have added.
func (k *kernelTable) course(r *recording, runs []*measure.Result) {
	const stretch = 10
	times := runs[0].FindSeries("server.syn_queue").Time
	for i := 0; i+stretch < len(r.HalfOpen.Time); i += stretch {
		from, until := r.HalfOpen.Time[i], r.HalfOpen.Time[i+stretch]
		theirs := []float64{mean(r.HalfOpen.Total[i : i+stretch])}
		var ours []float64
		for _, run := range runs {
			values, sum := run.FindSeries("server.syn_queue").Value, 0.0
			for _, at := range r.HalfOpen.Time[i : i+stretch] {
				a, _ := slices.BinarySearch(times, at)
				sum += values[min(a, len(values)-1)]
			}
			ours = append(ours, sum/stretch)
		}
		stood := r.Lateness[0] / 1000 / (until - from)
		k.compare("half-open "+strconv.FormatFloat(from, 'f', 1, 64)+" s", theirs, ours, 0, 1+3*stood*theirs[0])
	}
}

// floodCounters are the counters of the server that are compared, with the
// metrics that have them.
var floodCounters = []struct {
	nstat, metric string
	cycle         bool // counts what the entries of a full queue do together
}{
	{"TcpExtListenDrops", "listen_drops", false},
	{"TcpExtListenOverflows", "listen_overflows", false},
	{"TcpExtTCPReqQFullDrop", "req_q_full_drop", false},
	{"TcpExtTCPReqQFullDoCookies", "req_q_full_do_cookies", false},
	{"TcpExtSyncookiesSent", "syncookies_sent", false},
	{"TcpExtSyncookiesRecv", "syncookies_recv", false},
	{"TcpExtSyncookiesFailed", "syncookies_failed", false},
	{"TcpExtTCPSynRetrans", "syn_retransmits", true},
	{"TcpExtTCPTimeouts", "rto_timeouts", true},
	{"TcpPassiveOpens", "passive_opens", false},
	{"TcpInSegs", "in_segs", false},
	{"TcpOutSegs", "out_segs", true},
	{"TcpRetransSegs", "retrans_segs", true},
}

func (k *kernelTable) counters(r *recording, runs []*measure.Result) {
	k.compare("SYNs of the attack answered", quotients(r.Window.Answered, r.Window.AttackSYNs), answered(k.t, runs), 0, 0)
	// The entries of a queue that is always full come and go together, and the
	// window of the kernel does not begin at the same point of that cycle.
	backlog, err := strconv.ParseFloat(r.Parameters["B"], 64)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, c := range floodCounters {
		model := 0.0
		if c.cycle {
			model = backlog + 1
		}
		var theirs []float64
		for _, n := range r.Window.ServerNstat {
			theirs = append(theirs, n[c.nstat])
		}
		k.compare(c.nstat, theirs, metrics(k.t, runs, "server."+c.metric), math.Sqrt(mean(theirs)), model)
	}
}

// answered is the share of the SYNs of the attack that were answered with an
// entry or a cookie: what the listener answered less what it did for clients.
func answered(t *testing.T, runs []*measure.Result) (out []float64) {
	queued, cookies := metrics(t, runs, "server.syns_queued"), metrics(t, runs, "server.syncookies_sent")
	sent, connected := metrics(t, runs, "flood.syns_sent"), metrics(t, runs, "server.passive_opens")
	for i := range runs {
		out = append(out, (queued[i]+cookies[i]-connected[i])/sent[i])
	}
	return out
}

func quotients(a, b []float64) (out []float64) {
	for i := range a {
		out = append(out, a[i]/b[i])
	}
	return out
}

func scaled(values []float64, by float64) (out []float64) {
	for _, v := range values {
		out = append(out, v*by)
	}
	return out
}
