package congestion_test

import (
	"context"
	"math"
	"testing"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// TestScalableWindow names the controller in a scenario. With random loss p the average window of Scalable TCP is 0.08/p segments: per ACK it
// gains 1/100 and loses p/8 of itself (Kelly 2003). The model leaves out what the
// randomness of the losses takes away: 15 % is allowed for that.
func TestScalableWindow(t *testing.T) {
	const text = `version: 1
name: own-controller
duration: 300s
hosts:
  sender:   {sysctl: {tcp_congestion_control: scalable}}
  receiver: {}
links:
  - {ends: [sender, receiver], delay: 20ms, rate: 1Gbit/s, forward: {loss: 0.05%}}
workloads:
  - {name: load, kind: bulk, on: sender, to: receiver:9000}
measure: {interval: 100ms, warmup: 20s}
`
	sc, err := spec.Load("own-controller.yaml", []byte(text), nil, scenarios.Registry())
	if err != nil {
		t.Fatal(err)
	}
	out, err := scenarios.Run(context.Background(), sc, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = 0.08 / 0.0005
	if m := out.Result.FindMetric("load.cwnd_mean"); m == nil || math.Abs(m.Value/want-1) > 0.15 {
		t.Errorf("the window is %+v in the mean, want %v", m, want)
	}
}
