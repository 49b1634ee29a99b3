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

// followed is a policy that is followed in virtual time.
type followed struct {
	*keys.Authenticator

	t    *testing.T
	file string
	log  *bytes.Buffer
}

// follow runs a test beside a policy whose file has two callers.
func follow(t *testing.T, test func(f *followed, desk, wall string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &followed{t: t, file: filepath.Join(t.TempDir(), "keys"), log: &bytes.Buffer{}}
		desk, wall := add(t, f.file, "desk", "writer"), add(t, f.file, "wall", "reader", "conf_a")
		var err error
		if f.Authenticator, err = keys.Open(f.file, slog.New(slog.NewTextHandler(f.log, nil))); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.ReloadOnChange(ctx)
		}()
		test(f, desk, wall)
		stop()
		<-done
	})
}

func (f *followed) admit(key string) (access.Caller, error) {
	return f.Authenticate(f.t.Context(), access.Credentials{AuthToken: []string{key}})
}

// watch opens a stream of conf_a.
func (f *followed) watch(key string) context.Context {
	f.t.Helper()
	caller, err := f.admit(key)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, release := caller.Grant.StreamContext(f.t.Context(), access.Permission{Role: access.Reader, Conference: "conf_a"})
	f.t.Cleanup(release)
	return ctx
}

// replace puts a changed file in place, as an editor does.
func (f *followed) replace(old, by string) {
	f.t.Helper()
	changed := strings.Replace(content(f.t, f.file), old, by, 1)
	if err := os.WriteFile(f.file, []byte(changed), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// within5s lets the time pass that a withdrawal may take.
func within5s() {
	time.Sleep(5*time.Second - time.Millisecond)
	synctest.Wait()
}

func ended(ctx context.Context) apierror.Reason {
	if ctx.Err() == nil {
		return ""
	}
	return apierror.ReasonOf(context.Cause(ctx))
}

func TestW19_ARevokedKeyEndsItsStreamsAndNoOthers(t *testing.T) {
	follow(t, func(f *followed, desk, wall string) {
		gone, stays := f.watch(desk), f.watch(wall)
		if err := keys.Revoke(f.file, "desk"); err != nil {
			t.Fatal(err)
		}
		within5s()
		if got := ended(gone); got != apierror.CredentialInvalid {
			t.Errorf("the revoked caller's stream: got %q", got)
		}
		if got := ended(stays); got != "" {
			t.Errorf("the other's stream ended: %q", got)
		}
		if _, err := f.admit(desk); apierror.ReasonOf(err) != apierror.CredentialInvalid {
			t.Errorf("a call with the revoked key: got %v", err)
		}
	})
}

func TestW19_AKeyThatIsReplacedEndsTheStreamsOfTheOld(t *testing.T) {
	follow(t, func(f *followed, desk, _ string) {
		old := f.watch(desk)
		if err := keys.Revoke(f.file, "desk"); err != nil {
			t.Fatal(err)
		}
		renewed := add(t, f.file, "desk", "writer")
		within5s()
		if got := ended(old); got != apierror.CredentialInvalid {
			t.Errorf("got %q", got)
		}
		if got := ended(f.watch(renewed)); got != "" {
			t.Errorf("the new key's stream: got %q", got)
		}
	})
}

func TestW19_ChangedRightsEndStreamsThatNeedThem(t *testing.T) {
	for _, test := range []struct {
		old, by string
		want    apierror.Reason
	}{
		{"reader conf_a", "reader conf_b", apierror.ConferenceNotGranted},
		{"reader conf_a", "writer conf_b,conf_a", ""},
		{"reader conf_a", "reader *", ""},
		{"wall reader", "hall reader", apierror.CredentialInvalid},
	} {
		follow(t, func(f *followed, _, wall string) {
			stream := f.watch(wall)
			f.replace(test.old, test.by)
			within5s()
			if got := ended(stream); got != test.want {
				t.Errorf("%s, then %s: got %q, want %q", test.old, test.by, got, test.want)
			}
		})
	}
}

func TestANewCallerIsAdmittedWithinSeconds(t *testing.T) {
	follow(t, func(f *followed, _, wall string) {
		stream := f.watch(wall)
		hall := add(t, f.file, "hall", "reader")
		within5s()
		if caller, err := f.admit(hall); err != nil || caller.Name != "hall" {
			t.Errorf("got %v, %v", caller, err)
		}
		if got := ended(stream); got != "" {
			t.Errorf("a stream ended for it: %q", got)
		}
	})
}

// In complaintTime a file that cannot be used is complained of this often.
const (
	complaintTime = 3*time.Minute - 2*time.Second
	complaints    = 3
)

func TestABrokenFileKeepsTheLastGoodOneAndIsComplainedOfEachMinute(t *testing.T) {
	breaks := map[string]func(f *followed) error{
		"junk":    func(f *followed) error { return os.WriteFile(f.file, []byte("junk\n"), 0o600) },
		"emptied": func(f *followed) error { return os.Truncate(f.file, 0) },
		"removed": func(f *followed) error { return os.Remove(f.file) },
		"replaced by a folder": func(f *followed) error {
			return errors.Join(os.Remove(f.file), os.Mkdir(f.file, 0o700))
		},
	}
	for name, breakIt := range breaks {
		follow(t, func(f *followed, desk, wall string) {
			stream, good := f.watch(desk), content(t, f.file)
			if err := breakIt(f); err != nil {
				t.Fatal(err)
			}
			time.Sleep(complaintTime)
			synctest.Wait()
			if f.Usable() {
				t.Errorf("%s: the file is said to be usable", name)
			}
			if _, err := f.admit(wall); err != nil || ended(stream) != "" {
				t.Errorf("%s: got %v, and the stream %q", name, err, ended(stream))
			}
			if got := strings.Count(f.log.String(), "level=ERROR"); got != complaints {
				t.Errorf("%s: %d complaints, want one a minute:\n%s", name, got, f.log)
			}
			if err := os.RemoveAll(f.file); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.file, []byte(strings.Replace(good, "desk", "#desk", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			within5s()
			if got := ended(stream); got != apierror.CredentialInvalid || !f.Usable() {
				t.Errorf("%s, and mended: got %q, usable %t", name, got, f.Usable())
			}
			if strings.Contains(f.log.String(), desk) || strings.Contains(f.log.String(), wall) {
				t.Errorf("the log holds a key:\n%s", f.log)
			}
		})
	}
}

// Kubernetes mounts a secret behind two links and swaps one of them.
func TestSwappedLinksAreFollowed(t *testing.T) {
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
		policy, err := keys.Open(filepath.Join(folder, "keys"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		go policy.ReloadOnChange(t.Context())
		f := &followed{Authenticator: policy, t: t}
		stream := f.watch(desk)
		link("v2", "..data")
		within5s()
		if _, err := f.admit(wall); err != nil || ended(stream) != apierror.CredentialInvalid {
			t.Errorf("got %v, and the stream %q", err, ended(stream))
		}
	})
}

func TestAdmitRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	desk := add(t, file, "desk", "reader")
	policy, err := keys.Open(file, slog.New(slog.DiscardHandler))
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
		_, err := policy.Authenticate(t.Context(), access.Credentials{AuthToken: test.tokens})
		if err == nil || apierror.ReasonOf(err) != test.want || strings.Contains(err.Error(), desk[4:]) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestOpenNeedsAGoodFile(t *testing.T) {
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
