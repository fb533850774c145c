package measure

import "slices"

// The kinds of middlebox in the catalogue.
const (
	OfNAT       = "nat"
	OfFirewall  = "firewall"
	OfSynProxy  = "syn_proxy"
	OfLimiter   = "limiter"
	OfBlackhole = "blackhole"
)

var ofBoxes = slices.Concat(
	remembering(OfNAT),
	[]Quantity{
		level(OfNAT, "ports", "entries", "ports in use", "Ports outside that are in use, mean over time, exact."),
	},
	remembering(OfFirewall),
	remembering(OfSynProxy),
	[]Quantity{
		key(count(OfSynProxy, "cookies_sent", "cookies sent", "SYNs that the box answered with a cookie.")),
		key(count(OfSynProxy, "cookies_accepted", "cookies accepted", "Valid cookies that came back.")),
		count(OfSynProxy, "cookies_rejected", "cookies rejected", "ACKs without a valid cookie."),
		key(count(OfSynProxy, "opened", "connections opened", "Connections that the box opened to a server in the name of a client.")),
		count(OfSynProxy, "refused", "connections refused", "Connections that the server answered with RST or not at all."),
		count(OfSynProxy, "mismatched", "mismatched connections", "Connections that ended because the server does not do what the box had promised: time stamps."),
	},
	passing(OfLimiter),
	[]Quantity{
		count(OfLimiter, "limited", "limited packets", "Packets to which the limit applies, dropped or not."),
		level(OfLimiter, "sources", "entries", "sources", "Sources that are remembered, mean over time, exact."),
		count(OfLimiter, "sources_forgotten", "forgotten sources", "Sources that gave way to others, and start with a whole burst when they come again."),
	},
	passing(OfBlackhole),
)

// passing is the quantities of every middlebox.
func passing(of string) []Quantity {
	return []Quantity{
		count(of, "passed", "packets passed on", "Packets that came and were passed on, in both directions."),
		key(count(of, "dropped", "packets dropped", "Packets that were dropped, for whatever reason.")),
	}
}

// remembering is the quantities of a middlebox that remembers connections.
func remembering(of string) []Quantity {
	return slices.Concat([]Quantity{
		key(level(of, "entries", "connections", "connections known", "Connections that are remembered, mean over time, exact.")),
		key(peak(of, "entries_max", "connections", "Connections that are remembered, maximum.")),
	}, passing(of), []Quantity{
		count(of, "created", "connections seen", "Connections that were entered."),
		key(count(of, "forgotten", "connections forgotten", "Established connections that were forgotten because they were idle for too long.")),
		count(of, "expired", "entries expired", "Entries that were removed, those of connections that had ended, or never were established, included."),
		count(of, "picked_up", "connections picked up", "Connections that were entered in midstream."),
		key(count(of, "unknown_drops", "packets of unknown connections", "Packets that belong to no known connection and were dropped.")),
		count(of, "full_drops", "packets without room", "Packets dropped because there was no room for another connection, or no port."),
		count(of, "corrupt_drops", "corrupt packets", "Packets dropped for their checksum."),
		key(count(of, "resets", "RSTs sent", "Packets of unknown connections that were answered with RST.")),
	})
}
