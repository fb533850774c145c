package drill

import (
	"fmt"
	"slices"

	"tcplab/des"
)

// pendingCall is a call that blocks.
type pendingCall struct {
	call           *Call
	try            attempt
	end, tolerance des.Time
}

// callFunc starts a system call. Its error is a failure or unsupported.
type callFunc func(r *run, c *Call) (attempt, error)

var calls map[string]callFunc

func init() {
	calls = map[string]callFunc{
		"socket": (*run).callSocket, "bind": (*run).callBind, "listen": (*run).callListen,
		"accept": (*run).callAccept, "accept4": (*run).callAccept, "connect": (*run).callConnect,
		"read": (*run).callRead, "recv": (*run).callRead, "recvfrom": (*run).callRead,
		"readv": (*run).callReadv, "recvmsg": (*run).callRecvmsg,
		"write": (*run).callWrite, "send": (*run).callWrite, "sendto": (*run).callWrite,
		"writev": (*run).callWritev, "sendmsg": (*run).callSendmsg,
		"close": (*run).callClose, "shutdown": (*run).callShutdown,
		"setsockopt": (*run).callSetsockopt, "getsockopt": (*run).callGetsockopt,
		"fcntl": (*run).callFcntl, "ioctl": (*run).callIoctl, "poll": (*run).callPoll,
		"epoll_create": (*run).callEpollCreate, "epoll_create1": (*run).callEpollCreate,
		"epoll_ctl": (*run).callEpollCtl, "epoll_wait": (*run).callEpollWait,
	}
}

// call carries out a system call of the script.
func (r *run) call(e *Event) error {
	c := e.Call
	if b := r.blocked; b != nil {
		return &failure{pos: c.Pos, reason: fmt.Sprintf("%s() while %s() of line %d still blocks", c.Name, b.call.Name, b.call.Pos.Line)}
	}
	start := r.sim.Now()
	r.note(note{at: start, text: r.script.Line(c.Pos.Line)})
	try, err := calls[c.Name](r, c)
	if err != nil {
		return err
	}
	r.blocked = &pendingCall{call: c, try: try, end: start + c.End - e.At, tolerance: r.tolerance(start)}
	if c.Blocks && e.Kind == TimeAbsolute {
		r.blocked.end = startOfClock + c.End
	}
	if !c.Blocks {
		r.blocked.end = start
	}
	if r.poll(); r.err != nil || c.Blocks || r.blocked == nil {
		return r.err
	}
	// The script gives no time, so the call returns about at once.
	b := r.blocked
	for r.blocked != nil && r.err == nil && r.sim.NextDeadline() <= b.end+b.tolerance {
		if err := r.step(); err != nil {
			return err
		}
	}
	if r.blocked != nil && r.err == nil {
		r.err = &failure{pos: c.Pos, reason: fmt.Sprintf("%s() blocks", c.Name), expected: c.text()}
	}
	return r.err
}

// poll tries the call that blocks again.
func (r *run) poll() {
	b := r.blocked
	if b == nil || r.err != nil {
		return
	}
	now := r.sim.Now()
	res, done := b.try()
	switch {
	case !done && now > b.end+b.tolerance:
		r.err = &failure{pos: b.call.Pos, reason: fmt.Sprintf("%s() still blocks at %s (it should return at %s)", b.call.Name, clock(now), clock(b.end)), expected: b.call.text()}
		return
	case !done:
		return
	}
	r.blocked = nil
	if err := b.call.verify(res); err != nil {
		r.err = err
		return
	}
	if off := now - b.end; max(off, -off) > b.tolerance {
		r.err = &failure{pos: b.call.Pos, reason: fmt.Sprintf("%s() returned at %s, not at %s", b.call.Name, clock(now), clock(b.end)), expected: b.call.text()}
	}
}

func (c *Call) text() string {
	if c.Errno != "" {
		return fmt.Sprintf("%s() = -1 %s", c.Name, c.Errno)
	}
	if n, ok := c.Result.number(); ok {
		return fmt.Sprintf("%s() = %d", c.Name, n)
	}
	return c.Name + "() = ..."
}

func (res result) text(name string) string {
	if res.errno != "" {
		return fmt.Sprintf("%s() = -1 %s", name, res.errno)
	}
	return fmt.Sprintf("%s() = %d", name, res.n)
}

// verify compares what the call returned with what the script says. An error
// that the script does not name may be any.
func (c *Call) verify(res result) error {
	n, exact := c.Result.number()
	if res.n == -1 && exact && n == -1 && (c.Errno == res.errno || c.Errno == "") || (exact && n == res.n || !exact) && res.n >= 0 && c.Errno == "" {
		return nil
	}
	return &failure{pos: c.Pos, reason: c.Name + "() returned something else", expected: c.text(), got: res.text(c.Name)}
}

