package tcpmodel

import "tcplab/des"

// challengeBudget is how many challenge ACKs the host may still send in the
// second that is counted as the second-th (tcp_challenge_ack_limit).
type challengeBudget struct {
	second des.Time
	left   int
}

// mayChallenge reports whether the host may send another challenge ACK in this
// second (RFC 5961 section 7). As in Linux the number per second is drawn
// between half of tcp_challenge_ack_limit and one and a half times as many, so
// that nobody can count what is left of it.
func (st *Stack) mayChallenge(now des.Time) bool {
	limit, b := st.cfg.ChallengeAckLimit, &st.challenges
	if limit == maxInt {
		return true
	}
	if second := now/des.Second + 1; second != b.second {
		half := (limit + 1) / 2
		b.second, b.left = second, half+st.rand.IntN(limit)
	}
	if b.left == 0 {
		return false
	}
	b.left--
	return true
}

// becomeOrphan counts a connection that its user has closed while it goes on.
// One beyond tcp_max_orphans is reset at once.
func (ep *Endpoint) becomeOrphan(now des.Time) {
	ep.orphan = true
	ep.st.orphans++
	ep.shedOrphan(now, 0)
}

// leaveOrphans ends the counting: the connection is gone, or waits in
// FIN-WAIT-2, where Linux keeps it in the table of TIME-WAIT.
func (ep *Endpoint) leaveOrphans() {
	if ep.orphan {
		ep.orphan = false
		ep.st.orphans--
	}
}

// shedOrphan resets the connection, and reports that, if there are more orphans
// than tcp_max_orphans, each counted 2^penalty times (Linux's tcp_check_oom).
func (ep *Endpoint) shedOrphan(now des.Time, penalty uint) bool {
	st := ep.st
	if st.orphans<<penalty <= st.cfg.MaxOrphans {
		return false
	}
	st.counters.TCPAbortOnMemory++
	ep.sendReset(now)
	ep.finish(now, OK, CauseOverflow)
	return true
}

// shedOnTimeout is shedOrphan when a timer of an orphan has expired. One that
// has sent nothing for twice tcp_rto_max counts double (Linux's
// tcp_out_of_resources).
func (ep *Endpoint) shedOnTimeout(now des.Time) bool {
	if !ep.orphan {
		return false
	}
	penalty := uint(0)
	if now-ep.win.LastSent > 2*ep.st.cfg.RTOMax {
		penalty = 1
	}
	return ep.shedOrphan(now, penalty)
}
