package scenarios

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"tcplab/scenarios/measure"
)

func traced(t *testing.T, name string, o Trace) []measure.Trace {
	t.Helper()
	return run(t, load(t, name, nil), Options{Replications: 2, Trace: o}).Connections.Traces
}

func records(t *testing.T, trace *measure.Trace) [][]string {
	t.Helper()
	text, err := traceCSV(trace)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Everything that happened to a connection whose first SYN-ACK is lost.
func TestTraceOfALostSYNACK(t *testing.T) {
	traces := traced(t, "lost-syn-ack", Trace{First: 1})
	if len(traces) != 1 {
		t.Fatalf("%d traces", len(traces))
	}
	var got []string
	for _, r := range records(t, &traces[0])[1:13] {
		got = append(got, strings.Join(r[1:6], " "))
	}
	want := []string{
		"active state SYN-SENT  user",
		"active send SYN-SENT <SEQ=0><CTL=SYN> user",
		"passive receive LISTEN <SEQ=0><CTL=SYN> ",
		"passive state SYN-RECEIVED  segment",
		"passive send SYN-RECEIVED <SEQ=0><ACK=1><CTL=SYN,ACK> segment",
		"passive lost SYN-RECEIVED <SEQ=0><ACK=1><CTL=SYN,ACK> server->client",
		"active send SYN-SENT <SEQ=0><CTL=SYN> retransmit",
		"passive receive SYN-RECEIVED <SEQ=0><CTL=SYN> ",
		"passive send SYN-RECEIVED <SEQ=0><ACK=1><CTL=SYN,ACK> retransmit",
		"active receive SYN-SENT <SEQ=0><ACK=1><CTL=SYN,ACK> ",
		"active state ESTABLISHED  segment",
		"active send ESTABLISHED <SEQ=1><ACK=1><CTL=ACK> segment",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTraceChoosesConnections(t *testing.T) {
	numbers := func(o Trace) (out []int) {
		for _, x := range traced(t, "time-wait", o) {
			out = append(out, x.Number)
		}
		return out
	}
	if got := numbers(Trace{First: 2}); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("the first two are %v", got)
	}
	if got := numbers(Trace{Conns: []int{40, 7, 1 << 20}, First: 1}); !slices.Equal(got, []int{1, 7, 40}) {
		t.Errorf("chosen are %v", got)
	}
	if got := numbers(Trace{}); got != nil {
		t.Errorf("without a choice %v", got)
	}
}

// A window keeps the segments within it, and all changes of state.
func TestTraceWindow(t *testing.T) {
	all := traced(t, "handshake", Trace{First: 1})[0]
	some := traced(t, "handshake", Trace{First: 1, From: 1.035e9, Until: 1.045e9})[0]
	if all.Active.ISS != some.Active.ISS || !some.Passive.Synced {
		t.Error("the initial sequence number is lost")
	}
	var want []measure.Event
	for _, e := range all.Events {
		if e.Kind == measure.StateChange || e.Time >= 1.035e9 && e.Time < 1.045e9 {
			want = append(want, e)
		}
	}
	if !slices.Equal(some.Events, want) || len(want) == len(all.Events) {
		t.Errorf("%d events, want %d of %d", len(some.Events), len(want), len(all.Events))
	}
}

// What is sent arrives or is lost, in every trace of the library.
func TestTraceAccountsForSegments(t *testing.T) {
	for _, name := range []string{"handshake", "lost-syn-ack", "keepalive", "time-wait"} {
		for _, trace := range traced(t, name, Trace{First: 3}) {
			counts := map[measure.EventKind]int{}
			for _, e := range trace.Events {
				counts[e.Kind]++
			}
			if trace.LeftOut > 0 || counts[measure.SegmentOut] == 0 ||
				counts[measure.SegmentOut] != counts[measure.SegmentIn]+counts[measure.SegmentLost]+counts[measure.SegmentDropped] {
				t.Errorf("%s, connection %d: %v", name, trace.Number, counts)
			}
		}
	}
}
