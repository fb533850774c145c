package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel/segment"
)

// SynFlood is the configuration of an attacker that sends SYNs from addresses
// that are not its own.
type SynFlood struct {
	To    quantity.Address   `key:"to" doc:"Host and port to flood." required:"true"`
	Rate  quantity.Frequency `key:"rate" doc:"SYNs per second." required:"true" example:"1000/s"`
	Law   string             `key:"law" doc:"How the SYNs are spread in time." default:"poisson" enum:"poisson,fixed"`
	Burst int                `key:"burst" doc:"SYNs that are sent at once; bursts come at the rate divided by this." default:"1" min:"1"`
	From  quantity.Duration  `key:"from" doc:"When the flood starts." default:"0s" instant:"true"`
	Until quantity.Duration  `key:"until" doc:"When it stops; left out, the end of the run." instant:"true"`
	Spoof quantity.Prefix    `key:"spoof" doc:"Addresses from which sources are drawn, all equally likely." default:"198.18.0.0/15"`
	MSS   int                `key:"mss" doc:"MSS option of the SYNs, their only option." default:"1460" min:"64" max:"65535"`
}

// Build makes the workload.
func (c *SynFlood) Build(name string, on quantity.Host) (Workload, error) {
	if c.Burst < 1 {
		return nil, fmt.Errorf("burst: %d is less than 1", c.Burst)
	}
	if c.MSS < 0 || c.MSS > 65535 {
		return nil, fmt.Errorf("mss: %d is not from 0 to 65535", c.MSS)
	}
	if !netip.Prefix(c.Spoof).IsValid() {
		return nil, errors.New("spoof: needs a range of addresses, such as 198.18.0.0/15")
	}
	if c.Until != 0 && c.Until <= c.From {
		return nil, fmt.Errorf("until: %v is not after from (%v)", c.Until, c.From)
	}
	if _, err := newGaps(c.Law, c.Rate/quantity.Frequency(c.Burst), 0, nil); err != nil {
		return nil, err
	}
	return &synFlood{base: base{name: name, on: on}, config: *c}, nil
}

// SpoofedRanges returns the addresses that the flood sends from.
func (c *SynFlood) SpoofedRanges() []netip.Prefix { return []netip.Prefix{netip.Prefix(c.Spoof)} }

type synFlood struct {
	base
	config  SynFlood
	timer   des.Timer
	gaps    gaps
	last    des.Time
	sources *rand.Rand
	spoofed spoofRange
	syn     segment.Segment
	sent    *measure.Counter
}

func (f *synFlood) prepare(*World) error { return nil }

func (f *synFlood) start(w *World) (err error) {
	if err = f.begin(w); err != nil {
		return err
	}
	node, err := w.peer(f.config.To)
	if err != nil {
		return err
	}
	if f.spoofed, err = w.spoofed(netip.Prefix(f.config.Spoof)); err != nil {
		return err
	}
	f.syn = segment.Segment{Dst: node, DstPort: f.config.To.Port, Flags: segment.SYN, Wnd: 65535,
		Opts: segment.OptMSS, MSS: uint16(f.config.MSS)}
	f.sent = w.events("syn_flood", f.name, "syns_sent")
	f.last = f.end(f.config.Until)
	if f.member == 0 {
		w.Recorder.Band(f.name, des.Time(f.config.From), f.last)
	}
	f.sources = f.sim.Stream(f.label + "/sources")
	f.gaps, err = newGaps(f.config.Law, f.config.Rate/quantity.Frequency(f.config.Burst), des.Time(f.config.From), f.sim.Stream(f.label+"/arrivals"))
	if err != nil {
		return err
	}
	f.timer = f.sim.NewTimer(f.component, f, 0)
	f.arm()
	return nil
}

func (f *synFlood) arm() {
	if at := f.gaps.next(); at < f.last {
		f.sim.Arm(f.timer, at)
	}
}

// HandleTimer sends the next SYNs. Nothing is kept of them.
func (f *synFlood) HandleTimer(now des.Time, _ uint64) {
	if f.down() {
		f.arm()
		return
	}
	for range f.config.Burst {
		f.syn.Src = f.spoofed.first + segment.Node(f.sources.Uint32N(f.spoofed.count))
		f.syn.SrcPort = uint16(1024 + f.sources.Uint32N(65536-1024))
		f.syn.Seq = segment.Seq(f.sources.Uint32())
		f.stack.Send(now, &f.syn)
	}
	f.sent.Add(uint64(f.config.Burst))
	f.arm()
}
