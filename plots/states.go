package plots

import (
	"image/color"
	"slices"
)

// stateColors are the states of RFC 9293 in the order of a connection's life,
// with a colour each. Neighbours differ in lightness, so that they can be told
// apart in grey.
var stateColors = []struct {
	name  string
	color color.NRGBA
}{
	{"CLOSED", rgb(0xFFFFFF)},
	{"LISTEN", rgb(0xDDDDDD)},
	{"SYN-SENT", rgb(0xF0E442)},
	{"SYN-RECEIVED", rgb(0xE69F00)},
	{"ESTABLISHED", rgb(0x0072B2)},
	{"FIN-WAIT-1", rgb(0xCC79A7)},
	{"FIN-WAIT-2", rgb(0x882255)},
	{"CLOSING", rgb(0xF4C7D9)},
	{"TIME-WAIT", rgb(0xA9A9A9)},
	{"CLOSE-WAIT", rgb(0x56B4E9)},
	{"LAST-ACK", rgb(0x004D40)},
}

// StateColors returns the colours of the states of RFC 9293 as style sheets write
// them.
func StateColors() map[string]string {
	out := map[string]string{}
	for _, s := range stateColors {
		out[s.name] = hex(s.color)
	}
	return out
}

// otherColors are for states that RFC 9293 does not know.
var otherColors = []color.NRGBA{rgb(0x009E73), rgb(0xD55E00), rgb(0x000000), rgb(0xBBCC33), rgb(0x77AADD)}

// stateOrder is which states there are, in order, with their colours.
func stateOrder(has func(visit func(state string))) (names []string, colors map[string]color.NRGBA) {
	seen := map[string]bool{}
	var others []string
	has(func(state string) {
		if !seen[state] {
			seen[state] = true
			others = append(others, state)
		}
	})
	colors = make(map[string]color.NRGBA)
	for _, s := range stateColors {
		if seen[s.name] {
			names = append(names, s.name)
			colors[s.name] = s.color
		}
	}
	slices.Sort(others)
	n := 0
	for _, s := range others {
		if _, known := colors[s]; !known {
			names = append(names, s)
			colors[s] = otherColors[n%len(otherColors)]
			n++
		}
	}
	return names, colors
}

// stateKeys are the legend of states.
func stateKeys(names []string, colors map[string]color.NRGBA) []legendEntry {
	var keys []legendEntry
	for _, name := range names {
		c := colors[name]
		keys = append(keys, legendEntry{label: name, box: &c})
	}
	return keys
}
