package tcpmodel

import (
	"testing"

	"tcplab/des"
)

// Linux's connect takes the ports of one parity first, with gaps, and each of them
// once before there is none (__inet_hash_connect).
func TestPortParity(t *testing.T) {
	for _, c := range []struct {
		low, high int
		ports     int // the last port of an odd number of ports is left alone
	}{{5000, 5019, 20}, {5001, 5020, 20}, {5000, 5020, 20}, {5000, 5000, 1}, {5000, 5001, 2}} {
		p := newPuppet(t, "linux", func(cfg *Config) { cfg.PortLow, cfg.PortHigh = c.low, c.high })
		for _, dst := range []uint16{80, 81} {
			used := map[uint16]bool{}
			inOrder := 0
			last := -1
			for i := range c.ports {
				ep, err := p.Connect(2, dst, p.host, SocketOptions{})
				if err != nil {
					t.Fatalf("%d to %d: connection %d: %v", c.low, c.high, i, err)
				}
				port := ep.Conn().LocalPort
				if used[port] || int(port) < c.low || int(port) > c.high {
					t.Errorf("%d to %d: port %d, after %v", c.low, c.high, port, used)
				}
				used[port] = true
				if wantLow := i < (c.ports+1)/2; (int(port)%2 == c.low%2) != wantLow {
					t.Errorf("%d to %d: connection %d has port %d", c.low, c.high, i, port)
				}
				if int(port) == last+2 {
					inOrder++
				}
				last = int(port)
			}
			if c.ports == 20 && inOrder > 15 {
				t.Errorf("%d to %d: %d of 20 ports are next to the one before", c.low, c.high, inOrder)
			}
			if _, err := p.Connect(2, dst, p.host, SocketOptions{}); err != EADDRNOTAVAIL {
				t.Errorf("%d to %d: one more than there are ports: %v", c.low, c.high, err)
			}
		}
		p.run(des.Millisecond)
	}
}
