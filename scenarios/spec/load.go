package spec

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"tcplab/scenarios/quantity"
)

// LoadFile reads the scenario in a file of at most MaxBytes. An error is Errors,
// whether the file cannot be read or its content is wrong.
func LoadFile(filename string, set map[string]string, reg *Registry) (*Scenario, error) {
	fail := func(format string, args ...any) (*Scenario, error) {
		return nil, Errors{{filename, Pos{}, fmt.Sprintf(format, args...)}}
	}
	file, err := os.Open(filename)
	if errors.Is(err, fs.ErrNotExist) {
		return fail("no such file (tcplab list shows the scenarios that need no file)")
	}
	if err != nil {
		return fail("cannot be read: %v", unwrap(err))
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return fail("is a directory (name a scenario file in it, such as %s)", strings.TrimRight(filename, "/")+"/NAME.yaml")
	} else if err == nil && info.Mode().IsRegular() && info.Size() > MaxBytes {
		return fail("%v", tooLarge(info.Size()))
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return fail("cannot be read: %v", unwrap(err))
	}
	return Load(filename, data, set, reg)
}

func unwrap(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func tooLarge(size int64) string {
	return fmt.Sprintf("%d bytes are too many for a scenario (at most %v; is this the right file?)", size, quantity.Size(MaxBytes))
}

// Load reads and checks a scenario. filename is what messages call it. set are
// the values of --set, by parameter. An error is Errors and has everything that
// is wrong, in the order of the file.
func Load(filename string, data []byte, set map[string]string, reg *Registry) (*Scenario, error) {
	if err := reg.Check(); err != nil {
		panic("spec: the registry is wrong: " + err.Error())
	}
	if len(data) > MaxBytes {
		return nil, Errors{{filename, Pos{}, tooLarge(int64(len(data)))}}
	}
	files := newFiles(filename, reg)
	s, d := load(filename, data, set, reg, files)
	if len(d.problems) > 0 {
		return nil, Errors(sorted(d.problems))
	}
	if d.tryGrid(data, set); len(d.problems) > 0 {
		return nil, Errors(sorted(d.problems))
	}
	s.Warnings = sorted(d.warnings)
	s.source = &source{data: data, set: set, registry: reg, files: files}
	return s, nil
}

func load(filename string, data []byte, set map[string]string, reg *Registry, files *fileSet) (*Scenario, *decoder) {
	d := &decoder{file: filename, registry: reg, lines: strings.Split(string(data), "\n"), scenario: &Scenario{File: filename}, files: files}
	root := parseYAML(data, d.report)
	if root == nil || !d.supported(root) {
		return nil, d
	}
	return d.decode(root, set), d
}

// decode reads a scenario from a tree, in which it puts the parameters in place.
func (d *decoder) decode(root *node, set map[string]string) *Scenario {
	s := d.scenario
	ps := readParams(d, root, set)
	ps.substitute(root)
	if hosts := root.get("hosts"); hosts != nil && hosts.kind == mappingNode {
		for _, key := range hosts.keys {
			d.hosts = append(d.hosts, key.value)
		}
	}
	d.expandTopology(root)
	d.survey(root)
	d.structure(root, "the scenario", bind(reflect.ValueOf(s).Elem()))
	d.check(root)
	ps.finish(s)
	s.root = root
	return s
}

// supported checks that root is a scenario of a version that is known. Of
// another version nothing else can be said.
func (d *decoder) supported(root *node) bool {
	if root.kind != mappingNode {
		d.report(root.Pos, fmt.Sprintf("%s where a scenario belongs (it begins with the lines version: 1 and name: NAME)", root.what()))
		return false
	}
	v := root.get("version")
	if v == nil || v.kind != scalarNode || v.null || v.bad || v.text() == fmt.Sprint(Version) {
		return true
	}
	d.fail(v, "version %s is not supported (this tcplab reads version: %d)", quote(v.text()), Version)
	return false
}

// maxTried bounds the values of a sweep that are tried while loading.
const maxTried = 500

// tryGrid loads the scenario with each value of the sweep, so that a sweep does
// not fail hours after its start.
func (d *decoder) tryGrid(data []byte, set map[string]string) {
	for i, g := range d.gridValues {
		if i == maxTried {
			return
		}
		with := map[string]string{g.param: g.value}
		for name, value := range set {
			if name != g.param {
				with[name] = value
			}
		}
		_, tried := load(d.file, data, with, d.registry, d.files)
		if len(tried.problems) > 0 {
			p := sorted(tried.problems)[0]
			from := fmt.Sprintf(" [from --set %s=%s]", g.param, shown(g.value))
			d.report(g.at, fmt.Sprintf("%s: with %s = %s line %d is wrong: %s", g.key, g.param, shown(g.value), p.Line, strings.TrimSuffix(p.Text, from)))
		}
	}
}