var callConstants = map[string]int64{
	"O_RDONLY": 0, "O_WRONLY": 1, "O_RDWR": 2, "O_NONBLOCK": 0x800, "SOCK_NONBLOCK": 0x800, "SOCK_CLOEXEC": 0x80000,
	"SOCK_STREAM": 1, "SHUT_RD": shutRead, "SHUT_WR": shutWrite, "SHUT_RDWR": shutBoth,
	"MSG_OOB": 1, "MSG_PEEK": 2, "MSG_TRUNC": 0x20, "MSG_DONTWAIT": 0x40, "MSG_EOR": 0x80, "MSG_WAITALL": 0x100,
	"MSG_NOSIGNAL": 0x4000, "MSG_MORE": 0x8000, "MSG_ZEROCOPY": 0x4000000, "MSG_FASTOPEN": 0x20000000, "MSG_ERRQUEUE": 0x2000, "AF_UNSPEC": 0, "IP_PMTUDISC_DONT": 0,
	"POLLIN": pollIn, "POLLOUT": pollOut, "POLLERR": pollErr, "POLLHUP": pollHup, "POLLRDNORM": pollRdNorm,
	"POLLWRNORM": pollWrNorm, "POLLRDHUP": pollRdHup, "NULL": 0,
	"EPOLLIN": pollIn, "EPOLLOUT": pollOut, "EPOLLERR": pollErr, "EPOLLHUP": pollHup, "EPOLLRDHUP": pollRdHup,
	"EPOLLET": epollEdge, "EPOLLONESHOT": epollOneShot, "EPOLL_CTL_ADD": epollAdd, "EPOLL_CTL_DEL": epollDel, "EPOLL_CTL_MOD": epollMod,
}

// number returns the value of an expression that is a number, false for "..."
// and for what is none.
func (e *Expr) number() (int64, bool) {
	switch e.Kind {
	case ExprInt:
		return e.Int, true
	case ExprWord:
		if n, ok := callConstants[e.Text]; ok {
			return n, true
		}
		n, ok := constants[e.Text]
		return n, ok
	case ExprOr:
		a, ok := e.List[0].number()
		b, ok2 := e.List[1].number()
		return a | b, ok && ok2
	case ExprCall:
		if (e.Text == "htons" || e.Text == "htonl") && len(e.List) == 1 {
			return e.List[0].number()
		}
	case ExprList:
		if len(e.List) == 1 {
			return e.List[0].number()
		}
	}
	return 0, false
}

// arg returns argument i as a number.
func (c *Call) arg(i int) (int64, error) {
	if i >= len(c.Args) {
		return 0, &failure{pos: c.Pos, reason: fmt.Sprintf("%s() wants at least %d arguments", c.Name, i+1)}
	}
	n, ok := c.Args[i].number()
	if !ok {
		return 0, &unsupported{c.Args[i].Pos, fmt.Sprintf("argument %d of %s()", i+1, c.Name)}
	}
	return n, nil
}

// socketOf returns the socket of argument 0.
func (r *run) socketOf(c *Call) (*socket, error) {
	fd, err := c.arg(0)
	if err != nil {
		return nil, err
	}
	s := r.fds[fd]
	if s == nil {
		return nil, &failure{pos: c.Pos, reason: fmt.Sprintf("%s(): no socket has descriptor %d", c.Name, fd)}
	}
	return s, nil
}

// install gives a new socket the descriptor that the script expects.
func (r *run) install(c *Call, s *socket) result {
	fd, ok := c.Result.number()
	if !ok || fd < 0 {
		fd = 3
		for r.fds[fd] != nil {
			fd++
		}
	}
	s.fd = fd
	r.fds[fd] = s
	return success(fd)
}

func (r *run) callSocket(c *Call) (attempt, error) {
	kind, err := c.arg(1)
	if err != nil {
		return nil, err
	}
	s := &socket{r: r, nonblock: kind&callConstants["SOCK_NONBLOCK"] != 0}
	r.conn = &conn{vals: map[uint32]uint32{}, joined: map[uint32]bool{}, sock: s}
	return returns(r.install(c, s)), nil
}

func (r *run) callBind(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	if s.bound != 0 {
		return returns(failing("EINVAL")), nil
	}
	for _, fd := range r.sorted() {
		if other := r.fds[fd]; other.bound == servicePort && other.listener != nil {
			return returns(failing("EADDRINUSE")), nil
		}
	}
	s.bound = servicePort
	return returns(success(0)), nil
}

func (r *run) sorted() []int64 {
	fds := make([]int64, 0, len(r.fds))
	for fd := range r.fds {
		fds = append(fds, fd)
	}
	slices.Sort(fds)
	return fds
}

