package network

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// elsewhere says why rows of aqm_recovery.csv are not run by this test.
var elsewhere = map[string]string{
	"A-CODEL-good":     "a formula about the goodput of Reno; the queue has no part in it",
	"A-HSPP":           "congestion control (HyStart++)",
	"A-RACK":           "loss recovery of an endpoint",
	"A-LT":             "loss recovery of an endpoint",
	"A-5681":           "congestion control",
	"A-NS3CUBIC":       "needs TCP: TestValidationReference of tcpmodel",
	"A-NS3VAL-dctcp10": "needs TCP: TestValidationReference of tcpmodel", "A-NS3VAL-dctcp80": "needs TCP: TestValidationReference of tcpmodel", "A-NS3VAL-cubic50": "needs TCP: TestValidationReference of tcpmodel",
}

// TestAQMValidation runs every row of the validation set about queue
// disciplines.
func TestAQMValidation(t *testing.T) {
	for _, r := range readRows(t, "aqm_recovery.csv") {
		if why := reasonFor(r.id); why != "" {
			t.Logf("%s: %s", r.id, why)
			continue
		}
		t.Run(r.id, func(t *testing.T) {
			switch {
			case strings.HasPrefix(r.id, "A-CODEL-law"), strings.HasPrefix(r.id, "A-CODEL-first"), strings.HasPrefix(r.id, "A-CODEL-count"):
				checkCoDel(t, r)
			case strings.HasPrefix(r.id, "A-RED-ewma"):
				checkAverage(t, r)
			case strings.HasPrefix(r.id, "A-RED-gap"):
				checkGaps(t, r)
			default:
				t.Errorf("no rule runs this row, and it is not listed with a reason: %s", r.scenario)
			}
		})
	}
}

func reasonFor(id string) string {
	for prefix, why := range elsewhere {
		if id == prefix || strings.HasPrefix(id, prefix+"-") {
			return why
		}
	}
	return ""
}

// overload sends a constant 1.5 times the rate of a CoDel link, from an empty
// queue at time 0 on, and returns when packets are dropped from the queue and
// when one first leaves it that has waited for the target.
func overload(t *testing.T, config CoDel, until des.Time) (drops []des.Time, above des.Time) {
	sim := des.New(1, 0)
	// 125 bytes take 0.1 ms.
	link := newLink(t, sim, LinkConfig{Rate: 10_000_000, Discipline: config}, &counter{})
	link.AddTap(tapFunc(func(now des.Time, e TapEvent, _ *segment.Segment) {
		if e == Discarded {
			drops = append(drops, now)
		}
	}))
	above = des.Never
	for i := des.Time(0); ; i++ {
		now := i * 100 * des.Microsecond * 2 / 3
		if now > until {
			break
		}
		sim.Run(now)
		link.Receive(now, raw(125, 0))
		q := link.gate.paced
		if q.current != none && link.started-q.slots[q.current].arrived >= config.Target {
			above = min(above, link.started)
		}
	}
	checkConservation(t, link)
	return drops, above
}

func checkCoDel(t *testing.T, r row) {
	config := DefaultCoDel()
	config.MTU = 125
	switch {
	case strings.HasPrefix(r.id, "A-CODEL-law"):
		config.Target = des.Time(number(t, r.params["target_ms"])) * des.Millisecond
		config.Interval = des.Time(number(t, r.params["interval_ms"])) * des.Millisecond
		drops, _ := overload(t, config, 2*des.Second)
		for i, want := range strings.Fields(r.text) {
			// Each drop waits for the end of a serialisation.
			if got := (drops[i] - drops[0]).Seconds() * 1000; math.Abs(got-number(t, want)) > 0.1 {
				t.Errorf("drop %d after %v ms, want %s", i+1, got, want)
			}
		}
	case strings.HasPrefix(r.id, "A-CODEL-first"):
		drops, above := overload(t, config, des.Second)
		r.check(t, (drops[0]-above).Seconds()*1000, 1)
	default:
		config.Interval = des.Time(number(t, r.params["interval"]) * 1e9)
		drops, _ := overload(t, config, 12*des.Second)
		n := 0
		for n < len(drops) && drops[n]-drops[0] < 10*des.Second {
			n++
		}
		r.check(t, float64(n), 1)
	}
}

// checkAverage offers a burst to a link that sends nothing meanwhile. The first
// packet finds the queue empty, the second one packet in service, and only then
// do packets wait, so that the last one of burst+2 finds as many as the row
// says.
func checkAverage(t *testing.T, r row) {
	config := DefaultRED()
	config.Weight, config.MinTh, config.MaxTh = number(t, r.params["w_q"]), 1000, 3000
	link := newLink(t, des.New(1, 0), LinkConfig{Rate: 1, Discipline: config}, &counter{})
	for range int(number(t, r.params["burst"])) + 2 {
		link.Receive(0, raw(1000, 0))
	}
	checkConservation(t, link)
	r.check(t, link.gate.paced.discipline.(*red).avg, 1)
}

// checkGaps counts from one mark to the next while the average stays where the
// probability is that of the row, and compares all gaps with the uniform
// distribution.
func checkGaps(t *testing.T, r row) {
	config := DefaultRED()
	p := number(t, r.params["p_b"])
	config.ECN, config.Weight, config.MaxP = true, 1e-300, 2*p
	link := newLink(t, des.New(1, 0), LinkConfig{Rate: 1, Discipline: config}, &counter{})
	link.Receive(0, raw(1000, 0)) // into service: the queue is not idle
	d := link.gate.paced.discipline.(*red)
	d.avg = (config.MinTh + config.MaxTh) / 2
	const marks = 100_000
	seg := segment.Segment{ECN: segment.ECT0}
	counts, gap, sum := make([]int, int(math.Round(1/p))+1), 0, 0
	for n := 0; n < marks; {
		gap++
		switch d.admit(0, &seg, 1000) {
		case admitMark:
			counts[gap]++
			sum += gap
			gap = 0
			n++
		case admit:
		default:
			t.Fatal("dropped")
		}
	}
	r.check(t, float64(sum)/marks, 1)
	expected, chi2 := marks/float64(len(counts)-1), 0.0
	for _, n := range counts[1:] {
		chi2 += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	freedom := float64(len(counts) - 2)
	if limit := freedom + 3.3*math.Sqrt(2*freedom); counts[0] != 0 || chi2 > limit {
		t.Errorf("gaps are not uniform on 1 to %s: chi-square %.1f, at most %.1f: %v", strconv.Itoa(len(counts)-1), chi2, limit, counts)
	}
}
