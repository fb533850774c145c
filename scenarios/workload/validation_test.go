package workload

import (
	"encoding/csv"
	"flag"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
)

var fullValidation = flag.Bool("validation.full", false, "run the rows of testdata/backlog.csv at their full length")

// backlogRow is a row of testdata/backlog.csv.
type backlogRow struct {
	id, tolerance string
	p             map[string]string
	want, within  float64
	// rounding is half a unit of the last digit of want.
	rounding float64
}

func (r *backlogRow) number(t *testing.T, key string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(r.p[key], 64)
	if err != nil {
		t.Fatalf("%s: %s is %q", r.id, key, r.p[key])
	}
	return v
}

// check compares a result with the row. Runs that are shortened have more
// noise, which the caller states as a standard error.
func (r *backlogRow) check(t *testing.T, got, standardError float64) {
	t.Helper()
	margin := r.within
	switch r.tolerance {
	case "rel":
		margin *= math.Abs(r.want)
	case "exact":
		margin = 0
	}
	margin += r.rounding
	if !*fullValidation {
		margin += 3.3 * standardError
	}
	if !(math.Abs(got-r.want) <= margin) {
		t.Errorf("%s: got %v, want %v within %v", r.id, got, r.want, margin)
		return
	}
	t.Logf("%s: %v, want %v within %v", r.id, got, r.want, margin)
}

