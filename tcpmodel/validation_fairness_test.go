package tcpmodel_test

import (
	"math"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
)

// rttsOf returns the two round-trip times of a row.
func rttsOf(t *testing.T, r row) [2]des.Time {
	t.Helper()
	a, b, _ := strings.Cut(r.Scenario["rtts"], "/")
	r.Scenario["first"], r.Scenario["second"] = a, b
	return [2]des.Time{seconds(r.Number(t, "first")), seconds(r.Number(t, "second"))}
}

// Two flows that do not share a queue, with the same loss: as two flows of a
// rig without a bottleneck are.
func rowFairnessRandom(t *testing.T, r row) {
	const p = 1e-3
	rtts := rttsOf(t, r)
	r.Scenario["rto_min"], r.Scenario["cc"] = "0.2", "reno+sack"
	rate := fairness(t, renoConfig(t, r, 4/math.Sqrt(p)), rtts, p, 3000,
		func(des.Time) float64 { return 1.31 / math.Sqrt(p) },
		func(f *bulkFlow) func() bool { return bernoulli(f.rig.sim, "loss", p) })
	r.Check(t, rate[0].mean/rate[1].mean, ratioError(rate))
}

func rowFairnessCubic(t *testing.T, r row) {
	const p = 1e-5
	cfg := cubicConfig(t, 1200)
	cfg.Cubic.TCPFriendliness = false
	rate := fairness(t, cfg, rttsOf(t, r), p, 200,
		func(rtt des.Time) float64 { return math.Pow(3.7*0.4/1.2, 0.25) * math.Pow(rtt.Seconds()/p, 0.75) },
		func(*bulkFlow) func() bool { return every(1 / p) })
	r.Check(t, rate[0].mean/rate[1].mean, ratioError(rate))
}

type estimate struct{ mean, stderr float64 }

// ratioError is the standard error of the ratio of two independent estimates.
func ratioError(e [2]estimate) float64 {
	return e[0].mean / e[1].mean * math.Hypot(e[0].stderr/e[0].mean, e[1].stderr/e[1].mean)
}

// fairness returns the goodput of a flow on each of two paths, in segments per
// second, from a start at the window that theory has.
func fairness(t *testing.T, cfg tcpmodel.Config, rtts [2]des.Time, p float64, full uint64, window func(rtt des.Time) float64, loss func(*bulkFlow) func() bool) (rate [2]estimate) {
	t.Helper()
	for i, rtt := range rtts {
		g := newRig(t, uint64(i+1), cfg, nil, rtt)
		f := g.flows[0]
		f.loss.drop = loss(f)
		f.start(t, 0)
		f.leaveSlowStart(window(rtt))
		f.measure(new(steady), warmUp(p))
		var s steady
		f.measure(&s, lengthOf(full, p))
		mean, stderr := s.goodput.mean()
		rate[i] = estimate{mean / rtt.Seconds(), stderr / rtt.Seconds()}
	}
	return rate
}

// Losses at the same instants, every 4 s: the next segment of each flow. In
// between the windows grow by 200 and 40 segments.
func rowFairnessSync(t *testing.T, r row) {
	const interval = 4 * des.Second
	rtts := rttsOf(t, r)
	r.Scenario["rto_min"], r.Scenario["cc"] = "0.2", "reno+sack"
	cfg := renoConfig(t, r, 200)
	g := newRig(t, 1, cfg, nil, rtts[:]...)
	var due [2]bool
	for i, f := range g.flows {
		f.loss.drop = func() bool {
			drop := due[i]
			due[i] = false
			return drop
		}
		f.start(t, 0)
	}
	events := 200
	if !tcpmodel.FullValidation() {
		events = 8
	}
	const warm = 8
	var before [2]uint64
	for k := range events + warm {
		if k == warm {
			before = [2]uint64{g.flows[0].rcv.bytes, g.flows[1].rcv.bytes}
		}
		g.sim.Run(100*des.Millisecond + des.Time(k)*interval)
		due = [2]bool{true, true}
		g.sim.Run(g.sim.Now() + interval - 1)
	}
	r.Check(t, float64(g.flows[0].rcv.bytes-before[0])/float64(g.flows[1].rcv.bytes-before[1]), 0)
}

// shorter is d, or in a short run that part of it.
func shorter(d, part des.Time) des.Time {
	if tcpmodel.FullValidation() {
		return d
	}
	return d / part
}

// sharedConfig is Linux with Reno, for rows that ask for no more than that.
func sharedConfig(t *testing.T) tcpmodel.Config {
	cfg := profile(t, "linux")
	cfg.Congestion = "reno"
	return cfg
}

func rowJain(t *testing.T, r row) {
	for seed := range seedsOf(5) {
		const rate, rtt, bdp = 20e6, 50 * des.Millisecond, 83
		bottle := network.LinkConfig{Rate: rate, Queue: network.QueueLimit{Packets: bdp}}
		g := newRig(t, seed+1, sharedConfig(t), &bottle, rtt, rtt, rtt, rtt)
		startAtRandom(t, g, 5)
		var before [4]uint64
		for i, f := range g.flows {
			before[i] = f.rcv.bytes
		}
		g.sim.Run(g.sim.Now() + shorter(300*des.Second, 3))
		sum, squares := 0.0, 0.0
		for i, f := range g.flows {
			x := float64(f.rcv.bytes - before[i])
			sum, squares = sum+x, squares+x*x
		}
		r.Check(t, sum*sum/(4*squares), 0)
	}
}

// startAtRandom starts the flows within that many seconds.
func startAtRandom(t *testing.T, g *rig, span float64) {
	t.Helper()
	rnd := g.sim.Stream("starts")
	at := make([]float64, len(g.flows))
	for i := range at {
		at[i] = rnd.Float64() * span
	}
	for range at {
		first := 0
		for i := range at {
			if at[i] < at[first] {
				first = i
			}
		}
		g.flows[first].start(t, seconds(at[first]))
		at[first] = math.Inf(1)
	}
	g.sim.Run(seconds(span))
}

func rowSmallBuffer(t *testing.T, r row) {
	n := int(r.Number(t, "flows"))
	rates := des.New(7, 0).Stream("rtts")
	rtts := make([]des.Time, n)
	for i := range rtts {
		rtts[i] = seconds(0.06 + 0.08*rates.Float64())
	}
	const bdp = 100e6 * 0.1 / 8 / 1500
	bottle := network.LinkConfig{Rate: 100e6, Queue: network.QueueLimit{Packets: int(bdp / math.Sqrt(float64(n)))}}
	g := newRig(t, 1, sharedConfig(t), &bottle, rtts...)
	startAtRandom(t, g, 10)
	g.sim.Run(30 * des.Second)
	from := g.bottle.Stats()
	g.sim.Run(g.sim.Now() + shorter(100*des.Second, 5))
	r.Check(t, g.bottle.Stats().Since(from).Utilization(), 0)
}
