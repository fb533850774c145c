package network

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// resolution is how many units of length a byte has in the queue rows: sizes
// and rate are multiplied by it, so that service times are continuous to about
// a nanosecond where the row draws them from a continuous distribution. The
// times are those of the row.
const resolution = 1000

// source sends packets without TCP into a link: gaps and sizes are drawn from
// streams of their own.
type source struct {
	sim     *des.Sim
	timer   des.Timer
	link    *Link
	seg     segment.Segment
	gap     func() float64 // ns
	size    func() float64 // bytes
	owed    float64        // what rounding has taken from the last gaps
	packets int            // still to send
}

func (s *source) HandleTimer(now des.Time, _ uint64) {
	s.seg.Len = uint32(math.Ceil(s.size() * resolution))
	s.link.Receive(now, &s.seg)
	if s.packets--; s.packets > 0 {
		s.next(now)
	}
}

func (s *source) next(now des.Time) {
	exact := s.gap() + s.owed
	gap := math.Round(exact)
	s.owed = exact - gap
	s.sim.Arm(s.timer, now+des.Time(gap))
}

// queueResult holds the means of a queue over its replications.
type queueResult struct{ wait, queued, empty, dropped, wide float64 }

func (q queueResult) check(t *testing.T, r row) {
	t.Helper()
	values := map[string]float64{
		"mean wait in queue":            q.wait,
		"time-average number in system": q.queued,
		"fraction of time empty":        q.empty,
		"drop fraction":                 q.dropped,
		"drop fraction (long run)":      q.dropped,
	}
	got, ok := values[r.metric]
	if !ok {
		t.Fatalf("unknown metric %q", r.metric)
	}
	r.check(t, got, q.wide)
}

// sizes returns how the sizes of a row are drawn, and their mean in bytes.
func sizes(t *testing.T, text string, rng *rand.Rand) (draw func() float64, mean float64) {
	if strings.HasPrefix(text, "exp mean 1250 B") {
		return func() float64 { return 1250 * rng.ExpFloat64() }, 1250
	}
	if text == "1250 B fixed" {
		return func() float64 { return 1250 }, 1250
	}
	_, list, found := strings.Cut(text, ":")
	if !found {
		t.Fatalf("unknown sizes %q", text)
	}
	var size, share []float64
	total := 0.0
	for item := range strings.SplitSeq(list, "/") {
		bytes, p, _ := strings.Cut(item, "B@")
		size, share = append(size, number(t, bytes)), append(share, number(t, p))
		total += number(t, p)
		mean += number(t, bytes) * number(t, p)
	}
	return func() float64 {
		u := rng.Float64() * total
		for i := range size {
			if u -= share[i]; u < 0 {
				return size[i]
			}
		}
		return size[len(size)-1]
	}, mean / total
}

// runQueue runs the 10 replications of a queue row, each with its warm-up of
// 20/(1-rho)^2 service times deleted.
func runQueue(t *testing.T, r row) queueResult {
	packets, wide := scaled(1_000_000)
	replications := 10
	if r.params["arrivals"] == "CBR" {
		// One run without randomness. Its error is the start: a queue of 10
		// packets that fills once, well within the row's tolerance.
		packets, replications, wide = max(packets, 250_000), 1, 1
	}
	sum := queueResult{wide: wide}
	for replication := range replications {
		s := runReplication(t, r, uint32(replication), packets)
		n := float64(replications)
		sum.wait += s.MeanWait() / n
		sum.queued += s.MeanQueued() / n
		sum.empty += (1 - s.Utilization()) / n
		sum.dropped += s.DropFraction() / n
	}
	return sum
}

func runReplication(t *testing.T, r row, replication uint32, packets int) Stats {
	sim := des.New(1, replication)
	rate := number(t, r.params["rate_bps"])
	config := LinkConfig{Rate: int64(rate * resolution)}
	for _, key := range []string{"K_in_system", "buffer_pkts"} {
		if k, ok := r.params[key]; ok {
			config.Queue.Packets = int(number(t, k))
		}
	}
	draw, mean := sizes(t, r.params["pkt"], sim.Stream("sizes"))
	meanGap, arrivals := 1e9/number(t, r.params["lam"]), sim.Stream("arrivals")
	s := &source{
		sim: sim, link: newLink(t, sim, config, &counter{}), size: draw,
		seg: segment.Segment{Kind: segment.KindRaw},
		gap: func() float64 { return meanGap * arrivals.ExpFloat64() },
	}
	if r.params["arrivals"] == "CBR" {
		s.gap = func() float64 { return meanGap }
	}
	rho := mean * 8 / rate * 1e9 / meanGap
	warmUp := 0
	if config.Queue.Packets == 0 {
		warmUp = int(20 / ((1 - rho) * (1 - rho)) * rho)
	} else if r.params["arrivals"] != "CBR" {
		warmUp = 2000 // a finite queue forgets its start much sooner
	}
	s.timer = sim.NewTimer(sim.NewComponent("source"), s, 0)

	s.packets = warmUp + packets
	s.next(0)
	for s.packets > packets && sim.Step() {
	}
	start := s.link.Stats()
	for s.packets > 0 && sim.Step() {
	}
	end := s.link.Stats()
	checkConservation(t, s.link)
	sim.RunIdle()
	checkEmptyLittle(t, s.link)
	return end.Since(start)
}

// checkEmptyLittle checks Q-LITTLE and Q-CONS on a link that has run empty: L*T,
// integrated over arrivals and departures, is the sum of the sojourn times.
func checkEmptyLittle(t *testing.T, l *Link) {
	t.Helper()
	checkConservation(t, l)
	s := l.Stats()
	if s.InFlight.Packets != 0 || s.PacketTime != s.Sojourn || s.Wait+uint64(s.Busy) != s.Sojourn {
		t.Fatalf("empty again: L*T = %d, sum of sojourn times %d, of waits and services %d; in flight %v", s.PacketTime, s.Sojourn, s.Wait+uint64(s.Busy), s.InFlight)
	}
}
