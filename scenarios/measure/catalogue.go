package measure

import (
	"fmt"
	"slices"
)

// Quantity is one thing that is measured of every owner of a kind.
type Quantity struct {
	// Of is the kind of owner: "host", "listening host", "link", or a kind
	// of workload or middlebox.
	Of string
	// Name is the part of the metric's name after the dot.
	Name string
	// Unit is that of the metric, see Metric.
	Unit string
	// SeriesUnit is the unit of the series of that name, "" if there is no
	// series. Step is true if it has a value for each interval.
	SeriesUnit string
	Step       bool
	// Label names the series in a figure.
	Label string
	// Key marks what a short summary shows.
	Key bool
	// Doc says what is measured.
	Doc string
}

// The kinds of owners in the catalogue that are neither workloads nor middleboxes.
const (
	OfHost      = "host"
	OfListening = "listening host"
	OfLink      = "link"
)

// Catalogue returns all quantities, in the order of the kinds and then in the
// order in which a Result has them. The caller may change the slice.
func Catalogue() []Quantity { return slices.Clone(catalogue) }

// QuantitiesOf returns the quantities of one kind of owner.
func QuantitiesOf(kind string) []Quantity {
	var out []Quantity
	for _, q := range catalogue {
		if q.Of == kind {
			out = append(out, q)
		}
	}
	return out
}

func lookup(of, name string) Quantity {
	for _, q := range catalogue {
		if q.Of == of && q.Name == name {
			return q
		}
	}
	panic(fmt.Sprintf("measure: no quantity %q of a %s in the catalogue", name, of))
}

// count, ratio, mean and so on are the common forms of a catalogue entry.
func count(of, name, label, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: "count", SeriesUnit: "1/s", Step: true, Label: label, Doc: doc}
}

func plainCount(of, name, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: "count", Doc: doc}
}

func ratio(of, name, label, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: "ratio", SeriesUnit: "ratio", Step: true, Label: label, Doc: doc}
}

func seconds(of, name, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: "s", Doc: doc}
}

func secondsSeries(of, name, label, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: "s", SeriesUnit: "s", Step: true, Label: label, Doc: doc}
}

// level is a gauge: its metric is the mean over time, its series has the value
// at each point.
func level(of, name, unit, label, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: unit, SeriesUnit: unit, Label: label, Doc: doc}
}

func peak(of, name, unit, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: unit, Doc: doc}
}

func bitrate(of, name, label, doc string) Quantity {
	return Quantity{Of: of, Name: name, Unit: "bit/s", SeriesUnit: "bit/s", Step: true, Label: label, Doc: doc}
}

func key(q Quantity) Quantity {
	q.Key = true
	return q
}

var catalogue = slices.Concat(
	connecting("clients"),
	withTasks("clients"),
	[]Quantity{
		count("server", "accepted", "accepted connections", "Connections that the server accepted."),
		key(count("server", "served", "responses", "Responses that the server wrote in full.")),
		plainCount("server", "failed", "Accepted connections that ended with an error."),
		plainCount("server", "timed_out", "Connections that the server closed because no request came (idle_timeout)."),
		level("server", "busy", "entries", "requests in work", "Workers that are taken or, without a number of workers, requests in work; mean over time."),
		level("server", "waiting", "entries", "requests waiting for a worker", "Requests that wait for a worker, mean over time."),

		count("sink", "accepted", "accepted connections", "Connections that the sink accepted."),
		bitrate("sink", "goodput", "goodput", "Payload delivered to the sink, over the time from the first connection on."),
		{Of: "sink", Name: "delivered", Unit: "B", Doc: "Payload delivered to the sink."},

		key(bitrate("bulk", "goodput", "goodput", "Payload delivered to the receiver, over the time from the start of the transfer to its end.")),
		{Of: "bulk", Name: "delivered", Unit: "B", Doc: "Payload delivered to the receiver."},
		key(seconds("bulk", "completion", "Time from the start of the transfer to its last byte at the receiver; none if it is endless or unfinished.")),
		{Of: "bulk", Name: "cwnd_mean", Unit: "packets", Doc: "Congestion window of the senders in segments: the mean of the readings at the intervals of measure."},
		plainCount("bulk", "failed", "Connections of the transfer that ended with an error."),
	},
	connecting("users"),
	withTasks("users"),
	carrying("users"),
	connecting("request_response"),
	carrying("request_response"),
	[]Quantity{
		key(count("syn_flood", "syns_sent", "spoofed SYNs", "Spoofed SYNs that were sent.")),
		count("syn_flood", "rsts_sent", "RSTs of spoofed addresses", "RSTs with which the addresses answered, as far as they are in use."),

		key(count("idle_connections", "attempts", "attempts", "Connections that were tried.")),
		key(count("idle_connections", "opened", "opened connections", "Connections that were established.")),
		key(plainCount("idle_connections", "failed", "Connections that could not be opened or ended with an error.")),
		key(level("idle_connections", "open", "connections", "open connections", "Connections that are established, mean over time, exact.")),

		key(count("blind_attack", "sent", "forged segments", "Forged segments that were sent.")),

		key(count("spoofed_connection", "trials", "attempts", "Attempts to open a connection in the name of another host.")),
		key(count("spoofed_connection", "established", "spoofed connections", "Attempts whose connection the server took for established, when the next attempt began.")),

		key(count("cross_traffic", "sent", "packets sent", "Packets that were sent.")),
		key(count("cross_traffic", "received", "packets received", "Packets that arrived.")),
		key(bitrate("cross_traffic", "throughput", "throughput", "Bits that arrived per second, IP headers included.")),
		key(secondsSeries("cross_traffic", "delay_mean", "mean delay", "Mean time from sender to receiver, of the packets that arrived in the time.")),
		seconds("cross_traffic", "delay_max", "Longest time from sender to receiver."),
	},
	ofHosts, ofListeners, ofBoxes, ofLinks,
)

