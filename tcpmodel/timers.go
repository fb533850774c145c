package tcpmodel

import (
	"math/bits"
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// The timers of an endpoint. Those due at the same instant run in this order.
const (
	timerRTO = iota
	timerPersist
	timerDelack
	timerKeepalive
	timerFin
	timerSack
	timerPace
	numTimers
)

// timers are the deadlines of an endpoint. One engine timer serves them all: it
// is armed for wake, which is never later than the earliest deadline. Moving a
// deadline later leaves it alone; when it then fires too early it is armed
// again.
type timers struct {
	timer    des.Timer
	wake     des.Time
	deadline [numTimers]des.Time
	// lastAck is when the last acceptable ACK came.
	lastAck    des.Time
	keepProbes int
	// probing is when the window was first probed, never if it is open.
	probing des.Time
}

func (ep *Endpoint) initTimers() {
	ep.timer = ep.st.sim.NewTimer(ep.st.component, ep, 0)
	ep.probing = never
	ep.stopTimers()
}

func (ep *Endpoint) stopTimers() {
	for i := range ep.deadline {
		ep.deadline[i] = des.Never
	}
	ep.st.sim.Stop(ep.timer)
	ep.wake = des.Never
}

func (ep *Endpoint) armed(which int) bool { return ep.deadline[which] != des.Never }

func (ep *Endpoint) stop(which int) { ep.deadline[which] = des.Never }

func (ep *Endpoint) arm(now des.Time, which int, at des.Time) {
	ep.armExactly(which, ep.st.cfg.roundTimer(now, at))
}

// armExactly is for what Linux does not leave to the timer wheel.
func (ep *Endpoint) armExactly(which int, at des.Time) {
	ep.deadline[which] = at
	if at < ep.wake {
		ep.wake = at
		ep.st.sim.Arm(ep.timer, at)
	}
}

// HandleTimer runs the timers that are due.
func (ep *Endpoint) HandleTimer(now des.Time, _ uint64) {
	ep.st.enter()
	ep.wake = des.Never
	for which := range ep.deadline {
		if ep.deadline[which] > now {
			continue
		}
		ep.deadline[which] = des.Never
		ep.expired(now, which)
		if ep.state == Closed {
			ep.st.leave(now)
			return
		}
	}
	next := des.Never
	for _, d := range ep.deadline {
		next = min(next, d)
	}
	if next < ep.wake {
		ep.wake = next
		ep.st.sim.Arm(ep.timer, next)
	}
	ep.st.leave(now)
}

func (ep *Endpoint) expired(now des.Time, which int) {
	switch which {
	case timerRTO:
		ep.xmitTimeout(now)
	case timerPersist:
		ep.persistTimeout(now)
	case timerDelack:
		ep.delackTimeout(now)
	case timerKeepalive:
		ep.keepaliveTimeout(now)
	case timerFin:
		// FIN-WAIT-2 of a connection that the user has closed.
		ep.finish(now, OK, CauseTimeout)
	case timerSack:
		ep.flushAcks(now)
	case timerPace:
		ep.paceTimeout(now)
	}
}

// xmitTimer is what the timer timerRTO stands for: as in Linux, one timer
// serves the retransmission timeout, the loss probe and the reordering window.
type xmitTimer uint8

const (
	xmitNone xmitTimer = iota
	xmitRTO
	xmitProbe
	xmitReorder
)

// armRTO starts the retransmission timer (RFC 6298 section 5).
func (ep *Endpoint) armRTO(now des.Time) {
	ep.arm(now, timerRTO, now+ep.clampToUserTimeout(now, ep.rto))
}

// rearmRTO starts the retransmission timer, counted from when the head of the
// queue was sent if a loss probe or the reordering window was in its place.
func (ep *Endpoint) rearmRTO(now des.Time) {
	if ep.fast.pending {
		// The timer is the SYN-ACK's.
		return
	}
	if ep.rtx.len() == 0 {
		ep.pendingXmit = xmitNone
		ep.stop(timerRTO)
		return
	}
	timeout := ep.rto
	if ep.pendingXmit == xmitProbe || ep.pendingXmit == xmitReorder {
		timeout = max(ep.rtx.at(ep.rtx.head).sentAt+ep.rto-now, des.Microsecond)
	}
	ep.pendingXmit = xmitRTO
	ep.arm(now, timerRTO, now+ep.clampToUserTimeout(now, timeout))
}

// setTimer starts the loss probe or the retransmission timer after an ACK.
func (ep *Endpoint) setTimer(now des.Time) {
	if !ep.scheduleProbe(now, true) {
		ep.rearmRTO(now)
	}
}

func (ep *Endpoint) xmitTimeout(now des.Time) {
	switch what := ep.pendingXmit; what {
	case xmitRTO:
		ep.rtoTimeout(now)
	case xmitProbe:
		ep.probeTimeout(now)
	case xmitReorder:
		ep.reorderTimeout(now)
	}
}

// clampToUserTimeout shortens a timeout so that the connection ends when
// TCP_USER_TIMEOUT is over, not later.
func (ep *Endpoint) clampToUserTimeout(now, timeout des.Time) des.Time {
	if ep.sock.UserTimeout == 0 || ep.firstRetry == never {
		return timeout
	}
	return min(timeout, max(ep.sock.UserTimeout-(now-ep.firstRetry), des.Millisecond))
}

// rtoTimeout is the USER TIMEOUT and RETRANSMISSION TIMEOUT of RFC 9293
// section 3.10.8, with RFC 6298 (5.4) to (5.7).
func (ep *Endpoint) rtoTimeout(now des.Time) {
	if ep.fast.pending {
		ep.synAckTimeout(now)
		return
	}
	if ep.rtx.len() == 0 {
		return
	}
	if ep.shedOnTimeout(now) {
		return
	}
	if ep.shrunk() {
		ep.shrunkTimeout(now)
		return
	}
	if ep.givesUp(now) {
		ep.st.counters.TCPAbortOnTimeout++
		if ep.state == SynSent || ep.state == SynReceived {
			ep.st.counters.AttemptFails++
		}
		ep.finish(now, ETIMEDOUT, CauseGiveUp)
		return
	}
	ep.st.counters.TCPTimeouts++
	if ep.state == SynSent || ep.state == SynReceived {
		ep.unmark(ep.rtx.at(ep.rtx.head))
	} else {
		ep.in = arrival{}
		ep.enterLoss(now)
	}
	ep.retries++
	ep.resend(now, ep.rtx.head, CauseRetransmit)
	if ep.state == SynSent && int(ep.retries) <= ep.st.cfg.SynLinearTimeouts {
		ep.pendingXmit = xmitRTO
		ep.armRTO(now)
		return
	}
	ep.backOffRTO(now)
}

// shrunk reports whether the peer has taken back its window while data are in
// flight, so that their retransmissions are probes (RFC 9293 section 3.8.6). An
// orphan does not wait for such a peer.
func (ep *Endpoint) shrunk() bool {
	return ep.sndWnd == 0 && !ep.closed && ep.state.synchronized()
}

// shrunkTimeout probes a window that was taken back. The connection ends when
// nothing has come for twice tcp_rto_max or for TCP_USER_TIMEOUT, and probing
// has lasted as long (Linux's tcp_rtx_probe0_timed_out).
func (ep *Endpoint) shrunkTimeout(now des.Time) {
	limit := 2 * ep.st.cfg.RTOMax
	probing := now - ep.rtx.at(ep.rtx.head).sentAt
	if ep.firstRetry != never {
		probing = now - ep.firstRetry
	}
	user := ep.sock.UserTimeout
	if user > 0 {
		limit = min(limit, user)
	}
	if user > 0 && probing > user || now-ep.lastAck > limit && probing > limit {
		ep.st.counters.TCPAbortOnTimeout++
		ep.finish(now, ETIMEDOUT, CauseGiveUp)
		return
	}
	ep.st.counters.TCPTimeouts++
	ep.in = arrival{}
	ep.enterLoss(now)
	ep.resend(now, ep.rtx.head, CauseRetransmit)
	ep.backOffRTO(now)
}

// backOffRTO doubles the timeout and starts it (RFC 6298 section 5.5, 5.6).
func (ep *Endpoint) backOffRTO(now des.Time) {
	ep.backoff++
	ep.rto = min(2*ep.rto, ep.st.cfg.RTOMax)
	ep.pendingXmit = xmitRTO
	ep.armRTO(now)
}

// givesUp reports whether the retransmission timer has expired once too often:
// R2 of RFC 9293 section 3.8.3. Linux turns the number of retries into the time
// that they take by plain back-off, counted from the first retransmission.
func (ep *Endpoint) givesUp(now des.Time) bool {
	cfg := &ep.st.cfg
	opening := ep.state == SynSent || ep.state == SynReceived
	limit := cfg.Retries2
	if opening {
		limit = cfg.SynRetries
		if ep.sock.SynCnt > 0 {
			limit = ep.sock.SynCnt
		}
		extra := 0
		if ep.state == SynSent {
			extra = cfg.SynLinearTimeouts
		}
		if int(ep.retries) >= limit+extra {
			return true
		}
	} else if ep.closed {
		limit = ep.orphanRetries()
	}
	switch {
	case ep.retries == 0:
		return false
	case ep.sock.UserTimeout > 0:
		return now-ep.firstRetry >= ep.sock.UserTimeout
	case !cfg.RetryBudget:
		return int(ep.retries) >= limit
	}
	base := cfg.RTOMin
	if opening {
		base = cfg.InitialRTO
	}
	return now-ep.firstRetry >= cfg.retryBudget(limit, base)
}

// orphanRetries is tcp_orphan_retries: how often a connection that the user
// has closed retransmits. 0 stands for 8 while the timeout is below its
// maximum.
func (ep *Endpoint) orphanRetries() int {
	cfg := &ep.st.cfg
	switch {
	case !cfg.RetryBudget:
		return cfg.Retries2
	case cfg.OrphanRetries == 0 && ep.rto < cfg.RTOMax:
		return 8
	}
	return cfg.OrphanRetries
}

// retryBudget is the time that retries retransmissions and the wait after the
// last take, when the timeout starts at base and doubles up to tcp_rto_max.
func (c *Config) retryBudget(retries int, base des.Time) des.Time {
	linear := max(bits.Len64(uint64(c.RTOMax/base))-1, 0)
	if retries <= linear {
		return (2<<retries - 1) * base
	}
	return (2<<linear-1)*base + des.Time(retries-linear)*c.RTOMax
}

// probeIfBlocked starts the persist timer when data wait for the peer's window
// and nothing is in flight whose ACK would tell of it (RFC 9293 section
// 3.8.6.1).
func (ep *Endpoint) probeIfBlocked(now des.Time) {
	if ep.rtx.len() > 0 || ep.unsent() == 0 || ep.fast.pending || ep.armed(timerPace) {
		ep.stop(timerPersist)
		return
	}
	if !ep.armed(timerPersist) {
		ep.armPersist(now)
	}
}

func (ep *Endpoint) armPersist(now des.Time) {
	wait := ep.st.cfg.backedOff(max(ep.rto, ep.st.cfg.RTOMin), uint(ep.backoff))
	if u := ep.sock.UserTimeout; u > 0 && ep.probing != never {
		wait = min(wait, max(u-(now-ep.probing), probeMargin))
	}
	ep.arm(now, timerPersist, now+wait)
}

// persistTimeout probes a closed window; the probe repeats the last
// acknowledged sequence number, which any receiver answers with an ACK. A
// window that is open but too small for a full segment is used as it is.
func (ep *Endpoint) persistTimeout(now des.Time) {
	if ep.rtx.len() > 0 || ep.unsent() == 0 {
		ep.probes, ep.probing = 0, never
		return
	}
	cfg := &ep.st.cfg
	limit := cfg.Retries2
	if ep.closed {
		limit = ep.orphanRetries()
	}
	if ep.probing == never {
		ep.probing = now
	} else if u := ep.sock.UserTimeout; u > 0 && now-ep.probing >= u {
		limit = 0
	}
	if ep.shedOnTimeout(now) {
		return
	}
	if int(ep.probes) >= limit {
		ep.st.counters.TCPAbortOnTimeout++
		ep.finish(now, ETIMEDOUT, CauseGiveUp)
		return
	}
	if room := ep.sndUna.Add(ep.sndWnd).Sub(ep.sndNxt); room > 0 {
		n := min(ep.ready(), ep.boundMSS(), uint32(room))
		ep.push = slices.Insert(ep.push, 0, ep.sndNxt.Add(n))
		ep.sendNew(now, n, ep.finQueued && n == ep.unsent())
		return
	}
	ep.probes++
	if uint(ep.backoff) < 32 && int(ep.backoff) < cfg.Retries2 {
		ep.backoff++
	}
	ep.probe(now, CauseProbe)
	ep.armPersist(now)
}

// probe sends an empty segment one before SND.UNA.
func (ep *Endpoint) probe(now des.Time, why Cause) {
	seg := ep.blank(segment.ACK)
	seg.Seq = ep.sndUna - 1
	ep.transmit(now, seg, why)
}

func (ep *Endpoint) keepIdle() des.Time {
	if ep.sock.KeepIdle > 0 {
		return ep.sock.KeepIdle
	}
	return ep.st.cfg.KeepaliveTime
}

// startKeepalive starts the keepalive timer if the user asked for it (RFC 9293
// section 3.8.4).
func (ep *Endpoint) startKeepalive(now des.Time) {
	if !ep.sock.Keepalive {
		ep.stop(timerKeepalive)
		return
	}
	ep.arm(now, timerKeepalive, now+ep.keepIdle())
}

// keepaliveTimeout probes an idle peer, and resets the connection after
// TCP_KEEPCNT probes without an answer.
func (ep *Endpoint) keepaliveTimeout(now des.Time) {
	cfg := &ep.st.cfg
	idle := ep.keepIdle()
	if ep.rtx.len() > 0 || ep.unsent() > 0 {
		ep.arm(now, timerKeepalive, now+idle)
		return
	}
	quiet := now - max(ep.lastAck, ep.ack.lastData)
	if quiet < idle {
		ep.arm(now, timerKeepalive, now+idle-quiet)
		return
	}
	limit, intvl := cfg.KeepaliveProbes, cfg.KeepaliveIntvl
	if ep.sock.KeepCnt > 0 {
		limit = ep.sock.KeepCnt
	}
	if ep.sock.KeepIntvl > 0 {
		intvl = ep.sock.KeepIntvl
	}
	dead := ep.keepProbes >= limit
	if u := ep.sock.UserTimeout; u > 0 {
		dead = quiet >= u && ep.keepProbes > 0
	}
	if dead {
		ep.st.counters.TCPAbortOnTimeout++
		ep.sendReset(now)
		ep.finish(now, ETIMEDOUT, CauseGiveUp)
		return
	}
	ep.keepProbes++
	ep.st.counters.TCPKeepAlive++
	ep.probe(now, CauseKeepalive)
	ep.arm(now, timerKeepalive, now+intvl)
}

// startFinTimeout limits how long a connection that the user has closed stays
// in FIN-WAIT-2 (TCP_LINGER2, tcp_fin_timeout; at least 3.5 RTO). It reports
// whether the connection still is.
func (ep *Endpoint) startFinTimeout(now des.Time) bool {
	ep.leaveOrphans()
	wait := ep.st.cfg.FinTimeout
	switch {
	case ep.sock.Linger2 < 0:
		ep.st.counters.TCPAbortOnLinger++
		ep.sendReset(now)
		ep.finish(now, OK, CauseUser)
		return false
	case ep.sock.Linger2 > 0:
		wait = ep.sock.Linger2
	}
	ep.arm(now, timerFin, now+max(wait, ep.rto*7/2))
	return true
}

// roundTimer rounds the deadline at up as Linux's timer wheel does at
// TimerWheelHZ: the granule grows by 8 with each of its levels of 64 slots.
func (c *Config) roundTimer(now, at des.Time) des.Time {
	if c.TimerWheelHZ == 0 {
		return at
	}
	tick := des.Second / des.Time(c.TimerWheelHZ)
	ticks := (at + tick - 1) / tick
	delta := ticks - now/tick
	granule := des.Time(1)
	for span := des.Time(64); delta >= span-1 && span < 1<<40; span *= 8 {
		granule *= 8
	}
	return (ticks + granule) / granule * granule * tick
}
