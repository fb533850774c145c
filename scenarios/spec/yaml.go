package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits of a scenario file.
const (
	// MaxBytes is the size of the largest file that is read.
	MaxBytes = 1 << 20
	maxDepth = 32
	// maxSearched is the size up to which a syntax error is traced to its
	// column, which means to read the file twenty times.
	maxSearched = 128 << 10
)

// parseYAML reads one document. Anchors, aliases and tags are refused: they make
// a file hard to read, and an alias can stand for more than memory holds.
func parseYAML(data []byte, report func(Pos, string)) *node {
	if pos, what := notText(data); what != "" {
		report(pos, what)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		report(Pos{1, 1}, "the file is empty (a scenario begins with the line version: 1)")
		return nil
	} else if err != nil {
		report(syntaxError(data, err))
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		pos := Pos{second.Line, second.Column}
		report(pos, "a second document begins here (a file is one scenario: remove the --- before it, or make it a file of its own)")
		return nil
	} else if !errors.Is(err, io.EOF) {
		report(syntaxError(data, err))
		return nil
	}
	c := converter{report: report, told: map[string]bool{}}
	root := c.node(document.Content[0], 0)
	if c.broken {
		return nil
	}
	return root
}

// decodeErr is the error that a start of a file gives.
func decodeErr(data []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for range 2 {
		var y yaml.Node
		if err := decoder.Decode(&y); err != nil {
			return err
		}
	}
	return nil
}

// notText finds the first byte that no text file holds.
func notText(data []byte) (Pos, string) {
	line, col := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return Pos{line, col}, fmt.Sprintf("the byte %#02x is not UTF-8 text (is this a scenario file? it is YAML, saved as UTF-8)", data[i])
		case r < ' ' && r != '\n' && r != '\t' && r != '\r', r == 0x7f:
			return Pos{line, col}, fmt.Sprintf("the byte %#02x is not text (is this a scenario file? it is YAML, saved as UTF-8)", data[i])
		case r == '\n':
			line, col = line+1, 0
		}
		col++
		i += size
	}
	return Pos{}, ""
}

// converter makes nodes of what the library read. broken is set by what no
// scenario has: then the rest is not worth checking.
type converter struct {
	report func(Pos, string)
	told   map[string]bool
	broken bool
}

func (c *converter) refuse(pos Pos, subject, format string, args ...any) {
	c.broken = true
	if !c.told[subject] {
		c.told[subject] = true
		c.report(pos, fmt.Sprintf(format, args...))
	}
}

func (c *converter) node(y *yaml.Node, depth int) *node {
	n := &node{Pos: Pos{y.Line, y.Column}, value: y.Value}
	n.flow = y.Style&yaml.FlowStyle != 0
	if depth > maxDepth {
		c.refuse(n.Pos, "depth", "more than %d levels of lists and mappings (a scenario has about five)", maxDepth)
		return n
	}
	if y.Kind == yaml.AliasNode {
		c.refuse(n.Pos, "*"+y.Value, "the alias *%s is not allowed (write the value here, or make it a parameter: $%s)", y.Value, y.Value)
		return n
	}
	if y.Anchor != "" {
		c.refuse(n.Pos, "&"+y.Anchor, "the anchor &%s is not allowed (what several places share is a parameter: $%s)", y.Anchor, y.Anchor)
	}
	if y.Style&yaml.TaggedStyle != 0 {
		c.refuse(n.Pos, y.Tag, "the tag %s is not allowed (write the value alone, in quotes if it begins with !)", y.Tag)
	}
	switch y.Kind {
	case yaml.SequenceNode:
		n.kind = sequenceNode
		for _, item := range y.Content {
			n.items = append(n.items, c.node(item, depth+1))
		}
	case yaml.MappingNode:
		n.kind = mappingNode
		c.mapping(n, y, depth)
	default:
		n.null = y.Tag == "!!null"
		n.quoted = y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
		n.block = y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	}
	return n
}

