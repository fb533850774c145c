package tcpmodel

import (
	"strings"
	"testing"

	"tcplab/des"
)

// Starting states of a puppet. SND.NXT is 101 and RCV.NXT is 301 as far as both
// are known.
func inListen(p *puppet) { p.passiveOpen(5) }

func inSynSent(p *puppet) { p.activeOpen(SocketOptions{}) }

func inSynReceivedPassive(p *puppet) {
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1460><CTL=SYN>")
}

func inSynReceivedActive(p *puppet) {
	p.activeOpen(SocketOptions{})
	p.arrive("<SEQ=300><MSS=1460><CTL=SYN>")
}

func inEstablished(p *puppet) {
	inSynReceivedPassive(p)
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
}

func inFinWait1(p *puppet)  { inEstablished(p); p.ep.Close(); p.run(0) }
func inFinWait2(p *puppet)  { inFinWait1(p); p.arrive("<SEQ=301><ACK=102><CTL=ACK>") }
func inClosing(p *puppet)   { inFinWait1(p); p.arrive("<SEQ=301><ACK=101><CTL=FIN,ACK>") }
func inTimeWait(p *puppet)  { inFinWait2(p); p.arrive("<SEQ=301><ACK=102><CTL=FIN,ACK>") }
func inCloseWait(p *puppet) { inEstablished(p); p.arrive("<SEQ=301><ACK=101><CTL=FIN,ACK>") }
func inLastAck(p *puppet)   { inCloseWait(p); p.ep.Close(); p.run(0) }

// transitionCases produce the transitions of RFC 9293 figure 5.
var transitionCases = map[string]struct {
	start func(p *puppet)
	event func(p *puppet)
}{
	"F5-1": {func(*puppet) {}, inListen},
	"F5-2": {func(*puppet) {}, inSynSent},
	"F5-3": {inListen, func(p *puppet) { p.l.Close() }},
	"F5-4": {inListen, func(p *puppet) { p.arrive("<SEQ=300><CTL=SYN>") }},
	"F5-5": {inListen, func(p *puppet) {
		ep, err := p.l.ConnectFrom(2, p.peerPort, p.host, SocketOptions{})
		if err != nil {
			p.t.Fatal(err)
		}
		ep.Write(10)
	}},
	"F5-6":  {inSynSent, func(p *puppet) { p.ep.Close() }},
	"F5-7":  {inSynSent, func(p *puppet) { p.arrive("<SEQ=300><CTL=SYN>") }},
	"F5-8":  {inSynSent, func(p *puppet) { p.arrive("<SEQ=300><ACK=101><CTL=SYN,ACK>") }},
	"F5-9":  {inSynReceivedPassive, func(p *puppet) { p.arrive("<SEQ=301><ACK=101><CTL=ACK>") }},
	"F5-10": {inSynReceivedPassive, func(p *puppet) { p.arrive("<SEQ=301><CTL=RST>") }},
	"F5-11": {inSynReceivedActive, func(p *puppet) { p.ep.Close() }},
	"F5-12": {inEstablished, func(p *puppet) { p.ep.Close() }},
	"F5-13": {inEstablished, func(p *puppet) { p.arrive("<SEQ=301><ACK=101><CTL=FIN,ACK>") }},
	"F5-14": {inCloseWait, func(p *puppet) { p.ep.Close() }},
	"F5-15": {inFinWait1, func(p *puppet) { p.arrive("<SEQ=301><ACK=102><CTL=ACK>") }},
	"F5-16": {inFinWait1, func(p *puppet) { p.arrive("<SEQ=301><ACK=101><CTL=FIN,ACK>") }},
	"F5-17": {inFinWait1, func(p *puppet) { p.arrive("<SEQ=301><ACK=102><CTL=FIN,ACK>") }},
	"F5-18": {inFinWait2, func(p *puppet) { p.arrive("<SEQ=301><ACK=102><CTL=FIN,ACK>") }},
	"F5-19": {inClosing, func(p *puppet) { p.arrive("<SEQ=302><ACK=102><CTL=ACK>") }},
	"F5-20": {inLastAck, func(p *puppet) { p.arrive("<SEQ=302><ACK=102><CTL=ACK>") }},
	"F5-21": {inTimeWait, func(p *puppet) { p.run(p.host.cfg.TimeWait) }},
}

