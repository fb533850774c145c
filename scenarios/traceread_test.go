package scenarios

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tcplab/scenarios/measure"
)

// drawn is what of a ladder can be seen, sequence numbers relative.
type drawn struct {
	Passages []string
	States   [2][]measure.StateSpan
	Timers   []measure.TimerSpan
	Senders  []measure.Sender
	Text     string
}

func draw(t *testing.T, trace *measure.Trace) (out drawn) {
	t.Helper()
	l := measure.NewLadder(trace)
	for i := range l.Passages {
		p := &l.Passages[i]
		out.Passages = append(out.Passages, strings.Join([]string{strconv.FormatInt(int64(p.Sent), 10), strconv.FormatInt(int64(p.Arrived), 10),
			strconv.FormatInt(int64(p.Gone), 10), measure.Notation{}.Write(trace, p.Passive, &p.Segment), p.Remark(measure.English),
			strconv.FormatUint(trace.Window(p.Passive, &p.Segment), 10), strconv.Itoa(int(p.Segment.NumSACK))}, " "))
	}
	for i := range trace.Events {
		out.Senders = append(out.Senders, trace.Events[i].Sender)
	}
	out.States, out.Timers, out.Text = l.States, l.Timers, l.String()
	return out
}

// What a ladder shows is the same from the file.
func TestTracesAreReadBack(t *testing.T) {
	for _, name := range []string{"handshake", "lost-syn-ack", "keepalive", "slow-start", "closed-port", "simultaneous-open", "old-duplicate", "reno-cubic",
		"syn-proxy", "nat-keepalive", "client-rebooted", "server-rebooted", "process-killed", "rate-limiter"} {
		out := run(t, load(t, name, nil), Options{Trace: Trace{First: 2, Events: 1500}})
		dir := t.TempDir()
		for i := range out.Connections.Traces {
			text, err := traceCSV(&out.Connections.Traces[i])
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "trace", strconv.Itoa(out.Connections.Traces[i].Number)+".csv"), string(text))
		}
		write(t, filepath.Join(dir, connectionsName), string(connectionsCSV(out.Connections, out.Addresses)))
		m := Manifest{Traced: tracedOf(out.Connections.Traces)}
		got, err := m.ReadTraces(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(out.Connections.Traces) || len(got) == 0 {
			t.Fatalf("%s: %d traces, want %d", name, len(got), len(out.Connections.Traces))
		}
		for i := range got {
			if diff := cmp.Diff(draw(t, &out.Connections.Traces[i]), draw(t, &got[i])); diff != "" {
				t.Errorf("%s, connection %d (-run +file):\n%s", name, got[i].Number, diff)
			}
		}
		older, err := (&Manifest{}).ReadTraces(dir)
		if err != nil || len(older) != len(got) || older[0].Active.Host != got[0].Active.Host {
			t.Errorf("%s: without a manifest %d traces, %v", name, len(older), err)
		}
	}
}

// Files that have no columns after window_bytes are read, too.
func TestOlderTraceIsRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "trace", "7.csv"), strings.Join(traceHeader[:10], ",")+`
1,active,state,SYN-SENT,,user,,,,
1,active,send,SYN-SENT,<SEQ=0><CTL=SYN>,user,0,,0,64240
1.01,passive,receive,LISTEN,<SEQ=0><CTL=SYN>,,0,,0,64240
`)
	write(t, filepath.Join(dir, connectionsName), "connection,active_host,passive_host\n7,client,server\n")
	got, err := (&Manifest{}).ReadTraces(dir)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d traces, %v", len(got), err)
	}
	if l := measure.NewLadder(&got[0]); len(l.Passages) != 1 || l.Passages[0].Arrived != 1.01e9 || got[0].Passive.Host != "server" {
		t.Errorf("passages %+v", l.Passages)
	}
}

func TestBrokenTraceIsRefused(t *testing.T) {
	for _, row := range []string{
		"x,active,send,SYN-SENT,<SEQ=0><CTL=SYN>,user,0,,0,64240",
		"1,middle,send,SYN-SENT,<SEQ=0><CTL=SYN>,user,0,,0,64240",
		"1,active,sneeze,SYN-SENT,<SEQ=0><CTL=SYN>,user,0,,0,64240",
		"1,active,send,SYN-SUNK,<SEQ=0><CTL=SYN>,user,0,,0,64240",
		"1,active,send,SYN-SENT,<SEQ=0><CTL=SIN>,user,0,,0,64240",
		"1,active,send,SYN-SENT,<SEQ=0><CTL=SYN>,whim,0,,0,64240",
		"1,active,send,SYN-SENT,<SEQ=0><CTL=SYN>,user,-1,,0,64240",
	} {
		path := filepath.Join(t.TempDir(), "1.csv")
		write(t, path, strings.Join(traceHeader[:10], ",")+"\n"+row+"\n")
		if _, err := readTrace(path); err == nil || !strings.Contains(err.Error(), "1.csv:2:") {
			t.Errorf("%s: %v", row, err)
		}
	}
}

// The variables of the sender follow what happens: slow start doubles cwnd.
func TestTraceHasTheSender(t *testing.T) {
	trace := traced(t, "slow-start", Trace{First: 1, Events: 400})[0]
	var seen []uint32
	for _, e := range trace.Events {
		if e.Sender.Known() && !e.Passive && !slices.Contains(seen, e.Sender.Cwnd) {
			seen = append(seen, e.Sender.Cwnd)
		}
	}
	if len(seen) < 10 || !slices.Contains(seen, 10) || !slices.IsSorted(seen[:10]) {
		t.Errorf("cwnd %v", seen)
	}
}
