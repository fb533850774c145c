package capture

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tcplab/tcpmodel/segment"
)

// Span is a length of time, or a time since the first packet, in nanoseconds.
// As JSON it is a number of seconds with all its digits, or null for None.
type Span int64

// None is the Span of what was not seen.
const None Span = math.MinInt64

// Duration returns s as a time.Duration, 0 for None.
func (s Span) Duration() time.Duration {
	if s == None {
		return 0
	}
	return time.Duration(s)
}

// String returns s in seconds with six decimals, "-" for None.
func (s Span) String() string {
	if s == None {
		return "-"
	}
	return strconv.FormatFloat(float64(s)/1e9, 'f', 6, 64)
}

// MarshalJSON implements json.Marshaler.
func (s Span) MarshalJSON() ([]byte, error) {
	if s == None {
		return []byte("null"), nil
	}
	sign, v := "", uint64(s)
	if s < 0 {
		sign, v = "-", -v
	}
	text := fmt.Sprintf("%s%d.%09d", sign, v/1e9, v%1e9)
	return []byte(strings.TrimSuffix(strings.TrimRight(text, "0"), ".")), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Span) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = None
		return nil
	}
	whole, fraction, _ := strings.Cut(string(b), ".")
	v, err := strconv.ParseInt(whole+(fraction + "000000000")[:9], 10, 64)
	*s = Span(v)
	return err
}

// Report is what a capture shows.
type Report struct {
	// Format is "pcap" or "pcapng".
	Format string `json:"format"`
	// Start is when the first packet was captured. All times count from it.
	Start time.Time `json:"start"`
	// Duration is the time from the first packet to the last.
	Duration   Span            `json:"duration_s"`
	Interfaces []InterfaceInfo `json:"interfaces"`
	// Packets counts all packets, TCP those that are analysed. Fragments of
	// IP packets and Malformed ones are not, nor is what is not TCP.
	Packets   int `json:"packets"`
	TCP       int `json:"tcp"`
	Fragments int `json:"fragments"`
	Malformed int `json:"malformed"`
	// BadChecksums counts TCP checksums that are wrong; in a capture of a
	// sending host that leaves them to its network card this means nothing.
	BadChecksums int `json:"bad_checksums"`
	// Cut is true if the file ends within a packet.
	Cut bool `json:"cut"`
	// Connections in the order of their first packets.
	Connections []*Connection `json:"connections"`
}

// Outcome is how far a connection had come when the capture ended.
type Outcome string

// The outcomes.
const (
	// Closed: both ends sent a FIN, and both were acknowledged.
	Closed Outcome = "closed"
	// Reset: one end sent a RST (Connection.ResetBy).
	Reset Outcome = "reset"
	// Refused: the SYN was answered by a RST.
	Refused Outcome = "refused"
	// Unanswered: nothing came back.
	Unanswered Outcome = "unanswered"
	// HalfOpen: a SYN-ACK was sent that nobody acknowledged.
	HalfOpen Outcome = "half-open"
	// Closing: a FIN was sent, but not everything that must follow.
	Closing Outcome = "closing"
	// Open: established and not closed.
	Open Outcome = "open"
)

var outcomes = []Outcome{Closed, Reset, Refused, Unanswered, HalfOpen, Closing, Open}

// Side is one end of a connection, or both or neither.
type Side string

// The sides.
const (
	Neither Side = ""
	Client  Side = "client"
	Server  Side = "server"
	Both    Side = "both"
)

var sides = [2]Side{Client, Server}

