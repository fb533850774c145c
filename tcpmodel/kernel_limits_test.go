package tcpmodel_test

import (
	"math"
	"slices"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// synFlood sends SYNs to a listener, each from a host of its own that does not
// answer, and looks at the half-open connections.
type synFlood struct {
	sim      *des.Sim
	stack    *tcpmodel.Stack
	listener *tcpmodel.Listener
	timer    des.Timer
	every    des.Time
	from     segment.Node
	answered map[segment.Node]bool
	halfOpen []float64
}

func (f *synFlood) HandleTimer(now des.Time, _ uint64) {
	f.from++
	f.stack.Receive(now, &segment.Segment{Src: f.from, Dst: 1, SrcPort: 4000, DstPort: kernelPort, Seq: segment.Seq(f.from) * 7919,
		Wnd: 64240, Flags: segment.SYN, Opts: segment.OptMSS, MSS: 1460})
	f.halfOpen = append(f.halfOpen, float64(f.listener.SynQueue()))
	f.sim.Arm(f.timer, now+f.every)
}

// Receive sees what the listener sends.
func (f *synFlood) Receive(_ des.Time, seg *segment.Segment) { f.answered[seg.Dst] = true }

// TestKernelLimits compares how backlog, somaxconn, tcp_max_syn_backlog and
// cookies bound the half-open connections under a flood. The timer wheel is the
// kernel's: it lets requests of a quarter of a second expire together, so that
// half of the queue is pruned before a new one joins it.
func TestKernelLimits(t *testing.T) {
	for _, c := range readKernelCases(t, "limits") {
		t.Run(c.name, func(t *testing.T) {
			f := &synFlood{sim: des.New(1, 0), answered: map[segment.Node]bool{}, from: 100}
			f.every = fromMS(1000 / c.number(t, "A"))
			f.stack = kernelStack(t, f.sim, c, "server", 1, f, func(cfg *tcpmodel.Config) { cfg.TimerWheelHZ = 250 })
			var err error
			if f.listener, err = f.stack.Listen(kernelPort, int(c.number(t, "B")), nil); err != nil {
				t.Fatal(err)
			}
			f.timer = f.sim.NewTimer(f.sim.NewComponent("flood"), f, 0)
			f.sim.Arm(f.timer, 0)
			f.sim.Run(fromMS(1000 * c.number(t, "warm_s")))
			first := f.from
			f.halfOpen = f.halfOpen[:0]
			f.sim.Run(fromMS(1000 * (c.number(t, "warm_s") + c.number(t, "meas_s"))))
			slices.Sort(f.halfOpen)
			checkFigure(t, c, "half_open_p50", f.halfOpen[len(f.halfOpen)/2], c.results["half_open_p50"], 0)
			answered, fractions := 0, []float64(nil)
			for n := first + 1; n <= f.from; n++ {
				if f.answered[n] {
					answered++
				}
			}
			for i, n := range c.results["attack_syns_answered"] {
				fractions = append(fractions, n/c.results["attack_syns"][i])
			}
			// The kernel's fractions have a binomial error.
			p := slices.Max(fractions)
			margin := 3.3 * math.Sqrt(max(p, 0.001)/float64(f.from-first))
			checkFigure(t, c, "fraction of SYNs answered", float64(answered)/float64(f.from-first), fractions, margin/max(p, 1e-9))
		})
	}
}
