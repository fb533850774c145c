package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tcplab/plots"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// nasty is text that would be markup or script if it were not escaped.
const nasty = `</script><script>alert("1")</script>'"<b>&amp;` + "`${x}` --> \u2028"

// sample is the page of a run with everything on it.
func sample(t testing.TB) *Page {
	t.Helper()
	series := measure.Series{Name: "server.syn_queue", Unit: "entries", Label: strings.TrimSuffix(nasty, "\u2028")}
	for i := range 200 {
		series.Time, series.Value = append(series.Time, float64(i)), append(series.Value, float64(i%17))
	}
	result := &measure.Result{Series: []measure.Series{series}, Bands: []measure.Band{{Name: "flood", From: 30, Until: 120}}}
	style := plots.Screen()
	style.Titles = false
	d, err := plots.Draw(result, plots.Figure{Name: "queue", Kind: "timeseries", Title: nasty, Series: []string{"server.syn_queue"}, Events: []string{"flood"}}, style)
	if err != nil {
		t.Fatal(err)
	}
	return &Page{
		Name: "sample", Title: nasty, Question: "Why?\n\nBecause " + nasty + "\n  tcplab run sample   " + nasty, Kind: "run",
		Parameters:   []Parameter{{Name: "backlog", Value: "64", Default: "128", Meaning: nasty}, {Name: "rate", Value: nasty}},
		Expectations: []Expectation{{Text: "a.b > 1", Message: "is 2", Passed: true}, {Text: nasty, Message: nasty}},
		Figures:      []Figure{{Chart: d.Chart(FigurePoints), Files: []File{{"figures/queue.pdf", "pdf"}}}},
		Traces:       []measure.Trace{handshake()},
		Metrics:      []Metric{{Name: "a.b", Value: "2", Unit: "s", Low: "1.5", High: "2.5", Meaning: nasty, Key: true}},
		Files:        []Files{{Label: "series", List: []File{{"series/a b%20#?.csv", nasty}}}},
		Facts:        []Fact{{Name: "seed", Value: nasty, Code: true}},
		Commands:     []Command{{Line: "tcplab run 'x y'", Meaning: nasty}},
		Remarks:      []string{nasty},
	}
}

// sampleSweep is the page of a sweep.
func sampleSweep(t testing.TB) *Page {
	p := sample(t)
	p.Kind, p.Metrics, p.Traces = "sweep", nil, nil
	p.Sweep = &Sweep{Params: []string{"rate"}, Metrics: []string{"a.b"}, Points: []Point{{1, []string{nasty}, []Estimate{{2, "1", "0.5", "1.5"}}}},
		Spreads: []Spread{{Name: "a.b", Least: "1", Greatest: "2", LeastAt: nasty, Points: 1}}, Failed: []Failure{{2, nasty, nasty}}, Replications: [2]int{2, 2}}
	return p
}

// handshake is a connection whose first SYN is lost.
func handshake() measure.Trace {
	const ms = 1_000_000
	t := measure.Trace{Number: 3, Until: math.MaxInt64, LeftOut: 7,
		Active: measure.TraceEnd{Host: "client", Synced: true}, Passive: measure.TraceEnd{Host: nasty, Synced: true}}
	syn := segment.Segment{Flags: segment.SYN, Wnd: 1000}
	answer := segment.Segment{Flags: segment.SYN | segment.ACK, Ack: 1, Wnd: 2000}
	add := func(e measure.Event) { t.Events = append(t.Events, e) }
	add(measure.Event{Time: 5 * ms, Kind: measure.StateChange, To: tcpmodel.SynSent, Cause: tcpmodel.CauseUser})
	add(measure.Event{Time: 5 * ms, Kind: measure.SegmentOut, Segment: syn, Sender: measure.Sender{Cwnd: 10, Ssthresh: measure.InfiniteThreshold, RTO: 1e9}})
	add(measure.Event{Time: 6 * ms, Kind: measure.SegmentLost, Segment: syn, Link: "wire"})
	add(measure.Event{Time: 1005 * ms, Kind: measure.SegmentOut, Segment: syn, Cause: tcpmodel.CauseRetransmit, Sender: measure.Sender{Cwnd: 1, Ssthresh: 5, RTO: 2e9}})
	add(measure.Event{Time: 1015 * ms, Passive: true, Kind: measure.SegmentIn, Segment: syn})
	add(measure.Event{Time: 1015 * ms, Passive: true, Kind: measure.StateChange, From: tcpmodel.Listen, To: tcpmodel.SynReceived, Cause: tcpmodel.CauseSegment})
	add(measure.Event{Time: 1015 * ms, Passive: true, Kind: measure.SegmentOut, Segment: answer, Cause: tcpmodel.CauseSegment})
	add(measure.Event{Time: 1025 * ms, Kind: measure.SegmentIn, Segment: answer})
	return t
}

