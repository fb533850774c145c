package workload

import (
	"errors"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/scenarios/quantity"
)

// Retry is what an application does when an attempt has failed: a connection
// refused, reset or timed out, a response that did not come in time.
type Retry struct {
	Tries  int               `key:"tries" doc:"Attempts in all; 1 is never again." default:"1" min:"1" max:"1000000"`
	Wait   quantity.Duration `key:"wait" doc:"Time from a failure to the second attempt." default:"1s"`
	Factor float64           `key:"factor" doc:"By how much each further wait is longer than the one before; 1 is always the same, 2 exponential back-off." default:"1" min:"1" max:"100"`
	Most   quantity.Duration `key:"most" doc:"The longest wait." default:"60s"`
	Jitter quantity.Ratio    `key:"jitter" doc:"The part of each wait that is drawn at random: with 100% it is anything from 0s to the wait (full jitter)." default:"0%" min:"0%" max:"100%"`
}

func (c *Retry) check() error {
	if c.Wait < 0 || c.Most < 0 || c.Jitter < 0 || c.Jitter > 1 || c.Tries < 0 || c.Tries > 1 && !(c.Factor >= 1) {
		return errors.New("retry: wait and most must not be negative, factor at least 1, jitter from 0% to 100%")
	}
	return nil
}

// wait returns the time to wait after failure number n, from 1.
func (c *Retry) wait(n int, r *rand.Rand) des.Time {
	most := float64(c.Most)
	wait := min(float64(c.Wait), most)
	for ; n > 1 && c.Factor > 1 && wait < most && wait > 0; n-- {
		wait = min(float64(wait*c.Factor), most)
	}
	if c.Jitter > 0 {
		wait -= float64(float64(float64(c.Jitter)*uniform(r)) * wait)
	}
	return des.Time(wait)
}
