package tcpmodel

import "tcplab/tcpmodel/segment"

// ephemeralPort finds a local port for a connection to (dst, port) in
// ip_local_port_range (RFC 6056 algorithm 3: a keyed offset per destination,
// then the next free port). A port whose connection is in TIME-WAIT is taken
// if tcp_tw_reuse allows it. It returns EADDRNOTAVAIL when none is free.
func (st *Stack) ephemeralPort(dst segment.Node, port uint16) (uint16, error) {
	low, n := uint32(st.cfg.PortLow), uint32(st.cfg.PortHigh-st.cfg.PortLow+1)
	first := uint32(st.keyed(keyPorts, uint64(dst), uint64(port)))%n + st.nextPort%n
	for i := range n {
		p := uint16(low + (first+i)%n)
		if st.portFree(dst, port, p) {
			st.nextPort += i + 1
			return p, nil
		}
	}
	return 0, EADDRNOTAVAIL
}

func (st *Stack) portFree(dst segment.Node, port, local uint16) bool {
	r := st.conns.find(keyOf(dst, port, local))
	switch r.kind() {
	case refNone:
		return st.listener(local) == nil
	case refTimeWait:
		return st.timeWaitReusable(r.index())
	}
	return false
}
