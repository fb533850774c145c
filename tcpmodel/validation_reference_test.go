package tcpmodel_test

import (
	"fmt"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/network"
)

// TestValidationReference holds the rows of aqm_recovery.csv that were read off the
// plots of ns-3: a comparison with another simulator.
func TestValidationReference(t *testing.T) {
	const phase = "where in its period one run of ns-3 was"
	const overshoot = "how far one run of ns-3 overshot in slow start before it saw the first loss: its window does not double, Linux's does"
	tcpmodel.ValidationTable{
		File: "aqm_recovery.csv",
		Measure: map[string]func(*testing.T, row){
			"A-NS3CUBIC-":       rowCubicOverFQCoDel,
			"A-NS3VAL-dctcp":    rowDCTCP,
			"A-NS3VAL-cubic50-": rowCubicOverCoDel,
		},
		LeftOut: map[string]string{
			"A-":                            "TestValidationRecovery, and the queues in tcpmodel/network",
			"A-NS3CUBIC-no-heuristic-9-9.6": phase,
			"A-NS3VAL-cubic50-max":          overshoot,
		},
	}.Run(t)
}

// referenceRig is a flow from time 0 on through a bottleneck, with the two bytes of
// ns-3's PPP header.
func referenceRig(t *testing.T, rtt des.Time, bottle network.LinkConfig, tune func(*tcpmodel.Config)) *bulkFlow {
	t.Helper()
	cfg := profile(t, "linux")
	windowFor(&cfg, 20000)
	tune(&cfg)
	bottle.Overhead, bottle.Queue = 2, network.QueueLimit{Packets: 1000}
	g := newRig(t, 1, cfg, &bottle, rtt)
	g.flows[0].start(t, 0)
	return g.flows[0]
}

// Throughput in intervals of 0.2 s, as in the row, but from the start of the flow on
// rather than from 5 s before. The three packets in the device, behind CoDel,
// take 0.72 ms: here they are in the queue, and the threshold is later by so much.
// Of 50 Mbit/s, 48.2 are payload.
func rowDCTCP(t *testing.T, r row) {
	rtt, from, until := 10*des.Millisecond, 600*des.Millisecond, 10*des.Second
	if r.ID == "A-NS3VAL-dctcp80-thr" {
		rtt, from, until = 80*des.Millisecond, 27*des.Second, 35*des.Second
	}
	codel := network.DefaultCoDel()
	codel.ECN, codel.CEThreshold = true, 1720*des.Microsecond
	f := referenceRig(t, rtt, network.LinkConfig{Rate: 50e6, Discipline: codel}, func(c *tcpmodel.Config) { c.Congestion = "dctcp" })
	f.rig.sim.Run(from)
	const interval = 200 * des.Millisecond
	for at := from + interval; at <= until; at += interval {
		before := f.rcv.bytes
		f.rig.sim.Run(at)
		r.Check(t, float64(f.rcv.bytes-before)*8/interval.Seconds()/1e6, 0)
	}
	if n := f.snd.Counters().RetransSegs; n > 0 {
		t.Errorf("%d segments were sent again", n)
	}
}

// HyStart would end slow start before CoDel drops anything, which is not what ns-3
// did.
func rowCubicOverCoDel(t *testing.T, r row) {
	f := referenceRig(t, 50*des.Millisecond, network.LinkConfig{Rate: 50e6, Discipline: network.DefaultCoDel()},
		func(c *tcpmodel.Config) { c.HyStart = congestion.HyStartOff })
	f.rig.sim.Run(13 * des.Second)
	r.Check(t, float64(f.ep.Info().SndCwnd), 0)
}

// The window in samples every 10 ms over the time in the row's id, which counts
// from 0.1 s before the flow starts.
func rowCubicOverFQCoDel(t *testing.T, r row) {
	const lead = 100 * des.Millisecond
	rtt, bottle := 5*des.Millisecond, network.LinkConfig{Rate: 100e6, Discipline: network.DefaultFQCoDel()}
	friendly := r.Scenario["case"] == "friendly"
	if friendly {
		rtt, bottle.Rate = 20*des.Millisecond, 50e6
		bottle.Changes = []network.Change{{At: 10*des.Second - lead, Kind: network.ChangeRate, Rate: 100e6}}
	}
	var from, until float64
	if _, err := fmt.Sscanf(r.Metric, "cwnd within the window %g-%g s", &from, &until); err != nil {
		t.Fatal(err)
	}
	f := referenceRig(t, rtt, bottle, func(c *tcpmodel.Config) {
		c.Pacing, c.Cubic.TCPFriendliness = true, friendly
	})
	low, high := uint32(1<<30), uint32(0)
	for at := seconds(from) - lead; at <= seconds(until)-lead; at += 10 * des.Millisecond {
		f.rig.sim.Run(at)
		if i := f.ep.Info(); i.CaState == 0 {
			low, high = min(low, i.SndCwnd), max(high, i.SndCwnd)
		}
	}
	r.Check(t, float64(low), 0)
	r.Check(t, float64(high), 0)
}
