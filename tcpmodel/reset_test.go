package tcpmodel

import (
	"fmt"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// openStates are the states in which an endpoint processes segments by RFC
// 9293 section 3.10.7.4, and the error of a RST in them.
var openStates = []struct {
	state          State
	start          func(p *puppet)
	sndNxt, rcvNxt segment.Seq
	err            Errno
}{
	{SynReceived, inSynReceivedActive, 101, 301, ECONNREFUSED},
	{Established, inEstablished, 101, 301, ECONNRESET},
	{FinWait1, inFinWait1, 102, 301, ECONNRESET},
	{FinWait2, inFinWait2, 102, 301, ECONNRESET},
	{CloseWait, inCloseWait, 101, 302, EPIPE},
	{Closing, inClosing, 102, 302, OK},
	{LastAck, inLastAck, 102, 302, OK},
}

// openStatesTest runs f in every open state of every profile, with nothing
// left to send.
func openStatesTest(t *testing.T, f func(t *testing.T, p *puppet, i int)) {
	t.Helper()
	profilesTest(t, func(t *testing.T, profile string) {
		for i, c := range openStates {
			t.Run(c.state.String(), func(t *testing.T) {
				p := newPuppet(t, profile, nil)
				c.start(p)
				p.in(c.state)
				p.sent = nil
				f(t, p, i)
			})
		}
	})
}

// Second step of RFC 9293 section 3.10.7.4 (RFC 5961 section 3): the exact
// number resets, another one in the window is challenged, the rest is nothing.
func TestReset(t *testing.T) {
	openStatesTest(t, func(t *testing.T, p *puppet, i int) {
		c := openStates[i]
		p.run(300 * ms) // until nothing waits to be acknowledged
		p.sent = nil
		for _, outside := range []segment.Seq{c.rcvNxt - 1, c.rcvNxt - 100, c.rcvNxt + 70000, c.rcvNxt + 1<<31} {
			p.arrive(fmt.Sprintf("<SEQ=%d><CTL=RST>", outside))
		}
		p.sends()
		p.in(c.state)
		p.arrive(fmt.Sprintf("<SEQ=%d><CTL=RST>", c.rcvNxt+1))
		p.sends(fmt.Sprintf("<SEQ=%d><ACK=%d><CTL=ACK>", c.sndNxt, c.rcvNxt))
		p.in(c.state)
		p.arrive(fmt.Sprintf("<SEQ=%d><CTL=RST>", c.rcvNxt))
		p.sends()
		if got := p.lastEnd(); got.Err != c.err || got.Why != CauseReset {
			t.Errorf("ended with %v by %v, want %v", got.Err, got.Why, c.err)
		}
		p.run(0)
		p.checkEmpty(t)
		p.idle(des.Hour)
	})
}

// Fourth step (RFC 5961 section 4): a SYN is challenged, in the window or out
// of it, and does no harm.
func TestSynInOpenStates(t *testing.T) {
	openStatesTest(t, func(t *testing.T, p *puppet, i int) {
		c := openStates[i]
		for _, seq := range []segment.Seq{c.rcvNxt, c.rcvNxt + 10, c.rcvNxt - 1000, c.rcvNxt + 100000} {
			s := parseLadder(t, fmt.Sprintf("<SEQ=%d><CTL=SYN>", seq))
			s.Src, s.Dst, s.SrcPort, s.DstPort = 2, 1, p.peerPort, p.port
			p.sent = nil
			p.Receive(p.sim.Now(), &s)
			if len(p.sent) > 1 || p.host.cfg.InvalidRateLimit == 0 && len(p.sent) == 0 {
				t.Errorf("SYN with SEQ=%d draws %v", seq, p.sent)
			}
			for range p.sent {
				p.sends(fmt.Sprintf("<SEQ=%d><ACK=%d><CTL=ACK>", c.sndNxt, c.rcvNxt))
			}
			p.in(c.state)
		}
	})
}

// Fifth step: without an ACK a segment is dropped, an ACK of what was never
// sent is answered and its data are not taken.
func TestBadAcks(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := established(t, profile, nil)
		p.arrive("<SEQ=301><DATA=10><CTL=PSH>")
		p.sends()
		p.arrive("<SEQ=301><ACK=102><DATA=10><CTL=ACK>")
		p.sends("<SEQ=101><ACK=301><CTL=ACK>")
		if p.ep.Readable() != 0 {
			t.Errorf("%d bytes readable", p.ep.Readable())
		}
		p.run(des.Second)
		p.arrive(fmt.Sprintf("<SEQ=301><ACK=%d><DATA=10><CTL=ACK>", uint32(1<<32+101-100000)))
		p.sends("<SEQ=101><ACK=301><CTL=ACK>")
		if p.ep.Readable() != 0 {
			t.Errorf("%d bytes readable", p.ep.Readable())
		}
	})
}

