package workload

import (
	"math"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
)

// A reader that takes its time has its rate of goodput, by a window that closes,
// and gets every byte; the sender does not send more than the reader's buffer
// ahead of it.
func TestSlowReader(t *testing.T) {
	l := newLab(t, 1, measure.Options{Interval: des.Second, Until: 60 * des.Second})
	l.host("server", profile(t, "linux"), fastLink)
	l.host("client", profile(t, "linux"), fastLink)
	l.add("slow", "server", &Sink{Port: 5001, Backlog: 10, RcvBuf: 65536, ReadRate: 1e6, ReadSize: 4096})
	l.add("load", "client", &Bulk{To: quantity.Address{Host: "server", Port: 5001}, Connections: 2, Size: 2_000_000})
	r := l.run()
	if got := value(t, r, "slow.goodput", 2, 12); math.Abs(got-2e6) > 0.02*2e6 {
		t.Errorf("two connections deliver %v bit/s, want 2 Mbit/s", got)
	}
	if got := value(t, r, "load.delivered"); got != 4_000_000 {
		t.Errorf("%v bytes arrived, want all", got)
	}
	// 2 MB at 1 Mbit/s.
	if got := value(t, r, "load.completion"); math.Abs(got-16) > 0.1 {
		t.Errorf("it took %v s, want 16", got)
	}
	if got := value(t, r, "client.retrans_segs"); got != 0 {
		t.Errorf("%v retransmissions", got)
	}
	if got := value(t, r, "server.established", 30, 60); got != 0 {
		t.Errorf("%v connections are still open", got)
	}
}
