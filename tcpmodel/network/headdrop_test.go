package network_test

import (
	"context"
	"testing"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// TestHeadDrop names the discipline in a scenario: the queue stays within its
// limit, what goes has been in it, and the link is busy.
func TestHeadDrop(t *testing.T) {
	const text = `version: 1
name: own-discipline
duration: 60s
hosts: {sender: {}, receiver: {}}
links:
  - {ends: [sender, receiver], name: wire, delay: 20ms, rate: 10Mbit/s, queue: {discipline: headdrop, limit: 50 packets}}
workloads:
  - {name: load, kind: bulk, on: sender, to: receiver:9000}
expect:
  - wire.queue_max <= 51
  - wire.queue_discards > 5 and wire.early_drops == 0
  - wire.utilization.after(5s) > 0.99
`
	sc, err := spec.Load("own-discipline.yaml", []byte(text), nil, scenarios.Registry())
	if err != nil {
		t.Fatal(err)
	}
	out, err := scenarios.Run(context.Background(), sc, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range out.Expectations {
		if !e.Passed {
			t.Error(e.Message)
		}
	}
}
