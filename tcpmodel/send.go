package tcpmodel

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
	if room := ep.sendRoom(); n > room {
		ep.wantWrite = true
		n = max(room, 0)
	}
	if n > 0 {
		if ep.unsent() == 0 {
			ep.chrono.start(now, chronoBusy)
		}
		ep.append(uint32(n), flags&SendMore != 0)
		if flags&SendRecord != 0 {
			ep.records = append(ep.records, ep.writeSeq)
			ep.tailFrom = ep.writeSeq
		}
	}
	switch {
	case ep.fast.waits:
		ep.sendSynWithData(now)
	case n > 0:
		ep.more = flags&SendMore != 0
		ep.output(now)
		ep.more = false
	}
	return n
}

// sendRoom is how many bytes more the send buffer takes.
func (ep *Endpoint) sendRoom() int { return ep.sndBuf - int(ep.writeSeq-ep.sndUna) }

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
