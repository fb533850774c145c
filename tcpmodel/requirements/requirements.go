// Package requirements is the conformance matrix of the TCP in tcpmodel: the
// numbered requirements of RFC 9293, and for each the tests that show it, or
// why it is deviated from or out of scope.
//
// It is data, requirements.csv. A test holds it against the RFC's list and
// against the tests of the module, so that no requirement is forgotten and no
// test that it names is gone.
package requirements

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
)

//go:embed requirements.csv
var table string

// Status is how a requirement stands.
type Status uint8

// The states of a requirement.
const (
	// Shown: tests show it in every profile.
	Shown Status = iota
	// Partly: tests show a part of it; Why says what is missing.
	Partly
	// Deviates: the default profile does otherwise, as Linux; Why says how and
	// what to set.
	Deviates
	// OutOfScope: it concerns what is not modelled, which Why names.
	OutOfScope
	// NumStatuses is how many there are.
	NumStatuses
)

var statusNames = [NumStatuses]string{"shown", "partly", "deviates", "out of scope"}

// String returns the word for the status, such as "out of scope".
func (s Status) String() string { return statusNames[s] }

// Test is a test that shows a requirement.
type Test struct {
	// Package is the folder of its package within the module.
	Package string
	// Name is the function and, after a slash each, the subtest.
	Name string
}

// String returns the test as in "tcpmodel.TestNagle".
func (t Test) String() string { return t.Package + "." + t.Name }

// Requirement is a numbered requirement of RFC 9293 and how it stands.
type Requirement struct {
	// ID is its number, such as "MUST-1", Level its word: MUST, SHOULD, MAY or
	// RECOMMENDED.
	ID, Level string
	// Section is where RFC 9293 has it, Area what it is about, in a word.
	Section, Area string
	// Summary is the requirement in a sentence.
	Summary string
	Status  Status
	// Tests are the tests that show it.
	Tests []Test
	// Why says what the status leaves open; it may be empty if it is Shown.
	Why string
}

// List returns all requirements in the order of their numbers, MUST first.
func List() []Requirement {
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("requirements: %v", err))
	}
	list := make([]Requirement, 0, len(rows)-1)
	for _, row := range rows[1:] {
		list = append(list, Requirement{ID: row[0], Level: row[1], Section: row[2], Area: row[3], Summary: row[4],
			Status: parseStatus(row[5]), Tests: parseTests(row[6]), Why: row[7]})
	}
	return list
}

func parseStatus(word string) Status {
	for i, name := range statusNames {
		if name == word {
			return Status(i)
		}
	}
	panic(fmt.Sprintf("requirements: no status %q", word))
}

// parseTests reads "tcpmodel.TestA; tcpmodel/segment.TestB/sub".
func parseTests(cell string) (tests []Test) {
	for text := range strings.SplitSeq(cell, ";") {
		if text = strings.TrimSpace(text); text != "" {
			folder, name, _ := strings.Cut(text, ".")
			tests = append(tests, Test{Package: folder, Name: name})
		}
	}
	return tests
}
