package spec

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

const evalHead = `version: 1
name: test
params:
  most: {default: 97}
  begin: {default: 30s}
duration: 180s
hosts: {client: {}, server: {}}
links:
  - {ends: [client, server]}
workloads:
  - {name: web, kind: server, on: server}
  - {name: legit, kind: clients, on: client, to: server:80, arrivals: poisson 20/s}
  - {name: down, kind: bulk, on: client, to: server:80}
expect:
`

func compileOne(t *testing.T, text string) *Expectation {
	t.Helper()
	s, err := Load("x.yaml", []byte(evalHead+"  - "+text+"\n"), nil, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return &s.Expect[0]
}

func TestEval(t *testing.T) {
	lookup := func(name string, during *[2]float64) (float64, bool, error) {
		key := name
		if during != nil {
			key = fmt.Sprintf("%s[%g,%g)", name, during[0], during[1])
		}
		values := map[string]float64{
			"legit.connect_success":           0.5,
			"legit.connect_success[30,120)":   0.031,
			"legit.connect_success[150,180)":  0.97,
			"legit.connect_success[0,30)":     1,
			"legit.connect_success[40,120)":   math.NaN(),
			"legit.connect_latency_p99":       0.0412,
			"server.syn_queue_max":            97,
			"server.retransmits":              3,
			"down.goodput":                    94.9e6,
			"down.delivered":                  1e6,
			"web.zero":                        0,
			"client_server.drops":             12,
			"legit.connect_success[60,61.25)": 0.4,
		}
		v, ok := values[key]
		return v, !ok, nil
	}
	for _, c := range []struct {
		text    string
		passed  bool
		null    bool
		message string
	}{
		{"legit.connect_success.during(30s, 120s) < 0.1", true, false, "is 0.031"},
		{"legit.connect_success.during($begin, 2min) < 10%", true, false, "is 3.1%"},
		{"legit.connect_success.after(150s) > 0.95", true, false, "is 0.97"},
		{"legit.connect_success.before(30s) == 1", true, false, "is 1"},
		{"legit.connect_success.during(60s, 60s + 1250ms) == 0.4", true, false, "is 0.4"},
		{"legit.connect_success.during(10s, 11s) < 0.1", false, true, "has no value (no attempts in that interval)"},
		{"legit.connect_success.during(40s, 120s) < 0.1", false, true, "has no value (no attempts in that interval)"},
		{"not (legit.connect_success.during(10s, 11s) < 0.1)", false, true, "has no value (no attempts in that interval)"},
		{"web.nothing > 0", false, true, "has no value (nothing was counted)"},
		{"server.syn_queue_max <= $most", true, false, "is 97"},
		{"server.syn_queue_max < 97", false, false, "is 97"},
		{"97 > server.syn_queue_max", false, false, "is 97"},
		{"legit.connect_latency_p99 < 50ms", true, false, "is 41.2ms"},
		{"legit.connect_latency_p99 * 2 < 50ms", false, false, "is 82.4ms"},
		{"down.goodput > 90Mbit/s", true, false, "is 94.9Mbit/s"},
		{"down.goodput / 100Mbit/s > 90%", true, false, "is 94.9%"},
		{"down.delivered >= 1MB", true, false, "is 1MB"},
		{"server.retransmits / web.zero > 1", false, true, "has no value (a division by zero)"},
		{"abs(server.retransmits - 5) <= 2", true, false, "is 2"},
		{"-server.retransmits < -2", true, false, "is -3"},
		{"max(server.retransmits, server.syn_queue_max, 4) == 97", true, false, "is 97"},
		{"min(server.retransmits, server.syn_queue_max, 4) == 3", true, false, "is 3"},
		{"server.retransmits < server.syn_queue_max", true, false, "is 3, against 97"},
		{"server.retransmits != 3", false, false, "is 3"},
		{"2 < server.retransmits < 4", true, false, "server.retransmits is 3; server.retransmits is 3"},
		{"client_server.drops > 10 and server.retransmits > 5", false, false, "client_server.drops is 12; server.retransmits is 3"},
		{"client_server.drops > 10 or server.retransmits > 5", true, false, "client_server.drops is 12; server.retransmits is 3"},
		{"web.nothing > 1 or server.retransmits > 1", true, false, "web.nothing has no value (nothing was counted); server.retransmits is 3"},
		{"web.nothing > 1 and server.retransmits > 5", false, false, "web.nothing has no value (nothing was counted); server.retransmits is 3"},
		{"web.nothing > 1 and server.retransmits > 1", false, true, "web.nothing has no value (nothing was counted); server.retransmits is 3"},
		{"not (server.retransmits > 5)", true, false, "is 3"},
		{"(server.retransmits + 1) * 2 == 8", true, false, "is 8"},
		{"server.retransmits + 1 * 2 == 5", true, false, "is 5"},
		{"server.retransmits*1e308*1e308 > 0", false, true, "has no value (the result is out of range)"},
	} {
		e := compileOne(t, c.text)
		got, err := Eval(e, lookup)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if want := e.Text + ": " + c.message; got.Passed != c.passed || got.Null != c.null || got.Message != want || got.Text != e.Text {
			t.Errorf("%s: got %+v\nwant passed %v, null %v, %s", c.text, got, c.passed, c.null, want)
		}
	}
}

func TestEvalValues(t *testing.T) {
	two := func(name string, _ *[2]float64) (float64, bool, error) {
		return map[string]float64{"server.retransmits": 3, "server.syn_queue_max": 97}[name], false, nil
	}
	got, err := Eval(compileOne(t, "server.retransmits > 1 and server.syn_queue_max < 90"), two)
	if err != nil || got.Passed || got.Left != 97 || got.Right != 90 {
		t.Errorf("got %+v, %v: the second comparison decides", got, err)
	}
	broken := errors.New("server.retransmits cannot be had over an interval")
	_, err = Eval(compileOne(t, "server.retransmits.after(3s) > 1"), func(string, *[2]float64) (float64, bool, error) { return 0, false, broken })
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "server.retransmits.after(3s) > 1") {
		t.Errorf("got %v", err)
	}
	if m := compileOne(t, "server.retransmits > 1 and server.retransmits.after(1s) < web.x").Metrics(); fmt.Sprint(m) != "[server.retransmits web.x]" {
		t.Errorf("metrics %v", m)
	}
}

// TestTermString prints what was compiled and compiles it again.
func TestTermString(t *testing.T) {
	for _, text := range []string{
		"web.a - (web.b - web.c) > 1",
		"web.a - web.b - web.c > 1",
		"web.a / (web.b * web.c) > 1",
		"(web.a > 1 or web.b > 1) and not (web.c > 1)",
		"-(web.a + web.b) < 3",
		"min(web.a, 3) + abs(web.b.during(1s, 2s)) <= 2",
	} {
		if got := compileOne(t, text).root.String(); got != text {
			t.Errorf("%s prints as %s", text, got)
		}
	}
}
