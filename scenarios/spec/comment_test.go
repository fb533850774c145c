package spec

import (
	"testing"
)

func TestOpeningComment(t *testing.T) {
	const rest = "version: 1\nname: x\nduration: 1s\nhosts: {a: {}}\n# not this\n"
	for _, c := range []struct{ text, want string }{
		{rest, ""},
		{"# yaml-language-server: $schema=tcplab.schema.json\n#\n# Why?\n#\n#   tcplab run x\n#  \n\n# not this\n" + rest, "Why?\n\n  tcplab run x"},
		{"#Close to the mark\r\n# and on\r\n" + rest, "Close to the mark\nand on"},
	} {
		sc, err := Load("x.yaml", []byte(c.text), nil, testRegistry())
		if err != nil {
			t.Fatal(err)
		}
		if got := sc.OpeningComment(); got != c.want {
			t.Errorf("%q has %q, want %q", c.text, got, c.want)
		}
	}
}
