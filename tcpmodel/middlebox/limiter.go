package middlebox

import (
	"fmt"
	"math"

	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// LimiterConfig is the settings of a Limiter.
type LimiterConfig struct {
	// Rate is how many packets per second each source may send, in steps of
	// 10^-6; Burst is how many at once, at most 9000.
	Rate  float64
	Burst int
	// SYNs: only segments that open connections are counted and limited, all
	// else passes.
	SYNs bool
	// Sources is how many sources are remembered. A source that is not starts
	// with a whole burst; to remember it, the one is forgotten that was quiet
	// for longest.
	Sources int
}

// DefaultLimiter is 65536 sources, without a rate.
func DefaultLimiter() LimiterConfig { return LimiterConfig{Burst: 5, Sources: 65536} }

const (
	// Tokens are counted in 10^-15: a rate in 10^-6 per second times
	// nanoseconds.
	tokenUnit = 1_000_000_000_000_000
	rateUnit  = 1e6
	maxBurst  = 9000
	maxRate   = 1e12
)

// Limiter passes packets of each source at a bounded rate: a token bucket per
// source node, exact, in a table of fixed size. It works in one direction.
type Limiter struct {
	side
	sim     *des.Sim
	config  LimiterConfig
	rate    uint64
	depth   uint64
	fill    des.Time // after so long any bucket is full
	sources []source
	index   index
	ages    ages
	limited uint64
	dropped uint64
	evicted uint64
	// sourceTime is the integral of the number of sources up to changed.
	sourceTime uint64
	changed    des.Time
}

type source struct {
	node  segment.Node
	level uint64
	last  des.Time
}

// NewLimiter returns a limiter that passes on to next.
func NewLimiter(sim *des.Sim, c LimiterConfig, next network.Sink) (*Limiter, error) {
	if !(c.Rate > 0 && c.Rate <= maxRate) || c.Burst < 1 || c.Burst > maxBurst || c.Sources < 1 {
		return nil, fmt.Errorf("limiter: rate %v/s (want more than 0, at most 10^12), burst %d (want 1 to %d), %d sources (want 1 or more)", c.Rate, c.Burst, maxBurst, c.Sources)
	}
	l := &Limiter{sim: sim, side: side{next: next}, config: c, rate: uint64(math.Round(float64(c.Rate * rateUnit)))}
	if l.rate == 0 {
		return nil, fmt.Errorf("limiter: rate %v/s is less than 10^-6/s", c.Rate)
	}
	l.depth = uint64(c.Burst) * tokenUnit
	l.fill = des.Time((l.depth-1)/l.rate + 1)
	l.ages.lists = make([]ageEnds, 1)
	return l, nil
}

// LimiterStats counts what a Limiter did.
type LimiterStats struct {
	// Limited packets were subject to the limit, Dropped ones exceeded it.
	Limited, Dropped uint64
	// Sources are remembered now, Forgotten ones gave way to others.
	Sources   int
	Forgotten uint64
	// SourceTime is the integral of Sources over time, in source nanoseconds.
	SourceTime uint64
}

// Stats returns the counters.
func (l *Limiter) Stats() LimiterStats {
	l.account()
	return LimiterStats{l.limited, l.dropped, len(l.sources), l.evicted, l.sourceTime}
}

// account integrates the number of sources up to now.
func (l *Limiter) account() {
	now := l.sim.Now()
	l.sourceTime += uint64(len(l.sources)) * uint64(now-l.changed)
	l.changed = now
}

// SetNext makes the limiter pass packets on to next.
func (l *Limiter) SetNext(next network.Sink) { l.next = next }

// Receive passes on a packet that its source may send.
func (l *Limiter) Receive(now des.Time, seg *segment.Segment) {
	count(&l.flow.In, seg)
	if l.config.SYNs && (seg.Kind != segment.KindTCP || !isOpening(seg)) {
		l.pass(now, seg)
		return
	}
	l.limited++
	s := l.source(now, seg.Src)
	if s.level < tokenUnit {
		l.dropped++
		l.lose(now, seg, OverLimit)
		return
	}
	s.level -= tokenUnit
	l.pass(now, seg)
}

// source returns the entry of a node with the tokens that it has now.
func (l *Limiter) source(now des.Time, node segment.Node) *source {
	i, ok := l.index.find(tuple{in: node})
	if ok {
		l.ages.remove(0, i)
		l.ages.push(0, i)
		s := &l.sources[i]
		if quiet := now - s.last; quiet >= l.fill {
			s.level = l.depth
		} else {
			s.level = min(s.level+uint64(quiet)*l.rate, l.depth)
		}
		s.last = now
		return s
	}
	if len(l.sources) < l.config.Sources {
		l.account()
		i = uint32(len(l.sources))
		l.sources = append(l.sources, source{})
	} else {
		i, _ = l.ages.oldest(0)
		l.ages.remove(0, i)
		l.index.remove(tuple{in: l.sources[i].node})
		l.evicted++
	}
	l.sources[i] = source{node: node, level: l.depth, last: now}
	l.index.put(tuple{in: node}, i)
	l.ages.push(0, i)
	return &l.sources[i]
}