func readBacklog(t *testing.T) []backlogRow {
	t.Helper()
	f, err := os.Open("testdata/backlog.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []backlogRow
	for _, rec := range records[1:] {
		row := backlogRow{id: rec[0], tolerance: rec[6], p: map[string]string{}}
		for _, kv := range strings.Split(rec[2], ";") {
			k, v, _ := strings.Cut(kv, "=")
			row.p[k] = v
		}
		row.want, _ = strconv.ParseFloat(rec[5], 64)
		row.within, _ = strconv.ParseFloat(rec[7], 64)
		if _, digits, fraction := strings.Cut(rec[5], "."); fraction {
			row.rounding = 0.5 * math.Pow10(-len(digits))
		}
		rows = append(rows, row)
	}
	return rows
}

// TestBacklogCSV runs every row of the validation set about backlogs.
func TestBacklogCSV(t *testing.T) {
	checks := []struct {
		prefix string
		check  func(*testing.T, *backlogRow)
	}{
		{"B-LIFE", checkLifetime}, {"B-ERL", checkErlang}, {"B-BUNCH", checkBunch}, {"B-CRIT", checkCritical},
		{"B-CBR", checkFixed}, {"B-FILL", checkFill}, {"B-COOKIE", checkCookies}, {"B-PUB-FUJI", checkPublished},
		{"B-PUB-4987", checkReclamation}, {"B-BARRAGE", checkBarrage}, {"B-LINUX-34", checkReservation},
		{"B-LINUX-PRUNE", checkPruning}, {"B-RAND", checkEviction}, {"B-OLD", checkEviction}, {"B-CACHE", checkEviction},
	}
	for _, row := range readBacklog(t) {
		known := false
		for _, c := range checks {
			if strings.HasPrefix(row.id, c.prefix) {
				known = true
				t.Run(row.id, func(t *testing.T) { c.check(t, &row) })
			}
		}
		if !known {
			t.Errorf("%s: no check for this row", row.id)
		}
	}
}

// backlogLab is a server of profile textbook with a backlog, and half-open
// entries that live for lifetime seconds; a client, and an attacker whose SYNs
// arrive without delay.
type backlogLab struct {
	*lab
	server, client tcpmodel.Config
	rtt            des.Time
	backlog        int
}

func newBacklogLab(t *testing.T, seed uint64, backlog int, lifetime float64, o measure.Options) *backlogLab {
	t.Helper()
	if o.Interval == 0 {
		o.Interval = des.Time(lifetime * 1e9)
	}
	b := &backlogLab{lab: newLab(t, seed, o), server: profile(t, "textbook"), client: profile(t, "textbook"),
		rtt: 2 * des.Millisecond, backlog: backlog}
	b.server.InitialRTO, b.server.SynackRetries = lifetimeSetting(t, lifetime)
	b.server.RTOMax = 1000 * des.Second
	b.server.MaxSynBacklog, b.server.Somaxconn = 1<<20, 1<<20
	return b
}

// lifetimeSetting returns T and r such that T(2^(r+1)-1) is the lifetime, T
// being a whole number of seconds and r as large as possible.
func lifetimeSetting(t *testing.T, lifetime float64) (des.Time, int) {
	t.Helper()
	for r := 8; r >= 0; r-- {
		if rto := lifetime / float64(int(2)<<r-1); rto == math.Trunc(rto) {
			return des.Time(rto) * des.Second, r
		}
	}
	t.Fatalf("no lifetime of %v s", lifetime)
	return 0, 0
}

// launch sets everything going: the server, and clients if clientRate is
// positive.
func (b *backlogLab) launch(flood *SynFlood, legit *Clients) {
	b.tb.Helper()
	b.host("server", b.server, network.LinkConfig{})
	b.host("client", b.client, network.LinkConfig{Delay: b.rtt / 2})
	b.host("attacker", b.client, network.LinkConfig{})
	b.add("web", "server", &Server{Port: 80, Backlog: b.backlog, Response: ofSize(1)})
	if legit != nil {
		legit.To, legit.Request = serverAddress, ofSize(1)
		b.add("legit", "client", legit)
	}
	flood.To, flood.Spoof, flood.MSS = serverAddress, quantity.Prefix(testRange), 1460
	flood.Burst = max(1, flood.Burst)
	b.add("flood", "attacker", flood)
	b.start()
}

func (b *backlogLab) finish() *measure.Recorder {
	b.sim.Run(b.world.Recorder.Until())
	b.world.Recorder.Finish()
	return b.world.Recorder
}

// stepUntil runs event by event until a condition holds and returns when.
func (b *backlogLab) stepUntil(is func() bool) des.Time {
	for !is() {
		if !b.sim.Step() || b.sim.Now() > b.world.Recorder.Until() {
			b.tb.Fatal("it did not happen within the run")
		}
	}
	return b.sim.Now()
}

func instantOf(seconds float64) des.Time { return des.Time(math.Round(seconds * 1e9)) }

// shorter is n, or a part of it in the short run.
func shorter(n, by int) int {
	if *fullValidation {
		return n
	}
	return n / by
}

func checkLifetime(t *testing.T, row *backlogRow) {
	b := newBacklogLab(t, 1, 8, row.want, measure.Options{Until: 600 * des.Second, Interval: 600 * des.Second})
	b.server.InitialRTO, b.server.SynackRetries = instantOf(row.number(t, "init_rto")), int(row.number(t, "synack_retries"))
	b.launch(&SynFlood{Rate: 1, Law: quantity.Fixed, Until: sec / 2}, nil)
	row.check(t, value(t, b.finish(), "server.syn_queue")*600, 0)
}

// blocked is what blocking found: the share of SYNs dropped and the mean number
// of half-open entries, with their standard errors over the replications.
type blocked struct{ drop, dropError, level, levelError float64 }

// blocking runs a flood alone for that many SYNs, in replications. A flood far
// beyond the critical rate fills the backlog again and again in periods of a
// lifetime and a gap, so it is measured over whole periods, and is as good as
// stationary from the second one on; others have five lifetimes to settle.
func blocking(t *testing.T, backlog int, lifetime, rate float64, syns int) (found blocked) {
	t.Helper()
	replications := shorter(6, 2)
	period := lifetime + 1/rate
	length := float64(syns) / rate / float64(replications)
	warmup := 5 * lifetime
	switch {
	case *fullValidation:
		length = max(length, 20*lifetime/float64(replications))
	case rate*lifetime > 2.5*float64(backlog):
		warmup = period
	}
	length = math.Ceil(length/period) * period
	drops, levels := make([]float64, replications), make([]float64, replications)
	for i := range drops {
		b := newBacklogLab(t, uint64(100+i), backlog, lifetime, measure.Options{Warmup: instantOf(warmup), Until: instantOf(warmup + length)})
		b.launch(&SynFlood{Rate: quantity.Frequency(rate), Law: quantity.Poisson}, nil)
		r := b.finish()
		drops[i], levels[i] = value(t, r, "server.syn_drop"), value(t, r, "server.syn_queue")
	}
	found.drop, found.dropError = meanAndError(drops)
	found.level, found.levelError = meanAndError(levels)
	return found
}

func meanAndError(x []float64) (mean, standardError float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		standardError += (v - mean) * (v - mean)
	}
	n := float64(len(x))
	return mean, math.Sqrt(standardError / (n - 1) / n)
}

