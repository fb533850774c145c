package tcpmodel

import "tcplab/tcpmodel/congestion"

// SetCongestion changes the congestion control of a live socket (setsockopt
// TCP_CONGESTION). The window stays. It returns EINVAL for an unknown name.
func (ep *Endpoint) SetCongestion(name string) Errno {
	cc, err := ep.st.cfg.controller(name)
	if err != nil {
		return EINVAL
	}
	ep.cc = cc
	ep.sock.Congestion = name
	if ep.state.synchronized() {
		cc.OnEvent(&ep.win, congestion.EventStart, ep.st.sim.Now())
	}
	return OK
}
