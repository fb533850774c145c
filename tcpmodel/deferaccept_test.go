package tcpmodel

import (
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// TCP_DEFER_ACCEPT of 5 s is three timeouts, 7 s: a peer that acknowledges the
// SYN-ACK and says nothing is left alone until 7 s, when the SYN-ACK comes again
// and its ACK is taken without data. Data are taken at any time.
func TestDeferAccept(t *testing.T) {
	const (
		peer = segment.Node(7)
		iss  = segment.Seq(100) // of a puppet's connections
	)
	open := func(t *testing.T) *puppet {
		p := newPuppet(t, "linux", nil)
		p.passiveOpen(10)
		if err := p.l.SetSockOpt(TCPDeferAccept, 5); err != OK {
			t.Fatal(err)
		}
		if got := p.l.sock.get(TCPDeferAccept); got != 7 {
			t.Errorf("TCP_DEFER_ACCEPT reads %d s, want 7", got)
		}
		p.syn(peer, 5000)
		p.thirdAck(peer, 5000, iss)
		if p.InState(SynReceived) != 1 || p.Counters().TCPDeferAcceptDrop != 1 {
			t.Fatalf("%d in SYN-RECEIVED, %d dropped", p.InState(SynReceived), p.Counters().TCPDeferAcceptDrop)
		}
		return p
	}
	t.Run("data", func(t *testing.T) {
		p := open(t)
		p.run(3 * des.Second)
		p.Receive(p.sim.Now(), &segment.Segment{Src: peer, Dst: 1, SrcPort: 5000, DstPort: 80, Seq: 301, Ack: iss + 1, Flags: segment.ACK | segment.PSH, Wnd: 65535, Len: 10})
		if p.InState(Established) != 1 {
			t.Error("data did not open the connection")
		}
	})
	t.Run("patience", func(t *testing.T) {
		p := open(t)
		p.run(6900 * ms)
		if n := len(p.sent); n != 1 {
			t.Errorf("%d segments sent before 7 s, want the SYN-ACK alone", n)
		}
		p.run(200 * ms)
		if n := len(p.sent); n != 2 || !strings.HasPrefix(p.sent[1], "7.000 <SEQ=100><ACK=301><CTL=SYN,ACK>") {
			t.Fatalf("%d segments sent at 7 s, want the SYN-ACK again: %q", n, p.sent)
		}
		p.thirdAck(peer, 5000, iss)
		if p.InState(Established) != 1 {
			t.Error("the last chance was not taken")
		}
	})
	t.Run("gone", func(t *testing.T) {
		p := open(t)
		p.run(62900 * ms)
		if p.InState(SynReceived) != 1 {
			t.Error("given up before 63 s")
		}
		p.run(200 * ms)
		p.checkEmpty(t)
		if n := len(p.sent); n != 4 {
			t.Errorf("%d segments, want the SYN-ACK at 0, 7, 15 and 31 s", n)
		}
	})
}
