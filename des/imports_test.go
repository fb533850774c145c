package des_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowedImports is who may import whom within the module, tests excluded. A
// pattern is of path.Match; a room that is not listed fails the test.
var allowedImports = map[string][]string{
	"des":                   {},
	"tcpmodel/segment":      {},
	"tcpmodel/congestion":   {"des"},
	"tcpmodel/requirements": {},
	"tcpmodel/network":      {"des", "tcpmodel/segment"},
	"tcpmodel":              {"des", "tcpmodel/segment", "tcpmodel/congestion"},
	"tcpmodel/drill":        {"des", "tcpmodel/segment", "tcpmodel/network", "tcpmodel/congestion", "tcpmodel"},
	"tcpmodel/middlebox":    {"des", "tcpmodel/segment", "tcpmodel/network", "tcpmodel"},
	"scenarios/quantity":    {"des"},
	"scenarios/measure":     {"des", "tcpmodel/segment", "tcpmodel/network", "tcpmodel", "scenarios/quantity"},
	"scenarios/workload": {"des", "scenarios/quantity", "scenarios/measure", "tcpmodel/segment", "tcpmodel/network",
		"tcpmodel", "tcpmodel/congestion", "tcpmodel/middlebox"},
	"scenarios/spec": {"des", "scenarios/quantity", "scenarios/workload", "scenarios/measure", "tcpmodel",
		"tcpmodel/network", "tcpmodel/segment", "tcpmodel/congestion"},
	"scenarios/capture":       {"des", "tcpmodel/segment", "scenarios/measure"},
	"scenarios/sweep":         {"des", "scenarios", "scenarios/spec", "scenarios/measure", "scenarios/quantity"},
	"scenarios/sweep/cluster": {"scenarios/sweep"},
	"scenarios":               {"des", "tcpmodel", "tcpmodel/*", "scenarios/*"},
	"plots":                   {"des", "scenarios/measure", "scenarios/quantity", "scenarios/spec", "tcpmodel", "tcpmodel/segment"},
	"plots/report":            {"des", "plots", "scenarios/measure", "scenarios/quantity", "scenarios/spec", "tcpmodel/segment"},
	"cmd/*":                   {"*", "*/*", "*/*/*"},
}

// simulated are the rooms in which time is simulated time alone and every
// random number comes from a named stream.
var simulated = []string{"des", "tcpmodel", "tcpmodel/*", "scenarios/workload"}

type goPackage struct {
	ImportPath, Dir  string
	GoFiles, Imports []string
	Module           struct{ Path string }
}

// room is the path of p within the module, "." at the top.
func (p goPackage) room() string {
	if p.ImportPath == p.Module.Path {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
}

func listPackages(t *testing.T) (packages []goPackage) {
	t.Helper()
	openFolders(t)
	command := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports,Module", "./...")
	command.Dir = ".."
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("output of go list: %v", err)
		}
		packages = append(packages, p)
	}
	if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.room() == "des" }) {
		t.Fatalf("go list names %d packages, not des", len(packages))
	}
	return packages
}

// openFolders reads the module's folders, so that the test cache knows that the
// result depends on them: it does not see what go list reads.
func openFolders(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && len(entry.Name()) > 2 && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func matches(patterns []string, room string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, room)
		return ok && err == nil
	})
}

func allowedFor(room string) ([]string, bool) {
	for of, allowed := range allowedImports {
		if matches([]string{of}, room) {
			return allowed, true
		}
	}
	return nil, false
}

func TestImports(t *testing.T) {
	for _, p := range listPackages(t) {
		allowed, known := allowedFor(p.room())
		if !known {
			t.Errorf("%s is not in the table of allowed imports: add it to allowedImports in des/imports_test.go", p.room())
			continue
		}
		for _, imported := range p.Imports {
			room, internal := strings.CutPrefix(imported, p.Module.Path+"/")
			switch {
			case internal && !matches(allowed, room):
				t.Errorf("%s imports %s; it may import %v", p.room(), room, allowed)
			case !internal && p.room() == "des" && strings.Contains(imported, "."):
				t.Errorf("des imports %s; it may import the standard library alone", imported)
			case imported == "math/rand":
				t.Errorf("%s imports math/rand; random numbers come from des.Sim.Stream (math/rand/v2)", p.room())
			}
		}
	}
}

// TestNoWallClock looks for what reads or waits for the clock of the machine,
// and for the random numbers that have no seed.
func TestNoWallClock(t *testing.T) {
	for _, p := range listPackages(t) {
		if !matches(simulated, p.room()) {
			continue
		}
		for _, name := range p.GoFiles {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, use := range forbidden(file) {
				t.Errorf("%s: %s is not the same in every run: use des.Sim.Now, timers and des.Sim.Stream",
					files.Position(use.Pos()), use.Sel.Name)
			}
		}
	}
}

func forbidden(file *ast.File) (uses []*ast.SelectorExpr) {
	imported := map[string]string{} // by the name in the file
	for _, spec := range file.Imports {
		importPath, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(strings.TrimSuffix(importPath, "/v2"))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = importPath
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				switch imported[x.Name] {
				case "time":
					if slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, s.Sel.Name) {
						uses = append(uses, s)
					}
				case "math/rand/v2":
					if !slices.Contains([]string{"Rand", "Source", "PCG", "ChaCha8", "Zipf", "New", "NewPCG", "NewChaCha8", "NewZipf"}, s.Sel.Name) {
						uses = append(uses, s)
					}
				}
			}
		}
		return true
	})
	return uses
}

// The scan finds what it looks for.
func TestForbidden(t *testing.T) {
	const source = `package p
import ("time"; wall "time"; "math/rand/v2")
var a, b, c = time.Now(), wall.Since, rand.IntN(3)
var d, e = time.Second, rand.New(rand.NewPCG(1, 2))
`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, use := range forbidden(file) {
		got = append(got, use.Sel.Name)
	}
	if want := []string{"Now", "Since", "IntN"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
