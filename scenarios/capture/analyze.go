package capture

import (
	"errors"
	"io"
	"math"
	"net/netip"

	"tcplab/tcpmodel/segment"
)

// DefaultLadder and DefaultLadders bound what is kept of ladders.
const (
	DefaultLadder  = 200
	DefaultLadders = 1000
)

// Options are what an analysis can be told.
type Options struct {
	// Ladder is how many segments of a connection its ladder holds, half of
	// them the first ones and half the last; 0 means DefaultLadder, less
	// than 0 no bound.
	Ladder int
	// Ladders is how many connections have one; 0 means DefaultLadders,
	// less than 0 all.
	Ladders int
}

func (o Options) withDefaults() Options {
	if o.Ladder == 0 {
		o.Ladder = DefaultLadder
	}
	if o.Ladder < 0 {
		o.Ladder = math.MaxInt32
	}
	if o.Ladders == 0 {
		o.Ladders = DefaultLadders
	}
	if o.Ladders < 0 {
		o.Ladders = math.MaxInt32
	}
	return o
}

// Analyze reads a capture file to its end and reports each TCP connection in
// it. A file that ends within a packet gives a report with Cut set; after any
// other error in the file the report is of what came before, and the error is a
// *FormatError. A report is nil only if the file has no head of a capture.
func Analyze(r io.Reader) (*Report, error) { return Options{}.Analyze(r) }

// Analyze is the function of that name with options.
func (o Options) Analyze(r io.Reader) (*Report, error) {
	reader, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	a := &analysis{options: o.withDefaults(), decoder: newDecoder(), newest: map[connKey]*conn{}}
	a.report = &Report{Format: reader.Format(), Connections: []*Connection{}}
	for {
		p, err := reader.Next()
		if err == nil {
			a.add(&p)
			continue
		}
		a.finish(reader)
		switch {
		case err == io.EOF:
			return a.report, nil
		case errors.Is(err, ErrTruncated):
			a.report.Cut = true
			return a.report, nil
		}
		return a.report, err
	}
}

// connKey finds the connection of a packet: low is the lesser of the two ends.
type connKey struct {
	vantage   vantage
	low, high netip.AddrPort
}

type analysis struct {
	options Options
	report  *Report
	decoder *decoder
	newest  map[connKey]*conn // the newest incarnation; never walked
	conns   []*conn
	packet  tcpPacket
	last    Span
}

func (a *analysis) add(p *Packet) {
	a.report.Packets++
	at := a.last
	if !p.Time.IsZero() { // some records of pcapng have no stamp
		if a.report.Start.IsZero() {
			a.report.Start = p.Time
		}
		at = Span(p.Time.Sub(a.report.Start))
		a.last = max(a.last, at)
	}
	t := &a.packet
	*t = tcpPacket{at: at}
	switch a.decoder.decode(p, t) {
	case isTCP:
		a.report.TCP++
	case isFragment:
		a.report.Fragments++
		return
	case isMalformed:
		a.report.Malformed++
		return
	default:
		return
	}
	if t.badChecksum {
		a.report.BadChecksums++
	}
	c, x := a.find(t)
	c.take(t, x)
}

// find returns the connection of a packet, and which of its ends sent it. A
// new one begins with the first packet between two ends, and with a SYN that
// differs from the one before.
func (a *analysis) find(t *tcpPacket) (*conn, int) {
	key := connKey{vantage: t.vantage, low: t.source, high: t.dest}
	if key.high.Compare(key.low) < 0 {
		key.low, key.high = key.high, key.low
	}
	c := a.newest[key]
	if c == nil {
		return a.begin(key, t, nil)
	}
	x := c.sender(t)
	if t.Flags&(segment.SYN|segment.ACK|segment.RST) == segment.SYN && c.isOther(t, x) {
		return a.begin(key, t, c)
	}
	if c.before != nil && !c.belongs(t, x) {
		if before := c.before.sender(t); c.before.belongs(t, before) {
			return c.before, before
		}
	}
	return c, x
}

func (a *analysis) begin(key connKey, t *tcpPacket, before *conn) (*conn, int) {
	c := newConn(t, len(a.conns)+1)
	if c.before = before; before != nil {
		before.before = nil
	}
	if len(a.conns) < a.options.Ladders {
		c.lines.limit = a.options.Ladder
	}
	a.newest[key] = c
	a.conns = append(a.conns, c)
	return c, c.sender(t)
}

func (a *analysis) finish(r *Reader) {
	a.report.Interfaces = append([]InterfaceInfo{}, r.Interfaces()...)
	a.report.Duration = a.last
	for _, c := range a.conns {
		a.report.Connections = append(a.report.Connections, c.finish())
	}
}
