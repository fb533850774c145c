package network

import (
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

var full = flag.Bool("validation.full", false, "run the validation rows at their full length")

// shorter is by how much a default run is shorter than the row asks for. The
// tolerance, which is a multiple of the standard error, is wider by its root.
const shorter = 25

// scaled returns the number of packets to run of n, and the factor for the
// tolerance.
func scaled(n int) (int, float64) {
	if *full {
		return n, 1
	}
	return n / shorter, math.Sqrt(shorter)
}

// row is one line of the validation set.
type row struct {
	id, scenario, metric, tolKind, text string // text is the expected value as written
	params                              map[string]string
	expected, tol                       float64
}

func readRows(t *testing.T, name string) []row {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	var rows []row
	for _, line := range lines[1:] {
		r := row{
			id: line[column["id"]], scenario: line[column["scenario"]], metric: line[column["metric"]],
			tolKind: line[column["tol_kind"]], params: map[string]string{}, text: line[column["expected"]],
		}
		// Some rows have lists or words here: those that run read r.text.
		r.expected, _ = strconv.ParseFloat(r.text, 64)
		r.tol, _ = strconv.ParseFloat(strings.TrimSuffix(line[column["tol"]], " ns"), 64)
		for part := range strings.SplitSeq(r.scenario, ";") {
			key, value, _ := strings.Cut(part, "=")
			r.params[key] = value
		}
		rows = append(rows, r)
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// check compares a value with a row whose tolerance is wide times as wide.
func (r row) check(t *testing.T, got, wide float64) {
	t.Helper()
	off := math.Abs(got - r.expected)
	if r.tolKind == "rel" {
		off /= math.Abs(r.expected)
	}
	if math.IsNaN(off) || off > r.tol*wide {
		t.Errorf("%s = %.7g, want %.7g within %s %.3g", r.metric, got, r.expected, r.tolKind, r.tol*wide)
	} else if testing.Verbose() {
		t.Logf("%s = %.7g, want %.7g: %s error %.3g of %.3g", r.metric, got, r.expected, r.tolKind, off, r.tol*wide)
	}
}

// notHere says why rows are not run by this test.
var notHere = map[string]string{
	"Q-TB-CONS": "an identity: checked in every token bucket row here (Link.Check), and by TestBucketAgainstReference",
	"Q-LITTLE":  "an identity: checked in every queue row here (Link.Check), and by TestBooksOfEveryKindOfLink",
	"Q-CONS":    "an identity: checked in every row here (Link.Check), and by TestBooksOfEveryKindOfLink",
	"Q-DETERM":  "checked by TestRunsAreIdentical and TestBooksOfEveryKindOfLink",
}

// TestValidation runs every row of the validation set that links can express.
func TestValidation(t *testing.T) {
	rows := readRows(t, "queue_link.csv")
	byID := map[string]row{}
	queues := map[string]queueResult{}
	for _, r := range rows {
		byID[r.id] = r
	}
	for _, r := range rows {
		if why, ok := notHere[r.id]; ok {
			t.Logf("%s: %s", r.id, why)
			continue
		}
		t.Run(r.id, func(t *testing.T) {
			switch family, _, _ := strings.Cut(strings.TrimPrefix(r.id, "Q-"), "-"); {
			case family == "CBR", strings.HasPrefix(family, "MM1"), strings.HasPrefix(family, "MD1"), family == "MG1":
				result, done := queues[r.scenario]
				if !done {
					result = runQueue(t, r)
					queues[r.scenario] = result
				}
				result.check(t, r)
			case strings.HasPrefix(r.id, "L-OWD"), strings.HasPrefix(r.id, "L-burst"):
				checkChain(t, r, byID)
			case strings.HasPrefix(r.id, "L-BERN"):
				checkLoss(t, r, LinkConfig{Loss: number(t, r.params["p"])})
			case strings.HasPrefix(r.id, "L-GE"):
				checkLoss(t, r, LinkConfig{Gilbert: gilbert(t, r)})
			case family == "TB":
				checkBucket(t, r)
			default:
				t.Errorf("no rule runs this row, and it is not listed with a reason: %s", r.scenario)
			}
		})
	}
}

// checkChain runs the rows about one-way delay and bursts over links in a row.
func checkChain(t *testing.T, r row, byID map[string]row) {
	params := r.params
	if same, ok := params["same"]; ok {
		params = byID[same].params
	}
	sim := des.New(1, 0)
	sink := &collector{}
	var next Sink = sink
	hops := strings.Split(params["hops"], "|")
	for i := len(hops) - 1; i >= 0; i-- {
		rate, delay, _ := strings.Cut(hops[i], "/")
		l, err := NewLink(sim, fmt.Sprint("hop ", i), LinkConfig{
			Rate:  int64(number(t, strings.TrimSuffix(rate, "bps"))),
			Delay: des.Time(number(t, strings.TrimSuffix(delay, "ns"))),
		}, next)
		if err != nil {
			t.Fatal(err)
		}
		defer checkConservation(t, l)
		next = l
	}
	packets := 1
	if n, ok := params["n"]; ok {
		packets = int(number(t, n))
	}
	for i := range packets {
		next.Receive(0, raw(uint32(number(t, params["pkt_B"])), i))
	}
	sim.RunIdle()
	if len(sink.got) != packets {
		t.Fatalf("%d packets of %d arrived", len(sink.got), packets)
	}
	last := sink.got[packets-1].at
	if r.metric != "receive spacing" {
		r.check(t, float64(last), 1)
		return
	}
	for i := 1; i < packets; i++ {
		r.check(t, float64(sink.got[i].at-sink.got[i-1].at), 1)
	}
}

// gilbert returns the model of a row.
func gilbert(t *testing.T, r row) GilbertElliott {
	g := GilbertElliott{GoodToBad: number(t, r.params["p_gb"]), BadToGood: number(t, r.params["p_bg"]), LossBad: 1}
	if _, four := r.params["deliver_bad"]; four {
		g.LossGood, g.LossBad = 1-number(t, r.params["deliver_good"]), 1-number(t, r.params["deliver_bad"])
	}
	return g
}

// checkBucket runs the rows about token buckets: packets of 125 bytes, so that a
// token is 1000 bits.
func checkBucket(t *testing.T, r row) {
	arrivals, wide := scaled(1_000_000)
	sim := des.New(1, 0)
	link := newLink(t, sim, LinkConfig{
		Policer: TokenBucket{Rate: 1_000_000, Burst: 125 * int64(number(t, r.params["depth"])), Tick: des.Millisecond},
	}, &counter{})
	rng := sim.Stream("arrivals")
	s := &source{
		sim: sim, link: link, packets: arrivals, seg: *raw(0, 0), size: func() float64 { return 0.125 },
		gap: func() float64 { return 1e9 / number(t, r.params["lam"]) * rng.ExpFloat64() },
	}
	s.timer = sim.NewTimer(sim.NewComponent("source"), s, 0)
	s.next(0)
	sim.RunIdle()
	checkConservation(t, link)
	r.check(t, link.Stats().DropFraction(), wide)
}

// checkLoss runs the rows about loss on the wire.
func checkLoss(t *testing.T, r row, config LinkConfig) {
	packets, wide := scaled(int(number(t, r.params["pkts"])))
	sim := des.New(1, 0)
	link := newLink(t, sim, config, &counter{})
	runs, losing := 0, false
	link.AddTap(tapFunc(func(_ des.Time, e TapEvent, _ *segment.Segment) {
		if e == Lost && !losing {
			runs++
		}
		if e != Sent {
			losing = e == Lost
		}
	}))
	for range packets {
		link.Receive(sim.Now(), raw(100, 0))
		sim.RunIdle()
	}
	checkConservation(t, link)
	lost := float64(link.Stats().Lost.Packets)
	switch r.metric {
	case "loss fraction":
		r.check(t, lost/float64(packets), wide)
	case "mean length of a loss run", "mean loss burst length":
		r.check(t, lost/float64(runs), wide)
	default:
		t.Fatalf("unknown metric %q", r.metric)
	}
}
