package tcpmodel

import (
	"flag"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

var fullValidation = flag.Bool("validation.full", false, "measure the rows of the validation tables at their full size, with their own tolerance")

// timerRow is a row of timers.csv.
type timerRow struct {
	id, expected, tolKind, tol string
	scenario                   map[string]string
}

func readTimerRows(t *testing.T) []timerRow {
	t.Helper()
	var rows []timerRow
	for _, r := range readTable(t, "timers.csv") {
		row := timerRow{id: r["id"], expected: r["expected"], tolKind: r["tol_kind"], tol: r["tol"], scenario: map[string]string{}}
		for _, kv := range strings.Split(r["scenario"], ";") {
			k, v, _ := strings.Cut(kv, "=")
			row.scenario[k] = v
		}
		rows = append(rows, row)
	}
	return rows
}

func (r timerRow) number(t *testing.T, key string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(r.scenario[key], 64)
	if err != nil {
		t.Fatalf("%s: %s: %v", r.id, key, err)
	}
	return v
}

func (r timerRow) span(t *testing.T, key string) des.Time {
	t.Helper()
	return seconds(r.number(t, key))
}

func seconds(s float64) des.Time { return des.Time(math.Round(s * float64(des.Second))) }

// times reads "1 3 7;15": a schedule and how it ends.
func (r timerRow) times(t *testing.T) (schedule []float64, end float64) {
	t.Helper()
	list, last, _ := strings.Cut(r.expected, ";")
	for _, f := range strings.Fields(list) {
		schedule = append(schedule, parseNumber(t, f))
	}
	if last != "" {
		end = parseNumber(t, last)
	}
	return schedule, end
}

func parseNumber(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (r timerRow) within(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.Abs(got-want) > tol {
		t.Errorf("%s: %s is %.9g, want %.9g to within %.3g", r.id, what, got, want, tol)
	}
}

// timerCases measure the rows whose id begins with a key; the longest fits.
var timerCases = map[string]func(t *testing.T, r timerRow){
	"T-RTO-":     rowEstimator,
	"T-SYN-":     rowSyn,
	"T-SYN-LIN":  rowSynLinear,
	"T-SYN-1122": rowSynR2,
	"T-SYNACK-":  rowSynAck,
	"T-RET1-":    rowData,
	"T-RET2-":    rowData,
	"T-KA-":      rowKeepalive,
	"T-TW-":      rowTimeWait,
	"T-PORT-":    rowPorts,
	"T-DELACK":   rowDelayedAck,
	"T-ISN":      rowISN,
	"T-ZWP-":     rowZeroWindow,
}

// TestTimers measures every row of timers.csv. A row without a case fails.
func TestTimers(t *testing.T) {
	for _, r := range readTimerRows(t) {
		t.Run(r.id, func(t *testing.T) {
			best := ""
			for prefix := range timerCases {
				if strings.HasPrefix(r.id, prefix) && len(prefix) > len(best) {
					best = prefix
				}
			}
			if best == "" {
				t.Fatalf("no case measures %s", r.id)
			}
			timerCases[best](t, r)
		})
	}
}

// rowEstimator: SRTT, RTTVAR and RTO after each sample. The file prints nine
// digits, so half a unit of the last is added to the tolerance.
func rowEstimator(t *testing.T, r timerRow) {
	cfg, _ := Profile("rfc9293")
	cfg.RTOMin, cfg.RTOMax = r.span(t, "rto_min"), r.span(t, "rto_max")
	samples, rows := strings.Split(r.scenario["rtts"], ","), strings.Fields(r.expected)
	if len(samples) != len(rows) || r.span(t, "G") != clockGranularity {
		t.Fatalf("%d samples, %d results, G %s", len(samples), len(rows), r.scenario["G"])
	}
	var e rttEstimator
	for i, s := range samples {
		rtt := seconds(parseNumber(t, s))
		e.sample(&cfg, 0, rtt, rtt, true)
		for j, want := range strings.Split(rows[i], "|") {
			got := []des.Time{e.srtt, e.rttvar, e.rto(&cfg)}[j]
			_, digits, _ := strings.Cut(want, ".")
			tol := 1e-9 + 0.5*math.Pow10(-len(digits))
			r.within(t, []string{"SRTT", "RTTVAR", "RTO"}[j]+" after sample "+strconv.Itoa(i+1), got.Seconds(), parseNumber(t, want), tol)
		}
	}
}

// checkSchedule compares the times at which the puppet has sent since start
// with those of the row, and when its connection ended.
func (r timerRow) checkSchedule(t *testing.T, p *puppet, start des.Time, sent []string) {
	t.Helper()
	want, end := r.times(t)
	if len(sent) != len(want) {
		t.Fatalf("%s: %d segments, want %d: %v", r.id, len(sent), len(want), sent)
	}
	for i, line := range sent {
		at, _, _ := strings.Cut(line, " ")
		r.within(t, "time "+strconv.Itoa(i+1), parseNumber(t, at)-start.Seconds(), want[i], 1e-6)
	}
	if end > 0 {
		if len(p.ended) != 1 || p.lastEnd().Err != ETIMEDOUT {
			t.Fatalf("%s: ended %+v", r.id, p.ended)
		}
		r.within(t, "end", (p.lastEnd().Ended - start).Seconds(), end, 1e-6)
	}
	p.checkEmpty(t)
}

func rowSyn(t *testing.T, r timerRow) {
	for _, profile := range ProfileNames() {
		p := newPuppet(t, profile, func(c *Config) {
			c.SynRetries, c.SynLinearTimeouts = int(r.number(t, "retries")), 0
			c.InitialRTO, c.RTOMax = r.span(t, "first_rto"), r.span(t, "rto_max")
		})
		p.activeOpen(SocketOptions{})
		p.idle(des.Hour)
		r.checkSchedule(t, p, 0, p.sent[1:])
	}
}

func rowSynLinear(t *testing.T, r timerRow) {
	p := newPuppet(t, "linux", func(c *Config) {
		c.SynRetries, c.SynLinearTimeouts = int(r.number(t, "syn_retries")), int(r.number(t, "syn_linear_timeouts"))
		c.InitialRTO = r.span(t, "first_rto")
	})
	p.activeOpen(SocketOptions{})
	p.idle(des.Hour)
	r.checkSchedule(t, p, 0, p.sent[1:])
}

// rowSynR2: the rfc9293 profile sends a SYN again for at least 3 minutes.
func rowSynR2(t *testing.T, r timerRow) {
	p := newPuppet(t, "rfc9293", nil)
	p.activeOpen(SocketOptions{})
	p.idle(des.Hour)
	at, _, _ := strings.Cut(p.sent[len(p.sent)-1], " ")
	if low, _, _ := strings.Cut(r.tol, ":"); parseNumber(t, at) < parseNumber(t, low) {
		t.Errorf("%s: the last SYN leaves after %s s, want at least %s", r.id, at, low)
	}
}

func rowSynAck(t *testing.T, r timerRow) {
	for _, profile := range ProfileNames() {
		p := newPuppet(t, profile, func(c *Config) {
			c.SynackRetries = int(r.number(t, "retries"))
			c.InitialRTO, c.RTOMax = r.span(t, "first_rto"), r.span(t, "rto_max")
		})
		p.passiveOpen(5)
		p.arrive("<SEQ=300><CTL=SYN>")
		p.idle(des.Hour)
		sent := p.sent[1:]
		if n := len(sent); p.host.cfg.SynackGiveUpRST {
			if sent[n-1] != "63.000 <SEQ=101><ACK=301><CTL=RST,ACK>" {
				t.Errorf("%s: %s gives up with %s", r.id, profile, sent[n-1])
			}
			sent = sent[:n-1]
		}
		r.checkSchedule(t, p, 0, sent)
	}
}

// rowData: data to a silent peer. The rows count retries, Linux counts time
// (RetryBudget), which TestRetryBudget measures.
func rowData(t *testing.T, r timerRow) {
	for _, profile := range ProfileNames() {
		p := established(t, profile, func(c *Config) {
			c.RTO, c.RetryBudget = RTORFC6298, false
			c.Retries2 = int(r.number(t, "retries"))
			c.RTOMin, c.RTOMax = r.span(t, "first_rto"), r.span(t, "rto_max")
			c.InitialRTO = c.RTOMin
		})
		p.ep.Write(100)
		p.idle(des.Hour)
		r.checkSchedule(t, p, 0, p.sent[1:])
		for _, line := range p.sent {
			if !strings.Contains(line, "<SEQ=101><ACK=301><DATA=100>") {
				t.Errorf("%s: sent %s", r.id, line)
			}
		}
	}
}

func rowKeepalive(t *testing.T, r timerRow) {
	for _, profile := range ProfileNames() {
		o := SocketOptions{Keepalive: true, KeepIdle: r.span(t, "keepidle"), KeepIntvl: r.span(t, "keepintvl"), KeepCnt: int(r.number(t, "keepcnt"))}
		cfg, _ := Profile(profile)
		if cfg.KeepaliveProbes == o.KeepCnt && cfg.KeepaliveTime == o.KeepIdle {
			// The defaults of the profile are the row's.
			o.KeepIdle, o.KeepIntvl, o.KeepCnt = 0, 0, 0
		}
		p := newPuppet(t, profile, nil)
		p.activeOpen(o)
		p.arrive("<SEQ=300><ACK=101><CTL=SYN,ACK>")
		p.sends("<SEQ=100><CTL=SYN>", "<SEQ=101><ACK=301><CTL=ACK>")
		p.idle(des.Hour * 3)
		n := len(p.sent) - 1
		for _, line := range p.sent[:n] {
			if !strings.HasSuffix(line, " <SEQ=100><ACK=301><CTL=ACK>") {
				t.Errorf("%s: the probe is %s", r.id, line)
			}
		}
		_, end := r.times(t)
		if want := clock(seconds(end)) + " <SEQ=101><ACK=301><CTL=RST,ACK>"; p.sent[n] != want {
			t.Errorf("%s: gives up with %s, want %s", r.id, p.sent[n], want)
		}
		r.checkSchedule(t, p, 0, p.sent[:n])
	}
}

// rowTimeWait: the mean number of connections in TIME-WAIT when a server
// closes Poisson arrivals. The short form measures a seventh of the time, with
// the tolerance that the standard error then asks for.
func rowTimeWait(t *testing.T, r timerRow) {
	rate, twoMSL := r.number(t, "conn_rate"), 2*r.span(t, "msl")
	windows := 3.0
	if *fullValidation {
		windows = 20
	}
	g := newRig(t, "rfc9293", 0, func(c *Config) { c.TimeWait, c.PortLow = twoMSL, 1024 })
	if _, err := g.b.Listen(80, 100, quitter{first: true}); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(9, 9))
	var next, area float64
	end := twoMSL.Seconds() * (1 + windows)
	for last := 0.0; last < end; last = next {
		next = min(next+rnd.ExpFloat64()/rate, end)
		if from := max(last, twoMSL.Seconds()); next > from {
			// The population falls in between, by one at a time.
			const pieces = 4
			for i := range pieces {
				g.sim.Run(seconds(from + (next-from)*(float64(i)+0.5)/pieces))
				area += float64(g.b.InState(TimeWait)) * (next - from) / pieces
			}
		}
		g.sim.Run(seconds(next))
		if _, err := g.a.Connect(2, 80, quitter{}, SocketOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	mean := area / (end - twoMSL.Seconds())
	want := parseNumber(t, r.expected)
	r.within(t, "mean TIME-WAIT population", mean, want, want*parseNumber(t, r.tol)*math.Sqrt(20/windows))
}

// rowPorts: how many connections a second a range of ports sustains, and how
// many fail beyond that. The short form has a hundredth of the ports and of
// the load.
func rowPorts(t *testing.T, r timerRow) {
	name := strings.Split(r.id, "-")
	ports, wait := int(parseNumber(t, name[2])), seconds(parseNumber(t, name[3]))
	offered := 2 * float64(ports) / wait.Seconds()
	failing := len(name) == 5
	if failing {
		offered = r.number(t, "offered")
	}
	if !*fullValidation {
		offered *= float64(ports/100&^1) / float64(ports)
		ports = ports / 100 &^ 1 // connect leaves the last of an odd number alone
	}
	g := newRig(t, "linux", 0, func(c *Config) {
		c.TimeWait, c.TwReuse, c.PortLow, c.PortHigh = wait, 0, 32768, 32768+ports-1
	})
	if _, err := g.b.Listen(80, 100, quitter{}); err != nil {
		t.Fatal(err)
	}
	const periods = 4
	begin, end := 2*wait, (2+periods)*wait
	var tried, failed float64
	for i := 0; ; i++ {
		at := seconds(float64(i) / offered)
		if at >= end {
			break
		}
		g.sim.Run(at)
		_, err := g.a.Connect(2, 80, quitter{first: true}, SocketOptions{})
		if err != nil && err != EADDRNOTAVAIL {
			t.Fatal(err)
		}
		if at >= begin {
			tried++
			if err != nil {
				failed++
			}
		}
	}
	want := parseNumber(t, r.expected)
	if failing {
		r.within(t, "fraction of failures", failed/tried, want, parseNumber(t, r.tol))
		return
	}
	scale := float64(ports) / parseNumber(t, name[2])
	got := (tried - failed) / (end - begin).Seconds() / scale
	r.within(t, "connections per second", got, want, want*parseNumber(t, r.tol))
}

// rowDelayedAck: no data wait for their ACK as long as the row says, whatever
// their sizes and the times between them.
func rowDelayedAck(t *testing.T, r timerRow) {
	_, limit, _ := strings.Cut(r.tol, ":")
	for _, profile := range ProfileNames() {
		rnd := rand.New(rand.NewPCG(3, 3))
		p := established(t, profile, nil)
		seq, worst := segment.Seq(301), 0.0
		var waiting []struct {
			end segment.Seq
			at  float64
		}
		p.wire.keep = func(s *segment.Segment) {
			for len(waiting) > 0 && waiting[0].end.LessEq(s.Ack) {
				worst = max(worst, p.sim.Now().Seconds()-waiting[0].at)
				waiting = waiting[1:]
			}
		}
		for i := range 3000 {
			// Blocks of segments close together, far apart, and mixed.
			gaps := [][]float64{{0.001}, {0.03}, {0.4}, {0.001, 0.03, 0.4}}[i/100%4]
			p.run(seconds(rnd.ExpFloat64() * gaps[rnd.IntN(len(gaps))]))
			// A user who reads at once and one who lets it pile up.
			if p.greedy = i/40%2 == 0; p.greedy {
				p.ep.Read(1 << 20)
			}
			n := uint32(1 + rnd.IntN(1460))
			s := segment.Segment{Seq: seq, Ack: 101, Wnd: 65535, Len: n, Flags: segment.ACK}
			if rnd.IntN(2) == 0 {
				s.Flags |= segment.PSH
			}
			seq = seq.Add(n)
			waiting = append(waiting, struct {
				end segment.Seq
				at  float64
			}{seq, p.sim.Now().Seconds()})
			p.arriveSegment(&s)
		}
		p.run(des.Second)
		if len(waiting) > 0 {
			t.Fatalf("%s: %s never acknowledges %d segments", r.id, profile, len(waiting))
		}
		if worst >= parseNumber(t, limit) || worst == 0 {
			t.Errorf("%s: %s delays an ACK by %v s", r.id, profile, worst)
		}
		t.Logf("%s: largest delay %.3f s", profile, worst)
	}
}

// rowISN: the clock of initial sequence numbers.
func rowISN(t *testing.T, r timerRow) {
	perSecond, wrap, _ := strings.Cut(r.expected, ";")
	wrap, _, _ = strings.Cut(wrap, " ")
	p := newPuppet(t, "rfc9293", func(c *Config) { c.ISN = ISNCounter })
	k := keyOf(2, 80, 1000)
	now := 1234567 * des.Microsecond
	r.within(t, "increase per second", float64(p.initialSeq(now+des.Second, k)-p.initialSeq(now, k)), parseNumber(t, perSecond), 0)
	period := isnTick << 32
	r.within(t, "wrap in hours", period.Seconds()/3600, parseNumber(t, wrap), 0.005)
	if p.initialSeq(now+period, k) != p.initialSeq(now, k) {
		t.Errorf("%s: the numbers do not repeat after %v", r.id, period)
	}
	// With the keyed hash the clock still shows from one connection to the
	// next of the same name, and a different one is elsewhere.
	p.host.cfg.ISN = ISNRFC6528
	r.within(t, "increase per second, RFC 6528", float64(p.initialSeq(now+des.Second, k)-p.initialSeq(now, k)), parseNumber(t, perSecond), 0)
	if a, b := p.initialSeq(now, k), p.initialSeq(now, k+1); a == b || a-b == 1 || b-a == 1 {
		t.Errorf("neighbouring ports have numbers %d and %d", a, b)
	}
}

// rowZeroWindow: probes of a window that stays closed while every probe is
// answered.
func rowZeroWindow(t *testing.T, r timerRow) {
	want, _ := r.times(t)
	p := established(t, "rfc9293", func(c *Config) {
		c.InitialRTO, c.RTOMin, c.RTOMax = r.span(t, "rto"), r.span(t, "rto"), r.span(t, "cap")
	})
	p.arrive("<SEQ=301><ACK=101><WND=0><CTL=ACK>")
	p.ep.Write(1000)
	for _, at := range want {
		p.sim.Run(seconds(at + 0.02))
		p.sends(clock(seconds(at)) + " <SEQ=100><ACK=301><CTL=ACK>")
		p.arrive("<SEQ=301><ACK=101><WND=0><CTL=ACK>")
	}
	// MUST-37: it may last for ever.
	for range 100 {
		p.run(60 * des.Second)
		p.arrive("<SEQ=301><ACK=101><WND=0><CTL=ACK>")
	}
	p.in(Established)
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.ep.Abort()
}
