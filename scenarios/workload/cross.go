package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// CrossTraffic is the configuration of packets without TCP, which nobody
// acknowledges and nothing slows down.
type CrossTraffic struct {
	To    quantity.Host     `key:"to" doc:"Host to send to." required:"true" example:"server"`
	Rate  quantity.Bitrate  `key:"rate" doc:"Mean data rate, IP headers included; of on_off traffic while it is on." required:"true" example:"2Mbit/s"`
	Law   string            `key:"law" doc:"How packets are spread in time: at a constant rate, at random (poisson), or at a constant rate in periods with silence between them." default:"constant" enum:"constant,poisson,on_off"`
	Size  quantity.Size     `key:"size" doc:"IP length of the packets, if they are all alike." default:"1500B" min:"20B" max:"65535B"`
	Sizes []PacketSize      `key:"sizes" doc:"IP lengths that packets have at random, in the place of size." item:"a size" example:"[{size: 40B, weight: 7}, {size: 576B, weight: 4}, {size: 1500B, weight: 1}]"`
	OnFor quantity.Duration `key:"on_for" doc:"Mean length of a period of on_off traffic." default:"500ms"`
	Off   quantity.Duration `key:"off_for" doc:"Mean length of the silence of on_off traffic." default:"500ms"`
	Times string            `key:"times" doc:"How both are distributed." default:"exponential" enum:"exponential,fixed"`
	From  quantity.Duration `key:"from" doc:"When it starts." default:"0s" instant:"true"`
	Until quantity.Duration `key:"until" doc:"When it stops; left out, the end of the run." instant:"true"`
}

// PacketSize is a size of packets and how often it is drawn.
type PacketSize struct {
	Size   quantity.Size `key:"size" doc:"IP length." required:"true" min:"20B" max:"65535B" example:"1500B"`
	Weight int           `key:"weight" doc:"How often it is drawn, beside the others." default:"1" min:"1" max:"1000000"`
}

// Build makes the workload.
func (c *CrossTraffic) Build(name string, on quantity.Host) (Workload, error) {
	x := &crossTraffic{base: base{name: name, on: on}, config: *c, sizes: c.Sizes}
	if len(x.sizes) == 0 {
		x.sizes = []PacketSize{{c.Size, 1}}
	}
	var bytes, weights int64
	for _, s := range x.sizes {
		if s.Size < 20 || s.Size > 65535 || s.Weight < 1 {
			return nil, fmt.Errorf("sizes: %v with weight %d: must be 20B to 65535B, with a weight of 1 or more", s.Size, s.Weight)
		}
		bytes += int64(s.Size) * int64(s.Weight)
		weights += int64(s.Weight)
	}
	x.weights = uint64(weights)
	x.packets = quantity.Frequency(float64(c.Rate) / 8 / (float64(bytes) / float64(weights)))
	if c.Rate < 1 || x.packets > 1e9 {
		return nil, fmt.Errorf("rate: %v makes %v packets: must be up to 1e9/s (write a rate such as 2Mbit/s)", c.Rate, x.packets)
	}
	if c.Until != 0 && c.Until <= c.From {
		return nil, fmt.Errorf("until: %v is not after from (%v)", c.Until, c.From)
	}
	if c.Law == "on_off" && (c.OnFor <= 0 || c.Off <= 0) {
		return nil, errors.New("on_for and off_for: must be longer than 0s")
	}
	return x, nil
}

type crossTraffic struct {
	base
	config  CrossTraffic
	sizes   []PacketSize
	weights uint64             // sum
	packets quantity.Frequency // mean rate
	out     network.Sink
	packet  segment.Segment
	timer   des.Timer
	rand    *rand.Rand // of sizes
	times   *rand.Rand // of periods
	gaps    gaps       // of Poisson arrivals
	rest    uint64     // bits x ns that the last gap was rounded down by
	offAt   des.Time   // when the period ends
	last    des.Time
	flow    *measure.PacketFlow
}

func (x *crossTraffic) prepare(*World) error { return nil }

