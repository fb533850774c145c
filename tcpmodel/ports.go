package tcpmodel

import "tcplab/tcpmodel/segment"

// ephemeralPort finds a local port for a connection to (dst, port) in
// ip_local_port_range (RFC 6056 algorithm 3: a keyed offset per destination,
// then the next free port). A port whose connection is in TIME-WAIT is taken if
// tcp_tw_reuse allows it. It returns EADDRNOTAVAIL when none is free.
//
// With port_parity, as Linux has it, the ports of the parity of the first are
// taken while one of them is free, so that bind(2) has the others, and up to
// seven of them are left out each time.
func (st *Stack) ephemeralPort(dst segment.Node, port uint16) (uint16, error) {
	low, n, step := uint32(st.cfg.PortLow), uint32(st.cfg.PortHigh-st.cfg.PortLow+1), uint32(1)
	if st.cfg.PortParity && n > 1 {
		n &^= 1
		step = 2
	}
	first := (uint32(st.keyed(keyPorts, uint64(dst), uint64(port)))%n + st.nextPort%n) % n
	first -= first % step
	for parity := range step {
		for i := uint32(0); i < n; i += step {
			p := uint16(low + (first+parity+i)%n)
			if !st.portFree(dst, port, p) {
				continue
			}
			if step == 2 {
				skip := uint32(st.keyed(keyPorts, 1<<32, uint64(st.nextPort)) & 7)
				i = max(i, 2*skip)
			}
			st.nextPort += i + step
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
