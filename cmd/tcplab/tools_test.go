package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The lines of README.md that read the results of a sweep in other programs give
// the numbers that are in summary.csv, where those programs are.
func TestReadmeInOtherTools(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	swept := false
	for _, tool := range []struct {
		fence    string
		programs []string
		probe    []string // whether a program can
		run      string
		want     string // the blocked share of flood_rate 1/s at backlog 64, as it is printed
	}{
		{"python", []string{"python3", "/usr/bin/python3"}, []string{"-c", "import pandas"}, "-c", "1.0         0.081417"},
		{"r", []string{"Rscript"}, []string{"--version"}, "-e", "64        1.0 0.08141747"},
	} {
		t.Run(tool.fence, func(t *testing.T) {
			_, after, found := strings.Cut(string(readme), "```"+tool.fence+"\n")
			lines, _, closed := strings.Cut(after, "```")
			if !found || !closed {
				t.Fatal("README.md has no such lines")
			}
			for _, program := range tool.programs {
				if exec.Command(program, tool.probe...).Run() != nil {
					continue
				}
				if !swept {
					command(t, dir, nil, "tcplab", "sweep", "backlog-sweep", "--quiet")
					swept = true
				}
				cmd := exec.Command(program, tool.run, lines)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				if err != nil || !strings.Contains(string(out), tool.want) {
					t.Errorf("%v, want a line with %q:\n%s", err, tool.want, out)
				}
				summary, err := os.ReadFile(filepath.Join(dir, "results", "backlog-sweep", "summary.csv"))
				if err != nil || !strings.Contains(string(summary), ",server.syn_drop,ratio,10,0.08141746") {
					t.Errorf("summary.csv has another number (%v)", err)
				}
				return
			}
			t.Skipf("there is no %v here that can", tool.programs)
		})
	}
}
