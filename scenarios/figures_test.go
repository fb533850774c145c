package scenarios

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
	"tcplab/tcpmodel"
)

// The sequence of a transfer is the whole of it: what was lost is what the queue
// dropped, what was sent again is what the stack counts, and the last
// acknowledgment is that of all bytes, SYN and FIN.
func TestSequence(t *testing.T) {
	out := run(t, load(t, "slow-start", nil), Options{Figures: true})
	if len(out.Sequences) != 1 || out.Sequences[0].Name != "upload" {
		t.Fatalf("%d sequences", len(out.Sequences))
	}
	var n [measure.SequenceWindow + 1]int
	var acked, sent int64
	last := 0.0
	for _, e := range out.Sequences[0].Events {
		n[e.Kind]++
		switch e.Kind {
		case measure.SequenceSent:
			if e.From != sent {
				t.Fatalf("at %v s %d is sent after %d", e.Time, e.From, sent)
			}
			sent = e.To
		case measure.SequenceAcked:
			if e.To <= acked || e.To > sent {
				t.Fatalf("at %v s %d is acknowledged after %d, of %d", e.Time, e.To, acked, sent)
			}
			acked = e.To
		case measure.SequenceSACKed:
			if e.From < acked || e.To > sent || e.From >= e.To {
				t.Fatalf("at %v s a block from %d to %d, acknowledged is %d, sent %d", e.Time, e.From, e.To, acked, sent)
			}
		}
		if e.Time < last {
			t.Fatalf("an event at %v s after one at %v s", e.Time, last)
		}
		last = e.Time
	}
	metric := func(name string) int { return int(out.Result.FindMetric(name).Value) }
	if n[measure.SequenceLost] != metric("bottleneck.dropped") || n[measure.SequenceLost] == 0 {
		t.Errorf("%d are lost, %d dropped", n[measure.SequenceLost], metric("bottleneck.dropped"))
	}
	if n[measure.SequenceResent] != metric("sender.retrans_segs") {
		t.Errorf("%d are sent again, the stack counts %d", n[measure.SequenceResent], metric("sender.retrans_segs"))
	}
	if want := int64(1_000_000 + 2); acked != want || sent != want {
		t.Errorf("%d are sent and %d acknowledged, want %d", sent, acked, want)
	}
}

// The window at each ACK doubles in each round trip from the initial 10, is halved
// at the loss, and there is no threshold before.
func TestCoursesAtEachACK(t *testing.T) {
	out := run(t, load(t, "slow-start", nil), Options{Figures: true})
	cwnd, ssthresh := out.Result.FindSeries("upload.cwnd"), out.Result.FindSeries("upload.ssthresh")
	if cwnd == nil || ssthresh == nil || !cwnd.Step {
		t.Fatal("no series")
	}
	at := func(s *measure.Series, time float64) float64 {
		v := math.NaN()
		for i := range s.Time {
			if s.Time[i] <= time {
				v = s.Value[i]
			}
		}
		return v
	}
	// Opened at 100 ms, round trips of 50 ms.
	for time, want := range map[float64]float64{0.14: 1, 0.19: 10, 0.24: 20, 0.295: 40} {
		if got := at(cwnd, time); time > 0.15 && got != want {
			t.Errorf("at %v s the window is %v, want %v", time, got, want)
		}
	}
	top := 0.0
	for _, v := range cwnd.Value {
		top = max(top, v)
	}
	if before, after := at(ssthresh, 0.3), at(ssthresh, 0.5); !math.IsNaN(before) || after != math.Floor(top/2) {
		t.Errorf("the threshold is %v before the loss and %v after it, the window was %v", before, after, top)
	}
}

