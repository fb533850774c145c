package measure

import (
	"fmt"
	"slices"
	"sort"

	"tcplab/des"
)

// Outcome is how an attempt to connect, or to get a response, ended.
type Outcome uint8

// The outcomes of an attempt.
const (
	// Undecided: the run ended first.
	Undecided Outcome = iota
	// Connected: the connection was established in time.
	Connected
	// TimedOut: the application's timeout or the retry limit of the stack.
	TimedOut
	// Refused: RST in answer to the SYN.
	Refused
	// Reset: RST on a connection that was established.
	Reset
	// Unreachable: ICMP said so.
	Unreachable
	// NoPort: no local port was free.
	NoPort
	// Broken: ended otherwise, as by the peer's FIN before the response was
	// complete.
	Broken
	numOutcomes
)

var outcomeNames = [numOutcomes]string{
	"undecided", "connected", "timeout", "refused", "reset", "unreachable", "no port", "broken",
}

// String returns the outcome in words.
func (o Outcome) String() string {
	if o < numOutcomes {
		return outcomeNames[o]
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// attempt is one try of a client: to connect, then to get a response.
type attempt struct {
	start, connected, responded des.Time
	// verdict is Connected or why there was no connection; later is why a
	// connection ended without its whole response.
	verdict, later Outcome
	retransmitted  bool
}

// Attempts is the log of the attempts of one workload, in the order in which
// they started. A metric over a time counts the attempts that started in it.
// Those that started at or after the first whose outcome the run did not see
// are undecided: they are left out of all ratios, latencies and outcomes, and
// so are later ones that were quicker, because to keep only the quick ones
// would flatter. Memory grows by 32 bytes for each attempt.
type Attempts struct {
	r         *Recorder
	of, owner string
	log       []attempt
	decided   int // attempts before the first without verdict
	answered  int // attempts before the first without a fate of its response
	scratch   []float64
}

// Attempts declares the metrics of a workload that connects: of is the kind in
// the catalogue, owner its name, expectsResponse whether there is a response
// to wait for.
func (r *Recorder) Attempts(of, owner string, expectsResponse bool) *Attempts {
	a := &Attempts{r: r, of: of, owner: owner}
	r.attempts = append(r.attempts, a)
	a.declareConnect()
	a.declareOutcomes()
	r.samples = append(r.samples, a.connectSample)
	if expectsResponse {
		r.samples = append(r.samples, a.responseSample)
	}
	return a
}

// Start logs the start of an attempt and returns its number.
func (a *Attempts) Start(now des.Time) int {
	a.log = append(a.log, attempt{start: now, connected: des.Never, responded: des.Never})
	return len(a.log) - 1
}

// Connect logs that attempt i has its connection, after synRetransmits
// repetitions of its SYN.
func (a *Attempts) Connect(i int, now des.Time, synRetransmits uint32) {
	t := &a.log[i]
	t.connected, t.verdict, t.retransmitted = now, Connected, synRetransmits > 0
}

// Respond logs that attempt i has the whole response. What comes after the end
// of an attempt is ignored.
func (a *Attempts) Respond(i int, now des.Time) {
	if t := &a.log[i]; t.later == Undecided {
		t.responded, t.later = now, Connected
	}
}

// Fail logs why attempt i got no connection, or no whole response if it was
// connected. What comes after the end of an attempt is ignored, too.
func (a *Attempts) Fail(i int, why Outcome) {
	t := &a.log[i]
	switch {
	case t.verdict == Undecided:
		t.verdict, t.later = why, why
	case t.later == Undecided:
		t.later = why
	}
}

// Len returns the number of attempts so far.
func (a *Attempts) Len() int { return len(a.log) }

func (a *Attempts) finish() {
	a.decided, a.answered = len(a.log), len(a.log)
	for i := len(a.log) - 1; i >= 0; i-- {
		if a.log[i].verdict == Undecided {
			a.decided = i
		}
		if a.log[i].later == Undecided {
			a.answered = i
		}
	}
}

// in returns the attempts before limit that started in w.
func (a *Attempts) in(w window, limit int) []attempt {
	log := a.log[:limit]
	i := sort.Search(len(log), func(i int) bool { return log[i].start >= w.from })
	j := sort.Search(len(log), func(j int) bool { return log[j].start >= w.until })
	if j < i {
		return nil
	}
	return log[i:j]
}

func (a *Attempts) started(w window) (float64, bool) {
	return float64(len(a.in(w, len(a.log)))), !w.empty()
}

func (a *Attempts) startedRate() []float64 {
	return a.r.each(func(w window) (float64, bool) {
		return float64(len(a.in(w, len(a.log)))) / w.seconds(), true
	})
}

func (a *Attempts) undecided(w window) (float64, bool) {
	return float64(len(a.in(w, len(a.log))) - len(a.in(w, a.decided))), !w.empty()
}

// share is the ratio of the attempts of list for which is holds.
func share(list []attempt, is func(*attempt) bool) (float64, bool) {
	if len(list) == 0 {
		return 0, false
	}
	n := 0
	for i := range list {
		if is(&list[i]) {
			n++
		}
	}
	return float64(n) / float64(len(list)), true
}

func (a *Attempts) success(w window) (float64, bool) {
	return share(a.in(w, a.decided), func(t *attempt) bool { return t.verdict == Connected })
}

func (a *Attempts) firstSyn(w window) (float64, bool) {
	return share(a.in(w, a.decided), func(t *attempt) bool { return t.verdict == Connected && !t.retransmitted })
}

func (a *Attempts) answeredShare(w window) (float64, bool) {
	return share(a.in(w, a.answered), func(t *attempt) bool { return t.later == Connected })
}

// outcome returns how to count the attempts with verdict o in a window.
func (a *Attempts) outcome(o Outcome) func(window) (float64, bool) {
	return func(w window) (float64, bool) {
		n := 0
		for _, t := range a.in(w, a.decided) {
			if t.verdict == o {
				n++
			}
		}
		return float64(n), !w.empty()
	}
}

// resets counts attempts that a RST ended, connected or not.
func (a *Attempts) resets(w window) (float64, bool) {
	n := 0
	for _, t := range a.in(w, a.decided) {
		if t.later == Reset {
			n++
		}
	}
	return float64(n), !w.empty()
}

// aborted counts connections that ended without the whole response.
func (a *Attempts) aborted(w window) (float64, bool) {
	n := 0
	for _, t := range a.in(w, a.decided) {
		if t.verdict == Connected && t.later != Connected && t.later != Undecided {
			n++
		}
	}
	return float64(n), !w.empty()
}

// connectTimes returns the seconds from start to connection, in the order of
// the starts. The slice is used again by the next call.
func (a *Attempts) connectTimes(w window) []float64 {
	out := a.scratch[:0]
	for _, t := range a.in(w, a.decided) {
		if t.verdict == Connected {
			out = append(out, (t.connected - t.start).Seconds())
		}
	}
	a.scratch = out
	return out
}

// responseTimes returns the seconds from start to the last byte of the
// response, as connectTimes.
func (a *Attempts) responseTimes(w window) []float64 {
	out := a.scratch[:0]
	for _, t := range a.in(w, a.answered) {
		if t.later == Connected {
			out = append(out, (t.responded - t.start).Seconds())
		}
	}
	a.scratch = out
	return out
}

func (a *Attempts) connectSample() Sample {
	return sample(a.of, a.owner, "connect_latency", slices.Clone(a.connectTimes(a.r.whole())))
}

func (a *Attempts) responseSample() Sample {
	return sample(a.of, a.owner, "response_latency", slices.Clone(a.responseTimes(a.r.whole())))
}

// times returns how to compute a statistic of the latencies of a window.
func times(of func(window) []float64, statistic func([]float64) (float64, bool)) func(window) (float64, bool) {
	return func(w window) (float64, bool) { return statistic(of(w)) }
}

func quantileAt(p float64) func([]float64) (float64, bool) {
	return func(values []float64) (float64, bool) { return quantileOf(values, p) }
}

func (a *Attempts) declare(name string, value func(window) (float64, bool), series func() []float64) {
	a.r.declare(&a.r.workloads, a.of, a.owner, name, value, series)
}

// perInterval is the series of a metric that is computed anew for each
// interval.
func (a *Attempts) perInterval(value func(window) (float64, bool)) func() []float64 {
	return func() []float64 { return a.r.each(value) }
}

func (a *Attempts) declareConnect() {
	a.declare("attempts", a.started, a.startedRate)
	a.declare("connect_success", a.success, a.perInterval(a.success))
	a.declare("first_syn_accepted", a.firstSyn, a.perInterval(a.firstSyn))
	median := times(a.connectTimes, quantileAt(0.5))
	tail := times(a.connectTimes, quantileAt(0.99))
	a.declare("connect_mean", times(a.connectTimes, meanOf), nil)
	a.declare("connect_p50", median, a.perInterval(median))
	a.declare("connect_p90", times(a.connectTimes, quantileAt(0.9)), nil)
	a.declare("connect_p99", tail, a.perInterval(tail))
	a.declare("connect_max", times(a.connectTimes, quantileAt(1)), nil)
	a.declare("response_success", a.answeredShare, a.perInterval(a.answeredShare))
	a.declare("response_p50", times(a.responseTimes, quantileAt(0.5)), nil)
	a.declare("response_p90", times(a.responseTimes, quantileAt(0.9)), nil)
	a.declare("response_p99", times(a.responseTimes, quantileAt(0.99)), nil)
}

func (a *Attempts) declareOutcomes() {
	a.declare("timeouts", a.outcome(TimedOut), nil)
	a.declare("refused", a.outcome(Refused), nil)
	a.declare("resets", a.resets, nil)
	a.declare("unreachable", a.outcome(Unreachable), nil)
	a.declare("no_ports", a.outcome(NoPort), nil)
	a.declare("aborted", a.aborted, nil)
	a.declare("undecided", a.undecided, nil)
}
