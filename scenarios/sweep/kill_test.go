package sweep

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// The environment of a child process.
const (
	childDir     = "TCPLAB_TEST_SWEEP_DIR"
	childWorkers = "TCPLAB_TEST_SWEEP_WORKERS"
	childDies    = "TCPLAB_TEST_SWEEP_DIES" // behind so many bytes; empty for never
)

const killGrid = `{grid: {rate: lin:1/s..40/s:12, cc: [reno, cubic]}, replications: 4, compare: {param: cc, from: reno, to: cubic}}`

// child is a process that runs a sweep, and kills itself in the middle of a
// write if it is told to.
func child(dir string) {
	sc, err := spec.Load("tiny.yaml", []byte(text+"sweep: "+killGrid+"\n"), nil, scenarios.Registry())
	if err == nil {
		var s *Sweep
		if s, err = New(sc, Request{}, "test"); err == nil {
			var o Options
			o.Workers, _ = strconv.Atoi(os.Getenv(childWorkers))
			if left := os.Getenv(childDies); left != "" {
				d := &dying{}
				n, _ := strconv.ParseInt(left, 10, 64)
				d.left.Store(n)
				o.create = d.create
			}
			_, err = s.Run(context.Background(), dir, "v", "go", o)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// dying kills the process when so many bytes have been written, in the middle of
// a write.
type dying struct{ left atomic.Int64 }

type dyingFile struct {
	chunkFile
	d *dying
}

func (d *dying) create(name string) (chunkFile, error) {
	f, err := os.Create(name)
	return dyingFile{f, d}, err
}

func (f dyingFile) Write(b []byte) (int, error) {
	if left := f.d.left.Add(-int64(len(b))); left < 0 {
		_, _ = f.chunkFile.Write(b[:max(0, int64(len(b))+left)])
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return f.chunkFile.Write(b)
}

func startChild(t *testing.T, dir string, workers int, dies int64) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprint(childWorkers, "=", workers))
	if dies > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprint(childDies, "=", dies))
	}
	cmd.Stderr = new(strings.Builder)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// wait reports whether the child was killed; that it failed is an error.
func wait(t *testing.T, cmd *exec.Cmd) (killed bool) {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		t.Fatal(err, cmd.Stderr)
	}
	return false
}

// A sweep that is killed, within a write or at any other moment, and given
// again, ends with the bytes of one that was not.
func TestKilled(t *testing.T) {
	quiet := t.TempDir()
	start := time.Now()
	wait(t, startChild(t, quiet, 2, 0))
	took := time.Since(start)
	want := final(t, quiet)
	bytes := sizeOf(t, quiet)
	random := rand.New(rand.NewPCG(1, 2))
	for _, workers := range []int{1, 2, 8} {
		for i := range *kills {
			dir := t.TempDir()
			if !wait(t, startChild(t, dir, workers, 1+random.Int64N(bytes-1))) {
				t.Fatalf("%d workers: the process lives", workers)
			}
			cmd := startChild(t, dir, workers, 0)
			at := time.AfterFunc(time.Duration(random.Float64()*float64(took)), func() { _ = cmd.Process.Kill() })
			wait(t, cmd)
			at.Stop()
			if wait(t, startChild(t, dir, workers, 0)) {
				t.Fatal("killed by another")
			}
			sameFiles(t, fmt.Sprintf("%d workers, moment %d", workers, i), want, final(t, dir))
		}
	}
}

// sizeOf is how many bytes the store of a directory has.
func sizeOf(t *testing.T, dir string) (n int64) {
	t.Helper()
	entries, err := os.ReadDir(dir + "/" + pointsDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}
