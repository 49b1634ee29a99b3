package simulator

import (
	"fmt"
	"slices"
	"time"
)

// account holds the limits of one static token or one API key.
type account struct {
	id string
	// adds are the times of the adds within the last second.
	adds []time.Time
	// requestTokens is the content of the token bucket as of refilledAt.
	requestTokens float64
	refilledAt    time.Time
}

// account returns the account of that owner, and creates it on first use.
func (st *state) account(owner string, now time.Time, o *Options) *account {
	a := st.accounts[owner]
	if a == nil {
		a = &account{
			id:            fmt.Sprintf("account_%04d", len(st.accounts)+1),
			requestTokens: float64(o.RequestTokens), refilledAt: now,
		}
		st.accounts[owner] = a
	}
	return a
}

// allowAdd counts an add unless the last second had as many as the limit allows.
func (a *account) allowAdd(now time.Time, o *Options) bool {
	a.adds = slices.DeleteFunc(a.adds, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	if o.AddsPerSecond > 0 && len(a.adds) >= o.AddsPerSecond {
		return false
	}
	a.adds = append(a.adds, now)
	return true
}

// takeRequestToken takes one token out of the bucket, and reports whether there was one.
func (a *account) takeRequestToken(now time.Time, o *Options) bool {
	if o.RequestTokens == 0 {
		return true
	}
	refill := now.Sub(a.refilledAt).Seconds() * requestRefill
	a.requestTokens, a.refilledAt = min(a.requestTokens+refill, float64(o.RequestTokens)), now
	if a.requestTokens < 1 {
		return false
	}
	a.requestTokens--
	return true
}

// balance is the content of the token bucket as responses contain it; nil without one.
func (c *call) balance(o *Options) *wireBalance {
	if o.RequestTokens == 0 || c.account == nil {
		return nil
	}
	return &wireBalance{Consumed: 1, Remaining: int(c.account.requestTokens)}
}
