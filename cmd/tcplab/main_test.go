package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tcplab/plots"
	"tcplab/scenarios"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tcplab": main})
}

// TestScripts runs testdata/script: the program as its users run it.
func TestScripts(t *testing.T) {
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               func(env *testscript.Env) error { env.Setenv("MODULE", module); return nil },
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": status, "interrupt": interrupt, "big": big},
	})
}

// status N COMMAND runs a command that must end with that exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// interrupt SCENARIO ARGS runs tcplab with a scenario that it reads from a pipe,
// named pipe.yaml in the arguments, and interrupts it when it has read it. The
// exit status must be 130.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	pipe := ts.MkAbs("pipe.yaml")
	ts.Check(syscall.Mkfifo(pipe, 0o600))
	cmd := exec.Command("tcplab", args[1:]...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), &stderr
	ts.Check(cmd.Start())
	ts.Check(os.WriteFile(pipe, []byte(text), 0o600))
	ts.Check(cmd.Process.Signal(os.Interrupt))
	if got := exitCode(ts, cmd.Wait()); got != exitInterrupted {
		ts.Fatalf("exit status %d, want %d; stderr %q", got, exitInterrupted, &stderr)
	}
	ts.Check(os.Remove(pipe))
}

// big FILE makes a file of 50 MB.
func big(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte("# comment\n"), 5_000_000), 0o600))
}

func TestExitStatusOfWriteError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	var stderr bytes.Buffer
	if got := execute(context.Background(), []string{"list"}, full, &stderr); got != exitUnfinished {
		t.Errorf("exit status %d, want %d", got, exitUnfinished)
	}
	if !strings.Contains(stderr.String(), "standard output") {
		t.Errorf("stderr %q", &stderr)
	}
}

func TestInterruptedBeforeTheRun(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{{"run", "handshake"}, {"check", "handshake"}} {
		var stdout, stderr bytes.Buffer
		if got := execute(ctx, args, &stdout, &stderr); got != exitInterrupted || stdout.Len() > 0 {
			t.Errorf("%v: exit status %d, stdout %q", args, got, &stdout)
		}
	}
	if left, _ := filepath.Glob("*"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// Package plots draws every kind of figure that a scenario can name.
func TestFigureKindsAreDrawn(t *testing.T) {
	for _, kind := range scenarios.Registry().Figures {
		if !slices.Contains(plots.Kinds(), kind) {
			t.Errorf("nothing draws a %s", kind)
		}
	}
	for _, kind := range plots.Kinds() {
		if !slices.Contains(scenarios.Registry().Figures, kind) {
			t.Errorf("no scenario can name a %s", kind)
		}
	}
}

// The scenarios that README.md names exist, and it leads to the page that has
// all of them.
func TestReadmeNamesTheLibrary(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\(scenarios/([^)/]+)\.yaml\)`).FindAllSubmatch(readme, -1)
	if len(named) == 0 || !bytes.Contains(readme, []byte("(scenarios/README.md)")) {
		t.Errorf("README.md names %d scenarios and should name scenarios/README.md", len(named))
	}
	for _, m := range named {
		if _, ok := scenarios.Source(string(m[1])); !ok {
			t.Errorf("README.md says what %s shows, which is not there", m[1])
		}
	}
}

// The scenario of README.md runs, meets its expectations and is complete.
func TestScenarioOfReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "```yaml my.yaml\n")
	text, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("README.md shows no scenario")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("my.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if got := execute(context.Background(), []string{"check", "my.yaml"}, &stdout, &stderr); got != exitDone || stderr.Len() > 0 {
		t.Errorf("exit status %d\n%s%s", got, &stdout, &stderr)
	}
	if !strings.Contains(stdout.String(), "expectations hold") {
		t.Errorf("it expects nothing: %s", &stdout)
	}
}
