package plots

import "math"

// ErlangB is the probability that an arrival finds all of a number of slots
// taken, if arrivals are Poisson, none waits, and load is the arrival rate times
// the mean holding time (in Erlang). The law of the holding time does not
// matter. It gives the share of SYNs that a backlog drops: load is then the SYN
// rate times the lifetime of a half-open entry.
//
// The recursion in the inverse neither overflows nor cancels (A. K. Erlang 1917;
// Jagerman, "Some properties of the Erlang loss function", 1974). Slots are
// rounded down. ErlangB is NaN for a negative load or number of slots.
func ErlangB(load, slots float64) float64 {
	if !(load >= 0 && slots >= 0 && slots < 1e9) {
		return math.NaN()
	}
	if load == 0 {
		if slots < 1 {
			return 1
		}
		return 0
	}
	inverse := 1.0
	for k := 1.0; k <= slots && !math.IsInf(inverse, 1); k++ {
		inverse = 1 + inverse*k/load
	}
	return 1 / inverse
}

// ErlangBLoad is the load in Erlang at which the slots block that share of
// arrivals, between 0 and 1: the inverse of ErlangB.
func ErlangBLoad(blocking, slots float64) float64 {
	if !(blocking > 0 && blocking < 1 && slots >= 0 && slots < 1e9) {
		return math.NaN()
	}
	lo, hi := 0.0, 1.0
	for ErlangB(hi, slots) < blocking {
		lo, hi = hi, 2*hi
	}
	for range 200 {
		if mid := (lo + hi) / 2; ErlangB(mid, slots) < blocking {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// HalfOpenLifetime is how long an unanswered half-open entry lives, in seconds:
// until the timer after the last of the retransmissions of its SYN-ACK, the
// first timeout being initial and each further one twice as long. With 1 s and
// 5 retransmissions it is 63 s (Linux, tcp_synack_retries).
func HalfOpenLifetime(initial, retries float64) float64 {
	return initial * (math.Exp2(retries+1) - 1)
}

// MathisWindow is the average window, in segments, of Reno under periodic loss
// of one segment in 1/p: sqrt(3/(2bp)), which is 1.2247/sqrt(p) for b = 1, where
// b is the number of segments that an ACK acknowledges while it opens the window
// by 1/cwnd (Mathis, Semke, Mahdavi, Ott, "The macroscopic behavior of the TCP
// congestion avoidance algorithm", CCR 27(3), 1997). Over the round-trip time
// it is the rate in segments per second.
func MathisWindow(p, b float64) float64 { return math.Sqrt(3 / (2 * b * p)) }

// OttWindow is MathisWindow under independent loss with probability p:
// 1.3098/sqrt(p) for b = 1 (Ott, Kemperman, Mathis, "The stationary behavior of
// ideal TCP congestion avoidance", 1996).
func OttWindow(p, b float64) float64 {
	// sqrt(2) / E[sqrt(sum of 4^-k X_k)], X_k exponential with mean 1, k from 0.
	const constant = 1.309833274658021
	return constant / math.Sqrt(b*p)
}

// PFTK is the rate of Reno in segments per second at loss probability p: the
// full model, which counts timeouts and the receiver's window (Padhye, Firoiu,
// Towsley, Kurose, "Modeling TCP Reno performance", IEEE/ACM Transactions on
// Networking 8(2), 2000, equation 32). The round-trip time rtt and the first
// timeout t0 are in seconds, b is the number of segments per ACK, and wmax the
// receiver's window in segments, +Inf for none.
func PFTK(p, rtt, t0, b, wmax float64) float64 {
	if p <= 0 {
		return wmax / rtt
	}
	q := 1 - p
	k := (2 + b) / (3 * b)
	w := k + math.Sqrt(8*q/(3*b*p)+k*k)
	timeout := func(w float64) float64 { // the share of losses that end in one
		return math.Min(1, (1-cube(q))*(1+cube(q)*(1-math.Pow(q, w-3)))/(1-math.Pow(q, w)))
	}
	f := 1 + p*(1+p*(2+p*(4+p*(8+p*(16+p*32)))))
	if w < wmax {
		h := timeout(w)
		return (q/p + w + h/q) / (rtt*(b/2*w+1) + h*t0*f/q)
	}
	h := timeout(wmax)
	return (q/p + wmax + h/q) / (rtt*(b/8*wmax+q/(p*wmax)+2) + h*t0*f/q)
}

func cube(v float64) float64 { return v * v * v }

// PFTKApprox is the approximation of PFTK (equation 33 of the same paper).
func PFTKApprox(p, rtt, t0, b, wmax float64) float64 {
	spent := rtt*math.Sqrt(2*b*p/3) + t0*math.Min(1, 3*math.Sqrt(3*b*p/8))*p*(1+32*p*p)
	return math.Min(wmax/rtt, 1/spent)
}

// TFRC is the throughput equation of RFC 5348 section 3.1, in bytes per second,
// for segments of size bytes, a round-trip time and a timeout in seconds, and b
// segments per ACK.
func TFRC(size, rtt, rto, b, p float64) float64 {
	return size / (rtt*math.Sqrt(2*b*p/3) + rto*3*math.Sqrt(3*b*p/8)*p*(1+32*p*p))
}

// RenoWindow is the response function of standard TCP as the RFCs round it,
// 1.2/sqrt(p) segments (RFC 3649 section 3, RFC 9438 section 5.2).
func RenoWindow(p float64) float64 { return 1.2 / math.Sqrt(p) }

// CubicWindow is the average window of CUBIC in segments when exactly 1/p
// segments come between losses, at a round-trip time in seconds: the larger of
// its own response function with C and beta and of RenoWindow, in whose region
// it does as Reno does (RFC 9438 section 5.1; C is 0.4 and beta 0.7 there).
func CubicWindow(p, rtt, c, beta float64) float64 {
	own := math.Pow(c*(3+beta)/(4*(1-beta)), 0.25) * math.Pow(rtt/p, 0.75)
	return math.Max(own, RenoWindow(p))
}

// HighSpeedWindow is the response function of HighSpeed TCP in segments (RFC
// 3649 section 5): 0.12/p^0.835, and RenoWindow where that is larger.
func HighSpeedWindow(p float64) float64 {
	if p >= 1e-3 {
		return RenoWindow(p)
	}
	return 0.12 / math.Pow(p, 0.835)
}
