package tcpmodel_test

import (
	"maps"
	"slices"
	"testing"

	"tcplab/des"
	"tcplab/tcpmodel"
)

// talker sends 10 bytes when it is connected, if that is soon enough.
type talker struct{ until des.Time }

func (a talker) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	if ev&tcpmodel.EvConnected != 0 && now <= a.until {
		ep.Write(10)
	}
}

// queueScripts connect clients to a server that never accepts: some first, 200
// ms apart, and after 3 s the others at their rate.
func (r *kernelReplay) queueScripts(client, server *kernelHost) {
	backlog := int(r.c.number(r.t, "B"))
	server.l.Close()
	_, err := server.stack.Listen(kernelPort, backlog, nil)
	r.check(err)
	first, rate := int(r.c.number(r.t, "pre")), r.c.number(r.t, "rate")
	others := int(rate*r.c.number(r.t, "dur_s") + 0.5)
	start := des.Time(first) * 200 * des.Millisecond
	if first > 0 {
		start += 3 * des.Second
	}
	gap := fromMS(1000 / rate)
	a := talker{start + des.Time(others)*gap + 3*des.Second}
	connect := do(func(h *kernelHost, _ des.Time) {
		_, err := h.stack.Connect(2, kernelPort, a, tcpmodel.SocketOptions{})
		h.check(err)
	})
	for i := range first {
		client.script = append(client.script, connect, wait(200*des.Millisecond))
		if i == first-1 {
			client.script = append(client.script, wait(3*des.Second))
		}
	}
	for range others {
		client.script = append(client.script, connect, wait(gap))
	}
}

// TestKernelAcceptQueue compares, connection for connection, what becomes of
// more connections than the accept queue holds. The link of these recordings was
// late by up to 44 ms, so times are not compared.
func TestKernelAcceptQueue(t *testing.T) {
	for _, c := range readKernelCases(t, "acceptq") {
		t.Run(c.name, func(t *testing.T) {
			sim, rec := replayKernelCase(t, c, 0, 0).flows(), c.runs[0].flows()
			if len(sim) != len(rec) {
				t.Fatalf("%d connections, kernel %d", len(sim), len(rec))
			}
			for _, flow := range slices.Sorted(maps.Keys(rec)) {
				diffs := compareRuns(sim[flow], rec[flow])
				delete(diffs, aspectTime)
				delete(diffs, aspectEcho)
				for _, aspect := range slices.Sorted(maps.Keys(diffs)) {
					t.Errorf("connection %d: %s: %s\n%s", flow, aspect, diffs[aspect], sideBySide(sim[flow], rec[flow]))
				}
			}
		})
	}
}
