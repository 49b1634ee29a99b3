package main

import (
	"strings"
	"testing"
)

func TestBuildAll(t *testing.T) {
	var text strings.Builder
	out := &lockedWriter{out: &text}
	builds := buildAll(t.Context(), settings{logs: t.TempDir(), clientDir: t.TempDir()}, []client{
		{Name: "good", Build: []string{"true"}, Needs: []string{"true"}},
		{Name: "same", Build: []string{"true"}},
		{Name: "bad", Build: []string{"false"}},
		{Name: "script"},
		{Name: "foreign", Build: []string{"true"}, Needs: []string{"true", "no-such-compiler"}},
	}, out)
	for name, want := range map[string]struct{ skipped, problem string }{
		"good": {}, "same": {}, "script": {},
		"bad":     {problem: "build: exit status 1"},
		"foreign": {skipped: "there is no no-such-compiler"},
	} {
		if b := builds[name]; b.skipped != want.skipped || !strings.HasPrefix(b.problem, want.problem) || (b.problem == "") != (want.problem == "") {
			t.Errorf("%s: skipped %q, problem %q", name, b.skipped, b.problem)
		}
	}
	if n := strings.Count(text.String(), "built "); n != 2 {
		t.Errorf("%d builds, want 2:\n%s", n, text.String())
	}
}
