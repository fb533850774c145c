package tcpmodel

import "tcplab/des"

// What a connection with data to send waits for, as TCP_INFO reports it
// (Linux's tcp_chrono_*). A later one takes precedence.
const (
	chronoIdle = iota
	// chronoBusy: data are in flight or wait to be sent.
	chronoBusy
	// chronoRwnd: the peer's window holds them back.
	chronoRwnd
	// chronoSndbuf: all is sent, and the user waits for room in the buffer.
	chronoSndbuf
	numChronos
)

// chrono sums up how long each has been the case.
type chrono struct {
	now   uint8
	since des.Time
	spent [numChronos]des.Time
}

func (c *chrono) set(now des.Time, to uint8) {
	c.spent[c.now] += now - c.since
	c.now, c.since = to, now
}

func (c *chrono) start(now des.Time, what uint8) {
	if what > c.now {
		c.set(now, what)
	}
}

// stop ends what; idle says that nothing is in flight nor waits.
func (c *chrono) stop(now des.Time, what uint8, idle bool) {
	switch {
	case idle:
		if c.now != chronoIdle {
			c.set(now, chronoIdle)
		}
	case what == c.now:
		c.set(now, chronoBusy)
	}
}

// total is how long what has been the case up to now.
func (c *chrono) total(now des.Time, what uint8) des.Time {
	t := c.spent[what]
	if c.now == what {
		t += now - c.since
	}
	return t
}

// empty reports whether nothing is in flight nor waits to be sent.
func (ep *Endpoint) empty() bool { return ep.rtx.len() == 0 && ep.unsent() == 0 }

// chronos fills in the times of TCP_INFO.
func (ep *Endpoint) chronos(i *Info) {
	now, c := ep.st.sim.Now(), &ep.chrono
	rwnd, sndbuf := c.total(now, chronoRwnd), c.total(now, chronoSndbuf)
	i.RwndLimited, i.SndbufLimited = uint64(rwnd/des.Microsecond), uint64(sndbuf/des.Microsecond)
	i.BusyTime = uint64((c.total(now, chronoBusy) + rwnd + sndbuf) / des.Microsecond)
}
