package drill

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Parse reads a script. file names it in errors, which are of type *Error.
func Parse(file string, src []byte) (s *Script, err error) {
	l := &lexer{file: file, src: string(src), line: 1}
	toks, err := l.tokens()
	if err != nil {
		return nil, err
	}
	p := &parser{file: file, toks: toks, defines: maps.Clone(usualDefines)}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			s, err = nil, e
		}
	}()
	s = p.script()
	s.sysctls, s.defines = l.sysctls, p.defines
	for _, line := range strings.Split(l.src, "\n") {
		s.lines = append(s.lines, strings.TrimSpace(line))
	}
	return s, nil
}

// parser is a recursive descent over the tokens; fail leaves it by a panic that
// Parse catches.
type parser struct {
	file    string
	toks    []token
	i       int
	depth   int
	defines map[string]string
}

// usualDefines are the names with which packetdrill's own scripts and those of
// the Linux kernel are run: Fast Open cookies for the addresses of the script,
// under the key of the scripts' defaults and the key of zeros, and the code of an
// ICMP message.
var usualDefines = map[string]string{
	"TFO_COOKIE": "3021b9d889017eeb", "TFO_COOKIE_ZERO": "b7c12350a90dc8f5", "CODE": "host_unreachable",
}

// defined returns what --define has made of a word.
func (p *parser) defined(word string) string {
	if v, ok := p.defines[word]; ok {
		return v
	}
	return word
}

func (p *parser) fail(at Pos, format string, args ...any) {
	panic(&Error{File: p.file, Pos: at, Msg: fmt.Sprintf(format, args...)})
}

func (p *parser) unsupported(at Pos, format string, args ...any) {
	panic(&Error{File: p.file, Pos: at, Msg: fmt.Sprintf(format, args...), Unsupported: true})
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) peekAt(n int) token { return p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) take() token {
	t := p.toks[p.i]
	if t.kind != tokEOF {
		p.i++
	}
	return t
}

func (t token) is(punct string) bool { return t.kind == tokPunct && t.text == punct }

func (t token) isWord(word string) bool { return t.kind == tokWord && t.text == word }

func (p *parser) accept(punct string) bool {
	if p.peek().is(punct) {
		p.i++
		return true
	}
	return false
}

