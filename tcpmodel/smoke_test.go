package tcpmodel

import "testing"

func TestSmoke(t *testing.T) {
	for _, p := range ProfileNames() {
		l := newLab(t, p, nil)
		l.connect(SocketOptions{})
		l.a.ep.Write(5000)
		l.run(labDelay * 20)
		l.b.ep.Read(5000)
		l.a.ep.Close()
		l.run(labDelay * 20)
		l.b.ep.Close()
		l.run(labDelay * 20)
		t.Logf("%s\n%s\nA %v B %v\n%v\n%v", p, l.dump(), l.a.state(), l.b.state(), l.a.states, l.b.states)
		l.sim.RunIdle()
		t.Logf("%v: A %v B %v %v %v", l.sim.Now(), l.a.state(), l.b.state(), l.a.events, l.b.events)
	}
}
