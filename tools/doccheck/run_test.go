package main

import (
	"bytes"
	"strings"
	"testing"
)

// unreachable returns an environment at addresses where nothing listens.
func unreachable() *environment {
	return &environment{addresses: map[string]string{defaultHTTP: "127.0.0.1:1"}, stop: func() {}}
}

func TestCheckCounts(t *testing.T) {
	var out bytes.Buffer
	got := check(t.Context(), []block{
		{where: "good", language: "sh", script: "echo 127.0.0.1:8080", want: "127.0.0.1:8080"},
		{where: "wrong", language: "sh", script: "echo yes", want: "no"},
		{where: "broken", language: "sh", script: "exit 3"},
		{where: "streaming", language: "sh", script: "echo event; exec sleep 60", watch: true},
		{where: "silent", language: "sh", script: "true", watch: true},
		{where: "elsewhere", language: "sh", norun: true, reason: "not here"},
		{where: "unreasoned", language: "sh", norun: true},
	}, unreachable(), &out)
	if want := (tally{ran: 5, norun: 1, failed: 4}); got != want {
		t.Errorf("counts %+v, want %+v\n%s", got, want, out.String())
	}
	for _, line := range []string{"ok     good", "ok     streaming", "norun  elsewhere: not here", "FAIL   silent: the stream is empty"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the output does not contain %q:\n%s", line, out.String())
		}
	}
}

func TestSubstituteAndRestore(t *testing.T) {
	b := unreachable()
	const script = "curl http://127.0.0.1:8080/v2"
	if got := b.substitute(script); got != "curl http://127.0.0.1:1/v2" {
		t.Errorf("substitutes %q", got)
	}
	if got := b.restore(b.substitute(script)); got != script {
		t.Errorf("restores %q", got)
	}
}

func TestRun_AgainstTheGateway(t *testing.T) {
	b, err := start(t.Context(), "passthrough", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer b.stop()
	// Only bash, so that the test does not need curl.
	one := block{language: "sh", script: `
		at=127.0.0.1:8080
		exec 3<>"/dev/tcp/${at/:/\/}"
		printf 'GET /v2/conferences/conf_demo/participants HTTP/1.0\r\nX-Auth-Token: any\r\n\r\n' >&3
		cat <&3`, want: `{"participants":[{"id":"…","conference_id":"conf_demo"`}
	if err := one.run(t.Context(), b); err != nil {
		t.Error(err)
	}
}
