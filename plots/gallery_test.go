package plots

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"tcplab/scenarios/measure"
)

// A showing is a figure with its data; the gallery has at least one of each
// kind.
type showing struct {
	data *Data
	fig  Figure
}

func gallery() []showing {
	return []showing{
		{&Data{Result: floodResult()}, floodFigure()},
		{&Data{Result: floodResult()}, latencyFigure()},
		{&Data{Result: floodResult()}, queuesFigure()},
		{&Data{Replications: replications(8)}, Figure{Name: "replications", Kind: "timeseries", Title: "Mean of eight runs",
			Series: []string{"server.syn_queue", "legit.connect_success"}, Events: []string{"flood"}}},
		{&Data{Result: delayResult()}, Figure{Name: "delay-ccdf", Kind: "ccdf", Series: []string{"reno.delay", "cubic.delay", "bbr.delay"},
			X: Axis{Log: true}, Y: []Axis{{Log: true}}}},
		{&Data{Result: delayResult()}, Figure{Name: "delay-histogram", Kind: "histogram", Series: []string{"cubic.delay"}, X: Axis{Log: true}}},
		{&Data{Result: delayResult()}, Figure{Name: "two-histograms", Kind: "histogram", Series: []string{"reno.delay", "cubic.delay"}, X: Axis{Max: 0.3}}},
		{&Data{Result: delayResult()}, Figure{Name: "delay-boxplot", Kind: "boxplot", Series: []string{"reno.delay", "cubic.delay", "bbr.delay"}, X: Axis{Log: true}}},
		{&Data{Sweep: erlangSweep()}, Figure{Name: "erlang", Kind: "lines", Series: []string{"legit.first_syn_accepted"},
			Over: "flood_rate", By: "backlog", Theory: []Theory{{Formula: "erlang_b"}}, X: Axis{Log: true}}},
		{&Data{Sweep: erlangSweep()}, Figure{Name: "references", Kind: "lines", Series: []string{"legit.first_syn_accepted"},
			Over: "flood_rate", By: "backlog", References: references(), X: Axis{Log: true}}},
		{&Data{Sweep: lossSweep()}, Figure{Name: "loss", Kind: "lines", Series: []string{"flow.goodput"}, Over: "loss", By: "congestion",
			Theory: []Theory{{Formula: "mathis"}, {Formula: "pftk_approx"}}, X: Axis{Log: true}, Y: []Axis{{Log: true}}}},
		{&Data{Sweep: lossSweep()}, Figure{Name: "loss-bands", Kind: "lines", Series: []string{"flow.goodput", "flow.retransmit_ratio"}, Over: "loss",
			By: "congestion", Intervals: "bands", X: Axis{Log: true}, Y: []Axis{{Log: true}}, Limits: []Limit{{"flow.goodput", 1e8, "link 100 Mbit/s"}}}},
		{&Data{Sweep: wordSweep()}, Figure{Name: "words", Kind: "lines", Series: []string{"flow.goodput"}, Over: "congestion", By: "rtt"}},
		{&Data{Sequences: []Sequence{lossySequence()}}, Figure{Name: "sequence", Kind: "sequence"}},
		{&Data{Sequences: []Sequence{lossySequence()}}, Figure{Name: "sequence-zoom", Kind: "sequence", X: Axis{Min: 0.55, Max: 0.95}, Width: "wide"}},
		{&Data{Result: congestionResult()}, Figure{Name: "congestion", Kind: "congestion", Series: []string{"flow"}}},
		{&Data{Result: congestionResult()}, Figure{Name: "queue", Kind: "queue", Series: []string{"bottleneck.queue"},
			Limits: []Limit{{"bottleneck.queue", 100, "limit 100"}}}},
		{&Data{Lifetimes: lifetimes(300)}, Figure{Name: "occupancy", Kind: "occupancy"}},
		{&Data{Lifetimes: lifetimes(300)}, Figure{Name: "gantt-many", Kind: "gantt"}},
		{&Data{Lifetimes: lifetimes(12)}, Figure{Name: "gantt", Kind: "gantt"}},
		{&Data{Result: floodResult()}, Figure{Name: "stacked-queues", Kind: "occupancy", Series: []string{"server.syn_queue", "server.accept_queue"}, Events: []string{"flood"}}},
		{&Data{Sweep: planeSweep(40, 30)}, Figure{Name: "plane", Kind: "heatmap", Series: []string{"legit.first_syn_accepted"},
			Over: "flood_rate", By: "backlog", X: Axis{Log: true}}},
		{&Data{Sweep: erlangSweep()}, Figure{Name: "coarse", Kind: "heatmap", Series: []string{"legit.first_syn_accepted"},
			Over: "flood_rate", By: "backlog", X: Axis{Log: true}, Y: []Axis{{Log: true}}}},
		{&Data{Sweep: wordSweep()}, Figure{Name: "word-plane", Kind: "heatmap", Series: []string{"flow.goodput"}, Over: "rtt", By: "congestion", X: Axis{Log: true}}},
	}
}

