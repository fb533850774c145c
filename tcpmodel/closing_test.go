package tcpmodel

import "testing"

// The peer's FIN is taken from behind our own: it was sent before the ACK of
// ours that has overtaken it.
func TestOvertakenFin(t *testing.T) {
	p := established(t, "linux", nil)
	p.ep.Shutdown()
	p.sends("<SEQ=101><ACK=301><CTL=FIN,ACK>")
	p.arrive("<SEQ=302><ACK=102><CTL=ACK>")
	p.arrive("<SEQ=301><ACK=101><CTL=FIN,ACK>")
	p.sends("<SEQ=102><ACK=302><CTL=ACK>")
	p.in(TimeWait)
}

// The ACK of a FIN reports no duplicates (Linux's tcp_fin).
func TestFinForgetsDuplicates(t *testing.T) {
	p := newPuppet(t, "linux", nil)
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1460><SACKOK><CTL=SYN>")
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.arrive("<SEQ=301><ACK=101><DATA=1000><CTL=ACK>")
	p.ep.Read(1000)
	p.sent = nil
	p.arrive("<SEQ=301><ACK=101><DATA=1000><CTL=FIN,ACK>")
	p.run(50 * ms)
	p.sends("<SEQ=101><ACK=1302><CTL=ACK>")
}

// Of several duplicates in one segment the first is reported (RFC 2883 section
// 4, as Linux does it).
func TestFirstDuplicateReported(t *testing.T) {
	p := newPuppet(t, "linux", nil)
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1460><SACKOK><CTL=SYN>")
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.arrive("<SEQ=401><ACK=101><DATA=100><CTL=ACK>")
	p.arrive("<SEQ=601><ACK=101><DATA=100><CTL=ACK>")
	p.sent = nil
	p.arrive("<SEQ=301><ACK=101><DATA=500><CTL=ACK>")
	p.sends("<SEQ=101><ACK=801><CTL=ACK><SACK=401:501>")
}
