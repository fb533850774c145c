package drill

import (
	"encoding/binary"
	"fmt"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// phase is how far the script has followed a connection, as packetdrill counts.
type phase uint8

const (
	phaseNew phase = iota
	phaseListening
	// phaseArrived: an inbound segment has come for a listener, or for nobody.
	phaseArrived
	phaseAnswered
	phaseAccepted
	phaseConnecting
	phaseSynSent
	phaseSynAcked
)

// conn is the connection under test: it turns the script's numbers into those of
// the stack and back. Sequence numbers of SYN segments are absolute, those of all
// other segments are relative to the initial ones.
type conn struct {
	phase                 phase
	localPort, remotePort uint16
	remoteISN             uint32
	liveISN, scriptISN    uint32
	// vals are the TS val that the stack has sent, by what the script calls
	// them. firstLive and firstScript are the first.
	vals                   map[uint32]uint32
	stamped                bool
	firstLive, firstScript uint32
	// joined are the ends of segments that were taken as one.
	joined map[uint32]bool
	sock   *socket
	// since is when the SYN of an active open may leave at the earliest.
	since des.Time
}

// remoteOffset is what is added to the script's numbers of the peer.
func (c *conn) remoteOffset(syn bool) uint32 {
	if c == nil || syn {
		return 0
	}
	return c.remoteISN
}

// localOffset is what is added to the script's numbers of the stack.
func (c *conn) localOffset(syn bool) uint32 {
	switch {
	case c == nil:
		return 0
	case syn:
		return c.liveISN - c.scriptISN
	}
	return c.liveISN
}

// owns reports whether the stack has sent seg for the connection. The first SYN
// of an active open tells its port and initial sequence number.
func (c *conn) owns(s *sent) bool {
	seg := &s.seg
	if seg.Dst != peerNode {
		return false
	}
	if c.phase == phaseSynSent && seg.Flags&(segment.SYN|segment.ACK) == segment.SYN && seg.DstPort == c.remotePort && s.at >= c.since {
		c.localPort, c.liveISN = seg.SrcPort, uint32(seg.Seq)
		return true
	}
	return seg.SrcPort == c.localPort && seg.DstPort == c.remotePort
}

// wire returns the options of seg in the order in which they stand on the wire.
func wire(seg *segment.Segment) []Option {
	bare := *seg
	bare.Len, bare.Stream = 0, 0
	b, err := segment.Encode(nil, &bare, addresses)
	if err != nil || len(b) < 40 {
		return nil
	}
	return decodeOptions(b[40:])
}

func decodeOptions(b []byte) []Option {
	var list []Option
	for len(b) > 0 {
		o := Option{Kind: OptionKind(b[0])}
		n := 1
		if o.Kind != OptionNOP && o.Kind != OptionEOL {
			if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
				return list
			}
			n = int(b[1])
			o.read(b[2:n])
		}
		list = append(list, o)
		b = b[n:]
	}
	return list
}

func (o *Option) read(v []byte) {
	switch {
	case o.Kind == OptionMSS && len(v) == 2:
		o.Val = uint32(binary.BigEndian.Uint16(v))
	case o.Kind == OptionWScale && len(v) == 1:
		o.Val = uint32(v[0])
	case o.Kind == OptionTS && len(v) == 8:
		o.Val, o.Ecr = binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])
	case o.Kind == OptionSACK:
		for ; len(v) >= 8; v = v[8:] {
			o.Blocks = append(o.Blocks, segment.Block{Left: segment.Seq(binary.BigEndian.Uint32(v)), Right: segment.Seq(binary.BigEndian.Uint32(v[4:]))})
		}
	default:
		if o.Kind == OptionFOExp && len(v) >= 2 {
			v = v[2:] // the experiment's identifier
		}
		o.Data = fmt.Sprintf("%x", v)
	}
}

