package tcpmodel_test

import (
	"math"
	"strconv"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// kernelStep is one blocking call of an application. It returns whether it is
// done; if not it is tried again when something has happened.
type kernelStep func(h *kernelHost, now des.Time) bool

func (h *kernelHost) say(now des.Time, what, value string) { h.event(now, h.name, what, value) }

// proceed runs the script until it blocks.
func (h *kernelHost) proceed(now des.Time) {
	if h.busy {
		return
	}
	h.busy = true
	for len(h.script) > 0 && h.script[0](h, now) {
		h.script = h.script[1:]
		h.got, h.left, h.until = 0, 0, 0
	}
	h.busy = false
}

func (h *kernelHost) HandleTimer(now des.Time, _ uint64) { h.proceed(now) }

func (h *kernelHost) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	h.seen |= ev
	if ev&tcpmodel.EvFailed != 0 {
		h.err = ep.Err()
	}
	h.proceed(now)
	if ev&tcpmodel.EvReleased != 0 {
		h.ep = nil
	}
}

func (h *kernelHost) HandleAcceptable(now des.Time, _ *tcpmodel.Listener) { h.proceed(now) }

func wait(d des.Time) kernelStep {
	return func(h *kernelHost, now des.Time) bool {
		if h.until == 0 {
			h.until = now + d
		}
		if now < h.until {
			h.sim.Arm(h.timer, h.until)
			return false
		}
		return true
	}
}

// poll waits until a condition holds, looking every 0.1 ms.
func poll(done func(h *kernelHost) bool) kernelStep {
	return func(h *kernelHost, now des.Time) bool {
		if done(h) {
			return true
		}
		h.sim.Arm(h.timer, now+100*des.Microsecond)
		return false
	}
}

func do(f func(h *kernelHost, now des.Time)) kernelStep {
	return func(h *kernelHost, now des.Time) bool { f(h, now); return true }
}

func dial(o tcpmodel.SocketOptions) kernelStep {
	return func(h *kernelHost, now des.Time) bool {
		if h.ep == nil && h.seen == 0 {
			h.say(now, "connect_call", "")
			var err error
			h.ep, err = h.stack.Connect(2, kernelPort, h, o)
			h.check(err)
			return false
		}
		switch {
		case h.err != nil:
			h.say(now, "connect_error", h.err.Error())
			h.script = h.script[:1]
		case h.seen&tcpmodel.EvConnected != 0:
			h.say(now, "connect_return", "")
		default:
			return false
		}
		return true
	}
}

func accept(event string) kernelStep {
	return func(h *kernelHost, now des.Time) bool {
		if h.l == nil {
			return false
		}
		if h.ep = h.l.Accept(); h.ep == nil {
			return false
		}
		h.ep.SetApp(h, 0)
		if event != "" {
			h.say(now, event, "")
		}
		return true
	}
}

func send(n int) kernelStep {
	return func(h *kernelHost, now des.Time) bool {
		if h.left == 0 {
			h.say(now, "send_call", strconv.Itoa(n))
			h.left = n
		}
		if h.ep == nil {
			return true
		}
		for {
			k := h.ep.Write(h.left)
			if h.left -= k; h.left == 0 {
				return true
			}
			if k == 0 {
				return false
			}
		}
	}
}

// receive reads n bytes, or with n < 0 all up to the end of the stream.
func receive(n int, done, eof string) kernelStep {
	return func(h *kernelHost, now des.Time) bool {
		for h.err == nil && h.ep != nil {
			limit := 65536
			if n >= 0 {
				limit = n - h.got
			}
			k := h.ep.Read(limit)
			if h.got += k; k == 0 || h.got == n {
				break
			}
		}
		switch {
		case h.got == n:
		case h.err != nil:
			h.say(now, "recv_error", h.err.Error())
			return true
		case h.ep == nil || !h.ep.EOF():
			return false
		}
		if done != "" {
			h.say(now, done, strconv.Itoa(h.got))
		}
		if n < 0 && eof != "" {
			h.say(now, eof, "")
		}
		return true
	}
}

