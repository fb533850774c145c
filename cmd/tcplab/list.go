package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the scenarios of the library, by topic",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			list, err := scenarios.List()
			if err != nil {
				return err
			}
			width := 0
			for _, e := range list {
				width = max(width, len(e.Name))
			}
			bold := a.styleOf(a.stdout).bold
			for i, e := range list {
				if i == 0 || e.Topic != list[i-1].Topic {
					a.print("%s%s\n", strings.Repeat("\n", min(i, 1)), bold(e.Topic))
				}
				lines := []string{e.Title}
				if isTerminal(a.stdout) {
					lines = wrap(e.Title, terminalWidth-width-4)
				}
				a.print("  %-*s  %s\n", width, e.Name, lines[0])
				for _, line := range lines[1:] {
					a.print("  %-*s  %s\n", width, "", line)
				}
			}
			return nil
		},
	}
}

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Print the file of a scenario of the library",
		Example:           "  tcplab show syn-flood > my.yaml",
		Args:              needs(1, "one NAME"),
		ValidArgsFunction: completeScenario,
		RunE: func(_ *cobra.Command, args []string) error {
			text, ok := scenarios.Source(args[0])
			if !ok {
				hint := "tcplab list names what there is"
				if _, err := os.Stat(args[0]); err == nil {
					hint = "it is a file of yours, which any editor shows"
				}
				return usageError{fmt.Errorf("no scenario %s in the library (%s)", args[0], hint)}
			}
			a.print("%s", text)
			return nil
		},
	}
}

func (a *app) paramsCommand() *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:               "params FILE|NAME",
		Short:             "List the parameters of a scenario, which --set changes",
		Args:              needs(1, "one FILE or NAME"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			sc, err := a.load(cmd, args[0], &in, false)
			if err != nil {
				return err
			}
			a.print("%s", sc.ParamsText())
			return nil
		},
	}
	return cmd
}

func (a *app) schemaCommand() *cobra.Command {
	var reference bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `Print the JSON Schema (draft 7) of scenario files, with which editors complete
keys and explain them; with --reference the same as a page for people.`,
		Example: `  tcplab schema > tcplab.schema.json
  and, as the first line of a scenario:
  # yaml-language-server: $schema=tcplab.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := spec.Schema(scenarios.Registry())
			if reference {
				text = spec.Reference(scenarios.Registry())
			}
			a.print("%s", text)
			return nil
		},
	}
	cmd.Flags().BoolVar(&reference, "reference", false, "print a page in Markdown instead")
	return cmd
}
