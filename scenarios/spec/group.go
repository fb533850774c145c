package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// Members returns the names of the hosts that h stands for: its own, or those of
// a group, NAME1 to NAMEn.
func (h *Host) Members() []string {
	if h.Count == nil {
		return []string{h.Name}
	}
	names := make([]string, *h.Count)
	for i := range names {
		names[i] = h.Name + strconv.Itoa(i+1)
	}
	return names
}

// MembersOf returns the names of the nodes that an end of a link or a host of a
// workload stands for: a router, a host or the members of a group.
func (s *Scenario) MembersOf(name string) []string {
	if h := s.Host(name); h != nil {
		return h.Members()
	}
	return []string{name}
}

// HostNames returns the names of all hosts, those of groups included.
func (s *Scenario) HostNames() []string {
	var names []string
	for i := range s.Hosts {
		names = append(names, s.Hosts[i].Members()...)
	}
	return names
}

// maxHosts bounds the hosts of a scenario.
const maxHosts = 20_000

// checkGroups checks that the names of members are free, and that a link joins
// at most one group.
func (d *decoder) checkGroups() {
	s := d.scenario
	total := 0
	for i := range s.Hosts {
		h := &s.Hosts[i]
		if h.Count == nil {
			total++
			continue
		}
		if total += max(0, *h.Count); total > maxHosts {
			d.report(h.Pos, fmt.Sprintf("count: more than %d hosts in all", maxHosts))
			return
		}
		for _, name := range h.Members() {
			if o, taken := d.owners[name]; taken || has(s.Routers, name) {
				what := "a router"
				if taken {
					what = o.what
				}
				d.report(h.Pos, fmt.Sprintf("count: the host %s of this group has the name of %s (choose another)", name, what))
				break
			}
		}
	}
	for i := range s.Links {
		a, b := s.Host(s.Links[i].Ends[0]), s.Host(s.Links[i].Ends[1])
		if a != nil && b != nil && a.Count != nil && b.Count != nil {
			d.report(s.Links[i].Pos, fmt.Sprintf("ends: %s and %s are both groups (join each to a router)", a.Name, b.Name))
		}
	}
}

// surveyGroup remembers how many hosts a group has, before anything is decoded.
func (d *decoder) surveyGroup(name string, host *node) {
	count := host.get("count")
	if count == nil || count.kind != scalarNode || count.bad || count.null {
		return
	}
	if n, err := strconv.Atoi(count.text()); err == nil && n > 0 {
		if d.groups == nil {
			d.groups = map[string]int{}
		}
		d.groups[name] = n
	}
}

// group returns the group that a host is a member of by its name, such as client
// for client3, or the name itself.
func (d *decoder) group(name string) string {
	stem := strings.TrimRight(name, "0123456789")
	for ; len(stem) < len(name); stem = name[:len(stem)+1] {
		n, err := strconv.Atoi(name[len(stem):])
		if err == nil && n >= 1 && n <= d.groups[stem] && name == stem+strconv.Itoa(n) {
			return stem
		}
	}
	return name
}

// Owners returns the owners of all metrics that expectations, figures and a sweep
// name.
func (s *Scenario) Owners() map[string]bool {
	owners := map[string]bool{}
	add := func(names []string) {
		for _, name := range names {
			owner, _, _ := strings.Cut(name, ".")
			owners[owner] = true
		}
	}
	for i := range s.Expect {
		add(s.Expect[i].Metrics())
	}
	for i := range s.Figures {
		add(s.Figures[i].Series)
	}
	if s.Sweep != nil {
		add(s.Sweep.Metrics)
	}
	return owners
}