func gone(h *kernelHost) bool { return h.ep == nil }

var closeCall = do(func(h *kernelHost, now des.Time) {
	h.say(now, "close_call", "")
	if h.ep != nil {
		h.ep.Close()
	}
})

var shutdownCall = do(func(h *kernelHost, now des.Time) {
	h.say(now, "shutdown_wr", "")
	h.ep.Shutdown()
})

var vanish = do(func(h *kernelHost, now des.Time) {
	h.dark = true
	h.event(now, "link", "vanish", "")
})

var allAcked = []kernelStep{
	poll(func(h *kernelHost) bool { i := h.ep.Info(); return i.Unacked+i.NotsentBytes == 0 }),
	do(func(h *kernelHost, now des.Time) { h.say(now, "all_acked", "") }),
}

// setUp starts the applications of the case.
func (r *kernelReplay) setUp() {
	client, server := &r.hosts[0], &r.hosts[1]
	if r.c.params["mode"] != "refused" {
		var err error
		server.l, err = server.stack.Listen(kernelPort, 128, server)
		r.check(err)
	}
	switch {
	case r.c.group == "acceptq":
		r.queueScripts(client, server)
	case r.c.params["kind"] != "":
		r.vanishScripts(client, server)
	case r.c.group == "burst":
		r.burstScripts(client, server)
	case r.c.group == "bulk20":
		client.script = []kernelStep{dial(tcpmodel.SocketOptions{}), send(int(r.c.number(r.t, "bytes"))), shutdownCall}
		server.script = []kernelStep{accept(""), receive(-1, "", "recv_eof")}
	case r.c.group == "bern":
		client.script = []kernelStep{dial(tcpmodel.SocketOptions{}), send(math.MaxInt32)}
		server.script = []kernelStep{accept(""), receive(-1, "", "recv_eof")}
	case r.c.group == "twlen":
		client.script = []kernelStep{dial(tcpmodel.SocketOptions{}), send(10), wait(200 * des.Millisecond), closeCall}
		server.script = []kernelStep{accept(""), receive(10, "recv_done", ""), receive(-1, "", "recv_eof"), closeCall}
	default:
		r.echoScripts(client, server)
	}
	server.proceed(r.start)
	client.proceed(r.start)
}

func (r *kernelReplay) echoScripts(client, server *kernelHost) {
	req, resp := int(r.c.number(r.t, "req")), int(r.c.number(r.t, "resp"))
	delay := fromMS(r.c.number(r.t, "delay_c2s"))
	const half = 500 * des.Millisecond
	client.script = []kernelStep{dial(tcpmodel.SocketOptions{})}
	server.script = []kernelStep{accept("accept_return")}
	c := func(s ...kernelStep) { client.script = append(client.script, s...) }
	s := func(s ...kernelStep) { server.script = append(server.script, s...) }
	askAndAnswer := func() {
		c(send(req), receive(resp, "recv_done", ""))
		s(receive(req, "recv_done", ""), send(resp))
	}
	serverToEOF := func() { s(receive(-1, "", "recv_eof"), closeCall) }
	switch mode := r.c.params["mode"]; mode {
	case "client_first":
		askAndAnswer()
		c(closeCall)
		serverToEOF()
	case "server_first":
		askAndAnswer()
		c(receive(-1, "", "recv_eof"), closeCall)
		s(closeCall)
	case "server_speaks":
		c(receive(resp, "recv_done", ""), closeCall)
		s(send(resp))
		serverToEOF()
	case "half":
		c(send(req), shutdownCall, receive(-1, "", "recv_eof"), closeCall)
		s(receive(-1, "", "recv_eof"))
		for range 3 {
			s(wait(200*des.Millisecond), send(resp))
		}
		s(closeCall)
	case "simul":
		askAndAnswer()
		c(wait(half-delay), closeCall)
		s(wait(half), closeCall)
	case "idle":
		c(wait(fromMS(r.c.number(r.t, "idle_ms"))), closeCall)
		serverToEOF()
	case "unread":
		c(send(req), wait(4*delay+100*des.Millisecond), closeCall)
		s(receive(req, "recv_done", ""), send(resp), receive(-1, "", "recv_eof"), closeCall)
	case "refused":
	default:
		r.t.Fatalf("%v: unknown mode %q", r.c, mode)
	}
}

