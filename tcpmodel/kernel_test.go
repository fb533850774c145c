package tcpmodel_test

import (
	"maps"
	"slices"
	"testing"
)

// kernelDiffers are the cases in which the simulation is known to differ from
// the kernel, by case and aspect, each with the reason. What is listed and does
// not differ any more fails, so that the list only shrinks.
var kernelDiffers = map[string]string{
	"loss/fin1_both_d50 sequence":             "see the ladder",
	"loss/synack1_d50 sequence":               "see the ladder",
	"loss/synack1_d50 window":                 "growth of the receive window",
	"vanish/zerowindow_stall60s push":         "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"vanish/zerowindow_stall60s sequence":     "see the ladder",
	"vanish/zerowindow_stall60s window":       "growth of the receive window",
	"burst/b10_data10_d50 push":               "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data1_3_5_d10 push":            "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data1_d10 push":                "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data1to10_d50 push":            "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data1to9_d10 push":             "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data2_d50 push":                "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data5_and_its_rexmit_d50 push": "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data5_d10 push":                "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data7_d10 push":                "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data8_d50 push":                "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data9_10_d50 push":             "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_data9_d10 push":                "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_none_d10 push":                 "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b10_none_reno_d50 push":            "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b3_data1_d10 push":                 "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b40_acks_lost_d50 push":            "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b40_data11to14_d10 push":           "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b40_data15_d50 push":               "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b40_data15_d50 sequence":           "see the ladder",
	"burst/b40_data15_d50 window":             "growth of the receive window",
	"burst/b40_data15_reno_d10 push":          "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b40_data40_d50 push":               "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
	"burst/b40_none_d10 push":                 "segmentation offload (PSH at the end of a packet of several segments) is not modelled",
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

func checkKernelCase(t *testing.T, c *kernelCase) {
	sim := replayKernelCase(t, c)
	var diffs map[string]string
	var best *kernelRun
	for _, rec := range c.runs {
		if d := compareRuns(sim, rec); best == nil || len(d) < len(diffs) || len(d) == len(diffs) && d[aspectSequence] == "" && diffs[aspectSequence] != "" {
			diffs, best = d, rec
		}
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
