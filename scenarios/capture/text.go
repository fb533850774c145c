package capture

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"tcplab/tcpmodel/segment"
)

// TextOptions say what WriteText prints.
type TextOptions struct {
	// Connections is how many connections are printed in full; 0 means 20,
	// less than 0 all.
	Connections int
	// Only is the number of the one connection to print, 0 for all.
	Only int
	// Ladder prints the ladder of each connection that is printed.
	Ladder bool
	// Comments prints the comments of packets in the ladder.
	Comments bool
}

const textWidth = 80

// WriteText prints a report for a terminal of 80 columns.
func WriteText(w io.Writer, r *Report, o TextOptions) error {
	out := bufio.NewWriter(w)
	if o.Connections == 0 {
		o.Connections = 20
	}
	writeSummary(out, r)
	var hidden Marks
	if r.BadChecksums > r.TCP/10 {
		hidden = MarkBadChecksum // the network card's work, of no interest
	}
	printed := 0
	for _, c := range r.Connections {
		if o.Only != 0 && c.Number != o.Only {
			continue
		}
		if o.Connections > 0 && printed == o.Connections {
			break
		}
		printed++
		writeConnection(out, r, c)
		if o.Ladder {
			fmt.Fprintln(out)
			writeLadder(out, c, o.Comments, hidden)
		}
	}
	if more := len(r.Connections) - printed; more > 0 && o.Only == 0 {
		fmt.Fprintf(out, "\n... and %d more\n", more)
	}
	if o.Only != 0 && printed == 0 {
		fmt.Fprintf(out, "\nthere is no connection %d\n", o.Only)
	}
	return out.Flush()
}

func writeSummary(out *bufio.Writer, r *Report) {
	fmt.Fprintf(out, "%s, %d packets in %v s from %s\n", r.Format, r.Packets, r.Duration,
		r.Start.UTC().Format(time.RFC3339Nano))
	fmt.Fprintf(out, "%d of TCP in %d connections", r.TCP, len(r.Connections))
	separator := ": "
	for _, o := range outcomes {
		n := 0
		for _, c := range r.Connections {
			if c.Outcome == o {
				n++
			}
		}
		if n > 0 {
			fmt.Fprintf(out, "%s%d %s", separator, n, o)
			separator = ", "
		}
	}
	fmt.Fprintln(out)
	for _, trouble := range []struct {
		n    int
		text string
	}{
		{r.Malformed, "malformed packets are left out"},
		{r.Fragments, "fragments of IP packets are left out"},
		{r.BadChecksums, "wrong TCP checksums (of no meaning where the network card makes them)"},
	} {
		if trouble.n > 0 {
			fmt.Fprintf(out, "%d %s\n", trouble.n, trouble.text)
		}
	}
	if r.Cut {
		fmt.Fprintln(out, "the file ends within a packet")
	}
}

func writeConnection(out *bufio.Writer, r *Report, c *Connection) {
	fmt.Fprintf(out, "\n%d. %v > %v", c.Number, c.Client.Addr, c.Server.Addr)
	if len(r.Interfaces) > 1 {
		fmt.Fprintf(out, " seen at %s", cmp.Or(r.Interfaces[c.Interface].Name, fmt.Sprint("interface ", c.Interface)))
	}
	fmt.Fprintf(out, "\n   %v to %v s: %s\n", c.Start, c.End, c.ending())
	switch h := c.Handshake; {
	case c.Partial:
		fmt.Fprintln(out, "   handshake before the capture; who is the client is a guess from the ports")
	case h.ACK != None:
		fmt.Fprintf(out, "   handshake %v s (SYN-ACK after %v s)\n", h.ACK, h.SYNACK)
	case h.SYNACK != None:
		fmt.Fprintf(out, "   SYN-ACK after %v s, no ACK\n", h.SYNACK)
	}
	writeOptions(out, c)
	fmt.Fprintf(out, "   %-28s %20s %20s\n", "", "client", "server")
	for _, row := range rows {
		a, b := row.value(&c.Client), row.value(&c.Server)
		if row.always || len(strings.Trim(a+b, "0-")) > 0 {
			fmt.Fprintf(out, "   %-28s %20s %20s\n", row.name, a, b)
		}
	}
	writeStates(out, "client", c.Client.States)
	writeStates(out, "server", c.Server.States)
}

