package workload

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// SynFlood is the configuration of an attacker that sends SYNs from addresses
// that are not its own.
type SynFlood struct {
	To     quantity.Address   `key:"to" doc:"Host and port to flood." required:"true"`
	Rate   quantity.Frequency `key:"rate" doc:"SYNs per second." required:"true" example:"1000/s"`
	Law    string             `key:"law" doc:"How the SYNs are spread in time." default:"poisson" enum:"poisson,fixed"`
	Burst  int                `key:"burst" doc:"SYNs that are sent at once; bursts come at the rate divided by this." default:"1" min:"1"`
	From   quantity.Duration  `key:"from" doc:"When the flood starts." default:"0s" instant:"true"`
	Until  quantity.Duration  `key:"until" doc:"When it stops; left out, the end of the run." instant:"true"`
	Spoof  quantity.Prefix    `key:"spoof" doc:"Addresses from which sources are drawn, all equally likely." default:"198.18.0.0/15"`
	Behind quantity.Host      `key:"behind" doc:"Host behind which those addresses are: those in use answer the SYN-ACK that they did not ask for with RST. Left out, the addresses are nowhere." example:"elsewhere"`
	Alive  quantity.Ratio     `key:"alive" doc:"Share of the addresses behind the host that are in use; the others say nothing." default:"100%" min:"0%" max:"100%"`
	Data   quantity.Size      `key:"data" doc:"Payload of each SYN (RFC 9293 allows it; RFC 7413 makes use of it)." default:"0B" max:"1460B"`
	MSS    int                `key:"mss" doc:"MSS option of the SYNs, their only option." default:"1460" min:"64" max:"65535"`
}

// Build makes the workload.
func (c *SynFlood) Build(name string, on quantity.Host) (Workload, error) {
	if c.Burst < 1 {
		return nil, fmt.Errorf("burst: %d is less than 1", c.Burst)
	}
	if c.MSS < 0 || c.MSS > 65535 {
		return nil, fmt.Errorf("mss: %d is not from 0 to 65535", c.MSS)
	}
	if c.Alive < 0 || c.Alive > 1 || c.Data < 0 || c.Data > 1460 {
		return nil, errors.New("alive: from 0% to 100%; data: from 0B to 1460B")
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
	resets  *measure.Counter
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
	f.syn.Len = uint32(f.config.Data)
	f.sent = w.events("syn_flood", f.name, "syns_sent")
	f.resets = w.events("syn_flood", f.name, "rsts_sent")
	if f.config.Behind != "" {
		if err := f.settle(w); err != nil {
			return err
		}
	}
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

// residents are the addresses that a flood forges, as far as they are in use:
// they know nothing of a connection and reset it (RFC 9293 section 3.5.2 group
// 1), by which they free its entry in the SYN queue.
type residents struct {
	out    network.Sink
	resets *measure.Counter
	alive  uint64 // of 2^64 addresses; all for the greatest number
	key    uint64
}

// settle makes the addresses those behind a host. Floods that forge the same ones
// share them.
func (f *synFlood) settle(w *World) error {
	h, err := w.host(f.config.Behind)
	if err != nil {
		return err
	}
	for i := range w.ranges {
		r := &w.ranges[i]
		if r.first != f.spoofed.first {
			continue
		}
		if r.residents != nil {
			return nil
		}
		r.residents = &residents{resets: f.resets, alive: math.MaxUint64, key: f.sim.Stream(f.label + "/residents").Uint64()}
		if f.config.Alive < 1 {
			r.residents.alive = uint64(float64(f.config.Alive) * (1 << 63) * 2)
		}
		if err := w.Net.PutBehind(r.first, h.stack.Node(), r.residents); err != nil {
			return err
		}
		if err := w.Net.Build(); err != nil {
			return err
		}
		r.residents.out = w.Net.Egress(h.stack.Node())
	}
	return nil
}

// Receive implements network.Sink.
func (r *residents) Receive(now des.Time, seg *segment.Segment) {
	if seg.Kind != segment.KindTCP || seg.Has(segment.RST) || mix(uint64(seg.Dst)^r.key) > r.alive {
		return
	}
	rst := segment.Segment{Src: seg.Dst, Dst: seg.Src, SrcPort: seg.DstPort, DstPort: seg.SrcPort, Flags: segment.RST}
	if seg.Has(segment.ACK) {
		rst.Seq = seg.Ack
	} else {
		rst.Flags |= segment.ACK
		rst.Ack = seg.End()
	}
	r.resets.Add(1)
	r.out.Receive(now, &rst)
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): addresses that
// are in use lie among the others as if at random.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