// Connections that are opened one after the other are named by their number. They
// are looked at where most is sent: a download at the server, an upload at the
// client.
func TestCoursesOfRequests(t *testing.T) {
	for _, c := range []struct{ workload, request, response, name, want string }{
		{"kind: clients, arrivals: fixed 1/s", "100B", "300kB", "web_3", "10 20 40"},
		{"kind: clients, arrivals: fixed 1/s", "300kB", "100B", "web_3", "1 20 40 80"},
		{"kind: clients, arrivals: fixed 1/s, limit: 3", "100B", "300kB", "web_3", "10 20 40"},
		{"kind: users, users: 1, think: 100ms", "100B", "300kB", "web_2", "10 20 40"},
		{"kind: request_response, connections: 2, requests: 1", "100B", "300kB", "web_2", "10 20 40"},
		{"kind: request_response, requests: 1", "300kB", "100B", "web", "1 20 40 80"},
	} {
		sc := parse(t, `version: 1
name: t
duration: 8s
hosts: {client: {sysctl: {initcwnd: 20}}, server: {sysctl: {initcwnd: 10}}}
links: [{ends: [client, server], delay: 50ms, rate: 1Gbit/s}]
workloads:
  - {name: srv, kind: server, on: server, port: 80, request: `+c.request+`, response: `+c.response+`, close: client}
  - {name: web, on: client, to: server:80, request: `+c.request+", "+c.workload+`}
figures: [{kind: congestion, series: [`+c.name+`], points: ack}]
`)
		s := run(t, sc, Options{Figures: true}).Result.FindSeries(c.name + ".cwnd")
		if s == nil || len(s.Value) == 0 {
			t.Errorf("%s, request of %s: no series of %s", c.workload, c.request, c.name)
			continue
		}
		var flights []string // the windows after each round trip of 100 ms
		for i := range s.Time {
			if i+1 == len(s.Time) || s.Time[i+1]-s.Time[i] > 0.05 {
				if v := fmt.Sprint(s.Value[i]); len(flights) == 0 || flights[len(flights)-1] != v {
					flights = append(flights, v)
				}
			}
		}
		if got := strings.Join(flights, " "); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s, request of %s: the windows of %s are %s, want %s", c.workload, c.request, c.name, got, c.want)
		}
	}
}

// What is no connection, or has no sequence, is refused.
func TestFiguresOfRequestsRefused(t *testing.T) {
	for figure, want := range map[string]string{
		"{kind: sequence, series: [web_1]}":        "shows bulk transfers",
		"{kind: congestion, series: [web_0]}":      "there is no workload",
		"{kind: timeseries, series: [web.cwnd]}":   "web_1",
		"{kind: congestion, series: [srv]}":        "there is no workload",
		"{kind: congestion, series: [web_999999]}": "",
	} {
		sc, err := spec.Load("t.yaml", []byte(`version: 1
name: t
duration: 1s
hosts: {client: {}, server: {}}
links: [{ends: [client, server]}]
workloads:
  - {name: srv, kind: server, on: server, port: 80}
  - {name: web, kind: clients, on: client, to: server:80, arrivals: fixed 1/s}
figures: [`+figure+`]
`), nil, Registry())
		if err == nil {
			_, err = Run(t.Context(), sc, Options{})
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", figure, err, want)
		}
	}
}

// What figures look at changes nothing in what is measured, and is not looked at
// without them.
func TestFiguresChangeNothing(t *testing.T) {
	sc := load(t, "slow-start", nil)
	with, without := run(t, sc, Options{Figures: true}), run(t, sc, Options{})
	if !reflect.DeepEqual(with.Result.Metrics, without.Result.Metrics) || with.Events != without.Events {
		t.Error("other metrics or events")
	}
	if len(without.Sequences) > 0 || without.Result.FindSeries("upload.cwnd") != nil {
		t.Error("connections are looked at though nobody asked")
	}
}

// The lives of connections agree with the exact count of connections in a state.
func TestLives(t *testing.T) {
	out := run(t, load(t, "connection-churn", nil), Options{Figures: true})
	series := out.Result.FindSeries("clients.time_wait")
	for _, i := range []int{5, 40, 70, 85} {
		n := 0.0
		for _, l := range livesOf(out.Connections) {
			for _, s := range l.States {
				if !l.Passive && s.State == tcpmodel.TimeWait && s.From < series.Time[i] && s.Until >= series.Time[i] {
					n++
				}
			}
		}
		if n != series.Value[i] || n == 0 {
			t.Errorf("at %v s %v lives are in TIME-WAIT, the host has %v", series.Time[i], n, series.Value[i])
		}
	}
}

