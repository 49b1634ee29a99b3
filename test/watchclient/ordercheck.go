package watchclient

import (
	"fmt"
	"hash/maphash"
	"sync"
)

// OrderCheck compares the messages of all watchers by position. A token names conference,
// epoch, sequence number and filter, so that watchers at the same token must have received
// the same changes and hold the same roster (W2, W3).
type OrderCheck struct {
	mu   sync.Mutex
	seed maphash.Seed
	// changes is the digest of the changes that end at a token, held that of the roster
	// there, next the token of the changes that follow those of a token.
	changes, held map[string]uint64
	next          map[string]string
	// agreed counts how often one watcher agreed with another.
	agreed int
}

// NewOrderCheck returns a check that has seen nothing.
func NewOrderCheck() *OrderCheck {
	return &OrderCheck{seed: maphash.MakeSeed(), changes: map[string]uint64{}, held: map[string]uint64{}, next: map[string]string{}}
}

// Changed records changes of a watcher; last is the token of its changes before, if known.
func (l *OrderCheck) Changed(last, token string, msg *Changes) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.same(l.changes, token, fmt.Sprintf("%v", plain(msg))); err != nil {
		return fmt.Errorf("changes: %w", err)
	}
	if last == "" {
		return nil
	}
	if follows, known := l.next[last]; known && follows != token {
		return fmt.Errorf("after %s came %s, but for another watcher %s", last, token, follows)
	}
	l.next[last] = token
	return nil
}

// Holds records the roster of a watcher at a token.
func (l *OrderCheck) Holds(token string, held Roster) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.same(l.held, token, held.String()); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

func (l *OrderCheck) same(kept map[string]uint64, token, text string) error {
	digest := maphash.String(l.seed, text)
	if before, known := kept[token]; known {
		if before != digest {
			return fmt.Errorf("at %s another watcher received something else", token)
		}
		l.agreed++
	}
	kept[token] = digest
	return nil
}

// plain returns the changes without pointers, so that equal changes have equal text.
func plain(msg *Changes) []string {
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

// Agreed returns how often one watcher agreed with another.
func (l *OrderCheck) Agreed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.agreed
}
