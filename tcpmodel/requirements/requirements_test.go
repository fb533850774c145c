package requirements

import (
	"encoding/csv"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rfcTable is the list of RFC 9293, from the tcplab validation set.
func rfcTable(t *testing.T) map[string]Requirement {
	t.Helper()
	rows := readCSV(t, "testdata/rfc9293_requirements.csv")
	table := map[string]Requirement{}
	for _, row := range rows[1:] {
		area, _, _ := strings.Cut(row[4], ",")
		table[row[0]] = Requirement{ID: row[0], Level: row[1], Section: row[3], Area: area, Summary: row[6]}
	}
	return table
}

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader := csv.NewReader(f)
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rows
}

// Every requirement of the RFC is listed once, as the RFC has it, and none that
// it does not have.
func TestComplete(t *testing.T) {
	table := rfcTable(t)
	if len(table) != 119 {
		t.Fatalf("%d requirements in the RFC's table, want 119", len(table))
	}
	for _, r := range List() {
		want, ok := table[r.ID]
		delete(table, r.ID)
		got := r
		got.Status, got.Tests, got.Why = 0, nil, ""
		switch {
		case !ok:
			t.Errorf("%s is not in the RFC, or listed twice", r.ID)
		case got.Level != want.Level || got.Section != want.Section || got.Area != want.Area || got.Summary != want.Summary:
			t.Errorf("%+v, the RFC's table has %+v", got, want)
		}
	}
	for id := range table {
		t.Errorf("%s is missing", id)
	}
}

// What a row has to have depends on its status.
func TestNoRowIsEmpty(t *testing.T) {
	for _, r := range List() {
		tests, why := len(r.Tests) > 0, r.Why != ""
		switch {
		case r.Status == Shown && !tests:
			t.Errorf("%s is shown by no test", r.ID)
		case r.Status == Partly && !(tests && why):
			t.Errorf("%s is shown in part by %v: %q", r.ID, r.Tests, r.Why)
		case r.Status == Deviates && !(tests && why):
			t.Errorf("%s is deviated from, as %v shows: %q", r.ID, r.Tests, r.Why)
		case r.Status == OutOfScope && (tests || !why):
			t.Errorf("%s is out of scope: %q, tests %v", r.ID, r.Why, r.Tests)
		}
	}
}

// folder is what the test files of a folder hold.
type folder struct {
	functions []string
	// words are the strings in its test files and the cells of its tables:
	// the names of its subtests are among them.
	words map[string]bool
}

func readFolder(t *testing.T, name string) *folder {
	t.Helper()
	f := &folder{words: map[string]bool{}}
	files, _ := filepath.Glob(filepath.Join("../..", name, "*_test.go"))
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				f.functions = append(f.functions, fn.Name.Name)
			}
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				word, _ := strconv.Unquote(lit.Value)
				f.words[word] = true
			}
			return true
		})
	}
	tables, _ := filepath.Glob(filepath.Join("../..", name, "testdata", "*.csv"))
	for _, file := range tables {
		for _, row := range readCSV(t, file) {
			f.words[row[0]] = true
		}
	}
	return f
}

// Every test that is named exists: its function, and the name of the subtest
// as a string of the package's tests or a row of its tables.
func TestNamedTestsExist(t *testing.T) {
	folders := map[string]*folder{}
	for _, r := range List() {
		for _, test := range r.Tests {
			f := folders[test.Package]
			if f == nil {
				f = readFolder(t, test.Package)
				folders[test.Package] = f
			}
			parts := strings.Split(test.Name, "/")
			if !strings.HasPrefix(parts[0], "Test") || !slices.Contains(f.functions, parts[0]) {
				t.Errorf("%s: there is no %v", r.ID, test)
			}
			for _, part := range parts[1:] {
				if !f.words[part] {
					t.Errorf("%s: %v has no %q", r.ID, test, part)
				}
			}
		}
	}
	if len(folders) < 4 {
		t.Errorf("tests of %d packages", len(folders))
	}
}

// The check of the names finds what is not there.
func TestMissingTestsAreFound(t *testing.T) {
	f := readFolder(t, "tcpmodel")
	if slices.Contains(f.functions, "TestNothing") || f.words["no such subtest of any test"] {
		t.Error("what is not there is found")
	}
	if !slices.Contains(f.functions, "TestNagle") || !f.words["T-ISN"] {
		t.Error("what is there is not found")
	}
}
