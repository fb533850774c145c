package workload

import (
	"math"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel/network"
)

// crossRun sends that traffic for 20 s from a to b, over links of 100 Mbit/s and
// 1 ms, or as given.
func crossRun(t *testing.T, c *CrossTraffic, link network.LinkConfig) *measure.Recorder {
	t.Helper()
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 20 * des.Second})
	l.host("a", profile(t, "linux"), network.LinkConfig{Rate: 100e6, Delay: des.Millisecond})
	l.host("b", profile(t, "linux"), link)
	c.To = "b"
	l.add("noise", "a", c)
	return l.run()
}

func TestCrossTrafficConstant(t *testing.T) {
	r := crossRun(t, &CrossTraffic{Rate: 3e6, Law: "constant", Size: 1500}, network.LinkConfig{Rate: 100e6, Delay: des.Millisecond})
	// A packet each 4 ms from 0 on; each takes 2 * (120 us + 1 ms).
	for name, want := range map[string]float64{"noise.sent": 5000, "noise.received": 5000, "noise.delay_mean": 0.00224, "noise.delay_max": 0.00224, "noise.throughput": 3e6} {
		if got := value(t, r, name); math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// A rate at which the gap is no whole number of nanoseconds does not drift.
func TestCrossTrafficDoesNotDrift(t *testing.T) {
	r := crossRun(t, &CrossTraffic{Rate: 7e6, Law: "constant", Size: 100}, network.LinkConfig{})
	if got := value(t, r, "noise.sent"); got != 20*7e6/800 {
		t.Errorf("%v packets, want %v", got, 20*7e6/800)
	}
}

// The variance of a Poisson count is its mean, in each second and in all.
func TestCrossTrafficPoisson(t *testing.T) {
	r := crossRun(t, &CrossTraffic{Rate: 4e6, Law: "poisson", Size: 500}, network.LinkConfig{})
	const rate = 1000.0
	if got := value(t, r, "noise.sent"); math.Abs(got-20*rate) > 3.3*math.Sqrt(20*rate) {
		t.Errorf("%v packets, want %v", got, 20*rate)
	}
	squares := 0.0
	for i := range 20 {
		d := value(t, r, "noise.sent", float64(i), float64(i+1)) - rate
		squares += d * d
	}
	// Of a chi square with 20 degrees of freedom: mean 20, variance 40.
	if chi := squares / rate; math.Abs(chi-20) > 3.3*math.Sqrt(40) {
		t.Errorf("the counts of seconds have variance %v, want %v", squares/20, rate)
	}
}

// Half of the time at 8 Mbit/s is 4 Mbit/s. Over n cycles of exponential times
// the share that is on has a standard error of 0.25 * sqrt(2/n).
func TestCrossTrafficOnOff(t *testing.T) {
	for _, times := range []string{"fixed", "exponential"} {
		r := crossRun(t, &CrossTraffic{Rate: 8e6, Law: "on_off", Size: 1000, OnFor: sec / 20, Off: sec / 20, Times: times}, network.LinkConfig{})
		tolerance := 0.5e-2
		if times == "exponential" {
			tolerance = 3.3 * 0.5 * math.Sqrt(2.0/200)
		}
		if got := value(t, r, "noise.throughput") / 8e6; math.Abs(got-0.5) > tolerance {
			t.Errorf("%s: on for %v of the time, want half", times, got)
		}
	}
}

// Sizes come as often as their weights say, and the rate holds on average.
func TestCrossTrafficSizes(t *testing.T) {
	c := &CrossTraffic{Rate: 3.4e6, Law: "constant", Sizes: []PacketSize{{40, 7}, {576, 4}, {1500, 1}}}
	r := crossRun(t, c, network.LinkConfig{})
	sent, bytes := value(t, r, "noise.received"), value(t, r, "noise.throughput")*20/8
	const mean = (40*7 + 576*4 + 1500) / 12.0
	sigma := math.Sqrt((40*40*7+576*576*4+1500*1500)/12.0 - mean*mean)
	if got := bytes / sent; math.Abs(got-mean) > 3.3*sigma/math.Sqrt(sent) {
		t.Errorf("packets have %v bytes on average, want %v", got, mean)
	}
	if got := value(t, r, "noise.throughput"); math.Abs(got-3.4e6) > 0.001*3.4e6 {
		t.Errorf("the rate is %v", got)
	}
}

// What the queue drops is sent and not received; TCP at both hosts goes on.
func TestCrossTrafficBesideTCP(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 10 * des.Second})
	l.host("a", profile(t, "linux"), network.LinkConfig{Rate: 100e6, Delay: des.Millisecond})
	l.host("b", profile(t, "linux"), network.LinkConfig{Rate: 10e6, Delay: 5 * des.Millisecond, Queue: network.QueueLimit{Packets: 50}})
	l.add("noise", "a", &CrossTraffic{To: "b", Rate: 6e6, Law: "poisson", Size: 1500, From: 2 * sec, Until: 8 * sec})
	l.add("more", "a", &CrossTraffic{To: "b", Rate: 1e6, Law: "constant", Size: 100, From: 2 * sec, Until: 8 * sec})
	l.add("load", "a", &Bulk{To: quantity.Address{Host: "b", Port: 5001}, Connections: 1})
	r := l.run()
	if sent, got := value(t, r, "noise.sent"), value(t, r, "noise.received"); got >= sent || got < 0.8*sent {
		t.Errorf("%v of %v packets arrived", got, sent)
	}
	if sent := value(t, r, "more.sent"); sent != 7500 {
		t.Errorf("the second flow sent %v packets, want 7500", sent)
	}
	alone, beside := value(t, r, "load.goodput", 0, 2), value(t, r, "load.goodput", 3, 8)
	if alone < 8e6 || beside > 4e6 || beside < 1e6 {
		t.Errorf("TCP has %v alone and %v beside", alone, beside)
	}
	if bands := r.Result().Bands; len(bands) != 2 || bands[0] != (measure.Band{Name: "noise", From: 2, Until: 8}) {
		t.Errorf("bands %v", bands)
	}
}

func TestCrossTrafficConfig(t *testing.T) {
	for name, c := range map[string]*CrossTraffic{
		"no rate":     {Size: 100},
		"too small":   {Rate: 1e6, Size: 10},
		"too large":   {Rate: 1e6, Sizes: []PacketSize{{70000, 1}}},
		"no weight":   {Rate: 1e6, Sizes: []PacketSize{{700, 0}}},
		"over before": {Rate: 1e6, Size: 100, From: 2 * sec, Until: sec},
		"no silence":  {Rate: 1e6, Size: 100, Law: "on_off", OnFor: sec},
	} {
		if _, err := c.Build("noise", "a"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Sending and receiving allocates nothing.
func TestCrossTrafficAllocates(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: 10 * des.Second, Until: 100 * des.Second})
	l.host("a", profile(t, "linux"), fastLink)
	l.host("b", profile(t, "linux"), fastLink)
	l.add("noise", "a", &CrossTraffic{To: "b", Rate: 8e6, Law: "poisson", Sizes: []PacketSize{{40, 1}, {1500, 1}}})
	l.start()
	l.sim.Run(des.Second)
	if n := testing.AllocsPerRun(100, func() { l.sim.Run(l.sim.Now() + 10*des.Millisecond) }); n > 0 {
		t.Errorf("%v allocations in 10 ms", n)
	}
}
