package spec

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	sequenceNode
	mappingNode
)

// node is a value of the file: a scalar, a list or a mapping.
type node struct {
	kind nodeKind
	Pos
	// value is the text of a scalar in which $$ stands for $.
	value string
	// null is true for a scalar without a value.
	null bool
	// bad is true for a value about which there already is a problem, so
	// that nothing else is said of it.
	bad bool
	// quoted and block tell how a scalar is written, flow how the others are.
	quoted, block, flow bool
	// keys and items of a mapping have equal length. A sequence has items
	// alone.
	keys, items []*node
	// origin, if not empty, says where a substituted value came from.
	origin string
	// edits are the substitutions within a scalar.
	edits []edit
}

// edit says that the bytes [from, from+new) of a value replace old bytes of
// the text in the file.
type edit struct{ from, new, old int }

func (n *node) what() string {
	switch {
	case n.kind == mappingNode:
		return "a mapping"
	case n.kind == sequenceNode:
		return fmt.Sprintf("a list of %d", len(n.items))
	case n.null:
		return "nothing"
	default:
		return quote(n.text())
	}
}

// text returns the value of a scalar.
func (n *node) text() string { return strings.ReplaceAll(n.value, "$$", "$") }

// get returns the value of a key of a mapping, nil if there is none.
func (n *node) get(key string) *node {
	if n == nil || n.kind != mappingNode {
		return nil
	}
	for i, k := range n.keys {
		if k.value == key {
			return n.items[i]
		}
	}
	return nil
}

// at returns the place of the byte offset within the text of a scalar. The
// lines of the file are needed since a scalar may be quoted or in a block; where
// the text is not found as it is, the place is the start of the scalar.
func (n *node) at(offset int, lines []string) Pos {
	shift := 0
	for _, e := range n.edits {
		if offset >= e.from+e.new {
			shift += e.old - e.new
		} else if offset > e.from {
			offset = e.from
		}
	}
	offset += shift
	original := n.value
	for i := len(n.edits) - 1; i >= 0; i-- {
		e := n.edits[i]
		original = original[:e.from] + strings.Repeat("\x00", e.old) + original[e.from+e.new:]
	}
	if n.block {
		return n.inBlock(original, offset, lines)
	}
	if n.Line < 1 || n.Line > len(lines) {
		return n.Pos
	}
	line := []rune(lines[n.Line-1])
	col := n.Col
	if n.quoted {
		col++
	}
	if col-1 > len(line) || !matches(string(line[col-1:]), original) {
		return n.Pos
	}
	return Pos{n.Line, col + utf8.RuneCountInString(original[:min(offset, len(original))])}
}

// inBlock finds the place in a block scalar (| or >), of which the file holds
// each line behind an indentation.
func (n *node) inBlock(original string, offset int, lines []string) Pos {
	start := strings.LastIndexAny(original[:min(offset, len(original))], "\n ") + 1
	for i := n.Line; i < len(lines) && i < n.Line+200; i++ {
		if j := strings.Index(lines[i], original); j >= 0 {
			return Pos{i + 1, 1 + utf8.RuneCountInString(lines[i][:j]) + utf8.RuneCountInString(original[:offset])}
		}
		word, _, _ := strings.Cut(original[start:], "\n")
		if j := strings.Index(lines[i], strings.TrimSpace(word)); word != "" && j >= 0 {
			return Pos{i + 1, 1 + utf8.RuneCountInString(lines[i][:j]) + utf8.RuneCountInString(original[start:max(start, min(offset, len(original)))])}
		}
	}
	return n.Pos
}

// matches reports whether text begins with pattern, in which a zero byte stands
// for any byte.
func matches(text, pattern string) bool {
	if len(text) < len(pattern) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != 0 && pattern[i] != text[i] {
			return false
		}
	}
	return true
}