func (r *kernelReplay) burstScripts(client, server *kernelHost) {
	client.script = []kernelStep{dial(tcpmodel.SocketOptions{}), wait(fromMS(r.c.number(r.t, "pre_ms"))), send(int(r.c.number(r.t, "bytes")))}
	client.script = append(client.script, allAcked...)
	client.script = append(client.script, wait(50*des.Millisecond), closeCall)
	server.script = []kernelStep{accept(""), wait(fromMS(r.c.number(r.t, "read_delay_ms"))), receive(-1, "recv_done", "recv_eof"), closeCall}
}

// vanishScripts are those in which an end is not there any more.
func (r *kernelReplay) vanishScripts(client, server *kernelHost) {
	o := tcpmodel.SocketOptions{UserTimeout: fromMS(r.c.number(r.t, "user_timeout_ms"))}
	if n := r.c.number(r.t, "ka_cnt"); n > 0 {
		o.Keepalive, o.KeepCnt = true, int(n)
		o.KeepIdle, o.KeepIntvl = fromMS(1000*r.c.number(r.t, "ka_idle")), fromMS(1000*r.c.number(r.t, "ka_intvl"))
	}
	bytes := int(r.c.number(r.t, "bytes"))
	quiet := wait(fromMS(r.c.number(r.t, "quiet_ms")))
	forError := receive(math.MaxInt32, "", "")
	client.script = []kernelStep{dial(o)}
	server.script = []kernelStep{accept("")}
	c := func(s ...kernelStep) { client.script = append(client.script, s...) }
	s := func(s ...kernelStep) { server.script = append(server.script, s...) }
	echo := func() {
		c(send(100), receive(100, "recv_done", ""), quiet)
		s(receive(100, "recv_done", ""), send(100))
	}
	switch kind := r.c.params["kind"]; kind {
	case "connect_bh":
		r.dark = true
	case "finwait2":
		echo()
		c(closeCall)
		s(poll(func(*kernelHost) bool { return gone(client) }), send(10))
	case "keepalive", "keepalive_ut":
		echo()
		c(vanish, forError)
	case "keepalive_alive":
		echo()
		c(wait(20*des.Second+700*des.Millisecond), do(func(h *kernelHost, now des.Time) { h.say(now, "recv_error", "EAGAIN") }))
	case "orphan_fin":
		echo()
		c(do(func(h *kernelHost, _ des.Time) { h.dark = true }), closeCall)
	case "retries2", "usertimeout":
		echo()
		c(vanish, send(bytes), forError)
	case "zerowin":
		c(send(bytes))
		c(do(func(h *kernelHost, now des.Time) { h.say(now, "send_done", "") }))
		s(wait(fromMS(r.c.number(r.t, "stall_ms"))), do(func(h *kernelHost, now des.Time) { h.say(now, "start_reading", "") }), receive(-1, "", ""))
	case "synack":
		client.script, server.script = nil, nil
		r.spoofSyn()
	default:
		r.t.Fatalf("%v: unknown kind %q", r.c, kind)
	}
}

// spoofSyn injects a SYN of a host that is not there.
func (r *kernelReplay) spoofSyn() {
	seg := segment.Segment{Src: 3, Dst: 2, SrcPort: 4000, DstPort: kernelPort, Seq: 1000, Wnd: 64240,
		Flags: segment.SYN, Opts: segment.OptMSS, MSS: 1460}
	r.hosts[0].conn(seg.SrcPort).iss = seg.Seq
	r.order++
	r.run.packets = append(r.run.packets, kernelPacket{dir: '!', flags: "S", window: 64240, options: "mss=1460", order: r.order, handled: r.order})
	r.event(r.start, "attacker", "spoofed_syn", "")
	r.hosts[1].stack.Receive(r.start, &seg)
}
