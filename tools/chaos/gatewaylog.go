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

// forbiddenInLog is what no log line may hold: the credential, and a phone number in full.
var forbiddenInLog = regexp.MustCompile(regexp.QuoteMeta(secret) + `|\+120255[56][0-9]{4}`)

// panicked is a process that panicked, or a call that did and whose panic was caught.
var panicked = regexp.MustCompile(`^(panic|fatal error): |"panic: `)

// gatewayLog keeps what the gateway's processes log, and reads it over their shoulder.
type gatewayLog struct {
	out     io.Writer
	results *results

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
		line, rest, complete := bytes.Cut(l.line, []byte("\n"))
		if !complete {
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
	l.results.check("log lines read", 1)
	if forbiddenInLog.Match(line) {
		l.results.violatef(secretsLogged, "a log line holds a credential or a phone number")
	}
	if panicked.Match(line) {
		l.results.violatef(badExits, "%s", line)
	}
}
