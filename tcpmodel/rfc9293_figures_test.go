package tcpmodel

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// readTable returns the rows of a CSV file of testdata by column name.
func readTable(t testing.TB, name string) []map[string]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, v := range line {
			row[lines[0][i]] = v
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", name)
	}
	return rows
}

// figureExtras are the segments that a host sends beyond those of a figure,
// and why. They are on the way when the figure ends.
var figureExtras = map[string]string{
	// The SYN,ACK of line 6 lies left of RCV.NXT when A is in SYN-RECEIVED,
	// and a segment that repeats what is known is acknowledged (RFC 9293
	// section 3.10.7.4 first); Linux does the same and reports a D-SACK.
	"7 A <SEQ=101><ACK=301><CTL=ACK>":               "line 6 repeats B's SYN",
	"7 A <SEQ=101><ACK=301><CTL=ACK><SACK=300:301>": "line 6 repeats B's SYN",
	"7 B <SEQ=301><ACK=101><CTL=ACK>":               "line 7 repeats A's SYN",
	"7 B <SEQ=301><ACK=101><CTL=ACK><SACK=100:101>": "line 7 repeats A's SYN",
	// The figure ends with the data on their way to B, which acknowledges.
	"6 B <SEQ=301><ACK=111><CTL=ACK>": "line 5 carries data",
}

// figure is one figure of RFC 9293 being replayed: nothing that a host sends
// arrives before a line of the figure says so.
type figure struct {
	*lab
	t       *testing.T
	out     map[string][]segment.Segment
	held    map[string]segment.Segment
	numbers map[string]uint32
}

const (
	figurePortA, figurePortB = 1000, 80
	figureData               = 10
)

func (f *figure) host(name string) *host {
	if name == "A" {
		return f.a
	}
	return f.b
}

// dial opens actively from one host to the other, with the ports of the
// figure's connection.
func (f *figure) dial(name string) {
	f.t.Helper()
	from, local, remote := f.host(name), uint16(figurePortA), uint16(figurePortB)
	to := f.b
	if name == "B" {
		local, remote, to = remote, local, f.a
	}
	ep, err := from.Connect(to.Node(), remote, from, SocketOptions{LocalPort: local})
	if err != nil {
		f.t.Fatal(err)
	}
	from.ep = ep
}

func (f *figure) passive(h *host, port uint16) {
	f.t.Helper()
	var err error
	if h.l, err = h.Listen(port, 5, h); err != nil {
		f.t.Fatal(err)
	}
}

// capture lets what h sends wait for its line.
func (f *figure) capture() {
	f.out, f.held, f.numbers = map[string][]segment.Segment{}, map[string]segment.Segment{}, map[string]uint32{}
	for _, h := range []*host{f.a, f.b} {
		name := h.name
		h.wire.keep = func(s *segment.Segment) { f.out[name] = append(f.out[name], *s) }
	}
}

// together lets A and B set up a connection in which A sends 100 next and B
// 300, and takes B's listener away again.
func (f *figure) together() {
	f.t.Helper()
	f.a.cfg.ISNValue, f.b.cfg.ISNValue = 99, 299
	f.passive(f.b, figurePortB)
	f.dial("A")
	f.run(4 * labDelay)
	f.wantStates(Established, Established)
	f.b.l.Close()
}

// crash replaces A by a host that knows of nothing.
func (f *figure) crash(isn uint32) {
	f.a = f.newHost("A", f.a.Node(), *f.a.Config(), isn)
	f.a.wire.to, f.b.wire.to = f.b, f.a
}

// figureSetups bring the hosts into the first line of each figure.
var figureSetups = map[string]func(f *figure){
	"6":  func(f *figure) { f.passive(f.b, figurePortB) },
	"7":  func(f *figure) {},
	"8":  func(f *figure) { f.passive(f.b, figurePortB) },
	"9":  func(f *figure) { f.together(); f.crash(400) },
	"10": func(f *figure) { f.together(); f.crash(400) },
	"11": func(f *figure) { f.passive(f.a, figurePortA); f.passive(f.b, figurePortB) },
	"12": func(f *figure) { f.together() },
	"13": func(f *figure) { f.together() },
}

// number reads a sequence number of the figure: digits, or a letter that
// stands for what is seen there first, with an offset.
func (f *figure) number(text string, seen uint32) uint32 {
	f.t.Helper()
	name, plus, _ := strings.Cut(text, "+")
	offset := 0
	if plus != "" {
		var err error
		if offset, err = strconv.Atoi(plus); err != nil {
			f.t.Fatalf("number %q: %v", text, err)
		}
	}
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return uint32(n) + uint32(offset)
	}
	if _, ok := f.numbers[name]; !ok {
		f.numbers[name] = seen - uint32(offset)
	}
	return f.numbers[name] + uint32(offset)
}

// compare fails the test unless s is the segment of the row.
func (f *figure) compare(row map[string]string, s *segment.Segment) {
	f.t.Helper()
	bad := uint32(s.Seq) != f.number(row["seq"], uint32(s.Seq)) ||
		s.Flags&^segment.PSH != parseFlags(f.t, row["ctl"]) ||
		row["ack"] != "" && uint32(s.Ack) != f.number(row["ack"], uint32(s.Ack))
	if row["data_len"] == ">0" {
		bad = bad || s.Len == 0
	} else {
		bad = bad || strconv.Itoa(int(s.Len)) != row["data_len"]
	}
	if bad {
		f.t.Fatalf("line %s: %s sent %s, the figure has <SEQ=%s><ACK=%s><CTL=%s> with %s bytes",
			row["line"], row["sender"], ladder(s), row["seq"], row["ack"], row["ctl"], row["data_len"])
	}
}

