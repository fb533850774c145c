package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"tcplab/tcpmodel/requirements"
)

// The matrix names every requirement once, fits a terminal and adds up.
func TestPrintRequirements(t *testing.T) {
	var b bytes.Buffer
	a := &app{out: bufio.NewWriter(&b)}
	a.printRequirements()
	if err := a.out.Flush(); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > terminalWidth {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	var counts [requirements.NumStatuses]int
	for _, r := range requirements.List() {
		counts[r.Status]++
		if n := strings.Count(text, "  "+r.ID+" "); n != 1 {
			t.Errorf("%s is printed %d times", r.ID, n)
		}
	}
	want := "all"
	for _, n := range counts {
		want += fmt.Sprint(" ", n)
	}
	last := strings.Join(strings.Fields(text[strings.LastIndex(text, "\nall"):]), " ")
	if want += " 119"; last != want {
		t.Errorf("the last line is %q, want %q", last, want)
	}
}
