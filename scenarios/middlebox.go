package scenarios

import (
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel/middlebox"
)

// boxConfig is the configuration of a kind of middlebox: a pointer to a struct
// whose tags describe the keys.
type boxConfig interface {
	// build makes the box of that name, which must be unique in the
	// simulation.
	build(b *builder, m *spec.Middlebox, name string, at place) (builtBox, error)
}

// builtBox is a box and what is measured of it.
type builtBox struct {
	middlebox.Box
	levels []measure.Level
	counts []measure.Count
}

// boxKinds are the kinds of middlebox.
func boxKinds() []spec.Kind {
	return []spec.Kind{
		{Name: measure.OfNAT, Doc: "Gives the hosts inside one address outside, that of the router where it stands; connections are opened from inside alone (RFC 5382).",
			New: func() any { return new(natBox) }, Metrics: metricsOf(measure.OfNAT)},
		{Name: measure.OfFirewall, Doc: "Lets hosts inside connect to everywhere and those outside to open ports; all else passes only as part of a connection that it remembers.",
			New: func() any { return new(firewallBox) }, Metrics: metricsOf(measure.OfFirewall)},
		{Name: measure.OfSynProxy, Doc: "Answers SYNs to the servers inside with cookies and connects to the server when a client has returned one (RFC 4987 section 3.8).",
			New: func() any { return new(synProxyBox) }, Metrics: metricsOf(measure.OfSynProxy)},
		{Name: measure.OfLimiter, Doc: "Passes the packets of each source at a bounded rate.",
			New: func() any { return new(limiterBox) }, Metrics: metricsOf(measure.OfLimiter)},
		{Name: measure.OfBlackhole, Doc: "Is a path that fails in silence: it loses everything for a time.",
			New: func() any { return new(blackholeBox) }, Metrics: metricsOf(measure.OfBlackhole)},
	}
}

// memory is the keys of boxes that remember connections.
type memory struct {
	Established quantity.Duration `key:"established" doc:"How long an established connection is remembered without a packet; RFC 5382 wants the default or more." default:"124min" above:"0s"`
	Transitory  quantity.Duration `key:"transitory" doc:"The same for a connection that is being opened, or has ended." default:"4min" above:"0s"`
	Entries     int               `key:"entries" doc:"How many connections are remembered at most, so that no other can be opened; 0 is no limit." default:"0" min:"0"`
}

func (m *memory) timeouts() middlebox.Timeouts {
	return middlebox.Timeouts{Established: des.Time(m.Established), Transitory: des.Time(m.Transitory), MaxFlows: m.Entries}
}

var actions = map[string]middlebox.Action{"drop": middlebox.Drop, "reset": middlebox.Reset, "pickup": middlebox.PickUp}

type natBox struct {
	memory
	Unknown  string `key:"unknown" doc:"What becomes of a packet of no known connection: it is dropped, answered with RST, or picked up, if it comes from inside, as if the connection were known." default:"drop" enum:"drop,reset,pickup"`
	PortLow  int    `key:"port_low" doc:"First port outside." default:"1024" min:"1" max:"65535"`
	PortHigh int    `key:"port_high" doc:"Last port outside." default:"65535" min:"1" max:"65535"`
}

// StandsAtRouter implements spec.Router.
func (c *natBox) StandsAtRouter() {}

// Validate implements spec.Validator.
func (c *natBox) Validate(report func(field, message string)) {
	if c.PortHigh < c.PortLow {
		report("port_high", fmt.Sprintf("%d is less than port_low (%d)", c.PortHigh, c.PortLow))
	}
}

func (c *natBox) build(b *builder, m *spec.Middlebox, name string, at place) (builtBox, error) {
	nat, err := middlebox.NewNAT(b.sim, name, middlebox.NATConfig{Timeouts: c.timeouts(), Public: b.nodes[at.inside],
		PortLow: uint16(c.PortLow), PortHigh: uint16(c.PortHigh), Unknown: actions[c.Unknown]})
	if err != nil {
		return builtBox{}, err
	}
	b.recorder.Translate(nat.Public(), nat.Translate)
	b.work.Translate(nat.Public(), nat.Translate)
	out := remembering(nat, nat.Stats, nat.TakePeak)
	out.levels = append(out.levels, measure.Level{Name: "ports",
		Value: func() uint64 { return uint64(nat.Stats().Mappings) }, Integral: func() uint64 { return nat.Stats().MappingTime }})
	return out, nil
}

