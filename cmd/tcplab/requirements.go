package main

import (
	"fmt"
	"slices"
	"strings"

	"tcplab/tcpmodel/requirements"
)

// printRequirements prints the conformance matrix of RFC 9293: what each
// requirement is about, how it stands, and the tests that show it.
func (a *app) printRequirements() {
	list := requirements.List()
	areas := areasOf(list)
	slices.SortStableFunc(list, func(x, y requirements.Requirement) int {
		return slices.Index(areas, x.Area) - slices.Index(areas, y.Area)
	})
	area := ""
	for _, r := range list {
		if r.Area != area {
			if area != "" {
				a.print("\n")
			}
			area = r.Area
			a.print("%s\n", area)
		}
		a.printRequirement(r)
	}
	a.print("\n")
	a.countRequirements(list)
}

// areasOf lists the areas in the order in which the RFC comes to them.
func areasOf(list []requirements.Requirement) (areas []string) {
	for _, r := range list {
		if !slices.Contains(areas, r.Area) {
			areas = append(areas, r.Area)
		}
	}
	return areas
}

func (a *app) printRequirement(r requirements.Requirement) {
	const indent = 25
	head := "  " + pad(r.ID, 9) + pad(r.Status.String(), indent-11)
	more := func(text string) {
		for _, line := range wrap(text, terminalWidth-indent) {
			a.print("%s%s\n", head, line)
			head = strings.Repeat(" ", indent)
		}
	}
	more(r.Summary + " (" + r.Section + ")")
	if r.Why != "" {
		more("- " + r.Why)
	}
	for _, test := range r.Tests {
		more(test.String())
	}
}

// countRequirements prints how many of each level stand how.
func (a *app) countRequirements(list []requirements.Requirement) {
	heading := pad("", 12)
	for s := range requirements.NumStatuses {
		heading += fmt.Sprintf("%14s", s)
	}
	a.print("%s%10s\n", heading, "all")
	for _, level := range []string{"MUST", "SHOULD", "MAY", "RECOMMENDED", "all"} {
		var n [requirements.NumStatuses]int
		sum := 0
		for _, r := range list {
			if r.Level == level || level == "all" {
				n[r.Status]++
				sum++
			}
		}
		line := pad(level, 12)
		for _, k := range n {
			line += fmt.Sprintf("%14d", k)
		}
		a.print("%s%10d\n", line, sum)
	}
}
