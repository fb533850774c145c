package tcpmodel_test

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/network"
)

// slowStart runs a bulk flow for span over 50 Mbit/s and 100 ms, 417 packets,
// and returns what the bottleneck dropped, its longest queue, and the goodput
// of the second half in bit/s.
func slowStart(t *testing.T, buffer int, span des.Time, tune func(*tcpmodel.Config)) (drops uint64, queue int, goodput float64) {
	t.Helper()
	cfg := profile(t, "linux")
	windowFor(&cfg, 4000)
	tune(&cfg)
	g := newRig(t, 1, cfg, &network.LinkConfig{Rate: 50e6, Queue: network.QueueLimit{Packets: buffer}}, 100*des.Millisecond)
	f := g.flows[0]
	f.start(t, 0)
	g.sim.Run(span / 2)
	before := f.rcv.bytes
	g.sim.Run(span)
	s := g.bottle.Stats()
	return s.Dropped.Packets, int(g.bottle.TakePeak()), float64(f.rcv.bytes-before) * 8 / (span / 2).Seconds()
}

// HyStart++ ends slow start before the loss that ends it else, or with less of
// it: five rounds of conservative slow start are three times the window. Reno
// has no classic HyStart.
func TestHyStartPlusLosesLess(t *testing.T) {
	for _, control := range []string{"reno", "cubic"} {
		var drops [3]uint64
		for h := range drops {
			var goodput float64
			drops[h], _, goodput = slowStart(t, 800, 4*des.Second, func(c *tcpmodel.Config) {
				c.Congestion, c.HyStart = control, congestion.HyStart(h)
			})
			if goodput < 45e6 {
				t.Errorf("%s, hystart %v: %.3g bit/s", control, congestion.HyStart(h), goodput)
			}
		}
		off, classic, plus := drops[0], drops[1], drops[2]
		if off < 1000 || plus > off/2 || control == "reno" && classic != off || control == "cubic" && classic != 0 {
			t.Errorf("%s: %d lost without HyStart, %d with the classic one, %d with HyStart++", control, off, classic, plus)
		}
	}
}

// A first window of 40 segments lands in the queue as it is; paced at twice
// 40 segments per 100 ms, less than the rate of the link, only what leaves
// together does: ten segments, later bursts of two.
func TestPacedFirstWindow(t *testing.T) {
	for _, paced := range []bool{false, true} {
		_, queue, _ := slowStart(t, 1000, 190*des.Millisecond, func(c *tcpmodel.Config) { c.InitialWindow, c.Pacing = 40, paced })
		if paced && queue > 12 || !paced && queue < 38 {
			t.Errorf("pacing %v: %d packets queue", paced, queue)
		}
	}
}
