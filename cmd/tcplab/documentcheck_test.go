package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// checker looks for what is wrong in documents.
type checker struct {
	top   string          // of the module
	words string          // the reference of the scenario language
	flags map[string]bool // of all commands
	keys  *jsonschema.Schema

	mu   sync.Mutex
	seen map[string]func() (string, error) // commands that do not depend on where they run
}

func newChecker(t *testing.T, top string) *checker {
	t.Helper()
	c := &checker{top: top, words: string(spec.Reference(scenarios.Registry())), flags: allFlags(), seen: map[string]func() (string, error){}}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(spec.Schema(scenarios.Registry())))
	if err != nil {
		t.Fatal(err)
	}
	delete(doc.(map[string]any), "required")
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	if c.keys, err = compiler.Compile("scenario.json"); err != nil {
		t.Fatal(err)
	}
	return c
}

// visit is the check of one document.
type visit struct {
	*checker
	doc      *document
	dir      string // where its commands run
	problems []string
	output   string // of the last command of a block
}

func (c *checker) check(d *document, dir string) []string {
	v := &visit{checker: c, doc: d, dir: dir}
	// Commands find the files of the module, and leave their results beside them.
	entries, err := os.ReadDir(c.top)
	if err != nil {
		return []string{err.Error()}
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && e.Name() != "results" {
			v.must(os.Symlink(filepath.Join(c.top, e.Name()), filepath.Join(dir, e.Name())))
		}
	}
	for i, code := range d.codes {
		if code.block {
			v.block(code)
		} else {
			v.span(i)
		}
	}
	for _, m := range drawn.FindAllSubmatchIndex(d.source, -1) {
		v.picture(d.lineAt(m[0]), string(d.source[m[2]:m[3]]), filepath.Join(dir, string(d.source[m[4]:m[5]])))
	}
	for _, l := range d.links {
		v.link(l)
	}
	return v.problems
}

var drawn = regexp.MustCompile(`<!-- picture: (\S+) is (\S+) -->`)

// picture takes a picture that has been drawn for a page.
func (v *visit) picture(line int, name, from string) {
	svg, err := os.ReadFile(from)
	if err == nil && len(svg) == 0 {
		err = fmt.Errorf("it is empty")
	}
	if err == nil && *pictures {
		err = os.WriteFile(filepath.Join(v.top, path.Dir(v.doc.path), name), svg, 0o644)
	}
	if err != nil {
		v.wrong(line, name, err)
	}
}

func (v *visit) wrong(line int, what string, err error) {
	v.problems = append(v.problems, fmt.Sprintf("%d: %s: %v", line, what, err))
}

func (v *visit) must(err error) {
	if err != nil {
		v.problems = append(v.problems, err.Error())
	}
}

// link looks whether the file is there, and its heading. What is elsewhere on
// the web is not looked at.
func (v *visit) link(l link) {
	target, err := url.Parse(l.target)
	if err != nil {
		v.wrong(l.line, l.target, err)
		return
	}
	if target.Scheme != "" {
		return
	}
	doc := v.doc
	if target.Path != "" {
		name := path.Join(path.Dir(v.doc.path), target.Path)
		source, err := readAny(filepath.Join(v.top, filepath.FromSlash(name)))
		if err != nil {
			v.wrong(l.line, l.target, err)
			return
		}
		if l.image && len(source) > 100_000 {
			v.wrong(l.line, l.target, fmt.Errorf("a picture of %d kB", len(source)/1000))
		}
		doc = parseDocument(name, source)
	}
	if target.Fragment != "" && !doc.anchors[target.Fragment] {
		v.wrong(l.line, l.target, fmt.Errorf("no heading of that name"))
	}
}

// readAny reads a file, or nothing of a folder.
func readAny(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, nil
	}
	return os.ReadFile(name)
}

var (
	inTree  = regexp.MustCompile(`^(des|tcpmodel|scenarios|plots|cmd)/[\w./-]+$`)
	setting = regexp.MustCompile(`^tcp_[a-z0-9_]+$`)
	// hyphened are the names of scenarios, and a few words of their language.
	hyphened = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	// placeholder is in what shows the form of a command, not a command.
	placeholder = regexp.MustCompile(`[A-Z]{2,}|\b[A-Z]\b|\.\.\.( |$)|\[`)
	continued   = regexp.MustCompile(`\\\n\s*`)
)

// span looks at code within a paragraph.
func (v *visit) span(i int) {
	code := v.doc.codes[i]
	switch text := code.text; {
	case isCommand(text):
		v.command(code.line, text, true)
	case strings.HasPrefix(text, "--"):
		if !v.flags[flagName(strings.Fields(text)[0])] {
			v.wrong(code.line, text, fmt.Errorf("no command has the flag"))
		} else if before := v.commandBefore(i); before != "" && strings.HasPrefix(text, "--set ") && !placeholder.MatchString(text) {
			v.command(code.line, before+" "+text, true)
		}
	case setting.MatchString(text):
		if !strings.Contains(v.words, "`"+text+"`") {
			v.wrong(code.line, text, fmt.Errorf("no setting of that name"))
		}
	case hyphened.MatchString(text):
		if !isLibrary(text) && !strings.Contains(v.words, text) {
			v.wrong(code.line, text, fmt.Errorf("no scenario of that name"))
		}
	case inTree.MatchString(text):
		if _, err := os.Stat(filepath.Join(v.top, text)); err != nil {
			v.wrong(code.line, text, err)
		}
	}
}