func (c *converter) mapping(n *node, y *yaml.Node, depth int) {
	first := map[string]int{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := c.node(y.Content[i], depth+1), c.node(y.Content[i+1], depth+1)
		if y.Content[i].Kind == yaml.AliasNode {
			continue
		}
		if k.kind != scalarNode || k.null {
			c.report(k.Pos, "a key is one word (write key: value)")
			continue
		}
		if line, ok := first[k.value]; ok {
			c.report(k.Pos, fmt.Sprintf("%s is given twice (first in line %d: remove one)", quote(k.value), line))
			continue
		}
		first[k.value] = k.Line
		n.keys = append(n.keys, k)
		n.items = append(n.items, v)
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

var bang = regexp.MustCompile(`(^|[-:,\[{] )\s*!`)

// plainer says in other words what the YAML library means.
var plainer = []struct{ library, text string }{
	{"mapping values are not allowed in this context", "a second \": \" in one line, or a key deeper than its neighbours (put a text that holds \": \" in quotes; give keys of one mapping the same indentation)"},
	{"did not find expected key", "this does not fit the lines above (give keys of one mapping the same indentation; close every bracket and quote)"},
	{"did not find expected '-' indicator", "this does not fit the list above (begin each item with \"- \" in the same column)"},
	{"did not find expected ',' or '}'", "a comma or } is missing (write {key: value, key: value}, and put a text that holds commas or brackets in quotes)"},
	{"did not find expected ',' or ']'", "a comma or ] is missing (write [a, b], and put a text that holds commas or brackets in quotes)"},
	{"did not find expected node content", "a value is missing here (write one before the comma or bracket)"},
	{"could not find expected ':'", "a key without \": \" (write key: value)"},
	{"found unexpected end of stream", "a quote is opened and never closed"},
	{"found character that cannot start any token", "a value cannot begin with this character (put it in quotes)"},
	{"block sequence entries are not allowed in this context", "a list item does not belong here (begin the list on the next line, each item with \"- \")"},
	{"exceeded max depth", "far too many levels of lists and mappings (a scenario has about five)"},
	{"found unknown escape character", "an unknown escape in a text in double quotes (write \\\\ for a backslash, or use single quotes)"},
	{"did not find expected comment or line break", "a text behind > or | (put a value that begins so in quotes)"},
}

// syntaxError finds where the YAML library stopped. Its message has a line at
// best, and for some errors that of the surrounding value; but the shortest
// start of the file that gives the same error ends at the culprit.
func syntaxError(data []byte, err error) (Pos, string) {
	message := err.Error()
	end := len(data)
	if len(data) <= maxSearched {
		end = sort.Search(len(data), func(n int) bool {
			e := decodeErr(data[:n])
			return e != nil && e.Error() == message
		})
	}
	upTo := data[:end]
	line := 1 + bytes.Count(upTo, []byte("\n"))
	begin := bytes.LastIndexByte(upTo, '\n') + 1
	col := max(1, utf8.RuneCount(data[begin:end]))
	match := yamlLine.FindStringSubmatch(message)
	if match != nil {
		if l, e := strconv.Atoi(match[1]); e == nil && end == len(data) {
			line, col = l, 1
		}
		message = message[len(match[0]):]
	}
	lines := strings.Split(string(data), "\n")
	text := lines[min(line, len(lines))-1]
	if indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]; strings.Contains(indent, "\t") {
		return Pos{line, 1 + strings.Index(indent, "\t")}, "a tab in the indentation (YAML wants blanks: two for each level)"
	}
	if bang.MatchString(text) {
		return Pos{line, 1 + utf8.RuneCountInString(text[:bang.FindStringIndex(text)[1]-1])}, "a value cannot begin with ! (put it in quotes; in an expression write not)"
	}
	for _, p := range plainer {
		if strings.Contains(message, p.library) {
			return Pos{line, col}, p.text
		}
	}
	return Pos{line, col}, "this is not YAML: " + message
}

// writeYAML prints n so that parseYAML reads it back.
func writeYAML(n *node) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(toYAML(n)); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return out.Bytes(), nil
}

func toYAML(n *node) *yaml.Node {
	y := &yaml.Node{Value: n.value}
	if n.flow {
		y.Style = yaml.FlowStyle
	}
	switch n.kind {
	case sequenceNode:
		y.Kind, y.Tag, y.Value = yaml.SequenceNode, "!!seq", ""
	case mappingNode:
		y.Kind, y.Tag, y.Value = yaml.MappingNode, "!!map", ""
	default:
		y.Kind = yaml.ScalarNode
		switch {
		case n.block && plainBlock(n.value):
			y.Style = yaml.LiteralStyle
		case !n.null && isNull(n.value) || strings.ContainsFunc(n.value, func(r rune) bool { return !unicode.IsPrint(r) }):
			y.Style = yaml.DoubleQuotedStyle
		}
	}
	for i, item := range n.items {
		if n.kind == mappingNode {
			y.Content = append(y.Content, toYAML(n.keys[i]))
		}
		y.Content = append(y.Content, toYAML(item))
	}
	return y
}

// plainBlock reports whether a block scalar holds a text as it is: whole lines
// of printable characters, the first without indentation.
func plainBlock(s string) bool {
	if s == "" || s[0] == ' ' || s[0] == '\n' || !strings.HasSuffix(s, "\n") || strings.HasSuffix(s, "\n\n") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

// isNull reports whether a plain scalar would be read as no value.
func isNull(s string) bool {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}
