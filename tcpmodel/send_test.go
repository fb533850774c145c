package tcpmodel

import (
	"testing"

	"tcplab/des"
)

// What follows a record shares no segment with its end, and as soon as something
// does the end waits for nothing more (Linux's MSG_EOR).
func TestSendRecord(t *testing.T) {
	p := established(t, "linux", func(c *Config) { c.Timestamps = false })
	p.ep.Send(2000, SendRecord)
	p.ep.Send(100, SendRecord)
	p.sends("<SEQ=101><ACK=301><DATA=1460><CTL=ACK>", "<SEQ=1561><ACK=301><DATA=540><CTL=ACK>")
	p.ep.Write(200)
	p.sends("<SEQ=2101><ACK=301><DATA=100><CTL=ACK>")
	p.arrive("<SEQ=301><ACK=2101><CTL=ACK>")
	p.sends()
	p.arrive("<SEQ=301><ACK=2201><CTL=ACK>")
	p.sends("<SEQ=2201><ACK=301><DATA=200><CTL=ACK>")
	if len(p.ep.records) != 0 {
		t.Errorf("%d records are not forgotten", len(p.ep.records))
	}
}

// A segment that is not full waits for what SendMore promises, TCP_NODELAY or
// not; what waits too long leaves by the persist timer (Linux's MSG_MORE).
func TestSendMore(t *testing.T) {
	p := established(t, "linux", func(c *Config) { c.Timestamps = false })
	p.ep.SetSockOpt(TCPNoDelay, 1)
	p.ep.Send(2000, SendMore)
	p.sends("<SEQ=101><ACK=301><DATA=1460><CTL=ACK>")
	p.ep.Send(100, SendMore)
	p.sends()
	p.ep.Write(5)
	p.sends("<SEQ=1561><ACK=301><DATA=645><CTL=ACK>")
	p.arrive("<SEQ=301><ACK=2206><CTL=ACK>")
	p.ep.Send(10, SendMore)
	p.run(199 * ms)
	p.sends()
	p.run(2 * ms)
	p.sends("<SEQ=2206><ACK=301><DATA=10><CTL=ACK>")
}

// TCP_INFO tells how long a connection had data to send, and for how much of
// that it waited for the peer's window.
func TestInfoTimes(t *testing.T) {
	p := established(t, "linux", func(c *Config) { c.Timestamps = false })
	p.run(des.Second)
	p.arrive("<SEQ=301><ACK=101><WND=0><CTL=ACK>")
	p.ep.Write(100)
	p.run(100 * ms)
	p.arrive("<SEQ=301><ACK=101><WND=1000><CTL=ACK>")
	p.run(50 * ms)
	p.arrive("<SEQ=301><ACK=201><WND=1000><CTL=ACK>")
	p.run(30 * ms)
	i := p.ep.Info()
	if i.BusyTime != 150_000 || i.RwndLimited != 100_000 || i.SndbufLimited != 0 {
		t.Errorf("busy %d us, limited by the window %d us, by the buffer %d us", i.BusyTime, i.RwndLimited, i.SndbufLimited)
	}
	if i.LastDataSent != 80 || i.LastAckRecv != 30 || i.LastDataRecv != 1180 {
		t.Errorf("last sent %d ms, received %d ms, acknowledged %d ms ago", i.LastDataSent, i.LastDataRecv, i.LastAckRecv)
	}
}
