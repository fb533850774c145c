package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const goRun = "go run ./cmd/tcplab"

// tooLong are commands that the check of documents does not run as they are,
// since others tests run what they would.
var tooLong = map[string]string{
	"tcplab check":  "", // TestLibraryMeetsItsExpectations
	"go test ./...": "", // what runs this test
}

func isCommand(text string) bool {
	return slices.ContainsFunc([]string{"tcplab", goRun, "go test", "go doc", "go install", "go generate", "go build"}, func(prefix string) bool {
		return text == prefix || strings.HasPrefix(text, prefix+" ")
	})
}

// command runs a command, or as much of it as does not take long. One within a
// paragraph is run for whether it can be run.
func (v *visit) command(line int, text string, span bool) {
	full := text
	if rest, ok := strings.CutPrefix(text, goRun); ok {
		text = "tcplab" + rest
	}
	bare, _, _ := strings.Cut(text, " #")
	bare = strings.TrimSpace(bare)
	if instead, long := tooLong[bare]; long {
		if bare = instead; bare == "" {
			return
		}
		text = bare
	}
	var out string
	var err error
	switch {
	case strings.HasPrefix(text, "go "):
		out, err = v.goCommand(bare)
	case span && bare == "tcplab":
	case placeholder.MatchString(bare) || v.matchesNothing(bare):
		err = knownForm(bare)
	case span:
		out, err = v.spanCommand(bare)
	default:
		v.output, err = v.shell(text, v.dir)
		out = v.output
	}
	if err != nil {
		v.wrong(line, full, fmt.Errorf("%w\n%s", err, out))
	}
}

// matchesNothing reports whether a command names files with a * that are not
// there, such as results that other machines have left.
func (v *visit) matchesNothing(text string) bool {
	for word := range strings.FieldsSeq(text) {
		if found, err := filepath.Glob(filepath.Join(v.dir, word)); strings.Contains(word, "*") && err == nil && len(found) == 0 {
			return true
		}
	}
	return false
}

// spanCommand runs a command of the library once for all documents, and sweeps
// for their size alone.
func (v *visit) spanCommand(text string) (string, error) {
	words := strings.Fields(text)
	if len(words) == 2 && slices.Contains([]string{"run", "sweep", "ladder", "merge", "plot", "show", "params", "analyze", "drill", "report"}, words[1]) {
		return "", knownForm(text) // the name of the command
	}
	switch words[1] {
	case "run":
		// What it would print and draw is looked at by nobody here.
		if flags := strings.ReplaceAll(text, " --set ", " "); !strings.Contains(flags, " --") {
			text = "tcplab check" + strings.TrimPrefix(text, "tcplab run") + " || test $? = 1"
		}
	case "sweep":
		if !slices.Contains(words, "--status") {
			text += " --dry-run"
		}
	}
	if len(words) < 3 || !isLibrary(words[2]) {
		return v.shell(text, v.dir)
	}
	v.mu.Lock()
	once := v.seen[text]
	if once == nil {
		dir := v.dir
		once = sync.OnceValues(func() (string, error) { return v.shell(text, dir) })
		v.seen[text] = once
	}
	v.mu.Unlock()
	return once()
}

func isLibrary(name string) bool {
	return slices.ContainsFunc(scenarioNames(), func(n string) bool { return strings.HasPrefix(n, name+"\t") })
}

// knownForm looks at a command that shows a form, such as tcplab run NAME --out
// DIR: the command and the flags must be there.
func knownForm(text string) error {
	words := strings.Fields(text)
	cmd, _, err := new(app).root().Find(words[1:])
	if err != nil {
		return err
	}
	if !cmd.HasParent() {
		return fmt.Errorf("no such command")
	}
	for _, word := range words {
		if word = strings.Trim(word, "[]."); strings.HasPrefix(word, "--") && cmd.Flags().Lookup(flagName(word)) == nil {
			return fmt.Errorf("%s has no flag %s", cmd.Name(), word)
		}
	}
	return nil
}

// flagName is the name in --name, --name=value or --name[=value].
func flagName(word string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
	return strings.TrimRight(name, "[")
}

// allFlags are the long flags of all commands.
func allFlags() map[string]bool {
	flags := map[string]bool{"help": true}
	var add func(*cobra.Command)
	add = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
		for _, c := range cmd.Commands() {
			add(c)
		}
	}
	add(new(app).root())
	return flags
}

var testPattern = regexp.MustCompile(`-(run|bench)[= ](\S+)`)

// goCommand runs go doc; of tests and benchmarks it looks whether they are
// there, of what builds whether the packages are there.
func (v *visit) goCommand(text string) (string, error) {
	words := strings.Fields(text)
	if words[1] == "doc" {
		return v.goTool(words[1:]...)
	}
	pattern, args := "", []string{}
	for _, m := range testPattern.FindAllStringSubmatch(text, -1) {
		if m[2] != "NONE" {
			pattern = strings.Trim(m[2], `'"`)
		}
	}
	for _, word := range words[2:] {
		if strings.HasPrefix(word, "./") {
			args = append(args, word)
		}
	}
	if pattern == "" {
		return v.goTool(append([]string{"list"}, args...)...)
	}
	re, err := regexp.Compile(`(?m)^func (Test|Benchmark|Example|Fuzz)?\w*` + pattern)
	if err != nil {
		return "", err
	}
	for _, dir := range args {
		files, err := filepath.Glob(filepath.Join(v.top, dir, "*_test.go"))
		for _, name := range files {
			if source, err := os.ReadFile(name); err == nil && re.Match(source) {
				return "", nil
			}
		}
		if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("nothing of that name")
}

func (v *visit) goTool(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = v.top
	out, err := cmd.CombinedOutput()
	return string(out), err
}