// Connection is what was seen of one connection at one vantage point.
type Connection struct {
	// Number counts the connections from 1.
	Number int `json:"number"`
	// Interface indexes Report.Interfaces.
	Interface int `json:"interface"`
	// Partial is true if the capture begins after the SYN. Then the client
	// is the end with the higher port, as a guess.
	Partial bool `json:"partial"`
	Client  End  `json:"client"`
	Server  End  `json:"server"`
	// Start and End are the times of the first and the last packet.
	Start     Span      `json:"start_s"`
	End       Span      `json:"end_s"`
	Handshake Handshake `json:"handshake"`
	Agreed    Agreed    `json:"agreed"`
	Outcome   Outcome   `json:"outcome"`
	// ClosedFirst is who sent the first FIN, or the RST if there was no FIN;
	// both if neither had acknowledged the FIN of the other.
	ClosedFirst Side `json:"closed_first"`
	// ResetBy is who sent the RST that ended the connection.
	ResetBy Side `json:"reset_by"`
	// Ladder holds the first and the last segments (Options.Ladder),
	// LadderOmitted says how many are missing in between.
	Ladder        []Line `json:"ladder,omitempty"`
	LadderOmitted int    `json:"ladder_omitted,omitempty"`
	// LadderGap is the index in Ladder before which they are missing.
	LadderGap int `json:"ladder_gap,omitempty"`
}

// Handshake is the time from the first SYN to the SYN-ACK and to the ACK that
// completes the handshake, None for what was not seen.
type Handshake struct {
	SYNACK Span `json:"syn_ack_s"`
	ACK    Span `json:"ack_s"`
}

// Agreed are the options that both ends offered.
type Agreed struct {
	WindowScale bool `json:"window_scale"`
	SACK        bool `json:"sack"`
	Timestamps  bool `json:"timestamps"`
	ECN         bool `json:"ecn"`
}

// End is one end of a connection. What it counts are the segments that it sent.
type End struct {
	Addr netip.AddrPort `json:"addr"`
	// MSS and WindowScale are those of its SYN, 0 and -1 without.
	MSS         uint16 `json:"mss"`
	WindowScale int    `json:"window_scale"`
	Segments    int    `json:"segments"`
	// Bytes counts payload, NewBytes without what had been seen before;
	// FrameBytes counts everything.
	Bytes           uint64          `json:"bytes"`
	NewBytes        uint64          `json:"new_bytes"`
	FrameBytes      uint64          `json:"frame_bytes"`
	Retransmissions Retransmissions `json:"retransmissions"`
	// OutOfOrder segments fill a gap so soon that the network must have
	// reordered them.
	OutOfOrder int `json:"out_of_order"`
	// Gaps counts segments before which sequence numbers are missing: lost
	// before the vantage point, reordered, or not captured.
	Gaps int `json:"gaps"`
	// DupAcks are segments without data that repeat acknowledgement and
	// window; WindowUpdates repeat the acknowledgement alone.
	DupAcks       int `json:"dup_acks"`
	WindowUpdates int `json:"window_updates"`
	// DSACKs counts segments that report data received twice (RFC 2883).
	DSACKs      int `json:"dsacks"`
	ZeroWindows int `json:"zero_windows"`
	// Keepalives repeat the last sequence number before SND.NXT while the
	// peer's window is open; Probes do so, or send one byte, against a
	// window of zero.
	Keepalives int `json:"keepalives"`
	Probes     int `json:"zero_window_probes"`
	Resets     int `json:"resets"`
	// OutOfWindow segments fit nowhere: from another connection or forged.
	// They count in Segments and nowhere else.
	OutOfWindow int `json:"out_of_window"`
	RTT         RTT `json:"rtt"`
	// States is the path of its states.
	States []StateAt `json:"states"`
}

// Retransmissions of one end.
type Retransmissions struct {
	SYN    int `json:"syn"`
	SYNACK int `json:"syn_ack"`
	Data   int `json:"data"`
	FIN    int `json:"fin"`
	// Unseen counts those among Data and FIN whose original was lost before
	// the vantage point: they fill a gap too late for reordering.
	Unseen int `json:"unseen"`
	// Spurious counts those that a D-SACK shows to have been needless.
	Spurious int `json:"spurious"`
	// AfterAck counts those of data whose acknowledgement had been seen.
	AfterAck int `json:"after_ack"`
	// Bytes is the payload that was sent again.
	Bytes uint64 `json:"bytes"`
}