// connecting is the quantities of a workload that attempts to connect.
func connecting(of string) []Quantity {
	return []Quantity{
		key(count(of, "attempts", "attempts", "Attempts to connect that started.")),
		key(ratio(of, "connect_success", "connected", "Share of the attempts that were connected before the application's timeout.")),
		key(ratio(of, "first_syn_accepted", "connected by the first SYN", "Share of the attempts that were connected without a retransmission of the SYN.")),
		seconds(of, "connect_mean", "Mean time to connect, of the attempts that were connected."),
		key(secondsSeries(of, "connect_p50", "median time to connect", "Median time to connect.")),
		seconds(of, "connect_p90", "90 % quantile of the time to connect."),
		key(secondsSeries(of, "connect_p99", "99 % quantile of the time to connect", "99 % quantile of the time to connect.")),
		seconds(of, "connect_max", "Longest time to connect."),
		ratio(of, "response_success", "got the whole response", "Share of the attempts that got the whole response (all of them, where a connection carries several)."),
		seconds(of, "response_p50", "Median time from the start of the attempt to the last byte of the response."),
		seconds(of, "response_p90", "90 % quantile of the time from the start of the attempt to the last byte of the response."),
		seconds(of, "response_p99", "99 % quantile of the time from the start of the attempt to the last byte of the response."),
		key(plainCount(of, "timeouts", "Attempts that ended without a connection by the application's timeout or the retry limit of the stack.")),
		plainCount(of, "refused", "Attempts that were answered by RST."),
		plainCount(of, "resets", "Attempts that RST ended after the connection was established."),
		plainCount(of, "unreachable", "Attempts that ended because the destination is unreachable."),
		plainCount(of, "no_ports", "Attempts for which no local port was free."),
		plainCount(of, "aborted", "Attempts that were connected and ended without the whole response."),
		plainCount(of, "undecided", "Attempts that started at or after the first one whose outcome the run did not see; they count in no ratio."),
	}
}

// withTasks is the quantities of a workload whose users may try again.
func withTasks(of string) []Quantity {
	return []Quantity{
		count(of, "retries", "repeated attempts", "Attempts that repeat one that failed."),
		count(of, "tasks", "tasks", "What users set out to do: an attempt with its repetitions, or a request on an open connection."),
		ratio(of, "task_success", "successful tasks", "Share of the tasks that got the whole response (or the connection, if there is no response)."),
		seconds(of, "task_mean", "Mean time from the start of a task to its end, failed attempts included, of the successful ones."),
		secondsSeries(of, "task_p50", "median time of a task", "Median of that time."),
		seconds(of, "task_p90", "90 % quantile of that time."),
		secondsSeries(of, "task_p99", "99 % quantile of the time of a task", "99 % quantile of that time."),
	}
}

// carrying is the quantities of a workload whose connections carry several
// requests.
func carrying(of string) []Quantity {
	return []Quantity{
		key(count(of, "requests", "requests", "Requests that were written.")),
		key(count(of, "responses", "responses", "Responses that arrived in full.")),
		secondsSeries(of, "turnaround_mean", "mean turnaround", "Mean time from a request to the last byte of its response, of the responses that arrived in the time."),
		key(secondsSeries(of, "turnaround_p50", "median turnaround", "Median of the time from a request to the last byte of its response.")),
		seconds(of, "turnaround_p90", "90 % quantile of the time from a request to the last byte of its response."),
		key(seconds(of, "turnaround_p99", "99 % quantile of the time from a request to the last byte of its response.")),
	}
}

