package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
)

const terminalWidth = 80

func (a *app) metricsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "metrics",
		Short: "List what is measured, for expectations and figures",
		Long: `List what is measured of workloads, hosts, middleboxes and links. An expectation
names a metric as OWNER.NAME, where the owner is what bears that name; what is
marked ~ is a series, too, and what is marked : is a distribution, which an ecdf
shows. What is listed under connection is a series of a bulk transfer for
figures, WORKLOAD.cwnd, and is kept if one names it or is of kind congestion.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.printMetrics(slices.Concat(measure.Catalogue(), measure.FlowQuantities()))
			return nil
		},
	}
}

func (a *app) printMetrics(list []measure.Quantity) {
	kind := ""
	for i, q := range list {
		if q.Of != kind {
			if kind != "" {
				a.print("\n")
			}
			kind = q.Of
			a.print("%s\n", kind)
		}
		mark := " "
		if q.SeriesUnit != "" {
			mark = "~"
		}
		a.entry(mark+" "+q.Name, cmp.Or(q.Unit, q.SeriesUnit), q.Doc)
		if i == len(list)-1 || list[i+1].Of != kind {
			for _, d := range measure.DistributionsOf(kind) {
				a.entry(": "+d.Name, d.Unit, d.Doc)
			}
		}
	}
}

// entry prints a name, its unit and what it means, wrapped.
func (a *app) entry(name, unit, doc string) {
	const indent = 39
	for i, line := range wrap(doc, terminalWidth-indent) {
		if i > 0 {
			name, unit = "", ""
		}
		a.print("%s\n", strings.TrimRight(pad(name, 26)+pad(unit, indent-26)+line, " "))
	}
}

// pad fills text up to width, and leaves at least one blank behind it.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(1, width-len([]rune(text))))
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

func (a *app) profilesCommand() *cobra.Command {
	var rfc9293 bool
	cmd := &cobra.Command{
		Use:   "profiles",
		Short: "List the stack profiles and what each sets",
		Long: `List the stack profiles and the value of every setting in each. Settings have
the names of Linux's sysctls; a host overrides them with sysctl: {NAME: VALUE}.

With --rfc9293, list the numbered requirements of RFC 9293 instead: the tests
that show each, or why it is deviated from or out of scope.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if rfc9293 {
				a.printRequirements()
				return nil
			}
			return a.printProfiles()
		},
	}
	cmd.Flags().BoolVar(&rfc9293, "rfc9293", false, "list the requirements of RFC 9293 and the tests that show them")
	return cmd
}

func (a *app) printProfiles() error {
	names := tcpmodel.ProfileNames()
	configs := make([]tcpmodel.Config, len(names))
	for i, name := range names {
		var err error
		if configs[i], err = tcpmodel.Profile(name); err != nil {
			return err
		}
		for k, line := range wrap(tcpmodel.ProfileDoc(name), terminalWidth-11) {
			if k > 0 {
				name = ""
			}
			a.print("%s%s\n", pad(name, 11), line)
		}
	}
	heading := pad("\nSETTING", 28)
	for _, name := range names {
		heading += pad(name, 12)
	}
	a.print("%s\n", strings.TrimRight(heading, " "))
	for _, knob := range tcpmodel.Knobs() {
		row := pad(knob.Name, 27)
		for i := range configs {
			row += pad(knob.Value(&configs[i]), 12)
		}
		a.print("%s\n", strings.TrimRight(row, " "))
		for _, line := range wrap(knob.Doc+" ("+knob.Source+")", terminalWidth-4) {
			a.print("    %s\n", line)
		}
	}
	return nil
}
