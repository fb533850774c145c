package drill

import (
	"tcplab/des"
	"tcplab/tcpmodel"
)

// result is what a system call returns: a number, and the error's name if the
// number is -1.
type result struct {
	n     int64
	errno string
}

func success(n int64) result { return result{n: n} }

func failing(errno string) result { return result{-1, errno} }

// attempt tries to finish a call and reports whether it did. A call that blocks
// is tried again whenever something has happened.
type attempt func() (result, bool)

// returns is a call that never blocks.
func returns(res result) attempt { return func() (result, bool) { return res, true } }

// socket is a socket of the script's process, with the semantics of Linux's
// socket layer above the endpoint.
type socket struct {
	r *run
	// fd is the script's number of it. flags are those of F_GETFL.
	fd       int64
	nonblock bool
	bound    uint16
	// options were set before there was a listener or an endpoint.
	options    []sockOption
	congestion string
	// fastOpenKey is TCP_FASTOPEN_KEY.
	fastOpenKey *[16]byte

	listener *tcpmodel.Listener
	ep       *tcpmodel.Endpoint
	// gone is the last state of an endpoint that the stack has let go of.
	gone *remains
	// connecting: connect() was called and has not reported the outcome.
	connecting, connected bool
	errTaken              bool
	// disconnected: connect(AF_UNSPEC) has freed the socket for another
	// connection.
	disconnected bool
	// noSpace: a write waits to be told of room in the send buffer.
	noSpace             bool
	readShut, writeShut bool
	written             int64
}

type sockOption struct {
	opt tcpmodel.SockOpt
	val int64
}

// remains is what a socket still knows of an endpoint without its memory.
type remains struct {
	info     tcpmodel.Info
	state    tcpmodel.State
	err      tcpmodel.Errno
	readable int
	eof      bool
}

// HandleEvents keeps what the user of the socket may still ask for when the
// stack lets go of the endpoint.
func (s *socket) HandleEvents(_ des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	s.r.happened(s)
	if ev&tcpmodel.EvWritable != 0 {
		s.noSpace = false
	}
	if ev&tcpmodel.EvReleased == 0 || ep != s.ep {
		return
	}
	s.gone = &remains{info: ep.Info(), state: ep.State(), err: ep.Err(), readable: ep.Readable(),
		eof: ep.Readable() == 0 && ep.EOF()}
	s.ep = nil
}

func (s *socket) active() bool { return s.ep != nil || s.gone != nil }

func (s *socket) state() tcpmodel.State {
	switch {
	case s.ep != nil:
		return s.ep.State()
	case s.listener != nil:
		return tcpmodel.Listen
	}
	return tcpmodel.Closed
}

func (s *socket) info() tcpmodel.Info {
	switch {
	case s.ep != nil:
		return s.ep.Info()
	case s.gone != nil:
		return s.gone.info
	}
	return tcpmodel.Info{State: 7}
}

func (s *socket) readable() int {
	switch {
	case s.ep != nil:
		return s.ep.Readable()
	case s.gone != nil:
		return s.gone.readable
	}
	return 0
}

// eof reports whether the stream of the peer has ended and was read.
func (s *socket) eof() bool {
	switch {
	case s.ep != nil:
		return s.ep.EOF()
	case s.gone != nil:
		return s.gone.eof && s.gone.readable == 0
	}
	return false
}

// failure is the error of the connection that nobody has been told of, "" for
// none.
func (s *socket) failure() string {
	err := tcpmodel.OK
	switch {
	case s.errTaken:
	case s.ep != nil:
		err = s.ep.Err()
	case s.gone != nil:
		err = s.gone.err
	}
	return err.Error()
}

// takeFailure is failure, which is thereby told.
func (s *socket) takeFailure() string {
	e := s.failure()
	if e != "" {
		s.errTaken = true
	}
	return e
}

func (s *socket) handshaking() bool {
	st := s.state()
	return s.ep != nil && (st == tcpmodel.SynSent || st == tcpmodel.SynReceived && !s.ep.FastOpenPending())
}

// open makes the SYN of an active open leave; with fast it is one of Fast Open.
func (s *socket) open(fast bool) string {
	o := tcpmodel.SocketOptions{LocalPort: s.bound, Congestion: s.congestion}
	for _, x := range s.options {
		o.Set(x.opt, x.val)
	}
	o.FastOpen = o.FastOpen || fast
	if c := s.r.conn; c != nil && c.sock == s && (c.phase == phaseNew || s.disconnected) {
		s.disconnected = false
		c.phase, c.remotePort, c.since = phaseConnecting, servicePort, s.r.sim.Now()
	}
	ep, err := s.r.stack.Connect(peerNode, servicePort, s, o)
	if err != nil {
		return err.Error()
	}
	s.ep, s.gone, s.errTaken = ep, nil, false
	return ""
}

// disconnect is connect(AF_UNSPEC): it resets the connection, and the socket is
// as new.
func (s *socket) disconnect() result {
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	if ep := s.ep; ep != nil {
		s.ep = nil
		ep.Abort()
	}
	s.gone, s.bound = nil, 0
	s.connecting, s.connected, s.readShut, s.writeShut, s.noSpace, s.errTaken = false, false, false, false, false, false
	s.disconnected = true
	return success(0)
}