func (r *run) callListen(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	backlog, err := c.arg(1)
	if err != nil {
		return nil, err
	}
	if s.active() {
		return returns(failing("EINVAL")), nil
	}
	port := s.bound
	if port == 0 {
		port = r.unbound
		r.unbound++
	}
	l, e := r.stack.Listen(port, int(max(backlog, 0)), nil)
	if e != nil {
		return returns(failing(e.Error())), nil
	}
	for _, o := range s.options {
		l.SetSockOpt(o.opt, o.val)
	}
	if s.fastOpenKey != nil {
		l.SetFastOpenKey(*s.fastOpenKey)
	}
	s.listener, s.bound = l, port
	if r.conn != nil && r.conn.sock == s {
		r.conn.phase = phaseListening
	}
	return returns(success(0)), nil
}

func (r *run) callAccept(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	if s.listener == nil {
		return returns(failing("EINVAL")), nil
	}
	nonblock := false
	if len(c.Args) > 3 {
		flags, err := c.arg(3)
		if err != nil {
			return nil, err
		}
		nonblock = flags&callConstants["SOCK_NONBLOCK"] != 0
	}
	return func() (result, bool) {
		ep := s.listener.Accept()
		if ep == nil {
			return failing("EAGAIN"), s.nonblock
		}
		n := &socket{r: r, ep: ep, nonblock: nonblock, connected: true, bound: s.bound}
		ep.SetApp(n, 0)
		if k := ep.Conn(); r.conn != nil && k.Remote == peerNode && k.RemotePort == r.conn.remotePort {
			r.conn.sock = n
		}
		return r.install(c, n), true
	}, nil
}

func (r *run) callConnect(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	if len(c.Args) > 1 && c.Args[1].Text == "AF_UNSPEC" {
		return returns(s.disconnect()), nil
	}
	return s.connect(), nil
}

// flagsOf returns the flags of argument i, 0 if there is none, and refuses those
// that the runner does not have.
func (c *Call) flagsOf(i int, have ...string) (int64, error) {
	if i >= len(c.Args) {
		return 0, nil
	}
	flags, err := c.arg(i)
	if err != nil {
		return 0, err
	}
	rest := flags
	for _, name := range have {
		rest &^= callConstants[name]
	}
	if rest != 0 {
		return 0, &unsupported{c.Args[i].Pos, fmt.Sprintf("flags %s of %s()", c.Args[i].source(), c.Name)}
	}
	return flags, nil
}

func (e *Expr) source() string {
	switch e.Kind {
	case ExprOr:
		return e.List[0].source() + "|" + e.List[1].source()
	case ExprAny:
		return "..."
	}
	return e.Text
}

func (r *run) callClose(c *Call) (attempt, error) {
	if fd, err := c.arg(0); err == nil && r.epolls[fd] != nil {
		delete(r.epolls, fd)
		return returns(success(0)), nil
	}
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	delete(r.fds, s.fd)
	s.close()
	return returns(success(0)), nil
}

func (r *run) callShutdown(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	how, err := c.arg(1)
	if err != nil {
		return nil, err
	}
	return returns(s.shutdown(how)), nil
}

func (r *run) callFcntl(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	if len(c.Args) < 2 {
		return nil, &failure{pos: c.Pos, reason: "fcntl() wants a command"}
	}
	switch c.Args[1].Text {
	case "F_GETFL":
		flags := callConstants["O_RDWR"]
		if s.nonblock {
			flags |= callConstants["O_NONBLOCK"]
		}
		return returns(success(flags)), nil
	case "F_SETFL":
		flags, err := c.arg(2)
		if err != nil {
			return nil, err
		}
		s.nonblock = flags&callConstants["O_NONBLOCK"] != 0
		return returns(success(0)), nil
	}
	return nil, &unsupported{c.Args[1].Pos, "fcntl " + c.Args[1].source()}
}

func (r *run) callIoctl(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	if len(c.Args) < 3 {
		return nil, &failure{pos: c.Pos, reason: "ioctl() wants three arguments"}
	}
	got := int64(0)
	switch request := c.Args[1].Text; request {
	case "FIONREAD", "SIOCINQ":
		got = int64(s.readable())
	case "SIOCOUTQ", "TIOCOUTQ", "SIOCOUTQNSD":
		info := s.info()
		if got = s.written - int64(info.BytesAcked); request == "SIOCOUTQNSD" {
			got = int64(info.NotsentBytes)
		}
	case "FIONBIO":
		v, err := c.arg(2)
		if err != nil {
			return nil, err
		}
		s.nonblock = v != 0
		return returns(success(0)), nil
	default:
		return nil, &unsupported{c.Args[1].Pos, "ioctl " + request}
	}
	if s.listener != nil {
		return returns(failing("EINVAL")), nil
	}
	return c.yields(2, got)
}

// yields is a call that returns 0 and got in its argument i.
func (c *Call) yields(i int, got int64) (attempt, error) {
	want, exact := c.Args[i].number()
	if exact && want != got {
		return nil, &failure{pos: c.Args[i].Pos, reason: fmt.Sprintf("argument %d of %s() has another value", i+1, c.Name),
			expected: fmt.Sprint(want), got: fmt.Sprint(got)}
	}
	return returns(success(0)), nil
}
