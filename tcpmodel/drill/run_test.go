package drill

import (
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
)

// passive is the start of a script: a connection accepted at 0.1 s.
const passive = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 64000 <mss 1000,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 500
+0 accept(3, ..., ...) = 4
`

func TestRun(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"passes", "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1", ""},
		{"flags", "+0 write(4, ..., 100) = 100\n+0 > . 1:101(100) ack 1", "flags P. instead of ."},
		{"sequence number", "+0 write(4, ..., 100) = 100\n+0 > P. 2:102(100) ack 1", "sequence number 1 instead of 2"},
		{"length", "+0 write(4, ..., 100) = 100\n+0 > P. 1:102(101) ack 1", "payload of 100 bytes instead of 101"},
		{"window", "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 win 7", "instead of 7"},
		{"options", "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <nop>", "other options"},
		{"ECN field", "+0 write(4, ..., 100) = 100\n+0 > [ect0] P. 1:101(100) ack 1", "ECN field not-ect instead of ect0"},
		{"too early", "+0 write(4, ..., 100) = 100\n+.5 > P. 1:101(100) ack 1", "the packet came at 0.100000 s, not at 0.600000 s"},
		{"just early", "+0 write(4, ..., 100) = 100\n+.0039 > P. 1:101(100) ack 1", ""},
		{"too late", "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+0~+.1 > P. 1:101(100) ack 1", "the packet came at"},
		{"any time", "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n* > P. 1:101(100) ack 1", ""},
		{"nothing", "+0 > P. 1:101(100) ack 1", "no packet came until"},
		{"unexpected packet", "+0 write(4, ..., 100) = 100\n+.05 < . 1:1(0) ack 101 win 500\n+0 write(4, ..., 50) = 50\n+0 > P. 101:151(50) ack 1", "sequence number 1 instead of 101"},
		{"joined", "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1", ""},
		{"joined too far", "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3501(3500) ack 1", "payload of 3000 bytes instead of 3500"},
		{"result", "+0 write(4, ..., 100) = 99", "write() returned something else"},
		{"errno", "+0 read(4, ..., 100) = -1 EPIPE (Broken pipe)", "blocks"},
		{"would block", "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 read(4, ..., 100) = -1 EAGAIN (Resource temporarily unavailable)", ""},
		{"blocking read", "+0...0.3 read(4, ..., 100) = 50\n+.3 < P. 1:51(50) ack 1 win 500", ""},
		{"blocking read at the wrong time", "+0...0.2 read(4, ..., 100) = 50\n+.3 < P. 1:51(50) ack 1 win 500", "read() still blocks"},
		{"blocking read that returns early", "+0...0.4 read(4, ..., 100) = 50\n+.3 < P. 1:51(50) ack 1 win 500", "read() returned at 0.400000 s, not at 0.500000 s"},
		{"two at once", "+0...0.4 read(4, ..., 100) = 50\n+.1 close(4) = 0", "close() while read() of line 8 still blocks"},
		{"poll", "+0...0.2 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000) = 1\n+.2 < P. 1:51(50) ack 1 win 500", ""},
		{"poll times out", "+0...0.25 poll([{fd=4, events=POLLIN, revents=0}], 1, 250) = 0", ""},
		{"poll of a writable socket", "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 1000) = 1", ""},
		{"SIOCINQ", "+0 < P. 1:51(50) ack 1 win 500\n+0 > . 1:1(0) ack 51\n+0 ioctl(4, SIOCINQ, [50]) = 0\n+0 ioctl(4, SIOCINQ, [49]) = 0", "argument 3 of ioctl() has another value"},
		{"peek", "+0 < P. 1:51(50) ack 1 win 500\n+0 recv(4, ..., 10, MSG_PEEK) = 10\n+0 recv(4, ..., 100, 0) = 50", ""},
		{"check", "+0 %{ assert tcpi_state == 1, tcpi_state; x = 2; x += 5\nassert x * 2 == 14 and 1 <= tcpi_snd_cwnd <= 10, 'no %d' % x }%", ""},
		{"failing check", "+0 %{ assert tcpi_snd_cwnd < 10, tcpi_snd_cwnd }%", "the check does not hold"},
		{"reset read", "+0 < R. 1:1(0) ack 1 win 0\n+0 read(4, ..., 9) = -1 ECONNRESET (x)\n+0 read(4, ..., 9) = 0\n+0 write(4, ..., 9) = -1 EPIPE (x)", ""},
		{"SO_ERROR", "+0 < R. 1:1(0) ack 1 win 0\n+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [104], [4]) = 0\n+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0", ""},
		{"closed descriptor", "+0 close(4) = 0\n+0 close(4) = 0", "no socket has descriptor 4"},
		{"vectors", "+0 writev(4, [{..., 30}, {..., 70}], 2) = 100\n+0 > P. 1:101(100) ack 1", ""},
		{"message", "+0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0}, 0) = 100\n+0 > P. 1:101(100) ack 1", ""},
		{"sleep", "+0 `sleep 0.5`\n+0 < P. 1:51(50) ack 1 win 500\n.6 > . 1:1(0) ack 51", ""},
		{"absolute time that has passed", "+.5 `sleep 0`\n.3 close(4) = 0", "call due at 0.300000 s"},
		{"long times have 1 percent", "+20 `sleep 0`\n+0 close(4) = 0\n+.2 > F. 1:1(0) ack 1", "the packet came at"},
		{"accept queue", "+0 `../fill-accept-queue.sh 2`\n+0 accept(3, ..., ...) = 5\n+0 accept(3, ..., ...) = 6\n+0 accept(3, ..., ...) = 7", "accept() blocks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := runText(passive+tt.src, Options{})
			switch {
			case tt.want == "" && r.Status != Passed:
				t.Error(r.Text())
			case tt.want != "" && (r.Status != Failed || !strings.Contains(r.Reason, tt.want)):
				t.Errorf("%s\nwant failed: %s", r.Text(), tt.want)
			}
		})
	}
}

// Whole scripts: what happens before a connection is there.
func TestRunWhole(t *testing.T) {
	const connect = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
	const synack = "+.1 < S. 500:500(0) ack 1 win 60000 <mss 1000,sackOK,TS val 70 ecr 100>\n"
	for _, tt := range []struct{ name, src, want string }{
		{"blocking connect", connect + "+.1...0.2 connect(3, ..., ...) = 0\n+0 > S 0:0(0) win 64240 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 10>\n" + synack +
			"+0 > . 1:1(0) ack 1 <nop,nop,TS val 200 ecr 70>\n+0 connect(3, ..., ...) = -1 EISCONN (x)", ""},
		{"wrong echo", connect + "+.1...0.2 connect(3, ..., ...) = 0\n+0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 10>\n" + synack +
			"+0 > . 1:1(0) ack 1 <nop,nop,TS val 200 ecr 71>", "option <TS val 200 ecr 70> instead of <TS val 200 ecr 71>"},
		{"TS ecr of nothing", connect + "+.1...0.2 connect(3, ..., ...) = 0\n+0 > S 0:0(0) <...>\n" + synack, "TS ecr 100: no outbound segment"},
		{"ticks", "--tcp_ts_tick_usecs=1000\n" + connect + "+.1...0.2 connect(3, ..., ...) = 0\n+0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 10>\n" + synack +
			"+0 > . 1:1(0) ack 1 <nop,nop,TS val 210 ecr 70>", "option <TS val 200 ecr 70> instead of"},
		{"refused", connect + "+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS (x)\n+0 connect(3, ..., ...) = -1 EALREADY (x)\n" +
			"+0 > S 0:0(0) <...>\n+0 < R. 0:0(0) ack 1 win 0\n+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [111], [4]) = 0", ""},
		{"no connection", "0 > . 1:1(0) ack 1", "no connection for this packet"},
		{"first event", ".1 < S 0:0(0) win 1", "the first event is not at time 0"},
		{"sysctl", "`sysctl -q net.ipv4.tcp_window_scaling=0 \\\n net.ipv4.tcp_timestamps=$((1-1))`\n" + connect +
			"+.1...0.2 connect(3, ..., ...) = -1 ETIMEDOUT (x)\n+0 > S 0:0(0) <mss 1460,nop,nop,sackOK>", "connect() still blocks"},
		{"header line", "// sysctl: net.ipv4.tcp_sack=0\n" + connect + "+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS (x)\n" +
			"+0 > S 0:0(0) <mss 1460,nop,nop,TS val 1 ecr 0,nop,wscale 10>", ""},
		{"strict segments", "--strict_segments\n" + passive + "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1", "flags . instead of P."},
		{"tolerance of the script", "--tolerance_usecs=60000\n" + passive + "+0 write(4, ..., 30) = 30\n+.05 > P. 1:31(30) ack 1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := runText(tt.src, Options{})
			if tt.want == "" && r.Status != Passed || tt.want != "" && (r.Status != Failed || !strings.Contains(r.Reason, tt.want)) {
				t.Errorf("%s\nwant %q", r.Text(), tt.want)
			}
		})
	}
}

// A failure shows the line, what was expected, what came, and what was before.
func TestReport(t *testing.T) {
	r := runText(passive+"+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 2", Options{Recent: 3})
	want := `FAIL x.pkt: line 9: acknowledgement number 1 instead of 2
    script    +0 > P. 1:101(100) ack 2
    expected  > P. 1:101(100) ack 2
    got       > P. 1:101(100) ack 1 win 63 at 0.100000 s
    before    0.100000 +0 accept(3, ..., ...) = 4
              0.100000 +0 write(4, ..., 100) = 100
              0.100000 > P. 1:101(100) ack 1 win 63`
	if got := r.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r.Line != 9 || r.Column != 4 || r.Simulated != 100*des.Millisecond {
		t.Errorf("line %d, column %d, simulated %v", r.Line, r.Column, r.Simulated)
	}
}

func TestEvaluate(t *testing.T) {
	vars := func(name string) (value, bool) { return intValue(7), name == "x" }
	for _, tt := range []struct{ src, want string }{
		{"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"2 ** 10", "1024"}, {"7 // 2", "3"}, {"-7 // 2", "-4"}, {"-7 % 3", "2"}, {"7 / 2", "3.5"},
		{"1 << 4 | 3", "19"}, {"x & 3 == 3", "1"}, {"(x & 4) != 0", "1"}, {"1 < 2 < 3", "1"}, {"1 < 3 < 3", "0"}, {"not 1 == 2 and 2 > 1", "1"},
		{"0 or 5", "5"}, {"3 and 0", "0"}, {"~0", "-1"}, {"0x7fffffff", "2147483647"}, {"1_000", "1000"}, {"max(1, x, 3)", "7"}, {"abs(-2) - min(4, 5)", "-2"},
		{"1.5 * 2 == 3", "1"}, {"'%d' % x", "%d"}, {"True", "1"}, {"- - 3", "3"}, {"5 - -3", "8"},
		{"1 +", "the expression ends too early"}, {"y", `unknown name "y"`}, {"1 // 0", "division by zero"}, {"1 << 99", "shift by 99"},
		{"(1", "no closing )"}, {"1 2", `"2" after the expression`}, {"print(1)", "unknown function print"}, {strings.Repeat("(", 99), "deep"},
	} {
		v, err := evaluate(tt.src, vars)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) || err == nil && got != tt.want {
			t.Errorf("%s is %s, want %s", tt.src, got, tt.want)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add("tcpi_rtt >= 95000 and tcpi_rtt <= 130000")
	f.Add("min(1, 2.5) ** -3 // 'x'")
	f.Fuzz(func(t *testing.T, src string) {
		_, _ = evaluate(src, func(string) (value, bool) { return intValue(1), true })
	})
}

func TestSplitCommands(t *testing.T) {
	text := "#!/bin/bash\nip tcp_metrics flush all > /dev/null 2>&1 # why\nsysctl -q a=\"1 2 3\" \\\n b=$((2 * 3));echo x &> y && true\ncat z | wc"
	got, err := splitCommands(text)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, words := range got {
		lines = append(lines, strings.Join(words, ","))
	}
	want := "ip,tcp_metrics,flush,all;sysctl,-q,a=1 2 3,b=$((2 * 3));echo,x;true;cat,z,|,wc"
	if s := strings.Join(lines, ";"); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
}

func FuzzSplitCommands(f *testing.F) {
	f.Add("sysctl -q a=\"1 2\" b=$((2*3)) > /dev/null 2>&1; x.sh && y | z")
	f.Fuzz(func(t *testing.T, text string) { _, _ = splitCommands(text) })
}

func TestSysctl(t *testing.T) {
	cfg, err := tcpmodel.Profile("linux")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, value, want string }{
		{"net.ipv4.tcp_syn_retries", "3", ""},
		{"net.ipv4.tcp_fin_timeout", "5", ""},
		{"net.ipv4.tcp_rto_max_ms", "60000", ""},
		{"net.core.somaxconn", "9", ""},
		{"net.ipv4.tcp_rmem", "4096 200000 300000", ""},
		{"net.ipv4.tcp_rmem", "4096 200000", "want three numbers"},
		{"net.ipv4.ip_local_port_range", "1024 2048", ""},
		{"net.ipv4.tcp_congestion_control", "reno", ""},
		{"net.ipv4.tcp_congestion_control", "vegas9", "takes one of"},
		{"net.ipv4.tcp_syn_retries", "x", "want a number"},
		{"net.ipv4.tcp_syn_retries", "999", "takes"},
		{"net.ipv4.tcp_fack", "1", ""},
		{"net.ipv4.tcp_shrink_window", "1", "the stack behaves as with 0"},
	} {
		err := setSysctl(&cfg, tt.name, tt.value)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%s: error %v, want %q", tt.name, tt.value, err, tt.want)
		}
	}
	if cfg.SynRetries != 3 || cfg.FinTimeout != 5*des.Second || cfg.RTOMax != des.Minute || cfg.Somaxconn != 9 || cfg.RmemDefault != 200000 ||
		cfg.RmemMax != 300000 || cfg.PortLow != 1024 || cfg.PortHigh != 2048 || cfg.Congestion != "reno" {
		t.Errorf("settings %+v", cfg)
	}
}

func TestFind(t *testing.T) {
	if _, err := Find("testdata/nowhere"); err == nil {
		t.Error("a folder that is not there was found")
	}
	if _, err := Find("."); err != nil {
		t.Error(err)
	}
	files, err := Find("testdata/conformance/timers", "testdata/conformance/timers/cork.pkt")
	if err != nil || len(files) != 23 {
		t.Errorf("%d files, error %v", len(files), err)
	}
	if r := RunFile("testdata/conformance/nothing.pkt", Options{}); r.Status != Failed {
		t.Error(r.Text())
	}
}
