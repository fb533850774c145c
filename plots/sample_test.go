package plots

import (
	"math"
	"math/rand/v2"

	"tcplab/scenarios/measure"
)

// floodResult resembles a SYN flood from 30 to 120 s against a backlog of 256:
// the SYN queue fills, connects fail, and the server retransmits SYN-ACKs until
// the last entries expire.
func floodResult() *measure.Result {
	rng := rand.New(rand.NewPCG(1, 2))
	queue := measure.Series{Name: "server.syn_queue", Unit: "entries", Label: "half-open connections"}
	success := measure.Series{Name: "legit.connect_success", Unit: "ratio", Step: true, Label: "legitimate connect success ratio"}
	retrans := measure.Series{Name: "server.synack_retransmits", Unit: "packets", Step: true, Label: "SYN-ACK retransmissions"}
	accept := measure.Series{Name: "server.accept_queue", Unit: "entries", Label: "connections to be accepted"}
	level := 0.0
	for i := range 181 {
		t := float64(i)
		flood := t >= 30 && t < 120
		switch {
		case flood:
			level = min(256, level+60*rng.Float64())
		case t >= 120:
			level = max(0, level-3.9*rng.Float64()*2)
		default:
			level = float64(rng.IntN(3))
		}
		queue.Time = append(queue.Time, t)
		queue.Value = append(queue.Value, math.Round(level))
		accept.Time = append(accept.Time, t)
		accept.Value = append(accept.Value, float64(rng.IntN(12)))
		if i == 180 {
			break
		}
		ratio := 1.0
		switch {
		case t >= 32 && level > 250:
			ratio = 0.12 * rng.Float64()
		case t >= 32 && level > 100:
			ratio = 0.5 + 0.5*rng.Float64()
		case rng.IntN(6) == 0:
			ratio = 0.95
		}
		if i%37 == 12 {
			ratio = math.NaN()
		}
		success.Time = append(success.Time, t)
		success.Value = append(success.Value, ratio)
		n := 0.0
		if level > 10 {
			n = math.Round(level * (0.2 + 0.12*rng.Float64()))
		}
		retrans.Time = append(retrans.Time, t)
		retrans.Value = append(retrans.Value, n)
	}
	latency := measure.Sample{Name: "legit.connect_latency", Unit: "s", Label: "connect latency"}
	for range 3000 {
		v := 0.0421 + 0.004*rng.ExpFloat64()
		switch u := rng.Float64(); {
		case u < 0.12:
			v += 1
		case u < 0.17:
			v += 3
		case u < 0.22:
			v = math.Inf(1)
		}
		latency.Values = append(latency.Values, v)
	}
	return &measure.Result{
		Series:  []measure.Series{queue, success, retrans, accept},
		Samples: []measure.Sample{latency},
		Bands:   []measure.Band{{Name: "flood", From: 30, Until: 120}},
	}
}

func floodFigure() Figure {
	return Figure{
		Name:   "syn-flood",
		Kind:   "timeseries",
		Title:  "A spoofed SYN flood exhausts the listen backlog",
		Series: []string{"server.syn_queue", "legit.connect_success", "server.synack_retransmits"},
		Events: []string{"flood"},
		Limits: []Limit{{Series: "server.syn_queue", Value: 256, Label: "backlog 256"}},
	}
}
