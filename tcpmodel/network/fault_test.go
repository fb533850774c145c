package network

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

func TestPacketKinds(t *testing.T) {
	tests := []struct {
		seg  segment.Segment
		want string
	}{
		{segment.Segment{Flags: segment.SYN}, "ANY SYN"},
		{segment.Segment{Flags: segment.SYN, Len: 5}, "ANY SYN DATA"},
		{segment.Segment{Flags: segment.SYN | segment.ECE | segment.CWR}, "ANY SYN"},
		{segment.Segment{Flags: segment.SYN | segment.ACK}, "ANY SYNACK"},
		{segment.Segment{Flags: segment.ACK}, "ANY ACK"},
		{segment.Segment{Flags: segment.ACK | segment.PSH}, "ANY ACK"},
		{segment.Segment{Flags: segment.ACK | segment.PSH, Len: 1}, "ANY DATA"},
		{segment.Segment{Flags: segment.FIN | segment.ACK}, "ANY FIN"},
		{segment.Segment{Flags: segment.FIN | segment.ACK, Len: 1}, "ANY DATA FIN"},
		{segment.Segment{Flags: segment.RST}, "ANY RST"},
		{segment.Segment{Flags: segment.RST | segment.ACK}, "ANY RST"},
		{segment.Segment{}, "ANY"},
		{segment.Segment{Kind: segment.KindRaw, Len: 100, Flags: segment.SYN}, "ANY"},
		{segment.Segment{Kind: segment.KindICMP, Len: 100}, "ANY"},
	}
	for _, tt := range tests {
		var got []string
		for k := range PacketKind(packetKinds) {
			if k.Matches(&tt.seg) {
				got = append(got, k.String())
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%v is %s, want %s", &tt.seg, s, tt.want)
		}
	}
	if s := PacketKind(99).String(); s != "kind 99" || PacketKind(99).Matches(&segment.Segment{}) {
		t.Error(s)
	}
}

func TestParseFaults(t *testing.T) {
	tests := []struct {
		text string
		want []Fault
	}{
		{"", nil},
		{"  ", nil},
		{"SYN:1", []Fault{{Kind: SYN, Ordinals: []uint64{1}}}},
		{"SYN:1 drop; DATA:3,4+ duplicate ;ACK:2corrupt", []Fault{{Kind: SYN, Ordinals: []uint64{1}}, {Kind: DATA, Ordinals: []uint64{3}, From: 4, Action: Duplicate}, {Kind: ACK, Ordinals: []uint64{2}, Action: Corrupt}}},
		{"ANY:7 delay 1.5ms", []Fault{{Ordinals: []uint64{7}, Action: Delay, Extra: 1500 * des.Microsecond}}},
		{"SYN:1,2;FIN:1;ANY:3+", []Fault{{Kind: SYN, Ordinals: []uint64{1, 2}}, {Kind: FIN, Ordinals: []uint64{1}}, {Kind: ANY, From: 3}}},
		{" SYNACK : 7 , 2, 9+ ; ACK:1 ", []Fault{{Kind: SYNACK, Ordinals: []uint64{2, 7}, From: 9}, {Kind: ACK, Ordinals: []uint64{1}}}},
	}
	for _, tt := range tests {
		got, err := ParseFaults(tt.text)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: error %v, -want +got\n%s", tt.text, err, diff)
		}
	}
}

func TestParseFaultsErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"SYX:1", `faults "SYX:1": unknown kind of packet "SYX" (have ANY, SYN, SYNACK, ACK, DATA, FIN, RST)`},
		{"SYN", `"SYN" has no ordinals (want a form like SYN:1,2 or ANY:3+)`},
		{"SYN:1;", `"" has no ordinals`},
		{"SYN:", `"" in "SYN:" is no ordinal (want 1, 2, ...`},
		{"SYN:0", `"0" in "SYN:0" is no ordinal`},
		{"SYN:-1", `"-1" in "SYN:-1" is no ordinal`},
		{"SYN:+1", `"+1" in "SYN:+1" is no ordinal`},
		{"SYN:+", `"+" in "SYN:+" is no ordinal`},
		{"SYN:1.5", `"1.5" in`},
		{"SYN:99999999999999999999", `is no ordinal`},
		{"SYN:1,1", `names an ordinal twice`},
		{"SYN:1+,2+", `says twice from which packet on`},
	} {
		got, err := ParseFaults(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("%q: %v, error %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, text := range []string{"", "SYN:1,2;FIN:1;ANY:3+", "DATA:5+,1", ";:+,", "ACK:1+;ACK:2", "DATA:3 duplicate;ACK:1,2 corrupt", "ANY:7 delay 20ms", "SYN:1 drop"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ParseFaults(text)
		if err != nil {
			return
		}
		var parts []string
		for _, fault := range faults {
			if err := fault.validate(); err != nil {
				t.Fatalf("%q gives an invalid fault: %v", text, err)
			}
			parts = append(parts, fault.String())
		}
		again, err := ParseFaults(strings.Join(parts, ";"))
		if diff := cmp.Diff(faults, again); err != nil || diff != "" {
			t.Fatalf("%q printed as %q: error %v\n%s", text, parts, err, diff)
		}
	})
}

