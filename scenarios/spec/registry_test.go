package spec

import (
	"errors"

	"tcplab/scenarios/quantity"
)

type serverConfig struct {
	Port     uint16        `key:"port" default:"80" min:"1" doc:"The port that it listens on."`
	Backlog  int           `key:"backlog" default:"128" min:"0" doc:"The backlog of listen."`
	Response quantity.Size `key:"response" default:"1kB" doc:"What it answers to each request."`
}

// ListenPort implements Listener.
func (c *serverConfig) ListenPort() uint16 { return c.Port }

type clientsConfig struct {
	To       quantity.Address  `key:"to" required:"true" doc:"The server."`
	Arrivals quantity.Arrivals `key:"arrivals" required:"true" doc:"When connections are opened."`
	Request  quantity.Size     `key:"request" default:"100B" min:"1B" doc:"The size of a request."`
	Timeout  quantity.Duration `key:"timeout" default:"3s" above:"0s" doc:"When the application gives up."`
}

type floodConfig struct {
	To    quantity.Address   `key:"to" required:"true" doc:"The victim."`
	Rate  quantity.Frequency `key:"rate" required:"true" above:"0/s" doc:"How many SYNs it sends (Poisson)."`
	From  quantity.Duration  `key:"from" default:"0s" instant:"true" doc:"When it begins."`
	Until *quantity.Duration `key:"until" instant:"true" doc:"When it ends; without it, never."`
	Spoof quantity.Prefix    `key:"spoof" default:"198.18.0.0/15" doc:"The sources that it pretends to be."`
}

// Validate implements Validator.
func (c *floodConfig) Validate(report func(field, message string)) {
	if c.Until != nil && *c.Until <= c.From {
		report("until", "the flood ends before it begins (write a time after from: "+c.From.String()+")")
	}
}

type bulkConfig struct {
	To    quantity.Address   `key:"to" required:"true" doc:"The receiver."`
	Bytes *quantity.Size     `key:"bytes" doc:"How much is sent; without it, as much as goes."`
	Flows int                `key:"flows" default:"1" min:"1" max:"1000" doc:"How many connections."`
	Start *quantity.Duration `key:"start" instant:"true" doc:"When it begins."`
	Pace  struct {
		Rate  *quantity.Bitrate `key:"rate" doc:"The most that the application offers."`
		Burst quantity.Size     `key:"burst" default:"64KiB" doc:"How much it writes at once."`
	} `key:"pace" doc:"How the application writes."`
	Push   bool               `key:"push" default:"false" doc:"Whether each write is pushed."`
	Weight float64            `key:"weight" default:"1" doc:"Its share."`
	Via    []quantity.Host    `key:"via" doc:"Hosts on the way."`
	Mode   string             `key:"mode" enum:"send,receive" default:"send" doc:"Which way the bytes go."`
	Mix    map[string]float64 `doc:"Not a key."`
}

// Provides implements Provider.
func (c *bulkConfig) Provides() quantity.Address { return c.To }

type requestConfig struct {
	To    quantity.Address  `key:"to" required:"true" doc:"The server."`
	Think quantity.Duration `key:"think" default:"0s" doc:"The time between response and request."`
}

type natConfig struct {
	Established quantity.Duration `key:"established" default:"124min" above:"0s" doc:"How long a connection is remembered."`
	Unknown     string            `key:"unknown" default:"drop" enum:"drop,reset" doc:"What becomes of others."`
}

// StandsAtRouter implements Router.
func (*natConfig) StandsAtRouter() {}

type limiterConfig struct {
	Rate  quantity.Frequency `key:"rate" required:"true" above:"0/s" example:"10/s" doc:"How many packets pass."`
	Ports []uint16           `key:"ports" doc:"To which ports."`
}

func testRegistry() *Registry {
	return &Registry{
		Boxes: []Kind{
			{Name: "nat", Doc: "Translates addresses.", New: func() any { return new(natConfig) }, Metrics: []Metric{
				{Name: "entries", Unit: "connections", Doc: "Connections known."},
			}},
			{Name: "limiter", Doc: "Bounds rates.", New: func() any { return new(limiterConfig) }},
		},
		Profiles: []string{"linux", "rfc9293", "textbook"},
		Queues:   []string{"droptail", "red", "codel", "fq_codel", "pie"},
		Figures:  []string{"timeseries", "lines", "cdf"},
		Kinds: []Kind{
			{Name: "server", Doc: "Accepts connections and answers requests.", New: func() any { return new(serverConfig) }},
			{Name: "clients", Doc: "Open connections, ask and close.", New: func() any { return new(clientsConfig) }, Metrics: []Metric{
				{Name: "connect_success", Unit: "ratio", Doc: "Attempts that connected in time."},
				{Name: "connect_latency_p99", Unit: "s", Doc: "99 % connected within.", Value: true},
				{Name: "first_syn_accepted", Unit: "ratio", Doc: "First SYNs that were answered.", Value: true},
			}},
			{Name: "syn_flood", Doc: "Sends SYNs from addresses that do not exist.", New: func() any { return new(floodConfig) }},
			{Name: "bulk", Doc: "Sends as fast as TCP allows.", New: func() any { return new(bulkConfig) }, Metrics: []Metric{
				{Name: "goodput", Unit: "bit/s", Doc: "Bytes delivered, as a rate."},
				{Name: "delivered", Unit: "B", Doc: "Bytes delivered.", Value: true},
			}},
			{Name: "request_response", Doc: "Asks, waits, asks again.", New: func() any { return new(requestConfig) }},
		},
		Knobs: []Knob{
			{Name: "tcp_max_syn_backlog", Type: KnobInt, Max: 1 << 30, Doc: "Half-open connections."},
			{Name: "tcp_syncookies", Type: KnobInt, Max: 2, Doc: "SYN cookies."},
			{Name: "tcp_no_metrics_save", Type: KnobBool, Doc: "Forget peers."},
			{Name: "tcp_syn_retries", Type: KnobInt, Min: 1, Max: 127, Doc: "SYN retries."},
			{Name: "tcp_keepalive_time", Type: KnobDuration, Unit: "s", Doc: "Idle time before probes.", Check: func(value any) error {
				if value.(quantity.Duration) < 1e9 {
					return errors.New("tcp_keepalive_time takes at least 1s")
				}
				return nil
			}},
			{Name: "tcp_rmem", Type: KnobBytes, Doc: "The receive buffer."},
			{Name: "tcp_congestion_control", Type: KnobEnum, Enum: []string{"reno", "cubic"}, Doc: "The algorithm."},
			{Name: "rto_min", Type: KnobDuration, Doc: "The least RTO."},
		},
		HostMetrics: []Metric{
			{Name: "syn_queue", Unit: "entries", Doc: "Half-open connections.", Series: true},
			{Name: "syn_queue_max", Unit: "entries", Doc: "The most of them.", Value: true},
			{Name: "retransmits", Unit: "count", Doc: "Segments sent again."},
		},
		LinkMetrics: []Metric{{Name: "drops", Unit: "packets", Doc: "Packets lost."}},
		ReadFile:    func(name quantity.File) ([]byte, error) { return []byte("content of " + name), nil },
	}
}