// replications are runs of floodResult with noise.
func replications(n int) []*measure.Result {
	var all []*measure.Result
	for i := range n {
		r := floodResult()
		rng := rand.New(rand.NewPCG(7, uint64(i)))
		for k := range r.Series {
			s := &r.Series[k]
			for j, v := range s.Value {
				switch {
				case s.Unit == "ratio":
					s.Value[j] = min(1, max(0, v+0.2*rng.NormFloat64()))
				case v > 10:
					s.Value[j] = min(256, v*(0.9+0.2*rng.Float64()))
				}
			}
		}
		all = append(all, r)
	}
	return all
}

// delayResult has delays of three kinds of flows, with tails.
func delayResult() *measure.Result {
	res := &measure.Result{}
	rng := rand.New(rand.NewPCG(3, 4))
	for i, name := range []string{"reno", "cubic", "bbr"} {
		s := measure.Sample{Name: name + ".delay", Unit: "s", Label: "queueing delay"}
		for range 4000 {
			v := 0.04 * math.Exp(0.5*rng.NormFloat64()-0.3*float64(i))
			if rng.IntN(40) == 0 {
				v /= math.Pow(rng.Float64(), 0.8)
			}
			if name == "cubic" && rng.IntN(200) == 0 {
				v = math.Inf(1)
			}
			s.Values = append(s.Values, v)
		}
		res.Samples = append(res.Samples, s)
	}
	return res
}

// noisy is an estimate from ten replications around a value.
func noisy(rng *rand.Rand, v, sd float64) Estimate {
	var values []float64
	for range 10 {
		values = append(values, v+sd*rng.NormFloat64())
	}
	return NewEstimate(values)
}

