package measure

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// LadderOptions say how a ladder is written.
type LadderOptions struct {
	Language Language
	Notation Notation
	// Addresses are those of the nodes, nil to leave them out.
	Addresses *segment.Addresses
	// All shows every line of a long ladder; otherwise long rows of data and
	// acknowledgements are put into one line.
	All bool
}

// The columns of a ladder: time, state, arrow, segment, arrow, state, of a
// terminal of 80.
const (
	timeWidth   = 10
	stateWidth  = 12
	arrowWidth  = 3
	ladderWidth = 80
	textWidth   = ladderWidth - timeWidth - 2*stateWidth - 2*arrowWidth - 5
	textColumn  = timeWidth + stateWidth + arrowWidth + 3
)

// Name returns the name of an end: its host, address and port.
func (o *LadderOptions) Name(e *TraceEnd) string {
	addr := netip.Addr{}
	if o.Addresses != nil {
		addr = o.Addresses.Addr(e.Node)
	}
	name := e.Host
	if addr.IsValid() {
		name = strings.TrimSpace(name + " " + netip.AddrPortFrom(addr, e.Port).String())
	}
	return name
}

// WriteText writes the ladder for a terminal of 80 columns, in the manner of the
// figures of RFC 9293 section 3.5: each line has the time of its first event,
// and the states are those after the departure or the arrival of the segment.
// An ellipsis is a segment on its way that crosses another one and has a second
// line for its arrival, XXX one that is lost.
func (l *Ladder) WriteText(w io.Writer, o LadderOptions) error {
	p := &ladderPrinter{out: bufio.NewWriter(w), l: l, o: o, decimals: 6}
	for limit := 1000 * des.Second; l.End >= limit && p.decimals > 0; limit *= 10 {
		p.decimals--
	}
	t := l.Trace
	p.line(o.Language.Phrase("connection", t.Number, o.Name(&t.Active), o.Name(&t.Passive)))
	p.line("")
	p.row(o.Language.Phrase("time"), t.Active.Host, "", "", "", t.Passive.Host)
	all := l.rungs()
	if len(all) == 0 {
		p.line(o.Language.Phrase("nothing"))
	}
	if !o.All {
		all = collapse(all)
	}
	for i := range all {
		p.rung(&all[i])
	}
	if t.LeftOut > 0 {
		p.line(o.Language.Phrase("more left", t.LeftOut))
	}
	return p.out.Flush()
}

type ladderPrinter struct {
	out      *bufio.Writer
	l        *Ladder
	o        LadderOptions
	decimals int
}

func (p *ladderPrinter) line(text string) {
	_, _ = p.out.WriteString(strings.TrimRight(text, " ") + "\n")
}

// row prints the six columns.
func (p *ladderPrinter) row(time, left, arrow1, text, arrow2, right string) {
	p.line(padLeft(time, timeWidth) + " " + padRight(cut(left, stateWidth), stateWidth) + " " + padRight(arrow1, arrowWidth) + " " +
		padRight(text, textWidth) + " " + padRight(arrow2, arrowWidth) + " " + cut(right, stateWidth))
}

func (p *ladderPrinter) rung(r *rung) {
	if r.part == gap {
		p.gap(r)
		return
	}
	at := strconv.FormatFloat(r.at.Seconds(), 'f', p.decimals, 64)
	var states [2]string
	for k := range states {
		if r.seen[k] {
			states[k] = r.states[k].String()
		}
	}
	if r.part == noSegment {
		text := "(" + p.o.Language.Phrase(r.reason()) + ")"
		if r.passive {
			text = strings.Repeat(" ", max(0, textWidth-columns(text))) + text
		}
		p.row(at, states[0], "", text, "", states[1])
		return
	}
	text, below := p.segment(r)
	left, right := r.arrows()
	p.row(at, states[0], left, text, right, states[1])
	for _, line := range below {
		p.line(strings.Repeat(" ", textColumn) + line)
	}
}

// reason names the cause of a change of state without a segment.
func (r *rung) reason() string {
	if r.from == tcpmodel.TimeWait && r.why == tcpmodel.CauseTimeout {
		return "2msl"
	}
	if name := r.why.String(); name != "" && name != "segment" {
		return name
	}
	return "reset"
}

