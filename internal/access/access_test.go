package access_test

import (
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

func TestCredentials(t *testing.T) {
	for _, test := range []struct {
		authorization, token []string
		want                 string
		reason               apierror.Reason
	}{
		{want: ""},
		{authorization: []string{"Bearer one"}, want: "one"},
		{authorization: []string{"bearer  one "}, want: "one"},
		{authorization: []string{"Basic b25lOnR3bw=="}, want: ""},
		{authorization: []string{"Bearer"}, want: ""},
		{token: []string{"one"}, want: "one"},
		{token: []string{" "}, want: ""},
		{authorization: []string{"Bearer one"}, token: []string{"one"}, want: "one"},
		{authorization: []string{"Basic x"}, token: []string{"one"}, want: "one"},
		{authorization: []string{"Bearer one"}, token: []string{"two"}, reason: apierror.CredentialsDiffer},
		{authorization: []string{"Bearer one", "Bearer two"}, reason: apierror.CredentialsDiffer},
		{token: []string{"one", "two"}, reason: apierror.CredentialsDiffer},
	} {
		got, err := access.Credentials{Authorization: test.authorization, AuthToken: test.token}.Secret()
		if got.Reveal() != test.want || (err != nil) != (test.reason != "") {
			t.Errorf("%q %q: got %q, %v", test.authorization, test.token, got.Reveal(), err)
		}
		if err != nil && apierror.ReasonOf(err) != test.reason {
			t.Errorf("%q %q: got %v, want %s", test.authorization, test.token, err, test.reason)
		}
	}
}

func TestRights(t *testing.T) {
	only := []string{"conf_a"}
	for _, test := range []struct {
		rights access.Rights
		role   access.Role
		want   apierror.Reason
	}{
		{access.AllRights(), access.Writer, ""},
		{access.Rights{Role: access.Reader}, access.Reader, ""},
		{access.Rights{Role: access.Reader}, access.Writer, apierror.RoleNotGranted},
		{access.Rights{Role: access.Reader}, access.Viewer, ""},
		{access.Rights{Role: access.Writer}, access.Viewer, ""},
		{access.Rights{Role: access.Viewer}, access.Viewer, ""},
		{access.Rights{Role: access.Viewer}, access.Reader, apierror.RoleNotGranted},
		{access.Rights{Role: access.Viewer}, access.Writer, apierror.RoleNotGranted},
		{access.Rights{}, access.Viewer, apierror.RoleNotGranted},
		{access.Rights{}, access.Reader, apierror.RoleNotGranted},
		{access.Rights{Role: access.Writer, Conferences: only}, access.Writer, ""},
		{access.Rights{Role: access.Writer, Conferences: []string{"conf_b", "conf_aa"}}, access.Reader, apierror.ConferenceNotGranted},
		{access.Rights{Role: access.Writer, Conferences: []string{}}, access.Reader, apierror.ConferenceNotGranted},
		{access.Rights{Role: access.Reader, Conferences: []string{}}, access.Writer, apierror.RoleNotGranted},
	} {
		err := test.rights.Authorize(access.Permission{Role: test.role, Conference: "conf_a"})
		if got := apierror.ReasonOf(err); (err != nil || test.want != "") && got != test.want {
			t.Errorf("%+v, as %s: got %v, want %q", test.rights, test.role, err, test.want)
		}
	}
}

func TestParseRole(t *testing.T) {
	for name, want := range map[string]access.Role{
		"viewer": access.Viewer, "reader": access.Reader, "writer": access.Writer, "none": access.NoRole, "Writer": access.NoRole, "viewers": access.NoRole, "": access.NoRole,
	} {
		got, ok := access.ParseRole(name)
		if got != want || ok != (want != access.NoRole) {
			t.Errorf("%q: got %s, %t", name, got, ok)
		}
	}
}

func TestNoAuthGrantsAllRights(t *testing.T) {
	for peer, want := range map[string]access.Caller{
		"":         {Name: "anonymous", Anonymous: true},
		"workshop": {Name: "workshop"},
	} {
		caller, err := access.NewNoAuth().Authenticate(t.Context(), access.Credentials{AuthToken: []string{"a", "b"}, Peer: peer})
		if err != nil || caller.Name != want.Name || caller.Anonymous != want.Anonymous {
			t.Errorf("%q: got %+v, %v", peer, caller, err)
		}
		if err := caller.Grant.Authorize(access.Permission{Role: access.Writer, Conference: "any"}); err != nil {
			t.Error(err)
		}
	}
}

func TestPassthroughNamesCallersByToken(t *testing.T) {
	authenticator := access.NewPassthrough()
	authenticate := func(tokens ...string) (access.Caller, error) {
		return authenticator.Authenticate(t.Context(), access.Credentials{AuthToken: tokens})
	}
	one, _ := authenticate("one")
	again, _ := authenticate("one")
	two, err := authenticate("two")
	if err != nil || one.Name != again.Name || one.Name == two.Name || one.Token.Reveal() != "one" {
		t.Errorf("got %v, %v, %v, %v", one, again, two, err)
	}
	if strings.Contains(one.Name, "one") {
		t.Errorf("the name %s contains the token", one.Name)
	}
	if other, _ := access.NewPassthrough().Authenticate(t.Context(), access.Credentials{AuthToken: []string{"one"}}); other.Name == one.Name {
		t.Error("another process gives the same name: the key of the hash is not random")
	}
	if _, err := authenticate(); apierror.ReasonOf(err) != apierror.CredentialMissing {
		t.Errorf("without a token: got %v", err)
	}
	if _, err := authenticate("one", "two"); apierror.ReasonOf(err) != apierror.CredentialsDiffer {
		t.Errorf("with two: got %v", err)
	}
}
