package measure

import (
	"strconv"

	"tcplab/tcpmodel/segment"
)

// Notation is how a segment is written in a ladder.
type Notation struct {
	// Absolute numbers are as on the wire; otherwise they count from the
	// initial sequence number of their end.
	Absolute bool
}

// Write returns a segment sent by an end as RFC 9293 writes it in its figures,
// such as "<SEQ=0><ACK=1><CTL=SYN,ACK>", and payload as "<DATA=100>".
func (n Notation) Write(t *Trace, passive bool, s *segment.Segment) string {
	return n.write(t, passive, s, shortest{})
}

// shortest says what is left out for want of room.
type shortest struct{ ctl, ack, seq bool }

func (n Notation) write(t *Trace, passive bool, s *segment.Segment, without shortest) string {
	seq, ack := uint32(s.Seq), uint32(s.Ack)
	if !n.Absolute {
		seq, ack = t.Relative(passive, s)
	}
	b := make([]byte, 0, 64)
	number := func(name string, v uint32) {
		b = append(append(append(b, '<'), name...), '=')
		b = append(strconv.AppendUint(b, uint64(v), 10), '>')
	}
	if !without.seq {
		number("SEQ", seq)
	}
	if s.Has(segment.ACK) && !without.ack {
		number("ACK", ack)
	}
	// PSH says nothing about the exchange.
	if f := s.Flags &^ (segment.PSH | segment.AE); !without.ctl {
		b = append(append(append(b, "<CTL="...), f.String()...), '>')
	}
	if s.Len > 0 {
		number("DATA", s.Len)
	}
	return string(b)
}

// fit returns the longest form of a segment that is not wider than width: of
// data the flags go first, then the acknowledgement.
func (n Notation) fit(t *Trace, passive bool, s *segment.Segment, width int) string {
	forms := []shortest{{}, {ack: true}, {ack: true, seq: true}}
	if s.Len > 0 && s.Flags&(segment.SYN|segment.FIN|segment.RST|segment.ECE|segment.CWR) == 0 {
		forms = []shortest{{}, {ctl: true}, {ctl: true, ack: true}}
	}
	text := ""
	for _, f := range forms {
		if text = n.write(t, passive, s, f); len(text) <= width {
			return text
		}
	}
	return text
}
