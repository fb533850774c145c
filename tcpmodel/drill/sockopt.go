package drill

import (
	"fmt"

	"tcplab/tcpmodel"
)

// inert are socket options that change nothing that a script can see here.
var inert = map[string]bool{"SO_REUSEADDR": true, "SO_REUSEPORT": true, "SO_PRIORITY": true, "SO_MARK": true,
	"IP_FREEBIND": true, "SO_INCOMING_CPU": true, "SO_DEBUG": true, "IP_BIND_ADDRESS_NO_PORT": true, "SO_DONTROUTE": true,
	"IP_TOS": true, "IP_MTU_DISCOVER": true}

// errnos are the numbers that SO_ERROR returns.
var errnos = map[string]int64{"": 0, "EAGAIN": 11, "EPIPE": 32, "EADDRINUSE": 98, "EADDRNOTAVAIL": 99, "ENETUNREACH": 101,
	"ECONNABORTED": 103, "ECONNRESET": 104, "EISCONN": 106, "ENOTCONN": 107, "ETIMEDOUT": 110, "ECONNREFUSED": 111,
	"EHOSTUNREACH": 113, "EALREADY": 114, "EINPROGRESS": 115, "EINVAL": 22, "EOPNOTSUPP": 95, "EMSGSIZE": 90, "ENOPROTOOPT": 92}

func (c *Call) option() (string, error) {
	if len(c.Args) < 4 {
		return "", &failure{pos: c.Pos, reason: c.Name + "() wants a level, an option and a value"}
	}
	if c.Args[2].Kind != ExprWord {
		return "", &unsupported{c.Args[2].Pos, c.Name + "() of an option by number"}
	}
	return c.Args[2].Text, nil
}

func (r *run) callSetsockopt(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	name, err := c.option()
	if err != nil {
		return nil, err
	}
	if inert[name] {
		return returns(success(0)), nil
	}
	switch name {
	case "TCP_CONGESTION":
		return s.setCongestion(c)
	case "TCP_FASTOPEN_KEY":
		return s.setFastOpenKey(c)
	}
	opt, ok := tcpmodel.SockOptNamed(name)
	if !ok {
		return nil, &unsupported{c.Args[2].Pos, "socket option " + name}
	}
	v, err := c.optionValue(name)
	if err != nil {
		return nil, err
	}
	if e := s.fastOpenOption(opt, v); e != "" {
		return returns(failing(e)), nil
	}
	e := tcpmodel.OK
	switch {
	case s.ep != nil:
		e = s.ep.SetSockOpt(opt, v)
	case s.listener != nil:
		e = s.listener.SetSockOpt(opt, v)
	default:
		var o tcpmodel.SocketOptions
		e = o.Set(opt, v)
	}
	if e == tcpmodel.OK {
		s.options = append(s.options, sockOption{opt, v})
	}
	return returns(outcome(e)), nil
}

func outcome(e tcpmodel.Errno) result {
	if e != tcpmodel.OK {
		return failing(e.Error())
	}
	return success(0)
}

// optionValue returns [1] or {onoff=1, linger=0} as the stack wants it.
func (c *Call) optionValue(name string) (int64, error) {
	e := c.Args[3]
	if name == "SO_LINGER" && e.Kind == ExprStruct {
		on, seconds := int64(0), int64(0)
		for _, f := range e.List {
			if f.Kind != ExprAssign {
				continue
			}
			n, _ := f.List[0].number()
			switch f.Text {
			case "onoff":
				on = n
			case "linger":
				seconds = n
			}
		}
		if on == 0 {
			return -1, nil
		}
		return seconds, nil
	}
	n, ok := e.number()
	if !ok {
		return 0, &unsupported{e.Pos, fmt.Sprintf("this value of %s", name)}
	}
	return n, nil
}

func (s *socket) setCongestion(c *Call) (attempt, error) {
	if c.Args[3].Kind != ExprString {
		return nil, &unsupported{c.Args[3].Pos, "this value of TCP_CONGESTION"}
	}
	name := c.Args[3].Text
	switch {
	case s.ep != nil:
		if e := s.ep.SetCongestion(name); e != tcpmodel.OK {
			return returns(failing("ENOENT")), nil
		}
	case s.listener != nil:
		return nil, &unsupported{c.Pos, "TCP_CONGESTION of a listener"}
	default:
		s.congestion = name
	}
	return returns(success(0)), nil
}

func (r *run) callGetsockopt(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	name, err := c.option()
	if err != nil {
		return nil, err
	}
	switch name {
	case "SO_ERROR":
		return c.yields(3, errnos[s.takeFailure()])
	case "TCP_CONGESTION":
		return nil, &unsupported{c.Args[2].Pos, "getsockopt TCP_CONGESTION"}
	}
	opt, ok := tcpmodel.SockOptNamed(name)
	if !ok {
		return nil, &unsupported{c.Args[2].Pos, "socket option " + name}
	}
	v, e := int64(0), tcpmodel.OK
	if s.ep != nil {
		v, e = s.ep.GetSockOpt(opt)
	} else {
		for _, o := range s.options {
			if o.opt == opt {
				v = o.val
			}
		}
	}
	if e != tcpmodel.OK {
		return returns(outcome(e)), nil
	}
	if opt == tcpmodel.SoSndbuf || opt == tcpmodel.SoRcvbuf {
		// Linux reports twice what was asked for, to count overhead.
		v *= 2
	}
	return c.yields(3, v)
}
