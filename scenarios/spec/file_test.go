package spec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tcplab/scenarios/quantity"
)

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	large := write("large.yaml", nil)
	if err := os.Truncate(large, 50<<20); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{dir, dir + ": is a directory (name a scenario file in it, such as " + dir + "/NAME.yaml)"},
		{filepath.Join(dir, "none.yaml"), filepath.Join(dir, "none.yaml") + ": no such file (tcplab list shows the scenarios that need no file)"},
		{large, large + ": 52428800 bytes are too many for a scenario (at most 1MiB; is this the right file?)"},
		{write("empty.yaml", nil), filepath.Join(dir, "empty.yaml") + ":1:1: the file is empty (a scenario begins with the line version: 1)"},
		{os.DevNull, os.DevNull + ":1:1: the file is empty (a scenario begins with the line version: 1)"},
	} {
		_, err := LoadFile(c.path, nil, testRegistry())
		var list Errors
		if !errors.As(err, &list) || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.path, err, c.want)
		}
	}
	s, err := LoadFile("testdata/good/syn-flood.yaml", map[string]string{"flood_rate": "2000/s"}, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if rate := s.Workload("flood").Config.(*floodConfig).Rate; rate != 2000 {
		t.Errorf("the flood has %v", rate)
	}
	if _, err := Load("x.yaml", make([]byte, MaxBytes+1), nil, testRegistry()); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("too many bytes: %v", err)
	}
}

// TestSketch reads what the design's example says.
func TestSketch(t *testing.T) {
	s, err := LoadFile("testdata/good/syn-flood.yaml", nil, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	second := quantity.Duration(time.Second)
	if s.Duration != 180*second || s.Seed != 1 || s.Measure.Warmup != 5*second {
		t.Errorf("duration %v, seed %d, warmup %v", s.Duration, s.Seed, s.Measure.Warmup)
	}
	if len(s.Routers) != 1 || s.Routers[0] != "core" {
		t.Errorf("routers %v", s.Routers)
	}
	if h := s.Host("attacker"); h == nil || h.Profile != "linux" {
		t.Errorf("attacker %+v", h)
	}
	if k := s.Host("server").Sysctl; len(k) != 3 || k[0].Value != int64(128) || k[2].Value != true {
		t.Errorf("sysctl %+v", k)
	}
	first, back := s.Links[0].Directions()
	if first != back || first.Queue != (Queue{Discipline: "droptail", Limit: quantity.Limit{Packets: 250}}) || first.Rate != 100e6 || s.Links[0].Name != "client_core" {
		t.Errorf("link %+v", s.Links[0])
	}
	if d, _ := s.Links[2].Directions(); d.Loss != 0.001 || d.Queue.Limit.Packets != 1000 {
		t.Errorf("link %+v", s.Links[2])
	}
	flood := s.Workload("flood")
	if c := flood.Config.(*floodConfig); c.Rate != 1000 || *c.Until != 120*second || flood.On != "attacker" {
		t.Errorf("flood %+v", flood)
	}
	if at := flood.At("rate"); at != (Pos{21, 71}) {
		t.Errorf("the rate is at %v", at)
	}
	if err := s.Problem(flood.At("rate"), "too fast"); err.Error() != "testdata/good/syn-flood.yaml:21:71: too fast" {
		t.Errorf("got %v", err)
	}
	if len(s.Expect) != 2 || len(s.Figures) != 1 || s.Figures[0].Series[1] != "legit.connect_success" || len(s.Warnings) != 0 {
		t.Errorf("%v %v %v", s.Expect, s.Figures, s.Warnings)
	}
	want := "PARAMETER   DEFAULT  MEANING\nflood_rate  1000/s   spoofed SYNs per second (Poisson)\nbacklog     128\nsyncookies  0\n"
	if got := s.ParamsText(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestEncodings loads the lines of other systems.
func TestEncodings(t *testing.T) {
	text := string(read(t, "testdata/good/syn-flood.yaml"))
	for name, other := range map[string]string{
		"carriage returns": strings.ReplaceAll(text, "\n", "\r\n"),
		"byte order mark":  "\ufeff" + text,
		"no last newline":  strings.TrimSuffix(text, "\n"),
	} {
		if _, err := Load("x.yaml", []byte(other), nil, testRegistry()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong := strings.ReplaceAll(strings.Replace(text, "delay: 20ms", "delay: 20", 1), "\n", "\r\n")
	_, err := Load("x.yaml", []byte(wrong), map[string]string{"bac\x1bklog": "a\nb"}, testRegistry())
	want := "x.yaml: --set \"bac\\x1bklog\"=\"a\\nb\": there is no parameter \"bac\\x1bklog\" (did you mean backlog?)\n" +
		"x.yaml:15:37: delay: \"20\" has no unit (write 20ms or 20s)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// BenchmarkLoad is the time to load the example.
func BenchmarkLoad(b *testing.B) {
	data, err := os.ReadFile("testdata/good/syn-flood.yaml")
	if err != nil {
		b.Fatal(err)
	}
	reg := testRegistry()
	for b.Loop() {
		if _, err := Load("x.yaml", data, nil, reg); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOverrides(t *testing.T) {
	s, err := LoadFile("testdata/good/everything.yaml", nil, testRegistry())
	if err != nil {
		t.Fatal(err)
	}
	l := s.Links[1]
	forward, backward := l.Directions()
	if forward.Rate != 10e6 || backward.Rate != 1e6 || forward.Loss != 0.01 || backward.Loss != 0 ||
		backward.Queue != (Queue{Discipline: "codel", Limit: quantity.Limit{Bytes: 65536}}) || forward.Queue.Discipline != "droptail" {
		t.Errorf("%+v\n%+v", forward, backward)
	}
	if l.Faults[0] != (Fault{Pos: l.Faults[0].Pos, Direction: "backward", Kind: "syn_ack", Ordinal: 2, Action: "drop"}) {
		t.Errorf("%+v", l.Faults[0])
	}
	if s.Sweep == nil || s.Sweep.Grid.Points() != 6 || s.Sweep.Replications != 10 {
		t.Errorf("%+v", s.Sweep)
	}
}

// TestRegistryCheck finds mistakes in tags.
func TestRegistryCheck(t *testing.T) {
	if err := testRegistry().Check(); err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]any{
		"no doc": new(struct {
			A int `key:"a"`
		}),
		"default": new(struct {
			A quantity.Duration `key:"a" default:"20" doc:"x"`
		}),
		"bound": new(struct {
			A int `key:"a" min:"one" doc:"x"`
		}),
		"type": new(struct {
			A map[string]int `key:"a" doc:"x"`
		}),
		"twice": new(struct {
			A int `key:"a" doc:"x"`
			B int `key:"a" doc:"x"`
		}),
		"taken": new(struct {
			A int `key:"on" doc:"x"`
		}),
		"both": new(struct {
			A int `key:"a" doc:"x" default:"1" required:"true"`
		}),
		"no struct": new(int),
	} {
		r := &Registry{Kinds: []Kind{{Name: "k", Doc: "d", New: func() any { return config }}}}
		if err := r.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzLoad looks for panics, for problems out of order or out of the file, and
// for scenarios that do not survive Resolved.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, "20/s")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		s, err := Load("f.yaml", data, map[string]string{"rate": value}, testRegistry())
		if err == nil {
			resolvedTwice(t, s)
			return
		}
		list := err.(Errors)
		lines := strings.Count(string(data), "\n") + 1
		for i, p := range list {
			if i > 0 && p.before(list[i-1].Pos) || p.Line > lines || p.Text == "" {
				t.Fatalf("problem %d of %v", i, list)
			}
		}
	})
}
