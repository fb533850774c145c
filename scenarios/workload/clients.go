package workload

import (
	"errors"
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
)

// Clients is the configuration of clients that connect again and again, each
// time for one request.
type Clients struct {
	To              quantity.Address  `key:"to" doc:"Host and port to connect to." required:"true"`
	Arrivals        quantity.Arrivals `key:"arrivals" doc:"When clients come: a law and a rate, or a file of times, counted from the start of the workload." required:"true"`
	Burst           int               `key:"burst" doc:"Clients that come at once; bursts come at the rate divided by this." default:"1" min:"1"`
	From            quantity.Duration `key:"from" doc:"When the first may come." default:"0s" instant:"true"`
	Until           quantity.Duration `key:"until" doc:"When no more come; left out, the end of the run." instant:"true"`
	Limit           int               `key:"limit" doc:"Number of clients after which no more come; 0 is no limit." default:"0" min:"0"`
	Request         quantity.Sizes    `key:"request" doc:"Size of the request; 0B sends none." default:"100B"`
	Timeout         quantity.Duration `key:"timeout" doc:"Time after which the application gives up connecting; 0s leaves that to the stack." default:"0s"`
	ResponseTimeout quantity.Duration `key:"response_timeout" doc:"Time from the connection to the whole response after which the application gives up; 0s is never." default:"0s"`
	Retry           Retry             `key:"retry" doc:"What clients do after a failure." example:"{tries: 5, wait: 1s, factor: 2, jitter: 100%}"`
	Close           string            `key:"close" doc:"Who closes first: as the server says (auto), the server, the client once it has the response, or the client with a RST (abort)." default:"auto" enum:"auto,server,client,abort"`
	HalfClose       bool              `key:"half_close" doc:"The client shuts down its direction after the request and goes on reading." default:"false"`
	Keepalive       bool              `key:"keepalive" doc:"SO_KEEPALIVE on the connections." default:"false"`
	Socket          Socket            `key:"socket" doc:"Options of its sockets." example:"{tcp_user_timeout: 30s}"`
}

// Flows is the number of connections that figures may name, in the order in which
// they are opened.
func (c *Clients) Flows() (n int, shown bool) {
	if c.Limit == 1 && c.Retry.Tries <= 1 {
		return 1, false
	}
	return mostFlows, false
}

// Build makes the workload.
func (c *Clients) Build(name string, on quantity.Host) (Workload, error) {
	if c.Limit < 0 {
		return nil, errors.New("limit: must not be negative")
	}
	if c.Burst == 0 {
		c.Burst = 1
	}
	if err := checkArrivals(c.Arrivals, c.Burst); err != nil {
		return nil, err
	}
	e, err := newErrands(name, on, errandConfig{kind: "clients", to: c.To, request: c.Request, from: c.From, until: c.Until,
		timeout: c.Timeout, responseTimeout: c.ResponseTimeout, retry: c.Retry, close: c.Close, halfClose: c.HalfClose,
		keepalive: c.Keepalive, socket: c.Socket, requests: 1})
	if err != nil {
		return nil, err
	}
	return &clients{errands: e, config: *c}, nil
}

// clients is an open loop: whoever comes takes no heed of those before.
type clients struct {
	*errands
	config  Clients
	arrival des.Timer
	gaps    gaps
	came    int
}

func (c *clients) start(w *World) (err error) {
	if err = c.errands.start(w); err != nil {
		return err
	}
	c.errands.ended = c.leave
	c.gaps, err = w.newArrivals(c.config.Arrivals, c.config.Burst, des.Time(c.config.From), c.sim.Stream(c.label+"/arrivals"))
	if err != nil {
		return err
	}
	c.arrival = c.sim.NewTimer(c.component, c, 0)
	c.armArrival()
	return nil
}

func (c *clients) armArrival() {
	if c.config.Limit > 0 && c.came >= c.config.Limit {
		return
	}
	if at := c.gaps.arrival(); at < c.last {
		c.sim.Arm(c.arrival, at)
	}
}

// HandleTimer lets the next client come.
func (c *clients) HandleTimer(now des.Time, _ uint64) {
	if !c.down() {
		c.came++
		c.begin(now, c.people.take())
	}
	c.armArrival()
}

// leave forgets a client who has got what he wanted, or given up.
func (c *clients) leave(_ des.Time, who uint32, _ bool) { c.people.release(who) }

// resume has nothing to do: the next client will come.
func (c *clients) resume(des.Time) {}

// outcomeOf says what an error means to an attempt.
func outcomeOf(err error) measure.Outcome {
	var e tcpmodel.Errno
	if !errors.As(err, &e) {
		return measure.Broken
	}
	switch e {
	case tcpmodel.ECONNREFUSED:
		return measure.Refused
	case tcpmodel.ECONNRESET:
		return measure.Reset
	case tcpmodel.ETIMEDOUT:
		return measure.TimedOut
	case tcpmodel.EHOSTUNREACH, tcpmodel.ENETUNREACH:
		return measure.Unreachable
	case tcpmodel.EADDRNOTAVAIL:
		return measure.NoPort
	default:
		return measure.Broken
	}
}

// checkTimes reports a time of action that ends before it begins.
func checkTimes(from, until quantity.Duration) error {
	if until != 0 && until <= from {
		return fmt.Errorf("until: %v is not after from (%v)", until, from)
	}
	return nil
}
