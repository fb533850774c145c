package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tcplab/scenarios/capture"
)

// analyzeOptions are the flags of analyze.
type analyzeOptions struct {
	conn         int
	ladder, json bool
}

func (a *app) analyzeCommand() *cobra.Command {
	o := &analyzeOptions{}
	cmd := &cobra.Command{
		Use:   "analyze FILE.pcap[ng]",
		Short: "Say what a capture shows of each TCP connection",
		Long: `Read a capture, pcap or pcapng, compressed or not, of tcpdump, Wireshark or
tcplab itself, and say of each TCP connection how long the handshake took, what
was sent again, through which states both ends went, and who closed. FILE is -
for standard input.

To lay a measured trace beside a simulated one, capture the simulation where the
measured one was captured (tcplab run --pcap=HOST), and compare two reports: times
count from the first packet and numbers from the first byte in both.`,
		Example: `  tcplab analyze trace.pcapng
  tcplab analyze trace.pcapng --conn 3 --ladder
  tcpdump -w - tcp | tcplab analyze - --json
  diff -y -W 165 <(tcplab analyze real.pcap --conn 1 --ladder) \
                 <(tcplab analyze results/NAME/packets.pcapng --conn 1 --ladder)`,
		Args: needs(1, "one FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.analyze(cmd.InOrStdin(), args[0], o) },
	}
	f := cmd.Flags()
	f.IntVar(&o.conn, "conn", 0, "only connection number `N`")
	f.BoolVar(&o.ladder, "ladder", false, "print the segments of each connection, too")
	f.BoolVar(&o.json, "json", false, "print everything as JSON and nothing else")
	return cmd
}

func (a *app) analyze(stdin io.Reader, name string, o *analyzeOptions) error {
	if o.conn < 0 {
		return usageError{fmt.Errorf("--conn %d: connections are numbered from 1", o.conn)}
	}
	report, broken := analyzeFile(stdin, name, o)
	if report == nil {
		return broken
	}
	if o.conn > len(report.Connections) {
		return errors.Join(usageError{fmt.Errorf("--conn %d: %s has %d connections", o.conn, name, len(report.Connections))}, broken)
	}
	if o.json {
		if o.conn > 0 {
			report.Connections = report.Connections[o.conn-1 : o.conn]
		}
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		return errors.Join(e.Encode(report), broken)
	}
	err := capture.WriteText(a.out, report, capture.TextOptions{Only: o.conn, Ladder: o.ladder, Comments: o.ladder})
	return errors.Join(err, broken)
}

// analyzeFile reads a capture. With an error the report, if there is one, is
// of what came before it.
func analyzeFile(stdin io.Reader, name string, o *analyzeOptions) (*capture.Report, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, usageError{err}
		}
		defer file.Close()
		in = file
	}
	options := capture.Options{}
	if o.conn > 0 {
		options.Ladders = -1
	}
	if o.json && !o.ladder {
		options.Ladder, options.Ladders = 1, 1
	}
	report, err := options.Analyze(in)
	if o.json && !o.ladder && report != nil {
		for _, c := range report.Connections {
			c.Ladder, c.LadderOmitted, c.LadderGap = nil, 0, 0
		}
	}
	if err != nil {
		return report, usageError{fmt.Errorf("%s: %w", name, err)}
	}
	return report, nil
}
