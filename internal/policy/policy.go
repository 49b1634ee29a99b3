package policy

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Counter counts adds by caller and UTC day.
type Counter interface {
	// Now returns the time by which days begin.
	Now() time.Time
	// Count returns the adds of a caller on a day.
	Count(ctx context.Context, caller, day string) (int, error)
	// Add counts one add more, unless limit are counted already: then counted is false. giveBack
	// undoes it; it may be called once, and at any time.
	Add(ctx context.Context, caller, day string, limit int) (giveBack func(), counted bool, err error)
}

// Options configure a Policy.
type Options struct {
	// Everybody are the rules that hold for each caller.
	Everybody Rules
	// DefaultRegion is the region of national phone numbers; empty if there is none.
	DefaultRegion string
	// Counter is shared by all replicas; nil counts in this process.
	Counter Counter
}

// Policy is the calling policy of the gateway. It is safe for concurrent use.
type Policy struct {
	everybody Rules
	region    string
	counter   Counter
}

// New returns a Policy.
func New(options Options) *Policy {
	p := &Policy{everybody: options.Everybody, region: options.DefaultRegion, counter: options.Counter}
	if p.counter == nil {
		p.counter = newMemory()
	}
	return p
}

// For returns the policy of a caller, who has rules of its own. Callers with one name share one
// count.
func (p *Policy) For(caller string, own Rules) Caller {
	return Caller{policy: p, name: caller, own: own}
}

// Caller is the policy of one caller. It has the rules of the time of the call.
type Caller struct {
	policy *Policy
	name   string
	own    Rules
}

// CheckNumber refuses a phone number that the caller may not dial.
func (c Caller) CheckNumber(number string) error {
	if c.allows(number) {
		return nil
	}
	return &apierror.Error{
		Reason:  apierror.NumberNotAllowed,
		Message: "the caller may not dial numbers with this prefix",
		Dialled: apierror.DialledNo,
	}
}

func (c Caller) allows(number string) bool {
	everybody := c.policy.everybody
	if everybody.Prefixes == nil && c.own.Prefixes == nil {
		return true
	}
	form := e164(number, c.policy.region)
	return everybody.allows(form) && c.own.allows(form)
}

// limit returns the smaller limit of a day; 0 if there is none.
func (c Caller) limit() int {
	everybody, own := c.policy.everybody.AddsPerDay, c.own.AddsPerDay
	if everybody == 0 || own == 0 {
		return cmp.Or(everybody, own)
	}
	return min(everybody, own)
}

// Check refuses an add if the limit of the day is reached. It counts nothing.
func (c Caller) Check(ctx context.Context) error {
	left, limited, err := c.left(ctx)
	if err != nil || !limited || left > 0 {
		return err
	}
	return c.limitReached()
}

// left returns how many adds the caller may send in the rest of the day, if that is limited.
func (c Caller) left(ctx context.Context) (left int, limited bool, err error) {
	limit := c.limit()
	if limit == 0 {
		return 0, false, nil
	}
	count, err := c.policy.counter.Count(ctx, c.name, dayOf(c.policy.counter.Now()))
	if err != nil {
		return 0, true, unavailable(ctx, err)
	}
	return max(limit-count, 0), true, nil
}

// Count counts an add that is about to be sent, or refuses it. giveBack undoes that, on the day of
// Count: for an add that surely did not dial.
func (c Caller) Count(ctx context.Context) (giveBack func(), err error) {
	limit := c.limit()
	if limit == 0 {
		return func() {}, nil
	}
	giveBack, counted, err := c.policy.counter.Add(ctx, c.name, dayOf(c.policy.counter.Now()), limit)
	switch {
	case err != nil:
		return nil, unavailable(ctx, err)
	case !counted:
		return nil, c.limitReached()
	default:
		return giveBack, nil
	}
}

// dayOf returns the day of a time, as in 2026-11-27.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// untilNextDay returns the rest of the day.
func untilNextDay(now time.Time) time.Duration {
	const day = 24 * time.Hour
	now = now.UTC()
	return now.Truncate(day).Add(day).Sub(now)
}

func (c Caller) limitReached() *apierror.Error {
	return &apierror.Error{
		Reason:     apierror.DailyLimit,
		Message:    fmt.Sprintf("the caller may send %d adds a day (UTC), and too few are left", c.limit()),
		Dialled:    apierror.DialledNo,
		RetryAfter: untilNextDay(c.policy.counter.Now()),
	}
}

// retryAfter is how long a caller waits while the counter is unavailable.
const retryAfter = time.Second

// unavailable returns the error of a counter that cannot be used: nobody may dial beyond a limit
// unnoticed.
func unavailable(ctx context.Context, cause error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return &apierror.Error{
		Reason:     apierror.SharedStateUnavailable,
		Message:    "the add was not sent, because the Redis that counts the adds of a day is unavailable: retry",
		Dialled:    apierror.DialledNo,
		RetryAfter: retryAfter,
		Cause:      cause,
	}
}