func (p *parser) acceptWord(word string) bool {
	if p.peek().isWord(word) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(punct, where string) Pos {
	t := p.take()
	if !t.is(punct) {
		p.fail(t.pos, "%s wants %q, not %v", where, punct, t)
	}
	return t.pos
}

func (p *parser) word(what string) token {
	t := p.take()
	if t.kind != tokWord {
		p.fail(t.pos, "want %s, not %v", what, t)
	}
	return t
}

// number reads an integer of at most limit.
func (p *parser) number(what string, limit int64) uint32 {
	t := p.take()
	if t.kind != tokInt {
		p.fail(t.pos, "want %s, not %v", what, t)
	}
	if t.num < 0 || t.num > limit {
		p.fail(t.pos, "%s %s is not between 0 and %d", what, t.text, limit)
	}
	return uint32(t.num)
}

func (p *parser) script() *Script {
	s := &Script{File: p.file}
	for p.peek().kind == tokOption {
		t := p.take()
		name, value, _ := strings.Cut(t.text, "=")
		s.Options = append(s.Options, Setting{name, unquote(value), t.pos})
		if k, v, ok := strings.Cut(unquote(value), "="); ok && name == "define" {
			p.defines[k] = unquote(v)
		}
	}
	s.Init = p.command()
	for {
		switch t := p.peek(); {
		case t.kind == tokEOF:
			if len(s.Events) == 0 {
				p.fail(t.pos, "a script needs at least one event, such as: 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
			}
			return s
		case t.kind == tokShell && s.Cleanup == nil && len(s.Events) > 0:
			s.Cleanup = p.command()
		case s.Cleanup != nil:
			p.fail(t.pos, "%v after the closing command", t)
		default:
			s.Events = append(s.Events, p.event())
		}
	}
}

func (p *parser) command() *Command {
	t := p.peek()
	if t.kind != tokShell {
		return nil
	}
	p.i++
	return &Command{t.pos, t.text}
}

func (p *parser) event() *Event {
	t := p.peek()
	e := &Event{Pos: t.pos}
	switch {
	case t.is("*"):
		p.i++
		e.Kind = TimeAny
	case t.is("+"):
		p.i++
		e.Kind = TimeRelative
		if p.accept("*") {
			e.Kind = TimeAny
			break
		}
		e.At = p.time()
		if p.accept("~") {
			p.expect("+", "the end of a relative range")
			e.Kind, e.Until = TimeRelativeRange, p.time()
		}
	case t.kind == tokInt, t.kind == tokFloat:
		e.At = p.time()
		if p.accept("~") {
			e.Kind, e.Until = TimeRange, p.time()
		}
	default:
		p.fail(t.pos, "an event starts with its time (0, +.1, +.1~+.2 or *), not with %v", t)
	}
	if e.Until < e.At && (e.Kind == TimeRange || e.Kind == TimeRelativeRange) {
		p.fail(t.pos, "the time range ends before it starts")
	}
	p.action(e)
	if e.Kind >= TimeRange && (e.Packet == nil || !e.Packet.Outbound) {
		p.fail(t.pos, "only an outbound packet may have a range of times")
	}
	return e
}

// time reads seconds.
func (p *parser) time() des.Time {
	t := p.take()
	if t.kind != tokInt && t.kind != tokFloat {
		p.fail(t.pos, "want a time in seconds, not %v", t)
	}
	v, err := strconv.ParseFloat(t.text, 64)
	if err != nil || v < 0 || v > 1e9 {
		p.fail(t.pos, "%s is no time: want 0 to 1e9 seconds", t.text)
	}
	return des.Time(math.Round(v * float64(des.Second)))
}

func (p *parser) action(e *Event) {
	t := p.peek()
	switch {
	case t.is("<"), t.is(">"):
		e.Packet = p.packet()
	case t.kind == tokShell:
		e.Command = p.command()
	case t.kind == tokCode:
		p.i++
		e.Code = &Code{t.pos, t.text}
	case t.kind == tokWord, t.kind == tokEllipsis:
		e.Call = p.call(e)
	default:
		p.fail(t.pos, "want a packet (< or >), a call, a command or a check, not %v", t)
	}
}

func (p *parser) packet() *Packet {
	t := p.take()
	k := &Packet{Pos: t.pos, Outbound: t.is(">")}
	p.ipInfo(k)
	switch t := p.peek(); {
	case t.isWord("icmp"):
		p.i++
		p.icmp(k)
		return k
	case t.isWord("udp"), t.isWord("ipv4"), t.isWord("ipv6"), t.isWord("gre"), t.isWord("GREv0"), t.isWord("mpls"), t.isWord("encap"), t.isWord("sctp"):
		p.unsupported(t.pos, "%s packets", t.text)
	}
	p.ports(k)
	p.flags(k)
	p.sequence(k)
	if p.acceptWord("ack") {
		k.Ack = p.number("acknowledgement number", math.MaxUint32)
	}
	if p.acceptWord("win") {
		k.HasWin, k.Win = true, uint16(p.number("window", 65535))
	}
	if p.acceptWord("urg") {
		k.Urg = uint16(p.number("urgent pointer", 65535))
	}
	if p.accept("<") {
		p.options(k)
	}
	return k
}

func (p *parser) ports(k *Packet) {
	if p.peek().kind == tokInt && p.peekAt(1).is(">") {
		k.SrcPort = uint16(p.number("source port", 65535))
		p.expect(">", "a pair of ports")
		k.DstPort = uint16(p.number("destination port", 65535))
	}
}

var ecnWords = map[string]segment.ECN{"noecn": segment.NotECT, "ect0": segment.ECT0, "ect1": segment.ECT1, "ce": segment.CE}

// ipInfo reads what is asked of the IP header: [ect0], (ce), [ttl 64].
func (p *parser) ipInfo(k *Packet) {
	end := ""
	switch {
	case p.accept("["):
		end = "]"
	case p.accept("("):
		end = ")"
	default:
		return
	}
	t := p.word("ect0, ect1, ect01, ce or noecn")
	ecn, ok := ecnWords[t.text]
	switch {
	case ok:
		k.CheckECN, k.ECN = true, ecn
	case t.text == "ect01" && k.Outbound:
		k.AnyECT = true
	case t.text == "tos", t.text == "ttl", t.text == "flowlabel":
		p.unsupported(t.pos, "%s of a packet", t.text)
	default:
		p.fail(t.pos, "want ect0, ect1, ce or noecn (or ect01 for an outbound packet), not %v", t)
	}
	p.expect(end, "the IP header's part")
}

var flagLetters = map[byte]segment.Flags{'F': segment.FIN, 'S': segment.SYN, 'R': segment.RST, 'P': segment.PSH,
	'.': segment.ACK, 'U': segment.URG, 'E': segment.ECE, 'W': segment.CWR, 'A': segment.AE}

func (p *parser) flags(k *Packet) {
	t := p.take()
	switch {
	case t.is("-"):
		return
	case t.is("."):
		k.Flags = segment.ACK
		return
	case t.kind == tokFloat:
		p.unsupported(t.pos, "AccECN counters")
	case t.kind != tokWord:
		p.fail(t.pos, "want the flags of a segment (S F R P . U E W, or - for none), not %v", t)
	}
	for i := range len(t.text) {
		f, ok := flagLetters[t.text[i]]
		if isDigit(t.text[i]) {
			p.unsupported(t.pos, "AccECN counters")
		}
		if !ok {
			p.fail(t.pos, "flag %q of %s is none of S F R P . U E W A", t.text[i:i+1], t.text)
		}
		k.Flags |= f
	}
	if p.peek().kind == tokFloat {
		p.unsupported(p.peek().pos, "AccECN counters")
	}
	if p.accept(".") {
		k.Flags |= segment.ACK
	}
}

// sequence reads seq:end(len).
func (p *parser) sequence(k *Packet) {
	at := p.peek().pos
	k.Seq = p.number("sequence number", math.MaxUint32)
	p.expect(":", "a sequence range (1:101(100))")
	end := p.number("sequence number", math.MaxUint32)
	p.expect("(", "a sequence range (1:101(100))")
	k.Len = p.number("payload length", 65535)
	p.expect(")", "a sequence range (1:101(100))")
	if k.Seq+k.Len != end {
		p.fail(at, "%d:%d(%d) does not add up: %d + %d is %d", k.Seq, end, k.Len, k.Seq, k.Len, k.Seq+k.Len)
	}
}

func (p *parser) options(k *Packet) {
	if p.peek().kind == tokEllipsis {
		t := p.take()
		if !k.Outbound {
			p.fail(t.pos, "<...> is for outbound packets alone")
		}
		k.AnyOptions = true
		p.expect(">", "the list of options")
		return
	}
	for {
		k.Options = append(k.Options, p.option())
		if p.accept(">") {
			break
		}
		p.expect(",", "the list of options")
	}
	if n := optionsLength(k.Options); n > 40 {
		p.fail(k.Pos, "the options take %d bytes (a header has room for 40)", n)
	}
}

func optionsLength(options []Option) int {
	n := 0
	for i := range options {
		switch o := &options[i]; o.Kind {
		case OptionNOP, OptionEOL:
			n++
		case OptionMSS:
			n += 4
		case OptionWScale:
			n += 3
		case OptionSACKOK:
			n += 2
		case OptionTS:
			n += 10
		case OptionSACK:
			n += 2 + 8*len(o.Blocks)
		case OptionFastOpen:
			n += 2 + len(o.Data)/2
		case OptionFOExp:
			n += 4 + len(o.Data)/2
		}
	}
	return n
}

func (p *parser) option() Option {
	t := p.word("a TCP option")
	o := Option{Pos: t.pos}
	switch t.text {
	case "nop":
		o.Kind = OptionNOP
	case "eol":
		o.Kind = OptionEOL
	case "mss":
		o.Kind, o.Val = OptionMSS, p.number("mss", 65535)
	case "wscale":
		o.Kind, o.Val = OptionWScale, p.number("window scale", 255)
	case "sackOK":
		o.Kind = OptionSACKOK
	case "TS":
		o.Kind = OptionTS
		p.keyword("val", "TS")
		o.Val = p.number("TS val", math.MaxUint32)
		p.keyword("ecr", "TS")
		o.Ecr = p.number("TS ecr", math.MaxUint32)
	case "sack":
		o.Kind = OptionSACK
		for p.peek().kind == tokInt {
			left := p.number("left edge of a SACK block", math.MaxUint32)
			p.expect(":", "a SACK block")
			right := p.number("right edge of a SACK block", math.MaxUint32)
			o.Blocks = append(o.Blocks, segment.Block{Left: segment.Seq(left), Right: segment.Seq(right)})
		}
		if len(o.Blocks) == 0 || len(o.Blocks) > 4 {
			p.fail(t.pos, "sack wants one to four blocks, such as 1001:2001")
		}
	case "FO", "FOEXP", "md5", "ECN":
		o.Kind = map[string]OptionKind{"FO": OptionFastOpen, "FOEXP": OptionFOExp, "md5": OptionMD5, "ECN": OptionAccECN}[t.text]
		for p.peek().kind == tokWord || p.peek().kind == tokInt {
			o.Data += p.defined(p.take().text)
		}
	default:
		p.fail(t.pos, "unknown TCP option %q (have mss, wscale, sackOK, TS, sack, nop, eol, FO, FOEXP, md5, ECN)", t.text)
	}
	return o
}

func (p *parser) keyword(word, where string) {
	if t := p.take(); !t.isWord(word) {
		p.fail(t.pos, "%s wants %s, not %v", where, word, t)
	}
}

// icmpCodes are the codes of ICMP destination unreachable (RFC 792, RFC 1122
// section 3.2.2.1).
var icmpCodes = []string{"net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable", "frag_needed",
	"source_route_failed", "net_unknown", "host_unknown", "source_host_isolated", "net_prohibited", "host_prohibited",
	"net_unreachable_for_tos", "host_unreachable_for_tos", "packet_filtered", "precedence_violation", "precedence_cutoff"}

func (p *parser) icmp(k *Packet) {
	t := p.word("a type of ICMP message")
	m := &ICMP{}
	switch t.text {
	case "unreachable":
		m.Type = 3
	case "time_exceeded":
		m.Type = 11
	case "parameter_problem":
		m.Type = 12
	default:
		p.unsupported(t.pos, "ICMP %s", t.text)
	}
	if p.peek().kind == tokWord && !p.peek().isWord("mtu") && !p.peek().isWord("id") {
		p.icmpCode(m)
	}
	if p.acceptWord("mtu") {
		m.MTU = uint16(p.number("mtu", 65535))
	}
	if p.acceptWord("id") {
		p.number("id", 65535)
	}
	if p.accept("[") {
		if w := p.peek(); w.kind == tokWord {
			p.unsupported(w.pos, "ICMP about %s", w.text)
		}
		p.sequence(k)
		p.expect("]", "the quoted segment")
	}
	k.ICMP = m
}

func (p *parser) icmpCode(m *ICMP) {
	t := p.take()
	for i, name := range icmpCodes {
		if m.Type == 3 && name == p.defined(t.text) {
			m.Code = uint8(i)
			return
		}
	}
	p.unsupported(t.pos, "ICMP code %s (have %s)", t.text, strings.Join(icmpCodes, ", "))
}
