package panics_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/panics"
)

var none []int

func TestError(t *testing.T) {
	before := panics.Recovered()
	err := panics.Error("a text")
	if counted := panics.Recovered() - before; counted != 1 || !strings.HasPrefix(err.Error(), "panic: a text\n") {
		t.Errorf("error %v, counted %d", err, counted)
	}
	if !strings.Contains(err.Error(), "panics_test.go") {
		t.Errorf("no stack in %v", err)
	}
}

func TestRecover(t *testing.T) {
	for name, test := range map[string]struct {
		work func()
		want string
	}{
		"no panic":      {func() {}, ""},
		"a text":        {func() { panic("a text") }, "panic: a text"},
		"an error":      {func() { panic(errors.New("an error")) }, "panic: an error"},
		"runtime error": {func() { _ = none[3] }, "panic: runtime error: index out of range [3] with length 0"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			before := panics.Recovered()
			err := panics.Recover(slog.New(slog.NewTextHandler(&log, nil)), "poller", test.work)
			counted := panics.Recovered() - before
			if test.want == "" {
				if err != nil || counted != 0 || log.Len() > 0 {
					t.Errorf("error %v, counted %d, log %q", err, counted, log.String())
				}
				return
			}
			if err == nil || err.Error() != test.want || counted != 1 {
				t.Errorf("error %v, want %s; counted %d", err, test.want, counted)
			}
			for _, want := range []string{"work=poller", strings.TrimPrefix(test.want, "panic: "), "panics_test.go"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("log %q, want %q in it", log.String(), want)
				}
			}
		})
	}
}
