package drill

import "tcplab/des"

// epoll is an epoll instance: the sockets of its interest list, in the order in
// which they were added.
type epoll struct{ items []*interest }

// interest is one socket of an epoll instance.
type interest struct {
	sock   *socket
	events int64
	// ready: something has happened since the item was reported, which is
	// what edge triggering asks for.
	ready bool
}

// The operations of epoll_ctl(2), and the flags of its events beside those of
// poll(2).
const (
	epollAdd     = 1
	epollDel     = 2
	epollMod     = 3
	epollOneShot = 1 << 30
	epollEdge    = 1 << 31
)

func (r *run) callEpollCreate(c *Call) (attempt, error) {
	fd, ok := c.Result.number()
	if !ok || fd < 0 {
		return nil, &unsupported{c.Pos, c.Name + "() without a descriptor as its result"}
	}
	r.epolls[fd] = &epoll{}
	return returns(success(fd)), nil
}

// epollOf returns the instance of argument 0.
func (r *run) epollOf(c *Call) (*epoll, error) {
	fd, err := c.arg(0)
	if err != nil {
		return nil, err
	}
	if p := r.epolls[fd]; p != nil {
		return p, nil
	}
	return nil, &failure{pos: c.Pos, reason: c.Name + "() of a descriptor that is no epoll instance"}
}

// field returns the number that a structure gives to a field, 0 if it has none.
func (e *Expr) field(name string) (int64, error) {
	for _, f := range e.List {
		if f.Kind == ExprAssign && f.Text == name {
			n, ok := f.List[0].number()
			if !ok {
				return 0, &unsupported{f.Pos, name + " " + f.List[0].source()}
			}
			return n, nil
		}
	}
	return 0, nil
}

func (r *run) callEpollCtl(c *Call) (attempt, error) {
	p, err := r.epollOf(c)
	if err != nil {
		return nil, err
	}
	op, err := c.arg(1)
	if err != nil {
		return nil, err
	}
	fd, err := c.arg(2)
	if err != nil {
		return nil, err
	}
	var events int64
	if op != epollDel && len(c.Args) > 3 {
		if events, err = c.Args[3].field("events"); err != nil {
			return nil, err
		}
	}
	return returns(p.control(op, r.fds[fd], events)), nil
}

func (p *epoll) control(op int64, s *socket, events int64) result {
	at := -1
	for i, it := range p.items {
		if it.sock == s {
			at = i
		}
	}
	switch {
	case s == nil:
		return failing("EBADF")
	case op == epollAdd && at >= 0:
		return failing("EEXIST")
	case op != epollAdd && at < 0:
		return failing("ENOENT")
	case op == epollAdd:
		p.items = append(p.items, &interest{s, events, true})
	case op == epollMod:
		*p.items[at] = interest{s, events, true}
	case op == epollDel:
		p.items = append(p.items[:at], p.items[at+1:]...)
	default:
		return failing("EINVAL")
	}
	return success(0)
}

// happened marks the items of a socket that something has happened at.
func (r *run) happened(s *socket) {
	for _, p := range r.epolls {
		for _, it := range p.items {
			if it.sock == s {
				it.ready = true
			}
		}
	}
}

// take returns the items with something to report, at most limit, and what that
// is.
func (p *epoll) take(limit int) (items []*interest, events []int64) {
	for _, it := range p.items {
		ev := it.sock.events() & (it.events | pollErr | pollHup)
		if !it.ready || ev == 0 || len(items) == limit || it.events&^(epollEdge|epollOneShot) == 0 {
			continue
		}
		if it.events&epollEdge != 0 {
			it.ready = false
		}
		if it.events&epollOneShot != 0 {
			it.events = 0
		}
		items, events = append(items, it), append(events, ev)
	}
	return items, events
}

func (r *run) callEpollWait(c *Call) (attempt, error) {
	p, err := r.epollOf(c)
	if err != nil {
		return nil, err
	}
	limit, err := c.arg(2)
	if err != nil {
		return nil, err
	}
	timeout, err := c.arg(3)
	if err != nil {
		return nil, err
	}
	want := []*Expr{c.Args[1]}
	if c.Args[1].Kind == ExprList {
		want = c.Args[1].List
	}
	until := r.sim.Now() + des.Time(timeout)*des.Millisecond
	if timeout > 0 {
		r.sim.Arm(r.sim.NewTimer(1, ignore{}, 0), until)
	}
	return func() (result, bool) {
		items, events := p.take(int(limit))
		if len(items) == 0 && (timeout < 0 || r.sim.Now() < until) {
			return result{}, false
		}
		for i, it := range items {
			if err := r.reported(c, want, i, it, events[i]); err != nil && r.err == nil {
				r.err = err
			}
		}
		return success(int64(len(items))), true
	}, nil
}

// reported compares event i with what the script expects.
func (r *run) reported(c *Call, want []*Expr, i int, it *interest, got int64) error {
	if i >= len(want) || want[i].Kind == ExprAny {
		return nil
	}
	events, err := want[i].field("events")
	if err != nil {
		return err
	}
	fd, err := want[i].field("fd")
	if err != nil {
		return err
	}
	if events != got || fd != 0 && fd != it.sock.fd {
		return &failure{pos: c.Pos, reason: "epoll_wait() reports other events", expected: pollText(events), got: pollText(got)}
	}
	return nil
}
