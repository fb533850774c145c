package tcpmodel

import (
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// A crash in any state is silent, ends the connection in the traces, leaves no
// timer armed, and what comes for the connection afterwards is answered with RST.
func TestCrash(t *testing.T) {
	states := []func(*puppet){inSynSent, inSynReceivedPassive, inTimeWait}
	for _, c := range openStates {
		states = append(states, c.start)
	}
	profilesTest(t, func(t *testing.T, profile string) {
		for _, start := range states {
			p := newPuppet(t, profile, nil)
			start(p)
			before := p.state()
			if before == Closed {
				before = TimeWait
			}
			p.sent, p.seen = nil, 0
			ended := len(p.ended)
			p.Crash()
			p.ep, p.l = nil, nil
			p.checkEmpty(t)
			if at := p.sim.NextDeadline(); at != des.Never {
				t.Errorf("%v: a timer is armed for %v", before, at)
			}
			if p.InState(Listen) != 0 || p.seen != 0 || p.conns.keys != nil || p.pool != nil {
				t.Errorf("%v: %d listeners, App saw %v, %d keys, %d pooled", before, p.InState(Listen), p.seen, len(p.conns.keys), len(p.pool))
			}
			if before != TimeWait && (len(p.ended) != ended+1 || p.lastEnd().Why != CauseCrash || p.lastEnd().Err != OK) {
				t.Errorf("%v: ended as %+v", before, p.ended[ended:])
			}
			p.sends()
			p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
			p.sends("<SEQ=101><CTL=RST>")
			p.idle(des.Hour)
		}
	})
}

// After a reboot the secrets differ, the host listens again, and the serial
// numbers of its connections go on.
func TestReboot(t *testing.T) {
	l := newLab(t, "linux", func(c *Config) { c.ISN = ISNRFC6528 })
	l.connect(SocketOptions{LocalPort: 1000})
	serial, secret := l.b.ep.Conn().Serial, l.b.secret
	l.b.Crash()
	l.b.ep = nil
	if l.b.secret == secret {
		t.Error("the secret survived the reboot")
	}
	l.listen()
	l.a.ep.Write(10)
	l.run(4 * labDelay)
	if got := l.a.lastEnd(); got.Err != ECONNRESET {
		t.Errorf("data to the rebooted host: %v", got.Err)
	}
	l.dial(SocketOptions{LocalPort: 1000})
	l.run(4 * labDelay)
	l.wantStates(Established, Established)
	if now := l.b.ep.Conn().Serial; now <= serial {
		t.Errorf("connection %d comes behind connection %d", now, serial)
	}
}

// Many half-open, waiting and idle connections of a host are gone at once, also
// those of a SYN cache and those that nobody has accepted.
func TestCrashOfManyConnections(t *testing.T) {
	for _, tune := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.SynEviction = EvictRandom },
		func(c *Config) { c.SyncacheBuckets = 16 },
	} {
		p := newPuppet(t, "linux", tune)
		p.wire.keep = func(*segment.Segment) {}
		p.passiveOpen(100)
		p.host.noWait = true
		for n := range segment.Node(60) {
			p.syn(10+n, 4000)
			if n%2 == 0 {
				p.thirdAck(10+n, 4000, 100)
			}
		}
		if p.InState(SynReceived) != 30 || p.InState(Established) != 30 {
			t.Fatalf("%d half-open, %d established", p.InState(SynReceived), p.InState(Established))
		}
		p.Crash()
		p.checkEmpty(t)
		p.idle(0)
		p.passiveOpen(100)
		for n := range segment.Node(60) {
			p.syn(10+n, 4000)
		}
		if p.InState(SynReceived) != 60 {
			t.Errorf("%d half-open after the reboot", p.InState(SynReceived))
		}
	}
}