// Total is the number of retransmissions.
func (r *Retransmissions) Total() int { return r.SYN + r.SYNACK + r.Data + r.FIN }

// RTT is the time from data of this end at the vantage point to the
// acknowledgement there: at the sending host the round-trip time, elsewhere the
// part of it that lies beyond. Data that was sent again gives no sample (Karn).
type RTT struct {
	Samples int  `json:"samples"`
	Min     Span `json:"min_s"`
	Median  Span `json:"median_s"`
}

// StateAt is a change of state as the observer infers it.
type StateAt struct {
	State State `json:"state"`
	At    Span  `json:"at_s"`
}

// Marks says what is remarkable about a segment.
type Marks uint32

// The marks.
const (
	MarkRetransmission Marks = 1 << iota
	MarkSpurious             // with MarkRetransmission: a D-SACK came for it
	MarkAfterAck             // with MarkRetransmission: acknowledged before
	MarkOutOfOrder
	MarkGap
	MarkDupAck
	MarkDSACK
	MarkWindowUpdate
	MarkZeroWindow
	MarkKeepalive
	MarkKeepaliveAck
	MarkProbe
	MarkProbeAck
	MarkOutOfWindow
	MarkMaybeLost // sent again later
	MarkBadChecksum
)

var markNames = [...]string{"retransmission", "spurious", "after ack", "out of order", "gap before", "dup ack",
	"d-sack", "window update", "zero window", "keepalive", "keepalive ack", "window probe", "window probe ack",
	"out of window", "lost?", "bad checksum"}

// Names returns the names of the marks in m.
func (m Marks) Names() []string {
	names := []string{}
	for i, name := range markNames {
		if m&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// MarshalJSON writes the names.
func (m Marks) MarshalJSON() ([]byte, error) { return json.Marshal(m.Names()) }

// UnmarshalJSON reads the names.
func (m *Marks) UnmarshalJSON(b []byte) error {
	var names []string
	if err := json.Unmarshal(b, &names); err != nil {
		return err
	}
	*m = 0
	for _, name := range names {
		for i := range markNames {
			if markNames[i] == name {
				*m |= 1 << i
			}
		}
	}
	return nil
}

// Line is one segment in the ladder of a connection.
type Line struct {
	// Packet is the number of the packet in the file.
	Packet int  `json:"packet"`
	At     Span `json:"at_s"`
	From   Side `json:"from"`
	// Flags as RFC 9293 writes them, such as "SYN,ACK".
	Flags FlagSet `json:"flags"`
	// Seq and Ack count from the SYN of the end concerned, which is 0; Ack
	// is 0 without the flag.
	Seq int64  `json:"seq"`
	Ack int64  `json:"ack"`
	Len uint32 `json:"len"`
	// Window is in bytes: the scale is applied if it was seen.
	Window uint32 `json:"window"`
	Marks  Marks  `json:"marks"`
	// Client and Server are the states after the segment.
	Client State `json:"client"`
	Server State `json:"server"`
	// Comment is what the file says of the packet.
	Comment string `json:"comment,omitempty"`
}

// FlagSet are control bits that become text as RFC 9293 writes them.
type FlagSet segment.Flags

// String returns the names, such as "SYN,ACK".
func (f FlagSet) String() string { return segment.Flags(f).String() }

// MarshalText implements encoding.TextMarshaler.
func (f FlagSet) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *FlagSet) UnmarshalText(text []byte) error {
	*f = 0
	for _, name := range strings.Split(string(text), ",") {
		for bit := segment.FIN; bit <= segment.AE; bit <<= 1 {
			if bit.String() == name {
				*f |= FlagSet(bit)
			}
		}
	}
	return nil
}
