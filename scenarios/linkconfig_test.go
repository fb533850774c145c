package scenarios

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"tcplab/scenarios/spec"
)

// runText runs a scenario that is written here.
func runText(t *testing.T, name, text string) *Outcome {
	t.Helper()
	sc, err := spec.Load(name, []byte(text), nil, Registry())
	if err != nil {
		t.Fatal(err)
	}
	return run(t, sc, Options{})
}

// metricOf returns a metric that must have a value.
func metricOf(t *testing.T, o *Outcome, name string) float64 {
	t.Helper()
	m := o.Result.FindMetric(name)
	if m == nil || m.Null {
		t.Fatalf("%s is %+v", name, m)
	}
	return m.Value
}

// onWire is a transfer over a link with those words.
const onWire = `version: 1
name: wire
duration: 10s
hosts: {a: {}, b: {}}
links:
  - {ends: [a, b], name: wire, delay: 10ms, %s}
workloads: [{name: load, kind: bulk, on: a, to: b:5001}]
`

// Each word of a link does what it says, as the metrics of the link tell.
func TestLinkWords(t *testing.T) {
	for _, c := range []struct {
		words, metric string
		least, most   float64
	}{
		{"rate: 10Mbit/s, shaper: {rate: 2Mbit/s, burst: 3kB}", "wire.throughput", 1.9e6, 2.01e6},
		{"rate: 100Mbit/s, policer: {rate: 2Mbit/s, burst: 30kB}", "wire.policed", 50, 10000},
		{"rate: 100Mbit/s, policer: {rate: 2Mbit/s, burst: 30kB}", "wire.throughput", 0.5e6, 2.03e6},
		{"rate: 10Mbit/s, queue: {discipline: codel}", "wire.queue_discards", 3, 200},
		{"rate: 10Mbit/s, queue: {discipline: codel}", "wire.queue_delay", 0.002, 0.02},
		{"rate: 10Mbit/s, queue: {discipline: fq_codel}", "wire.queue_delay", 0.002, 0.02},
		{"rate: 10Mbit/s, queue: {discipline: pie}", "wire.early_drops", 3, 300},
		{"rate: 10Mbit/s, queue: {discipline: red, min_th: 10, max_th: 30}", "wire.early_drops", 3, 500},
		{"rate: 10Mbit/s, queue: {limit: 50 packets}", "wire.queue_max", 50, 50},
		{"rate: 10Mbit/s, queue: {limit: 50 packets}", "wire.dropped", 3, 500},
		{"rate: 10Mbit/s, gilbert: {good_to_bad: 1%, bad_to_good: 25%}", "wire.lost", 10, 1000},
		{"rate: 10Mbit/s, loss_period: 100", "wire.lost", 10, 84},
		{"rate: 10Mbit/s, corrupt: 2%", "wire.corrupted", 10, 500},
		{"rate: 10Mbit/s, duplicate: 2%", "wire.duplicated", 30, 400},
		{"rate: 10Mbit/s, changes: [{at: 5s, rate: 1Mbit/s}]", "wire.throughput", 5.2e6, 5.6e6},
		{"rate: 10Mbit/s, changes: [{at: 5s, direction: forward, down: true}]", "wire.down_drops", 5, 30},
		{"rate: 10Mbit/s, changes: [{at: 5s, down: true}, {at: 6s, down: false}]", "wire.utilization", 0.6, 0.91},
		{"rate: 10Mbit/s, mtu: 1400B", "wire.oversize", 1, 30},
		{"rate: 10Mbit/s, mtu: 1400B", "load.goodput", 9e6, 9.8e6},
		{"rate: 10Mbit/s, mtu: 1400B, black_hole: true", "load.goodput", 0, 9.8e6},
		{"rate: 10Mbit/s, faults: [{direction: forward, kind: data, ordinal: 1000, onward: true}]", "load.delivered", 900 * 1448, 999 * 1448},
		{"rate: 10Mbit/s, faults: [{direction: forward, kind: data, ordinal: 3, action: corrupt}]", "wire.corrupted", 1, 1},
		{"rate: 10Mbit/s, forward: {rate: 3Mbit/s}", "wire.throughput", 2.8e6, 3e6},
		{"rate: 10Mbit/s, jitter: {span: 2ms}, reorder: {share: 1%, delay: 15ms}", "load.goodput", 1e6, 9.7e6},
	} {
		t.Run(c.words+" "+c.metric, func(t *testing.T) {
			t.Parallel()
			out := runText(t, "wire.yaml", fmt.Sprintf(onWire, c.words))
			if got := metricOf(t, out, c.metric); !(got >= c.least && got <= c.most) {
				t.Errorf("%s is %v, want %v to %v", c.metric, got, c.least, c.most)
			}
		})
	}
}

// ECN marks where it would drop.
func TestLinkMarks(t *testing.T) {
	out := runText(t, "ecn.yaml", `version: 1
name: ecn
duration: 10s
hosts: {a: {sysctl: {tcp_ecn: 1}}, b: {sysctl: {tcp_ecn: 1}}}
links:
  - {ends: [a, b], name: wire, delay: 10ms, rate: 10Mbit/s, queue: {discipline: codel, ecn: true}}
workloads: [{name: load, kind: bulk, on: a, to: b:5001}]
`)
	if marked, dropped := metricOf(t, out, "wire.marked"), metricOf(t, out, "wire.dropped"); marked < 3 || dropped != 0 {
		t.Errorf("%v packets were marked and %v dropped", marked, dropped)
	}
}

// The mean delay in a queue and its mean length agree by Little's law. The
// packet in service is in the queue and not in the delay.
func TestQueueDelayByLittle(t *testing.T) {
	out := runText(t, "wire.yaml", fmt.Sprintf(onWire, "rate: 10Mbit/s, queue: {limit: 60 packets}"))
	waiting := metricOf(t, out, "wire.queue") - metricOf(t, out, "wire.utilization")
	byLittle := metricOf(t, out, "wire.sent") / 10 * metricOf(t, out, "wire.queue_delay")
	if math.Abs(waiting-byLittle) > 0.01*waiting+0.1 {
		t.Errorf("%v packets wait, %v by Little's law", waiting, byLittle)
	}
}

// A rate trace lies beside the scenario: one opportunity per 4 ms is 3 Mbit/s.
func TestLinkTrace(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"slow.trace": "4\n8\n12\n16\n", "s.yaml": fmt.Sprintf(onWire, "trace: slow.trace, backward: {trace: '', rate: 1Mbit/s}")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := run(t, load(t, filepath.Join(dir, "s.yaml"), nil), Options{})
	if got := metricOf(t, out, "wire.throughput"); got < 2.9e6 || got > 3.01e6 {
		t.Errorf("the throughput is %v", got)
	}
}