func checkErlang(t *testing.T, row *backlogRow) {
	backlog, rate, lifetime := int(row.number(t, "backlog")), row.number(t, "lam"), row.number(t, "lifetime_s")
	if strings.HasSuffix(row.id, "-try7") {
		clients := shorter(5000, 4)
		until := max(float64(clients), 30*lifetime)
		got, n := connecting(t, 7, backlog, lifetime, rate, float64(clients)/until, 5*lifetime, 5*lifetime+until)
		row.check(t, got, math.Sqrt(row.want*(1-row.want)/float64(n)))
		return
	}
	run := row.p["backlog"] + " " + row.p["lam"] + " " + row.p["lifetime_s"]
	found, done := erlangRuns[run]
	if !done {
		found = blocking(t, backlog, lifetime, rate, shorter(100_000, 5))
		erlangRuns[run] = found
	}
	if strings.HasSuffix(row.id, "-occ") {
		row.check(t, found.level, found.levelError)
		return
	}
	row.check(t, found.drop, found.dropError)
}

// erlangRuns are the runs that rows about blocking and about occupancy share.
var erlangRuns = map[string]blocked{}

// connecting returns the share of the clients of a rate, started within [from,
// until), that connect with their seven SYNs, and how many there were.
func connecting(t *testing.T, seed uint64, backlog int, lifetime, rate, clients, from, until float64) (share float64, n int) {
	t.Helper()
	b := newBacklogLab(t, seed, backlog, lifetime, measure.Options{Until: instantOf(until + 130)})
	b.launch(&SynFlood{Rate: quantity.Frequency(rate), Law: quantity.Poisson},
		&Clients{Arrivals: poisson(quantity.Frequency(clients)), From: quantity.Duration(instantOf(from)), Until: quantity.Duration(instantOf(until))})
	r := b.finish()
	if v := value(t, r, "legit.undecided"); v != 0 {
		t.Fatalf("%v clients are undecided", v)
	}
	return value(t, r, "legit.connect_success"), int(value(t, r, "legit.attempts"))
}

func checkBunch(t *testing.T, row *backlogRow) {
	backlog, rate, lifetime := int(row.number(t, "backlog")), row.number(t, "lam"), row.number(t, "lifetime_s")
	seeds := shorter(6, 6)
	if rate < 500 {
		seeds = shorter(6, 2)
	}
	period := lifetime + 1/rate
	clients := 4200.0 / 6 / (10 * period)
	connected, all := 0.0, 0
	for seed := range seeds {
		share, n := connecting(t, uint64(200+seed), backlog, lifetime, rate, clients, period, 11*period)
		connected += share * float64(n)
		all += n
	}
	row.check(t, connected/float64(all), math.Sqrt(row.want*(1-row.want)/float64(all)))
}

// checkCritical: the rate of the row is critical within its tolerance if a
// little less blocks less than the target and a little more blocks more.
func checkCritical(t *testing.T, row *backlogRow) {
	backlog, lifetime, target := int(row.number(t, "backlog")), row.number(t, "lifetime_s"), row.number(t, "target_block")
	syns := shorter(100_000, 5)
	low := blocking(t, backlog, lifetime, row.want*(1-row.within), syns)
	high := blocking(t, backlog, lifetime, row.want*(1+row.within), syns)
	if *fullValidation {
		low.dropError, high.dropError = 0, 0
	}
	if !(low.drop-3.3*low.dropError < target && target < high.drop+3.3*high.dropError) {
		t.Errorf("%s: blocking %v and %v at rates 3%% around %v, want %v between them", row.id, low.drop, high.drop, row.want, target)
	}
}

func checkFixed(t *testing.T, row *backlogRow) {
	backlog, rate, lifetime := int(row.number(t, "backlog")), row.number(t, "lam"), row.number(t, "lifetime_s")
	cycle := math.Ceil(rate*lifetime) / rate
	o := measure.Options{Warmup: instantOf(3 * lifetime), Until: instantOf(3*lifetime + float64(shorter(60, 3))*cycle)}
	b := newBacklogLab(t, 1, backlog, lifetime, o)
	b.launch(&SynFlood{Rate: quantity.Frequency(rate), Law: quantity.Fixed}, nil)
	if strings.HasSuffix(row.id, "-first") {
		counters := b.stack("server").Counters()
		row.check(t, b.stepUntil(func() bool { return counters.ListenDrops > 0 }).Seconds(), 0)
		return
	}
	// A run that does not end with a cycle is off by less than one cycle's
	// share of it.
	row.check(t, value(t, b.finish(), "server.syn_drop"), 0.5/3.3/20)
}

