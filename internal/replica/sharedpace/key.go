package sharedpace

import (
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

const (
	// firstBackoff and longestBackoff are A6's.
	firstBackoff, longestBackoff = time.Second, time.Minute
	// tryFor is how long one replica may try a key alone: longer than an exchange takes.
	tryFor = 6 * time.Second
	// keyLifetime is that of the back-off: after the next try is due.
	keyLifetime = 2 * longestBackoff
)

// Tokens returns a token other than the refused one: that of another process, or else the result
// of exchange.
type Tokens interface {
	Token(ctx context.Context, refused string, exchange func(context.Context) (string, error)) (string, error)
}

// Tokens returns the tokens of next, which may be nil, with the back-off of a refused key that all
// replicas share (A6). They are for the client of the account.
func (p *Pace) Tokens(next Tokens) Tokens { return sharedKey{p.options, next} }

type sharedKey struct {
	options Options
	next    Tokens
}

// Token implements Tokens.
func (k sharedKey) Token(ctx context.Context, refused string, exchange func(context.Context) (string, error)) (string, error) {
	inTurn := func(ctx context.Context) (string, error) { return k.exchange(ctx, exchange) }
	if k.next == nil {
		return inTurn(ctx)
	}
	return k.next.Token(ctx, refused, inTurn)
}

// exchange exchanges the key, unless it was refused shortly before. The RetryAfter of a refusal
// is how long nobody tries again. While Redis is away the caller's own back-off is all there is.
func (k sharedKey) exchange(ctx context.Context, exchange func(context.Context) (string, error)) (string, error) {
	if wait := k.call(ctx, "try"); wait > 0 {
		return "", &apierror.Error{
			Reason: apierror.CredentialRefused, Message: "the upstream has refused the API key", NotSent: true, RetryAfter: wait,
		}
	}
	token, err := exchange(ctx)
	outcome := context.WithoutCancel(ctx)
	switch refusal, _ := errors.AsType[*apierror.Error](err); {
	case err == nil:
		k.call(outcome, "accepted")
	case refusal != nil && refusal.Reason == apierror.CredentialRefused:
		refusal.RetryAfter = k.call(outcome, "refused")
	default:
		k.call(outcome, "failed")
	}
	return token, err
}

// call runs the script, and returns how long to wait: zero if Redis is away.
func (k sharedKey) call(ctx context.Context, what string) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := k.options.Conn.Run(ctx, keyScript, []string{k.options.key("key")}, what,
		micros(firstBackoff), micros(longestBackoff), micros(tryFor), keyLifetime.Milliseconds())
	wait, _ := reply.(int64)
	if err != nil {
		return 0
	}
	return time.Duration(wait) * time.Microsecond
}