func TestFaultValidate(t *testing.T) {
	for _, tt := range []struct {
		fault Fault
		want  string
	}{
		{Fault{Kind: 99, From: 1}, "unknown kind 99"},
		{Fault{Kind: SYN}, "hits no packet"},
		{Fault{Kind: SYN, Ordinals: []uint64{0}}, "start at 1"},
		{Fault{Kind: SYN, Ordinals: []uint64{2, 2}}, "ascend"},
		{Fault{Kind: SYN, From: 1, Action: 9}, "unknown action 9"},
		{Fault{Kind: SYN, From: 1, Action: Delay}, "extra delay of 0s"},
		{Fault{Kind: SYN, From: 1, Action: Corrupt, Extra: 1}, "goes with the action delay alone"},
	} {
		if err := tt.fault.validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: error %v, want %q", tt.fault, err, tt.want)
		}
	}
}

// "Drop the 2nd SYN-ACK": ordinals count the packets of that kind alone, and a
// packet that finds the queue full counts as well.
func TestFaultsCountTheirKind(t *testing.T) {
	sim, sink := des.New(1, 0), &collector{}
	faults, err := ParseFaults("SYNACK:2;DATA:3+")
	if err != nil {
		t.Fatal(err)
	}
	link := newLink(t, sim, LinkConfig{Faults: faults}, sink)
	synack := segment.Segment{Flags: segment.SYN | segment.ACK}
	data := segment.Segment{Flags: segment.ACK, Len: 10}
	for i, seg := range []segment.Segment{synack, data, synack, data, synack, data, data} {
		seg.Seq = segment.Seq(i)
		link.Receive(0, &seg)
	}
	sim.RunIdle()
	var got []int
	for _, a := range sink.got {
		got = append(got, int(a.seg.Seq))
	}
	if want := []int{0, 1, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("delivered %v, want %v", got, want)
	}

	link = newLink(t, sim, LinkConfig{Rate: 8, Queue: QueueLimit{Packets: 1}, Faults: []Fault{{Ordinals: []uint64{3}}}}, sink)
	link.Receive(0, raw(1, 0))
	link.Receive(0, raw(1, 1)) // dropped, counts as the second
	sim.RunIdle()
	link.Receive(sim.Now(), raw(1, 2))
	sim.RunIdle()
	if s := link.Stats(); s.Dropped.Packets != 1 || s.Lost.Packets != 1 || s.Delivered.Packets != 1 {
		t.Errorf("stats %+v", s)
	}
}

// A list of ordinals replays a run with Bernoulli loss.
func TestFaultsReplayLoss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		run := func(config LinkConfig) (got []segment.Seq, lost []uint64) {
			sim := des.New(seed, 0)
			link, err := NewLink(sim, "a->b", config, sinkFunc(func(_ des.Time, seg *segment.Segment) { got = append(got, seg.Seq) }))
			if err != nil {
				t.Fatal(err)
			}
			link.AddTap(tapFunc(func(_ des.Time, e TapEvent, seg *segment.Segment) {
				if e == Lost {
					lost = append(lost, uint64(seg.Seq)+1)
				}
			}))
			for i := range 50 {
				link.Receive(0, raw(100, i))
			}
			sim.RunIdle()
			return got, lost
		}
		want, lost := run(LinkConfig{Loss: p})
		if len(lost) == 0 {
			return
		}
		if got, _ := run(LinkConfig{Faults: []Fault{{Ordinals: lost}}}); !slices.Equal(got, want) {
			t.Fatalf("replayed %v, want %v", got, want)
		}
	})
}
