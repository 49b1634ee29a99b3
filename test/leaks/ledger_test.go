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

// ledger is what was used and must not come out again.
type ledger struct {
	mu sync.Mutex
	// secrets may come out nowhere, nor any part of one that tells it.
	secrets map[string]string
	// numbers may come out only in answers of success; they are digits alone.
	numbers []string
	// names may not be logged.
	names []string
}

// secret makes one up, and notes it under what it is for.
func (l *ledger) secret(what string) string {
	return l.keep(what, "S"+rand.Text())
}

// keep notes a secret that somebody else made.
func (l *ledger) keep(what, secret string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets[what] = secret
	return secret
}

// number makes up a number of ten digits that can be dialled in North America.
func (l *ledger) number() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	number := fmt.Sprintf("212867%04d", 5300+len(l.numbers))
	l.numbers = append(l.numbers, number)
	return number
}

// name makes up somebody's name.
func (l *ledger) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := "Quentin " + rand.Text()
	l.names = append(l.names, name)
	return name
}

// where is the kind of output that something came out in.
type where int

const (
	// log is what the process wrote.
	log where = iota
	// refusal is all that callers get but answers of success.
	refusal
	// success is an answer that may hold people and their numbers.
	success
)

// telling is how many characters of a secret in a row are too many.
const telling = 10

// parted is what people write between digits.
var parted = regexp.MustCompile(`([0-9])(?:%20|[\s\x{A0}\x{2011}().\-/])+([0-9])`)

// found tells what of the ledger is in an output.
func (l *ledger) found(in where, text string) (what []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for kind, secret := range l.secrets {
		for start := range len(secret) - telling + 1 {
			if strings.Contains(text, secret[start:start+telling]) {
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
		joined := parted.ReplaceAllString(parted.ReplaceAllString(text, "$1$2"), "$1$2")
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

// check fails for everything of the ledger that is in an output.
func (l *ledger) check(t *testing.T, in where, from, text string) {
	t.Helper()
	for _, what := range l.found(in, text) {
		t.Errorf("%s gives away %s:\n%s", from, what, around(text, what))
	}
}

// around is the line of a text that something stands in, or the text's beginning.
func around(text, what string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, what) {
			return line
		}
	}
	return text[:min(len(text), 2000)]
}

// opened is a token and all that it says encoded.
func opened(token string) string {
	_, body, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return token
	}
	return token + "\n" + string(decoded)
}

func TestTheSearchFinds(t *testing.T) {
	l := &ledger{secrets: map[string]string{}}
	secret, number, name := l.secret("key"), l.number(), l.name()
	for text, want := range map[string]int{
		"":                            0,
		"x" + secret + "x":            1,
		"token " + secret[:telling]:   1,
		"token " + secret[:telling-1]: 0,
		"…" + number[6:]:              0,
		"+1" + number:                 1,
		"+1 (212) 867-" + number[6:]:  1,
		"2.1.2.8.6.7." + number[6:]:   1,
		name + " at " + number:        2,
		opened("pgw1." + base64.RawURLEncoding.EncodeToString([]byte(secret))): 1,
	} {
		if got := l.found(log, text); len(got) != want {
			t.Errorf("%q: found %v, want %d", text, got, want)
		}
	}
	if got := l.found(success, number+name); len(got) != 0 {
		t.Errorf("in a success: found %v", got)
	}
}
