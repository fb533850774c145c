package segment

import (
	"slices"
	"strconv"
	"strings"
)

var flagNames = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"}

// String returns the names of the flags that are set as RFC 9293 writes them
// in its figures, such as "SYN,ACK"; "none" if there are none.
func (f Flags) String() string {
	var names []string
	for i, name := range flagNames {
		if f>>i&1 != 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

// ParseFlags reads what String returns.
func ParseFlags(text string) (f Flags, ok bool) {
	if text == "none" {
		return 0, true
	}
	for name := range strings.SplitSeq(text, ",") {
		i := slices.Index(flagNames[:], name)
		if i < 0 {
			return 0, false
		}
		f |= 1 << i
	}
	return f, true
}

// String returns "tcp", "icmp" or "raw".
func (k Kind) String() string {
	switch k {
	case KindTCP:
		return "tcp"
	case KindICMP:
		return "icmp"
	case KindRaw:
		return "raw"
	}
	return "kind " + strconv.Itoa(int(k))
}

// String returns "not-ect", "ect1", "ect0" or "ce".
func (e ECN) String() string { return [...]string{"not-ect", "ect1", "ect0", "ce"}[e&CE] }

// line collects the parts of a Segment's one-line form.
type line struct{ b []byte }

func (l *line) text(s string) *line { l.b = append(l.b, s...); return l }
func (l *line) num(v uint64) *line  { l.b = strconv.AppendUint(l.b, v, 10); return l }

// String returns s on one line, much as tcpdump prints it, with node numbers
// for addresses: "1.40000 > 2.80: SYN, seq 100, win 64240, <mss 1460>, len 0".
func (s *Segment) String() string {
	l := &line{make([]byte, 0, 128)}
	switch s.Kind {
	case KindICMP:
		l.num(uint64(s.Src)).text(" > ").num(uint64(s.Dst)).text(": icmp type ").num(uint64(s.Wnd >> 8)).text(" code ").num(uint64(s.Wnd & 0xff))
		l.text(" about ").num(uint64(s.Dst)).text(".").num(uint64(s.SrcPort)).text(" > ").num(uint64(s.Ack)).text(".").num(uint64(s.DstPort))
		l.text(": seq ").num(uint64(s.Seq))
		if s.MSS != 0 {
			l.text(", mtu ").num(uint64(s.MSS))
		}
		return string(l.b)
	}
	l.num(uint64(s.Src)).text(".").num(uint64(s.SrcPort)).text(" > ").num(uint64(s.Dst)).text(".").num(uint64(s.DstPort)).text(": ")
	if s.Kind == KindTCP {
		l.text(s.Flags.String()).text(", seq ").num(uint64(s.Seq))
		if s.Len > 0 {
			l.text(":").num(uint64(s.Seq.Add(s.Len)))
		}
		if s.Has(ACK) {
			l.text(", ack ").num(uint64(s.Ack))
		}
		l.text(", win ").num(uint64(s.Wnd))
		s.appendOptions(l)
	} else {
		l.text(s.Kind.String())
	}
	if s.ECN != NotECT {
		l.text(", ").text(s.ECN.String())
	}
	l.text(", len ").num(uint64(s.Len))
	if s.Corrupt {
		l.text(", corrupt")
	}
	return string(l.b)
}

func (s *Segment) appendOptions(l *line) {
	if s.Opts == 0 {
		return
	}
	separator := ", <"
	begin := func(name string) *line {
		l.text(separator).text(name)
		separator = ", "
		return l
	}
	if s.Opts&OptMSS != 0 {
		begin("mss ").num(uint64(s.MSS))
	}
	if s.Opts&OptSACKPermitted != 0 {
		begin("sackOK")
	}
	if s.Opts&OptTimestamps != 0 {
		begin("ts ").num(uint64(s.TSVal)).text(" ecr ").num(uint64(s.TSEcr))
	}
	if s.Opts&OptWScale != 0 {
		begin("ws ").num(uint64(s.WScale))
	}
	if s.Opts&OptSACK != 0 {
		begin("sack")
		for _, b := range s.SACK[:min(s.NumSACK, maxBlocks)] {
			l.text(" ").num(uint64(b.Left)).text(":").num(uint64(b.Right))
		}
	}
	if c, ok := s.Cookie(); ok {
		begin("fastopen")
		if c.Len > 0 {
			l.text(" ").text(c.String())
		}
	}
	l.text(">")
}