func render(t testing.TB, p *Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// walk visits all elements of a page.
func walk(t *testing.T, text string, visit func(n *html.Node, attributes map[string]string)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
		}
		visit(n, attributes)
	}
}

func TestPageIsWhole(t *testing.T) {
	for _, p := range []*Page{sample(t), sampleSweep(t)} {
		t.Run(p.Kind, func(t *testing.T) { checkPage(t, render(t, p)) })
	}
}

func checkPage(t *testing.T, text string) {
	ids, targets, scripts := map[string]int{}, []string{}, 0
	headings := []string{}
	walk(t, text, func(n *html.Node, a map[string]string) {
		if id, ok := a["id"]; ok {
			ids[id]++
		}
		for _, name := range []string{"href", "aria-labelledby", "for"} {
			if v, ok := a[name]; ok && (name != "href" || strings.HasPrefix(v, "#")) {
				targets = append(targets, strings.TrimPrefix(v, "#"))
			}
		}
		for name, v := range a {
			if strings.HasPrefix(name, "on") || name == "style" || name == "src" || name == "action" {
				t.Errorf("<%s %s=%q>: the policy of the page does not allow that", n.Data, name, v)
			}
		}
		if v := a["href"]; v != "" && !strings.HasPrefix(v, "#") {
			if u, err := url.Parse(v); err != nil || u.IsAbs() || u.Host != "" || strings.HasPrefix(u.Path, "/") {
				t.Errorf("the link %q leads away, %v", v, err)
			}
		}
		switch n.Data {
		case "script":
			scripts++
		case "h1", "h2", "h3":
			headings = append(headings, n.Data)
		case "b", "img", "link", "iframe", "object", "base", "form":
			t.Errorf("there is a <%s>", n.Data)
		case "input":
			if n.Parent.Data != "label" && a["id"] != "filter" {
				t.Errorf("an input without a label: %v", a)
			}
		}
	})
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements have the id %s", n, id)
		}
	}
	for _, target := range targets {
		if ids[target] == 0 {
			t.Errorf("nothing has the id %s", target)
		}
	}
	if scripts != 2 {
		t.Errorf("%d scripts, want the data and ours", scripts)
	}
	if len(headings) < 8 || headings[0] != "h1" {
		t.Errorf("headings %v", headings)
	}
	for _, outside := range []string{"http://", "https://", "//cdn"} {
		if rest := strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""); strings.Contains(rest, outside) {
			t.Errorf("the page has %s in it", outside)
		}
	}
}

// What the policy allows is what is on the page.
func TestPolicy(t *testing.T) {
	var policy, styleText, scriptText string
	walk(t, render(t, sample(t)), func(n *html.Node, a map[string]string) {
		switch {
		case a["http-equiv"] != "":
			policy = a["content"]
		case n.Data == "style":
			styleText = n.FirstChild.Data
		case n.Data == "script" && a["type"] == "":
			scriptText = n.FirstChild.Data
		}
	})
	want := fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(styleText), digest(scriptText))
	if policy != want {
		t.Errorf("policy %s\nwant   %s", policy, want)
	}
}

// The data are those of the page, however they are written.
func TestDataSurviveEscaping(t *testing.T) {
	var d struct {
		Charts  []*plots.Chart
		Ladders []struct {
			Ends     [2]ladderEnd
			Passages [][]any
		}
	}
	walk(t, render(t, sample(t)), func(n *html.Node, a map[string]string) {
		if a["id"] == "data" {
			if err := json.Unmarshal([]byte(n.FirstChild.Data), &d); err != nil {
				t.Error(err)
			}
		}
	})
	if len(d.Charts) != 1 || d.Charts[0].Title != nasty || len(d.Ladders) != 1 || d.Ladders[0].Ends[1].Host != nasty {
		t.Errorf("data %+v", d)
	}
	lost, again := d.Ladders[0].Passages[0], d.Ladders[0].Passages[1]
	if len(lost) != 13 || lost[4] != "SYN" || lost[9] != "lost" || lost[12] != "lost on wire" || len(again) != 14 || again[13] != true {
		t.Errorf("passages %v", d.Ladders[0].Passages)
	}
	var title string
	walk(t, render(t, sample(t)), func(n *html.Node, a map[string]string) {
		if n.Data == "h1" {
			title = n.FirstChild.Data
		}
	})
	if title != nasty {
		t.Errorf("title %q", title)
	}
}

