package drill

import (
	"strings"

	"tcplab/des"
)

// callPoll waits for events at sockets: {fd=4, events=POLLIN, revents=POLLIN}.
func (r *run) callPoll(c *Call) (attempt, error) {
	if len(c.Args) < 3 || c.Args[0].Kind != ExprList {
		return nil, &unsupported{c.Pos, "poll() with these arguments"}
	}
	timeout, err := c.arg(2)
	if err != nil {
		return nil, err
	}
	var fds []polled
	for _, e := range c.Args[0].List {
		p, err := r.polled(e)
		if err != nil {
			return nil, err
		}
		fds = append(fds, p)
	}
	until := r.sim.Now() + des.Time(timeout)*des.Millisecond
	if timeout > 0 {
		// Something must happen at that time for the call to return.
		r.sim.Arm(r.sim.NewTimer(1, ignore{}, 0), until)
	}
	return func() (result, bool) {
		n := int64(0)
		for i := range fds {
			if fds[i].got = fds[i].sock.events() & (fds[i].events | pollErr | pollHup); fds[i].got != 0 {
				n++
			}
		}
		if n == 0 && (timeout < 0 || r.sim.Now() < until) {
			return result{}, false
		}
		for _, f := range fds {
			if f.got != f.want && r.err == nil {
				r.err = &failure{pos: c.Pos, reason: "poll() reports other events", expected: pollText(f.want), got: pollText(f.got)}
			}
		}
		return success(n), true
	}, nil
}

// ignore is a timer's handler that does nothing.
type ignore struct{}

func (ignore) HandleTimer(des.Time, uint64) {}

type polled struct {
	sock              *socket
	events, want, got int64
}

func (r *run) polled(e *Expr) (polled, error) {
	var p polled
	for _, f := range e.List {
		if f.Kind != ExprAssign {
			return p, &unsupported{f.Pos, "poll() with these arguments"}
		}
		n, ok := f.List[0].number()
		if !ok {
			return p, &unsupported{f.Pos, "poll() event " + f.List[0].source()}
		}
		switch f.Text {
		case "fd":
			p.sock = r.fds[n]
		case "events":
			p.events = n
		case "revents":
			p.want = n
		}
	}
	if p.sock == nil {
		return p, &failure{pos: e.Pos, reason: "poll() of a descriptor that is no socket"}
	}
	return p, nil
}

func pollText(ev int64) string {
	var names []string
	for _, name := range []string{"POLLIN", "POLLOUT", "POLLERR", "POLLHUP", "POLLRDNORM", "POLLWRNORM", "POLLRDHUP"} {
		if ev&callConstants[name] != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "0"
	}
	return strings.Join(names, "|")
}
