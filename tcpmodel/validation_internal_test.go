package tcpmodel

import (
	"fmt"
	"strings"
	"testing"
)

// byID groups the rows of a table of ladders, in their order.
func byID(t *testing.T, file, key string) (ids []string, rows map[string][]map[string]string) {
	t.Helper()
	rows = map[string][]map[string]string{}
	for _, r := range readTable(t, file) {
		if rows[r[key]] == nil {
			ids = append(ids, r[key])
		}
		rows[r[key]] = append(rows[r[key]], r)
	}
	return ids, rows
}

// receiverOf returns a connection with SACK whose RCV.NXT is next and which
// acknowledges every segment.
func receiverOf(t *testing.T, next uint32) *puppet {
	t.Helper()
	p := newPuppet(t, "rfc9293", func(c *Config) { c.AckPolicy = AckImmediate })
	p.passiveOpen(5)
	p.arrive(fmt.Sprintf("<SEQ=%d><MSS=1460><SACKOK><CTL=SYN>", next-1))
	p.arrive(fmt.Sprintf("<SEQ=%d><ACK=101><CTL=ACK>", next))
	p.in(Established)
	p.greedy = true
	p.sent = nil
	return p
}

// answers checks the ACK that a segment of size bytes at seq brings: its number
// and its SACK blocks, as "5500-6000 7000-7500".
func (p *puppet) answers(seq, size, ack uint32, blocks string) {
	p.t.Helper()
	p.sent = nil
	p.arrive(fmt.Sprintf("<SEQ=%d><ACK=101><DATA=%d><CTL=ACK>", seq, size))
	if len(p.sent) != 1 {
		p.t.Fatalf("%d: sends %v, want one ACK", seq, p.sent)
	}
	var got []string
	for _, b := range p.last.SACK[:p.last.NumSACK] {
		got = append(got, fmt.Sprintf("%d-%d", uint32(b.Left), uint32(b.Right)))
	}
	if uint32(p.last.Ack) != ack || strings.Join(got, " ") != blocks {
		p.t.Errorf("%d: answers %d %v, want %d [%s]", seq, uint32(p.last.Ack), got, ack, blocks)
	}
}

// The cases of RFC 2018 section 4: segments of 500 bytes from 5000 on.
func TestValidationSack(t *testing.T) {
	const size, first = 500, 5000
	ids, rows := byID(t, "rfc2018_sack.csv", "id")
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			p := receiverOf(t, first)
			for _, r := range rows[id] {
				switch r["status"] {
				case "received":
					p.answers(uint32(parseNumber(t, r["trigger_seq"])), size, uint32(parseNumber(t, r["ack"])), r["sack_blocks"])
				case "lost":
				default:
					t.Fatalf("status %q", r["status"])
				}
			}
		})
	}
}

// The examples of RFC 2883 section 4. They name segments by their first and
// last byte; "1000-2000" means 1000-1999, as the acknowledgements show.
func TestValidationDsack(t *testing.T) {
	ids, rows := byID(t, "rfc2883_dsack.csv", "id")
	span := func(t *testing.T, text string) (seq, size uint32) {
		t.Helper()
		from, to, _ := strings.Cut(text, "-")
		seq = uint32(parseNumber(t, from))
		last := uint32(parseNumber(t, to))
		if last%500 == 0 {
			last--
		}
		return seq, last + 1 - seq
	}
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			first, _ := span(t, rows[id][0]["transmitted"])
			p := receiverOf(t, first)
			for _, r := range rows[id] {
				if r["received"] == "" {
					continue
				}
				seq, size := span(t, r["received"])
				p.answers(seq, size, uint32(parseNumber(t, r["ack"])), r["sack_blocks"])
			}
		})
	}
}

// senderOf returns a connection with a window of cwnd segments of 1000 bytes,
// past slow start, that has sent a window a round-trip time of 100 ms ago.
func senderOf(t *testing.T, cwnd uint32, tune func(c *Config)) *puppet {
	t.Helper()
	p := newPuppet(t, "rfc9293", func(c *Config) {
		c.Timestamps = false
		tune(c)
	})
	p.passiveOpen(5)
	p.arrive("<SEQ=300><MSS=1000><SACKOK><CTL=SYN>")
	p.run(100 * ms)
	p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
	p.ep.win.Cwnd, p.ep.win.Ssthresh = cwnd, cwnd
	p.sent = nil
	p.ep.Write(60 * 1000)
	if len(p.sent) != int(cwnd) {
		t.Fatalf("sent %d segments, want %d", len(p.sent), cwnd)
	}
	p.run(99 * ms)
	return p
}

// reports lets the ACK arrive that segment n causes, counted from 0, if those
// before first were lost, 1 ms after the last.
func (p *puppet) reports(first, n uint32) {
	p.t.Helper()
	p.run(ms)
	p.sent = nil
	if !p.ep.opt.sackOK {
		p.arrive("<SEQ=301><ACK=101><CTL=ACK>")
		return
	}
	p.arrive(fmt.Sprintf("<SEQ=301><ACK=101><SACK=%d:%d><CTL=ACK>", 101+1000*first, 101+1000*(n+1)))
}
