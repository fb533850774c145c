// Package des is a discrete-event engine: clock, timers, random streams.
package des