// provoke makes the sender of the row do what makes it send, if that takes a
// call of its user.
func (f *figure) provoke(row map[string]string) {
	h, flags := f.host(row["sender"]), parseFlags(f.t, row["ctl"])
	switch {
	case flags == segment.SYN && h.state() == Closed:
		f.dial(row["sender"])
	case flags&segment.FIN != 0 && (h.state() == Established || h.state() == CloseWait):
		h.ep.Close()
	case row["data_len"] != "0":
		h.ep.Write(figureData)
	}
}

// next returns the next segment that the sender of the row sends, if need be
// by waiting for a delayed acknowledgement or a retransmission.
func (f *figure) next(row map[string]string) segment.Segment {
	f.t.Helper()
	name := row["sender"]
	if len(f.out[name]) == 0 {
		f.provoke(row)
	}
	for limit := f.sim.Now() + 2*des.Second; len(f.out[name]) == 0; f.sim.Step() {
		if f.sim.NextDeadline() > limit {
			f.t.Fatalf("line %s: %s sends nothing", row["line"], name)
		}
	}
	s := f.out[name][0]
	f.out[name] = f.out[name][1:]
	return s
}

func (f *figure) arrive(name string, s segment.Segment) {
	f.host(name).Receive(f.sim.Now(), &s)
	f.run(0)
}

// forge is an old duplicate: a segment of the row's numbers from the other
// host.
func (f *figure) forge(row map[string]string) segment.Segment {
	s := segment.Segment{Src: f.a.Node(), Dst: f.b.Node(), SrcPort: figurePortA, DstPort: figurePortB, Wnd: 65535}
	if row["receiver"] == "A" {
		s.Src, s.Dst, s.SrcPort, s.DstPort = s.Dst, s.Src, s.DstPort, s.SrcPort
	}
	s.Seq = segment.Seq(f.number(row["seq"], 5000))
	s.Flags = parseFlags(f.t, row["ctl"])
	if row["ack"] != "" {
		s.Ack = segment.Seq(f.number(row["ack"], 6000))
	}
	return s
}

func (f *figure) replay(row map[string]string) {
	f.t.Helper()
	switch delivery := row["delivery"]; {
	case delivery == "" && row["note"] == "initial":
	case delivery == "" && strings.Contains(row["note"], "2 MSL"):
		f.run(f.a.cfg.TimeWait + des.Second)
	case delivery == "now":
		s := f.next(row)
		f.compare(row, &s)
		f.arrive(row["receiver"], s)
	case delivery == "late":
		s := f.next(row)
		f.compare(row, &s)
		f.held[row["line"]] = s
	case delivery == "old-duplicate":
		f.arrive(row["receiver"], f.forge(row))
	case strings.HasPrefix(delivery, "arrival of line "):
		line := strings.TrimPrefix(delivery, "arrival of line ")
		s, ok := f.held[line]
		if !ok {
			f.t.Fatalf("line %s: no segment of line %s is on the way", row["line"], line)
		}
		delete(f.held, line)
		f.compare(row, &s)
		if strings.Contains(row["setup"], "ISS 300 then 400") {
			f.b.cfg.ISNValue = 400
		}
		f.arrive(row["receiver"], s)
	default:
		f.t.Fatalf("line %s: no way to deliver %q (note %q)", row["line"], delivery, row["note"])
	}
	for _, name := range []string{"A", "B"} {
		want := row["state_"+name+"_after"]
		if got := f.host(name).state().String(); want != "" && got != want {
			f.t.Fatalf("line %s: %s is in %s, the figure has %s", row["line"], name, got, want)
		}
	}
}

// TestFigures replays the figures of RFC 9293 line by line.
func TestFigures(t *testing.T) {
	for _, file := range []string{"rfc9293_figures.csv", "rfc9293_figures_rest.csv"} {
		var names []string
		figures := map[string][]map[string]string{}
		for _, row := range readTable(t, file) {
			name := row["figure"]
			if figures[name] == nil {
				names = append(names, name)
			}
			figures[name] = append(figures[name], row)
		}
		for _, profile := range ProfileNames() {
			for _, name := range names {
				t.Run(fmt.Sprintf("%s/%s/figure %s", profile, file, name), func(t *testing.T) {
					replayFigure(t, profile, name, figures[name])
				})
			}
		}
	}
}

func replayFigure(t *testing.T, profile, name string, rows []map[string]string) {
	f := &figure{t: t, lab: newLab(t, profile, nil)}
	setup := figureSetups[name]
	if setup == nil {
		t.Fatalf("no setup for figure %s (%s)", name, rows[0]["setup"])
	}
	setup(f)
	f.capture()
	for _, row := range rows {
		f.replay(row)
	}
	for _, h := range []string{"A", "B"} {
		for _, s := range f.out[h] {
			if figureExtras[name+" "+h+" "+ladder(&s)] == "" {
				t.Errorf("figure %s has no %s from %s", name, ladder(&s), h)
			}
		}
	}
}
