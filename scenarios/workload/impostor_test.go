package workload

import (
	"math"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
)

// TestSpoofedConnection: a server whose numbers are always the same or follow a
// clock believes the impostor, unless whom it takes him for is there to object.
func TestSpoofedConnection(t *testing.T) {
	for _, c := range []struct {
		name  string
		isn   tcpmodel.ISNMode
		learn string
		there bool
		want  float64
	}{
		{"constant", tcpmodel.ISNConstant, "probe", false, 20},
		{"clock", tcpmodel.ISNCounter, "probe", false, 20},
		{"clock, not learnt", tcpmodel.ISNCounter, "random", false, 0},
		{"clock, with objection", tcpmodel.ISNCounter, "probe", true, 0},
		{"random", tcpmodel.ISNRandom, "probe", false, 0},
		{"keyed", tcpmodel.ISNRFC6528, "probe", false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := twoHosts(t, "linux", 30*des.Second)
			l.hosts[0].config.ISN = c.isn
			away := fastLink
			if !c.there {
				away.Loss = 1
			}
			l.host("trusted", profile(t, "linux"), away)
			l.add("web", "server", &Server{Port: 80, Backlog: 128, Request: 100, Response: ofSize(1000), Think: lasting(sec)})
			l.add("attack", "client", &SpoofedConnection{To: serverAddress, As: "trusted", Rate: 2, Learn: c.learn, Guesses: 8, Data: 100, Until: 10 * sec})
			r := l.run()
			wants(t, r, map[string]float64{"attack.trials": 20, "attack.established": c.want, "web.served": c.want})
		})
	}
}

// TestResidents: of the addresses that a flood forges those in use free their
// entries after a round trip.
func TestResidents(t *testing.T) {
	for _, alive := range []quantity.Ratio{0, 0.25, 1} {
		l := newLab(t, 3, measure.Options{Interval: des.Second, Until: 60 * des.Second})
		l.host("server", profile(t, "textbook"), fastLink)
		l.host("attacker", profile(t, "textbook"), fastLink)
		l.host("elsewhere", profile(t, "textbook"), fastLink)
		l.add("web", "server", &Server{Port: 80, Backlog: 100_000, Response: ofSize(1000)})
		l.hosts[0].config.Somaxconn, l.hosts[0].config.MaxSynBacklog = 100_000, 100_000
		l.add("flood", "attacker", &SynFlood{To: serverAddress, Rate: 1000, Burst: 1, Law: quantity.Fixed, Spoof: quantity.Prefix(testRange),
			MSS: 1460, Behind: "elsewhere", Alive: alive, Until: 20 * sec})
		r := l.run()
		sent, resets := value(t, r, "flood.syns_sent"), value(t, r, "flood.rsts_sent")
		// The silent ones get five SYN-ACKs and answer none; those in use answer
		// the first.
		if want := sent * float64(alive); math.Abs(resets-want) > 3.3*math.Sqrt(want*(1-float64(alive))) {
			t.Errorf("alive %v: %v of %v SYNs were reset", alive, resets, sent)
		}
		if got, want := value(t, r, "server.syn_queue_max"), sent-resets; math.Abs(got-want) > 20 {
			t.Errorf("alive %v: %v half-open entries, want the %v that nobody reset", alive, got, want)
		}
	}
}
