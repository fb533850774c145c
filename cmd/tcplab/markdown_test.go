package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A document is what the checker looks at in a Markdown file.
type document struct {
	path   string // from the top of the module, with slashes
	source []byte
	codes  []code // in the order of the text
	links  []link
	// anchors are the names under which a code host offers the headings.
	anchors map[string]bool
}

// A code is a block, fenced or indented, or a span within a paragraph or a cell
// of a table, which is its home. Of a fence "```yaml my.yaml", lang is yaml and
// label my.yaml.
type code struct {
	line        int // of the first line of its text
	text        string
	block       bool
	lang, label string
	home        ast.Node
}

type link struct {
	line   int
	target string
	image  bool
}

func parseDocument(path string, source []byte) *document {
	d := &document{path: path, source: source, anchors: map[string]bool{}}
	md := goldmark.New(goldmark.WithExtensions(extension.Table))
	root := md.Parser().Parse(text.NewReader(source))
	line := 1 // of nodes without a place of their own: that of the text before
	// The walker returns no error, and neither does Walk.
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			line = d.lineAt(n.Lines().At(0).Start)
		}
		switch n := n.(type) {
		case *ast.Text:
			line = d.lineAt(n.Segment.Start)
		case *ast.Heading:
			d.addAnchor(plain(n, source))
		case *ast.FencedCodeBlock:
			info := ""
			if n.Info != nil {
				info = string(n.Info.Value(source))
			}
			lang, label, _ := strings.Cut(info, " ")
			d.codes = append(d.codes, code{line: line, text: content(n, source), block: true, lang: lang, label: strings.TrimSpace(label)})
		case *ast.CodeBlock:
			d.codes = append(d.codes, code{line: line, text: content(n, source), block: true})
		case *ast.CodeSpan:
			if t, ok := n.FirstChild().(*ast.Text); ok {
				line = d.lineAt(t.Segment.Start)
			}
			d.codes = append(d.codes, code{line: line, text: strings.Join(strings.Fields(plain(n, source)), " "), home: home(n)})
		case *ast.Link:
			d.links = append(d.links, link{line: line, target: string(n.Destination)})
		case *ast.Image:
			d.links = append(d.links, link{line, string(n.Destination), true})
		}
		return ast.WalkContinue, nil
	})
	return d
}

func (d *document) lineAt(offset int) int { return 1 + bytes.Count(d.source[:offset], []byte("\n")) }

// addAnchor adds the anchor of a heading: small letters, blanks as hyphens, no
// punctuation; of equal ones the second with -1 behind it.
func (d *document) addAnchor(heading string) {
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	name := anchor
	for n := 1; d.anchors[name]; n++ {
		name = fmt.Sprintf("%s-%d", anchor, n)
	}
	d.anchors[name] = true
}

// plain is the text of a node without markup.
func plain(n ast.Node, source []byte) string {
	if t, ok := n.(*ast.Text); ok {
		out := string(t.Segment.Value(source))
		if t.SoftLineBreak() {
			out += " "
		}
		return out
	}
	var out strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		out.WriteString(plain(c, source))
	}
	return out.String()
}

// content is the text of a block of code.
func content(n ast.Node, source []byte) string { return string(n.Lines().Value(source)) }

// home is the innermost block around n.
func home(n ast.Node) ast.Node {
	for n.Type() == ast.TypeInline {
		n = n.Parent()
	}
	return n
}
