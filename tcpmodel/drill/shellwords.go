package drill

import (
	"fmt"
	"strings"
)

// splitCommands cuts shell text into commands of words. Redirections are left
// out; pipes are kept as a word "|".
func splitCommands(text string) ([][]string, error) {
	w := wordSplitter{text: strings.NewReplacer("\\\r\n", " ", "\\\n", " ").Replace(text)}
	for w.pos < len(w.text) {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	w.endCommand()
	return w.all, nil
}

// wordSplitter is how far splitCommands is.
type wordSplitter struct {
	text  string
	pos   int
	all   [][]string
	words []string
	word  strings.Builder
	// inWord: a word, which may be empty, has begun. skip: the next word is
	// the file of a redirection.
	inWord, skip bool
}

// step takes what begins at pos.
func (w *wordSplitter) step() error {
	rest := w.text[w.pos:]
	c := rest[0]
	switch {
	case c == '\'' || c == '"':
		n := strings.IndexByte(rest[1:], c)
		if n < 0 {
			return fmt.Errorf("no closing %c in the command", c)
		}
		w.take(rest[1:1+n], n+2)
	case strings.HasPrefix(rest, "$(("):
		n := strings.Index(rest, "))")
		if n < 0 {
			return fmt.Errorf("no )) after $((")
		}
		w.take(rest[:n+2], n+2)
	case c == '#' && !w.inWord:
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		w.pos += n
	case c == ' ' || c == '\t' || c == '\r':
		w.endWord()
		w.pos++
	case c == '\n' || c == ';':
		w.endCommand()
		w.pos++
	case strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"):
		w.endCommand()
		w.pos += 2
	case c == '|':
		w.endWord()
		w.words = append(w.words, "|")
		w.pos++
	case c == '>' || c == '&':
		w.redirection(rest)
	default:
		w.take(rest[:1], 1)
	}
	return nil
}

// take adds s to the word and goes on after n bytes.
func (w *wordSplitter) take(s string, n int) {
	w.word.WriteString(s)
	w.inWord = true
	w.pos += n
}

// redirection leaves out 2>&1, &>FILE and > FILE.
func (w *wordSplitter) redirection(rest string) {
	if w.inWord && allDigits(w.word.String()) {
		w.word.Reset()
		w.inWord = false
	}
	w.endWord()
	w.pos++
	if rest[0] == '>' {
		w.skip = true
		if len(rest) > 1 && (rest[1] == '&' || rest[1] == '>') {
			w.pos++
		}
	}
}

func (w *wordSplitter) endWord() {
	if w.inWord {
		if !w.skip {
			w.words = append(w.words, w.word.String())
		}
		w.skip = false
	}
	w.word.Reset()
	w.inWord = false
}

func (w *wordSplitter) endCommand() {
	w.endWord()
	if len(w.words) > 0 {
		w.all = append(w.all, w.words)
	}
	w.words, w.skip = nil, false
}
