package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel"
)

func newRecorder(t *testing.T, o Options) (*des.Sim, *Recorder) {
	t.Helper()
	sim := des.New(1, 0)
	r, err := NewRecorder(sim, o)
	if err != nil {
		t.Fatal(err)
	}
	return sim, r
}

// script calls its function at given times.
type script struct {
	sim   *des.Sim
	timer des.Timer
	steps []step
}

type step struct {
	at des.Time
	do func(now des.Time)
}

func play(sim *des.Sim, steps ...step) {
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	s := &script{sim: sim, steps: steps}
	s.timer = sim.NewTimer(sim.NewComponent("script"), s, 0)
	if len(steps) > 0 {
		sim.Arm(s.timer, steps[0].at)
	}
}

func (s *script) HandleTimer(now des.Time, _ uint64) {
	for len(s.steps) > 0 && s.steps[0].at == now {
		s.steps[0].do(now)
		s.steps = s.steps[1:]
	}
	if len(s.steps) > 0 {
		s.sim.Arm(s.timer, s.steps[0].at)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no duration":      {Interval: 1},
		"endless":          {Interval: 1, Until: des.Never},
		"no interval":      {Until: 1},
		"long warm-up":     {Interval: 1, Until: 10, Warmup: 10},
		"too many of them": {Interval: 1, Until: des.Second},
	} {
		if _, err := NewRecorder(des.New(1, 0), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestWindows has a counter and a gauge over a run whose duration is not a
// multiple of the interval, with windows whose bounds are marks, announced
// marks, and no marks.
func TestWindows(t *testing.T) {
	s := des.Second
	sim, r := newRecorder(t, Options{Interval: 2 * s, Until: 9 * s, Warmup: s, Marks: []des.Time{5 * s}})
	c := r.Events("syn_flood", "flood", "syns_sent")
	h := r.Host("host", 1)
	h.Listens()
	q := h.AcceptQueue()
	play(sim,
		step{0, func(des.Time) { c.Add(1) }},
		step{2 * s, func(now des.Time) { c.Add(4); q.Set(now, 3) }},
		step{3 * s, func(now des.Time) { q.Set(now, 10) }},
		step{3*s + 1, func(now des.Time) { q.Set(now, 3) }},
		step{5 * s, func(now des.Time) { c.Add(2); q.Add(now, -2) }},
		step{8*s + s/2, func(now des.Time) { c.Add(8) }},
	)
	sim.Run(9 * s)
	r.Finish()
	for _, w := range []struct {
		name     string
		from, to float64
		want     float64
	}{
		{"flood.syns_sent", 0, 9, 15}, {"flood.syns_sent", 0, 2, 1}, {"flood.syns_sent", 2, 5, 4},
		{"flood.syns_sent", 5, 6, 2}, {"flood.syns_sent", 6, 8, 0}, {"flood.syns_sent", 8, 9, 8},
		{"flood.syns_sent", 8.5, 9, 4}, {"flood.syns_sent", 8.25, 8.5, 2}, {"flood.syns_sent", 8, 20, 8},
		{"host.accept_queue", 0, 2, 0}, {"host.accept_queue", 2, 5, 3 + 7e-9/3}, {"host.accept_queue", 4, 8, (3 + 3.0) / 4},
		{"host.accept_queue", 6, 7, 1},
		{"host.accept_queue_max", 0, 2, 0}, {"host.accept_queue_max", 2, 4, 10}, {"host.accept_queue_max", 4, 5, 3},
		{"host.accept_queue_max", 5, 9, 1},
	} {
		got, null, err := r.Value(w.name, &[2]float64{w.from, w.to})
		if err != nil || null || math.Abs(got-w.want) > 1e-12 {
			t.Errorf("%s during [%v, %v): got %v null %v %v, want %v", w.name, w.from, w.to, got, null, err, w.want)
		}
	}
	if v, _, err := r.Value("flood.syns_sent", nil); v != 14 || err != nil {
		t.Errorf("after the warm-up: got %v %v, want 14", v, err)
	}
	result := r.Result()
	wantSeries(t, result, "flood.syns_sent", []float64{0, 2, 4, 6, 8}, []float64{0.5, 2, 1, 0, 8})
	wantSeries(t, result, "host.accept_queue", []float64{0, 2, 4, 6, 8, 9}, []float64{0, 0, 3, 1, 1, 1})
}

func wantSeries(t *testing.T, r *Result, name string, times, values []float64) {
	t.Helper()
	s := r.FindSeries(name)
	if s == nil {
		t.Fatalf("no series %s", name)
	}
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	if !slices.Equal(s.Time, times) || !slices.EqualFunc(s.Value, values, same) {
		t.Errorf("%s: got %v at %v, want %v at %v", name, s.Value, s.Time, values, times)
	}
}

func TestErrors(t *testing.T) {
	sim, r := newRecorder(t, Options{Interval: des.Second, Until: 10 * des.Second})
	r.Host("server", 1)
	if _, _, err := r.Value("server.in_segs", nil); err == nil {
		t.Error("a value before the end of the run")
	}
	sim.Run(10 * des.Second)
	r.Finish()
	for name, during := range map[string]*[2]float64{
		"server.nothing":   nil,
		"server.syn_queue": nil, // it does not listen
		"server.in_segs":   {5, 5},
		"server.out_segs":  {10, 12},
		"server.out_rsts":  {-1, 5},
		"server.time_wait": {math.NaN(), 5},
	} {
		if v, _, err := r.Value(name, during); err == nil {
			t.Errorf("%s during %v: got %v and no error", name, during, v)
		}
	}
}

// outline is the life of an attempt: zero times are things that do not happen.
func outline(a *Attempts, start, connect, respond des.Time, syns uint32, verdict, later Outcome) []step {
	n := 0
	out := []step{{start, func(now des.Time) { n = a.Start(now) }}}
	if connect > 0 {
		out = append(out, step{start + connect, func(now des.Time) { a.Connect(n, now, syns) }})
	}
	if respond > 0 {
		out = append(out, step{start + respond, func(now des.Time) { a.Respond(n, now); a.Fail(n, Reset) }})
	}
	if verdict != Connected {
		out = append(out, step{start + 3*des.Second, func(des.Time) { a.Fail(n, verdict) }})
	} else if later != Connected && later != Undecided {
		out = append(out, step{start + 3*des.Second, func(des.Time) { a.Fail(n, later) }})
	}
	return out
}

// TestAttempts plays every kind of outcome and asks for windows.
func TestAttempts(t *testing.T) {
	s := des.Second
	sim, r := newRecorder(t, Options{Interval: 10 * s, Until: 40 * s, Warmup: 5 * s})
	a := r.Attempts("clients", "legit", true)
	at := func(start, connect, respond des.Time, syns uint32, verdict, later Outcome) []step {
		return outline(a, start, connect, respond, syns, verdict, later)
	}
	play(sim, slices.Concat(
		at(1*s, s/10, s/5, 0, Connected, Connected), // in the warm-up
		at(10*s, s/10, s/5, 0, Connected, Connected),
		at(11*s, 1*s, 2*s, 1, Connected, Connected),
		at(12*s, 0, 0, 0, TimedOut, Undecided),
		at(13*s, 0, 0, 0, Refused, Undecided),
		at(14*s, s/10, 0, 0, Connected, Reset),
		at(30*s, s/10, s/5, 0, Connected, Connected),
		at(38*s, 0, 0, 0, TimedOut, Undecided), // not seen to end
		at(39*s, s/10, s/5, 0, Connected, Connected),
	)...)
	sim.Run(40 * s)
	r.Finish()
	for _, w := range []struct {
		name   string
		during *[2]float64
		want   float64
		null   bool
	}{
		{"attempts", nil, 8, false}, {"undecided", nil, 2, false},
		{"connect_success", nil, 4.0 / 6, false},
		{"connect_success", &[2]float64{0, 40}, 5.0 / 7, false},
		{"connect_success", &[2]float64{10, 20}, 3.0 / 5, false},
		{"connect_success", &[2]float64{10, 10.5}, 1, false},
		{"connect_success", &[2]float64{10.5, 12}, 1, false},
		{"connect_success", &[2]float64{20, 30}, 0, true},
		{"connect_success", &[2]float64{35, 40}, 0, true},
		{"first_syn_accepted", &[2]float64{10, 20}, 2.0 / 5, false},
		{"response_success", &[2]float64{10, 20}, 2.0 / 5, false},
		{"timeouts", nil, 1, false}, {"refused", nil, 1, false}, {"resets", nil, 1, false}, {"aborted", nil, 1, false},
		{"connect_p50", &[2]float64{10, 20}, 0.1, false}, {"connect_max", &[2]float64{10, 20}, 1, false},
		{"connect_p90", &[2]float64{10, 20}, 0.1 + 0.8*0.9, false},
		{"connect_mean", &[2]float64{10, 20}, 0.4, false}, {"connect_p50", &[2]float64{20, 30}, 0, true},
		{"response_p50", &[2]float64{10, 20}, 1.1, false},
	} {
		got, null, err := r.Value("legit."+w.name, w.during)
		if err != nil || null != w.null || math.Abs(got-w.want) > 1e-12 {
			t.Errorf("%s during %v: got %v null %v %v, want %v null %v", w.name, w.during, got, null, err, w.want, w.null)
		}
	}
	nan := math.NaN()
	result := r.Result()
	wantSeries(t, result, "legit.connect_success", []float64{0, 10, 20, 30}, []float64{1, 0.6, nan, 1})
	wantSeries(t, result, "legit.attempts", []float64{0, 10, 20, 30}, []float64{0.1, 0.5, 0, 0.3})
	if s := result.Samples[0]; s.Name != "legit.connect_latency" || !slices.Equal(s.Values, []float64{0.1, 1, 0.1, 0.1}) {
		t.Errorf("samples: %+v", s)
	}
}

// TestGoodput: a transfer that runs for a part of the window counts only the
// time in which it ran.
func TestGoodput(t *testing.T) {
	s := des.Second
	sim, r := newRecorder(t, Options{Interval: s, Until: 10 * s})
	b := r.Transfer("bulk", "bulk")
	idle := r.Transfer("bulk", "idle")
	_ = idle
	play(sim,
		step{2*s + s/4, func(now des.Time) { b.Begin(now) }},
		step{3 * s, func(des.Time) { b.Deliver(1000) }},
		step{5*s + s/4, func(now des.Time) { b.Deliver(2000); b.End(now, true) }})
	sim.Run(10 * s)
	r.Finish()
	for _, w := range []struct {
		name   string
		during *[2]float64
		want   float64
		null   bool
	}{
		{"bulk.goodput", nil, 8000, false},
		{"bulk.goodput", &[2]float64{3, 5}, 4000, false},
		{"bulk.goodput", &[2]float64{7, 9}, 0, true},
		{"bulk.delivered", nil, 3000, false},
		{"bulk.completion", nil, 3, false},
		{"bulk.completion", &[2]float64{3, 10}, 0, true},
		{"idle.goodput", nil, 0, true}, {"idle.completion", nil, 0, true},
	} {
		got, null, err := r.Value(w.name, w.during)
		if err != nil || null != w.null || math.Abs(got-w.want) > 1e-9 {
			t.Errorf("%s during %v: got %v null %v %v, want %v null %v", w.name, w.during, got, null, err, w.want, w.null)
		}
	}
	if s := r.Result().FindSeries("bulk.goodput"); s.Value[3] != 8000 || s.Value[5] != 16000 || s.Value[6] != 0 {
		t.Errorf("series: %v", s.Value)
	}
}

// TestStopped: a run that ends early gives results over what there was.
func TestStopped(t *testing.T) {
	s := des.Second
	for _, end := range []des.Time{0, 2 * s, 2*s + s/2} {
		sim, r := newRecorder(t, Options{Interval: s, Until: 10 * s, Warmup: s})
		c := r.Events("syn_flood", "flood", "syns_sent")
		r.Band("flood", 0, 10*s)
		play(sim, step{s, func(des.Time) { c.Add(3) }}, step{end, func(des.Time) { sim.Halt() }})
		sim.Run(10 * s)
		r.Finish()
		result := r.Result()
		m, series := result.FindMetric("flood.syns_sent"), result.FindSeries("flood.syns_sent")
		if m.Null != (end == 0) || !m.Null && m.Value != 3 {
			t.Errorf("stopped at %v: %+v", end, m)
		}
		if want := int((end + s - 1) / s); len(series.Time) != want {
			t.Errorf("stopped at %v: series of %d points, want %d", end, len(series.Time), want)
		}
		if result.Bands[0].Until != end.Seconds() {
			t.Errorf("stopped at %v: band %v", end, result.Bands[0])
		}
	}
}

// TestQuantile: type 7 meets the order statistics where (n-1)p is whole, which
// is where gonum's empirical quantile just steps; and it is monotone.
func TestQuantile(t *testing.T) {
	if got := Quantile([]float64{1, 2, 4, 8}, 0.25); got != 1.75 { // R: quantile(c(1,2,4,8), .25)
		t.Errorf("got %v, want 1.75", got)
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("a quantile of nothing")
	}
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 50).Draw(t, "x")
		slices.Sort(x)
		for i := range x {
			if p := float64(i) / float64(max(1, len(x)-1)); math.Abs(Quantile(x, p)-x[i]) > 1e-6 {
				t.Fatalf("quantile %v is %v, want %v", p, Quantile(x, p), x[i])
			}
		}
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		q := rapid.Float64Range(p, 1).Draw(t, "q")
		if Quantile(x, p) > Quantile(x, q)+1e-9 {
			t.Fatalf("quantiles of %v at %v and %v are not in order", x, p, q)
		}
	})
	rnd := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, 10001)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	slices.Sort(x)
	for _, p := range []float64{0.01, 0.5, 0.9, 0.99} {
		if got, other := Quantile(x, p), stat.Quantile(p, stat.Empirical, x, nil); math.Abs(got-other) > 0.02 {
			t.Errorf("quantile %v is %v, gonum's empirical one %v", p, got, other)
		}
	}
}