var ofHosts = []Quantity{
	level(OfHost, "syn_sent", "connections", "connections in SYN-SENT", "Connections in SYN-SENT, mean over time."),
	level(OfHost, "syn_received", "connections", "connections in SYN-RECEIVED", "Connections in SYN-RECEIVED, mean over time."),
	level(OfHost, "established", "connections", "established connections", "Connections in ESTABLISHED, mean over time."),
	level(OfHost, "fin_wait_1", "connections", "connections in FIN-WAIT-1", "Connections in FIN-WAIT-1, mean over time."),
	level(OfHost, "fin_wait_2", "connections", "connections in FIN-WAIT-2", "Connections in FIN-WAIT-2, mean over time."),
	level(OfHost, "close_wait", "connections", "connections in CLOSE-WAIT", "Connections in CLOSE-WAIT, mean over time."),
	level(OfHost, "closing", "connections", "connections in CLOSING", "Connections in CLOSING, mean over time."),
	level(OfHost, "last_ack", "connections", "connections in LAST-ACK", "Connections in LAST-ACK, mean over time."),
	level(OfHost, "time_wait", "connections", "connections in TIME-WAIT", "Connections in TIME-WAIT, mean over time."),
	peak(OfHost, "time_wait_max", "connections", "Connections in TIME-WAIT, maximum."),
	count(OfHost, "active_opens", "active opens", "Connections that the host opened (ActiveOpens)."),
	count(OfHost, "passive_opens", "passive opens", "Connections that a listener completed (PassiveOpens)."),
	count(OfHost, "attempt_fails", "failed opens", "Connections that failed before they were established (AttemptFails)."),
	count(OfHost, "estab_resets", "resets", "Connections that went from ESTABLISHED or CLOSE-WAIT to CLOSED at once (EstabResets)."),
	count(OfHost, "in_segs", "segments in", "Segments that the stack took in (InSegs)."),
	count(OfHost, "out_segs", "segments out", "Segments that the stack sent (OutSegs)."),
	count(OfHost, "retrans_segs", "retransmissions", "Segments that the stack sent again (RetransSegs)."),
	count(OfHost, "out_rsts", "RSTs out", "RSTs that the stack sent (OutRsts)."),
	count(OfHost, "syn_retransmits", "SYN retransmissions", "SYNs and SYN-ACKs sent again (TCPSynRetrans)."),
	count(OfHost, "rto_timeouts", "retransmission timeouts", "Expiries of retransmission timers, those of SYN-ACKs included (TCPTimeouts)."),
	count(OfHost, "fast_retransmits", "fast retransmissions", "Segments sent again by fast retransmit (TCPFastRetrans)."),
	count(OfHost, "keepalive_probes", "keepalive probes", "Keepalive probes that were sent (TCPKeepAlive)."),
	count(OfHost, "abort_on_timeout", "aborts on timeout", "Connections given up because nothing was acknowledged (TCPAbortOnTimeout)."),
	count(OfHost, "challenge_acks", "challenge ACKs", "Challenge ACKs that were sent (TCPChallengeACK)."),
	{Of: OfHost, Name: "foreign_bytes", Unit: "B", SeriesUnit: "B/s", Step: true, Label: "foreign bytes", Doc: "Bytes that were delivered in a connection although its peer never sent them there: another incarnation's or an attacker's."},
	count(OfHost, "corrupted_streams", "corrupted streams", "Connections that delivered such bytes."),
}

