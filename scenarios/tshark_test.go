package scenarios

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tcplab/scenarios/capture"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
)

// mostCaptured is about how many packets of a scenario tshark reads: a longer
// run is cut to the part of its duration in which it has that many.
const mostCaptured = 8_000

// What tshark is asked of every packet.
var tsharkFields = []string{
	"frame.packet_flags_direction", "_ws.malformed", "ip.checksum.status", "tcp.checksum.status",
	"tcp.stream", "tcp.completeness", "tcp.flags.syn", "tcp.flags.ack", "tcp.flags.reset", "tcp.ack", "tcp.nxtseq",
	"tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.keep_alive", "tcp.analysis.zero_window",
}

// outward is the direction of a packet that its host sends.
const outward = "0x00000002"

// A sighting is what tshark saw at a host.
type sighting struct {
	in, out int // segments
	damaged int // malformed, or with a wrong checksum
	resets  int // sent
	again   int // sent again
	probes  int // sent for keepalive or against a closed window

	handshakes  int // complete, opened by others
	zeroWindows int // of both ends
}

// sees has tshark read a file. It reads it twice, since what it says of a
// connection is final only at its end.
func sees(t *testing.T, program, path string) sighting {
	t.Helper()
	args := []string{"-n", "-2", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
		"-Y", "tcp && !icmp || _ws.malformed", "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"}
	for _, f := range tsharkFields {
		args = append(args, "-e", f)
	}
	var stderr bytes.Buffer
	command := exec.Command(program, args...)
	command.Stderr = &stderr
	text, err := command.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, stderr.String())
	}
	var s sighting
	const both = 3 // SYN and SYN-ACK, of tcp.completeness
	completeness, sent, opened, acknowledged := map[string]int{}, map[string]int{}, map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		f := map[string]string{}
		for i, v := range strings.Split(strings.TrimRight(line, "\n"), "|") {
			f[tsharkFields[i]] = v
		}
		if f["_ws.malformed"] != "" || f["ip.checksum.status"] != "1" || f["tcp.checksum.status"] != "1" {
			s.damaged++
		}
		s.packet(f)
		stream := f["tcp.stream"]
		if n, err := strconv.Atoi(f["tcp.completeness"]); err == nil {
			completeness[stream] = n
		}
		if f["frame.packet_flags_direction"] == outward {
			if n, err := strconv.Atoi(f["tcp.nxtseq"]); err == nil {
				sent[stream] = max(sent[stream], n)
			}
			continue
		}
		ack, _ := strconv.Atoi(f["tcp.ack"])
		switch isSYN, isACK := f["tcp.flags.syn"] == "1", f["tcp.flags.ack"] == "1"; {
		case isSYN && !isACK:
			opened[stream] = true
		case !isSYN && isACK && f["tcp.flags.reset"] == "0" && ack >= 1 && ack <= sent[stream]: // and no guess
			acknowledged[stream] = true
		}
	}
	for stream := range opened {
		if completeness[stream]&both == both && acknowledged[stream] {
			s.handshakes++
		}
	}
	return s
}

// packet counts a packet.
func (s *sighting) packet(f map[string]string) {
	if f["tcp.analysis.zero_window"] != "" {
		s.zeroWindows++
	}
	if f["frame.packet_flags_direction"] != outward {
		s.in++
		return
	}
	s.out++
	if f["tcp.flags.reset"] == "1" {
		s.resets++
	}
	switch {
	case f["tcp.analysis.keep_alive"] != "":
		s.probes++
	case f["tcp.analysis.retransmission"] != "" || f["tcp.analysis.out_of_order"] != "":
		s.again++
	}
}