// ending says how the connection ended.
func (c *Connection) ending() string {
	text := string(c.Outcome)
	switch c.Outcome {
	case Reset:
		text += " by the " + string(c.ResetBy)
	case Closed, Closing:
		switch c.ClosedFirst {
		case Both:
			text += ", both ends at once"
		case Client, Server:
			text += ", the " + string(c.ClosedFirst) + " first"
		}
	}
	return text
}

func writeOptions(out *bufio.Writer, c *Connection) {
	if c.Client.MSS == 0 && c.Server.MSS == 0 {
		return
	}
	var agreed []string
	for _, o := range []struct {
		on   bool
		name string
	}{
		{c.Agreed.WindowScale, fmt.Sprintf("window scale %d, %d", c.Client.WindowScale, c.Server.WindowScale)},
		{c.Agreed.SACK, "SACK"}, {c.Agreed.Timestamps, "time stamps"}, {c.Agreed.ECN, "ECN"},
	} {
		if o.on {
			agreed = append(agreed, o.name)
		}
	}
	if agreed == nil {
		agreed = []string{"none"}
	}
	mss := func(e *End) string {
		if e.MSS == 0 {
			return "-"
		}
		return fmt.Sprint(e.MSS)
	}
	fmt.Fprintf(out, "   MSS %s, %s; options agreed: %s\n", mss(&c.Client), mss(&c.Server), strings.Join(agreed, ", "))
}

// rows are the lines of the table of a connection.
var rows = []struct {
	name   string
	always bool
	value  func(e *End) string
}{
	{"segments", true, func(e *End) string { return fmt.Sprint(e.Segments) }},
	{"payload bytes", true, func(e *End) string { return fmt.Sprint(e.Bytes) }},
	{"  of them new", true, func(e *End) string { return fmt.Sprint(e.NewBytes) }},
	{"retransmissions", true, func(e *End) string { return fmt.Sprint(e.Retransmissions.Total()) }},
	{"  SYN", false, func(e *End) string { return fmt.Sprint(e.Retransmissions.SYN) }},
	{"  SYN-ACK", false, func(e *End) string { return fmt.Sprint(e.Retransmissions.SYNACK) }},
	{"  data", false, func(e *End) string { return fmt.Sprint(e.Retransmissions.Data) }},
	{"  FIN", false, func(e *End) string { return fmt.Sprint(e.Retransmissions.FIN) }},
	{"  original not seen", false, func(e *End) string { return fmt.Sprint(e.Retransmissions.Unseen) }},
	{"  spurious (D-SACK)", false, func(e *End) string { return fmt.Sprint(e.Retransmissions.Spurious) }},
	{"  after their ACK", false, func(e *End) string { return fmt.Sprint(e.Retransmissions.AfterAck) }},
	{"out of order", false, func(e *End) string { return fmt.Sprint(e.OutOfOrder) }},
	{"gaps", false, func(e *End) string { return fmt.Sprint(e.Gaps) }},
	{"duplicate ACKs", false, func(e *End) string { return fmt.Sprint(e.DupAcks) }},
	{"window updates", false, func(e *End) string { return fmt.Sprint(e.WindowUpdates) }},
	{"zero windows", false, func(e *End) string { return fmt.Sprint(e.ZeroWindows) }},
	{"zero window probes", false, func(e *End) string { return fmt.Sprint(e.Probes) }},
	{"keepalives", false, func(e *End) string { return fmt.Sprint(e.Keepalives) }},
	{"resets", false, func(e *End) string { return fmt.Sprint(e.Resets) }},
	{"out of window", false, func(e *End) string { return fmt.Sprint(e.OutOfWindow) }},
	{"RTT of data: least (s)", false, func(e *End) string { return rttText(e.RTT, e.RTT.Min) }},
	{"RTT of data: median (s)", false, func(e *End) string { return rttText(e.RTT, e.RTT.Median) }},
}