var ofListeners = []Quantity{
	key(level(OfListening, "syn_queue", "entries", "half-open connections", "Connections in SYN-RECEIVED at the host, mean over time, exact.")),
	key(peak(OfListening, "syn_queue_max", "entries", "Connections in SYN-RECEIVED at the host, maximum.")),
	level(OfListening, "accept_queue", "entries", "accept queue", "Connections that wait to be accepted, mean over time, exact."),
	peak(OfListening, "accept_queue_max", "entries", "Connections that wait to be accepted, maximum."),
	level(OfListening, "syn_data_held", "B", "data held for half-open connections", "Bytes that SYNs brought for connections whose handshake is not complete (Fast Open), as read at the points of series; mean over time."),
	peak(OfListening, "syn_data_held_max", "B", "Bytes that SYNs brought for connections whose handshake is not complete, maximum of the readings."),
	key(ratio(OfListening, "syn_drop", "dropped SYNs", "Share of the SYNs at the host's listeners that got neither an entry nor a cookie.")),
	count(OfListening, "syns_received", "SYNs", "SYNs that the listeners saw."),
	count(OfListening, "syns_queued", "queued SYNs", "SYNs that got a half-open entry."),
	key(count(OfListening, "synack_retransmits", "SYN-ACK retransmissions", "SYN-ACKs that listeners sent again.")),
	key(count(OfListening, "listen_drops", "listen drops", "SYNs and third ACKs that a listener dropped (ListenDrops).")),
	count(OfListening, "listen_overflows", "accept queue overflows", "Drops because the accept queue was full (ListenOverflows)."),
	count(OfListening, "req_q_full_drop", "SYN queue overflows", "SYNs dropped because the SYN queue was full (TCPReqQFullDrop)."),
	count(OfListening, "req_q_full_do_cookies", "cookies on overflow", "SYNs answered with a cookie because the SYN queue was full (TCPReqQFullDoCookies)."),
	count(OfListening, "syncookies_sent", "SYN cookies sent", "SYN-ACKs with a cookie (SyncookiesSent)."),
	count(OfListening, "syncookies_recv", "SYN cookies received", "Valid cookies that came back (SyncookiesRecv)."),
	count(OfListening, "syncookies_failed", "SYN cookies failed", "ACKs without a valid cookie (SyncookiesFailed)."),
	count(OfListening, "fastopen_passive", "Fast Open connections", "Connections that a SYN opened at once (TCPFastOpenPassive)."),
	count(OfListening, "fastopen_passive_fail", "wrong Fast Open cookies", "SYNs with a wrong Fast Open cookie (TCPFastOpenPassiveFail)."),
	count(OfListening, "fastopen_listen_overflow", "Fast Open overflows", "SYNs that found the Fast Open queue full (TCPFastOpenListenOverflow)."),
	count(OfListening, "fastopen_cookie_reqd", "Fast Open cookies asked for", "SYNs that asked for a Fast Open cookie (TCPFastOpenCookieReqd)."),
	count(OfListening, "defer_accept_drop", "deferred third segments", "Third segments without data that TCP_DEFER_ACCEPT ignored (TCPDeferAcceptDrop)."),
	count(OfListening, "requests_expired", "expired half-open entries", "Half-open entries whose last SYN-ACK timed out."),
	count(OfListening, "requests_pruned", "pruned half-open entries", "Half-open entries dropped early because the queue was more than half full."),
	count(OfListening, "requests_evicted", "evicted half-open entries", "Half-open entries that gave way to newcomers (syn_eviction, SYN cache)."),
}

var ofLinks = []Quantity{
	level(OfLink, "queue", "packets", "queue", "Packets in the queue, the one in service included, mean over time, exact."),
	bitrate(OfLink, "throughput", "throughput", "Bits that left the queue per second, headers included."),
	ratio(OfLink, "utilization", "utilization", "Share of the time in which a packet was in service."),
	secondsSeries(OfLink, "queue_delay", "queueing delay", "Mean time from the arrival of a packet to the start of its service, of the packets that left the queue."),
	peak(OfLink, "queue_max", "packets", "Packets in the queue, the one in service included, maximum."),
	count(OfLink, "sent", "packets", "Packets that left the queue."),
	count(OfLink, "dropped", "dropped packets", "Packets that were dropped before they were on the wire, for whatever reason: a full queue and those below."),
	count(OfLink, "early_drops", "early drops", "Packets that the discipline dropped on arrival although there was room."),
	count(OfLink, "queue_discards", "discarded packets", "Packets that were dropped out of the queue, by the discipline or because the link went down."),
	count(OfLink, "policed", "policed packets", "Packets that the policer dropped."),
	count(OfLink, "oversize", "packets above the MTU", "Packets that were dropped because they are longer than the MTU, or than the burst of the shaper."),
	count(OfLink, "down_drops", "packets while down", "Packets that came while the link was down and were dropped."),
	count(OfLink, "marked", "marked packets", "Packets that the discipline marked (CE) instead of dropping them."),
	count(OfLink, "lost", "lost packets", "Packets that were lost on the wire."),
	count(OfLink, "corrupted", "corrupted packets", "Packets whose bits were changed on the wire."),
	count(OfLink, "duplicated", "duplicates", "Copies that the link made of packets."),
}
