package leaks_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// secretSet is the data that must not leak.
type secretSet struct {
	mu sync.Mutex
	// secrets may appear nowhere, not even in part.
	secrets map[string]string
	// numbers, of digits only, may appear only in successful responses.
	numbers []string
	// names may not be logged.
	names []string
}

// secret generates a secret and keeps it under its purpose.
func (l *secretSet) secret(what string) string {
	return l.keep(what, "S"+rand.Text())
}

// keep adds a secret that exists already.
func (l *secretSet) keep(what, secret string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets[what] = secret
	return secret
}

// number generates a valid North American number of ten digits.
func (l *secretSet) number() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	number := fmt.Sprintf("212867%04d", 5300+len(l.numbers))
	l.numbers = append(l.numbers, number)
	return number
}

// name generates a participant's name.
func (l *secretSet) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := "Quentin " + rand.Text()
	l.names = append(l.names, name)
	return name
}

// outputKind is the kind of an output.
type outputKind int

const (
	// log is the output of the process.
	log outputKind = iota
	// public is everything that clients receive except the bodies of successful responses.
	public
	// success is the body of a successful response, which may contain phone numbers.
	success
)

// leakLength is the number of consecutive characters of a secret that count as a leak.
const leakLength = 10

// separators matches what people write between digits.
var separators = regexp.MustCompile(`([0-9])(?:%20|[\s\x{A0}\x{2011}().\-/])+([0-9])`)

// found returns the leaks in an output.
func (l *secretSet) found(in outputKind, text string) (what []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for kind, secret := range l.secrets {
		for start := range len(secret) - leakLength + 1 {
			if strings.Contains(text, secret[start:start+leakLength]) {
				what = append(what, "the "+kind)
				break
			}
		}
	}
	if in == log {
		what = append(what, contained(text, l.names)...)
	}
	if in != success {
		// Twice, since matches do not overlap.
		joined := separators.ReplaceAllString(separators.ReplaceAllString(text, "$1$2"), "$1$2")
		what = append(what, contained(joined, l.numbers)...)
	}
	return what
}

func contained(text string, words []string) (found []string) {
	for _, word := range words {
		if strings.Contains(text, word) {
			found = append(found, word)
		}
	}
	return found
}

// check reports every leak in an output.
func (l *secretSet) check(t *testing.T, in outputKind, from, text string) {
	t.Helper()
	for _, what := range l.found(in, text) {
		t.Errorf("%s leaks %s:\n%s", from, what, lineOf(text, what))
	}
}

// lineOf returns the line that contains something, or the beginning of the text.
func lineOf(text, what string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, what) {
			return line
		}
	}
	return text[:min(len(text), 2000)]
}

// decodedToken returns a token and its decoded content.
func decodedToken(token string) string {
	_, body, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return token
	}
	return token + "\n" + string(decoded)
}

func TestSearch(t *testing.T) {
	l := &secretSet{secrets: map[string]string{}}
	secret, number, name := l.secret("key"), l.number(), l.name()
	for text, want := range map[string]int{
		"":                               0,
		"x" + secret + "x":               1,
		"token " + secret[:leakLength]:   1,
		"token " + secret[:leakLength-1]: 0,
		"…" + number[6:]:                 0,
		"+1" + number:                    1,
		"+1 (212) 867-" + number[6:]:     1,
		"2.1.2.8.6.7." + number[6:]:      1,
		name + " at " + number:           2,
		decodedToken("pgw1." + base64.RawURLEncoding.EncodeToString([]byte(secret))): 1,
	} {
		if got := l.found(log, text); len(got) != want {
			t.Errorf("%q: found %v, want %d", text, got, want)
		}
	}
	if got := l.found(success, number+name); len(got) != 0 {
		t.Errorf("in a success: found %v", got)
	}
}