type firewallBox struct {
	memory
	Open    []uint16 `key:"open" doc:"The ports inside to which hosts outside may connect." item:"a port" example:"[80, 443]"`
	Unknown string   `key:"unknown" doc:"What becomes of a packet of no known connection: it is dropped, answered with RST, or picked up, if its sender may open connections, as if the connection were known (nf_conntrack_tcp_loose of Linux)." default:"drop" enum:"drop,reset,pickup"`
}

func (c *firewallBox) build(b *builder, m *spec.Middlebox, name string, _ place) (builtBox, error) {
	f, err := middlebox.NewFirewall(b.sim, name, middlebox.FirewallConfig{Timeouts: c.timeouts(), Unknown: actions[c.Unknown], Open: c.Open})
	if err != nil {
		return builtBox{}, err
	}
	return remembering(f, f.Stats, f.TakePeak), nil
}

type synProxyBox struct {
	memory
	Ports       []uint16          `key:"ports" doc:"The ports inside that are protected; left out, all." item:"a port" example:"[80, 443]"`
	Unknown     string            `key:"unknown" doc:"What becomes of a packet of no known connection that returns no cookie." default:"reset" enum:"drop,reset"`
	MSS         int               `key:"mss" doc:"The MSS that clients are promised before the server is asked." default:"1460" min:"536" max:"65535"`
	WindowScale int               `key:"window_scale" doc:"The window scale that they are promised." default:"10" min:"0" max:"14"`
	SACK        bool              `key:"sack" doc:"Whether they are promised selective acknowledgements." default:"true"`
	Timestamps  bool              `key:"timestamps" doc:"Whether they are promised time stamps, without which a cookie keeps neither window scale nor SACK." default:"true"`
	RTO         quantity.Duration `key:"rto" doc:"How long the box waits for the server's SYN-ACK before it sends the SYN again; twice as long each time." default:"1s" above:"0s"`
	Retries     int               `key:"retries" doc:"How often it does so before the client gets a RST." default:"5" min:"0" max:"16"`
}

func (c *synProxyBox) build(b *builder, m *spec.Middlebox, name string, _ place) (builtBox, error) {
	p, err := middlebox.NewSynProxy(b.sim, name, middlebox.SynProxyConfig{Timeouts: c.timeouts(), Ports: c.Ports,
		MSS: uint16(c.MSS), WScale: uint8(c.WindowScale), SACK: c.SACK, Timestamps: c.Timestamps,
		RTO: des.Time(c.RTO), Retries: c.Retries, Unknown: actions[c.Unknown]})
	if err != nil {
		return builtBox{}, err
	}
	out := remembering(p, func() middlebox.Stats { return p.Stats().Stats }, p.TakePeak)
	out.counts = append(out.counts,
		measure.Count{Name: "cookies_sent", Read: func() uint64 { return p.Stats().Cookies }},
		measure.Count{Name: "cookies_accepted", Read: func() uint64 { return p.Stats().Accepted }},
		measure.Count{Name: "cookies_rejected", Read: func() uint64 { return p.Stats().Rejected }},
		measure.Count{Name: "opened", Read: func() uint64 { return p.Stats().Opened }},
		measure.Count{Name: "refused", Read: func() uint64 { return p.Stats().Refused }},
		measure.Count{Name: "mismatched", Read: func() uint64 { return p.Stats().Mismatched }})
	return out, nil
}

// directed is the key of boxes that work in one direction.
type directed struct {
	Direction string `key:"direction" doc:"Which packets it concerns: those that go to the inside, those that leave it, or both." default:"inward" enum:"inward,outward,both"`
}

// pair makes a box of what works in one direction, made anew for each.
func (c *directed) pair(create func() (middlebox.OneWay, error)) (middlebox.Box, error) {
	var ways [2]middlebox.OneWay
	for i, way := range []string{"outward", "inward"} {
		if c.Direction != way && c.Direction != "both" {
			continue
		}
		e, err := create()
		if err != nil {
			return nil, err
		}
		ways[i] = e
	}
	return middlebox.Pair(ways[0], ways[1]), nil
}

type limiterBox struct {
	directed
	Rate    quantity.Frequency `key:"rate" doc:"Packets per second that each source may send." required:"true" above:"0/s" example:"10/s"`
	Burst   int                `key:"burst" doc:"How many it may send at once." default:"5" min:"1" max:"9000"`
	Packets string             `key:"packets" doc:"Which packets are counted and limited: SYNs alone, or all." default:"syn" enum:"syn,all"`
	Sources int                `key:"sources" doc:"How many sources are remembered; to remember another one, that is forgotten which was quiet for longest, and starts with a whole burst when it comes again." default:"65536" min:"1" max:"16777216"`
}

