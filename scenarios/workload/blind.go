package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel/segment"
)

// BlindAttack is the configuration of an attacker who cannot see a connection
// and guesses its numbers, to reset it or to put data into it (RFC 5961).
type BlindAttack struct {
	To       quantity.Address   `key:"to" doc:"Host and port at one end of the connection: there the forged segments go." required:"true"`
	As       quantity.Host      `key:"as" doc:"Host at the other end, for which the attacker passes itself off." required:"true" example:"client"`
	Rate     quantity.Frequency `key:"rate" doc:"Forged segments per second." required:"true" example:"10000/s"`
	Law      string             `key:"law" doc:"How they are spread in time." default:"fixed" enum:"poisson,fixed"`
	Send     string             `key:"send" doc:"What they are: a RST, a SYN, or a byte of data." default:"rst" enum:"rst,syn,data"`
	PortLow  int                `key:"port_low" doc:"First port of that host that is tried." required:"true" min:"1" max:"65535" example:"32768"`
	PortHigh int                `key:"port_high" doc:"Last port that is tried; left out, port_low alone." default:"0" min:"0" max:"65535"`
	Guess    string             `key:"guess" doc:"Sequence numbers: at random, or in steps from 0 on, for one port after the other." default:"random" enum:"random,steps"`
	Step     quantity.Size      `key:"step" doc:"The steps: a window, so that none is missed." default:"64KiB" min:"1B"`
	From     quantity.Duration  `key:"from" doc:"When it starts." default:"0s" instant:"true"`
	Until    quantity.Duration  `key:"until" doc:"When it stops; left out, the end of the run." instant:"true"`
}

// Build makes the workload.
func (c *BlindAttack) Build(name string, on quantity.Host) (Workload, error) {
	high := max(c.PortHigh, c.PortLow)
	switch {
	case c.PortHigh != 0 && c.PortHigh < c.PortLow:
		return nil, fmt.Errorf("port_high: %d is less than port_low (%d)", c.PortHigh, c.PortLow)
	case c.PortLow < 1 || high > 65535:
		return nil, fmt.Errorf("ports: %d to %d are not from 1 to 65535", c.PortLow, high)
	case c.Guess == "steps" && c.Step < 1:
		return nil, errors.New("step: must be 1B or more")
	case c.Until != 0 && c.Until <= c.From:
		return nil, fmt.Errorf("until: %v is not after from (%v)", c.Until, c.From)
	}
	if _, err := newGaps(c.Law, c.Rate, 0, nil); err != nil {
		return nil, err
	}
	return &blindAttack{base: base{name: name, on: on}, config: *c, high: uint16(high), port: uint16(c.PortLow)}, nil
}

type blindAttack struct {
	base
	config  BlindAttack
	high    uint16
	port    uint16 // the next one, in steps
	seq     uint64 // the next one, in steps
	timer   des.Timer
	gaps    gaps
	last    des.Time
	guesses *rand.Rand
	forged  segment.Segment
	sent    *measure.Counter
}

func (a *blindAttack) prepare(*World) error { return nil }

func (a *blindAttack) start(w *World) (err error) {
	if err = a.begin(w); err != nil {
		return err
	}
	node, err := w.peer(a.config.To)
	if err != nil {
		return err
	}
	as, err := w.host(a.config.As)
	if err != nil {
		return err
	}
	a.forged = segment.Segment{Src: as.stack.Node(), Dst: node, DstPort: a.config.To.Port, Wnd: 65535}
	switch a.config.Send {
	case "syn":
		a.forged.Flags = segment.SYN
	case "data":
		a.forged.Flags, a.forged.Len = segment.ACK|segment.PSH, 1
	default:
		a.forged.Flags = segment.RST
	}
	a.sent = w.events("blind_attack", a.name, "sent")
	a.last = a.end(a.config.Until)
	a.band(w, a.config.From, a.last)
	a.guesses = a.sim.Stream(a.label + "/guesses")
	a.gaps, err = newGaps(a.config.Law, a.config.Rate, des.Time(a.config.From), a.sim.Stream(a.label+"/arrivals"))
	if err != nil {
		return err
	}
	a.timer = a.sim.NewTimer(a.component, a, 0)
	a.arm()
	return nil
}

func (a *blindAttack) arm() {
	if at := a.gaps.next(); at < a.last {
		a.sim.Arm(a.timer, at)
	}
}

// HandleTimer sends a guess.
func (a *blindAttack) HandleTimer(now des.Time, _ uint64) {
	if a.down() {
		a.arm()
		return
	}
	if a.config.Guess == "steps" {
		a.forged.SrcPort, a.forged.Seq = a.port, segment.Seq(a.seq)
		if a.seq += uint64(a.config.Step); a.seq >= 1<<32 {
			a.seq = 0
			if a.port++; a.port > a.high || a.port == 0 {
				a.port = uint16(a.config.PortLow)
			}
		}
	} else {
		a.forged.SrcPort = uint16(uint32(a.config.PortLow) + a.guesses.Uint32N(uint32(a.high)-uint32(a.config.PortLow)+1))
		a.forged.Seq = segment.Seq(a.guesses.Uint32())
	}
	if a.forged.Flags&segment.ACK != 0 {
		a.forged.Ack = segment.Seq(a.guesses.Uint32())
	}
	a.sent.Add(1)
	a.stack.Send(now, &a.forged)
	a.arm()
}
