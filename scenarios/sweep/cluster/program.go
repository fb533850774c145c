package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"tcplab/scenarios/sweep"
)

// keepProgram puts a copy of the program into the directory of a sweep, where all
// nodes find it: the one that runs may be a temporary file, or be replaced while
// tasks wait.
func keepProgram(dir, program string) (string, error) {
	in, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return "", err
	}
	to := filepath.Join(dir, sweep.ClusterDir, "tcplab-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	out, err := renameio.NewPendingFile(to, renameio.WithTempDir(filepath.Dir(to)), renameio.WithPermissions(0o755))
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(out, in); err != nil {
		return "", errors.Join(err, out.Cleanup())
	}
	return to, out.CloseAtomicallyReplace()
}
