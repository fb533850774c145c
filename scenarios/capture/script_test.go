package capture_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/scenarios/capture"
	"tcplab/tcpmodel/segment"
)

// parseLine reads one packet of a script: milliseconds, c or s for who sends,
// flags as tcpdump writes them, first:last of the sequence numbers, and then
// ack, win, sack left:right ..., ts value.
func parseLine(t *testing.T, line string) (des.Time, segment.Segment) {
	t.Helper()
	number := func(text string) uint32 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return uint32(n)
	}
	span := func(text string) (segment.Seq, segment.Seq) {
		left, right, found := strings.Cut(text, ":")
		if !found {
			right = left
		}
		return segment.Seq(number(left)), segment.Seq(number(right))
	}
	f := strings.Fields(line)
	s := segment.Segment{Src: 1, Dst: 2, SrcPort: 40000, DstPort: 80, Wnd: 1000}
	if f[1] == "s" {
		s.Src, s.Dst, s.SrcPort, s.DstPort = 2, 1, 80, 40000
	}
	for _, letter := range f[2] {
		s.Flags |= map[rune]segment.Flags{'S': segment.SYN, 'F': segment.FIN, 'R': segment.RST, '.': segment.ACK}[letter]
	}
	if s.Has(segment.SYN) {
		s.Opts, s.MSS = segment.OptMSS|segment.OptSACKPermitted, 1460
	}
	left, right := span(f[3])
	s.Seq, s.Len = left, uint32(right.Sub(left))
	for i := 4; i+1 < len(f); i += 2 {
		switch f[i] {
		case "ack":
			s.Ack = segment.Seq(number(f[i+1]))
		case "win":
			s.Wnd = uint16(number(f[i+1]))
		case "ts":
			s.Opts |= segment.OptTimestamps
			s.TSVal = number(f[i+1])
		case "sack":
			s.Opts |= segment.OptSACK
			s.SACK[s.NumSACK].Left, s.SACK[s.NumSACK].Right = span(f[i+1])
			s.NumSACK++
		default:
			t.Fatalf("%q: no field %q", line, f[i])
		}
	}
	return des.Time(number(f[0])) * des.Millisecond, s
}

// scripted writes the packets of a script and analyses the file.
func scripted(t *testing.T, script string) *capture.Report {
	t.Helper()
	var file bytes.Buffer
	w := small(t, &file, capture.WriterOptions{})
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		now, seg := parseLine(t, line)
		w.Packet(0, now, capture.Unknown, &seg, "")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return must[*capture.Report](t)(capture.Analyze(&file))
}

// digest is a connection on one line: counts without those of frames, states.
func digest(c *capture.Connection) string {
	text := counts(c)
	if before, after, ok := strings.Cut(text, "; frames "); ok {
		text = before
		if f := strings.SplitN(after, " ", 4); len(f) == 4 {
			text += "; " + f[3]
		}
	}
	for _, e := range []*capture.End{&c.Client, &c.Server} {
		if e.Retransmissions.Unseen > 0 {
			text += fmt.Sprintf(" unseen %d", e.Retransmissions.Unseen)
		}
		if e.OutOfWindow > 0 {
			text += fmt.Sprintf(" out-of-window %d", e.OutOfWindow)
		}
	}
	for _, e := range []*capture.End{&c.Client, &c.Server} {
		text += " |"
		for _, s := range e.States {
			text += " " + string(s.State)
		}
	}
	return text
}

const opened = `0 c S 100
10 s S. 500 ack 101
20 c . 101 ack 501
`

