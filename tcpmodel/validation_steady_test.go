package tcpmodel_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/network"
)

type row = tcpmodel.ValidationRow

const (
	formula      = "a formula, without an endpoint in it: plots.PFTK, TFRC and others"
	windowTable  = "a response function: those of Reno and CUBIC are held against the controllers in tcpmodel/congestion, and against whole connections in S-DET and S-CUB"
	hstcpMissing = "HighSpeed TCP is not modelled"
)

// TestValidationSteady measures long transfers. The rows of tcp_steady.csv name
// the assumptions of the formulas: RFC behaviour where it differs from Linux,
// so most run on the profile rfc9293.
func TestValidationSteady(t *testing.T) {
	tcpmodel.ValidationTable{
		File: "tcp_steady.csv",
		Measure: map[string]func(*testing.T, row){
			"S-RAND1-":    rowRenoGoodput,
			"S-RAND2-":    rowRenoGoodput,
			"S-DET1-":     rowRenoGoodput,
			"S-DET2-":     rowRenoGoodput,
			"S-PFTKsim-":  rowPFTK,
			"S-CUBsim-":   rowCubicWindow,
			"S-CUBrand-":  rowCubicWindow,
			"S-SAW-":      rowSawtooth,
			"S-RTT-rand-": rowFairnessRandom,
			"S-RTT-sync-": rowFairnessSync,
			"S-RTT-cubic": rowFairnessCubic,
			"S-JAIN-sim4": rowJain,
			"S-BUFsim-":   rowSmallBuffer,
		},
		LeftOut: map[string]string{
			"S-TFRC-": formula, "S-PFTK-": formula, "S-PFTKs-": formula, "S-JAIN-": formula, "S-BUF-": formula,
			"S-9438-": windowTable, "S-3649T2-": windowTable, "S-3649T1-": formula, "S-8312T3-": formula,
			"S-9438-1e-2-hstcp": hstcpMissing, "S-9438-1e-3-hstcp": hstcpMissing,
			"S-9438-1e-5-hstcp": hstcpMissing, "S-9438-1e-6-hstcp": hstcpMissing,
			"S-3649T6-": hstcpMissing, "S-3649T9-": hstcpMissing,
		},
		FullOnly: []string{"S-CUBrand-1e-5-", "S-CUBsim-1e-5-0.01", "S-RAND1-0.0001", "S-RAND2-0.0001"},
	}.Run(t)
}

// lengthOf is how many losses to wait for: full of them, or in a short run as
// many as some 200 000 segments bring, but at least 3.
func lengthOf(full uint64, p float64) uint64 {
	if tcpmodel.FullValidation() {
		return full
	}
	return min(full, max(uint64(2e5*p), 3))
}

// warmUp is how many losses go by before the measurement, after slow start.
func warmUp(p float64) uint64 { return lengthOf(20, p/2) }

// seedsOf is how many of the row's seeds run.
func seedsOf(full uint64) uint64 {
	if tcpmodel.FullValidation() {
		return full
	}
	return 1
}

var everyNth = regexp.MustCompile(`every (\d+)-th`)

// lossOf returns the loss model of a row and its probability.
func lossOf(t *testing.T, r row, sim *des.Sim) (drop func() bool, p float64) {
	t.Helper()
	if m := everyNth.FindStringSubmatch(r.Scenario["loss"]); m != nil {
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return every(n), 1 / float64(n)
	}
	p = r.Number(t, "p")
	return bernoulli(sim, "loss", p), p
}

// initialWindow is that of the bulk flows, in segments.
const initialWindow = 10

// renoConfig is Reno as the formulas have it: byte counting only if every
// segment is acknowledged, where it makes no difference.
func renoConfig(t *testing.T, r row, segments float64) tcpmodel.Config {
	cfg := profile(t, "rfc9293")
	cfg.InitialWindow = initialWindow
	cfg.RTOMin = seconds(r.Number(t, "rto_min"))
	cfg.SACK = strings.Contains(r.Scenario["cc"], "sack") && !strings.Contains(r.Scenario["cc"], "no sack")
	cfg.AckPolicy = tcpmodel.AckImmediate
	if strings.HasPrefix(r.Scenario["acks"], "delayed") {
		cfg.AckPolicy, cfg.ByteCounting = tcpmodel.AckRFC, false
	}
	windowFor(&cfg, 8*segments)
	return cfg
}

