package congestion

import "fmt"

// Options are the settings of the algorithms, under the names of the
// parameters of Linux's tcp_cubic module. An algorithm ignores what is not its
// own.
type Options struct {
	// HyStart is how slow start ends before the first loss (hystart, default
	// HyStartClassic, which CUBIC alone has).
	HyStart HyStart
	// FastConvergence makes CUBIC give up bandwidth when losses come at
	// falling windows (fast_convergence, RFC 9438 section 4.7, default on).
	FastConvergence bool
	// TCPFriendliness keeps CUBIC at least as fast as Reno would be
	// (tcp_friendliness, RFC 9438 section 4.3, default on).
	TCPFriendliness bool
	// RenoAlpha makes the Reno that CUBIC compares itself with gain a whole
	// segment per round trip from the last maximum on, as RFC 9438 section
	// 4.3 has it; Linux keeps to 0.53 segments (default off).
	RenoAlpha bool
	// EveryAck makes CUBIC look at its curve for every acknowledgement, as
	// RFC 9438 section 4.2 has it; Linux looks at most once in 4 ms, and for
	// an unchanged window every 1/32 s, which slows growth where round trips
	// are shorter than that (default off).
	EveryAck bool
	// Beta is what CUBIC multiplies its window with on loss, in units of
	// 1/1024 (beta, RFC 9438 section 4.6, default 717 = 0.7).
	Beta uint32
	// BicScale is the constant C of CUBIC's curve, in units of 1/102.4
	// segments per second cubed (bic_scale, RFC 9438 section 4.1.2, default
	// 41 = 0.4).
	BicScale uint32
}

// DefaultOptions returns Linux's.
func DefaultOptions() Options {
	return Options{HyStart: HyStartClassic, FastConvergence: true, TCPFriendliness: true, Beta: 717, BicScale: 41}
}

// Validate reports the first option that no algorithm can run with.
func (o *Options) Validate() error {
	if o.Beta < 1 || o.Beta >= betaOne {
		return fmt.Errorf("beta %d is outside 1 to %d (units of 1/%d; start from DefaultOptions)", o.Beta, betaOne-1, betaOne)
	}
	if o.BicScale < 1 || o.BicScale > maxBicScale {
		return fmt.Errorf("bic_scale %d is outside 1 to %d (start from DefaultOptions)", o.BicScale, maxBicScale)
	}
	return o.HyStart.validate()
}
