package drill

import "fmt"

func (r *run) callRead(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	n, err := c.arg(2)
	if err != nil {
		return nil, err
	}
	flags, err := c.flagsOf(3, "MSG_PEEK", "MSG_DONTWAIT", "MSG_WAITALL", "MSG_NOSIGNAL", "MSG_TRUNC")
	if err != nil {
		return nil, err
	}
	if c.Args[1].isNull() && s.readable() > 0 {
		return returns(failing("EFAULT")), nil
	}
	return s.read(int(n), flags&0x40 != 0, flags&2 != 0, flags&0x100 != 0), nil
}

func (e *Expr) isNull() bool { return e.Kind == ExprWord && e.Text == "NULL" }

func (r *run) callWrite(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	n, err := c.arg(2)
	if err != nil {
		return nil, err
	}
	flags, err := c.flagsOf(3, "MSG_DONTWAIT", "MSG_NOSIGNAL", "MSG_FASTOPEN", "MSG_MORE", "MSG_EOR")
	if err != nil {
		return nil, err
	}
	if flags&callConstants["MSG_FASTOPEN"] != 0 {
		if len(c.Args) > 4 && c.Args[4].Text == "AF_UNSPEC" {
			return returns(failing("EOPNOTSUPP")), nil
		}
		if c.Args[1].isNull() && n > 0 {
			return returns(failing("EFAULT")), nil
		}
		return s.sendFast(int(n), flags), nil
	}
	if c.Args[1].isNull() && n > 0 && s.failure() == "" && (!s.handshaking() || s.waits()) {
		return returns(failing("EFAULT")), nil
	}
	return s.write(int(n), flags), nil
}

// vector returns how many bytes [{..., n}, {..., m}] has.
func vector(e *Expr) (int, bool) {
	total := 0
	for _, v := range e.List {
		if v.Kind != ExprStruct || len(v.List) != 2 {
			return 0, false
		}
		n, ok := v.List[1].number()
		if !ok {
			return 0, false
		}
		total += int(n)
	}
	return total, e.Kind == ExprList
}

func (c *Call) vectorArg(i int) (int, error) {
	if i < len(c.Args) {
		if n, ok := vector(c.Args[i]); ok {
			return n, nil
		}
	}
	return 0, &unsupported{c.Pos, fmt.Sprintf("%s() with these arguments", c.Name)}
}

func (r *run) callReadv(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	n, err := c.vectorArg(1)
	if err != nil {
		return nil, err
	}
	return s.read(n, false, false, false), nil
}

func (r *run) callWritev(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	n, err := c.vectorArg(1)
	if err != nil {
		return nil, err
	}
	return s.write(n, 0), nil
}

// message returns how many bytes the vectors of a struct msghdr have.
func (c *Call) message() (int, error) {
	if len(c.Args) > 1 {
		n, found := 0, false
		for _, f := range c.Args[1].List {
			switch {
			case f.Kind == ExprAssign && f.Text == "msg_iov":
				n, found = vector(f.List[0])
			case f.Kind == ExprAssign && f.Text == "msg_control":
				return 0, &unsupported{f.Pos, "msg_control of " + c.Name + "()"}
			}
		}
		if found {
			return n, nil
		}
	}
	return 0, &unsupported{c.Pos, fmt.Sprintf("%s() with these arguments", c.Name)}
}

func (r *run) callRecvmsg(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	n, err := c.message()
	if err != nil {
		return nil, err
	}
	flags, err := c.flagsOf(2, "MSG_PEEK", "MSG_DONTWAIT", "MSG_WAITALL", "MSG_NOSIGNAL")
	if err != nil {
		return nil, err
	}
	return s.read(n, flags&0x40 != 0, flags&2 != 0, flags&0x100 != 0), nil
}

func (r *run) callSendmsg(c *Call) (attempt, error) {
	s, err := r.socketOf(c)
	if err != nil {
		return nil, err
	}
	n, err := c.message()
	if err != nil {
		return nil, err
	}
	flags, err := c.flagsOf(2, "MSG_DONTWAIT", "MSG_NOSIGNAL", "MSG_FASTOPEN", "MSG_MORE", "MSG_EOR")
	if err != nil {
		return nil, err
	}
	if flags&callConstants["MSG_FASTOPEN"] != 0 {
		return s.sendFast(n, flags), nil
	}
	return s.write(n, flags), nil
}