// transmissionBlocks counts what a host keeps: listeners, endpoints, half-open
// and TIME-WAIT entries.
func transmissionBlocks(h *host) int { return h.InState(Listen) + h.conns.used }

// TestTransitions produces every transition of RFC 9293 figure 5 by its event.
func TestTransitions(t *testing.T) {
	for _, profile := range ProfileNames() {
		for _, row := range readTable(t, "rfc9293_fig5_transitions.csv") {
			t.Run(profile+"/"+row["id"]+" "+row["state"]+" "+row["event"], func(t *testing.T) {
				c, ok := transitionCases[row["id"]]
				if !ok {
					t.Fatalf("no case for %s", row["id"])
				}
				p := newPuppet(t, profile, nil)
				c.start(p)
				p.run(300 * ms)
				if got := p.state().String(); got != row["state"] {
					t.Fatalf("starts in %s, want %s", got, row["state"])
				}
				p.sent = nil
				before := transmissionBlocks(p.host)
				c.event(p)
				if p.l != nil && !p.l.closed && row["next_state"] == "CLOSED" {
					// The listener of a passive open outlives its connections.
					p.l.Close()
					before--
				}
				p.run(0)
				if got := p.state().String(); got != row["next_state"] {
					t.Fatalf("ends in %s, want %s", got, row["next_state"])
				}
				// An acknowledgement may be delayed by less than 0.5 s.
				for limit := p.sim.Now() + 499*ms; strings.Contains(row["action"], "send ACK") && len(p.sent) == 0; p.sim.Step() {
					if p.sim.NextDeadline() > limit {
						break
					}
				}
				checkAction(t, p, row, transmissionBlocks(p.host)-before)
			})
		}
	}
}

// checkAction checks what the action of a row, such as "create TCB, send SYN",
// says of the segments sent and of the blocks gained.
func checkAction(t *testing.T, p *puppet, row map[string]string, gained int) {
	t.Helper()
	action := row["action"]
	if strings.Contains(action, "create TCB") && gained != 1 {
		t.Errorf("%d TCBs gained, want 1", gained)
	}
	if strings.Contains(action, "delete TCB") && gained >= 0 {
		t.Errorf("%d TCBs gained, want some gone", gained)
	}
	_, what, sends := strings.Cut(action, "send ")
	if !sends {
		if len(p.sent) > 0 {
			t.Errorf("sends %v, want nothing", p.sent)
		}
		return
	}
	if len(p.sent) == 0 {
		t.Fatalf("sends nothing, want %s", what)
	}
	want := map[string]string{"FIN": "FIN,ACK"}[what]
	if want == "" {
		want = what
	}
	if !strings.Contains(p.sent[0], "<CTL="+want+">") && !strings.Contains(p.sent[0], "<CTL="+reverseFlags(want)+">") {
		t.Errorf("sends %v, want %s", p.sent, want)
	}
	for _, again := range p.sent[1:] {
		_, a, _ := strings.Cut(again, " ")
		if _, first, _ := strings.Cut(p.sent[0], " "); a != first {
			t.Errorf("sends %v besides %v", a, first)
		}
	}
}

// reverseFlags swaps the two flags of "SYN,ACK".
func reverseFlags(f string) string {
	a, b, _ := strings.Cut(f, ",")
	return b + "," + a
}

// TestSynReceivedClose follows a connection that its user closes before the
// peer has acknowledged the SYN (figure 5, SYN-RECEIVED to FIN-WAIT-1), to its
// end.
func TestSynReceivedClose(t *testing.T) {
	for _, profile := range ProfileNames() {
		p := newPuppet(t, profile, nil)
		inSynReceivedActive(p)
		p.ep.Close()
		p.run(0)
		p.sends("<SEQ=100><CTL=SYN>", "<SEQ=100><ACK=301><CTL=SYN,ACK>", "<SEQ=101><ACK=301><CTL=FIN,ACK>")
		p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
		p.in(FinWait1)
		p.arrive("<SEQ=301><ACK=102><CTL=FIN,ACK>")
		p.sends("<SEQ=102><ACK=302><CTL=ACK>")
		p.in(TimeWait)
		p.run(5 * des.Minute)
		p.in(Closed)
		p.checkEmpty(t)
	}
}