// connect follows the order of Linux's __inet_stream_connect.
func (s *socket) connect() attempt {
	code := "EALREADY"
	switch {
	case s.connected || s.listener != nil:
		return returns(failing("EISCONN"))
	case !s.connecting:
		code = "EINPROGRESS"
		if e := s.open(false); e != "" {
			return returns(failing(e))
		}
		if s.connecting = true; s.waits() {
			return returns(success(0))
		}
	case s.waits():
		return returns(failing("EISCONN"))
	}
	return func() (result, bool) {
		if s.handshaking() {
			return failing(code), s.nonblock
		}
		s.connecting = false
		if s.state() == tcpmodel.Closed {
			if e := s.takeFailure(); e != "" {
				return failing(e), true
			}
			return failing("ECONNABORTED"), true
		}
		s.connected = true
		return success(0), true
	}
}

// read follows the order of Linux's tcp_recvmsg. With peek the data stay.
func (s *socket) read(n int, dontWait, peek, all bool) attempt {
	got := 0
	return func() (result, bool) {
		if s.listener != nil {
			return failing("ENOTCONN"), true
		}
		if avail := min(s.readable(), n-got); avail > 0 {
			got += s.consume(avail, peek)
			if got == n || !all || peek {
				return success(int64(got)), true
			}
		}
		switch {
		case got > 0 && (s.eof() || s.failure() != "" || s.readShut || s.state() == tcpmodel.Closed):
			return success(int64(got)), true
		case s.eof():
			return success(0), true
		case s.failure() != "":
			return failing(s.takeFailure()), true
		case s.readShut, s.errTaken:
			return success(0), true
		case s.state() == tcpmodel.Closed && s.active():
			return success(0), true
		case s.state() == tcpmodel.Closed:
			return failing("ENOTCONN"), true
		case n == 0:
			return success(0), true
		case (s.nonblock || dontWait) && got > 0:
			return success(int64(got)), true
		}
		return failing("EAGAIN"), s.nonblock || dontWait
	}
}

func (s *socket) consume(n int, peek bool) int {
	switch {
	case peek:
	case s.ep != nil:
		return s.ep.Read(n)
	case s.gone != nil:
		s.gone.readable -= n
	}
	return n
}

// write follows the order of Linux's tcp_sendmsg.
func (s *socket) write(n int, flags int64) attempt {
	if s.waits() {
		return s.sendFast(n, flags)
	}
	done, dontWait := 0, flags&callConstants["MSG_DONTWAIT"] != 0
	var how tcpmodel.SendFlags
	if flags&callConstants["MSG_MORE"] != 0 {
		how |= tcpmodel.SendMore
	}
	if flags&callConstants["MSG_EOR"] != 0 {
		how |= tcpmodel.SendRecord
	}
	return func() (result, bool) {
		wait := !s.nonblock && !dontWait
		if s.handshaking() {
			if e := s.takeFailure(); e != "" {
				return failing(e), true
			}
			return failing("EAGAIN"), !wait
		}
		st := s.state()
		open := st == tcpmodel.Established || st == tcpmodel.CloseWait || st == tcpmodel.SynReceived
		if broken := !open || s.writeShut; broken || s.failure() != "" {
			switch e := s.takeFailure(); {
			case done > 0:
				return success(int64(done)), true
			case e != "":
				return failing(e), true
			}
			return failing("EPIPE"), true
		}
		if wait && s.noSpace {
			return result{}, false
		}
		k := s.ep.Send(n-done, how)
		done += k
		s.written += int64(k)
		switch {
		case done == n:
			return success(int64(n)), true
		case wait:
			s.noSpace = true
			return result{}, false
		case done > 0:
			return success(int64(done)), true
		}
		return failing("EAGAIN"), true
	}
}

// The ways of shutdown(2).
const (
	shutRead = iota
	shutWrite
	shutBoth
)

func (s *socket) shutdown(how int64) result {
	switch {
	case how < shutRead || how > shutBoth:
		return failing("EINVAL")
	case s.listener != nil && how != shutWrite:
		s.listener.Close()
		s.listener = nil
		return success(0)
	case s.ep == nil || s.state() == tcpmodel.Closed:
		return failing("ENOTCONN")
	case s.state() == tcpmodel.SynSent:
		s.ep.Close()
		s.connecting = false
		return success(0)
	}
	s.readShut = s.readShut || how != shutWrite
	if how != shutRead {
		s.writeShut = true
		s.ep.Shutdown()
	}
	return success(0)
}

func (s *socket) close() {
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	if s.ep != nil {
		s.ep.Close()
	}
}

// The bits of poll(2).
const (
	pollIn     = 1
	pollOut    = 4
	pollErr    = 8
	pollHup    = 16
	pollRdNorm = 64
	pollWrNorm = 256
	pollRdHup  = 0x2000
)

// events are those of Linux's tcp_poll.
func (s *socket) events() int64 {
	if s.listener != nil {
		if s.listener.AcceptQueue() > 0 {
			return pollIn | pollRdNorm
		}
		return 0
	}
	var ev int64
	st := s.state()
	readEnd := s.eof() || s.readShut || st == tcpmodel.Closed || st >= tcpmodel.CloseWait
	writeEnd := s.writeShut || st == tcpmodel.Closed
	if readEnd && writeEnd {
		ev |= pollHup
	}
	if readEnd {
		ev |= pollIn | pollRdNorm | pollRdHup
	}
	if s.failure() != "" {
		ev |= pollErr
	}
	if s.waits() {
		return ev | pollOut | pollWrNorm
	}
	if s.handshaking() {
		return ev
	}
	if s.readable() > 0 {
		ev |= pollIn | pollRdNorm
	}
	if writeEnd || s.ep != nil && s.ep.Writable() {
		ev |= pollOut | pollWrNorm
	}
	return ev
}
