package scenarios

import (
	"cmp"
	"slices"

	"tcplab/des"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/workload"
	"tcplab/tcpmodel/network"
)

// downTime is from when until when the links of a host are down.
type downTime struct{ from, until des.Time }

// end is when a failure is over.
func end(f *spec.Failure) des.Time {
	if f.Back == nil {
		return des.Never
	}
	return des.Time(*f.Back)
}

// hit returns the hosts that a failure befalls.
func hit(sc *spec.Scenario, f *spec.Failure) []string {
	hosts := sc.MembersOf(string(f.On))
	if f.Count != nil {
		hosts = hosts[:*f.Count]
	}
	return hosts
}

// downTimes returns, for each host that fails, when its links are down.
func downTimes(sc *spec.Scenario) map[string][]downTime {
	times := map[string][]downTime{}
	for i := range sc.Failures {
		f := &sc.Failures[i]
		if !f.Disconnects() {
			continue
		}
		for _, host := range hit(sc, f) {
			times[host] = append(times[host], downTime{des.Time(f.At), end(f)})
		}
	}
	return times
}

// withFailures puts times in which a link is down beside its own changes: it is
// up when neither they nor any failure keep it down.
func withFailures(own []network.Change, down []downTime) []network.Change {
	if len(down) == 0 {
		return own
	}
	type step struct {
		network.Change
		failures int // more or fewer
	}
	var steps []step
	for _, c := range own {
		steps = append(steps, step{Change: c})
	}
	for _, d := range down {
		steps = append(steps, step{network.Change{At: d.from}, 1})
		if d.until != des.Never {
			steps = append(steps, step{network.Change{At: d.until}, -1})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.At, b.At) })
	var out []network.Change
	itself, failures, isDown := false, 0, false
	for _, s := range steps {
		switch {
		case s.failures != 0:
			failures += s.failures
		case s.Kind == network.LinkDown || s.Kind == network.LinkUp:
			itself = s.Kind == network.LinkDown
		default:
			out = append(out, s.Change)
			continue
		}
		if now := itself || failures > 0; now != isDown {
			isDown = now
			kind := network.LinkUp
			if now {
				kind = network.LinkDown
			}
			out = append(out, network.Change{At: s.At, Kind: kind})
		}
	}
	return out
}

// failures has the failures of the scenario happen to the workloads.
func (b *builder) failures() error {
	var list []workload.Failure
	for i := range b.sc.Failures {
		f := &b.sc.Failures[i]
		b.recorder.Band(f.Label(), des.Time(f.At), min(end(f), b.recorder.Until()))
		if f.Kind == spec.Unplug {
			continue
		}
		for _, host := range hit(b.sc, f) {
			list = append(list, workload.Failure{On: quantity.Host(host), Crash: f.Kind == spec.Crash,
				Process: f.Workload, At: des.Time(f.At), Back: end(f)})
		}
	}
	if err := workload.Fail(&b.work, list); err != nil {
		return b.sc.Problem(b.sc.Pos, "failures: %v", err)
	}
	return nil
}