// captureOf runs a scenario for at most about mostCaptured packets, and leaves
// what its server sees in a file; of a group of hosts, what all of them see.
func captureOf(t *testing.T, sc *spec.Scenario) (owner string, out *Outcome, seen *capture.Report, path string) {
	t.Helper()
	sc.Expect, sc.Figures, sc.Measure.Warmup = nil, nil, 0
	hosts := []string{DefaultVantage(sc)}
	owner = hosts[0]
	for i := range sc.Hosts {
		if members := sc.Hosts[i].Members(); slices.Contains(members, owner) {
			owner, hosts = sc.Hosts[i].Name, members
			break
		}
	}
	out = run(t, sc, Options{})
	if n := hostValue(out, owner, "in_segs") + hostValue(out, owner, "out_segs"); n > mostCaptured {
		sc.Duration = quantity.Duration(float64(sc.Duration) * mostCaptured / float64(n))
	}
	out, file := captured(t, sc, hosts...)
	path = filepath.Join(t.TempDir(), "x.pcapng")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return owner, out, analyzed(t, file), path
}

// hostValue is what a host counted, 0 if it does not count that.
func hostValue(out *Outcome, host, name string) int {
	for _, m := range out.Result.Metrics {
		if m.Name == host+"."+name {
			return int(m.Value)
		}
	}
	return 0
}

// viewed is by how much more tshark counts in a scenario that it sees in another
// way than the host: segments sent again, and handshakes at most.
var viewed = map[string]struct {
	again      int
	handshakes func(own func(name string) int) int
}{
	// Who only watches takes a handshake for complete when the ACK is there, also
	// if the listener drops it, since its accept queue is full, its half-open
	// entry gone, or data has to come first.
	"slow-acceptor":         {0, func(own func(string) int) int { return own("listen_overflows") }},
	"synack-given-up-linux": {0, func(own func(string) int) int { return own("requests_expired") }},
	"defer-accept":          {0, func(own func(string) int) int { return own("syns_queued") - own("passive_opens") }},
	// Ends that open to each other at once have no listener, and the SYN-ACK has
	// the number of the SYN before: to Linux it is none that is sent again.
	"simultaneous-open": {1, func(func(string) int) int { return 1 }},
}

// tshark finds nothing wrong with a capture of any scenario of the library, and
// counts what the host at which it was taken counts. A segment sent again within
// the round-trip time of what was acknowledged since is out of order to tshark;
// it counts as sent again here.
func TestLibraryAgainstTshark(t *testing.T) {
	program, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("TCPLAB_TSHARK") == "require" {
			t.Fatalf("TCPLAB_TSHARK=require: %v", err)
		}
		t.Skip("tshark is not installed")
	}
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		t.Run(entry.Name, func(t *testing.T) {
			t.Parallel()
			host, out, seen, path := captureOf(t, load(t, entry.Name, nil))
			s := sees(t, program, path)
			own := func(name string) int { return hostValue(out, host, name) }
			zeroWindows := 0
			for _, c := range seen.Connections {
				zeroWindows += c.Client.ZeroWindows + c.Server.ZeroWindows
			}
			passive, again := own("passive_opens"), own("retrans_segs")+viewed[entry.Name].again
			completed := passive
			if more := viewed[entry.Name].handshakes; more != nil {
				completed += more(own)
			}
			if entry.Name == "old-duplicates" {
				// Connections of one pair of ports whose numbers overlap, which is
				// what it is about, are one connection to tshark.
				s.again, s.handshakes = again, passive
			}
			for _, c := range []struct {
				what              string
				tshark, low, high int
			}{
				{"malformed packets and wrong checksums", s.damaged, 0, 0},
				{"segments in", s.in, own("in_segs"), own("in_segs")},
				{"segments out", s.out, own("out_segs"), own("out_segs")},
				{"resets out", s.resets, own("out_rsts"), own("out_rsts")},
				{"zero windows", s.zeroWindows, zeroWindows, zeroWindows},
				{"segments sent again", s.again, again, again},
				{"handshakes", s.handshakes, passive, completed},
			} {
				if c.tshark < c.low || c.tshark > c.high {
					t.Errorf("%s: tshark counts %d, %s %d (to %d)", c.what, c.tshark, host, c.low, c.high)
				}
			}
		})
	}
}
