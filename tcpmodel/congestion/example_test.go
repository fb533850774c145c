package congestion_test

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/congestion"
)

// A sender owns the window, tells the controller of each ACK and of the loss,
// and sets the threshold that it gets back.
func Example() {
	c, err := congestion.New("cubic")
	if err != nil {
		fmt.Println(err)
		return
	}
	w := &congestion.Window{Cwnd: 10, Ssthresh: congestion.Infinite, Clamp: congestion.Infinite}
	now := des.Time(0)
	c.OnEvent(w, congestion.EventStart, now)

	for round := range 4 {
		for i := range w.Cwnd {
			c.OnAck(w, &congestion.Ack{
				Now: now, Acked: 1, RTT: 50 * des.Millisecond, CwndLimited: true, RoundStart: i == 0,
			})
		}
		now += 50 * des.Millisecond
		fmt.Println("round", round, "window", w.Cwnd)
	}
	w.Ssthresh = c.OnLoss(w, now)
	w.Cwnd = w.Ssthresh
	fmt.Println("after a loss", w.Cwnd)
	// Output:
	// round 0 window 20
	// round 1 window 40
	// round 2 window 80
	// round 3 window 160
	// after a loss 112
}

// Options switch parts of an algorithm off, under the names that Linux gives
// them.
func ExampleNewWith() {
	o := congestion.DefaultOptions()
	o.HyStart = congestion.HyStartOff
	_, err := congestion.NewWith("cubic", o)
	fmt.Println(err)
	_, err = congestion.NewWith("vegas", o)
	fmt.Println(err)
	// Output:
	// <nil>
	// unknown congestion control "vegas" (have cubic, dctcp, reno, scalable)
}
