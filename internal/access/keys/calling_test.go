package keys_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/policy"
)

func TestA14_AKeyHasTheOptionsThatItWasAddedWith(t *testing.T) {
	limit := 500
	for _, test := range []struct {
		prefixes []string
		limit    *int
		line     string
		want     policy.Rules
	}{
		{nil, nil, "", policy.Rules{}},
		{[]string{"+1", "+44"}, nil, " allow-prefix=+1,+44", policy.Rules{Prefixes: []string{"+1", "+44"}}},
		{nil, &limit, " adds-per-day=500", policy.Rules{AddsPerDay: 500}},
		{[]string{"+1"}, &limit, " allow-prefix=+1 adds-per-day=500", policy.Rules{Prefixes: []string{"+1"}, AddsPerDay: 500}},
	} {
		file := filepath.Join(t.TempDir(), "keys")
		desk, err := entry(t, "desk", "writer").WithCalling(test.prefixes, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		key, err := keys.Add(file, desk)
		if err != nil {
			t.Fatal(err)
		}
		if text := content(t, file); !strings.HasSuffix(strings.TrimPrefix(text, header), test.line+"\n") {
			t.Errorf("%+v: the file is %q", test.want, text)
		}
		caller := authenticate(t, file, key)
		if got := caller.Grant.Calling(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
	}
}

func authenticate(t *testing.T, file, key string) access.Caller {
	t.Helper()
	authenticator, err := keys.Open(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	caller, err := authenticator.Authenticate(t.Context(), access.Credentials{AuthToken: []string{key}})
	if err != nil {
		t.Fatal(err)
	}
	return caller
}

func TestA14_AWrongPolicyIsRefused(t *testing.T) {
	zero, negative := 0, -1
	for _, test := range []struct {
		prefixes []string
		limit    *int
	}{{[]string{"44"}, nil}, {[]string{"+1", ""}, nil}, {[]string{"+1,+44"}, nil}, {nil, &zero}, {nil, &negative}} {
		if got, err := entry(t, "desk", "writer").WithCalling(test.prefixes, test.limit); err == nil {
			t.Errorf("accepted %+v", got)
		}
	}
}

// unreadable are fields after the hash that disable a key.
var unreadable = map[string]string{
	"colour=blue":                        "the field colour is unknown",
	"allow-prefix=+1 colour=blue":        "the field colour is unknown",
	"allow-prefixes=+1":                  "the field allow-prefixes is unknown",
	"Allow-Prefix=+1":                    "a field after the hash is unknown",
	"expires":                            "the field expires is unknown",
	"# mine":                             "a field after the hash is unknown",
	"pgk_hidden-1":                       "a field after the hash is unknown",
	"=":                                  "a field after the hash is unknown",
	"allow-prefix":                       "the value of allow-prefix is invalid",
	"allow-prefix=":                      "the value of allow-prefix is invalid",
	"allow-prefix=+1,":                   "the value of allow-prefix is invalid",
	"allow-prefix=pgk_hidden":            "the value of allow-prefix is invalid",
	"adds-per-day=":                      "the value of adds-per-day is invalid",
	"adds-per-day=0":                     "the value of adds-per-day is invalid",
	"adds-per-day=-5":                    "the value of adds-per-day is invalid",
	"adds-per-day=1e3":                   "the value of adds-per-day is invalid",
	"adds-per-day=99999999999999999999":  "the value of adds-per-day is invalid",
	"adds-per-day=5 adds-per-day=500":    "adds-per-day is in the line twice",
	"allow-prefix=+1 allow-prefix=+44":   "allow-prefix is in the line twice",
	"adds-per-day = 5":                   "the value of adds-per-day is invalid",
	"allow-prefix=+1 +44 adds-per-day=5": "a field after the hash is unknown",
}

func TestA14_AnUnknownFieldDisablesItsKeyAlone(t *testing.T) {
	for fields, problem := range unreadable {
		entries, err := keys.Parse([]byte(header + "desk writer * " + hashA + " " + fields + "\nwall reader * " + hashB + "\n"))
		if err != nil || len(entries) != 2 {
			t.Errorf("%q: got %+v, %v", fields, entries, err)
			continue
		}
		if got := entries[0].Disabled; !strings.HasPrefix(got, problem) || strings.Contains(got, "hidden") {
			t.Errorf("%q: %q, want %q", fields, got, problem)
		}
		if entries[1].Disabled != "" {
			t.Errorf("%q: the other key is disabled: %q", fields, entries[1].Disabled)
		}
	}
}

// A key that becomes disabled loses its streams; one that can be read again is accepted.
func TestA14_ADisabledKeyIsRefusedAndLogged(t *testing.T) {
	reloading(t, func(h *harness, desk, wall string) {
		stream, other := h.openStream(desk), h.openStream(wall)
		h.replace("\nwall ", " colour=blue\nwall ")
		wait5s()
		if _, err := h.authenticate(desk); apierror.ReasonOf(err) != apierror.CredentialInvalid || ended(stream) != apierror.CredentialInvalid {
			t.Errorf("the disabled key: %v, its stream %q", err, ended(stream))
		}
		if _, err := h.authenticate(wall); err != nil || ended(other) != "" || !h.Usable() {
			t.Errorf("the other key: %v, its stream %q, the file usable %v", err, ended(other), h.Usable())
		}
		if log := h.log.String(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "caller=desk") || !strings.Contains(log, "the field colour is unknown") {
			t.Errorf("the log is\n%s", log)
		}
		h.replace(" colour=blue", " adds-per-day=5")
		wait5s()
		caller, err := h.authenticate(desk)
		if err != nil || caller.Grant.Calling().AddsPerDay != 5 {
			t.Fatalf("got %+v, %v", caller, err)
		}
		h.replace("adds-per-day=5", "adds-per-day=6")
		wait5s()
		if got := caller.Grant.Calling().AddsPerDay; got != 6 {
			t.Errorf("a change: %d", got)
		}
	})
}

func TestA14_AtTheStartADisabledKeyIsRefusedAndLogged(t *testing.T) {
	file, log := filepath.Join(t.TempDir(), "keys"), &strings.Builder{}
	write(t, file, header+"desk writer * "+hashA+" colour=blue\nwall reader * "+hashB+"\n")
	authenticator, err := keys.Open(file, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"test": false, "test2": true} {
		if _, err := authenticator.Authenticate(t.Context(), access.Credentials{AuthToken: []string{key}}); (err == nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
	if strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("the log is\n%s", log)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestA14_EditsKeepDisabledLines(t *testing.T) {
	for fields := range unreadable {
		file := filepath.Join(t.TempDir(), "keys")
		kept := header + "desk  writer * " + hashA + "  " + fields + "\n"
		write(t, file, kept)
		if _, err := keys.Add(file, entry(t, "desk", "reader")); err == nil {
			t.Errorf("%q: the name was given twice", fields)
		}
		add(t, file, "wall", "reader")
		if got := content(t, file); !strings.HasPrefix(got, kept+"wall reader * ") {
			t.Errorf("%q: after an addition %q", fields, got)
		}
		if err := keys.Revoke(file, "wall"); err != nil || content(t, file) != kept {
			t.Errorf("%q: after a revocation %v, %q", fields, err, content(t, file))
		}
		if err := keys.Revoke(file, "desk"); err != nil || content(t, file) != header {
			t.Errorf("%q: after its own revocation %v, %q", fields, err, content(t, file))
		}
	}
}
