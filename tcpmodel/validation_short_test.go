package tcpmodel_test

import (
	"math"
	"strings"
	"sync"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// TestValidationShort measures handshakes and short transfers.
func TestValidationShort(t *testing.T) {
	tcpmodel.ValidationTable{
		File: "tcp_short.csv",
		Measure: map[string]func(*testing.T, row){
			"H-SYN-":     rowConnectTime,
			"H-BOTH-":    rowConnectTime,
			"H-6928-":    rowRounds,
			"H-SS-":      rowTransfer,
			"H-KR-":      rowLatency,
			"H-3742-std": rowSlowStart,
		},
		LeftOut: map[string]string{
			"H-CARD-": "a formula that counts failures of SYN and SYN-ACK one after the other; its row says that hosts with both timers are faster",
			"H-TFO-":  "TCP Fast Open is not modelled",
		},
	}.Run(t)
}

// handshakeLoss drops SYNs or SYN-ACKs.
type handshakeLoss struct {
	next network.Sink
	drop func() bool
}

func (h *handshakeLoss) Receive(now des.Time, s *segment.Segment) {
	if s.Has(segment.SYN) && h.drop() {
		return
	}
	h.next.Receive(now, s)
}

// connects is 20000 clients that connect and reset, measured once for the rows
// that ask for their mean time and for how many succeed.
type connects struct {
	once      sync.Once
	n, failed int
	sum       float64
}

func (c *connects) HandleEvents(_ des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	switch {
	case ev&tcpmodel.EvConnected != 0:
		s := ep.Stats()
		c.n, c.sum = c.n+1, c.sum+(s.Connected-s.Created).Seconds()
		ep.Abort()
	case ev&tcpmodel.EvFailed != 0:
		c.failed++
	}
}

var connectRuns sync.Map

func rowConnectTime(t *testing.T, r row) {
	id, ratio := strings.CutSuffix(r.ID, "-ok")
	v, _ := connectRuns.LoadOrStore(id, new(connects))
	c := v.(*connects)
	c.once.Do(func() { c.measure(t, r) })
	if ratio {
		r.Check(t, float64(c.n)/float64(c.n+c.failed), 0)
		return
	}
	r.Check(t, c.sum/float64(c.n), 0)
}

func (c *connects) measure(t *testing.T, r row) {
	clients := int(r.Number(t, "clients"))
	cfg := profile(t, "rfc9293")
	cfg.InitialRTO, cfg.RTOMax = seconds(r.Number(t, "init_rto")), des.Hour
	cfg.SynRetries, cfg.SynLinearTimeouts = int(r.Number(t, "syn_retries")), 0
	cfg.MaxSynBacklog = clients
	loss := [2]string{"p", ""}
	if strings.HasPrefix(r.ID, "H-BOTH-") {
		loss = [2]string{"p_fwd", "p_rev"}
		cfg.SynackRetries = int(r.Number(t, "synack_retries"))
	}
	sim := des.New(1, 0)
	var ends [2]*tcpmodel.Stack
	var ways [2]handshakeLoss
	for i, name := range []string{"client", "server"} {
		var err error
		ends[i], err = tcpmodel.NewStack(tcpmodel.StackOptions{Sim: sim, Name: name, Node: segment.Node(i + 1), Config: cfg, Out: &ways[i]})
		if err != nil {
			t.Fatal(err)
		}
		ways[i].drop = func() bool { return false }
		if loss[i] != "" {
			ways[i].drop = bernoulli(sim, "loss "+name, r.Number(t, loss[i]))
		}
	}
	for i := range ways {
		link, err := network.NewLink(sim, []string{"out", "back"}[i], network.LinkConfig{Delay: seconds(r.Number(t, "rtt")) / 2}, ends[1-i])
		if err != nil {
			t.Fatal(err)
		}
		ways[i].next = link
	}
	if _, err := ends[1].Listen(80, clients, &sink{Stack: ends[1]}); err != nil {
		t.Fatal(err)
	}
	for range clients {
		if _, err := ends[0].Connect(2, 80, c, tcpmodel.SocketOptions{}); err != nil {
			t.Fatal(err)
		}
		sim.Run(sim.Now() + 10*des.Millisecond)
	}
	sim.Run(sim.Now() + des.Hour)
	if c.n+c.failed != clients {
		t.Fatalf("%d of %d clients connected, %d failed", c.n, clients, c.failed)
	}
}

// transfer is a client that connects, asks, and is sent a number of bytes.
type transfer struct {
	bytes, got            int
	begun, asked, arrived des.Time
}

func (x *transfer) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&tcpmodel.EvConnected != 0 {
		x.asked = now
		ep.Write(100)
	}
	if ev&tcpmodel.EvReadable != 0 {
		x.got += ep.Read(math.MaxInt32)
		if x.got >= x.bytes && x.arrived == 0 {
			x.arrived = now
		}
	}
}

