package access_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

var watchPermission = access.Permission{Role: access.Reader, Conference: "conf_a"}

var revoked = &apierror.Error{Reason: apierror.CredentialInvalid, Message: "the key was revoked"}

// reasonOf returns the reason why ctx has ended, empty while it has not.
func reasonOf(ctx context.Context) apierror.Reason {
	if ctx.Err() == nil {
		return ""
	}
	return apierror.ReasonOf(context.Cause(ctx))
}

func TestW19_AStreamEndsWhenItsTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		grant := access.NewGrantUntil(access.AllRights(), time.Now().Add(time.Minute))
		ctx, release := grant.StreamContext(t.Context(), watchPermission)
		defer release()
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("the stream ended before its token expired")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := reasonOf(ctx); got != apierror.CredentialExpired {
			t.Errorf("got %q, want it expired", got)
		}
		late, release := grant.StreamContext(t.Context(), watchPermission)
		defer release()
		synctest.Wait()
		if got := reasonOf(late); got != apierror.CredentialExpired {
			t.Errorf("a stream opened too late: got %q, want it expired", got)
		}
	})
}

func TestW19_AStreamEndsWithoutItsPermission(t *testing.T) {
	only := func(role access.Role, conferences ...string) func(*access.Grant) {
		return func(g *access.Grant) { g.SetRights(access.Rights{Role: role, Conferences: conferences}) }
	}
	for _, test := range []struct {
		name   string
		change func(*access.Grant)
		want   apierror.Reason
	}{
		{"revoked", func(g *access.Grant) { g.Revoke(revoked) }, apierror.CredentialInvalid},
		{"no role", only(access.NoRole, "conf_a"), apierror.RoleNotGranted},
		{"another conference", only(access.Writer, "conf_b"), apierror.ConferenceNotGranted},
		{"no conference", func(g *access.Grant) { g.SetRights(access.Rights{Role: access.Writer, Conferences: []string{}}) }, apierror.ConferenceNotGranted},
		{"reader in place of writer", only(access.Reader, "conf_b", "conf_a"), ""},
		{"all conferences", func(g *access.Grant) { g.SetRights(access.AllRights()) }, ""},
	} {
		grant := access.NewGrant(access.Rights{Role: access.Writer, Conferences: []string{"conf_a"}})
		ctx, release := grant.StreamContext(t.Context(), watchPermission)
		test.change(grant)
		if got := reasonOf(ctx); got != test.want {
			t.Errorf("%s: an open stream got %q, want %q", test.name, got, test.want)
		}
		if err := grant.Authorize(watchPermission); (err == nil) != (test.want == "") {
			t.Errorf("%s: a new call got %v", test.name, err)
		}
		late, releaseLate := grant.StreamContext(t.Context(), watchPermission)
		if got := reasonOf(late); got != test.want {
			t.Errorf("%s: a later stream got %q, want %q", test.name, got, test.want)
		}
		release()
		releaseLate()
	}
}

func TestAReleasedStreamIsOnlyCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		grant := access.NewGrantUntil(access.AllRights(), time.Now().Add(time.Minute))
		ctx, release := grant.StreamContext(t.Context(), watchPermission)
		release()
		grant.Revoke(revoked)
		time.Sleep(time.Hour)
		if cause := context.Cause(ctx); cause != context.Canceled { //nolint:errorlint // It must be this value.
			t.Errorf("got %v, want a plain cancellation", cause)
		}
	})
}

func TestANilGrantGrantsNothing(t *testing.T) {
	var none *access.Grant
	if got := apierror.ReasonOf(none.Authorize(watchPermission)); got != apierror.RoleNotGranted {
		t.Errorf("a call got %q", got)
	}
	ctx, release := none.StreamContext(t.Context(), watchPermission)
	defer release()
	if got := reasonOf(ctx); got != apierror.RoleNotGranted {
		t.Errorf("a stream got %q", got)
	}
}
