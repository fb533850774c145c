package tcpmodel_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// kernelCase is one recording of the real kernel: what the applications did,
// what the link lost, and what was seen on the wire in each repetition.
type kernelCase struct {
	group, name string
	params      map[string]string
	sysctls     map[string]map[string]int64 // by side, "client" or "server"
	runs        []*kernelRun
	// Of bulk transfers: figures of each repetition, and the ordinals of the
	// data packets that the link lost.
	results map[string][]float64
	dropped []string
}

// kernelRun is one repetition, or the simulated one. Times are in ms.
type kernelRun struct {
	packets []kernelPacket
	events  []kernelEvent
}

// kernelPacket is a packet with numbers relative to the initial ones of the
// connection and time stamps relative to the first of its sender.
type kernelPacket struct {
	sent, delivered float64
	dir             byte // '>' from the client, '<' from the server, '!' injected at the server
	flags           string
	seq, ack        uint32
	hasAck, lost    bool
	len, window     uint32
	options         string // without time stamps
	stamped         bool
	tsVal, tsEcr    uint32
	flow            int // by connection, from 1; 0 where there is only one
	order           int // the place among all that happens in the simulation
	handled         int // that of its arrival
}

// flows returns the parts of r by connection.
func (r *kernelRun) flows() map[int]*kernelRun {
	parts := map[int]*kernelRun{}
	for _, k := range r.packets {
		if parts[k.flow] == nil {
			parts[k.flow] = &kernelRun{}
		}
		parts[k.flow].packets = append(parts[k.flow].packets, k)
	}
	return parts
}

type kernelEvent struct {
	who, what, value string
	at               float64
	order            int
}

func (e *kernelEvent) name() string { return e.who + " " + e.what + " " + e.value }

func (c *kernelCase) String() string { return c.group + "/" + c.name }

// number returns a parameter, 0 if it is not there. Times are in ms.
func (c *kernelCase) number(t testing.TB, name string) float64 {
	t.Helper()
	text, ok := c.params[name]
	if !ok {
		return 0
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%v: parameter %s: %v", c, name, err)
	}
	return v
}

// readKernelCases reads the recordings of a group.
func readKernelCases(t testing.TB, group string) (cases []*kernelCase) {
	t.Helper()
	file := filepath.Join("testdata", "kernel", group+".txt")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := kernelParser{t: t, file: file}
	for line := range strings.Lines(string(text)) {
		p.line++
		f := strings.Fields(line)
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "case":
			p.c = &kernelCase{group: group, name: rest, params: map[string]string{}, results: map[string][]float64{},
				sysctls: map[string]map[string]int64{"client": {}, "server": {}}}
			p.pending = nil
			cases = append(cases, p.c)
		case "text":
		case "param":
			p.want(f, 3)
			p.c.params[f[1]] = f[2]
		case "sysctl":
			p.want(f, 4)
			p.c.sysctls[f[1]][f[2]] = int64(p.float(f[3]))
		case "event":
			p.pending = append(p.pending, f[1:])
		case "result":
			for _, v := range f[2:] {
				p.c.results[f[1]] = append(p.c.results[f[1]], p.float(v))
			}
		case "dropped":
			p.want(f, 3)
			p.c.dropped = append(p.c.dropped, f[2])
		case "run":
			p.newRun()
		default:
			p.packet(f)
		}
	}
	return cases
}

type kernelParser struct {
	t       testing.TB
	file    string
	line    int
	c       *kernelCase
	run     *kernelRun
	pending [][]string
}

func (p *kernelParser) want(fields []string, n int) {
	p.t.Helper()
	if len(fields) < n {
		p.t.Fatalf("%s:%d: %d fields, want %d", p.file, p.line, len(fields), n)
	}
}

func (p *kernelParser) float(s string) float64 {
	p.t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		p.t.Fatalf("%s:%d: %v", p.file, p.line, err)
	}
	return v
}

// newRun starts a repetition. An event line has a time for each of them.
func (p *kernelParser) newRun() {
	p.run = &kernelRun{}
	n := len(p.c.runs)
	p.c.runs = append(p.c.runs, p.run)
	for _, f := range p.pending {
		p.want(f, 4+n)
		value := f[2]
		if value == "-" {
			value = ""
		}
		p.run.events = append(p.run.events, kernelEvent{who: f[0], what: f[1], value: value, at: p.float(f[3+n])})
	}
}

func (p *kernelParser) packet(f []string) {
	p.t.Helper()
	p.want(f, 9)
	num := func(s string) uint32 { return uint32(int64(p.float(s))) }
	k := kernelPacket{sent: p.float(f[0]), dir: f[2][0], flags: f[3], seq: num(f[4]), len: num(f[6]), window: num(f[7])}
	if k.lost = f[1] == "-"; !k.lost {
		k.delivered = p.float(f[1])
	}
	if k.hasAck = f[5] != "-"; k.hasAck {
		k.ack = num(f[5])
	}
	var options []string
	for _, o := range strings.Split(f[8], ";") {
		if ts, ok := strings.CutPrefix(o, "ts="); ok {
			val, ecr, _ := strings.Cut(ts, "/")
			k.stamped, k.tsVal, k.tsEcr = true, num(val), num(ecr)
		} else if o != "-" {
			options = append(options, o)
		}
	}
	k.options = strings.Join(options, " ")
	if len(f) > 9 {
		k.flow = int(num(f[9]))
	}
	p.run.packets = append(p.run.packets, k)
}