// arrows are those of the left and of the right end: "..." stands where the
// segment is still under way, or was.
func (r *rung) arrows() (left, right string) {
	start, end := "-->", "-->"
	switch r.part {
	case leaving:
		end = "..."
	case arriving:
		start = "..."
		if r.passage.By != "" {
			start = atBox
		}
	case goesNowhere:
		end = "XXX"
		if r.passage.Fate == Answered {
			end = atBox
		}
	}
	if !r.passage.Passive {
		return start, end
	}
	mirrored := func(a string) string {
		if a == "-->" {
			return "<--"
		}
		return a
	}
	return mirrored(end), mirrored(start)
}

// atBox is the end of an arrow at a middlebox.
const atBox = "[#]"

// fold breaks a remark behind its commas into lines of a width.
func fold(text string, width int) []string {
	var lines []string
	for part := range strings.SplitAfterSeq(text, ", ") {
		last := len(lines) - 1
		if last >= 0 && columns(lines[last]+strings.TrimRight(part, " ")) <= width {
			lines[last] += part
		} else {
			lines = append(lines, part)
		}
	}
	return lines
}

// segment returns what stands on an arrow: the segment, how long it took if it
// has arrived, and remarks, which get a line of their own if they need it.
func (p *ladderPrinter) segment(r *rung) (text string, below []string) {
	s := &r.passage.Segment
	extra := ""
	if r.passage.Sent != des.Never && r.passage.Arrived != des.Never && r.part != leaving {
		extra = "+" + strings.ReplaceAll(Duration(r.passage.Arrived-r.passage.Sent), " ", "")
	}
	if remark := r.passage.Remark(p.o.Language); remark != "" && r.part != arriving || r.passage.Fate == Copy || r.passage.By != "" {
		text := "(" + remark + ")"
		segment := p.o.Notation.write(p.l.Trace, r.passage.Passive, s, shortest{})
		if columns(segment)+1+columns(text) > textWidth {
			below = append(below, fold(text, ladderWidth-textColumn)...)
		} else {
			extra = text
		}
	}
	room := textWidth
	if extra != "" {
		room -= columns(extra) + 1
	}
	text = p.o.Notation.fit(p.l.Trace, r.passage.Passive, s, room)
	if columns(text) > room {
		return cut(p.o.Notation.fit(p.l.Trace, r.passage.Passive, s, textWidth), textWidth), below
	}
	if extra != "" {
		text += strings.Repeat(" ", textWidth-columns(text)-columns(extra)) + extra
	}
	return text, below
}

// gap says what lines were left out.
func (p *ladderPrinter) gap(r *rung) {
	var count [2]int
	var bytes [2]uint64
	seen := map[*Passage]bool{}
	for i := range r.omitted {
		m := &r.omitted[i]
		if m.passage == nil || seen[m.passage] {
			continue
		}
		seen[m.passage] = true
		k := side(m.passage.Passive)
		count[k]++
		bytes[k] += uint64(m.passage.Segment.Len)
	}
	var parts []string
	for k, arrow := range []string{"-->", "<--"} {
		if count[k] == 0 {
			continue
		}
		text := p.o.Language.Phrase("segments", count[k], arrow)
		if bytes[k] > 0 {
			text += " " + p.o.Language.Phrase("bytes", bytes[k])
		}
		parts = append(parts, text)
	}
	text := p.o.Language.Phrase("omitted", len(r.omitted), strings.Join(parts, ", "))
	p.line(strings.Repeat(" ", timeWidth+1) + cut(text, ladderWidth-timeWidth-1))
}

// columns is how wide a text is on a terminal: Chinese characters take two
// columns.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if r >= 0x2e80 && r <= 0x9fff || r >= 0xff00 && r <= 0xff60 || r >= 0xac00 && r <= 0xd7a3 {
		return 2
	}
	return 1
}

func padRight(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(0, width-columns(text))) + text
}

// cut shortens a text that is too wide.
func cut(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	n := 0
	for i, r := range text {
		if n+runeColumns(r) > width-1 {
			return text[:i] + "…"
		}
		n += runeColumns(r)
	}
	return text
}

// String returns the ladder as WriteText writes it without options.
func (l *Ladder) String() string {
	var out strings.Builder
	if err := l.WriteText(&out, LadderOptions{}); err != nil {
		return fmt.Sprint(err)
	}
	return out.String()
}
