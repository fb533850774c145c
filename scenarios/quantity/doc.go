// Package quantity is the one place where numbers with units are read and
// printed: "20ms", "100Mbit/s", "64KiB", "20/s", "1%", "250 packets",
// "poisson 20/s", "server:80", "198.18.0.0/15".
//
// Each type has a Parse function, a String that prints one canonical form, and
// the two text marshalling methods. What String prints is read back as the same
// value. Durations, sizes and bit rates are computed in exact arithmetic: a
// value that is not a whole number of nanoseconds, bytes or bit/s is an error
// and never rounded. Frequencies and ratios are the float64 nearest to what is
// written.
//
// Prefixes of bit/s and B are decimal (k = 1000) as in the SI, and KiB, MiB,
// GiB and TiB are powers of 1024 as in IEC 80000-13. A blank may stand between
// number and unit.
//
// Errors are written for the person who wrote the value. They quote it, say
// what is wrong and, in brackets, what would be right:
//
//	"20 parsec": unknown unit "parsec" (have ns, us, ms, s, min, h, d)
//	"20" has no unit (write 20ms or 20s)
//
// Scan reads a quantity at the start of a longer text, such as an expression.
package quantity