// TestColumn compares a column with a plain slice.
func TestColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Uint64Range(0, 3), 2, 40).Draw(t, "values")
		var c column
		var m marks
		for i, v := range values {
			c.set(i, v)
			m = append(m, des.Time(10*i))
		}
		for i, v := range values {
			if c.at(i) != v {
				t.Fatalf("at %d: %d, want %d", i, c.at(i), v)
			}
		}
		i := rapid.IntRange(0, len(values)-2).Draw(t, "i")
		j := rapid.IntRange(i+1, len(values)-1).Draw(t, "j")
		w := window{m[i], m[j]}
		if got, want := c.growth(m, w), float64(int64(values[j]-values[i])); got != want {
			t.Fatalf("growth %v, want %v", got, want)
		}
		if got, want := c.most(m, w), float64(slices.Max(values[i+1:j+1])); got != want {
			t.Fatalf("most %v, want %v", got, want)
		}
		inner := window{w.from + 5, w.until - 3}
		want := float64(int64(values[j]-values[i])) - 0.5*float64(int64(values[i+1]-values[i])) - 0.3*float64(int64(values[j]-values[j-1]))
		if got := c.growth(m, inner); math.Abs(got-want) > 1e-9 {
			t.Fatalf("growth between marks %v, want %v", got, want)
		}
	})
}

