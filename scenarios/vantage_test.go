package scenarios

import (
	"bytes"
	"strings"
	"testing"

	"tcplab/scenarios/capture"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel"
)

// captured runs a scenario and returns the outcome and the file.
func captured(t *testing.T, sc *spec.Scenario, hosts ...string) (*Outcome, []byte) {
	t.Helper()
	var file bytes.Buffer
	out := run(t, sc, Options{Capture: &Capture{Out: &file, Hosts: hosts, Tool: "test"}})
	return out, file.Bytes()
}

func analyzed(t *testing.T, file []byte) *capture.Report {
	t.Helper()
	r, err := capture.Options{Ladder: -1, Ladders: -1}.Analyze(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if r.Cut || r.Malformed+r.Fragments+r.BadChecksums != 0 || r.TCP != r.Packets {
		t.Errorf("%d packets, %d of TCP, %d malformed, %d wrong checksums", r.Packets, r.TCP, r.Malformed, r.BadChecksums)
	}
	return r
}

func value(t *testing.T, out *Outcome, name string) int {
	t.Helper()
	for _, m := range out.Result.Metrics {
		if m.Name == name {
			return int(m.Value)
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// What a capture shows is what was measured.
func TestCaptureAgreesWithMetrics(t *testing.T) {
	for _, name := range []string{"handshake", "lost-syn-ack", "keepalive", "syn-flood", "time-wait"} {
		t.Run(name, func(t *testing.T) {
			sc := load(t, name, nil)
			sc.Measure.Warmup = 0
			sc.Duration = min(sc.Duration, 3000e9)
			if name == "syn-flood" || name == "time-wait" {
				sc.Duration, sc.Expect = 45e9, nil
			}
			out, file := captured(t, sc)
			r := analyzed(t, file)
			if got, want := r.Packets, value(t, out, "server.in_segs")+value(t, out, "server.out_segs"); got != want {
				t.Errorf("%d packets, the server counts %d", got, want)
			}
			sent, again, handshakes := 0, 0, 0
			for _, c := range r.Connections {
				sent += c.Server.Segments
				again += c.Server.Retransmissions.SYNACK
				if c.Handshake.ACK != capture.None {
					handshakes++
				}
			}
			if want := value(t, out, "server.out_segs"); sent != want {
				t.Errorf("%d segments of the server, it counts %d", sent, want)
			}
			if want := value(t, out, "server.synack_retransmits"); again != want {
				t.Errorf("%d SYN-ACKs again, the server counts %d", again, want)
			}
			if want := value(t, out, "server.passive_opens"); handshakes != want {
				t.Errorf("%d handshakes, the server counts %d passive opens", handshakes, want)
			}
		})
	}
}

// The file does not depend on replications or processors, and the run not on
// the file.
func TestCaptureIsTheFirstReplication(t *testing.T) {
	sc := load(t, "lost-syn-ack", nil)
	plain := files(t, sc, run(t, sc, Options{}))
	out, want := captured(t, sc, "client", "server")
	if got := files(t, sc, out); got[summaryName] != plain[summaryName] || got[connectionsName] != plain[connectionsName] {
		t.Error("capturing changed the run")
	}
	for _, workers := range []int{1, 3} {
		var file bytes.Buffer
		run(t, sc, Options{Replications: 3, Workers: workers,
			Capture: &Capture{Out: &file, Hosts: []string{"client", "server"}, Tool: "test"}})
		if !bytes.Equal(file.Bytes(), want) {
			t.Errorf("another file with %d workers", workers)
		}
	}
}

func TestCaptureSaysWhatBecameOfPackets(t *testing.T) {
	_, file := captured(t, load(t, "lost-syn-ack", nil))
	r := analyzed(t, file)
	if len(r.Connections) != 1 || len(r.Interfaces) != 1 || r.Interfaces[0].Name != "server" {
		t.Fatalf("%d connections, interfaces %+v", len(r.Connections), r.Interfaces)
	}
	var comments []string
	for _, l := range r.Connections[0].Ladder {
		comments = append(comments, l.Comment)
	}
	if all := strings.Join(comments, "\n"); !strings.Contains(all, "lost on server->client\n") ||
		!strings.Contains(all, "\nretransmit\n") || !strings.Contains(all, "server: SYN-RECEIVED > ESTABLISHED (segment)") {
		t.Errorf("comments:\n%s", all)
	}
}

func TestVantage(t *testing.T) {
	flood := load(t, "syn-flood", nil)
	bottleneck := load(t, "shared-bottleneck", nil)
	if got := DefaultVantage(flood); got != "server" {
		t.Errorf("%s captures the flood", got)
	}
	if got := DefaultVantage(bottleneck); got != bottleneck.Hosts[0].Name {
		t.Errorf("%s captures without a server", got)
	}
	for _, c := range []struct {
		hosts []string
		want  string
	}{
		{[]string{"server", "sever"}, `no host "sever" (have `},
		{[]string{"core"}, "core is a router"},
		{[]string{"server", "server"}, "named twice"},
	} {
		if _, err := Vantage(flood, c.hosts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.hosts, err, c.want)
		}
	}
}

// Without a capture, and at the other hosts, nobody stands between a stack and
// its record.
func TestNoCaptureNoCost(t *testing.T) {
	var none *capturing
	var record tcpmodel.Tracer = &vantage{}
	if none.tracer(1, record) != record {
		t.Error("a tracer without a capture")
	}
	some := &capturing{points: []vantage{{node: 2}}}
	if some.tracer(1, record) != record {
		t.Error("a tracer at another host")
	}
	if some.tracer(2, record) == record {
		t.Error("no tracer at the vantage point")
	}
}
