package workload

import (
	"errors"
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/congestion"
)

// Socket is the options that an application sets on its sockets with
// setsockopt(2), by their names in lower case. What is left out is as the stack
// has it.
type Socket struct {
	Keepalive   *bool              `key:"so_keepalive" doc:"Keepalive probes are sent."`
	KeepIdle    *quantity.Duration `key:"tcp_keepidle" doc:"Idle time before the first keepalive probe, instead of tcp_keepalive_time." above:"0s" example:"60s"`
	KeepIntvl   *quantity.Duration `key:"tcp_keepintvl" doc:"Time between keepalive probes, instead of tcp_keepalive_intvl." above:"0s" example:"10s"`
	KeepCnt     *int               `key:"tcp_keepcnt" doc:"Unanswered probes that end the connection, instead of tcp_keepalive_probes." min:"1" max:"127" example:"5"`
	UserTimeout *quantity.Duration `key:"tcp_user_timeout" doc:"How long data or probes may go unacknowledged before the connection is given up." min:"1ms" example:"30s"`
	SynCnt      *int               `key:"tcp_syncnt" doc:"How often a SYN is sent again, instead of tcp_syn_retries." min:"1" max:"127" example:"2"`
	NoDelay     *bool              `key:"tcp_nodelay" doc:"Small segments do not wait for the ACK of the last one (Nagle's algorithm is off)."`
	Cork        *bool              `key:"tcp_cork" doc:"Only full segments leave."`
	QuickAck    *bool              `key:"tcp_quickack" doc:"true: set again after each read, as applications do that want every ACK at once; false: set once, so that ACKs are delayed from the start."`
	Linger      *quantity.Duration `key:"so_linger" doc:"SO_LINGER with that time; only 0s is modelled: close sends RST." max:"0s"`
	Linger2     *quantity.Duration `key:"tcp_linger2" doc:"Stay in FIN-WAIT-2 after close, instead of tcp_fin_timeout." above:"0s" example:"10s"`
	SndBuf      *quantity.Size     `key:"so_sndbuf" doc:"Send buffer, not growing by itself." min:"1B" example:"64KiB"`
	RcvBuf      *quantity.Size     `key:"so_rcvbuf" doc:"Receive buffer in bytes of payload, not growing by itself." min:"1B" example:"64KiB"`
	Lowat       *quantity.Size     `key:"tcp_notsent_lowat" doc:"The application may write while less than this waits to be sent." min:"1B" example:"16KiB"`
	MaxSeg      *quantity.Size     `key:"tcp_maxseg" doc:"Largest segment that is offered and sent." min:"88B" max:"32767B" example:"1000B"`
	WindowClamp *quantity.Size     `key:"tcp_window_clamp" doc:"Largest window that is offered." min:"1B" example:"16KiB"`
	Congestion  *string            `key:"tcp_congestion" doc:"Congestion control, instead of tcp_congestion_control." example:"reno"`
	DeferAccept *quantity.Duration `key:"tcp_defer_accept" doc:"Of a listener: connections are accepted with their first data; the third segment alone is ignored for about that long. 0s is off." example:"5s"`
	FastOpen    *int               `key:"tcp_fastopen" doc:"Of a listener: how many connections may be open before their handshake is complete; needs 2 in the sysctl tcp_fastopen." min:"0" example:"128"`
	FastConnect *bool              `key:"tcp_fastopen_connect" doc:"Of a client: the SYN carries data once a cookie is known; needs 1 in the sysctl tcp_fastopen."`
	NoCookie    *bool              `key:"tcp_fastopen_no_cookie" doc:"Fast Open without cookies."`
}

// check reports options that do not fit the side of the connection or make no
// sense.
func (s *Socket) check(listens bool) error {
	if !listens && (s.DeferAccept != nil || s.FastOpen != nil) {
		return errors.New("socket: tcp_defer_accept and tcp_fastopen are options of a listener (set them at the server)")
	}
	if listens && (s.FastConnect != nil || s.SynCnt != nil) {
		return errors.New("socket: tcp_fastopen_connect and tcp_syncnt are options of who connects (set them at the client)")
	}
	if s.Linger != nil && *s.Linger != 0 {
		return errors.New("socket: so_linger: only 0s is modelled, with which close sends RST")
	}
	if s.Congestion != nil {
		if _, err := congestion.New(*s.Congestion); err != nil {
			return fmt.Errorf("socket: tcp_congestion: %w", err)
		}
	}
	return nil
}

// apply changes o as the options say.
func (s *Socket) apply(o *tcpmodel.SocketOptions) {
	set(&o.Keepalive, s.Keepalive)
	setTime(&o.KeepIdle, s.KeepIdle)
	setTime(&o.KeepIntvl, s.KeepIntvl)
	set(&o.KeepCnt, s.KeepCnt)
	setTime(&o.UserTimeout, s.UserTimeout)
	set(&o.SynCnt, s.SynCnt)
	set(&o.NoDelay, s.NoDelay)
	set(&o.Cork, s.Cork)
	if s.QuickAck != nil {
		o.NoQuickAck = !*s.QuickAck
	}
	o.LingerReset = o.LingerReset || s.Linger != nil
	setTime(&o.Linger2, s.Linger2)
	setSize(&o.SndBuf, s.SndBuf)
	setSize(&o.RcvBuf, s.RcvBuf)
	setSize(&o.NotsentLowat, s.Lowat)
	setSize(&o.MaxSeg, s.MaxSeg)
	setSize(&o.WindowClamp, s.WindowClamp)
	set(&o.Congestion, s.Congestion)
	setTime(&o.DeferAccept, s.DeferAccept)
	set(&o.FastOpenQueue, s.FastOpen)
	set(&o.FastOpen, s.FastConnect)
	set(&o.FastOpenNoCookie, s.NoCookie)
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func setTime(to *des.Time, from *quantity.Duration) {
	if from != nil {
		*to = des.Time(*from)
	}
}

func setSize[T int | uint32](to *T, from *quantity.Size) {
	if from != nil {
		*to = T(*from)
	}
}

// listen opens a listener whose connections have these options.
func (b *base) listen(port uint16, backlog int, a tcpmodel.Acceptor, o tcpmodel.SocketOptions) (*tcpmodel.Listener, error) {
	l, err := b.stack.Listen(port, backlog, a)
	if err != nil {
		return nil, err
	}
	if o != (tcpmodel.SocketOptions{}) {
		l.SetOptions(o)
	}
	return l, nil
}

// reader reads for an application, which asks for quick ACKs again after each
// read if it wants them: the kernel leaves that mode by itself.
type reader struct{ quick bool }

func (s *Socket) reader() reader { return reader{s.QuickAck != nil && *s.QuickAck} }

// drain reads all that has arrived and returns how many bytes that was.
func (r reader) drain(ep *tcpmodel.Endpoint) (n int64) {
	for {
		k := ep.Read(1 << 30)
		if k == 0 {
			break
		}
		n += int64(k)
	}
	if r.quick && n > 0 {
		ep.SetSockOpt(tcpmodel.TCPQuickAck, 1)
	}
	return n
}
