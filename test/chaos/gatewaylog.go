package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"sync"
)

// secret is the gateway's upstream credential, which it must never log.
const secret = "chaos-upstream-credential-7c1f"

// forbiddenInLog matches the credential, and phone numbers in full.
var forbiddenInLog = regexp.MustCompile(regexp.QuoteMeta(secret) + `|` + redisPassword + `|\+120255[56][0-9]{4}`)

// panicked matches a panic of the process, and one that a call recovered.
var panicked = regexp.MustCompile(`^(panic|fatal error): |"panic: `)

// gatewayLog writes the log of a process to a file and searches it for violations.
type gatewayLog struct {
	out     io.Writer
	results *results

	mu sync.Mutex
	// line is the start of a line whose end has not come yet.
	line []byte
}

// Write takes a part of the log.
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
