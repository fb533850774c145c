package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// The names in a results directory.
const (
	manifestName    = "manifest.json"
	scenarioName    = "scenario.yaml"
	summaryName     = "summary.json"
	connectionsName = "connections.csv"
	seriesDir       = "series"
	samplesDir      = "samples"
	// FiguresDir is where figures belong.
	FiguresDir = "figures"
	// PacketsName is the capture of a run.
	PacketsName = "packets.pcapng"

	lockName    = ".tcplab-lock"
	stagingName = ".tcplab-new"
)

// replaced are the entries that a run replaces, the manifest first: from its
// removal on the directory does not pass for complete. What else a user keeps in
// a results directory stays.
var replaced = []string{manifestName, scenarioName, summaryName, seriesDir, samplesDir, FiguresDir, connectionsName,
	traceDir, sequencesDir, PacketsName, "report.html"}

// ErrForeign is in the chain of the error of OpenTarget for a directory that
// holds something else than results.
var ErrForeign = errors.New("not a results directory of tcplab")

// Target is a results directory that is being filled. Files are written into a
// directory within it and moved to their places by Commit, so that what an older
// run left stays whole until then, and nothing remains of a run that fails.
type Target struct {
	dir     string
	lock    *flock.Flock
	made    []string // the directories that OpenTarget made, the innermost first
	settled bool
}

// OpenTarget reserves dir for the results of a run. dir is made if it is
// missing; if it exists it must be empty or hold complete results, which will be
// replaced. It fails with ErrForeign otherwise, and if another run has the
// directory.
func OpenTarget(dir string) (*Target, error) {
	if err := checkTarget(dir); err != nil {
		return nil, err
	}
	t := &Target{dir: dir}
	if err := t.makeDir(); err != nil {
		return nil, explain(err)
	}
	var err error
	if t.lock, err = lockDir(dir); err == nil {
		err = checkTarget(dir)
	}
	if err == nil {
		err = os.RemoveAll(t.Staging())
	}
	if err == nil {
		err = os.Mkdir(t.Staging(), 0o755)
	}
	if err != nil {
		t.release()
		return nil, explain(err)
	}
	return t, nil
}

// checkTarget looks whether results may be put into dir.
func checkTarget(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s is a file, %w (choose another --out)", firstFile(dir), ErrForeign)
	}
	if err != nil {
		return explain(err)
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case stagingName:
			return nil
		case lockName:
		case manifestName:
			if ours(filepath.Join(dir, manifestName)) {
				return nil
			}
			foreign = e.Name()
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return fmt.Errorf("%s holds %s and is %w, so that nothing in it is replaced (choose another --out, or remove it)", dir, foreign, ErrForeign)
	}
	return nil
}

// firstFile is the part of path that is a file where a directory should be.
func firstFile(path string) string {
	for p := path; ; p = filepath.Dir(p) {
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			return p
		} else if p == filepath.Dir(p) {
			return path
		}
	}
}

// ours reports whether a manifest is one of tcplab's, of any version.
func ours(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var m struct {
		Tool string `json:"tool"`
	}
	return json.Unmarshal(text, &m) == nil && m.Tool == toolName
}

// makeDir makes the directory and those above it, and remembers which.
func (t *Target) makeDir() error {
	var missing []string
	for d := filepath.Clean(t.dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		missing = append(missing, d)
	}
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return err
	}
	t.made = missing
	return nil
}

// lockDir takes the lock of a directory. Whoever lets go of a lock removes its
// file first, so that a lock counts only if its file is still the one of that
// name.
func lockDir(dir string) (*flock.Flock, error) {
	name := filepath.Join(dir, lockName)
	for range 10 {
		lock := flock.New(name)
		got, err := lock.TryLock()
		if err != nil {
			return nil, err
		}
		if !got {
			return nil, fmt.Errorf("another run is writing to %s (wait for it, or choose another --out)", dir)
		}
		held, err1 := lock.Stat()
		named, err2 := os.Stat(name)
		if err1 == nil && err2 == nil && os.SameFile(held, named) {
			return lock, nil
		}
		if err := lock.Close(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s changes hands too often (choose another --out)", name)
}

// Staging returns where files are written until Commit.
func (t *Target) Staging() string { return filepath.Join(t.dir, stagingName) }

// Write writes a file under its name within the directory.
func (t *Target) Write(name string, data []byte) error {
	path := filepath.Join(t.Staging(), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return explain(err)
	}
	return explain(renameio.WriteFile(path, data, 0o644))
}

// Create makes a file within the directory for what is written bit by bit. Its
// Close flushes it to the disk.
func (t *Target) Create(name string) (io.WriteCloser, error) {
	path := filepath.Join(t.Staging(), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, explain(err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, explain(err)
	}
	return &streamed{f}, nil
}

// streamed is a file of a target that is being written.
type streamed struct{ *os.File }

// Write implements io.Writer.
func (s *streamed) Write(b []byte) (int, error) {
	n, err := s.File.Write(b)
	return n, explain(err)
}

// Close implements io.Closer.
func (s *streamed) Close() error { return explain(errors.Join(s.Sync(), s.File.Close())) }

// Commit puts all files into their places, the manifest last, and lets go of the
// directory. Every file has been flushed to the disk when its name appears.
func (t *Target) Commit(m *Manifest) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return err
	}
	if err := t.Write(manifestName, text.Bytes()); err != nil {
		return err
	}
	for _, name := range replaced {
		if err := os.RemoveAll(filepath.Join(t.dir, name)); err != nil {
			return explain(err)
		}
	}
	for _, name := range slices.Backward(replaced) {
		err := os.Rename(filepath.Join(t.Staging(), name), filepath.Join(t.dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain(err)
		}
	}
	t.made = nil
	return t.release()
}

// Discard removes what has been written and lets go of the directory. After
// Commit it does nothing.
func (t *Target) Discard() error { return t.release() }

func (t *Target) release() error {
	if t.settled {
		return nil
	}
	t.settled = true
	var errs []error
	if t.lock != nil {
		errs = append(errs, os.RemoveAll(t.Staging()), os.Remove(filepath.Join(t.dir, lockName)), t.lock.Close())
	}
	for _, d := range t.made {
		if os.Remove(d) != nil {
			break
		}
	}
	return explain(errors.Join(errs...))
}

// explain says what can be done about an error of the file system.
func explain(err error) error {
	switch {
	case err == nil || strings.HasSuffix(err.Error(), ")"):
		return err
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("results: the disk is full: %w (make room, or choose another --out)", err)
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return fmt.Errorf("results: not allowed to write: %w (choose another --out)", err)
	default:
		return fmt.Errorf("results: %w", err)
	}
}
