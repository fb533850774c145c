package scenarios

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"tcplab/scenarios/spec"
)

//go:embed *.yaml
var library embed.FS

// Entry is a scenario of the library.
type Entry struct {
	// Name is how Load finds it.
	Name string
	// Title is the one line that says what it shows.
	Title string
	// Topic is what it is about, one of Topics.
	Topic string
}

// Topics returns what the scenarios of the library are about, in the order in
// which README.md has its sections.
func Topics() []string {
	return []string{"Opening a connection", "Staying connected", "Closing a connection", "Under attack", "Moving data", "Networks", "Reproductions"}
}

// List returns the scenarios of the library in the order of Topics, and of their
// names where that is the same.
func List() ([]Entry, error) {
	files, err := library.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".yaml")
		sc, err := Load(name, nil, Registry())
		if err != nil {
			return nil, err
		}
		list = append(list, Entry{name, sc.Title, sc.Topic})
	}
	topics := Topics()
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(slices.Index(topics, a.Topic)-slices.Index(topics, b.Topic), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// Source returns the text of a scenario of the library.
func Source(name string) ([]byte, bool) {
	if strings.ContainsAny(name, `/\`) {
		return nil, false
	}
	text, err := library.ReadFile(name + ".yaml")
	return text, err == nil
}

// Load reads the scenario in the file ref or, if there is no such file, the one
// of the library with that name. set are the values of parameters. An error is
// spec.Errors.
func Load(ref string, set map[string]string, reg *spec.Registry) (*spec.Scenario, error) {
	info, err := os.Stat(ref)
	text, known := Source(ref)
	if known && (err != nil || info.IsDir()) {
		return spec.Load(ref+".yaml", text, set, reg)
	}
	if err != nil && errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(ref, `/\.`) {
		return nil, spec.Errors{{File: ref, Text: "neither a file nor a scenario of the library " + haveScenarios()}}
	}
	return spec.LoadFile(ref, set, reg)
}

func haveScenarios() string {
	files, err := library.ReadDir(".")
	if err != nil {
		return ""
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	slices.Sort(names)
	return fmt.Sprintf("(have %s)", strings.Join(names, ", "))
}
