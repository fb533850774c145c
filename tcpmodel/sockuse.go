package tcpmodel

// SetCongestion changes the congestion control of a live socket (setsockopt
// TCP_CONGESTION). The window stays. It returns EINVAL for an unknown name.
func (ep *Endpoint) SetCongestion(name string) Errno {
	cc, err := ep.st.cfg.controller(name)
	if err != nil {
		return EINVAL
	}
	ep.setController(cc)
	ep.sock.Congestion = name
	if ep.state.synchronized() {
		ep.startController(ep.st.sim.Now())
	}
	return OK
}