func (c *limiterBox) build(b *builder, m *spec.Middlebox, name string, _ place) (builtBox, error) {
	var limiters []*middlebox.Limiter
	box, err := c.pair(func() (middlebox.OneWay, error) {
		l, err := middlebox.NewLimiter(b.sim, middlebox.LimiterConfig{Rate: float64(c.Rate), Burst: c.Burst, SYNs: c.Packets == "syn", Sources: c.Sources}, nil)
		limiters = append(limiters, l)
		return l, err
	})
	if err != nil {
		return builtBox{}, err
	}
	sum := func(read func(s middlebox.LimiterStats) uint64) func() uint64 {
		return func() (n uint64) {
			for _, l := range limiters {
				n += read(l.Stats())
			}
			return n
		}
	}
	out := builtBox{Box: box, counts: passing(box)}
	out.counts = append(out.counts,
		measure.Count{Name: "limited", Read: sum(func(s middlebox.LimiterStats) uint64 { return s.Limited })},
		measure.Count{Name: "sources_forgotten", Read: sum(func(s middlebox.LimiterStats) uint64 { return s.Forgotten })})
	out.levels = []measure.Level{{Name: "sources", Value: sum(func(s middlebox.LimiterStats) uint64 { return uint64(s.Sources) }),
		Integral: sum(func(s middlebox.LimiterStats) uint64 { return s.SourceTime })}}
	return out, nil
}

type blackholeBox struct {
	Direction string             `key:"direction" doc:"Which packets it loses: those that go to the inside, those that leave it, or both." default:"both" enum:"inward,outward,both"`
	From      quantity.Duration  `key:"from" doc:"When the path fails." default:"0s" instant:"true" example:"30s"`
	Until     *quantity.Duration `key:"until" doc:"When it works again; without it, never." instant:"true" example:"60s"`
}

// Validate implements spec.Validator.
func (c *blackholeBox) Validate(report func(field, message string)) {
	if c.Until != nil && *c.Until <= c.From {
		report("until", fmt.Sprintf("%v is not after from (%v)", *c.Until, c.From))
	}
}

func (c *blackholeBox) build(b *builder, m *spec.Middlebox, _ string, at place) (builtBox, error) {
	until := des.Never
	if c.Until != nil {
		until = des.Time(*c.Until)
	}
	if at.first {
		b.recorder.Band(m.Name, des.Time(c.From), until)
	}
	box, err := (&directed{c.Direction}).pair(func() (middlebox.OneWay, error) {
		return middlebox.NewBlackhole(des.Time(c.From), until, nil), nil
	})
	return builtBox{Box: box, counts: passing(box)}, err
}

// passing is what is measured of every box that loses what it does not pass on.
func passing(b middlebox.Box) []measure.Count {
	return []measure.Count{{Name: "passed", Read: func() uint64 { return passed(b) }}, {Name: "dropped", Read: func() uint64 {
		out, in := b.Flows()
		return out.Lost.Packets + in.Lost.Packets
	}}}
}

// passed is how many packets came and were passed on.
func passed(b middlebox.Box) uint64 {
	out, in := b.Flows()
	return out.In.Packets - out.Lost.Packets + in.In.Packets - in.Lost.Packets
}

// remembering is what is measured of a box that remembers connections.
func remembering(b middlebox.Box, stats func() middlebox.Stats, peak func() int) builtBox {
	count := func(name string, read func(s middlebox.Stats) uint64) measure.Count {
		return measure.Count{Name: name, Read: func() uint64 { return read(stats()) }}
	}
	return builtBox{Box: b,
		levels: []measure.Level{{Name: "entries", Value: func() uint64 { return uint64(stats().Known) },
			Integral: func() uint64 { return stats().KnownTime }, Peak: func() uint64 { return uint64(peak()) }}},
		counts: []measure.Count{
			{Name: "passed", Read: func() uint64 { return passed(b) }},
			count("dropped", func(s middlebox.Stats) uint64 { return s.Stateless + s.Full + s.Corrupt }),
			count("created", func(s middlebox.Stats) uint64 { return s.Created }),
			count("forgotten", func(s middlebox.Stats) uint64 { return s.Forgotten }),
			count("expired", func(s middlebox.Stats) uint64 { return s.Expired }),
			count("picked_up", func(s middlebox.Stats) uint64 { return s.PickedUp }),
			count("unknown_drops", func(s middlebox.Stats) uint64 { return s.Stateless }),
			count("full_drops", func(s middlebox.Stats) uint64 { return s.Full }),
			count("corrupt_drops", func(s middlebox.Stats) uint64 { return s.Corrupt }),
			count("resets", func(s middlebox.Stats) uint64 { return s.Resets }),
		}}
}
