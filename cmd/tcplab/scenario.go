package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// input is how a scenario is named on the command line.
type input struct {
	set  settings
	seed uint64
}

// settings are the values of --set, by parameter.
type settings map[string]string

// Set implements pflag.Value.
func (s settings) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return fmt.Errorf("%q is not of the form PARAMETER=VALUE", text)
	}
	if _, twice := s[name]; twice {
		return fmt.Errorf("%s is set twice", name)
	}
	s[name] = value
	return nil
}

// String implements pflag.Value.
func (s settings) String() string { return "" }

// Type implements pflag.Value.
func (s settings) Type() string { return "PARAMETER=VALUE" }

func (in *input) addFlags(flags *pflag.FlagSet) {
	in.set = settings{}
	flags.Var(in.set, "set", "give a parameter another value (repeatable)")
	flags.Uint64Var(&in.seed, "seed", 0, "begin the random numbers with `N` (default the scenario's seed)")
}

// load reads a scenario and tells of its warnings.
func (a *app) load(cmd *cobra.Command, ref string, in *input, quiet bool) (*spec.Scenario, error) {
	sc, err := scenarios.Load(ref, in.set, scenarios.Registry())
	if err == nil && sc.Sweep != nil {
		err = checkTheory(sc)
	}
	if err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("seed") {
		sc.Seed = in.seed
	}
	for _, w := range sc.Warnings {
		if !quiet {
			a.note("warning: %s", w)
		}
	}
	return sc, nil
}

// completeScenario completes the names of scenarios; files are completed by the
// shell.
func completeScenario(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return scenarioNames(), cobra.ShellCompDirectiveDefault
}

func scenarioNames() []string {
	list, err := scenarios.List()
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name+"\t"+e.Title)
	}
	return names
}

// completeSet completes the parameters of the scenario that is named.
func completeSet(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	sc, err := scenarios.Load(args[0], nil, scenarios.Registry())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, p := range sc.Params {
		out = append(out, p.Name+"=\t"+p.Doc)
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
