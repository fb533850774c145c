package main

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var pictures = flag.Bool("pictures", false, "draw the pictures of the documents again")

// What a document shows is so: its links lead somewhere, its commands run in the
// order of the text, with the files that it shows, and print what it says that
// they print; its scenarios run and its Go is that of a file which is compiled.
// The marks behind the language of a fence say what is what:
//
//	```yaml my.yaml        a scenario, and the name under which commands find it
//	```yaml >> my.yaml     lines that are added to it
//	```yaml                a scenario, or some of its keys
//	```sh                  commands
//	```text output         what the command before it prints; ... stands for any lines
//	```go des/my_test.go   a part of that file
//	```yaml a.svg from NAME --set x=1
//	                       keys that replace those of scenario NAME, which then draws a.svg
//
// A comment <!-- picture: b.svg is results/my/figures/my.svg --> says where the
// commands have left a picture of the page. With -pictures they are drawn again.
//
// Commands are those of tcplab and go; other lines are somebody else's.
func TestDocuments(t *testing.T) {
	top := module(t)
	documents := findDocuments(t, top)
	c := newChecker(t, top)
	for _, path := range documents {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(filepath.Join(top, path))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range c.check(parseDocument(path, source), t.TempDir()) {
				t.Errorf("%s:%s", path, p)
			}
		})
	}
}

func module(t testing.TB) string {
	t.Helper()
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func findDocuments(t *testing.T, top string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != top && (strings.HasPrefix(name, ".") || name == "results") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			rel, err := filepath.Rel(top, path)
			found = append(found, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"README.md", "scenarios/README.md"} {
		if !slices.Contains(found, must) {
			t.Fatalf("no %s among %v", must, found)
		}
	}
	return found
}

// Each fault of this page is found, at its line, and nothing else.
func TestDocumentChecker(t *testing.T) {
	const page = "# A page\n" + // line 1
		"[there](README.md) [gone](nowhere.md) [part](#a-page) [no part](#nothing)\n" +
		"[of another](scenarios/README.md#under-attack) [not of it](scenarios/README.md#nothing)\n" +
		"`tcplab run handshake`, then `--set delay=2ms` or `--set colour=red`\n" + // 4
		"`tcplab run hand-shake` `tcplab run NAME --seed N` `tcplab run NAME --sed N` `tcplab fly NAME`\n" +
		"`--replications` `--replicas` `tcp_syncookies` `tcp_cookies` `des/sim.go` `des/simulation.go` `syn-flood` `two-way` `syn-food`\n" +
		"\n" +
		"```yaml a.yaml\nversion: 1\nname: a\nduration: 1s\nhosts: {a: {}, b: {}}\nlinks: [{ends: [a, b], delay: 1ms}]\n```\n" + // 9
		"```sh\ntcplab check a.yaml\ntcplab check b.yaml\necho of no concern\n```\n" + // 16
		"```text output\nanything\n```\n" + // 21
		"```sh\ntcplab run lost-syn --out \\\n  results/there # and a comment\n```\n" + // 24
		"```text output\nlost-syn: A lost SYN costs the initial timeout\n...\n```\n" +
		"```yaml\nversion: 1\nname: b\nduration: 1\n```\n" + // 32
		"```yaml\nhosts: {a: {profile: linux}}\nsweep: {grid: {x: [1, 2]}}\n```\n" + // 37
		"```yaml\nhost: {}\n```\n" + // 41
		"```go des/example_test.go\nsim := des.New(1, 0)\n```\n" +
		"```go des/example_test.go\nsim := des.New(2, 0)\n```\n" + // 47
		"`go doc ./des` `go doc ./ned` `go test -run=NONE -bench=Nothing ./des`\n" // 49
	top := module(t)
	got := newChecker(t, top).check(parseDocument("page.md", []byte(page)), t.TempDir())
	want := []string{
		"2: nowhere.md", "2: #nothing", "3: scenarios/README.md#nothing",
		"4: tcplab run handshake --set colour=red",
		"5: tcplab run hand-shake", "5: tcplab run NAME --sed N", "5: tcplab fly NAME",
		"6: --replicas", "6: tcp_cookies", "6: des/simulation.go", "6: syn-food",
		"17: tcplab check b.yaml", "21: anything",
		"32: ", "41: ", "47: ", "49: go doc ./ned", "49: go test",
	}
	for _, prefix := range want {
		if !slices.ContainsFunc(got, func(p string) bool { return strings.HasPrefix(p, prefix) }) {
			t.Errorf("not found: %s", prefix)
		}
	}
	for _, p := range got {
		if !slices.ContainsFunc(want, func(prefix string) bool { return strings.HasPrefix(p, prefix) }) {
			t.Errorf("found what is none: %s", p)
		}
	}
}
