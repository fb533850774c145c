package tcpmodel_test

import (
	"maps"
	"slices"
	"testing"

	"tcplab/des"
)

// kernelDiffers are the cases in which the simulation is known to differ from
// the kernel, by case and aspect, each with the reason. What is listed and does
// not differ any more fails, so that the list only shrinks.
var kernelDiffers = map[string]string{
	"vanish/zerowindow_stall60s sequence": "a delayed ACK and a loss probe race; with the wheel all segments and windows agree, but the length of some bursts (PSH) does not",
	"burst/b40_data11to14_d10 sequence":   "the kernel takes two ACKs of a train before it sends (its PSH shows it)",
	"burst/b40_data15_d50 sequence":       "the kernel takes more ACKs of a train before it sends; one of the repetitions of b40_data15_reno_d10 as well",
}

// TestKernel replays the recordings of two Linux 6.18 hosts and compares what
// they put on the wire, and when. Where repetitions differ any of them will do.
func TestKernel(t *testing.T) {
	for _, group := range []string{"ladder", "loss", "vanish", "twlen", "burst"} {
		for _, c := range readKernelCases(t, group) {
			t.Run(c.String(), func(t *testing.T) { checkKernelCase(t, c) })
		}
	}
}

// nearest compares the simulation with the repetitions and returns the one that
// it differs from the least.
func nearest(c *kernelCase, sim *kernelRun) (diffs map[string]string, best *kernelRun) {
	for _, rec := range c.runs {
		d := compareRuns(sim, rec)
		if best == nil || diffs[aspectSequence] != "" && d[aspectSequence] == "" || d[aspectSequence] == "" && len(d) < len(diffs) {
			diffs, best = d, rec
		}
	}
	return diffs, best
}

// wheelDecides reports whether the simulation agrees in all but time when its
// timers are rounded as the kernel's are, from some phase of the tick: the order
// of two timers, or of a timer and an arrival, then depends on the rounding.
func wheelDecides(t *testing.T, c *kernelCase) bool {
	const hz, step = 250, 5 * des.Millisecond
	for phase := range des.Time(32) {
		d, _ := nearest(c, replayKernelCase(t, c, hz, phase*step))
		delete(d, aspectTime)
		delete(d, aspectEcho)
		if len(d) == 0 {
			return true
		}
	}
	return false
}

func checkKernelCase(t *testing.T, c *kernelCase) {
	sim := replayKernelCase(t, c, 0, 0)
	diffs, best := nearest(c, sim)
	if diffs[aspectSequence] != "" && wheelDecides(t, c) {
		return
	}
	shown := false
	for _, aspect := range slices.Sorted(maps.Keys(diffs)) {
		if kernelDiffers[c.String()+" "+aspect] == "" {
			t.Errorf("%s: %s", aspect, diffs[aspect])
			shown = true
		}
	}
	if shown {
		t.Logf("the ladders:\n%s", sideBySide(sim, best))
	}
	for _, aspect := range []string{aspectSequence, aspectPush, aspectWindow, aspectEvents, aspectTime, aspectEcho} {
		if reason := kernelDiffers[c.String()+" "+aspect]; reason != "" && diffs[aspect] == "" {
			t.Errorf("%s agrees now (take %q off the list)", aspect, reason)
		}
	}
}
