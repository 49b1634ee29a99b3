// Package jitter varies delays at random, so that clients, streams and polls do not act at
// the same moment.
package jitter

import (
	"math/rand/v2"
	"time"
)

// Around returns a duration between d*(1-share) and d*(1+share).
func Around(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * (1 - share + 2*share*rand.Float64()))
}

// Above returns a duration between d and d*(1+share), for delays that must not be shortened.
func Above(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * (1 + share*rand.Float64()))
}