// translate returns what the stack has sent in the script's numbers.
func (c *conn) translate(seg *segment.Segment) *Packet {
	syn := seg.Flags&segment.SYN != 0
	k := &Packet{Outbound: true, CheckECN: true, ECN: seg.ECN, Flags: seg.Flags, Len: seg.Len,
		Seq: uint32(seg.Seq) - c.localOffset(syn), HasWin: true, Win: seg.Wnd, Options: wire(seg)}
	if seg.Has(segment.ACK) {
		k.Ack = uint32(seg.Ack) - c.remoteOffset(syn)
	}
	for i := range k.Options {
		o := &k.Options[i]
		for j := range o.Blocks {
			o.Blocks[j].Left -= segment.Seq(c.remoteOffset(syn))
			o.Blocks[j].Right -= segment.Seq(c.remoteOffset(syn))
		}
		if o.Kind == OptionTS && c != nil && c.stamped {
			o.Val = o.Val - c.firstLive + c.firstScript
		}
	}
	return k
}

// show is a segment of the stack in the script's language.
func (c *conn) show(seg *segment.Segment) string {
	if seg.Kind != segment.KindTCP {
		return seg.String()
	}
	return c.translate(seg).String()
}

// String returns the packet in the script's language.
func (k *Packet) String() string {
	var b strings.Builder
	b.WriteString(map[bool]string{true: "> ", false: "< "}[k.Outbound])
	if k.AnyECT {
		b.WriteString("[ect01] ")
	}
	if k.CheckECN && k.ECN != segment.NotECT {
		fmt.Fprintf(&b, "[%s] ", k.ECN)
	}
	if m := k.ICMP; m != nil {
		fmt.Fprintf(&b, "icmp type %d code %d", m.Type, m.Code)
		if m.MTU > 0 {
			fmt.Fprintf(&b, " mtu %d", m.MTU)
		}
		fmt.Fprintf(&b, " [%d:%d(%d)]", k.Seq, k.Seq+k.Len, k.Len)
		return b.String()
	}
	b.WriteString(flagText(k.Flags))
	fmt.Fprintf(&b, " %d:%d(%d)", k.Seq, k.Seq+k.Len, k.Len)
	if k.Flags&segment.ACK != 0 {
		fmt.Fprintf(&b, " ack %d", k.Ack)
	}
	if k.HasWin {
		fmt.Fprintf(&b, " win %d", k.Win)
	}
	if k.Urg != 0 {
		fmt.Fprintf(&b, " urg %d", k.Urg)
	}
	switch {
	case k.AnyOptions:
		b.WriteString(" <...>")
	case len(k.Options) > 0:
		texts := make([]string, len(k.Options))
		for i := range k.Options {
			texts[i] = k.Options[i].String()
		}
		fmt.Fprintf(&b, " <%s>", strings.Join(texts, ","))
	}
	return b.String()
}

func flagText(f segment.Flags) string {
	text := ""
	for _, c := range []byte("FSRP.UEWA") {
		if f&flagLetters[c] != 0 && c != '.' {
			text += string(c)
		}
	}
	if f&segment.ACK != 0 {
		text += "."
	}
	if text == "" {
		return "-"
	}
	return text
}

// String returns the option in the script's language.
func (o *Option) String() string {
	switch o.Kind {
	case OptionEOL:
		return "eol"
	case OptionNOP:
		return "nop"
	case OptionMSS:
		return fmt.Sprintf("mss %d", o.Val)
	case OptionWScale:
		return fmt.Sprintf("wscale %d", o.Val)
	case OptionSACKOK:
		return "sackOK"
	case OptionTS:
		return fmt.Sprintf("TS val %d ecr %d", o.Val, o.Ecr)
	case OptionSACK:
		text := "sack"
		for _, b := range o.Blocks {
			text += fmt.Sprintf(" %d:%d", uint32(b.Left), uint32(b.Right))
		}
		return text
	case OptionFastOpen:
		return strings.TrimSuffix("FO "+o.Data, " ")
	case OptionFOExp:
		return strings.TrimSuffix("FOEXP "+o.Data, " ")
	}
	return fmt.Sprintf("option %d %s", o.Kind, o.Data)
}