// What figures are drawn from is the same after it has been stored.
func TestFigureDataIsStored(t *testing.T) {
	for name, replications := range map[string]int{"slow-start": 2, "connection-churn": 1} {
		sc := load(t, name, nil)
		out := run(t, sc, Options{Figures: true, Replications: replications})
		results, err := NewResults(sc, out)
		if err != nil {
			t.Fatal(err)
		}
		target, err := OpenTarget(filepath.Join(t.TempDir(), "results"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(results.Write(target), target.Commit(&results.Manifest)); err != nil {
			t.Fatal(err)
		}
		stored, err := Open(target.dir, Registry())
		if err != nil {
			t.Fatal(err)
		}
		got, err := stored.FigureData()
		if err := errors.Join(err, stored.Close()); err != nil {
			t.Fatal(err)
		}
		sameFigureData(t, got, out.FigureData())
	}
}

func sameFigureData(t *testing.T, got, want *FigureData) {
	t.Helper()
	if len(got.Replications) != len(want.Replications) || len(got.Result.Series) != len(want.Result.Series) {
		t.Fatalf("%d replications of %d series, want %d of %d", len(got.Replications), len(got.Result.Series),
			len(want.Replications), len(want.Result.Series))
	}
	for i := range want.Replications {
		for _, s := range want.Replications[i].Series {
			if !sameSeries(got.Replications[i].FindSeries(s.Name), &s) {
				t.Errorf("%s of replication %d differs", s.Name, i+1)
			}
		}
	}
	for i := range want.Result.Series {
		if !sameSeries(&got.Result.Series[i], &want.Result.Series[i]) {
			t.Errorf("%s differs", want.Result.Series[i].Name)
		}
	}
	if !reflect.DeepEqual(got.Sequences, want.Sequences) {
		t.Error("the sequences differ")
	}
	if !reflect.DeepEqual(got.Lives, want.Lives) {
		t.Error("the lives differ")
	}
}

func sameSeries(a, b *measure.Series) bool {
	if a == nil || a.Name != b.Name || a.Unit != b.Unit || a.Label != b.Label || a.Step != b.Step || len(a.Time) != len(b.Time) {
		return false
	}
	for i := range a.Time {
		if a.Time[i] != b.Time[i] || a.Value[i] != b.Value[i] && !(math.IsNaN(a.Value[i]) && math.IsNaN(b.Value[i])) {
			return false
		}
	}
	return true
}

// The library has an example of each kind of figure and of each of the well-known
// closed forms.
func TestLibraryShowsEveryKind(t *testing.T) {
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	kinds, theories := map[string]bool{}, ""
	for _, entry := range list {
		sc := load(t, entry.Name, nil)
		shown := sc.Figures
		if sc.Sweep != nil {
			shown = slices.Concat(shown, sc.Sweep.Figures)
		}
		for i := range shown {
			kinds[shown[i].Kind] = true
			theories += shown[i].Theory + "\n"
		}
	}
	for _, k := range figureKinds {
		if !kinds[k.name] {
			t.Errorf("no scenario of the library has a figure of kind %s", k.name)
		}
	}
	for _, name := range []string{"erlang_b", "mathis(", "pftk(", "cubic("} {
		if !strings.Contains(theories, name) {
			t.Errorf("no scenario of the library has a figure with the closed form %s", name)
		}
	}
}

// A damaged file of a sequence is an error that says where.
func TestDamagedSequence(t *testing.T) {
	for _, row := range []string{"x,sent,0,1", "1,seen,0,1", "1,sent,a,1", "1,sent,0,"} {
		if _, err := parseSequenceEvent(strings.Split(row, ",")); err == nil {
			t.Errorf("%s is taken", row)
		}
	}
}
