package main

import (
	"fmt"
	"hash/maphash"
	"sync"
)

// orderCheck holds what all watchers together were told, by position. A token names
// conference, epoch, sequence number and filter, so that who is at the same token must
// have been told the same and hold the same (W2, W3).
type orderCheck struct {
	mu   sync.Mutex
	seed maphash.Seed
	// msg is the digest of the changes that lead to a token, held that of the roster
	// there, next the token of the changes that come after those of a token.
	msg, held map[string]uint64
	next      map[string]string
	// agreed is how often one watcher was found to agree with another.
	agreed int
}

func newOrderCheck() *orderCheck {
	return &orderCheck{seed: maphash.MakeSeed(), msg: map[string]uint64{}, held: map[string]uint64{}, next: map[string]string{}}
}

// changed notes changes that came to a watcher whose changes before were those of the
// token last, if that is known.
func (l *orderCheck) changed(last, token string, msg *changes) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.same(l.msg, token, fmt.Sprintf("%v", plain(msg))); err != nil {
		return fmt.Errorf("changes: %w", err)
	}
	if last == "" {
		return nil
	}
	if follows, known := l.next[last]; known && follows != token {
		return fmt.Errorf("after %s came %s, and for somebody else %s", last, token, follows)
	}
	l.next[last] = token
	return nil
}

// holds notes the roster of a watcher at a token.
func (l *orderCheck) holds(token string, held roster) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.same(l.held, token, held.String()); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

func (l *orderCheck) same(kept map[string]uint64, token, text string) error {
	digest := maphash.String(l.seed, text)
	if before, known := kept[token]; known {
		if before != digest {
			return fmt.Errorf("at %s another one was told differently", token)
		}
		l.agreed++
	}
	kept[token] = digest
	return nil
}

// plain are the changes without pointers, which differ where nothing else does.
func plain(msg *changes) []string {
	all := make([]string, len(msg.Changes))
	for i, c := range msg.Changes {
		previous := "none"
		if c.Previous != nil {
			previous = *c.Previous
		}
		all[i] = fmt.Sprint(c.Kind, c.Member, previous)
	}
	return all
}