var scripts = []struct {
	name, script string
	want         []string
}{
	{"three-way, then nothing", opened, []string{"open | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"half-open", "0 c S 100\n10 s S. 500 ack 101\n1010 s S. 500 ack 101", []string{
		"half-open; retrans 0/1 | SYN-SENT | LISTEN SYN-RECEIVED"}},
	{"refused", "0 c S 100\n10 s R. 0 ack 101", []string{"refused, server first; rst 0/1 | SYN-SENT CLOSED | CLOSED"}},
	{"refused by somebody who guesses", "0 c S 100\n10 s R. 0 ack 77", []string{
		"unanswered; rst 0/1 out-of-window 1 | SYN-SENT |"}},
	{"scan: the client resets a half-open connection", "0 c S 100\n10 s S. 500 ack 101\n20 c R 101", []string{
		"reset, client first; rst 1/0 | SYN-SENT CLOSED | LISTEN SYN-RECEIVED LISTEN"}},
	{"simultaneous open", "0 c S 100\n1 s S 500\n10 c S. 100 ack 501\n11 s S. 500 ack 101", []string{
		"open | SYN-SENT SYN-RECEIVED ESTABLISHED | SYN-SENT SYN-RECEIVED ESTABLISHED"}},
	{"the accept queue is full: the SYN-ACK comes again", opened + "1010 s S. 500 ack 101\n1020 c . 101 ack 501", []string{
		"open; retrans 0/1 dupacks 1/0 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"four segments to close", opened + `30 c F. 101 ack 501
40 s . 501 ack 102
50 s F. 501 ack 102
60 c . 102 ack 502`, []string{"closed, client first |" +
		" SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT | LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED"}},
	{"three segments to close", opened + `30 s F. 501 ack 101
50 c F. 101 ack 502
60 s . 502 ack 102`, []string{"closed, server first |" +
		" SYN-SENT ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED | LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"}},
	{"simultaneous close", opened + `30 c F. 101 ack 501
31 s F. 501 ack 101
40 c . 102 ack 502
41 s . 502 ack 102`, []string{"closed, both first |" +
		" SYN-SENT ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT | LISTEN SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT"}},
	{"FIN lost, data and FIN again", opened + `30 c . 101:201 ack 501
31 c F. 201 ack 501
240 c F. 101:201 ack 501
260 s . 501 ack 202`, []string{"closing, client first; retrans 1/0 |" +
		" SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 | LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT"}},
	{"abort", opened + "30 c . 101:201 ack 501\n31 c R. 201 ack 501", []string{
		"reset, client first; rst 1/0 | SYN-SENT ESTABLISHED CLOSED | LISTEN SYN-RECEIVED ESTABLISHED CLOSED"}},
	{"a RST in the window but not exact does nothing (RFC 5961)", opened + "30 c R 300\n31 s . 501 ack 101", []string{
		"open; dupacks 0/1 rst 1/0 out-of-window 1 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"blind data", opened + "30 c . 900000:900100 ack 501", []string{
		"open out-of-window 1 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"lost beyond the vantage point", opened + `30 c . 101:201 ack 501
31 c . 201:301 ack 501
50 s . 501 ack 101 sack 201:301
240 c . 101:201 ack 501
260 s . 501 ack 301`, []string{"open; retrans 1/0 dupacks 0/1 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"lost before the vantage point", opened + `31 c . 201:301 ack 501
32 s . 501 ack 101 sack 201:301
240 c . 101:201 ack 501
260 s . 501 ack 301`, []string{"open; retrans 1/0 gaps 1/0 dupacks 0/1 unseen 1 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"overtaken before the vantage point", opened + `31 c . 201:301 ack 501
33 c . 101:201 ack 501`, []string{"open; ooo 1/0 gaps 1/0 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"time stamps tell late from repeated", opened + `31 c . 201:301 ack 501 ts 1031
33 c . 101:201 ack 501 ts 1032
90 c . 401:501 ack 501 ts 1060
190 c . 301:401 ack 501 ts 1059`, []string{"open; retrans 1/0 ooo 1/0 gaps 2/0 unseen 1 |" +
		" SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"spurious", opened + `30 c . 101:201 ack 501
230 c . 101:201 ack 501
231 s . 501 ack 201
250 s . 501 ack 201 sack 101:201`, []string{"open; retrans 1/0 spurious 1/0 dupacks 0/1 |" +
		" SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"keepalive, empty and of one byte", opened + `30 c . 101:201 ack 501
40 s . 501 ack 201
9000 c . 200 ack 501
9010 s . 501 ack 201
18000 c . 200:201 ack 501
18010 s . 501 ack 201`, []string{"open; keepalives 2/0 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"the window closes, probes of both kinds, it opens", opened + `30 c . 101:201 ack 501
40 s . 501 ack 201 win 0
240 c . 200 ack 501
250 s . 501 ack 201 win 0
440 c . 201:202 ack 501
450 s . 501 ack 201 win 0
460 s . 501 ack 201 win 900
470 c . 201:301 ack 501`, []string{"open; retrans 1/0 updates 0/1 zero 0/3 probes 2/0 |" +
		" SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"one byte again is no keepalive", opened + "30 c . 101:102 ack 501\n230 c . 101:102 ack 501", []string{
		"open; retrans 1/0 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"sequence numbers wrap", `0 c S 4294967290
10 s S. 4294967295 ack 4294967291
20 c . 4294967291 ack 0
30 c . 4294967291:4294967391 ack 0
40 s . 0 ack 95
50 c F. 95 ack 0
60 s F. 0 ack 96
70 c . 96 ack 1`, []string{"closed, client first |" +
		" SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT | LISTEN SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED"}},
	{"the capture begins late", "0 s . 501:601 ack 101\n10 c . 101 ack 601\n20 s . 601:701 ack 101", []string{
		"open | ESTABLISHED | ESTABLISHED"}},
	{"the capture begins with the SYN-ACK", "0 s S. 500 ack 101\n10 c . 101 ack 501", []string{
		"open | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"cookies: the repeated SYN gets another number", "0 c S 100\n10 s S. 500 ack 101\n1000 c S 100\n1010 s S. 9500 ack 101\n1020 c . 101 ack 9501\n1030 s . 9501:9601 ack 101", []string{
		"open; retrans 1/0 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
	{"a new incarnation, and the old one answers", opened + `30000 c S 90000100
30010 s . 501 ack 101
30020 c R 101
31000 c S 90000100
31010 s S. 7000 ack 90000101
31020 c . 90000101 ack 7001`, []string{
		"reset, client first; dupacks 0/1 rst 1/0 | SYN-SENT ESTABLISHED CLOSED | LISTEN SYN-RECEIVED ESTABLISHED CLOSED",
		"open; retrans 1/0 | SYN-SENT ESTABLISHED | LISTEN SYN-RECEIVED ESTABLISHED"}},
}

func TestScripts(t *testing.T) {
	for _, test := range scripts {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, c := range scripted(t, test.script).Connections {
				got = append(got, digest(c))
			}
			if a, b := strings.Join(got, "\n"), strings.Join(test.want, "\n"); a != b {
				t.Errorf("\n%s\nwant\n%s", a, b)
			}
		})
	}
}

// Round-trip times count from the data to the acknowledgement; data that was
// sent again gives none.
func TestRTT(t *testing.T) {
	c := scripted(t, opened+`30 c . 101:201 ack 501
31 c . 201:301 ack 501
60 s . 501 ack 301
100 c . 301:401 ack 501
140 s . 501 ack 401
200 c . 401:501 ack 501
400 c . 401:501 ack 501
405 s . 501 ack 501
500 c . 501:601 ack 501
560 s . 501 ack 601`).Connections[0]
	want := capture.RTT{Samples: 3, Min: 29e6, Median: 40e6}
	if c.Client.RTT != want || c.Server.RTT.Samples != 0 {
		t.Errorf("%+v, %+v; want %+v", c.Client.RTT, c.Server.RTT, want)
	}
	if h := (capture.Handshake{SYNACK: 10e6, ACK: 20e6}); c.Handshake != h {
		t.Errorf("%+v, want %+v", c.Handshake, h)
	}
}
