package quantity

import (
	"net/netip"

	"tcplab/des"
)

// The typed quantities of a scenario file. Each is what a scalar with its unit
// becomes; the zero value is "not given" only where a field says so.
type (
	// Duration is a span of time: "20ms", "2h".
	Duration des.Time
	// Bitrate is a data rate in bit/s: "100Mbit/s". Zero is infinitely fast
	// and written "unlimited".
	Bitrate int64
	// Frequency is a rate of events in 1/s: "20/s", "0.5/s", "6/min".
	Frequency float64
	// Size is a number of bytes: "1kB" (1000), "64KiB" (65536), "100B".
	Size int64
	// Ratio is a number without unit: "1%" or "0.01".
	Ratio float64
)

// Host is the name of a host that the scenario declares.
type Host string

// File is the name of a file that the scenario reads, found from the folder of
// the scenario: "lte.trace". The empty name is no file.
type File string

// Address is a port of a host: "server:80".
type Address struct {
	Host Host
	Port uint16
}

// Prefix is a range of IPv4 addresses: "198.18.0.0/15".
type Prefix netip.Prefix

// Limit is how much a queue holds: "250 packets", "64KiB". Zero in both is no
// limit and written "unlimited".
type Limit struct {
	Packets int
	Bytes   Size
}

// Arrivals is when things start: "poisson 20/s", "fixed 20/s" or "file
// times.txt".
type Arrivals struct {
	Law  string
	Rate Frequency
	File File
}

// Reads returns the file of the arrivals, "" for none.
func (a Arrivals) Reads() File { return a.File }

// The laws of Arrivals.
const (
	// Poisson arrivals have independent exponential gaps.
	Poisson = "poisson"
	// Fixed arrivals come at equal distances.
	Fixed = "fixed"
	// FromFile are arrivals at the times that File lists.
	FromFile = "file"
)

// Seconds returns d in seconds. It is for output and statistics: no event may
// depend on it.
func (d Duration) Seconds() float64 { return des.Time(d).Seconds() }
