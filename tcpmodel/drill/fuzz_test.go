package drill

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// Whatever a script does, the stack goes on: it is fed arbitrary segments, calls
// and times, and nothing panics.
func FuzzRun(f *testing.F) {
	for _, file := range conformanceScripts(f) {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("testdata/conformance/data/x.pkt", src)
		if err != nil {
			return
		}
		for _, e := range s.Events {
			if e.At > 200*des.Second || e.Until > 200*des.Second || len(s.Events) > 100 {
				return
			}
		}
		Run(s, Options{Tolerance: des.Hour})
	})
}

// Scripts of arbitrary segments and calls on one connection: the stack may
// answer what it likes, but it goes on.
func TestRandomScripts(t *testing.T) {
	calls := []string{"write(4, ..., 5000) = ...", "read(4, ..., 700) = ...", "shutdown(4, SHUT_WR) = 0", "shutdown(4, SHUT_RD) = 0", "close(4) = 0",
		"setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0", "setsockopt(4, SOL_TCP, TCP_CORK, [1], 4) = 0", "setsockopt(4, SOL_TCP, TCP_QUICKACK, [0], 4) = 0",
		"setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0", "setsockopt(4, SOL_TCP, TCP_USER_TIMEOUT, [900], 4) = 0",
		"setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0", "setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [1], 4) = 0", "accept(3, ..., ...) = 4", "close(3) = 0"}
	rapid.Check(t, func(t *rapid.T) {
		b := &strings.Builder{}
		sack := rapid.Bool().Draw(t, "sack")
		b.WriteString("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n")
		b.WriteString(map[bool]string{true: "+0 < SEW 0:0(0) win 9000 <mss 1000,sackOK,nop,wscale 7>\n", false: "+0 < S 0:0(0) win 9000\n"}[sack])
		b.WriteString("+0 > S. 0:0(0) ack 1 <...>\n+.1 < . 1:1(0) ack 1 win 500\n+0 accept(3, ..., ...) = 4\n+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0\n")
		number := rapid.SampledFrom([]uint32{0, 1, 2, 500, 1001, 2001, 5001, 5002, 10001, 70000, 1 << 31, 1<<32 - 1})
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			fmt.Fprintf(b, "+%s ", rapid.SampledFrom([]string{"0", ".001", ".01", ".05", ".3", "1.1", "3"}).Draw(t, "time"))
			if rapid.IntRange(0, 2).Draw(t, "call") == 0 {
				b.WriteString(rapid.SampledFrom(calls).Draw(t, "name") + "\n")
				continue
			}
			k := Packet{Flags: segment.Flags(rapid.SampledFrom([]int{0x10, 0x10, 0x10, 0x18, 0x11, 0x04, 0x14, 0x02, 0x12, 0, 0x01, 0x50, 0x90}).Draw(t, "flags")),
				Seq: number.Draw(t, "seq"), Ack: number.Draw(t, "ack"), HasWin: true, Win: rapid.SampledFrom([]uint16{0, 1, 500, 65535}).Draw(t, "win"),
				Len: rapid.SampledFrom([]uint32{0, 0, 1, 500, 1000, 9000}).Draw(t, "len")}
			for range rapid.IntRange(0, 2).Draw(t, "blocks") {
				k.Options = append(k.Options, Option{Kind: OptionSACK, Blocks: []segment.Block{{Left: segment.Seq(number.Draw(t, "left")), Right: segment.Seq(number.Draw(t, "right"))}}})
			}
			if len(k.Options) == 2 {
				k.Options = []Option{{Kind: OptionSACK, Blocks: append(k.Options[0].Blocks, k.Options[1].Blocks...)}}
			}
			b.WriteString(k.String() + "\n")
		}
		s, err := Parse("random.pkt", []byte(b.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		r := newRun(s, Options{Tolerance: des.Hour})
		if err := r.prepare(); err != nil {
			t.Fatal(err)
		}
		for _, e := range s.Events {
			// What the stack answers does not matter here.
			_ = r.event(e)
			r.err, r.blocked, r.last = nil, nil, e
		}
		if err := r.runTo(r.sim.Now() + 10*des.Minute); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
	})
}