// erlangSweep has the share of first SYNs that are accepted under a flood.
func erlangSweep() *Sweep {
	s := &Sweep{
		Params:  []Column{{Name: "flood_rate", Unit: "1/s"}, {Name: "backlog"}},
		Metrics: []Column{{Name: "legit.first_syn_accepted", Unit: "ratio", Label: "first SYNs accepted, fraction"}},
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, rate := range []float64{0.5, 1, 2, 5, 10, 20, 50, 100} {
		for _, backlog := range []float64{64, 128, 256} {
			v := 1 - ErlangB(rate*63, backlog)
			e := noisy(rng, v, 0.08*math.Sqrt(v*(1-v)))
			s.Points = append(s.Points, Point{
				Params:  []Value{{fmt.Sprintf("%g/s", rate), rate}, {fmt.Sprint(backlog), backlog}},
				Metrics: []Estimate{e},
			})
		}
	}
	return s
}

// references are values of two groups and of none.
func references() []Reference {
	at := func(rate, y, half float64) ReferencePoint {
		return ReferencePoint{Over: Value{fmt.Sprintf("%g/s", rate), rate}, Mean: y, Low: y - half, High: y + half}
	}
	return []Reference{
		{Label: "measured", Source: "a lab", By: "64", Points: []ReferencePoint{at(1, 0.93, 0.04), at(3, 0.36, 0.06), at(30, 0.04, 0.02)}},
		{Label: "measured", Source: "a lab", By: "128", Points: []ReferencePoint{at(3, 0.7, 0.05), at(30, 0.09, 0.03)}},
		{Label: "Someone 1999, figure 3", Points: []ReferencePoint{at(0.3, 0.97, math.NaN()), at(7, 0.44, math.NaN()), at(200, 0.02, math.NaN())}},
		{Label: "not drawn", By: "512", Points: []ReferencePoint{at(1, 0.5, 0)}},
	}
}

func lossSweep() *Sweep {
	s := &Sweep{
		Params: []Column{{Name: "loss", Unit: "ratio", Label: "loss probability"}, {Name: "congestion"}},
		Metrics: []Column{{Name: "flow.goodput", Unit: "bit/s", Label: "goodput"},
			{Name: "flow.retransmit_ratio", Unit: "ratio", Label: "retransmitted fraction"}},
		Constants: map[string]float64{"rtt": 0.05, "mss": 1448},
	}
	rng := rand.New(rand.NewPCG(8, 9))
	for _, cc := range []string{"reno", "cubic"} {
		for _, p := range []float64{1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2} {
			w := 0.92 * OttWindow(p, 1)
			if cc == "cubic" {
				w = CubicWindow(p, 0.05, 0.4, 0.7) * 1.2
			}
			v := w / 0.05 * 1448 * 8
			s.Points = append(s.Points, Point{
				Params:  []Value{{fmt.Sprintf("%g%%", 100*p), p}, {cc, math.NaN()}},
				Metrics: []Estimate{noisy(rng, v, v*0.12), noisy(rng, p*1.1, p*0.1)},
			})
		}
	}
	return s
}

func wordSweep() *Sweep {
	s := &Sweep{
		Params:  []Column{{Name: "congestion", Label: "congestion control"}, {Name: "rtt", Label: "RTT", Unit: "s"}},
		Metrics: []Column{{Name: "flow.goodput", Unit: "bit/s", Label: "goodput"}},
	}
	rng := rand.New(rand.NewPCG(8, 9))
	for i, cc := range []string{"reno", "cubic", "bbr", "dctcp"} {
		for _, rtt := range []float64{0.01, 0.1} {
			s.Points = append(s.Points, Point{
				Params:  []Value{{cc, math.NaN()}, {fmt.Sprintf("%g ms", 1e3*rtt), rtt}},
				Metrics: []Estimate{noisy(rng, 4e7+1e7*float64(i)-1e8*rtt, 3e6)},
			})
		}
	}
	return s
}

// planeSweep is fine in both parameters, and misses a corner.
func planeSweep(columns, rows int) *Sweep {
	s := &Sweep{
		Params:  []Column{{Name: "flood_rate", Unit: "1/s"}, {Name: "backlog", Label: "backlog (entries)"}},
		Metrics: []Column{{Name: "legit.first_syn_accepted", Unit: "ratio", Label: "first SYNs accepted, fraction"}},
	}
	for i := range columns {
		for j := range rows {
			rate, backlog := 0.5*math.Pow(200, float64(i)/float64(columns-1)), math.Round(16+float64(j)*500/float64(rows-1))
			e := Estimate{Mean: 1 - ErlangB(rate*63, backlog), N: 1}
			if i > columns*9/10 && j < rows/8 {
				e.Mean = math.NaN()
			}
			s.Points = append(s.Points, Point{
				Params:  []Value{{fmt.Sprint(rate), rate}, {fmt.Sprint(backlog), backlog}},
				Metrics: []Estimate{e},
			})
		}
	}
	return s
}

// lifetimes are clients that connect, are served and close, some first and some
// second.
func lifetimes(n int) []Lifetime {
	rng := rand.New(rand.NewPCG(11, 12))
	var all []Lifetime
	at := 0.0
	for i := range n {
		at += rng.ExpFloat64() * 30 / float64(n)
		l := Lifetime{Name: fmt.Sprintf("client:%d", 49152+i)}
		t := at
		add := func(state string, d float64) {
			l.States = append(l.States, StateSpan{state, t, t + d})
			t += d
		}
		add("SYN-SENT", 0.1+0.9*float64(rng.IntN(4)/3))
		add("ESTABLISHED", 1+6*rng.ExpFloat64())
		if rng.IntN(3) > 0 {
			add("FIN-WAIT-1", 0.3)
			add("FIN-WAIT-2", 0.5+rng.ExpFloat64())
			l.States = append(l.States, StateSpan{"TIME-WAIT", t, math.Min(t+20, math.Inf(1))})
		} else {
			add("CLOSE-WAIT", 2*rng.ExpFloat64())
			add("LAST-ACK", 0.3)
		}
		all = append(all, l)
	}
	return all
}

// lossySequence is a slow start with a burst of losses, repaired with SACK.
func lossySequence() Sequence {
	const mss, rtt = 1448, 0.1
	q := Sequence{Name: "client:49152"}
	add := func(t float64, k SequenceKind, from, to int64) {
		q.Events = append(q.Events, SequenceEvent{t, k, from, to})
	}
	next, acked, window := int64(0), int64(0), 4
	lost := map[int64]bool{}
	add(0, WindowEdge, 0, 65536)
	for round := range 9 {
		t := float64(round) * rtt
		if round == 6 {
			window /= 2
		}
		for i := range window {
			at := t + float64(i)*rtt/float64(window+4)
			add(at, SegmentSent, next, next+mss)
			if round == 5 && i%7 == 3 {
				add(at, SegmentLost, next, next+mss)
				lost[next] = true
			}
			next += mss
		}
		for i := range window {
			at := t + rtt + float64(i)*rtt/float64(window+4)
			seg := next - int64(window-i)*mss
			switch {
			case round < 5:
				acked = seg + mss
				add(at, AckArrived, 0, acked)
				add(at, WindowEdge, 0, acked+65536+int64(round)*40000)
			case round == 5 && !lost[seg]:
				add(at, AckArrived, 0, acked)
				add(at, SackArrived, seg, seg+mss)
				if i%7 == 5 && seg > acked {
					add(at, SegmentResent, seg-2*mss, seg-mss)
				}
			case round > 5:
				acked = seg + mss
				add(at, AckArrived, 0, acked)
				add(at, WindowEdge, 0, acked+65536+int64(round)*40000)
			}
		}
		if round < 5 {
			window *= 2
			window = min(window, 64)
		}
	}
	slices.SortStableFunc(q.Events, func(a, b SequenceEvent) int { return cmp.Compare(a.Time, b.Time) })
	return q
}

// congestionResult is a sawtooth with its timers and the queue that it fills.
func congestionResult() *measure.Result {
	names := []struct{ name, unit, label string }{
		{"flow.cwnd", "B", "cwnd"}, {"flow.ssthresh", "B", "ssthresh"}, {"flow.srtt", "s", "SRTT"}, {"flow.rto", "s", "RTO"},
		{"bottleneck.queue", "packets", "queued packets"}, {"bottleneck.dropped", "packets", "dropped packets"},
	}
	res := &measure.Result{}
	for i, n := range names {
		res.Series = append(res.Series, measure.Series{Name: n.name, Unit: n.unit, Label: n.label, Step: i != 0 && i != 2})
	}
	add := func(i int, t, v float64) {
		res.Series[i].Time = append(res.Series[i].Time, t)
		res.Series[i].Value = append(res.Series[i].Value, v)
	}
	cwnd, ssthresh := 10.0, float64(noThreshold)
	for i := range 600 {
		t := float64(i) * 0.05
		queue := math.Min(math.Max(0, cwnd-80), 100)
		drop := 0.0
		if cwnd > 180 {
			ssthresh = 0.7 * cwnd * 1448
			cwnd *= 0.7
			drop = 1
		}
		for k, v := range []float64{cwnd * 1448, ssthresh, 0.04 + queue*0.0005, 0.24 + queue*0.0006, queue, drop} {
			add(k, t, v)
		}
		if cwnd*1448 < ssthresh {
			cwnd *= 1.25
		} else {
			cwnd += 0.6
		}
	}
	return res
}