func TestLadderData(t *testing.T) {
	trace := handshake()
	l := newLadder(&trace)
	if l.Start != 5e6 || len(l.Passages) != 3 || l.Kept != 8 || l.LeftOut != 7 {
		t.Fatalf("%+v", l)
	}
	lost, again, answer := l.Passages[0], l.Passages[1], l.Passages[2]
	if lost.Fate != "lost" || lost.Gone != 1e6 || lost.Arrived != -1 || lost.Remark != "lost on wire" {
		t.Errorf("the first SYN is %+v", lost)
	}
	if !again.Again || again.Sent != 1000e6 || again.Arrived != 1010e6 || again.Fate != "" {
		t.Errorf("the second SYN is %+v", again)
	}
	if answer.From != 1 || answer.Ack != 1 || answer.Flags != "SYN,ACK" || answer.Window != 2000 {
		t.Errorf("the answer is %+v", answer)
	}
	want := [][6]int64{{0, 10, -1, 0, 0, 1e6}, {1000e6, 1, 5, 0, 0, 2e6}}
	if got := l.Ends[0].Sender; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("sender %v, want %v", got, want)
	}
	if len(l.Timers) != 1 || l.Timers[0].Until != 1000e6 || !strings.Contains(l.Text, "XXX") || strings.Contains(l.Text, "--from") {
		t.Errorf("timers %+v, text\n%s", l.Timers, l.Text)
	}
}

// Many long traces are cut so that each has its part.
func TestLaddersAreBounded(t *testing.T) {
	var traces []measure.Trace
	for i := range 40 {
		trace := handshake()
		for len(trace.Events) < 1+2000*((i+1)%2) {
			trace.Events = append(trace.Events, trace.Events[len(trace.Events)-1])
		}
		traces = append(traces, trace)
	}
	list := ladders(traces)
	total := 0
	for _, l := range list {
		total += l.Kept
		if l.Kept+l.LeftOut != 7+8 && l.Kept+l.LeftOut != 7+2001 {
			t.Errorf("%d kept, %d left out", l.Kept, l.LeftOut)
		}
	}
	if len(list) != mostLadders || total > LadderEvents || total < LadderEvents*2/3 {
		t.Errorf("%d ladders with %d events", len(list), total)
	}
}

func TestParagraphs(t *testing.T) {
	got := fmt.Sprint(paragraphs("One\nsentence.\n\nTwo\n  code a\n    code b\n\nThree"))
	if want := "[{One sentence. false} {Two false} {code a\n  code b true} {Three false}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A page without anything is a page.
func TestEmptyPage(t *testing.T) {
	text := render(t, &Page{Name: "nothing", Kind: "run"})
	if !strings.Contains(text, "<h1>nothing</h1>") || strings.Contains(text, "<h2") {
		t.Error(text[:min(len(text), 200)])
	}
}

// A million points make a small page, in a time to wait for.
func BenchmarkMillionPoints(b *testing.B) {
	series := measure.Series{Name: "a.b", Unit: "s"}
	for i := range 1_000_000 {
		series.Time, series.Value = append(series.Time, float64(i)*1e-3), append(series.Value, math.Sin(float64(i)*1e-3)*float64(i%1000))
	}
	result := &measure.Result{Series: []measure.Series{series}}
	for b.Loop() {
		d, err := plots.Draw(result, plots.Figure{Name: "x", Kind: "timeseries", Series: []string{"a.b"}}, plots.Screen())
		if err != nil {
			b.Fatal(err)
		}
		text := render(b, &Page{Name: "x", Kind: "run", Figures: []Figure{{Chart: d.Chart(FigurePoints)}}})
		b.ReportMetric(float64(len(text)), "B/page")
	}
}
