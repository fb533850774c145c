package tcpmodel

// Counters are the counters of one stack. The names are those of Linux's
// /proc/net/snmp and /proc/net/netstat where they mean the same.
type Counters struct {
	ActiveOpens  uint64
	PassiveOpens uint64
	AttemptFails uint64
	EstabResets  uint64
	InSegs       uint64
	OutSegs      uint64
	RetransSegs  uint64
	OutRsts      uint64

	// ListenOverflows: accept queue full. ListenDrops: SYNs and third ACKs
	// that a listener dropped for any reason.
	ListenOverflows uint64
	ListenDrops     uint64
	// TCPReqQFullDrop and TCPReqQFullDoCookies: SYN queue full, without and
	// with cookies.
	TCPReqQFullDrop      uint64
	TCPReqQFullDoCookies uint64
	SyncookiesSent       uint64
	SyncookiesRecv       uint64
	SyncookiesFailed     uint64

	TCPFastOpenActive         uint64
	TCPFastOpenActiveFail     uint64
	TCPFastOpenPassive        uint64
	TCPFastOpenPassiveFail    uint64
	TCPFastOpenListenOverflow uint64
	TCPFastOpenCookieReqd     uint64

	TCPDeferAcceptDrop  uint64
	TCPTimeouts         uint64
	TCPSynRetrans       uint64
	TCPFastRetrans      uint64
	TCPSlowStartRetrans uint64
	TCPLossProbes       uint64
	TCPKeepAlive        uint64
	TCPAbortOnTimeout   uint64
	TCPAbortOnData      uint64
	TCPAbortOnLinger    uint64
	TCPAbortOnClose     uint64
	TCPAbortOnMemory    uint64
	TCPChallengeACK     uint64
	TCPOFOQueue         uint64
	OutOfWindowIcmps    uint64
	PAWSEstab           uint64
	DelayedACKs         uint64
	TW                  uint64
	TWRecycled          uint64
	TCPTimeWaitOverflow uint64

	// TCPRecoveries counts entries into fast recovery (Linux tells those with
	// SACK, TCPSackRecovery, from those without, TCPRenoRecovery).
	TCPRecoveries uint64

	// Not Linux's: SYNs that a listener saw, those that got a half-open
	// entry, half-open entries that timed out, SYN-ACKs sent again.
	SynsReceived      uint64
	SynsQueued        uint64
	RequestsExpired   uint64
	RequestsPruned    uint64
	SynackRetransmits uint64

	// RequestsEvicted counts half-open entries that gave way to newcomers; in
	// a SYN cache because a bucket or the cache was full, by FreeBSD's names.
	RequestsEvicted        uint64
	SyncacheBucketOverflow uint64
	SyncacheCacheOverflow  uint64

	// SynData is how many bytes SYNs have brought that were taken (Fast Open),
	// SynDataHeld how many of them are those of connections whose handshake is
	// not complete now.
	SynData     uint64
	SynDataHeld uint64

	// ForeignBytes is the sum of ConnStats.ForeignBytes, CorruptedStreams how
	// many connections have delivered any.
	ForeignBytes     uint64
	CorruptedStreams uint64
}
