package sweep

import (
	"context"
	"errors"
	"time"
)

// Forecast is what a sweep would do in an empty directory.
type Forecast struct {
	// Points are those of the shard. Replications of each are at least Least
	// and at most Most, which differ if there is a stopping rule.
	Points, Least, Most int
	// One is how long one replication of the point in the middle took, or the
	// limit that it did not keep to.
	One time.Duration
	// Over is true if it did not.
	Over bool
	// Time is what that makes for all replications, at least, with the workers
	// of the options.
	Time time.Duration
	// Bytes is how much room the records take in the store.
	Bytes int64
}

// Forecast runs one replication, for at most limit, and says what the sweep
// would do. Nothing is written.
func (s *Sweep) Forecast(ctx context.Context, o Options, limit time.Duration) (*Forecast, error) {
	f := &Forecast{Points: s.Design.Points(), Least: newStopping(&s.Spec).least, Most: s.most()}
	if o.Shards > 0 {
		f.Points = (f.Points - o.Shard + o.Shards) / o.Shards
	}
	p, err := s.prepare(s.Design.Point(s.Design.Points() / 2))
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	r, err := p.replicate(limited, 0, func(uint64) {})
	f.One = time.Since(start)
	switch {
	case err == nil:
		f.Bytes = int64(len(appendRecord(nil, r, 0))) * int64(f.Points) * int64(f.Least)
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		f.One, f.Over = limit, true
	default:
		return nil, err
	}
	n := f.Points * f.Least
	rounds := float64(n) / float64(min(o.workers(), max(1, n)))
	f.Time = time.Duration(float64(f.One) * rounds)
	return f, nil
}
