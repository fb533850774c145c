package drill

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcplab/des"
)

// kernelOptions are those with which the scripts passed on the real kernel.
var kernelOptions = Options{Tolerance: 20 * des.Millisecond}

// missing are the scripts that the stack does not pass yet, each with what is
// missing. A script that passes must be taken off.
var missing = map[string]string{}

func conformanceScripts(t testing.TB) []string {
	files, err := Find("testdata/conformance")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 127 {
		t.Fatalf("%d scripts, want 127", len(files))
	}
	return files
}

func name(file string) string {
	rel, _ := filepath.Rel("testdata/conformance", file)
	return filepath.ToSlash(rel)
}

// The stack does what the real kernel did.
func TestConformance(t *testing.T) {
	var c Counts
	RunFiles(conformanceScripts(t), kernelOptions, 2, func(r *Result) {
		c.Add(r)
		why, listed := missing[name(r.Script)]
		switch {
		case r.Status == Passed && listed:
			t.Errorf("%s passes: take it off the list (it said: %s)", r.Script, why)
		case r.Status != Passed && !listed:
			t.Error(r.Text())
		}
	})
	if c.Passed+c.Failed+c.Unsupported != 127 || c.Failed+c.Unsupported != len(missing) {
		t.Errorf("%v, with %d listed as failing", c, len(missing))
	}
}

// A script whose last expected acknowledgement number is another fails, as it
// did on the real kernel: the comparison compares.
func TestConformanceControl(t *testing.T) {
	n := 0
	for _, file := range conformanceScripts(t) {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		wrong, ok := spoilAck(string(src))
		if _, listed := missing[name(file)]; !ok || listed {
			continue
		}
		n++
		s, err := Parse(file, []byte(wrong))
		if err != nil {
			t.Fatal(err)
		}
		r := Run(s, kernelOptions)
		if r.Status != Failed || !strings.Contains(r.Reason, "acknowledgement number") {
			t.Errorf("%s with a wrong acknowledgement number: %s", file, r.Text())
		}
	}
	if n < 110 {
		t.Errorf("only %d scripts expect an acknowledgement", n)
	}
}

// spoilAck appends a digit to the acknowledgement number of the last expected segment
// that has one.
func spoilAck(src string) (string, bool) {
	lines := strings.Split(src, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		at := strings.Index(lines[i], " ack ")
		if !strings.Contains(lines[i], " > ") || at < 0 || strings.HasPrefix(lines[i], "//") {
			continue
		}
		at += len(" ack ")
		end := at
		for end < len(lines[i]) && isDigit(lines[i][end]) {
			end++
		}
		lines[i] = lines[i][:at] + lines[i][at:end] + "7" + lines[i][end:]
		if end-at > 8 {
			continue
		}
		return strings.Join(lines, "\n"), true
	}
	return "", false
}

// Results do not depend on the number of workers.
func TestWorkers(t *testing.T) {
	files := conformanceScripts(t)
	texts := map[int]string{}
	for _, workers := range []int{1, 7} {
		var b bytes.Buffer
		var all []*Result
		RunFiles(files, Options{Tolerance: des.Microsecond}, workers, func(r *Result) { all = append(all, r) })
		if err := WriteJSON(&b, all); err != nil {
			t.Fatal(err)
		}
		texts[workers] = b.String()
	}
	if texts[1] != texts[7] {
		t.Error("results of 1 and of 7 workers differ")
	}
}

func BenchmarkConformance(b *testing.B) {
	files := conformanceScripts(b)
	for b.Loop() {
		RunFiles(files, kernelOptions, 1, func(*Result) {})
	}
}
