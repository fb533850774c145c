package quantity

import (
	"regexp"
	"strings"
)

// Syntax describes how a type is written, for schemas and reference pages.
type Syntax struct {
	// Name is what the value is, such as "time".
	Name string
	// Units lists the units, "" if there are none.
	Units string
	// Example is a value that parses.
	Example string
	// Pattern is an anchored regular expression in the common subset of
	// ECMA 262 and RE2. What parses matches; what matches may still be out
	// of range.
	Pattern string
}

const decimal = `([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?`

func pattern(dims ...Dimension) string {
	var names []string
	for _, u := range units {
		if has(dims, u.dim) {
			names = append(names, regexp.QuoteMeta(u.name))
		}
	}
	return decimal + ` *(` + strings.Join(names, "|") + `)`
}

func anchored(p string) string { return `^` + p + `$` }

// Syntax tells how a Duration is written.
func (Duration) Syntax() Syntax {
	return Syntax{"time", unitNames([]Dimension{Time}), "20ms", anchored(pattern(Time))}
}

// Syntax tells how a Bitrate is written.
func (Bitrate) Syntax() Syntax {
	return Syntax{"data rate", unitNames([]Dimension{DataRate}), "100Mbit/s", anchored(`(unlimited|` + pattern(DataRate) + `)`)}
}

// Syntax tells how a Frequency is written.
func (Frequency) Syntax() Syntax {
	return Syntax{"rate of events", unitNames([]Dimension{EventRate}), "20/s", anchored(pattern(EventRate))}
}

// Syntax tells how a Size is written.
func (Size) Syntax() Syntax {
	return Syntax{"size", unitNames([]Dimension{Data}), "64KiB", anchored(pattern(Data))}
}

// Syntax tells how a Ratio is written.
func (Ratio) Syntax() Syntax {
	return Syntax{"ratio", "% or none", "1%", anchored(decimal + ` *%?`)}
}

// Syntax tells how a Limit is written.
func (Limit) Syntax() Syntax {
	return Syntax{"queue limit", "packets, " + unitNames([]Dimension{Data}), "250 packets",
		anchored(`(unlimited|` + pattern(Packets, Data) + `)`)}
}

// Syntax tells how Arrivals are written. The rate may be a parameter.
func (Arrivals) Syntax() Syntax {
	return Syntax{"arrivals", "poisson or fixed, then " + unitNames([]Dimension{EventRate}) + "; or file and the name of a file with a time on each line", "poisson 20/s",
		anchored(`((poisson|fixed) +(\$[a-z][a-z0-9_]*|` + pattern(EventRate) + `)|file +[^ ]+)`)}
}

// Syntax tells how a Host is written.
func (Host) Syntax() Syntax {
	return Syntax{"host", "", "server", `^[a-z][a-z0-9_]*$`}
}

// Syntax tells how an Address is written.
func (Address) Syntax() Syntax {
	return Syntax{"host:port", "", "server:80", `^[a-z][a-z0-9_]*:[0-9]{1,5}$`}
}

// Syntax tells how a Prefix is written.
func (Prefix) Syntax() Syntax {
	return Syntax{"range of IPv4 addresses", "", "198.18.0.0/15", `^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$`}
}
