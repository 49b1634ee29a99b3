package upstream

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

func lookup(t *testing.T, r *Registry, token string) *Account {
	t.Helper()
	a, err := r.Account(token)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRegistryOfOne(t *testing.T) {
	r, err := NewRegistry(audian.StaticToken("own"), options(&upstream{}))
	if err != nil {
		t.Fatal(err)
	}
	if own := r.Own(); own == nil || lookup(t, r, "anything") != own || lookup(t, r, "") != own {
		t.Error("not the gateway's own account")
	}
	if _, err := NewRegistry(audian.StaticToken("a\nb"), options(&upstream{})); err == nil {
		t.Error("no error for a token that cannot be sent")
	}
}

func TestRegistryByToken(t *testing.T) {
	r := NewPassthrough(options(&upstream{}))
	one, two := lookup(t, r, "one"), lookup(t, r, "two")
	if r.Own() != nil || one == two || one != lookup(t, r, "one") || one.Fingerprint() == two.Fingerprint() {
		t.Error("accounts are not by token")
	}
	if other := NewPassthrough(options(&upstream{})); lookup(t, other, "one").Fingerprint() == one.Fingerprint() {
		t.Error("fingerprints mean something elsewhere")
	}
	if _, err := r.Account("a\nb"); apiError(t, err).Reason != apierror.CredentialInvalid {
		t.Errorf("got %v", err)
	}
}

func TestRegistryForgetsIdleAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewPassthrough(options(&upstream{}))
		ctx, cancel := context.WithCancel(t.Context())
		watched, idle := lookup(t, r, "watched"), lookup(t, r, "idle")
		watched.OpenSource(ctx, "c")
		time.Sleep(maxIdleTime)
		lookup(t, r, "new")
		if len(r.accounts) != 2 || lookup(t, r, "watched") != watched || lookup(t, r, "idle") == idle {
			t.Errorf("%d accounts", len(r.accounts))
		}
		cancel()
		synctest.Wait()
		time.Sleep(maxIdleTime)
		lookup(t, r, "newer")
		if len(r.accounts) != 1 {
			t.Errorf("%d accounts", len(r.accounts))
		}
	})
}

func TestRegistryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewPassthrough(options(&upstream{}))
		first, second := lookup(t, r, "0"), lookup(t, r, "1")
		for n := 2; n < maxIdleAccounts; n++ {
			time.Sleep(time.Microsecond)
			lookup(t, r, fmt.Sprint(n))
		}
		time.Sleep(time.Microsecond)
		lookup(t, r, "0") // In use again, so that the second is the longest idle.
		lookup(t, r, "one more")
		if len(r.accounts) != maxIdleAccounts || lookup(t, r, "0") != first || lookup(t, r, "1") == second {
			t.Errorf("%d accounts", len(r.accounts))
		}
	})
}

// TestRegistryKeepsAccountsInUse has more accounts in use than may be idle, and made-up
// tokens come beside them.
func TestRegistryKeepsAccountsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewPassthrough(options(&upstream{}))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		used := map[string]*Account{}
		for n := range 2 * maxIdleAccounts {
			token := fmt.Sprint("used", n)
			used[token] = lookup(t, r, token)
			used[token].OpenSource(ctx, "c")
		}
		for n := range 3 * maxIdleAccounts {
			time.Sleep(time.Microsecond)
			lookup(t, r, fmt.Sprint(n))
		}
		for token, a := range used {
			if lookup(t, r, token) != a {
				t.Fatalf("%s has another account", token)
			}
		}
		if idle := r.unused.Load(); idle > maxIdleAccounts+maxIdleAccounts/2 || idle < maxIdleAccounts/2 {
			t.Errorf("%d idle accounts, want about %d", idle, maxIdleAccounts)
		}
		if len(r.accounts) != r.recent.Len() {
			t.Errorf("%d accounts, %d in order", len(r.accounts), r.recent.Len())
		}
	})
}

// BenchmarkRegistryMadeUpTokens is the cost of a token that nobody has used before, with as
// many accounts held as there may be.
func BenchmarkRegistryMadeUpTokens(b *testing.B) {
	r := NewPassthrough(options(&upstream{}))
	for n := range maxIdleAccounts {
		if _, err := r.Account(fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
	}
	n := maxIdleAccounts
	for b.Loop() {
		n++
		if _, err := r.Account(fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
	}
}
