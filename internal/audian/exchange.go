package audian

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// exchangeTimeout is how long an exchange of the key may take: no longer than the polls
// that wait for it may (W10).
const exchangeTimeout = 5 * time.Second

// exchanger keeps the token that an API key was last exchanged for. However many
// calls need another, there is one exchange.
type exchanger struct {
	exchange func(context.Context) (string, error)

	mu      sync.Mutex
	current string
	flight  *flight
}

// flight is an exchange under way. Its outcome may be read when done is closed.
type flight struct {
	done  chan struct{}
	token string
	err   error
}

// other gives a token that is not the refused one (the empty one to begin with),
// exchanging the key for it unless that has been done already.
func (e *exchanger) other(ctx context.Context, refused string) (string, error) {
	e.mu.Lock()
	if e.current != refused {
		defer e.mu.Unlock()
		return e.current, nil
	}
	if e.flight == nil {
		e.flight = &flight{done: make(chan struct{})}
		// Others wait for it too: it does not end with the call that began it.
		go e.fly(context.WithoutCancel(ctx), e.flight)
	}
	f := e.flight
	e.mu.Unlock()

	select {
	case <-f.done:
		return f.token, own(f.err)
	case <-ctx.Done():
		return "", silence(ctx, ctx.Err(), true)
	}
}

// own gives each of those who waited an error of their own, to be added to.
func own(err error) error {
	var shared *participant.Error
	if !errors.As(err, &shared) {
		return err
	}
	e := *shared
	return &e
}

func (e *exchanger) fly(ctx context.Context, f *flight) {
	f.token, f.err = e.exchange(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.err == nil {
		e.current = f.token
	}
	e.flight = nil
	close(f.done)
}

// held is the token held now, for redaction.
func (e *exchanger) held() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current
}

// exchange asks the upstream for a token in place of the key.
func (c *Client) exchange(ctx context.Context) (string, error) {
	r := request{
		operation: Exchange, method: http.MethodPut, path: []string{"api_auth"},
		ok: []int{http.StatusOK, http.StatusCreated},
	}
	var err error
	if r.body, err = encode(map[string]string{"api_key": c.options.Credential.secret}, true); err != nil {
		return "", err
	}
	a, err := c.send(ctx, r, "", exchangeTimeout)
	if err != nil {
		return "", notSent(err)
	}
	token, told := text(a.envelope.AuthToken)
	if !told || !headerSafe(token) {
		return "", notSent(a.undecodable(errors.New("no auth_token in the answer")))
	}
	return token, nil
}

// notSent tells a failed exchange as the failure of the call that needed it: that call
// was surely not sent, and a refusal is one of the credential, whatever its status. No
// later try of that call would fare better (A5).
func notSent(err error) error {
	var e *participant.Error
	if !errors.As(err, &e) {
		return err
	}
	e.Unreached = true
	if participant.Refused(e.UpstreamStatus) && e.UpstreamStatus != http.StatusTooManyRequests {
		e.Reason, e.VendorShaped, e.RetryAfter = participant.CredentialRefused, false, 0
	}
	return e
}
