package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/apierror"
)

// harness is an authenticator that reloads its file in virtual time.
type harness struct {
	*keys.Authenticator

	t    *testing.T
	file string
	log  *bytes.Buffer
}

// reloading runs a test with an authenticator whose file has two callers.
func reloading(t *testing.T, test func(h *harness, desk, wall string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &harness{t: t, file: filepath.Join(t.TempDir(), "keys"), log: &bytes.Buffer{}}
		desk, wall := add(t, h.file, "desk", "writer"), add(t, h.file, "wall", "reader", "conf_a")
		var err error
		if h.Authenticator, err = keys.Open(h.file, slog.New(slog.NewTextHandler(h.log, nil))); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.ReloadOnChange(ctx)
		}()
		test(h, desk, wall)
		stop()
		<-done
	})
}

func (h *harness) authenticate(key string) (access.Caller, error) {
	return h.Authenticate(h.t.Context(), access.Credentials{AuthToken: []string{key}})
}

// openStream opens a stream of conf_a.
func (h *harness) openStream(key string) context.Context {
	h.t.Helper()
	caller, err := h.authenticate(key)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, release := caller.Grant.StreamContext(h.t.Context(), access.Permission{Role: access.Reader, Conference: "conf_a"})
	h.t.Cleanup(release)
	return ctx
}

