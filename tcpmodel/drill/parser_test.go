package drill

import (
	"os"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

func TestParse(t *testing.T) {
	src := `// title
// sysctl: net.ipv4.tcp_sack=0
--tolerance_usecs=6000 // why
--mss=1000
` + "`../defaults.sh\nsysctl -q net.ipv4.tcp_timestamps=0`" + `
# shell comment
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.2 connect(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.0.2.1")}, ...) = -1 EINPROGRESS (Operation now in progress)
/* two
   lines */ +.1~+.25 > [ect0] PW. 1:1001(1000) ack 7 win 500 <nop,nop,TS val 5 ecr 6,sack 1:2 3:4>
* > SE. 0:0(0) ack 1 <...>
1.5 < - 1:11(10) win 0 <mss 1460,sackOK,wscale 7,eol>
+.5 < icmp unreachable frag_needed mtu 1400 [1:1(0)]
+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0
+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 10) = 1
+0 %{ assert tcpi_state == 7,
 tcpi_state }%
+1 ` + "`sleep 1`\n`cleanup.sh`\n"
	s, err := Parse("x.pkt", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Events) != 10 || len(s.Options) != 2 || s.Init == nil || s.Cleanup == nil || len(s.sysctls) != 1 {
		t.Fatalf("%d events, %d options, init %v, cleanup %v, %d header lines", len(s.Events), len(s.Options), s.Init, s.Cleanup, len(s.sysctls))
	}
	if o := s.Options[0]; o.Name != "tolerance_usecs" || o.Value != "6000" || o.Pos != (Pos{3, 1}) {
		t.Errorf("option %+v", o)
	}
	if c := s.Events[1].Call; !c.Blocks || c.End != 200*des.Millisecond || c.Errno != "EINPROGRESS" || c.Name != "connect" || len(c.Args) != 3 {
		t.Errorf("call %+v", c)
	}
	e := s.Events[2]
	want := Packet{Outbound: true, CheckECN: true, ECN: segment.ECT0, Flags: segment.PSH | segment.CWR | segment.ACK, Seq: 1, Len: 1000, Ack: 7, HasWin: true, Win: 500}
	if e.Kind != TimeRelativeRange || e.At != 100*des.Millisecond || e.Until != 250*des.Millisecond || e.Pos.Line != 11 {
		t.Errorf("event %+v", e)
	}
	if got := e.Packet.String(); got != "> [ect0] PW. 1:1001(1000) ack 7 win 500 <nop,nop,TS val 5 ecr 6,sack 1:2 3:4>" {
		t.Errorf("packet %s", got)
	}
	want.Options = e.Packet.Options
	if why := want.differs(e.Packet, 0); why != "" {
		t.Errorf("packet: %s", why)
	}
	if p := s.Events[3].Packet; s.Events[3].Kind != TimeAny || !p.AnyOptions || p.Flags != segment.SYN|segment.ECE|segment.ACK {
		t.Errorf("packet %+v", p)
	}
	if p := s.Events[4].Packet; p.Flags != 0 || p.Outbound || len(p.Options) != 4 || s.Events[4].Kind != TimeAbsolute {
		t.Errorf("packet %+v", p)
	}
	if m := s.Events[5].Packet.ICMP; m == nil || m.Type != 3 || m.Code != 4 || m.MTU != 1400 {
		t.Errorf("ICMP %+v", m)
	}
}

// Errors say where, what was found and what may stand there.
func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"", "x.pkt:1:1: a script needs at least one event"},
		{"+0 > . 1:2(3) ack 1", "x.pkt:1:8: 1:2(3) does not add up: 1 + 3 is 4"},
		{"0 > Q. 1:1(0)", `x.pkt:1:5: flag "Q" of Q is none of S F R P . U E W A`},
		{"0 > . 1:1(0) <mms 5>", `x.pkt:1:15: unknown TCP option "mms"`},
		{"0 < . 1:1(0) <...>", "x.pkt:1:15: <...> is for outbound packets alone"},
		{"0 < . 1:1(0) win 70000", "x.pkt:1:18: window 70000 is not between 0 and 65535"},
		{"0 > . 1:1(0) <sack 1:2,sack 1:2 3:4 5:6 7:8>", "x.pkt:1:3: the options take 44 bytes"},
		{"0 close(3)\n\n+0 close(4) = 0", "x.pkt:3:1: close(...) wants \"=\", not \"+\""},
		{"0 close(3 = 0", `x.pkt:1:11: close wants ",", not "="`},
		{"* close(3) = 0", "x.pkt:1:1: only an outbound packet may have a range of times"},
		{"+2~+1 > . 1:1(0)", "x.pkt:1:1: the time range ends before it starts"},
		{"+2...1 read(3, ..., 1) = 1", "x.pkt:1:3: the call returns before it starts"},
		{"hello", `x.pkt:1:1: an event starts with its time (0, +.1, +.1~+.2 or *), not with "hello"`},
		{"0 %{ assert 1", "x.pkt:1:3: no }% after this"},
		{"0 `sysctl", "x.pkt:1:3: no closing ` for this one"},
		{"/* x", "x.pkt:1:1: comment without */"},
		{"0 close(3) = 0 (note", "x.pkt:1:21: note without )"},
		{"0 f(" + strings.Repeat("[", 60) + ") = 0", "brackets more than 50 deep"},
		{"0 > [ect7] . 1:1(0)", "x.pkt:1:6: want ect0, ect1, ce or noecn"},
	} {
		_, err := Parse("x.pkt", []byte(tt.src))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %s", tt.src, err, tt.want)
		}
	}
}

