// Tcplab simulates TCP: it runs a scenario file, or a scenario of its library,
// and leaves metrics, series and figures. See README.md of the module.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1   // an expectation failed under check
	exitUsage       = 2   // the input or the usage is wrong
	exitUnfinished  = 3   // the run could not finish
	exitInterrupted = 130 // as a shell reports SIGINT
)

// errExpectation is what check ends with if an expectation failed; it has been
// printed already.
var errExpectation = errors.New("an expectation failed")

func main() { os.Exit(tcplab()) }

func tcplab() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// execute runs a command line and returns the exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, out: bufio.NewWriter(stdout), stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.started {
		err = misused(err)
	}
	if flushed := a.out.Flush(); err == nil && flushed != nil {
		err = fmt.Errorf("standard output: %w", flushed)
	}
	return a.report(err)
}

// app is what the commands share.
type app struct {
	stdout io.Writer // only to see whether it is a terminal
	out    *bufio.Writer
	stderr io.Writer
	// started is true once a command line has been understood.
	started bool
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tcplab",
		Short: "Simulate TCP, from a scenario file to figures",
		Long: `tcplab simulates TCP: hosts with the stack of Linux, of the RFCs or of the
textbook, links with queues and loss, workloads and attacks. It reads a scenario
file, or takes a scenario of its library, and leaves metrics, series, figures.

  tcplab list              the scenarios of the library
  tcplab run syn-flood     run one; the results are in results/syn-flood
  tcplab show syn-flood    its file, to start from`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRun:  func(*cobra.Command, []string) { a.started = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.AddCommand(a.runCommand(), a.checkCommand(), a.sweepCommand(), a.mergeCommand(), a.taskCommand(), a.plotCommand(), a.reportCommand(), a.analyzeCommand(), a.ladderCommand(), a.listCommand(), a.showCommand(), a.paramsCommand(),
		a.drillCommand(), a.metricsCommand(), a.profilesCommand(), a.schemaCommand(), a.versionCommand())
	narrow(root)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// report tells of an error and returns the exit status.
func (a *app) report(err error) int {
	var wrong usageError
	var problems spec.Errors
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errExpectation):
		return exitFailed
	case errors.Is(err, context.Canceled):
		a.note("interrupted")
		return exitInterrupted
	case errors.As(err, &problems):
		a.note("%s", strings.TrimRight(err.Error(), "\n"))
		return exitUsage
	}
	a.note("tcplab: %v", err)
	if errors.As(err, &wrong) || errors.Is(err, scenarios.ErrForeign) {
		return exitUsage
	}
	return exitUnfinished
}

// note writes a line of diagnostics. That standard error cannot be written to
// cannot be told to anybody.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, format+"\n", args...)
}

// print writes to standard output, whose errors show when it is flushed.
func (a *app) print(format string, args ...any) {
	_, _ = fmt.Fprintf(a.out, format, args...)
}
