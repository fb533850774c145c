package quantity

import "strings"

// Dimension is what a quantity measures.
type Dimension uint8

// The dimensions, each with its base unit.
const (
	// Number has no unit.
	Number Dimension = iota
	// Time is in seconds.
	Time
	// DataRate is in bit/s.
	DataRate
	// EventRate is in 1/s.
	EventRate
	// Data is in bytes.
	Data
	// Share is a ratio that was written in percent.
	Share
	// Packets is a number of packets.
	Packets
)

// String names d as a message does: "a time", "a size".
func (d Dimension) String() string { return dimensions[d].name }

// BaseUnit is the unit in which Scan gives the value: "s", "bit/s", "1/s",
// "B", "packets" or "".
func (d Dimension) BaseUnit() string { return dimensions[d].base }

var dimensions = [...]struct{ name, base, examples string }{
	Number:    {"a plain number", "", ""},
	Time:      {"a time", "s", "20ms or 2s"},
	DataRate:  {"a data rate", "bit/s", "100Mbit/s or 64kbit/s"},
	EventRate: {"a rate of events", "1/s", "20/s or 6/min"},
	Data:      {"a size", "B", "100B, 1kB or 64KiB"},
	Share:     {"a ratio", "", "1% or 0.01"},
	Packets:   {"a number of packets", "packets", "250 packets"},
}

// unit is one unit: a number in it times num/den is a number in the finest
// unit of its dimension (ns, bit/s, 1/s, B, 1).
type unit struct {
	name     string
	dim      Dimension
	num, den int64
	// alias units are understood but not offered in messages.
	alias bool
}

var units = []unit{
	{"ns", Time, 1, 1, false},
	{"us", Time, 1e3, 1, false},
	{"µs", Time, 1e3, 1, true},
	{"μs", Time, 1e3, 1, true},
	{"ms", Time, 1e6, 1, false},
	{"s", Time, 1e9, 1, false},
	{"min", Time, 60e9, 1, false},
	{"h", Time, 3600e9, 1, false},
	{"d", Time, 86400e9, 1, false},
	{"bit/s", DataRate, 1, 1, false},
	{"kbit/s", DataRate, 1e3, 1, false},
	{"Mbit/s", DataRate, 1e6, 1, false},
	{"Gbit/s", DataRate, 1e9, 1, false},
	{"Tbit/s", DataRate, 1e12, 1, false},
	{"B/s", DataRate, 8, 1, true},
	{"kB/s", DataRate, 8e3, 1, true},
	{"MB/s", DataRate, 8e6, 1, true},
	{"GB/s", DataRate, 8e9, 1, true},
	{"/s", EventRate, 1, 1, false},
	{"/min", EventRate, 1, 60, false},
	{"/h", EventRate, 1, 3600, false},
	{"B", Data, 1, 1, false},
	{"kB", Data, 1e3, 1, false},
	{"MB", Data, 1e6, 1, false},
	{"GB", Data, 1e9, 1, false},
	{"TB", Data, 1e12, 1, false},
	{"KiB", Data, 1 << 10, 1, false},
	{"MiB", Data, 1 << 20, 1, false},
	{"GiB", Data, 1 << 30, 1, false},
	{"TiB", Data, 1 << 40, 1, false},
	{"%", Share, 1, 100, false},
	{"packets", Packets, 1, 1, false},
	{"packet", Packets, 1, 1, true},
}

// misspelt maps what people write, in lower case, to the unit that they mean.
// What differs from a unit in case alone needs no entry.
var misspelt = map[string]string{
	"nsec": "ns", "usec": "us", "msec": "ms", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
	"minute": "min", "minutes": "min", "mins": "min", "hour": "h", "hours": "h", "hr": "h", "day": "d", "days": "d",
	"bps": "bit/s", "kbps": "kbit/s", "mbps": "Mbit/s", "gbps": "Gbit/s", "tbps": "Tbit/s",
	"b/s": "bit/s", "kb/s": "kbit/s", "mb/s": "Mbit/s", "gb/s": "Gbit/s", "tb/s": "Tbit/s",
	"bit": "bit/s", "kbit": "kbit/s", "mbit": "Mbit/s", "gbit": "Gbit/s", "tbit": "Tbit/s",
	"bits/s": "bit/s", "kbits/s": "kbit/s", "mbits/s": "Mbit/s", "gbits/s": "Gbit/s",
	"byte": "B", "bytes": "B", "k": "kB", "g": "GB",
	"hz": "/s", "/sec": "/s", "/second": "/s", "1/s": "/s", "per second": "/s", "/minute": "/min", "/m": "/min", "/hour": "/h",
	"percent": "%", "pct": "%",
	"pkt": "packets", "pkts": "packets", "p": "packets", "segments": "packets",
}

func findUnit(name string) (unit, bool) {
	for _, u := range units {
		if u.name == name {
			return u, true
		}
	}
	return unit{}, false
}

// meant guesses the unit behind a name that is none, "" if there is no guess.
func meant(name string, dims []Dimension) string {
	for _, u := range units {
		if strings.EqualFold(u.name, name) && has(dims, u.dim) {
			return u.name
		}
	}
	if u, ok := findUnit(misspelt[strings.ToLower(name)]); ok && has(dims, u.dim) {
		return u.name
	}
	return ""
}

// unitNames lists the units of the dimensions as a message does.
func unitNames(dims []Dimension) string {
	var names []string
	for _, u := range units {
		if has(dims, u.dim) && !u.alias {
			names = append(names, u.name)
		}
	}
	return strings.Join(names, ", ")
}

func has(dims []Dimension, d Dimension) bool {
	for _, x := range dims {
		if x == d {
			return true
		}
	}
	return false
}
