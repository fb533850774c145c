package capture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"tcplab/scenarios/capture"
)

// moduleDir is where the module of gopacket lies, whose captures are tests.
var moduleDir = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gopacket/gopacket").Output()
	return strings.TrimSpace(string(out)), err
})

// sample returns the path of a capture: "gopacket:..." lies in that module.
func sample(t testing.TB, name string) string {
	t.Helper()
	if inside, ok := strings.CutPrefix(name, "gopacket:"); ok {
		return filepath.Join(must[string](t)(moduleDir()), filepath.FromSlash(inside))
	}
	return filepath.Join("testdata", name)
}

func analyzed(t testing.TB, name string) *capture.Report {
	t.Helper()
	file := must[*os.File](t)(os.Open(sample(t, name)))
	defer file.Close()
	return must[*capture.Report](t)(capture.Options{Ladder: -1}.Analyze(file))
}

// counts is one line on a connection: what tshark counts as well.
func counts(c *capture.Connection) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", c.Outcome)
	if c.ClosedFirst != "" {
		fmt.Fprintf(&b, ", %v first", c.ClosedFirst)
	}
	fmt.Fprintf(&b, "; frames %d/%d bytes %d/%d", c.Client.Segments, c.Server.Segments, c.Client.FrameBytes, c.Server.FrameBytes)
	both := func(name string, f func(e *capture.End) int) {
		if a, b2 := f(&c.Client), f(&c.Server); a+b2 > 0 {
			fmt.Fprintf(&b, " %s %d/%d", name, a, b2)
		}
	}
	both("retrans", func(e *capture.End) int { return e.Retransmissions.Total() })
	both("after-ack", func(e *capture.End) int { return e.Retransmissions.AfterAck })
	both("spurious", func(e *capture.End) int { return e.Retransmissions.Spurious })
	both("ooo", func(e *capture.End) int { return e.OutOfOrder })
	both("gaps", func(e *capture.End) int { return e.Gaps })
	both("dupacks", func(e *capture.End) int { return e.DupAcks })
	both("updates", func(e *capture.End) int { return e.WindowUpdates })
	both("zero", func(e *capture.End) int { return e.ZeroWindows })
	both("probes", func(e *capture.End) int { return e.Probes })
	both("keepalives", func(e *capture.End) int { return e.Keepalives })
	both("rst", func(e *capture.End) int { return e.Resets })
	return b.String()
}

// The counts are those of tshark 4.0.17 on the same files (conv,tcp and
// tcp.analysis.*), but for these, where more is known than tshark uses:
//   - an empty segment against a closed window is a probe; tshark calls both of
//     port 8004 keepalives;
//   - on ports 9002 and 9003 the sums of retransmissions and segments out of
//     order agree, but tshark tells them apart by time alone. At the sender
//     nothing can be out of order; the two ends of the run agree with each other
//     and tcptrace -l counts the 9 and 1 retransmissions as well.
//
// "spurious" is from D-SACK, which tshark does not count.
var agreed = []struct {
	file string
	want []string
}{
	{"gopacket:pcap/test_ethernet.pcap", []string{"closed, server first; frames 5/5 bytes 410/716"}},
	{"gopacket:pcap/test_loopback.pcap", []string{
		"open; frames 9/11 bytes 2149/55702",
		"open; frames 2/2 bytes 164/164 updates 0/1"}},
	{"gopacket:pcap/test_dns.pcap", nil},
	{"gopacket:pcapgo/tests/le/test300.pcapng", []string{
		"reset, both first; frames 17/15 bytes 1742/10272 retrans 0/2 after-ack 0/2 spurious 0/2 dupacks 2/0 rst 3/0"}},
	{"gopacket:pcapgo/tests/le/test301.pcapng", []string{
		"reset, both first; frames 139/137 bytes 8704/882504 retrans 0/6 after-ack 0/6 spurious 0/6 ooo 0/7 gaps 0/5 dupacks 6/0 updates 10/0 rst 3/0"}},
	{"kernel-loopback.pcap", []string{ // ports 8001 to 8007
		"closed, server first; frames 5/5 bytes 438/3338",
		"refused, server first; frames 1/1 bytes 74/54 rst 0/1",
		"reset, client first; frames 4/2 bytes 282/140 rst 1/0",
		"closed, client first; frames 29/25 bytes 63370/1670 retrans 1/0 spurious 1/0 updates 0/1 zero 0/2 probes 2/0",
		"closed, client first; frames 7/5 bytes 470/338 updates 0/1 keepalives 3/0",
		"closed, client first; frames 14/11 bytes 200932/736 updates 0/1 zero 0/1",
		"closed, client first; frames 11/10 bytes 150734/668 updates 0/1 zero 0/1"}},
	{"kernel-sender.pcap.gz", []string{
		"closed, client first; frames 9/7 bytes 5656/514",
		"closed, client first; frames 117/75 bytes 171464/6506 retrans 9/0 dupacks 0/43 updates 0/7",
		"closed, client first; frames 75/63 bytes 106856/4870 retrans 1/0 spurious 1/0 dupacks 0/16 updates 0/7",
		"closed, client first; frames 46/46 bytes 63320/3346 dupacks 0/2",
		"closed, client first; frames 46/42 bytes 63320/3034",
		"unanswered; frames 3/0 bytes 240/0 retrans 2/0"}},
	{"kernel-receiver.pcap.gz", []string{
		"closed, client first; frames 9/7 bytes 5476/374",
		"closed, client first; frames 108/79 bytes 155624/5226 retrans 8/0 gaps 8/0 dupacks 0/45 updates 0/7",
		"closed, client first; frames 75/63 bytes 105356/3610 retrans 1/0 after-ack 1/0 spurious 1/0 ooo 13/0 gaps 11/0 dupacks 0/16 updates 0/7",
		"closed, client first; frames 48/46 bytes 65400/2426 retrans 2/0 after-ack 2/0 spurious 2/0 dupacks 0/2",
		"closed, client first; frames 46/42 bytes 62400/2194",
		"unanswered; frames 3/0 bytes 180/0 retrans 2/0"}},
}

func TestCountsOfTshark(t *testing.T) {
	for _, test := range agreed {
		t.Run(test.file, func(t *testing.T) {
			var got []string
			for _, c := range analyzed(t, test.file).Connections {
				got = append(got, counts(c))
			}
			if a, b := strings.Join(got, "\n"), strings.Join(test.want, "\n"); a != b {
				t.Errorf("\n%s\nwant\n%s", a, b)
			}
		})
	}
}

// A report survives JSON.
func TestJSON(t *testing.T) {
	for _, test := range agreed {
		r := analyzed(t, test.file)
		text := must[[]byte](t)(json.Marshal(r))
		var back capture.Report
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", test.file, err)
		}
		if !reflect.DeepEqual(r, &back) {
			t.Errorf("%s: not the same after JSON", test.file)
		}
	}
}

// Text fits 80 columns.
func TestText(t *testing.T) {
	for _, test := range agreed {
		var b bytes.Buffer
		if err := capture.WriteText(&b, analyzed(t, test.file), capture.TextOptions{Connections: -1, Ladder: true, Comments: true}); err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(b.String(), "\n") {
			if len(line) > 80 || strings.TrimRight(line, " ") != line {
				t.Errorf("%s: line %d has %d columns: %q", test.file, i+1, len(line), line)
			}
		}
	}
}