// transferServer answers what it reads with bytes.
type transferServer struct{ bytes int }

func (s *transferServer) HandleAcceptable(_ des.Time, l *tcpmodel.Listener) {
	for ep := l.Accept(); ep != nil; ep = l.Accept() {
		ep.SetApp(s, 0)
	}
}

func (s *transferServer) HandleEvents(_ des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&tcpmodel.EvReadable != 0 {
		ep.Read(math.MaxInt32)
		ep.Write(s.bytes)
	}
}

// transferConfig acknowledges every segment and keeps time stamps out of the
// segments, so that their payload is mss.
func transferConfig(t *testing.T, r row, mss float64, bytes int) tcpmodel.Config {
	cfg := profile(t, "rfc9293")
	cfg.InitialWindow = int(r.Number(t, "iw"))
	cfg.MTU, cfg.Timestamps = int(mss)+40, false
	cfg.AckPolicy = tcpmodel.AckImmediate
	windowFor(&cfg, 4*float64(bytes)/segmentSize)
	return cfg
}

// run carries out the transfer over a link of that rate, both ways of the same
// length.
func (x *transfer) run(t *testing.T, cfg tcpmodel.Config, rtt des.Time, rate int64) {
	t.Helper()
	sim := des.New(1, 0)
	link := func(name string, rate int64) *network.Link {
		l, err := network.NewLink(sim, name, network.LinkConfig{Rate: rate, Delay: rtt / 2}, byNode(nil))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	links := [2]*network.Link{link("up", 0), link("down", rate)}
	var ends [2]*tcpmodel.Stack
	for i, name := range []string{"client", "server"} {
		var err error
		ends[i], err = tcpmodel.NewStack(tcpmodel.StackOptions{Sim: sim, Name: name, Node: segment.Node(i + 1), Config: cfg, Out: links[i]})
		if err != nil {
			t.Fatal(err)
		}
	}
	links[0].SetNext(ends[1])
	links[1].SetNext(ends[0])
	_, err := ends[1].Listen(80, 1, &transferServer{bytes: x.bytes})
	if err == nil {
		_, err = ends[0].Connect(2, 80, x, tcpmodel.SocketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	x.begun = sim.Now()
	sim.Run(10 * des.Minute)
	if x.arrived == 0 {
		t.Fatalf("%d of %d bytes arrived", x.got, x.bytes)
	}
}

func rowTransfer(t *testing.T, r row) {
	const mss = 1460
	x := transfer{bytes: int(r.Number(t, "segments")) * mss}
	x.run(t, transferConfig(t, r, mss, x.bytes), seconds(r.Number(t, "rtt")), 0)
	r.Check(t, (x.arrived - x.begun).Seconds(), 0)
}

// The table of RFC 6928 section 5.1: one ACK for two segments, an odd one waits
// for the next round, and the window grows by one for each ACK.
func rowRounds(t *testing.T, r row) {
	const mss = 1460
	x := transfer{bytes: int(r.Number(t, "segments")) * mss}
	cfg := transferConfig(t, r, mss, x.bytes)
	cfg.AckPolicy, cfg.DelackTime, cfg.ByteCounting = tcpmodel.AckRFC, des.Hour, false
	rtt := seconds(r.Number(t, "rtt"))
	x.run(t, cfg, rtt, 0)
	r.Check(t, (x.arrived-x.asked).Seconds()/rtt.Seconds(), 0)
}

// The model of Kurose and Ross has no headers: the rate is raised so that a
// full segment takes as long as its payload alone would. What is left of them
// is the time of the SYN-ACK.
func rowLatency(t *testing.T, r row) {
	mss := r.Number(t, "mss")
	x := transfer{bytes: int(r.Number(t, "object_B"))}
	rate := r.Number(t, "rate_bps") * (mss + 40) / mss
	x.run(t, transferConfig(t, r, mss, x.bytes), seconds(r.Number(t, "rtt")), int64(rate))
	r.Check(t, (x.arrived - x.begun).Seconds(), 0)
}

// Slow start without loss, up to a window of 83 000 segments.
func rowSlowStart(t *testing.T, r row) {
	const rtt = 100 * des.Millisecond
	cfg := profile(t, "rfc9293")
	cfg.InitialWindow = int(r.Number(t, "start_cwnd"))
	cfg.AckPolicy = tcpmodel.AckImmediate
	target := r.Number(t, "target")
	windowFor(&cfg, 2*target)
	g := newRig(t, 1, cfg, nil, rtt)
	f := g.flows[0]
	f.start(t, 0)
	for float64(f.ep.Info().SndCwnd) < target {
		g.sim.Run(g.sim.Now() + des.Millisecond)
	}
	r.Check(t, (g.sim.Now()-f.ep.Stats().Connected).Seconds()/rtt.Seconds(), 0)
}
