package tcpmodel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// TestConnTable compares the table with a map under random puts and removals.
// Few keys, many of them with the same home, make chains that wrap around.
func TestConnTable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var table connTable
		want := map[connKey]ref{}
		keys := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) connKey {
			return keyOf(segment.Node(rapid.IntRange(0, 3).Draw(rt, "node")), rapid.Uint16().Draw(rt, "remote"), uint16(rapid.IntRange(0, 5).Draw(rt, "local")))
		}), 1, 60).Draw(rt, "keys")
		for range rapid.IntRange(1, 300).Draw(rt, "steps") {
			k := rapid.SampledFrom(keys).Draw(rt, "key")
			if rapid.IntRange(0, 2).Draw(rt, "remove") == 0 {
				table.remove(k)
				delete(want, k)
			} else {
				r := refRequest | ref(rapid.Uint16().Draw(rt, "index"))
				table.put(k, r)
				want[k] = r
			}
			for _, k := range keys {
				if got := table.find(k); got != want[k] {
					rt.Fatalf("%x leads to %x, want %x", k, got, want[k])
				}
			}
			if table.used != len(want) {
				rt.Fatalf("%d used, want %d", table.used, len(want))
			}
		}
	})
}

// The same with many keys, as they come in a flood.
func TestConnTableLarge(t *testing.T) {
	var table connTable
	rnd := rand.New(rand.NewPCG(1, 1))
	key := func(i int) connKey { return keyOf(segment.Node(1+i%1000), uint16(1024+i/1000), 80) }
	live := map[int]bool{}
	for range 300000 {
		i := rnd.IntN(100000)
		if live[i] {
			table.remove(key(i))
			delete(live, i)
		} else {
			table.put(key(i), refTimeWait|ref(i))
			live[i] = true
		}
	}
	if table.used != len(live) {
		t.Fatalf("%d used, want %d", table.used, len(live))
	}
	for i := range 100000 {
		want := refNone
		if live[i] {
			want = refTimeWait | ref(i)
		}
		if got := table.find(key(i)); got != want {
			t.Fatalf("key %d leads to %x, want %x", i, got, want)
		}
	}
}

func TestConnKey(t *testing.T) {
	k := keyOf(0xdeadbeef, 0xabcd, 0x1234)
	if k.remote() != 0xdeadbeef || k.remotePort() != 0xabcd || k.localPort() != 0x1234 {
		t.Errorf("%x: %x %x %x", k, k.remote(), k.remotePort(), k.localPort())
	}
}

// TestExpiryQueue compares the ring with a slice.
func TestExpiryQueue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var q expiryQueue
		var want []pending
		for i := range rapid.IntRange(1, 200).Draw(rt, "steps") {
			if len(want) > 0 && rapid.IntRange(0, 2).Draw(rt, "pop") == 0 {
				q.pop()
				want = want[1:]
			} else {
				p := pending{des.Time(i), uint32(i), uint32(2 * i)}
				q.push(p)
				want = append(want, p)
			}
			if int(q.n) != len(want) {
				rt.Fatalf("%d entries, want %d", q.n, len(want))
			}
			for j := range want {
				if *q.at(uint32(j)) != want[j] {
					rt.Fatalf("entry %d is %v, want %v", j, *q.at(uint32(j)), want[j])
				}
			}
		}
	})
}

// TestRtxQueue compares the queue of segments in flight with a slice, and its
// order of sending with a list of positions.
func TestRtxQueue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var q rtxQueue
		q.reset()
		seq := segment.Seq(rapid.Uint32().Draw(rt, "start"))
		var want []placed
		var order []uint32
		drop := func(pos uint32) {
			order = slices.DeleteFunc(order, func(p uint32) bool { return p == pos })
		}
		for now := range des.Time(rapid.IntRange(1, 150).Draw(rt, "steps")) {
			choice := rapid.IntRange(0, 4).Draw(rt, "step")
			if len(want) == 0 {
				choice = 0
			}
			switch choice {
			case 0, 1:
				n := segment.Seq(rapid.IntRange(1, 3000).Draw(rt, "length"))
				s := sentSegment{seq: seq, end: seq + n}
				seq += n
				pos := q.push(s)
				q.time(pos, now)
				want, order = append(want, placed{pos, s}), append(order, pos)
			case 2:
				drop(want[0].pos)
				want = want[1:]
				q.pop()
			case 3:
				pos := rapid.SampledFrom(want).Draw(rt, "again").pos
				q.time(pos, now)
				drop(pos)
				order = append(order, pos)
			case 4:
				pos := rapid.SampledFrom(want).Draw(rt, "out").pos
				q.untime(pos)
				drop(pos)
			}
			checkRtxQueue(rt, &q, want, order, seq)
		}
	})
}

