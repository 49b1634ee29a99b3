package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// transcript is what a client has printed.
type transcript struct {
	mu      sync.Mutex
	lines   map[string][]line
	broken  []string
	ended   bool
	changed chan struct{}
}

func newTranscript() *transcript {
	return &transcript{lines: map[string][]line{}, changed: make(chan struct{})}
}

// read reads lines until the client's output ends.
func (t *transcript) read(output io.Reader) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		l, err := parseLine(lines.Text(), time.Now())
		t.update(func() {
			if err != nil {
				t.broken = append(t.broken, fmt.Sprintf("the line %s %v", shorten(lines.Text()), err))
				return
			}
			t.lines[l.id] = append(t.lines[l.id], l)
		})
	}
	t.update(func() { t.ended = true })
}

func (t *transcript) update(apply func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	apply()
	close(t.changed)
	t.changed = make(chan struct{})
}

// of returns the lines with an id.
func (t *transcript) of(id string) []line {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.lines[id])
}

// takeBroken returns what is wrong with lines that could not be read, once.
func (t *transcript) takeBroken() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	broken := t.broken
	t.broken = nil
	return broken
}

// errClientEnded means that the client's output ended before an awaited line.
var errClientEnded = errors.New("the client's process ended")

// line waits for line number n with an id.
func (t *transcript) line(ctx context.Context, id string, n int) (line, error) {
	for {
		t.mu.Lock()
		lines, ended, changed := t.lines[id], t.ended, t.changed
		t.mu.Unlock()
		if n < len(lines) {
			return lines[n], nil
		}
		if ended {
			return line{}, errClientEnded
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return line{}, context.Cause(ctx)
		}
	}
}