func rttText(r RTT, value Span) string {
	if r.Samples == 0 {
		return "-"
	}
	return value.String()
}

func writeStates(out *bufio.Writer, side string, path []StateAt) {
	if len(path) == 0 {
		return
	}
	line := fmt.Sprintf("   %s:", side)
	indent := strings.Repeat(" ", len(line))
	for i, s := range path {
		text := " " + string(s.State)
		if i > 0 {
			text = " >" + text
		}
		if len(line)+len(text) > textWidth {
			fmt.Fprintln(out, line)
			line = indent
		}
		line += text
	}
	fmt.Fprintln(out, line)
}

// The columns of a ladder: time, state, arrow, state.
const (
	stateWidth = 12
	arrowWidth = textWidth - 11 - 2*stateWidth - 3
)

// writeLadder prints the segments of a connection, the client on the left. A
// state is printed where it changes.
func writeLadder(out *bufio.Writer, c *Connection, comments bool, hidden Marks) {
	fmt.Fprintf(out, "%11s %-*s %-*s %s\n", "time (s)", stateWidth, "client", arrowWidth, "", "server")
	var client, server State
	for i := range c.Ladder {
		l := c.Ladder[i]
		l.Marks &^= hidden
		if i == c.LadderGap && c.LadderOmitted > 0 {
			fmt.Fprintf(out, "%11s ... %d segments ...\n", "", c.LadderOmitted)
		}
		left, right := State(""), State("")
		if l.Client != client {
			left = l.Client
		}
		if l.Server != server {
			right = l.Server
		}
		client, server = l.Client, l.Server
		text, marked := l.label()
		line := fmt.Sprintf("%11v %-*s %s %s", l.At-c.Start, stateWidth, left, arrow(text, l.From == Client), right)
		fmt.Fprintln(out, strings.TrimRight(line, " "))
		if names := l.Marks.Names(); !marked && len(names) > 0 {
			fmt.Fprintf(out, "%26s%s\n", "", strings.Join(names, ", "))
		}
		if comments && l.Comment != "" {
			writeWrapped(out, l.Comment)
		}
	}
	if len(c.Ladder) == 0 {
		fmt.Fprintln(out, "            (not kept)")
	}
}

// label says what the segment is, in as much detail as fits on an arrow, and
// whether the marks are in it.
func (l *Line) label() (text string, marked bool) {
	flags := segment.Flags(l.Flags) &^ (segment.PSH | segment.ECE | segment.CWR | segment.AE)
	names := flags.String()
	if flags == segment.ACK && l.Len > 0 {
		names = "" // data
	}
	numbers, ack := "", ""
	if l.Len > 0 || flags&control != 0 {
		numbers = fmt.Sprintf(" %d", l.Seq)
	}
	if l.Len > 0 {
		numbers += fmt.Sprintf("(%d)", l.Len)
	}
	if flags&segment.ACK != 0 {
		ack = fmt.Sprintf(" ack %d", l.Ack)
	}
	full := strings.TrimSpace(names + numbers + ack)
	var details []string
	if marks := l.Marks.Names(); len(marks) > 0 {
		details = append(details, full+" "+strings.Join(marks, ", "))
	}
	details = append(details, fmt.Sprintf("%s win %d", full, l.Window), full,
		strings.TrimSpace(names+numbers), strings.TrimSpace(numbers))
	for i, text := range details {
		if len(text) <= arrowWidth-5 {
			return text, l.Marks == 0 || i == 0
		}
	}
	return names, false
}

// arrow draws text on an arrow to the right or the left.
func arrow(text string, right bool) string {
	line := strings.Repeat("-", arrowWidth-len(text)-4)
	if right {
		return "- " + text + " " + line + ">"
	}
	return "<" + line + " " + text + " -"
}

func writeWrapped(out *bufio.Writer, text string) {
	line := strings.Repeat(" ", 12) + "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > textWidth {
			fmt.Fprintln(out, line)
			line = strings.Repeat(" ", 13)
		}
		line += " " + word
	}
	fmt.Fprintln(out, line)
}