func checkFill(t *testing.T, row *backlogRow) {
	backlog, rate, lifetime := int(row.number(t, "backlog")), row.number(t, "lam"), row.number(t, "lifetime_s")
	var times [100]float64
	for i := range times {
		b := newBacklogLab(t, uint64(300+i), backlog, lifetime, measure.Options{Until: instantOf(lifetime)})
		b.launch(&SynFlood{Rate: quantity.Frequency(rate), Law: quantity.Poisson}, nil)
		stack := b.stack("server")
		times[i] = b.stepUntil(func() bool { return stack.InState(tcpmodel.SynReceived) == backlog }).Seconds()
	}
	mean, _ := meanAndError(times[:])
	row.check(t, mean, 0)
}

func checkCookies(t *testing.T, row *backlogRow) {
	rate := row.number(t, "lam")
	run := func(cookies int, floodRate float64) *measure.Recorder {
		b := newBacklogLab(t, 1, int(row.number(t, "backlog")), 63, measure.Options{Until: 20 * des.Second, Interval: des.Second})
		b.server.SynCookies, b.rtt = cookies, 100*des.Millisecond
		f := &SynFlood{Rate: quantity.Frequency(floodRate), Law: quantity.Poisson}
		b.launch(f, &Clients{Arrivals: poisson(100), From: 5 * sec, Until: 16 * sec})
		r := b.finish()
		if n := value(t, r, "legit.attempts") - value(t, r, "legit.undecided"); n < 1000 {
			t.Fatalf("%v clients, want 1000", n)
		}
		return r
	}
	if strings.HasSuffix(row.id, "-rtt") {
		flooded, idle := run(2, rate), run(0, 1e-6)
		row.check(t, value(t, flooded, "legit.connect_max")-value(t, idle, "legit.connect_p50"), 0)
		return
	}
	for _, cookies := range []int{1, 2} {
		row.check(t, value(t, run(cookies, rate), "legit.connect_success"), 0)
	}
}

// checkPublished: the share of clients that connect with a single SYN lies in
// the band of the published experiment.
func checkPublished(t *testing.T, row *backlogRow) {
	lifetime := row.number(t, "lifetime_s")
	o := measure.Options{Until: instantOf(20 * lifetime), Warmup: instantOf(5 * lifetime)}
	b := newBacklogLab(t, 1, int(row.number(t, "backlog")), lifetime, o)
	b.client.SynRetries = 0
	b.launch(&SynFlood{Rate: quantity.Frequency(row.number(t, "lam")), Law: quantity.Poisson}, &Clients{Arrivals: poisson(1)})
	got := value(t, b.finish(), "legit.first_syn_accepted")
	if got <= 0 || got > 0.05 {
		t.Errorf("%s: %v connect, want 0 to 0.05", row.id, got)
	}
}

// checkReclamation: SYNs at equal distances keep the backlog full from the
// row's rate on, and do not below it.
func checkReclamation(t *testing.T, row *backlogRow) {
	dropsAt := func(rate float64) float64 {
		timer := row.number(t, "timer_s")
		b := newBacklogLab(t, 1, int(row.number(t, "backlog")), timer, measure.Options{Until: instantOf(500 * timer)})
		b.launch(&SynFlood{Rate: quantity.Frequency(rate), Law: quantity.Fixed}, nil)
		return value(t, b.finish(), "server.listen_drops")
	}
	if below, above := dropsAt(row.want*0.999), dropsAt(row.want*1.001); below != 0 || above == 0 {
		t.Errorf("%s: %v SYNs dropped below the rate of the row and %v above", row.id, below, above)
	}
}

func checkBarrage(t *testing.T, row *backlogRow) {
	backlog, lifetime := int(row.number(t, "backlog")), row.number(t, "lifetime_s")
	period := lifetime + 1e-6
	if strings.HasSuffix(row.id, "-half") {
		period = 2 * lifetime
	}
	b := newBacklogLab(t, 1, backlog, lifetime, measure.Options{Until: instantOf(10 * period)})
	b.client.SynRetries = 0
	flood := &SynFlood{Rate: quantity.Frequency(float64(backlog) / period), Law: quantity.Fixed, Burst: backlog}
	b.launch(flood, &Clients{Arrivals: fixed(4), From: quantity.Duration(instantOf(0.1)), Until: quantity.Duration(instantOf(10*period - 2))})
	row.check(t, 1-value(t, b.finish(), "legit.first_syn_accepted"), 0)
}

