package tcpmodel

import (
	"testing"

	"tcplab/tcpmodel/segment"
)

// tooBig is the ICMP message about the segment at seq that a router sends.
func (p *puppet) tooBig(seq segment.Seq, mtu uint16) {
	icmp := segment.Segment{Kind: segment.KindICMP, Src: 9, Dst: 1, SrcPort: p.port, DstPort: p.peerPort,
		Ack: 2, Seq: seq, Wnd: icmpUnreachable<<8 | codeFragNeeded, MSS: mtu}
	p.Receive(p.sim.Now(), &icmp)
	p.run(0)
}

// What was too large for the path leaves again at once in segments that are not
// (RFC 1191 section 6.4), and the window does not suffer.
func TestPathMTU(t *testing.T) {
	p := established(t, "linux", func(c *Config) { c.Timestamps = false })
	p.ep.Write(3000)
	p.sends("<SEQ=101><ACK=301><DATA=1460><CTL=ACK>", "<SEQ=1561><ACK=301><DATA=1460><CTL=ACK>", "<SEQ=3021><ACK=301><DATA=80><CTL=ACK>")
	p.tooBig(101, 1000)
	p.sends("<SEQ=101><ACK=301><DATA=960><CTL=ACK>", "<SEQ=1061><ACK=301><DATA=500><CTL=ACK>",
		"<SEQ=1561><ACK=301><DATA=960><CTL=ACK>", "<SEQ=2521><ACK=301><DATA=500><CTL=ACK>")
	info := p.ep.Info()
	if info.Unacked != 5 || info.Lost != 4 || info.Retrans != 4 || info.SndCwnd != 10 || info.SndMSS != 960 {
		t.Fatalf("%+v", info)
	}
	p.arrive("<SEQ=301><ACK=3101><CTL=ACK>")
	if info := p.ep.Info(); info.Unacked+info.Lost+info.Retrans != 0 || info.SndCwnd != 10 {
		t.Fatalf("%+v", info)
	}
	p.sent = nil
	p.ep.Write(1000)
	p.sends("<SEQ=3101><ACK=301><DATA=960><CTL=ACK>", "<SEQ=4061><ACK=301><DATA=40><CTL=ACK>")
}

// A report is believed only of a segment in flight (RFC 5927 section 4), below
// the least MTU it counts as that, and it is forgotten after ten minutes.
func TestPathMTUReports(t *testing.T) {
	p := established(t, "linux", nil)
	p.ep.Write(100)
	p.tooBig(5000, 1000)
	if got := p.ep.Info().SndMSS; got != 1460 || p.Counters().OutOfWindowIcmps != 1 {
		t.Errorf("segment size %d after a report about something else, %d counted", got, p.Counters().OutOfWindowIcmps)
	}
	p.tooBig(101, 100)
	if got := p.ep.Info().SndMSS; got != minPathMTU-tcpIPHeaders {
		t.Errorf("segment size %d, want %d", got, minPathMTU-tcpIPHeaders)
	}
	if got := p.mtuTo(p.sim.Now()+pathMTUExpires-1, 2); got != minPathMTU {
		t.Errorf("MTU %d before the report expires", got)
	}
	if got := p.mtuTo(p.sim.Now()+pathMTUExpires, 2); got != 1500 {
		t.Errorf("MTU %d after that", got)
	}
}