func rowRenoGoodput(t *testing.T, r row) {
	var s steady
	seeds := uint64(1)
	if strings.HasPrefix(r.Scenario["loss"], "bernoulli") {
		seeds = seedsOf(5)
	}
	for seed := range seeds {
		cfg := renoConfig(t, r, 4/math.Sqrt(r.Number(t, "p")))
		g := newRig(t, seed+1, cfg, nil, seconds(r.Number(t, "rtt")))
		f, p := g.flows[0], 0.0
		f.loss.drop, p = lossOf(t, r, g.sim)
		f.start(t, 0)
		g.sim.Run(60 * des.Second)
		losses := lengthOf(3000, p) / seeds
		if seeds == 1 && strings.HasPrefix(r.Scenario["loss"], "periodic") {
			losses = lengthOf(500, p)
		}
		f.measure(&s, losses)
	}
	mean, stderr := s.goodput.mean()
	r.Check(t, mean, stderr)
}

// The formula of Padhye et al. against NewReno, which without SACK times out
// often.
func rowPFTK(t *testing.T, r row) {
	var s steady
	for seed := range seedsOf(5) {
		g := newRig(t, seed+1, renoConfig(t, r, 200), nil, seconds(r.Number(t, "rtt")))
		f := g.flows[0]
		f.loss.drop, _ = lossOf(t, r, g.sim)
		f.start(t, 0)
		g.sim.Run(60 * des.Second)
		for range 10 {
			data := f.loss.data
			g.sim.Run(g.sim.Now() + 60*des.Second)
			s.sent.add(float64(f.loss.data-data), 60)
		}
	}
	mean, stderr := s.sent.mean()
	r.Check(t, mean, stderr)
}

// cubicConfig is CUBIC as RFC 9438 has it. Linux lets the Reno that it compares
// itself with gain less (cubic_reno_alpha), and looks at its curve too seldom
// for windows of a dozen segments and round trips of 10 ms (cubic_every_ack).
func cubicConfig(t *testing.T, segments float64) tcpmodel.Config {
	cfg := profile(t, "rfc9293")
	cfg.InitialWindow = initialWindow
	cfg.Congestion, cfg.HyStart = "cubic", congestion.HyStartOff
	cfg.Cubic = tcpmodel.CubicConfig{TCPFriendliness: true, RenoAlpha: true, EveryAck: true}
	cfg.RTOMin = 200 * des.Millisecond
	cfg.AckPolicy = tcpmodel.AckImmediate
	windowFor(&cfg, 8*segments)
	return cfg
}

