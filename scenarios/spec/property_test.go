package spec

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const propertyFile = `version: 1
name: test
title: $text
params:
  text: {default: none}
duration: 60s
hosts: {client: {}, server: {}}
links:
  - {ends: [client, server]}
figures:
  - {kind: lines, title: $text, x_label: before $text after}
`

// TestAnyText sets a parameter to any text, which arrives as it is and survives
// Resolved.
func TestAnyText(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`[ -~]{1,20}`),
			rapid.StringMatching(`([$#:'"{}\[\],&*!|>%@\\ \n\t-]|null|~|[a-zé€]){1,12}`),
		).Filter(func(s string) bool { return strings.TrimSpace(s) != "" }).Draw(t, "text")
		s, err := Load("x.yaml", []byte(propertyFile), map[string]string{"text": text}, testRegistry())
		if err != nil {
			t.Fatal(err)
		}
		f := s.Figures[0]
		if s.Title != text || f.Title != text || f.XLabel != "before "+text+" after" || s.Params[0].Value != text {
			t.Fatalf("%q arrives as %q, %q, %q", text, s.Title, f.Title, f.XLabel)
		}
		resolvedTwice(outer, s)
	})
}

// TestExpansion bounds what a small file can grow to.
func TestExpansion(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nname: test\ntitle: $p19\nduration: $p19\nhosts: {a: {}}\nparams:\n  p0: {default: " + strings.Repeat("x ", 1000) + "}\n")
	for i := range 20 {
		name := string(rune('a' + i))
		last := "p0"
		if i > 0 {
			last = string(rune('a' + i - 1))
		}
		b.WriteString("  " + name + ": {default: $" + last + " $" + last + "}\n")
	}
	_, err := Load("x.yaml", []byte(b.String()), nil, testRegistry())
	if err == nil || !strings.Contains(err.Error(), "parameters stand for more than 64KiB here (shorten their values)") {
		t.Errorf("got %v", err)
	}
}

// TestLarge loads files at the limit of size: what counts is that it ends.
func TestLarge(t *testing.T) {
	fill := func(head, line string) string {
		return head + strings.Repeat(line, (MaxBytes-len(head))/len(line))
	}
	for name, text := range map[string]string{
		"lists":     fill("", "["),
		"mappings":  fill("", "{"),
		"keys":      fill("", "a: 1\n"),
		"documents": fill("", "--- a\n"),
		"quote":     fill("\"", "x\n"),
		"ends":      fill("version: 1\nhosts: {}\nlinks:\n", "  - {ends: [a, b]}\n"),
	} {
		if _, err := Load("x.yaml", []byte(text), nil, testRegistry()); err == nil || len(err.Error()) > 100000 {
			t.Errorf("%s: no error, or a very long one", name)
		}
	}
}