// commandBefore is the command that stands before code i in the same paragraph
// or cell, and that a --set by itself is about.
func (v *visit) commandBefore(i int) string {
	for k := i - 1; k >= 0 && v.doc.codes[k].home == v.doc.codes[i].home; k-- {
		if text := v.doc.codes[k].text; strings.HasPrefix(text, "tcplab ") && !placeholder.MatchString(text) && len(strings.Fields(text)) > 2 {
			return text
		}
	}
	return ""
}

// block looks at a block of code.
func (v *visit) block(code code) {
	switch code.lang {
	case "yaml":
		v.must(v.yaml(code))
	case "go":
		if code.label == "" {
			v.wrong(code.line, "go", fmt.Errorf("the fence does not say which file it is a part of"))
		} else if source, err := os.ReadFile(filepath.Join(v.top, code.label)); err != nil {
			v.wrong(code.line, "go", err)
		} else if !bytes.Contains(source, []byte(code.text)) {
			v.wrong(code.line, "go", fmt.Errorf("%s does not have this text", code.label))
		}
	case "text":
		if code.label == "output" && !agrees(code.text, v.output) {
			first, _, _ := strings.Cut(code.text, "\n")
			v.wrong(code.line, first, fmt.Errorf("the command prints\n%s", v.output))
		}
	case "sh", "":
		line := code.line
		for command := range strings.Lines(continued.ReplaceAllStringFunc(code.text, func(s string) string { return " \x00" })) {
			n := 1 + strings.Count(command, "\x00")
			if command = strings.TrimSpace(strings.ReplaceAll(command, "\x00", "")); isCommand(command) {
				v.command(line, command, false)
			}
			line += n
		}
	}
}

// yaml keeps a file for the commands behind it, runs it if it is a scenario, and
// looks at the keys if it is a part of one.
func (v *visit) yaml(code code) error {
	var content map[string]any
	if err := yaml.Unmarshal([]byte(code.text), &content); err != nil {
		v.wrong(code.line, "yaml", err)
		return nil
	}
	if name, more := strings.CutPrefix(code.label, ">> "); more {
		return v.keep(code, name, os.O_APPEND)
	}
	if _, whole := content["version"]; !whole {
		if picture, from, ok := strings.Cut(code.label, " from "); ok {
			return v.drawWith(code, content, picture, from)
		}
		if err := v.keys.Validate(content); err != nil {
			v.wrong(code.line, "yaml", err)
		}
		return nil
	}
	return v.keep(code, cmp.Or(code.label, fmt.Sprintf("line%d.yaml", code.line)), os.O_CREATE|os.O_TRUNC)
}

// keep writes a scenario, or adds to one, and runs it.
func (v *visit) keep(code code, name string, mode int) error {
	file, err := os.OpenFile(filepath.Join(v.dir, name), os.O_WRONLY|mode, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(code.text); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if out, err := v.shell("tcplab check "+name, v.dir); err != nil {
		v.wrong(code.line, name, fmt.Errorf("%w\n%s", err, out))
	}
	return nil
}

// drawWith draws a picture of a scenario of the library whose keys are replaced
// by others; behind the name of the scenario may be flags.
func (v *visit) drawWith(code code, keys map[string]any, picture, from string) error {
	name, flags, _ := strings.Cut(from, " ")
	text, ok := scenarios.Source(name)
	if !ok {
		v.wrong(code.line, picture, fmt.Errorf("no scenario %s in the library", name))
		return nil
	}
	var whole map[string]any
	if err := yaml.Unmarshal(text, &whole); err != nil {
		return err
	}
	replace(whole, keys)
	out, err := yaml.Marshal(whole)
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(path.Base(picture), ".svg")
	if err := os.WriteFile(filepath.Join(v.dir, base+".yaml"), out, 0o600); err != nil {
		return err
	}
	command := "run"
	if _, ok := keys["sweep"]; ok {
		command = "sweep"
	}
	if out, err := v.shell(fmt.Sprintf("tcplab %s %s.yaml --out results/%s --format svg %s", command, base, base, flags), v.dir); err != nil {
		v.wrong(code.line, picture, fmt.Errorf("%w\n%s", err, out))
		return nil
	}
	figures, err := filepath.Glob(filepath.Join(v.dir, "results", base, "figures", "*.svg"))
	if err != nil || len(figures) != 1 {
		v.wrong(code.line, picture, fmt.Errorf("%d figures were drawn, not one", len(figures)))
		return err
	}
	v.picture(code.line, picture, figures[0])
	return nil
}

// replace puts keys in the place of those of whole, of sweep one by one.
func replace(whole, keys map[string]any) {
	for key, value := range keys {
		old, isMap := whole[key].(map[string]any)
		inner, both := value.(map[string]any)
		if key == "sweep" && isMap && both {
			replace(old, inner)
		} else {
			whole[key] = value
		}
	}
}

// agrees reports whether a command printed what is shown, where a line "..."
// stands for any number of lines.
func agrees(shown, printed string) bool {
	trimmed := func(text string) []string {
		lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		return lines
	}
	var pattern strings.Builder
	for _, line := range trimmed(shown) {
		if strings.TrimSpace(line) == "..." {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line) + `\n`)
		}
	}
	ok, err := regexp.MatchString(`\A`+pattern.String()+`\z`, strings.Join(trimmed(printed), "\n")+"\n")
	return ok && err == nil
}

// shell runs a line as a shell does, with tcplab being this program.
func (c *checker) shell(line, dir string) (string, error) {
	cmd := exec.Command("sh", "-c", line)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, io.Writer(&out)
	err := cmd.Run()
	return out.String(), err
}
