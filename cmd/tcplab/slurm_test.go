package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slurmEnv says whether a Slurm of this machine is started for tests: "require"
// for those that take a minute, "long" for that of a lost node too, which takes
// five. It needs root, and slurmctld, slurmd, slurm-client and munge of Debian.
const slurmEnv = "TCPLAB_SLURM"

// slowSweep runs for some seconds, so that there is a middle of it.
const slowSweep = `version: 1
name: slow
params: {loss: {default: 1%, doc: x}, cc: {default: reno, doc: x}}
duration: 60s
hosts: {client: {sysctl: {tcp_congestion_control: $cc}}, server: {}}
links: [{ends: [client, server], delay: 5ms, rate: 200Mbit/s, loss: $loss}]
workloads: [{name: load, kind: bulk, on: client, to: server:5001, connections: 8}]
sweep: {grid: {loss: [0.05%, 0.1%, 0.2%, 0.5%, 1%, 2%], cc: [reno, cubic]}, replications: 4}
`

// lab is a Slurm with two nodes and a directory where sweeps are run.
type lab struct {
	*testing.T
	dir, program string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	if os.Getenv(slurmEnv) == "" {
		t.Skipf("set %s=require to start a Slurm on this machine for this test (as root; Debian's slurmctld, slurmd, slurm-client, munge)", slurmEnv)
	}
	l := &lab{T: t, dir: t.TempDir()}
	l.program = filepath.Join(l.dir, "tcplab")
	if out, err := exec.Command("go", "build", "-o", l.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { l.script("stop") })
	l.script("start", "2")
	t.Setenv("SLURM_CONF", filepath.Join(l.dir, "lab", "slurm.conf"))
	if err := os.WriteFile(filepath.Join(l.dir, "slow.yaml"), []byte(slowSweep), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) script(command string, args ...string) {
	l.Helper()
	l.must(exec.Command("../../scenarios/sweep/testdata/slurm-lab.sh", append([]string{command, filepath.Join(l.dir, "lab")}, args...)...))
}

func (l *lab) must(cmd *exec.Cmd) string {
	l.Helper()
	var out bytes.Buffer // of a file, which daemons that are started may keep
	f, err := os.CreateTemp(l.dir, "out")
	if err != nil {
		l.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	err = cmd.Run()
	text, _ := os.ReadFile(f.Name())
	out.Write(text)
	if err != nil {
		l.Fatalf("%v: %v\n%s", cmd.Args, err, &out)
	}
	return out.String()
}

// start starts a sweep in the background.
func (l *lab) start(args ...string) (cmd *exec.Cmd, said *bytes.Buffer) {
	l.Helper()
	cmd = exec.Command(l.program, append([]string{"sweep", "slow.yaml"}, args...)...)
	said = new(bytes.Buffer)
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, said, said
	if err := cmd.Start(); err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, said
}

func (l *lab) finish(cmd *exec.Cmd, said *bytes.Buffer) string {
	l.Helper()
	if err := cmd.Wait(); err != nil {
		l.Fatalf("%v\n%s\n%s", err, said, l.queue())
	}
	return said.String()
}

func (l *lab) queue() string {
	out, _ := exec.Command("squeue", "-r", "-t", "all", "-o", "%i %T %N %r").CombinedOutput()
	return string(out)
}

// await waits until the queue shows what is wanted.
func (l *lab) await(pattern string) []string {
	l.Helper()
	re := regexp.MustCompile(pattern)
	for range 600 {
		if m := re.FindStringSubmatch(l.queue()); m != nil {
			return m
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.Fatalf("the queue never shows %s\n%s", pattern, l.queue())
	return nil
}

// same holds the results of a sweep against those that another directory has.
func (l *lab) same(local, dir string) {
	l.Helper()
	for _, name := range []string{"results.csv", "results.parquet", "summary.csv"} {
		want, err1 := os.ReadFile(filepath.Join(l.dir, local, name))
		got, err2 := os.ReadFile(filepath.Join(l.dir, dir, name))
		if err1 != nil || err2 != nil || !bytes.Equal(want, got) || len(want) < 1000 {
			l.Errorf("%s of %s differs from that of this machine (%v, %v)", name, dir, err1, err2)
		}
	}
}

// begun waits until so many tasks have finished a replication and go on.
func (l *lab) begun(dir string, tasks int) {
	l.Helper()
	for range 600 {
		if open, _ := filepath.Glob(filepath.Join(l.dir, dir, "points", "task-*.open")); len(open) >= tasks {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	l.Fatalf("no %d tasks at once\n%s", tasks, l.queue())
}

// sub runs a part of the test.
func (l *lab) sub(name string, f func(l *lab)) {
	l.Run(name, func(t *testing.T) { f(&lab{t, l.dir, l.program}) })
}

// A sweep through Slurm has the bytes of one on this machine, whatever happens to
// its tasks.
func TestSlurm(t *testing.T) {
	l := newLab(t)
	l.finish(l.start("--out", "local", "--quiet"))
	few := []string{"--vary", "loss=0.5%,1%", "--replications", "2"}
	l.finish(l.start(append(few, "--out", "few", "--quiet")...))

	l.sub("undisturbed", func(l *lab) {
		cmd, said := l.start("--engine", "slurm", "--tasks", "4", "--task-time", "1ms", "--out", "plain")
		if text := l.finish(cmd, said); !strings.Contains(text, "12 points in 4 tasks") || !strings.Contains(text, "48 replications") {
			l.Errorf("said\n%s", text)
		}
		l.same("local", "plain")
	})

	// A task that is told to end, as before its time limit, keeps what it has, and
	// one that is killed outright what it had finished.
	l.sub("disturbed", func(l *lab) {
		cmd, said := l.start("--engine", "slurm", "--tasks", "4", "--task-time", "1ms", "--out", "disturbed")
		l.begun("disturbed", 2)
		running := l.await(`(?m)^(\d+_\d+) RUNNING n\d(?s:.*)^(\d+_\d+) RUNNING n\d`)
		// scancel fails if the task ends while it asks whether the signal came.
		_ = exec.Command("scancel", "--batch", "--signal=TERM", running[1]).Run()
		_ = exec.Command("scancel", "--batch", "--signal=KILL", running[2]).Run()
		text := l.finish(cmd, said)
		if !strings.Contains(text, "submitted again") || !strings.Contains(text, "it was told to end") {
			l.Errorf("said\n%s", text)
		}
		l.same("local", "disturbed")
	})

	// The options of the user reach sbatch; a task that is held is told, and the
	// sweep goes on when it is released. Meanwhile the command is interrupted, and
	// given again.
	l.sub("held", func(l *lab) {
		args := append(few, "--engine", "slurm", "--task-time", "1ms", "--tasks", "2", "--out", "held", "--", "--hold", "--comment=of the user")
		cmd, said := l.start(args...)
		job := l.await(`(?m)^(\d+)_2 PENDING +JobHeldUser`)[1]
		time.Sleep(time.Second)
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			l.Fatal(err)
		}
		_ = cmd.Wait()
		want := fmt.Sprintf("scontrol release %s_1 lets it run", job)
		if cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(said.String(), want) || !strings.Contains(said.String(), "goes on: the same command waits") {
			l.Errorf("exit status %d, said\n%s", cmd.ProcessState.ExitCode(), said)
		}
		status := l.must(exec.Command(l.program, "sweep", filepath.Join(l.dir, "held"), "--status"))
		if !strings.Contains(status, "tasks 2 held") || !strings.Contains(status, want) || !strings.Contains(status, "in the queue") {
			l.Errorf("status\n%s", status)
		}
		if text := l.must(exec.Command("scontrol", "show", "job", job)); !strings.Contains(text, "Comment=of the user") {
			l.Errorf("the job\n%s", text)
		}
		l.must(exec.Command("scontrol", "release", job))
		cmd, said = l.start(args...)
		if text := l.finish(cmd, said); !strings.Contains(text, "job "+job+" was submitted before") || strings.Count(text, " points in ") != 0 {
			l.Errorf("said\n%s", text)
		}
		l.same("few", "held")
	})

	// Cancelled tasks are not submitted again behind the user's back.
	l.sub("cancelled", func(l *lab) {
		cmd, said := l.start(append(few, "--engine", "slurm", "--task-time", "1ms", "--tasks", "4", "--out", "cancelled", "--slurm-options", "--begin=now+1hour")...)
		job := l.await(`(?m)^(\d+)_4 PENDING`)[1]
		l.must(exec.Command("scancel", job))
		_ = cmd.Wait()
		if cmd.ProcessState.ExitCode() != exitUnfinished || !strings.Contains(said.String(), "4 of 4 tasks were cancelled") {
			l.Errorf("exit status %d, said\n%s", cmd.ProcessState.ExitCode(), said)
		}
	})

	// Nobody waits, and a job writes the results.
	l.sub("no wait", func(l *lab) {
		cmd, said := l.start(append(few, "--engine", "slurm", "--task-time", "1ms", "--tasks", "2", "--out", "later", "--no-wait")...)
		m := regexp.MustCompile(`job +(\d+), 2 tasks; job (\d+) writes`).FindStringSubmatch(l.finish(cmd, said))
		if m == nil {
			l.Fatalf("said\n%s", said)
		}
		l.await(`(?m)^` + m[2] + ` COMPLETED`)
		l.same("few", "later")
		if _, err := os.Stat(filepath.Join(l.dir, "later", "manifest.json")); err != nil {
			l.Error(err)
		}
	})

	if os.Getenv(slurmEnv) != "long" {
		return
	}
	// A node is lost in the middle and comes back; a task is requeued. Slurm lets
	// both wait for two minutes.
	l.sub("lost node", func(l *lab) {
		cmd, said := l.start("--engine", "slurm", "--tasks", "4", "--task-time", "1ms", "--out", "lost")
		job := l.await(`(?m)^(\d+)_1 RUNNING`)[1]
		l.begun("lost", 2)
		l.must(exec.Command("scontrol", "requeue", regexp.MustCompile(`(\d+_\d+) RUNNING n1`).FindStringSubmatch(l.queue())[1]))
		l.script("fail", "n2")
		l.await(job + `_\d PENDING +BeginTime(?s:.*)` + job + `_\d PENDING +BeginTime`)
		l.script("restore", "n2")
		text := l.finish(cmd, said)
		l.same("local", "lost")
		l.Logf("the lost node:\n%s", text)
	})
}
