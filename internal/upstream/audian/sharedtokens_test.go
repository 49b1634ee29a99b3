package audian

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/audian/participant-gateway/internal/apierror"
)

// sharedTokens is a token that several clients share.
type sharedTokens struct {
	token   string
	refused []string
	err     error
}

func (s *sharedTokens) Token(ctx context.Context, refused string, exchange func(context.Context) (string, error)) (string, error) {
	s.refused = append(s.refused, refused)
	if s.err != nil || s.token != "" && s.token != refused {
		return s.token, s.err
	}
	var err error
	s.token, err = exchange(ctx)
	return s.token, err
}

func TestR10_ClientsShareTheExchangedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, shared := newIssuer(), &sharedTokens{}
		share := func(o *Options) { o.Tokens = shared }
		a, b := client(t, u, as(APIKey("the-api-key")), share), client(t, u, as(APIKey("the-api-key")), share)
		for round := 1; round <= 2; round++ {
			for _, c := range []*Client{a, b} {
				if _, err := c.List(t.Context(), "c", Pacing{}); err != nil {
					t.Error(err)
				}
			}
			if u.issued != round {
				t.Errorf("round %d: exchanged %d times", round, u.issued)
			}
			u.expire()
		}
		want := []string{"", "", "secret-token-1", "secret-token-1"}
		for i, refused := range want {
			if shared.refused[i] != refused {
				t.Errorf("asked for others than %q, want %q", shared.refused, want)
			}
		}
	})
}

func TestR10_WithoutASharedTokenNothingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newIssuer()
		c := client(t, u, as(APIKey("the-api-key")), func(o *Options) {
			o.Tokens = &sharedTokens{err: errors.New("no answer")}
		})
		_, err := c.List(t.Context(), "c", Pacing{})
		if apierror.Classify(err) != apierror.NotSent {
			t.Errorf("error %v", err)
		}
	})
}

func TestR10_ASharedTokenThatIsNoHeaderIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newIssuer()
		c := client(t, u, as(APIKey("the-api-key")), func(o *Options) { o.Tokens = &sharedTokens{token: "a\nb"} })
		if _, err := c.List(t.Context(), "c", Pacing{}); err != nil || u.issued != 1 {
			t.Errorf("error %v, exchanged %d times", err, u.issued)
		}
	})
}