func (x *crossTraffic) start(w *World) (err error) {
	if err = x.begin(w); err != nil {
		return err
	}
	to, err := w.host(x.config.To)
	if err != nil {
		return err
	}
	x.flow = share(w, x.name, "sent", func() *measure.PacketFlow { return w.Recorder.PacketFlow("cross_traffic", x.name) })
	number, err := w.receivePackets(to, x.flow)
	if err != nil {
		return err
	}
	x.packet = segment.Segment{Kind: segment.KindRaw, Src: x.stack.Node(), Dst: to.stack.Node(), DstPort: number}
	x.out = w.Net.Egress(x.stack.Node())
	x.last = x.end(x.config.Until)
	x.band(w, x.config.From, x.last)
	x.rand = x.sim.Stream(x.label + "/sizes")
	x.timer = x.sim.NewTimer(x.component, x, 0)
	from := des.Time(x.config.From)
	x.offAt = des.Never
	switch x.config.Law {
	case "poisson":
		if x.gaps, err = newGaps(quantity.Poisson, x.packets, from, x.sim.Stream(x.label+"/arrivals")); err != nil {
			return err
		}
		from = x.gaps.next()
	case "on_off":
		x.times = x.sim.Stream(x.label + "/periods")
		x.offAt = from + x.period(x.config.OnFor)
	}
	x.arm(from)
	return nil
}

// period draws the length of a period or a silence.
func (x *crossTraffic) period(mean quantity.Duration) des.Time {
	if x.config.Times == "fixed" {
		return des.Time(mean)
	}
	return max(1, des.Time(float64(exponential(x.times)*float64(mean))))
}

func (x *crossTraffic) arm(at des.Time) {
	if at < x.last {
		x.sim.Arm(x.timer, at)
	}
}

// HandleTimer sends a packet.
func (x *crossTraffic) HandleTimer(now des.Time, _ uint64) {
	x.packet.Len = x.size()
	x.packet.Offset = uint64(now)
	if !x.down() {
		x.flow.Send()
		x.out.Receive(now, &x.packet)
	}
	if x.config.Law == "poisson" {
		x.arm(x.gaps.next())
		return
	}
	work := 8e9*uint64(x.packet.Len) + x.rest
	at := now + des.Time(work/uint64(x.config.Rate))
	x.rest = work % uint64(x.config.Rate)
	for at >= x.offAt {
		at = max(at, x.offAt) + x.period(x.config.Off)
		x.offAt, x.rest = at+x.period(x.config.OnFor), 0
	}
	x.arm(at)
}

// size draws the length of a packet.
func (x *crossTraffic) size() uint32 {
	if len(x.sizes) == 1 {
		return uint32(x.sizes[0].Size)
	}
	n := x.rand.Uint64N(x.weights)
	for _, s := range x.sizes {
		if n < uint64(s.Weight) {
			return uint32(s.Size)
		}
		n -= uint64(s.Weight)
	}
	panic("workload: weights of packet sizes do not add up")
}

// packetReceiver takes the packets without TCP that arrive at a host, and gives
// the others to its stack.
type packetReceiver struct {
	next  network.Sink
	flows []*measure.PacketFlow
}

// Receive implements network.Sink. The port is the number of the flow, and the
// offset the time at which the packet was sent.
func (p *packetReceiver) Receive(now des.Time, seg *segment.Segment) {
	if seg.Kind != segment.KindRaw {
		p.next.Receive(now, seg)
		return
	}
	if i := int(seg.DstPort); i < len(p.flows) {
		p.flows[i].Receive(seg.Len, now-des.Time(seg.Offset))
	}
}

// receivePackets has packets without TCP counted that arrive at a host. It
// returns the number of the flow there.
func (w *World) receivePackets(h *host, f *measure.PacketFlow) (uint16, error) {
	if h.packets == nil {
		var err error
		h.packets = &packetReceiver{}
		if h.packets.next, err = w.listenIn(h.name, h.packets); err != nil {
			return 0, err
		}
	}
	if len(h.packets.flows) > 65535 {
		return 0, fmt.Errorf("more than 65536 flows of packets to %s", h.name)
	}
	h.packets.flows = append(h.packets.flows, f)
	return uint16(len(h.packets.flows) - 1), nil
}
