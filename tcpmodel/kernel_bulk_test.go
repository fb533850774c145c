package tcpmodel_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// bulkParts are how far figures may lie outside of the range of the repetitions:
// the link of the recordings was late by up to 11 ms.
var bulkParts = map[string]float64{
	"completion_s_connect_call_to_server_eof": 0.005,
	"data_segs_out": 0.001,
	"total_retrans": 0.15,
	"first_lost":    0.01,
}

// bulkDiffers are the bulk transfers that are known to differ from the kernel's,
// by case and figure, each with the reason.
var bulkDiffers = map[string]string{}

// bulkFigures measures a simulated bulk transfer as the recordings did: the time
// from connect to the end of the stream in s, goodput by acknowledged bytes in
// Mbit/s, segments with data, and of them retransmissions and those that the
// link lost, with the ordinal of the first of these.
func bulkFigures(c *kernelCase, seconds float64, sim *kernelRun) map[string]float64 {
	f := map[string]float64{}
	seen := map[uint32]bool{}
	acked := uint32(0)
	for i := range sim.packets {
		k := &sim.packets[i]
		if k.dir == '<' {
			acked = max(acked, k.ack)
			continue
		}
		if k.len == 0 {
			continue
		}
		f["data_segs_out"]++
		if seen[k.seq] {
			f["total_retrans"]++
		}
		seen[k.seq] = true
		if k.lost {
			if f["lost"]++; f["lost"] == 1 {
				f["first_lost"] = f["data_segs_out"]
			}
		}
	}
	if e := findEvent(sim, "server recv_eof ", 0); e != nil {
		f["completion_s_connect_call_to_server_eof"] = e.at / 1000
	}
	f["goodput_acked_mbit_s"] = float64(acked) * 8e-6 / seconds
	return f
}

// checkFigure compares one figure with those of the repetitions: it has to lie
// in their range widened by a part of it.
func checkFigure(t *testing.T, c *kernelCase, name string, got float64, want []float64, part float64) {
	t.Helper()
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, w := range want {
		lo, hi = min(lo, w), max(hi, w)
	}
	why := ""
	if margin := part * hi; got < lo-margin || got > hi+margin {
		why = fmt.Sprintf("%s %.5g, kernel %.5g (part of %.3g)", name, got, want, part)
	}
	switch known := bulkDiffers[c.String()+" "+name]; {
	case why != "" && known == "":
		t.Error(why)
	case why == "" && known != "":
		t.Errorf("%s agrees now (take %q off the list)", name, known)
	}
}

// TestKernelBulk sends 20 MB through a bottleneck with a drop-tail queue, where
// the kernel's repetitions lose nearly the same packets.
func TestKernelBulk(t *testing.T) {
	for _, c := range readKernelCases(t, "bulk20") {
		t.Run(c.name, func(t *testing.T) {
			f := bulkFigures(c, 60, replayKernelCase(t, c, 0, 0))
			for _, ordinals := range c.dropped {
				first, _, _ := strings.Cut(ordinals, ",")
				c.results["first_lost"] = append(c.results["first_lost"], (&kernelParser{t: t}).float(first))
			}
			for _, name := range slices.Sorted(maps.Keys(c.results)) {
				checkFigure(t, c, name, f[name], c.results[name], bulkParts[name])
			}
		})
	}
}

// TestKernelBernoulli loses the same data packets as the kernel's link did. What
// a sender does after a loss decides which segment the next one hits, so that
// single runs part, by some 8 %; a run and the mean of three have to agree within
// 3.3 times that error.
func TestKernelBernoulli(t *testing.T) {
	const one, mean = 0.26, 0.15
	const figure = "goodput_acked_mbit_s"
	for _, c := range readKernelCases(t, "bern") {
		t.Run(c.name, func(t *testing.T) {
			sim, kernel := 0.0, 0.0
			for i, ordinals := range c.dropped {
				c.params["drop"] = "c2s:DATA:" + ordinals
				f := bulkFigures(c, c.number(t, "dur_s"), replayKernelCase(t, c, 0, 0))
				checkFigure(t, c, figure, f[figure], c.results[figure][i:i+1], one)
				sim += f[figure]
				kernel += c.results[figure][i]
			}
			t.Logf("goodput %.4g of the kernel's", sim/kernel)
			checkFigure(t, c, figure+" of all", sim, []float64{kernel}, mean)
		})
	}
}
