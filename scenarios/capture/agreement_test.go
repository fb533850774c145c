package capture_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tcplab/scenarios/capture"
)

// An analysis of what the Writer wrote finds what the stacks counted and the
// states that they went through.
func TestAnalysisAgainstStack(t *testing.T) {
	for name, o := range runs {
		t.Run(name, func(t *testing.T) {
			r, file := capturedRun(t, o)
			report := must[*capture.Report](t)(capture.Analyze(bytes.NewReader(file)))
			want := 1
			if o.both {
				want = 2
			}
			if len(report.Connections) != want || report.Malformed+report.BadChecksums > 0 || report.Cut {
				t.Fatalf("%d connections, want %d; %+v", len(report.Connections), want, report)
			}
			checkEnd(t, "client", &r.client, &report.Connections[0].Client)
			if o.both {
				checkEnd(t, "server", &r.server, &report.Connections[1].Server)
			}
			c := report.Connections[0]
			switch {
			case o.refuse:
				if c.Outcome != capture.Refused || c.ResetBy != capture.Server {
					t.Errorf("%v by %q", c.Outcome, c.ResetBy)
				}
			case c.Outcome != capture.Closed || c.ClosedFirst != capture.Client || c.Client.NewBytes != uint64(o.bytes):
				t.Errorf("%v, first %v, %d bytes; want %d", c.Outcome, c.ClosedFirst, c.Client.NewBytes, o.bytes)
			}
		})
	}
}

func checkEnd(t *testing.T, name string, v *vantage, e *capture.End) {
	t.Helper()
	var inferred []string
	for _, s := range e.States {
		inferred = append(inferred, string(s.State))
	}
	actual := strings.Join(v.path, " ")
	if name == "client" { // nobody sees the end of TIME-WAIT
		actual = strings.TrimSuffix(actual, " TIME-WAIT CLOSED") + map[bool]string{true: " TIME-WAIT"}[strings.Contains(actual, "TIME-WAIT")]
	}
	if got := strings.Join(inferred, " "); got != actual {
		t.Errorf("%s: inferred %s, was %s", name, got, actual)
	}
	s := &v.ended[0]
	if len(v.ended) != 1 || e.Retransmissions.Total() != int(s.Retransmits) || e.Segments != int(s.SegsOut) || e.NewBytes != s.BytesSent {
		t.Errorf("%s: %d segments, %d bytes, %+v; the stack says %+v", name, e.Segments, e.NewBytes, e.Retransmissions, v.ended)
	}
}

// tshark runs it; without it the test fails where TCPLAB_TSHARK=require is in
// the environment.
func tshark(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("TCPLAB_TSHARK") == "require" {
			t.Fatalf("TCPLAB_TSHARK=require: %v", err)
		}
		t.Skip("tshark is not installed; the tests with gopacket check the same files")
	}
	var stderr bytes.Buffer
	command := exec.Command(path, append([]string{"-n"}, args...)...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// The fields that tshark prints of each packet, and what they must agree with.
// Checksums have the status 1 when they are right.
var tsharkFields = []struct {
	name string
	ours func(e *capture.End) int
}{
	{"frame.interface_id", nil},
	{"_ws.malformed", nil},
	{"ip.checksum.status", nil},
	{"tcp.checksum.status", nil},
	{"tcp.analysis.out_of_order", nil},
	{"tcp.analysis.retransmission", func(e *capture.End) int { return e.Retransmissions.Total() }},
	{"tcp.analysis.duplicate_ack", func(e *capture.End) int { return e.DupAcks }},
	{"tcp.analysis.zero_window", func(e *capture.End) int { return e.ZeroWindows }},
	{"tcp.analysis.window_update", func(e *capture.End) int { return e.WindowUpdates }},
	{"tcp.analysis.lost_segment", func(e *capture.End) int { return e.Gaps }},
	{"tcp.analysis.keep_alive", func(e *capture.End) int { return e.Keepalives }},
	{"tcp.flags.reset", func(e *capture.End) int { return e.Resets }},
}

// tshark finds nothing wrong with what the Writer writes, and its counts are
// those of Analyze.
func TestWriterAgainstTshark(t *testing.T) {
	for _, name := range []string{"faults", "refused", "snapped"} {
		t.Run(name, func(t *testing.T) {
			o := runs[name]
			o.options.Snaplen = 0 // checksums need all bytes
			_, file := capturedRun(t, o)
			path := filepath.Join(t.TempDir(), "x.pcapng")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			report := must[*capture.Report](t)(capture.Analyze(bytes.NewReader(file)))
			args := []string{"-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"}
			for _, f := range tsharkFields {
				args = append(args, "-e", f.name)
			}
			compareCounts(t, report, strings.Split(tshark(t, args...), "\n"), o.both)
		})
	}
}

func compareCounts(t *testing.T, report *capture.Report, lines []string, both bool) {
	t.Helper()
	counted := make([]int, len(tsharkFields))
	perInterface := map[string]int{}
	for n, line := range lines {
		fields := strings.Split(line, "|")
		if len(fields) != len(tsharkFields) || fields[1] != "" || fields[2] != "1" || fields[3] != "1" {
			t.Fatalf("packet %d is malformed, or a checksum is wrong: %q", n+1, line)
		}
		perInterface[fields[0]]++
		for i, field := range fields {
			if field != "" && field != "0" {
				counted[i]++
			}
		}
	}
	for i, c := range report.Connections {
		if n := perInterface[strconv.Itoa(c.Interface)]; n != c.Client.Segments+c.Server.Segments {
			t.Errorf("vantage point %d: tshark has %d segments", i, n)
		}
	}
	if both {
		return // every packet comes twice, which tshark takes for retransmissions
	}
	counted[5] += counted[4] // tshark takes retransmissions soon after a loss for reordering
	for i, f := range tsharkFields {
		if f.ours == nil {
			continue
		}
		c := report.Connections[0]
		if ours := f.ours(&c.Client) + f.ours(&c.Server); ours != counted[i] {
			t.Errorf("%s: tshark counts %d, we %d", f.name, counted[i], ours)
		}
	}
}
