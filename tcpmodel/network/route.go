package network

import (
	"container/heap"
	"math"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// distance orders paths: least delay, then fewest hops.
type distance struct {
	delay des.Time
	hops  int
}

func (d distance) less(e distance) bool {
	return d.delay < e.delay || d.delay == e.delay && d.hops < e.hops
}

var unreached = distance{des.Never, math.MaxInt}

// route fills the tables of all routers, and of hosts that have a choice.
func (n *Network) route() {
	size := segment.Node(0)
	place := map[segment.Node]int{}
	for i := range n.nodes {
		v := &n.nodes[i]
		if v.host != nil || v.router != nil {
			place[v.first], size = i, v.first+1
		}
	}
	ends := make([]int, len(n.links))
	for i, l := range n.links {
		ends[i] = place[l.to]
	}
	for i := range n.nodes {
		v := &n.nodes[i]
		r := v.router
		if v.host != nil && len(v.links) != 1 {
			r = &v.host.egress
		}
		if r == nil {
			continue
		}
		port := n.firstLinks(i, ends)
		r.table, r.ports = make([]uint32, size), []*Link{nil}
		for _, l := range v.links {
			r.ports = append(r.ports, n.links[l])
		}
		r.ranges = nil
		for j, p := range port {
			if j != i && p > 0 {
				r.table[n.nodes[j].first] = uint32(p)
			}
		}
		for j := range n.nodes {
			x := &n.nodes[j]
			if x.home == 0 {
				continue
			}
			if p := port[place[x.home]]; p > 0 && x.home != v.first {
				r.ranges = append(r.ranges, rangeRoute{x.first, x.count, uint32(p)})
			}
		}
	}
}

// firstLinks returns, for every node, which of the links of node start (from 1,
// 0 is none) its shortest path takes: Dijkstra's algorithm. A path runs through
// routers only. Of equal paths the one over the earlier link counts; as a hop
// makes a path longer, all of them are known when a node is settled, and
// routers that choose differently among equal paths cannot form a loop.
func (n *Network) firstLinks(start int, ends []int) []int {
	best, first := make([]distance, len(n.nodes)), make([]int, len(n.nodes))
	for i := range best {
		best[i] = unreached
	}
	best[start] = distance{}
	open := &frontier{{start, distance{}}}
	for open.Len() > 0 {
		c := heap.Pop(open).(candidate)
		if best[c.node].less(c.at) || c.node != start && n.nodes[c.node].host != nil {
			continue
		}
		for k, l := range n.nodes[c.node].links {
			via := first[c.node]
			if c.node == start {
				via = k + 1
			}
			at := distance{c.at.delay + n.links[l].delay, c.at.hops + 1}
			to := ends[l]
			switch {
			case at.less(best[to]):
				best[to], first[to] = at, via
				heap.Push(open, candidate{to, at})
			case at == best[to]:
				first[to] = min(first[to], via)
			}
		}
	}
	return first
}

type candidate struct {
	node int
	at   distance
}

type frontier []candidate

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return f[i].at.less(f[j].at) }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(x any)        { *f = append(*f, x.(candidate)) }
func (f *frontier) Pop() any {
	last := len(*f) - 1
	c := (*f)[last]
	*f = (*f)[:last]
	return c
}

// Pair is two hosts.
type Pair struct{ A, B segment.Node }

// Unreachable returns the pairs of hosts between which there is no path, in the
// order of their numbers.
func (n *Network) Unreachable() []Pair {
	area := n.areas()
	var pairs []Pair
	for i := range n.nodes {
		for j := i + 1; j < len(n.nodes); j++ {
			if n.nodes[i].host != nil && n.nodes[j].host != nil && !n.joined(i, j, area) {
				pairs = append(pairs, Pair{n.nodes[i].first, n.nodes[j].first})
			}
		}
	}
	return pairs
}

// areas numbers the connected sets of routers: for each node the number of its
// set, 0 for a host.
func (n *Network) areas() map[segment.Node]int {
	area := map[segment.Node]int{}
	count := 0
	for i := range n.nodes {
		if n.nodes[i].router == nil || area[n.nodes[i].first] != 0 {
			continue
		}
		count++
		for todo := []segment.Node{n.nodes[i].first}; len(todo) > 0; {
			v := n.find(todo[len(todo)-1])
			todo = todo[:len(todo)-1]
			area[v.first] = count
			for _, l := range v.links {
				to := n.links[l].to
				if n.find(to).router != nil && area[to] == 0 {
					todo = append(todo, to)
				}
			}
		}
	}
	return area
}

// joined reports whether hosts i and j have a link between them or links to the
// same area.
func (n *Network) joined(i, j int, area map[segment.Node]int) bool {
	for _, a := range n.nodes[i].links {
		to := n.links[a].to
		if to == n.nodes[j].first {
			return true
		}
		for _, b := range n.nodes[j].links {
			if at := area[to]; at != 0 && at == area[n.links[b].to] {
				return true
			}
		}
	}
	return false
}
