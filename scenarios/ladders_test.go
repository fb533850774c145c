package scenarios

import (
	"strings"
	"testing"

	"golang.org/x/text/width"

	"tcplab/scenarios/measure"
)

// laddersFit checks that the ladders of the traced connections of a run fit a
// terminal of 80 columns in all languages, folded and with every line.
func laddersFit(t *testing.T, out *Outcome) {
	t.Helper()
	for i := range out.Connections.Traces {
		trace := &out.Connections.Traces[i]
		l := measure.NewLadder(trace)
		for _, language := range []measure.Language{measure.English, measure.Chinese} {
			for _, all := range []bool{false, true} {
				var text strings.Builder
				if err := l.WriteText(&text, measure.LadderOptions{Language: language, Addresses: out.Addresses, All: all}); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(text.String()) {
					line = strings.TrimSuffix(line, "\n")
					if n := terminalColumns(line); n > 80 {
						t.Errorf("connection %d, language %v: %d columns: %s", trace.Number, language, n, line)
						break
					}
				}
			}
		}
	}
}

// terminalColumns is how wide a text is on a terminal (Unicode Standard Annex 11).
func terminalColumns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
