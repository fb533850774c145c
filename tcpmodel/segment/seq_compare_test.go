package segment_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"testing"

	"golang.org/x/tools/go/packages"

	"tcplab/tcpmodel/segment"
)

var seqPackage = reflect.TypeFor[segment.Seq]().PkgPath()

func isSeq(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Seq" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == seqPackage
}

// seqComparisons returns where <, >, <=, >=, min or max is applied to a Seq:
// always a bug, as a Seq lies on a circle.
func seqComparisons(file *ast.File, info *types.Info) (found []token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		var operands []ast.Expr
		switch n := n.(type) {
		case *ast.BinaryExpr:
			switch n.Op {
			case token.LSS, token.GTR, token.LEQ, token.GEQ:
				operands = []ast.Expr{n.X, n.Y}
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "min" || name.Name == "max") {
				operands = n.Args
			}
		}
		for _, e := range operands {
			if t := info.TypeOf(e); t != nil && isSeq(t) {
				found = append(found, n.Pos())
				break
			}
		}
		return true
	})
	return found
}

func TestNoSeqIsCompared(t *testing.T) {
	config := &packages.Config{
		Mode:  packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedExportFile,
		Tests: true,
	}
	loaded, err := packages.Load(config, "../...")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			t.Errorf("%s does not compile, so that not all of it was looked at: %v", p.PkgPath, p.Errors[0])
		}
		for _, file := range p.Syntax {
			files++
			for _, pos := range seqComparisons(file, p.TypesInfo) {
				t.Errorf("%v: a Seq is compared with an operator (use Less, LessEq, Sub or InWindow)", p.Fset.Position(pos))
			}
		}
	}
	if files == 0 {
		t.Error("no file was looked at")
	}
}

func TestSeqComparisonsAreFound(t *testing.T) {
	const source = `package segment
type Seq uint32
type Other uint32
func f(a, b Seq, c Other) bool {
	_ = min(a, b)
	_ = a == b
	_ = uint32(a) < uint32(b)
	_ = c < 3
	return a < b || a > 3 || 4 <= b || a-b >= 1
}`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "f.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: importer.Default()}
	if _, err := config.Check(seqPackage, fset, []*ast.File{file}, info); err != nil {
		t.Fatal(err)
	}
	if found := seqComparisons(file, info); len(found) != 5 {
		t.Errorf("%d comparisons found, want 5", len(found))
	}
}
