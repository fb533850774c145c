package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
)

// filesDir holds copies of the files that the scenario reads, such as traces, so
// that a directory can be worked on without what it was made from.
const filesDir = "files"

// fileSums are the SHA-256 sums of files by the names that the scenario has for
// them.
type fileSums map[quantity.File]string

func sumsOf(sc *spec.Scenario) fileSums {
	var out fileSums
	for _, f := range sc.FilesOfVariants() {
		if out == nil {
			out = fileSums{}
		}
		out[f.Name] = hex.EncodeToString(f.SHA256[:])
	}
	return out
}

// copyOf is where a directory has its copy of a file.
func copyOf(dir string, name quantity.File, sum string) string {
	return filepath.Join(dir, filesDir, sum[:min(16, len(sum))]+"-"+filepath.Base(string(name)))
}

// keepFiles puts copies of the files of a scenario into a directory.
func keepFiles(dir string, sc *spec.Scenario) error {
	for _, f := range sc.FilesOfVariants() {
		to := copyOf(dir, f.Name, hex.EncodeToString(f.SHA256[:]))
		if info, err := os.Stat(to); err == nil && info.Size() == int64(len(f.Data)) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := renameio.WriteFile(to, f.Data, 0o644, renameio.WithTempDir(filepath.Dir(to))); err != nil {
			return err
		}
	}
	return nil
}

// reader reads the copies that a directory has.
func (f fileSums) reader(dir string) func(quantity.File) ([]byte, error) {
	return func(name quantity.File) ([]byte, error) {
		sum, ok := f[name]
		if !ok {
			return nil, fmt.Errorf("%s has no copy of the file %s", dir, name)
		}
		data, err := os.ReadFile(copyOf(dir, name, sum))
		if err != nil {
			return nil, err
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			return nil, fmt.Errorf("%s is damaged (give the command of the sweep again)", copyOf(dir, name, sum))
		}
		return data, nil
	}
}
