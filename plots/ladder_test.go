package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/cmpimg"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// ladderTrace is a connection whose first SYN-ACK is lost, and which the server
// closes.
func ladderTrace() *measure.Trace {
	t := &measure.Trace{Number: 3, Until: math.MaxInt64,
		Active:  measure.TraceEnd{Host: "client", Port: 40000, ISS: 100, Synced: true, WScale: -1},
		Passive: measure.TraceEnd{Host: "server", Port: 80, ISS: 300, Synced: true, WScale: -1}}
	const way = 10 * des.Millisecond
	state := func(at des.Time, passive bool, from, to tcpmodel.State, why tcpmodel.Cause) {
		t.Events = append(t.Events, measure.Event{Time: at, Passive: passive, Kind: measure.StateChange, From: from, To: to, Cause: why})
	}
	send := func(at des.Time, passive bool, s segment.Segment, why tcpmodel.Cause, fate measure.EventKind) {
		t.Events = append(t.Events, measure.Event{Time: at, Passive: passive, Kind: measure.SegmentOut, Segment: s, Cause: why})
		e := measure.Event{Time: at + way, Passive: passive != (fate == measure.SegmentIn), Kind: fate, Segment: s}
		if fate == measure.SegmentLost {
			e.Link = "server->client"
		}
		t.Events = append(t.Events, e)
	}
	syn := segment.Segment{Seq: 100, Flags: segment.SYN}
	synAck := segment.Segment{Seq: 300, Ack: 101, Flags: segment.SYN | segment.ACK}
	state(0, false, tcpmodel.Closed, tcpmodel.SynSent, tcpmodel.CauseUser)
	send(0, false, syn, tcpmodel.CauseUser, measure.SegmentIn)
	state(way, true, tcpmodel.Listen, tcpmodel.SynReceived, tcpmodel.CauseSegment)
	send(way, true, synAck, tcpmodel.CauseSegment, measure.SegmentLost)
	send(des.Second, false, syn, tcpmodel.CauseRetransmit, measure.SegmentIn)
	send(des.Second+way, true, synAck, tcpmodel.CauseRetransmit, measure.SegmentIn)
	at := des.Second + 2*way
	state(at, false, tcpmodel.SynSent, tcpmodel.Established, tcpmodel.CauseSegment)
	send(at, false, segment.Segment{Seq: 101, Ack: 301, Len: 50, Flags: segment.ACK}, tcpmodel.CauseUser, measure.SegmentIn)
	state(at+way, true, tcpmodel.SynReceived, tcpmodel.Established, tcpmodel.CauseSegment)
	for i := range uint32(4) {
		sent := at + way + des.Time(i)*200*des.Microsecond
		send(sent, true, segment.Segment{Seq: segment.Seq(301 + 1000*i), Ack: 151, Len: 1000, Flags: segment.ACK}, tcpmodel.CauseUser, measure.SegmentIn)
		send(sent+way, false, segment.Segment{Seq: 151, Ack: segment.Seq(1301 + 1000*i), Flags: segment.ACK}, tcpmodel.CauseSegment, measure.SegmentIn)
	}
	state(at+4*way, true, tcpmodel.Established, tcpmodel.FinWait1, tcpmodel.CauseUser)
	send(at+4*way, true, segment.Segment{Seq: 4301, Ack: 151, Flags: segment.FIN | segment.ACK}, tcpmodel.CauseUser, measure.SegmentIn)
	state(at+5*way, false, tcpmodel.Established, tcpmodel.CloseWait, tcpmodel.CauseSegment)
	state(at+5*way, false, tcpmodel.CloseWait, tcpmodel.LastAck, tcpmodel.CauseUser)
	send(at+5*way, false, segment.Segment{Seq: 151, Ack: 4302, Flags: segment.FIN | segment.ACK}, tcpmodel.CauseUser, measure.SegmentIn)
	state(at+6*way, true, tcpmodel.FinWait1, tcpmodel.FinWait2, tcpmodel.CauseSegment)
	state(at+6*way, true, tcpmodel.FinWait2, tcpmodel.TimeWait, tcpmodel.CauseSegment)
	send(at+6*way, true, segment.Segment{Seq: 4302, Ack: 152, Flags: segment.ACK}, tcpmodel.CauseSegment, measure.SegmentIn)
	state(at+7*way, false, tcpmodel.LastAck, tcpmodel.Closed, tcpmodel.CauseSegment)
	state(at+6*way+60*des.Second, true, tcpmodel.TimeWait, tcpmodel.Closed, tcpmodel.CauseTimeout)
	sortEvents(t)
	return t
}

