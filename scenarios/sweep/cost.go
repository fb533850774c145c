package sweep

import (
	"math"
	"slices"
	"time"
)

// costs predicts how long a replication of a point takes: the mean of all that
// has been run, times a factor for each level of each dimension that it is on.
// It decides the order in which points are handed out and the time that is said
// to be left, and nothing else.
type costs struct {
	all    mean
	levels []map[int]*mean // of the logarithms, by dimension
	sum    time.Duration
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) { m.sum += v; m.n++ }
func (m *mean) value() float64 {
	if m == nil || m.n == 0 {
		return 0
	}
	return m.sum / float64(m.n)
}

func (c *costs) add(levels []int, took time.Duration) {
	for len(c.levels) < len(levels) {
		c.levels = append(c.levels, map[int]*mean{})
	}
	v := math.Log(max(1, float64(took)))
	c.all.add(v)
	c.sum += took
	for i, level := range levels {
		m := c.levels[i][level]
		if m == nil {
			m = &mean{}
			c.levels[i][level] = m
		}
		m.add(v)
	}
}

// predict returns the time of one replication in nanoseconds.
func (c *costs) predict(levels []int) float64 {
	v := c.all.value()
	for i, level := range levels {
		if i < len(c.levels) {
			if m := c.levels[i][level]; m != nil {
				v += m.value() - c.all.value()
			}
		}
	}
	return math.Exp(v)
}

// queue is the points that wait, the next one last.
type queue struct {
	points []int32
	cost   []float32 // of a replication, in nanoseconds, as last predicted
	total  float64   // of cost
}

// newQueue returns the points of a shard in an order that sees all of the design
// early, so that costs are known soon.
func newQueue(points, shard, shards int) *queue {
	q := &queue{}
	stride := max(1, int(0.618033988749895*float64(points)))
	for gcd(stride, points) != 1 {
		stride++
	}
	at := 0
	for range points {
		if at%shards == shard {
			q.points = append(q.points, int32(at))
		}
		at = (at + stride) % points
	}
	slices.Reverse(q.points)
	q.cost = make([]float32, len(q.points))
	return q
}

// restrict leaves in the queue only some points.
func (q *queue) restrict(points []int) {
	own := map[int32]bool{}
	for _, p := range points {
		own[int32(p)] = true
	}
	q.points = slices.DeleteFunc(q.points, func(p int32) bool { return !own[p] })
	q.cost = q.cost[:len(q.points)]
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// sort puts the points that take longest first.
func (q *queue) sort(d *Design, c *costs) {
	type item struct {
		point int32
		cost  float32
	}
	items := make([]item, len(q.points))
	for i, p := range q.points {
		items[i] = item{p, float32(c.predict(d.levels(int(p))))}
	}
	slices.SortStableFunc(items, func(a, b item) int {
		if a.cost != b.cost {
			if a.cost < b.cost {
				return -1
			}
			return 1
		}
		return int(b.point - a.point)
	})
	q.total = 0
	for i, x := range items {
		q.points[i], q.cost[i] = x.point, x.cost
		q.total += float64(x.cost)
	}
}

func (q *queue) pop() (point int, ok bool) {
	last := len(q.points) - 1
	if last < 0 {
		return 0, false
	}
	point = int(q.points[last])
	q.total = max(0, q.total-float64(q.cost[last]))
	q.points, q.cost = q.points[:last], q.cost[:last]
	return point, true
}