// TestGaugeIntegral compares the mean with a sum over the changes.
func TestGaugeIntegral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "n")
		var g Gauge
		m := marks{0}
		g.sample(0, 0)
		now, sum, level := des.Time(0), 0.0, 0
		for range n {
			gap := des.Time(rapid.IntRange(0, 1000).Draw(t, "gap"))
			sum += float64(gap) * float64(level)
			now += gap
			level = rapid.IntRange(0, 9).Draw(t, "level")
			g.Set(now, level)
		}
		now++
		sum += float64(level)
		m = append(m, now)
		g.sample(1, now)
		got, ok := g.mean(m, window{0, now})
		if !ok || math.Abs(got-sum/float64(now)) > 1e-9 {
			t.Fatalf("mean %v, want %v", got, sum/float64(now))
		}
	})
}

func TestRecordingDoesNotAllocate(t *testing.T) {
	sim, r := newRecorder(t, Options{Interval: des.Second, Until: 100 * des.Second})
	h := r.Host("server", 1)
	h.Listens()
	c := r.Events("syn_flood", "flood", "syns_sent")
	conn := tcpmodel.Conn{Local: 1, Remote: 5, LocalPort: 80}
	n := testing.AllocsPerRun(1000, func() {
		conn.Serial++
		h.TraceState(sim.Now(), conn, tcpmodel.Listen, tcpmodel.SynReceived, tcpmodel.CauseSegment)
		h.TraceState(sim.Now(), conn, tcpmodel.SynReceived, tcpmodel.Closed, tcpmodel.CauseTimeout)
		c.Add(1)
		h.AcceptQueue().Add(sim.Now(), 1)
	})
	if n != 0 {
		t.Errorf("%v allocations for a half-open entry", n)
	}
	if r.Connections().HalfOpen != 1001 {
		t.Errorf("%d half-open entries, want 1001", r.Connections().HalfOpen)
	}
}

// TestCatalogue: names are such that expressions read them, and no kind has
// one twice.
func TestCatalogue(t *testing.T) {
	seen := map[[2]string]bool{}
	for _, q := range Catalogue() {
		id := [2]string{q.Of, q.Name}
		if seen[id] || q.Doc == "" || q.Unit == "" || q.SeriesUnit != "" && q.Label == "" {
			t.Errorf("%+v: twice, or without doc, unit or label", q)
		}
		seen[id] = true
		for i, c := range q.Name {
			if !(c >= 'a' && c <= 'z' || i > 0 && (c == '_' || c >= '0' && c <= '9')) {
				t.Errorf("%s.%s is no name", q.Of, q.Name)
			}
		}
	}
}
