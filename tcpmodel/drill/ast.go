package drill

import (
	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Script is a parsed script.
type Script struct {
	// File is the name under which errors report it.
	File string
	// Options are the --name=value lines, in order.
	Options []Setting
	// Init and Cleanup are the shell commands before and after the events,
	// nil if there are none.
	Init, Cleanup *Command
	Events        []*Event
	// sysctls are those of header lines.
	sysctls []setting
	// defines are the --define lines over those that packetdrill's own
	// scripts rely on.
	defines map[string]string
	lines   []string
}

// Setting is an option line.
type Setting struct {
	Name, Value string
	Pos         Pos
}

// setting is a sysctl and its value.
type setting struct {
	name, value string
	pos         Pos
}

// Line returns line n of the source without white space at its ends.
func (s *Script) Line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// TimeKind is how the time of an event is given.
type TimeKind uint8

// The kinds of time.
const (
	// TimeAbsolute counts from the start of the script.
	TimeAbsolute TimeKind = iota
	// TimeRelative counts from the end of the event before.
	TimeRelative
	// TimeRange is TimeAbsolute between two times.
	TimeRange
	// TimeRelativeRange is TimeRelative between two times.
	TimeRelativeRange
	// TimeAny is whenever it comes.
	TimeAny
)

// Event is one line of a script: a time and what happens then, which is exactly
// one of Packet, Call, Command and Code.
type Event struct {
	Pos  Pos
	Kind TimeKind
	// At is when, Until the end of a range.
	At, Until des.Time

	Packet  *Packet
	Call    *Call
	Command *Command
	Code    *Code
}

// Packet is a packet that the script sends to the stack or expects from it.
type Packet struct {
	Pos      Pos
	Outbound bool
	// CheckECN: the ECN field is ECN. AnyECT: it is ECT(0) or ECT(1).
	CheckECN, AnyECT bool
	ECN              segment.ECN
	// SrcPort and DstPort are 0 if the script leaves them to the connection
	// under test.
	SrcPort, DstPort uint16
	Flags            segment.Flags
	Seq, Len, Ack    uint32
	// HasWin: Win is compared.
	HasWin bool
	Win    uint16
	Urg    uint16
	// Options are in wire order. AnyOptions: they are not compared.
	Options    []Option
	AnyOptions bool
	// ICMP is set for an ICMP message, whose quoted segment is Seq and Len.
	ICMP *ICMP
}

// ICMP is the message of a Packet.
type ICMP struct {
	Type, Code uint8
	MTU        uint16
}

// OptionKind is the kind of a TCP option, its number on the wire.
type OptionKind uint8

// The kinds of TCP option that the language knows.
const (
	OptionEOL      OptionKind = 0
	OptionNOP      OptionKind = 1
	OptionMSS      OptionKind = 2
	OptionWScale   OptionKind = 3
	OptionSACKOK   OptionKind = 4
	OptionSACK     OptionKind = 5
	OptionTS       OptionKind = 8
	OptionMD5      OptionKind = 19
	OptionFastOpen OptionKind = 34
	OptionAccECN   OptionKind = 172
	OptionFOExp    OptionKind = 254
)

// Option is one TCP option. Val is the MSS, the shift or TS val, Ecr is TS ecr.
type Option struct {
	Kind     OptionKind
	Pos      Pos
	Val, Ecr uint32
	Blocks   []segment.Block
	// Data is the cookie of Fast Open, the digest of MD5, the fields of
	// AccECN, as written.
	Data string
}

// Call is a system call with its expected result.
type Call struct {
	Pos  Pos
	Name string
	Args []*Expr
	// Blocks: the call returns at End rather than at once. End is relative
	// or absolute as the event's time.
	Blocks bool
	End    des.Time
	Result *Expr
	// Errno is the expected error, "" for none.
	Errno string
}

// Command is a shell command.
type Command struct {
	Pos  Pos
	Text string
}

// Code is a check in Python.
type Code struct {
	Pos  Pos
	Text string
}

// ExprKind is the form of an Expr.
type ExprKind uint8

// The forms of an argument or result.
const (
	// ExprAny is "...".
	ExprAny ExprKind = iota
	// ExprInt is a number, in Int.
	ExprInt
	// ExprWord is a name such as SOCK_STREAM, in Text.
	ExprWord
	// ExprString is a string, in Text.
	ExprString
	// ExprOr is List[0]|List[1].
	ExprOr
	// ExprList is [a, b]. ExprStruct is {a, b}.
	ExprList
	ExprStruct
	// ExprAssign is Text=List[0], or Text(List[1:])=List[0].
	ExprAssign
	// ExprCall is Text(List...), such as htons(80).
	ExprCall
)

// Expr is an argument or a result of a call.
type Expr struct {
	Kind ExprKind
	Pos  Pos
	Int  int64
	Text string
	List []*Expr
}