// First step: what lies outside the window is acknowledged, and linux limits
// the answers to segments without text to one per tcp_invalid_ratelimit.
func TestOutOfWindow(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := established(t, profile, nil)
		p.arrive("<SEQ=100000><ACK=101><DATA=10><CTL=ACK>")
		p.arrive("<SEQ=200000><ACK=101><DATA=10><CTL=ACK>")
		p.sends("<SEQ=101><ACK=301><CTL=ACK>", "<SEQ=101><ACK=301><CTL=ACK>")
		p.arrive("<SEQ=100000><ACK=101><CTL=ACK>")
		p.arrive("<SEQ=100000><ACK=101><CTL=ACK>")
		if answers := len(p.sent); profile == "linux" && answers != 1 || profile != "linux" && answers != 2 {
			t.Errorf("%d answers", answers)
		}
	})
}

// With SACK the end of the last stretch out of order counts as the exact
// number too, as in Linux.
func TestResetAtSackEdge(t *testing.T) {
	p := newPuppet(t, "linux", nil)
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1460><SACKOK><CTL=SYN>")
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.arrive("<SEQ=1301><ACK=101><DATA=1000><CTL=ACK>")
	p.sends("<SEQ=100><ACK=301><CTL=SYN,ACK>", "<SEQ=101><ACK=301><CTL=ACK><SACK=1301:2301>")
	p.arrive("<SEQ=2301><CTL=RST>")
	p.in(Listen)
}

// A half-open connection of a listener: the exact number returns it to LISTEN
// (RFC 9293 figure 5 note 1), another one does not.
func TestResetHalfOpen(t *testing.T) {
	profilesTest(t, func(t *testing.T, profile string) {
		p := newPuppet(t, profile, nil)
		inSynReceivedPassive(p)
		p.sent = nil
		p.arrive("<SEQ=200><CTL=RST>")
		p.arrive("<SEQ=100000><CTL=RST>")
		p.sends()
		p.arrive("<SEQ=500><CTL=RST>")
		if profile == "linux" {
			p.sends()
		} else {
			p.sends("<SEQ=101><ACK=301><CTL=ACK>")
		}
		p.in(SynReceived)
		p.arrive("<SEQ=301><CTL=RST>")
		p.in(Listen)
		p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
		p.sends("<SEQ=101><CTL=RST>")
		p.checkEmpty(t)
	})
}

// Segments to a port without listener (RFC 9293 section 3.10.7.1) and to a
// listener (section 3.10.7.2).
func TestNoConnection(t *testing.T) {
	for _, c := range []struct {
		segment, closed, listening string
	}{
		{"<SEQ=300><CTL=SYN>", "<SEQ=0><ACK=301><CTL=RST,ACK>", "<SEQ=100><ACK=301><CTL=SYN,ACK>"},
		{"<SEQ=300><DATA=7><CTL=SYN>", "<SEQ=0><ACK=308><CTL=RST,ACK>", "<SEQ=100><ACK=301><CTL=SYN,ACK>"},
		{"<SEQ=300><ACK=500><CTL=ACK>", "<SEQ=500><CTL=RST>", "<SEQ=500><CTL=RST>"},
		{"<SEQ=300><ACK=500><CTL=SYN,ACK>", "<SEQ=500><CTL=RST>", "<SEQ=500><CTL=RST>"},
		{"<SEQ=300><ACK=500><DATA=7><CTL=FIN,ACK>", "<SEQ=500><CTL=RST>", "<SEQ=500><CTL=RST>"},
		{"<SEQ=300><CTL=FIN>", "<SEQ=0><ACK=301><CTL=RST,ACK>", ""},
		{"<SEQ=300><CTL=RST>", "", ""},
		{"<SEQ=300><ACK=500><CTL=RST,ACK>", "", ""},
	} {
		for _, listening := range []bool{false, true} {
			p := newPuppet(t, "rfc9293", nil)
			want := c.closed
			if listening {
				p.passiveOpen(5)
				want = c.listening
			}
			p.arrive(c.segment)
			got := ""
			if len(p.sent) > 0 {
				got = p.sent[0][len("0.000 "):]
			}
			if s := got; s != want && s != swapFlags(want) {
				t.Errorf("listening %v: %s is answered with %q, want %q", listening, c.segment, got, want)
			}
		}
	}
}

func swapFlags(s string) string {
	if n := len(s); n > 9 && s[n-9:] == "<RST,ACK>" {
		return s[:n-9] + "<ACK,RST>"
	}
	return s
}

// lastWords is an App that reads what is left when its connection fails.
type lastWords struct {
	read int
	ev   Events
}

func (w *lastWords) HandleEvents(_ des.Time, ep *Endpoint, ev Events) {
	w.ev |= ev
	if ev&EvFailed != 0 {
		w.read += ep.Read(1 << 20)
	}
}

// Data that came before a RST can still be read when the App hears of it.
func TestReadAfterReset(t *testing.T) {
	p := established(t, "linux", nil)
	w := new(lastWords)
	p.ep.SetApp(w, 0)
	p.arrive("<SEQ=301><ACK=101><DATA=10><CTL=ACK>")
	p.arrive("<SEQ=311><CTL=RST>")
	if w.read != 10 || w.ev != EvReadable|EvFailed|EvReleased {
		t.Errorf("read %d, events %b", w.read, w.ev)
	}
}
