package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"sync"
)

// secret is the credential that the gateway is given, and must never show.
const secret = "chaos-upstream-credential-7c1f"

// untellable is what no log line may hold: the credential, and a phone number in full.
var untellable = regexp.MustCompile(regexp.QuoteMeta(secret) + `|\+120255[56][0-9]{4}`)

// panicked is a process that panicked, or a call that did and whose panic was caught.
var panicked = regexp.MustCompile(`^(panic|fatal error): |"panic: `)

// gatewayLog keeps what the gateway's processes log, and reads it over their shoulder.
type gatewayLog struct {
	out   io.Writer
	tally *tally

	mu sync.Mutex
	// line is what has come of a line that is not whole yet.
	line []byte
}

// Write takes a piece of the log.
func (l *gatewayLog) Write(piece []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = append(l.line, piece...)
	for {
		line, rest, whole := bytes.Cut(l.line, []byte("\n"))
		if !whole {
			break
		}
		l.read(line)
		l.line = rest
	}
	if _, err := l.out.Write(piece); err != nil {
		return 0, fmt.Errorf("keep the log: %w", err)
	}
	return len(piece), nil
}

func (l *gatewayLog) read(line []byte) {
	l.tally.check("log lines read", 1)
	if untellable.Match(line) {
		l.tally.brokenf(secretsLogged, "a log line holds a credential or a phone number")
	}
	if panicked.Match(line) {
		l.tally.brokenf(badExits, "%s", line)
	}
}
