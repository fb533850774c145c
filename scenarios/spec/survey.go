package spec

import (
	"fmt"

	"tcplab/scenarios/quantity"
)

// owner is what stands before the point in owner.quantity.
type owner struct {
	what string
	// metrics is the catalogue, nil if any name goes.
	metrics []Metric
}

// survey collects, before decoding, the names that later parts of the file
// refer to: which ends are linked, who owns metrics.
func (d *decoder) survey(root *node) {
	d.owners = map[string]owner{}
	if hosts := root.get("hosts"); hosts != nil && hosts.kind == mappingNode {
		for i, key := range hosts.keys {
			d.own(key, key.value, owner{"a host", d.registry.HostMetrics})
			d.surveyGroup(key.value, hosts.items[i])
		}
	}
	d.surveyLinks(root.get("links"))
	d.surveyMiddleboxes(root.get("middleboxes"))
	workloads := root.get("workloads")
	if workloads == nil || workloads.kind != sequenceNode {
		return
	}
	for _, w := range workloads.items {
		d.surveyKinded(w, "a workload", d.registry.Kinds)
	}
}

// own enters an owner of metrics. Names are unique, since metrics carry them.
func (d *decoder) own(at *node, name string, o owner) {
	if other, ok := d.owners[name]; ok {
		d.fail(at, "the name %s is taken by %s (metrics carry it: choose another)", quote(name), other.what)
		return
	}
	d.owners[name] = o
	d.names = append(d.names, name)
}

// surveyLinks finds the routers and what is connected.
func (d *decoder) surveyLinks(links *node) {
	d.reach = &reach{parent: map[string]string{}, links: map[string][]string{}}
	d.reach.broken = d.topologyBad
	if links == nil || links.kind != sequenceNode {
		return
	}
	used := map[string]int{}
	var ends []*node
	for _, l := range links.items {
		pair := l.get("ends")
		d.reach.broken = d.reach.broken || pair == nil || pair.bad
		if pair == nil || pair.kind != sequenceNode || len(pair.items) != 2 {
			continue
		}
		a, b := pair.items[0], pair.items[1]
		if !d.end(a) || !d.end(b) {
			d.reach.broken = true
			continue
		}
		ends = append(ends, a, b)
		if a.text() == b.text() {
			d.fail(b, "ends: a link from %s to itself (name two hosts or routers)", quote(a.text()))
			continue
		}
		used[a.text()]++
		used[b.text()]++
		d.reach.join(a.text(), b.text())
		d.ownLink(l, a.text()+"_"+b.text(), pair)
	}
	d.routers(ends, used)
}

func (d *decoder) end(n *node) bool {
	if n.kind != scalarNode || n.null || n.bad {
		return false
	}
	if !quantity.ValidName(n.text()) {
		d.fail(n, "ends: %s is not a name (a name is a small letter, then small letters, digits and _)", quote(n.text()))
		return false
	}
	return true
}

func (d *decoder) ownLink(l *node, name string, at *node) {
	if given := l.get("name"); given != nil && given.kind == scalarNode && !given.null && !given.bad {
		name, at = given.text(), given
		if !quantity.ValidName(name) {
			d.fail(given, "name: %s is not a name for a link (a name is a small letter, then small letters, digits and _)", quote(name))
			return
		}
	} else if other, ok := d.owners[name]; ok && other.what == "a link" {
		d.fail(at, "ends: another link joins the same two (give each a name of its own: name: NAME)")
		return
	}
	d.own(at, name, owner{"a link", d.registry.LinkMetrics})
	d.own(at, name+Backward, owner{"a link", d.registry.LinkMetrics})
}

// routers tells routers from misspelt hosts: a router has two links or more.
func (d *decoder) routers(ends []*node, used map[string]int) {
	known := d.hosts[:len(d.hosts):len(d.hosts)]
	declared, seen := map[string]bool{}, map[string]bool{}
	for _, h := range d.hosts {
		declared[h] = true
	}
	for _, n := range ends {
		if name := n.text(); used[name] >= 2 && !declared[name] && !seen[name] {
			known = append(known, name)
			seen[name] = true
		}
	}
	clear(seen)
	for _, n := range ends {
		name := n.text()
		if declared[name] || seen[name] {
			continue
		}
		seen[name] = true
		if used[name] >= 2 {
			if _, taken := d.owners[name]; taken {
				d.fail(n, "ends: the router %s has the name of a link (choose another)", quote(name))
			}
			d.scenario.Routers = append(d.scenario.Routers, name)
			continue
		}
		d.reach.broken = true
		hint := fmt.Sprintf("(declare it: hosts: {%s: {}}; or give it a second link, and it is a router)", name)
		if near := nearest(name, known); near != "" {
			hint = fmt.Sprintf("(did you mean %s? otherwise declare it under hosts, or give it a second link, and it is a router)", near)
		}
		d.fail(n, "ends: %s is no host, and as a router it would lead nowhere %s", quote(name), hint)
	}
}