// cubicTable returns the window of RFC 8312's table for the p and the
// round-trip time in the row's id.
func cubicTable(t *testing.T, r row) float64 {
	t.Helper()
	_, point, _ := strings.Cut(strings.TrimPrefix(r.ID, "S-"), "-")
	i := strings.LastIndex(point, "-")
	id := fmt.Sprintf("S-9438-%s-cubic-C0.4-rtt%s", point[:i], point[i+1:])
	for _, r := range tcpmodel.ValidationRows(t, "tcp_steady.csv") {
		if r.ID == id {
			w, err := strconv.ParseFloat(r.Expected, 64)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
	}
	t.Fatalf("%s: no row %s", r.ID, id)
	return 0
}

func rowCubicWindow(t *testing.T, r row) {
	table := cubicTable(t, r)
	g := newRig(t, 1, cubicConfig(t, table), nil, seconds(r.Number(t, "rtt")))
	f, p := g.flows[0], 0.0
	f.loss.drop, p = lossOf(t, r, g.sim)
	full, unit := uint64(200), 1.0
	if strings.HasPrefix(r.ID, "S-CUBrand-") {
		// The row asks for 2000 losses at least.
		full, unit = max(2000, uint64(2e6*p)), table
	}
	f.start(t, 0)
	f.leaveSlowStart(table)
	var s steady
	f.measure(new(steady), warmUp(p))
	f.measure(&s, lengthOf(full, p))
	mean, stderr := s.cwnd.mean()
	r.Check(t, mean/unit, stderr/unit)
}

// leaveSlowStart ends slow start with a loss of its own when the window is as
// large as it is before a loss if its average is table. Under periodic loss
// CUBIC hardly forgets where it began: near the plateau of its curve a window
// at loss x above the fixed point shrinks by a multiple of the cube of x per
// loss, and after hundreds of losses is still a fifth too large.
func (f *bulkFlow) leaveSlowStart(table float64) {
	// The average is 1 - (1-beta)/4 of the window at a loss (RFC 9438 section
	// 5.1), and each segment acknowledged before the lost one has added one.
	atLoss := uint64(table / 0.925)
	nth, drop, k := max(atLoss, initialWindow)-initialWindow+1, f.loss.drop, uint64(0)
	f.loss.drop = func() bool {
		k++
		return k == nth
	}
	for k < nth {
		f.rig.sim.Run(f.rig.sim.Now() + f.rtt)
	}
	f.rig.sim.Run(f.rig.sim.Now() + 4*f.rtt)
	f.loss.drop = drop
}

// sawtooth is what one Reno flow makes of a bottleneck, measured once for the
// rows that ask for parts of it.
type sawtooth struct {
	once                      sync.Once
	utilization, period, wmax float64
	lossRate                  float64
}

var sawtooths sync.Map

func rowSawtooth(t *testing.T, r row) {
	i := strings.LastIndex(r.ID, "-")
	v, _ := sawtooths.LoadOrStore(r.ID[:i], new(sawtooth))
	s := v.(*sawtooth)
	s.once.Do(func() { s.measure(t, r) })
	r.Check(t, map[string]float64{"util": s.utilization, "period": s.period, "wmax": s.wmax, "p": s.lossRate}[r.ID[i+1:]], 0)
}

// measure runs 24 teeth after a minute, or 6: all are alike. The service time of a packet is part of
// the round-trip time that the row gives, and the packet in service belongs to
// the pipe, so that the queue holds one more than the buffer.
func (s *sawtooth) measure(t *testing.T, r row) {
	teeth := 24
	if !tcpmodel.FullValidation() {
		teeth = 6
	}
	rate := r.Number(t, "rate_pps")
	cfg := profile(t, "rfc9293")
	cfg.RTOMin = 200 * des.Millisecond
	cfg.AckPolicy = tcpmodel.AckImmediate
	windowFor(&cfg, 4*(r.Number(t, "bdp_pkts")+r.Number(t, "buffer_pkts")))
	bottle := network.LinkConfig{Rate: int64(rate * 1500 * 8), Queue: network.QueueLimit{Packets: int(r.Number(t, "buffer_pkts")) + 1}}
	g := newRig(t, 1, cfg, &bottle, seconds(r.Number(t, "base_rtt")-1/rate))
	f := g.flows[0]
	f.start(t, 0)
	f.watching.ep = f.ep
	g.sim.Run(60 * des.Second)
	skip := len(f.watching.events)
	for len(f.watching.events) < skip+1 {
		g.sim.Run(g.sim.Now() + 10*des.Millisecond)
	}
	from := g.bottle.Stats()
	for len(f.watching.events) < skip+1+teeth {
		g.sim.Run(g.sim.Now() + 10*des.Millisecond)
	}
	s.utilization = g.bottle.Stats().Since(from).Utilization()
	first, last := f.watching.events[skip], f.watching.events[skip+teeth]
	s.period = (last.at - first.at).Seconds() / float64(teeth)
	s.lossRate = float64(teeth) / float64(last.sent-first.sent)
	for _, e := range f.watching.events[skip+1 : skip+1+teeth] {
		s.wmax += float64(e.cwnd) / float64(teeth)
	}
}