func sortEvents(t *measure.Trace) {
	for i := range t.Events { // stable, and the list is short
		for j := i; j > 0 && t.Events[j].Time < t.Events[j-1].Time; j-- {
			t.Events[j], t.Events[j-1] = t.Events[j-1], t.Events[j]
		}
	}
}

func TestGoldenLadder(t *testing.T) {
	style := IEEE()
	style.DPI = 150
	d, err := DrawLadder(measure.NewLadder(ladderTrace()), measure.LadderOptions{}, style)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.PNG()
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "ladder.png")
	if *cmpimg.GenerateTestData {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := cmpimg.EqualApprox("png", got, want, 0.1); !ok || err != nil {
		t.Errorf("the ladder differs from %s (error %v)", golden, err)
	}
	changed := ladderTrace()
	changed.Events = changed.Events[:len(changed.Events)-6]
	if d, err = DrawLadder(measure.NewLadder(changed), measure.LadderOptions{}, style); err != nil {
		t.Fatal(err)
	}
	if got, err = d.PNG(); err != nil {
		t.Fatal(err)
	}
	if ok, _ := cmpimg.EqualApprox("png", got, want, 0.1); ok {
		t.Error("another ladder goes unnoticed")
	}
}

// svgTexts returns the text elements of an SVG drawing, which must be well formed.
func svgTexts(t *testing.T, svg []byte) []string {
	t.Helper()
	var out []string
	d := xml.NewDecoder(bytes.NewReader(svg))
	for within := false; ; {
		token, err := d.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			within = x.Name.Local == "text"
		case xml.EndElement:
			within = false
		case xml.CharData:
			if within {
				out = append(out, string(x))
			}
		}
	}
}

// Chinese is text in SVG, and refused where it needs a font.
func TestChineseLadder(t *testing.T) {
	l, o := measure.NewLadder(ladderTrace()), measure.LadderOptions{Language: measure.Chinese}
	svg, err := LadderSVG(l, o, IEEE())
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(svgTexts(t, svg), "\n")
	for _, want := range []string{"连接 3，时间单位 s", "<SEQ=0><CTL=SYN> (重传)", "在 server->client 上丢失", "SYN-RECEIVED", "RTO 1 s", "2 MSL 60 s", "980 ms 后"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if _, err := DrawLadder(l, o, IEEE()); !errors.Is(err, ErrNoLetters) {
		t.Errorf("error %v", err)
	}
	again, err := LadderSVG(l, o, IEEE())
	if err != nil || !bytes.Equal(svg, again) {
		t.Errorf("another drawing of the same ladder (error %v)", err)
	}
}

// Time is to scale but for pauses, and never runs upwards.
func TestLadderClock(t *testing.T) {
	l := measure.NewLadder(ladderTrace())
	c, err := newLadderClock(l, 6)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.pauses) != 2 {
		t.Fatalf("pauses %+v", c.pauses)
	}
	if got := c.at(l.End); math.Abs(got-c.height) > 1e-6 {
		t.Errorf("the end is at %v of %v", got, c.height)
	}
	last := -1.0
	for at := des.Time(0); at < l.End; at += 7 * des.Millisecond {
		y := c.at(at)
		if y < last {
			t.Fatalf("at %v the clock runs upwards", at)
		}
		last = y
	}
	first, second := c.at(5*des.Millisecond), c.at(10*des.Millisecond)
	if math.Abs(second-2*first) > 1e-6 {
		t.Errorf("5 ms are %v points, 10 ms %v", first, second)
	}
	if _, err := newLadderClock(measure.NewLadder(&measure.Trace{}), 6); !errors.Is(err, ErrNoData) {
		t.Errorf("without events: error %v", err)
	}
}
