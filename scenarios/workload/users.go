package workload

import (
	"errors"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
)

// Users is the configuration of users who each wait for a response, think, and
// go on with the next request: a closed loop, which slows down with the server.
type Users struct {
	To              quantity.Address   `key:"to" doc:"Host and port to connect to." required:"true"`
	Users           int                `key:"users" doc:"How many there are." required:"true" min:"1" max:"1000000" example:"50"`
	Think           quantity.Durations `key:"think" doc:"Time from a response, or from giving up, to the next request." default:"1s"`
	Ramp            quantity.Duration  `key:"ramp" doc:"The time over which the users begin, one after the other; 0s is all at once." default:"0s"`
	Requests        int                `key:"requests" doc:"Requests on a connection before the user closes it; 0 is no limit, 1 a connection for each." default:"1" min:"0"`
	From            quantity.Duration  `key:"from" doc:"When the first begins." default:"0s" instant:"true"`
	Until           quantity.Duration  `key:"until" doc:"When no more requests begin; left out, the end of the run." instant:"true"`
	Request         quantity.Sizes     `key:"request" doc:"Size of a request." default:"100B"`
	Timeout         quantity.Duration  `key:"timeout" doc:"Time after which the application gives up connecting; 0s leaves that to the stack." default:"0s"`
	ResponseTimeout quantity.Duration  `key:"response_timeout" doc:"Time from a request to the whole response after which the application gives up; 0s is never." default:"0s"`
	Retry           Retry              `key:"retry" doc:"What users do after a failure." example:"{tries: 5, wait: 1s, factor: 2, jitter: 100%}"`
	Keepalive       bool               `key:"keepalive" doc:"SO_KEEPALIVE on the connections." default:"false"`
	Socket          Socket             `key:"socket" doc:"Options of their sockets." example:"{tcp_nodelay: true}"`
}

// Flows is the number of connections that figures may name, in the order in which
// they are opened.
func (c *Users) Flows() (n int, shown bool) {
	return mostFlows, false
}

// Build makes the workload.
func (c *Users) Build(name string, on quantity.Host) (Workload, error) {
	if c.Users < 1 || c.Requests < 0 || c.Ramp < 0 {
		return nil, errors.New("users: at least 1; requests and ramp: not negative")
	}
	if c.Request.Zero() {
		return nil, errors.New("request: users ask for something: must be more than 0B")
	}
	e, err := newErrands(name, on, errandConfig{kind: "users", to: c.To, request: c.Request, from: c.From, until: c.Until,
		timeout: c.Timeout, responseTimeout: c.ResponseTimeout, retry: c.Retry, close: "auto",
		keepalive: c.Keepalive, socket: c.Socket, requests: c.Requests, answered: true})
	if err != nil {
		return nil, err
	}
	return &users{errands: e, config: *c}, nil
}

// users is a closed loop.
type users struct {
	*errands
	config Users
	think  variate
}

func (u *users) start(w *World) (err error) {
	if err = u.errands.start(w); err != nil {
		return err
	}
	if u.think, err = w.newDurations(u.config.Think, u.sim.Stream(u.label+"/think")); err != nil {
		return err
	}
	u.errands.ended = u.ponder
	u.turnaround = share(w, u.name, "requests", func() *measure.Turnaround { return w.Recorder.Turnaround("users", u.name) })
	for range u.config.Users {
		u.people.take()
	}
	u.arrive(des.Time(u.config.From))
	return nil
}

// arrive lets the users begin from then on.
func (u *users) arrive(from des.Time) {
	n := des.Time(u.config.Users)
	for i := range u.people.rows {
		if at := from + des.Time(u.config.Ramp)/n*des.Time(i); at < u.last {
			u.sim.Arm(u.alarm(uint32(i)), at)
		}
	}
}

// ponder lets a user think before the next request.
func (u *users) ponder(now des.Time, who uint32, _ bool) {
	if at := now + des.Time(u.think.next()); at < u.last {
		u.sim.Arm(u.alarm(who), at)
		return
	}
	u.part(who)
}

// resume lets the users begin again.
func (u *users) resume(now des.Time) {
	for i := range u.people.rows {
		u.people.rows[i].tries = 0
	}
	if now < u.last {
		u.arrive(max(now, des.Time(u.config.From)))
	}
}
