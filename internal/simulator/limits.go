package simulator

import (
	"fmt"
	"slices"
	"time"
)

// account is whose limits a request counts against: one for each static token and
// each API key.
type account struct {
	id string
	// adds are the times of those within the last second.
	adds []time.Time
	// filled is the bucket of requests as of refilled.
	filled   float64
	refilled time.Time
}

// account is the one of that owner.
func (w *world) account(owner string, now time.Time, o *Options) *account {
	a := w.accounts[owner]
	if a == nil {
		a = &account{
			id:     fmt.Sprintf("account_%04d", len(w.accounts)+1),
			filled: float64(o.RequestTokens), refilled: now,
		}
		w.accounts[owner] = a
	}
	return a
}

// mayAdd counts an add, unless the last second had as many as are allowed.
func (a *account) mayAdd(now time.Time, o *Options) bool {
	a.adds = slices.DeleteFunc(a.adds, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	if o.AddsPerSecond > 0 && len(a.adds) >= o.AddsPerSecond {
		return false
	}
	a.adds = append(a.adds, now)
	return true
}

// draw takes one request out of the bucket, where there is one.
func (a *account) draw(now time.Time, o *Options) bool {
	if o.RequestTokens == 0 {
		return true
	}
	gained := now.Sub(a.refilled).Seconds() * o.RequestRefill
	a.filled, a.refilled = min(a.filled+gained, float64(o.RequestTokens)), now
	if a.filled < 1 {
		return false
	}
	a.filled--
	return true
}

// balance is what answers tell of the bucket; nil where there is none.
func (c *call) balance(o *Options) *wireBalance {
	if o.RequestTokens == 0 || c.account == nil {
		return nil
	}
	return &wireBalance{Consumed: 1, Remaining: int(c.account.filled)}
}
