package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const manifests = "../../scenarios/sweep/manifests/"

// sharded is a directory with a sweep as my.yaml, and with tcplab on the path.
func sharded(t *testing.T) (dir string, want []byte) {
	t.Helper()
	dir = t.TempDir()
	text := strings.Replace(slowSweep, "duration: 60s", "duration: 1s", 1)
	if err := os.WriteFile(filepath.Join(dir, "my.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, dir, nil, "tcplab", "sweep", "my.yaml", "--out", "whole", "--quiet")
	return dir, results(t, dir, "whole")
}

func command(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

func results(t *testing.T, dir, of string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, of, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// merged puts the shards together and holds them against the whole.
func merged(t *testing.T, dir string, shards int, want []byte) {
	t.Helper()
	args := []string{"merge", "--out", "all", "--quiet"}
	for i := range shards {
		args = append(args, fmt.Sprint("shard", i+1))
	}
	command(t, dir, nil, "tcplab", args...)
	if !bytes.Equal(results(t, dir, "all"), want) {
		t.Error("the shards make another result than the whole")
	}
}

// The Job runs each shard once: its command is run as each of its pods would.
func TestKubernetesManifest(t *testing.T) {
	text, err := os.ReadFile(manifests + "kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Spec       struct {
			Completions          int
			CompletionMode       string `yaml:"completionMode"`
			BackoffLimitPerIndex int    `yaml:"backoffLimitPerIndex"`
			Template             struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Containers    []struct {
						Command, Args []string
						Env           []struct{ Name, Value string }
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	pod := job.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Spec.CompletionMode != "Indexed" || len(pod.Containers) != 1 ||
		job.Spec.BackoffLimitPerIndex < 1 || pod.RestartPolicy != "Never" {
		t.Fatalf("%+v", job)
	}
	c := pod.Containers[0]
	dir, want := sharded(t)
	for i := range job.Spec.Completions {
		env := []string{fmt.Sprint("JOB_COMPLETION_INDEX=", i)}
		for _, e := range c.Env {
			env = append(env, e.Name+"="+e.Value)
		}
		command(t, dir, env, c.Command[0], append(c.Command[1:], c.Args...)...)
	}
	merged(t, dir, job.Spec.Completions, want)
}

// The jobs of the submit file run each shard once, and each brings back the
// directory that it writes.
func TestCondorManifest(t *testing.T) {
	text, err := os.ReadFile(manifests + "sweep.sub")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+) *= *(.*)$`).FindAllStringSubmatch(string(text), -1) {
		said[m[1]] = strings.Trim(m[2], `"`)
	}
	queue := regexp.MustCompile(`(?m)^queue part from (seq 1 (\d+)) \|$`).FindStringSubmatch(string(text))
	if queue == nil || queue[2] != said["shards"] || said["executable"] != "tcplab" || said["transfer_input_files"] != "my.yaml" ||
		said["when_to_transfer_output"] != "ON_EXIT_OR_EVICT" {
		t.Fatalf("%v %v", queue, said)
	}
	shards, err := strconv.Atoi(queue[2])
	if err != nil {
		t.Fatal(err)
	}
	dir, want := sharded(t)
	for i := range shards {
		fill := strings.NewReplacer("$(part)", strconv.Itoa(i+1), "$(shards)", queue[2])
		command(t, dir, nil, "tcplab", strings.Fields(fill.Replace(said["arguments"]))...)
		if _, err := os.Stat(filepath.Join(dir, fill.Replace(said["transfer_output_files"]), "plan.json")); err != nil {
			t.Error(err)
		}
	}
	merged(t, dir, shards, want)
}

// GNU parallel runs the script as it is.
func TestParallelScript(t *testing.T) {
	if out, err := exec.Command("parallel", "--version").Output(); err != nil || !bytes.Contains(out, []byte("GNU parallel")) {
		t.Skip("there is no GNU parallel here")
	}
	script, err := filepath.Abs(manifests + "parallel.sh")
	if err != nil {
		t.Fatal(err)
	}
	dir, want := sharded(t)
	if err := os.WriteFile(filepath.Join(dir, "machines"), []byte("2/:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home := "HOME=" + t.TempDir()
	for range 2 { // given again, it goes on
		command(t, dir, []string{home}, script, "machines", "3", "my.yaml")
		if !bytes.Equal(results(t, dir, "results"), want) {
			t.Error("the shards make another result than the whole")
		}
	}
}
