package measure

import "tcplab/des"

// PacketFlow measures packets that are sent and arrive, or do not.
type PacketFlow struct {
	r                     *Recorder
	sent, received, bytes Counter
	delay                 Counter // sum over the packets that arrived, in ns
	longest               int64   // since the last mark
	longests              column
}

// PacketFlow declares the metrics of a flow of packets without a transport, of
// being its kind in the catalogue.
func (r *Recorder) PacketFlow(of, owner string) *PacketFlow {
	f := &PacketFlow{r: r}
	r.probes = append(r.probes, f)
	for _, c := range []struct {
		name    string
		counter *Counter
	}{{"sent", &f.sent}, {"received", &f.received}} {
		r.declare(&r.workloads, of, owner, c.name,
			func(w window) (float64, bool) { return c.counter.growth(r.marks, w) },
			func() []float64 { return r.rate(&c.counter.totals, 1) })
	}
	throughput := func(w window) (float64, bool) {
		grown, ok := f.bytes.growth(r.marks, w)
		if !ok {
			return 0, false
		}
		return float64(8*grown) / w.seconds(), true
	}
	r.declare(&r.workloads, of, owner, "throughput", throughput, func() []float64 { return r.each(throughput) })
	r.declare(&r.workloads, of, owner, "delay_mean", f.meanDelay, func() []float64 { return r.each(f.meanDelay) })
	r.declare(&r.workloads, of, owner, "delay_max", f.mostDelay, nil)
	return f
}

// Send counts a packet that is sent.
func (f *PacketFlow) Send() { f.sent.Add(1) }

// Receive counts a packet of n bytes that arrives delay after it was sent.
func (f *PacketFlow) Receive(n uint32, delay des.Time) {
	f.received.Add(1)
	f.bytes.Add(uint64(n))
	f.delay.Add(uint64(delay))
	f.longest = max(f.longest, int64(delay))
}

func (f *PacketFlow) sample(i int, now des.Time) {
	for _, c := range []*Counter{&f.sent, &f.received, &f.bytes, &f.delay} {
		c.sample(i, now)
	}
	f.longests.set(i, uint64(f.longest))
	f.longest = 0
}

func (f *PacketFlow) meanDelay(w window) (float64, bool) {
	n, ok := f.received.growth(f.r.marks, w)
	if !ok || n <= 0 {
		return 0, false
	}
	sum, _ := f.delay.growth(f.r.marks, w)
	return float64(sum*1e-9) / n, true
}

func (f *PacketFlow) mostDelay(w window) (float64, bool) {
	if n, ok := f.received.growth(f.r.marks, w); !ok || n <= 0 {
		return 0, false
	}
	return float64(f.longests.most(f.r.marks, w) * 1e-9), true
}
