package tcpmodel

import (
	"strings"
	"testing"

	"tcplab/des"
)

// What the profiles are said to be, where it matters for the figures of others.
func TestProfiles(t *testing.T) {
	linux, _ := Profile("linux")
	rfc, _ := Profile("rfc9293")
	book, _ := Profile("textbook")
	for _, c := range []struct {
		what string
		ok   bool
	}{
		{"linux: SYN retries 6 with 4 linear timeouts, SYN-ACK retries 5", linux.SynRetries == 6 && linux.SynLinearTimeouts == 4 && linux.SynackRetries == 5},
		{"linux: keepalive 7200/75/9", linux.KeepaliveTime == 2*des.Hour && linux.KeepaliveIntvl == 75*des.Second && linux.KeepaliveProbes == 9},
		{"linux: FIN timeout and TIME-WAIT 60 s", linux.FinTimeout == des.Minute && linux.TimeWait == des.Minute},
		{"linux: backlog + 1, reserve, pruning, CUBIC, SACK", linux.BacklogPlusOne && linux.ReserveQuarter && linux.PruneSynQueue && linux.Congestion == "cubic" && linux.SACK},
		{"rfc9293: RTO at least 1 s, 2MSL 4 min, RFC 5681 window, Reno with SACK", rfc.RTOMin == des.Second && rfc.TimeWait == 4*des.Minute && rfc.InitialWindow == 0 && rfc.Congestion == "reno" && rfc.SACK},
		{"textbook: exact backlog, no reserve, no pruning", !book.BacklogPlusOne && !book.ReserveQuarter && !book.PruneSynQueue},
		{"textbook: 10 probes, RST on give-up, 2MSL 60 s, no SACK", book.KeepaliveProbes == 10 && book.SynackGiveUpRST && book.TimeWait == des.Minute && !book.SACK && book.Congestion == "reno"},
		{"keepalive is at least two hours everywhere", min(linux.KeepaliveTime, rfc.KeepaliveTime, book.KeepaliveTime) >= 2*des.Hour},
	} {
		if !c.ok {
			t.Error(c.what)
		}
	}
	for _, name := range ProfileNames() {
		if c, err := Profile(name); err != nil || c.Validate() != nil || ProfileDoc(name) == "" {
			t.Errorf("%s: %v, %v, %q", name, err, c.Validate(), ProfileDoc(name))
		}
	}
	if _, err := Profile("plan9"); err == nil || !strings.Contains(err.Error(), "have linux, rfc9293, textbook") {
		t.Errorf("unknown profile: %v", err)
	}
	if ProfileDoc("plan9") != "" {
		t.Error("a profile that does not exist is documented")
	}
}

// Settings that no stack can run with are errors that name them.
func TestValidate(t *testing.T) {
	for _, c := range []struct {
		tune func(c *Config)
		want string
	}{
		{func(c *Config) { c.InitialRTO = 0 }, "timeouts"},
		{func(c *Config) { c.RTOMax = c.RTOMin - 1 }, "tcp_rto_min"},
		{func(c *Config) { c.MTU = 67 }, "mtu 67"},
		{func(c *Config) { c.PortLow = 0 }, "ip_local_port_range"},
		{func(c *Config) { c.PortLow, c.PortHigh = 5000, 4999 }, "ip_local_port_range 5000 4999"},
		{func(c *Config) { c.PortHigh = 65536 }, "ip_local_port_range"},
		{func(c *Config) { c.SynCookies = 3 }, "tcp_syncookies 3"},
		{func(c *Config) { c.SynackRetries = -1 }, "tcp_synack_retries -1"},
		{func(c *Config) { c.SynRetries = 128 }, "tcp_syn_retries 128"},
		{func(c *Config) { c.Congestion = "bbr9" }, "bbr9"},
	} {
		cfg, _ := Profile("linux")
		c.tune(&cfg)
		_, err := NewStack(StackOptions{Sim: des.New(1, 0), Name: "h", Node: 1, Config: cfg})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one about %s", err, c.want)
		}
	}
}

// A segment of the smallest MTU, with options and data, still goes.
func TestSmallMTU(t *testing.T) {
	l := newLab(t, "linux", func(c *Config) { c.MTU = 68 })
	l.a.wire.quiet, l.b.wire.quiet = true, true
	l.b.greedy = true
	l.connect(SocketOptions{})
	l.a.ep.Write(5000)
	l.run(des.Minute)
	if l.b.read != 5000 {
		t.Errorf("%d bytes read", l.b.read)
	}
}

// Names are those of POSIX and RFC 9293.
func TestNames(t *testing.T) {
	for err := range numErrno {
		if name := err.Error(); err != OK && !strings.HasPrefix(name, "E") || err == OK && name != "" {
			t.Errorf("error %d is called %q", err, name)
		}
	}
	if got := numErrno.Error(); !strings.HasPrefix(got, "Errno(") {
		t.Errorf("an unknown error is called %q", got)
	}
	seen := map[string]bool{}
	for c := range numCauses {
		if seen[c.String()] {
			t.Errorf("two causes are called %q", c)
		}
		seen[c.String()] = true
	}
}
