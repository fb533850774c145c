package measure

import (
	"fmt"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel"
)

// Language is that of the words of a ladder. States and the names in segments
// are those of RFC 9293 in every language.
type Language uint8

// The languages.
const (
	English Language = iota
	Chinese
)

// LanguageNamed returns the language with the code en or zh.
func LanguageNamed(code string) (Language, error) {
	switch code {
	case "en":
		return English, nil
	case "zh":
		return Chinese, nil
	}
	return English, fmt.Errorf("no language %q (have en, zh)", code)
}

// phrases are in the order of the languages.
var phrases = map[string][2]string{
	"connection":      {"connection %d, %s to %s", "连接 %d：%s 至 %s"},
	"time":            {"time (s)", "时间 (s)"},
	"connection time": {"connection %d, time in s", "连接 %d，时间单位 s"},
	"lost":            {"lost", "丢失"},
	"lost on":         {"lost on %s", "在 %s 上丢失"},
	"dropped":         {"dropped", "被丢弃"},
	"dropped on":      {"dropped on %s", "在 %s 上被丢弃"},
	"answered by":     {"answered by %s", "由 %s 应答"},
	"made by":         {"sent by %s", "由 %s 发出"},
	"copy":            {"a copy", "重复的副本"},
	"on its way":      {"still on its way", "仍在途中"},
	"more left":       {"%d more events are not kept: choose --from and --until", "另有 %d 个事件未保留：请用 --from 和 --until 选择时段"},
	"omitted":         {"... %d lines like these: %s", "... %d 行类似：%s"},
	"segments":        {"%d %s", "%d %s"},
	"bytes":           {"(%d bytes)", "(%d 字节)"},
	"retransmit":      {"retransmission", "重传"},
	"fast-retransmit": {"fast retransmission", "快速重传"},
	"probe":           {"probe", "探测"},
	"keepalive":       {"keepalive probe", "保活探测"},
	"challenge-ack":   {"challenge ACK", "挑战 ACK"},
	"cookie":          {"SYN cookie", "SYN cookie"},
	"2msl":            {"2 MSL", "2 MSL"},
	"timeout":         {"timeout", "超时"},
	"give-up":         {"gives up", "放弃"},
	"pruned":          {"pruned from the queue", "从队列中剔除"},
	"overflow":        {"queue full", "队列已满"},
	"evicted":         {"gives way to another", "让位于新连接"},
	"crash":           {"the host crashes", "主机崩溃"},
	"user":            {"user call", "用户调用"},
	"reset":           {"reset", "复位"},
	"nothing":         {"nothing happened in this time", "这段时间内没有事件"},
	"rto timer":       {"RTO %s", "RTO %s"},
	"probe timer":     {"probe timer %s", "探测定时器 %s"},
	"keepalive timer": {"keepalive %s", "保活 %s"},
	"2msl timer":      {"2 MSL %s", "2 MSL %s"},
	"pause":           {"%s later", "%s 后"},
}

// Phrase returns a phrase of ladders in the language, with its arguments.
func (g Language) Phrase(name string, args ...any) string {
	text, known := phrases[name]
	if !known {
		panic("measure: no phrase " + name)
	}
	return fmt.Sprintf(text[g], args...)
}

// Remark says of a segment what its numbers do not: why it was sent again, and
// what became of it. It is "" for an ordinary one.
func (p *Passage) Remark(g Language) string {
	var parts []string
	switch p.Cause {
	case tcpmodel.CauseRetransmit, tcpmodel.CauseFastRetransmit, tcpmodel.CauseProbe, tcpmodel.CauseKeepalive,
		tcpmodel.CauseChallengeAck, tcpmodel.CauseCookie, tcpmodel.CauseGiveUp:
		parts = append(parts, g.Phrase(p.Cause.String()))
	}
	if p.By != "" {
		parts = append(parts, g.Phrase("made by", p.By))
	}
	switch {
	case p.Fate == Copy:
		parts = append(parts, g.Phrase("copy"))
	case p.Fate == OnItsWay:
		parts = append(parts, g.Phrase("on its way"))
	case p.Fate == Lost && p.Link == "":
		parts = append(parts, g.Phrase("lost"))
	case p.Fate == Lost:
		parts = append(parts, g.Phrase("lost on", p.Link))
	case p.Fate == Answered:
		parts = append(parts, g.Phrase("answered by", p.Link))
	case p.Fate == Dropped:
		parts = append(parts, g.Phrase("dropped on", p.Link))
	}
	return strings.Join(parts, ", ")
}

// Repeated reports whether the segment was sent again.
func (p *Passage) Repeated() bool {
	return p.Cause == tcpmodel.CauseRetransmit || p.Cause == tcpmodel.CauseFastRetransmit
}

// Label says which timer it was and how long it ran.
func (t *TimerSpan) Label(g Language) string {
	name := [...]string{"rto timer", "probe timer", "keepalive timer", "2msl timer"}[t.Kind]
	return g.Phrase(name, Duration(t.Until-t.From))
}

// Duration writes a length of time with three digits that count, such as
// "10 ms".
func Duration(d des.Time) string {
	for _, u := range []struct {
		size des.Time
		name string
	}{{des.Second, "s"}, {des.Millisecond, "ms"}, {des.Microsecond, "us"}} {
		if d >= u.size {
			v := float64(d) / float64(u.size)
			digits := 3
			if v >= 1000 {
				digits = -1
			}
			text := strconv.FormatFloat(v, 'g', digits, 64)
			if digits < 0 || strings.Contains(text, "e") {
				text = strconv.FormatFloat(v, 'f', 0, 64)
			}
			return text + " " + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + " ns"
}
