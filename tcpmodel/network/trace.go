package network

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"tcplab/des"
)

// opportunity is how many bytes a line of a trace can carry.
const opportunity = 1500

// maxStamps is the largest number of lines of a trace.
const maxStamps = 50_000_000

// Trace is a recorded rate in the format of mahimahi (Netravali et al., USENIX
// ATC 2015): each opportunity to send carries up to 1500 bytes, of one packet or
// of several; what is not used is gone. It begins anew after its last
// opportunity. A Trace is not changed by its links, which may share it.
type Trace struct {
	stamps []des.Time // of the opportunities, ascending
}

// ParseTrace reads a trace: on each line the time of one opportunity in
// milliseconds since the start, in ascending order. The last must be above 0:
// it is the period.
func ParseTrace(r io.Reader) (*Trace, error) {
	t := &Trace{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSuffix(lines.Text(), "\r")
		ms, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("trace: line %d: %q is no time (want milliseconds, 0 to 2^32-1)", n, text)
		}
		if n > maxStamps {
			return nil, fmt.Errorf("trace: more than %d lines", maxStamps)
		}
		t.stamps = append(t.stamps, des.Time(ms)*des.Millisecond)
		if n > 1 && t.stamps[n-1] < t.stamps[n-2] {
			return nil, fmt.Errorf("trace: line %d: %d ms is before the line above", n, ms)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	if len(t.stamps) == 0 || t.Period() == 0 {
		return nil, fmt.Errorf("trace: %d lines that end at 0 ms (want the last time to be above 0: it is the period)", len(t.stamps))
	}
	return t, nil
}

// Period returns how long the trace is.
func (t *Trace) Period() des.Time { return t.stamps[len(t.stamps)-1] }

// Opportunities returns how many opportunities a period has.
func (t *Trace) Opportunities() int { return len(t.stamps) }

// Rate returns the mean rate in bit/s if all opportunities are used.
func (t *Trace) Rate() int64 {
	hi, lo := bits.Mul64(uint64(len(t.stamps)), opportunity*nanobits)
	rate, _ := bits.Div64(hi, lo, uint64(t.Period()))
	return int64(rate)
}

// traceServer is the service of a link that follows a trace, from the time at
// which the link was made.
type traceServer struct {
	trace *Trace
	base  des.Time // start of the current period
	next  int      // the first opportunity that has not been taken
	at    des.Time // of the last one that was taken
	left  uint32   // bytes of it
}

func (s *traceServer) rate() int64 { return s.trace.Rate() }

// serve ends at the opportunity that carries the last byte. A packet that comes
// to an idle link cannot use an opportunity of that instant.
func (s *traceServer) serve(start des.Time, size uint32, busy bool) (begin, end des.Time) {
	if !busy {
		s.skip(start)
	}
	for size > 0 {
		if s.left == 0 {
			s.take()
		}
		used := min(size, s.left)
		size -= used
		s.left -= used
	}
	return start, max(start, s.at)
}

// take goes on to the next opportunity.
func (s *traceServer) take() {
	if s.next == len(s.trace.stamps) {
		s.next = 0
		s.base += s.trace.Period()
	}
	s.at, s.left = s.base+s.trace.stamps[s.next], opportunity
	s.next++
}

// skip lets the opportunities up to now go by.
func (s *traceServer) skip(now des.Time) {
	s.left = 0
	if gone := (now - s.base) / s.trace.Period(); gone > 0 {
		s.base += gone * s.trace.Period()
	}
	s.next, _ = slices.BinarySearch(s.trace.stamps, now-s.base+1)
}
