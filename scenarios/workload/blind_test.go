package workload

import (
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
)

// blindRun attacks the connection of a client whose only port is known, for a
// minute at that rate.
func blindRun(t *testing.T, c BlindAttack) *measure.Recorder {
	t.Helper()
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 60 * des.Second})
	client := profile(t, "linux")
	client.PortLow, client.PortHigh = 40000, 40000
	l.host("server", profile(t, "linux"), fastLink)
	l.host("client", client, fastLink)
	l.host("attacker", profile(t, "linux"), fastLink)
	l.add("web", "server", &Server{Port: 80, Backlog: 50, Response: ofSize(1000), Request: 10, Close: "client"})
	l.add("user", "client", &IdleConnections{To: serverAddress, Arrivals: fixed(1), Connections: 1})
	c.To, c.As, c.PortLow, c.From, c.Law = serverAddress, "client", 40000, sec, quantity.Fixed
	l.add("forger", "attacker", &c)
	return l.run()
}

// Every window is hit once in 2^32 / step guesses. A RST in the window that is
// not exact is answered by a challenge ACK and resets nothing (RFC 5961 section
// 3.2); so is a SYN (section 4.2). Data without the right ACK is not taken
// (section 5.2).
func TestBlindAttackSteps(t *testing.T) {
	for _, send := range []string{"rst", "syn", "data"} {
		r := blindRun(t, BlindAttack{Rate: 2000, Send: send, Guess: "steps", Step: 60000})
		if got := value(t, r, "forger.sent"); got != 118_000 {
			t.Errorf("%s: %v sent, want 118000", send, got)
		}
		if got := value(t, r, "server.challenge_acks"); got < 1 {
			t.Errorf("%s: %v challenge ACKs", send, got)
		}
		if got := value(t, r, "server.established", 30, 60); got != 1 {
			t.Errorf("%s: the connection is gone: %v", send, got)
		}
		if got := value(t, r, "server.estab_resets"); got != 0 {
			t.Errorf("%s: %v resets", send, got)
		}
	}
}

// Guesses at random among many ports hit a window with a probability of about
// 1 in 30 in this run; what they send the server takes in and the connection
// outlives.
func TestBlindAttackRandom(t *testing.T) {
	r := blindRun(t, BlindAttack{Rate: 1000, Send: "rst", Guess: "random", PortHigh: 60000})
	if got := value(t, r, "server.established", 2, 60); got != 1 {
		t.Errorf("the connection is gone: %v", got)
	}
	if got := value(t, r, "server.in_segs"); got < 59_000 {
		t.Errorf("the server took in %v segments", got)
	}
}

func TestBlindAttackConfig(t *testing.T) {
	for name, c := range map[string]*BlindAttack{
		"no port":     {Rate: 1, Law: quantity.Fixed},
		"ports":       {Rate: 1, Law: quantity.Fixed, PortLow: 5, PortHigh: 4},
		"no step":     {Rate: 1, Law: quantity.Fixed, PortLow: 5, Guess: "steps"},
		"no rate":     {Law: quantity.Fixed, PortLow: 5},
		"over before": {Rate: 1, Law: quantity.Fixed, PortLow: 5, From: 5, Until: 4},
	} {
		if _, err := c.Build("x", "h"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