// placed is a segment and its position in the queue.
type placed struct {
	pos uint32
	s   sentSegment
}

func checkRtxQueue(rt *rapid.T, q *rtxQueue, want []placed, order []uint32, seq segment.Seq) {
	if int(q.len()) != len(want) {
		rt.Fatalf("%d in flight, want %d", q.len(), len(want))
	}
	for i, w := range want {
		if got := q.at(w.pos); w.pos != q.head+uint32(i) || got.seq != w.s.seq || got.end != w.s.end {
			rt.Fatalf("position %d holds %d to %d, want %d to %d", w.pos, got.seq, got.end, w.s.seq, w.s.end)
		}
		for _, at := range []segment.Seq{w.s.seq, w.s.end - 1} {
			if got := q.search(at); got != w.pos {
				rt.Fatalf("%d is found at %d, want %d", at, got, w.pos)
			}
		}
	}
	if got := q.search(seq); got != q.tail {
		rt.Fatalf("the end is found at %d, want %d", got, q.tail)
	}
	var got []uint32
	for pos := q.oldest; pos != 0; pos = q.at(pos).newer {
		got = append(got, pos)
	}
	if !slices.Equal(got, order) {
		rt.Fatalf("order of sending %v, want %v", got, order)
	}
}

// Only what RFC 9293 figure 5 shows, and the way to CLOSED, is a transition.
func TestStateTable(t *testing.T) {
	allowed := map[string]bool{"LISTEN>SYN-SENT": true, "SYN-SENT>SYN-RECEIVED": true, "TIME-WAIT>SYN-RECEIVED": true}
	for _, row := range readTable(t, "rfc9293_fig5_transitions.csv") {
		allowed[row["state"]+">"+row["next_state"]] = true
	}
	for from := range NumStates {
		for to := range NumStates {
			name := from.String() + ">" + to.String()
			if got := from.allows(to); got != (allowed[name] || to == Closed) {
				t.Errorf("%s is allowed: %v", name, got)
			}
		}
	}
	if NumStates.String() != "State(11)" {
		t.Errorf("a state beyond the last prints as %v", NumStates)
	}
}

// The nodes that have proven themselves.
func TestNodeSet(t *testing.T) {
	var s nodeSet
	for _, n := range []segment.Node{1, 63, 64, 200, 100000} {
		if s.has(n) {
			t.Errorf("%d is in an empty set", n)
		}
		s.add(n)
		if !s.has(n) || s.has(n+1) {
			t.Errorf("after %d: %v, the next %v", n, s.has(n), s.has(n+1))
		}
	}
}

// Linux's timer wheel at 250 Hz: never early, late by at most one granule of
// the level and a tick.
func TestTimerWheel(t *testing.T) {
	cfg, _ := Profile("linux")
	cfg.TimerWheelHZ = 250
	rnd := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct{ below, granule des.Time }{
		{200 * ms, 4 * ms}, {2000 * ms, 32 * ms}, {16 * des.Second, 256 * ms}, {131 * des.Second, 2048 * ms}, {1000 * des.Second, 16384 * ms},
	} {
		worst := des.Time(0)
		for range 2000 {
			now := des.Time(rnd.Int64N(int64(1000 * des.Second)))
			at := now + c.below/2 + des.Time(rnd.Int64N(int64(c.below/2)))
			got := cfg.roundTimer(now, at)
			if got < at {
				t.Fatalf("armed at %v for %v, fires at %v", now, at, got)
			}
			worst = max(worst, got-at)
		}
		if worst > c.granule+8*ms || worst < c.granule/2 {
			t.Errorf("below %v: late by up to %v, the granule is %v", c.below, worst, c.granule)
		}
	}
	cfg.TimerWheelHZ = 0
	if got := cfg.roundTimer(5, 12345); got != 12345 {
		t.Errorf("exact timer moved to %d", got)
	}
}
