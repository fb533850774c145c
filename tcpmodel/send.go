package tcpmodel

import "tcplab/des"

// SendFlags are those of send(2) that concern TCP.
type SendFlags uint8

// The flags of Send.
const (
	// SendMore (MSG_MORE): more will follow. A segment that is not full waits
	// for it, whatever TCP_NODELAY says.
	SendMore SendFlags = 1 << iota
	// SendRecord (MSG_EOR): what is sent later does not share a segment with
	// the end of this.
	SendRecord
)

// Write appends n bytes to the stream and returns how many the send buffer
// took; EvWritable tells when there is room again (RFC 9293 section 3.10.2).
// It takes none once the user has closed or the connection has ended. The first
// Write of a connection whose SYN waits for data (FastOpenWaits) sends it, even
// with n = 0.
func (ep *Endpoint) Write(n int) int { return ep.Send(n, 0) }

// Send is Write with flags.
func (ep *Endpoint) Send(n int, flags SendFlags) int {
	if ep.finQueued || ep.state == Closed || ep.state > CloseWait || ep.state == FinWait1 || ep.state == FinWait2 {
		return 0
	}
	ep.st.userEnter()
	defer ep.st.userLeave()
	now := ep.st.sim.Now()
	more := flags&SendMore != 0
	if n > 0 && ep.unsent() == 0 {
		ep.chrono.start(now, chronoBusy)
	}
	done := ep.fill(now, n, more)
	if done > 0 && flags&SendRecord != 0 {
		ep.records = append(ep.records, ep.writeSeq)
		ep.tailFrom = ep.writeSeq
	}
	switch {
	case ep.fast.waits:
		ep.sendSynWithData(now)
	case done > 0:
		ep.more = more
		ep.output(now)
		ep.more = false
	}
	return done
}

// fill puts what the send buffer takes of n bytes into it, a buffer of the burst
// size at a time. A full one is looked at before the next is filled, so that
// sending begins with the first (Linux's tcp_sendmsg_locked).
func (ep *Endpoint) fill(now des.Time, n int, more bool) (done int) {
	size := int(ep.sizeGoal())
	for done < n {
		room := ep.tailRoom(size)
		if room == 0 || !ep.sndCharged {
			if room == 0 {
				room = size
			}
			if room = min(ep.sendRoom(), room); room <= 0 {
				ep.wantWrite = true
				break
			}
		}
		k := min(n-done, room)
		forced := ep.pushed
		ep.append(uint32(k), done+k == n && !more, done == 0)
		if done += k; k < room || done == n {
			continue
		}
		if forced != ep.pushed {
			ep.output(now)
		} else if ep.tailFrom.LessEq(ep.dataNxt()) {
			ep.outputOnce(now)
		}
	}
	if done > 0 && done < n && !more {
		ep.markPush(ep.writeSeq)
	}
	return done
}

// tailRoom is how many bytes more the last buffer takes, 0 if it is full or sent.
func (ep *Endpoint) tailRoom(size int) int {
	if ep.unsent() == 0 || ep.tailFrom == ep.writeSeq {
		return 0
	}
	from := maxSeq(ep.tailFrom, ep.dataNxt())
	return max(size-int(ep.writeSeq-from), 0)
}

// ready is how many bytes wait to be sent up to the end of a record.
func (ep *Endpoint) ready() uint32 {
	n := ep.unsent()
	if len(ep.records) > 0 {
		n = min(n, uint32(ep.records[0]-ep.dataNxt()))
	}
	return n
}

// forgetRecords drops the ends of records that are sent.
func (ep *Endpoint) forgetRecords() {
	for len(ep.records) > 0 && ep.records[0].LessEq(ep.dataNxt()) {
		ep.records = ep.records[:copy(ep.records, ep.records[1:])]
	}
}
