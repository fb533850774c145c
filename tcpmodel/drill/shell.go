package drill

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tcplab/des"
)

// shellEffect is what a shell command does to the stack under test.
type shellEffect struct {
	sysctls []setting
	// sleep is how long the command takes.
	sleep des.Time
	// fill is how many connections fill-accept-queue.sh opens.
	fill int
	// oneSegment: the device takes no segments above the MSS.
	oneSegment bool
	// segments: what the stack hands to the device at once arrives as
	// segments.
	segments bool
	// flush: what is known of peers is forgotten.
	flush bool
	// counts: counters are read, of which those named have to have grown
	// since they were read before.
	counts bool
	grown  []string
}

// maxShellFiles bounds how many files commands may name in turn.
const maxShellFiles = 10

// shell reads the commands of a script, which are never executed.
type shell struct {
	dir   string
	files int
	shellEffect
}

// effectOf returns what the command does. The error says which part of it is
// unsupported.
func effectOf(dir, text string) (shellEffect, error) {
	sh := &shell{dir: dir}
	err := sh.run(text)
	return sh.shellEffect, err
}

func (sh *shell) run(text string) error {
	commands, err := splitCommands(text)
	if err != nil {
		return err
	}
	for _, words := range commands {
		if err := sh.command(words); err != nil {
			return err
		}
	}
	return nil
}

func (sh *shell) command(words []string) error {
	name := words[0]
	if filepath.Base(name) == "nstat" {
		return sh.nstat(words)
	}
	for _, w := range words {
		if w == "|" {
			return fmt.Errorf("command %q has a pipe", strings.Join(words, " "))
		}
	}
	switch base := filepath.Base(name); {
	case base == "sysctl", base == "set_sysctls.py":
		return sh.sysctl(words)
	case base == "fill-accept-queue.sh":
		return sh.fillQueue(words)
	case base == "sleep" && len(words) == 2:
		v, err := strconv.ParseFloat(words[1], 64)
		if err != nil || v < 0 || v > 1e6 {
			return fmt.Errorf("command %q: want seconds", strings.Join(words, " "))
		}
		sh.sleep += des.Time(v * float64(des.Second))
	case base == "true", base == "echo", base == ":":
	case base == "ip":
		return sh.ip(words)
	case base == "tc":
		return sh.tc(words)
	case base == "ethtool":
		return sh.ethtool(words)
	case strings.HasSuffix(base, ".sh"):
		return sh.file(name)
	default:
		return fmt.Errorf("command %q", strings.Join(words, " "))
	}
	return nil
}

func (sh *shell) sysctl(words []string) error {
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "-") {
			continue
		}
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			return fmt.Errorf("command %q: %q is not NAME=VALUE", strings.Join(words, " "), w)
		}
		if path, ok := strings.CutPrefix(name, "/proc/sys/"); ok {
			name = strings.ReplaceAll(path, "/", ".")
		}
		value, err := arithmetic(value)
		if err != nil {
			return fmt.Errorf("command %q: %w", strings.Join(words, " "), err)
		}
		sh.sysctls = append(sh.sysctls, setting{name: name, value: value})
	}
	return nil
}

// arithmetic replaces $((a*b)) by its value.
func arithmetic(s string) (string, error) {
	for {
		i := strings.Index(s, "$((")
		if i < 0 {
			break
		}
		n := strings.Index(s[i:], "))")
		if n < 0 {
			return "", fmt.Errorf("no )) after $((")
		}
		v, err := evaluate(s[i+3:i+n], nil)
		if err != nil {
			return "", err
		}
		s = s[:i] + v.String() + s[i+n+2:]
	}
	if strings.Contains(s, "$") {
		return "", fmt.Errorf("%q has a shell variable", s)
	}
	return s, nil
}

func (sh *shell) fillQueue(words []string) error {
	n := 1
	if len(words) > 1 {
		var err error
		if n, err = strconv.Atoi(words[1]); err != nil || n < 0 || n > 10000 {
			return fmt.Errorf("command %q: want a number of connections", strings.Join(words, " "))
		}
	}
	sh.fill += n
	sh.sleep += 50 * des.Millisecond
	return nil
}

// ip takes the ip commands that have no effect on what TCP does here.
func (sh *shell) ip(words []string) error {
	text := strings.Join(words, " ")
	switch {
	case strings.HasPrefix(text, "ip tcp_metrics flush"):
		sh.flush = true
		return nil
	case strings.HasPrefix(text, "ip link set dev tun0 gso_max_segs "):
		sh.oneSegment = words[len(words)-1] == "1"
		return nil
	}
	return fmt.Errorf("command %q", text)
}

// nstat reads counters: nstat alone, or nstat | grep COUNTER, which fails unless
// it has grown.
func (sh *shell) nstat(words []string) error {
	switch {
	case len(words) == 1:
	case len(words) == 4 && words[1] == "|" && words[2] == "grep" && hasCounter(words[3]):
		sh.grown = append(sh.grown, words[3])
	default:
		return fmt.Errorf("command %q (nstat reads counters that the stack has)", strings.Join(words, " "))
	}
	sh.counts = true
	return nil
}

// ethtool takes the commands that turn segmentation offload off.
func (sh *shell) ethtool(words []string) error {
	off := map[string]bool{}
	if len(words) > 3 && words[1] == "-K" && len(words)%2 == 1 {
		for i := 3; i < len(words); i += 2 {
			off[words[i]] = words[i+1] == "off"
		}
	}
	if len(off) != 2 || !off["gso"] || !off["tso"] {
		return fmt.Errorf("command %q", strings.Join(words, " "))
	}
	sh.segments = true
	return nil
}

// tc takes queueing disciplines that pass packets on as they come.
func (sh *shell) tc(words []string) error {
	text := strings.Join(words, " ")
	switch {
	case strings.HasPrefix(text, "tc qdisc del"):
		return nil
	case strings.HasSuffix(text, " root pfifo"), strings.HasSuffix(text, " root pfifo_fast"), strings.HasSuffix(text, " root noqueue"):
		return nil
	}
	return fmt.Errorf("command %q", text)
}

// file reads the commands of a shell script, from the folder of the script that
// names it.
func (sh *shell) file(name string) error {
	if strings.Contains(name, "$") {
		return fmt.Errorf("command %q", name)
	}
	if sh.files++; sh.files > maxShellFiles {
		return fmt.Errorf("command %q: more than %d files name one another", name, maxShellFiles)
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(sh.dir, name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("command file: %w", err)
	}
	if err := sh.run(string(text)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
