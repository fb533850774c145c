package spec

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"tcplab/scenarios/quantity"
)

// MaxFileBytes is the length of the longest file that a scenario reads.
const MaxFileBytes = 256 << 20

// File is a file that a scenario reads, such as a trace: the value of a key of
// type quantity.File.
type File struct {
	// Name is how the scenario writes it.
	Name   quantity.File
	Data   []byte
	SHA256 [sha256.Size]byte
}

// fileSet are the files of a scenario and its variants. Each is read once, when the
// first of them is loaded, so that all are run with the same content and hashed
// by it.
type fileSet struct {
	read func(name quantity.File) ([]byte, error)
	mu   sync.Mutex
	have map[quantity.File]*File
}

// newFiles returns the files beside a scenario, or those of the registry.
func newFiles(scenario string, reg *Registry) *fileSet {
	f := &fileSet{read: reg.ReadFile, have: map[quantity.File]*File{}}
	if f.read == nil {
		folder := filepath.Dir(scenario)
		f.read = func(name quantity.File) ([]byte, error) { return readBeside(folder, string(name)) }
	}
	return f
}

func readBeside(folder, name string) ([]byte, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	in, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s (it is found from the folder of the scenario)", path)
		}
		return nil, fmt.Errorf("%s cannot be read: %w", path, unwrap(err))
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, unwrap(err))
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%s is longer than %v, the most that is read", path, quantity.Size(MaxFileBytes))
	}
	return data, nil
}

// get returns a file, which it reads if nobody has.
func (f *fileSet) get(name quantity.File) (*File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if have := f.have[name]; have != nil {
		return have, nil
	}
	data, err := f.read(name)
	if err != nil {
		return nil, err
	}
	file := &File{Name: name, Data: data, SHA256: sha256.Sum256(data)}
	f.have[name] = file
	return file, nil
}

// readFile reads the file that a key names.
func (d *decoder) readFile(n *node, key string, name quantity.File) {
	file, err := d.files.get(name)
	if err != nil {
		d.fail(n, "%s: %v", key, err)
		return
	}
	if s := d.scenario; !slices.Contains(s.files, file) {
		s.files = append(s.files, file)
	}
}

// Files returns the files that the scenario reads, in the order of their names.
func (s *Scenario) Files() []*File { return byName(s.files) }

// FilesOfVariants returns the files that the scenario and its variants have read,
// those included that were tried when it was loaded.
func (s *Scenario) FilesOfVariants() []*File {
	f := s.source.files
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*File
	for _, file := range f.have {
		out = append(out, file)
	}
	return byName(out)
}

func byName(list []*File) []*File {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b *File) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// FileData returns the content of a file that the scenario reads. It must not be
// changed.
func (s *Scenario) FileData(name quantity.File) ([]byte, error) {
	for _, f := range s.files {
		if f.Name == name {
			return f.Data, nil
		}
	}
	return nil, fmt.Errorf("no key of the scenario names a file %s", name)
}
