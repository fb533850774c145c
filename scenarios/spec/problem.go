package spec

import (
	"fmt"
	"sort"
	"strings"
)

// Pos is a place in the scenario file. Lines and columns start at 1 and columns
// count characters. The zero Pos is no place.
type Pos struct{ Line, Col int }

func (p Pos) before(q Pos) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Col < q.Col
}

// Problem is one thing that is wrong with a scenario, or one thing to look at
// if it is among the warnings.
type Problem struct {
	File string
	// Pos is zero for what is not in the file, such as a --set value.
	Pos
	// Text says what is wrong and, in brackets, what would be right.
	Text string
}

// String is "file:line:col: text".
func (p Problem) String() string {
	switch {
	case p.Line == 0 && p.File == "":
		return p.Text
	case p.Line == 0:
		return p.File + ": " + p.Text
	default:
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Text)
	}
}

// Errors is everything that is wrong with a scenario, in the order of the file.
type Errors []Problem

// maxPrinted bounds the lines of Errors.Error: a file that is no scenario at
// all would fill the screen.
const maxPrinted = 40

// Error has one line per problem.
func (e Errors) Error() string {
	var lines []string
	for i, p := range e {
		if i == maxPrinted {
			lines = append(lines, fmt.Sprintf("and %d more", len(e)-i))
			break
		}
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// sorted orders problems by position and drops repetitions.
func sorted(list []Problem) []Problem {
	sort.SliceStable(list, func(i, j int) bool { return list[i].before(list[j].Pos) })
	var out []Problem
	for i, p := range list {
		if i == 0 || p != list[i-1] {
			out = append(out, p)
		}
	}
	return out
}