// What is well formed but not of TCP over IPv4 is unsupported, not wrong.
func TestUnsupported(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"0 > udp (10)", "udp packets"},
		{"0 < ipv6 1::1 > 1::2: . 1:1(0)", "ipv6 packets"},
		{"0 > .5 1:1(0)", "AccECN"},
		{"0 < icmp echo_request", "ICMP echo_request"},
		{"0 < S 0:0(0) <md5 12ab>", "MD5"},
		{"0 pipe([5, 6]) = 0", "pipe()"},
		{"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3", "SOCK_DGRAM of socket()"},
		{"0 setsockopt(3, SOL_TCP, TCP_REPAIR, [1], 4) = 0", "socket option TCP_REPAIR"},
		{"0 %{ assert tcpi_nonsense == 1 }%", "tcpi_nonsense of TCP_INFO"},
		{"--ip_version=ipv6\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "--ip_version=ipv6"},
		{"`tc qdisc add dev tun0 root fq`\n0 close(3) = 0", "tc qdisc add dev tun0 root fq"},
		{"`nstat | grep X`\n0 close(3) = 0", "nstat | grep X"},
		{"`ip link | grep X`\n0 close(3) = 0", "has a pipe"},
		{"`rm -rf /`\n0 close(3) = 0", `command "rm -rf /"`},
		{"`no-such-file.sh`\n0 close(3) = 0", "no-such-file.sh"},
		{"`sysctl -q net.ipv4.tcp_plb_enabled=1`\n0 close(3) = 0", "sysctl tcp_plb_enabled=1"},
		{"`sysctl -q net.ipv4.tcp_unheard_of=1`\n0 close(3) = 0", "tcp_unheard_of is unknown to the stack"},
		{"// sysctl: net.ipv4.tcp_unheard_of=1\n0 close(3) = 0", "tcp_unheard_of is unknown to the stack"},
	} {
		r := runText(tt.src, Options{})
		if r.Status != Unsupported || !strings.Contains(r.Reason, tt.want) {
			t.Errorf("%q: %s, want unsupported: %s", tt.src, r.Text(), tt.want)
		}
	}
}

func runText(src string, o Options) *Result {
	s, err := Parse("x.pkt", []byte(src))
	if err != nil {
		return failed("x.pkt", err)
	}
	return Run(s, o)
}

// Whatever the bytes, the parser returns a script or an error with a place in
// it, and a script of packets alone can be written and read again.
func FuzzParse(f *testing.F) {
	for _, file := range conformanceScripts(f) {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("0 > F 1:1(0) <sack 1:2>\n*>S 0:0(0)<...>\n+0...1e9 a({b(...)=c|1})=0x7f X(y)"))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("x.pkt", src)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.pkt:") {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		for _, e := range s.Events {
			if e.Packet == nil || e.Packet.ICMP != nil || e.Packet.SrcPort != 0 {
				continue
			}
			text := "0 " + e.Packet.String()
			again, err := Parse("x.pkt", []byte(text))
			if err != nil {
				if strings.Contains(text, "FO") || strings.Contains(text, "option ") {
					continue
				}
				t.Fatalf("%q of %q: %v", text, src, err)
			}
			if got := "0 " + again.Events[0].Packet.String(); got != text {
				t.Fatalf("%q becomes %q", text, got)
			}
		}
	})
}
