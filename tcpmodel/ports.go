package tcpmodel

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// portPerturbations is how many counters a stack spreads its destinations over
// (Linux's table_perturb, which is larger where there is memory for it).
const portPerturbations = 256

// ephemeralPort finds a local port for a connection to (dst, port) in
// ip_local_port_range. A port whose connection is in TIME-WAIT is taken if
// tcp_tw_reuse allows it. It returns EADDRNOTAVAIL when none is free.
func (st *Stack) ephemeralPort(dst segment.Node, port uint16) (uint16, error) {
	if st.cfg.PortParity {
		return st.portOfParity(dst, port)
	}
	// RFC 6056 algorithm 3: a keyed offset per destination, then the next free
	// port.
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

// portOfParity is RFC 6056 algorithm 4 as Linux has it (__inet_hash_connect): the
// search begins at a keyed offset and a counter, goes through the ports of the
// parity of the first one, since bind takes the others, and then through the rest.
// The counter skips up to seven ports of a parity at random, none where they are
// scarce, and the offset is another one every ten seconds.
func (st *Stack) portOfParity(dst segment.Node, port uint16) (uint16, error) {
	const shuffle = 10 * des.Second // EPHEMERAL_PORT_SHUFFLE_PERIOD
	offset := st.keyed(keyPorts, uint64(dst), uint64(st.sim.Now()/shuffle)<<16|uint64(port))
	low, n := uint32(st.cfg.PortLow), uint32(st.cfg.PortHigh-st.cfg.PortLow+1)
	if n > 1 {
		n &^= 1
	}
	counter := &st.perturb[offset%portPerturbations]
	first := (*counter + uint32(offset>>32)) % n &^ 1
	for odd := range min(2, n) {
		for i := uint32(0); i < n; i += 2 {
			p := uint16(low + (first+odd+i)%n)
			if !st.portFree(dst, port, p) {
				continue
			}
			skip := 2 * uint32(st.keyed(keyPortSkip, uint64(dst), uint64(st.serial))%8)
			*counter += max(i, skip) + 2
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
