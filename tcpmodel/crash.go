package tcpmodel

import "tcplab/des"

// Crash is the loss of power: the stack forgets its connections in all states,
// its listeners, and what it knew of other hosts, in an instant. Nothing is sent,
// and no App or Acceptor is told, since none is left: whoever holds an Endpoint or
// a Listener of the stack must let go of it first. Tracer.TraceEnd is called for
// each connection, with CauseCrash.
//
// The stack is afterwards as after boot, with secrets of its own: initial sequence
// numbers, time stamps, cookies and the order of ports have nothing to do with
// those before, and what comes for an old connection is answered with RST (RFC
// 9293 section 3.5.1). The counters go on. That nothing comes while the host is
// off is the affair of the network. It panics if the stack is at work.
func (st *Stack) Crash() {
	if st.depth != 0 {
		panic("tcpmodel: " + st.name + " crashes while it is at work")
	}
	now := st.sim.Now()
	for i := range st.endpoints {
		if ep := st.endpoints[i]; ep != nil {
			ep.crash(now)
		}
	}
	for i := range st.requests.entries {
		if st.requests.entries[i].live {
			st.dropRequest(now, uint32(i), OK, CauseCrash)
		}
	}
	for i := range st.timeWaits.entries {
		if st.timeWaits.entries[i].live {
			st.endTimeWait(now, uint32(i), CauseCrash)
		}
	}
	for _, l := range st.listeners {
		l.closed, l.accept, l.acceptor = true, nil, nil
		st.inState[Listen]--
	}
	st.forget()
	st.boot()
}

// crash ends the connection without a word to anybody.
func (ep *Endpoint) crash(now des.Time) {
	st := ep.st
	ep.end(now, OK, CauseCrash)
	ep.setState(now, Closed, CauseCrash)
	st.conns.remove(ep.key)
	ep.leaveOrphans()
	st.sim.Release(ep.timer)
	ep.app, ep.listener = nil, nil
}

// forget empties all tables and stops the stack's own timers.
func (st *Stack) forget() {
	for _, t := range []des.Timer{st.requests.timer, st.timeWaits.timer, st.wake} {
		st.sim.Stop(t)
	}
	st.conns = connTable{}
	st.endpoints, st.freeIndex, st.pool, st.listeners = nil, nil, nil, nil
	st.requests = requestTable{timer: st.requests.timer}
	st.timeWaits = timeWaitTable{timer: st.timeWaits.timer}
	st.evict.reset()
	st.proven, st.fastOpenPeers, st.pathMTUs = nil, nil, nil
	st.challenges, st.nextPort, st.perturb = challengeBudget{}, 0, [portPerturbations]uint32{}
	st.woken, st.acceptable = nil, nil
}

// boot draws the secrets of the host.
func (st *Stack) boot() {
	st.secret = [2]uint64{st.rand.Uint64(), st.rand.Uint64()}
	st.fastOpenKey = fastOpenKey{st.keyed(keyFastOpen, 0, 0), st.keyed(keyFastOpen, 0, 1)}
}