// linuxFlood is a server of profile linux under a flood that begins with a
// burst.
func linuxFlood(t *testing.T, maxSynBacklog int, flood *SynFlood) *backlogLab {
	b := newBacklogLab(t, 1, 128, 63, measure.Options{Until: 30 * des.Second, Interval: des.Second})
	b.server = profile(t, "linux")
	b.server.SynCookies, b.server.MaxSynBacklog = 0, maxSynBacklog
	b.launch(flood, nil)
	return b
}

func checkReservation(t *testing.T, row *backlogRow) {
	b := linuxFlood(t, int(row.number(t, "max_syn_backlog")), &SynFlood{Rate: 1000, Law: quantity.Poisson})
	row.check(t, value(t, b.finish(), "server.syn_queue_max"), 0)
}

func checkPruning(t *testing.T, row *backlogRow) {
	b := linuxFlood(t, 2048, &SynFlood{Rate: 90, Burst: 90, Law: quantity.Fixed, Until: sec / 2})
	counters := b.stack("server").Counters()
	row.check(t, b.stepUntil(func() bool { return counters.RequestsExpired+counters.RequestsPruned > 0 }).Seconds(), 0)
}

// checkEviction: the share of clients whose handshake completes at the server.
// The clients themselves believe to be connected once they have the SYN-ACK.
func checkEviction(t *testing.T, row *backlogRow) {
	rate, rtt := row.number(t, "lam"), row.number(t, "client_rtt")
	clients, spacing, backlog, capacity := shorter(5000, 5), 2*rtt, 128, 0.0
	var tune func(*tcpmodel.Config)
	switch {
	case strings.HasPrefix(row.id, "B-CACHE"):
		// A client in a hundred buckets does not disturb the others.
		clients, spacing = shorter(5000, 10), rtt/10
		tune = func(c *tcpmodel.Config) {
			c.SyncacheBuckets, c.SyncacheBucketLimit = int(row.number(t, "buckets")), int(row.number(t, "bucketlimit"))
			c.SyncacheLimit = int(row.number(t, "cachelimit"))
		}
		capacity = row.number(t, "cachelimit")
	case strings.HasPrefix(row.id, "B-RAND"):
		tune = func(c *tcpmodel.Config) { c.SynEviction = tcpmodel.EvictRandom }
		backlog = int(row.number(t, "backlog"))
		if *fullValidation {
			spacing = 10 * rtt
		}
	default:
		tune = func(c *tcpmodel.Config) { c.SynEviction = tcpmodel.EvictOldest }
		backlog = int(row.number(t, "backlog"))
	}
	// The flood has filled the queue three times before the first client.
	from := 3 * max(capacity, float64(backlog)) / rate
	until := from + float64(clients)*spacing
	b := newBacklogLab(t, 1, backlog, 63, measure.Options{Until: instantOf(until + 5*rtt), Interval: instantOf(until)})
	b.rtt = instantOf(rtt)
	tune(&b.server)
	b.launch(&SynFlood{Rate: quantity.Frequency(rate), Law: quantity.Poisson},
		&Clients{Arrivals: fixed(quantity.Frequency(1 / spacing)), From: quantity.Duration(instantOf(from)), Until: quantity.Duration(instantOf(until))})
	r := b.finish()
	attempts, counters := value(t, r, "legit.attempts"), b.stack("server").Counters()
	if believed := value(t, r, "legit.first_syn_accepted"); believed != 1 || attempts < float64(clients-1) {
		t.Errorf("%s: %v of %v clients have a SYN-ACK, want all of %d", row.id, believed, attempts, clients)
	}
	if counters.ListenDrops != 0 || counters.RequestsExpired+counters.RequestsPruned > counters.RequestsEvicted/1000 {
		t.Errorf("%s: %d SYNs dropped, %d entries expired, %d evicted", row.id, counters.ListenDrops, counters.RequestsExpired, counters.RequestsEvicted)
	}
	row.check(t, float64(counters.PassiveOpens)/attempts, math.Sqrt(row.want*(1-row.want)/attempts))
}