// replace edits the file as an editor does.
func (h *harness) replace(old, by string) {
	h.t.Helper()
	changed := strings.Replace(content(h.t, h.file), old, by, 1)
	if err := os.WriteFile(h.file, []byte(changed), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// wait5s waits as long as a revocation may take.
func wait5s() {
	time.Sleep(5*time.Second - time.Millisecond)
	synctest.Wait()
}

func ended(ctx context.Context) apierror.Reason {
	if ctx.Err() == nil {
		return ""
	}
	return apierror.ReasonOf(context.Cause(ctx))
}

func TestW19_ARevokedKeyEndsOnlyItsStreams(t *testing.T) {
	reloading(t, func(h *harness, desk, wall string) {
		revoked, other := h.openStream(desk), h.openStream(wall)
		if err := keys.Revoke(h.file, "desk"); err != nil {
			t.Fatal(err)
		}
		wait5s()
		if got := ended(revoked); got != apierror.CredentialInvalid {
			t.Errorf("the revoked caller's stream: got %q", got)
		}
		if got := ended(other); got != "" {
			t.Errorf("the other caller's stream ended: %q", got)
		}
		if _, err := h.authenticate(desk); apierror.ReasonOf(err) != apierror.CredentialInvalid {
			t.Errorf("a call with the revoked key: got %v", err)
		}
	})
}

func TestW19_AReplacedKeyEndsTheStreamsOfTheOldKey(t *testing.T) {
	reloading(t, func(h *harness, desk, _ string) {
		old := h.openStream(desk)
		if err := keys.Revoke(h.file, "desk"); err != nil {
			t.Fatal(err)
		}
		renewed := add(t, h.file, "desk", "writer")
		wait5s()
		if got := ended(old); got != apierror.CredentialInvalid {
			t.Errorf("got %q", got)
		}
		if got := ended(h.openStream(renewed)); got != "" {
			t.Errorf("the new key's stream: got %q", got)
		}
	})
}

func TestW19_ChangedRightsEndStreamsWithoutPermission(t *testing.T) {
	for _, test := range []struct {
		old, by string
		want    apierror.Reason
	}{
		{"reader conf_a", "reader conf_b", apierror.ConferenceNotGranted},
		{"reader conf_a", "writer conf_b,conf_a", ""},
		{"reader conf_a", "reader *", ""},
		{"reader conf_a", "viewer conf_a", apierror.RoleNotGranted},
		{"wall reader", "hall reader", apierror.CredentialInvalid},
	} {
		reloading(t, func(h *harness, _, wall string) {
			stream := h.openStream(wall)
			h.replace(test.old, test.by)
			wait5s()
			if got := ended(stream); got != test.want {
				t.Errorf("%s, then %s: got %q, want %q", test.old, test.by, got, test.want)
			}
		})
	}
}

func TestANewCallerIsAcceptedWithinSeconds(t *testing.T) {
	reloading(t, func(h *harness, _, wall string) {
		stream := h.openStream(wall)
		hall := add(t, h.file, "hall", "reader")
		wait5s()
		if caller, err := h.authenticate(hall); err != nil || caller.Name != "hall" {
			t.Errorf("got %v, %v", caller, err)
		}
		if got := ended(stream); got != "" {
			t.Errorf("a stream ended: %q", got)
		}
	})
}

// In errorTime the error of an unusable file is logged this often.
const (
	errorTime = 3*time.Minute - 2*time.Second
	errorLogs = 3
)

func TestABrokenFileKeepsTheLastGoodOneAndIsLoggedEachMinute(t *testing.T) {
	breaks := map[string]func(h *harness) error{
		"junk":    func(h *harness) error { return os.WriteFile(h.file, []byte("junk\n"), 0o600) },
		"emptied": func(h *harness) error { return os.Truncate(h.file, 0) },
		"removed": func(h *harness) error { return os.Remove(h.file) },
		"replaced by a folder": func(h *harness) error {
			return errors.Join(os.Remove(h.file), os.Mkdir(h.file, 0o700))
		},
	}
	for name, breakIt := range breaks {
		reloading(t, func(h *harness, desk, wall string) {
			stream, good := h.openStream(desk), content(t, h.file)
			if err := breakIt(h); err != nil {
				t.Fatal(err)
			}
			time.Sleep(errorTime)
			synctest.Wait()
			if h.Usable() {
				t.Errorf("%s: the file counts as usable", name)
			}
			if _, err := h.authenticate(wall); err != nil || ended(stream) != "" {
				t.Errorf("%s: got %v, and the stream %q", name, err, ended(stream))
			}
			if got := strings.Count(h.log.String(), "level=ERROR"); got != errorLogs {
				t.Errorf("%s: %d errors, want one a minute:\n%s", name, got, h.log)
			}
			if err := os.RemoveAll(h.file); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(h.file, []byte(strings.Replace(good, "desk", "#desk", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			wait5s()
			if got := ended(stream); got != apierror.CredentialInvalid || !h.Usable() {
				t.Errorf("%s, after the repair: got %q, usable %t", name, got, h.Usable())
			}
			if strings.Contains(h.log.String(), desk) || strings.Contains(h.log.String(), wall) {
				t.Errorf("the log contains a key:\n%s", h.log)
			}
		})
	}
}

// Kubernetes mounts a secret behind two symbolic links and swaps one of them.
func TestSwappedSymbolicLinksAreFollowed(t *testing.T) {
	folder := t.TempDir()
	link := func(target, name string) {
		t.Helper()
		swap := filepath.Join(folder, "swap")
		if err := os.Symlink(target, swap); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(swap, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(folder, version), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	desk := add(t, filepath.Join(folder, "v1", "keys"), "desk", "reader")
	wall := add(t, filepath.Join(folder, "v2", "keys"), "wall", "reader")
	link("v1", "..data")
	link(filepath.Join("..data", "keys"), "keys")
	synctest.Test(t, func(t *testing.T) {
		authenticator, err := keys.Open(filepath.Join(folder, "keys"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		go authenticator.ReloadOnChange(t.Context())
		h := &harness{Authenticator: authenticator, t: t}
		stream := h.openStream(desk)
		link("v2", "..data")
		wait5s()
		if _, err := h.authenticate(wall); err != nil || ended(stream) != apierror.CredentialInvalid {
			t.Errorf("got %v, and the stream %q", err, ended(stream))
		}
	})
}

func TestAuthenticateRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	desk := add(t, file, "desk", "reader")
	authenticator, err := keys.Open(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		tokens []string
		want   apierror.Reason
	}{
		{nil, apierror.CredentialMissing},
		{[]string{"pgk_wrong"}, apierror.CredentialInvalid},
		{[]string{desk + "x"}, apierror.CredentialInvalid},
		{[]string{desk[:len(desk)-1]}, apierror.CredentialInvalid},
		{[]string{desk, "other"}, apierror.CredentialsDiffer},
	} {
		_, err := authenticator.Authenticate(t.Context(), access.Credentials{AuthToken: test.tokens})
		if err == nil || apierror.ReasonOf(err) != test.want || strings.Contains(err.Error(), desk[4:]) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestOpenNeedsAValidFile(t *testing.T) {
	folder := t.TempDir()
	broken := filepath.Join(folder, "broken")
	if err := os.WriteFile(broken, []byte(header+"desk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{broken: "broken: line 2: want NAME", filepath.Join(folder, "none"): "no such file"} {
		if _, err := keys.Open(file, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
